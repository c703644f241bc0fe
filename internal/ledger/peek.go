package ledger

import (
	"context"
	"fmt"
)

// Peek decides as [Ledger.Claim] does and claims nothing: it is for a command that cannot be sent now whatever the
// ledger says, so that it is told what the ledger knows all the same. A Decision in which nothing is set but the Reason
// says that the command could be claimed.
//
// It is one write, under a condition that never holds, because the function's role may not read apart from a write. An
// error wraps [ErrUnavailable].
func (l *Ledger) Peek(ctx context.Context, r Request) (Decision, error) {
	now := l.now()
	never := Condition{Owner: nobody, State: Claimed}
	found, err := l.store.Put(ctx, l.fresh(r, nobody, now).entry, never)
	switch {
	case err != nil:
		return Decision{}, unavailable(err)
	case found == nil:
		return Decision{}, fmt.Errorf("%w: a write went through that nobody made", ErrUnavailable)
	}
	switch v, reason := decide(*found, r, nobody, now); v {
	case free, ours, takeOver:
		return Decision{Reason: reason}, nil
	default:
		return told(v, reason, *found, now), nil
	}
}
