package sandbox

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Consumer takes a queue's messages one by one, as an event source mapping of Lambda's does with a BatchSize of 1 and
// ReportBatchItemFailures (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
type Consumer struct {
	Function Invoker
	Timeout  time.Duration // of each invocation
	Pause    time.Duration // before a message that failed comes again, unless the function changed its visibility
	Receives int           // how often a message is received at most; then it is among the dead letters
}

// consuming is a queue that somebody takes from.
type consuming struct {
	Consumer
	name    string
	ending  context.Context
	end     context.CancelFunc
	working sync.WaitGroup
	closed  bool // guarded by Queues.mu, so that no message is begun while Close waits

	mu   sync.Mutex
	wait map[string]time.Duration // by receipt handle: what the function asked for
	dead []string
}

// Consume hands the messages of a queue to a function from now on. Close ends it.
func (q *Queues) Consume(name string, c Consumer) {
	taking := &consuming{Consumer: c, name: name, wait: map[string]time.Duration{}}
	taking.ending, taking.end = context.WithCancel(context.Background())
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.consumers == nil {
		q.consumers = map[string]*consuming{}
	}
	q.consumers[name] = taking
}

// QueueURL is the address of a queue, as a function is given it.
func QueueURL(name string) string {
	return "https://sqs." + Region + ".amazonaws.com/" + AccountID + "/" + name
}

// Put puts a message into a queue.
func (q *Queues) Put(url, body string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent = latest(append(q.sent, Sent{url, body}))
	q.shelve(url, body)
	if c := q.consumers[path.Base(url)]; c != nil && !c.closed {
		c.working.Go(func() { c.take(body) })
	}
}

// latest keeps the latest of a list that grows for days.
func latest[T any](list []T) []T {
	if len(list) <= recordLimit {
		return list
	}
	return append(list[:0:0], list[len(list)-recordLimit+recordLimit/10:]...)
}

// DeadLetters are the messages of a queue that were received too often.
func (q *Queues) DeadLetters(name string) []string {
	q.mu.Lock()
	c := q.consumers[name]
	q.mu.Unlock()
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.dead)
}

// Close ends the endpoint and whoever takes from the queues, and waits for them.
func (q *Queues) Close() error {
	q.mu.Lock()
	consumers := q.consumers
	for _, c := range consumers {
		c.closed = true
	}
	q.mu.Unlock()
	for _, c := range consumers {
		c.end()
		c.working.Wait()
	}
	return q.Host.Close()
}

// noteVisibility lets a message come again when the function said.
func (q *Queues) noteVisibility(v Visibility) {
	for _, c := range q.consumers {
		c.mu.Lock()
		if _, known := c.wait[v.ReceiptHandle]; known {
			c.wait[v.ReceiptHandle] = time.Duration(v.VisibilityTimeout) * time.Second
		}
		c.mu.Unlock()
	}
}

// take hands one message over until the function took it.
func (c *consuming) take(body string) {
	id := newUUID()
	for received := 1; received <= c.Receives; received++ {
		receipt := newUUID()
		c.mu.Lock()
		c.wait[receipt] = c.Pause
		c.mu.Unlock()
		taken := c.offer(id, receipt, body, received)
		c.mu.Lock()
		wait := c.wait[receipt]
		delete(c.wait, receipt)
		c.mu.Unlock()
		if taken || !linger(c.ending, wait, nil) || c.ending.Err() != nil {
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = latest(append(c.dead, body))
}

// offer invokes the function with a record, and reports whether it took it.
func (c *consuming) offer(id, receipt, body string, received int) bool {
	sum := md5.Sum([]byte(body))
	payload, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
		"messageId": id, "receiptHandle": receipt, "body": body, "md5OfBody": hex.EncodeToString(sum[:]),
		"attributes": map[string]any{"ApproximateReceiveCount": strconv.Itoa(received)}, "messageAttributes": map[string]any{},
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:" + Region + ":" + AccountID + ":" + c.name, "awsRegion": Region}}})
	if err != nil {
		return false
	}
	result, err := c.Function.Invoke(c.ending, payload, c.Timeout)
	if err != nil || result.Failed() {
		return false
	}
	var answer struct {
		BatchItemFailures []json.RawMessage `json:"batchItemFailures"`
	}
	return json.Unmarshal(result.Payload, &answer) == nil && len(answer.BatchItemFailures) == 0
}
