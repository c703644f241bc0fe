package sandbox

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"time"
)

// AttentionQueue is the queue in which settled events wait for a person, as template.yaml's AttentionRule fills it.
const AttentionQueue = "attention"

const (
	shelfVisibility = 30           // seconds: SQS's default
	visibilityMost  = 12 * 60 * 60 // seconds
)

// shelved is a message that waits in a queue that no function takes from.
type shelved struct {
	id, body  string
	sent      time.Time
	visibleAt time.Time
	receipt   string // of the latest receiving
	received  int
}

// Shelve lets a queue keep its messages until somebody receives and deletes them.
func (q *Queues) Shelve(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shelves == nil {
		q.shelves = map[string][]*shelved{}
	}
	q.shelves[name] = nil
}

// shelve keeps a message, if its queue is one that keeps them. The oldest goes when there are too many. The lock is held.
func (q *Queues) shelve(url, body string) {
	name := path.Base(url)
	list, kept := q.shelves[name]
	if !kept {
		return
	}
	now := q.now()
	q.shelves[name] = latest(append(list, &shelved{id: newUUID(), body: body, sent: now, visibleAt: now}))
}

// shelfOperations are what kesu attention asks of a queue:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html.
var shelfOperations = map[string]func(*Queues, []byte) (any, *awsError){
	"AmazonSQS.GetQueueAttributes":           (*Queues).attributes,
	"AmazonSQS.ReceiveMessage":               (*Queues).receive,
	"AmazonSQS.ChangeMessageVisibilityBatch": (*Queues).changeBatch,
	"AmazonSQS.DeleteMessage":                (*Queues).delete,
	"AmazonSQS.SendMessage":                  (*Queues).sendOne,
}

var (
	noSuchQueue = &awsError{400, "com.amazonaws.sqs#QueueDoesNotExist", "the queue does not exist, or keeps nothing"}
	badReceipt  = &awsError{404, "com.amazonaws.sqs#ReceiptHandleIsInvalid", "the receipt handle is not that of the latest receiving"}
	badQuery    = &awsError{400, "com.amazonaws.sqs#InvalidParameterValue", "a parameter is missing or out of bounds"}
)

// onShelf reads a request and finds the queue that it is about. The lock is held until the function that is returned is
// called.
func onShelf[T any](q *Queues, body []byte, url func(T) string) (in T, name string, end func(), failed *awsError) {
	if json.Unmarshal(body, &in) != nil {
		return in, "", nil, badQuery
	}
	q.mu.Lock()
	name = path.Base(url(in))
	if _, kept := q.shelves[name]; !kept {
		q.mu.Unlock()
		return in, "", nil, noSuchQueue
	}
	return in, name, q.mu.Unlock, nil
}

func (q *Queues) attributes(body []byte) (any, *awsError) {
	type query struct{ QueueUrl string }
	_, name, end, failed := onShelf(q, body, func(in query) string { return in.QueueUrl })
	if failed != nil {
		return nil, failed
	}
	defer end()
	visible := 0
	for _, m := range q.shelves[name] {
		if !m.visibleAt.After(q.now()) {
			visible++
		}
	}
	return map[string]any{"Attributes": map[string]string{"ApproximateNumberOfMessages": strconv.Itoa(visible)}}, nil
}

// receive gives the oldest visible messages and hides them. It does not wait for more.
func (q *Queues) receive(body []byte) (any, *awsError) {
	type query struct {
		QueueUrl            string
		MaxNumberOfMessages int
		VisibilityTimeout   *int // the queue's own without it
	}
	in, name, end, failed := onShelf(q, body, func(in query) string { return in.QueueUrl })
	if failed != nil {
		return nil, failed
	}
	defer end()
	hidden := shelfVisibility
	if in.VisibilityTimeout != nil {
		hidden = *in.VisibilityTimeout
	}
	if in.MaxNumberOfMessages < 0 || in.MaxNumberOfMessages > 10 || hidden < 0 || hidden > visibilityMost {
		return nil, badQuery
	}
	most, now, messages := max(in.MaxNumberOfMessages, 1), q.now(), []map[string]any{}
	for _, m := range q.shelves[name] {
		if len(messages) == most {
			break
		}
		if m.visibleAt.After(now) {
			continue
		}
		m.receipt, m.received = newUUID(), m.received+1
		m.visibleAt = now.Add(time.Duration(hidden) * time.Second)
		messages = append(messages, map[string]any{"MessageId": m.id, "ReceiptHandle": m.receipt, "Body": m.body,
			"MD5OfBody": md5Hex(m.body), "Attributes": map[string]string{
				"SentTimestamp":           strconv.FormatInt(m.sent.UnixMilli(), 10),
				"ApproximateReceiveCount": strconv.Itoa(m.received)}})
	}
	return map[string]any{"Messages": messages}, nil
}

func (q *Queues) changeBatch(body []byte) (any, *awsError) {
	type query struct {
		QueueUrl string
		Entries  []struct {
			Id, ReceiptHandle string
			VisibilityTimeout int
		}
	}
	in, name, end, failed := onShelf(q, body, func(in query) string { return in.QueueUrl })
	if failed != nil {
		return nil, failed
	}
	defer end()
	if len(in.Entries) < 1 || len(in.Entries) > 10 {
		return nil, badQuery
	}
	changed, wrong := []map[string]any{}, []map[string]any{}
	for _, e := range in.Entries {
		i := q.heldBy(name, e.ReceiptHandle)
		if i < 0 || e.VisibilityTimeout < 0 || e.VisibilityTimeout > visibilityMost {
			wrong = append(wrong, map[string]any{"Id": e.Id, "Code": "ReceiptHandleIsInvalid", "SenderFault": true})
			continue
		}
		q.shelves[name][i].visibleAt = q.now().Add(time.Duration(e.VisibilityTimeout) * time.Second)
		changed = append(changed, map[string]any{"Id": e.Id})
	}
	return map[string]any{"Successful": changed, "Failed": wrong}, nil
}

func (q *Queues) delete(body []byte) (any, *awsError) {
	type query struct{ QueueUrl, ReceiptHandle string }
	in, name, end, failed := onShelf(q, body, func(in query) string { return in.QueueUrl })
	if failed != nil {
		return nil, failed
	}
	defer end()
	i := q.heldBy(name, in.ReceiptHandle)
	if i < 0 {
		return nil, badReceipt
	}
	q.shelves[name] = slices.Delete(q.shelves[name], i, i+1)
	return struct{}{}, nil
}

// sendOne puts a message into any queue: into one that a function takes from it is how a request is put back.
func (q *Queues) sendOne(body []byte) (any, *awsError) {
	var in struct{ QueueUrl, MessageBody string }
	if json.Unmarshal(body, &in) != nil || in.QueueUrl == "" || in.MessageBody == "" || len(in.MessageBody) > entryLimit {
		return nil, badQuery
	}
	q.mu.Lock()
	_, kept := q.shelves[path.Base(in.QueueUrl)]
	taken := q.consumers[path.Base(in.QueueUrl)] != nil
	q.mu.Unlock()
	if !kept && !taken { // a mistyped address would lose the message
		return nil, noSuchQueue
	}
	q.Put(in.QueueUrl, in.MessageBody)
	return map[string]string{"MessageId": newUUID(), "MD5OfMessageBody": md5Hex(in.MessageBody)}, nil
}

// heldBy is the place of the message that was received with a handle, and -1 when there is none. The lock is held.
func (q *Queues) heldBy(name, receipt string) int {
	return slices.IndexFunc(q.shelves[name], func(m *shelved) bool { return receipt != "" && m.receipt == receipt })
}

// md5Hex is the digest that the SDK checks.
func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}
