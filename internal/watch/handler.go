package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	lambdamessages "github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Merchants lists the names under the secrets' prefix, for WATCH_MERCHANTS=*.
type Merchants interface {
	List(ctx context.Context) ([]string, error)
}

// Queue sends texts into WATCH_QUEUE, at most ten in a call.
type Queue interface {
	Send(ctx context.Context, texts []string) error
}

// Handler is functions/watch as Lambda sees it. It implements lambda.Handler.
type Handler struct {
	*Notifications
	Names Merchants
	Queue Queue // nil: the schedule's own invocation sweeps
}

const (
	scheduled  = "Scheduled Event"
	sweepOf    = "KesuSweep"
	batchMost  = 10               // messages that SQS takes in a call
	staleSweep = 15 * time.Minute // a message that is older is dropped: there is a newer one
	recordsMax = 10_000
	// lastSweep is how long before the deadline no other merchant's sweep is begun.
	lastSweep = time.Second
)

// refusedBody is the body of every refusal. Why stands in the log.
const refusedBody = `{"code":"FAIL","message":"refused"}`

// Invoke takes a call of WeChat Pay's, the schedule's event, or records of WATCH_QUEUE.
func (h *Handler) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			h.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("bug", fmt.Sprint(bug)),
				slog.String("stack", string(debug.Stack())))
			answer, err = nil, failure(wire.CodeInternal, "kesu met a bug of its own")
		}
	}()
	members, ok := strictjson.Members(payload)
	if !ok {
		return nil, unreadable("the payload is no JSON object")
	}
	has := func(names ...string) bool {
		for _, m := range members {
			for _, name := range names {
				if m.Name == name {
					return true
				}
			}
		}
		return false
	}
	switch {
	case has("requestContext", "httpMethod", "rawPath"):
		return answerOf(h.Take(ctx, members))
	case has("Records"):
		return h.records(ctx, payload)
	case has("detail-type"):
		var event struct {
			DetailType string `json:"detail-type"`
		}
		if json.Unmarshal(payload, &event) == nil && event.DetailType == scheduled {
			return []byte("{}"), h.schedule(ctx)
		}
	}
	return nil, unreadable("the payload is nothing that this function knows")
}

func answerOf(status int) ([]byte, error) {
	a := events.APIGatewayProxyResponse{StatusCode: status}
	if status != http.StatusNoContent {
		a.Headers, a.Body = map[string]string{"Content-Type": "application/json"}, refusedBody
	}
	return json.Marshal(a)
}

func failure(code, message string) error {
	return lambdamessages.InvokeResponse_Error{Type: code, Message: message}
}

func unreadable(why string) error { return failure(wire.CodeUnreadableEvent, why) }

// message is what the schedule puts into the queue for one merchant.
type message struct {
	DetailType string      `json:"detail-type"`
	Detail     sweepDetail `json:"detail"`
}

type sweepDetail struct {
	Merchant    string    `json:"merchant"`
	ScheduledAt time.Time `json:"scheduled_at"`
}

// schedule begins a sweep of every merchant.
func (h *Handler) schedule(ctx context.Context) error {
	merchants := h.Watcher.Merchants
	if h.Everybody {
		var err error
		if merchants, err = h.Names.List(ctx); err != nil {
			return failure(wire.CodeSecretsUnavailable, err.Error())
		}
	}
	if h.Queue == nil {
		return h.sweepAll(ctx, merchants)
	}
	at, failed := h.Now().UTC(), error(nil)
	for len(merchants) > 0 {
		n := min(batchMost, len(merchants))
		texts := make([]string, n)
		for i, name := range merchants[:n] {
			text, err := json.Marshal(message{sweepOf, sweepDetail{name, at}})
			if err != nil {
				return failure(wire.CodeInternal, "a message cannot be written as JSON")
			}
			texts[i] = string(text)
		}
		if err := h.Queue.Send(ctx, texts); err != nil { // the others are swept all the same
			failed = failure("QUEUE_UNAVAILABLE", err.Error())
		}
		merchants = merchants[n:]
	}
	return failed
}

// sweepAll sweeps one merchant after the other. One merchant's failure touches no other.
func (h *Handler) sweepAll(ctx context.Context, merchants []string) error {
	for i, name := range merchants {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < lastSweep {
			h.Log.WarnContext(ctx, "no time was left for the other merchants: WATCH_QUEUE spreads them", "left",
				len(merchants)-i)
			return nil
		}
		if err := h.Sweep(ctx, name); err != nil {
			h.Log.WarnContext(ctx, "a merchant's sweep failed", "merchant", name, "error", err.Error())
		}
	}
	return nil
}

// queued is a record of a queue. What its body is decides about it alone, also where it is no text.
type queued struct {
	MessageID   string          `json:"messageId"`
	EventSource string          `json:"eventSource"`
	Body        json.RawMessage `json:"body"`
}

// records sweeps the merchants that a batch of messages names, beside each other. Nothing is begun of a batch that
// cannot be answered by its messages' ids.
func (h *Handler) records(ctx context.Context, payload []byte) ([]byte, error) {
	var batch struct{ Records []queued }
	if json.Unmarshal(payload, &batch) != nil || len(batch.Records) > recordsMax {
		return nil, unreadable("Records is no array of a queue's records")
	}
	for _, r := range batch.Records {
		if r.EventSource != "aws:sqs" || r.MessageID == "" {
			return nil, unreadable("the records are not a queue's")
		}
	}
	failed := make([]string, len(batch.Records))
	var group sync.WaitGroup
	for i, record := range batch.Records {
		group.Go(func() {
			var body string
			if json.Unmarshal(record.Body, &body) != nil {
				body = "" // which is no sweep's either
			}
			if err := h.record(ctx, body); err != nil {
				h.Log.WarnContext(ctx, "a message comes again", "message_id", shownID(record.MessageID), "error",
					err.Error())
				failed[i] = record.MessageID
			}
		})
	}
	group.Wait()
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, id := range failed {
		if id != "" {
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
	}
	return json.Marshal(answer)
}

func shownID(id string) string {
	if wire.ValidKey(id) {
		return id
	}
	return ""
}

// record carries out one message of the queue.
func (h *Handler) record(ctx context.Context, body string) (err error) {
	defer func() {
		if bug := recover(); bug != nil {
			h.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("bug", fmt.Sprint(bug)),
				slog.String("stack", string(debug.Stack())))
			err = errors.New("kesu met a bug of its own")
		}
	}()
	var m message
	if json.Unmarshal([]byte(body), &m) != nil || m.DetailType != sweepOf || !wire.ValidID(m.Detail.Merchant) ||
		m.Detail.ScheduledAt.IsZero() {
		return errors.New("the text is no sweep's")
	}
	if h.Now().Sub(m.Detail.ScheduledAt) > staleSweep {
		h.Log.InfoContext(ctx, "a sweep was dropped: it is older than the next one", "merchant", m.Detail.Merchant)
		return nil
	}
	if !h.Everybody && !h.watched(m.Detail.Merchant) {
		h.Log.InfoContext(ctx, "a sweep was dropped: the merchant is no longer watched", "merchant", m.Detail.Merchant)
		return nil
	}
	return h.Sweep(ctx, m.Detail.Merchant)
}
