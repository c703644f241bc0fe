package lambdaio

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// readFunc reads one element.
type readFunc func(wire.Action, json.RawMessage) arrival

// list carries out the elements of an array or the records of a topic. One that must come again makes all come again;
// those that were settled are then told from the ledger.
func (h *Handler) list(ctx context.Context, elements []json.RawMessage, read readFunc) ([]byte, error) {
	fates := make([]fate, len(elements))
	each(ctx, len(elements), func(ctx context.Context, i int) { fates[i] = h.carry(ctx, read(h.Action, elements[i])) })
	results := make([]wire.Result, 0, len(fates))
	for _, f := range fates {
		if f.again != nil {
			return nil, f.again
		}
		results = append(results, f.result)
	}
	return json.Marshal(results)
}

// record is what is needed of a record of SQS.
type record struct {
	id, queueARN, receiptHandle string
	receives                    int // how many times it was received, this time included; 0 when that is not known
}

// batch carries out the records of an SQS batch, each by itself. The records are not read together, as events.SQSEvent
// would be, because then one that cannot be read would take the others with it.
func (h *Handler) batch(ctx context.Context, records []json.RawMessage) ([]byte, error) {
	failed := make([]*record, len(records))
	each(ctx, len(records), func(ctx context.Context, i int) {
		r, a := readRecord(h.Action, records[i])
		if f := h.carry(ctx, a); f.again != nil {
			failed[i] = &r
			h.show(ctx, r, a, f.after)
		}
	})
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, r := range failed {
		// One without an id makes Lambda take the whole batch for failed, so that it is not lost:
		// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
		// ("an empty string itemIdentifier").
		if r != nil {
			answer.BatchItemFailures = append(answer.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: r.id})
		}
	}
	return json.Marshal(answer)
}

// readRecord reads a record of SQS.
func readRecord(action wire.Action, raw json.RawMessage) (record, arrival) {
	members, _ := strictjson.Members(raw)
	var r record
	r.id, _ = textIn(members, "messageId")
	r.queueARN, _ = textIn(members, "eventSourceARN")
	r.receiptHandle, _ = textIn(members, "receiptHandle")
	attributes, _ := strictjson.Members(find(members, "attributes"))
	receives, _ := textIn(attributes, "ApproximateReceiveCount")
	r.receives, _ = strconv.Atoi(receives)
	source, body := sourceIn(members), find(members, "body")
	text, ok := textIn(members, "body")
	switch {
	case source != "" && source != sourceSQS:
		return r, unreadable(action, nil, r.id, "the record is not one of SQS")
	case body == nil || !ok:
		return r, unreadable(action, nil, r.id, "the record has no text")
	}
	a := readText(action, text, r.id)
	a.queued = true
	return r, a
}

// show makes a record visible when it should come again. That is a favour to it and no more: without it the record
// becomes visible when its queue says.
func (h *Handler) show(ctx context.Context, r record, a arrival, after time.Duration) {
	if after == nobodyKnows {
		after = waitAfter(r.receives)
	}
	if h.Queue == nil || after == nobodyKnows || r.queueARN == "" || r.receiptHandle == "" {
		return
	}
	from := a.request.Command.Origin
	ctx = telemetry.WithEvent(ctx, from.EventID, from.MessageID)
	if err := h.Queue.ShowAfter(ctx, r.queueARN, r.receiptHandle, after); err != nil {
		h.Log.LogAttrs(ctx, slog.LevelWarn, "the record becomes visible again when its queue says, not when it should",
			slog.String("error", err.Error()))
	}
}
