package desk

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/pkg/wire"
)

// claimResult is what the ledger said. Without a claim, a replay or anything else the command does not go through it.
type claimResult struct {
	decision ledger.Decision
	err      error
}

// What is kept of an invocation's time: afterAsking once the secret and the ledger have been asked, for taking a claim
// back, and answerTime for the answer itself. Whoever lets Lambda end it leaves a claim behind that nobody settles.
const (
	afterAsking = 500 * time.Millisecond
	answerTime  = 200 * time.Millisecond
)

// timeToAsk is how long the secret and the ledger may take before that deadline; at least half of what there is, so that
// what is wrong is told in the contract's order, the deadline last, also when little is left.
func timeToAsk(deadline time.Time) time.Duration {
	left := time.Until(deadline)
	return max(left-afterAsking, left/2)
}

// fairTime is the least that Secrets Manager and the ledger must have had before they are blamed for not answering.
const fairTime = time.Second

// hurried tells whether they were not given that, because the invocation came with too little time.
func (e *errand[M]) hurried(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) <= afterAsking && deadline.Sub(e.started) < fairTime+afterAsking
}

// asking is the context for asking Secrets Manager.
func asking(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithTimeout(ctx, timeToAsk(deadline))
	}
	return ctx, func() {}
}

// claiming is the context for a claim. It is cancelled, and its deadline is later than that: the ledger may use the time
// between to take a claim back.
func claiming(ctx context.Context) (context.Context, context.CancelFunc) {
	bound, end := ledgerBound, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, timeToAsk(deadline))
		ctx, end = context.WithDeadline(ctx, deadline.Add(-answerTime))
	}
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(bound, cancel)
	return ctx, func() { timer.Stop(); cancel(); end() }
}

// startClaim claims the command, beside whatever the caller does meanwhile. The channel gives exactly one result.
func (e *errand[M]) startClaim(ctx context.Context) <-chan claimResult {
	out := make(chan claimResult, 1)
	key := e.command.LedgerKey()
	if key == "" {
		out <- claimResult{}
		return out
	}
	request := ledger.Request{
		Action: e.command.Action, Merchant: e.command.Merchant, ComplaintID: e.command.ComplaintID, Key: key,
		PayloadHash: e.command.PayloadHash(), TransactionID: e.command.UpstreamTransactionID(),
		ResendUnknown: e.command.ResendUnknown,
	}
	if request.ResendUnknown {
		request.Delivery = e.command.Delivery
	}
	if deadline, ok := ctx.Deadline(); ok {
		request.LeaseUntil = deadline
	}
	go func() {
		result := claimResult{err: ledger.ErrUnavailable}
		defer func() {
			if bug := recover(); bug != nil {
				result.err = fmt.Errorf("%w: a bug: %v", ledger.ErrUnavailable, bug)
			}
			out <- result
		}()
		ctx, cancel := claiming(ctx)
		defer cancel()
		result.decision, result.err = e.desk.Ledger.Claim(ctx, request)
	}()
	return out
}

// ledgerRefusal is what the ledger has against sending, if anything (contract, section 6).
func (e *errand[M]) ledgerRefusal(ctx context.Context, claimed claimResult) (wire.Result, bool) {
	decision := claimed.decision
	switch {
	case claimed.err != nil && e.hurried(ctx):
		return e.outOfTime(), false
	case claimed.err != nil:
		e.desk.Log.LogAttrs(ctx, slog.LevelError, "the ledger could not be asked",
			slog.String("merchant", e.command.Merchant), slog.String("complaint_id", e.command.ComplaintID),
			slog.String("error", claimed.err.Error()))
		return e.result(wire.Retryable, wire.CodeLedgerUnavailable, "the ledger could not be asked; nothing was sent"), false
	case decision.Replay != nil:
		return *decision.Replay, false
	case decision.InProgress:
		result := e.result(wire.Retryable, wire.CodeInProgress, "the same command is being carried out; wait for its result")
		result.RetryAfter = decision.RetryAfter
		return result, false
	case decision.Unknown:
		result := e.result(wire.Unknown, wire.CodeOutcomeUnknown, "an earlier attempt may have reached the consumer; "+
			"look before you send it again with resend_unknown")
		result.TransactionID = decision.TransactionID
		return result, false
	case decision.Mismatch:
		return e.result(wire.Rejected, wire.CodeIdempotencyMismatch,
			"this idempotency key was used for another request to this complaint"), false
	}
	return wire.Result{}, true
}

// settle tells the ledger what became of the command: kept when it was or may have been carried out, freed when it
// certainly was not. The result stands whatever the ledger says; an unsettled claim is found expired later.
func (e *errand[M]) settle(ctx context.Context, result wire.Result) {
	if e.claim == nil {
		return
	}
	if result.Outcome != wire.Succeeded && result.Outcome != wire.Unknown {
		e.release(ctx)
		return
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	if err := e.desk.Ledger.Settle(ctx, e.claim, result); err != nil {
		e.desk.Log.LogAttrs(ctx, slog.LevelError, "the result could not be settled in the ledger",
			slog.String("merchant", e.command.Merchant), slog.String("complaint_id", e.command.ComplaintID),
			slog.String("error", err.Error()))
	}
}

// release frees the claim of a command that was certainly not carried out, so that a corrected one can be sent.
func (e *errand[M]) release(ctx context.Context) {
	if e.claim == nil {
		return
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	if err := e.desk.Ledger.Release(ctx, e.claim); err != nil {
		e.desk.Log.LogAttrs(ctx, slog.LevelWarn, "the claim could not be released; it will expire",
			slog.String("merchant", e.command.Merchant), slog.String("complaint_id", e.command.ComplaintID),
			slog.String("error", err.Error()))
	}
	e.claim = nil
}

// afterwards is the context for the ledger's second write: the caller may have gone, the write still matters.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	bound := ledgerBound
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, time.Until(deadline)-answerTime)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), bound)
}
