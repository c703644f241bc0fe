package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Two replies with the same words to one complaint, under different keys: while the second one is on its way, an item of
// the history may be that one's.
func TestAReplyThatIsOnItsWayShowsNoOther(t *testing.T) {
	refused := gateway.Report{Last: gateway.Verdict{Effect: gateway.Refused, Code: "3101"}, Attempts: 1, HTTPStatus: 200}
	for _, test := range []struct {
		name   string
		second gateway.Report
		after  string // what a look for the first one tells at once after the second one is over
	}{
		{"it succeeded", done, "unseen PROCESSING"},
		{"it may have been carried out", maybe, "unseen PROCESSING"},
		{"it was refused, so the item is the first one's", refused, "seen log-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, a := newLookBench([]lookAnswer{unseen}, maybe, test.second)
				first, second := reply(`,"idempotency_key":"first"`), reply(`,"idempotency_key":"second"`)
				b.pipeline.Do(t.Context(), first)
				b.acts.during = func() {
					b.acts.during = nil
					time.Sleep(lookFresh)
					a.answers = []lookAnswer{{logIDs: []string{"log-1"}, at: time.Now()}}
					if got := b.pipeline.Do(t.Context(), first); saw(got) != "unseen PROCESSING" {
						t.Errorf("while the second one is on its way: %s", saw(got))
					}
					a.blind = true // nobody looks for the second one itself
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				b.pipeline.Do(ctx, second)
				a.blind = false
				time.Sleep(lookFresh)
				if got := b.pipeline.Do(t.Context(), first); saw(got) != test.after {
					t.Errorf("after it: %s, want %s", saw(got), test.after)
				}
			})
		})
	}
}

// A process that dies while it sends leaves its note: until its lease is over, an item may be that one's.
func TestAReplyWhoseProcessDiedShowsNoOther(t *testing.T) {
	for after, want := range map[time.Duration]string{20*time.Second + clocksApart: "unseen PROCESSING",
		20*time.Second + clocksApart + time.Millisecond: "seen log-1"} {
		synctest.Test(t, func(t *testing.T) {
			b, a := newLookBench([]lookAnswer{unseen}, maybe, done)
			b.pipeline.Do(t.Context(), reply(`,"idempotency_key":"first"`))
			began := time.Now()
			b.acts.during = func() { b.store.putErr = func(int) error { return ledger.ErrUnavailable } }
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			b.pipeline.Do(ctx, reply(`,"idempotency_key":"second"`))
			b.store.putErr = nil
			time.Sleep(time.Minute)
			a.answers = []lookAnswer{{logIDs: []string{"log-1"}, at: began.Add(after)}}
			if got := b.pipeline.Do(t.Context(), reply(`,"idempotency_key":"first"`)); saw(got) != want {
				t.Errorf("an item of %s after it began: %s, want %s", after, saw(got), want)
			}
		})
	}
}

func TestWithoutANoteOfItsWordsAReplyIsNotSent(t *testing.T) {
	for _, test := range []struct {
		name  string
		blind bool
		code  string
	}{{"a merchant that can be looked for", false, wire.CodeLedgerUnavailable}, {"one that cannot", true, "0000"}} {
		t.Run(test.name, func(t *testing.T) {
			b, a := newLookBench([]lookAnswer{unseen}, done)
			a.blind = test.blind
			b.store.noteErr = ledger.ErrUnavailable
			if got := b.pipeline.Do(t.Context(), reply("")); got.Code != test.code || len(b.acts.sent) > 0 != test.blind {
				t.Errorf("%s, sent %d times", got.Code, len(b.acts.sent))
			}
			b.store.noteErr = nil
			if got := b.pipeline.Do(t.Context(), reply("")); got.Code != "0000" || got.Replayed != test.blind {
				t.Errorf("the next one: %+v", got)
			}
		})
	}
}

// What is not sent now leaves no note: of the words of a reply that comes again, or that is refused, stays what was known.
func TestAReplyThatIsNotSentShowsNoOther(t *testing.T) {
	for name, members := range map[string]string{
		"one that was done before":                  `,"idempotency_key":"second"`,
		"other words under the key of one that was": `,"idempotency_key":"third"`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, a := newLookBench([]lookAnswer{unseen}, maybe, done, done)
				b.pipeline.Do(t.Context(), reply(`,"idempotency_key":"first"`))
				b.pipeline.Do(t.Context(), reply(`,"idempotency_key":"second"`))
				other := reply(`,"idempotency_key":"third"`)
				other.Command.ResponseContent = "other words"
				b.pipeline.Do(t.Context(), other)
				time.Sleep(time.Minute)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				b.pipeline.Do(ctx, reply(members))
				time.Sleep(lookFresh)
				a.answers = []lookAnswer{{logIDs: []string{"log-1"}, at: time.Now()}}
				if got := b.pipeline.Do(t.Context(), reply(`,"idempotency_key":"first"`)); saw(got) != "seen log-1" {
					t.Errorf("a look for the first one: %s", saw(got))
				}
			})
		})
	}
}
