package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

var somewhere = place{"http", "gateway:80"}

// pipes opens connections whose other ends are kept, after so long a time.
type pipes struct {
	takes  time.Duration
	mu     sync.Mutex
	theirs []net.Conn
}

func (p *pipes) open(context.Context, place) (*conn, error) {
	ours, theirs := net.Pipe()
	p.mu.Lock()
	p.theirs = append(p.theirs, theirs)
	p.mu.Unlock()
	time.Sleep(p.takes)
	s := &socket{Conn: ours, waiting: true}
	return newConn(s, s), nil
}

// closed reports whether our end of a connection was closed.
func (p *pipes) closed(n int) bool {
	_ = p.theirs[n].SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := p.theirs[n].Read(make([]byte, 1))
	var timeout net.Error
	return !errors.As(err, &timeout)
}

func TestAConnectionOpenedAheadIsClosedAfterFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := &pipes{}
		pool := newPool(opened.open)
		if err := pool.openAhead(t.Context(), somewhere).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4900 * time.Millisecond)
		if opened.closed(0) {
			t.Fatal("it was closed early")
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if !opened.closed(0) {
			t.Error("it was left open")
		}
		if pool.takeAhead(t.Context(), somewhere) != nil {
			t.Error("it was given out")
		}
	})
}

// The timer may come late, in a process that was frozen: the wall clock decides.
func TestAnOldConnectionIsNotUsedAlthoughNoTimerHasCome(t *testing.T) {
	for _, tt := range []struct {
		name       string
		age        time.Duration
		ahead, old bool
	}{
		{"opened ahead a while ago", 4 * time.Second, true, false},
		{"opened ahead five seconds ago", 5 * time.Second, true, true},
		{"opened ahead in the future", -time.Second, true, true},
		{"kept for a while", 6 * time.Second, false, false},
		{"kept for seven seconds", 7 * time.Second, false, true},
		{"kept since the future", -time.Second, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := &pipes{}
				pool := newPool(opened.open)
				opening := pool.openAhead(t.Context(), somewhere)
				if err := opening.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				take := func() *conn { return pool.takeAhead(t.Context(), somewhere) }
				if !tt.ahead {
					pool.keep(somewhere, take())
					take = func() *conn { return pool.takeKept(somewhere) }
				}
				opening.conn.since = now().Add(-tt.age)
				if c := take(); (c == nil) != tt.old {
					t.Errorf("got %v", c)
				}
				if synctest.Wait(); opened.closed(0) != tt.old {
					t.Errorf("closed: %v", !tt.old)
				}
				opening.conn.close()
				pool.closeIdle()
			})
		})
	}
}

func TestAKeptConnectionIsClosedAfterSevenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := &pipes{}
		pool := newPool(opened.open)
		c, _ := pool.open(t.Context(), somewhere)
		for range 2 { // the time begins anew with each use
			pool.keep(somewhere, c)
			time.Sleep(6900 * time.Millisecond)
			if pool.takeKept(somewhere) != c {
				t.Fatal("it was closed early")
			}
		}
		pool.keep(somewhere, c)
		time.Sleep(7100 * time.Millisecond)
		synctest.Wait()
		if !opened.closed(0) || pool.takeKept(somewhere) != nil {
			t.Error("it was left open")
		}
	})
}

func TestNoMoreThanSoManyConnectionsAreKept(t *testing.T) {
	opened := &pipes{}
	pool := newPool(opened.open)
	defer pool.closeIdle()
	for range maxKept + 1 {
		c, _ := pool.open(t.Context(), somewhere)
		pool.keep(somewhere, c)
	}
	if n := len(pool.kept[somewhere]); n != maxKept || !opened.closed(maxKept) {
		t.Errorf("%d are kept", n)
	}
}

// A connection is some 50 KB with its buffers and TLS: what is not used any more must not wait for a timer.
func TestNobodyHoldsOnToAConnectionThatWasTaken(t *testing.T) {
	pool := newPool((&pipes{}).open)
	taken := func() weak.Pointer[conn] {
		if err := pool.openAhead(t.Context(), somewhere).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := pool.takeAhead(t.Context(), somewhere)
		c.close()
		return weak.Make(c)
	}()
	for range 100 { // the goroutine that opened it may be about to end
		if runtime.GC(); taken.Value() == nil {
			return
		}
	}
	t.Error("it is still held")
}

func TestOneConnectionIsOpenedAheadForEachPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := &pipes{takes: time.Second}
		pool := newPool(opened.open)
		opening := pool.openAhead(t.Context(), somewhere)
		synctest.Wait() // it is under way, as the first
		if pool.openAhead(t.Context(), somewhere) != nil {
			t.Error("a second one was opened while the first is being opened")
		}
		if pool.openAhead(t.Context(), place{"https", "gateway:80"}) == nil {
			t.Error("another place was taken for the same")
		}
		c := pool.takeAhead(t.Context(), somewhere) // waits
		synctest.Wait()
		if c == nil || c != opening.conn || len(opened.theirs) != 2 {
			t.Errorf("got %v of %d connections", c, len(opened.theirs))
		}
		if pool.takeAhead(t.Context(), somewhere) != nil {
			t.Error("it was given out twice")
		}
		pool.keep(somewhere, c)
		if pool.openAhead(t.Context(), somewhere) != nil {
			t.Error("one was opened although one is kept")
		}
		opening.Discard() // it was taken: not ours to close
		if synctest.Wait(); opened.closed(0) {
			t.Error("a connection that was taken was closed")
		}
		pool.closeIdle()
		time.Sleep(time.Minute)
	})
}

func TestAConnectionThatHangsIsWaitedForByOneAttemptOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := &pipes{takes: time.Minute}
		pool := newPool(opened.open)
		pool.openAhead(t.Context(), somewhere)
		attempt, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if pool.takeAhead(attempt, somewhere) != nil {
			t.Error("a connection that is not open yet was given out")
		}
		if pool.takeAhead(t.Context(), somewhere) != nil {
			t.Error("the next attempt was given the same one")
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if !opened.closed(0) {
			t.Error("the connection that nobody took was left open")
		}
	})
}

// A secret that is kept is loaded before a connection can be open.
func TestAConnectionIsOpenedFurtherWhenTheOneWhoBeganItIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := &pipes{}
		pool := newPool(func(ctx context.Context, to place) (*conn, error) {
			select {
			case <-time.After(time.Second):
				return opened.open(ctx, to)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		pool.openAhead(ctx, somewhere)
		cancel()
		c := pool.takeAhead(t.Context(), somewhere)
		if c == nil {
			t.Fatal("it was given up")
		}
		c.close()
	})
}

func TestAnOpeningThatHangsIsGivenUpAfterFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(func(ctx context.Context, _ place) (*conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		began := time.Now()
		err := pool.openAhead(t.Context(), somewhere).Wait(t.Context())
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != aheadTimeout {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestAConnectionOpenedAtTheWrongPlaceIsClosed(t *testing.T) {
	for name, takes := range map[string]time.Duration{"open": 0, "being opened": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := &pipes{takes: takes}
				pool := newPool(opened.open)
				opening := pool.openAhead(t.Context(), somewhere)
				synctest.Wait()
				opening.Discard()
				if pool.takeAhead(t.Context(), somewhere) != nil {
					t.Error("it was given out")
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if !opened.closed(0) {
					t.Error("it was left open")
				}
			})
		})
	}
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
			if _, err := transport.Warm(t.Context(), server.URL); err != nil {
				t.Fatal(err)
			}
			for i, step := range []struct {
				own         bool
				connections int32
			}{
				{true, 1},  // the one that was opened ahead
				{false, 2}, // that one was closed
				{false, 2}, // kept
				{true, 3},  // the kept one is not its own
				{false, 3}, // and is still there
			} {
				got := exchange(t.Context(), transport, Request{Method: "POST", URL: server.URL, Body: []byte("1")}, step.own)
				if n := connections.Load(); got.Fact != Answered || n != step.connections {
					t.Errorf("request %d: %v, %d connections, want %d", i+1, got.Fact, n, step.connections)
				}
			}
		})
	}
}

func TestWarmingSaysWhatFails(t *testing.T) {
	transport := NewTransport(nil)
	opening, err := transport.Warm(t.Context(), "http://gateway.invalid")
	if err != nil {
		t.Fatal(err)
	}
	if err := opening.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "gateway.invalid") {
		t.Errorf("Wait: %v", err)
	}
	if _, err := transport.Warm(t.Context(), "http://[bad"); err == nil {
		t.Error("an address that cannot be read was accepted")
	}
	if opening, err := transport.Warm(t.Context(), ""); opening != nil || err != nil {
		t.Errorf("without an address: %v, %v", opening, err)
	}
}
