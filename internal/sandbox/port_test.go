package sandbox_test

import (
	"net"
	"runtime"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestAReservedPortRefusesAndIsGivenToNobodyElse(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a port is reserved on Linux only")
	}
	address, release, err := sandbox.ReservePort()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for range 2 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			t.Fatal("somebody answers there")
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatalf("its owner cannot listen: %v", err)
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		l.Close()
	}
	for range 10_000 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		got := l.Addr().String()
		l.Close()
		if got == address {
			t.Fatal("the port was given to somebody else")
		}
	}
}
