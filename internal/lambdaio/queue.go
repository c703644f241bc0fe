package lambdaio

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/pkg/redact"
)

// visibilityMax is the longest that a message can be hidden:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html.
const visibilityMax = 12 * time.Hour

// SQS is the part of the client that the queues need; the function's role needs no more than this action.
type SQS interface {
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (
		*sqs.ChangeMessageVisibilityOutput, error)
}

// Queues are the queues that records come from. Client makes the client when the first record must come again, so that
// a start does not wait for what is seldom needed; it is called each time and should keep what it made.
type Queues struct{ Client func() SQS }

// ShowAfter makes a record visible again after a time, which is rounded up to whole seconds.
func (q Queues) ShowAfter(ctx context.Context, queueARN, receiptHandle string, after time.Duration) error {
	queue, err := arn.Parse(queueARN)
	if err != nil || queue.Service != "sqs" || queue.Region == "" || queue.AccountID == "" || queue.Resource == "" {
		return errors.New("the record's eventSourceARN is not a queue's")
	}
	bound := budget.Visibility
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, time.Until(deadline)-budget.Answering)
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	seconds := (min(max(after, 0), visibilityMax) + time.Second - 1) / time.Second
	_, err = q.Client().ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl:          aws.String(queueURL(ctx, queue)),
		ReceiptHandle:     aws.String(receiptHandle),
		VisibilityTimeout: int32(seconds),
	}, func(o *sqs.Options) { o.Region = queue.Region })
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return errors.New("ChangeMessageVisibility: " + redact.AWSCode(api.ErrorCode()))
	case err != nil:
		return errors.New("ChangeMessageVisibility: the queue could not be reached")
	}
	return nil
}

// queueURL is the URL by which SQS knows a queue. Its host depends on the partition, which the SDK knows.
func queueURL(ctx context.Context, queue arn.ARN) string {
	base := "https://sqs." + queue.Region + ".amazonaws.com"
	region := sqs.EndpointParameters{Region: aws.String(queue.Region)}
	if endpoint, err := sqs.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, region); err == nil {
		base = strings.TrimRight(endpoint.URI.String(), "/")
	}
	return base + "/" + queue.AccountID + "/" + queue.Resource
}
