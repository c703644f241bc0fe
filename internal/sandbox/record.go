package sandbox

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Call is one call that a [Host] received.
type Call struct {
	N      int // from 1, in the order of arrival; Reset does not start again
	Host   string
	At     time.Time
	Method string
	Target string // path with query, as it came
	Header http.Header
	Body   []byte

	Merchant    string // the sandbox's name of the merchant, once known
	ComplaintID string
	Code        string // what the gateway made of it: "0000", "SIGN_ERROR", "OK" …; "" as long as it has not looked
	Acted       bool   // the call changed something: a reply was shown, a complaint was settled
	Status      int    // the HTTP status that was sent; 0 when none was
	Problem     string // why it was refused, for a person

	Done   time.Time   // when the answer was about to be written, or the connection was cut; zero until then
	Answer http.Header // of the answer that was sent; nil when none was
	Sent   []byte      // the answer's body
}

// recordLimit is how many calls, or events, are kept: a sandbox may run for days.
const recordLimit = 10_000

// Recorder keeps the latest 10,000 calls that a [Host] received. The zero value is ready; it may be used by several goroutines
// at once.
type Recorder struct {
	mu      sync.Mutex
	calls   []Call
	latest  int // the latest call's number
	reset   int // the number of the latest call that Reset forgot
	changed chan struct{}
}

// Calls returns a copy of the calls so far, the oldest first.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// Len is the number of calls so far, including those that are no longer kept.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latest - r.reset
}

// Reset forgets all calls.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls, r.reset = nil, r.latest
	r.announce()
}

// Wait returns the calls as soon as enough of them satisfy what the caller waits for, or the context's error.
func (r *Recorder) Wait(ctx context.Context, enough func([]Call) bool) ([]Call, error) {
	for {
		r.mu.Lock()
		calls := slices.Clone(r.calls)
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		if enough(calls) {
			return calls, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return calls, ctx.Err()
		}
	}
}

// announce wakes whoever waits. The lock is held.
func (r *Recorder) announce() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// arrive records a call and numbers it.
func (r *Recorder) arrive(c Call) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latest++
	c.N = r.latest
	if len(r.calls) == recordLimit {
		r.calls = append(r.calls[:0:0], r.calls[recordLimit/10:]...)
	}
	r.calls = append(r.calls, c)
	r.announce()
	return c.N
}

// update replaces the record of a call that arrived earlier; one that was forgotten stays forgotten.
func (r *Recorder) update(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.calls) == 0 || c.N < r.calls[0].N {
		return
	}
	r.calls[c.N-r.calls[0].N] = c
	r.announce()
}
