package pipeline

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// How often it is looked (contract, section 6.1).
const (
	lookFresh = 5 * time.Second // a look that is noted within that time is not made again
	// clocksApart is by how much WeChat Pay's clock may be ahead of the one that noted another reply with the same
	// words.
	clocksApart = 2 * time.Second
	busyPeriod  = time.Hour // how long a reply by event is tried again because the gateway asks to try later
)

// looking is what is looked for in one invocation.
type looking struct {
	*execution
	looker  Looker
	open    *ledger.Open
	first   time.Time // when the first send was claimed
	refused bool      // WeChat Pay refuses to tell: another look would not tell more

	// What the gateway said to an earlier invocation's attempt, for a reply of that one's that is seen.
	status    int
	requestID string
}

// looking gives nil when the command cannot be looked for. Then everything stays as it is without looking.
func (e *execution) looking(m Merchant, open *ledger.Open) *looking {
	if open == nil || !e.lookable() {
		return nil
	}
	first, known := open.FirstClaim()
	if !known {
		return nil
	}
	looker := e.sees(m)
	if looker == nil {
		return nil
	}
	return &looking{execution: e, looker: looker, open: open, first: first}
}

// lookable reports whether the command can be seen once it was carried out, if the merchant can be looked for.
func (e *execution) lookable() bool { return e.pipeline.Words != nil && e.command.Action == wire.Reply }

// sees is the merchant's way to look, nil when its complaints cannot be read.
func (e *execution) sees(m Merchant) Looker {
	looker, can := m.(Looker)
	if !can {
		return nil
	}
	if _, wrong := m.WechatPay(); wrong != nil {
		return nil
	}
	return looker
}

// afterAttempt looks for a reply that this invocation may have carried out and that is settled as unknown: at once, and
// once more a little later.
func (l *looking) afterAttempt(ctx context.Context, unknown wire.Result) wire.Result {
	end := l.attempted.Add(budget.Looks)
	result := l.look(ctx, unknown, end)
	if result.Outcome == wire.Succeeded || l.refused || !l.wait(ctx, end) {
		return l.finish(ctx, result, end)
	}
	return l.finish(ctx, l.look(ctx, result, end), end)
}

// wait waits for the time of the second look, if there is time for it.
func (l *looking) wait(ctx context.Context, end time.Time) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < budget.LookPause+budget.LookNeeds ||
		time.Until(end) < budget.LookPause+budget.LookNeeds {
		return false
	}
	timer := time.NewTimer(budget.LookPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once looks for a reply that an earlier invocation may have carried out.
func (l *looking) once(ctx context.Context, unknown wire.Result) wire.Result {
	end := time.Now().Add(budget.Look)
	return l.finish(ctx, l.look(ctx, unknown, end), end)
}

// look makes one look and gives the result with what it told.
func (l *looking) look(ctx context.Context, unknown wire.Result, end time.Time) wire.Result {
	result := unknown
	if deadline, ok := ctx.Deadline(); ctx.Err() != nil || ok && time.Until(deadline) < budget.LookNeeds ||
		time.Until(end) < budget.LookNeeds {
		return result // what an earlier look told still stands
	}
	end = earlier(end, time.Now().Add(budget.Look))
	began := l.pipeline.Now()
	evidence := &wire.Evidence{LookedAt: began.UTC().Truncate(time.Second)}
	result.Evidence = evidence
	item, failure := l.find(ctx, end)
	switch {
	case failure != nil:
		evidence.Error = failure.Code
		l.refused = failure.HTTPStatus == http.StatusForbidden && failure.Refused
		l.lookFailed++
	case item == nil:
		evidence.Seen = new(false)
	default:
		evidence.Seen, evidence.LogID, evidence.OperateTime = new(true), item.LogID, item.OperateTime.UTC()
		result.Outcome, result.Code, result.Verified = wire.Succeeded, wire.CodeSeenInHistory, true
		result.Message, result.RetryAfter = "the complaint's history shows the reply", 0
		result.HTTPStatus, result.RequestID = cmp.Or(result.HTTPStatus, l.status), cmp.Or(result.RequestID, l.requestID)
		result.Provider = cmp.Or(l.through, result.Provider)
		l.sighted = true
	}
	l.tellLook(ctx, evidence, l.pipeline.Now().Sub(began))
	return result
}

// find gives the item that is the reply: the earliest one that shows it and is no other reply's.
func (l *looking) find(ctx context.Context, end time.Time) (*messages.Item, *wechatpay.Failure) {
	turn := l.pipeline.Reads.Turn(ctx, l.command.Merchant, false)
	items, failure := l.looker.Look(ctx, l.call(turn), l.first, end)
	turn.End(ctx)
	if failure != nil || len(items) == 0 {
		return nil, failure
	}
	slices.SortFunc(items, func(a, b messages.Item) int {
		if order := a.OperateTime.Compare(b.OperateTime.Time); order != 0 {
			return order
		}
		return strings.Compare(a.LogID, b.LogID)
	})
	ctx, cancel := budget.ForSettling(ctx)
	defer cancel()
	request, words := l.ledgerRequest(), l.pipeline.Words(l.command)
	// The ledger is asked after the history, so that whoever's reply the history shows has had the time to settle it.
	others, err := again(func() (time.Time, error) { return l.pipeline.Ledger.SaidByOthers(ctx, request, words) })
	for i := range items {
		if err != nil {
			break
		}
		if !others.IsZero() && !items[i].OperateTime.After(others.Add(clocksApart)) {
			continue
		}
		var owned bool
		owned, err = again(func() (bool, error) { return l.pipeline.Ledger.Own(ctx, request, items[i].LogID) })
		if owned {
			return &items[i], nil
		}
	}
	if err != nil {
		return nil, &wechatpay.Failure{Code: wire.CodeLedgerUnavailable, Message: err.Error()}
	}
	return nil, nil
}

// again asks the ledger a second time when it fails: it stands between an item that shows the reply and a person.
func again[T any](ask func() (T, error)) (T, error) {
	value, err := ask()
	if err != nil {
		return ask()
	}
	return value, nil
}

// finish reads the complaint's state after a look that did not show the reply, and notes in the ledger what was told.
func (l *looking) finish(ctx context.Context, result wire.Result, end time.Time) wire.Result {
	evidence := result.Evidence
	if evidence == nil || evidence.LookedAt.IsZero() {
		return result // there was no time to look
	}
	if evidence.Seen != nil && !*evidence.Seen {
		l.readState(ctx, evidence, end)
	}
	ctx, cancel := budget.ForSettling(ctx)
	defer cancel()
	if err := l.pipeline.Ledger.Looked(ctx, l.open, result, l.pipeline.Now()); err != nil {
		l.warn(ctx, "what a look told could not be settled in the ledger", err)
	}
	return result
}

// readState adds the complaint's state to the evidence, if there is time left to read it.
func (l *looking) readState(ctx context.Context, evidence *wire.Evidence, end time.Time) {
	end = earlier(end, time.Now().Add(budget.Look))
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < budget.LookNeeds || !time.Now().Before(end) {
		return
	}
	turn := l.pipeline.Reads.Turn(ctx, l.command.Merchant, false)
	defer turn.End(ctx)
	evidence.ComplaintState, _ = l.looker.State(ctx, l.call(turn), end)
}

func (l *looking) tellLook(ctx context.Context, evidence *wire.Evidence, took time.Duration) {
	l.pipeline.Log.LogAttrs(ctx, slog.LevelInfo, "look",
		slog.String("merchant", l.command.Merchant), slog.String("complaint_id", l.command.ComplaintID),
		slog.Bool("seen", evidence.LogID != ""), slog.String("log_id", evidence.LogID),
		slog.String("error", evidence.Error), slog.Int64("duration_ms", took.Milliseconds()))
}

// again is after how long an unknown reply is worth looking for again; 0 when a person has to. The waits double as the
// claim grows older, and the last look is made when the window ends.
func (l *looking) again(final bool) time.Duration {
	if l.refused {
		return 0
	}
	since := l.open.ClaimedAt()
	if final { // what was claimed then was not carried out
		since = l.first
	}
	age := l.pipeline.Now().Sub(since)
	rest := l.pipeline.Window - age
	if rest <= 0 {
		return 0
	}
	wait := 30 * time.Second
	switch {
	case age >= 210*time.Second:
		wait = 4 * time.Minute
	case age >= 90*time.Second:
		wait = 2 * time.Minute
	case age >= 30*time.Second:
		wait = time.Minute
	}
	return max(min(wait, rest), time.Second)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
