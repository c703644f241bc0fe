package simulation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/pkg/wire"
)

// table is the ledger's store as one process reaches it: the shared table behind a network that throttles, fails and
// loses acknowledgements.
type table struct{ p *process }

// Put implements ledger.Store.
func (t *table) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	s, what := stepLedger, "ledger put "+string(e.State)
	if strings.Contains(e.ID, "#said#") {
		s, what = stepNote, "note of words"
	}
	return t.write(ctx, s, what, func() (*ledger.Entry, error) {
		return t.p.w.memory.Put(context.WithoutCancel(ctx), e, cond)
	})
}

// Delete implements ledger.Store.
func (t *table) Delete(ctx context.Context, id, owner string) error {
	_, err := t.write(ctx, stepLedger, "ledger delete", func() (*ledger.Entry, error) {
		return nil, t.p.w.memory.Delete(context.WithoutCancel(ctx), id, owner)
	})
	return err
}

// commit lands one write in the table. What it tells is heard by whoever waits for it, if anybody does.
type commit func() (*ledger.Entry, error)

// write makes one write, and meets one fault at most.
func (t *table) write(ctx context.Context, s step, what string, apply commit) (*ledger.Entry, error) {
	p, v := t.p, visitOf(ctx)
	if p.leave(ctx, v, s) != nil {
		return nil, failed("not sent")
	}
	f, n := p.w.fault(v, s)
	land := func() (*ledger.Entry, error) {
		p.w.mu.Lock()
		p.w.note(v, what, "", 0)
		p.w.mu.Unlock()
		return apply()
	}
	if f == crashBefore {
		p.die(v, "before "+what)
		return nil, failed("crashed")
	}
	latency := p.w.latency(v, n, 2*time.Millisecond, 15*time.Millisecond)
	if f == ledgerSlow {
		latency = p.w.latency(v, n, 300*time.Millisecond, 4*time.Second)
	}
	if err := p.wait(ctx, v, latency); err != nil {
		// The request had left: it lands all the same when its time comes, unless it is one of a few that got lost.
		if p.w.dice.share(placeDetail, v.id, n) < 0.75 {
			p.w.later(p.w.latency(v, n+1, time.Millisecond, 3*time.Second), func() { _, _ = land() })
		}
		return nil, failed("no answer")
	}
	return t.outcome(ctx, v, f, n, land)
}

// outcome is what becomes of a write that reached the table, or should have.
func (t *table) outcome(ctx context.Context, v *visit, f fault, n uint64, land commit) (*ledger.Entry, error) {
	p := t.p
	late := p.w.latency(v, n+2, 20*time.Millisecond, 20*time.Second)
	switch f {
	case ledgerThrottles:
		return nil, failed("ProvisionedThroughputExceededException")
	case ledgerFails:
		return nil, failed("InternalServerError")
	case ledgerHangs:
		_ = p.hang(ctx, v)
		return nil, failed("no answer")
	case ledgerWritesLate:
		p.w.later(late, func() { _, _ = land() })
		_ = p.hang(ctx, v)
		return nil, failed("no answer")
	}
	found, err := land()
	switch f {
	case ledgerLosesAck:
		return nil, failed("the connection was lost")
	case ledgerHangsAfter:
		_ = p.hang(ctx, v)
		return nil, failed("no answer")
	case ledgerTwice:
		// What is told was told of the first; the second lands unheard.
		p.w.later(late/8, func() { _, _ = land() })
	case ledgerRetries:
		return land()
	case crashAfter:
		p.die(v, "after a write to the ledger")
		return nil, failed("crashed")
	}
	return found, err
}

func failed(what string) error { return fmt.Errorf("%w: %s", ledger.ErrUnavailable, what) }

// watched is the table itself. It lets the world know what the ledger has of a reply.
type watched struct {
	ledger.Store
	w *world
}

// Put implements ledger.Store.
func (s watched) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	found, err := s.Store.Put(ctx, e, cond)
	if v := visitOf(ctx); v != nil && found == nil && err == nil && strings.Contains(e.ID, "#"+string(wire.Reply)+"#") {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		g := v.command.group
		switch {
		case e.State == ledger.Claimed:
			g.firstClaim, g.claimed = e.FirstClaim, e.ClaimedAt
		case e.State == ledger.Unknown:
			v.kept = true
		case e.State == ledger.Succeeded && e.Result.Code == wire.CodeSeenInHistory:
			g.seenKept = true
		}
	}
	return found, err
}

// lines is the pace's store as one process reaches it.
type lines struct{ p *process }

var _ pace.Store = (*lines)(nil)

// Take implements pace.Store.
func (l *lines) Take(ctx context.Context, line string, a pace.Ask) (time.Time, bool, error) {
	place, taken := time.Time{}, false
	err := l.travel(ctx, func() { place, taken, _ = l.p.w.paces.Take(ctx, line, a) })
	v := visitOf(ctx)
	l.p.w.mu.Lock()
	if v.ownPace == nil {
		v.ownPace = map[string]bool{}
	}
	v.ownPace[line] = err != nil
	l.p.w.mu.Unlock()
	return place, taken, err
}

// Return implements pace.Store.
func (l *lines) Return(ctx context.Context, line string, from, to time.Time) (bool, error) {
	done := false
	err := l.travel(ctx, func() { done, _ = l.p.w.paces.Return(ctx, line, from, to) })
	return done, err
}

// travel takes a call to the table, and meets one fault at most.
func (l *lines) travel(ctx context.Context, land func()) error {
	p, v := l.p, visitOf(ctx)
	if p.leave(ctx, v, stepPace) != nil {
		return failed("not sent")
	}
	f, n := p.w.fault(v, stepPace)
	latency := p.w.latency(v, n, 2*time.Millisecond, 15*time.Millisecond)
	switch f {
	case paceSlow:
		latency = p.w.latency(v, n, 100*time.Millisecond, 4*time.Second)
	case paceHangs:
		latency = time.Hour
	}
	if p.wait(ctx, v, latency) != nil {
		return failed("no answer")
	}
	if f == paceFails {
		return failed("InternalServerError")
	}
	land()
	if f == paceLosesAck {
		return failed("the connection was lost")
	}
	return nil
}
