package send

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/pkg/wire"
)

func completion(t *testing.T) Order {
	t.Helper()
	o, err := NewOrder(wire.Complete, map[string]json.RawMessage{"merchant": []byte(`"acme"`), "complaint_id": []byte(`"2001"`),
		"idempotency_key": []byte(`"a<b"`)})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func kindOf(err error) operate.Kind {
	var ended *operate.Error
	if errors.As(err, &ended) {
		return ended.Kind
	}
	return operate.Failed
}

func TestAnOrderIsWrittenAsItIsSent(t *testing.T) {
	o := completion(t)
	if string(o.Detail) != `{"complaint_id":"2001","idempotency_key":"a<b","merchant":"acme"}` ||
		string(o.Body) != `{"idempotency_key":"a<b"}` {
		t.Errorf("%s %s", o.Detail, o.Body)
	}
	if _, err := NewOrder(wire.Complete, map[string]json.RawMessage{}); kindOf(err) != operate.Usage {
		t.Errorf("an empty command: %v", err)
	}
}

func TestATokenTravelsToTheAPIAlone(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "very-secret" {
			t.Error("the token did not come")
		}
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	defer api.Close()
	target, err := Find(t.Context(), Options{URL: api.URL, Auth: "token", Token: "very-secret"})
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprintf("%+v", target.Preview(completion(t))); strings.Contains(shown, "very-secret") {
		t.Error(shown)
	}
	_, err = target.Deliver(t.Context(), completion(t))
	if elsewhere != 0 || err == nil || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("%v; %d calls went elsewhere", err, elsewhere)
	}
}

func TestHowTheAPIKnowsTheCaller(t *testing.T) {
	for _, test := range []struct{ url, auth, token, want string }{
		{"http://127.0.0.1:1", "auto", "t", "none"},
		{"http://localhost:1", "auto", "", "none"},
		{"https://example.com/", "auto", "t", "token"},
		{"https://example.com", "auto", "", "iam"},
		{"https://example.com", "none", "t", "none"},
	} {
		target, err := At(Options{URL: test.url, Auth: test.auth, Token: test.token})
		if err != nil || target.auth != test.want || strings.HasSuffix(target.base, "/") {
			t.Errorf("%+v: %+v, %v", test, target, err)
		}
	}
	for _, o := range []Options{
		{URL: "http://example.com", Auth: "none"}, {URL: "https://example.com/?a=b", Auth: "none"},
		{URL: "https://example.com", Auth: "token"}, {URL: "https://example.com", Bus: "b"}, {Stack: "s", Bus: "b"},
	} {
		if _, err := Find(t.Context(), o); kindOf(err) != operate.Usage {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestAResultIsReportedAsATerminalMaySeeIt(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3 or call 13812345678")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"outcome":"retryable","code":"X","message":"call 13812345678","errors":[{"pointer":"/a","detail":"13812345678"}]}`))
	}))
	defer api.Close()
	target, err := At(Options{URL: api.URL, Auth: "auto"})
	if err != nil {
		t.Fatal(err)
	}
	report, err := target.Deliver(t.Context(), completion(t))
	if err != nil || report.Result == nil || report.Result.Outcome != wire.Retryable {
		t.Fatalf("%+v, %v", report, err)
	}
	if shown := fmt.Sprintf("%+v %s", *report.Result, report.RetryAfter); strings.Contains(shown, "13812345678") || !strings.Contains(shown, "3 or call") {
		t.Error(shown)
	}
}
