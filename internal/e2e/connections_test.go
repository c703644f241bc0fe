package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// lineGateway is a gateway whose connections a test can spoil while they are idle.
type lineGateway struct {
	URL    string
	answer func(request string, body []byte) string // what is written, byte for byte
	after  func(c net.Conn)                         // what happens then; may be nil
	greets func(c net.Conn)                         // what happens when a connection is open; may be nil

	mu       sync.Mutex
	idle     map[net.Conn]open
	requests []string // request line and body of each that was read as a whole
}

// open is what belongs to a connection: the TCP connection below it, and a channel that is closed when it is.
type open struct {
	below *net.TCPConn
	gone  chan struct{}
}

// newLineGateway serves over TLS when there is a certificate.
func (w *world) newLineGateway(secure *tls.Config, answer func(request string, body []byte) string) *lineGateway {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	g := &lineGateway{URL: "http://" + l.Addr().String(), answer: answer, idle: map[net.Conn]open{}}
	if secure != nil {
		g.URL = "https://" + l.Addr().String()
	}
	w.t.Cleanup(func() {
		_ = l.Close()
		g.spoil(spoiling{func(c net.Conn, _ *net.TCPConn) { _ = c.Close() }, true})
	})
	go g.accept(l, secure)
	return g
}

// accept serves every connection until the listener is closed.
func (g *lineGateway) accept(l net.Listener, secure *tls.Config) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go g.serve(conn, secure)
	}
}

func (g *lineGateway) serve(conn net.Conn, secure *tls.Config) {
	l := open{conn.(*net.TCPConn), make(chan struct{})}
	defer close(l.gone)
	defer conn.Close()
	if secure != nil {
		shaken := tls.Server(conn, secure)
		if shaken.Handshake() != nil {
			return
		}
		conn = shaken
	}
	g.mu.Lock()
	g.idle[conn] = l
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.idle, conn)
		g.mu.Unlock()
	}()
	if g.greets != nil {
		g.greets(conn)
	}
	for r := bufio.NewReader(conn); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		g.mu.Lock()
		g.requests = append(g.requests, request.RequestURI+" "+string(body))
		g.mu.Unlock()
		_, _ = io.WriteString(conn, g.answer(request.RequestURI, body))
		if g.after != nil {
			g.after(conn)
		}
	}
}

// spoiling is something that happens to connections.
type spoiling struct {
	do   func(c net.Conn, below *net.TCPConn)
	ends bool // it closes them
}

// spoil does something to every connection that is open. When it returns it has happened: Go closes a connection that
// is being read when the reader lets go of it.
func (g *lineGateway) spoil(s spoiling) {
	g.mu.Lock()
	var all []open
	for c, l := range g.idle {
		s.do(c, l.below)
		all = append(all, l)
	}
	g.mu.Unlock()
	for _, l := range all {
		if s.ends {
			<-l.gone
		}
	}
}

func (g *lineGateway) connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.idle)
}

// about is how many requests were about a complaint.
func (g *lineGateway) about(complaint string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, r := range g.requests {
		if strings.Contains(r, complaint) {
			n++
		}
	}
	return n
}

// written is an answer of an HTTP handler's, byte for byte.
func written(answer func(rw http.ResponseWriter)) string {
	recorder := httptest.NewRecorder()
	answer(recorder)
	var text strings.Builder
	fmt.Fprintf(&text, "HTTP/1.1 %d %s\r\n", recorder.Code, http.StatusText(recorder.Code))
	_ = recorder.Header().Write(&text)
	if recorder.Code != http.StatusNoContent {
		fmt.Fprintf(&text, "Content-Length: %d\r\n", recorder.Body.Len())
	}
	return text.String() + "\r\n" + recorder.Body.String()
}

func replied(m *sandbox.Merchant) func(string, []byte) string {
	return func(_ string, body []byte) string {
		return written(func(rw http.ResponseWriter) { _, _ = rw.Write(imagecoAnswer(m.Imageco.Key, body, "0000", "ok", nil)) })
	}
}

// trusted is a certificate, and the setting that makes a function trust it.
func trusted(t *testing.T) (*tls.Config, string) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	path := filepath.Join(t.TempDir(), "roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.TLS, "SSL_CERT_FILE=" + path
}

// What happens to connections while the process is frozen. A stray 429 would have a reply sent again, a stray 204 would
// have a completion settled, and a connection that is closed would leave either of them unknown.
var whileFrozen = []spoiling{
	{func(c net.Conn, _ *net.TCPConn) { _ = c.Close() }, true},
	{func(_ net.Conn, below *net.TCPConn) { _ = below.CloseWrite() }, false},
	{func(_ net.Conn, below *net.TCPConn) { _ = below.SetLinger(0); _ = below.Close() }, true},
	{utters("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"), false},
	{func(c net.Conn, _ *net.TCPConn) {
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		_ = c.Close()
	}, true},
	{utters("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"), false},
}

func utters(text string) func(c net.Conn, _ *net.TCPConn) {
	return func(c net.Conn, _ *net.TCPConn) { _, _ = io.WriteString(c, text) }
}

// frozen stops the function's process, as Lambda does between two invocations, does something, and lets it go on.
func (f *function) frozen(do func()) {
	f.w.t.Helper()
	pid := f.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		f.w.t.Fatal(err)
	}
	do()
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		f.w.t.Fatal(err)
	}
}

func TestAFrozenProcessUsesNoConnectionThatDiedOrSpokeMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	certificate, trust := trusted(t)
	s := w.signer()
	imageco := w.newLineGateway(nil, replied(m))
	wechat := w.newLineGateway(certificate, func(string, []byte) string {
		return written(func(rw http.ResponseWriter) { s.answer(rw, 204, "", nil) })
	})
	reply := w.reply("IMAGECO_URL=" + imageco.URL)
	complete := w.complete("WECHATPAY_URL="+wechat.URL, "WECHATPAY_BACKUP_URL="+wechat.URL, trust)
	for _, test := range []struct {
		f       *function
		gateway *lineGateway
		command func(complaint string) members
		// leave leaves an idle connection behind.
		leave func(n int)
	}{
		// The secret of a merchant that does not exist is asked for while the connection is opened.
		{reply, imageco, func(c string) members { return replyTo("acme", c) }, func(n int) { reply.bare(replyTo(fmt.Sprint("nobody-", n), "c")) }},
		{complete, wechat, func(c string) members { return completionOf("acme", c) }, func(int) {}},
	} {
		t.Run(test.f.action, func(t *testing.T) {
			test.f.bare(test.command(w.complaint("acme")))
			spoiled, again := 0, 0
			for n := range 200 {
				test.leave(n)
				test.f.frozen(func() {
					spoiled += test.gateway.connections()
					test.gateway.spoil(whileFrozen[n%len(whileFrozen)])
				})
				id := w.complaint("acme")
				got := test.f.bare(test.command(id))
				again += got.Attempts - 1
				attempts := func() []line {
					return test.f.logged(t, func(l line) bool { return l["msg"] == "attempt" && l["complaint_id"] == id })
				}
				if got.Outcome != "succeeded" || test.gateway.about(id) != 1 {
					t.Fatalf("%d: %d requests for %+v\n%v", n, test.gateway.about(id), got, attempts())
				}
				if got.Attempts > 1 {
					t.Logf("%d took more than one attempt: %v", n, attempts())
				}
			}
			// On a busy machine the end of a connection may still be on its way when the process asks. What then fails is
			// tried again, once.
			if again > 5 {
				t.Errorf("%d attempts were made on connections that were at their end", again)
			}
			if spoiled < 150 {
				t.Errorf("only %d connections were idle while the process was frozen", spoiled)
			}
		})
	}
}

const switches = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

func TestAnAnswerThatSwitchesProtocolsIsGarbledAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	ok := replied(m)
	gateway := w.newLineGateway(nil, func(request string, body []byte) string {
		if strings.Contains(string(body), "hang") {
			return switches
		}
		return ok(request, body)
	})
	f := w.reply("IMAGECO_URL="+gateway.URL, "ATTEMPT_TIMEOUT=1s", withBus)
	if got := f.result(f.invokeFor(replyTo("acme", "hang-alone").text(), 6*time.Second)); got.Outcome != "unknown" || got.Code != "UPSTREAM_GARBLED" ||
		got.HTTPStatus != 101 || got.Attempts != 1 {
		t.Errorf("got %+v", got)
	}
	var bodies, ids []string
	for i := range 10 {
		id := w.complaint("acme")
		if i == 4 {
			id = "hang-among-others"
			w.State.Add("acme", id)
		}
		ids = append(ids, id)
		bodies = append(bodies, requested(replyRequested, fmt.Sprint("e", i), replyTo("acme", id)))
	}
	if again := f.failures(batch(bodies...)); len(again) != 0 {
		t.Errorf("%v come again", again)
	}
	for _, id := range ids {
		if n := gateway.about(id); n != 1 {
			t.Errorf("%s: %d requests", id, n)
		}
	}
	wechat := w.newLineGateway(nil, func(string, []byte) string { return switches })
	c := w.complete("WECHATPAY_URL="+wechat.URL, "WECHATPAY_BACKUP_URL="+wechat.URL, "ATTEMPT_TIMEOUT=1s", "MAX_ATTEMPTS=2")
	if got := c.result(c.invokeFor(completionOf("acme", "c1").text(), 6*time.Second)); got.Outcome != "unknown" || got.Code != "UPSTREAM_GARBLED" || got.Attempts != 2 {
		t.Errorf("got %+v", got)
	}
}

// An answer that belongs to nothing comes some milliseconds after each real one, on the same connection.
func TestAnAnswerTooManyIsNoReplysAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	for name, stray := range map[string]string{
		"429":       "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
		"a refusal": "HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{\"result\":{\"id\":\"3001\",\"comment\":1}}",
		"204":       "HTTP/1.1 204 No Content\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			gateway := w.newLineGateway(nil, replied(m))
			gateway.after = func(c net.Conn) {
				time.AfterFunc(time.Duration(2+rand.N(28))*time.Millisecond, func() { _, _ = io.WriteString(c, stray) })
			}
			f := w.reply("IMAGECO_URL=" + gateway.URL)
			for range 100 {
				id := w.complaint("acme")
				if got := f.bare(replyTo("acme", id)); got.Outcome != "succeeded" || gateway.about(id) != 1 {
					t.Fatalf("%d requests for %+v", gateway.about(id), got)
				}
			}
		})
	}
}

func TestTheGatewaysConnectionIsOpenedWhileTheSecretIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	imageco := w.newLineGateway(nil, replied(m))
	wechat := w.newLineGateway(nil, func(string, []byte) string {
		return written(func(rw http.ResponseWriter) { s.answer(rw, 204, "", nil) })
	})
	secret, err := json.Marshal(map[string]string{"SecretString": m.Secret(), "VersionId": "v1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		function string
		gateway  *lineGateway
		command  members
	}{{"reply", imageco, replyTo("acme", "c1")}, {"complete", wechat, completionOf("acme", "c1")}} {
		t.Run(test.function, func(t *testing.T) {
			secrets := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) {
				for started := time.Now(); test.gateway.connections() == 0 && time.Since(started) < 2*time.Second; {
					runtime.Gosched()
				}
				if test.gateway.connections() == 0 {
					t.Error("the secret is read, and nobody has opened a connection to the gateway")
				}
				rw.Header().Set("Content-Type", "application/x-amz-json-1.1")
				_, _ = rw.Write(secret)
			})
			f := w.function(test.function, 1, "IMAGECO_URL="+imageco.URL, "WECHATPAY_URL="+wechat.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+secrets.URL)
			if got := f.bare(test.command); got.Outcome != "succeeded" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// A merchant whose secret names a gateway of its own has no connection at IMAGECO_URL: none that stays, and after the
// secret was read none at all.
func TestConnectionsAreOpenedAtTheMerchantsOwnGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	answer := func(rw http.ResponseWriter, c sandbox.Call) {
		_, _ = rw.Write(imagecoAnswer(m.Imageco.Key, c.Body, "0000", "ok", nil))
	}
	own, other := w.newStub(answer), w.newStub(answer)
	m.Imageco.URL = own.URL
	w.store(m)
	for _, test := range []struct {
		name  string
		env   []string
		other int // connections at IMAGECO_URL, once and for all
	}{
		{"the secret is not known at first", nil, 1},
		{"the secret was fetched ahead", []string{"PREFETCH_MERCHANTS=acme"}, 0},
		{"the secret is read again each time", []string{"PREFETCH_MERCHANTS=acme", "SECRET_SOFT_TTL=0s"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			inOneOf(t, 4, func() error {
				before, ownBefore := other.everOpened(), own.everOpened()
				f := w.reply(append(test.env, "IMAGECO_URL="+other.URL)...)
				within(t, "the process to start", f.Start)
				if len(test.env) > 0 {
					within(t, "the connection", untilTrue(func() bool { return own.everOpened() == ownBefore+1 }))
				}
				started := time.Now()
				for range 3 {
					if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
						t.Errorf("got %+v", got)
					}
				}
				within(t, "the wrong connection to be closed", untilTrue(func() bool { return other.connections() == 0 }))
				if took := time.Since(started); took > 4*time.Second {
					return fmt.Errorf("it was left open for %v", took)
				}
				if n := other.everOpened() - before; n > test.other || len(other.received()) != 0 {
					t.Errorf("%d connections and %d requests at IMAGECO_URL", n, len(other.received()))
				}
				if n := own.everOpened() - ownBefore; n != 3 {
					t.Errorf("%d connections for three replies", n)
				}
				return nil
			})
		})
	}
}

// The roots are a pipe: whoever opens it to write learns that somebody reads it.
func TestTheTLSRootsAreReadAheadWhenMerchantsAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	for _, test := range []struct {
		name string
		env  []string
		wait func(t *testing.T, f *function)
	}{
		{"while the function starts", []string{"PREFETCH_MERCHANTS=acme"}, func(t *testing.T, f *function) { within(t, "the process to start", f.Start) }},
		{"with the first command, without prefetching", nil, func(t *testing.T, f *function) {
			if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
				t.Errorf("got %+v", got)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "roots")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			read := make(chan error, 1)
			go func() { read <- os.WriteFile(pipe, nil, 0) }() // waits for a reader
			f := w.reply(append(test.env, "SSL_CERT_FILE="+pipe, "SSL_CERT_DIR="+t.TempDir())...)
			test.wait(t, f)
			within(t, "the roots to be read", func(ctx context.Context) error {
				select {
				case err := <-read:
					return err
				case <-ctx.Done():
					if free, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
						_ = free.Close() // lets the writer go
					}
					return ctx.Err()
				}
			})
		})
	}
}
