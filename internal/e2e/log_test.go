package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// line is one line of a function's output.
type line map[string]any

// lines are all that a function printed; every one must be a JSON object. It ends the process, because only then is it
// certain that everything was read; the next invocation starts another.
func (f *function) lines(t testing.TB) []line {
	t.Helper()
	f.Kill()
	var all []line
	for text := range strings.Lines(f.out.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Errorf("not a JSON line: %s", text)
			continue
		}
		all = append(all, l)
	}
	return all
}

// logged are the lines that are wanted.
func (f *function) logged(t testing.TB, wanted func(line) bool) []line {
	t.Helper()
	var all []line
	for _, l := range f.lines(t) {
		if wanted(l) {
			all = append(all, l)
		}
	}
	return all
}

// messages are the log lines with one msg.
func (f *function) messages(t testing.TB, msg string) []line {
	t.Helper()
	return f.logged(t, func(l line) bool { return l["msg"] == msg })
}

// metrics are the lines in embedded metric format.
func (f *function) metrics(t testing.TB) []line {
	t.Helper()
	return f.logged(t, func(l line) bool { return l["_aws"] != nil })
}

// sum adds one metric up.
func sum(t testing.TB, f *function, name string) float64 {
	t.Helper()
	total := 0.0
	for _, l := range f.metrics(t) {
		value, ok := l[name].(float64)
		if !ok {
			t.Errorf("%s is %v", name, l[name])
		}
		total += value
	}
	return total
}
