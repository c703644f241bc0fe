package console

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// What a journal keeps at most: a sandbox may run for days.
const (
	callLimit    = 300       // calls, the latest ones
	lineLimit    = 64        // log lines of one call
	payloadLimit = 256 << 10 // bytes of a payload; of a longer one nothing is kept
)

// Journal notes every invocation of the functions and what they log about it. It is the [sandbox.Watcher] of a world and
// one of the writers of its Output. It may be used by several goroutines at once.
type Journal struct {
	mu      sync.Mutex
	calls   []*call // in the order in which they were first heard of
	byID    map[string]*call
	latest  int64 // the latest change's number
	changed chan struct{}
}

// call is one invocation. What a [Journal] hands out is a copy.
type call struct {
	change   int64 // the number of its latest change
	id       string
	function string // "" as long as only log lines told of it
	payload  []byte
	began    time.Time
	ended    time.Time // zero while it runs
	result   sandbox.Invocation
	lines    []logLine
}

// logLine is what the console reads in a function's log line (contract, section 9).
type logLine struct {
	At        time.Time `json:"timestamp"`
	Level     string    `json:"level"`
	Msg       string    `json:"msg"`
	RequestID string    `json:"aws_request_id"`

	// Of the line "attempt".
	Attempt    int    `json:"attempt"`
	Host       string `json:"host"`
	Bytes      string `json:"bytes"`
	Status     int    `json:"status"`
	Decision   string `json:"decision"`
	Reason     string `json:"reason"`
	WaitMS     int64  `json:"wait_ms"`
	DurationMS int64  `json:"duration_ms"` // of the line "settled" too

	// Of the line "settled".
	Outcome    string `json:"outcome"`
	Code       string `json:"code"` // of the line "attempt" too
	UpstreamMS int64  `json:"upstream_ms"`
	ColdStart  bool   `json:"cold_start"`
	Replayed   bool   `json:"replayed"`
	Verified   bool   `json:"verified"`

	raw string // the whole line
}

// NewJournal makes an empty journal.
func NewJournal() *Journal { return &Journal{byID: map[string]*call{}} }

var _ sandbox.Watcher = (*Journal)(nil)

// Began implements [sandbox.Watcher].
func (j *Journal) Began(function, requestID string, payload []byte, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.find(requestID)
	c.function, c.began = function, at
	if len(payload) <= payloadLimit {
		c.payload = payload
	}
	j.note(c)
}

// Ended implements [sandbox.Watcher].
func (j *Journal) Ended(requestID string, result sandbox.Invocation, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.find(requestID)
	if len(result.Payload) > payloadLimit {
		result.Payload = nil
	}
	c.result, c.ended = result, at
	j.note(c)
}

// Write takes whole lines of the functions' output. It never fails: what is no log line about an invocation is left aside.
func (j *Journal) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		var l logLine
		if err := json.Unmarshal(line, &l); err != nil || l.RequestID == "" {
			continue
		}
		l.raw = string(bytes.TrimSpace(line))
		j.log(l)
	}
	return len(p), nil
}

func (j *Journal) log(l logLine) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.find(l.RequestID)
	if len(c.lines) < lineLimit {
		c.lines = append(c.lines, l)
	}
	j.note(c)
}

// find returns a call, making it when it is heard of for the first time. The lock is held.
func (j *Journal) find(id string) *call {
	if c := j.byID[id]; c != nil {
		return c
	}
	if len(j.calls) == callLimit {
		delete(j.byID, j.calls[0].id)
		j.calls = append(j.calls[:0:0], j.calls[1:]...)
	}
	c := &call{id: id}
	j.calls, j.byID[id] = append(j.calls, c), c
	return c
}

// note numbers a change and wakes whoever waits. The lock is held.
func (j *Journal) note(c *call) {
	j.latest++
	c.change = j.latest
	j.wake()
}

func (j *Journal) wake() {
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

// Touch wakes whoever waits for a change, for a change that is not a call's.
func (j *Journal) Touch() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wake()
}

// next is closed at the next change.
func (j *Journal) next() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.changed == nil {
		j.changed = make(chan struct{})
	}
	return j.changed
}

// since returns the calls that changed after the change of that number, the oldest first, with the latest number.
func (j *Journal) since(change int64) ([]call, int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var changed []call
	for _, c := range j.calls {
		if c.change > change && c.function != "" {
			changed = append(changed, *c)
		}
	}
	return changed, j.latest
}

// call returns one call.
func (j *Journal) call(id string) (call, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.byID[id]
	if c == nil || c.function == "" {
		return call{}, false
	}
	return *c, true
}

// settled is the function's last word on the call; nil as long as there is none.
func (c *call) settled() *logLine {
	for i := range c.lines {
		if c.lines[i].Msg == "settled" {
			return &c.lines[i]
		}
	}
	return nil
}

// attempts are the function's lines about its calls to a gateway.
func (c *call) attempts() []*logLine {
	var found []*logLine
	for i := range c.lines {
		if c.lines[i].Msg == "attempt" {
			found = append(found, &c.lines[i])
		}
	}
	return found
}
