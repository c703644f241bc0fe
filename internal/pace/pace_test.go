package pace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/ledger"
)

// counted is a store that counts what it is asked, and can be told to fail.
type counted struct {
	Store
	takes, returns int
	refuseTakes    bool          // nothing is written
	loseReturns    bool          // written, and then failed
	hangs          bool          // until the context ends
	slow           time.Duration // before each take
}

func (c *counted) Take(ctx context.Context, line string, a Ask) (time.Time, bool, error) {
	c.takes++
	switch {
	case c.refuseTakes:
		return time.Time{}, false, ledger.Failure(errors.New("down"))
	case c.hangs:
		<-ctx.Done()
		return time.Time{}, false, ledger.Failure(ctx.Err())
	}
	select {
	case <-time.After(c.slow):
	case <-ctx.Done():
		return time.Time{}, false, ledger.Failure(ctx.Err())
	}
	return c.Store.Take(ctx, line, a)
}

func (c *counted) Return(ctx context.Context, line string, from, to time.Time) (bool, error) {
	c.returns++
	done, err := c.Store.Return(ctx, line, from, to)
	if c.loseReturns {
		return false, ledger.Failure(errors.New("lost"))
	}
	return done, err
}

func newCounted() *counted { return &counted{Store: NewMemory()} }

func newPace(perMinute int, store Store) *Pace {
	return New(Options{PerMinute: perMinute, Action: "reply", Store: store, Keep: 6 * time.Second, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
}

// calls takes tokens, as callers that do not wait, until there are none.
func calls(t *testing.T, p *Pace) (n int, again time.Duration) {
	t.Helper()
	for n < 10_000 {
		turn := p.Turn(t.Context(), "acme", false)
		again, ok := turn.Take(t.Context())
		if !ok {
			return n, again
		}
		turn.Spend()
		turn.End(t.Context())
		n++
	}
	t.Fatal("there is no end")
	return
}

func TestThePaceIsABurstAndThenTheFigure(t *testing.T) {
	for _, tt := range []struct {
		perMinute, burst int
		again            time.Duration
	}{
		{60, 6, time.Second},
		{6, 3, 10 * time.Second},
		{1, 3, time.Minute},
		{1500, 150, 40 * time.Millisecond},
		{7, 3, 8571429 * time.Microsecond}, // rounded up: never more than the figure
	} {
		for name, store := range map[string]Store{"in the process": nil, "in a store": NewMemory()} {
			t.Run(fmt.Sprint(tt.perMinute, " a minute ", name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPace(tt.perMinute, store)
					for range 2 {
						if n, again := calls(t, p); n != tt.burst || again != tt.again {
							t.Errorf("%d calls and the next in %s; want %d, %s", n, again, tt.burst, tt.again)
						}
						time.Sleep(tt.again)
						if n, _ := calls(t, p); n != 1 {
							t.Errorf("%d calls after an interval", n)
						}
						time.Sleep(time.Hour)
					}
				})
			})
		}
	}
}

func TestAPaceOfZeroIsNoLimit(t *testing.T) {
	p := newPace(0, NewMemory())
	turn := p.Turn(t.Context(), "acme", true)
	if _, full := turn.Full(); full {
		t.Error("it is full")
	}
	turn.Ask(t.Context())
	if _, ok := turn.Take(t.Context()); !ok {
		t.Error("it was refused")
	}
	turn.Spend()
	turn.Unspend()
	turn.End(t.Context())
}

func TestMerchantsAndActionsHavePacesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := NewMemory()
		calls(t, newPace(60, store))
		if _, ok := newPace(60, store).Turn(t.Context(), "other", false).Take(t.Context()); !ok {
			t.Error("another merchant was refused")
		}
		completions := newPace(60, store)
		completions.Action = "complete"
		if n, _ := calls(t, completions); n != 6 {
			t.Errorf("%d completions after a burst of replies", n)
		}
	})
}

func TestAllProcessesHaveOnePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := NewMemory()
		one, two := newPace(60, store), newPace(60, store)
		first := one.Turn(t.Context(), "acme", false)
		first.Take(t.Context())
		first.Spend()
		if n, _ := calls(t, two); n != 5 {
			t.Errorf("the second process made %d calls of the five that were left", n)
		}
	})
}

func TestAProcessThatWasRefusedAsksNobodyUntilThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCounted()
		calls(t, newPace(60, store))
		p := newPace(60, store) // it knows nothing
		store.takes = 0
		for range 10 {
			if n, again := calls(t, p); n != 0 || again != time.Second {
				t.Errorf("%d calls, again in %s", n, again)
			}
		}
		if store.takes != 1 {
			t.Errorf("it asked %d times", store.takes)
		}
		time.Sleep(time.Second)
		if n, _ := calls(t, p); n != 1 || store.takes != 2 {
			t.Errorf("%d calls when it was due, asked %d times", n, store.takes)
		}
	})
}

func TestWhatIsNotUsedIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := NewMemory()
		p := newPace(60, store)
		for range 100 { // one after the other
			turn := p.Turn(t.Context(), "acme", false)
			turn.Ask(t.Context())
			if _, ok := turn.Take(t.Context()); !ok {
				t.Fatal("refused")
			}
			turn.End(t.Context())
		}
		var turns []*Turn
		for range 6 { // all at once, and back in this order
			turn := p.Turn(t.Context(), "acme", false)
			turn.Take(t.Context())
			turns = append(turns, turn)
		}
		for _, i := range []int{0, 3, 1, 2, 5, 4} {
			turns[i].End(t.Context())
		}
		if n, _ := calls(t, newPace(60, store)); n != 6 { // another process
			t.Errorf("%d calls of a whole burst", n)
		}
	})
}

func TestWhatWasTakenBeforeOthersIsKeptForTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCounted()
		p, other := newPace(60, store), newPace(60, store)
		turn := p.Turn(t.Context(), "acme", false)
		turn.Take(t.Context())
		calls(t, other)
		turn.End(t.Context())
		if n, _ := calls(t, other); n != 0 {
			t.Errorf("the other process made %d calls", n)
		}
		if n, _ := calls(t, p); n != 1 {
			t.Errorf("%d calls with the token that was given back", n)
		}
	})
}

func TestWhatIsKeptForTheProcessLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := NewMemory()
		p, other := newPace(60, store), newPace(60, store)
		turn := p.Turn(t.Context(), "acme", false)
		turn.Take(t.Context())
		calls(t, other)
		turn.End(t.Context())
		time.Sleep(time.Hour)
		if n, _ := calls(t, p); n != 6 {
			t.Errorf("%d calls of a burst of 6", n)
		}
	})
}

func TestAPlaceThatIsPastHasNothingToGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCounted()
		p := newPace(60, store)
		var turns []*Turn
		for range 6 {
			turn := p.Turn(t.Context(), "acme", false)
			turn.Take(t.Context())
			turns = append(turns, turn)
		}
		time.Sleep(7*time.Second + time.Millisecond) // all their places are past
		if n, _ := calls(t, p); n != 6 {
			t.Fatalf("%d calls", n)
		}
		for _, turn := range turns {
			turn.End(t.Context())
		}
		if n, _ := calls(t, p); n != 0 || store.returns != 0 {
			t.Errorf("%d calls on top of the burst, %d writes", n, store.returns)
		}
	})
}

func TestGivingBackAPlaceThatIsPastCostsNoWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCounted()
		turn := newPace(60, store).Turn(t.Context(), "acme", false)
		turn.Take(t.Context())
		time.Sleep(2 * time.Second)
		turn.End(t.Context())
		if store.returns != 0 {
			t.Errorf("%d writes", store.returns)
		}
	})
}

// The store may have taken the place back, and given it to another process: it must not be used here too.
func TestAReturnWhoseAnswerIsLostLosesTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCounted()
		p := newPace(60, store)
		turn := p.Turn(t.Context(), "acme", false)
		turn.Take(t.Context())
		store.loseReturns = true
		turn.End(t.Context())
		both, _ := calls(t, newPace(60, store))
		own, _ := calls(t, p)
		if both+own != 6 {
			t.Errorf("%d and %d calls of a burst of 6", both, own)
		}
	})
}

func TestATokenThatCameTooEarlyIsTakenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCounted()
		p := newPace(60, store)
		turn := p.Turn(t.Context(), "acme", false)
		turn.Ask(t.Context())
		time.Sleep(time.Second)
		if _, ok := turn.Take(t.Context()); !ok || store.takes != 1 {
			t.Errorf("a second later: %v, asked %d times", ok, store.takes)
		}
		time.Sleep(time.Millisecond)
		if _, ok := turn.Take(t.Context()); !ok || store.takes != 2 {
			t.Errorf("later than that: %v, asked %d times", ok, store.takes)
		}
	})
}

func TestAStoreThatDoesNotAnswerLeavesTheProcessItsOwnPace(t *testing.T) {
	for _, tt := range []struct {
		name  string
		store counted
		takes time.Duration
	}{
		{"down", counted{Store: NewMemory(), refuseTakes: true}, 0},
		{"hanging", counted{Store: NewMemory(), hangs: true}, 300 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				p := newPace(60, &tt.store)
				p.Log = slog.New(slog.NewTextHandler(&log, nil))
				began := time.Now()
				turn := p.Turn(t.Context(), "acme", false)
				turn.Ask(t.Context())
				if _, ok := turn.Take(t.Context()); !ok || time.Since(began) != tt.takes {
					t.Errorf("%v after %s, want it after %s", ok, time.Since(began), tt.takes)
				}
				turn.End(t.Context())
				if !strings.Contains(log.String(), "this process's own is kept") {
					t.Error("nothing was logged")
				}
				if tt.takes > 0 {
					return // each call takes its time, and tokens come meanwhile
				}
				if n, again := calls(t, p); n != 6 || again != time.Second {
					t.Errorf("%d calls and the next in %s", n, again)
				}
			})
		})
	}
}

// The store is waited for as long as anything else is, so a slow claim or secret is no reason not to ask it.
func TestTheStoreHasItsTimeWhenEverythingElseIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCounted()
		store.slow = 900 * time.Millisecond
		p := newPace(60, store)
		turn := p.Turn(t.Context(), "acme", false)
		turn.Ask(t.Context())
		time.Sleep(800 * time.Millisecond) // the secret
		if _, ok := turn.Take(t.Context()); !ok || turn.token.pace != p {
			t.Error("the process went by its own pace")
		}
	})
}
