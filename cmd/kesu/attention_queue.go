package main

import (
	"context"
	"fmt"
	"os"
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
	holdSeconds = 300 // a message that is looked at is out of others' sight for that long, at most
	batchSize   = 10  // SQS's most
	shortestID  = 4
)

// waiting are the outputs of template.yaml that name queues with something for a person, in the order of the list.
var waiting = []string{"AttentionQueueUrl", "ReplyDeadLettersUrl", "CompleteDeadLettersUrl", "UndeliveredEventsUrl", "FailedEventsUrl"}

// queue is one queue that was looked at.
type queue struct {
	Name     string `json:"name"`
	URL      string `json:"url"`
	Messages int    `json:"messages"` // about how many it holds
}

// attention is what was found in the queues. The messages are held until release.
type attention struct {
	client  *sqs.Client
	queues  []queue
	items   []*item
	outputs map[string]string // of the stack
}

// look reads every queue.
func (f queueFlags) look(ctx context.Context, t terminal) (*attention, error) {
	if (f.Stack == "") == (len(f.Queue) == 0) {
		return nil, usage("which queues? Give --stack NAME, or --queue URL")
	}
	found := &attention{outputs: map[string]string{}}
	for _, url := range f.Queue {
		found.queues = append(found.queues, queue{Name: url[strings.LastIndex(url, "/")+1:], URL: url})
	}
	if f.Stack != "" {
		s, err := operate.DescribeStack(ctx, f.account(), f.Stack)
		if err != nil {
			return nil, err
		}
		found.outputs = s.Outputs
		for _, output := range waiting {
			if url := s.Outputs[output]; url != "" {
				found.queues = append(found.queues, queue{Name: queueName(output), URL: url})
			}
		}
		if len(found.queues) == 0 {
			return nil, fmt.Errorf("the stack %s has none of the outputs %s", f.Stack, strings.Join(waiting, ", "))
		}
	}
	c, err := f.account().Config(ctx)
	if err != nil {
		return nil, err
	}
	found.client = sqs.NewFromConfig(c)
	for i := range found.queues {
		if err := found.read(ctx, t, &found.queues[i], f.Limit); err != nil {
			found.release(ctx)
			return nil, err
		}
	}
	if onTerminal(os.Stderr) {
		fmt.Fprint(t.err, "\r\x1b[K")
	}
	slices.SortStableFunc(found.items, func(a, b *item) int { return a.Since.Compare(b.Since) })
	return found, nil
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
func (a *attention) read(ctx context.Context, t terminal, q *queue, limit int) error {
	count, err := a.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages}})
	if err != nil {
		return operate.Problem("look at the queue "+q.Name, err)
	}
	q.Messages, _ = strconv.Atoi(count.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	read := 0
	for wait := int32(0); read < limit; {
		out, err := a.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: int32(min(batchSize, limit-read)),
			VisibilityTimeout: holdSeconds, WaitTimeSeconds: wait, MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp, types.MessageSystemAttributeNameApproximateReceiveCount}})
		if err != nil {
			return operate.Problem("read the queue "+q.Name, err)
		}
		for _, m := range out.Messages {
			a.items = append(a.items, readItem(*q, m))
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
		if onTerminal(os.Stderr) && q.Messages > 10*batchSize {
			fmt.Fprintf(t.err, "\r\x1b[K%s: %d of about %d", q.Name, read, q.Messages)
		}
	}
	return nil
}

// release puts back into sight what was not taken out.
func (a *attention) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	byQueue := map[string][]types.ChangeMessageVisibilityBatchRequestEntry{}
	for n, i := range a.items {
		if !i.gone {
			byQueue[i.url] = append(byQueue[i.url], types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(strconv.Itoa(n)), ReceiptHandle: &i.receipt})
		}
	}
	for url, entries := range byQueue {
		for batch := range slices.Chunk(entries, batchSize) {
			// Best effort: what stays held comes back into sight by itself.
			_, _ = a.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(url), Entries: batch})
		}
	}
}

// pick finds one message by the beginning of its id.
func (a *attention) pick(id string) (*item, error) {
	var found *item
	for _, i := range a.items {
		if !strings.HasPrefix(i.ID, id) || len(id) < shortestID {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("more than one message begins with %s; give more of the id", id)
		}
		found = i
	}
	if found == nil {
		return nil, fmt.Errorf("there is no message %s in the queues; kesu attention list names them (at least %d characters), and another person may be looking at it", id, shortestID)
	}
	return found, nil
}

// short is as much of an id as tells it from the others.
func (a *attention) short(id string) string {
	n := 8
	for _, i := range a.items {
		for i.ID != id && n < len(id) && strings.HasPrefix(i.ID, id[:n]) {
			n++
		}
	}
	return id[:min(n, len(id))]
}

// send puts a body into a queue.
func (a *attention) send(ctx context.Context, url string, body []byte) error {
	if _, err := a.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(string(body))}); err != nil {
		return operate.Problem("put it into the queue "+url, err)
	}
	return nil
}

// remove takes a message out of its queue.
func (a *attention) remove(ctx context.Context, i *item) error {
	if _, err := a.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &i.url, ReceiptHandle: &i.receipt}); err != nil {
		return operate.Problem("take it out of the queue "+i.Queue, err)
	}
	i.gone = true
	return nil
}

// home is the queue that an item's request belongs into: the one that is said, the stack's for its action, or the one that
// a dead-letter queue belongs to.
func (a *attention) home(ctx context.Context, i *item, to string) (string, error) {
	if to != "" {
		return to, nil
	}
	output := map[string]string{"reply": "ReplyQueueUrl", "complete": "CompleteQueueUrl"}[i.Action]
	if i.Kind == kindResult {
		output = "AttentionQueueUrl"
	}
	if url := a.outputs[output]; url != "" && url != i.url {
		return url, nil
	}
	if i.Kind == kindRequest {
		out, err := a.client.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &i.url})
		if err == nil && len(out.QueueUrls) == 1 {
			return out.QueueUrls[0], nil
		}
	}
	return "", fmt.Errorf("%s: nobody says which queue it belongs into; give --to URL", i.ID)
}
