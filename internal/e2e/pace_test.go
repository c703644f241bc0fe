package e2e

import (
	"strconv"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestRetryAfterIsHonouredAndPassedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	id := w.complaint("acme")
	w.Primary.Faults.Next(sandbox.Fault{Status: 429, RetryAfter: "1"})
	if got := f.bare(completionOf("acme", id)); got.Outcome != "succeeded" || got.Attempts != 2 {
		t.Errorf("got %+v", got)
	}
	if calls := callsFor(w.Primary, id); len(calls) != 2 || calls[1].At.Sub(calls[0].At) < 950*time.Millisecond {
		t.Errorf("the second of %d attempts came too early", len(calls))
	}
	// More than there is time for is not waited for, but told.
	w.Primary.Faults.Next(sandbox.Fault{Status: 429, RetryAfter: "120"})
	got := f.response(f.invokeFor(request{merchant: "acme", complaint: w.complaint("acme")}.httpAPI("complete"), 5*time.Second))
	if wait, _ := strconv.Atoi(got.header["retry-after"]); got.status != 503 || got.Code != "RATE_LIMITED" || wait < 115 || wait > 120 {
		t.Errorf("got %d, Retry-After %s: %s", got.status, got.header["retry-after"], got.body)
	}
}

func TestAMerchantsPaceNeverWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	w.merchant("other", sandbox.MerchantOptions{})
	for _, test := range []struct {
		function *function
		burst    int
	}{
		{w.reply("REPLY_RATE_PER_MINUTE=1"), 3},
		{w.reply("REPLY_RATE_PER_MINUTE="), 6}, // 60 by default
		{w.reply("REPLY_RATE_PER_MINUTE=50"), 5},
		{w.complete("COMPLETE_RATE_PER_MINUTE=1"), 3},
	} {
		f := test.function
		call := func(merchant string) response {
			r := request{merchant: merchant, complaint: w.complaint(merchant), body: goodBody}
			if f.action == "complete" {
				r.body = ""
			}
			return f.response(f.invoke(r.httpAPI(f.action)))
		}
		for i := range test.burst {
			if got := call("acme"); got.status != 200 {
				t.Errorf("call %d of a burst of %d: %s", i, test.burst, got.body)
			}
		}
		started := time.Now()
		got := call("acme")
		if got.status != 503 || got.Code != "RATE_LIMITED" || got.Outcome != "retryable" || got.Attempts != 0 || got.HTTPStatus != 0 {
			t.Errorf("%s beyond the burst: %d %s", f.action, got.status, got.body)
		}
		if wait, _ := strconv.Atoi(got.header["retry-after"]); wait < 1 || wait > 60 || time.Since(started) > time.Second {
			t.Errorf("Retry-After is %d", wait)
		}
		if n := len(callsFor(w.ImagecoHost, got.ComplaintID)) + len(callsFor(w.Primary, got.ComplaintID)); n != 0 {
			t.Error("it was sent all the same")
		}
		if got := call("other"); got.status != 200 {
			t.Errorf("another merchant's pace is its own: %s", got.body)
		}
	}
}

func TestPaceOfZeroIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("REPLY_RATE_PER_MINUTE=0")
	for i := range 20 {
		if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
			t.Fatalf("call %d: %+v", i, got)
		}
	}
}
