package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// switching is a server that answers every request with 101 and then says nothing; asked hears of each.
func switching(t *testing.T) (url string, asked <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	heard := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				if request, err := http.ReadRequest(r); err == nil {
					_, _ = io.Copy(io.Discard, request.Body)
					fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
					heard <- struct{}{}
					_, _ = r.ReadByte() // until the other side goes
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), heard
}

// What reads an answer ends with SIGTERM, also when the answer is a connection that nothing ends.
func TestAnAnswerThatDoesNotEndDoesNotKeepTheProcess(t *testing.T) {
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	secret := file(t, "secret.json", c.copy(t).Secret())
	for _, tt := range []struct {
		name string
		args func(url string) []string
	}{
		{"send", func(url string) []string {
			return []string{"send", "complete", "--merchant", "acme", "--complaint", "2001", "--url", url}
		}},
		{"doctor", func(url string) []string {
			return []string{"doctor", "--secret-file", secret, "--imageco-url", url, "--wechatpay-url", url, "--wechatpay-backup-url", url}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url, asked := switching(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, filepath.Join(programs, "kesu"), tt.args(url)...)
			cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true"}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case <-asked:
			case err := <-ended:
				t.Fatalf("it ended before it asked: %v", err)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ended:
			case <-time.After(15 * time.Second): // less than what bounds a call
				_ = cmd.Process.Kill()
				t.Error("SIGTERM did not end it")
			}
		})
	}
}
