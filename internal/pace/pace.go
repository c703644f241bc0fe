package pace

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
)

// The burst that a pace allows: a tenth of a minute's calls, and at least three.
const (
	burstShare = 10
	leastBurst = 3
)

const (
	// lateness is how long after its place a token is still good, where the interval is shorter.
	lateness = time.Second
	// oddClock is by how much a TAT may be ahead of what could have been reserved, before it is taken for a broken
	// clock's.
	oddClock = time.Minute
	// longestPromise bounds the time after which a command that was refused is told to come again.
	longestPromise = 15 * time.Minute
)

// Pace gives out the tokens of one action. It is safe for concurrent use. A nil Pace is no limit.
type Pace struct {
	Options
	interval  time.Duration
	tolerance time.Duration // how long before its place a token may be used
	own       *Pace         // the pace of this process alone, for when the store does not answer; nil when this is one

	mu    sync.Mutex
	lines map[string]*line // by merchant
	room  int              // how many lines there may be before the idle ones are dropped
}

// Options are what a pace is made of.
type Options struct {
	PerMinute int           // calls a minute and merchant
	Action    string        // what is called: each action has a pace of its own
	Store     Store         // nil: the pace is this process's own
	Keep      time.Duration // how much of an invocation must be left once a token was waited for
	Now       func() time.Time
	Log       *slog.Logger
}

// line is what a process knows of one merchant's line, and what it keeps for it.
type line struct {
	tat      time.Time   // the furthest that the process heard of
	returned []time.Time // places of tokens that were not used, in order
	promised time.Time   // until when refused commands were told to come again
}

// New makes a pace; nil, which is no limit, when PerMinute is 0.
func New(o Options) *Pace {
	if o.PerMinute == 0 {
		return nil
	}
	perMinute := time.Duration(o.PerMinute)
	// Rounded up to what a store keeps, so that no more than the figure pass.
	interval := (time.Minute + perMinute*time.Microsecond - 1) / (perMinute * time.Microsecond) * time.Microsecond
	burst := max(o.PerMinute/burstShare, leastBurst)
	p := &Pace{
		Options:   o,
		interval:  interval,
		tolerance: time.Duration(burst-1) * interval,
		lines:     map[string]*line{},
		room:      fewLines,
	}
	if o.Store == nil {
		p.Store = NewMemory()
		return p
	}
	o.Store = nil
	p.own = New(o)
	return p
}

// token is the right to one call.
type token struct {
	pace  *Pace
	place time.Time
}

// late reports whether the token is no longer good at the time now.
func (t *token) late(now time.Time) bool {
	return now.After(t.place.Add(max(t.pace.interval, lateness)))
}

// usable is when the token may be used from.
func (t *token) usable() time.Time { return t.place.Add(-t.pace.tolerance) }

// now is the pace's clock, in the units of a store.
func (p *Pace) now() time.Time { return p.Now().Truncate(time.Microsecond) }

// take takes a token that may be used within patience. Without one it tells from when on one may be used.
func (p *Pace) take(ctx context.Context, merchant string, patience time.Duration) (*token, time.Time) {
	now := p.now()
	latest := now.Add(p.tolerance + patience)
	place, found, tat := p.atHand(merchant, now, latest)
	switch {
	case found:
		return &token{p, place}, time.Time{}
	case tat.After(latest):
		return nil, tat.Add(-p.tolerance)
	}
	place, taken, err := p.Store.Take(ctx, p.name(merchant), Ask{
		Now: now, Latest: latest, Absurd: p.absurd(now), Interval: p.interval, Known: tat,
	})
	switch {
	case err != nil && p.own != nil:
		p.Log.LogAttrs(ctx, slog.LevelWarn, "the pace of all processes could not be asked; this process's own is kept",
			slog.String("merchant", merchant), slog.String("error", err.Error()))
		return p.own.take(ctx, merchant, patience)
	case taken:
		p.heard(merchant, place.Add(p.interval))
		return &token{p, place}, time.Time{}
	}
	p.heard(merchant, place)
	return nil, place.Add(-p.tolerance)
}

func (p *Pace) name(merchant string) string { return merchant + "#" + p.Action }

// absurd is the furthest TAT that can be at the time now.
func (p *Pace) absurd(now time.Time) time.Time {
	return now.Add(p.tolerance + budget.TokenWait + p.interval + oddClock)
}

// line finds or begins what is known of a merchant's line. p.mu is held.
func (p *Pace) line(merchant string, now time.Time) *line {
	l := p.lines[merchant]
	if l == nil {
		if len(p.lines) >= p.room {
			p.sweep(now)
		}
		l = &line{}
		p.lines[merchant] = l
	}
	return l
}

// sweep drops the lines of which nothing is left to know. p.mu is held.
func (p *Pace) sweep(now time.Time) {
	for merchant, l := range p.lines {
		if l.tat.Before(now) && l.promised.Before(now) { // what was returned lies before the TAT
			delete(p.lines, merchant)
		}
	}
	p.room = max(fewLines, 2*len(p.lines))
}

// atHand finds a token that was given back, or else tells where the line was when the process last heard of it.
func (p *Pace) atHand(merchant string, now, latest time.Time) (place time.Time, found bool, tat time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.line(merchant, now)
	l.returned = slices.DeleteFunc(l.returned, func(place time.Time) bool { return now.After(place.Add(p.interval)) })
	if len(l.returned) > 0 && !l.returned[0].After(latest) {
		place, l.returned = l.returned[0], slices.Delete(l.returned, 0, 1)
		return place, true, l.tat
	}
	return time.Time{}, false, l.tat
}

// known is where the line was when the process last heard of it; now, when a token that was given back is at hand.
func (p *Pace) known(merchant string, now, latest time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.line(merchant, now)
	usable := func(place time.Time) bool { return !now.After(place.Add(p.interval)) && !place.After(latest) }
	if slices.ContainsFunc(l.returned, usable) {
		return now
	}
	return l.tat
}

func (p *Pace) heard(merchant string, tat time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.line(merchant, p.now())
	if tat.After(l.tat) || l.tat.After(p.absurd(p.now())) {
		l.tat = tat
	}
}

// giveBack gives up the place of a token that was not used. The store takes back the end of the line only, so a place
// before that is kept until those behind it come back too, or somebody here uses it.
func (p *Pace) giveBack(ctx context.Context, merchant string, t *token) {
	now := p.now()
	if now.After(t.place.Add(p.interval)) {
		return
	}
	p.keep(merchant, t.place)
	for {
		from, to := p.end(merchant)
		if from.Equal(to) {
			return
		}
		done, err := p.Store.Return(ctx, p.name(merchant), from, to)
		switch {
		case err != nil: // the store may have taken the places back and given them to others: they are lost here
			return
		case !done:
			for place := to; place.Before(from); place = place.Add(p.interval) {
				p.keep(merchant, place)
			}
			return
		}
		p.shorten(merchant, from, to)
	}
}

func (p *Pace) keep(merchant string, place time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.line(merchant, p.now())
	at, _ := slices.BinarySearchFunc(l.returned, place, time.Time.Compare)
	l.returned = slices.Insert(l.returned, at, place)
}

// end takes the returned places at the line's end, which lie between to and from.
func (p *Pace) end(merchant string) (from, to time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.line(merchant, p.now())
	to = l.tat
	for n := len(l.returned); n > 0 && l.returned[n-1].Add(p.interval).Equal(to); n-- {
		to = l.returned[n-1]
		l.returned = l.returned[:n-1]
	}
	return l.tat, to
}

// shorten notes that the line ends at to again, unless it was moved on meanwhile.
func (p *Pace) shorten(merchant string, from, to time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.line(merchant, p.now()); l.tat.Equal(from) {
		l.tat = to
	}
}

// promise tells when a refused command may come again: when there is a token, and an interval after the one that was
// refused before it, so that a full queue does not come all at once and be refused again.
func (p *Pace) promise(merchant string, from time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	l := p.line(merchant, now)
	if l.promised.Before(from) || l.promised.After(now.Add(longestPromise)) {
		l.promised = from
	}
	promised := l.promised
	l.promised = promised.Add(p.interval)
	return promised
}
