package simulation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Where the gateways live.
const (
	imagecoHost = "imageco.test"
	imagecoURL  = "https://" + imagecoHost + "/gateway"
	primaryHost = "api.mch.test"
	backupHost  = "api2.mch.test"
)

// line is the network between one process and the gateways. It calls the hooks of the request's context as net/http
// does: GotConn before the first byte is written, GotFirstResponseByte when something comes back.
type line struct{ p *process }

// attempt is one request on its way.
type attempt struct {
	w       *world
	p       *process
	v       *visit
	ctx     context.Context
	request *http.Request
	body    []byte
	step    step
	fault   fault
	n       uint64
	trace   *httptrace.ClientTrace
	server  server

	reply   *replyRequest // read once; of 翼码's messages
	version int           // of the key that it is signed with

	idle  fault // of its connection, before the request
	idleN uint64
	stray bool // what came back belongs to nothing
	dead  bool // the connection was closed before the first byte was written

	connected bool   // a connection was had: from here on something may have arrived
	honest    bool   // the gateway was to misbehave, and answered honestly because it had refused
	code      string // of WeChat Pay's honest answer
}

// server is a gateway.
type server interface {
	// act carries the request out as far as it deserves it, and returns the code of an honest answer. w.mu is held.
	act(a *attempt) string
	// answer makes the honest answer for a code.
	answer(a *attempt, code string) *http.Response
	// misbehave answers in a way of the vendor's own; nil when the attempt's fault is none of those.
	misbehave(a *attempt) *http.Response
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(request *http.Request) (*http.Response, error) {
	p := l.p
	a := &attempt{
		w: p.w, p: p, v: visitOf(request.Context()), ctx: request.Context(), request: request,
		step: stepReply, server: imageco{}, trace: httptrace.ContextClientTrace(request.Context()),
	}
	if request.URL.Host != imagecoHost {
		a.step, a.server = wechatpayStep(request), wechatpay{}
	}
	if p.gone() {
		return nil, a.dialError("gone")
	}
	p.w.leaves(a)
	a.fault, a.n = p.w.fault(a.v, a.step)
	response, err := a.travel()
	a.saw(response, err)
	a.leaveOpen(response, err)
	return response, err
}

// sends reports whether the attempt is one of the command's own, and not of a look for what became of it.
func (a *attempt) sends() bool {
	return a.step != stepHistory && (a.step != stepState || a.p.action == wire.Complete)
}

// once reports whether what it asks for must not be asked for again once it may have been done.
func (a *attempt) once() bool {
	return (a.step == stepReply || a.step == stepRespond) && !a.v.command.immediate
}

// travel takes the request to the gateway and the answer back, through at most one fault.
func (a *attempt) travel() (*http.Response, error) {
	stray, err := a.connect()
	if err != nil {
		return nil, err
	}
	a.connected = true
	a.w.paced(a)
	a.trace.GotConn(httptrace.GotConnInfo{})
	a.body, _ = io.ReadAll(a.request.Body)
	if stray != nil {
		return stray()
	}
	there := a.latency(1, 10*time.Millisecond, 150*time.Millisecond)
	switch a.fault {
	case cutBefore:
		_ = a.p.wait(a.ctx, a.v, there)
		return nil, a.lost()
	case hangBefore:
		return nil, a.p.hang(a.ctx, a.v)
	case actsLate:
		a.w.later(a.latency(4, 2*time.Second, 50*time.Second), func() { a.act() })
		return nil, a.p.hang(a.ctx, a.v)
	case slowAnswer:
		there = a.latency(2, time.Second, 8*time.Second)
	}
	if err := a.p.wait(a.ctx, a.v, there); err != nil {
		if a.odd() { // the caller gave up while it was under way: it may arrive all the same
			a.w.later(a.latency(8, time.Millisecond, 10*time.Second), func() { a.act() })
		}
		return nil, err
	}
	if response := a.refused(); response != nil {
		return a.back(response)
	}
	if response := a.server.misbehave(a); response != nil {
		return a.back(response)
	}
	code := a.act()
	switch a.fault {
	case crashAfter:
		a.p.die(a.v, "while the gateway held the answer")
		return nil, a.lost()
	case cutAfter:
		return nil, a.lost()
	case hangAfter:
		return nil, a.p.hang(a.ctx, a.v)
	case errorAfter:
		return a.back(a.plain(http.StatusBadGateway, "<html>bad gateway</html>"))
	case noHTTP:
		a.trace.GotFirstResponseByte()
		return nil, errors.New("malformed HTTP response")
	}
	response := a.server.answer(a, code)
	switch a.fault {
	case cutInAnswer:
		response.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{}))
	case tooLong:
		response.Body = io.NopCloser(endless{})
	}
	return a.back(response)
}

// refused is what a gateway, or what stands before it, says without looking at the request.
func (a *attempt) refused() *http.Response {
	switch a.fault {
	case redirects:
		response := a.plain(http.StatusFound, "")
		response.Header.Set("Location", "https://elsewhere.test/")
		if a.odd() {
			a.act()
		}
		return response
	case errorBefore:
		return a.plain(http.StatusServiceUnavailable, "")
	case limits:
		response := a.plain(http.StatusTooManyRequests, "")
		response.Header.Set("Retry-After", []string{"1", "2", "7", ""}[a.one(4)])
		return response
	case garbles:
		if a.odd() {
			a.act()
		}
		return a.plain(http.StatusOK, "<html>welcome</html>")
	}
	return nil
}

// dial opens a connection, unless the host is away.
func (a *attempt) dial() error {
	switch {
	case a.fault == crashBefore:
		a.p.die(a.v, "before a request left")
		return a.dialError("crashed")
	case a.fault == dialFails, a.w.away(a.request.URL.Host, false):
		_ = a.p.wait(a.ctx, a.v, a.latency(5, time.Millisecond, 50*time.Millisecond))
		return a.dialError("connection refused")
	case a.fault == dialHangs, a.w.away(a.request.URL.Host, true):
		_ = a.p.hang(a.ctx, a.v)
		return a.dialError("i/o timeout")
	}
	return a.p.wait(a.ctx, a.v, a.latency(6, time.Millisecond, 30*time.Millisecond))
}

// away tells whether a host is gone for now, and if so whether it answers nothing or refuses.
func (w *world) away(host string, silent bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fair || w.options.Faults == 0 {
		return false
	}
	window := uint64(time.Since(w.began) / (25 * time.Second))
	if w.dice.share(placeHost, hashText(host), window) >= 0.12 {
		return false
	}
	if w.dice.share(placeHost, hashText(host)+1, window) < 0.3 != silent {
		return false
	}
	w.tally.Away[host]++
	return true
}

// act lets the gateway carry the request out.
func (a *attempt) act() string {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	code := a.server.act(a)
	a.w.note(a.v, "gateway says", code, 0)
	return code
}

// back brings an answer to the caller.
func (a *attempt) back(response *http.Response) (*http.Response, error) {
	if err := a.p.wait(a.ctx, a.v, a.latency(3, 10*time.Millisecond, 200*time.Millisecond)); err != nil {
		return nil, err
	}
	a.trace.GotFirstResponseByte()
	return response, nil
}

func (a *attempt) latency(k uint64, least, most time.Duration) time.Duration {
	return a.w.latency(a.v, a.n+k<<20, least, most)
}

// odd is a fair coin of this attempt: it decides whether a gateway acted before it misbehaved.
func (a *attempt) odd() bool { return a.w.dice.roll(placeDetail, a.v.id, a.n)&1 == 1 }

// one chooses one of so many ways for this attempt.
func (a *attempt) one(of uint64) uint64 { return a.w.dice.roll(placeDetail, a.v.id, a.n) >> 8 % of }

func (a *attempt) plain(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func (a *attempt) bytes(status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
}

func (a *attempt) dialError(why string) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New(why)}
}

func (a *attempt) lost() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset")}
}

// broken is a body whose connection is lost.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// endless is a body that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
