package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// MaxAnswer bounds an answer, in bytes. A longer one is cut off and counts as garbled.
const MaxAnswer = 1 << 20

// Fact is what is known about the bytes of one attempt. It is observed on the connection, not guessed from an error.
type Fact int

const (
	NeverLeft      Fact = iota // not one byte of the request was written to a connection
	MayHaveArrived             // written, at least in part; no answer, or the connection was lost before its end
	Garbled                    // something came back that is no answer to it: see judge
	Answered                   // a whole answer came back
)

func (f Fact) String() string {
	return [...]string{"never left", "may have arrived", "garbled", "answered"}[f]
}

// Request is one attempt as it goes on the wire.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
}

// Answer is what came back of one attempt.
type Answer struct {
	Host     string // host and port
	Fact     Fact
	Status   int // 0 when no status line was read
	Header   http.Header
	Close    bool // the answer says Connection: close; net/http takes that out of the header
	Body     []byte
	Duration time.Duration
}

// exchange sends one request once; own gives it a connection of its own.
//
// It speaks to the round tripper and not to an http.Client, so that no redirect is followed. What is known about the
// bytes it hears from the hooks of net/http/httptrace, which every round tripper calls: GotConn right before the first
// byte is written, GotFirstResponseByte when something comes back.
func exchange(ctx context.Context, transport http.RoundTripper, r Request, own bool) Answer {
	started := time.Now()
	w := &watch{}
	w.trace.GotConn, w.trace.GotFirstResponseByte = w.write, w.hear
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, &w.trace), r.Method, r.URL, nil)
	if err != nil {
		return Answer{Fact: NeverLeft}
	}
	request.Header, request.Close, request.Body = r.Header, own, http.NoBody
	if len(r.Body) > 0 {
		w.body.Reset(r.Body)
		request.Body, request.ContentLength = &w.body, int64(len(r.Body))
	}

	answer := Answer{Host: request.URL.Host}
	response, err := transport.RoundTrip(request)
	if err == nil {
		w.wrote.Store(true)
		w.heard.Store(true)
		answer.Status, answer.Header, answer.Close = response.StatusCode, response.Header, response.Close
		answer.Body, err = read(response)
	}
	answer.Duration = time.Since(started)
	answer.Fact = w.fact(ctx, err)
	if answer.Fact != Answered {
		answer.Body = nil
	}
	return answer
}

var (
	errTooLong  = errors.New("the answer is longer than an answer may be")
	errSwitched = errors.New("the gateway switched to another protocol")
)

// read reads an answer's body. After 101 (Switching Protocols) there is none: what comes then is no HTTP, and net/http
// gives it out as a body that nothing ends, the request's context included.
func read(response *http.Response) ([]byte, error) {
	defer func() { _ = response.Body.Close() }() // all that can be known was read
	switch {
	case response.StatusCode == http.StatusSwitchingProtocols:
		return nil, errSwitched
	case response.Body == http.NoBody: // reading takes a buffer even for nothing
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	if err == nil && len(body) > MaxAnswer {
		err = errTooLong
	}
	return body, err
}

// watch is what is seen of one attempt. It is one piece of memory with all that an attempt needs. net/http calls the
// hooks on goroutines of its own.
type watch struct {
	trace httptrace.ClientTrace
	body  sentBody
	wrote atomic.Bool // or was about to
	heard atomic.Bool
}

// sentBody is a request's body; it has none of the types that net/http knows how to rewind, and so how to send again.
type sentBody struct{ bytes.Reader }

func (*sentBody) Close() error { return nil }

func (w *watch) write(httptrace.GotConnInfo) { w.wrote.Store(true) }

func (w *watch) hear() { w.heard.Store(true) }

// fact is what became of the attempt: err is why there is no whole answer.
func (w *watch) fact(ctx context.Context, err error) Fact {
	switch {
	case err == nil:
		return Answered
	case !w.wrote.Load():
		return NeverLeft
	case w.heard.Load() && (ctx.Err() != nil || !connectionLost(err)):
		return Garbled
	}
	return MayHaveArrived
}

// connectionLost reports whether a connection broke, and was not closed here over an answer that cannot be understood.
func connectionLost(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
