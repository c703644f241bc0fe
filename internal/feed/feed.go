// Package feed hears what a deployed Kesu publishes: a rule on its bus and a queue behind it (kesu desk).
//
// No message is deleted: a queue that is kept holds the events of the last four days for everybody who reads it. A
// message that was read comes again after five minutes, and the reader knows it by its event's id. [Feed.Close] takes
// the rule and the queue away, unless they are kept. It prints nothing.
package feed

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// Options say what is heard.
type Options struct {
	AWS  aws.Config
	Bus  string // the bus that Kesu publishes on
	Keep string // the name that the rule and the queue are kept under; "" takes them away at the end
}

// Feed is a rule on a bus and a queue behind it.
type Feed struct {
	bus    string
	keep   bool
	rules  *eventbridge.Client
	queues *sqs.Client
	name   string            // of the rule and of the queue
	url    string            // of the queue
	ruled  bool              // there is a rule
	aimed  bool              // and it has its target
	held   map[string]string // receipt handles by message id, of what others cannot read for now
}

const (
	pattern = `{"source":["kesu"],"detail-type":["ComplaintReceived","ComplaintChanged","ComplaintDue",` +
		`"ComplaintReplySettled","ComplaintCompletionSettled"],` +
		// What kesu smoke asks for is nobody's complaint.
		`"detail":{"merchant":[{"anything-but":{"prefix":"kesu-smoke-"}}]}}`
	retention  = "345600"        // four days, in seconds
	readAgain  = "300"           // in seconds
	readWait   = 3               // in seconds
	batchSize  = 10              // SQS's most
	feedPause  = 5 * time.Second // after a read that failed
	closeLimit = 20 * time.Second
)

// keptName is what the name of a rule and of a queue may be after kesu-desk-.
var keptName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

// Open makes the queue and the rule. After an error nothing of them is left, or the error says so.
func Open(ctx context.Context, o Options) (*Feed, error) {
	f := &Feed{bus: o.Bus, keep: o.Keep != "", rules: eventbridge.NewFromConfig(o.AWS), queues: sqs.NewFromConfig(o.AWS),
		name: "kesu-desk-" + strings.ToLower(rand.Text()[:12]), held: map[string]string{}}
	if f.keep {
		if !keptName.MatchString(o.Keep) {
			return nil, operate.New(operate.Usage, "--keep takes 1 to 40 of 0-9, A-Z, a-z, _ and -")
		}
		f.name = "kesu-desk-" + o.Keep
	}
	if err := f.open(ctx); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *Feed) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, operate.Limit)
	defer cancel()
	made, err := f.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &f.name, Attributes: map[string]string{
		"MessageRetentionPeriod": retention, "VisibilityTimeout": readAgain, "SqsManagedSseEnabled": "true"}})
	if err != nil {
		return operate.Problem("make the queue "+f.name, err)
	}
	f.url = aws.ToString(made.QueueUrl)
	has, err := f.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &f.url,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return operate.Problem("ask for the queue's ARN", err)
	}
	return f.aim(ctx, has.Attributes[string(types.QueueAttributeNameQueueArn)])
}

// aim lets the bus put what Kesu publishes into the queue, and nobody else anything.
func (f *Feed) aim(ctx context.Context, queueARN string) error {
	rule, err := f.rules.PutRule(ctx, &eventbridge.PutRuleInput{Name: &f.name, EventBusName: &f.bus,
		EventPattern: aws.String(pattern), Description: aws.String("What a kesu desk shows.")})
	if err != nil {
		return operate.Problem("put the rule "+f.name+" on the bus", err)
	}
	f.ruled = true
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"Service": "events.amazonaws.com"},
		"Action": "sqs:SendMessage", "Resource": queueARN,
		"Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": aws.ToString(rule.RuleArn)}}}}})
	if err != nil {
		return err
	}
	if _, err := f.queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &f.url,
		Attributes: map[string]string{"Policy": string(policy)}}); err != nil {
		return operate.Problem("let the rule put events into the queue", err)
	}
	out, err := f.rules.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &f.name, EventBusName: &f.bus,
		Targets: []ebtypes.Target{{Id: aws.String("desk"), Arn: &queueARN}}})
	if err != nil {
		return operate.Problem("aim the rule at the queue", err)
	}
	if out.FailedEntryCount > 0 {
		return errors.New("the rule does not take the queue as its target")
	}
	f.aimed = true
	return nil
}

// Listen hands every event to hear until the context ends. A read that fails is told once and tried again; only a queue
// that is gone is an error.
func (f *Feed) Listen(ctx context.Context, hear func(sandbox.Event), complain func(error)) error {
	well := true
	for ctx.Err() == nil {
		out, err := f.receive(ctx)
		if err != nil {
			var gone *types.QueueDoesNotExist
			if errors.As(err, &gone) {
				return operate.Problem("read the queue "+f.name, err)
			}
			if well && ctx.Err() == nil {
				complain(operate.Problem("read the queue "+f.name, err))
			}
			well = false
			select { // AWS may be out of reach for a while
			case <-ctx.Done():
			case <-time.After(feedPause):
			}
			continue
		}
		well = true
		for _, m := range out.Messages {
			f.held[aws.ToString(m.MessageId)] = aws.ToString(m.ReceiptHandle)
			var event sandbox.Event
			if json.Unmarshal([]byte(aws.ToString(m.Body)), &event) == nil {
				hear(event)
			}
		}
	}
	return nil
}

// receive reads what there is, or waits a moment for it. It is not cut short: SQS could hand messages to a read that
// nobody waits for any more, and hold them back from the next desk.
func (f *Feed) receive(ctx context.Context) (*sqs.ReceiveMessageOutput, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), operate.Limit)
	defer cancel()
	in := &sqs.ReceiveMessageInput{QueueUrl: &f.url, MaxNumberOfMessages: batchSize, WaitTimeSeconds: readWait}
	return f.queues.ReceiveMessage(ctx, in)
}

// Close takes the rule and the queue away unless they are kept; then the next desk can read all messages at once.
func (f *Feed) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit) // the command's own context has ended
	defer cancel()
	switch {
	case f.url == "":
		return nil
	case f.keep:
		f.release(ctx)
		return nil
	}
	var failed []error
	if f.aimed {
		in := &eventbridge.RemoveTargetsInput{Rule: &f.name, EventBusName: &f.bus, Ids: []string{"desk"}}
		_, err := f.rules.RemoveTargets(ctx, in)
		failed = append(failed, err)
	}
	if f.ruled {
		_, err := f.rules.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &f.name, EventBusName: &f.bus})
		failed = append(failed, err)
	}
	_, err := f.queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &f.url})
	if err := errors.Join(append(failed, err)...); err != nil {
		return operate.Problem("take the rule and the queue "+f.name+" away, which may still be there", err)
	}
	return nil
}

// release makes what was read visible again, as far as the time allows; the rest becomes visible by itself.
func (f *Feed) release(ctx context.Context) {
	var batch []types.ChangeMessageVisibilityBatchRequestEntry
	flush := func() {
		if len(batch) > 0 {
			in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &f.url, Entries: batch}
			_, _ = f.queues.ChangeMessageVisibilityBatch(ctx, in) // best effort
		}
		batch = nil
	}
	for _, handle := range f.held {
		id := strconv.Itoa(len(batch))
		batch = append(batch, types.ChangeMessageVisibilityBatchRequestEntry{Id: &id, ReceiptHandle: aws.String(handle)})
		if len(batch) == batchSize {
			flush()
		}
	}
	flush()
}
