package e2e

import (
	"context"
	"fmt"
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
	f := w.reply("ATTEMPT_TIMEOUT=1s")
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
		{"a slow answer", sandbox.Fault{DelayAnswer: lambdaTime}, "unknown", 1},
		{"a slow gateway", sandbox.Fault{Delay: lambdaTime}, "unknown", 1},
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
		inOneOf(t, 5, func() error {
			command := map[bool]members{true: replyTo("acme", w.complaint("acme")), false: completionOf("acme", w.complaint("acme"))}[f.action == "reply"]
			started := time.Now()
			invocation := f.invokeFor(command.text(), 2*time.Second)
			if took := time.Since(started); took < 1200*time.Millisecond || took > 1900*time.Millisecond {
				return fmt.Errorf("%s took %v of 2 s", f.action, took)
			}
			if got := f.result(invocation); got.Outcome != "unknown" || got.Code != "UPSTREAM_TIMEOUT" || got.Attempts != 1 {
				t.Errorf("got %+v", got)
			}
			return nil
		})
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
