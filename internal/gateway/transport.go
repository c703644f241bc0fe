package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// idleTimeout closes a connection before WeChat Pay's servers do, after 8 s ("Keep-Alive: timeout=8"): a request on a
// connection that the other side is just closing may or may not have arrived.
const idleTimeout = 7 * time.Second

// Transport carries requests to the gateways: HTTP/1.1 on connections that count what is written to them.
type Transport struct {
	*http.Transport
	dialer dialer
}

// NewTransport makes a transport; tlsConfig may be nil for the system's roots and the defaults.
func NewTransport(tlsConfig *tls.Config) *Transport {
	t := &Transport{dialer: dialer{tls: tlsConfig, warm: map[string]*warmConn{}, used: map[string]time.Time{}}}
	t.Transport = &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            t.dialer.plain,
		DialTLSContext:         t.dialer.secure,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    16,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // a signature is over the bytes as they were sent
		// No HTTP/2: net/http repeats requests of its own accord there, and one connection would carry many attempts.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	return t
}

// RoundTrip carries one request, and notes when the host last answered.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.Transport.RoundTrip(r)
	if err == nil {
		t.dialer.answered(addressOf(r.URL))
	}
	return response, err
}

// Warm opens a connection to base ahead of the first request, which then finds it open, or waits for it while it is
// being opened. It does nothing when there is one already, or one that was used a moment ago and is kept. It is best
// effort: after a failure the request opens its own.
func (t *Transport) Warm(ctx context.Context, base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return errors.New("the gateway's address cannot be read")
	}
	if proxy, err := t.Proxy(&http.Request{URL: u}); err != nil || proxy != nil {
		return err // a proxy's connections are net/http's own affair
	}
	if u.Scheme == "http" {
		return t.dialer.open(ctx, addressOf(u), t.dialer.dialPlain)
	}
	return t.dialer.open(ctx, addressOf(u), t.dialer.dialTLS)
}

// addressOf is the host and port that net/http dials for a URL.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// dialer opens connections and keeps those that were opened ahead.
type dialer struct {
	tls *tls.Config
	net net.Dialer

	mu   sync.Mutex
	warm map[string]*warmConn // by address
	used map[string]time.Time // when an address last answered, or was last dialled for a request
}

// warmConn is a connection that was opened ahead, or is being opened; the rest is set once done is closed.
type warmConn struct {
	done   chan struct{}
	conn   net.Conn
	err    error
	opened time.Time
}

// fresh tells whether a connection is young enough to be used: the gateway may be closing an older one at this very
// moment. The wall clock is compared, because the monotonic one may stand still while Lambda freezes the process.
func fresh(since time.Time) bool {
	age := time.Now().Round(0).Sub(since.Round(0))
	return age >= 0 && age < idleTimeout
}

func (d *dialer) answered(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used[address] = time.Now()
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

func (d *dialer) open(ctx context.Context, address string, dial dial) error {
	w := &warmConn{done: make(chan struct{})}
	d.mu.Lock()
	old := d.warm[address]
	if fresh(d.used[address]) || old != nil && !old.ended() {
		d.mu.Unlock()
		return nil
	}
	d.warm[address] = w
	d.mu.Unlock()

	if old != nil {
		old.close()
	}
	w.conn, w.err = dial(ctx, "tcp", address)
	w.opened = time.Now()
	close(w.done)
	return w.err
}

// ended tells whether the connection cannot be used any more; one that is still being opened can.
func (w *warmConn) ended() bool {
	select {
	case <-w.done:
		return w.err != nil || !fresh(w.opened)
	default:
		return false
	}
}

// close closes a connection that has ended.
func (w *warmConn) close() {
	if w.conn != nil {
		_ = w.conn.Close()
	}
}

// opened takes the connection that was opened ahead, and waits for it if it is still being opened.
func (d *dialer) opened(ctx context.Context, address string) net.Conn {
	d.mu.Lock()
	w := d.warm[address]
	delete(d.warm, address)
	d.used[address] = time.Now() // a Warm that comes late must not open a second connection
	d.mu.Unlock()
	if w == nil {
		return nil
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		// Not given to the next attempt: a dial that hangs must not take all of them.
		go func() {
			<-w.done // at the latest when the invocation that opens it ends
			w.close()
		}()
		return nil
	}
	if w.ended() {
		w.close()
		return nil
	}
	return w.conn
}

func (d *dialer) plain(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := d.opened(ctx, address); conn != nil {
		return conn, nil
	}
	return d.dialPlain(ctx, network, address)
}

func (d *dialer) secure(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := d.opened(ctx, address); conn != nil {
		return conn, nil
	}
	return d.dialTLS(ctx, network, address)
}

func (d *dialer) dialPlain(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn}, nil
}

func (d *dialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	secure := tls.Dialer{NetDialer: &d.net, Config: d.tls}
	conn, err := secure.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn}, nil // above TLS: the handshake is no part of a request
}

// countedConn counts the bytes that are written, so that "nothing was sent" is a fact.
type countedConn struct {
	net.Conn

	mu     sync.Mutex
	wrote  int64
	sealed bool
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.sealed {
		c.mu.Unlock()
		return 0, net.ErrClosed
	}
	c.wrote += int64(len(p)) // before the write: whatever it says, some of it may have left
	c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *countedConn) written() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrote
}

// seal tells whether nothing was written since before, and if so lets nothing be written any more.
func (c *countedConn) seal(before int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrote != before {
		return false
	}
	c.sealed = true
	return true
}
