package bench

import (
	"net"
	"sync"
	"time"
)

// distant listens as if its clients were roundTrip away: what they send arrives half of it later, what they are sent
// too, and opening a connection takes one round trip, as TCP's handshake does. The loopback's own time comes on top.
//
// The kernel opens a connection at once, so the round trip of TCP's handshake falls into the one of TLS. A client
// that takes its longest wait for a round trip, as a reply's connection does, would think itself twice as far away:
// therefore the first byte of the server's first record, which is always the same, arrives after one round trip.
type distant struct {
	net.Listener
	roundTrip time.Duration
}

func (d distant) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if d.roundTrip == 0 {
		return conn, nil
	}
	c := &distantConn{Conn: conn, delay: d.roundTrip / 2, opened: time.Now().Add(d.roundTrip),
		in: make(chan parcel, 64), out: make(chan parcel, 64), done: make(chan struct{})}
	go c.receive()
	go c.send()
	return c, nil
}

// parcel is a piece of a stream and when it arrives.
type parcel struct {
	at    time.Time
	bytes []byte
	err   error
}

type distantConn struct {
	net.Conn
	delay   time.Duration
	opened  time.Time // when the client of a distant server could have begun to send
	in, out chan parcel
	rest    parcel // what is left of the parcel that is being read
	begun   bool   // the first record was written
	done    chan struct{}
	once    sync.Once
}

func (c *distantConn) receive() {
	for {
		buffer := make([]byte, 16<<10)
		n, err := c.Conn.Read(buffer)
		at := time.Now()
		if at.Before(c.opened) {
			at = c.opened
		}
		select {
		case c.in <- parcel{at.Add(c.delay), buffer[:n], err}:
		case <-c.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// handshakeRecord is the type of the first record that a TLS server sends: RFC 8446, section 5.1.
const handshakeRecord = 22

func (c *distantConn) send() {
	time.Sleep(time.Until(c.opened))
	if _, err := c.Conn.Write([]byte{handshakeRecord}); err != nil {
		return
	}
	for {
		select {
		case p := <-c.out:
			time.Sleep(time.Until(p.at))
			if _, err := c.Conn.Write(p.bytes); err != nil {
				return
			}
		case <-c.done:
			return
		}
	}
}

func (c *distantConn) Read(p []byte) (int, error) {
	if len(c.rest.bytes) == 0 {
		if c.rest.err != nil {
			return 0, c.rest.err
		}
		select {
		case c.rest = <-c.in:
		case <-c.done:
			return 0, net.ErrClosed
		}
		time.Sleep(time.Until(c.rest.at))
	}
	n := copy(p, c.rest.bytes)
	c.rest.bytes = c.rest.bytes[n:]
	if n == 0 && c.rest.err != nil {
		return 0, c.rest.err
	}
	return n, nil
}

func (c *distantConn) Write(p []byte) (int, error) {
	rest := p
	if !c.begun && len(p) > 0 {
		c.begun, rest = true, p[1:] // send has sent it
	}
	select {
	case c.out <- parcel{at: time.Now().Add(c.delay), bytes: append([]byte(nil), rest...)}:
		return len(p), nil
	case <-c.done:
		return 0, net.ErrClosed
	}
}

func (c *distantConn) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}

// Deadlines would have to be those of what is under way; net/http sets them to interrupt its background read.
func (c *distantConn) SetReadDeadline(time.Time) error  { return nil }
func (c *distantConn) SetDeadline(time.Time) error      { return nil }
func (c *distantConn) SetWriteDeadline(time.Time) error { return nil }
