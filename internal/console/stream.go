package console

import (
	"bytes"
	"context"
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
	Mode       string           `json:"mode,omitempty"`   // sandbox or deployed
	Notice     string           `json:"notice,omitempty"` // something that the page has to say all the time, by name
	Now        time.Time        `json:"now"`
	Merchants  []carrier        `json:"merchants,omitempty"`
	Calls      []summary        `json:"calls,omitempty"`
	Complaints []row            `json:"complaints,omitempty"` // those that changed, in no order
	Switches   *json.RawMessage `json:"switches,omitempty"`
	Foreign    *json.RawMessage `json:"foreign,omitempty"`
	Watch      *json.RawMessage `json:"watch,omitempty"` // heard, without what is due: the desk shows that
}

// teller remembers what one page was told. It holds nothing that a page has not read yet: a slow page skips steps.
type teller struct {
	c              *Console
	desk, bench    bool // which page listens
	change, rows   int64
	switches, told []byte
	watch          []byte
	begun          bool
}

// next is what has changed; false when nothing has.
func (t *teller) next() (news, bool, error) {
	n := news{Now: time.Now(), First: !t.begun}
	if n.First {
		n.Mode, n.Merchants = "sandbox", t.c.carriers()
	}
	if t.bench {
		calls, latest := t.c.journal.since(t.change)
		t.change = latest
		for _, k := range calls {
			n.Calls = append(n.Calls, t.c.summary(&k))
		}
	}
	if t.desk {
		t.c.refresh()
		n.Complaints, t.rows = t.c.board.since(t.rows)
	}
	var err error
	if n.Switches, err = changed(&t.switches, t.c.now()); err != nil {
		return n, false, err
	}
	if t.bench {
		if n.Foreign, err = changed(&t.told, t.c.foreign()); err != nil {
			return n, false, err
		}
		heard := t.c.heard(n.Now)
		heard.Due = nil
		if n.Watch, err = changed(&t.watch, heard); err != nil {
			return n, false, err
		}
	}
	t.begun = true
	return n, n.First || len(n.Calls) > 0 || len(n.Complaints) > 0 || n.Switches != nil || n.Foreign != nil || n.Watch != nil, nil
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

// streams are the pages that listen.
type streams struct {
	open   chan struct{} // holds one thing for each of them
	ending context.Context
	next   func() <-chan struct{} // is closed at the next change
}

// serveStream tells a page of every change, as server-sent events, until the page or the console ends. ?of=desk leaves
// out what only the bench shows, ?of=bench what only the desk does.
func (c *Console) serveStream(w http.ResponseWriter, r *http.Request) {
	of := r.URL.Query().Get("of")
	t := &teller{c: c, desk: of != "bench", bench: of != "desk"}
	streams{c.streams, c.ending, c.journal.next}.serve(w, r, t.next)
}

// serve tells one page what tell gives, which says false when there is nothing.
func (s streams) serve(w http.ResponseWriter, r *http.Request, tell func() (news, bool, error)) {
	select {
	case s.open <- struct{}{}:
		defer func() { <-s.open }()
	default:
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages are listening already", streamLimit))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	silent := 0
	for {
		changed := s.next()
		n, any, err := tell()
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
		if !s.pause(r, changed, ticker.C) {
			return
		}
	}
}

// pause waits for a change and a moment longer, or for the next beat; false when it is over.
func (s streams) pause(r *http.Request, changed <-chan struct{}, beats <-chan time.Time) bool {
	select {
	case <-beats:
		return true
	case <-changed:
	case <-r.Context().Done():
		return false
	case <-s.ending.Done():
		return false
	}
	wait := time.NewTimer(gather)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-r.Context().Done():
		return false
	case <-s.ending.Done():
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
