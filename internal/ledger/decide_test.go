package ledger

import (
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestDecide(t *testing.T) {
	running, over := noon.Add(time.Millisecond), noon
	found := func(change func(*Entry)) Entry {
		e := Entry{ID: "x", Owner: "first", State: Claimed, PayloadHash: "h", LeaseUntil: running, ExpiresAt: noon.Add(time.Second)}
		change(&e)
		return e
	}
	reply := Request{Action: wire.Reply, PayloadHash: "h"}
	resend := Request{Action: wire.Reply, PayloadHash: "h", ResendUnknown: true}
	complete := Request{Action: wire.Complete, PayloadHash: "h", Repeatable: true}
	other := func(r Request) Request { r.PayloadHash = "other"; return r }
	settled := func(s State) Entry { return found(func(e *Entry) { e.State = s }) }
	expiredClaim := found(func(e *Entry) { e.LeaseUntil = over })
	gone := func(s State) Entry { return found(func(e *Entry) { e.State, e.ExpiresAt = s, noon }) }

	for _, tc := range []struct {
		name                    string
		found                   Entry
		reply, resend, complete verdict
		mismatch                bool // what another payload gets, for all three
	}{
		{"nothing stored is free", Entry{}, free, free, free, false},
		{"an expired claim entry does not exist, whatever its lease", gone(Claimed), free, free, free, false},
		{"an expired success does not exist", gone(Succeeded), free, free, free, false},
		{"an expired unknown does not exist", gone(Unknown), free, free, free, false},
		{"a success is replayed", settled(Succeeded), replay, replay, replay, true},
		{"a live claim is in progress", settled(Claimed), inProgress, inProgress, inProgress, true},
		{"a lease that ends now has ended", expiredClaim, unknown, takeOver, takeOver, true},
		{"a settled unknown stays unknown for a reply", settled(Unknown), unknown, takeOver, takeOver, true},
		{"an own claim is ours", found(func(e *Entry) { e.Owner = "me" }), ours, ours, ours, true},
		{"an own claim is ours past its lease", found(func(e *Entry) { e.Owner, e.LeaseUntil = "me", over }), ours, ours, ours, true},
		{"an own unknown is not a claim of ours", found(func(e *Entry) { e.Owner, e.State = "me", Unknown }), unknown, takeOver, takeOver, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for r, want := range map[*Request]verdict{&reply: tc.reply, &resend: tc.resend, &complete: tc.complete} {
				if got, reason := decide(tc.found, *r, "me", noon); got != want || reason == "" {
					t.Errorf("%+v: verdict %d (%q), want %d", *r, got, reason, want)
				}
				if got, _ := decide(tc.found, other(*r), "me", noon); (got == mismatch) != tc.mismatch {
					t.Errorf("%+v with another payload: verdict %d, mismatch wanted: %v", *r, got, tc.mismatch)
				}
			}
		})
	}
}

func TestRetryAfterIsTheRestOfTheLeaseInWholeSeconds(t *testing.T) {
	for rest, want := range map[time.Duration]time.Duration{
		-time.Hour: time.Second, 0: time.Second, time.Nanosecond: time.Second, time.Second: time.Second,
		time.Second + time.Nanosecond: 2 * time.Second, 59*time.Second + 999*time.Millisecond: time.Minute,
	} {
		if got := retryAfter(noon.Add(rest), noon); got != want {
			t.Errorf("%v left: retry after %v, want %v", rest, got, want)
		}
	}
}

func TestTimesAreRoundedUpAndNeverDown(t *testing.T) {
	e := Entry{LeaseUntil: noon.Add(time.Nanosecond), ExpiresAt: noon.Add(time.Nanosecond)}.rounded()
	if want := noon.Add(time.Millisecond); !e.LeaseUntil.Equal(want) {
		t.Errorf("lease until %v, want %v", e.LeaseUntil, want)
	}
	if want := noon.Add(time.Second); !e.ExpiresAt.Equal(want) {
		t.Errorf("expires at %v, want %v", e.ExpiresAt, want)
	}
	if e := (Entry{LeaseUntil: noon, ExpiresAt: noon}).rounded(); e.LeaseUntil != noon || e.ExpiresAt != noon {
		t.Errorf("whole times changed: %v, %v", e.LeaseUntil, e.ExpiresAt)
	}
}
