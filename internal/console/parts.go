package console

import (
	"cmp"
	"slices"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// How a part's times are known.
const (
	seen    = "seen"    // the sandbox took both times
	logged  = "logged"  // the function logged how long it took, in whole milliseconds
	derived = "derived" // it is what lies between two times that were seen or logged
)

// part is one part of a call: a bar of the waterfall. Its name is key, ledger, sign, connect, sign_connect, gateway,
// verify or wait.
type part struct {
	Name    string  `json:"name"`
	Start   float64 `json:"start"` // ms since the call began
	MS      float64 `json:"ms"`
	How     string  `json:"how"`
	Attempt int     `json:"attempt,omitempty"` // from 1
}

// sheet collects parts and remembers until when the call's time is accounted for.
type sheet struct {
	began, end time.Time
	parts      []part
}

// add adds a part unless it has no length; one that begins too early or ends too late is cut to the call's time.
func (s *sheet) add(name, how string, attempt int, from, to time.Time) {
	if from.Before(s.began) {
		from = s.began
	}
	if to.IsZero() || to.After(s.end) {
		to = s.end
	}
	if !to.After(from) {
		return
	}
	s.parts = append(s.parts, part{Name: name, Start: milliseconds(from.Sub(s.began)), MS: milliseconds(to.Sub(from)), How: how, Attempt: attempt})
}

// milliseconds is a duration with three places after the point.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// parts divides a call's time into what is known of it. What cannot be known from outside is left out, not guessed.
func (t *trace) parts(k *call) []part {
	end := k.ended
	if end.IsZero() {
		end = time.Now()
	}
	s := &sheet{began: k.began, end: end, parts: []part{}}
	for _, x := range t.secrets {
		s.add("key", seen, 0, x.At, x.Done)
	}
	for _, x := range t.ledger {
		s.add("ledger", seen, 0, x.At, x.Done)
	}
	mark := k.began
	for i, a := range t.attempts {
		mark = t.attempt(s, i+1, a, mark)
	}
	slices.SortStableFunc(s.parts, func(a, b part) int { return cmp.Compare(a.Start, b.Start) })
	return s.parts
}

// attempt adds an attempt's parts and returns when it was over. mark is when the one before it was.
func (t *trace) attempt(s *sheet, n int, a attempt, mark time.Time) time.Time {
	if a.line == nil { // the function did not live to log it, or has not yet
		s.add("sign_connect", derived, n, t.ready(mark, a.seen.At), a.seen.At)
		s.add("gateway", seen, n, a.seen.At, a.seen.Done)
		return a.seen.Done
	}
	took := time.Duration(a.line.DurationMS) * time.Millisecond
	over := a.line.At
	if a.seen == nil && took == 0 { // shorter than the log can tell apart from the signing before it
		s.add("sign_connect", derived, n, t.ready(mark, over), over)
		return t.wait(s, n, a.line)
	}
	if a.seen == nil {
		began := over.Add(-took)
		s.add("sign", derived, n, t.ready(mark, began), began)
		s.add("connect", logged, n, began, over)
		return t.wait(s, n, a.line)
	}
	answered := a.seen.Done
	if answered.IsZero() || answered.After(over) { // the function gave up first
		answered = over
	}
	// duration_ms ends when the answer has been read, which is just after the gateway wrote it.
	began := answered.Add(-took)
	if began.After(a.seen.At) {
		began = a.seen.At
	}
	// The log cuts milliseconds off, so that a connection that took less cannot be told from the signing before it.
	ready := t.ready(mark, a.seen.At)
	if !began.After(ready) || a.seen.At.Sub(began) < time.Millisecond {
		s.add("sign_connect", derived, n, ready, a.seen.At)
	} else {
		s.add("sign", derived, n, ready, began)
		s.add("connect", derived, n, began, a.seen.At)
	}
	s.add("gateway", seen, n, a.seen.At, answered)
	if a.line.Bytes == "answered" {
		s.add("verify", derived, n, answered, over)
	}
	return t.wait(s, n, a.line)
}

// wait adds the wait after an attempt and returns its end.
func (t *trace) wait(s *sheet, n int, line *logLine) time.Time {
	if line.WaitMS == 0 || line.Decision != "resend" {
		return line.At
	}
	end := line.At.Add(time.Duration(line.WaitMS) * time.Millisecond)
	s.add("wait", logged, n, line.At, end)
	return end
}

// ready is when the last thing was there that an attempt at the time at waited for: a key or a claim that came after mark.
func (t *trace) ready(mark, at time.Time) time.Time {
	for _, calls := range [][]sandbox.Call{t.secrets, t.ledger} {
		for _, x := range calls {
			if x.Done.After(mark) && !x.Done.After(at) {
				mark = x.Done
			}
		}
	}
	return mark
}
