package gateway

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/pkg/wire"
)

// onePerMinute is a pace of one call a minute with a burst of three.
func onePerMinute() *pace.Pace {
	return pace.New(pace.Options{PerMinute: 1, Action: "reply", Keep: 6 * time.Second, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

// left is how many calls the pace has left: it takes them.
func left(t *testing.T, p *pace.Pace) int {
	t.Helper()
	for n := range 100 {
		turn := p.Turn(t.Context(), "acme", false)
		if _, ok := turn.Take(t.Context()); !ok {
			return n
		}
		turn.Spend()
	}
	t.Fatal("there is no end")
	return 0
}

func TestEveryAttemptThatLeftTakesAToken(t *testing.T) {
	for _, tt := range []struct {
		name       string
		steps      []step
		repeatable bool
		left       int // of three
	}{
		{"one that is done", []step{{status: 200}}, false, 2},
		{"each repeated one", []step{{status: 429}, {status: 200}}, false, 1},
		{"one whose answer is lost", []step{{lost: true}}, false, 2},
		{"a dial that failed gives its token to the next attempt", []step{{unreachable: true}, {status: 200}}, false, 2},
		{"dials that failed give the token back", []step{{unreachable: true}}, false, 3},
		{"a dial that failed after an attempt that left", []step{{status: 429}, {unreachable: true}}, false, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := onePerMinute()
				call := newCall(tt.repeatable)
				call.Turn = p.Turn(t.Context(), "acme", false)
				if _, err := newClient(&network{steps: tt.steps}).Do(t.Context(), call); err != nil {
					t.Fatal(err)
				}
				call.Turn.End(t.Context())
				if got := left(t, p); got != tt.left {
					t.Errorf("%d tokens are left, want %d", got, tt.left)
				}
			})
		})
	}
}

func TestARequestThatCannotBeMadeTakesNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onePerMinute()
		call := newCall(false)
		call.Turn = p.Turn(t.Context(), "acme", false)
		call.Prepare = func(string) (Request, error) { return Request{}, errors.New("no key") }
		if _, err := newClient(&network{steps: []step{{status: 200}}}).Do(t.Context(), call); !errors.Is(err, ErrPrepare) {
			t.Fatal(err)
		}
		call.Turn.End(t.Context())
		if got := left(t, p); got != 3 {
			t.Errorf("%d tokens are left", got)
		}
	})
}

func TestACallWithoutATokenIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onePerMinute()
		left(t, p)
		net := &network{steps: []step{{status: 200}}}
		call := newCall(false)
		call.Turn = p.Turn(t.Context(), "acme", false)
		report, err := newClient(net).Do(t.Context(), call)
		if err != nil || report.Attempts != 0 || report.Last.Effect != NotDone || report.Last.Code != wire.CodeRateLimited ||
			report.Last.RetryAfter != time.Minute || len(net.hosts) != 0 {
			t.Errorf("%+v, %v, %d calls were sent", report, err, len(net.hosts))
		}
	})
}

func TestARepetitionWithoutATokenEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onePerMinute()
		for range 2 {
			turn := p.Turn(t.Context(), "acme", false)
			turn.Take(t.Context())
			turn.Spend()
		}
		net := &network{steps: []step{{status: 429}}}
		call := newCall(false)
		call.Turn = p.Turn(t.Context(), "acme", false)
		report, err := newClient(net).Do(t.Context(), call)
		if err != nil || report.Attempts != 1 || report.Last.Effect != NotDone || len(net.hosts) != 1 {
			t.Errorf("%+v, %v, %d calls were sent", report, err, len(net.hosts))
		}
		if wait := report.Last.RetryAfter; wait < 59*time.Second || wait > time.Minute {
			t.Errorf("it may come again in %s", wait)
		}
	})
}

// slowLine is a table whose second token takes until the caller no longer waits.
type slowLine struct {
	pace.Store
	taken int
}

func (s *slowLine) Take(ctx context.Context, line string, a pace.Ask) (time.Time, bool, error) {
	if s.taken++; s.taken > 1 {
		<-ctx.Done()
		return time.Time{}, false, ledger.ErrUnavailable
	}
	return s.Store.Take(ctx, line, a)
}

// The process's own pace then has a token at once, for an attempt that must not begin any more.
func TestARepetitionWhoseTokenTookAllTheTimeIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Options{PerMinute: 60, Action: "reply", Store: &slowLine{Store: pace.NewMemory()}, Keep: 6 * time.Second,
			Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		net := &network{steps: []step{{status: 429}, {status: 200}}}
		call := newCall(false)
		call.Turn = p.Turn(ctx, "acme", false)
		call.Turn.Insist()
		report, err := newClient(net).Do(ctx, call)
		if err != nil || report.Attempts != 1 || report.Last.Effect != NotDone || len(net.hosts) != 1 {
			t.Errorf("%+v, %v, %d calls were sent", report, err, len(net.hosts))
		}
	})
}
