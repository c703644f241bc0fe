package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// firstSweep is how many entries Memory holds before it first looks for expired ones.
const firstSweep = 1024

// Memory keeps the ledger in the process: enough for a single process that is not restarted in the middle of a
// command, and for tests. It holds at most twice as many entries as were alive at the last sweep, or firstSweep.
type Memory struct {
	mu      sync.Mutex
	entries map[string]kept
	sweepAt int
}

// kept is an entry with its result in the stored form: what is handed out shares nothing with what is kept.
type kept struct {
	entry  Entry // Result is nil
	result string
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{entries: map[string]kept{}, sweepAt: firstSweep}
}

// Put implements [Store].
func (m *Memory) Put(ctx context.Context, e Entry, cond Condition) (*Entry, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnavailable, wordFor(ctx.Err()))
	}
	k := kept{entry: e.rounded()}
	k.entry.Said = slices.Clone(e.Said)
	if e.Result != nil {
		text, err := encodeResult(e.Result)
		if err != nil {
			return nil, fmt.Errorf("%w: the result cannot be stored", ErrUnavailable)
		}
		k.entry.Result, k.result = nil, text
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old, stored := m.entries[e.ID]
	var found *Entry
	if stored {
		found = &old.entry
	}
	if !cond.holds(found) {
		return old.read(e.ID)
	}
	if !stored {
		m.sweep(cond.AbsentAt)
	}
	m.entries[e.ID] = k
	return nil, nil
}

// Delete implements [Store].
func (m *Memory) Delete(ctx context.Context, id, owner string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %s", ErrUnavailable, wordFor(ctx.Err()))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, stored := m.entries[id]; stored && k.entry.Owner == owner && k.entry.State == Claimed {
		delete(m.entries, id)
	}
	return nil
}

// sweep drops the entries that have expired at the time now, but only when the map has doubled since it last did:
// so each insertion pays for a bounded share of it.
func (m *Memory) sweep(now time.Time) {
	if len(m.entries) < m.sweepAt {
		return
	}
	for id, k := range m.entries {
		if !k.entry.ExpiresAt.After(now) {
			delete(m.entries, id)
		}
	}
	m.sweepAt = max(firstSweep, 2*len(m.entries))
}

// read is the entry as it is handed out; the zero kept gives an entry in the state Absent.
func (k kept) read(id string) (*Entry, error) {
	e := k.entry
	e.ID, e.Said = id, slices.Clone(e.Said)
	if k.result == "" {
		return &e, nil
	}
	r, err := decodeResult(k.result, e.State)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	e.Result = r
	return &e, nil
}
