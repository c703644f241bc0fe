// Package desk is the one way that every command goes: refuse what is wrong → claim it in the ledger while the
// merchant's key is read → send → settle or release → log. It knows neither Lambda nor either gateway: an [Action] does
// what is different between a reply and a completion.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Action is what is different between a reply and a completion. M is the half of a merchant's secret that it needs.
type Action[M any] interface {
	// Check finds what only the merchant's settings can tell: problems of the request, or of the secret.
	Check(command *wire.Command, m M) ([]wire.Problem, *merchant.FieldError)
	// Send asks the gateway, with so many attempts (0: MAX_ATTEMPTS), and judges what it says. An error means that a
	// request could not be made; the report holds what was sent before.
	Send(ctx context.Context, order Order[M], attempts int) (gateway.Report, error)
}

// Order is one command that is about to be sent.
type Order[M any] struct {
	Command       *wire.Command
	Merchant      M
	TransactionID string // the ledger's; empty for a completion
}

// Keys gives a merchant's keys: internal/merchant's store.
type Keys[M any] interface {
	Load(ctx context.Context, name string) (merchant.Loaded[M], error)
	Refresh(ctx context.Context, name, version string) (merchant.Loaded[M], bool, error)
}

// Desk carries commands out. It keeps nothing of one command in itself but that there was a first one.
type Desk[M any] struct {
	Action  Action[M]
	Keys    Keys[M]
	Ledger  *ledger.Ledger
	Log     *slog.Logger
	Metrics *telemetry.Metrics
	Now     func() time.Time
	// Warm opens the connection to the gateway; it runs while the secret and the ledger are asked. May be nil.
	Warm func(context.Context)

	begun atomic.Bool // a command was carried out before
}

// ledgerBound is the longest that the ledger is waited for at a time: it answers within milliseconds or is down.
const ledgerBound = 3 * time.Second

// Do carries out one command and gives its result. It never panics: a bug gives INTERNAL.
func (d *Desk[M]) Do(ctx context.Context, request wire.Request) wire.Result {
	c := &errand[M]{desk: d, command: &request.Command, started: d.Now(), cold: !d.begun.Swap(true)}
	result := c.run(ctx, request)
	c.tell(ctx, result)
	return result
}

// errand is one command on its way.
type errand[M any] struct {
	desk    *Desk[M]
	command *wire.Command
	started time.Time
	cold    bool

	asked   <-chan claimResult // what the ledger will say, until it was heard
	claim   *ledger.Claim      // held, once there is one
	sending bool               // from here on something may have been sent
	report  gateway.Report
	stale   bool // an old key was used because Secrets Manager could not be asked
}

func (e *errand[M]) run(ctx context.Context, request wire.Request) (result wire.Result) {
	defer func() {
		if bug := recover(); bug != nil {
			e.hearLedger() // a claim that was just made must not stay behind
			result = e.internal(ctx, bug)
		}
	}()
	if len(request.Problems) > 0 {
		return request.Refusal(e.desk.Now())
	}
	// The claim, the secret and the connection do not need each other, so that a cold start waits for the slowest one
	// only. What is wrong is still told in the contract's order: the secret, what the secret tells, the ledger.
	if e.desk.Warm != nil {
		go e.desk.Warm(ctx)
	}
	e.asked = e.startClaim(ctx)
	loaded, keyErr := e.load(ctx)
	e.stale = loaded.Stale
	claimed := e.hearLedger()

	refusal, ok := e.refusal(ctx, loaded, keyErr, claimed)
	if !ok {
		e.release(ctx)
		return refusal
	}
	return e.send(ctx, loaded)
}

// load gets the merchant's keys in time.
func (e *errand[M]) load(ctx context.Context) (merchant.Loaded[M], error) {
	ctx, cancel := asking(ctx)
	defer cancel()
	return e.desk.Keys.Load(ctx, e.command.Merchant)
}

// hearLedger waits for what the ledger says, once.
func (e *errand[M]) hearLedger() claimResult {
	if e.asked == nil {
		return claimResult{}
	}
	claimed := <-e.asked
	e.asked, e.claim = nil, claimed.decision.Claim
	return claimed
}

// refusal is what keeps the command from being sent, if anything does.
func (e *errand[M]) refusal(ctx context.Context, loaded merchant.Loaded[M], keyErr error, claimed claimResult) (wire.Result, bool) {
	if keyErr != nil {
		return e.keyRefusal(ctx, keyErr), false
	}
	problems, fieldErr := e.desk.Action.Check(e.command, loaded.Value)
	switch {
	case fieldErr != nil:
		return e.keyRefusal(ctx, fieldErr), false
	case len(problems) > 0:
		return wire.Request{Command: *e.command, Problems: problems}.Refusal(e.desk.Now()), false
	}
	return e.ledgerRefusal(ctx, claimed)
}

func (e *errand[M]) keyRefusal(ctx context.Context, err error) wire.Result {
	var field *merchant.FieldError
	switch {
	case errors.Is(err, merchant.ErrUnknown):
		return e.result(wire.Rejected, wire.CodeUnknownMerchant, "there is no secret for this merchant")
	case errors.As(err, &field):
		return e.result(wire.Rejected, wire.CodeMerchantMisconfigured, "in the merchant's secret, "+field.Error())
	case e.hurried(ctx) && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return e.outOfTime()
	}
	return e.result(wire.Retryable, wire.CodeSecretsUnavailable, err.Error())
}

// outOfTime is for what was not answered, where nobody but the deadline is to blame.
func (e *errand[M]) outOfTime() wire.Result {
	return e.result(wire.Retryable, wire.CodeDeadline, "the invocation's time ran out before anything was sent")
}

// send asks the gateway, once more with a newer key if it refuses the signature, and settles.
func (e *errand[M]) send(ctx context.Context, loaded merchant.Loaded[M]) wire.Result {
	order := Order[M]{Command: e.command, Merchant: loaded.Value, TransactionID: e.transactionID()}
	e.sending = true
	report, err := e.desk.Action.Send(ctx, order, 0)
	e.report = report
	if err == nil && report.Last.KeyRefused {
		newer, changed := e.newerKey(ctx, loaded.Version)
		// A refusal that cannot be believed is worth a look at the key, for the next command's sake, but no resend.
		if changed && report.Last.Effect == gateway.Refused {
			order.Merchant = newer
			report, err = e.desk.Action.Send(ctx, order, 1)
			e.report = e.report.Then(report)
		}
	}
	if err != nil {
		e.sending = e.report.Attempts > 0 // the request that could not be made was not sent
		return e.internal(ctx, err)
	}
	result := e.outcome()
	e.settle(ctx, result)
	return result
}

// newerKey reads the secret again, because the gateway refused a signature made with this version of it.
func (e *errand[M]) newerKey(ctx context.Context, version string) (M, bool) {
	asked, cancel := asking(ctx)
	defer cancel()
	loaded, changed, err := e.desk.Keys.Refresh(asked, e.command.Merchant, version)
	if err != nil {
		e.desk.Log.WarnContext(ctx, "the key was refused, and the secret could not be read again",
			"merchant", e.command.Merchant, "error", err.Error())
		return loaded.Value, false
	}
	e.desk.Log.InfoContext(ctx, "the key was refused, and the secret was read again",
		"merchant", e.command.Merchant, "changed", changed)
	if !changed {
		return loaded.Value, false
	}
	if problems, fieldErr := e.desk.Action.Check(e.command, loaded.Value); len(problems) > 0 || fieldErr != nil {
		return loaded.Value, false // the newer settings cannot carry this command; the refusal stands
	}
	return loaded.Value, true
}

// outcome turns the report into the result.
//
// A command that took over from an earlier attempt is never told to be undone: whatever this attempt met, the earlier
// one may have been carried out. Only the complaint's own state, read and verified, speaks for that one too.
func (e *errand[M]) outcome() wire.Result {
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
	result.HTTPStatus = e.report.HTTPStatus
	result.Verified = verdict.Verified
	result.RequestID = verdict.RequestID
	result.Attempts = e.report.Attempts
	result.RetryAfter = verdict.RetryAfter
	return result
}

// internal answers a bug. Once anything may have been sent nobody knows what became of it.
func (e *errand[M]) internal(ctx context.Context, bug any) wire.Result {
	e.desk.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("merchant", e.command.Merchant),
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

func (e *errand[M]) result(outcome wire.Outcome, code, message string) wire.Result {
	result := e.command.NewResult(outcome, code, message, e.desk.Now())
	result.TransactionID = e.transactionID()
	return result
}

// transactionID is the one that the ledger keeps, or else the command's.
func (e *errand[M]) transactionID() string {
	if e.claim != nil && e.claim.TransactionID != "" {
		return e.claim.TransactionID
	}
	return e.command.UpstreamTransactionID()
}

// tell writes the log line and the metrics of the command.
func (e *errand[M]) tell(ctx context.Context, result wire.Result) {
	took := e.desk.Now().Sub(e.started)
	e.desk.Log.LogAttrs(ctx, slog.LevelInfo, "settled", append(resultAttrs(result),
		slog.Int64("duration_ms", took.Milliseconds()),
		slog.Int64("upstream_ms", e.report.Upstream.Milliseconds()),
		slog.Bool("cold_start", e.cold))...)
	e.desk.Metrics.Settled(telemetry.Settled{
		Action: string(result.Action), Provider: string(result.Provider), Outcome: string(result.Outcome),
		Attempts: e.report.Attempts, Duration: took, Upstream: e.report.Upstream, Unverified: e.report.Forged,
		StaleKey: e.stale, Failovers: e.report.Failovers, Replayed: result.Replayed,
	}, e.desk.Now())
}

// resultAttrs are the members of the result, for the log.
func resultAttrs(r wire.Result) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("action", string(r.Action)), slog.String("merchant", r.Merchant),
		slog.String("complaint_id", r.ComplaintID), slog.String("outcome", string(r.Outcome)),
		slog.String("provider", string(r.Provider)), slog.String("code", r.Code), slog.String("message", r.Message),
		slog.Int("http_status", r.HTTPStatus), slog.Bool("verified", r.Verified),
		slog.String("request_id", r.RequestID), slog.String("transaction_id", r.TransactionID),
		slog.Int("attempts", r.Attempts), slog.Bool("replayed", r.Replayed), slog.Time("at", r.At),
	}
	if len(r.Errors) > 0 {
		attrs = append(attrs, slog.Any("errors", r.Errors))
	}
	return attrs
}
