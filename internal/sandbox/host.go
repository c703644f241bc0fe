package sandbox

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	bodyLimit  = 3 << 20 // bytes of a request that a gateway reads; the largest honest one is a picture of 2 MiB
	keptBody   = 1 << 18 // bytes of it that a record keeps
	headerWait = 5 * time.Second
	readWait   = 10 * time.Second
	idleWait   = 8 * time.Second // WeChat Pay's servers drop an idle connection after 8 seconds
)

// gateway is what stands behind a host: it does the work of one call, or gives the answer that a fault asks for.
type gateway interface {
	// act does what the call asks for and returns the answer, signed as the fault wants it.
	act(r *http.Request, body []byte, f *Fault, c *Call) answer
	// refuse does nothing and returns the answer that the fault describes.
	refuse(r *http.Request, body []byte, f *Fault, c *Call) answer
}

// answer is an HTTP answer before it is written.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// Host is one address of a gateway on the loopback interface. Two hosts may serve the same gateway, as WeChat Pay's two
// do, and each has faults and a record of its own. It listens as soon as it is made.
type Host struct {
	Name   string
	Faults Faults
	Calls  Recorder

	behind gateway
	beside http.Handler // serves what is below /sandbox; may be nil
	told   func(Call)   // of each call when it has been answered; may be nil
	now    func() time.Time

	mu       sync.Mutex
	address  string // stays the same while the host is down, and nobody else is given it
	release  func() // gives the port back; nil once it did
	server   *http.Server
	finished chan struct{}
}

// NewImagecoHost makes a host that serves 翼码.
func NewImagecoHost(name string, g *Imageco) (*Host, error) { return newHost(name, g, g.state.now) }

// NewWechatPayHost makes a host that serves WeChat Pay.
func NewWechatPayHost(name string, g *WechatPay) (*Host, error) { return newHost(name, g, g.state.now) }

func newHost(name string, behind gateway, now func() time.Time) (*Host, error) {
	return newHostAt("", name, behind, now)
}

// newHostAt makes a host at an address; "" is any free port.
func newHostAt(address, name string, behind gateway, now func() time.Time) (*Host, error) {
	h := &Host{Name: name, behind: behind, now: now, address: address}
	return h, h.open()
}

// open finds the host's port, if it has none, and makes it listen.
func (h *Host) open() (err error) {
	if h.address == "" {
		if h.address, h.release, err = ReservePort(); err != nil {
			return err
		}
	}
	return h.Up()
}

// URL is the host's address, "http://127.0.0.1:54321". It stays the same over Down and Up.
func (h *Host) URL() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return "http://" + h.address
}

// Up makes the host listen, on the port that it had before. A host that is up stays up.
func (h *Host) Up() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server != nil {
		return nil
	}
	l, err := Listen(h.address)
	if err != nil {
		return err
	}
	h.server = newServer(h)
	h.finished = make(chan struct{})
	go func(s *http.Server, finished chan struct{}) {
		defer close(finished)
		_ = s.Serve(l) // always ends with ErrServerClosed, by Down
	}(h.server, h.finished)
	return nil
}

// Down closes the listener and every connection: from now on dialling is refused. A host that is down stays down.
func (h *Host) Down() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server == nil {
		return
	}
	_ = h.server.Close()
	<-h.finished
	h.server = nil
}

// Close is Down, and gives the port back. The host cannot be brought up again.
func (h *Host) Close() error {
	h.Down()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.release != nil {
		h.release()
		h.release = nil
	}
	return nil
}

// ServeHTTP records a call, lets the fault that is due have its way, and answers.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.beside != nil && (r.URL.Path == "/sandbox" || strings.HasPrefix(r.URL.Path, "/sandbox/")) {
		h.beside.ServeHTTP(w, r)
		return
	}
	body, err := readBody(w, r, bodyLimit)
	if err != nil {
		http.Error(w, "the request is too large or was cut off", http.StatusRequestEntityTooLarge)
		return
	}
	c := Call{Host: h.Name, At: h.now(), Method: r.Method, Target: target(r), Header: r.Header.Clone(),
		Body: body[:min(len(body), keptBody)]}
	c.N = h.Calls.arrive(c)
	f := h.Faults.take(r.Method)
	a, ok := h.work(r, body, &f, &c)
	h.Calls.update(c)
	if !ok || !linger(r.Context(), f.DelayAnswer, f.Hold) || f.CutAfter {
		h.finish(&c, answer{})
		cut(w)
		return
	}
	if f.RetryAfter != "" {
		a.header.Set("Retry-After", f.RetryAfter)
	}
	a.header.Set("Date", h.now().UTC().Format(http.TimeFormat)) // the gateway's clock, as in what it signs
	for name, values := range f.Header {
		a.header[name] = values
	}
	if f.CutMidway {
		h.finish(&c, answer{})
		cutMidway(w, a)
		return
	}
	h.finish(&c, a)
	a.write(w)
}

// finish records what a call is about to be answered; the zero answer is none.
func (h *Host) finish(c *Call, a answer) {
	c.Done, c.Status, c.Answer, c.Sent = h.now(), a.status, a.header, a.body
	h.Calls.update(*c)
	if h.told != nil {
		h.told(*c)
	}
}

// work does the call's work or what the fault puts in its place; false cuts the connection.
func (h *Host) work(r *http.Request, body []byte, f *Fault, c *Call) (answer, bool) {
	if !linger(r.Context(), f.Delay, nil) || f.CutBefore {
		return answer{}, false
	}
	if !f.replaces() {
		return h.behind.act(r, body, f, c), true
	}
	if f.ActFirst {
		h.behind.act(r, body, f, c)
	}
	if f.Garbage {
		return answer{status: max(f.Status, 200), header: http.Header{"Content-Type": {"text/html"}}, body: []byte("<html><body>It works!</body></html>")}, true
	}
	return h.behind.refuse(r, body, f, c), true
}

// linger waits, and says false when the caller hung up meanwhile.
func linger(ctx context.Context, d time.Duration, hold <-chan struct{}) bool {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return false
		}
	}
	if hold == nil {
		return true
	}
	select {
	case <-hold:
		return true
	case <-ctx.Done():
		return false
	}
}

// cut closes the connection without an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_ = conn.Close()
}

// cutMidway announces the whole answer, sends half of it, or half of the head when there is no body, and closes.
func cutMidway(w http.ResponseWriter, a answer) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Le", a.status, http.StatusText(a.status))
	if len(a.body) > 0 {
		fmt.Fprintf(conn, "ngth: %d\r\n\r\n%s", len(a.body), a.body[:len(a.body)/2])
	}
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if len(a.body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// Listen listens on a loopback address, "127.0.0.1:3000", and refuses any other: the sandbox knows no authentication.
func Listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("listen: %q is not a loopback address; the sandbox listens on no other", host)
	}
	return net.Listen("tcp", address)
}

// newServer makes an HTTP server that waits for no caller for ever. It limits the head and idleness; [readBody] limits the
// body. A ReadTimeout would go on ticking while an answer is held back, and then end the request's context.
func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerWait, IdleTimeout: idleWait, MaxHeaderBytes: 64 << 10}
}

// readBody reads a request's body, up to limit bytes and within readWait.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(readWait)) // a recorder in a test has no connection to set it on
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	_ = rc.SetReadDeadline(time.Time{})
	return body, err
}
