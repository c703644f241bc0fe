package simulation

import (
	"fmt"
	"strings"
	"time"
)

// traceLines is how many of the last events of the offending command a violation shows.
const traceLines = 40

// event is one thing that happened in a world.
type event struct {
	at     time.Duration // since the world began
	visit  *visit
	what   string
	detail string
	number int64
}

// hash identifies the event. It names no pointer and no order: the digest of a world is the sum over its events.
func (e event) hash() uint64 {
	h := mix(uint64(e.at))
	if e.visit != nil {
		h = mix(h + e.visit.id)
	}
	h = mix(h ^ hashText(e.what))
	return mix(h ^ hashText(e.detail) ^ uint64(e.number))
}

func (e event) String() string {
	who := ""
	if v := e.visit; v != nil {
		who = fmt.Sprintf("%s try %d copy %d on %s", v.command.label(), v.try, v.copy, v.where())
	}
	text := fmt.Sprintf("%12s  %-44s %s", e.at.Round(time.Microsecond), who, e.what)
	if e.detail != "" {
		text += ": " + e.detail
	}
	if e.number != 0 {
		text += fmt.Sprintf(" (%d)", e.number)
	}
	return text
}

// Violation is a promise that was broken.
type Violation struct {
	Kind   string // one of the Kind constants
	Detail string
	Seed   uint64 // of the world
	Trace  string // the last events of the command
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: %s\n  seed %d; to see it again: go test ./internal/simulation -run TestReplay -v -args -replay=%d\n%s",
		v.Kind, v.Detail, v.Seed, v.Seed, v.Trace)
}

// note records an event. w.mu is held.
func (w *world) note(v *visit, what, detail string, number int64) {
	e := event{at: time.Since(w.began), visit: v, what: what, detail: detail, number: number}
	w.digest += e.hash()
	w.events = append(w.events, e)
}

// violate records a broken promise; the first few of a world are enough, and the first of each kind. w.mu is held.
func (w *world) violate(v *visit, kind, format string, args ...any) {
	w.tally.Violations[kind]++
	if len(w.violations) >= 4 && w.tally.Violations[kind] > 1 {
		return
	}
	violation := Violation{Kind: kind, Detail: fmt.Sprintf(format, args...), Seed: w.options.Seed}
	if v != nil {
		violation.Detail = v.command.label() + ": " + violation.Detail
		violation.Trace = w.trace(v.command.group)
	}
	w.violations = append(w.violations, violation)
}

// trace tells the last events of a command and of its rivals.
func (w *world) trace(g *group) string {
	var lines []string
	for i := len(w.events) - 1; i >= 0 && len(lines) < traceLines; i-- {
		if e := w.events[i]; e.visit != nil && e.visit.command.group == g {
			lines = append(lines, "  "+e.String())
		}
	}
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return strings.Join(lines, "\n")
}
