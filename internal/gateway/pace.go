package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The burst that a merchant's pace allows: a tenth of a minute's calls, and at least three.
const (
	burstShare = 10
	leastBurst = 3
)

// Pace keeps each merchant's calls within what the gateway allows (WeChat Pay: 60 replies and 1,500 completions a
// minute). It never waits. It counts the calls of this process only.
type Pace struct {
	perMinute int // 0: no limit

	mu        sync.Mutex
	merchants map[string]*rate.Limiter // as many as have secrets: a merchant is known before it gets here
}

// NewPace makes a pace of so many calls a minute and merchant; 0 is off.
func NewPace(perMinute int) *Pace {
	return &Pace{perMinute: perMinute, merchants: map[string]*rate.Limiter{}}
}

// take takes one call from the merchant's pace. When there is none left it tells how long until there is.
func (p *Pace) take(merchant string, now time.Time) (ok bool, wait time.Duration) {
	if p.perMinute == 0 {
		return true, 0
	}
	limiter := p.limiter(merchant)
	reservation := limiter.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return false, wait
	}
	return true, 0
}

func (p *Pace) limiter(merchant string) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	limiter, known := p.merchants[merchant]
	if !known {
		limiter = rate.NewLimiter(rate.Limit(float64(p.perMinute)/60), max(p.perMinute/burstShare, leastBurst))
		p.merchants[merchant] = limiter
	}
	return limiter
}
