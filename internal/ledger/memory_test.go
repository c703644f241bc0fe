package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestMemoryKeepsTheRules(t *testing.T) {
	conformance(t, func(*testing.T) Store { return NewMemory() })
}

func TestMemoryIsBoundedByLiveEntries(t *testing.T) {
	m := NewMemory()
	b := newBench(t, m)
	const perDay, days = 3000, 20
	for range days {
		for range perDay {
			r := replyTo(fmt.Sprint(b.owner))
			r.LeaseUntil = time.Time{}
			b.claimed(r)
		}
		b.pass(testTTL + time.Second)
	}
	if got := len(m.entries); got > 2*perDay {
		t.Errorf("%d entries after %d days of %d", got, days, perDay)
	}
}

func TestMemorySweepLeavesWhatIsAlive(t *testing.T) {
	m := NewMemory()
	b := newBench(t, m)
	r := replyTo("first")
	b.must(b.Settle(t.Context(), b.claimed(r), outcome(r, wire.Succeeded)))
	for i := range 3 * firstSweep {
		b.claimed(replyTo(fmt.Sprint(i)))
	}
	b.wants(r, "replay")
}

func BenchmarkMemoryClaimAndSettle(b *testing.B) {
	l := New(NewMemory(), time.Minute, time.Now, func() string { return "owner" })
	r := replyTo("1")
	result := outcome(r, wire.Succeeded)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Key = fmt.Sprint(i)
		d, err := l.Claim(b.Context(), r)
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Settle(b.Context(), d.Claim, result); err != nil {
			b.Fatal(err)
		}
	}
}
