package lambdaio

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// source is the source of every settled event.
const source = "kesu"

// EventBridge is the part of the client that the bus needs; the function's role needs no more than this action.
type EventBridge interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput,
		...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Bus publishes settled events on an EventBridge bus.
type Bus struct {
	Client EventBridge
	Name   string // RESULT_BUS: a name or an ARN
}

// settled is the detail of a settled event: the result, and the request where a person has to look at it. The bus is
// the caller's own, so it may hold what the caller wrote; no result, log line or metric does.
type settled struct {
	wire.Result
	Request json.RawMessage `json:"request,omitempty"`
}

// Publish puts the settled event of a result on the bus. Its error names AWS's error code and nothing else.
func (b *Bus) Publish(ctx context.Context, result wire.Result, request json.RawMessage) error {
	// Escaped as for HTML, a request of many < would become six times as long, too long for the bus.
	detail, err := strictjson.Encode(settled{result, request})
	if err != nil {
		return errors.New("the result cannot be written as JSON")
	}
	return b.Put(ctx, result.Action.SettledType(), detail)
}

// Put puts an event on the bus. Its error names AWS's error code and nothing else.
func (b *Bus) Put(ctx context.Context, detailType string, detail []byte) error {
	bound := budget.Publish
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, time.Until(deadline)-budget.Answering)
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	out, err := b.Client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(b.Name),
		Source:       aws.String(source),
		DetailType:   aws.String(detailType),
		Detail:       aws.String(string(detail)),
	}}})
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return errors.New("PutEvents: " + redact.AWSCode(api.ErrorCode()))
	case err != nil:
		return errors.New("PutEvents: the bus could not be reached")
	case out.FailedEntryCount > 0 && len(out.Entries) > 0:
		return errors.New("PutEvents: " + redact.AWSCode(aws.ToString(out.Entries[0].ErrorCode)))
	case out.FailedEntryCount > 0:
		return errors.New("PutEvents: the entry was refused")
	}
	return nil
}
