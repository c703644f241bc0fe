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

	"github.com/kesu-go/kesu/pkg/wire"
)

// source is the source of every settled event.
const source = "kesu"

// publishBound is the longest that the bus is waited for; it answers within milliseconds or is down.
const publishBound = 3 * time.Second

// answerTime is what is kept of an invocation's time for the answer itself.
const answerTime = 200 * time.Millisecond

// EventBridge is the part of the client that the bus needs; the function's role needs no more than this action.
type EventBridge interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Bus publishes settled events on an EventBridge bus.
type Bus struct {
	Client EventBridge
	Name   string // RESULT_BUS: a name or an ARN
}

// Publish puts the settled event of a result on the bus. Its error names AWS's error code and nothing else.
func (b *Bus) Publish(ctx context.Context, result wire.Result) error {
	detail, err := json.Marshal(result)
	if err != nil {
		return errors.New("the result cannot be written as JSON")
	}
	bound := publishBound
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, time.Until(deadline)-answerTime)
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	out, err := b.Client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(b.Name),
		Source:       aws.String(source),
		DetailType:   aws.String(result.Action.SettledType()),
		Detail:       aws.String(string(detail)),
	}}})
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return errors.New("PutEvents: " + api.ErrorCode())
	case err != nil:
		return errors.New("PutEvents: the bus could not be reached")
	case out.FailedEntryCount > 0 && len(out.Entries) > 0:
		return errors.New("PutEvents: " + aws.ToString(out.Entries[0].ErrorCode))
	case out.FailedEntryCount > 0:
		return errors.New("PutEvents: the entry was refused")
	}
	return nil
}
