package simulation

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/kesu-go/kesu/internal/deployed"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/internal/watch"
)

// hearings is how many worlds of complaints `make test` lives through.
const hearings = 12

// firstReplyRule is the rule of template.yaml.
func firstReplyRule(t *testing.T) sandbox.BusRule {
	t.Helper()
	rules, err := deployed.Rules(map[string]string{"Watch": "on", "FirstReply": "您好，我们已收到您的投诉"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.Name == "FirstReplyRule" {
			return r
		}
	}
	t.Fatal("template.yaml has no FirstReplyRule")
	return sandbox.BusRule{}
}

// hear lives through one world.
func hear(t *testing.T, seed uint64, off HearingGuards) (tally HearingTally, found []Violation) {
	t.Helper()
	rule := firstReplyRule(t)
	synctest.Test(t, func(*testing.T) { tally, found = newHearing(seed, rule, off).run() })
	return tally, found
}

func (a *HearingTally) add(b HearingTally) {
	for _, pair := range [][2]*int{{&a.Complaints, &b.Complaints}, {&a.Raised, &b.Raised}, {&a.Lost, &b.Lost}, {&a.Doubled, &b.Doubled}, {&a.Late, &b.Late},
		{&a.Forged, &b.Forged}, {&a.Notified, &b.Notified}, {&a.Sweeps, &b.Sweeps}, {&a.CleanSweeps, &b.CleanSweeps}, {&a.Faults, &b.Faults},
		{&a.Crashes, &b.Crashes}, {&a.Received, &b.Received}, {&a.Changed, &b.Changed}, {&a.Due, &b.Due}, {&a.Replies, &b.Replies}} {
		*pair[0] += *pair[1]
	}
}

func TestEveryComplaintIsHeard(t *testing.T) {
	var total HearingTally
	for seed := range uint64(hearings) {
		tally, found := hear(t, *seedFlag*1000+seed, HearingGuards{})
		for _, v := range found {
			t.Errorf("seed %d: %s: %s", v.Seed, v.Kind, v.Detail)
		}
		total.add(tally)
	}
	t.Logf("%+v", total)
	for name, n := range map[string]int{"raised": total.Raised, "lost": total.Lost, "doubled": total.Doubled, "late": total.Late, "forged": total.Forged,
		"sweeps that nothing disturbed": total.CleanSweeps, "disturbed ones": total.Sweeps - total.CleanSweeps, "faults": total.Faults, "crashes": total.Crashes,
		"ComplaintReceived": total.Received, "ComplaintChanged": total.Changed, "ComplaintDue": total.Due, "first replies": total.Replies} {
		if n < hearings {
			t.Errorf("%s: only %d", name, n)
		}
	}
}

// lavish gives every claim to everybody.
type lavish struct{ ledger.Store }

func (l lavish) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	if e.State == ledger.Claimed {
		_, err := l.Store.Put(ctx, e, cond)
		return nil, err
	}
	return l.Store.Put(ctx, e, cond)
}

// mute says that everything was published and publishes nothing.
type mute struct{}

func (mute) Put(context.Context, string, []byte) error { return nil }

func TestEveryGuardOfHearingThatIsSwitchedOffIsCaught(t *testing.T) {
	for _, guard := range []struct {
		name string
		off  HearingGuards
		kind string
	}{
		{"the claim: everybody gets it", HearingGuards{Store: func(s ledger.Store) ledger.Store { return lavish{s} }}, KindToldAgain},
		{"the bus before the settling: publishing always works", HearingGuards{Bus: func(watch.Bus) watch.Bus { return mute{} }}, KindUntold},
		{"the sweep: there is none", HearingGuards{NoSweeps: true}, KindUntold},
		{"verification: every signature is right", HearingGuards{Verify: func(verifier) verifier { return func(_, _ []byte) error { return nil } }}, KindForged},
		{"the thresholds: only what is late is told", HearingGuards{Deaf: true}, KindUnannounced},
		{"the first reply's key: it does not say how often a complaint was raised", HearingGuards{RaisedAs: true}, KindUnreplied},
	} {
		t.Run(guard.name, func(t *testing.T) {
			for seed := range uint64(20) {
				_, found := hear(t, 7000+seed, guard.off)
				for _, v := range found {
					if v.Kind == guard.kind {
						return
					}
				}
			}
			t.Errorf("20 worlds without it, and nobody noticed that %s", guard.kind)
		})
	}
}

// The same seed makes the same world, so that a failure can be looked at again.
func TestAWorldOfComplaintsFollowsFromItsSeed(t *testing.T) {
	first, _ := hear(t, 42, HearingGuards{})
	again, _ := hear(t, 42, HearingGuards{})
	if a, b := fmt.Sprint(first.Complaints, first.Raised, first.Lost, first.Late, first.Doubled), fmt.Sprint(again.Complaints, again.Raised, again.Lost, again.Late, again.Doubled); a != b {
		t.Errorf("%s, and then %s", a, b)
	}
}
