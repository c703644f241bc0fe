// Package lambdaio is the door to Lambda: the five shapes of invocation in, their answers out, and the settled events
// (contract, section 2).
package lambdaio

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Pipeline carries out one request. It does not panic.
type Pipeline interface {
	Do(ctx context.Context, request wire.Request) wire.Result
}

// Publisher puts a settled event on the bus. request is the members of the command as they were given; it is nil when
// they are not told.
type Publisher interface {
	Publish(ctx context.Context, result wire.Result, request json.RawMessage) error
}

// Queue makes a record of an SQS queue visible again after a time, so that it comes again then. It tries: a record that
// it fails on becomes visible when the queue says.
type Queue interface {
	ShowAfter(ctx context.Context, queueARN, receiptHandle string, after time.Duration) error
}

// Handler is one function as Lambda sees it. It implements lambda.Handler.
type Handler struct {
	Action    wire.Action
	ByHTTP    []wire.Action // what the function takes by HTTP beside its action
	Pipeline  Pipeline
	Publisher Publisher // nil: no settled events
	Queue     Queue     // nil: every record becomes visible again when its queue says
	Log       *slog.Logger
	// OnUnpublished is told of each settled event that could not be published. May be nil.
	OnUnpublished func()

	// CallerClaim is the claim of an HTTP caller's token that must name the merchant; "" asks for none.
	CallerClaim string
}

// Invoke takes one invocation in whichever shape it comes and answers in the same.
func (h *Handler) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			h.logBug(ctx, bug)
			answer, err = nil, failure(wire.CodeInternal, bugText)
		}
	}()
	switch in := shapeOf(payload); in.kind {
	case kindHTTP:
		return h.http(ctx, in.members)
	case kindQueue:
		return h.batch(ctx, in.elements)
	case kindTopic:
		return h.list(ctx, in.elements, readNotification)
	case kindList:
		return h.list(ctx, in.elements, readElement)
	case kindEvent:
		fate := h.carry(ctx, readEvent(h.Action, in.members, ""))
		if fate.again != nil {
			return nil, fate.again
		}
		return json.Marshal(fate.result)
	case kindBare:
		return json.Marshal(h.Pipeline.Do(ctx, wire.ReadDetail(h.Action, payload)))
	default:
		return nil, h.carry(ctx, unreadable(h.Action, in.members, "", in.why)).again
	}
}

const bugText = "kesu met a bug of its own"

func (h *Handler) logBug(ctx context.Context, bug any) {
	h.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("bug", fmt.Sprint(bug)),
		slog.String("stack", string(debug.Stack())))
}

// failure is an error as Lambda's caller sees it: its type is the code, and its text is safe to be logged and passed
// on.
func failure(code, message string) error {
	return messages.InvokeResponse_Error{Type: code, Message: message}
}

// describe tells a result in one line. Lambda's library logs it as it stands, so it names the event itself.
func describe(r wire.Result) string {
	return fmt.Sprintf("%s of complaint %q of merchant %q: %s, %s: %s%s", r.Action, r.ComplaintID, r.Merchant,
		r.Outcome, r.Code, r.Message, named(wire.Origin{EventID: r.EventID, MessageID: r.MessageID}))
}

// named is what a text says of the event that it is about.
func named(o wire.Origin) string {
	text := ""
	if o.EventID != "" {
		text += ", event_id " + o.EventID
	}
	if o.MessageID != "" {
		text += ", message_id " + o.MessageID
	}
	return text
}
