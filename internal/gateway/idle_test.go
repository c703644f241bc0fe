//go:build unix

package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// peer is the other side of one connection: TLS or not, and the TCP connection below.
type peer struct {
	net.Conn
	tcp *net.TCPConn
}

// received waits until this host has received something on a connection, and leaves it where it is.
func received(t *testing.T, s *socket) {
	t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(2 * time.Second))
	defer func() { _ = s.SetReadDeadline(time.Time{}) }()
	err := s.raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		return err != syscall.EAGAIN
	})
	if err != nil {
		t.Fatalf("nothing was received: %v", err)
	}
}

// certificate is httptest's, and what trusts it.
func certificate(t *testing.T) (theirs, ours *tls.Config) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	return server.TLS.Clone(), server.Client().Transport.(*http.Transport).TLSClientConfig
}

// idleKinds are what can befall a connection that carries no request.
var idleKinds = []struct {
	name    string
	tlsOnly bool
	happens func(p peer)
	usable  bool
}{
	{name: "nothing", usable: true},
	{name: "it is closed", happens: func(p peer) { _ = p.Close() }},
	{name: "its sending half is closed", happens: func(p peer) { _ = p.tcp.CloseWrite() }},
	{name: "it is reset", happens: func(p peer) { _ = p.tcp.SetLinger(0); _ = p.tcp.Close() }},
	{name: "an answer too many", happens: say("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")},
	{name: "an answer too many, and then the end", happens: func(p peer) { say("HTTP/1.1 204 No Content\r\n\r\n")(p); _ = p.Close() }},
	{name: "an interim answer", happens: say("HTTP/1.1 100 Continue\r\n\r\n")},
	{name: "one byte", happens: say("H")},
	{name: "an empty line", happens: say("\r\n")},
	{name: "a close_notify alone", tlsOnly: true, happens: func(p peer) { _ = p.Conn.(*tls.Conn).CloseWrite() }},
	{name: "the end of TCP without close_notify", tlsOnly: true, happens: func(p peer) { _ = p.tcp.Close() }},
	{name: "an alert", tlsOnly: true, happens: func(p peer) { _, _ = p.Read(make([]byte, 1)) }}, // of nonsense, see below
	{name: "a record that is no TLS", tlsOnly: true, happens: func(p peer) { _, _ = p.tcp.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }},
	{name: "half a record's head", tlsOnly: true, happens: func(p peer) { _, _ = p.tcp.Write([]byte{23, 3, 3}) }},
	{name: "half a record", tlsOnly: true, happens: func(p peer) { _, _ = p.tcp.Write([]byte{23, 3, 3, 0, 40, 1, 2, 3}) }},
}

func say(text string) func(p peer) { return func(p peer) { _, _ = p.Write([]byte(text)) } }

func TestAskKnowsWhatHasHappenedToAnIdleConnection(t *testing.T) {
	theirs, ours := certificate(t)
	for _, version := range []uint16{0, tls.VersionTLS12, tls.VersionTLS13} {
		for _, tt := range idleKinds {
			if tt.tlsOnly && version == 0 {
				continue
			}
			how := map[uint16]string{0: "TCP", tls.VersionTLS12: "TLS 1.2", tls.VersionTLS13: "TLS 1.3"}[version]
			t.Run(how+", "+tt.name, func(t *testing.T) {
				peers := make(chan peer, 1)
				url := rawServer(t, func(_ int, conn net.Conn, _ *bufio.Reader) {
					p := peer{conn, conn.(*net.TCPConn)}
					if version != 0 {
						config := theirs.Clone()
						config.MinVersion, config.MaxVersion = version, version
						config.ClientAuth = tls.RequestClientCert // so that a ticket is sent after our part of the handshake
						secure := tls.Server(conn, config)
						if secure.HandshakeContext(t.Context()) != nil {
							return
						}
						p.Conn = secure
					}
					peers <- p
					<-t.Context().Done()
				})
				to := place{map[bool]string{true: "https", false: "http"}[version != 0], url[len("http://"):]}
				ours, tickets := ours.Clone(), tls.NewLRUClientSessionCache(1)
				ours.ClientSessionCache = tickets // a server of Go's sends tickets to those alone that keep them
				c, err := (&opener{tls: ours}).open(t.Context(), to)
				if err != nil {
					t.Fatal(err)
				}
				defer c.close()
				p := <-peers
				if version == tls.VersionTLS13 {
					received(t, c.socket) // the session ticket
				}
				for range 2 { // asking changes nothing
					if err := c.ask(); err != nil {
						t.Fatalf("before anything happened: %v", err)
					}
				}
				if _, taken := tickets.Get("127.0.0.1"); taken != (version != 0) {
					t.Errorf("a session ticket was taken in: %v", taken)
				}
				if tt.name == "an alert" {
					_, _ = c.socket.Write([]byte{23, 3, 3, 0, 1, 0})
				}
				if tt.happens != nil {
					tt.happens(p)
					received(t, c.socket)
				}
				if err := c.ask(); (err == nil) != tt.usable {
					t.Errorf("asked: %v", err)
				}
			})
		}
	}
}

// Whatever befell an idle connection, the request goes out once, on another one, and its answer is its own.
func TestARequestIsNotWrittenToAConnectionThatIsNotQuiet(t *testing.T) {
	for _, own := range []bool{true, false} {
		for _, tt := range idleKinds {
			if tt.tlsOnly {
				continue
			}
			how := map[bool]string{true: "opened ahead", false: "kept"}[own]
			t.Run(how+", "+tt.name, func(t *testing.T) {
				var connections, requests atomic.Int32
				var mu sync.Mutex
				var first peer
				accepted := make(chan struct{}, 10)
				url := rawServer(t, func(n int, conn net.Conn, r *bufio.Reader) {
					connections.Add(1)
					if n == 1 {
						mu.Lock()
						first = peer{conn, conn.(*net.TCPConn)}
						mu.Unlock()
					}
					accepted <- struct{}{}
					for readRequest(t, r) {
						requests.Add(1)
						fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					}
				})
				transport := NewTransport(nil)
				defer transport.CloseIdleConnections()
				sent := int32(1)
				var idle *conn
				if own {
					opening, err := transport.Warm(t.Context(), url)
					if err != nil || opening.Wait(t.Context()) != nil {
						t.Fatal("not opened")
					}
					idle = opening.conn
				} else {
					if got := exchange(t.Context(), transport, Request{Method: "POST", URL: url, Body: []byte("1")}, false); got.Status != 200 {
						t.Fatalf("the first: %+v", got)
					}
					for _, list := range transport.pool.kept {
						idle = list[0]
					}
					sent++
				}
				<-accepted
				if tt.happens != nil {
					mu.Lock()
					tt.happens(first)
					mu.Unlock()
					received(t, idle.socket)
				}
				got := exchange(t.Context(), transport, Request{Method: "POST", URL: url, Body: []byte("2")}, own)
				opened := map[bool]int32{true: 1, false: 2}[tt.usable]
				if got.Fact != Answered || got.Status != 200 || requests.Load() != sent || connections.Load() != opened {
					t.Errorf("%v %d after %d requests on %d connections", got.Fact, got.Status, requests.Load(), connections.Load())
				}
			})
		}
	}
}

func TestTwoConnectionsThatAreNotQuietMeanThatNothingLeft(t *testing.T) {
	for _, tt := range []struct {
		name    string
		happens func(p peer)
	}{
		{"closed at once", func(p peer) { _ = p.Close() }},
		{"an answer before the request", say("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var connections, requests atomic.Int32
			url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				connections.Add(1)
				tt.happens(peer{conn, conn.(*net.TCPConn)})
				if readRequest(t, r) {
					requests.Add(1)
				}
			})
			transport := NewTransport(nil)
			open := transport.pool.open
			transport.pool.open = func(ctx context.Context, to place) (*conn, error) {
				c, err := open(ctx, to)
				if err == nil {
					received(t, c.socket)
				}
				return c, err
			}
			got := exchange(t.Context(), transport, Request{Method: "POST", URL: url, Body: []byte("1")}, true)
			if got.Fact != NeverLeft || connections.Load() != 2 || requests.Load() != 0 {
				t.Errorf("%v with %d requests on %d connections", got.Fact, requests.Load(), connections.Load())
			}
		})
	}
}

// The gateway sends an answer too many after each one. Every reply hears its own.
func TestAReplyNeverHearsTheAnswerOfAnother(t *testing.T) {
	var served atomic.Int32
	url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		for readRequest(t, r) {
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX: %d\r\nContent-Length: 0\r\n\r\nHTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", served.Add(1))
		}
	})
	transport := NewTransport(nil)
	defer transport.CloseIdleConnections()
	for n := range 100 {
		_, _ = transport.Warm(t.Context(), url)
		got := exchange(t.Context(), transport, Request{Method: "POST", URL: url, Body: []byte("1")}, n%2 == 0)
		if got.Fact != Answered || got.Status != 200 || got.Header.Get("X") != fmt.Sprint(n+1) {
			t.Fatalf("request %d: %v %d %v", n+1, got.Fact, got.Status, got.Header)
		}
	}
}

func TestAConnectionOfItsOwnIsClosedAfterTheAnswerAndDoesNotSaySo(t *testing.T) {
	for _, own := range []bool{true, false} {
		t.Run(fmt.Sprint(own), func(t *testing.T) {
			closed := make(chan struct{}, 10)
			var connections atomic.Int32
			said := make(chan string, 10)
			url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				connections.Add(1)
				for {
					request, err := http.ReadRequest(r)
					if err != nil {
						closed <- struct{}{}
						return
					}
					_ = request.Body.Close()
					said <- request.Header.Get("Connection")
					fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
				}
			})
			transport := NewTransport(nil)
			for range 3 {
				got := exchange(t.Context(), transport, Request{Method: "POST", URL: url, Body: []byte("1")}, own)
				if string(got.Body) != "hello" || <-said != "" {
					t.Errorf("got %+v", got)
				}
				if own {
					<-closed
				}
			}
			if n, want := connections.Load(), map[bool]int32{true: 3, false: 1}[own]; n != want {
				t.Errorf("%d connections, want %d", n, want)
			}
			transport.CloseIdleConnections()
			if !own {
				<-closed
			}
		})
	}
}

// After these answers nothing that follows on the connection would be an answer.
func TestAConnectionIsKeptOnlyAfterAWholeAnswerThatSaysNothingElse(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		kept         int
	}{
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", 1},
		{"a body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1},
		{"a close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 0},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 0},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 0},
		{"a body over the limit", "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + strings.Repeat("x", 2_000_000), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport := NewTransport(nil)
			defer transport.CloseIdleConnections()
			url := answering(t, tt.answer)
			exchange(t.Context(), transport, Request{Method: "POST", URL: url, Body: []byte("1")}, false)
			kept := 0
			for _, list := range transport.pool.kept {
				kept += len(list)
			}
			if kept != tt.kept {
				t.Errorf("%d are kept, want %d", kept, tt.kept)
			}
		})
	}
}
