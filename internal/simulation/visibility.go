package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/pkg/wire"
)

// queueARN is where every record comes from.
const queueARN = "arn:aws:sqs:ap-east-1:111122223333:kesu"

// queue is SQS as one process reaches it.
type queue struct{ p *process }

var _ lambdaio.SQS = (*queue)(nil)

// ChangeMessageVisibility implements lambdaio.SQS.
func (q *queue) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (
	*sqs.ChangeMessageVisibilityOutput, error) {
	p, v := q.p, (*visit)(nil)
	for _, other := range ctx.Value(invocationKey{}).(*invocation).visits {
		if other.handle() == aws.ToString(in.ReceiptHandle) {
			v = other
		}
	}
	if p.leave(ctx, v, stepShow) != nil {
		return nil, errors.New("not sent")
	}
	f, n := p.w.fault(v, stepShow)
	p.w.mu.Lock()
	v.showMet = f
	p.w.mu.Unlock()
	if p.wait(ctx, v, p.w.latency(v, n, 3*time.Millisecond, 30*time.Millisecond)) != nil {
		return nil, errors.New("no answer")
	}
	switch f {
	case showFails:
		return nil, &smithy.GenericAPIError{Code: "InternalError"}
	case showHangs:
		return nil, p.hang(ctx, v)
	}
	p.w.mu.Lock()
	v.shown, v.showAfter = true, time.Duration(in.VisibilityTimeout)*time.Second
	if m := v.message; !m.gone && m.try == v.try+1 { // a later receipt's message is not this one's
		m.visible = time.Now().Add(v.showAfter)
	}
	p.w.mu.Unlock()
	if f == showLosesAck {
		return nil, errors.New("the connection was lost")
	}
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

func (v *visit) handle() string { return fmt.Sprintf("receipt-%x", v.id) }

// checkShown sees whether a record that comes again was told when, unless the queue could not be told or little time
// was left. v's invocation is over.
func (w *world) checkShown(v *visit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	want := time.Duration(0)
	after := v.result.RetryAfter
	if v.result.Outcome == wire.Unknown && v.result.LookAgain > 0 {
		after = v.result.LookAgain
	}
	switch {
	case v.showMet != noFault || time.Until(v.deadline) < 2*time.Second:
		return
	case v.command.unreadable():
	case !v.done || !v.again() || after <= 0:
		return
	default:
		want = (after + time.Second - 1).Truncate(time.Second)
	}
	if !v.shown || v.showAfter != want {
		w.violate(v, KindLate, "it was to be after %s", want)
	}
}
