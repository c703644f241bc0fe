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
	t := &Transport{dialer: dialer{tls: tlsConfig, warm: map[string]warmConn{}}}
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

// Warm opens a connection to base ahead of the first request; that request then finds it open. It is best effort: a
// failure only means that the request opens its own.
func (t *Transport) Warm(ctx context.Context, base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return errors.New("the gateway's address cannot be read")
	}
	if proxy, err := t.Proxy(&http.Request{URL: u}); err != nil || proxy != nil {
		return err // a proxy's connections are net/http's own affair
	}
	return t.dialer.open(ctx, u)
}

// dialer opens connections and keeps those that were opened ahead.
type dialer struct {
	tls *tls.Config
	net net.Dialer

	mu   sync.Mutex
	warm map[string]warmConn // by address, only until idleTimeout
}

type warmConn struct {
	conn   net.Conn
	opened time.Time
}

func (d *dialer) open(ctx context.Context, u *url.URL) error {
	port := u.Port()
	dial := d.dialTLS
	if u.Scheme == "http" {
		dial = d.dialPlain
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, ok := d.warm[address]; ok {
		_ = old.conn.Close()
	}
	d.warm[address] = warmConn{conn, time.Now()}
	return nil
}

// opened takes the connection that was opened ahead, unless it has been idle for too long. Its age is compared without
// the monotonic clock, which may stand still while Lambda freezes the process.
func (d *dialer) opened(address string) net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	w, ok := d.warm[address]
	if !ok {
		return nil
	}
	delete(d.warm, address)
	if age := time.Now().Round(0).Sub(w.opened.Round(0)); age < 0 || age > idleTimeout {
		_ = w.conn.Close()
		return nil
	}
	return w.conn
}

func (d *dialer) plain(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := d.opened(address); conn != nil {
		return conn, nil
	}
	return d.dialPlain(ctx, network, address)
}

func (d *dialer) secure(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := d.opened(address); conn != nil {
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
