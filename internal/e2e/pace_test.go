package e2e

import (
	"slices"
	"strconv"
	"strings"
	"sync"
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

func TestACallerThatWaitsForAnAnswerDoesNotWaitForThePace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	w.merchant("other", sandbox.MerchantOptions{})
	for _, test := range []struct {
		function *function
		burst    int
		figure   float64 // a minute
	}{
		{w.reply("REPLY_RATE_PER_MINUTE=1"), 3, 1},
		{w.reply("REPLY_RATE_PER_MINUTE="), 6, 60}, // by default
		{w.reply("REPLY_RATE_PER_MINUTE=50"), 5, 50},
		{w.complete("COMPLETE_RATE_PER_MINUTE=1"), 3, 1},
	} {
		f := test.function
		call := func(merchant string) response {
			r := request{merchant: merchant, complaint: w.complaint(merchant), body: goodBody}
			if f.action == "complete" {
				r.body = ""
			}
			return f.response(f.invoke(r.httpAPI(f.action)))
		}
		// Of 60 a minute one becomes free each second, and on a busy machine a burst takes longer than that.
		started, sent := time.Now(), 0
		got := call("acme")
		for got.status == 200 && sent < 60 {
			sent++
			got = call("acme")
		}
		if most := test.burst + int(test.figure*time.Since(started).Minutes()); sent < test.burst || sent > most {
			t.Errorf("%d calls at once, not %d, and then %s", sent, test.burst, got.body)
		}
		if got.status != 503 || got.Code != "RATE_LIMITED" || got.Outcome != "retryable" || got.Attempts != 0 || got.HTTPStatus != 0 {
			t.Errorf("%s beyond the burst: %d %s", f.action, got.status, got.body)
		}
		if wait, _ := strconv.Atoi(got.header["retry-after"]); wait < 1 || wait > 60 {
			t.Errorf("Retry-After is %d", wait) // and nobody waited for it: that call would have been sent
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

func TestTwoProcessesHaveOnePace(t *testing.T) {
	t.Parallel()
	checkPace(t, newWorldOf(t, sandbox.Options{NewKey: newKey, Ledger: true}), nil)
}

// checkPace looks at what two processes of a function make of one pace in a table.
func checkPace(t *testing.T, w *world, table []string) {
	two := func(perMinute string) (one, other *function) {
		env := append(append([]string{}, table...), "REPLY_RATE_PER_MINUTE="+perMinute, "COMPLETE_RATE_PER_MINUTE="+perMinute)
		return w.reply(env...), w.reply(env...)
	}
	merchant := func() string {
		name := uniqueName()
		w.merchant(name, sandbox.MerchantOptions{})
		return name
	}
	t.Run("callers share the burst", func(t *testing.T) {
		acme := merchant()
		one, other := two("1")
		for i, f := range []*function{one, other, one} {
			if got := f.bare(replyTo(acme, w.complaint(acme))); got.Outcome != "succeeded" {
				t.Errorf("call %d of a burst of 3: %+v", i, got)
			}
		}
		for _, f := range []*function{other, one} {
			got := f.response(f.invoke(request{merchant: acme, complaint: w.complaint(acme), body: goodBody}.httpAPI("reply")))
			if wait, _ := strconv.Atoi(got.header["retry-after"]); got.status != 503 || got.Code != "RATE_LIMITED" || wait < 1 || wait > 60 {
				t.Errorf("beyond it: %d %s, Retry-After %s", got.status, got.body, got.header["retry-after"])
			}
		}
		if got := w.complete(append(append([]string{}, table...), "COMPLETE_RATE_PER_MINUTE=1")...).bare(completionOf(acme, w.complaint(acme))); got.Outcome != "succeeded" {
			t.Errorf("completions have a pace of their own: %+v", got)
		}
	})
	t.Run("what sends nothing takes nothing", func(t *testing.T) {
		acme := merchant()
		one, other := two("1")
		done := replyTo(acme, w.complaint(acme))
		one.bare(done)
		for range 5 {
			for _, f := range []*function{one, other} {
				if got := f.bare(done); !got.Replayed {
					t.Errorf("a replay: %+v", got)
				}
			}
		}
		for range 2 {
			if got := other.bare(replyTo(acme, w.complaint(acme))); got.Outcome != "succeeded" {
				t.Errorf("what is left of the burst: %+v", got)
			}
		}
		if got := one.bare(replyTo(acme, w.complaint(acme))); got.Code != "RATE_LIMITED" {
			t.Errorf("beyond it: %+v", got)
		}
	})
	t.Run("a queue's records wait for their tokens, in both processes", func(t *testing.T) { checkPacedQueue(t, w, table, merchant()) })
}

// checkPacedQueue lets two processes work fifty records at 300 a minute: thirty at once, and five a second.
func checkPacedQueue(t *testing.T, w *world, table []string, acme string) {
	const records, burst, interval = 50, 30, 200 * time.Millisecond
	f := w.function("reply", 2, append(append([]string{}, table...), "REPLY_RATE_PER_MINUTE=300")...)
	before, began := w.ImagecoHost.Calls.Len(), time.Now()
	var group sync.WaitGroup
	for range records / 10 {
		var bodies []string
		for range 10 {
			id := w.complaint(acme)
			bodies = append(bodies, requested(replyRequested, "event-"+id, replyTo(acme, id)))
		}
		group.Go(func() {
			// A record whose token could not be had in time, on a busy machine, comes again as a queue's does.
			for end := time.Now().Add(ample); len(bodies) > 0; {
				var again []string
				for _, id := range f.failures(batch(bodies...)) {
					n, _ := strconv.Atoi(strings.TrimPrefix(id, "m"))
					again = append(again, bodies[n])
				}
				if bodies = again; time.Now().After(end) {
					t.Errorf("%d records are left", len(bodies))
					return
				}
			}
		})
	}
	group.Wait()
	calls := w.ImagecoHost.Calls.Calls()[before:]
	slices.SortFunc(calls, func(a, b sandbox.Call) int { return a.At.Compare(b.At) })
	if len(calls) != records {
		t.Errorf("%d calls for %d records", len(calls), records)
	}
	// A slow machine makes calls late and never early.
	for i := burst; i < len(calls); i++ {
		if earliest := began.Add(time.Duration(i-burst+1) * interval); calls[i].At.Before(earliest) {
			t.Errorf("call %d came %s too early", i, earliest.Sub(calls[i].At))
		}
	}
}

func TestADialThatFailedTakesNothingFromThePace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("REPLY_RATE_PER_MINUTE=1")
	w.ImagecoHost.Down()
	for range 5 {
		if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Code != "UPSTREAM_UNREACHABLE" || got.Attempts != 3 {
			t.Errorf("%+v", got)
		}
	}
	if err := w.ImagecoHost.Up(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
			t.Errorf("call %d of the burst: %+v", i, got)
		}
	}
}

func TestWithTheTableDownACompletionWithoutAKeyIsPacedByItsProcess(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, sandbox.Options{NewKey: newKey, Ledger: true})
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete("COMPLETE_RATE_PER_MINUTE=1")
	w.Ledger.Down()
	for range 3 {
		if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
			t.Errorf("%+v", got)
		}
	}
	if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Code != "RATE_LIMITED" {
		t.Errorf("beyond the burst: %+v", got)
	}
	if lines := f.logged(t, func(l line) bool { return l["level"] == "WARN" && l["merchant"] == "acme" }); len(lines) < 3 {
		t.Errorf("%d lines say that the table was not asked", len(lines))
	}
}

func TestAnEventThatWouldHaveTooLittleTimeForItsAttemptDoesNotWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("REPLY_RATE_PER_MINUTE=4", "ATTEMPT_TIMEOUT=18s")
	for range 3 {
		f.bare(replyTo("acme", w.complaint("acme")))
	}
	id := w.complaint("acme")
	got := f.invokeFor(requested(replyRequested, "e", replyTo("acme", id)), 20*time.Second)
	if got.ErrorType != "RATE_LIMITED" || len(callsFor(w.ImagecoHost, id)) != 0 {
		t.Errorf("%q %s", got.ErrorType, got.Payload)
	}
}
