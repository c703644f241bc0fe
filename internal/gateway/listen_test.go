//go:build unix

package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAConnectionIsListenedToForARoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name       string
		round, age time.Duration
		wait       time.Duration
	}{
		{"a new one", 30 * time.Millisecond, 0, 35 * time.Millisecond},
		{"one to a host that is near", 0, 0, wakeTime},
		{"one that was opened ahead a while ago", 30 * time.Millisecond, 20 * time.Millisecond, 15 * time.Millisecond},
		{"one that was opened ahead a round trip ago", 30 * time.Millisecond, 35 * time.Millisecond, 0},
		{"one that was opened ahead long ago", 30 * time.Millisecond, 4 * time.Second, 0},
		{"one that took a second to open", time.Second, 0, maxListen},
		{"one that was opened in the future", 30 * time.Millisecond, -time.Hour, 35 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &conn{round: tt.round, since: now().Add(-tt.age)}
				began := time.Now()
				if err := c.listen(t.Context(), wakeTime); err != nil || time.Since(began) != tt.wait {
					t.Errorf("%v after %v, want %v", err, time.Since(began), tt.wait)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				c.since = now()
				if err := c.listen(ctx, wakeTime); err == nil {
					t.Error("it is listened to after the attempt's time")
				}
			})
		})
	}
}

// A gateway that was heard to speak before it was asked is given longer from there on: its host may be busy.
func TestAPlaceThatSpokeOutOfTurnIsListenedToForLonger(t *testing.T) {
	for _, tt := range []struct {
		name    string
		happens func(p peer)
		longer  bool
	}{
		{"it spoke", say("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"), true},
		{"it hung up", func(p peer) { _ = p.Close() }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				tt.happens(peer{conn, conn.(*net.TCPConn)})
				_, _ = r.ReadByte() // until the other side closes
			})
			to := place{"http", strings.TrimPrefix(url, "http://")}
			transport := NewTransport(nil)
			for _, heard := range []bool{true, false} {
				c, err := transport.pool.open(t.Context(), to)
				if err != nil {
					t.Fatal(err)
				}
				defer c.close()
				if heard {
					received(t, c.socket)
				}
				c.round, c.since = 0, now().Add(-wakeTime) // as old as one must be that has said nothing yet
				ctx, cancel := context.WithCancel(t.Context())
				if !heard {
					cancel() // whoever waits hears of it
				}
				if err := transport.asked(ctx, c, to, true); !heard && errors.Is(err, context.Canceled) != tt.longer {
					t.Errorf("the second connection: %v", err)
				}
				cancel()
			}
		})
	}
}

// shaken makes a server speak TLS after so long a time; with no version it speaks plainly.
func shaken(t *testing.T, conn net.Conn, version uint16, theirs *tls.Config, after time.Duration) net.Conn {
	if version == 0 {
		return conn
	}
	<-time.After(after)
	config := theirs.Clone()
	config.MinVersion, config.MaxVersion = version, version
	secure := tls.Server(conn, config)
	if secure.HandshakeContext(t.Context()) != nil {
		return nil
	}
	return secure
}

// versions are TCP alone and TLS.
var versions = map[string]uint16{"http": 0, "TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}

// The gateway speaks when it has accepted a connection, and what it says is under way for a while. It reads the request,
// too.
func TestWhatAGatewaySaysOfItsOwnAccordIsNoAnswer(t *testing.T) {
	theirs, ours := certificate(t)
	for name, version := range versions {
		for _, tt := range []struct {
			name   string
			speaks int32 // on so many connections
			want   string
		}{
			{"on the first connection", 1, "answered 200, 1 requests on 2 connections"},
			{"on each connection", 9, "never left 0, 0 requests on 2 connections"},
			{"on none", 0, "answered 200, 1 requests on 1 connections"},
		} {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				t.Parallel()
				got := ""
				// On a busy machine this gateway is late at times.
				for try := 0; try < 5 && got != tt.want; try++ {
					got = outspoken(t, version, theirs, ours, tt.speaks)
				}
				if got != tt.want {
					t.Errorf("each time, the last time: %s", got)
				}
			})
		}
	}
}

// outspoken sends a request of its own to a gateway that speaks first on so many connections, and tells what happened.
func outspoken(t *testing.T, version uint16, theirs, ours *tls.Config, speaks int32) string {
	const underWay, roundTrip = 20 * time.Millisecond, 200 * time.Millisecond
	var connections, requests atomic.Int32
	url := rawServer(t, func(n int, conn net.Conn, _ *bufio.Reader) {
		connections.Add(1)
		if conn = shaken(t, conn, version, theirs, 0); conn == nil {
			return
		}
		if int32(n) <= speaks {
			time.AfterFunc(underWay, func() { fmt.Fprint(conn, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n") })
		}
		for r := bufio.NewReader(conn); readRequest(t, r); {
			requests.Add(1)
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	if version != 0 {
		url = "https" + strings.TrimPrefix(url, "http")
	}
	transport := NewTransport(ours)
	open := transport.pool.open
	transport.pool.open = func(ctx context.Context, to place) (*conn, error) {
		c, err := open(ctx, to)
		if err == nil {
			c.round = roundTrip
		}
		return c, err
	}
	got := exchange(t.Context(), transport, Request{Method: "POST", URL: url, Body: []byte("1")}, true)
	return fmt.Sprintf("%v %d, %d requests on %d connections", got.Fact, got.Status, requests.Load(), connections.Load())
}

// TLS may end behind what answers to TCP.
func TestTheRoundTripIsTheLongestWaitOfTheOpening(t *testing.T) {
	const slow, least = 300 * time.Millisecond, 50 * time.Millisecond // on a busy machine a part of a wait is over before it begins
	theirs, ours := certificate(t)
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				if shaken(t, conn, version, theirs, slow) != nil {
					_, _ = r.ReadByte() // until the other side closes
				}
			})
			scheme := map[bool]string{true: "https", false: "http"}[version != 0]
			c, err := (&opener{tls: ours}).open(t.Context(), place{scheme, strings.TrimPrefix(url, "http://")})
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			if c.round <= 0 || version != 0 && c.round < least {
				t.Errorf("%v", c.round)
			}
		})
	}
}
