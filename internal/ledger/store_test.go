package ledger

import (
	"errors"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// storeCases are about a store alone, and about writes whose acknowledgement is lost.
var storeCases = map[string]func(*bench){
	"what is stored comes back the same": func(b *bench) {
		result := outcome(replyTo("1"), wire.Unknown)
		e := Entry{ID: "a#reply#1#k", Owner: "me", State: Claimed, PayloadHash: "h", TransactionID: "t", LeaseUntil: noon.Add(time.Nanosecond),
			ExpiresAt: noon.Add(time.Hour + time.Nanosecond), Result: &result}
		b.put(e, Condition{AbsentAt: noon}, nil)
		e.LeaseUntil, e.ExpiresAt = noon.Add(time.Millisecond), noon.Add(time.Hour+time.Second)
		b.put(Entry{ID: e.ID, Owner: "other", State: Claimed, PayloadHash: "h", ExpiresAt: noon.Add(time.Hour)}, Condition{AbsentAt: noon}, &e)
	},
	"a condition on a holder fails when nothing is stored, and says so": func(b *bench) {
		e := Entry{ID: "x", Owner: "me", State: Unknown, PayloadHash: "h", ExpiresAt: noon.Add(time.Hour)}
		b.put(e, Condition{Owner: "me", State: Claimed}, &Entry{ID: "x"})
		b.put(e, Condition{AbsentAt: noon}, nil)
	},
	"a condition on a holder needs owner and state": func(b *bench) {
		e := Entry{ID: "x", Owner: "me", State: Unknown, PayloadHash: "h", LeaseUntil: noon, ExpiresAt: noon.Add(time.Hour)}
		b.put(e, Condition{AbsentAt: noon}, nil)
		b.put(e, Condition{Owner: "me", State: Claimed}, &e)
		b.put(e, Condition{Owner: "other", State: Unknown}, &e)
		b.put(e, Condition{Owner: "me", State: Unknown}, nil)
	},
	"only the clock that is handed in decides about expiry": func(b *bench) {
		e := Entry{ID: "x", Owner: "me", State: Unknown, PayloadHash: "h", LeaseUntil: noon, ExpiresAt: noon.Add(-time.Hour * 24 * 365)}
		b.put(e, Condition{AbsentAt: noon}, nil)
		b.put(e, Condition{AbsentAt: e.ExpiresAt.Add(-time.Nanosecond)}, &e)
		b.put(e, Condition{AbsentAt: e.ExpiresAt}, nil)
	},
	"Delete removes a claim of the owner and nothing else": func(b *bench) {
		e := Entry{ID: "x", Owner: "me", State: Unknown, PayloadHash: "h", LeaseUntil: noon, ExpiresAt: noon.Add(time.Hour)}
		b.must(b.store.Delete(b.t.Context(), "x", "me"))
		b.put(e, Condition{AbsentAt: noon}, nil)
		b.must(b.store.Delete(b.t.Context(), "x", "me"))
		b.put(e, Condition{AbsentAt: noon}, &e)
		held := e
		held.State = Claimed
		b.put(held, Condition{Owner: "me", State: Unknown}, nil)
		b.must(b.store.Delete(b.t.Context(), "x", "other"))
		b.put(e, Condition{AbsentAt: noon}, &held)
		b.must(b.store.Delete(b.t.Context(), "x", "me"))
		b.put(e, Condition{AbsentAt: noon}, nil)
	},
	"a context that ended is a store that is unavailable": func(b *bench) {
		c := b.claimed(replyTo("1"))
		ctx, cancel := contextThatEnded(b.t)
		defer cancel()
		_, claimErr := b.Claim(ctx, replyTo("2"))
		for _, err := range []error{claimErr, b.Settle(ctx, c, outcome(replyTo("1"), wire.Succeeded)), b.Release(ctx, c)} {
			if !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "http") {
				b.t.Errorf("error %v", err)
			}
		}
		b.wants(replyTo("1"), "in progress")
		b.wants(replyTo("2"), "claim")
	},
	"a result that is too long for the store is shortened between characters": func(b *bench) {
		r := replyTo("1")
		long := outcome(r, wire.Succeeded)
		long.Message = strings.Repeat("长", 1<<19) + "\xff"
		b.must(b.Settle(b.t.Context(), b.claimed(r), long))
		if got := b.wants(r, "replay").Replay.Message; got != strings.Repeat("长", maxText/3) {
			b.t.Errorf("%d bytes of message", len(got))
		}
	},
	"a claim whose acknowledgement is lost is taken back": func(b *bench) {
		r := replyTo("1")
		b.loseAcknowledgement(r)
		b.wants(r, "claim")
	},
	"a takeover whose acknowledgement is lost goes back to unknown": func(b *bench) {
		r := replyTo("1")
		b.must(b.Settle(b.t.Context(), b.claimed(r), outcome(r, wire.Unknown)))
		b.loseAcknowledgement(resending(r))
		if d := b.wants(r, "unknown"); d.Earlier == nil || d.TransactionID != r.TransactionID {
			b.t.Errorf("decision %+v", d)
		}
	},
	"a settlement whose acknowledgement is lost stands": func(b *bench) {
		r := replyTo("1")
		c := b.claimed(r)
		lossy := New(&lossyStore{Store: b.store}, testTTL, b.now, b.newOwner)
		if err := lossy.Settle(b.t.Context(), c, outcome(r, wire.Succeeded)); !errors.Is(err, ErrUnavailable) {
			b.t.Errorf("Settle: %v", err)
		}
		b.wants(r, "replay")
	},
}

// loseAcknowledgement claims through a store whose last write in the claim happens without anybody hearing of it.
func (b *bench) loseAcknowledgement(r Request) {
	b.t.Helper()
	lossy := &lossyStore{Store: b.store}
	d, err := New(lossy, testTTL, b.now, b.newOwner).Claim(b.t.Context(), r)
	if !errors.Is(err, ErrUnavailable) || d != (Decision{}) {
		b.t.Fatalf("Claim: %+v, %v", d, err)
	}
	if strings.Contains(err.Error(), "123456789012") {
		b.t.Errorf("the store's own text got out: %v", err)
	}
	if !lossy.lost {
		b.t.Fatal("nothing was lost")
	}
}

func (b *bench) put(e Entry, cond Condition, want *Entry) {
	b.t.Helper()
	found, err := b.store.Put(b.t.Context(), e, cond)
	if err != nil {
		b.t.Fatalf("Put: %v", err)
	}
	if diff := difference(found, want); diff != "" {
		b.t.Fatalf("Put: %s", diff)
	}
}
