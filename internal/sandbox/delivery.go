package sandbox

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"sync"
	"time"
)

// asyncAttempts is how often Lambda tries an asynchronous invocation: once, and two retries.
const asyncAttempts = 3

// Delivery hands a bus's events to a function as Lambda's asynchronous invocation does, only with a shorter wait between
// the attempts. It may be used by several goroutines at once.
type Delivery struct {
	Function Invoker
	Timeout  time.Duration // of each attempt
	Pause    time.Duration // before a retry; Lambda waits one minute and then two

	mu   sync.Mutex
	lost []Undelivered
}

// Undelivered is an event that the function failed on until the attempts were used up: what a dead-letter queue would hold.
type Undelivered struct {
	Event                   Event
	ErrorType, ErrorMessage string // of the last attempt
}

// Deliver is a [Rule]'s target.
func (d *Delivery) Deliver(ctx context.Context, event Event) {
	payload, err := json.Marshal(event)
	if err != nil {
		d.lose(event, Invocation{ErrorType: "Unencodable", ErrorMessage: err.Error()})
		return
	}
	var last Invocation
	for attempt := range asyncAttempts {
		if attempt > 0 && !linger(ctx, d.Pause, nil) {
			break
		}
		result, err := d.Function.Invoke(ctx, payload, d.Timeout)
		if err != nil {
			result = Invocation{ErrorType: "Sandbox.NotInvoked", ErrorMessage: err.Error()}
		}
		if !result.Failed() {
			return
		}
		last = result
	}
	d.lose(event, last)
}

func (d *Delivery) lose(event Event, last Invocation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost = append(d.lost, Undelivered{event, last.ErrorType, last.ErrorMessage})
}

// Undelivered returns the events that were given up.
func (d *Delivery) Undelivered() []Undelivered {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lost)
}

// eventsEndpoint is the local way to a bus: POST puts the one entry in the body, GET returns the settled events.
type eventsEndpoint struct{ bus *Bus }

func (e eventsEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		settled := slices.DeleteFunc(e.bus.Events(), func(event Event) bool { return event.Source != "kesu" })
		writeJSON(w, http.StatusOK, map[string]any{"events": settled})
	case http.MethodPost:
		e.post(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		problem(w, http.StatusMethodNotAllowed, "this path takes GET and POST")
	}
}

func (e eventsEndpoint) post(w http.ResponseWriter, r *http.Request) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		problem(w, http.StatusUnsupportedMediaType, "the Content-Type must be application/json")
		return
	}
	body, err := readBody(w, r, entryLimit)
	if err != nil {
		problem(w, http.StatusRequestEntityTooLarge, "the entry is too large or was cut off")
		return
	}
	var entry Entry
	if err := json.Unmarshal(body, &entry); err != nil {
		problem(w, http.StatusBadRequest, `the body must be one PutEvents entry: {"Source":"…","DetailType":"…","Detail":"{…}"}, with Detail as a string`)
		return
	}
	result := e.bus.Put(entry)
	if result.FailedEntryCount > 0 {
		writeJSON(w, http.StatusBadRequest, result)
		return
	}
	writeJSON(w, http.StatusOK, result)
}
