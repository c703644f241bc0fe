package simulation

import (
	"net/http"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// link is what a process remembers of its connections to one host. The transport that ships is stood in for: here a
// request that asks for a connection of its own (http.Request.Close) has one, any other goes on the kept one, and each
// is asked before its first byte.
type link struct {
	kept   bool           // a connection was left open by the request before
	signed *http.Response // the latest signed 204 on it, which may come once more
	at     time.Time      // when that came
}

// link is that of the request's host. w.mu is held.
func (a *attempt) link() *link {
	l := a.p.links[a.request.URL.Host]
	if l == nil {
		l = &link{}
		a.p.links[a.request.URL.Host] = l
	}
	return l
}

// connect gets a connection that can carry a request, or says what happened instead. stray is what another request's
// connection has to say in place of an answer to this one.
func (a *attempt) connect() (stray func() (*http.Response, error), err error) {
	a.idle, a.idleN = a.w.fault(a.v, stepIdle)
	if err := a.dial(); err != nil {
		return nil, err
	}
	ask := !a.w.options.Off.Ask
	switch a.idle {
	case idleDies, idleSpeaks:
		if ask { // nothing is written to it; another one is opened
			return nil, a.dial()
		}
		if a.idle == idleDies {
			return a.intoNothing, nil
		}
		return a.says429, nil
	case idleDiesTwice:
		if ask {
			return nil, a.dialError("closed")
		}
		return a.intoNothing, nil
	case straySpeaks:
		// What comes on a connection while it carries another request is taken for that one's answer. A connection that
		// is closed after its answer carries no other request.
		if !a.request.Close && a.once() && a.hasKept() {
			return a.says429, nil
		}
	case strayRepeats:
		if !a.request.Close && a.step == stepSettle {
			return a.repeated(), nil
		}
	}
	return nil, nil
}

// intoNothing writes the request to a connection that was closed before.
func (a *attempt) intoNothing() (*http.Response, error) {
	a.dead = true
	return nil, a.lost()
}

func (a *attempt) hasKept() bool {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return a.link().kept
}

// says429 is an answer that belongs to nothing, and is read in place of the one to this request, which the gateway
// carries out.
func (a *attempt) says429() (*http.Response, error) {
	a.stray = true
	_ = a.p.wait(a.ctx, a.v, a.latency(9, 10*time.Millisecond, 100*time.Millisecond))
	a.act()
	return a.back(a.plain(http.StatusTooManyRequests, ""))
}

// repeated is the signed 204 of an earlier request, once more. The gateway has not carried this one out yet, and half of
// the time it never will. It is nil when there was none of late.
func (a *attempt) repeated() func() (*http.Response, error) {
	a.w.mu.Lock()
	l := a.link()
	said, age := l.signed, time.Since(l.at)
	a.w.mu.Unlock()
	if said == nil || age > 4*time.Minute {
		return nil
	}
	return func() (*http.Response, error) {
		a.stray = true
		if a.odd() {
			a.w.later(a.latency(9, time.Millisecond, 10*time.Second), func() { a.act() })
		}
		response := a.plain(said.StatusCode, "")
		response.Header = said.Header.Clone()
		return a.back(response)
	}
}

// leaveOpen keeps the connection for the next request, as net/http does after a whole answer.
func (a *attempt) leaveOpen(response *http.Response, err error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	l := a.link()
	l.kept = l.kept || err == nil && !a.request.Close
	if err == nil && !a.stray && a.code == saysDone && a.fault == noFault && a.p.action == wire.Complete {
		l.signed, l.at = &http.Response{StatusCode: response.StatusCode, Header: response.Header.Clone()}, time.Now()
	}
}
