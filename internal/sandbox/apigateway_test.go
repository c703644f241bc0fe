package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// invoker is a function for tests that need no process.
type invoker func(ctx context.Context, payload []byte, timeout time.Duration) (Invocation, error)

func (f invoker) Invoke(ctx context.Context, payload []byte, timeout time.Duration) (Invocation, error) {
	return f(ctx, payload, timeout)
}

func answers(payload string) invoker {
	return func(context.Context, []byte, time.Duration) (Invocation, error) {
		return Invocation{Payload: []byte(payload)}, nil
	}
}

func ask(h http.Handler, method, target, body string, header http.Header) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestAPIGatewayPassesTheRequestOn(t *testing.T) {
	var got events.APIGatewayProxyRequest
	var limit time.Duration
	g := &APIGateway{Reply: invoker(func(_ context.Context, payload []byte, timeout time.Duration) (Invocation, error) {
		limit = timeout
		return Invocation{Payload: []byte(`{"statusCode":409,"headers":{"Retry-After":"3"},"multiValueHeaders":{"X-A":["1","2"]},"body":"eA==","isBase64Encoded":true}`)}, json.Unmarshal(payload, &got)
	})}
	resp := ask(g, "POST", "/merchants/ac%20me/complaints/20%2F01/reply?a=1&a=2", `{"response_content":"好"}`, http.Header{"Idempotency-Key": {"k1", "k2"}})
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 409 || resp.Header.Get("Retry-After") != "3" || len(resp.Header["X-A"]) != 2 || string(body) != "x" {
		t.Errorf("answer %v %s", resp, body)
	}
	if got.PathParameters["merchant"] != "ac me" || got.PathParameters["complaint_id"] != "20/01" || got.Body != `{"response_content":"好"}` || got.IsBase64Encoded ||
		got.Resource != "/merchants/{merchant}/complaints/{complaint_id}/reply" || got.HTTPMethod != "POST" || got.Headers["Idempotency-Key"] != "k2" ||
		len(got.MultiValueHeaders["Idempotency-Key"]) != 2 || got.QueryStringParameters["a"] != "2" || got.RequestContext.RequestID == "" || limit != 29*time.Second {
		t.Errorf("event %+v", got)
	}
	ask(g, "POST", "/merchants/a/complaints/1/reply", "\xff", nil)
	if got.Body != "/w==" || !got.IsBase64Encoded {
		t.Errorf("a body that is not text came as %q", got.Body)
	}
}

func TestAPIGatewayAnswersByItself(t *testing.T) {
	fails := func(kind string, err error) invoker {
		return func(context.Context, []byte, time.Duration) (Invocation, error) {
			return Invocation{ErrorType: kind}, err
		}
	}
	for _, test := range []struct {
		name, method, path string
		function           Invoker
		status             int
	}{
		{"another path", "POST", "/", answers(""), 404},
		{"another action", "POST", "/merchants/a/complaints/1/delete", answers(""), 404},
		{"no merchant", "POST", "/merchants//complaints/1/reply", answers(""), 404},
		{"a path that goes on", "POST", "/merchants/a/complaints/1/reply/", answers(""), 404},
		{"another method", "GET", "/merchants/a/complaints/1/reply", answers(""), 405},
		{"a function that timed out", "POST", "/merchants/a/complaints/1/reply", fails("Sandbox.Timedout", nil), 504},
		{"a function that failed", "POST", "/merchants/a/complaints/1/reply", fails("Runtime.ExitError", nil), 502},
		{"a function that cannot be run", "POST", "/merchants/a/complaints/1/reply", fails("", errors.New("no")), 502},
		{"an answer that is no answer", "POST", "/merchants/a/complaints/1/reply", answers(`"hello"`), 502},
		{"an answer without a status", "POST", "/merchants/a/complaints/1/reply", answers(`{}`), 502},
		{"an answer that is not the base64 it says", "POST", "/merchants/a/complaints/1/reply", answers(`{"statusCode":200,"body":"!","isBase64Encoded":true}`), 502},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp := ask(&APIGateway{Reply: test.function}, test.method, test.path, "", nil)
			if resp.StatusCode != test.status || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %v", resp)
			}
		})
	}
	if resp := ask(&APIGateway{Reply: answers("")}, "POST", "/merchants/a/complaints/1/reply", strings.Repeat(" ", payloadLimit+1), nil); resp.StatusCode != 413 {
		t.Errorf("a large body: %v", resp)
	}
}

func TestLocalOnly(t *testing.T) {
	h := localOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, test := range []struct {
		host, origin string
		status       int
	}{
		{"127.0.0.1:3000", "", 200}, {"localhost:3000", "", 200}, {"LOCALHOST", "", 200}, {"[::1]:3000", "", 200}, {"127.0.0.1:3000", "http://127.0.0.1:3000", 200},
		{"evil.example:3000", "", 421}, {"localhost.evil.example", "", 421}, {"192.0.2.1", "", 421}, {"", "", 421}, {"a@127.0.0.1", "", 421}, {"127.0.0.1/evil", "", 421},
		{"127.0.0.1:3000", "http://evil.example", 403}, {"127.0.0.1:3000", "null", 403}, {"127.0.0.1:3000", "http://127.0.0.1:4000", 403},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Host = test.host
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("Host %q, Origin %q: %d", test.host, test.origin, w.Code)
		}
	}
}

func TestEventsEndpoint(t *testing.T) {
	b, err := NewBus(BusName, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	h := eventsEndpoint{b}
	isJSON := http.Header{"Content-Type": {"application/json"}}
	for _, test := range []struct {
		name, method, body string
		header             http.Header
		status             int
		want               string
	}{
		{"an entry", "POST", `{"Source":"shop","DetailType":"a","Detail":"{}"}`, isJSON, 200, `{"FailedEntryCount":0,"Entries":[{"EventId":"`},
		{"a settled event", "POST", `{"Source":"kesu","DetailType":"b","Detail":"{\"code\":\"OK\"}"}`, isJSON, 200, `"FailedEntryCount":0`},
		{"an entry without a source", "POST", `{"DetailType":"a","Detail":"{}"}`, isJSON, 400, `"ErrorCode":"InvalidArgument"`},
		{"an entry whose detail is not text", "POST", `{"Source":"shop","DetailType":"a","Detail":{}}`, isJSON, 400, "Detail as a string"},
		{"an entry that is not declared as JSON", "POST", `{}`, nil, 415, "application/json"},
		{"another method", "PUT", "", nil, 405, "GET and POST"},
		{"reading what was settled", "GET", "", nil, 200, `"detail":{"code":"OK"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp := ask(h, test.method, "/events", test.body, test.header)
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != test.status || !strings.Contains(string(body), test.want) {
				t.Errorf("got %v %s", resp, body)
			}
			if test.method == "GET" && strings.Contains(string(body), "shop") {
				t.Errorf("it tells of other events: %s", body)
			}
		})
	}
}

func TestDeliveryTriesThreeTimes(t *testing.T) {
	for _, test := range []struct {
		name            string
		failures, tries int
		lost            int
	}{
		{"a success is not repeated", 0, 1, 0},
		{"two failures are retried", 2, 3, 0},
		{"after the third failure it is given up", 9, 3, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ids []string
			d := &Delivery{Timeout: time.Second, Function: invoker(func(_ context.Context, payload []byte, _ time.Duration) (Invocation, error) {
				var e events.EventBridgeEvent
				if err := json.Unmarshal(payload, &e); err != nil {
					return Invocation{}, err
				}
				ids = append(ids, e.ID)
				if len(ids) <= test.failures {
					return Invocation{ErrorType: "RATE_LIMITED"}, nil
				}
				return Invocation{}, nil
			})}
			d.Deliver(t.Context(), Event{ID: "e1", DetailType: "a", Detail: json.RawMessage("{}")})
			if len(ids) != test.tries || ids[0] != "e1" || len(d.Undelivered()) != test.lost {
				t.Errorf("tried for %v, lost %+v", ids, d.Undelivered())
			}
		})
	}
}
