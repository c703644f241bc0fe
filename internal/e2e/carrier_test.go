package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// throughWechatPay is a merchant whose replies go through WeChat Pay, and who has no half of 翼码 unless both is set.
func (w *world) throughWechatPay(name string, both bool) *sandbox.Merchant {
	w.t.Helper()
	m := w.merchant(name, sandbox.MerchantOptions{})
	m.ReplyThrough = "wechatpay"
	if !both {
		m.Imageco = nil
	}
	w.store(m)
	return m
}

// posts are the calls that change something; whether a complaint is read meanwhile is another test's matter.
func posts(calls []sandbox.Call) []sandbox.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c sandbox.Call) bool { return c.Method != http.MethodPost })
}

func TestAReplyThroughWechatPayIsTheDocumentedRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.throughWechatPay("acme", false)
	s := w.signer()
	gateway := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) { s.answer(rw, 204, "", nil) })
	f := w.reply("IMAGECO_URL=", "WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL)
	mchid := m.WechatPay.Mchid
	program := members{"appid": "wx0123456789abcdef", "path": "pages/order?id=1&x=<2>", "text": "查看订单"}
	for _, test := range []struct {
		name string
		more []any
		path string
		body string
	}{
		{"the least", nil, "/response", `{"complainted_mchid":"` + mchid + `","response_content":"已与用户沟通解决"}`},
		{"everything with a link", []any{"response_content", "您好,\r\n<已&解决>", "response_images", []string{"m-1", "m_2"}, "jump_url", "https://a.example/?a=1&b=2", "jump_url_text", "查看<订单>",
			"seller_account", "1900009999"}, "/response",
			`{"complainted_mchid":"1900009999","response_content":"您好,\n<已&解决>","response_images":["m-1","m_2"],"jump_url":"https://a.example/?a=1&b=2","jump_url_text":"查看<订单>"}`},
		{"a mini program", []any{"mini_program_jump_info", program}, "/response",
			`{"complainted_mchid":"` + mchid + `","response_content":"已与用户沟通解决","mini_program_jump_info":{"appid":"wx0123456789abcdef","path":"pages/order?id=1&x=<2>","text":"查看订单"}}`},
		{"immediate service", []any{"immediate_service", true, "response_images", []string{"m-1"}, "transaction_id", "resp2024061700001", "jump_url", "https://a.example/", "jump_url_text", "看"},
			"/response-immediate-service",
			`{"complainted_mchid":"` + mchid + `","idempotent_id":"resp2024061700001","message":{"blocks":[{"type":"TEXT","text":{"text":"已与用户沟通解决"}},` +
				`{"type":"IMAGE","image":{"media_id":"m-1","image_style_type":"IMAGE_STYLE_TYPE_NARROW"}},` +
				`{"type":"LINK","link":{"text":"看","action":{"action_type":"ACTION_TYPE_JUMP_URL","jump_url":"https://a.example/"}}}],"sender_identity":"MANUAL"}}`},
		{"immediate service with a mini program", []any{"immediate_service", true, "transaction_id", "resp2024061700002", "mini_program_jump_info", program},
			"/response-immediate-service",
			`{"complainted_mchid":"` + mchid + `","idempotent_id":"resp2024061700002","message":{"blocks":[{"type":"TEXT","text":{"text":"已与用户沟通解决"}},` +
				`{"type":"LINK","link":{"text":"查看订单","action":{"action_type":"ACTION_TYPE_JUMP_MINI_PROGRAM",` +
				`"mini_program_jump_info":{"appid":"wx0123456789abcdef","path":"pages/order?id=1&x=<2>","text":"查看订单"}}}}],"sender_identity":"MANUAL"}}`},
		{"immediate service that is not asked for", []any{"immediate_service", false}, "/response", `{"complainted_mchid":"` + mchid + `","response_content":"已与用户沟通解决"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := w.complaint("acme")
			before := len(gateway.received())
			got := f.bare(replyTo("acme", id).with(test.more...))
			calls := gateway.received()[before:]
			if got.Outcome != "succeeded" || got.Code != "OK" || got.Provider != "wechatpay" || !got.Verified || got.TransactionID == "" || len(calls) != 1 {
				t.Fatalf("got %+v after %d calls", got, len(calls))
			}
			checkWechatPayRequest(t, calls[0], m)
			if c := calls[0]; c.Method != "POST" || c.Target != "/v3/merchant-service/complaints-v2/"+id+test.path || string(c.Body) != test.body {
				t.Errorf("sent   %s %s\n%s\nwanted %s\n%s", c.Method, c.Target, c.Body, test.path, test.body)
			}
		})
	}
	for _, l := range f.logged(t, func(l line) bool { return l["msg"] == "settled" }) {
		if l["provider"] != "wechatpay" {
			t.Errorf("the log says %v", l)
		}
	}
	if !strings.Contains(f.out.String(), `"provider":"wechatpay"`) {
		t.Error("no metric names the carrier")
	}
}

const (
	tryLater = `{"code":"INVALID_REQUEST","message":"提交商户回复失败，请稍后重试"}`
	notAsked = `{"code":"INVALID_REQUEST","message":"该投诉单不需要即时服务"}`
)

var replyRefusals = []answered{
	{"400 that asks to try later, signed", signed(400, tryLater, nil), "retryable", "UPSTREAM_BUSY", true, 400, 503, 1},
	{"400 that asks to try later, unsigned", unsigned(400, tryLater), "retryable", "UPSTREAM_BUSY", false, 400, 503, 1},
	{"403 that asks to try later", unsigned(403, strings.Replace(tryLater, "INVALID_REQUEST", "NO_AUTH", 1)), "rejected", "NO_AUTH", false, 403, 502, 1},
	{"400 that asks for nothing", signed(400, notAsked, nil), "rejected", "INVALID_REQUEST", true, 400, 422, 1},
	{"425", unsigned(425, ""), "retryable", "UPSTREAM_UNREACHABLE", false, 425, 503, 2},
	{"408", unsigned(408, `{"code":"TIMEOUT","message":"x"}`), "unknown", "TIMEOUT", false, 408, 504, 1},
}

// Every row of section 5.1. What may have been done is sent once through /response, and again for immediate service.
func TestEveryAnswerToAReplyThroughWechatPayHasItsMeaning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throughWechatPay("acme", false)
	s := w.signer()
	gateway := w.newStub(silent)
	f := w.reply("WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL, "MAX_ATTEMPTS=2", "ATTEMPT_TIMEOUT=4s")
	for _, immediate := range []bool{false, true} {
		for _, test := range slices.Concat(completionAnswers, replyRefusals) {
			calls := test.calls
			if test.outcome == "unknown" {
				calls = 1
				if immediate && test.name != "202, verified" && test.name != "a key that nobody knows" { // no repetition would change these
					calls = 2
				}
			}
			t.Run(test.name+map[bool]string{true: ", for immediate service"}[immediate], func(t *testing.T) {
				gateway.says(func(rw http.ResponseWriter, c sandbox.Call) {
					if c.Method != http.MethodPost {
						rw.WriteHeader(http.StatusForbidden)
						return
					}
					test.answer(rw, s)
				})
				before := len(posts(gateway.received()))
				id := w.complaint("acme")
				body := replyTo("acme", id).with("merchant", nil, "complaint_id", nil, "immediate_service", immediate).text()
				got := f.response(f.invoke(request{merchant: "acme", complaint: id, body: body}.functionURL("reply")))
				if got.Outcome != test.outcome || got.Code != test.code || got.Verified != test.verified || got.HTTPStatus != test.status || got.status != test.http {
					t.Errorf("got %d %s", got.status, got.body)
				}
				if wait := got.header["retry-after"]; got.Code == "UPSTREAM_BUSY" && wait != "60" {
					t.Errorf("Retry-After %q", wait)
				}
				sent := posts(gateway.received())[before:]
				if len(sent) != calls || got.Attempts != calls || got.Provider != "wechatpay" {
					t.Errorf("%d calls were made and %d are told of, %s", len(sent), got.Attempts, got.Provider)
				}
				for _, c := range sent {
					if string(c.Body) != string(sent[0].Body) {
						t.Errorf("the repetition says %s", c.Body)
					}
				}
			})
		}
	}
}

func TestWhatACarrierDoesNotTakeIsToldOnceTheSecretIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("imageco", sandbox.MerchantOptions{})
	w.throughWechatPay("wechatpay", false)
	f := w.reply()
	program := members{"appid": "wx1", "path": "p", "text": "t"}
	for _, test := range []struct {
		name     string
		merchant string
		more     []any
		want     string // the pointers; "" is sent
	}{
		{"201 characters through WeChat Pay", "wechatpay", []any{"response_content", strings.Repeat("字", 201)}, ""},
		{"500 characters through WeChat Pay", "wechatpay", []any{"response_content", strings.Repeat("字", 500)}, ""},
		{"501 characters through WeChat Pay", "wechatpay", []any{"response_content", strings.Repeat("字", 501)}, "/response_content"},
		{"201 characters through 翼码", "imageco", []any{"response_content", strings.Repeat("字", 201)}, "/response_content"},
		{"a mini program through 翼码", "imageco", []any{"mini_program_jump_info", program}, "/mini_program_jump_info"},
		{"immediate service through 翼码", "imageco", []any{"immediate_service", true}, "/immediate_service"},
		{"no immediate service through 翼码", "imageco", []any{"immediate_service", false}, ""},
		{"all three through 翼码", "imageco", []any{"immediate_service", true, "mini_program_jump_info", program, "response_content", strings.Repeat("字", 201)},
			"/immediate_service /mini_program_jump_info /response_content"},
		{"a seller_account that is no merchant number", "wechatpay", []any{"seller_account", "账号 1"}, "/seller_account"},
		{"a link to two places", "wechatpay", []any{"mini_program_jump_info", program, "jump_url", "https://a.example/", "jump_url_text", "x"}, "/mini_program_jump_info"},
		{"half a mini program", "wechatpay", []any{"mini_program_jump_info", members{"appid": "wx 1", "path": long(513), "more": 1}},
			"/mini_program_jump_info/appid /mini_program_jump_info/more /mini_program_jump_info/path /mini_program_jump_info/text"},
		{"a mini program that is a text", "wechatpay", []any{"mini_program_jump_info", "wx1"}, "/mini_program_jump_info"},
		{"immediate service that is a text", "wechatpay", []any{"immediate_service", "yes"}, "/immediate_service"},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := w.complaint(test.merchant)
			got := f.bare(replyTo(test.merchant, id).with(test.more...))
			if pointers := strings.Join(got.pointers(), " "); pointers != test.want || (got.Outcome == "succeeded") != (test.want == "") {
				t.Errorf("%s: %+v", pointers, got)
			}
			if shown := w.replies(test.merchant, id) == 1; shown != (test.want == "") {
				t.Errorf("shown: %t", shown)
			}
		})
	}
}

func TestARefusalNamesTheGatewayThatDoesNotTakeTheReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("imageco", sandbox.MerchantOptions{})
	w.throughWechatPay("wechatpay", false)
	f := w.reply()
	for gateway, more := range map[string][]any{"imageco": {"immediate_service", true}, "wechatpay": {"seller_account", "账号 1"}} {
		got := f.bare(replyTo(gateway, w.complaint(gateway)).with(more...))
		if got.Code != "INVALID_REQUEST" || got.Provider != gateway {
			t.Errorf("%s: %+v", gateway, got)
		}
	}
}

func TestOnlyTheHalfThatCarriesTheReplyIsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		name   string
		change func(m *sandbox.Merchant)
		env    string
		want   string // what the message names; "" is sent
	}{
		{"WeChat Pay and no half of 翼码", func(m *sandbox.Merchant) { m.ReplyThrough, m.Imageco = "wechatpay", nil }, "IMAGECO_URL=", ""},
		{"WeChat Pay and a spoilt half of 翼码", func(m *sandbox.Merchant) { m.ReplyThrough, m.Imageco.Key = "wechatpay", "" }, "A=", ""},
		{"WeChat Pay and none of its half", func(m *sandbox.Merchant) { m.ReplyThrough, m.WechatPay = "wechatpay", nil }, "A=", "wechatpay is missing"},
		{"WeChat Pay and a spoilt key", func(m *sandbox.Merchant) { m.ReplyThrough, m.WechatPay.PrivateKey = "wechatpay", "x" }, "A=", "wechatpay.private_key"},
		{"翼码 and no half of WeChat Pay", func(m *sandbox.Merchant) { m.WechatPay = nil }, "A=", ""},
		{"翼码 and none of its half", func(m *sandbox.Merchant) { m.Imageco = nil }, "A=", "imageco is missing"},
		{"翼码 by name", func(m *sandbox.Merchant) { m.ReplyThrough = "imageco" }, "A=", ""},
		{"another gateway", func(m *sandbox.Merchant) { m.ReplyThrough = "alipay" }, "A=", "reply_through"},
		{"翼码 without an address", func(*sandbox.Merchant) {}, "IMAGECO_URL=", "imageco.url is missing, and the function's IMAGECO_URL is not set"},
		{"翼码 with an address of its own", func(m *sandbox.Merchant) { m.Imageco.URL = w.ImagecoHost.URL() + "/" }, "IMAGECO_URL=", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := uniqueName()
			m := w.merchant(name, sandbox.MerchantOptions{})
			test.change(m)
			w.store(m)
			id := w.complaint(name)
			got := w.reply(test.env).bare(replyTo(name, id))
			if test.want == "" && got.Outcome != "succeeded" || test.want != "" && (got.Code != "MERCHANT_MISCONFIGURED" || !strings.Contains(got.Message, test.want)) {
				t.Errorf("got %+v", got)
			}
			if shown := w.replies(name, id) == 1; shown != (test.want == "") {
				t.Errorf("shown: %t", shown)
			}
		})
	}
}

func TestAResendGoesTheWayOfTheFirstAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.throughWechatPay("acme", true)
	f := w.reply("SECRET_SOFT_TTL=0s", "MAX_ATTEMPTS=1")
	id := w.complaint("acme")
	w.Primary.Faults.Next(sandbox.Fault{Method: http.MethodPost, Status: 502})
	if got := f.bare(replyTo("acme", id)); got.Outcome != "unknown" || got.Provider != "wechatpay" {
		t.Fatalf("the first attempt: %+v", got)
	}
	m.ReplyThrough = "imageco"
	w.store(m)
	resend := replyTo("acme", id).with("resend_unknown", true)
	w.Primary.Faults.Next(sandbox.Fault{Method: http.MethodPost, Status: 502})
	if got := f.bare(resend); got.Outcome != "unknown" || got.Provider != "wechatpay" {
		t.Errorf("a resend that got no answer: %+v", got)
	}
	half := m.WechatPay
	m.WechatPay = nil
	w.store(m)
	if got := f.bare(resend); got.Code != "MERCHANT_MISCONFIGURED" || !strings.Contains(got.Message, "wechatpay is missing") {
		t.Errorf("without the half that the ledger names: %+v", got)
	}
	m.WechatPay, m.Imageco = half, nil
	w.store(m)
	if got := f.bare(resend); got.Outcome != "succeeded" || got.Provider != "wechatpay" || w.replies("acme", id) != 1 {
		t.Errorf("the resend: %+v, shown %d times", got, w.replies("acme", id))
	}
	if n := len(callsFor(w.ImagecoHost, id)); n != 0 {
		t.Errorf("翼码 was called %d times", n)
	}
}

// The answer of the first is lost after it was carried out, which WeChat Pay's idempotent_id makes harmless to repeat.
func TestAReplyForImmediateServiceIsRepeatedUntilItIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throughWechatPay("acme", false)
	f := w.reply(withBus, "MAX_ATTEMPTS=1")
	lost := sandbox.Fault{Method: http.MethodPost, CutAfter: true}
	asking := func() string {
		id := w.complaint("acme")
		w.State.AskImmediate("acme", id)
		return id
	}
	t.Run("within the attempts", func(t *testing.T) {
		id := asking()
		w.Primary.Faults.Next(lost)
		got := w.reply("MAX_ATTEMPTS=2").bare(replyTo("acme", id).with("immediate_service", true))
		if got.Outcome != "succeeded" || got.Attempts != 2 || w.replies("acme", id) != 1 || got.Evidence == nil || got.Evidence.LogID == "" {
			t.Errorf("%+v, shown %d times", got, w.replies("acme", id))
		}
	})
	t.Run("when found unknown", func(t *testing.T) {
		id := asking()
		w.Primary.Faults.Next(lost)
		command := replyTo("acme", id).with("immediate_service", true)
		if got := f.bare(command); got.Outcome != "unknown" {
			t.Errorf("the first time: %+v", got)
		}
		if got := f.bare(command); got.Outcome != "succeeded" || got.Replayed || w.replies("acme", id) != 1 {
			t.Errorf("the second time: %+v, shown %d times", got, w.replies("acme", id))
		}
		if got := f.bare(command); !got.Replayed || got.Evidence == nil || got.Evidence.LogID == "" {
			t.Errorf("the third time: %+v", got)
		}
	})
	t.Run("by event", func(t *testing.T) {
		id := asking()
		w.Primary.Faults.Next(lost)
		payload := batch(requested(replyRequested, "e-"+id, replyTo("acme", id).with("immediate_service", true)))
		if got := f.failures(payload); len(got) != 1 {
			t.Errorf("%v come again", got)
		}
		if got := f.failures(payload); len(got) != 0 || w.replies("acme", id) != 1 {
			t.Errorf("%v come again, shown %d times", got, w.replies("acme", id))
		}
	})
	t.Run("a complaint that does not ask for it", func(t *testing.T) {
		id := w.complaint("acme")
		got := f.bare(replyTo("acme", id).with("immediate_service", true))
		if got.Outcome != "rejected" || got.Attempts != 1 || w.replies("acme", id) != 0 {
			t.Errorf("%+v, shown %d times", got, w.replies("acme", id))
		}
	})
}

func TestAReplyThroughWechatPayIsNotRepeatedByEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throughWechatPay("acme", false)
	f := w.reply(withBus, "UNKNOWN_WINDOW=0s")
	id := w.complaint("acme")
	w.Primary.Faults.Next(sandbox.Fault{Method: http.MethodPost, Status: 502})
	payload := requested(replyRequested, "e-1", replyTo("acme", id))
	for range 2 {
		if got := f.result(f.invoke(payload)); got.Outcome != "unknown" {
			t.Errorf("got %+v", got)
		}
	}
	if n := len(posts(callsFor(w.Primary, id))) + len(posts(callsFor(w.Backup, id))); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestBothCarriersShareOnePace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.throughWechatPay("acme", true)
	f := w.reply("REPLY_RATE_PER_MINUTE=1", "SECRET_SOFT_TTL=0s")
	var outcomes []string
	for i := range 4 {
		if i == 2 {
			m.ReplyThrough = ""
			w.store(m)
		}
		got := f.bare(replyTo("acme", w.complaint("acme")))
		outcomes = append(outcomes, got.Provider+" "+got.Code)
	}
	if got := strings.Join(outcomes, ", "); got != "wechatpay OK, wechatpay OK, imageco 0000, imageco RATE_LIMITED" {
		t.Error(got)
	}
}

func TestAForcedRefreshSendsAReplyThroughWechatPayOnceMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.throughWechatPay("acme", true)
	f := w.reply("MAX_ATTEMPTS=1")
	if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Fatalf("got %+v", got)
	}
	w.rotate(m, false)
	id := w.complaint("acme")
	if got := f.bare(replyTo("acme", id)); got.Outcome != "succeeded" || got.Attempts != 2 || w.replies("acme", id) != 1 {
		t.Errorf("got %+v", got)
	}
}

// A request without the new members keeps the key that the ledger knows it by.
func TestTheLedgerTellsRepliesApartByTheirLinkAndService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throughWechatPay("acme", false)
	f := w.reply()
	id := w.complaint("acme")
	w.State.AskImmediate("acme", id)
	program := rawJSON(`{"appid":"wx1","path":"p","text":"t"}`)
	ids := map[string]bool{}
	for _, more := range [][]any{nil, {"mini_program_jump_info", program}, {"immediate_service", true}, {"mini_program_jump_info", program, "immediate_service", true}} {
		got := f.bare(replyTo("acme", id).with(more...))
		if got.Outcome != "succeeded" || got.Replayed {
			t.Errorf("%v: %+v", more, got)
		}
		ids[got.TransactionID] = true
	}
	if len(ids) != 4 || w.replies("acme", id) != 4 {
		t.Errorf("%d transaction ids, %d replies", len(ids), w.replies("acme", id))
	}
	if got := f.bare(replyTo("acme", id).with("immediate_service", false)); !got.Replayed {
		t.Errorf("saying that it does not ask for it: %+v", got)
	}
}

// The account at 翼码 is no merchant number, so it is never sent to WeChat Pay.
func TestTheSellerOf翼码IsNotToldToWechatPay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.throughWechatPay("acme", true)
	f := w.reply()
	for _, immediate := range []bool{false, true} {
		id := w.complaint("acme")
		w.State.AskImmediate("acme", id)
		got := f.bare(replyTo("acme", id).with("immediate_service", immediate))
		sent := posts(callsFor(w.Primary, id))
		if m.Imageco.SellerAccount == "" || got.Outcome != "succeeded" || len(sent) != 1 ||
			!strings.HasPrefix(string(sent[0].Body), `{"complainted_mchid":"`+m.WechatPay.Mchid+`",`) {
			t.Errorf("%+v after %d calls", got, len(sent))
		}
	}
}

// What never left may go to the other host, whatever it is.
func TestAHostThatCannotBeReachedHandsOverToTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throughWechatPay("acme", false)
	closed := "http://" + closedPort(t)
	for _, test := range []struct {
		name    string
		backup  string
		outcome string
		code    string
		status  int
	}{
		{"the other one answers", w.Backup.URL(), "succeeded", "OK", 200},
		{"neither can be reached", closed, "retryable", "UPSTREAM_UNREACHABLE", 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := w.reply("WECHATPAY_URL="+closed, "WECHATPAY_BACKUP_URL="+test.backup, "MAX_ATTEMPTS=2")
			id := w.complaint("acme")
			w.State.AskImmediate("acme", id)
			plain := request{merchant: "acme", complaint: id, body: goodBody}.functionURL("reply")
			immediate := request{merchant: "acme", complaint: id, body: replyTo("acme", id).with("merchant", nil, "complaint_id", nil, "immediate_service", true).text()}.functionURL("reply")
			for name, payload := range map[string]string{"a reply": plain, "immediate service": immediate, "a picture": picture{"acme", "image/png", "", png, false}.restAPI()} {
				got := f.response(f.invoke(payload))
				if got.Outcome != test.outcome || got.Code != test.code || got.status != test.status || got.Attempts != 2 {
					t.Errorf("%s: %d %s", name, got.status, got.body)
				}
			}
		})
	}
}

// An answer that is signed by a key that the secret does not have yet is checked once more when the secret has it; the
// reply is not sent again.
func TestTheSecretIsReadAgainForAnUnknownKeyOfAReplysAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.throughWechatPay("acme", false)
	right := m.Secret()
	m.WechatPay.PlatformKeys[0].ID = "PUB_KEY_ID_OF_LAST_YEAR"
	w.store(m)
	s := w.signer()
	gateway := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) { s.answer(rw, 204, "", nil) })
	f := w.reply("PREFETCH_MERCHANTS=acme", "WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL)
	within(t, "the process to start", f.Start)
	w.put("acme", right)
	if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" || !got.Verified || got.Attempts != 1 || len(gateway.received()) != 1 {
		t.Errorf("%+v after %d calls", got, len(gateway.received()))
	}
}

// The table remembers a first refusal of more than an hour ago. Who waits for the answer is told as before.
func TestAnEventIsNotTriedForeverBecauseTheGatewayAsksToTryLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throughWechatPay("acme", false)
	for name, test := range map[string]struct {
		ago     time.Duration
		outcome string // of an event
	}{
		"a minute after the first":     {time.Minute, "retryable"},
		"more than an hour after that": {61 * time.Minute, "rejected"},
	} {
		t.Run(name, func(t *testing.T) {
			table := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
				rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
				var in struct{ Item map[string]map[string]string }
				if err := json.Unmarshal(c.Body, &in); err != nil || !strings.HasPrefix(in.Item["id"]["S"], "acme#busy#") {
					_, _ = rw.Write([]byte("{}"))
					return
				}
				in.Item["first_claim"] = map[string]string{"N": strconv.FormatInt(time.Now().Add(-test.ago).UnixMilli(), 10)}
				rw.WriteHeader(http.StatusBadRequest)
				_ = json.NewEncoder(rw).Encode(map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Item": in.Item})
			})
			f := w.reply("LEDGER_TABLE=kesu-ledger", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL, withBus)
			busy := sandbox.Fault{Method: http.MethodPost, Status: 400, Code: "INVALID_REQUEST", Message: "提交商户回复失败，请稍后重试"}
			w.Primary.Faults.Next(busy, busy)
			if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "retryable" || got.Code != "UPSTREAM_BUSY" {
				t.Errorf("who waits for the answer: %+v", got)
			}
			got := f.invoke(requested(replyRequested, "e-1", replyTo("acme", w.complaint("acme"))))
			if test.outcome == "retryable" {
				if got.ErrorType != "UPSTREAM_BUSY" {
					t.Errorf("an event: %s %s", got.ErrorType, got.Payload)
				}
			} else if r := f.result(got); r.Outcome != test.outcome || r.Code != "UPSTREAM_BUSY" {
				t.Errorf("an event: %+v", r)
			}
		})
	}
}
