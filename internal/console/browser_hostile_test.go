package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBrowserShowsHostileTextAsText(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	hostile := `<script>window.owned = 1</script><img src=x onerror="window.owned = 1">` + "\u202Egpj.exe\u2066\u2067 \u200F" + `"'&{{}}`
	hostile += strings.Repeat("长", wordsLimit-len([]rune(hostile)))
	body, err := json.Marshal(map[string]any{"merchant": "acme", "words": hostile})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := r.ask("POST", "/console/complaints", string(body), isJSON); status != http.StatusCreated {
		t.Fatal(status, answer)
	}
	b.click("#complaint-list .row")
	b.is(`document.querySelector("#thread .words")?.textContent === ` + string(mustJSON(t, hostile)))
	for expression, want := range map[string]bool{
		`window.owned === undefined`: true,
		`document.querySelectorAll("#thread script, #thread img, #complaint-list script, #complaint-list img").length === 0`: true,
		`getComputedStyle(document.querySelector("#thread .words")).unicodeBidi === "isolate"`:                               true,
		`getComputedStyle(document.querySelector("#complaint-list bdi")).unicodeBidi === "isolate"`:                          true,
		`document.documentElement.scrollWidth <= innerWidth`:                                                                 true,
	} {
		if got := evaluate[bool](b, expression); got != want {
			t.Errorf("%s is %t", expression, got)
		}
	}
	// The same as a merchant's reply: what was sent is shown as text, and its controls are spelt out in the call.
	evaluate[string](b, `document.getElementById("reply-response_content").value = "<b>粗体</b> \u202Eabc"`)
	b.click("#reply-form button.do")
	b.is(`document.querySelector("#ask blockquote")?.textContent === "<b>粗体</b> \u202Eabc"`)
	b.yes("")
	b.sees("#reply-said p", "succeeded")
	b.is(`document.querySelector("#thread .mine .words")?.textContent === "<b>粗体</b> \u202Eabc"`)
	b.size(360, 800)
	b.looksRight("hostile text at 360 px")
	b.click("#reply-said a.call-link")
	b.sees("#call pre .control", "U+202E")
	if evaluate[bool](b, `document.querySelector("#call b") !== null`) {
		t.Error("the reply's markup became an element")
	}
	b.looksRight("hostile text in a call at 360 px")
	b.quiet(r.url)
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// foreignPage tries everything that a page of another origin can try.
const foreignPage = `<!doctype html><meta charset="utf-8"><body><script>
const target = %q, got = [];
const note = (what) => (x) => got.push(what + " " + x);
const post = (path, mode, type, body) => fetch(target + path, {method: "POST", mode, headers: {"Content-Type": type}, body});
const tries = [
	fetch(target + "/console").then((r) => r.text()).then(note("read the page"), () => {}),
	fetch(target + "/console/calls/x").then((r) => r.text()).then(note("read a call"), () => {}),
	fetch(target + "/events").then((r) => r.text()).then(note("read the events"), () => {}),
	post("/console/complaints", "cors", "application/json", '{"merchant":"acme","words":"foreign"}').then(note("sent JSON"), () => {}),
	post("/console/complaints", "no-cors", "text/plain", '{"merchant":"acme","words":"foreign"}').then(() => {}, () => {}),
	post("/console/faults", "no-cors", "text/plain", '{"ledger_down":true}').then(() => {}, () => {}),
	post("/merchants/acme/complaints/666/complete", "no-cors", "text/plain", "").then(() => {}, () => {}),
	post("/merchants/acme/complaints/666/reply", "no-cors", "text/plain", '{"response_content":"foreign"}').then(() => {}, () => {}),
	new Promise((done) => { const s = new EventSource(target + "/console/stream"); s.onopen = () => { note("listened")(""); done(); }; s.onerror = () => { s.close(); done(); }; }),
	...["desk.js", "stream"].map((file) => new Promise((done) => { const s = document.createElement("script"); s.src = target + "/console/" + file; s.onload = () => { note("ran")(file); done(); }; s.onerror = done; document.head.append(s); setTimeout(done, 3000); })),
	new Promise((done) => { const i = document.createElement("img"); i.src = target + "/console/icon.svg"; i.onload = () => { note("showed")("the icon"); done(); }; i.onerror = done; document.body.append(i); }),
	new Promise((done) => { const f = document.createElement("form"); f.method = "post"; f.enctype = "text/plain"; f.target = "sink"; f.action = target + "/console/rotate"; const s = document.createElement("iframe"); s.name = "sink"; document.body.append(s, f); s.onload = done; f.submit(); setTimeout(done, 3000); }),
];
Promise.all(tries).then(() => { window.finished = true; window.got = got.join("\n"); });
</script>`

func TestBrowserKeepsOtherOriginsOut(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, foreignPage, r.url)
	}))
	defer other.Close()
	before := r.console.now()
	for _, address := range []string{other.URL, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)} {
		b.do(chromedp.Navigate(address))
		b.is(`window.finished === true`)
		if got := evaluate[string](b, `window.got`); got != "" {
			t.Errorf("a page of %s %s", address, got)
		}
	}
	if len(r.world.State.Complaints()) > 0 || len(r.world.ImagecoHost.Calls.Calls()) > 0 || len(r.world.Primary.Calls.Calls()) > 0 {
		t.Error("a page of another origin sent something")
	}
	if after := r.console.now(); after.LedgerDown != before.LedgerDown || after.Rotations != before.Rotations {
		t.Error("a page of another origin moved a switch")
	}
	// A name of the page's own that leads to this machine.
	rebound := strings.Replace(r.url, "127.0.0.1", "rebound.example", 1)
	b.do(chromedp.Navigate(rebound + "/console"))
	b.sees("body", "loopback")
	b.is(`document.querySelector("#complaints") === null`)
}
