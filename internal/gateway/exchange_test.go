package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
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
		for n := 1; ; n++ { // the connections' numbers
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

// answering reads a request, gives an answer, and keeps the connection open.
func answering(t *testing.T, answer string) string {
	return rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		if readRequest(t, r) {
			fmt.Fprint(conn, answer)
			_, _ = r.ReadByte() // until the other side closes
		}
	})
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
	return exchange(ctx, transport, Request{Method: "POST", URL: url, Header: http.Header{}, Body: []byte("hello")}, false)
}

func TestExchangeKnowsWhatHappenedToTheBytes(t *testing.T) {
	tests := []struct {
		name   string
		url    func(t *testing.T) string
		fact   Fact
		status int
	}{
		{"a refused connection means that nothing left", func(*testing.T) string {
			return "http://127.0.0.1:1" // a port that was given back may be another test's by now
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
		{"an interim answer before the answer says nothing", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
		}, Answered, 204},
		{"an interim answer and then the end of the connection means that it may have arrived", func(t *testing.T) string {
			return rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				readRequest(t, r)
				fmt.Fprint(conn, "HTTP/1.1 103 Early Hints\r\n\r\n")
			})
		}, MayHaveArrived, 0},
		{"interim answers without end are garbled", func(t *testing.T) string {
			return answering(t, strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", maxHead/27+1))
		}, Garbled, 0},
		{"an answer that switches protocols is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		}, Garbled, 101},
		{"one that switches protocols without saying to which is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n")
		}, Garbled, 101},
		{"one that switches protocols after an interim answer is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")
		}, Garbled, 101},
		{"half a status line in all the time is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 20")
		}, Garbled, 0},
		{"a head that does not end in time is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
		}, Garbled, 0},
		{"a body that does not end in time is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		}, Garbled, 200},
		{"a body without a length that does not end in time is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 200 OK\r\n\r\nhalf")
		}, Garbled, 200},
		{"a chunk that does not end in time is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal")
		}, Garbled, 200},
		{"an answer that trickles beyond the time is garbled", func(t *testing.T) string {
			return rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				readRequest(t, r)
				_, err := fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
				for tick := time.NewTicker(time.Millisecond); err == nil; <-tick.C {
					_, err = fmt.Fprint(conn, "x")
				}
			})
		}, Garbled, 200},
		{"a head over the limit is garbled", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", maxHead)+"\r\n\r\n")
		}, Garbled, 0},
		{"a chunked answer is an answer", func(t *testing.T) string {
			return answering(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
		}, Answered, 200},
		{"an answer that ends with its connection is an answer", func(t *testing.T) string {
			return rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				readRequest(t, r)
				fmt.Fprint(conn, "HTTP/1.0 200 OK\r\n\r\nhello")
			})
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
			t.Parallel()
			transport := NewTransport(nil)
			defer transport.CloseIdleConnections()
			timeout := time.Second // some of these wait for it
			if tt.fact == Answered {
				timeout = 10 * time.Second
			}
			got := send(t, transport, tt.url(t), timeout)
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
				return exchange(t.Context(), transport, Request{Method: method, URL: url, Header: http.Header{}, Body: body}, false)
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

func TestAGetCarriesNoBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 || r.ContentLength != 0 || r.Header.Get("Content-Length") != "" {
			t.Errorf("the GET came with a body: %v %d", r.TransferEncoding, r.ContentLength)
		}
	}))
	defer server.Close()
	transport := NewTransport(nil)
	defer transport.CloseIdleConnections()
	exchange(t.Context(), transport, Request{Method: http.MethodGet, URL: server.URL, Header: http.Header{}}, false)
}

// A round tripper that is net/http's own gives out a connection as the body of a 101, which no context ends.
func TestABodyThatNothingEndsIsNotRead(t *testing.T) {
	url := answering(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if got := send(t, &http.Transport{DisableKeepAlives: true}, url, 5*time.Second); got.Fact != Garbled || got.Status != 101 {
		t.Errorf("%v with status %d", got.Fact, got.Status)
	}
}

// The gateway answers as soon as it has read the head. The request is longer than all buffers on its way, so it is not
// written as a whole by then.
func TestAnAnswerThatBeginsBeforeTheRequestIsWrittenIsGarbled(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reads bool // the rest of the request, after the answer
		time  time.Duration
	}{
		{"with the rest read later", true, 30 * time.Second},
		{"with the rest never read", false, 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				request, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				fmt.Fprint(conn, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
				if tt.reads {
					_, _ = io.Copy(io.Discard, request.Body)
				}
				<-t.Context().Done()
			})
			ctx, cancel := context.WithTimeout(t.Context(), tt.time)
			defer cancel()
			got := exchange(ctx, NewTransport(nil), Request{Method: "POST", URL: url, Header: http.Header{}, Body: make([]byte, 12<<20)}, true)
			if got.Fact != Garbled {
				t.Errorf("%v, want %v", got.Fact, Garbled)
			}
		})
	}
}
