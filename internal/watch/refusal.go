package watch

import (
	"net/http"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/telemetry"
)

// reason is why a notification was not taken, in the log and in the metric Refused. Nothing that a stranger wrote is in
// it.
type reason string

const (
	noSuchPath     reason = "path"           // another path or method
	tooLarge       reason = "size"           // over 64 KiB
	notSigned      reason = "not_signed"     // one of the four headers is missing or stands twice
	oldTimestamp   reason = "timestamp"      // none, or more than 300 s from now
	noSuchMerchant reason = "merchant"       // not watched, or without a secret
	tooManyNames   reason = "too_many_names" // look-ups for names that never verified
	unknownKey     reason = "unknown_key"    // signed by a key that is not in the secret
	badSignature   reason = "signature"      // also WeChat Pay's own tests
	cannotDecrypt  reason = "decryption"     // another APIv3 key, or changed on the way
	anotherShape   reason = "shape"          // verified, and no complaint's notification
	misconfigured  reason = "misconfigured"  // the merchant's secret
	unavailable    reason = "unavailable"    // Secrets Manager, the ledger or the bus
	unreadDetail   reason = "detail"         // the complaint could not be read now
	alreadyHandled reason = "in_progress"    // somebody else is at it
	tooLate        reason = "deadline"       // no time was left to tell
	bugInKesu      reason = "internal"       // a bug of ours
)

// status is what WeChat Pay is answered. It calls again after everything but 2xx.
func (r reason) status() int {
	switch r {
	case noSuchPath:
		return http.StatusNotFound
	case tooLarge:
		return http.StatusRequestEntityTooLarge
	case anotherShape:
		return http.StatusBadRequest
	case misconfigured, unavailable, unreadDetail, alreadyHandled, tooLate, bugInKesu:
		return http.StatusInternalServerError
	}
	return http.StatusUnauthorized
}

const (
	// lineEvery is the time that a line takes of those that strangers can cause: they decide how many there are.
	lineEvery = time.Second
	// wordEvery leaves every other line to the counts.
	wordEvery = 2 * lineEvery
)

// refusals counts what was refused, and tells it in at most one line a second.
type refusals struct {
	metrics *telemetry.Metrics

	mu       sync.Mutex
	next     time.Time     // no count is told before
	nextWord time.Time     // no line of another kind is written before
	owed     time.Duration // what such lines took of the counts' time
	counts   map[reason]int
}

func (r *refusals) count(why reason, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[reason]int{}
	}
	r.counts[why]++
	r.tell(why, now)
}

// word writes a line of another kind, which strangers can cause as well, if there may be one. It takes the place of the
// next count but one, so that a single call has a line of each kind.
func (r *refusals) word(now time.Time, write func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if left := r.nextWord.Sub(now); left > 0 && left <= wordEvery { // more than that: the clock was set back
		return
	}
	r.nextWord = now.Add(wordEvery)
	r.owed = lineEvery
	write()
}

// catchUp tells what earlier invocations had no line for.
func (r *refusals) catchUp(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for why := range r.counts {
		r.tell(why, now)
		return
	}
}

// tell writes the line of one reason, if it is time. r.mu is held.
func (r *refusals) tell(why reason, now time.Time) {
	if left := r.next.Sub(now); left > 0 && left <= 2*lineEvery { // more than that: the clock was set back
		return
	}
	r.metrics.Refused(string(why), r.counts[why], now)
	r.next = now.Add(lineEvery + r.owed)
	r.owed = 0
	delete(r.counts, why)
}
