package simulation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kesu-go/kesu/pkg/wire"
)

// message is one copy of a command in an SQS queue.
type message struct {
	command *command
	number  int
	try     int // how often it was received
	fair    int // how often in fair weather
	visible time.Time
	gone    bool // deleted, or given up and kept
}

// batchSize is what SQS hands to one invocation at most.
const batchSize = 10

// poll delivers the queued commands of one action in batches, in no order, until each message is deleted or has been
// redriven in vain.
func (w *world) poll(action wire.Action, list []*command) {
	var waiting []*message
	for _, c := range list {
		for number := range c.copies {
			if c.door == doorQueue && c.action == action {
				visible := w.began.Add(c.start + w.dice.span(placeCopy, uint64(c.index), uint64(number), 0, 3*time.Second))
				waiting = append(waiting, &message{command: c, number: number, visible: visible})
			}
		}
	}
	kind := hashText(string(action))
	w.start(func() {
		for round := uint64(0); ; round++ {
			w.mu.Lock()
			waiting = slices.DeleteFunc(waiting, func(m *message) bool { return m.gone })
			batch := w.batch(waiting)
			w.mu.Unlock()
			if len(waiting) == 0 {
				return
			}
			if len(batch) > 0 {
				w.start(func() { w.carry(batch, kind+round) })
			}
			time.Sleep(w.dice.span(placePoll, kind, round, 500*time.Millisecond, 4*time.Second))
		}
	})
}

// maxReceives is the maxReceiveCount of template.yaml's queues.
const maxReceives = 100

// crowdHidden is their visibility timeout, six times the function's time.
const crowdHidden = 168 * time.Second

// batch takes messages that are visible, and hides them for a while: sometimes for less than it takes to carry them
// out, so that they are delivered again meanwhile. What was received too often is in the dead-letter queue until the
// storm is over, and what cannot be read stays there. w.mu is held.
func (w *world) batch(messages []*message) []*message {
	now, calm := time.Now(), w.began.Add(w.span+30*time.Minute)
	w.fair = w.fair || now.After(calm)
	var batch []*message
	for _, m := range messages {
		twin := slices.ContainsFunc(batch, func(other *message) bool { return other.command.group.complaint == m.command.group.complaint })
		if m.visible.After(now) || twin || len(batch) == batchSize {
			continue
		}
		hidden := w.dice.span(placeCopy, uint64(m.command.index)<<8+uint64(m.number), uint64(m.try)+100, 4*time.Second, 90*time.Second)
		if w.options.Crowd {
			hidden = crowdHidden
		}
		switch {
		case (m.try == maxReceives || w.fair) && m.command.unreadable():
			m.gone = true
			w.kept(m.command)
			continue
		case m.try == maxReceives && !w.fair:
			m.visible = calm.Add(hidden)
			continue
		case w.fair:
			m.fair++
			m.visible = now.Add(70*time.Second + hidden/2)
		default:
			m.visible = now.Add(hidden)
		}
		batch = append(batch, m)
	}
	return batch
}

// handover is how a batch is handed to the function.
type handover uint8

const (
	asRecords      handover = iota // Records, as Lambda polls a queue
	asRecordArray                  // an array of the records, as EventBridge Pipes does
	asArray                        // an array of the events that the records hold, as a pipe's input template makes it
	handoversOfTen = 10
)

// handover is one for each queue of a world.
func (w *world) handover(batch []*message) handover {
	only := !slices.ContainsFunc(batch, func(m *message) bool { return m.command.shape != plain })
	switch n := w.dice.roll(placeBatch, hashText(string(batch[0].command.action)), 0) % handoversOfTen; {
	case n == 0 && only && !w.options.Crowd:
		return asArray
	case n < 3:
		return asRecordArray
	}
	return asRecords
}

// carry brings a batch to a process and deletes what was delivered.
func (w *world) carry(batch []*message, id uint64) {
	records, array := []events.SQSMessage{}, []json.RawMessage{}
	var visits []*visit
	for _, m := range batch {
		v := w.newVisit(m.command, m.number, m.try, false)
		v.message = m
		visits = append(visits, v)
		text := m.command.text(w.merchants[m.command.merchant])
		array = append(array, json.RawMessage(text))
		// Copies are one message that SQS delivers more than once, or one event that a bus does.
		records = append(records, events.SQSMessage{
			MessageId: fmt.Sprint(m.command.index), Body: text, EventSource: "aws:sqs", EventSourceARN: queueARN, ReceiptHandle: v.handle(),
		})
		w.mu.Lock()
		m.try++
		w.mu.Unlock()
	}
	how := w.handover(batch)
	for _, v := range visits {
		v.queued = how != asArray
	}
	payload := any(events.SQSEvent{Records: records})
	switch how {
	case asRecordArray:
		payload = records
	case asArray:
		payload = array
	}
	p := w.process(batch[0].command.action, id)
	answer, err, ok := w.invoke(p, encode(payload), w.timeout(visits[0]), visits...)
	if how == asArray {
		w.afterArray(batch, visits, answer, err, ok)
		return
	}
	var response events.SQSEventResponse
	if ok && (err != nil || json.Unmarshal(answer, &response) != nil) {
		w.mu.Lock()
		w.violate(visits[0], KindAnswer, "not the answer to a batch: %v", err)
		w.mu.Unlock()
		ok = false
	}
	for i, m := range batch {
		failed := slices.ContainsFunc(response.BatchItemFailures, func(f events.SQSBatchItemFailure) bool {
			return f.ItemIdentifier == records[i].MessageId
		})
		if ok && failed {
			w.checkShown(visits[i])
		}
		w.after(m, visits[i], ok && !failed)
	}
}

// afterArray is what becomes of events that were handed over as an array: all of them come again, or none.
func (w *world) afterArray(batch []*message, visits []*visit, answer []byte, err error, ok bool) {
	var results []json.RawMessage
	var failure messages.InvokeResponse_Error
	if ok && (err == nil && (json.Unmarshal(answer, &results) != nil || len(results) != len(batch)) || err != nil && !errors.As(err, &failure)) {
		w.mu.Lock()
		w.violate(visits[0], KindAnswer, "not the answer to an array: %s, %v", answer, err)
		w.mu.Unlock()
	}
	for i, m := range batch {
		w.after(m, visits[i], ok && err == nil)
	}
}

// after is what SQS does with a message after an invocation.
func (w *world) after(m *message, v *visit, delivered bool) {
	if delivered {
		if f, _ := w.fault(v, stepDelete); f == deleteFails {
			delivered = false
		}
	}
	w.mu.Lock()
	already := m.gone
	givenUp := !delivered && m.fair == 2*fairTries
	m.gone = m.gone || delivered || givenUp
	w.mu.Unlock()
	switch {
	case already:
	case delivered && m.command.unreadable():
		w.mu.Lock()
		m.command.settled++
		w.mu.Unlock()
	case delivered:
		w.settle(v)
	case givenUp:
		w.stuck(m.command)
		w.keep(m.command)
	}
}
