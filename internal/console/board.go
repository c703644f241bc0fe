package console

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const (
	excerptLimit = 300 // characters of a complaint that the list shows and searches; WeChat Pay allows about as many
	resultMost   = 50  // results that are kept of one complaint, the latest ones
	eventMost    = 100 // events that are kept of one complaint, the latest ones
)

// row is one complaint in the list. Times are Unix milliseconds, 0 when there is none; two rows can be compared.
type row struct {
	Merchant  string `json:"merchant"`
	ID        string `json:"id"`
	State     string `json:"state"`
	Words     string `json:"words"` // their beginning
	Created   int64  `json:"created"`
	Replied   int64  `json:"replied"` // the first reply since the consumer complained last
	Processed int64  `json:"processed"`
	Replies   int    `json:"replies"`
	Times     int    `json:"times"`   // how often the consumer complained again
	Asks      bool   `json:"asks"`    // the consumer has answered, and the merchant has not
	Unknown   string `json:"unknown"` // "reply" or "complete": its outcome waits for a person
	Seen      int    `json:"seen"`    // how many results and events there were
}

type complaintKey struct{ merchant, id string }

// entry is everything that the board keeps of one complaint.
type entry struct {
	row
	version int64
	results []outcome
	events  []notice
	seen    int
	handled time.Time // when a person said that what was unknown is seen to
}

// outcome is what became of one command.
type outcome struct {
	Call    string          `json:"call"`
	At      time.Time       `json:"at"` // when it was told
	Via     string          `json:"via"`
	Failure string          `json:"failure,omitempty"` // Lambda's word for an invocation that ended without a result
	Result  json.RawMessage `json:"result,omitempty"`  // as section 3 of the contract has it
	Request json.RawMessage `json:"request,omitempty"` // the command's members, when a person may have to send them again

	action, outcome, transactionID string
}

// notice is an event that was on the bus.
type notice struct {
	ID     string          `json:"id"`
	At     time.Time       `json:"at"`
	Type   string          `json:"type"`
	Source string          `json:"source"`
	Detail json.RawMessage `json:"detail"`
}

// board holds all complaints as the page's list shows them, with a number for each change, so that a page is told only
// of what it has not seen. Its zero value is empty. It may be used by several goroutines at once.
type board struct {
	mu      sync.Mutex
	entries map[complaintKey]*entry
	version int64
	calls   int64  // the latest change of the journal that is on the board
	event   string // the latest event that is
}

// refresh brings the board up to date with the world and the journal.
func (c *Console) refresh() {
	c.board.mu.Lock()
	defer c.board.mu.Unlock()
	if c.board.entries == nil {
		c.board.entries = map[complaintKey]*entry{}
	}
	complaints := c.world.State.Complaints()
	for i := range complaints {
		key := complaintKey{complaints[i].Merchant, complaints[i].ID}
		if c.board.entries[key] == nil {
			c.board.entries[key] = &entry{}
		}
	}
	c.board.take(c.journal.since(c.board.calls))
	c.board.hear(c.world.Bus.Events())
	for i := range complaints {
		c.board.set(&complaints[i])
	}
}

// set makes a complaint's row, and numbers the change when it is one. The lock is held.
func (b *board) set(x *sandbox.Complaint) {
	e := b.entries[complaintKey{x.Merchant, x.ID}]
	fresh := row{Merchant: x.Merchant, ID: x.ID, State: string(x.State), Words: cut(x.Words(), excerptLimit),
		Created: x.CreatedAt.UnixMilli(), Replied: firstReply(x), Replies: len(x.Replies), Times: x.Times, Asks: x.AwaitsMerchant,
		Unknown: e.unknown(x.State == sandbox.Processed), Seen: e.seen}
	if !x.ProcessedAt.IsZero() {
		fresh.Processed = x.ProcessedAt.UnixMilli()
	}
	if fresh != e.row {
		b.version++
		e.row, e.version = fresh, b.version
	}
}

// firstReply is the time of the first reply since the consumer complained last.
func firstReply(x *sandbox.Complaint) int64 {
	var since time.Time
	for _, step := range x.History {
		if step.Type == "USER_CONTINUE_COMPLAINT" {
			since = step.At
		}
	}
	for _, r := range x.Replies {
		if !r.At.Before(since) {
			return r.At.UnixMilli()
		}
	}
	return 0
}

// unknown tells which command's outcome waits for a person: the latest that is known of it is that it may have been
// done. A reply is known by its transaction_id; an invocation that ended without a result told none.
func (e *entry) unknown(processed bool) string {
	waiting := map[string]map[string]bool{"reply": {}, "complete": {}}
	for _, r := range e.results {
		switch of := waiting[r.action]; {
		case of == nil:
		case r.outcome == "succeeded":
			delete(of, r.transactionID)
			delete(of, "")
		case (r.outcome == "unknown" || r.outcome == "") && r.At.After(e.handled):
			of[r.transactionID] = true
		}
	}
	switch {
	case len(waiting["reply"]) > 0:
		return "reply"
	case len(waiting["complete"]) > 0 && !processed:
		return "complete"
	}
	return ""
}

// take keeps the results of the calls that have ended. The lock is held.
func (b *board) take(calls []call, latest int64) {
	b.calls = latest
	for i := range calls {
		k := &calls[i]
		cmd := read(k.function, k.payload)
		e := b.entries[complaintKey{cmd.Merchant, cmd.ComplaintID}]
		if k.ended.IsZero() || e == nil {
			continue
		}
		e.results = slices.DeleteFunc(e.results, func(r outcome) bool { return r.Call == k.id })
		e.results = append(e.results, newOutcome(k, &cmd))
		e.results = e.results[max(0, len(e.results)-resultMost):]
		e.seen++
	}
}

func newOutcome(k *call, cmd *command) outcome {
	r := outcome{Call: k.id, At: k.ended, Via: cmd.Via, action: cmd.Action}
	r.Result = k.answer(cmd)
	var said struct {
		Outcome       string `json:"outcome"`
		TransactionID string `json:"transaction_id"`
	}
	if json.Unmarshal(r.Result, &said) == nil {
		r.outcome, r.transactionID = said.Outcome, said.TransactionID
	}
	if r.outcome == "" {
		r.Result, r.Failure = nil, k.result.ErrorType
	}
	if r.outcome != "succeeded" {
		r.Request = cmd.members()
	}
	return r
}

// hear keeps the events that came since the last time. The lock is held.
func (b *board) hear(events []sandbox.Event) {
	from := 0
	if i := slices.IndexFunc(events, func(e sandbox.Event) bool { return e.ID == b.event }); i >= 0 {
		from = i + 1
	}
	for _, event := range events[from:] {
		b.event = event.ID
		var names struct {
			Merchant    string `json:"merchant"`
			ComplaintID string `json:"complaint_id"`
		}
		if json.Unmarshal(event.Detail, &names) != nil {
			continue
		}
		if e := b.entries[complaintKey{names.Merchant, names.ComplaintID}]; e != nil {
			e.events = append(e.events, notice{event.ID, event.Time, event.DetailType, event.Source, event.Detail})
			e.events = e.events[max(0, len(e.events)-eventMost):]
			e.seen++
		}
	}
}

// since returns the rows that changed after a version, with the latest version.
func (b *board) since(version int64) ([]row, int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var changed []row
	if version == b.version {
		return nil, version
	}
	for _, e := range b.entries {
		if e.version > version {
			changed = append(changed, e.row)
		}
	}
	return changed, b.version
}

// of returns what is kept of one complaint's results and events.
func (b *board) of(key complaintKey) (row, []outcome, []notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[key]
	if e == nil {
		return row{}, []outcome{}, []notice{}
	}
	return e.row, append([]outcome{}, e.results...), append([]notice{}, e.events...)
}

// handle notes that a person has seen to what was unknown; false when there is no such complaint.
func (b *board) handle(key complaintKey, at time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[key]
	if e == nil {
		return false
	}
	e.handled = at
	return true
}
