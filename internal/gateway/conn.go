package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"syscall"
	"time"
)

const (
	maxHead = 64 << 10 // bounds an answer's head together with the interim answers before it, in bytes
	piece   = 16 << 10 // a longer request is written in pieces, and the connection is asked before each, in bytes

	// wakeTime is what a program on the other side may take to be woken by a new connection and to write something.
	wakeTime = 5 * time.Millisecond
	// loudTime is wakeTime where something was ever said before it was asked: there it will be said again, and a
	// program on a busy host takes that long.
	loudTime = 100 * time.Millisecond
	// maxListen bounds the time that a connection is listened to before its first request. There is hardly a longer
	// round trip on Earth; a longer dial is one whose first packet was lost.
	maxListen = 250 * time.Millisecond
)

var (
	errSpoke = errors.New("something came although nothing was asked")
	errEarly = errors.New("an answer began before the request was written")
	errHead  = fmt.Errorf("an answer's head is longer than %d bytes", maxHead)
)

// conn is one connection to a gateway. It carries one request at a time, and nobody reads from it in between.
type conn struct {
	stream  net.Conn // what is written to and read from: the socket, or TLS on it
	socket  *socket
	secure  bool
	answers *bufio.Reader
	head    int           // bytes that the head of the answer may still have; -1: it is over
	heard   func()        // called with the first byte that comes back; nil once it was
	since   time.Time     // when it was opened, or last answered, by the wall clock
	round   time.Duration // about a round trip to the other side, as the opening took it
	timer   *time.Timer   // closes it when it was idle for too long
}

func newConn(stream net.Conn, s *socket) *conn {
	c := &conn{stream: stream, socket: s, secure: stream != net.Conn(s), since: now()}
	c.answers = bufio.NewReader(c)
	return c
}

// opener opens connections.
type opener struct {
	tls *tls.Config // nil: the system's roots and the defaults
	tcp net.Dialer
}

func (o *opener) open(ctx context.Context, to place) (*conn, error) {
	tcp, round, err := o.dial(ctx, to.address)
	if err != nil {
		return nil, err
	}
	s, err := newSocket(tcp)
	if err != nil {
		_ = tcp.Close()
		return nil, err
	}
	if to.scheme != "https" {
		c := newConn(s, s)
		c.round = round
		return c, nil
	}
	config := &tls.Config{}
	if o.tls != nil {
		config = o.tls.Clone()
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(to.address) // it was joined above
	}
	secure := tls.Client(s, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = tcp.Close()
		return nil, err
	}
	c := newConn(secure, s)
	c.round = max(round, s.longest) // TLS may end further away than TCP
	return c, nil
}

// dial opens a TCP connection, and tells how long that took without the look-up of the name.
func (o *opener) dial(ctx context.Context, address string) (tcp net.Conn, took time.Duration, err error) {
	var begin sync.Once // of several addresses, with the first
	var began time.Time
	dialer := o.tcp
	dialer.ControlContext = func(context.Context, string, string, syscall.RawConn) error {
		begin.Do(func() { began = time.Now() })
		return nil
	}
	if tcp, err = dialer.DialContext(ctx, "tcp", address); err != nil {
		return nil, 0, err
	}
	return tcp, time.Since(began), nil
}

func (c *conn) close() { _ = c.stream.Close() } // nothing more is expected of it

// listen waits until the connection has been open for a round trip. What the other side sent of its own accord when it
// accepted the connection has arrived by then, so that [conn.ask] finds it. On a connection that is younger it would
// arrive after the request was written, at the moment when an answer to the request can arrive, and would be taken for
// that answer. One that was opened ahead is mostly old enough, and is not waited for. wake is what the other side may
// take to say it.
func (c *conn) listen(ctx context.Context, wake time.Duration) error {
	wait := min(c.round+wake, maxListen) - max(now().Sub(c.since), 0)
	if wait <= 0 || pause(ctx, wait) {
		return nil
	}
	return ctx.Err()
}

// ask says whether the connection can carry a request: nil when it is open and nothing came on it, as far as this host
// has heard. Over TLS, crypto/tls takes in what is no word to us, a session ticket for instance. Every error is final.
func (c *conn) ask() error {
	if c.answers.Buffered() > 0 {
		return errSpoke
	}
	c.socket.waiting = false
	defer func() { c.socket.waiting = true }()
	var one [1]byte
	n, err := c.stream.Read(one[:])
	switch {
	case n > 0:
		return errSpoke
	case !errors.Is(err, errNothingHere):
		return err
	case c.secure && !c.socket.records.whole():
		return errSpoke // half of something that TLS cannot tell yet
	}
	return nil
}

// Read is what the answers are read with.
func (c *conn) Read(p []byte) (int, error) {
	if c.head == 0 {
		return 0, errHead
	}
	if c.head > 0 {
		p = p[:min(len(p), c.head)]
	}
	n, err := c.stream.Read(p)
	if n > 0 && c.heard != nil {
		c.heard()
		c.heard = nil
	}
	if c.head > 0 {
		c.head -= n
	}
	return n, err
}

// carry writes a request and reads the head of its answer. All of it ends with ctx, the reading of the body included.
// done is called when the body was read to its end, or will not be; whole says that the connection can carry another.
func (c *conn) carry(ctx context.Context, text []byte, r *http.Request, done func(whole bool)) (*http.Response, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.stream.SetDeadline(time.Unix(1, 0)) })
	end := func(whole bool) { done(stop() && whole) }
	c.heard, c.head = func() {}, maxHead
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GotFirstResponseByte != nil {
		c.heard = trace.GotFirstResponseByte
	}
	response, err := c.exchange(text, r)
	if err != nil {
		end(false)
		return nil, err
	}
	whole := !response.Close && response.StatusCode != http.StatusSwitchingProtocols
	if response.Body == http.NoBody {
		end(whole)
		return response, nil
	}
	response.Body = &body{from: response.Body, whole: whole, end: end}
	return response, nil
}

func (c *conn) exchange(text []byte, r *http.Request) (*http.Response, error) {
	if err := c.write(text); err != nil {
		return nil, err
	}
	for {
		response, err := http.ReadResponse(c.answers, r)
		if err != nil {
			return nil, err
		}
		// An interim answer says nothing yet; one that switches protocols is the last that is HTTP.
		if response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			c.head = -1
			return response, nil
		}
	}
}

// write writes a request that the connection was just asked about. An answer that is there before the request is
// written cannot be an answer to it.
func (c *conn) write(text []byte) error {
	for rest := text; len(rest) > 0; {
		now := rest[:min(len(rest), piece)]
		if len(rest) < len(text) && c.spoke() {
			return c.early()
		}
		if _, err := c.stream.Write(now); err != nil {
			if c.spoke() {
				return c.early()
			}
			return err
		}
		rest = rest[len(now):]
	}
	return nil
}

// spoke reports whether anything came, also when the time is over.
func (c *conn) spoke() bool {
	_ = c.stream.SetReadDeadline(time.Time{}) // asking never waits
	return errors.Is(c.ask(), errSpoke)
}

func (c *conn) early() error {
	c.heard()
	return errEarly
}

// body is an answer's body. The connection is free when it was read to its end, and closed when it will not be.
type body struct {
	from  io.Reader
	whole bool
	end   func(whole bool) // nil once it was called
}

func (b *body) Read(p []byte) (int, error) {
	if b.end == nil {
		return 0, io.EOF
	}
	n, err := b.from.Read(p)
	if err != nil {
		b.finish(err == io.EOF && b.whole)
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.finish(false)
	return nil
}

func (b *body) finish(whole bool) {
	if b.end != nil {
		b.end(whole)
		b.end = nil
	}
}

// onTheWire is a request as it is written.
func onTheWire(r *http.Request) ([]byte, error) {
	var text bytes.Buffer
	text.Grow(1<<10 + int(max(r.ContentLength, 0)))
	plain := *r
	// Close means a connection of its own. That is our affair: with "Connection: close" in the request, the same words
	// in an answer would no longer tell that the gateway gave up on a connection (408).
	plain.Close = false
	err := plain.Write(&text)
	return text.Bytes(), err
}
