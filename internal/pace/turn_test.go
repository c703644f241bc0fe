package pace

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
)

// within is a context like an invocation's with so much time.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAnEventWaitsForItsToken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		left  time.Duration // of the invocation; 0: it has no deadline
		ahead int           // tokens that others reserved beyond the burst
		waits time.Duration
		again time.Duration // when it does not wait
	}{
		{"for the next one", 28 * time.Second, 0, time.Second, 0},
		{"for one far ahead", 28 * time.Second, 19, 20 * time.Second, 0},
		{"not longer than 20 s", 28 * time.Second, 20, 0, 21 * time.Second},
		{"without a deadline as long", 0, 19, 20 * time.Second, 0},
		{"as long as an attempt has its time then", 9 * time.Second, 2, 3 * time.Second, 0},
		{"not longer than that", 9 * time.Second, 3, 0, 4 * time.Second},
		{"not with too little time for an attempt", 6 * time.Second, 0, 0, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPace(60, NewMemory())
				calls(t, p)
				for range tt.ahead {
					p.take(t.Context(), "acme", budget.TokenWait)
				}
				ctx := t.Context()
				if tt.left > 0 {
					ctx = within(t, tt.left)
				}
				began := time.Now()
				turn := p.Turn(ctx, "acme", true)
				turn.Ask(ctx)
				again, ok := turn.Take(ctx)
				if ok != (tt.waits > 0) || time.Since(began) != tt.waits || again != tt.again {
					t.Errorf("%v after %s, again in %s; want it after %s or again in %s", ok, time.Since(began), again, tt.waits, tt.again)
				}
			})
		})
	}
}

func TestATokenThatIsThereNeedsNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := within(t, time.Second)
		if _, ok := newPace(60, nil).Turn(ctx, "acme", true).Take(ctx); !ok {
			t.Error("an event with a second left was refused a token that was there")
		}
	})
}

func TestAWaitEndsWithItsContextAndGivesTheTokenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := NewMemory()
		p := newPace(60, store)
		calls(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		turn := p.Turn(ctx, "acme", true)
		time.AfterFunc(300*time.Millisecond, cancel)
		began := time.Now()
		turn.Take(ctx)
		turn.End(ctx)
		if time.Since(began) != 300*time.Millisecond {
			t.Errorf("it ended after %s", time.Since(began))
		}
		time.Sleep(700 * time.Millisecond)
		if n, _ := calls(t, newPace(60, store)); n != 1 {
			t.Errorf("%d calls with the token that was given back", n)
		}
	})
}

func TestAnEventThatTheProcessKnowsToBeInVainAsksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCounted()
		p := newPace(60, store)
		for range 26 {
			p.take(t.Context(), "acme", budget.TokenWait)
		}
		store.takes = 0
		turn := p.Turn(t.Context(), "acme", true)
		if again, full := turn.Full(); !full || again != 21*time.Second || store.takes != 0 {
			t.Errorf("%v, again in %s, asked %d times", full, again, store.takes)
		}
		if _, full := p.Turn(t.Context(), "acme", false).Full(); full {
			t.Error("a caller that waits for an answer is told by the ledger first")
		}
		if _, full := p.Turn(t.Context(), "other", true).Full(); full {
			t.Error("another merchant's is full")
		}
		time.Sleep(time.Second)
		if _, full := p.Turn(t.Context(), "acme", true).Full(); full {
			t.Error("it is still full when there is a token again")
		}
	})
}

func TestRefusedEventsComeAgainOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(60, NewMemory())
		for range 26 {
			p.take(t.Context(), "acme", budget.TokenWait)
		}
		for i := range 2000 {
			again, full := p.Turn(t.Context(), "acme", true).Full()
			want := 21*time.Second + time.Duration(i)*time.Second
			if want > longestPromise { // then from the beginning again
				want = 21*time.Second + (want-longestPromise-time.Second)%(longestPromise-20*time.Second)
			}
			if !full || again != want {
				t.Fatalf("event %d comes again in %s, want %s", i, again, want)
			}
		}
	})
}

func TestWhoWaitsStandsAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(60, nil)
		var aside, back time.Time
		ctx := WithAside(t.Context(), func() func() {
			aside = time.Now()
			return func() { back = time.Now() }
		})
		if p.Turn(ctx, "acme", true).Take(ctx); !aside.IsZero() {
			t.Error("it stood aside though it did not wait")
		}
		calls(t, p)
		p.Turn(ctx, "acme", true).Take(ctx)
		if back.Sub(aside) != time.Second {
			t.Errorf("it stood aside for %s", back.Sub(aside))
		}
	})
}

func TestABugInAStoreIsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := newPace(60, &counted{}).Turn(t.Context(), "acme", false)
		turn.Ask(t.Context())
		if again, ok := turn.Take(t.Context()); ok || again != time.Second {
			t.Errorf("%v, again in %s", ok, again)
		}
		turn.End(t.Context())
	})
}

func TestARefusalThatIsHeardWhenItIsOverIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(60, NewMemory())
		calls(t, p)
		turn := p.Turn(t.Context(), "acme", false)
		turn.Ask(t.Context())
		time.Sleep(time.Second) // the secret
		if again, ok := turn.Take(t.Context()); !ok {
			t.Errorf("again in %s", again)
		}
		turn = p.Turn(t.Context(), "acme", false)
		turn.Ask(t.Context())
		time.Sleep(999 * time.Millisecond)
		if again, ok := turn.Take(t.Context()); ok || again != time.Millisecond {
			t.Errorf("%v, again in %s", ok, again)
		}
	})
}

func TestACommandOfTheLedgerWaitsForASlowTableAndNoOtherDoes(t *testing.T) {
	for _, insists := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			store := newCounted()
			store.slow = 800 * time.Millisecond
			p := newPace(60, store)
			turn := p.Turn(t.Context(), "acme", false)
			if insists {
				turn.Insist()
			}
			began := time.Now()
			turn.Ask(t.Context())
			if _, ok := turn.Take(t.Context()); !ok {
				t.Fatal("there is no token")
			}
			took, want := time.Since(began), 800*time.Millisecond
			if !insists {
				want = budget.Token
			}
			if took != want || (turn.token.pace == p) != insists {
				t.Errorf("insists %v: it took %s, of the pace of all processes %v", insists, took, turn.token.pace == p)
			}
		})
	}
}
