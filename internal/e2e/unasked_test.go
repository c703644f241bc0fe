package e2e

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// refuse refuses what was not asked for. The refusal is under way for some time.
func refuse(c net.Conn) {
	time.AfterFunc(10*time.Millisecond, func() { utters("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")(c, nil) })
}

// slowly answers when what was not asked for has long arrived.
func slowly(answer func(string, []byte) string) func(string, []byte) string {
	return func(request string, body []byte) string {
		<-time.After(100 * time.Millisecond)
		return answer(request, body)
	}
}

// farAway is a certificate's gateway to which a handshake takes a while.
func farAway(certificate *tls.Config) *tls.Config {
	far := certificate.Clone()
	far.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		<-time.After(200 * time.Millisecond)
		return nil, nil
	}
	return far
}

// A gateway sends a refusal as soon as it has accepted a connection, and reads the request after that. Whoever believed
// the refusal would send the reply again. To see it there has to be a round trip: one is in the handshake here.
func TestARefusalBeforeTheRequestOverTLSDoublesNoReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	certificate, trust := trusted(t)
	gateway := w.newLineGateway(farAway(certificate), slowly(replied(m)))
	var connections atomic.Int32
	gateway.greets = func(c net.Conn) {
		if connections.Add(1)%2 == 1 {
			refuse(c)
		}
	}
	f := w.reply("IMAGECO_URL="+gateway.URL, trust)
	// Once a busy machine may hold the gateway up until nobody listens to it any more.
	var doubled []string
	for range 6 {
		connections.Store(0)
		id := w.complaint("acme")
		got := f.bare(replyTo("acme", id))
		if n := connections.Load(); got.Outcome != "succeeded" || got.Attempts != 1 || gateway.about(id) != 1 || n != 2 {
			doubled = append(doubled, fmt.Sprintf("%d requests on %d connections for %+v", gateway.about(id), n, got))
		}
	}
	if len(doubled) > 1 {
		t.Errorf("%d of 6 replies: %q", len(doubled), doubled)
	}
}

// crowded is a listener whose queue holds one connection, and the one that it holds. The next one gets through when the
// kernel asks again, which is after a second: for the one who opens it the gateway is that far away.
func crowded(t *testing.T) (l net.Listener, held net.Conn) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	if l, err = net.FileListener(file); err != nil {
		t.Fatal(err)
	}
	if held, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return l, held
}

func TestARefusalBeforeTheRequestDoublesNoReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	l, held := crowded(t)
	defer l.Close()
	defer held.Close()
	gateway := &lineGateway{URL: "http://" + l.Addr().String(), answer: slowly(replied(m)), idle: map[net.Conn]open{}}
	var connections atomic.Int32
	gateway.greets = func(c net.Conn) {
		if connections.Add(1) == 2 { // the first one is held
			refuse(c)
		}
	}
	f := w.reply("IMAGECO_URL=" + gateway.URL)
	within(t, "the process to start", f.Start)
	time.AfterFunc(2*time.Second, func() { gateway.accept(l, nil) }) // the function's first packet is lost by then
	id := w.complaint("acme")
	if got := f.bare(replyTo("acme", id)); got.Outcome != "succeeded" || got.Attempts != 1 || gateway.about(id) != 1 || connections.Load() != 3 {
		t.Errorf("%d requests on %d connections for %+v", gateway.about(id), connections.Load(), got)
	}
}
