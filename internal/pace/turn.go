package pace

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
)

// Turn is one command's dealings with its merchant's pace: it holds the token of the next attempt. It is for one
// goroutine. A nil Turn is no limit.
type Turn struct {
	pace     *Pace
	merchant string
	waits    bool
	deadline time.Time // the invocation's; zero: it has none
	bound    time.Duration

	asking  chan struct{}      // closed when the first token was asked for; nil when nobody asks
	stop    context.CancelFunc // ends the asking
	token   *token             // the next attempt's, not used yet
	spent   *token             // the latest attempt's
	refused time.Time          // without a token: from when on one may be used
}

// Turn begins a command's dealings with the pace. One that waits, because nobody waits for its answer, reserves a token
// that lies ahead: at most 20 s, and only as far as Options.Keep is left before ctx's deadline then.
func (p *Pace) Turn(ctx context.Context, merchant string, waits bool) *Turn {
	if p == nil {
		return nil
	}
	t := &Turn{pace: p, merchant: merchant, waits: waits, bound: budget.Token}
	t.deadline, _ = ctx.Deadline()
	return t
}

// Insist waits for the store as long as the ledger waits for its own. It is for a command that goes through the ledger:
// while their table does not answer it is not sent anyway, and a slow table must not make two paces of one.
func (t *Turn) Insist() {
	if t != nil {
		t.bound = budget.TokenFiled
	}
}

// patience is how long a token may be waited for.
func (t *Turn) patience() time.Duration {
	switch {
	case !t.waits:
		return 0
	case t.deadline.IsZero():
		return budget.TokenWait
	}
	return min(budget.TokenWait, max(0, time.Until(t.deadline)-t.pace.Keep))
}

// Full reports whether the process knows without asking that there is no token in time for a command that waits. It
// then tells when to come again, and the command need not be claimed.
func (t *Turn) Full() (again time.Duration, full bool) {
	if t == nil || !t.waits {
		return 0, false
	}
	now := t.pace.now()
	latest := now.Add(t.pace.tolerance + t.patience())
	tat := t.pace.known(t.merchant, now, latest)
	if !tat.After(latest) {
		return 0, false
	}
	t.refused = tat.Add(-t.pace.tolerance)
	return t.again(), true
}

// Ask begins to ask for the first token, beside whatever the caller does meanwhile.
func (t *Turn) Ask(ctx context.Context) {
	if t == nil {
		return
	}
	t.asking = make(chan struct{})
	ctx, t.stop = context.WithCancel(ctx)
	patience := t.patience()
	go func() {
		defer close(t.asking)
		defer func() {
			if bug := recover(); bug != nil {
				t.refused = t.pace.now().Add(t.pace.interval)
				t.pace.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("bug", fmt.Sprint(bug)))
			}
		}()
		t.token, t.refused = t.pace.take(ctx, t.merchant, patience)
	}()
}

// hear waits for what was asked beside everything else, but not long: everything else is there.
func (t *Turn) hear(ctx context.Context) {
	if t.asking == nil {
		return
	}
	timer := time.NewTimer(t.bound)
	defer timer.Stop()
	select {
	case <-t.asking:
	case <-timer.C:
	case <-ctx.Done():
	}
	t.stop()
	<-t.asking // at once: a store ends with its context
	t.asking = nil
}

// Take gets the token of the next attempt, and waits until it may be used or ctx ends. When there is none it tells when
// to come again.
func (t *Turn) Take(ctx context.Context) (again time.Duration, ok bool) {
	if t == nil {
		return 0, true
	}
	asked := t.asking != nil
	t.hear(ctx)
	now := t.pace.now()
	if t.token != nil && t.token.late(now) {
		t.token, asked = nil, false
	}
	if t.token == nil && (!asked || !now.Before(t.refused)) { // a refusal that was heard late may be over
		bounded, cancel := context.WithTimeout(ctx, t.bound)
		t.token, t.refused = t.pace.take(bounded, t.merchant, t.patience())
		cancel()
	}
	if t.token == nil {
		return t.again(), false
	}
	if wait := t.token.usable().Sub(t.pace.now()); wait > 0 {
		sleep(ctx, wait)
	}
	return 0, true
}

// again is when to come again after a refusal. It is never none, which would say that nobody knows.
func (t *Turn) again() time.Duration {
	from := t.refused
	if t.waits {
		from = t.pace.promise(t.merchant, from)
	}
	return max(time.Millisecond, from.Sub(t.pace.now()))
}

// Spend notes that the token is used by an attempt.
func (t *Turn) Spend() {
	if t != nil {
		t.spent, t.token = t.token, nil
	}
}

// Unspend gives the token of an attempt back to the turn, because nothing was sent: the next attempt uses it.
func (t *Turn) Unspend() {
	if t != nil {
		t.token, t.spent = t.spent, nil
	}
}

// End ends the command's dealings with the pace: a token that was not used is given back.
func (t *Turn) End(ctx context.Context) {
	if t == nil {
		return
	}
	t.hear(ctx)
	if t.token == nil {
		return
	}
	end := time.Now().Add(budget.Token)
	if !t.deadline.IsZero() && t.deadline.Before(end) {
		end = t.deadline
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end) // the caller may have gone
	defer cancel()
	t.token.pace.giveBack(ctx, t.merchant, t.token)
	t.token = nil
}
