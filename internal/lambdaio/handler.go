// Package lambdaio is the door to Lambda: the four shapes of invocation in, the four shapes of answer out, and the
// settled events (contract, section 2).
package lambdaio

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"golang.org/x/sync/errgroup"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Desk carries out one request. It does not panic.
type Desk interface {
	Do(ctx context.Context, request wire.Request) wire.Result
}

// Publisher puts a settled event on the bus.
type Publisher interface {
	Publish(ctx context.Context, result wire.Result) error
}

// Handler is one function as Lambda sees it. It implements lambda.Handler.
type Handler struct {
	Action    wire.Action
	Desk      Desk
	Publisher Publisher // nil: no settled events
	Log       *slog.Logger
}

// batchWidth is how many records of a batch are carried out at once: as many as one SQS batch usually holds, so that a
// slow gateway does not use up the time of the records at its end.
const batchWidth = 10

// Invoke takes one invocation in whichever shape it comes and answers in the same.
func (h *Handler) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			h.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("bug", fmt.Sprint(bug)),
				slog.String("stack", string(debug.Stack())))
			answer, err = nil, failure(wire.CodeInternal, "kesu met a bug of its own")
		}
	}()
	switch shapeOf(payload) {
	case shapeHTTP:
		return h.http(ctx, payload)
	case shapeBatch:
		return h.batch(ctx, payload)
	case shapeEvent:
		result, delivered := h.event(ctx, payload)
		if !delivered {
			return nil, failure(result.Code, describe(result))
		}
		return json.Marshal(result)
	}
	return json.Marshal(h.Desk.Do(ctx, wire.ReadDetail(h.Action, payload)))
}

type shape int

const (
	shapeBare shape = iota
	shapeHTTP
	shapeEvent
	shapeBatch
)

// shapeOf tells the shapes apart by members that only one of them has, and none of which is a command's.
func shapeOf(payload []byte) shape {
	members, err := wire.Object(payload)
	if err != nil {
		return shapeBare // which then says what is wrong
	}
	for _, m := range members {
		switch m.Name {
		case "Records":
			return shapeBatch
		case "requestContext", "httpMethod", "rawPath":
			return shapeHTTP
		case "detail-type", "detail":
			return shapeEvent
		}
	}
	return shapeBare
}

// batch carries out the records of an SQS batch, each by itself. The records are not read together, as events.SQSEvent
// would be, because then one that cannot be read would take the others with it.
func (h *Handler) batch(ctx context.Context, payload []byte) ([]byte, error) {
	var batch struct{ Records []json.RawMessage }
	if err := json.Unmarshal(payload, &batch); err != nil {
		// It would be no batch the next time either, so it does not come again.
		h.Log.LogAttrs(ctx, slog.LevelError, "the batch is not one of SQS", slog.String("code", wire.CodeInvalidRequest))
	}
	delivered := make([]bool, len(batch.Records))
	var group errgroup.Group
	group.SetLimit(batchWidth)
	for i, record := range batch.Records {
		group.Go(func() error {
			_, delivered[i] = h.event(ctx, recordBody(record))
			return nil
		})
	}
	_ = group.Wait() // no record fails the group

	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, record := range batch.Records {
		if !delivered[i] {
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: recordID(record)})
		}
	}
	return json.Marshal(answer)
}

// recordBody is a record's text; nothing when it has none, which is then refused like any other malformed event.
func recordBody(record json.RawMessage) []byte {
	var r struct {
		Body string `json:"body"`
	}
	_ = json.Unmarshal(record, &r)
	return []byte(r.Body)
}

func recordID(record json.RawMessage) string {
	var r struct {
		MessageID string `json:"messageId"`
	}
	_ = json.Unmarshal(record, &r)
	return r.MessageID
}

// failure is an error as Lambda's caller sees it: its type is the code, and its text is safe to be logged and passed on.
func failure(code, message string) error {
	return messages.InvokeResponse_Error{Type: code, Message: message}
}

// describe tells a result in one line.
func describe(r wire.Result) string {
	return fmt.Sprintf("%s of complaint %q of merchant %q: %s, %s: %s", r.Action, r.ComplaintID, r.Merchant, r.Outcome, r.Code, r.Message)
}
