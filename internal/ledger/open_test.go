package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

func (b *bench) first(o *Open, want time.Time) {
	b.t.Helper()
	if got, known := o.FirstClaim(); !known || !got.Equal(want) {
		b.t.Errorf("the first send was claimed %v (%v), want %v", got, known, want)
	}
}

// seen is what a look tells that found the reply.
func seen(r Request) wire.Result {
	result := outcome(r, wire.Succeeded)
	result.Code = wire.CodeSeenInHistory
	return result
}

// under is the same request under another key.
func under(r Request, key string) Request {
	r.Key = key
	return r
}

// repeating is a store whose first answer is always lost, so that the SDK makes each write a second time.
type repeating struct{ Store }

func (s repeating) Put(ctx context.Context, e Entry, cond Condition) (*Entry, error) {
	_, _ = s.Store.Put(ctx, e, cond)
	return s.Store.Put(ctx, e, cond)
}

func TestANoteWhoseAcknowledgementIsLostIsOurs(t *testing.T) {
	l := New(repeating{NewMemory()}, testTTL, func() time.Time { return noon }, rand.Text)
	note, err := l.Say(t.Context(), replyTo("1"), "words", noon.Add(time.Minute), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = l.Say(t.Context(), replyTo("1"), "words", noon, note); err != nil {
		t.Fatal(err)
	}
	if got, err := l.SaidByOthers(t.Context(), under(replyTo("1"), "other"), "words"); err != nil || !got.Equal(noon) {
		t.Errorf("%v %v", got, err)
	}
}

func (b *bench) say(r Request, words string, until time.Time) {
	b.t.Helper()
	_, err := b.Say(b.t.Context(), r, words, until, nil)
	b.must(err)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lookCases are what looking needs of the ledger (contract, section 6.1).
var lookCases = map[string]func(*bench){
	"the time of the first claim is kept over resends, take-overs and releases": func(b *bench) {
		r := replyTo("1")
		c := b.claimed(r)
		b.first(c.Open(), noon)
		b.must(b.Settle(b.t.Context(), c, outcome(r, wire.Unknown)))
		b.pass(time.Hour)
		again := resending(r)
		again.LeaseUntil = noon.Add(time.Hour + time.Minute)
		c = b.wants(again, "takeover").Claim
		b.first(c.Open(), noon)
		if got := c.Open().ClaimedAt(); !got.Equal(noon.Add(time.Hour)) {
			b.t.Errorf("claimed at %v", got)
		}
		if got := c.Earlier().ClaimedAt(); !got.Equal(noon) {
			b.t.Errorf("the earlier attempt was claimed at %v", got)
		}
		b.must(b.Release(b.t.Context(), c))
		if got := b.wants(r, "unknown").Open.ClaimedAt(); !got.Equal(noon) {
			b.t.Errorf("after a release: claimed at %v", got)
		}
		b.first(b.wants(r, "unknown").Open, noon)
		b.pass(time.Minute)
		b.wants(again, "takeover") // and this holder dies
		b.pass(time.Minute)
		b.first(b.wants(r, "unknown").Open, noon)
	},
	"a reply that was certainly not sent begins anew": func(b *bench) {
		r := replyTo("1")
		b.must(b.Release(b.t.Context(), b.claimed(r)))
		b.pass(time.Minute)
		r.LeaseUntil = noon.Add(2 * time.Minute)
		b.first(b.claimed(r).Open(), noon.Add(time.Minute))
	},
	"an entry of an older version does not say when it was first claimed": func(b *bench) {
		r := replyTo("1")
		result := outcome(r, wire.Unknown)
		b.put(Entry{ID: r.id(), Owner: "old", State: Unknown, PayloadHash: r.PayloadHash, TransactionID: "t", LeaseUntil: noon,
			ExpiresAt: noon.Add(time.Hour), Result: &result}, Condition{AbsentAt: noon}, nil)
		if _, known := b.wants(r, "unknown").Open.FirstClaim(); known {
			b.t.Error("it is known")
		}
		if _, known := b.wants(resending(r), "takeover").Claim.Open().FirstClaim(); known {
			b.t.Error("after a take-over it is known")
		}
	},
	"what was settled as unknown and is seen then is replayed": func(b *bench) {
		r := replyTo("1")
		c := b.claimed(r)
		b.must(b.Settle(b.t.Context(), c, outcome(r, wire.Unknown)))
		b.must(b.Looked(b.t.Context(), c.Open(), seen(r), noon))
		if d := b.wants(r, "replay"); d.Replay.Code != wire.CodeSeenInHistory {
			b.t.Errorf("%+v", *d.Replay)
		}
		b.wants(resending(r), "replay")
	},
	"an expired claim is seen by the next one, and its late holder changes nothing": func(b *bench) {
		r := replyTo("1")
		c := b.claimed(r)
		b.pass(10 * time.Second)
		b.must(b.Looked(b.t.Context(), b.wants(r, "unknown").Open, seen(r), noon))
		if err := b.Settle(b.t.Context(), c, outcome(r, wire.Unknown)); !errors.Is(err, ErrLost) {
			b.t.Errorf("the late holder: %v", err)
		}
		b.wants(r, "replay")
	},
	"a look changes nothing of what somebody else has taken over": func(b *bench) {
		r := replyTo("1")
		b.must(b.Settle(b.t.Context(), b.claimed(r), outcome(r, wire.Unknown)))
		open := b.wants(r, "unknown").Open
		b.wants(resending(r), "takeover")
		if err := b.Looked(b.t.Context(), open, seen(r), noon); !errors.Is(err, ErrLost) {
			b.t.Errorf("a late look: %v", err)
		}
		b.wants(r, "in progress")
	},
	"a look that saw nothing is noted, with its evidence, and prolongs nothing": func(b *bench) {
		r := replyTo("1")
		b.must(b.Settle(b.t.Context(), b.claimed(r), outcome(r, wire.Unknown)))
		b.pass(time.Hour)
		unseen := outcome(r, wire.Unknown)
		unseen.Code, unseen.Evidence = wire.CodeOutcomeUnknown, &wire.Evidence{LookedAt: noon, Seen: new(false)}
		b.must(b.Looked(b.t.Context(), b.wants(r, "unknown").Open, unseen, noon.Add(time.Hour)))
		d := b.wants(r, "unknown")
		if !d.Open.LookedAt().Equal(noon.Add(time.Hour)) || d.Earlier.Evidence == nil || *d.Earlier.Evidence.Seen || d.Earlier.Code != "0000" {
			b.t.Errorf("noted %v, %+v", d.Open.LookedAt(), d.Earlier)
		}
		b.pass(testTTL - time.Hour)
		b.wants(r, "claim")
	},
	"a look at an expired claim is noted without a result": func(b *bench) {
		r := replyTo("1")
		b.claimed(r)
		b.pass(10 * time.Second)
		b.must(b.Looked(b.t.Context(), b.wants(r, "unknown").Open, outcome(r, wire.Unknown), noon.Add(time.Second)))
		if d := b.wants(r, "unknown"); !d.Open.LookedAt().Equal(noon.Add(time.Second)) || d.Earlier != nil {
			b.t.Errorf("%+v", d)
		}
	},
	"an item proves one reply": func(b *bench) {
		for _, row := range []struct {
			r    Request
			log  string
			want bool
		}{
			{replyTo("1"), "a", true}, {replyTo("1"), "a", true}, // the same again
			{under(replyTo("1"), "other"), "a", false},
			{under(replyTo("1"), "other"), "b", true},
			{replyTo("2"), "a", true}, // another complaint's
		} {
			if got, err := b.Own(b.t.Context(), row.r, row.log); err != nil || got != row.want {
				b.t.Errorf("%s of %s for %s: %v %v", row.log, row.r.ComplaintID, row.r.Key, got, err)
			}
		}
		b.pass(testTTL)
		if got, err := b.Own(b.t.Context(), under(replyTo("1"), "other"), "a"); err != nil || !got {
			b.t.Errorf("once it has expired: %v %v", got, err)
		}
	},
	"the settling of another reply with the same words is told, one's own is not": func(b *bench) {
		one, two, three := replyTo("1"), under(replyTo("1"), "two"), under(replyTo("1"), "three")
		others := func(r Request, words string, want time.Time) {
			b.t.Helper()
			if got, err := b.SaidByOthers(b.t.Context(), r, words); err != nil || !got.Equal(want) {
				b.t.Errorf("for %s: %v %v, want %v", r.Key, got, err, want)
			}
		}
		others(one, "words", time.Time{})
		b.say(one, "words", b.now())
		others(one, "words", time.Time{})
		others(two, "words", noon)
		others(two, "other words", time.Time{})
		others(under(replyTo("2"), "two"), "words", time.Time{})
		b.pass(time.Second)
		b.say(two, "words", b.now())
		b.pass(time.Second)
		b.say(two, "words", b.now())
		others(one, "words", noon.Add(2*time.Second))
		others(two, "words", noon)
		b.pass(time.Second)
		b.say(three, "words", b.now())
		others(one, "words", noon.Add(3*time.Second))
		others(three, "words", noon.Add(2*time.Second))
		b.say(two, "words", b.now().Add(time.Minute)) // on its way
		others(one, "words", noon.Add(3*time.Second+time.Minute))
		b.say(two, "words", time.Time{}) // it was not sent
		others(one, "words", noon.Add(3*time.Second))
		others(three, "words", noon)
		b.pass(testTTL)
		others(one, "words", time.Time{})
		b.say(two, "words", time.Time{})
		others(one, "words", time.Time{})
		b.say(one, "words", b.now())
		others(two, "words", noon.Add(3*time.Second+testTTL))
	},
	"of many replies with the same words the latest are told apart, and nothing is forgotten": func(b *bench) {
		for i := range 3 * maxSayings {
			b.say(under(replyTo("1"), fmt.Sprint(i)), "words", noon.Add(time.Duration(i)*time.Second))
		}
		for i, want := range map[int]int{0: 3*maxSayings - 1, 3*maxSayings - 1: 3*maxSayings - 2} {
			got, err := b.SaidByOthers(b.t.Context(), under(replyTo("1"), fmt.Sprint(i)), "words")
			if err != nil || !got.Equal(noon.Add(time.Duration(want)*time.Second)) {
				b.t.Errorf("for %d: %v %v, want that of %d", i, got, err, want)
			}
		}
		for i := 1; i < 3*maxSayings; i++ {
			b.say(under(replyTo("1"), fmt.Sprint(i)), "words", time.Time{})
		}
		got, err := b.SaidByOthers(b.t.Context(), under(replyTo("1"), "0"), "words")
		if want := noon.Add((2 * maxSayings) * time.Second); err != nil || !got.Equal(want) {
			b.t.Errorf("what is no longer told apart: %v %v, want %v", got, err, want)
		}
	},
	"a note is replaced at once, and by whoever wrote since": func(b *bench) {
		one, two := replyTo("1"), under(replyTo("1"), "two")
		note := func(r Request, until time.Time, before *Note) *Note {
			b.t.Helper()
			after, err := b.Say(b.t.Context(), r, "words", until, before)
			b.must(err)
			return after
		}
		first := note(one, noon.Add(time.Minute), nil)
		first = note(one, noon.Add(time.Second), first)
		note(two, noon.Add(2*time.Second), nil)
		note(one, time.Time{}, first)
		for r, want := range map[string]time.Time{"one": {}, "two": {}, "three": noon.Add(2 * time.Second)} {
			if got, err := b.SaidByOthers(b.t.Context(), under(one, r), "words"); r != "one" && (err != nil || !got.Equal(want)) {
				b.t.Errorf("for %s: %v %v, want %v", r, got, err, want)
			}
		}
	},
	"an announcement shortens nothing, and is withdrawn to what was there": func(b *bench) {
		one, two := replyTo("1"), under(replyTo("1"), "two")
		one.LeaseUntil = noon.Add(time.Minute)
		until := func(want time.Time) {
			b.t.Helper()
			if got, err := b.SaidByOthers(b.t.Context(), two, "words"); err != nil || !got.Equal(want) {
				b.t.Errorf("until %v %v, want %v", got, err, want)
			}
		}
		announce := func() *Note {
			b.t.Helper()
			note, err := b.Announce(b.t.Context(), one, "words")
			b.must(err)
			return note
		}
		note := announce()
		until(one.LeaseUntil)
		b.must(b.Withdraw(b.t.Context(), one, "words", note))
		until(time.Time{})
		for _, stood := range []time.Time{noon.Add(time.Second), noon.Add(time.Hour)} {
			b.say(one, "words", stood)
			note = announce()
			until(latest(stood, one.LeaseUntil))
			b.must(b.Withdraw(b.t.Context(), one, "words", note))
			until(stood)
		}
		again := one
		again.LeaseUntil = time.Time{}
		_, err := b.Announce(b.t.Context(), again, "other words")
		b.must(err)
		if got, err := b.SaidByOthers(b.t.Context(), two, "other words"); err != nil || !got.Equal(noon.Add(defaultLease)) {
			b.t.Errorf("without a deadline: %v %v", got, err)
		}
	},
	"an announcement is not withdrawn when somebody noted something since": func(b *bench) {
		one := replyTo("1")
		one.LeaseUntil = noon.Add(time.Minute)
		note, err := b.Announce(b.t.Context(), one, "words")
		b.must(err)
		_, err = b.Announce(b.t.Context(), one, "words") // another delivery, which gets the claim
		b.must(err)
		b.must(b.Withdraw(b.t.Context(), one, "words", note))
		if got, err := b.SaidByOthers(b.t.Context(), under(one, "two"), "words"); err != nil || !got.Equal(one.LeaseUntil) {
			b.t.Errorf("%v %v", got, err)
		}
	},
	"the first refusal to try later is remembered": func(b *bench) {
		r := replyTo("1")
		for range 2 {
			if first, err := b.Busy(b.t.Context(), r, b.now()); err != nil || !first.Equal(noon) {
				b.t.Errorf("%v %v", first, err)
			}
			b.pass(time.Hour)
		}
		if first, err := b.Busy(b.t.Context(), under(r, "other"), b.now()); err != nil || !first.Equal(noon.Add(2*time.Hour)) {
			b.t.Errorf("another key: %v %v", first, err)
		}
	},
}
