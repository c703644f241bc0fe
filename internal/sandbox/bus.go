package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// entryLimit is EventBridge's limit on the size of one entry, in bytes.
const entryLimit = 1 << 20

// Event is an event as EventBridge hands it to a target.
type Event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// Entry is one entry of a PutEvents call, as EventBridge's API spells it.
type Entry struct {
	Source       string
	DetailType   string
	Detail       string // the text of a JSON object
	EventBusName string
	Resources    []string
}

// PutResult is the answer to a PutEvents call.
type PutResult struct {
	FailedEntryCount int
	Entries          []PutResultEntry
}

// PutResultEntry is what became of one entry: an id, or an error.
type PutResultEntry struct {
	EventId      string `json:",omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

// Rule hands the events that it matches to a target, each in a goroutine of its own. The context ends with the bus.
type Rule struct {
	DetailType string  // "" is every one
	Pattern    Pattern // nil matches all
	Target     func(ctx context.Context, event Event)
}

func (r Rule) takes(event Event) bool {
	return (r.DetailType == "" || r.DetailType == event.DetailType) && (r.Pattern == nil || r.Pattern.Matches(event))
}

// Bus is one event bus with an EventBridge endpoint. It may be used by several goroutines at once. Its [Host] takes faults:
// a Code without a Status refuses the entries one by one (FailedEntryCount), with a Status the whole call.
type Bus struct {
	*Host
	name string
	now  func() time.Time

	ending  context.Context
	end     context.CancelFunc
	targets sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	rules   []Rule
	events  []Event
	changed chan struct{}
}

// NewBus makes a bus without rules; its endpoint listens at once.
func NewBus(name string, now func() time.Time) (*Bus, error) {
	return newBusAt("", name, now)
}

func newBusAt(address, name string, now func() time.Time) (*Bus, error) {
	b := &Bus{name: name, now: now}
	b.ending, b.end = context.WithCancel(context.Background())
	service := &awsJSON{target: "AWSEvents", operations: map[string]func([]byte, *Fault, *Call) (any, *awsError){"PutEvents": b.putEvents}, refuseInside: true}
	host, err := newHostAt(address, "events", service, now)
	b.Host = host
	return b, err
}

// AddRule adds a rule for the events from now on.
func (b *Bus) AddRule(r Rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules = append(b.rules, r)
}

// Events returns the events that were put so far, the latest 10,000 of them, the oldest first.
func (b *Bus) Events() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

// Wait returns the first event that matches, waiting for it if need be, or the context's error.
func (b *Bus) Wait(ctx context.Context, matches func(Event) bool) (Event, error) {
	for {
		b.mu.Lock()
		i := slices.IndexFunc(b.events, matches)
		if i >= 0 {
			defer b.mu.Unlock()
			return b.events[i], nil
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// Put puts entries on the bus, as PutEvents does: each is taken or refused by itself.
func (b *Bus) Put(entries ...Entry) PutResult {
	var result PutResult
	for _, e := range entries {
		id, code, message := b.put(e)
		if code != "" {
			result.FailedEntryCount++
		}
		result.Entries = append(result.Entries, PutResultEntry{EventId: id, ErrorCode: code, ErrorMessage: message})
	}
	return result
}

func (b *Bus) put(e Entry) (id, code, message string) {
	detail := json.RawMessage(e.Detail)
	switch {
	case e.Source == "" || e.DetailType == "" || e.Detail == "":
		return "", "InvalidArgument", "Parameter Source, DetailType or Detail is not valid. Reason: it is a required argument."
	case len(e.Source)+len(e.DetailType)+len(e.Detail) > entryLimit:
		return "", "InvalidArgument", "Total size of the entries in the request is over the limit."
	case !json.Valid(detail) || !bytes.HasPrefix(bytes.TrimSpace(detail), []byte("{")):
		return "", "MalformedDetail", "Detail is malformed."
	case e.EventBusName != "" && e.EventBusName != b.name && !strings.HasSuffix(e.EventBusName, ":event-bus/"+b.name):
		return "", "InvalidArgument", "The event bus does not exist."
	}
	event := Event{Version: "0", ID: newUUID(), DetailType: e.DetailType, Source: e.Source, Account: AccountID, Region: Region,
		Time: b.now().UTC().Truncate(time.Second), Resources: append([]string{}, e.Resources...), Detail: detail}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) == recordLimit {
		b.events = append(b.events[:0:0], b.events[recordLimit/10:]...)
	}
	b.events = append(b.events, event)
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	for _, rule := range b.rules {
		if !b.closed && rule.takes(event) {
			b.targets.Go(func() { rule.Target(b.ending, event) })
		}
	}
	return event.ID, "", ""
}

// Close closes the endpoint, tells the targets to end, and waits for them.
func (b *Bus) Close() error {
	b.Down()
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end()
	b.targets.Wait()
	return nil
}

func (b *Bus) putEvents(body []byte, f *Fault, _ *Call) (any, *awsError) {
	var in struct{ Entries []Entry }
	if err := json.Unmarshal(body, &in); err != nil || len(in.Entries) == 0 || len(in.Entries) > 10 {
		return nil, &awsError{400, "ValidationException", "Entries must hold 1 to 10 entries"}
	}
	if f.Code == "" {
		return b.Put(in.Entries...), nil
	}
	failed := PutResult{FailedEntryCount: len(in.Entries)}
	for range in.Entries {
		failed.Entries = append(failed.Entries, PutResultEntry{ErrorCode: f.Code, ErrorMessage: f.Message})
	}
	return failed, nil
}
