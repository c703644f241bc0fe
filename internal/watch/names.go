package watch

import (
	"sync"
	"time"
)

const (
	// lookups is how many look-ups a second there are for names that never verified.
	lookups = 10
	// namesMax bounds the unknown names that are remembered.
	namesMax = 1000
	// unknownFor is how long it is remembered that there is no such merchant.
	unknownFor = 30 * time.Second
	// brokenFor is how long it is remembered that a merchant's secret cannot be used.
	brokenFor = time.Second
)

// names bounds what a stranger who makes up merchants' names, or knows some, can cost.
type names struct {
	mu       sync.Mutex
	verified map[string]struct{}  // a signature verified: as many as there are merchants
	unknown  map[string]time.Time // until when
	broken   map[string]time.Time // since when: secrets that are there, and so as many as there are merchants
	tokens   float64
	filled   time.Time
}

// may reports whether a name may be looked up now. It is only asked where every merchant is watched.
func (n *names) may(name string, kept bool, now time.Time) (reason, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.verified[name]; ok || kept {
		return "", true
	}
	if now.Before(n.unknown[name]) {
		return noSuchMerchant, false
	}
	n.tokens = min(lookups, n.tokens+now.Sub(n.filled).Seconds()*lookups)
	if n.filled.IsZero() || n.tokens < 0 { // a clock that was set back
		n.tokens = lookups
	}
	n.filled = now
	if n.tokens < 1 {
		return tooManyNames, false
	}
	n.tokens--
	return "", true
}

func (n *names) sawUnknown(name string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.unknown == nil {
		n.unknown = map[string]time.Time{}
	}
	if len(n.unknown) >= namesMax {
		for other, until := range n.unknown {
			if !now.Before(until) {
				delete(n.unknown, other)
			}
		}
	}
	for other := range n.unknown { // forgetting one costs one more look-up
		if len(n.unknown) < namesMax {
			break
		}
		delete(n.unknown, other)
	}
	n.unknown[name] = now.Add(unknownFor)
}

// isBroken reports whether a merchant's secret was just found to be of no use. A store does not remember that, so each
// call of a stranger's would have it read again.
func (n *names) isBroken(name string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	since, known := n.broken[name]
	return known && !now.Before(since) && now.Sub(since) < brokenFor
}

func (n *names) sawBroken(name string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken == nil {
		n.broken = map[string]time.Time{}
	}
	n.broken[name] = now
}

func (n *names) sawVerified(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.verified == nil {
		n.verified = map[string]struct{}{}
	}
	n.verified[name] = struct{}{}
	delete(n.unknown, name)
	delete(n.broken, name)
}
