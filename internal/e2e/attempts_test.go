package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestACompletionIsTriedAsOftenAsItMayBeAndNoOftener(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	for _, most := range []int{1, 2, 3, 4} {
		f := w.complete(fmt.Sprint("MAX_ATTEMPTS=", most))
		w.Primary.Faults.Stand(sandbox.Fault{Status: 500})
		w.Backup.Faults.Stand(sandbox.Fault{Status: 500})
		before := w.Primary.Calls.Len() + w.Backup.Calls.Len()
		got := f.bare(completionOf("acme", w.complaint("acme")))
		if n := w.Primary.Calls.Len() + w.Backup.Calls.Len() - before; n != most || got.Attempts != most || got.Outcome != "unknown" {
			t.Errorf("with %d allowed, %d were made: %+v", most, n, got)
		}
	}
}

func TestACompletionSucceedsOnALaterAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	for name, fault := range map[string]sandbox.Fault{
		"an error":                     {Status: 503},
		"too many calls":               {Status: 429},
		"a connection cut before":      {CutBefore: true},
		"a connection cut after":       {CutAfter: true},
		"a deliberately bad signature": {SignTest: true},
		"garbage":                      {Garbage: true},
		"an unsigned success":          {Unsigned: true},
	} {
		t.Run(name, func(t *testing.T) {
			id := w.complaint("acme")
			w.Primary.Faults.Next(fault)
			got := f.bare(completionOf("acme", id))
			if got.Outcome != "succeeded" || got.Attempts < 2 || w.state("acme", id) != sandbox.Processed {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAnAttemptThatMayHaveBeenCarriedOutIsNotForgottenWhenALaterOneIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete("WECHATPAY_BACKUP_URL="+w.Primary.URL(), "MAX_ATTEMPTS=2")
	for name, later := range map[string]sandbox.Fault{
		"too many calls": {Status: 429},
		"a refusal":      {Status: 403, Code: "NO_AUTH", Message: "商户无权限"},
	} {
		w.Primary.Faults.Next(sandbox.Fault{CutAfter: true}, later)
		if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "unknown" || got.Attempts != 2 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAReplyIsSentAgainOnlyWhenTheFirstWasCertainlyNotProcessed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("ATTEMPT_TIMEOUT=300ms")
	for _, test := range []struct {
		name    string
		fault   sandbox.Fault
		outcome string
		calls   int
	}{
		{"too many calls", sandbox.Fault{Status: 429}, "succeeded", 2},
		{"an error", sandbox.Fault{Status: 500}, "unknown", 1},
		{"an error after acting", sandbox.Fault{Status: 502, ActFirst: true}, "unknown", 1},
		{"a connection cut before", sandbox.Fault{CutBefore: true}, "unknown", 1},
		{"a connection cut after", sandbox.Fault{CutAfter: true}, "unknown", 1},
		{"half an answer", sandbox.Fault{CutMidway: true}, "unknown", 1},
		{"a slow answer", sandbox.Fault{DelayAnswer: ample}, "unknown", 1},
		{"a slow gateway", sandbox.Fault{Delay: ample}, "unknown", 1},
		{"9998", sandbox.Fault{Code: "9998", ActFirst: true, Message: "超时"}, "unknown", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := w.complaint("acme")
			w.ImagecoHost.Faults.Next(test.fault)
			got := f.bare(replyTo("acme", id))
			if n := len(callsFor(w.ImagecoHost, id)); n != test.calls || got.Attempts != test.calls || got.Outcome != test.outcome {
				t.Errorf("%d calls: %+v", n, got)
			}
			if w.replies("acme", id) > 1 {
				t.Error("it was shown twice")
			}
		})
	}
}

func TestAGatewayThatCannotBeReachedIsTriedAgainAndThenTheCommandIsRetryable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	plain := w.newStub(silent)
	for name, address := range map[string]string{
		"a port that nobody listens on": "http://" + closedPort(t),
		"a name that does not exist":    "https://kesu.invalid",
		"a server without TLS":          "https" + strings.TrimPrefix(plain.URL, "http"),
		"a certificate of nobody's":     w.newTLSStub().URL,
	} {
		t.Run(name, func(t *testing.T) {
			reply := w.reply("IMAGECO_URL="+address, "MAX_ATTEMPTS=2")
			complete := w.complete("WECHATPAY_URL="+address, "WECHATPAY_BACKUP_URL="+address, "MAX_ATTEMPTS=2")
			r := request{merchant: "acme", complaint: w.complaint("acme"), body: goodBody}
			for range 2 { // a second time, because a claim that was certainly not used must be free again
				got := reply.response(reply.invoke(r.restAPI("reply")))
				if got.status != 503 || got.Code != "UPSTREAM_UNREACHABLE" || got.Outcome != "retryable" || got.HTTPStatus != 0 || got.Attempts != 2 {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}
			if got := complete.bare(completionOf("acme", "c1")); got.Code != "UPSTREAM_UNREACHABLE" || got.Outcome != "retryable" || got.Attempts != 2 {
				t.Errorf("got %+v", got)
			}
		})
	}
	if len(plain.received()) != 0 {
		t.Error("something was sent in the clear")
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestTheBackUpIsUsedWhileThePrimaryIsDownAndThePrimaryAgainWhenItIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	done := func() result {
		t.Helper()
		id := w.complaint("acme")
		got := f.bare(completionOf("acme", id))
		if got.Outcome != "succeeded" || w.state("acme", id) != sandbox.Processed {
			t.Fatalf("got %+v", got)
		}
		return got
	}
	if got := done(); got.Attempts != 1 || w.Primary.Calls.Len() != 1 {
		t.Fatalf("with both up: %+v", got)
	}
	w.Primary.Down()
	down := time.Now()
	for i := range 5 {
		// Three failures in a row open the breaker; from then on the primary is not even tried.
		if got := done(); got.Attempts != map[bool]int{true: 2, false: 1}[i < 3] {
			t.Errorf("call %d with the primary down took %d attempts", i, got.Attempts)
		}
	}
	if n := w.Backup.Calls.Len(); n != 5 {
		t.Errorf("the back-up had %d calls", n)
	}
	if err := w.Primary.Up(); err != nil {
		t.Fatal(err)
	}
	if got := done(); got.Attempts != 1 || w.Backup.Calls.Len() != 6 {
		t.Errorf("just after it is back, the primary is still avoided: %+v", got)
	}
	// It is given a trial ten seconds after its third failure, by itself; each call until then must go well.
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for before := w.Primary.Calls.Len(); w.Primary.Calls.Len() == before; <-tick.C {
		if done(); time.Since(down) > ample {
			t.Fatal("the primary is not used again")
		}
	}
	if waited := time.Since(down); waited < 9*time.Second {
		t.Errorf("the primary was tried again after %v", waited)
	}
	before := w.Primary.Calls.Len()
	if done(); w.Primary.Calls.Len() != before+1 {
		t.Error("the primary is not used again for good")
	}
	if n := sum(t, f, "Failover"); n < 6 {
		t.Errorf("%v fail-overs were counted", n)
	}
}

func TestWhenEveryHostIsAvoidedThePrimaryIsTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	w.Primary.Down()
	w.Backup.Down()
	for range 3 {
		if got := f.bare(completionOf("acme", "c1")); got.Code != "UPSTREAM_UNREACHABLE" || got.Outcome != "retryable" {
			t.Errorf("got %+v", got)
		}
	}
	if err := w.Primary.Up(); err != nil {
		t.Fatal(err)
	}
	if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "succeeded" || w.Primary.Calls.Len() != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestAnHTTPErrorIsNoReasonToLeaveTheHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete("MAX_ATTEMPTS=2")
	w.Primary.Faults.Stand(sandbox.Fault{Status: 500, Code: "SYSTEM_ERROR", Message: "x"})
	for range 3 {
		f.bare(completionOf("acme", w.complaint("acme")))
	}
	if w.Primary.Calls.Len() != 6 || w.Backup.Calls.Len() != 0 {
		t.Errorf("%d calls here and %d at the back-up", w.Primary.Calls.Len(), w.Backup.Calls.Len())
	}
}

// net/http would send a request again by itself when a connection that it had kept turns out to be dead.
func TestNothingIsReplayedOnAConnectionThatDied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	cut := func(rw http.ResponseWriter, n int) bool {
		if n%2 == 1 {
			return false
		}
		if conn, _, err := http.NewResponseController(rw).Hijack(); err == nil {
			_ = conn.Close()
		}
		return true
	}
	imageco := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		if !cut(rw, c.N) {
			_, _ = rw.Write(imagecoAnswer(m.Imageco.Key, c.Body, "0000", "ok", nil))
		}
	})
	wechat := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		if !cut(rw, c.N) {
			s.answer(rw, 204, "", nil)
		}
	})
	reply := w.reply("IMAGECO_URL=" + imageco.URL)
	complete := w.complete("WECHATPAY_URL="+wechat.URL, "WECHATPAY_BACKUP_URL="+wechat.URL, "MAX_ATTEMPTS=1")
	for i := range 6 {
		want := map[bool]string{true: "succeeded", false: "unknown"}[i%2 == 0]
		if got := reply.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != want || got.Attempts != 1 {
			t.Errorf("reply %d: %+v", i, got)
		}
		if got := complete.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != want || got.Attempts != 1 {
			t.Errorf("completion %d: %+v", i, got)
		}
	}
	if len(imageco.received()) != 6 || len(wechat.received()) != 6 {
		t.Errorf("%d replies and %d completions arrived, of 6 each", len(imageco.received()), len(wechat.received()))
	}
	if imageco.everOpened() > 4 || wechat.everOpened() > 4 {
		t.Errorf("connections are not kept: %d and %d", imageco.everOpened(), wechat.everOpened())
	}
}

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

func TestADeadlineTooNearMeansThatNothingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	for _, f := range []*function{w.reply(), w.complete()} {
		r := request{merchant: "acme", complaint: w.complaint("acme"), body: goodBody}
		if f.action == "complete" {
			r.body = "{}"
		}
		f.bare(map[bool]members{true: replyTo("acme", w.complaint("acme")), false: completionOf("acme", w.complaint("acme"))}[f.action == "reply"]) // warm
		before := w.ImagecoHost.Calls.Len() + w.Primary.Calls.Len()
		got := f.response(f.invokeFor(r.httpAPI(f.action), 520*time.Millisecond))
		if got.status != 503 || got.Code != "DEADLINE" || got.Outcome != "retryable" || got.Attempts != 0 {
			t.Errorf("%s: %d %s", f.action, got.status, got.body)
		}
		if w.ImagecoHost.Calls.Len()+w.Primary.Calls.Len() != before {
			t.Errorf("%s: something was sent", f.action)
		}
		if got := f.response(f.invoke(r.httpAPI(f.action))); got.Outcome != "succeeded" {
			t.Errorf("%s: with time enough: %s", f.action, got.body)
		}
	}
}

func TestEveryAttemptEndsHalfASecondBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	w.ImagecoHost.Faults.Stand(sandbox.Fault{Hold: make(chan struct{})})
	w.Primary.Faults.Stand(sandbox.Fault{Hold: make(chan struct{})})
	w.Backup.Faults.Stand(sandbox.Fault{Hold: make(chan struct{})})
	for _, f := range []*function{w.reply("ATTEMPT_TIMEOUT=20s"), w.complete("ATTEMPT_TIMEOUT=20s")} {
		within(t, f.action+" to start", f.Start)
		command := map[bool]members{true: replyTo("acme", w.complaint("acme")), false: completionOf("acme", w.complaint("acme"))}[f.action == "reply"]
		started := time.Now()
		got := f.result(f.invokeFor(command.text(), 2*time.Second))
		if took := time.Since(started); took < 1200*time.Millisecond || took > 1900*time.Millisecond {
			t.Errorf("%s took %v of 2 s", f.action, took)
		}
		if got.Outcome != "unknown" || got.Code != "UPSTREAM_TIMEOUT" || got.Attempts != 1 {
			t.Errorf("got %+v", got)
		}
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

// invoking runs an invocation beside the test and gives what became of it.
func (f *function) invoking(payload string, timeout time.Duration) <-chan sandbox.Invocation {
	out := make(chan sandbox.Invocation, 1)
	go func() {
		got, err := f.Invoke(context.Background(), []byte(payload), timeout)
		if err != nil {
			got = sandbox.Invocation{ErrorType: "NotInvoked", ErrorMessage: err.Error()}
		}
		f.w.transcript.add("an answer", got.Payload)
		f.w.transcript.add("an error", []byte(got.ErrorMessage))
		out <- got
	}()
	return out
}

// take waits for what invoking gives.
func take(t testing.TB, from <-chan sandbox.Invocation) sandbox.Invocation {
	t.Helper()
	var got sandbox.Invocation
	within(t, "an invocation", func(ctx context.Context) error {
		select {
		case got = <-from:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return got
}

// WeChat Pay's servers drop a connection that was idle for 8 s. One that is used at that moment loses its request.
func TestAnIdleConnectionIsClosedBeforeTheGatewayDoesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	imageco := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		_, _ = rw.Write(imagecoAnswer(m.Imageco.Key, c.Body, "0000", "ok", nil))
	})
	f := w.reply("IMAGECO_URL=" + imageco.URL)
	if got := f.bare(replyTo("acme", "c1")); got.Outcome != "succeeded" {
		t.Fatalf("got %+v", got)
	}
	idle := time.Now()
	within(t, "the connection to be closed", untilTrue(func() bool { return imageco.connections() == 0 }))
	if after := time.Since(idle); after < 5*time.Second || after > 8*time.Second {
		t.Errorf("it was closed after %v", after)
	}
}
