package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// visit opens the console of a new world in a new browser; nil without one. The functions keep no pace, because a
// browser that is driven may be faster than a person.
func visit(t *testing.T, lang string) (*browser, *running) {
	t.Helper()
	b := newBrowser(t, lang)
	if b == nil {
		return nil, nil
	}
	r := startWith(t, sandbox.Programs{Env: []string{"REPLY_RATE_PER_MINUTE=0", "COMPLETE_RATE_PER_MINUTE=0", "READ_RATE_PER_MINUTE=0"}})
	b.dark(false)
	b.do(chromedp.Navigate(r.url + "/console"))
	b.is(`document.getElementById("live").classList.contains("on")`)
	return b, r
}

// anew makes a complaint and waits until its conversation is there.
func (b *browser) anew() {
	b.t.Helper()
	before := evaluate[string](b, `document.getElementById("talk-id")?.innerText ?? ""`)
	b.click("#new")
	b.is(`!["", ` + quoted(before) + `].includes(document.getElementById("talk-id")?.innerText ?? "")`)
}

// yes answers a question with yes, once it is the one that is meant.
func (b *browser) yes(question string) {
	b.t.Helper()
	b.sees("#ask[open] h2", question)
	b.click("#ask-yes")
	b.is(`!document.getElementById("ask").open || !document.getElementById("ask-title").innerText.includes(` + quoted(question) + `)`)
}

// reply sends a reply and waits for what the form says of it.
func (b *browser) reply(words, said string) {
	b.t.Helper()
	b.click("#tab-reply")
	b.types("#reply-response_content", words)
	b.click("#reply-form button.do")
	b.yes("")
	b.sees("#reply-said p", said)
}

// complete completes a complaint that was replied to.
func (b *browser) complete(said string) {
	b.t.Helper()
	b.click("#tab-complete")
	b.click("#complete-form button.do")
	b.yes("Complete this complaint?")
	b.sees("#complete-said p", said)
}

// abandon completes a complaint without a reply, which is asked twice.
func (b *browser) abandon(said string) {
	b.t.Helper()
	b.click("#tab-complete")
	b.click("#complete-form button.do")
	b.yes("No reply was sent yet")
	b.yes("Complete this complaint?")
	b.sees("#complete-said p", said)
}

// flips flips a switch of the drawer.
func (b *browser) flips(selector string) {
	b.t.Helper()
	evaluate[bool](b, fmt.Sprintf(`(() => { document.querySelector(%q).click(); return true; })()`, selector))
}

// expects waits until the page tells what a switch does.
func (b *browser) expects(text string) {
	b.t.Helper()
	b.is(`[...document.querySelectorAll("#drawer .expect li")].some((n) => n.textContent.includes(` + quoted(text) + `))`)
}

// well waits until nothing is broken any more.
func (b *browser) well() {
	b.t.Helper()
	b.is(`document.querySelectorAll("#drawer .expect li").length === 0`)
}

// bench goes to the bench and waits for the calls.
func (b *browser) bench(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url + "/console/bench"))
	b.is(`document.querySelectorAll("#call-list .card").length > 0`)
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
	b.sees("#complaint-list .left", "reply: 23 h")
	b.click("#reply-form details.more summary")
	b.types("#reply-response_images", "file752398_7983424")
	b.types("#reply-jump_url", "https://example.com/orders/1")
	b.types("#reply-jump_url_text", "查看订单")
	b.reply("已与用户沟通,退款已原路退回。", "succeeded")
	b.sees("#thread .mine", "退款已原路退回")
	b.sees("#thread .picture", "file752398_7983424")
	b.sees("#thread a.link", "查看订单")
	b.sees("#complaint-list .badge", "processing")
	b.sees("#talk-head .limit.met", "replied after")
	b.is(`document.getElementById("reply-response_content").value === ""`)

	b.complete("succeeded")
	b.sees("#talk-head .badge", "processed")
	b.sees("#thread .note", "completed the complaint")

	// The call in full, on the bench: the text that was signed, step by step.
	b.click("#thread .told:nth-last-child(3) a.call-link")
	b.sees("#call-title", "0000")
	b.sees("#call .steps", "Join names and values")
	b.sees("#call .signed-text", r.world.Acme.Imageco.Key+"complaint_id")
	b.sees("#call .verdict.right", "right for the key")
	b.sees("#call .verdict.right", "answer's signature is right")
	b.sees("#call .pair", "succeeded")
	b.sees("#call pre", "curl -sS -X POST")
	b.sees("#call .falls", "gateway")
	evaluate[bool](b, `(() => { document.querySelector("#call details.signed").scrollIntoView(); document.getElementById("call").scrollTop -= 90; return true; })()`)
	b.shot("signature")
	b.do(chromedp.KeyEvent("\u001b"))
	b.is(`!document.getElementById("call").open`)
	b.sees("#call-list .badge", "succeeded")
	b.click("#call-list li:first-child button")
	b.sees("#call .steps", "Write the text to sign")
	b.sees("#call .steps", "/v3/merchant-service/complaints-v2/")
	b.do(chromedp.KeyEvent("\u001b"))
	b.sees("#figures-words", "calls 2")

	// The way back leads to the conversation.
	b.do(chromedp.Evaluate[chromedp.Void](`history.back()`))
	b.sees("#thread .mine", "退款已原路退回")
	b.quiet(r.url)
}

// TestBrowserTakesAnAnswerForItsOwnQuestion leaves a question and asks the next one before the browser tells that the
// first is closed, which it does later.
func TestBrowserTakesAnAnswerForItsOwnQuestion(t *testing.T) {
	b, _ := visit(t, "en-US")
	if b == nil {
		return
	}
	evaluate[bool](b, `(() => {
		import("/console/ask.js").then(async ({ ask }) => {
			const box = document.getElementById("ask"), told = new Promise((heard) => box.addEventListener("close", heard, { once: true }));
			const first = ask("first", [], "yes");
			box.close();
			const second = ask("second", [], "yes");
			await told;
			document.getElementById("ask-yes").click();
			window.answers = [await first, await second].join();
		});
		return true;
	})()`)
	b.is(`window.answers === "false,true"`)
}

func TestBrowserShowsFailoverAndUnknownOutcomes(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	b.chooses("#fault-wechatpay", "down")
	b.expects("backup host at its second attempt")
	b.anew()
	b.abandon("succeeded")
	b.bench(r.url)
	b.sees("#call-list .card", "WeChat Pay, main host → WeChat Pay, backup host")
	b.do(chromedp.Navigate(r.url + "/console"))

	b.chooses("#fault-imageco", "silent")
	b.expects("nobody hears of it")
	b.anew()
	b.reply("已处理,请查收", "SEEN_IN_HISTORY")
	b.sees("#thread .mine", "已处理,请查收")
	b.reply("已处理,请查收", "SEEN_IN_HISTORY") // told from the ledger
	if n := b.replies(); n != 1 {
		t.Errorf("the consumer sees %d replies", n)
	}

	b.chooses("#fault-imageco", "down")
	b.expects("No connection")
	b.anew()
	b.reply("稍后再试", "UPSTREAM_UNREACHABLE")
	b.sees("#reply-said .badge", "retryable")
	b.flips("#all-well")
	b.well()
	b.reply("稍后再试", "succeeded")

	b.chooses("#fault-wechatpay", "signtest")
	b.chooses("#fault-wechatpay-backup", "forged")
	b.expects("WeChat Pay, backup host")
	b.complete("UPSTREAM_UNVERIFIED")
	b.sees("#talk-head .badge", "processed") // WeChat Pay did it, and the state tells: nobody has to look
	b.is(`document.getElementById("attention").hidden`)
	b.click("#complete-said a.call-link")
	b.sees("#call .verdict.wrong", "the answer is not believed")
	b.quiet(r.url)
}

func TestBrowserShowsThatNothingIsDoubled(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	b.flips("#crash")
	b.expects("dies before it hears of it")
	b.anew()
	b.reply("崩溃时的回复", "HTTP 502")
	b.sees("#attention h3", "Was the reply shown?")
	b.is(`!document.getElementById("crash").checked`)
	b.click("#step-look")
	b.sees("#attention-said", "IN_PROGRESS")
	if n := b.replies(); n != 1 {
		t.Errorf("after a crash the consumer sees %d replies", n)
	}

	b.flips("#ledger-down")
	b.expects("not sent without a claim")
	b.anew()
	b.reply("账本不可用", "LEDGER_UNAVAILABLE")
	if n := b.replies(); n != 0 {
		t.Errorf("without a ledger the consumer sees %d replies", n)
	}
	b.flips("#ledger-down")
	b.well()

	b.flips("#duplicates")
	b.expects("second delivery")
	b.anew()
	b.click("#reply-form details.more summary")
	b.click("#reply-form input[value=event]")
	b.reply("事件只投递一次?", "succeeded") // told by the settled event
	b.is(`[...document.querySelectorAll("#thread .told")].filter((n) => n.innerText.includes("published: reply")).length >= 1`)
	if n := b.replies(); n != 1 {
		t.Errorf("of an event that came twice the consumer sees %d replies", n)
	}
	b.flips("#duplicates")
	b.well()

	b.flips("#rotate")
	b.expects("new keys")
	b.anew()
	b.reply("换密钥之后", "succeeded")
	b.click("#reply-said a.call-link")
	b.sees("#call .verdict.right", "the gateway knows another key")
	b.do(chromedp.KeyEvent("\u001b"))
	b.sees("#call-list .card", "attempts 2")
	b.sees("#call-list .card", "no result")
	b.quiet(r.url)
}

func TestBrowserShowsAWrongEventWhereItWasSent(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	b.anew()
	b.click("#reply-form details.more summary")
	b.click("#reply-form input[value=event]")
	b.types("#reply-jump_url", "http://example.com")
	b.reply("好的", "INVALID_REQUEST")
	b.sees("#reply-said .badge", "rejected")
	b.sees("#reply-jump_url-problem", "must be an https URL")
	b.sees("#thread .told", "published: reply")
	b.quiet(r.url)
}

func TestBrowserShowsProblemsAtTheirFields(t *testing.T) {
	b, r := visit(t, "en-US")
	if b == nil {
		return
	}
	b.anew()
	b.click("#reply-form button.do")
	b.sees("#reply-response_content-problem", "must have 1 to 500 characters, has 0")
	b.is(`document.activeElement.id === "reply-response_content"`)
	b.is(`document.activeElement.getAttribute("aria-invalid") === "true"`)
	b.click("#reply-form details.more summary")
	b.types("#reply-jump_url", "http://example.com")
	b.types("#reply-response_images", "a|b")
	b.click("#reply-form details.more summary")
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
	b.sees("#thread .mine", "已为您处理")
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
