package console

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserTenThousandComplaints sees that the list stays as small as what is in view, wherever it is scrolled to, and that
// a key press is enough to find one.
func TestBrowserTenThousandComplaints(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	const many = 10_000
	for i := range many {
		at := time.Now().Add(-time.Duration(i) * 30 * time.Second)
		r.world.State.Open("acme", fmt.Sprintf("4200%06d", i), fmt.Sprintf(sampleWords[i%len(sampleWords)], i), at)
	}
	r.console.journal.Touch()
	b.is(`document.querySelector('#chips [data-show=all]').innerText.includes("10000")`)
	for part := range 5 {
		evaluate[bool](b, fmt.Sprintf(`(() => { const l = document.getElementById("complaint-list"); l.scrollTop = l.scrollHeight * %d / 4; return true; })()`, part))
		b.is(`(() => {
			const list = document.getElementById("complaint-list").getBoundingClientRect(), rows = [...document.querySelectorAll("#complaint-list .row")].map((n) => n.getBoundingClientRect());
			const middle = (list.top + list.bottom) / 2;
			return rows.length < 60 && rows.some((row) => row.top <= middle && row.bottom >= middle);
		})()`)
	}
	evaluate[bool](b, `(() => { document.getElementById("search").focus(); return true; })()`)
	b.do(chromedp.KeyEvent("420000777"))
	b.is(`document.querySelectorAll("#complaint-list .row").length === 10`)
	b.do(chromedp.KeyEvent("7"))
	b.is(`document.querySelectorAll("#complaint-list .row").length === 1`)
	b.sees("#complaint-list .row", "4200007777")
	// How long the page works on a key press and on a step of scrolling, beside drawing all rows once as plain elements.
	took := evaluate[map[string]float64](b, `(() => {
		const time = (f) => { const from = performance.now(); f(); return performance.now() - from; };
		const search = document.getElementById("search"), list = document.getElementById("complaint-list");
		const type = (text) => { search.value = text; search.dispatchEvent(new Event("input")); return list.offsetHeight; };
		const key = time(() => type("4200007")), all = time(() => type(""));
		const plain = time(() => { const box = document.createElement("div"); for (let i = 0; i < 10000; i++) { const p = document.createElement("p"); p.textContent = "row " + i; box.append(p); } document.body.append(box); box.offsetHeight; box.remove(); });
		return { key, all, plain };
	})()`)
	t.Logf("a key press takes %.1f ms, showing all again %.1f ms; ten thousand plain elements %.1f ms", took["key"], took["all"], took["plain"])
	b.quiet(r.url)
}
