package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// taker is a function that notes what it is invoked with.
type taker struct {
	mu       sync.Mutex
	payloads []string
	at       []time.Time
	answer   func(n int, record events.SQSMessage) Invocation
}

func (k *taker) Invoke(_ context.Context, payload []byte, _ time.Duration) (Invocation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var batch events.SQSEvent
	if err := json.Unmarshal(payload, &batch); err != nil || len(batch.Records) != 1 {
		return Invocation{}, fmt.Errorf("no batch of one: %v", err)
	}
	k.payloads, k.at = append(k.payloads, batch.Records[0].Body), append(k.at, time.Now())
	return k.answer(len(k.payloads), batch.Records[0]), nil
}

func failure(record events.SQSMessage) Invocation {
	return Invocation{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"` + record.MessageId + `"}]}`)}
}

// aQueue is a queue whose endpoint does not listen: messages are put into it here.
func aQueue(k *taker, receives int) *Queues {
	q := &Queues{Host: &Host{}}
	q.Consume("kesu-watch", Consumer{Function: k, Pause: time.Minute, Receives: receives})
	return q
}

func TestAQueueHandsItsMessagesOverUntilTheyAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &taker{answer: func(n int, r events.SQSMessage) Invocation {
			switch n {
			case 1:
				return failure(r)
			case 2:
				return Invocation{ErrorType: "Sandbox.Timedout"}
			}
			return Invocation{Payload: []byte(`{"batchItemFailures":[]}`)}
		}}
		q := aQueue(k, 10)
		began := time.Now()
		q.Put(QueueURL("kesu-watch"), "hello")
		q.Put(QueueURL("another"), "nobody takes it")
		time.Sleep(time.Hour)
		synctest.Wait()
		if !slices.Equal(k.payloads, []string{"hello", "hello", "hello"}) || k.at[2].Sub(began) != 2*time.Minute || len(q.DeadLetters("kesu-watch")) != 0 {
			t.Errorf("%v after %v", k.payloads, k.at)
		}
		if len(q.Sent()) != 2 {
			t.Errorf("%v", q.Sent())
		}
		if err := q.Close(); err != nil {
			t.Error(err)
		}
		q.Put(QueueURL("kesu-watch"), "too late")
		synctest.Wait()
		if len(k.payloads) != 3 {
			t.Error("a closed queue hands over")
		}
	})
}

func TestAMessageThatIsNeverTakenIsADeadLetterAndAFunctionMayChangeItsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q *Queues
		k := &taker{answer: func(n int, r events.SQSMessage) Invocation {
			if want := fmt.Sprint(n); r.Attributes["ApproximateReceiveCount"] != want || !strings.HasSuffix(r.EventSourceARN, ":kesu-watch") {
				t.Errorf("record %+v", r)
			}
			q.noteVisibility(Visibility{ReceiptHandle: r.ReceiptHandle, VisibilityTimeout: 7})
			return failure(r)
		}}
		q = aQueue(k, 3)
		q.Put(QueueURL("kesu-watch"), "poison")
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(k.at) != 3 || k.at[2].Sub(k.at[0]) != 14*time.Second || !slices.Equal(q.DeadLetters("kesu-watch"), []string{"poison"}) {
			t.Errorf("%v, dead %v", k.at, q.DeadLetters("kesu-watch"))
		}
		_ = q.Close()
	})
}
