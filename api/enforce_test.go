package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/api"
	"github.com/kesu-go/kesu/pkg/wire"
)

const (
	replyPath    = "/merchants/acme/complaints/2001/reply"
	completePath = "/merchants/acme/complaints/2001/complete"
)

// answer is what a function says of a request, made by the code that makes it in the functions.
func answer(w http.ResponseWriter, result wire.Result) {
	status, header, body := result.HTTP()
	for name, value := range header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// function answers as the reply function does: it refuses what pkg/wire refuses, and gives result to the rest.
func function(result wire.Result) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		request := wire.ReadHTTP(result.Action, wire.HTTPRequest{Merchant: "acme", ComplaintID: "2001", Body: body,
			ContentType: r.Header.Get("Content-Type"), IdempotencyKeys: r.Header.Values("Idempotency-Key")})
		if len(request.Problems) > 0 {
			answer(w, request.Refusal(time.Unix(0, 0)))
			return
		}
		answer(w, result)
	})
}

func result(action wire.Action, outcome wire.Outcome, code string) wire.Result {
	command := wire.Command{Action: action, Merchant: "acme", ComplaintID: "2001"}
	return command.NewResult(outcome, code, "words", time.Unix(0, 0))
}

func ask(t *testing.T, next http.Handler, method, path, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	enforced, err := api.Enforce(next)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	recorded := httptest.NewRecorder()
	enforced.ServeHTTP(recorded, request)
	return recorded
}

func TestEveryAnswerOfTheFunctionsIsInTheDocument(t *testing.T) {
	const reply = `{"response_content":"已处理"}`
	with := func(r wire.Result, change func(*wire.Result)) wire.Result { change(&r); return r }
	for name, c := range map[string]struct {
		path, contentType, body string
		result                  wire.Result
		status                  int
	}{
		"a reply succeeded":                 {replyPath, "application/json", reply, result(wire.Reply, wire.Succeeded, "0000"), 200},
		"a completion without a body":       {completePath, "", "", result(wire.Complete, wire.Succeeded, "OK"), 200},
		"a completion with an empty object": {completePath, "application/json", "{}", result(wire.Complete, wire.Succeeded, "OK"), 200},
		"a charset beside the media type":   {replyPath, "application/json; charset=utf-8", reply, result(wire.Reply, wire.Succeeded, "0000"), 200},
		"a wrong reply":                     {replyPath, "application/json", `{"response_content":"","x":1}`, result(wire.Reply, wire.Succeeded, "0000"), 400},
		"a reply without a body":            {replyPath, "", "", result(wire.Reply, wire.Succeeded, "0000"), 400},
		"a body that is not JSON":           {replyPath, "text/plain", reply, result(wire.Reply, wire.Succeeded, "0000"), 415},
		"a body that is too large":          {replyPath, "application/json", `{"response_content":"` + strings.Repeat("x", 70_000) + `"}`, result(wire.Reply, wire.Succeeded, "0000"), 413},
		"an unknown merchant":               {replyPath, "application/json", reply, result(wire.Reply, wire.Rejected, wire.CodeUnknownMerchant), 404},
		"a command in progress":             {replyPath, "application/json", reply, result(wire.Reply, wire.Retryable, wire.CodeInProgress), 409},
		"a mismatch":                        {replyPath, "application/json", reply, result(wire.Reply, wire.Rejected, wire.CodeIdempotencyMismatch), 422},
		"a broken secret":                   {replyPath, "application/json", reply, result(wire.Reply, wire.Rejected, wire.CodeMerchantMisconfigured), 502},
		"a ledger that is down":             {replyPath, "application/json", reply, result(wire.Reply, wire.Retryable, wire.CodeLedgerUnavailable), 503},
		"an unknown outcome":                {replyPath, "application/json", reply, result(wire.Reply, wire.Unknown, wire.CodeOutcomeUnknown), 504},
		"a bug":                             {replyPath, "application/json", reply, result(wire.Reply, wire.Unknown, wire.CodeInternal), 500},
		"a gateway's refusal": {replyPath, "application/json", reply,
			with(result(wire.Reply, wire.Rejected, "3001"), func(r *wire.Result) { r.Attempts, r.HTTPStatus = 1, 200 }), 422},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, function(c.result), http.MethodPost, c.path, c.contentType, c.body)
			if got.Code != c.status || strings.Contains(got.Body.String(), "about:blank") {
				t.Errorf("HTTP %d, should be %d: %s", got.Code, c.status, got.Body)
			}
			direct := httptest.NewRecorder()
			request := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body))
			request.Header.Set("Content-Type", c.contentType)
			function(c.result).ServeHTTP(direct, request)
			if !bytes.Equal(got.Body.Bytes(), direct.Body.Bytes()) {
				t.Errorf("the answer was changed on its way:\n%s\n%s", got.Body, direct.Body)
			}
		})
	}
}

func TestADriftBetweenCodeAndDocumentIsTold(t *testing.T) {
	takesAll := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, result(wire.Reply, wire.Succeeded, "0000")) })
	says := func(status int, contentType string, change func(map[string]any)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _, body := result(wire.Reply, wire.Succeeded, "0000").HTTP()
			var members map[string]any
			if err := json.Unmarshal(body, &members); err != nil {
				panic(err)
			}
			change(members)
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(members)
		})
	}
	const good = `{"response_content":"x"}`
	for name, c := range map[string]struct {
		next       http.Handler
		body, told string
	}{
		"a reply of 501 characters is taken": {takesAll, `{"response_content":"` + strings.Repeat("字", 501) + `"}`, "/response_content"},
		"an unknown member is taken":         {takesAll, `{"response_content":"x","colour":"red"}`, "colour"},
		"an answer lacks a member":           {says(200, "application/json", func(m map[string]any) { delete(m, "attempts") }), good, "attempts"},
		"an answer has a new outcome":        {says(200, "application/json", func(m map[string]any) { m["outcome"] = "failed" }), good, "/outcome"},
		"an answer has another type":         {says(200, "application/json", func(m map[string]any) { m["verified"] = "yes" }), good, "/verified"},
		"an answer has another status":       {says(418, "application/json", func(map[string]any) {}), good, "status"},
		"an answer has another media type":   {says(200, "text/html", func(map[string]any) {}), good, "text/html"},
		"a retryable answer without Retry-After": {says(503, "application/problem+json", func(m map[string]any) {
			maps.Copy(m, map[string]any{"type": "t", "title": "t", "status": 503, "detail": "d", "outcome": "retryable"})
		}), good, "Retry-After"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, c.next, http.MethodPost, replyPath, "application/json", c.body)
			if got.Code != http.StatusInternalServerError || !strings.Contains(got.Body.String(), c.told) {
				t.Errorf("HTTP %d, should be 500 and name %q: %s", got.Code, c.told, got.Body)
			}
			if strings.Contains(got.Body.String(), "字") {
				t.Error("the caller's words are quoted")
			}
		})
	}
}

func TestTheDocumentIsServedAndOtherPathsPass(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	if got := ask(t, next, http.MethodGet, api.Path, "", ""); got.Code != 200 || !bytes.Equal(got.Body.Bytes(), api.OpenAPI) {
		t.Errorf("HTTP %d, and %d bytes of %d", got.Code, got.Body.Len(), len(api.OpenAPI))
	}
	for _, request := range [][2]string{{http.MethodPost, "/events"}, {http.MethodGet, replyPath}, {http.MethodPost, "/merchants/acme/complaints"}} {
		if got := ask(t, next, request[0], request[1], "", ""); got.Code != http.StatusTeapot {
			t.Errorf("%s %s was not passed on: HTTP %d", request[0], request[1], got.Code)
		}
	}
	own := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusGatewayTimeout)
		_, _ = w.Write([]byte(`{"type":"about:blank","title":"Gateway Timeout","status":504,"detail":"the function did not answer in time"}`))
	})
	if got := ask(t, own, http.MethodPost, completePath, "", ""); got.Code != http.StatusGatewayTimeout {
		t.Errorf("the gateway's own error was changed: HTTP %d %s", got.Code, got.Body)
	}
}
