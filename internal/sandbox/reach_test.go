package sandbox

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// testKeys are made once, when the first test asks, and handed out in turn: making RSA keys is slow.
var testKeys = sync.OnceValue(func() func() (*rsa.PrivateKey, error) {
	pool := make(chan *rsa.PrivateKey, 5)
	for range cap(pool) {
		key, err := NewKey()
		if err != nil {
			return func() (*rsa.PrivateKey, error) { return nil, err }
		}
		pool <- key
	}
	return func() (*rsa.PrivateKey, error) {
		key := <-pool
		pool <- key
		return key, nil
	}
})

// world is a world in which acme and acme-xml have the complaint c1.
func world(t *testing.T) *Demo {
	t.Helper()
	d, err := NewDemo(Options{NewKey: testKeys()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, m := range []string{"acme", "acme-xml"} {
		d.State.Add(m, "c1")
	}
	return d
}

// reach sends a request on a connection of its own and reads the answer to its end.
func reach(t *testing.T, method, url string, header http.Header, body []byte) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, text, err
}

// speak sends a request line that net/http would not send, and returns the answer's beginning.
func speak(t *testing.T, h *Host, line string, header http.Header, body string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s\r\nHost: api.mch.weixin.qq.com\r\nConnection: close\r\nContent-Length: %d\r\n", line, len(body))
	if err := header.Write(&text); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(append(text.Bytes(), "\r\n"+body...)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
