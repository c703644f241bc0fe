package console

import (
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBrowserDoesWhatAPersonWould(t *testing.T) {
	b := newBrowser(t, "en-US")
	if b == nil {
		return
	}
	r := start(t)
	b.dark(false)
	b.do(chromedp.Navigate(r.url + "/console"))
	b.sees("#live", "live")
	b.sees("h2", "Complaints")

	// A complaint, and a reply to it.
	b.click("#new")
	b.sees("#thread .bubble", "Consumer")
	b.sees("#complaint-list .badge", "pending")
	b.types("#reply-response_content", "已与用户沟通,退款已原路退回。")
	b.click("#reply-form details summary")
	b.types("#reply-response_images", "file752398_7983424")
	b.types("#reply-jump_url", "https://example.com/orders/1")
	b.types("#reply-jump_url_text", "查看订单")
	b.click("#reply-form button.do")
	b.sees("#said", "succeeded")
	b.sees("#thread .mine", "退款已原路退回")
	b.sees("#thread .picture", "file752398_7983424")
	b.sees("#thread a.link", "查看订单")
	b.sees("#complaint-list .badge", "processing")
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
	b.shot("call")
	b.do(chromedp.KeyEvent("\u001b"))
	b.is(`!document.getElementById("call").open`)

	// The completion.
	b.click("#tab-complete")
	b.click("#complete-form button.do")
	b.sees("#complaint-list .badge", "processed")
	b.sees("#thread .note", "settled the complaint")
	b.shot("desk")

	b.quiet(r.url)
}
