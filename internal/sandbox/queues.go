package sandbox

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Queues is SQS as far as the functions and kesu attention call it, for queues of any name. What was asked for is kept; a
// queue with a [Consumer] hands its messages over, one that shelves them keeps them until they are received and deleted, and
// from any other nobody takes them. It may be used by several goroutines at once.
type Queues struct {
	*Host
	mu        sync.Mutex
	changes   []Visibility
	sent      []Sent
	consumers map[string]*consuming // by the queue's name
	shelves   map[string][]*shelved // likewise: the messages of queues that keep them
	clock     func() time.Time
}

// Sent is a message that was put into a queue.
type Sent struct{ QueueUrl, Body string }

// Sent returns the messages so far, the oldest first.
func (q *Queues) Sent() []Sent {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.sent)
}

// send takes 1 to 10 messages:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html.
func (q *Queues) send(r *http.Request, body []byte, c *Call) answer {
	var in struct {
		QueueUrl string
		Entries  []struct{ Id, MessageBody string }
	}
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="):
		return sqsAnswer(c, &awsError{403, "com.amazonaws.sqs#MissingAuthenticationToken", "the request is not signed"})
	case json.Unmarshal(body, &in) != nil || in.QueueUrl == "" || len(in.Entries) == 0:
		return sqsAnswer(c, &awsError{400, "com.amazonaws.sqs#EmptyBatchRequest", "the batch has no entries"})
	case len(in.Entries) > 10:
		return sqsAnswer(c, &awsError{400, "com.amazonaws.sqs#TooManyEntriesInBatchRequest", "the batch has more than 10 entries"})
	}
	taken := []map[string]string{}
	for _, e := range in.Entries {
		q.Put(in.QueueUrl, e.MessageBody)
		taken = append(taken, map[string]string{"Id": e.Id, "MessageId": newUUID(), "MD5OfMessageBody": md5Hex(e.MessageBody)})
	}
	a := awsAnswer(c, map[string]any{"Successful": taken, "Failed": []any{}}, nil)
	a.header.Set("Content-Type", "application/x-amz-json-1.0")
	return a
}

// Visibility is a ChangeMessageVisibility call, as the API spells it.
type Visibility struct {
	QueueUrl, ReceiptHandle string
	VisibilityTimeout       int // seconds
}

// NewQueues makes the endpoint; it listens at once.
func NewQueues(now func() time.Time) (*Queues, error) {
	q := &Queues{clock: now}
	host, err := newHost("sqs", q, now)
	q.Host = host
	return q, err
}

func (q *Queues) now() time.Time {
	if q.clock == nil {
		return time.Now()
	}
	return q.clock()
}

// Changes returns the calls so far, the oldest first.
func (q *Queues) Changes() []Visibility {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.changes)
}

func (q *Queues) act(r *http.Request, body []byte, _ *Fault, c *Call) answer {
	var in Visibility
	operation, onShelf := shelfOperations[r.Header.Get("X-Amz-Target")]
	switch {
	case onShelf && strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="):
		out, failed := operation(q, body)
		a := awsAnswer(c, out, failed)
		a.header.Set("Content-Type", "application/x-amz-json-1.0")
		return a
	case onShelf:
		return sqsAnswer(c, &awsError{403, "com.amazonaws.sqs#MissingAuthenticationToken", "the request is not signed"})
	case r.Header.Get("X-Amz-Target") == "AmazonSQS.SendMessageBatch":
		return q.send(r, body, c)
	case r.Header.Get("X-Amz-Target") != "AmazonSQS.ChangeMessageVisibility":
		return sqsAnswer(c, &awsError{400, "com.amazonaws.sqs#UnsupportedOperation", "no such operation"})
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="):
		return sqsAnswer(c, &awsError{403, "com.amazonaws.sqs#MissingAuthenticationToken", "the request is not signed"})
	case json.Unmarshal(body, &in) != nil || in.QueueUrl == "" || in.ReceiptHandle == "" ||
		in.VisibilityTimeout < 0 || in.VisibilityTimeout > visibilityMost:
		return sqsAnswer(c, &awsError{400, "com.amazonaws.sqs#InvalidParameterValue", "a parameter is out of bounds"})
	}
	q.mu.Lock()
	q.changes = latest(append(q.changes, in))
	q.noteVisibility(in)
	if name := path.Base(in.QueueUrl); q.heldBy(name, in.ReceiptHandle) >= 0 {
		q.shelves[name][q.heldBy(name, in.ReceiptHandle)].visibleAt = q.now().Add(time.Duration(in.VisibilityTimeout) * time.Second)
	}
	q.mu.Unlock()
	return sqsAnswer(c, nil)
}

func (q *Queues) refuse(_ *http.Request, _ []byte, f *Fault, c *Call) answer {
	status := f.Status
	if status == 0 {
		status = http.StatusForbidden
	}
	return sqsAnswer(c, &awsError{status, f.Code, f.Message})
}

// sqsAnswer answers in AWS JSON 1.0; the one operation has no output.
func sqsAnswer(c *Call, failed *awsError) answer {
	a := awsAnswer(c, struct{}{}, failed)
	a.header.Set("Content-Type", "application/x-amz-json-1.0")
	return a
}
