package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// newKeepingWorld is a world whose histories can be read and whose functions share a table.
func newKeepingWorld(t *testing.T) *world {
	w := newWorldOf(t, sandbox.Options{NewKey: newKey, Ledger: true})
	w.WechatPay.SetOddities(sandbox.Oddities{})
	w.merchant("acme", sandbox.MerchantOptions{})
	return w
}

// filed is the state that the table has of the reply under the key k.
func (w *world) filed(complaint string) string {
	item, _ := w.Ledger.Item("acme#reply#" + complaint + "#k")
	return item["state"].Text()
}

// shownItem is an item of a history that shows the reply of replyTo, with other members.
func shownItem(other members) members {
	item := members{"log_id": "300285320210322170000071077", "operator": "商户", "operate_type": "MERCHANT_RESPONSE",
		"operate_time": time.Now().Format(time.RFC3339), "operate_details": "已与用户沟通解决"}
	maps.Copy(item, other)
	return item
}

// What an item of the history has to be to show the reply, and that the reply is settled as unknown before it is looked for.
func TestWhatShowsAReply(t *testing.T) {
	t.Parallel()
	w := newKeepingWorld(t)
	s := w.signer()
	var items sync.Map // by complaint
	wechat := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		id := strings.Split(c.Target, "/")[4]
		if !strings.Contains(c.Target, "negotiation-historys") {
			s.answer(rw, 200, `{"complaint_id":"`+id+`","complaint_state":"PROCESSING"}`, nil)
			return
		}
		if state := w.filed(id); state != "unknown" {
			t.Errorf("it is looked for while it is %q", state)
		}
		item, _ := items.Load(id)
		s.answer(rw, 200, `{"total_count":1,"offset":0,"limit":100,"data":[`+item.(members).text()+`]}`, nil)
	})
	f := w.function("reply", 6, "WECHATPAY_URL="+wechat.URL, "WECHATPAY_BACKUP_URL="+wechat.URL, "READ_RATE_PER_MINUTE=0")
	block := func(kind string) map[string]any {
		return map[string]any{"type": kind, "text": map[string]string{"text": "已与用户沟通解决"}}
	}
	pictures := []any{"response_images", []string{"m-1", "m-2"}}
	link := []any{"jump_url", "https://example.com/refund", "jump_url_text", "查看退款"}
	for _, test := range []struct {
		name    string
		command []any
		item    members
		seen    bool
	}{
		{"the same words", nil, nil, true},
		{"the same words of whatever operator", nil, members{"operator": "微信支付客服"}, true},
		{"white space around them", nil, members{"operate_details": " 已与用户沟通解决\r\n"}, true},
		{"other words", nil, members{"operate_details": "已退款"}, false},
		{"the consumer's own words", nil, members{"operate_type": "USER_RESPONSE"}, false},
		{"words from before it was sent", nil, members{"operate_time": time.Now().Add(-time.Minute).Format(time.RFC3339)}, false},
		{"words in a text block", nil, members{"operate_details": "", "normal_message": map[string]any{"blocks": []any{block("TEXT")}}}, true},
		{"a block beside other details", nil, members{"operate_details": "x", "normal_message": map[string]any{"blocks": []any{block("TEXT")}}}, false},
		{"as many pictures", pictures, members{"image_list": []string{"a", "b"}}, true},
		{"as many pictures in a media list", pictures, members{"complaint_media_list": []any{map[string]any{"media_url": []string{"a", "b"}}}}, true},
		{"as many pictures in blocks", pictures, members{"normal_message": map[string]any{"blocks": []any{block("IMAGE"), block("IMAGE")}}}, true},
		{"fewer pictures", pictures, members{"image_list": []string{"a"}}, false},
		{"a picture too many", nil, members{"image_list": []string{"a"}}, false},
		{"a link behind the words", link, members{"operate_details": "已与用户沟通解决 查看退款"}, true},
		{"a link that is not shown", link, nil, true},
		{"another link behind the words", link, members{"operate_details": "已与用户沟通解决 查看订单"}, false},
		{"an item without an id", nil, members{"log_id": ""}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			id := w.complaint("acme")
			if test.item["operate_time"] == nil { // it is shown when it is sent, or later
				items.Store(id, shownItem(test.item).with("operate_time", time.Now().Add(time.Minute).Format(time.RFC3339)))
			} else {
				items.Store(id, shownItem(test.item))
			}
			got := f.afterItsAnswerIsLost(replyTo("acme", id).with(test.command...).with("idempotency_key", "k"))
			want, saw, code, state := "unknown", "unseen", "UPSTREAM_TIMEOUT", "unknown"
			if test.seen {
				want, saw, code, state = "succeeded", "seen", "SEEN_IN_HISTORY", "succeeded"
			}
			if got.Outcome != want || got.saw() != saw || got.Code != code || got.Verified != test.seen || got.Attempts != 1 || w.filed(id) != state {
				t.Errorf("%+v, evidence %+v, filed as %s", got, got.Evidence, w.filed(id))
			}
			if test.seen && got.Evidence.LogID == "" || !test.seen && got.Evidence.ComplaintState != "PROCESSING" {
				t.Errorf("evidence %+v", got.Evidence)
			}
		})
	}
}

// A consumer's entry of another form than its page says stands beside the reply, and decides nothing. In a merchant's own
// nobody can say what it shows, so the look fails.
func TestAnItemThatCannotBeReadHidesNoReply(t *testing.T) {
	t.Parallel()
	w := newKeepingWorld(t)
	s := w.signer()
	var kind string
	wechat := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) {
		s.answer(rw, 200, `{"total_count":2,"data":[{"complaint_media_list":"","log_id":7,"operate_details":{"a":1},"image_list":"x","operate_type":"`+kind+`"},`+
			shownItem(members{"operate_time": time.Now().Format(time.RFC3339)}).text()+`]}`, nil)
	})
	f := w.reply("WECHATPAY_URL="+wechat.URL, "WECHATPAY_BACKUP_URL="+wechat.URL)
	for _, test := range []struct{ kind, saw string }{
		{"USER_CONTINUE_COMPLAINT", "seen"}, {"A_TYPE_OF_TOMORROW", "seen"}, {"MERCHANT_RESPONSE", "UPSTREAM_GARBLED"}, {"", "UPSTREAM_GARBLED"},
	} {
		kind = test.kind
		if got := f.afterItsAnswerIsLost(replyTo("acme", w.complaint("acme"))); got.saw() != test.saw {
			t.Errorf("%s: %+v, evidence %+v", kind, got, got.Evidence)
		}
	}
}

// afterItsAnswerIsLost sends a reply through 翼码 whose answer is lost.
func (f *function) afterItsAnswerIsLost(command members) result {
	f.w.t.Helper()
	f.w.ImagecoHost.Faults.Next(lost)
	return f.bare(command)
}

// The deadline stands above every look: an attempt that took the time leaves none.
func TestNothingIsLookedForInTheLastSecond(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{})
	f := w.reply("ATTEMPT_TIMEOUT=60s")
	id := w.complaint("acme")
	w.ImagecoHost.Faults.Next(sandbox.Fault{Hold: make(chan struct{})})
	got := f.result(f.invokeFor(replyTo("acme", id).text(), 4*time.Second))
	if got.Outcome != "unknown" || got.Code != "UPSTREAM_TIMEOUT" || got.saw() != "none" || w.looks(id) != 0 {
		t.Errorf("%+v after %d looks", got, w.looks(id))
	}
}

// Two looks and the reading of the state take three tokens, which is all that there are.
func TestALookTakesFromTheReadsPace(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{HistoryLag: time.Hour})
	f := w.reply("READ_RATE_PER_MINUTE=1")
	if got := f.afterItsAnswerIsLost(replyTo("acme", w.complaint("acme"))); got.saw() != "unseen" {
		t.Errorf("%+v, evidence %+v", got, got.Evidence)
	}
	id := w.complaint("acme")
	if got := f.afterItsAnswerIsLost(replyTo("acme", id)); got.Outcome != "unknown" || got.saw() != "RATE_LIMITED" || w.looks(id) != 0 {
		t.Errorf("%+v after %d looks, evidence %+v", got, w.looks(id), got.Evidence)
	}
}

// The process that sent it died, so nobody heard the answer. Whoever finds the claim when it is over looks.
func TestAReplyWhoseProcessDiedIsLookedFor(t *testing.T) {
	t.Parallel()
	w := newKeepingWorld(t)
	first, second := w.reply(), w.reply()
	id := w.complaint("acme")
	command := replyTo("acme", id).with("idempotency_key", "k")
	w.ImagecoHost.Faults.Next(sandbox.Fault{Hold: make(chan struct{})})
	within(t, "the process to start", first.Start)
	died := first.invoking(command.text(), 5*time.Second)
	arrived(t, w.ImagecoHost, 1)
	first.Kill()
	take(t, died)
	var got result
	within(t, "the lease to end", untilTrue(func() bool {
		got = second.bare(command)
		return got.Code != "IN_PROGRESS"
	}))
	if got.Outcome != "succeeded" || got.Code != "SEEN_IN_HISTORY" || got.saw() != "seen" || got.Attempts != 0 || got.Replayed || w.filed(id) != "succeeded" {
		t.Errorf("%+v, evidence %+v, filed as %s", got, got.Evidence, w.filed(id))
	}
	if n := w.ImagecoHost.Calls.Len(); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
}

func TestALookThatHangsTellsNothing(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{})
	hangs := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) { untilHangUp(rw) })
	f := w.reply("WECHATPAY_URL="+hangs.URL, "WECHATPAY_BACKUP_URL="+hangs.URL)
	if got := f.afterItsAnswerIsLost(replyTo("acme", w.complaint("acme"))); got.Outcome != "unknown" || got.saw() != "UPSTREAM_TIMEOUT" {
		t.Errorf("%+v, evidence %+v", got, got.Evidence)
	}
}

func TestAnUnknownReplyOfAQueueIsVisibleAgainAfterHalfAMinute(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{HistoryLag: time.Hour})
	f := w.reply(withBus)
	w.ImagecoHost.Faults.Next(lost)
	if got := f.failures(batch(requested(replyRequested, "e-1", replyTo("acme", w.complaint("acme"))))); len(got) != 1 {
		t.Errorf("%v come again", got)
	}
	if changes := w.Queues.Changes(); len(changes) != 1 || changes[0].VisibilityTimeout != 30 {
		t.Errorf("%+v", changes)
	}
}

func TestLooksAreCounted(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{})
	f := w.reply()
	w.Primary.Faults.Next(sandbox.Fault{Method: http.MethodGet, Unsigned: true})
	f.afterItsAnswerIsLost(replyTo("acme", w.complaint("acme")))
	sums := map[string]float64{}
	for _, l := range f.metrics(t) {
		for _, name := range []string{"Sighted", "LookFailed"} {
			if value, ok := l[name].(float64); ok {
				sums[name] += value
			}
		}
	}
	if fmt.Sprint(sums) != "map[LookFailed:1 Sighted:1]" {
		t.Error(sums)
	}
}

// The table takes everything but what the test says.
func TestWhatTheTableDoesNotTake(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{})
	m := w.merchant("blind", sandbox.MerchantOptions{})
	m.WechatPay = nil // nobody can look for its replies
	w.store(m)
	for _, test := range []struct {
		name     string
		merchant string
		refuses  string // a part of the write
		code     string
		sent     int
		again    int // after so many seconds it comes again by a queue; 0: it does not
	}{
		{"a note of the words, which a look for another reply needs", "acme", `#said#`, "LEDGER_UNAVAILABLE", 0, 1},
		{"a note of the words, where nobody looks", "blind", `#said#`, "0000", 1, 0},
		{"the settling of an unknown reply, which is not looked for without", "acme", `"unknown"`, "UPSTREAM_TIMEOUT", 1, 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
				rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
				if strings.Contains(string(c.Body), test.refuses) {
					rw.WriteHeader(http.StatusInternalServerError)
				}
				_, _ = rw.Write([]byte("{}"))
			})
			f := w.reply("LEDGER_TABLE=kesu-ledger", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL, withBus)
			if test.again == 30 {
				w.ImagecoHost.Faults.Next(lost, lost)
			}
			id, queued := w.complaint(test.merchant), w.complaint(test.merchant)
			if got := f.bare(replyTo(test.merchant, id)); got.Code != test.code || got.Attempts != test.sent || w.looks(id) != 0 {
				t.Errorf("%+v after %d looks", got, w.looks(id))
			}
			before := len(w.Queues.Changes())
			again := f.failures(batch(requested(replyRequested, "e-1", replyTo(test.merchant, queued))))
			changes := w.Queues.Changes()[before:]
			if test.again == 0 && len(again) != 0 || test.again > 0 && (len(again) != 1 || len(changes) != 1 || changes[0].VisibilityTimeout != test.again) {
				t.Errorf("%v come again, %+v", again, changes)
			}
			if n := len(callsFor(w.ImagecoHost, id)) + len(callsFor(w.ImagecoHost, queued)); n != 2*test.sent {
				t.Errorf("%d calls were made", n)
			}
		})
	}
}

// A refusal of a repetition says nothing about the first sending, so a look has to.
func TestAnImmediateReplyThatIsRefusedWhenRepeatedIsLookedFor(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{HistoryLag: time.Hour})
	w.throughWechatPay("direct", false)
	f := w.reply("MAX_ATTEMPTS=1", withBus)
	for _, test := range []struct {
		name  string
		first sandbox.Fault
		want  string
		again bool // a queue's record comes again
	}{
		{"it was carried out", sandbox.Fault{Method: http.MethodPost, CutAfter: true}, "succeeded", false},
		{"it was not", sandbox.Fault{Method: http.MethodPost, CutBefore: true}, "unknown", true},
	} {
		for _, queued := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by a queue: %t", test.name, queued), func(t *testing.T) {
				w.WechatPay.SetOddities(sandbox.Oddities{HistoryLag: time.Hour})
				id := w.complaint("direct")
				w.State.AskImmediate("direct", id)
				command := replyTo("direct", id).with("immediate_service", true)
				w.Primary.Faults.Next(test.first)
				if got := f.bare(command); got.Outcome != "unknown" {
					t.Fatalf("the first time: %+v", got)
				}
				w.WechatPay.SetOddities(sandbox.Oddities{})
				w.Primary.Faults.Next(sandbox.Fault{Method: http.MethodPost, Status: 400, Code: "INVALID_REQUEST", Message: "该投诉单不需要即时服务"})
				event := requested(replyRequested, "e-"+id, command)
				if queued {
					if again := f.failures(batch(event)); (len(again) == 1) != test.again {
						t.Errorf("%v come again", again)
					}
				} else if got := f.result(f.invoke(event)); got.Outcome != test.want || test.want == "succeeded" && got.Code != "SEEN_IN_HISTORY" {
					t.Errorf("%+v, evidence %+v", got, got.Evidence)
				}
				if n := len(posts(callsFor(w.Primary, id))); n != 2 {
					t.Errorf("it was sent %d times", n)
				}
			})
		}
	}
}
