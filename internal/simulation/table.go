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
	var found *ledger.Entry
	err := t.write(ctx, "ledger put "+string(e.State), func() error {
		var err error
		found, err = t.p.w.memory.Put(context.Background(), e, cond)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Delete implements ledger.Store.
func (t *table) Delete(ctx context.Context, id, owner string) error {
	return t.write(ctx, "ledger delete", func() error { return t.p.w.memory.Delete(context.Background(), id, owner) })
}

// write makes one write, and meets one fault at most.
func (t *table) write(ctx context.Context, what string, apply func() error) error {
	p, v := t.p, visitOf(ctx)
	if p.leave(ctx, v, stepLedger) != nil {
		return failed("not sent")
	}
	f, n := p.w.fault(v, stepLedger)
	commit := func() error {
		p.w.mu.Lock()
		p.w.note(v, what, "", 0)
		p.w.mu.Unlock()
		return apply()
	}
	if f == crashBefore {
		p.die(v, "before "+what)
		return failed("crashed")
	}
	latency := p.w.latency(v, n, 2*time.Millisecond, 15*time.Millisecond)
	if f == ledgerSlow {
		latency = p.w.latency(v, n, 300*time.Millisecond, 4*time.Second)
	}
	if err := p.wait(ctx, v, latency); err != nil {
		// The request had left: it lands all the same when its time comes, unless it is one of a few that got lost.
		if n%4 != 0 {
			p.w.later(p.w.latency(v, n+1, time.Millisecond, 3*time.Second), func() { _ = commit() })
		}
		return failed("no answer")
	}
	return t.outcome(ctx, v, f, n, commit)
}

// outcome is what becomes of a write that reached the table, or should have.
func (t *table) outcome(ctx context.Context, v *visit, f fault, n uint64, commit func() error) error {
	p := t.p
	late := p.w.latency(v, n+2, 20*time.Millisecond, 20*time.Second)
	switch f {
	case ledgerThrottles:
		return failed("ProvisionedThroughputExceededException")
	case ledgerFails:
		return failed("InternalServerError")
	case ledgerHangs:
		_ = p.hang(ctx, v)
		return failed("no answer")
	case ledgerWritesLate:
		p.w.later(late, func() { _ = commit() })
		_ = p.hang(ctx, v)
		return failed("no answer")
	}
	err := commit()
	switch f {
	case ledgerLosesAck:
		return failed("the connection was lost")
	case ledgerHangsAfter:
		_ = p.hang(ctx, v)
		return failed("no answer")
	case ledgerTwice:
		// What is told was told of the first; the second lands unheard.
		p.w.later(late/8, func() { _ = t.again(commit) })
	case ledgerRetries:
		return commit()
	case crashAfter:
		p.die(v, "after a write to the ledger")
		return failed("crashed")
	}
	return err
}

// again lands a copy of a write whose answer nobody reads.
func (t *table) again(commit func() error) error { return commit() }

func failed(what string) error { return fmt.Errorf("%w: %s", ledger.ErrUnavailable, what) }
