package simulation

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/pkg/wire"
)

// message is one copy of a command in an SQS queue.
type message struct {
	command *command
	number  int
	try     int
	visible time.Time
	gone    bool // deleted, or given up and kept
}

// batchSize is what SQS hands to one invocation at most.
const batchSize = 10

// poll delivers the queued commands of one action in batches, in no order, until each message is deleted or has been
// redriven in vain.
func (w *world) poll(action wire.Action, list []*command) {
	var messages []*message
	for _, c := range list {
		for number := range c.copies {
			if c.door == doorQueue && c.action == action {
				visible := w.began.Add(c.start + w.dice.span(placeCopy, uint64(c.index), uint64(number), 0, 3*time.Second))
				messages = append(messages, &message{command: c, number: number, visible: visible})
			}
		}
	}
	kind := hashText(string(action))
	w.start(func() {
		for round := uint64(0); ; round++ {
			w.mu.Lock()
			messages = slices.DeleteFunc(messages, func(m *message) bool { return m.gone })
			batch := w.batch(messages)
			w.mu.Unlock()
			if len(messages) == 0 {
				return
			}
			if len(batch) > 0 {
				w.start(func() { w.carry(batch, kind+round) })
			}
			time.Sleep(w.dice.span(placePoll, kind, round, 500*time.Millisecond, 4*time.Second))
		}
	})
}

// batch takes messages that are visible, and hides them for a while: sometimes for less than it takes to carry them
// out, so that they are delivered again meanwhile. w.mu is held.
func (w *world) batch(messages []*message) []*message {
	now := time.Now()
	var batch []*message
	for _, m := range messages {
		twin := slices.ContainsFunc(batch, func(other *message) bool { return other.command.group == m.command.group })
		if m.visible.After(now) || twin || len(batch) == batchSize {
			continue
		}
		hidden := w.dice.span(placeCopy, uint64(m.command.index)<<8+uint64(m.number), uint64(m.try)+100, 4*time.Second, 90*time.Second)
		switch {
		case m.try == tries-1: // then the dead-letter queue, until the storm is over
			m.visible = w.began.Add(w.span + 30*time.Minute + hidden)
		case m.try >= tries:
			w.fair = true
			m.visible = now.Add(70*time.Second + hidden/2)
		default:
			m.visible = now.Add(hidden)
		}
		batch = append(batch, m)
	}
	return batch
}

// carry brings a batch to a process and deletes what was delivered.
func (w *world) carry(batch []*message, id uint64) {
	sqs := events.SQSEvent{}
	var visits []*visit
	for _, m := range batch {
		v := w.newVisit(m.command, m.number, m.try, false)
		visits = append(visits, v)
		sqs.Records = append(sqs.Records, events.SQSMessage{
			MessageId: fmt.Sprint(m.command.index, "-", m.number), Body: string(m.command.event(w.merchants[m.command.merchant])),
		})
		w.mu.Lock()
		m.try++
		w.mu.Unlock()
	}
	p := w.process(batch[0].command.action, id)
	answer, err, ok := w.invoke(p, encode(sqs), w.timeout(visits[0]), visits...)
	var response events.SQSEventResponse
	if ok && (err != nil || json.Unmarshal(answer, &response) != nil) {
		w.mu.Lock()
		w.violate(visits[0], KindAnswer, "not the answer to a batch: %v", err)
		w.mu.Unlock()
		ok = false
	}
	for i, m := range batch {
		failed := slices.ContainsFunc(response.BatchItemFailures, func(f events.SQSBatchItemFailure) bool {
			return f.ItemIdentifier == sqs.Records[i].MessageId
		})
		w.after(m, visits[i], ok && !failed)
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
	givenUp := !delivered && m.try == tries+fairTries
	m.gone = m.gone || delivered || givenUp
	w.mu.Unlock()
	switch {
	case already:
	case delivered:
		w.settle(v)
	case givenUp:
		w.stuck(m.command)
		w.keep(m.command)
	}
}
