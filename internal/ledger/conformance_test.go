package ledger

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

const testTTL = 24 * time.Hour

// bench is one ledger over one store with a clock that stands until it is moved.
type bench struct {
	*Ledger
	t     *testing.T
	store Store
	mu    sync.Mutex
	at    time.Time
	owner int
	peek  bool // each claim is peeked at first
}

func newBench(t *testing.T, store Store) *bench {
	b := &bench{t: t, store: store, at: noon}
	b.Ledger = New(store, testTTL,
		func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.at },
		func() string { b.mu.Lock(); defer b.mu.Unlock(); b.owner++; return fmt.Sprintf("owner-%d", b.owner) })
	return b
}

func (b *bench) pass(d time.Duration) { b.mu.Lock(); defer b.mu.Unlock(); b.at = b.at.Add(d) }

func (b *bench) claim(r Request) Decision {
	b.t.Helper()
	d, err := b.Claim(b.t.Context(), r)
	if err != nil {
		b.t.Fatalf("Claim: %v", err)
	}
	set := 0
	for _, is := range []bool{d.Claim != nil, d.Replay != nil, d.InProgress, d.Unknown, d.Mismatch} {
		if is {
			set++
		}
	}
	if set != 1 || d.Reason == "" {
		b.t.Fatalf("%d decisions in one: %+v", set, d)
	}
	return d
}

// claimed is a claim that must be granted.
func (b *bench) claimed(r Request) *Claim {
	b.t.Helper()
	d := b.claim(r)
	if d.Claim == nil {
		b.t.Fatalf("not granted: %+v", d)
	}
	return d.Claim
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// wants compares what a request gets with the name of the decision.
func (b *bench) wants(r Request, want string) Decision {
	b.t.Helper()
	if b.peek {
		b.peeks(r, want)
	}
	d := b.claim(r)
	if got := wordOf(d); got != want {
		b.t.Fatalf("got %s (%s), want %s", got, d.Reason, want)
	}
	return d
}

func wordOf(d Decision) string {
	if d.Claim != nil && d.Claim.TookOver {
		return "takeover"
	}
	return map[bool]string{d.Claim != nil: "claim", d.Replay != nil: "replay", d.InProgress: "in progress",
		d.Unknown: "unknown", d.Mismatch: "mismatch"}[true]
}

// peeks makes sure that a peek tells what a claim will be told, and nothing of one that will be granted. That it changes
// nothing the claim shows.
func (b *bench) peeks(r Request, claimed string) {
	b.t.Helper()
	if claimed == "claim" || claimed == "takeover" {
		claimed = ""
	}
	d, err := b.Peek(b.t.Context(), r)
	if err != nil || wordOf(d) != claimed {
		b.t.Fatalf("a peek got %q (%s), %v, want %q", wordOf(d), d.Reason, err, claimed)
	}
}

func replyTo(complaint string) Request {
	return Request{Action: wire.Reply, Merchant: "acme", ComplaintID: complaint, Key: "k#1", PayloadHash: "hash",
		TransactionID: "resp" + complaint + "00000000", LeaseUntil: noon.Add(10 * time.Second)}
}

func completionOf(complaint string) Request {
	r := replyTo(complaint)
	r.Action, r.TransactionID, r.Repeatable = wire.Complete, "", true
	return r
}

func resending(r Request) Request {
	r.ResendUnknown, r.TransactionID = true, "another0000000"
	return r
}

func outcome(r Request, o wire.Outcome) wire.Result {
	return wire.Result{Action: r.Action, Merchant: r.Merchant, ComplaintID: r.ComplaintID, Outcome: o,
		Provider: r.Action.Provider(), Code: "0000", Message: "回复成功 <&>", HTTPStatus: 200, Verified: true, RequestID: "req",
		TransactionID: r.TransactionID, Attempts: 2, At: noon, Errors: []wire.Problem{{Pointer: "/x", Detail: "y"}}}
}

// conformance is what every store must make of the rules. newStore gives an empty one.
func conformance(t *testing.T, newStore func(t *testing.T) Store) {
	for _, suite := range []map[string]func(*bench){tableCases, holderCases, storeCases, lookCases} {
		for name, run := range suite {
			t.Run(name, func(t *testing.T) {
				b := newBench(t, newStore(t))
				b.peek = true
				run(b)
			})
		}
	}
}

// tableCases are the rows of the table in the contract's section 6.
var tableCases = map[string]func(*bench){
	"a settled success is replayed to both actions, and to resend_unknown": func(b *bench) {
		for _, r := range []Request{replyTo("1"), completionOf("1")} {
			c := b.claimed(r)
			want := outcome(r, wire.Succeeded)
			sent := want
			sent.RetryAfter = time.Minute // travels as a header and is not kept
			b.must(b.Settle(b.t.Context(), c, sent))
			want.Replayed = true
			for _, again := range []Request{r, resending(r)} {
				d := b.wants(again, "replay")
				if !reflect.DeepEqual(*d.Replay, want) {
					b.t.Errorf("replayed %+v\nwant     %+v", *d.Replay, want)
				}
				d.Replay.Errors[0].Detail = "the copy is the caller's"
			}
		}
	},
	"a live claim is in progress for the rest of its lease": func(b *bench) {
		for _, r := range []Request{replyTo("1"), completionOf("1")} {
			b.claimed(r)
			b.pass(1500 * time.Millisecond)
			for _, again := range []Request{r, resending(r)} {
				if d := b.wants(again, "in progress"); d.RetryAfter%time.Second != 0 || d.RetryAfter < 7*time.Second || d.RetryAfter > 9*time.Second {
					b.t.Errorf("retry after %v", d.RetryAfter)
				}
			}
		}
	},
	"an expired claim is unknown for a reply and stays so": func(b *bench) {
		r := replyTo("1")
		b.claimed(r)
		b.pass(10 * time.Second)
		for range 2 {
			if d := b.wants(r, "unknown"); d.TransactionID != r.TransactionID || d.Earlier != nil {
				b.t.Errorf("decision %+v", d)
			}
		}
	},
	"an expired claim of a completion goes ahead": func(b *bench) {
		r := completionOf("1")
		b.claimed(r)
		b.pass(10 * time.Second)
		r.LeaseUntil = noon.Add(time.Minute)
		b.wants(r, "takeover")
		b.wants(r, "in progress")
	},
	"a settled unknown is unknown for a reply, with what is known of it": func(b *bench) {
		r := replyTo("1")
		want := outcome(r, wire.Unknown)
		b.must(b.Settle(b.t.Context(), b.claimed(r), want))
		d := b.wants(r, "unknown")
		if d.TransactionID != r.TransactionID || d.Earlier == nil || !reflect.DeepEqual(*d.Earlier, want) {
			b.t.Errorf("decision %+v", d)
		}
	},
	"a settled unknown of a completion goes ahead": func(b *bench) {
		r := completionOf("1")
		b.must(b.Settle(b.t.Context(), b.claimed(r), outcome(r, wire.Unknown)))
		b.wants(r, "takeover")
	},
	"resend_unknown sends again with the transaction id that was sent first": func(b *bench) {
		r := replyTo("1")
		b.must(b.Settle(b.t.Context(), b.claimed(r), outcome(r, wire.Unknown)))
		if d := b.wants(resending(r), "takeover"); d.Claim.TransactionID != r.TransactionID {
			b.t.Errorf("transaction id %q, want the first one %q", d.Claim.TransactionID, r.TransactionID)
		}
		b.pass(10 * time.Second) // that one dies too
		if d := b.wants(resending(r), "takeover"); d.Claim.TransactionID != r.TransactionID {
			b.t.Errorf("the second time: transaction id %q", d.Claim.TransactionID)
		}
	},
	"resend_unknown by event is one resend, however often the event comes": func(b *bench) {
		first, second := resending(replyTo("1")), resending(replyTo("1"))
		first.Delivery, second.Delivery = "first", "second"
		b.must(b.Settle(b.t.Context(), b.claimed(first), outcome(first, wire.Unknown)))
		b.wants(first, "unknown")
		b.must(b.Release(b.t.Context(), b.wants(second, "takeover").Claim)) // it could not be tried
		b.wants(first, "unknown")
		b.wants(second, "takeover")
		b.pass(10 * time.Second) // this one dies
		b.wants(second, "unknown")
		b.wants(resending(replyTo("1")), "takeover") // not by event
	},
	"resend_unknown with nothing stored is an ordinary reply": func(b *bench) {
		r := resending(replyTo("1"))
		if d := b.wants(r, "claim"); d.Claim.TransactionID != r.TransactionID {
			b.t.Errorf("transaction id %q", d.Claim.TransactionID)
		}
	},
	"another payload is a mismatch whatever the state, and changes nothing": func(b *bench) {
		for _, r := range []Request{replyTo("1"), completionOf("1")} {
			other := resending(r)
			other.PayloadHash = "other"
			c := b.claimed(r)
			b.wants(other, "mismatch")
			b.pass(20 * time.Second)
			b.wants(other, "mismatch")
			b.must(b.Settle(b.t.Context(), c, outcome(r, wire.Unknown)))
			b.wants(other, "mismatch")
			again := resending(r)
			again.LeaseUntil = time.Time{}
			b.must(b.Settle(b.t.Context(), b.claimed(again), outcome(r, wire.Succeeded)))
			b.wants(other, "mismatch")
			b.wants(r, "replay")
			b.pass(testTTL + time.Second)
			b.wants(other, "claim")
			b.pass(-testTTL - 21*time.Second)
		}
	},
	"merchant, action, complaint and key each make another command": func(b *bench) {
		requests := []Request{replyTo("1"), completionOf("1"), replyTo("2"), replyTo("1"), replyTo("1")}
		requests[3].Merchant, requests[4].Key = "other", "k#2"
		for _, r := range requests {
			b.wants(r, "claim")
		}
	},
}
