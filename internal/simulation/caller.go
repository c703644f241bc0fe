package simulation

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kesu-go/kesu/pkg/wire"
)

// tries is how often an event is delivered in the storm before it is in the dead-letter queue.
const tries = 6

// callerTries is how often a caller tries that is not told more than to try again.
const callerTries = 9

// fairTries is how often what is still kept after the storm is tried in fair weather. Each try waits long enough for a
// lease, a breaker and a pace to be over.
const fairTries = 5

// ask lets a command come in at its time, once per copy.
func (w *world) ask(c *command) {
	for number := range c.copies {
		if c.door == doorQueue {
			continue // the poller delivers those
		}
		apart := w.dice.span(placeCopy, uint64(c.index), uint64(number), 0, 3*time.Second)
		w.start(func() {
			time.Sleep(c.start + apart)
			switch c.door {
			case doorEvent:
				w.deliver(c, number)
			default:
				w.call(c, number)
			}
		})
	}
}

// timeout is the time that an invocation gets. A few get very little, as from a caller that is about to give up.
func (w *world) timeout(v *visit) time.Duration {
	switch share := w.dice.share(placeVisit, v.id, 10); {
	case w.options.Faults == 0 || w.calm():
		return w.dice.span(placeVisit, v.id, 11, 25*time.Second, 30*time.Second)
	case share < 0.08:
		return w.dice.span(placeVisit, v.id, 11, 400*time.Millisecond, 1500*time.Millisecond)
	case share < 0.25:
		return w.dice.span(placeVisit, v.id, 11, 2*time.Second, 9*time.Second)
	}
	return w.dice.span(placeVisit, v.id, 11, 10*time.Second, 30*time.Second)
}

func (w *world) calm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fair
}

// visitOnce brings one command to one process.
func (w *world) visitOnce(v *visit) (answer []byte, err error, ok bool) {
	p := w.process(v.command.action, v.id>>8)
	payload := v.command.payload(w.merchants[v.command.merchant], v.resend, v.otherTxn)
	return w.invoke(p, payload, w.timeout(v), v)
}

// call is one caller that waits for an answer: it tries again on 503 and 409 after the Retry-After, and after no answer
// at all. On 504 it repeats a completion; a reply it leaves to a person, who now and then sends it again.
func (w *world) call(c *command, number int) {
	resend, asked := false, 0
	for try := 0; try < callerTries+3*asked; try++ {
		v := w.newVisit(c, number, try, resend)
		answer, err, ok := w.visitOnce(v)
		wait := w.dice.span(placeVisit, v.id, 12, 200*time.Millisecond, []time.Duration{3 * time.Second, 40 * time.Second}[v.id%2])
		if !ok {
			time.Sleep(wait)
			continue
		}
		outcome, retryAfter := w.read(v, answer, err)
		person := w.dice.share(placeVisit, v.id, 13) < 0.5
		switch {
		case outcome == wire.Retryable:
			wait += min(retryAfter, 90*time.Second)
		case outcome == wire.Unknown && c.repeatable() && !v.result.Final:
		case outcome == wire.Unknown && !resend && asked < w.asksAgain(c):
			asked++
			wait = w.patience(v, asked)
		case outcome == wire.Unknown && person:
			resend = true
			wait *= 4
		default:
			w.settle(v)
			return
		}
		time.Sleep(wait)
	}
	w.keep(c)
}

// asksAgain is how often a reply whose outcome is unknown is asked for again, without resend_unknown: by its caller, or by
// whoever listens to the settled events. Nothing is sent then; the next one looks.
func (w *world) asksAgain(c *command) int {
	if !w.merchants[c.merchant].readable() {
		return 0
	}
	return 5
}

// patience is the wait before that: 1, 2, 4, 4 and 4 minutes, and a little more.
func (w *world) patience(v *visit, asked int) time.Duration {
	wait := min(time.Minute<<(asked-1), 4*time.Minute)
	return wait + w.dice.span(placeVisit, v.id, 15, 0, 10*time.Second)
}

// read takes the outcome out of an answer, and makes sure that the answer is the result.
func (w *world) read(v *visit, answer []byte, err error) (outcome wire.Outcome, retryAfter time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body := answer
	status := 0
	if v.command.door == doorHTTP {
		var response events.APIGatewayProxyResponse
		if json.Unmarshal(answer, &response) != nil {
			w.violate(v, KindAnswer, "it is not an HTTP answer")
		}
		status, body = response.StatusCode, []byte(response.Body)
		after, _ := strconv.Atoi(response.Headers["Retry-After"])
		retryAfter = time.Duration(after) * time.Second
	}
	if v.command.door == doorEvent { // an array and a topic give a list
		body = bytes.TrimSuffix(bytes.TrimPrefix(body, []byte("[")), []byte("]"))
	}
	var said struct {
		Outcome wire.Outcome `json:"outcome"`
		Code    string       `json:"code"`
	}
	if err != nil || json.Unmarshal(body, &said) != nil || said.Outcome != v.result.Outcome || said.Code != v.result.Code {
		w.violate(v, KindAnswer, "it says %s %s (%v)", said.Outcome, said.Code, err)
	}
	fits := map[wire.Outcome][]int{
		wire.Succeeded: {200}, wire.Retryable: {409, 503, 500}, wire.Unknown: {504, 500}, wire.Rejected: {400, 404, 413, 415, 422, 502},
	}
	if status != 0 && !contains(fits[said.Outcome], status) || status != 0 && (said.Outcome == wire.Retryable) != (retryAfter > 0) {
		w.violate(v, KindAnswer, "%s with %d and Retry-After %s", said.Outcome, status, retryAfter)
	}
	if status == http.StatusInternalServerError {
		w.violate(v, KindOther, "INTERNAL")
	}
	return said.Outcome, retryAfter
}

func contains(list []int, n int) bool {
	for _, x := range list {
		if x == n {
			return true
		}
	}
	return false
}

// deliver is one copy of an event that EventBridge brings to the function until it is taken, and then keeps in its
// dead-letter queue. What is kept is redriven in fair weather.
func (w *world) deliver(c *command, number int) {
	asked := 0
	for try := 0; try < tries+2*asked+fairTries; try++ {
		if try == tries+2*asked && c.unreadable() {
			w.keep(c)
			return
		}
		if try == tries+2*asked {
			w.awaitFairWeather()
		}
		v := w.newVisit(c, number, try, false)
		answer, err, ok := w.visitOnce(v)
		if ok && err == nil && c.unreadable() {
			w.mu.Lock()
			c.settled++
			w.mu.Unlock()
			return
		}
		if ok && err == nil {
			outcome, _ := w.read(v, answer, nil)
			if outcome == wire.Unknown && asked < w.asksAgain(c) && !w.calm() {
				asked++
				time.Sleep(w.patience(v, asked))
				continue
			}
			w.settle(v)
			return
		}
		var failure messages.InvokeResponse_Error
		if ok && !errors.As(err, &failure) {
			w.mu.Lock()
			w.violate(v, KindAnswer, "an error without a type: %v", err)
			w.mu.Unlock()
		}
		if ok && c.unreadable() && (failure.Type != wire.CodeUnreadableEvent || !strings.Contains(failure.Message, c.named())) {
			w.mu.Lock()
			w.violate(v, KindDropped, "the error does not name it: %v", err)
			w.mu.Unlock()
		}
		time.Sleep(w.backoff(v, try-2*asked))
	}
	w.stuck(c)
	w.keep(c)
}

// backoff is the wait before the next delivery. In fair weather it outlasts every lease.
func (w *world) backoff(v *visit, try int) time.Duration {
	if try >= tries-1 {
		return w.dice.span(placeVisit, v.id, 14, 70*time.Second, 100*time.Second)
	}
	return w.dice.span(placeVisit, v.id, 14, 300*time.Millisecond, []time.Duration{5 * time.Second, 60 * time.Second}[v.id%2])
}

// settle is the end of one copy: its caller has an answer that stands, or its message is deleted.
func (w *world) settle(v *visit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, r := v.command, v.result
	w.note(v, "settled", r.Code, 0)
	c.settled++
	w.tally.Copies++
	w.tally.ended(r)
	if c.door != doorEvent && c.door != doorQueue {
		return
	}
	again := v.again()
	w.checkPerson(v)
	switch {
	case !v.done || again:
		w.tally.Losses++
		w.violate(v, KindLost, "its result is %q %s", r.Outcome, r.Code)
	case w.bus && v.published != r.Outcome:
		w.tally.Losses++
		w.violate(v, KindLost, "its settled event is not on the bus")
	}
}

// keep is a copy that is still held, by its caller or in a dead-letter queue.
func (w *world) keep(c *command) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept(c)
}

// kept is keep with w.mu held.
func (w *world) kept(c *command) {
	c.kept++
	w.tally.Copies++
	w.tally.KeptCopies++
}

// stuck is a message that five tries in fair weather did not settle.
func (w *world) stuck(c *command) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violate(&visit{command: c}, KindWedged, "%d tries", fairTries)
}

// awaitFairWeather waits until the storm is over: long after the last command, and at the same time for all.
func (w *world) awaitFairWeather() {
	end := w.began.Add(w.span + 30*time.Minute)
	time.Sleep(time.Until(end))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fair = true
}
