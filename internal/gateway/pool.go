package gateway

import (
	"context"
	"net"
	"net/url"
	"sync"
	"time"
)

const (
	// idleTimeout closes a kept connection before WeChat Pay's servers do, after 8 s ("Keep-Alive: timeout=8"): a
	// request on a connection that the other side is just closing may or may not have arrived.
	idleTimeout = 7 * time.Second
	// aheadTimeout ends the opening of a connection ahead, and closes one that was opened and that no request came for.
	aheadTimeout = 5 * time.Second
	// maxKept is how many idle connections are kept to one host.
	maxKept = 16
)

// now is the wall clock alone: the monotonic one may stand still while Lambda freezes the process.
func now() time.Time { return time.Now().Round(0) }

// young reports whether less than a bound has passed since then.
func young(since time.Time, bound time.Duration) bool {
	age := now().Sub(since)
	return age >= 0 && age < bound
}

// place is where a connection leads.
type place struct{ scheme, address string }

// placeOf is the scheme, and the host and port, of a URL.
func placeOf(u *url.URL) place {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return place{u.Scheme, net.JoinHostPort(u.Hostname(), port)}
}

// pool keeps connections that may carry another request, and at most one for each place that was opened ahead of a
// request.
type pool struct {
	open func(ctx context.Context, to place) (*conn, error)

	mu    sync.Mutex
	kept  map[place][]*conn // the one that was used last stands last
	ahead map[place]*Opening
}

func newPool(open func(ctx context.Context, to place) (*conn, error)) *pool {
	return &pool{open: open, kept: map[place][]*conn{}, ahead: map[place]*Opening{}}
}

// Opening is a connection that is being opened, or was opened, ahead of a request.
type Opening struct {
	pool  *pool
	place place
	done  chan struct{} // closed when the rest is set
	conn  *conn
	err   error
	ends  *time.Timer // closes the connection when no request came for it
}

// openAhead begins to open a connection ahead, unless one is kept or was opened ahead. It does not wait, and goes on
// when ctx ends: aheadTimeout bounds it.
func (p *pool) openAhead(ctx context.Context, to place) *Opening {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept[to]) > 0 || p.ahead[to] != nil {
		return nil
	}
	o := &Opening{pool: p, place: to, done: make(chan struct{})}
	p.ahead[to] = o
	// The caller's context often ends before the connection is open: a secret that is kept is loaded in no time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aheadTimeout)
	go func() {
		defer cancel()
		if o.conn, o.err = p.open(ctx, to); o.err == nil {
			o.ends = time.AfterFunc(aheadTimeout, o.Discard)
		}
		close(o.done)
		if o.err != nil {
			o.Discard()
		}
	}()
	return o
}

// Wait waits until the connection is open, and says why it is not. It may be called on nil: nothing is being opened.
func (o *Opening) Wait(ctx context.Context) error {
	if o == nil {
		return nil
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Discard closes the connection, now or when it is open, unless a request took it. It may be called on nil.
func (o *Opening) Discard() {
	if o == nil || !o.pool.claim(o) {
		return
	}
	o.drop()
}

// drop closes a connection that nobody will take.
func (o *Opening) drop() {
	go func() {
		<-o.done // after aheadTimeout at the latest
		if o.conn != nil {
			o.conn.close()
		}
	}()
}

// claim makes the caller the one that has the connection.
func (p *pool) claim(o *Opening) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ahead[o.place] != o {
		return false
	}
	delete(p.ahead, o.place)
	return true
}

// takeAhead takes the connection that was opened ahead, and waits for it if it is still being opened. It gives nil when
// there is none.
func (p *pool) takeAhead(ctx context.Context, to place) *conn {
	p.mu.Lock()
	o := p.ahead[to]
	delete(p.ahead, to)
	p.mu.Unlock()
	if o == nil {
		return nil
	}
	if o.Wait(ctx) != nil || !young(o.conn.since, aheadTimeout) {
		o.drop() // not given to the next attempt: a dial that hangs must not take all of them
		return nil
	}
	o.ends.Stop() // or the timer would hold on to the connection after its request is over
	return o.conn
}

// takeKept takes the kept connection that was used last, or gives nil.
func (p *pool) takeKept(to place) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for list := p.kept[to]; len(list) > 0; list = p.kept[to] {
		c := list[len(list)-1]
		p.kept[to] = list[:len(list)-1]
		c.timer.Stop()
		if young(c.since, idleTimeout) {
			return c
		}
		c.close()
	}
	return nil
}

// keep keeps a connection for the next request.
func (p *pool) keep(to place, c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept[to]) >= maxKept {
		c.close()
		return
	}
	c.since = now()
	p.kept[to] = append(p.kept[to], c)
	if c.timer == nil {
		c.timer = time.AfterFunc(idleTimeout, func() { p.expire(to, c) })
		return
	}
	c.timer.Reset(idleTimeout)
}

// expire closes a connection that was idle for too long.
func (p *pool) expire(to place, c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.kept[to] {
		// A timer that fired just before it was stopped finds a connection that was used since then.
		if other == c && !young(c.since, idleTimeout) {
			p.kept[to] = append(p.kept[to][:i], p.kept[to][i+1:]...)
			c.close()
			return
		}
	}
}

// closeIdle closes every connection that carries no request.
func (p *pool) closeIdle() {
	p.mu.Lock()
	kept, ahead := p.kept, p.ahead
	p.kept, p.ahead = map[place][]*conn{}, map[place]*Opening{}
	p.mu.Unlock()
	for _, list := range kept {
		for _, c := range list {
			c.timer.Stop()
			c.close()
		}
	}
	for _, o := range ahead {
		o.drop()
	}
}
