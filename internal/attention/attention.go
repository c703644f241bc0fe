// Package attention finds what waits for a person, and settles it (kesu attention): results that were rejected or are
// unknown, and requests that were never carried out.
//
// [Open] takes every message of the queues out of others' sight for a while, and [Attention.Release] puts back what was
// not taken out, which is to be called whatever happens. What a person should be asked about before it is done comes in
// two steps: [Attention.Resend] and [Attention.Drop] prepare it and do nothing yet; what they return has the question.
//
// It prints nothing. A message may be anyone's: its codes and other people's words in an [Item] are cut and masked, and
// its body is as it stands in the queue.
package attention

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kesu-go/kesu/internal/operate"
)

const (
	holdSeconds  = 300              // a message that is looked at is out of others' sight for that long, at most
	batchSize    = 10               // SQS's most
	releaseLimit = 10 * time.Second // of putting all back into sight
	shortestID   = 4                // characters of an id that name a message
	shownID      = 8                // characters of an id in a list, at least
)

// waiting are the outputs of template.yaml that name queues with something for a person, in the order of the list.
var waiting = []string{"AttentionQueueUrl", "ReplyDeadLettersUrl", "CompleteDeadLettersUrl", "UndeliveredEventsUrl",
	"FailedEventsUrl"}

// Options say which queues are looked at.
type Options struct {
	Stack  string   // a deployed stack, whose outputs name the queues and the bus
	Queues []string // URLs of queues, in place of a stack
	Limit  int      // look at this many messages of each queue at most
	AWS    operate.AWS
	// Progress is told how many of about how many messages of a queue were read. It may be nil.
	Progress func(queue string, read, about int)
}

// Queue is one queue that was looked at.
type Queue struct {
	Name     string `json:"name"`
	URL      string `json:"url"`
	Messages int    `json:"messages"` // about how many it holds
}

// Attention is what was found in the queues. The messages are held until Release.
type Attention struct {
	Queues  []Queue
	Items   []*Item // the oldest first
	options Options
	client  *sqs.Client
	outputs map[string]string // of the stack
}

// Open reads every queue. When it fails nothing stays held.
func Open(ctx context.Context, o Options) (*Attention, error) {
	if (o.Stack == "") == (len(o.Queues) == 0) {
		return nil, operate.New(operate.Usage, "which queues? Give --stack NAME, or --queue URL")
	}
	a := &Attention{options: o, outputs: map[string]string{}}
	for _, url := range o.Queues {
		a.Queues = append(a.Queues, Queue{Name: url[strings.LastIndex(url, "/")+1:], URL: url})
	}
	if o.Stack != "" {
		s, err := operate.DescribeStack(ctx, o.AWS, o.Stack)
		if err != nil {
			return nil, err
		}
		a.outputs = s.Outputs
		for _, output := range waiting {
			if url := s.Outputs[output]; url != "" {
				a.Queues = append(a.Queues, Queue{Name: queueName(output), URL: url})
			}
		}
		if len(a.Queues) == 0 {
			return nil, fmt.Errorf("the stack %s has none of the outputs %s", o.Stack, strings.Join(waiting, ", "))
		}
	}
	c, err := o.AWS.Config(ctx)
	if err != nil {
		return nil, err
	}
	a.client = sqs.NewFromConfig(c)
	for i := range a.Queues {
		if err := a.read(ctx, &a.Queues[i]); err != nil {
			a.Release(ctx)
			return nil, err
		}
	}
	slices.SortStableFunc(a.Items, func(x, y *Item) int { return x.Since.Compare(y.Since) })
	return a, nil
}

// queueName makes "reply dead letters" of ReplyDeadLettersUrl.
func queueName(output string) string {
	var name strings.Builder
	for i, r := range strings.TrimSuffix(strings.TrimSuffix(output, "Url"), "Queue") {
		if i > 0 && r >= 'A' && r <= 'Z' {
			name.WriteByte(' ')
		}
		name.WriteRune(r)
	}
	return strings.ToLower(name.String())
}

// read takes every message of a queue out of sight, and remembers it.
func (a *Attention) read(ctx context.Context, q *Queue) error {
	const holds = types.QueueAttributeNameApproximateNumberOfMessages
	count, err := a.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.URL,
		AttributeNames: []types.QueueAttributeName{holds}})
	if err != nil {
		return operate.Problem("look at the queue "+q.Name, err)
	}
	q.Messages, _ = strconv.Atoi(count.Attributes[string(holds)])
	read := 0
	for wait := int32(0); read < a.options.Limit; {
		out, err := a.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.URL,
			MaxNumberOfMessages: int32(min(batchSize, a.options.Limit-read)), WaitTimeSeconds: wait,
			VisibilityTimeout: holdSeconds, MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{
				types.MessageSystemAttributeNameSentTimestamp, types.MessageSystemAttributeNameApproximateReceiveCount,
			}})
		if err != nil {
			return operate.Problem("read the queue "+q.Name, err)
		}
		for _, m := range out.Messages {
			a.Items = append(a.Items, readItem(*q, m))
		}
		read += len(out.Messages)
		switch {
		case len(out.Messages) > 0:
			wait = 0
		case wait == 0 && read < q.Messages: // SQS says nothing sometimes, when it is not waited for
			wait = 1
		default:
			return nil
		}
		if a.options.Progress != nil {
			a.options.Progress(q.Name, read, q.Messages)
		}
	}
	return nil
}

// Release puts back into sight what was not taken out, also after ctx was cancelled.
func (a *Attention) Release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	byQueue := map[string][]types.ChangeMessageVisibilityBatchRequestEntry{}
	for n, i := range a.Items {
		if !i.gone {
			byQueue[i.url] = append(byQueue[i.url], types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(n)), ReceiptHandle: &i.receipt})
		}
	}
	for url, entries := range byQueue {
		for batch := range slices.Chunk(entries, batchSize) {
			// Best effort: what stays held comes back into sight by itself.
			_, _ = a.client.ChangeMessageVisibilityBatch(ctx,
				&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: batch})
		}
	}
}

// Pick finds one message by the beginning of its id.
func (a *Attention) Pick(id string) (*Item, error) {
	var found *Item
	for _, i := range a.Items {
		if !strings.HasPrefix(i.ID, id) || len(id) < shortestID {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("more than one message begins with %s; give more of the id", id)
		}
		found = i
	}
	if found == nil {
		return nil, fmt.Errorf("there is no message %s in the queues; kesu attention list names them "+
			"(at least %d characters), and another person may be looking at it", id, shortestID)
	}
	return found, nil
}

// Short is as much of an id as tells it from the others.
func (a *Attention) Short(id string) string {
	n := shownID
	for _, i := range a.Items {
		for i.ID != id && n < len(id) && strings.HasPrefix(i.ID, id[:n]) {
			n++
		}
	}
	return id[:min(n, len(id))]
}

// send puts a body into a queue.
func (a *Attention) send(ctx context.Context, url string, body []byte) error {
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(string(body))}
	if _, err := a.client.SendMessage(ctx, in); err != nil {
		return operate.Problem("put it into the queue "+url, err)
	}
	return nil
}

// remove takes a message out of its queue.
func (a *Attention) remove(ctx context.Context, i *Item) error {
	in := &sqs.DeleteMessageInput{QueueUrl: &i.url, ReceiptHandle: &i.receipt}
	if _, err := a.client.DeleteMessage(ctx, in); err != nil {
		return operate.Problem("take it out of the queue "+i.Queue, err)
	}
	i.gone = true
	return nil
}
