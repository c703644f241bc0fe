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
	Garbled                    // something came back that is not an HTTP answer, or one over MaxAnswer
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
	Body     []byte
	Duration time.Duration
}

// exchange sends one request once.
//
// It speaks to the round tripper and not to an http.Client, so that no redirect is followed, and it gives the body a
// form that net/http cannot rewind, so that nothing is ever replayed on a second connection: a replay would repeat a
// nonce, or a reply.
func exchange(ctx context.Context, transport http.RoundTripper, r Request) Answer {
	started := time.Now()
	w := &watch{}
	w.trace.GotConn, w.trace.GotFirstResponseByte = w.take, w.hear
	ctx = httptrace.WithClientTrace(ctx, &w.trace)
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, nil)
	if err != nil {
		return Answer{Fact: NeverLeft}
	}
	request.Header = r.Header
	// Not http.NoBody and without GetBody, even for a GET: see above.
	w.body.Reset(r.Body)
	request.Body = &w.body
	request.ContentLength = int64(len(r.Body))

	answer := Answer{Host: request.URL.Host}
	response, err := transport.RoundTrip(request)
	if err == nil {
		answer.Status, answer.Header = response.StatusCode, response.Header
		if response.Body != http.NoBody { // reading takes a buffer even for nothing
			answer.Body, err = io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
		}
		_ = response.Body.Close() // all that can be known was read; an error here changes nothing
	}
	answer.Duration = time.Since(started)
	switch {
	case err == nil && len(answer.Body) > MaxAnswer:
		answer.Fact, answer.Body = Garbled, nil
	case err == nil:
		answer.Fact = Answered
	case w.nothingWritten():
		answer.Fact = NeverLeft
	case w.heard.Load() && !connectionLost(err):
		answer.Fact = Garbled
	default:
		answer.Fact = MayHaveArrived
	}
	if answer.Fact != Answered {
		answer.Body = nil
	}
	return answer
}

// watch is what is seen of one attempt: the connection that it was given, how much had been written to that before, and
// whether anything came back. It is one piece of memory with all that an attempt needs. The trace's hooks run on net/http's
// own goroutines.
type watch struct {
	trace  httptrace.ClientTrace
	body   sentBody
	conn   atomic.Pointer[countedConn]
	before atomic.Int64
	some   atomic.Bool
	heard  atomic.Bool
}

// sentBody is a request's body; it has none of the types that net/http knows how to rewind.
type sentBody struct{ bytes.Reader }

func (*sentBody) Close() error { return nil }

func (w *watch) hear() { w.heard.Store(true) }

func (w *watch) take(info httptrace.GotConnInfo) {
	if conn, ok := info.Conn.(*countedConn); ok {
		w.before.Store(conn.written())
		w.conn.Store(conn)
	}
	w.some.Store(true)
}

// nothingWritten tells for certain that no byte of the request was written, and makes sure that none will be. Through
// a connection that does not count (a proxy's), having had one means that it may.
func (w *watch) nothingWritten() bool {
	if !w.some.Load() {
		return true
	}
	conn := w.conn.Load()
	return conn != nil && conn.seal(w.before.Load())
}

// connectionLost tells a connection that broke or ran out of time from an answer that could not be understood.
func connectionLost(err error) bool {
	var network net.Error // timeouts and broken connections
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
