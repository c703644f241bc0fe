package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const (
	replyRequested      = "ComplaintReplyRequested"
	completionRequested = "ComplaintCompletionRequested"
)

// requested is an EventBridge event.
func requested(detailType, id string, detail any) string {
	return event(map[string]any{"version": "0", "id": id, "detail-type": detailType, "source": "crm", "account": "000000000000",
		"time": "2026-11-21T08:00:00Z", "region": "ap-east-1", "resources": []string{}, "detail": detail})
}

// settledEvents are the events of ours on the bus, with their details.
func (w *world) settledEvents() (types []string, details []result) {
	for _, e := range w.Bus.Events() {
		if e.Source == "kesu" {
			types = append(types, e.DetailType)
			details = append(details, readResult(w.t, withoutRequest(w.t, e.Detail)))
		}
	}
	return types, details
}

// withoutRequest is a settled event's detail without the request, which must be there when a person has to look and only
// then.
func withoutRequest(t testing.TB, detail []byte) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(detail, &all); err != nil {
		t.Fatalf("%v: %s", err, detail)
	}
	outcome := string(all["outcome"])
	if told := all["request"] != nil; told != (outcome == `"rejected"` || outcome == `"unknown"`) {
		t.Errorf("the settled event's request: %s", detail)
	}
	delete(all, "request")
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const withBus = "RESULT_BUS=" + sandbox.BusName

func TestAnEventIsSettledWithItsResultAndAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	reply, complete := w.reply(withBus), w.complete(withBus)
	for i, test := range []struct {
		name     string
		function *function
		detail   members
		settled  string
		outcome  string
		code     string
	}{
		{"a reply", reply, replyTo("acme", w.complaint("acme")), "ComplaintReplySettled", "succeeded", "0000"},
		{"a completion", complete, completionOf("acme", w.complaint("acme")), "ComplaintCompletionSettled", "succeeded", "OK"},
		{"a reply to nothing", reply, replyTo("acme", "none"), "ComplaintReplySettled", "rejected", "3001"},
		{"a completion of nothing", complete, completionOf("acme", "none"), "ComplaintCompletionSettled", "rejected", "RESOURCE_NOT_EXISTS"},
		{"an unknown merchant", reply, replyTo("nobody", "c1"), "ComplaintReplySettled", "rejected", "UNKNOWN_MERCHANT"},
		{"a wrong detail", complete, members{"merchant": "acme!", "complaint_id": "c1"}, "ComplaintCompletionSettled", "rejected", "INVALID_REQUEST"},
	} {
		t.Run(test.name, func(t *testing.T) {
			detailType := map[*function]string{reply: replyRequested, complete: completionRequested}[test.function]
			got := test.function.result(test.function.invoke(requested(detailType, fmt.Sprint("event-", i), test.detail)))
			if got.Outcome != test.outcome || got.Code != test.code {
				t.Errorf("got %+v", got)
			}
			types, details := w.settledEvents()
			if len(types) != i+1 || types[i] != test.settled || fmt.Sprint(details[i]) != fmt.Sprint(got) {
				t.Errorf("on the bus: %v %+v", types, details)
			}
		})
	}
}

func TestAnEventThatCanNeverSucceedIsSettledAndNotRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	reply := w.reply()
	good := replyTo("acme", "c1")
	for name, payload := range map[string]string{
		"another detail-type":          requested("Anything", "e", good),
		"the other function's event":   requested(completionRequested, "e", good),
		"a detail over 64 KiB":         requested(replyRequested, "e", good.with("response_content", long(65<<10))),
		"a member that nobody knows":   requested(replyRequested, "e", good.with("x", 1)),
		"a detail-type that is a list": strings.Replace(requested(replyRequested, "e", good), `"`+replyRequested+`"`, `[]`, 1),
		"a detail nested too deep":     requested(replyRequested, "e", good.with("x", rawJSON(strings.Repeat("[", 200)+strings.Repeat("]", 200)))),
		"a merchant of a wrong form":   requested(replyRequested, "e", good.with("merchant", "a b")),
		"a complaint of a wrong form":  requested(replyRequested, "e", good.with("complaint_id", long(65))),
	} {
		t.Run(name, func(t *testing.T) {
			got := reply.result(reply.invoke(payload))
			if got.Outcome != "rejected" || got.Code != "INVALID_REQUEST" || len(got.Errors) == 0 || got.Merchant == "" || got.ComplaintID == "" {
				t.Errorf("got %+v", got)
			}
		})
		if failed := reply.failures(batch(payload)); len(failed) != 0 {
			t.Errorf("%s comes again in a batch", name)
		}
	}
	if w.ImagecoHost.Calls.Len() != 0 {
		t.Error("something was sent")
	}
}

// An event whose merchant is almost another merchant's name is told of by the name that it has, and not by the other's.
func TestANameOfAWrongFormIsToldAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply(withBus)
	for name, want := range map[string]string{
		"acme ": "acme ", " acme": " acme", "acme\u200b": "acme\u200b", "\uFEFFacme": "\uFEFFacme", "acme\n": "acme\uFFFD", "acme\u202e": "acme\uFFFD", "ACME/": "ACME/",
		strings.Repeat("字", 65): strings.Repeat("字", 64), "tel 138-0013-8000": "tel ***",
	} {
		got := f.result(f.invoke(requested(replyRequested, "e", replyTo(name, name))))
		if got.Code != "INVALID_REQUEST" || got.Merchant != want || got.ComplaintID != want {
			t.Errorf("%q: %+v", name, got)
		}
	}
	if types, _ := w.settledEvents(); len(types) != 9 {
		t.Errorf("%d settled events", len(types))
	}
}

func TestARetryableEventFailsWithItsCodeAsTheErrorType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	reply, complete := w.reply(withBus, "MAX_ATTEMPTS=1"), w.complete(withBus, "MAX_ATTEMPTS=1")
	for _, test := range []struct {
		name     string
		function *function
		host     *sandbox.Host
		fault    sandbox.Fault
		code     string // "": settled
	}{
		{"a reply that the gateway takes no calls for", reply, w.ImagecoHost, sandbox.Fault{Status: 429}, "RATE_LIMITED"},
		{"a completion that the gateway takes no calls for", complete, w.Primary, sandbox.Fault{Status: 429, Code: "RATELIMIT_EXCEEDED"}, "RATE_LIMITED"},
		{"an unknown completion", complete, w.Primary, sandbox.Fault{Status: 500, Code: "SYSTEM_ERROR", Message: "系统错误"}, "SYSTEM_ERROR"},
		{"an unverifiable completion", complete, w.Primary, sandbox.Fault{SignTest: true}, "UPSTREAM_UNVERIFIED"},
		{"an unknown reply", reply, w.ImagecoHost, sandbox.Fault{Code: "9998"}, ""},
		{"a secret that cannot be read", reply, w.Secrets.Host, sandbox.Fault{Code: "AccessDeniedException"}, "SECRETS_UNAVAILABLE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			merchant := "acme"
			if test.code == "SECRETS_UNAVAILABLE" {
				w.merchant("fresh", sandbox.MerchantOptions{})
				merchant = "fresh"
			}
			before, _ := w.settledEvents()
			test.host.Faults.Next(test.fault)
			detailType, command := replyRequested, replyTo(merchant, w.complaint(merchant))
			if test.function == complete {
				detailType, command = completionRequested, completionOf(merchant, w.complaint(merchant))
			}
			got := test.function.invoke(requested(detailType, test.name, command))
			after, _ := w.settledEvents()
			if test.code == "" {
				if r := test.function.result(got); r.Outcome != "unknown" || len(after) != len(before)+1 {
					t.Errorf("got %+v and %d events", r, len(after)-len(before))
				}
				return
			}
			if got.ErrorType != test.code || len(after) != len(before) {
				t.Errorf("got %q %s and %d events", got.ErrorType, got.Payload, len(after)-len(before))
			}
		})
	}
}

func TestASettledEventThatCannotBePublishedComesAgainAndIsPublishedWithoutAnotherCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	reply, complete := w.reply(withBus), w.complete(withBus)
	entryRefused := sandbox.Fault{Code: "InternalFailure", Message: "try again"}
	callRefused := sandbox.Fault{Status: 400, Code: "AccessDeniedException", Message: "not authorized"}
	for _, test := range []struct {
		name     string
		function *function
		gateway  sandbox.Fault
		bus      sandbox.Fault
		outcome  string
	}{
		{"a reply whose entry is refused", reply, sandbox.Fault{}, entryRefused, "succeeded"},
		{"a reply whose call is refused", reply, sandbox.Fault{}, callRefused, "succeeded"},
		{"an unknown reply", reply, sandbox.Fault{Garbage: true, ActFirst: true}, entryRefused, "unknown"},
		{"a completion without a key", complete, sandbox.Fault{}, entryRefused, "succeeded"},
		{"a completion whose call is refused", complete, sandbox.Fault{}, callRefused, "succeeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := w.complaint("acme")
			host, payload := w.ImagecoHost, requested(replyRequested, test.name, replyTo("acme", id))
			if test.function == complete {
				host, payload = w.Primary, requested(completionRequested, test.name, completionOf("acme", id))
			}
			host.Faults.Next(test.gateway)
			w.Bus.Faults.Stand(test.bus)
			before, _ := w.settledEvents()
			if got := test.function.invoke(payload); got.ErrorType != "RESULT_NOT_PUBLISHED" {
				t.Fatalf("got %q %s", got.ErrorType, got.Payload)
			}
			if got := test.function.failures(batch(payload)); !slices.Equal(got, []string{"m0"}) {
				t.Errorf("in a batch, %v come again", got)
			}
			w.Bus.Faults.Clear()
			got := test.function.result(test.function.invoke(payload))
			if got.Outcome != test.outcome || got.Outcome == "succeeded" && !got.Replayed {
				t.Errorf("got %+v", got)
			}
			after, details := w.settledEvents()
			if len(after) != len(before)+1 || fmt.Sprint(details[len(details)-1]) != fmt.Sprint(got) {
				t.Errorf("%d events, the last one %+v", len(after)-len(before), details)
			}
			if n := len(callsFor(host, id)); n != 1 {
				t.Errorf("the gateway was called %d times", n)
			}
		})
	}
}

// A member of another shape's does not make another shape of a command, whose caller would take it for done.
func TestABareCommandIsOneWhateverElseItHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply(withBus)
	for name, value := range map[string]any{"Records": []any{}, "detail": 1, "id": "e", "Message": "a", "requestPayload": 1} {
		command := replyTo("acme", "c1").with(name, value)
		if got := f.bare(command); got.Code != "INVALID_REQUEST" || !slices.Equal(got.pointers(), []string{"/" + name}) {
			t.Errorf("with %s: %+v", name, got)
		}
		if failed := f.failures(batch(command.text())); len(failed) != 0 && name != "requestPayload" { // which wraps an event there
			t.Errorf("with %s it comes again in a batch", name)
		}
	}
	if w.ImagecoHost.Calls.Len() != 0 {
		t.Error("something was sent")
	}
	id := w.complaint("acme")
	event := strings.Replace(requested(replyRequested, "e", replyTo("acme", id)), "{", `{"Records":[],`, 1)
	if got := f.result(f.invoke(event)); got.Outcome != "succeeded" || w.replies("acme", id) != 1 {
		t.Errorf("an event with Records: %+v", got)
	}
}

func TestABareCommandAlwaysGetsAResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("MAX_ATTEMPTS=1", withBus)
	for _, payload := range []string{"{}", `{"merchant":{}}`, `{"resend_unknown":true}`, "{\"response_content\":" + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}"} {
		if got := f.result(f.invoke(payload)); got.Outcome != "rejected" || got.Code != "INVALID_REQUEST" {
			t.Errorf("%.40s: %+v", payload, got)
		}
	}
	for _, test := range []struct {
		fault   sandbox.Fault
		outcome string
		code    string
	}{
		{sandbox.Fault{Status: 429}, "retryable", "RATE_LIMITED"},
		{sandbox.Fault{Code: "9998", Message: "超时"}, "unknown", "9998"},
		{sandbox.Fault{Code: "6101", Message: "商户不存在"}, "rejected", "6101"},
	} {
		w.ImagecoHost.Faults.Next(test.fault)
		if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != test.outcome || got.Code != test.code {
			t.Errorf("got %+v", got)
		}
	}
	if types, _ := w.settledEvents(); len(types) != 0 {
		t.Errorf("bare commands gave the settled events %v", types)
	}
}
