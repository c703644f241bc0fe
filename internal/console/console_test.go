package console

import (
	"bufio"
	"context"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestNoFunctionHoldsTheConsole(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/kesu-go/kesu/functions/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "kesu/internal/pipeline") {
		t.Error("the list of what the functions hold is not one")
	}
	if strings.Contains(string(out), "internal/console") || strings.Contains(string(out), "\nembed\n") {
		t.Error("a function holds the console")
	}
}

func TestPageIsServedWithAStrictPolicy(t *testing.T) {
	r := start(t)
	for _, file := range []string{"", "/bench", "/desk.js", "/base.css", "/icon.svg"} {
		resp := r.open("GET", "/console"+file, "")
		_ = resp.Body.Close()
		policy := resp.Header.Get("Content-Security-Policy")
		if resp.StatusCode != http.StatusOK || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
			!strings.Contains(policy, "require-trusted-types-for 'script'") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("/console%s: %d %v", file, resp.StatusCode, resp.Header)
		}
	}
	for _, path := range []string{"/console/nothing.js", "/console/..%2fconsole.go", "/console/page/index.html", "/console/calls/none"} {
		if status, _ := r.ask("GET", path, ""); status != http.StatusNotFound {
			t.Errorf("%s gives %d", path, status)
		}
	}
	if status, _ := r.ask("GET", "/console/", ""); status != http.StatusOK { // by way of a redirect
		t.Errorf("/console/ gives %d", status)
	}
}

func TestPageNamesNoOtherHostAndHoldsNoInlineCode(t *testing.T) {
	err := fs.WalkDir(files, "page", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(raw), `"http://www.w3.org/2000/svg"`, "")
		for _, forbidden := range []string{"http://", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", " onclick=", "javascript:"} {
			if strings.Contains(text, forbidden) {
				t.Errorf("%s holds %s", path, forbidden)
			}
		}
		if types[path[strings.LastIndex(path, "."):]] == "" {
			t.Errorf("%s has no type", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOnlyThisMachineAndThisPageMayAsk(t *testing.T) {
	r := start(t)
	foreign := "Origin: http://evil.example"
	port := r.url[strings.LastIndex(r.url, ":"):]
	for _, test := range []struct {
		name, method, path, body string
		headers                  []string
		want                     int
	}{
		{"a program", "POST", "/console/rotate", "{}", []string{isJSON}, 200},
		{"the page", "POST", "/console/faults", "{}", []string{isJSON, "Origin: " + r.url, "Sec-Fetch-Site: same-origin"}, 200},
		{"the page by its other name", "POST", "/console/faults", "{}", []string{isJSON, "Host: localhost" + port, "Origin: http://localhost" + port}, 200},
		{"a foreign page that reads", "GET", "/console", "", []string{foreign}, 403},
		{"a foreign page that listens", "GET", "/console/stream", "", []string{foreign}, 403},
		{"a foreign page that writes", "POST", "/console/complaints", `{"merchant":"acme"}`, []string{isJSON, foreign}, 403},
		{"a page without an origin of its own", "POST", "/console/complaints", `{"merchant":"acme"}`, []string{isJSON, "Origin: null"}, 403},
		{"another port of this machine", "POST", "/console/complaints", `{"merchant":"acme"}`, []string{isJSON, "Origin: http://127.0.0.1:1"}, 403},
		{"the same with https", "POST", "/console/complaints", `{"merchant":"acme"}`, []string{isJSON, "Origin: " + strings.Replace(r.url, "http", "https", 1)}, 403},
		{"a foreign page that includes a file", "GET", "/console/desk.js", "", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: script"}, 403},
		{"a neighbour's image", "GET", "/console/icon.svg", "", []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-Dest: image"}, 403},
		{"a link from elsewhere", "GET", "/console", "", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: document"}, 200},
		{"a frame elsewhere", "GET", "/console", "", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: iframe"}, 403},
		{"a name that leads here", "GET", "/console", "", []string{"Host: evil.example"}, 421},
		{"a name that leads here, writing", "POST", "/console/rotate", "{}", []string{isJSON, "Host: evil.example", "Origin: http://evil.example"}, 421},
		{"a form", "POST", "/console/rotate", "{}", []string{"Content-Type: text/plain"}, 415},
		{"no content type", "POST", "/console/rotate", "{}", nil, 415},
		{"no JSON", "POST", "/console/rotate", "rotate", []string{isJSON}, 400},
		{"an unknown member", "POST", "/console/faults", `{"host":"x"}`, []string{isJSON}, 400},
		{"two objects", "POST", "/console/faults", `{}{}`, []string{isJSON}, 400},
		{"too much", "POST", "/console/complaints", `{"words":"` + strings.Repeat("x", bodyLimit) + `"}`, []string{isJSON}, 413},
		{"another method", "DELETE", "/console/complaints", "", nil, 405},
	} {
		t.Run(test.name, func(t *testing.T) {
			if status, body := r.ask(test.method, test.path, test.body, test.headers...); status != test.want {
				t.Errorf("it gives %d %s", status, body)
			}
		})
	}
	if n := len(r.world.State.Complaints()); n > 0 {
		t.Errorf("%d complaints were made", n)
	}
}

func TestConsoleIsBoundToTheLoopbackInterfaceOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0", "example.com:0"} {
		if l, err := sandbox.Listen(address); err == nil {
			_ = l.Close()
			t.Errorf("it listens on %s", address)
		}
	}
	// Even behind a listener of somebody else's it answers to nobody else.
	c := New(bareWorld(t), NewJournal())
	defer c.Close()
	for ip, want := range map[string]int{"127.0.0.1": 200, "::1": 200, "192.0.2.1": 403, "0.0.0.0": 403} {
		request := httptest.NewRequest("GET", "http://127.0.0.1:3000/console", nil)
		local := context.WithValue(request.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.ParseIP(ip), Port: 3000}))
		w := httptest.NewRecorder()
		c.ServeHTTP(w, request.WithContext(local))
		if w.Code != want {
			t.Errorf("on %s it gives %d", ip, w.Code)
		}
	}
}

// bareWorld is a world without functions.
func bareWorld(t *testing.T) *sandbox.Demo {
	t.Helper()
	d, err := sandbox.NewDemo(sandbox.Options{NewKey: testKeys()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestComplaintsAreMadeAndRefused(t *testing.T) {
	r := start(t)
	for body, want := range map[string]int{
		`{"merchant":"acme","words":"` + strings.Repeat("长", wordsLimit) + `","hours_ago":30}`: 201,
		`{"merchant":"acme","words":"` + strings.Repeat("长", wordsLimit+1) + `"}`:              400,
		`{"merchant":"nobody","words":"x"}`:                                                    400,
		`{"merchant":"acme","words":"x","hours_ago":-1}`:                                       400,
		`{"merchant":"acme","words":"x","hours_ago":10000}`:                                    400,
	} {
		if status, answer := r.ask("POST", "/console/complaints", body, isJSON); status != want {
			t.Errorf("%.60s gives %d %s", body, status, answer)
		}
	}
	r.console.refresh()
	rows, _ := r.console.board.since(0)
	if len(rows) != 1 || len([]rune(rows[0].Words)) != excerptLimit {
		t.Fatalf("the list has %+v", rows)
	}
	all := r.world.State.Complaints()
	if len(all) != 1 || len([]rune(all[0].Words())) != wordsLimit || time.Since(all[0].CreatedAt) < 30*time.Hour || !regexp.MustCompile(`^[0-9]{27}$`).MatchString(all[0].ID) {
		t.Fatalf("there are %d complaints", len(all))
	}
	// WeChat Pay tells the same words to whoever asks it.
	status, body := r.ask("GET", "/console/complaints/acme/"+all[0].ID, "")
	var view talk
	if err := json.Unmarshal([]byte(body), &view); err != nil || status != http.StatusOK || view.Words != all[0].Words() || view.Items[0].Text != view.Words {
		t.Errorf("the conversation is %d %.200s", status, body)
	}
}

func TestStreamTellsEverythingOnceAndThenWhatChanges(t *testing.T) {
	r := start(t)
	resp := r.open("GET", "/console/stream", "")
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	next := func() (n struct {
		First      bool
		Merchants  []carrier
		Calls      []summary
		Complaints []row
		Switches   *switches
	}) {
		t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &n); err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
		t.Fatal("the stream ended")
		return n
	}
	if n := next(); resp.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || !n.First || len(n.Merchants) != 3 || n.Switches == nil || n.Complaints != nil {
		t.Errorf("first it tells %+v", n)
	}
	r.ask("POST", "/console/faults", `{"hosts":{"imageco":"slow"}}`, isJSON)
	if n := next(); n.First || n.Switches == nil || n.Switches.Hosts["imageco"] != "slow" || n.Complaints != nil {
		t.Errorf("of a switch it tells %+v", n)
	}
	r.ask("POST", "/console/faults", `{"hosts":{"imageco":"works"}}`, isJSON)
	next()
	r.ask("POST", "/merchants/acme/complaints/1/reply", `{"response_content":"好"}`, isJSON)
	for {
		n := next()
		if len(n.Calls) == 1 && n.Calls[0].Outcome == "succeeded" && !n.Calls[0].Running {
			break
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	r := start(t)
	for range streamLimit {
		resp := r.open("GET", "/console/stream", "")
		defer resp.Body.Close()
	}
	if status, _ := r.ask("GET", "/console/stream", ""); status != http.StatusServiceUnavailable {
		t.Errorf("one stream more gives %d", status)
	}
}

func TestJournalIsBounded(t *testing.T) {
	j := NewJournal()
	for i := range callLimit + 10 {
		j.Began("kesu-reply", strings.Repeat("x", i), make([]byte, payloadLimit+1), time.Now())
	}
	for range lineLimit + 10 {
		_, _ = j.Write([]byte(`{"aws_request_id":"one","msg":"attempt"}` + "\n" + "no JSON\n" + `{"msg":"of no call"}` + "\n"))
	}
	j.Began("kesu-reply", "one", nil, time.Now())
	calls, _ := j.since(0)
	one, ok := j.call("one")
	if len(calls) != callLimit || !ok || len(one.lines) != lineLimit || calls[0].payload != nil {
		t.Errorf("it keeps %d calls, %d lines, %d bytes", len(calls), len(one.lines), len(calls[0].payload))
	}
	if _, ok := j.call(""); ok {
		t.Error("the oldest call is still kept")
	}
}
