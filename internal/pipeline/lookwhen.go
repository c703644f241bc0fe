package pipeline

import (
	"context"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/pkg/wire"
)

// lookAfterAttempt looks for a reply that this invocation may have carried out. It was settled as unknown before.
func (e *execution) lookAfterAttempt(ctx context.Context, m Merchant, result wire.Result) wire.Result {
	if result.Outcome != wire.Unknown || e.claim == nil {
		return result
	}
	l := e.looking(m, e.claim.Open())
	if l == nil {
		return result
	}
	result = l.afterAttempt(ctx, result)
	return l.told(result)
}

// lookLater says when a reply is worth looking for that this invocation may have carried out and could not settle.
func (e *execution) lookLater(m Merchant, result wire.Result) wire.Result {
	l := e.looking(m, e.claim.Open())
	if l == nil {
		return result
	}
	return l.told(result)
}

// lookForEarlier looks for a reply that an earlier invocation may have carried out, unless somebody has just done so.
func (e *execution) lookForEarlier(
	ctx context.Context,
	m Merchant,
	decision ledger.Decision,
	unknown wire.Result,
) wire.Result {
	before := decision.Earlier
	if before != nil {
		unknown.Evidence = before.Evidence
	}
	l := e.looking(m, decision.Open)
	if l == nil {
		return unknown
	}
	if at := l.open.LookedAt(); at.IsZero() || e.pipeline.Now().Sub(at) >= lookFresh {
		if before != nil {
			l.status, l.requestID, l.through = before.HTTPStatus, before.RequestID, before.Provider
		}
		unknown = l.once(ctx, unknown)
	}
	return l.told(unknown)
}

// lookBeforeResend looks for a reply that is to be sent again although it may have been carried out. It reports whether
// it may be sent: not when it was seen, and not when nobody could tell whether it was. A merchant that WeChat Pay does
// not let read cannot be looked for, and then whoever asked for the resend has looked.
func (e *execution) lookBeforeResend(ctx context.Context, m Merchant) (wire.Result, bool) {
	if e.claim == nil || !e.claim.TookOver || !e.command.ResendUnknown {
		return wire.Result{}, true
	}
	l := e.looking(m, e.claim.Earlier())
	if l == nil {
		return wire.Result{}, true
	}
	unknown := e.result(wire.Unknown, wire.CodeOutcomeUnknown, "an earlier attempt may have reached the consumer, "+
		"and the complaint's history could not be read; nothing was sent")
	end := time.Now().Add(budget.Look)
	result := l.look(ctx, unknown, end)
	switch {
	case result.Outcome == wire.Succeeded:
		e.settle(ctx, result)
		return result, false
	case l.refused, result.Evidence != nil && result.Evidence.Seen != nil:
		return wire.Result{}, true
	}
	e.release(ctx)
	return l.told(result), false
}

// lookWhenBusy looks for a reply that the gateway refused with a request to try later: that it was not carried out is
// all that those words say. By event it is given up when it was first tried an hour ago.
func (e *execution) lookWhenBusy(ctx context.Context, m Merchant, result wire.Result) wire.Result {
	if result.Outcome != wire.Retryable || result.Code != wire.CodeUpstreamBusy || e.claim == nil ||
		e.command.Action != wire.Reply {
		return result
	}
	ledgerCtx, cancel := budget.ForSettling(ctx)
	first, err := e.pipeline.Ledger.Busy(ledgerCtx, e.ledgerRequest(), e.claim.Open().ClaimedAt())
	cancel()
	if err != nil {
		e.warn(ctx, "the ledger could not note when a busy gateway was first asked", err)
		return result
	}
	if l := e.looking(m, e.claim.Open()); l != nil {
		l.first = first
		seen := l.look(ctx, result, time.Now().Add(budget.Look))
		if seen.Outcome == wire.Succeeded {
			return seen
		}
		result.Evidence = seen.Evidence
	}
	if e.command.Origin.Event && e.pipeline.Now().Sub(first) >= busyPeriod {
		result.Outcome, result.RetryAfter = wire.Rejected, 0
	}
	return result
}

// told says when the reply is worth looking for again.
func (l *looking) told(result wire.Result) wire.Result {
	if result.Outcome == wire.Unknown {
		result.LookAgain = l.again(result.Final)
	}
	return result
}
