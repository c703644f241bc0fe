package console

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// requireAxe makes a missing axe-core a failure.
const requireAxe = "KESU_REQUIRE_AXE"

// axe lets axe-core look at the page as it is, by the rules of WCAG 2.2 and by its best practices.
func (b *browser) axe(what string) {
	b.t.Helper()
	source, err := os.ReadFile("../../.cache/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		const missing = "left out: axe-core, which make test-browser installs"
		if os.Getenv(requireAxe) == "1" {
			b.t.Fatal(missing)
		}
		b.t.Log(missing)
		return
	}
	b.do(chromedp.Evaluate[chromedp.Void](string(source) + `; window.axeSays = undefined; axe.run(document, { resultTypes: ["violations"] }).then((r) => {
		window.axeLookedAt = r.passes.length;
		window.axeSays = r.violations.map((v) => v.id + ": " + v.help + "\n  " + v.nodes.slice(0, 5).map((n) => n.html.slice(0, 200)).join("\n  ")).join("\n");
	}, (e) => { window.axeSays = "axe failed: " + e; }); undefined`))
	b.is(`window.axeSays !== undefined`)
	if said := evaluate[string](b, `window.axeSays`); said != "" {
		b.t.Errorf("%s: axe says\n%s", what, said)
	}
	if evaluate[int](b, `window.axeLookedAt ?? 0`) < 5 {
		b.t.Errorf("%s: axe looked at next to nothing", what)
	}
}

// TestBrowserAxeSeesWhatIsWrong takes a name away and sees axe say so.
func TestBrowserAxeSeesWhatIsWrong(t *testing.T) {
	b, _ := visit(t, "en-US")
	if b == nil {
		return
	}
	if _, err := os.Stat("../../.cache/axe/node_modules/axe-core/axe.min.js"); err != nil && os.Getenv(requireAxe) != "1" {
		t.Log("left out: axe-core, which make test-browser installs")
		return
	}
	evaluate[bool](b, `(() => { document.getElementById("of-merchant").removeAttribute("aria-label"); return true; })()`)
	seen := &browser{t: &testing.T{}, ctx: b.ctx}
	seen.axe("a choice without a name")
	if !seen.t.Failed() {
		t.Error("axe sees nothing wrong in a choice without a name")
	}
}
