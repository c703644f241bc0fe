// Package pipeline is the one way that every command goes: refuse what is wrong → claim it in the ledger and take a
// token from the pace while the merchant's secret is read → send → settle or release → log. It knows neither Lambda nor
// either gateway: a [Merchant] does what is different between a reply and a completion.
package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Pipeline carries commands out. It keeps nothing of one command in itself but that there was a first one.
type Pipeline struct {
	Merchants Merchants
	Ledger    *ledger.Ledger
	Paces     map[wire.Action]*pace.Pace // nil ones, and those that are not there: no limit
	Reads     *pace.Pace                 // of reading complaints; nil: no limit
	Log       *slog.Logger
	Metrics   *telemetry.Metrics
	Now       func() time.Time
	// Words are what two commands about a complaint are told apart by where they can be seen: [Work.Words].
	Words func(command *wire.Command) string
	// Window is how long after its claim an unknown reply that came by a queue is looked for; 0: it is not.
	Window time.Duration

	begun atomic.Bool // a command was carried out before
}

// Do carries out one command and gives its result. It never panics: a bug gives INTERNAL.
func (p *Pipeline) Do(ctx context.Context, request wire.Request) wire.Result {
	c := &execution{pipeline: p, command: &request.Command, started: p.Now(), cold: !p.begun.Swap(true)}
	result := c.run(ctx, request)
	// The ids are those of the event that asked now, also when the result is told from the ledger.
	result.EventID, result.MessageID = request.Command.EventID, request.Command.MessageID
	c.tell(ctx, result)
	return result
}

// execution is one command on its way.
type execution struct {
	pipeline *Pipeline
	command  *wire.Command
	started  time.Time
	cold     bool

	asked   <-chan claimResult // what the ledger will say, until it was heard
	claim   *ledger.Claim      // held, once there is one
	note    *ledger.Note       // of its words, once they are noted
	turn    *pace.Turn
	through wire.Provider // the gateway that carries the command, once it is known
	version string        // of the secret that is used
	sending bool          // from here on something may have been sent
	report  gateway.Report
	stale   bool // an old key was used because Secrets Manager could not be asked

	attempted  time.Time // when the gateway's last answer was there, or was no longer waited for
	sighted    bool      // the complaint's history showed the reply
	lookFailed int       // looks that told nothing
}

func (e *execution) run(ctx context.Context, request wire.Request) (result wire.Result) {
	defer func() {
		if bug := recover(); bug != nil {
			e.awaitLedger() // a claim that was just made must not stay behind
			result = e.internal(ctx, bug)
		}
	}()
	if len(request.Problems) > 0 {
		return request.Refusal(e.pipeline.Now())
	}
	e.turn = e.pipeline.Paces[e.command.Action].Turn(ctx, e.command.Merchant, e.command.Origin.Event)
	if e.command.LedgerKey() != "" {
		e.turn.Insist()
	}
	if again, full := e.turn.Full(); full {
		return e.full(ctx, again)
	}
	// The claim, the token and the secret do not need each other, so that a cold start waits for the slowest one only.
	// (Loading the keys begins to open the gateway's connection too.) What is wrong is still told in the contract's
	// order: the secret, what the secret tells, the ledger, the pace.
	e.turn.Ask(ctx)
	defer e.turn.End(ctx)
	e.asked = e.startClaim(ctx)
	loaded, keyErr := e.load(ctx)
	e.stale, e.version = loaded.Stale, loaded.Version
	claimed := e.awaitLedger()

	if refusal, ok := e.refusal(ctx, loaded, keyErr, claimed); !ok {
		return refusal
	}
	if claimed.unsaid != nil && e.sees(loaded.Value) != nil {
		e.release(ctx)
		return e.ledgerDown(ctx, claimed.unsaid)
	}
	if told, ok := e.lookBeforeResend(ctx, loaded.Value); !ok {
		return told
	}
	return e.send(ctx, loaded)
}

// full answers an event for which there is no token in time, which the process knows without asking: it comes again,
// and claiming it would be for nothing. What its secret tells, or the ledger, settles it all the same: an event that
// was carried out needs no token to be told so.
func (e *execution) full(ctx context.Context, again time.Duration) wire.Result {
	e.asked = e.startPeek(ctx)
	loaded, keyErr := e.load(ctx)
	e.stale, e.version = loaded.Stale, loaded.Version
	if refusal, ok := e.refusal(ctx, loaded, keyErr, e.awaitLedger()); !ok {
		return refusal
	}
	e.report.Last = gateway.Paced(again)
	return e.outcome()
}

// awaitLedger waits for what the ledger says, once.
func (e *execution) awaitLedger() claimResult {
	if e.asked == nil {
		return claimResult{}
	}
	claimed := <-e.asked
	e.asked, e.claim, e.note = nil, claimed.decision.Claim, claimed.note
	return claimed
}

// refusal is what keeps the command from being sent, if anything does. The claim is freed then.
func (e *execution) refusal(
	ctx context.Context,
	loaded merchant.Loaded[Merchant],
	keyErr error,
	claimed claimResult,
) (wire.Result, bool) {
	refusal, ok := e.firstRefusal(ctx, loaded, keyErr, claimed)
	if ok {
		return refusal, true
	}
	e.release(ctx)
	if refusal.Code == wire.CodeOutcomeUnknown && claimed.decision.Unknown {
		return e.lookForEarlier(ctx, loaded.Value, claimed.decision, refusal), false
	}
	return refusal, false
}

// firstRefusal is the first of all that keeps the command from being sent, in the contract's order.
func (e *execution) firstRefusal(
	ctx context.Context,
	loaded merchant.Loaded[Merchant],
	keyErr error,
	claimed claimResult,
) (wire.Result, bool) {
	refusal, ok := e.secretRefusal(ctx, loaded, keyErr)
	// The ledger knows the same request as taken. A newer secret, whose gateway would not take it, says nothing about
	// that.
	known := claimed.decision.Replay != nil || claimed.decision.Unknown || claimed.decision.InProgress
	if !ok && !(known && refusal.Code == wire.CodeInvalidRequest) {
		return refusal, false
	}
	return e.ledgerRefusal(ctx, claimed)
}

// outOfTime is for what was not answered, where nobody but the deadline is to blame.
func (e *execution) outOfTime() wire.Result {
	return e.result(wire.Retryable, wire.CodeDeadline, "the invocation's time ran out before anything was sent")
}

// send asks the gateway, once more with a newer key if it refuses the signature, and settles.
func (e *execution) send(ctx context.Context, loaded merchant.Loaded[Merchant]) wire.Result {
	e.sending = true
	call := e.call(e.turn)
	report, err := loaded.Value.Send(ctx, call)
	e.report = report
	if err == nil && report.Last.KeyRefused {
		newer, changed := e.newerKey(ctx, "the key was refused")
		// A refusal that cannot be believed is worth a look at the key, for the next command's sake, but no resend.
		if changed && report.Last.Effect == gateway.Refused {
			call.Attempts = 1
			report, err = newer.Send(ctx, call)
			e.report = e.report.Then(report)
		}
	}
	if err != nil {
		e.sending = e.report.Attempts > 0 // the request that could not be made was not sent
		return e.internal(ctx, err)
	}
	e.attempted = time.Now()
	result := e.lookWhenBusy(ctx, loaded.Value, e.outcome())
	if !e.settleFor(ctx, loaded.Value, result) {
		return e.lookLater(loaded.Value, result) // without the ledger nobody can say whose item of the history is whose
	}
	return e.lookAfterAttempt(ctx, loaded.Value, result)
}

// call is what the merchant is told about the command.
func (e *execution) call(turn *pace.Turn) Call {
	return Call{
		Command:       e.command,
		Through:       e.through,
		TransactionID: e.transactionID(),
		Turn:          turn,
		Newer:         e.newerHalf,
	}
}

// outcome turns the report into the result.
//
// A command that took over from an earlier attempt is never told to be undone: whatever this attempt met, the earlier
// one may have been carried out. Only the complaint's own state, read and verified, speaks for that one too.
func (e *execution) outcome() wire.Result {
	verdict := e.report.Verdict()
	outcome := map[gateway.Effect]wire.Outcome{
		gateway.Done:      wire.Succeeded,
		gateway.Refused:   wire.Rejected,
		gateway.NotDone:   wire.Retryable,
		gateway.MaybeDone: wire.Unknown,
	}[verdict.Effect]
	tookOver := e.claim != nil && e.claim.TookOver
	if tookOver && e.report.Attempts > 0 && verdict.Effect != gateway.Done && !verdict.Conclusive {
		outcome = wire.Unknown
	}
	result := e.result(outcome, verdict.Code, verdict.Message)
	result.Final = outcome == wire.Unknown && verdict.Effect == gateway.Refused && e.command.Action == wire.Reply
	result.HTTPStatus = e.report.HTTPStatus
	result.Verified = verdict.Verified
	result.RequestID = verdict.RequestID
	result.MediaID = verdict.MediaID
	if verdict.LogID != "" {
		result.Evidence = &wire.Evidence{LogID: verdict.LogID}
	}
	result.Attempts = e.report.Attempts
	result.RetryAfter = verdict.RetryAfter
	return result
}

// internal answers a bug. Once anything may have been sent nobody knows what became of it.
func (e *execution) internal(ctx context.Context, bug any) wire.Result {
	e.pipeline.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("merchant", e.command.Merchant),
		slog.String("bug", fmt.Sprint(bug)), slog.String("stack", string(debug.Stack())))
	outcome, message := wire.Retryable, "kesu met a bug of its own; nothing was sent"
	if e.sending {
		outcome, message = wire.Unknown, "kesu met a bug of its own after something may have been sent"
	}
	result := e.result(outcome, wire.CodeInternal, message)
	result.Attempts, result.HTTPStatus = e.report.Attempts, e.report.HTTPStatus
	e.settle(ctx, result)
	return result
}

func (e *execution) result(outcome wire.Outcome, code, message string) wire.Result {
	result := e.command.NewResult(outcome, code, message, e.pipeline.Now())
	result.TransactionID = e.transactionID()
	if e.through != "" {
		result.Provider = e.through
	}
	return result
}

// transactionID is the one that the ledger keeps, or else the command's.
func (e *execution) transactionID() string {
	if e.claim != nil && e.claim.TransactionID != "" {
		return e.claim.TransactionID
	}
	return e.command.UpstreamTransactionID()
}
