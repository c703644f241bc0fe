package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// step is what the stand-in network does with one attempt.
type step struct {
	unreachable bool // no connection
	lost        bool // sent, no answer
	status      int
	takes       time.Duration
	header      http.Header
}

// network plays its steps in order, whatever host is asked, and keeps what it was asked.
type network struct {
	steps []step
	hosts []string
	sent  []string
	own   []bool // each asked for a connection of its own
	at    []time.Time
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.hosts = append(n.hosts, r.URL.Host)
	n.at = append(n.at, time.Now())
	n.own = append(n.own, r.Close)
	s := n.steps[0]
	if len(n.steps) > 1 {
		n.steps = n.steps[1:]
	}
	if s.unreachable {
		return nil, errors.New("connection refused")
	}
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	body, _ := io.ReadAll(r.Body)
	n.sent = append(n.sent, string(body))
	if s.lost {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	select {
	case <-time.After(s.takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	httptrace.ContextClientTrace(r.Context()).GotFirstResponseByte()
	header := s.header
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: s.status, Header: header, Body: io.NopCloser(strings.NewReader(""))}, nil
}

// judge takes the status for the whole truth.
func judge(a Answer) Verdict {
	switch a.Status {
	case 200:
		return Verdict{Effect: Done, Code: "200"}
	case 429:
		return Verdict{Effect: NotDone, Code: "429", RetryAfter: RetryAfter(a.Header, time.Now())}
	case 500:
		return Verdict{Effect: MaybeDone, Code: "500"}
	}
	return Verdict{Effect: Refused, Code: fmt.Sprint(a.Status)}
}

func TestDo(t *testing.T) {
	unreachable, lost, ok := step{unreachable: true}, step{lost: true}, step{status: 200}
	busy, broken, refused := step{status: 429}, step{status: 500}, step{status: 400}
	tests := []struct {
		name       string
		steps      []step
		repeatable bool
		deadline   time.Duration // 0: none
		effect     Effect
		code       string
		attempts   int
		status     int
		hosts      string
	}{
		{name: "one attempt is enough when it succeeds", steps: []step{ok}, effect: Done, code: "200", attempts: 1, status: 200, hosts: "a"},
		{name: "a reply is not sent again after its answer was lost", steps: []step{lost, ok},
			effect: MaybeDone, code: wire.CodeUpstreamTimeout, attempts: 1, hosts: "a"},
		{name: "a reply is not sent again after a 500", steps: []step{broken, ok},
			effect: MaybeDone, code: "500", attempts: 1, status: 500, hosts: "a"},
		{name: "a reply is sent again after no connection could be made", steps: []step{unreachable, unreachable, ok},
			effect: Done, code: "200", attempts: 3, status: 200, hosts: "a b a"},
		{name: "a reply that was told to wait and then got lost may have been shown", steps: []step{busy, lost, ok},
			effect: MaybeDone, code: wire.CodeUpstreamTimeout, attempts: 2, status: 429, hosts: "a a"},
		{name: "nothing reachable is certainly not done", steps: []step{unreachable},
			effect: NotDone, code: wire.CodeUpstreamUnreachable, attempts: 3, hosts: "a b a"},
		{name: "too many calls are certainly not done", steps: []step{busy},
			effect: NotDone, code: "429", attempts: 3, status: 429, hosts: "a a a"},
		{name: "a completion is sent again after its answer was lost, on the other host", steps: []step{lost, ok}, repeatable: true,
			effect: Done, code: "200", attempts: 2, status: 200, hosts: "a b"},
		{name: "a completion stays with the host that answers", steps: []step{unreachable, broken, ok}, repeatable: true,
			effect: Done, code: "200", attempts: 3, status: 200, hosts: "a b b"},
		{name: "what may have been done stays so although a later attempt was told to wait", steps: []step{broken, busy}, repeatable: true,
			effect: MaybeDone, code: "500", attempts: 3, status: 429, hosts: "a a a"},
		{name: "what may have been done stays so although a later attempt found nobody", steps: []step{lost, unreachable}, repeatable: true,
			effect: MaybeDone, code: wire.CodeUpstreamTimeout, attempts: 3, hosts: "a b a"},
		{name: "what may have been done stays so although a later attempt was refused", steps: []step{broken, refused}, repeatable: true,
			effect: MaybeDone, code: "500", attempts: 2, status: 400, hosts: "a a"},
		{name: "nothing is sent when the deadline is too near", steps: []step{ok}, deadline: 599 * time.Millisecond,
			effect: NotDone, code: wire.CodeDeadline},
		{name: "one attempt is made when there is just time for it", steps: []step{busy}, deadline: 600 * time.Millisecond,
			effect: NotDone, code: "429", attempts: 1, status: 429, hosts: "a"},
		{name: "an attempt ends half a second before the deadline", steps: []step{{status: 200, takes: time.Hour}}, deadline: 3 * time.Second,
			effect: MaybeDone, code: wire.CodeUpstreamTimeout, attempts: 1, hosts: "a"},
		{name: "an attempt ends with its own timeout", steps: []step{{status: 200, takes: time.Hour}},
			effect: MaybeDone, code: wire.CodeUpstreamTimeout, attempts: 1, hosts: "a"},
		{name: "a wait that the gateway asks for is not begun when it cannot end in time",
			steps: []step{{status: 429, header: http.Header{"Retry-After": {"30"}}}}, deadline: 20 * time.Second,
			effect: NotDone, code: "429", attempts: 1, status: 429, hosts: "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				var end time.Time
				if tt.deadline > 0 {
					end = time.Now().Add(tt.deadline)
					var cancel context.CancelFunc
					ctx, cancel = context.WithDeadline(ctx, end)
					defer cancel()
				}
				net := &network{steps: tt.steps}
				report, err := newClient(net).Do(ctx, newCall(tt.repeatable))
				if err != nil {
					t.Fatal(err)
				}
				verdict := report.Verdict()
				if verdict.Effect != tt.effect || verdict.Code != tt.code || report.Attempts != tt.attempts || report.HTTPStatus != tt.status {
					t.Errorf("effect %d code %q attempts %d status %d, want %d %q %d %d", verdict.Effect, verdict.Code,
						report.Attempts, report.HTTPStatus, tt.effect, tt.code, tt.attempts, tt.status)
				}
				if hosts := strings.Join(net.hosts, " "); hosts != tt.hosts {
					t.Errorf("hosts %q, want %q", hosts, tt.hosts)
				}
				if !end.IsZero() && report.Attempts > 0 && time.Now().After(end.Add(-500*time.Millisecond)) {
					t.Errorf("the call ended %s before the deadline", time.Until(end))
				}
			})
		})
	}
}

func newClient(transport http.RoundTripper) *Client {
	return &Client{Transport: transport, MaxAttempts: 3, AttemptTimeout: 5 * time.Second,
		Random: func() float64 { return 0.5 }, Log: slog.New(slog.DiscardHandler)}
}

func newCall(repeatable bool) Call {
	n := 0
	return Call{
		Merchant: "acme", Hosts: NewHosts("http://a", "http://b"), Repeatable: repeatable, Judge: judge,
		Prepare: func(base string) (Request, error) {
			n++
			return Request{Method: "POST", URL: base, Header: http.Header{}, Body: fmt.Appendf(nil, "signature %d", n)}, nil
		},
	}
}

func TestEveryAttemptIsSignedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &network{steps: []step{{status: 500}}}
		if _, err := newClient(net).Do(t.Context(), newCall(true)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(net.sent, ", "); got != "signature 1, signature 2, signature 3" {
			t.Errorf("sent %s", got)
		}
	})
}

func TestEveryAttemptThatMustNotBeRepeatedHasAConnectionOfItsOwn(t *testing.T) {
	for _, repeatable := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			net := &network{steps: []step{{status: 429}, {status: 200}}}
			if _, err := newClient(net).Do(t.Context(), newCall(repeatable)); err != nil {
				t.Fatal(err)
			}
			if len(net.own) != 2 || net.own[0] == repeatable || net.own[1] == repeatable {
				t.Errorf("repeatable %v: of its own %v", repeatable, net.own)
			}
		})
	}
}

func TestTheWaitsGrowAndHaveFullJitter(t *testing.T) {
	for _, random := range []float64{0, 0.5, 0.999} {
		synctest.Test(t, func(t *testing.T) {
			net := &network{steps: []step{{status: 429}}}
			client := newClient(net)
			client.Random, client.MaxAttempts = func() float64 { return random }, 7
			if _, err := client.Do(t.Context(), newCall(false)); err != nil {
				t.Fatal(err)
			}
			for i, interval := range []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond,
				1600 * time.Millisecond, 2 * time.Second, 2 * time.Second} {
				want := time.Duration(random * float64(interval))
				if got := net.at[i+1].Sub(net.at[i]); got != want {
					t.Errorf("random %v: wait %d was %s, want %s", random, i+1, got, want)
				}
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &network{steps: []step{{status: 429, header: http.Header{"Retry-After": {"7"}}}, {status: 200}}}
		if _, err := newClient(net).Do(t.Context(), newCall(false)); err != nil {
			t.Fatal(err)
		}
		if wait := net.at[1].Sub(net.at[0]); wait != 7*time.Second {
			t.Errorf("waited %s, want 7s", wait)
		}
	})
}

func TestACallMayHaveFewerAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := newCall(true)
		call.Attempts = 1
		report, err := newClient(&network{steps: []step{{status: 500}}}).Do(t.Context(), call)
		if err != nil || report.Attempts != 1 {
			t.Errorf("%d attempts, %v", report.Attempts, err)
		}
	})
}

func TestAHostThatFailsThreeTimesInARowIsAvoidedAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := map[string]bool{"a": true}
		var asked []string
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Host)
			if down[r.URL.Host] {
				return nil, errors.New("connection refused")
			}
			return (&network{steps: []step{{status: 200}}}).RoundTrip(r)
		})
		client, call := newClient(transport), newCall(false)
		do := func(want string) {
			t.Helper()
			asked = nil
			if _, err := client.Do(t.Context(), call); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(asked, " "); got != want {
				t.Errorf("asked %q, want %q", got, want)
			}
		}
		do("a b") // first failure
		do("a b")
		do("a b") // third: from now on it is avoided
		do("b")
		time.Sleep(9900 * time.Millisecond)
		do("b")
		time.Sleep(200 * time.Millisecond)
		do("a b") // one trial, which fails
		do("b")
		time.Sleep(10100 * time.Millisecond)
		down["a"] = false
		do("a") // the trial succeeds
		do("a")
		down["a"], down["b"] = true, true
		do("a b a")
		do("a b b") // the third time in a row for a, and then for b
		do("a a a") // both are avoided, so the primary is asked
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARequestThatCannotBeMadeIsAnErrorAndNotSent(t *testing.T) {
	net := &network{steps: []step{{status: 200}}}
	call := newCall(false)
	call.Prepare = func(string) (Request, error) { return Request{}, errors.New("no key") }
	report, err := newClient(net).Do(t.Context(), call)
	if !errors.Is(err, ErrPrepare) || report.Attempts != 0 || len(net.hosts) != 0 {
		t.Errorf("%v, %d attempts, %d sent", err, report.Attempts, len(net.hosts))
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	tests := []struct {
		name, value string
		want        time.Duration
	}{
		{"none", "", 0},
		{"seconds", "120", 2 * time.Minute},
		{"a date", "Sat, 21 Nov 2026 08:00:30 GMT", 30 * time.Second},
		{"a date in the past is no wait", "Sat, 21 Nov 2026 07:00:00 GMT", 0},
		{"more than an hour is an hour", "999999", time.Hour},
		{"more seconds than a number holds is an hour", "99999999999999999999", time.Hour},
		{"a negative number is no wait", "-5", 0},
		{"nonsense is no wait", "soon", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := RetryAfter(http.Header{"Retry-After": {tt.value}}, now); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestEachAttemptIsOneLogLineWithItsDecisionAndReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		client := newClient(&network{steps: []step{{unreachable: true}, {status: 200}}})
		client.Log = slog.New(slog.NewTextHandler(&log, nil))
		if _, err := client.Do(t.Context(), newCall(false)); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 {
			t.Fatalf("%d lines", len(lines))
		}
		for i, want := range []string{
			`host=a bytes="never left" status=0 code=UPSTREAM_UNREACHABLE request_id="" duration_ms=0 decision=resend reason="certainly not carried out" wait_ms=100`,
			`host=b bytes=answered status=200 code=200 request_id="" duration_ms=0 decision=stop reason=done wait_ms=0`,
		} {
			if !strings.Contains(lines[i], want) {
				t.Errorf("line %d is\n%s\nwant\n%s", i+1, lines[i], want)
			}
		}
	})
}
