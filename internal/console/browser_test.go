package console

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	// requireBrowser makes a missing Chromium a failure.
	requireBrowser = "KESU_REQUIRE_BROWSER"
	// screenshots names a directory that pictures of the main views are written to.
	screenshots = "KESU_SCREENSHOTS"
	// patience is how long the page may take for one thing, on a machine that is busy.
	patience = 30 * time.Second
)

// browser is one page in a headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	errors   []string // what the browser's console complained of
	requests []string // where the page sent requests to
}

// newBrowser starts a Chromium whose language is lang. Without one it says in one line what to install, and gives nil.
func newBrowser(t *testing.T, lang string) *browser {
	t.Helper()
	path := chromium()
	if path == "" {
		const missing = "left out: the tests in a browser need Chromium (Debian: apt-get install chromium fonts-noto-cjk)"
		if os.Getenv(requireBrowser) == "1" {
			t.Fatal(missing)
		}
		t.Log(missing)
		return nil
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless}
	for _, flag := range []string{"no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars", "mute-audio", "no-default-browser-check"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	options = append(options, chromedp.Flag("lang", lang), chromedp.Flag("accept-lang", lang),
		chromedp.Flag("host-resolver-rules", "MAP rebound.example 127.0.0.1"))
	allocated, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	b := &browser{t: t, ctx: ctx}
	// This starts the browser, which would end with the context that it is started with.
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	b.do(protocol(network.Enable, network.EnableParams{}), protocol(log.Enable, cdp.Empty{}), chromedp.EmulateViewport(1280, 900))
	return b
}

// protocol is an action that gives the browser one command of its protocol.
func protocol[P, R any](c cdp.Command[P, R], p P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, p)
		return err
	})
}

// chromium finds the program, or gives "".
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		b.errors = append(b.errors, text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.errors = append(b.errors, fmt.Sprintf("console: %s", e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.errors = append(b.errors, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// do runs actions, all within patience.
func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.fail("%v", err)
	}
}

// fail ends the test with a picture of the page, when there is a place for it.
func (b *browser) fail(format string, args ...any) {
	b.t.Helper()
	if dir := os.Getenv(screenshots); dir != "" {
		b.picture(dir, "failed")
	}
	b.t.Fatalf(format, args...)
}

// is evaluates an expression that must become true.
func (b *browser) is(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	poll := chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0))
	err := chromedp.Do(ctx, poll)
	for err != nil && ctx.Err() == nil && isLeaving(err) {
		err = chromedp.Do(ctx, poll)
	}
	if err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		b.mu.Lock()
		said := strings.Join(b.errors, "\n")
		b.mu.Unlock()
		b.fail("never true: %s: %v\nThe browser's console: %s\nThe page: %s", expression, err, said, strings.Join(strings.Fields(text), " "))
	}
}

// isLeaving reports whether the page was on its way to another address, and could not say anything. In Chromium's words.
func isLeaving(err error) bool {
	for _, words := range []string{"context with specified id", "navigated or closed", "context was destroyed"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// sees waits until an element's text holds something.
func (b *browser) sees(selector, text string) {
	b.t.Helper()
	b.is(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((n) => n.checkVisibility() && n.innerText.includes(%q))`, selector, text))
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// types replaces what stands in a field, key by key.
func (b *browser) types(selector, text string) {
	b.t.Helper()
	evaluate[string](b, fmt.Sprintf(`document.querySelector(%q).value = ""`, selector))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// chooses chooses an option, as a person with the keyboard or the mouse.
func (b *browser) chooses(selector, value string) {
	b.t.Helper()
	evaluate[string](b, fmt.Sprintf(`(() => { const s = document.querySelector(%q); s.value = %q; s.dispatchEvent(new Event("change", {bubbles: true})); return s.value; })()`, selector, value))
}

// evaluate gives the value of an expression in the page.
func evaluate[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.fail("%s: %v", expression, err)
	}
	return value
}

// size sets the window's size in CSS pixels.
func (b *browser) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

func (b *browser) dark(on bool) {
	b.t.Helper()
	value := map[bool]string{true: "dark", false: "light"}[on]
	b.do(protocol(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"}}}))
}

// shot keeps a picture of what is in the window, if the pictures are wanted.
func (b *browser) shot(name string) {
	b.t.Helper()
	if dir := os.Getenv(screenshots); dir != "" {
		b.picture(dir, name)
	}
}

func (b *browser) picture(dir, name string) {
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Error(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, "console-"+name+".png"), png, 0o644); err != nil {
		b.t.Error(err)
	}
}

// quiet fails the test when the browser complained, or the page asked anybody but the sandbox.
func (b *browser) quiet(url string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.errors {
		b.t.Errorf("the browser's console says: %s", e)
	}
	for _, r := range b.requests {
		if !strings.HasPrefix(r, url+"/") {
			b.t.Errorf("the page asked %s", r)
		}
	}
	if len(b.requests) == 0 {
		b.t.Error("no request was seen, so nothing was checked")
	}
}
