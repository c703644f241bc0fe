package simulation

import (
	"context"
	"fmt"
	"time"

	"github.com/kesu-go/kesu/internal/ledger"
)

// table is the ledger's store as one process reaches it: the shared table behind a network that throttles, fails and
// loses acknowledgements.
type table struct{ p *process }

// Put implements ledger.Store.
func (t *table) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	return t.write(ctx, "ledger put "+string(e.State), func() (*ledger.Entry, error) {
		return t.p.w.memory.Put(context.Background(), e, cond)
	})
}

// Delete implements ledger.Store.
func (t *table) Delete(ctx context.Context, id, owner string) error {
	_, err := t.write(ctx, "ledger delete", func() (*ledger.Entry, error) {
		return nil, t.p.w.memory.Delete(context.Background(), id, owner)
	})
	return err
}

// commit lands one write in the table. What it tells is heard by whoever waits for it, if anybody does.
type commit func() (*ledger.Entry, error)

// write makes one write, and meets one fault at most.
func (t *table) write(ctx context.Context, what string, apply commit) (*ledger.Entry, error) {
	p, v := t.p, visitOf(ctx)
	if p.leave(ctx, v, stepLedger) != nil {
		return nil, failed("not sent")
	}
	f, n := p.w.fault(v, stepLedger)
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
