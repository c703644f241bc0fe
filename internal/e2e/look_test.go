package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// lost is a reply that the consumer is shown and whose answer never arrives.
var lost = sandbox.Fault{CutAfter: true}

// notShown is a reply that is not shown, of which nobody hears that.
var notShown = sandbox.Fault{CutBefore: true}

// newLookingWorld is a world whose histories can be read.
func newLookingWorld(t *testing.T, odd sandbox.Oddities) *world {
	w := newWorld(t)
	w.WechatPay.SetOddities(odd)
	w.merchant("acme", sandbox.MerchantOptions{})
	return w
}

// saw reports whether a look showed the reply: "seen", "unseen", the code of its failure, or "none".
func (r result) saw() string {
	switch e := r.Evidence; {
	case e == nil:
		return "none"
	case e.Error != "":
		return e.Error
	case e.Seen == nil:
		return "nothing known"
	case *e.Seen:
		return "seen"
	}
	return "unseen"
}

// looks are the pages of the complaint's history that were asked for.
func (w *world) looks(complaint string) int {
	n := 0
	for _, h := range []*sandbox.Host{w.Primary, w.Backup} {
		for _, c := range callsFor(h, complaint) {
			if strings.Contains(c.Target, "negotiation-historys") {
				n++
			}
		}
	}
	return n
}

// An attempt whose answer is lost is looked for in the same invocation, and once more two seconds later.
func TestAReplyWhoseAnswerIsLostIsLookedFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		odd     sandbox.Oddities
		reply   sandbox.Fault
		look    []sandbox.Fault
		outcome string
		saw     string
		looks   int
	}{
		{"it is seen at once", sandbox.Oddities{}, lost, nil, "succeeded", "seen", 1},
		{"times in milliseconds, media of the other shape, newest first, unknown members",
			sandbox.Oddities{Millis: true, OtherMedia: true, NewestFirst: true, Unknown: true}, lost, nil, "succeeded", "seen", 1},
		{"the history is late by two seconds", sandbox.Oddities{HistoryLag: 2 * time.Second}, lost, nil, "succeeded", "seen", 2},
		{"the history is late by a minute", sandbox.Oddities{HistoryLag: time.Minute}, lost, nil, "unknown", "unseen", 2},
		{"it was not shown", sandbox.Oddities{}, notShown, nil, "unknown", "unseen", 2},
		{"the first look cannot be verified", sandbox.Oddities{}, lost, []sandbox.Fault{{WrongSignature: true}}, "succeeded", "seen", 2},
		{"no look can be verified", sandbox.Oddities{}, lost, []sandbox.Fault{{WrongSignature: true}, {Unsigned: true}}, "unknown", "UPSTREAM_UNVERIFIED", 2},
		{"a test signature", sandbox.Oddities{}, lost, []sandbox.Fault{{SignTest: true}, {SignTest: true}}, "unknown", "UPSTREAM_UNVERIFIED", 2},
		{"looks are limited", sandbox.Oddities{}, lost, []sandbox.Fault{{Status: 429, Code: "FREQUENCY_LIMITED"}, {Status: 429, Code: "FREQUENCY_LIMITED"}}, "unknown", "RATE_LIMITED", 2},
		{"looks meet errors", sandbox.Oddities{}, lost, []sandbox.Fault{{Status: 500, Code: "SYSTEM_ERROR"}, {Status: 502}}, "unknown", "UPSTREAM_GARBLED", 2},
		{"looks tell nothing that can be read", sandbox.Oddities{}, lost, []sandbox.Fault{{Body: []byte(`[]`)}, {Body: []byte(`[]`)}}, "unknown", "UPSTREAM_GARBLED", 2},
		{"looking is refused", sandbox.Oddities{HistoryRefused: true}, lost, nil, "unknown", "NO_AUTH", 1},
		{"the first host hangs up", sandbox.Oddities{}, lost, []sandbox.Fault{{CutBefore: true}}, "succeeded", "seen", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newLookingWorld(t, test.odd)
			f := w.reply()
			id := w.complaint("acme")
			w.ImagecoHost.Faults.Next(test.reply)
			for _, fault := range test.look {
				fault.Method = "GET"
				w.Primary.Faults.Next(fault)
			}
			got := f.bare(replyTo("acme", id))
			if got.Outcome != test.outcome || got.saw() != test.saw || got.Attempts != 1 || got.Replayed {
				t.Errorf("%s, %s: %+v, evidence %+v", got.Outcome, got.saw(), got, got.Evidence)
			}
			if n := w.looks(id); n != test.looks {
				t.Errorf("%d looks, want %d", n, test.looks)
			}
			if n := len(callsFor(w.ImagecoHost, id)); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
			switch test.saw {
			case "seen":
				if got.Code != "SEEN_IN_HISTORY" || !got.Verified || got.Evidence.LogID == "" || got.Evidence.OperateTime == "" || got.Evidence.LookedAt == "" {
					t.Errorf("%+v, evidence %+v", got, got.Evidence)
				}
				if again := f.bare(replyTo("acme", id)); again.Outcome != "succeeded" || !again.Replayed || again.Code != "SEEN_IN_HISTORY" || again.saw() != "seen" {
					t.Errorf("the next one is told %+v", again)
				}
			case "unseen":
				if got.Evidence.ComplaintState == "" {
					t.Errorf("no state: %+v", got.Evidence)
				}
			}
		})
	}
}

func TestTheNextOneLooksForAReplyThatIsUnknown(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{HistoryLag: time.Hour})
	f := w.reply()
	id := w.complaint("acme")
	w.ImagecoHost.Faults.Next(lost)
	if got := f.bare(replyTo("acme", id)); got.Outcome != "unknown" || got.saw() != "unseen" {
		t.Fatalf("%+v", got)
	}
	w.WechatPay.SetOddities(sandbox.Oddities{})
	before := w.looks(id)
	if got := f.bare(replyTo("acme", id)); got.Code != "OUTCOME_UNKNOWN" || got.saw() != "unseen" || w.looks(id) != before {
		t.Errorf("right after a look: %+v, %d more looks", got, w.looks(id)-before)
	}
	var got result
	within(t, "the look to be old", untilTrue(func() bool {
		got = f.bare(replyTo("acme", id))
		return got.Outcome == "succeeded"
	}))
	if got.Code != "SEEN_IN_HISTORY" || got.saw() != "seen" || got.Attempts != 0 || got.Replayed || w.looks(id) != before+1 {
		t.Errorf("%+v after %d more looks", got, w.looks(id)-before)
	}
	if n := len(callsFor(w.ImagecoHost, id)); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
}

func TestAResendLooksFirst(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		odd   sandbox.Oddities // from the resend on
		first sandbox.Fault
		look  sandbox.Fault
		code  string
		sent  int
	}{
		{"what is seen is not sent again", sandbox.Oddities{}, lost, sandbox.Fault{}, "SEEN_IN_HISTORY", 1},
		{"what is not seen is sent", sandbox.Oddities{}, notShown, sandbox.Fault{}, "0000", 2},
		{"a limited look sends nothing", sandbox.Oddities{}, notShown, sandbox.Fault{Status: 429, Code: "FREQUENCY_LIMITED"}, "OUTCOME_UNKNOWN", 1},
		{"a look that meets an error sends nothing", sandbox.Oddities{}, notShown, sandbox.Fault{Status: 500, Code: "SYSTEM_ERROR"}, "OUTCOME_UNKNOWN", 1},
		{"an unverified look sends nothing", sandbox.Oddities{}, notShown, sandbox.Fault{WrongSignature: true}, "OUTCOME_UNKNOWN", 1},
		{"a look that is refused does not hold it back", sandbox.Oddities{HistoryRefused: true}, notShown, sandbox.Fault{}, "0000", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newLookingWorld(t, sandbox.Oddities{HistoryLag: time.Hour})
			f := w.reply()
			id := w.complaint("acme")
			w.ImagecoHost.Faults.Next(test.first)
			if got := f.bare(replyTo("acme", id)); got.Outcome != "unknown" {
				t.Fatalf("%+v", got)
			}
			w.WechatPay.SetOddities(test.odd)
			if test.look.Status != 0 || test.look.WrongSignature {
				test.look.Method = "GET"
				w.Primary.Faults.Next(test.look)
			}
			got := f.bare(replyTo("acme", id).with("resend_unknown", true))
			if got.Code != test.code {
				t.Errorf("%+v, evidence %+v", got, got.Evidence)
			}
			if n := len(callsFor(w.ImagecoHost, id)); n != test.sent {
				t.Errorf("it was sent %d times", n)
			}
			if n := w.replies("acme", id); n != 1 && test.sent == 2 || n > 1 {
				t.Errorf("it was shown %d times", n)
			}
		})
	}
}

// Two replies with the same words to one complaint: what shows the one does not show the other.
func TestAnItemProvesOneReply(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{})
	f := w.reply()
	id := w.complaint("acme")
	one, two := replyTo("acme", id).with("idempotency_key", "one"), replyTo("acme", id).with("idempotency_key", "two")
	w.ImagecoHost.Faults.Next(lost, notShown)
	if got := f.bare(one); got.saw() != "seen" {
		t.Fatalf("%+v", got)
	}
	if got := f.bare(two); got.Outcome != "unknown" || got.saw() != "unseen" {
		t.Errorf("the other one: %+v, evidence %+v", got, got.Evidence)
	}

	id = w.complaint("acme")
	one, two = one.with("complaint_id", id), two.with("complaint_id", id)
	w.ImagecoHost.Faults.Next(sandbox.Fault{}, notShown)
	if got := f.bare(one); got.Outcome != "succeeded" || got.Code != "0000" {
		t.Fatalf("%+v", got)
	}
	if got := f.bare(two); got.Outcome != "unknown" || got.saw() != "unseen" {
		t.Errorf("beside one that succeeded: %+v, evidence %+v", got, got.Evidence)
	}
}

// A merchant that has no usable half of WeChat Pay is served as before, and at once.
func TestAMerchantThatCannotBeReadIsNotLookedFor(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{})
	for _, half := range []any{nil, map[string]string{"mchid": "1900000001"}} {
		name := uniqueName()
		secret := members{}
		if err := json.Unmarshal([]byte(w.merchant(name, sandbox.MerchantOptions{}).Secret()), &secret); err != nil {
			t.Fatal(err)
		}
		w.put(name, secret.with("wechatpay", half).text())
		f := w.reply()
		id := w.complaint(name)
		w.ImagecoHost.Faults.Next(lost)
		if got := f.bare(replyTo(name, id)); got.Outcome != "unknown" || got.Code != "UPSTREAM_TIMEOUT" || got.saw() != "none" {
			t.Errorf("%v: %+v", half, got)
		}
		if got := f.bare(replyTo(name, id)); got.Code != "OUTCOME_UNKNOWN" || got.saw() != "none" {
			t.Errorf("%v: the next one is told %+v", half, got)
		}
		if n := w.looks(id); n != 0 {
			t.Errorf("%v: %d looks", half, n)
		}
		if got := f.bare(replyTo(name, id).with("resend_unknown", true)); got.Outcome != "succeeded" {
			t.Errorf("%v: a resend: %+v", half, got)
		}
	}
}

func TestARecordOfAQueueComesAgainUntilItsReplyIsSeen(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{HistoryLag: time.Hour})
	f := w.reply("UNKNOWN_WINDOW=20s", "RESULT_BUS="+sandbox.BusName)
	id := w.complaint("acme")
	record := func() string {
		return fmt.Sprintf(`{"Records":[{"eventSource":"aws:sqs","messageId":"m1","receiptHandle":"r1","eventSourceARN":"arn:aws:sqs:cn-north-1:111122223333:replies","body":%q}]}`,
			replyTo("acme", id).with("idempotency_key", "k").text())
	}
	comesAgain := func() bool { return strings.Contains(string(f.invoke(record()).Payload), `"m1"`) }
	w.ImagecoHost.Faults.Next(lost)
	if !comesAgain() {
		t.Fatal("an unknown reply was settled at once")
	}
	if n := len(w.Bus.Events()); n != 0 {
		t.Errorf("%d events were published", n)
	}
	w.WechatPay.SetOddities(sandbox.Oddities{})
	within(t, "the reply to be seen", untilTrue(func() bool { return !comesAgain() }))
	if n := len(w.Bus.Events()); n != 1 || len(callsFor(w.ImagecoHost, id)) != 1 {
		t.Errorf("%d events, %d sendings", n, len(callsFor(w.ImagecoHost, id)))
	}

	// One that is not seen is a person's once the window is over; so is one that WeChat Pay does not show.
	id = w.complaint("acme")
	w.ImagecoHost.Faults.Next(notShown)
	if !comesAgain() {
		t.Fatal("an unknown reply was settled at once")
	}
	within(t, "the window to end", untilTrue(func() bool { return !comesAgain() }))
	id = w.complaint("acme")
	w.WechatPay.SetOddities(sandbox.Oddities{HistoryRefused: true})
	w.ImagecoHost.Faults.Next(notShown)
	if comesAgain() {
		t.Error("WeChat Pay refuses to show it, and it comes again")
	}
	if n := len(w.Bus.Events()); n != 3 {
		t.Errorf("%d events", n)
	}

	// What came another way is settled in its invocation.
	id = w.complaint("acme")
	w.WechatPay.SetOddities(sandbox.Oddities{})
	w.ImagecoHost.Faults.Next(notShown)
	event := `{"id":"e1","source":"test","detail-type":"ComplaintReplyRequested","detail":` + replyTo("acme", id).text() + `}`
	if got := f.invoke(event); got.ErrorType != "" || !strings.Contains(string(got.Payload), `"outcome":"unknown"`) {
		t.Errorf("%s %s", got.ErrorType, got.Payload)
	}
}

// The carrier does not matter to a look; what matters is whether the answer was heard.
func TestAReplyThroughWeChatPayIsLookedFor(t *testing.T) {
	t.Parallel()
	const later = "提交商户回复失败，请稍后重试"
	for _, test := range []struct {
		name    string
		fault   sandbox.Fault
		command []any
		outcome string
		code    string
		saw     string
	}{
		{"its answer is lost", lost, nil, "succeeded", "SEEN_IN_HISTORY", "seen"},
		{"it is not shown", notShown, nil, "unknown", "UPSTREAM_TIMEOUT", "unseen"},
		{"its answer cannot be verified", sandbox.Fault{WrongSignature: true}, nil, "succeeded", "SEEN_IN_HISTORY", "seen"},
		{"WeChat Pay asks to try later and has carried it out", sandbox.Fault{Status: 400, Code: "INVALID_REQUEST", Message: later, ActFirst: true}, nil,
			"succeeded", "SEEN_IN_HISTORY", "seen"},
		{"WeChat Pay asks to try later", sandbox.Fault{Status: 400, Code: "INVALID_REQUEST", Message: later}, nil, "retryable", "UPSTREAM_BUSY", "unseen"},
		{"with a jump", lost, []any{"jump_url", "https://example.com/refund", "jump_url_text", "查看退款"}, "succeeded", "SEEN_IN_HISTORY", "seen"},
		{"with a mini program", lost, []any{"mini_program_jump_info", members{"appid": "wx1", "path": "pages/refund", "text": "查看退款"}}, "succeeded", "SEEN_IN_HISTORY", "seen"},
		{"in two lines", lost, []any{"response_content", "已退款\r\n请查收"}, "succeeded", "SEEN_IN_HISTORY", "seen"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newLookingWorld(t, sandbox.Oddities{})
			m := w.merchant("direct", sandbox.MerchantOptions{})
			m.ReplyThrough = "wechatpay"
			w.store(m)
			f := w.reply()
			id := w.complaint("direct")
			test.fault.Method = "POST"
			w.Primary.Faults.Next(test.fault)
			got := f.bare(replyTo("direct", id).with(test.command...))
			if got.Outcome != test.outcome || got.Code != test.code || got.saw() != test.saw || got.Provider != "wechatpay" {
				t.Errorf("%+v, evidence %v", got, got.Evidence)
			}
			if n := w.replies("direct", id); n > 1 {
				t.Errorf("it was shown %d times", n)
			}
		})
	}
}

// A look is signed with WeChat Pay's half, which may have been changed since the secret was read, whichever gateway carried
// the reply.
func TestALookWhoseKeyIsRefusedIsMadeWithTheNewerOne(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{})
	for _, through := range []string{"imageco", "wechatpay"} {
		m := w.merchant(through, sandbox.MerchantOptions{})
		m.ReplyThrough = through
		w.store(m)
		f := w.reply("PREFETCH_MERCHANTS=" + through)
		within(t, "the process to start", f.Start)
		w.store(m) // another version
		before, id := w.Secrets.Calls.Len(), w.complaint(through)
		w.ImagecoHost.Faults.Next(lost)
		w.Primary.Faults.Next(sandbox.Fault{Method: "POST", CutAfter: true}, sandbox.Fault{Method: "GET", Status: 401, Code: "SIGN_ERROR"})
		got := f.bare(replyTo(through, id))
		if reads := w.Secrets.Calls.Len() - before; got.saw() != "seen" || got.Provider != through || reads != 1 || w.looks(id) != 2 {
			t.Errorf("%+v, evidence %v, after %d looks and %d readings of the secret", got, got.Evidence, w.looks(id), reads)
		}
		w.ImagecoHost.Faults.Clear()
		w.Primary.Faults.Clear()
	}
}

// The order of a history is not documented, so the reply may stand on its last page.
func TestALookReadsAllPages(t *testing.T) {
	t.Parallel()
	w := newLookingWorld(t, sandbox.Oddities{})
	f := w.reply()
	id := w.complaint("acme")
	for i := range 250 {
		w.State.Say("acme", id, fmt.Sprint("还没有收到退款 ", i))
	}
	w.ImagecoHost.Faults.Next(lost)
	if got := f.bare(replyTo("acme", id)); got.saw() != "seen" || w.looks(id) != 3 {
		t.Errorf("%+v after %d pages, evidence %v", got, w.looks(id), got.Evidence)
	}
}
