package console

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// cutOff lists what a reader cannot read in full: text beyond the window's edge, text that a box hides, words that do not
// fit into a choice.
const cutOff = `(() => {
	const bad = [], say = (n, why) => bad.push(why + ": " + (n.id || n.className || n.tagName) + " " + n.innerText.slice(0, 40));
	if (document.documentElement.scrollWidth > innerWidth) bad.push("the page is wider than the window: " + document.documentElement.scrollWidth);
	const pen = document.createElement("canvas").getContext("2d");
	for (const n of document.querySelectorAll("body *")) {
		if (!n.checkVisibility({ visibilityProperty: true }) || n.closest(".skip, .clip, .row .line, .unseen")) continue;
		const style = getComputedStyle(n), box = n.getBoundingClientRect();
		const hides = ["hidden", "clip"].includes(style.overflowX) || ["hidden", "clip"].includes(style.overflowY);
		if (n.innerText?.trim() && hides && (n.scrollWidth > n.clientWidth + 1 || n.scrollHeight > n.clientHeight + 1) && n.tagName !== "DIALOG") say(n, "hidden");
		if (style.textOverflow === "ellipsis" && n.type !== "file") say(n, "ellipsis");
		const text = [...n.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
		if (text && !(n instanceof SVGElement) && (box.right > innerWidth + 1 || box.left < -1)) say(n, "outside");
		if (text && n.scrollWidth > n.clientWidth + 1 && style.display !== "inline" && style.overflowX === "visible") say(n, "overflows");
		if (n.tagName === "SELECT") {
			pen.font = style.font;
			for (const o of n.options) if (pen.measureText(o.text).width > n.clientWidth - 38) bad.push("choice: " + o.text);
		}
	}
	return bad.join("\n");
})()`

// faint lists text whose contrast with its ground is less than WCAG's 4.5 to 1.
const faint = `(() => {
	const parse = (c) => (c.match(/[\d.]+/g) ?? []).map(Number), bad = new Set();
	const light = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
	const ground = (n) => { for (; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return parse(getComputedStyle(document.documentElement).backgroundColor); };
	let seen = 0;
	for (const n of document.querySelectorAll("body *")) {
		if (!n.checkVisibility() || ![...n.childNodes].some((c) => c.nodeType === 3 && c.data.trim()) || n.closest(".skip") || n.tagName === "OPTION") continue;
		seen++;
		const [a, b] = [light(parse(getComputedStyle(n).color)), light(ground(n))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) bad.add(ratio.toFixed(2) + " " + n.tagName + "." + n.className + " " + n.innerText.slice(0, 30));
	}
	if (seen < 20) bad.add("only " + seen + " texts were looked at");
	return [...bad].join("\n");
})()`

func (b *browser) looksRight(what string) {
	b.t.Helper()
	if bad := evaluate[string](b, cutOff); bad != "" {
		b.t.Errorf("%s: cut off:\n%s", what, bad)
	}
	if bad := evaluate[string](b, faint); bad != "" {
		b.t.Errorf("%s: too little contrast:\n%s", what, bad)
	}
}

func TestBrowserCutsNothingOff(t *testing.T) {
	for _, lang := range []string{"en-US", "zh-CN"} {
		t.Run(lang, func(t *testing.T) {
			b, r := visit(t, lang)
			if b == nil {
				return
			}
			r.fill()
			b.is(`document.querySelectorAll("#complaint-list .row").length >= 5`)
			b.deskLooksRight()
			b.bench(r.url)
			b.is(`document.querySelectorAll("#call-list .card").length >= 6`)
			b.benchLooksRight()
			b.quiet(r.url)
		})
	}
}

// widths are from a small phone to a large screen.
var widths = []int64{320, 360, 768, 1280, 1920}

// deskLooksRight looks at the desk with a form that was refused and an outcome that is unknown.
func (b *browser) deskLooksRight() {
	b.t.Helper()
	b.click("#complaint-list .row")
	b.is(`document.getElementById("talk-id")?.innerText !== undefined`)
	b.click("#reply-form details.more summary")
	b.click("#reply-form button.do")
	b.is(`document.querySelector("#reply-said .badge.rejected") !== null`)
	for _, width := range widths {
		for _, dark := range []bool{false, true} {
			b.size(width, 900)
			b.dark(dark)
			what := fmt.Sprintf("%d px, dark %t", width, dark)
			b.looksRight(what)
			b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("drawer").showModal()`))
			b.looksRight(what + ", the drawer")
			b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("drawer").close()`))
			if width < 760 {
				b.click("#back")
				b.looksRight(what + ", the list")
				b.click("#complaint-list .row")
				b.is(`document.getElementById("talk-id")?.innerText !== undefined`)
			}
		}
	}
}

func (b *browser) benchLooksRight() {
	b.t.Helper()
	for _, width := range widths {
		for _, dark := range []bool{false, true} {
			b.size(width, 900)
			b.dark(dark)
			what := fmt.Sprintf("bench, %d px, dark %t", width, dark)
			b.looksRight(what)
			for i := range 3 {
				b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelectorAll("#call-list button")[%d].click()`, i)))
				b.is(`document.getElementById("call").open && document.querySelector("#call-body section") !== null`)
				b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("#call details").forEach((d) => { d.open = true; })`))
				b.looksRight(fmt.Sprintf("%s, call %d", what, i))
				b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("call").close()`))
			}
		}
	}
}

// fill does what a busy quarter of an hour does: complaints of every age, calls of every outcome.
func (r *running) fill() {
	r.t.Helper()
	post := func(path, body string) { r.t.Helper(); r.ask("POST", path, body, isJSON) }
	for _, c := range []string{
		`{"merchant":"acme","words":"重复扣款两次,只下了一单,希望退回多扣的 58 元。","hours_ago":80}`,
		`{"merchant":"acme-xml","words":"The jacket is a size smaller than it says. I would like my money back.","hours_ago":30}`,
		`{"merchant":"acme","words":"付款后一直没有发货,订单显示已完成,请尽快处理。","hours_ago":20}`,
	} {
		post("/console/complaints", c)
	}
	reply := `{"response_content":"您好,退款已原路退回,预计三个工作日到账。","response_images":["file752398_7983424"],"jump_url":"https://example.com/orders/1","jump_url_text":"查看订单"}`
	post("/merchants/acme-xml/complaints/200201820261121093012734455/reply", reply)
	post("/merchants/acme-wrong-key/complaints/200201820261121093012734456/reply", reply)
	post("/merchants/acme/complaints/200201820261121093012734457/complete", `{"idempotency_key":"k"}`)
	post("/merchants/acme/complaints/2404/reply", reply)
	post("/console/faults", `{"hosts":{"imageco":"http500","wechatpay":"down"},"ledger_down":false}`)
	post("/merchants/acme/complaints/200201820261121093012734458/complete", `{}`)
	post("/merchants/acme/complaints/200201820261121093012734459/reply", reply)
}
