package gateway

import (
	"encoding/binary"
	"net"
	"syscall"
	"time"
)

// socket is a TCP connection that can be told to hand out only what this host has received already, so that whoever
// reads from it (TLS, above all) never waits. It has one user at a time.
type socket struct {
	net.Conn
	raw     syscall.RawConn
	waiting bool          // the next read may wait; otherwise it gives errNothingHere instead
	longest time.Duration // the longest that a read has waited
	records records       // of what was read, when TLS is spoken on it
}

func newSocket(conn net.Conn) (*socket, error) {
	withRaw, ok := conn.(syscall.Conn)
	if !ok {
		return nil, net.UnknownNetworkError("no socket") // a dialler of net's own always gives one
	}
	raw, err := withRaw.SyscallConn()
	return &socket{Conn: conn, raw: raw, waiting: true}, err
}

// Read implements net.Conn.
func (s *socket) Read(p []byte) (n int, err error) {
	if s.waiting {
		began := time.Now()
		n, err = s.Conn.Read(p)
		s.longest = max(s.longest, time.Since(began))
	} else {
		n, err = s.readHere(p)
	}
	s.records.follow(p[:n])
	return n, err
}

// errNothingHere is a net.Error, and a temporary one: crypto/tls takes every other error for the end of the connection.
var errNothingHere net.Error = nothingHere{}

type nothingHere struct{}

func (nothingHere) Error() string   { return "nothing was received" }
func (nothingHere) Timeout() bool   { return true }
func (nothingHere) Temporary() bool { return true }

// records follows the boundaries of TLS records: each begins with its type, its version and its length
// (https://www.rfc-editor.org/rfc/rfc8446#section-5.1).
type records struct {
	head [5]byte
	got  int // bytes of head
	left int // bytes of the record that are still to come
}

func (r *records) follow(p []byte) {
	for len(p) > 0 {
		if r.got < len(r.head) {
			n := copy(r.head[r.got:], p)
			r.got, p = r.got+n, p[n:]
			r.left = int(binary.BigEndian.Uint16(r.head[3:]))
		}
		if r.got == len(r.head) {
			n := min(r.left, len(p))
			r.left, p = r.left-n, p[n:]
			if r.left == 0 {
				r.got = 0
			}
		}
	}
}

// whole reports whether what was read ends with the end of a record.
func (r *records) whole() bool { return r.got == 0 }
