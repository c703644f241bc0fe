package lambdaio

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// fate is what becomes of an event: it is settled with a result, or it must come again.
type fate struct {
	result wire.Result
	again  error         // its type is the code that says why; nil: the event is settled
	after  time.Duration // when it should come again; nobodyKnows is possible
}

// nobodyKnows stands for the time when an event should come again that was met by an outage.
const nobodyKnows time.Duration = -1

// waitsKnown ends the doubling at 128 s, which is below the 168 s of template.yaml's queues.
const waitsKnown = 8

// waitAfter is how long a record waits, in an outage whose end nobody knows, when it was received so many times: a
// second, which is the Retry-After of the same result by HTTP, and twice as long each time. After more than waitsKnown
// times, and when the number is not known, it is nobodyKnows: the record is left to its queue's own time, which is long
// enough not to use its receives up in an outage of hours.
func waitAfter(receives int) time.Duration {
	if receives < 1 || receives > waitsKnown {
		return nobodyKnows
	}
	return time.Duration(wire.RetryAfterSeconds(0)) * time.Second << (receives - 1)
}

// carry carries out one event and publishes what became of it. Whatever is logged meanwhile names the event.
func (h *Handler) carry(ctx context.Context, a arrival) (f fate) {
	from := a.request.Command.Origin
	ctx = telemetry.WithEvent(ctx, from.EventID, from.MessageID)
	defer func() { // a record's fate never touches another's, not even by a bug
		if bug := recover(); bug != nil {
			h.logBug(ctx, bug)
			f = fate{again: failure(wire.CodeInternal, bugText+named(from)), after: nobodyKnows}
		}
	}()
	if a.why != "" {
		h.Log.LogAttrs(ctx, slog.LevelError, "an event cannot be read", slog.String("action", string(h.Action)),
			slog.String("code", wire.CodeUnreadableEvent), slog.String("message", a.why))
		return fate{again: failure(wire.CodeUnreadableEvent, a.why+named(from)), after: 0}
	}
	result := h.Pipeline.Do(ctx, a.request)
	if a.queued && result.Outcome == wire.Unknown && result.LookAgain > 0 {
		return fate{result, failure(result.Code, describe(result)), result.LookAgain}
	}
	if comesAgain(&a.request.Command, result) {
		after := nobodyKnows
		if result.RetryAfter > 0 {
			after = result.RetryAfter
		}
		return fate{result, failure(result.Code, describe(result)), after}
	}
	if h.Publisher == nil {
		return fate{result: result}
	}
	if err := h.Publisher.Publish(ctx, result, toldRequest(result, a.given)); err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "the settled event could not be published; the event will come again",
			slog.String("merchant", result.Merchant), slog.String("complaint_id", result.ComplaintID),
			slog.String("code", wire.CodeResultNotPublished), slog.String("error", err.Error()))
		if h.OnUnpublished != nil {
			h.OnUnpublished()
		}
		result.Code, result.Message = wire.CodeResultNotPublished, "the settled event could not be published"
		return fate{result, failure(result.Code, describe(result)), nobodyKnows}
	}
	return fate{result: result}
}

// comesAgain reports whether an event is retried: it was certainly not carried out, or carrying it out once more is
// harmless and may tell what became of it. Any other unknown reply is not: it is for a person to look at, once looking
// for it by a queue's record has come to its end.
func comesAgain(c *wire.Command, r wire.Result) bool {
	return r.Outcome == wire.Retryable || r.Outcome == wire.Unknown && c.Repeatable() && !r.Final
}

// requestMax bounds the members that a settled event repeats, in bytes. With the result, the entry stays below the
// 256 KiB that every bus takes: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html.
const requestMax = 3 * wire.MaxBody

// toldRequest is what a settled event says was asked for, where a person has to do something about it.
func toldRequest(result wire.Result, given json.RawMessage) json.RawMessage {
	if result.Outcome != wire.Unknown && result.Outcome != wire.Rejected {
		return nil
	}
	given = bytes.ToValidUTF8(given, []byte("\uFFFD")) // before it is measured: the mark is longer than what it marks
	if len(given) > requestMax {
		return nil
	}
	return given
}
