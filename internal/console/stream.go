package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	beat       = time.Second           // how often a stream looks for what nobody announced, a curl straight to a gateway for instance
	gather     = 80 * time.Millisecond // changes that come closer together are told of together
	quiet      = 15                    // beats without news after which a stream says that it is still there
	writeLimit = 10 * time.Second      // how long a page may take to read what it is told
)

// news is what a page is told: what has changed since it was told last. The first news of a stream are everything.
type news struct {
	First      bool             `json:"first,omitempty"`
	Now        time.Time        `json:"now"`
	Merchants  []string         `json:"merchants,omitempty"`
	Calls      []summary        `json:"calls,omitempty"`
	Complaints *json.RawMessage `json:"complaints,omitempty"`
	Switches   *json.RawMessage `json:"switches,omitempty"`
}

// teller remembers what one page was told. It holds nothing that a page has not read yet: a slow page skips steps.
type teller struct {
	c                    *Console
	change               int64
	complaints, switches []byte
	begun                bool
}

// next is what has changed; false when nothing has.
func (t *teller) next() (news, bool, error) {
	n := news{Now: time.Now(), First: !t.begun}
	if n.First {
		n.Merchants = t.c.merchants()
	}
	calls, latest := t.c.journal.since(t.change)
	t.change = latest
	for _, k := range calls {
		n.Calls = append(n.Calls, t.c.summary(&k))
	}
	var err error
	if n.Complaints, err = changed(&t.complaints, t.c.complaints()); err != nil {
		return n, false, err
	}
	if n.Switches, err = changed(&t.switches, t.c.now()); err != nil {
		return n, false, err
	}
	t.begun = true
	return n, n.First || len(n.Calls) > 0 || n.Complaints != nil || n.Switches != nil, nil
}

// changed is v's JSON when it is not what was told before, and else nil.
func changed(told *[]byte, v any) (*json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil || bytes.Equal(text, *told) {
		return nil, err
	}
	*told = text
	raw := json.RawMessage(text)
	return &raw, nil
}

// serveStream tells a page of every change, as server-sent events, until the page or the console ends.
func (c *Console) serveStream(w http.ResponseWriter, r *http.Request) {
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	default:
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages are listening already", streamLimit))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	t, silent := &teller{c: c}, 0
	for {
		changed := c.journal.next()
		n, any, err := t.next()
		if err != nil {
			return
		}
		silent++
		if any || silent > quiet {
			silent = 0
			if !send(w, n, any) {
				return
			}
		}
		if !c.pause(r, changed, ticker.C) {
			return
		}
	}
}

// pause waits for a change and a moment longer, or for the next beat; false when it is over.
func (c *Console) pause(r *http.Request, changed <-chan struct{}, beats <-chan time.Time) bool {
	select {
	case <-beats:
		return true
	case <-changed:
	case <-r.Context().Done():
		return false
	case <-c.ending.Done():
		return false
	}
	wait := time.NewTimer(gather)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-r.Context().Done():
		return false
	case <-c.ending.Done():
		return false
	}
}

// send writes news, or a comment that only says that the stream is there; false when the page is gone.
func send(w http.ResponseWriter, n news, any bool) bool {
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Now().Add(writeLimit)) // a recorder in a test has no connection to set it on
	line := []byte(":\n\n")
	if any {
		text, err := json.Marshal(n)
		if err != nil {
			return false
		}
		line = fmt.Appendf(nil, "data: %s\n\n", text)
	}
	if _, err := w.Write(line); err != nil {
		return false
	}
	return rc.Flush() == nil
}
