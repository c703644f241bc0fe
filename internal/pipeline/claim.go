package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/pkg/wire"
)

// claimResult is what the ledger said. Without a claim, a replay or anything else the command does not go through it.
type claimResult struct {
	decision ledger.Decision
	err      error
	note     *ledger.Note // that the words of a claimed reply are on their way
	unsaid   error        // they could not be noted
}

// startClaim claims the command, beside whatever the caller does meanwhile. The channel gives exactly one result.
//
// Before a reply is sent it is noted that its words are on their way, so that a look for another reply with the same
// words does not take this one for it. That is written beside the claim, so that a cold start does not wait for one
// after the other, and withdrawn when there is no claim.
func (e *execution) startClaim(ctx context.Context) <-chan claimResult {
	return e.askLedger(func(request ledger.Request) (result claimResult) {
		if deadline, ok := ctx.Deadline(); ok {
			request.LeaseUntil = deadline
		}
		var group sync.WaitGroup
		if e.lookable() {
			group.Go(func() { result.note, result.unsaid = e.announce(ctx, request) })
		}
		bounded, cancel := budget.ForClaiming(ctx)
		result.decision, result.err = e.pipeline.Ledger.Claim(bounded, request)
		cancel()
		group.Wait()
		if result.decision.Claim == nil {
			e.withdraw(ctx, request, result)
			result.note, result.unsaid = nil, nil
		}
		return result
	})
}

func (e *execution) announce(ctx context.Context, request ledger.Request) (note *ledger.Note, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			note, err = nil, fmt.Errorf("%w: a bug: %v", ledger.ErrUnavailable, bug)
		}
	}()
	ctx, cancel := budget.ForClaiming(ctx)
	defer cancel()
	return e.pipeline.Ledger.Announce(ctx, request, e.pipeline.Words(e.command))
}

// withdraw takes back the announcement of a reply that is not sent now. While another delivery of the same reply is on
// its way, the announcement is that one's too.
func (e *execution) withdraw(ctx context.Context, request ledger.Request, asked claimResult) {
	if asked.note == nil || asked.decision.InProgress {
		return
	}
	ctx, cancel := budget.ForClaiming(ctx)
	defer cancel()
	if err := e.pipeline.Ledger.Withdraw(ctx, request, e.pipeline.Words(e.command), asked.note); err != nil {
		e.warn(ctx, "the ledger could not take back that these words are on their way", err)
	}
}

// startPeek asks what the ledger knows of a command that is not going to be sent now. The channel is startClaim's.
func (e *execution) startPeek(ctx context.Context) <-chan claimResult {
	return e.askLedger(func(request ledger.Request) (result claimResult) {
		bounded, cancel := budget.ForClaiming(ctx)
		defer cancel()
		result.decision, result.err = e.pipeline.Ledger.Peek(bounded, request)
		return result
	})
}

// askLedger asks about a command that goes through the ledger, on a goroutine of its own.
func (e *execution) askLedger(ask func(ledger.Request) claimResult) <-chan claimResult {
	out := make(chan claimResult, 1)
	if e.command.LedgerKey() == "" {
		out <- claimResult{}
		return out
	}
	request := e.ledgerRequest()
	if request.ResendUnknown {
		request.Delivery = e.command.Delivery
	}
	go func() {
		result := claimResult{err: ledger.ErrUnavailable}
		defer func() {
			if bug := recover(); bug != nil {
				result.err = fmt.Errorf("%w: a bug: %v", ledger.ErrUnavailable, bug)
			}
			out <- result
		}()
		result = ask(request)
	}()
	return out
}

// ledgerRequest is what the ledger is asked for.
func (e *execution) ledgerRequest() ledger.Request {
	return ledger.Request{
		Action: e.command.Action, Merchant: e.command.Merchant, ComplaintID: e.command.ComplaintID,
		Key:         e.command.LedgerKey(),
		PayloadHash: e.command.PayloadHash(), TransactionID: e.command.UpstreamTransactionID(),
		Repeatable: e.command.Repeatable(), ResendUnknown: e.command.ResendUnknown,
	}
}

// ledgerRefusal is what the ledger has against sending, if anything (contract, section 6).
func (e *execution) ledgerRefusal(ctx context.Context, claimed claimResult) (wire.Result, bool) {
	decision := claimed.decision
	switch {
	case claimed.err != nil && budget.Hurried(ctx, e.started):
		return e.outOfTime(), false
	case claimed.err != nil:
		return e.ledgerDown(ctx, claimed.err), false
	case decision.Replay != nil:
		return *decision.Replay, false
	case decision.InProgress:
		result := e.result(wire.Retryable, wire.CodeInProgress,
			"the same command is being carried out; wait for its result")
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

// ledgerDown is for what the ledger did not answer.
func (e *execution) ledgerDown(ctx context.Context, err error) wire.Result {
	e.pipeline.Log.LogAttrs(ctx, slog.LevelError, "the ledger could not be asked",
		slog.String("merchant", e.command.Merchant), slog.String("complaint_id", e.command.ComplaintID),
		slog.String("error", err.Error()))
	return e.result(wire.Retryable, wire.CodeLedgerUnavailable, "the ledger could not be asked; nothing was sent")
}

// settle tells the ledger what became of the command: kept when it was or may have been carried out, freed when it
// certainly was not. The result stands whatever the ledger says; an unsettled claim is found expired later.
//
// It reports whether the ledger knows.
func (e *execution) settle(ctx context.Context, result wire.Result) bool {
	if e.claim == nil {
		return true
	}
	if result.Outcome != wire.Succeeded && result.Outcome != wire.Unknown {
		e.release(ctx)
		return true
	}
	ctx, cancel := budget.ForSettling(ctx)
	defer cancel()
	if err := e.pipeline.Ledger.Settle(ctx, e.claim, result); err != nil {
		e.pipeline.Log.LogAttrs(ctx, slog.LevelError, "the result could not be settled in the ledger",
			slog.String("merchant", e.command.Merchant), slog.String("complaint_id", e.command.ComplaintID),
			slog.String("error", err.Error()))
		return false
	}
	return true
}

// settleFor settles, and notes beside it that the reply was settled, for the looks of other replies with the same
// words. That is for merchants that can be looked for.
func (e *execution) settleFor(ctx context.Context, m Merchant, result wire.Result) bool {
	kept := result.Outcome == wire.Succeeded || result.Outcome == wire.Unknown
	if e.claim == nil || !e.lookable() || !kept {
		return e.settle(ctx, result)
	}
	var group sync.WaitGroup
	group.Go(func() {
		defer func() {
			if bug := recover(); bug != nil {
				e.pipeline.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("bug", fmt.Sprint(bug)))
			}
		}()
		if e.sees(m) != nil {
			e.say(ctx, e.pipeline.Words(e.command), e.pipeline.Now())
		}
	})
	defer group.Wait()
	return e.settle(ctx, result)
}

// say notes until when the reply may have been shown.
func (e *execution) say(ctx context.Context, words string, until time.Time) {
	ctx, cancel := budget.ForSettling(ctx)
	defer cancel()
	if _, err := e.pipeline.Ledger.Say(ctx, e.ledgerRequest(), words, until, e.note); err != nil {
		e.warn(ctx, "the ledger could not note what became of these words", err)
	}
}

// release frees the claim of a command that was certainly not carried out, so that a corrected one can be sent.
func (e *execution) release(ctx context.Context) {
	if e.claim == nil {
		return
	}
	if e.lookable() {
		until := time.Time{}
		if e.claim.TookOver {
			until = e.pipeline.Now() // of the earlier attempt nobody knows better
		}
		var group sync.WaitGroup
		words := e.pipeline.Words(e.command)
		group.Go(func() { e.say(ctx, words, until) })
		defer group.Wait()
	}
	bounded, cancel := budget.ForSettling(ctx)
	defer cancel()
	if err := e.pipeline.Ledger.Release(bounded, e.claim); err != nil {
		e.warn(ctx, "the claim could not be released; it will expire", err)
	}
	e.claim = nil
}

// warn logs what failed and changes nothing about the result.
func (e *execution) warn(ctx context.Context, what string, err error) {
	e.pipeline.Log.LogAttrs(ctx, slog.LevelWarn, what,
		slog.String("merchant", e.command.Merchant), slog.String("complaint_id", e.command.ComplaintID),
		slog.String("error", err.Error()))
}
