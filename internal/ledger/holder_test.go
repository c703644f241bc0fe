package ledger

import (
	"errors"
	"sync"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// holderCases are about what the holder of a claim can and cannot do.
var holderCases = map[string]func(*bench){
	"a released claim frees the key for a corrected payload": func(b *bench) {
		for _, r := range []Request{replyTo("1"), completionOf("1")} {
			b.must(b.Release(b.t.Context(), b.claimed(r)))
			r.PayloadHash = "corrected"
			b.wants(r, "claim")
		}
	},
	"a released takeover goes back to unknown with the earlier result": func(b *bench) {
		r := replyTo("1")
		earlier := outcome(r, wire.Unknown)
		b.must(b.Settle(b.t.Context(), b.claimed(r), earlier))
		for range 2 {
			b.must(b.Release(b.t.Context(), b.wants(resending(r), "takeover").Claim))
			if d := b.wants(r, "unknown"); d.Earlier == nil || d.Earlier.Message != earlier.Message || d.TransactionID != r.TransactionID {
				b.t.Errorf("decision %+v", d)
			}
		}
	},
	"a takeover that dies leaves the earlier result behind": func(b *bench) {
		r := replyTo("1")
		b.must(b.Settle(b.t.Context(), b.claimed(r), outcome(r, wire.Unknown)))
		b.wants(resending(r), "takeover")
		b.pass(10 * time.Second)
		if d := b.wants(r, "unknown"); d.Earlier == nil {
			b.t.Errorf("decision %+v", d)
		}
	},
	"a released takeover of an expired claim goes back to unknown": func(b *bench) {
		r := completionOf("1")
		b.claimed(r)
		b.pass(10 * time.Second)
		b.must(b.Release(b.t.Context(), b.wants(r, "takeover").Claim))
		b.wants(r, "takeover")
		reply := replyTo("1")
		b.claimed(reply)
		b.pass(time.Minute)
		b.must(b.Release(b.t.Context(), b.wants(resending(reply), "takeover").Claim))
		b.wants(reply, "unknown")
	},
	"a late holder changes nothing once it was taken over": func(b *bench) {
		r := completionOf("1")
		late := b.claimed(r)
		b.pass(10 * time.Second)
		r.LeaseUntil = noon.Add(time.Minute)
		holder := b.wants(r, "takeover").Claim
		for _, o := range []wire.Outcome{wire.Succeeded, wire.Unknown} {
			if err := b.Settle(b.t.Context(), late, outcome(r, o)); !errors.Is(err, ErrLost) || errors.Is(err, ErrUnavailable) {
				b.t.Errorf("late Settle as %s: %v, want ErrLost", o, err)
			}
		}
		b.must(b.Release(b.t.Context(), late))
		b.wants(r, "in progress")
		b.must(b.Settle(b.t.Context(), holder, outcome(r, wire.Succeeded)))
		b.must(b.Release(b.t.Context(), late))
		b.wants(r, "replay")
		late.TookOver = true
		if err := b.Release(b.t.Context(), late); !errors.Is(err, ErrLost) {
			b.t.Errorf("late Release of a takeover: %v, want ErrLost", err)
		}
		b.wants(r, "replay")
	},
	"a late holder that nobody took over settles after all": func(b *bench) {
		r := replyTo("1")
		late := b.claimed(r)
		b.pass(time.Minute)
		b.wants(r, "unknown")
		b.must(b.Settle(b.t.Context(), late, outcome(r, wire.Succeeded)))
		b.wants(r, "replay")
	},
	"a settlement that is written twice is one": func(b *bench) {
		r := replyTo("1")
		c := b.claimed(r)
		for range 2 {
			b.must(b.Settle(b.t.Context(), c, outcome(r, wire.Unknown)))
		}
		if err := b.Settle(b.t.Context(), c, outcome(r, wire.Succeeded)); !errors.Is(err, ErrLost) {
			b.t.Errorf("a settled unknown became a success: %v", err)
		}
	},
	"a settled claim cannot be released": func(b *bench) {
		r := replyTo("1")
		c := b.claimed(r)
		b.must(b.Settle(b.t.Context(), c, outcome(r, wire.Succeeded)))
		b.must(b.Release(b.t.Context(), c))
		b.wants(r, "replay")
	},
	"settling a claim that is gone is lost": func(b *bench) {
		r := replyTo("1")
		c := b.claimed(r)
		b.must(b.Release(b.t.Context(), c))
		if err := b.Settle(b.t.Context(), c, outcome(r, wire.Succeeded)); !errors.Is(err, ErrLost) {
			b.t.Errorf("Settle: %v, want ErrLost", err)
		}
		b.wants(r, "claim")
	},
	"what was certainly not done is not settled": func(b *bench) {
		r := replyTo("1")
		c := b.claimed(r)
		for _, o := range []wire.Outcome{wire.Rejected, wire.Retryable, ""} {
			if err := b.Settle(b.t.Context(), c, outcome(r, o)); err == nil || errors.Is(err, ErrLost) || errors.Is(err, ErrUnavailable) {
				b.t.Errorf("Settle as %q: %v", o, err)
			}
		}
		b.wants(r, "in progress")
	},
	"without a deadline a lease is 60 s": func(b *bench) {
		r := replyTo("1")
		r.LeaseUntil = time.Time{}
		b.claimed(r)
		if d := b.wants(r, "in progress"); d.RetryAfter != time.Minute {
			b.t.Errorf("retry after %v", d.RetryAfter)
		}
		b.pass(time.Minute - time.Millisecond)
		b.wants(r, "in progress")
		b.pass(time.Millisecond)
		b.wants(r, "unknown")
	},
	"an entry lasts for the ttl after its last write, to the second": func(b *bench) {
		r := replyTo("1")
		b.pass(300 * time.Millisecond)
		c := b.claimed(r)
		b.pass(time.Second)
		b.must(b.Settle(b.t.Context(), c, outcome(r, wire.Succeeded))) // at 1.3 s: until 2 s
		b.pass(testTTL)
		b.wants(r, "replay")
		b.pass(699 * time.Millisecond)
		b.wants(r, "replay")
		b.pass(time.Millisecond)
		b.wants(r, "claim")
	},
	"an entry does not expire while its lease runs": func(b *bench) {
		r := replyTo("1")
		r.LeaseUntil = noon.Add(testTTL + time.Hour)
		b.claimed(r)
		b.pass(testTTL + time.Minute)
		b.wants(r, "in progress")
		b.pass(time.Hour)
		b.wants(r, "claim")
	},
	"fifty at once: one gets a new key": func(b *bench) {
		if got := b.crowd(replyTo("1")); got != 1 {
			b.t.Errorf("%d claims of one key", got)
		}
	},
	"fifty at once: one takes over": func(b *bench) {
		r := completionOf("1")
		b.must(b.Settle(b.t.Context(), b.claimed(r), outcome(r, wire.Unknown)))
		if got := b.crowd(r); got != 1 {
			b.t.Errorf("%d takeovers of one key", got)
		}
	},
}

// crowd lets fifty claim at once and counts the claims; all others must be told that it is in progress.
func (b *bench) crowd(r Request) int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	claims := 0
	start := make(chan struct{})
	for range 50 {
		wg.Go(func() {
			<-start
			d, err := b.Claim(b.t.Context(), r)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				b.t.Errorf("Claim: %v", err)
			case d.Claim != nil:
				claims++
			case !d.InProgress:
				b.t.Errorf("decision %+v", d)
			}
		})
	}
	close(start)
	wg.Wait()
	return claims
}
