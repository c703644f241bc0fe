package console

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// visit opens the console of a new world in a new browser; nil without one.
func visit(t *testing.T, lang string) (*browser, *running) {
	t.Helper()
	b := newBrowser(t, lang)
	if b == nil {
		return nil, nil
	}
	r := start(t)
	b.dark(false)
	b.do(chromedp.Navigate(r.url + "/console"))
	b.is(`document.getElementById("live").classList.contains("on")`)
	return b, r
}

// anew makes a complaint and waits until its conversation is there.
func (b *browser) anew() {
	b.t.Helper()
	before := evaluate[string](b, `document.querySelector("#talk-head .mono")?.innerText ?? ""`)
	b.click("#new")
	b.is(`(document.querySelector("#talk-head .mono")?.innerText ?? "") !== ` + quoted(before))
}

// reply sends a reply and waits for what the form says of it.
func (b *browser) reply(words, said string) {
	b.t.Helper()
	b.click("#tab-reply")
	b.types("#reply-response_content", words)
	b.click("#reply-form button.do")
	b.sees("#said p", said)
}

func (b *browser) complete(said string) {
	b.t.Helper()
	b.click("#tab-complete")
	b.click("#complete-form button.do")
	b.sees("#said p", said)
}

func (b *browser) replies() int {
	return evaluate[int](b, `document.querySelectorAll("#thread .mine").length`)
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestBrowserRepliesAndCompletes(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	b.sees("#complaints h2", "Complaints")
	b.anew()
	b.sees("#thread .bubble", "Consumer")
	b.sees("#complaint-list .badge", "pending")
	b.sees("#complaint-list .limit", "left of 24 h")
	b.click("#reply-form details summary")
	b.types("#reply-response_images", "file752398_7983424")
	b.types("#reply-jump_url", "https://example.com/orders/1")
	b.types("#reply-jump_url_text", "查看订单")
	b.reply("已与用户沟通,退款已原路退回。", "succeeded")
	b.sees("#thread .mine", "退款已原路退回")
	b.sees("#thread .picture", "file752398_7983424")
	b.sees("#thread a.link", "查看订单")
	b.sees("#complaint-list .badge", "processing")
	b.sees("#complaint-list .limit.met", "replied after")
	b.sees("#call-list .card", "0000")

	// The call in full: the text that was signed, step by step.
	b.click("#said button")
	b.sees("#call-title", "0000")
	b.sees("#call .steps", "Join names and values")
	b.sees("#call .signed-text", r.world.Acme.Imageco.Key+"complaint_id")
	b.sees("#call .verdict.right", "right for the key")
	b.sees("#call .verdict.right", "answer's signature is right")
	b.sees("#call .pair", "succeeded")
	b.sees("#call pre", "curl -sS -X POST")
	b.sees("#call .falls", "gateway")
	b.shot("call")
	evaluate[bool](b, `(() => { document.querySelector("#call details.signed").scrollIntoView(); document.getElementById("call").scrollTop -= 90; return true; })()`)
	b.shot("signature")
	b.do(chromedp.KeyEvent("\u001b"))
	b.is(`!document.getElementById("call").open`)

	b.complete("succeeded")
	b.sees("#complaint-list .badge", "processed")
	b.sees("#thread .note", "settled the complaint")
	b.click("#call-list li:first-child button")
	b.sees("#call .steps", "Write the text to sign")
	b.sees("#call .steps", "/v3/merchant-service/complaints-v2/")
	b.do(chromedp.KeyEvent("\u001b"))
	b.sees("#figures-words", "calls 2")
	b.quiet(r.url)
}

func TestBrowserShowsFailoverAndUnknownOutcomes(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	b.chooses("#fault-wechatpay", "down")
	b.sees("#expect", "backup host at its second attempt")
	b.anew()
	b.complete("succeeded")
	b.sees("#call-list .card", "WeChat Pay, main host → WeChat Pay, backup host")

	b.chooses("#fault-imageco", "silent")
	b.sees("#expect", "nobody hears of it")
	b.anew()
	b.reply("已处理,请查收", "UPSTREAM_TIMEOUT")
	b.sees("#said .badge", "unknown")
	b.sees("#thread .mine", "已处理,请查收")
	b.reply("已处理,请查收", "OUTCOME_UNKNOWN")
	if n := b.replies(); n != 1 {
		t.Errorf("the consumer sees %d replies", n)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`))
	b.shot("faults")

	b.chooses("#fault-imageco", "down")
	b.anew()
	b.reply("稍后再试", "UPSTREAM_UNREACHABLE")
	b.sees("#said .badge", "retryable")
	b.click("#all-well")
	b.is(`document.querySelectorAll("#expect li").length === 0`)
	b.reply("稍后再试", "succeeded")

	b.chooses("#fault-wechatpay", "signtest")
	b.chooses("#fault-wechatpay-backup", "forged")
	b.anew()
	b.complete("UPSTREAM_UNVERIFIED")
	b.click("#said button")
	b.sees("#call .verdict.wrong", "the answer is not believed")
	b.quiet(r.url)
}

func TestBrowserShowsThatNothingIsDoubled(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	b.click("#crash")
	b.sees("#expect", "dies before it hears of it")
	b.anew()
	b.reply("崩溃时的回复", "HTTP 502")
	b.sees("#call-list .card", "no result")
	b.is(`!document.getElementById("crash").checked`)
	b.reply("崩溃时的回复", "IN_PROGRESS")
	if n := b.replies(); n != 1 {
		t.Errorf("after a crash the consumer sees %d replies", n)
	}

	b.click("#ledger-down")
	b.anew()
	b.reply("账本不可用", "LEDGER_UNAVAILABLE")
	if n := b.replies(); n != 0 {
		t.Errorf("without a ledger the consumer sees %d replies", n)
	}
	b.click("#ledger-down")
	b.is(`document.querySelectorAll("#expect li").length === 0`)

	b.click("#duplicates")
	b.anew()
	b.click("#reply-form input[value=event]")
	b.reply("事件只投递一次?", "The bus took the event")
	b.is(`[...document.querySelectorAll("#call-list .card")].filter((n) => n.innerText.includes("by event") && !n.innerText.includes("running")).length >= 2`)
	if n := b.replies(); n != 1 {
		t.Errorf("of an event that came twice the consumer sees %d replies", n)
	}
	b.click("#duplicates")

	b.click("#rotate")
	b.sees("#expect", "new keys")
	b.anew()
	b.reply("换密钥之后", "succeeded")
	b.sees("#call-list .card", "attempts 2")
	b.click("#said button")
	b.sees("#call .verdict.right", "the gateway knows another key")
	b.quiet(r.url)
}

func TestBrowserShowsProblemsAtTheirFields(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	b.anew()
	b.click("#reply-form button.do")
	b.sees("#reply-response_content-problem", "must have 1 to 200 characters, has 0")
	b.is(`document.activeElement.id === "reply-response_content"`)
	b.is(`document.activeElement.getAttribute("aria-invalid") === "true"`)
	b.click("#reply-form details summary")
	b.types("#reply-jump_url", "http://example.com")
	b.types("#reply-response_images", "a|b")
	b.click("#reply-form details summary")
	b.reply("好的", "INVALID_REQUEST")
	b.sees("#reply-jump_url-problem", "must be an https URL")
	b.sees("#reply-response_images-problem", "number 1: must not hold |")
	b.is(`document.getElementById("reply-response_content-problem").textContent === ""`)
	b.quiet(r.url)
}

func TestBrowserSpeaksChineseAndEnglish(t *testing.T) {
	b, r := visit(t, "zh-CN")
	if b == nil {
		return
	}
	b.sees("#complaints h2", "投诉")
	b.is(`document.documentElement.lang === "zh-CN"`)
	b.anew()
	b.reply("您好,已为您处理。", "成功")
	b.click("#language")
	b.sees("#complaints h2", "Complaints")
	b.sees("#complaint-list .badge", "processing")
	b.do(chromedp.Reload())
	b.sees("#complaints h2", "Complaints")
	b.do(chromedp.Evaluate[chromedp.Void](`(async () => {
		const { english } = await import("/console/english.js"), { chinese } = await import("/console/chinese.js");
		window.missing = [...Object.keys(english).filter((k) => !(k in chinese)), ...Object.keys(chinese).filter((k) => !(k in english) && !k.startsWith("reason."))].join(" ");
	})(), 0`))
	b.is(`window.missing !== undefined`)
	if missing := evaluate[string](b, `window.missing`); missing != "" {
		t.Errorf("words that one language lacks: %s", missing)
	}
	b.quiet(r.url)
}

func TestBrowserCanBeUsedWithTheKeyboard(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	tabTo := func(selector string) {
		t.Helper()
		for range 60 {
			b.do(chromedp.KeyEvent("\t"))
			if evaluate[bool](b, `document.activeElement.matches(`+quoted(selector)+`)`) {
				if outline := evaluate[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
					t.Errorf("%s shows no focus", selector)
				}
				return
			}
		}
		t.Fatalf("%s cannot be reached with the tab key", selector)
	}
	tabTo(".skip")
	tabTo("#fault-imageco")
	tabTo("#new")
	b.do(chromedp.KeyEvent("\r"))
	b.sees("#thread .bubble", "Consumer")
	tabTo("#complaint-list button")
	tabTo("#tab-reply")
	tabTo("#reply-response_content")
	b.do(chromedp.KeyEvent("ok"))
	tabTo("#reply-form button.do")
	b.do(chromedp.KeyEvent("\r"))
	b.sees("#said p", "succeeded")
	tabTo("#call-list button")
	b.do(chromedp.KeyEvent("\r"))
	b.is(`document.getElementById("call").open && document.getElementById("call").contains(document.activeElement)`)
	b.do(chromedp.KeyEvent("\u001b"))
	b.is(`document.activeElement.matches("#call-list button")`)
	b.quiet(r.url)
}
