package console

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// dayWords are what the test waits for in each language.
type dayWords struct {
	late, pending, unknown, unseen, succeeded, again, settled, reply, unreplied, complete, resend string
}

var (
	inEnglish = dayWords{"late", "pending", "Was the reply shown?", "does not show the reply", "succeeded", "OUTCOME_UNKNOWN", "completed the complaint",
		"Send this reply?", "No reply was sent yet", "Complete this complaint?", "Send this reply again?"}
	inChinese = dayWords{"已超时", "待处理", "回复送达了吗", "协商历史中没有这条回复", "成功", "OUTCOME_UNKNOWN", "反馈处理完成",
		"发送这条回复", "还没有回复过用户", "反馈处理完成？", "再发一次这条回复"}
)

// TestBrowserAWorkingDay drives a day at the desk with the keyboard alone, and makes the pictures of the documentation.
func TestBrowserAWorkingDay(t *testing.T) {
	for _, day := range []struct {
		name, lang    string
		words         dayWords
		width, height int64
	}{
		{"in Chinese on a desktop", "zh-CN", inChinese, 1440, 900},
		{"in English on a desktop", "en-US", inEnglish, 1440, 900},
		{"in Chinese on a phone", "zh-CN", inChinese, 390, 844},
		{"in English on a small phone", "en-US", inEnglish, 320, 640},
	} {
		t.Run(day.name, func(t *testing.T) {
			b, r := visit(t, day.lang)
			if b == nil {
				return
			}
			b.size(day.width, day.height)
			r.morning()
			d := &workingDay{browser: b, r: r, w: day.words, phone: day.width < 760, picture: day.name}
			d.findsTheMostUrgent()
			d.repliesWithAPicture()
			d.keepsTheDraftAndThePlace()
			d.seesWhatIsUnknown()
			d.completes()
			d.searches()
			b.quiet(r.url)
		})
	}
}

const dayCount = 500

// morning lets 500 complaints be there, from just now to a hundred hours old, the oldest ones last; some were worked on.
func (r *running) morning() {
	r.t.Helper()
	for i := range dayCount {
		at := time.Now().Add(-time.Duration(i) * 12 * time.Minute)
		words := fmt.Sprintf(sampleWords[i%len(sampleWords)], 1000+i)
		r.world.State.Open("acme", dayID(i), words, at)
		if i%10 == 5 && i < 300 {
			r.does("POST", "/merchants/acme/complaints/"+dayID(i)+"/reply", `{"response_content":"您好,您的投诉我们已经收到,正在核实。"}`)
		}
		if i%50 == 5 && i < 300 {
			r.world.State.Say("acme", dayID(i), "三天了还没有结果,请尽快退款。")
		}
		if i%50 == 15 && i < 300 {
			r.does("POST", "/merchants/acme/complaints/"+dayID(i)+"/complete", `{}`)
		}
	}
	r.world.State.Raise("acme", dayID(15), "说已处理,但是钱没有到账。")
}

// does asks for what must be done at once.
func (r *running) does(method, path, body string) {
	r.t.Helper()
	if status, said := r.ask(method, path, body, isJSON); status != http.StatusOK {
		r.t.Fatalf("%s %s: %d %s", method, path, status, said)
	}
}

func dayID(i int) string { return fmt.Sprintf("200201820261126%012d", i) }

// workingDay is one person's day.
type workingDay struct {
	*browser
	r       *running
	w       dayWords
	phone   bool
	picture string
}

func (d *workingDay) key(keys string) {
	d.t.Helper()
	d.do(chromedp.KeyEvent(keys))
}

// tabTo goes on with the tab key until an element has the focus, and sees that it shows it.
func (b *browser) tabTo(selector string) {
	b.t.Helper()
	for range 80 {
		b.do(chromedp.KeyEvent("\t"))
		if evaluate[bool](b, `document.activeElement.matches(`+quoted(selector)+`)`) {
			if shown := evaluate[string](b, `(() => { const n = document.activeElement, of = n.classList.contains("unseen") ? n.nextElementSibling : n; return getComputedStyle(of).outlineStyle; })()`); shown == "none" {
				b.t.Errorf("%s shows no focus", selector)
			}
			return
		}
	}
	b.fail("%s cannot be reached with the tab key", selector)
}

// inView tells whether an element can be seen without scrolling.
func (d *workingDay) inView(selector string) {
	d.t.Helper()
	d.is(fmt.Sprintf(`(() => { const r = document.querySelector(%q)?.getBoundingClientRect(); return r && r.height > 0 && r.top >= 0 && r.bottom <= innerHeight + 1; })()`, selector))
}

// list goes to the list.
func (d *workingDay) list() {
	d.t.Helper()
	if d.phone && evaluate[bool](d.browser, `document.body.dataset.view === "talk"`) {
		evaluate[bool](d.browser, `(() => { document.getElementById("talk-title").focus(); return true; })()`)
		d.tabTo("#back")
		d.key("\r")
		d.is(`document.activeElement.id === "complaint-list"`)
		return
	}
	evaluate[bool](d.browser, `(() => { document.activeElement.blur(); document.getElementById("skip").focus(); return true; })()`)
	d.key("\r")
	d.is(`document.activeElement.id === "complaint-list"`)
}

// opens opens the complaint that the keyboard is at in the list.
func (d *workingDay) opens(id string) {
	d.t.Helper()
	d.key("\r")
	d.is(`document.getElementById("talk-id")?.innerText === ` + quoted(id))
}

func (d *workingDay) answers(question string) {
	d.t.Helper()
	d.sees("#ask[open] h2", question)
	d.is(`document.activeElement.id === "ask-yes"`)
	d.key("\r")
}

func (d *workingDay) findsTheMostUrgent() {
	d.t.Helper()
	d.is(`document.querySelector('#chips [data-show=all]')?.innerText.includes("500")`)
	d.key("\t")
	d.is(`document.activeElement.matches(".skip")`)
	d.list()
	for _, at := range []string{"1", "2", "3"} {
		d.sees("#complaint-list .row[aria-posinset=\""+at+"\"]", d.w.late)
	}
	d.key(kb.End)
	d.is(`document.querySelector('#complaint-list .row[aria-posinset="' + document.querySelector("#complaint-list .row").getAttribute("aria-setsize") + '"]') !== null`)
	d.key(kb.Home)
	d.is(`document.querySelector("#complaint-list .row.active")?.getAttribute("aria-posinset") === "1"`)
	d.sees("#complaint-list .row.active", dayID(dayCount-1))
	d.axe("the list")
	d.shotOf("list")
	d.opens(dayID(dayCount - 1))
	d.inView("#talk-id")
	if !d.phone {
		d.inView("#thread .bubble")
		d.inView("#reply-form button.do")
	}
}

func (d *workingDay) repliesWithAPicture() {
	d.t.Helper()
	d.tabTo("#template-refunded")
	d.key("\r")
	d.is(`document.getElementById("reply-response_content").value.includes("原支付方式退回")`)
	d.tabTo("#pictures")
	file := filepath.Join(d.t.TempDir(), "退款凭证.png")
	if err := os.WriteFile(file, receipt(d.t), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.hands("#pictures", file) // what the system's own window for files would do
	d.is(`document.querySelector("#thumbnails img")?.naturalWidth > 0`)
	d.tabTo("#reply-form button.do")
	d.key("\r")
	d.sees("#ask[open] blockquote", "原支付方式退回")
	d.axe("the question")
	d.shotOf("question")
	d.answers(d.w.reply)
	d.sees("#reply-said p", d.w.succeeded)
	d.inView("#reply-said p")
	d.is(`document.querySelector("#thread .mine img")?.naturalWidth > 0`)
	d.axe("the conversation")
	d.shotOf("reply")
}

// hands gives files to an input.
func (b *browser) hands(selector, file string) {
	b.t.Helper()
	node := evaluate[string](b, `document.querySelector(`+quoted(selector)+`).id`)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#"+node), []string{file}))
}

func (d *workingDay) keepsTheDraftAndThePlace() {
	d.t.Helper()
	d.list()
	d.key(kb.Home)
	id := dayID(dayCount - 2)
	d.sees("#complaint-list .row.active", id)
	d.opens(id)
	d.tabTo("#reply-response_content")
	d.key("正在核实,请稍候")
	d.list()
	d.key(kb.ArrowDown)
	d.key("\r")
	d.is(`document.getElementById("reply-response_content").value === ""`)
	d.do(chromedp.Evaluate[chromedp.Void](`history.back()`))
	if d.phone {
		d.do(chromedp.Evaluate[chromedp.Void](`history.back()`))
	}
	d.is(`document.getElementById("talk-id")?.innerText === ` + quoted(id))
	d.is(`document.getElementById("reply-response_content").value === "正在核实,请稍候"`)
	d.do(chromedp.Reload())
	d.is(`document.getElementById("talk-id")?.innerText === ` + quoted(id) + ` && document.getElementById("reply-response_content").value === "正在核实,请稍候"`)
}

func (d *workingDay) seesWhatIsUnknown() {
	d.t.Helper()
	// The connection breaks before the gateway has done anything, which the function cannot know.
	d.r.world.ImagecoHost.Faults.Next(sandbox.Fault{CutBefore: true, Method: http.MethodPost})
	d.tabTo("#reply-form button.do")
	d.key("\r")
	d.answers(d.w.reply)
	d.sees("#attention h3", d.w.unknown)
	d.sees("#attention", d.w.unseen)
	d.is(`document.querySelector('#chips [data-show=unknown]').innerText.includes("1")`)
	d.axe("an unknown outcome")
	d.shotOf("unknown")
	evaluate[bool](d.browser, `(() => { document.getElementById("talk-title").focus(); return true; })()`)
	d.tabTo("#step-look")
	d.key("\r")
	d.sees("#attention-said", d.w.again)
	evaluate[bool](d.browser, `(() => { document.getElementById("talk-title").focus(); return true; })()`)
	d.tabTo("#step-resend")
	d.key("\r")
	d.answers(d.w.resend)
	d.is(`document.getElementById("attention").hidden`)
	d.sees("#thread .mine", "正在核实,请稍候")
	if n := d.replies(); n != 1 {
		d.t.Errorf("the consumer sees %d replies", n)
	}
}

func (d *workingDay) completes() {
	d.t.Helper()
	tab := func() {
		evaluate[bool](d.browser, `(() => { document.getElementById("talk-title").focus(); return true; })()`)
		d.tabTo("[role=tab][aria-selected=true]")
		if evaluate[bool](d.browser, `document.activeElement.id === "tab-reply"`) {
			d.key(kb.ArrowRight)
		}
		d.is(`document.activeElement.id === "tab-complete"`)
		d.tabTo("#complete-form button.do")
		d.key("\r")
	}
	tab()
	d.answers(d.w.complete)
	d.sees("#complete-said p", d.w.succeeded)
	d.inView("#complete-said p")
	d.sees("#thread .note", d.w.settled)
	d.list()
	d.key(kb.Home)
	d.opens(dayID(dayCount - 3)) // 1 is next to have its time, but for those that were replied to
	tab()
	d.sees("#ask[open] h2", d.w.unreplied)
	d.key("\u001b")
	d.is(`!document.getElementById("ask").open`)
	if c, _ := d.r.world.State.Complaint("acme", dayID(dayCount-3)); c.State != sandbox.Pending {
		d.t.Errorf("a question that was not answered made it %s", c.State)
	}
	tab()
	d.answers(d.w.unreplied)
	d.answers(d.w.complete)
	d.sees("#complete-said p", d.w.succeeded)
}

func (d *workingDay) searches() {
	d.t.Helper()
	d.list()
	evaluate[bool](d.browser, `(() => { document.getElementById("skip").focus(); return true; })()`)
	d.tabTo("#search")
	d.key("1042")
	d.is(`document.querySelectorAll("#complaint-list .row").length === 1`)
	d.sees("#complaint-list .row", dayID(42))
	d.key(kb.ArrowDown) // down into the list
	d.opens(dayID(42))
	d.is(`location.hash.includes("q=1042") && location.hash.includes("c=acme/` + dayID(42) + `")`)
}
