package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
)

// Transport carries requests to the gateways over HTTP/1.1. It is a plain HTTP client and not net/http's, because that
// one reads from its idle connections in the background: whether something came before a request or after it cannot be
// told there. Here a connection is asked right before the first byte of every request (conn.ask), by the goroutine that
// then writes it, so the answer holds also in a process that was frozen in between. Nothing is ever sent again.
//
// A request with Close set has a connection of its own, new or opened ahead and not yet used, that is closed after the
// answer. It is listened to for a round trip before the request (conn.listen), because a gateway may speak as soon as
// it has accepted a connection. Other requests may use one that is kept.
type Transport struct {
	pool *pool
	loud sync.Map // the places that ever spoke on a request's own connection before it
	// proxied carries what goes through a proxy (HTTPS_PROXY): each request on a new connection, which net/http opens.
	proxied *http.Transport
}

// NewTransport makes a transport; tlsConfig may be nil for the system's roots and the defaults.
func NewTransport(tlsConfig *tls.Config) *Transport {
	o := &opener{tls: tlsConfig}
	return &Transport{
		pool: newPool(o.open),
		proxied: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			TLSClientConfig: tlsConfig,
			// And so nothing is replayed either: net/http does that on kept connections only.
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: maxHead,
			DisableCompression:     true, // a signature is over the bytes as they were sent
			// No HTTP/2: net/http repeats requests of its own accord there.
			TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
		},
	}
}

// RoundTrip carries one request. It calls the hooks of the request's context: GotConn right before the first byte is
// written, and GotFirstResponseByte when something comes back.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if proxy, err := t.proxied.Proxy(r); err != nil {
		return nil, err
	} else if proxy != nil {
		return t.proxied.RoundTrip(r)
	}
	text, err := onTheWire(r)
	if err != nil {
		return nil, err
	}
	ctx, to := r.Context(), placeOf(r.URL)
	c, err := t.ready(ctx, to, r.Close)
	if err != nil {
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: c.stream})
	}
	return c.carry(ctx, text, r, func(whole bool) {
		if whole && !r.Close {
			t.pool.keep(to, c)
			return
		}
		c.close()
	})
}

// ready gives a connection that was just asked whether it can carry a request. One that cannot is replaced by a new
// one, once. On an error nothing was written.
func (t *Transport) ready(ctx context.Context, to place, own bool) (*conn, error) {
	c, err := t.connection(ctx, to, own)
	if err != nil {
		return nil, err
	}
	if t.asked(ctx, c, to, own) == nil {
		return c, nil
	}
	c.close()
	if c, err = t.pool.open(ctx, to); err != nil {
		return nil, err
	}
	if err := t.asked(ctx, c, to, own); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// asked asks a connection, a request's own after it has listened.
func (t *Transport) asked(ctx context.Context, c *conn, to place, own bool) error {
	if !own {
		return c.ask()
	}
	wake := wakeTime
	if _, loud := t.loud.Load(to); loud {
		wake = loudTime
	}
	if err := c.listen(ctx, wake); err != nil {
		return err
	}
	err := c.ask()
	if errors.Is(err, errSpoke) {
		t.loud.Store(to, true)
	}
	return err
}

// connection gives one that is kept, unless it must be a request's own, or one that was opened ahead, or a new one.
func (t *Transport) connection(ctx context.Context, to place, own bool) (*conn, error) {
	if !own {
		if c := t.pool.takeKept(to); c != nil {
			return c, nil
		}
	}
	if c := t.pool.takeAhead(ctx, to); c != nil {
		return c, nil
	}
	return t.pool.open(ctx, to)
}

// Warm begins to open a connection to base ahead of a request, which then finds it open, or waits for it. It does not
// wait. When there is one already, or base is empty, it does nothing and gives nil. It is best effort: after a failure
// the request opens its own. A connection that no request comes for is closed after 5 s.
func (t *Transport) Warm(ctx context.Context, base string) (*Opening, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, errors.New("the gateway's address cannot be read")
	case u.Host == "":
		return nil, nil // nowhere
	}
	if proxy, err := t.proxied.Proxy(&http.Request{URL: u}); err != nil || proxy != nil {
		return nil, err // a proxy's connections are net/http's own affair
	}
	return t.pool.openAhead(ctx, placeOf(u)), nil
}

// CloseIdleConnections closes the connections that carry no request.
func (t *Transport) CloseIdleConnections() { t.pool.closeIdle() }
