package simulation

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

// bus is the bus of settled events as one process reaches it.
type bus struct{ p *process }

// PutEvents implements lambdaio.EventBridge.
func (b *bus) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	var result wire.Result
	if err := json.Unmarshal([]byte(aws.ToString(in.Entries[0].Detail)), &result); err != nil {
		return nil, err
	}
	p := b.p
	v := ctx.Value(invocationKey{}).(*invocation).find(result.ComplaintID, "")
	if p.gone() || ctx.Err() != nil {
		return nil, errors.New("not sent")
	}
	f, n := p.w.fault(v, stepPublish)
	if f == crashBefore {
		p.die(v, "before the settled event")
		return nil, errors.New("crashed")
	}
	if err := p.wait(ctx, v, p.w.latency(v, n, 3*time.Millisecond, 40*time.Millisecond)); err != nil {
		return nil, err
	}
	switch f {
	case publishFails:
		return nil, &smithy.GenericAPIError{Code: "InternalException"}
	case publishRefuses:
		return &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: []types.PutEventsResultEntry{{ErrorCode: aws.String("ThrottlingException")}}}, nil
	case publishHangs:
		return nil, p.hang(ctx, v)
	}
	p.w.mu.Lock()
	v.published = result.Outcome
	p.w.tally.Published++
	p.w.note(v, "settled event "+string(result.Outcome), result.Code, 0)
	if result.Outcome != v.result.Outcome || result.Code != v.result.Code {
		p.w.violate(v, KindAnswer, "the settled event says %s %s", result.Outcome, result.Code)
	}
	p.w.mu.Unlock()
	switch f {
	case publishLosesAck:
		return nil, errors.New("the connection was lost")
	case crashAfter:
		p.die(v, "after the settled event")
		return nil, errors.New("crashed")
	}
	return &eventbridge.PutEventsOutput{Entries: []types.PutEventsResultEntry{{EventId: aws.String("1")}}}, nil
}
