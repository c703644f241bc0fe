package samlocal

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"syscall"
	"testing"
)

// forInside gives the address under which a container reaches a server on this machine's loopback interface: a port of
// Docker's bridge that is forwarded to it. Docker Desktop has no such bridge on the host, and forwards by itself.
func forInside(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("KESU_DOCKER_BRIDGE"), "0"))
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		u.Host = net.JoinHostPort("host.docker.internal", u.Port())
		return u.String()
	case err != nil:
		t.Fatal(err)
	}
	forward(t, listener, u.Host)
	u.Host = listener.Addr().String()
	return u.String()
}

// forward hands every connection on to an address, until the test ends.
func forward(t *testing.T, listener net.Listener, to string) {
	t.Helper()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil { // the listener is closed
				return
			}
			running.Go(func() { join(in, to) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
}

func join(in net.Conn, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return // the caller sees the connection end
	}
	defer out.Close()
	done := make(chan struct{}, 2)
	hand := func(dst, src net.Conn) {
		_, _ = io.Copy(dst, src)
		done <- struct{}{}
	}
	go hand(out, in)
	go hand(in, out)
	<-done // either side has ended; closing both ends the other copy
}
