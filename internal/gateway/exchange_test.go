package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// rawServer answers each connection by hand, to do what no HTTP server does.
func rawServer(t *testing.T, serve func(n int, conn net.Conn, requests *bufio.Reader)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(n, conn, bufio.NewReader(conn))
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

func readRequest(t *testing.T, r *bufio.Reader) bool {
	request, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, request.Body)
	return true
}

func send(t *testing.T, transport http.RoundTripper, url string, timeout time.Duration) Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return exchange(ctx, transport, Request{Method: "POST", URL: url, Header: http.Header{}, Body: []byte("hello")})
}

func TestExchangeKnowsWhatHappenedToTheBytes(t *testing.T) {
	tests := []struct {
		name   string
		url    func(t *testing.T) string
		fact   Fact
		status int
	}{
		{"a refused connection means that nothing left", func(t *testing.T) string {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			return "http://" + listener.Addr().String()
		}, NeverLeft, 0},
		{"a name that does not resolve means that nothing left", func(*testing.T) string {
			return "http://gateway.invalid"
		}, NeverLeft, 0},
		{"a failed TLS handshake means that nothing left", func(t *testing.T) string {
			server := httptest.NewUnstartedServer(http.NotFoundHandler()) // of an authority that nobody knows
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL
		}, NeverLeft, 0},
		{"a connection closed without an answer means that it may have arrived", func(t *testing.T) string {
			return rawServer(t, func(_ int, _ net.Conn, r *bufio.Reader) { readRequest(t, r) })
		}, MayHaveArrived, 0},
		{"no answer in time means that it may have arrived", func(t *testing.T) string {
			return rawServer(t, func(_ int, _ net.Conn, r *bufio.Reader) { readRequest(t, r); _, _ = r.ReadByte() })
		}, MayHaveArrived, 0},
		{"a body that breaks off means that it may have arrived", func(t *testing.T) string {
			return rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				readRequest(t, r)
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			})
		}, MayHaveArrived, 200},
		{"something that is not HTTP is garbled", func(t *testing.T) string {
			return rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				readRequest(t, r)
				fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.6\r\n\r\n")
			})
		}, Garbled, 0},
		{"an answer over the limit is garbled", func(t *testing.T) string {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, MaxAnswer+1))
			}))
			t.Cleanup(server.Close)
			return server.URL
		}, Garbled, 200},
		{"an answer of just the limit is an answer", func(t *testing.T) string {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, MaxAnswer))
			}))
			t.Cleanup(server.Close)
			return server.URL
		}, Answered, 200},
		{"a redirect is an answer and is not followed", func(t *testing.T) string {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					t.Error("the redirect was followed")
				}
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			}))
			t.Cleanup(server.Close)
			return server.URL
		}, Answered, 307},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			transport := NewTransport(nil)
			defer transport.CloseIdleConnections()
			got := send(t, transport, tt.url(t), time.Second)
			if got.Fact != tt.fact || got.Status != tt.status {
				t.Errorf("fact %v with status %d, want %v with %d", got.Fact, got.Status, tt.fact, tt.status)
			}
			if got.Fact != Answered && got.Body != nil {
				t.Error("an answer that does not count has a body")
			}
		})
	}
}

// A server that closes a kept connection just when it is used again: net/http would send the request once more on a
// new connection, by itself, for any request that it can rewind.
func TestNothingIsReplayedOnADeadReusedConnection(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		t.Run(method, func(t *testing.T) {
			var seen atomic.Int32
			url := rawServer(t, func(n int, conn net.Conn, r *bufio.Reader) {
				for readRequest(t, r) {
					if seen.Add(1) == 2 {
						return // closed without a word, on the second request of all
					}
					fmt.Fprint(conn, "HTTP/1.1 204 No Content\r\n\r\n")
				}
			})
			transport := NewTransport(nil)
			defer transport.CloseIdleConnections()
			body := []byte("hello")
			if method == http.MethodGet {
				body = nil
			}
			request := func() Answer {
				return exchange(t.Context(), transport, Request{Method: method, URL: url, Header: http.Header{}, Body: body})
			}
			if first := request(); first.Fact != Answered {
				t.Fatalf("the first request: %v", first.Fact)
			}
			if second := request(); second.Fact != MayHaveArrived {
				t.Errorf("the second request: %v, want %v", second.Fact, MayHaveArrived)
			}
			if n := seen.Load(); n != 2 {
				t.Errorf("the server saw %d requests, want 2", n)
			}
		})
	}
}

func TestARequestThatWasNotWrittenNeverWillBe(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	conn := &countedConn{Conn: ours}
	if !conn.seal(0) {
		t.Fatal("nothing was written, and it says otherwise")
	}
	if n, err := conn.Write([]byte("late")); n != 0 || err == nil {
		t.Errorf("a sealed connection took %d bytes, %v", n, err)
	}
}

func TestAGetCarriesNoBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 || r.ContentLength != 0 || r.Header.Get("Content-Length") != "" {
			t.Errorf("the GET came with a body: %v %d", r.TransferEncoding, r.ContentLength)
		}
	}))
	defer server.Close()
	transport := NewTransport(nil)
	defer transport.CloseIdleConnections()
	exchange(t.Context(), transport, Request{Method: http.MethodGet, URL: server.URL, Header: http.Header{}})
}

func TestAWarmConnectionIsUsed(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			var connections atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			transport := NewTransport(nil)
			if scheme == "https" {
				server.StartTLS()
				transport = NewTransport(server.Client().Transport.(*http.Transport).TLSClientConfig)
			} else {
				server.Start()
			}
			defer server.Close()
			defer transport.CloseIdleConnections()
			if err := transport.Warm(t.Context(), server.URL); err != nil {
				t.Fatal(err)
			}
			if got := send(t, transport, server.URL, 5*time.Second); got.Fact != Answered {
				t.Fatalf("the request: %v", got.Fact)
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections, want the warm one only", n)
			}
		})
	}
}

func TestAWarmConnectionThatIsTooOldIsNotUsed(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	done := make(chan struct{})
	close(done)
	d := dialer{used: map[string]time.Time{}, warm: map[string]*warmConn{"gateway:443": {done: done, conn: ours, opened: time.Now().Add(-idleTimeout - time.Second)}}}
	if conn := d.opened(t.Context(), "gateway:443"); conn != nil {
		t.Error("a connection that the gateway may be closing right now was used")
	}
	if _, err := ours.Write([]byte("x")); err == nil {
		t.Error("the old connection was left open")
	}
}

func TestARequestWaitsForAConnectionThatIsBeingOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := NewTransport(nil)
		dials := 0
		ours, theirs := net.Pipe()
		defer theirs.Close()
		dial := func(context.Context, string, string) (net.Conn, error) {
			dials++
			time.Sleep(time.Second)
			return ours, nil
		}
		go func() { _ = transport.dialer.open(t.Context(), "gateway:80", dial) }()
		synctest.Wait()
		if err := transport.dialer.open(t.Context(), "gateway:80", dial); err != nil { // no second one
			t.Error(err)
		}
		if conn := transport.dialer.opened(t.Context(), "gateway:80"); conn != ours || dials != 1 {
			t.Errorf("got %v after %d dials", conn, dials)
		}
	})
}

func TestAConnectionThatHangsIsWaitedForByOneAttemptOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := NewTransport(nil)
		ours, theirs := net.Pipe()
		defer theirs.Close()
		go func() {
			_ = transport.dialer.open(t.Context(), "gateway:80", func(context.Context, string, string) (net.Conn, error) {
				time.Sleep(time.Minute)
				return ours, nil
			})
		}()
		synctest.Wait()
		attempt, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if conn := transport.dialer.opened(attempt, "gateway:80"); conn != nil {
			t.Error("a connection that is not open yet was given out")
		}
		if conn := transport.dialer.opened(t.Context(), "gateway:80"); conn != nil {
			t.Error("the next attempt was given the same one")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, err := ours.Write([]byte("x")); err == nil {
			t.Error("the connection that nobody took was left open")
		}
	})
}

func TestNoConnectionIsOpenedAheadWhileOneIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := NewTransport(nil)
		dials := 0
		dial := func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, errors.New("refused")
		}
		transport.dialer.answered("gateway:80")
		for _, want := range []int{0, 1} {
			_ = transport.dialer.open(t.Context(), "gateway:80", dial)
			if dials != want {
				t.Errorf("%d dials, want %d", dials, want)
			}
			time.Sleep(idleTimeout)
		}
	})
}

func TestWarmingSaysWhatFails(t *testing.T) {
	transport := NewTransport(nil)
	if err := transport.Warm(t.Context(), "http://gateway.invalid"); err == nil || !strings.Contains(err.Error(), "gateway.invalid") {
		t.Errorf("Warm: %v", err)
	}
	if err := transport.Warm(t.Context(), "http://[bad"); err == nil {
		t.Error("an address that cannot be read was accepted")
	}
}
