package pace

import (
	"context"
	"sync"
	"time"
)

// Store keeps the TAT of each line: the place of its next token. There are two, [Memory] and [DynamoDB]. Times are
// whole microseconds, and neither looks at a clock of its own. Every error wraps ledger.ErrUnavailable; the write may
// have happened all the same. An error that comes with the end of ctx comes at once.
type Store interface {
	// Take takes the next token when its place is not later than a.Latest, and gives that place. When it is later,
	// nothing is written, taken is false and the place is the one that is stored.
	Take(ctx context.Context, line string, a Ask) (place time.Time, taken bool, err error)
	// Return moves the TAT back to the place to, if it is exactly from, and reports whether it was.
	Return(ctx context.Context, line string, from, to time.Time) (bool, error)
}

// Ask is what a [Store] is asked for one token.
type Ask struct {
	Now      time.Time // a TAT in the past counts as now
	Latest   time.Time // the last place that is of use
	Absurd   time.Time // a TAT beyond it counts as now, too
	Interval time.Duration
	Known    time.Time // where the TAT was when the caller last heard of it; a guess that saves a write
}

// idle reports whether a TAT says nothing, so that the line begins anew.
func (a Ask) idle(tat time.Time) bool { return tat.Before(a.Now) || tat.After(a.Absurd) }

// Memory keeps the lines of one process. It never fails.
type Memory struct {
	mu   sync.Mutex
	tats map[string]time.Time
	room int // how many lines there may be before the idle ones are dropped
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{tats: map[string]time.Time{}, room: fewLines} }

// fewLines is how many lines are kept before the idle ones are dropped for the first time.
const fewLines = 1024

// Take implements [Store].
func (m *Memory) Take(_ context.Context, line string, a Ask) (time.Time, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tat := m.tats[line]
	if a.idle(tat) {
		tat = a.Now
	}
	if tat.After(a.Latest) {
		return tat, false, nil
	}
	m.sweep(a)
	m.tats[line] = tat.Add(a.Interval)
	return tat, true, nil
}

// Return implements [Store].
func (m *Memory) Return(_ context.Context, line string, from, to time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.tats[line].Equal(from) {
		return false, nil
	}
	m.tats[line] = to
	return true, nil
}

// sweep drops the idle lines when their number has doubled since the last time.
func (m *Memory) sweep(a Ask) {
	if len(m.tats) < m.room {
		return
	}
	for line, tat := range m.tats {
		if a.idle(tat) {
			delete(m.tats, line)
		}
	}
	m.room = max(fewLines, 2*len(m.tats))
}
