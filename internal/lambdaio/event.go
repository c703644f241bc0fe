package lambdaio

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/kesu-go/kesu/pkg/wire"
)

// event carries out one EventBridge event. delivered is false when it must come again: it was certainly not carried
// out, or carrying it out once more is harmless and may tell what became of it, or its settled event is not on the bus.
func (h *Handler) event(ctx context.Context, payload []byte) (result wire.Result, delivered bool) {
	result = h.Desk.Do(ctx, readEvent(h.Action, payload))
	if comesAgain(result) {
		return result, false
	}
	if h.Publisher == nil {
		return result, true
	}
	if err := h.Publisher.Publish(ctx, result); err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "the settled event could not be published; the event will come again",
			slog.String("merchant", result.Merchant), slog.String("complaint_id", result.ComplaintID),
			slog.String("code", wire.CodeResultNotPublished), slog.String("error", err.Error()))
		result.Code, result.Message = wire.CodeResultNotPublished, "the settled event could not be published"
		return result, false
	}
	return result, true
}

// comesAgain tells whether an event is retried. An unknown reply is not: it is for a person to look at.
func comesAgain(r wire.Result) bool {
	return r.Outcome == wire.Retryable || r.Outcome == wire.Unknown && r.Action == wire.Complete
}

// readEvent reads the command of an EventBridge event.
func readEvent(action wire.Action, payload []byte) wire.Request {
	refuse := func(pointer, detail string) wire.Request {
		return wire.Request{Command: wire.Command{Action: action}, Problems: []wire.Problem{{Pointer: pointer, Detail: detail}}}
	}
	members, err := wire.Object(payload)
	if err != nil {
		return refuse("", "the event "+err.Error())
	}
	var id, detailType string
	var detail json.RawMessage
	for _, m := range members {
		switch m.Name {
		case "id":
			_ = json.Unmarshal(m.Value, &id) // an id that is not a string is no id
		case "detail-type":
			_ = json.Unmarshal(m.Value, &detailType) // and this one is then refused below
		case "detail":
			detail = m.Value
		}
	}
	if detailType != action.DetailType() {
		return refuse("/detail-type", "must be "+action.DetailType()+" for this function")
	}
	if detail == nil {
		return refuse("/detail", "is required")
	}
	request := wire.ReadDetail(action, detail)
	if !wire.ValidKey(id) {
		return request
	}
	// EventBridge delivers an event at least once, with the same id each time. Filed under it, a completion that comes
	// again finds its result instead of going to the gateway again; and a resend that comes again is not one more resend.
	request.Command.Delivery = id
	if action == wire.Complete && request.Command.IdempotencyKey == "" {
		request.Command.IdempotencyKey = id
	}
	return request
}
