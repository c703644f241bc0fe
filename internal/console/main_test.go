package console

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// programs is the directory that TestMain builds the functions into.
var programs string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kesu-console-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../functions/reply", "../../functions/complete",
		"../../functions/watch")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the functions: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// testKeys hands out a few RSA keys in turn: making them is slow.
var testKeys = sync.OnceValue(func() func() (*rsa.PrivateKey, error) {
	pool := make(chan *rsa.PrivateKey, 5)
	for range cap(pool) {
		key, err := sandbox.NewKey()
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

// running is a console with everything behind it, served as `kesu run` does.
type running struct {
	t       *testing.T
	url     string
	world   *sandbox.Demo
	console *Console
}

func start(t *testing.T) *running {
	t.Helper()
	return startWith(t, sandbox.Programs{})
}

// startWith is start with more programs than the two.
func startWith(t *testing.T, p sandbox.Programs) *running {
	t.Helper()
	r := &running{t: t}
	journal := NewJournal()
	d, err := sandbox.NewDemo(sandbox.Options{CreateOnSight: true, NewKey: testKeys(), Output: journal, Watcher: journal, Ledger: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	p.Reply, p.Complete = filepath.Join(programs, "reply"), filepath.Join(programs, "complete")
	if err := d.StartFunctions(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	l, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.world, r.console = d, New(d, journal)
	d.Mount("/console", r.console)
	t.Cleanup(func() { _ = r.console.Close() })
	if r.url, err = d.Serve(l); err != nil {
		t.Fatal(err)
	}
	return r
}

// ask sends a request with headers as "Name: value", and gives the status and the body.
func (r *running) ask(method, path, body string, headers ...string) (int, string) {
	r.t.Helper()
	resp := r.open(method, path, body, headers...)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (r *running) open(method, path, body string, headers ...string) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp
}

const isJSON = "Content-Type: application/json"

// latest is the newest call in full, once it is as far as enough says.
func (r *running) latest(enough func(full) bool) full {
	r.t.Helper()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	for {
		changed := r.console.journal.next()
		calls, _ := r.console.journal.since(0)
		if len(calls) > 0 {
			_, body := r.ask("GET", "/console/calls/"+calls[len(calls)-1].id, "")
			var f full
			if err := json.Unmarshal([]byte(body), &f); err != nil {
				r.t.Fatalf("%v in %s", err, body)
			}
			if enough(f) {
				return f
			}
		}
		select {
		case <-changed:
		case <-limit.C:
			r.t.Fatal("no such call came")
		}
	}
}

func settled(f full) bool { return !f.Running && (f.Outcome != "" || f.Failure != "") }
