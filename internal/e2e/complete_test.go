package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestACompletionIsTheDocumentedRequestSignedAfreshEachTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	nonces := map[string]bool{}
	for _, complainted := range []string{"", "1900009999"} {
		id := w.complaint("acme")
		command, mchid := completionOf("acme", id), m.WechatPay.Mchid
		if complainted != "" {
			command, mchid = command.with("complainted_mchid", complainted), complainted
		}
		w.Primary.Faults.Next(sandbox.Fault{Status: 502}, sandbox.Fault{SignTest: true, Status: 200})
		w.Backup.Faults.Next(sandbox.Fault{Status: 502}, sandbox.Fault{SignTest: true, Status: 200})
		f.bare(command)
		calls := append(callsFor(w.Primary, id), callsFor(w.Backup, id)...)
		if len(calls) != 3 {
			t.Fatalf("%d calls were made", len(calls))
		}
		for _, c := range calls {
			nonces[checkWechatPayRequest(t, c, m)] = true
			if c.Method != "POST" || c.Target != "/v3/merchant-service/complaints-v2/"+id+"/complete" || string(c.Body) != `{"complainted_mchid":"`+mchid+`"}` {
				t.Errorf("sent %s %s %s", c.Method, c.Target, c.Body)
			}
			for name, want := range map[string]string{"Accept": "application/json", "Content-Type": "application/json", "Wechatpay-Serial": w.PublicKey.ID} {
				if values := c.Header.Values(name); len(values) != 1 || values[0] != want {
					t.Errorf("%s is %v", name, values)
				}
			}
			if agents := c.Header.Values("User-Agent"); len(agents) != 1 || agents[0] == "" || strings.Contains(agents[0], "Go-http-client") {
				t.Errorf("User-Agent is %v", agents)
			}
		}
	}
	if len(nonces) != 6 {
		t.Errorf("6 attempts had %d nonces", len(nonces))
	}
}

func TestAWechatPayAddressWithAPathIsSignedWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	gateway := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) { s.answer(rw, 204, "", nil) })
	f := w.complete("WECHATPAY_URL=" + gateway.URL + "/proxy/")
	got := f.bare(completionOf("acme", "c1"))
	calls := gateway.received()
	if got.Outcome != "succeeded" || len(calls) != 1 || calls[0].Target != "/proxy/v3/merchant-service/complaints-v2/c1/complete" {
		t.Fatalf("%+v, %d calls", got, len(calls))
	}
	checkWechatPayRequest(t, calls[0], m)
}

// answered is one thing that WeChat Pay may answer to every call, and what it means.
type answered struct {
	name     string
	answer   func(rw http.ResponseWriter, s signer)
	outcome  string
	code     string
	verified bool
	status   int
	http     int
	calls    int
}

func signed(status int, body string, change func(http.Header)) func(http.ResponseWriter, signer) {
	return func(rw http.ResponseWriter, s signer) { s.answer(rw, status, body, change) }
}

func unsigned(status int, body string) func(http.ResponseWriter, signer) {
	return func(rw http.ResponseWriter, _ signer) {
		rw.WriteHeader(status)
		_, _ = rw.Write([]byte(body))
	}
}

func skewed(by time.Duration) func(http.ResponseWriter, signer) {
	return func(rw http.ResponseWriter, s signer) { s.answerAt(rw, time.Now().Add(by), 204, "", nil) }
}

func signTest(h http.Header) {
	h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature")[19:])
}

const paramError = `{"code":"PARAM_ERROR","message":"参数错误"}`

var completionAnswers = []answered{
	{"204, verified", signed(204, "", nil), "succeeded", "OK", true, 204, 200, 1},
	{"200 with a body, verified", signed(200, `{"a":1}`, nil), "succeeded", "OK", true, 200, 200, 1},
	{"the serial in lower case and with zeros", signed(204, "", func(h http.Header) {
		h.Set("Wechatpay-Serial", "00"+strings.ToLower(h.Get("Wechatpay-Serial")))
	}), "succeeded", "OK", true, 204, 200, 1},
	{"290 s in the past", skewed(-290 * time.Second), "succeeded", "OK", true, 204, 200, 1},
	{"290 s in the future", skewed(290 * time.Second), "succeeded", "OK", true, 204, 200, 1},
	{"310 s in the past", skewed(-310 * time.Second), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"310 s in the future", skewed(310 * time.Second), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"202, verified", signed(202, "", nil), "unknown", "UPSTREAM_GARBLED", true, 202, 504, 1},
	{"202, unsigned", unsigned(202, ""), "unknown", "UPSTREAM_UNVERIFIED", false, 202, 504, 2},
	{"204, unsigned", unsigned(204, ""), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"200, unsigned", unsigned(200, "{}"), "unknown", "UPSTREAM_UNVERIFIED", false, 200, 504, 2},
	{"WECHATPAY/SIGNTEST", signed(204, "", signTest), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"a key that nobody knows", signed(204, "", func(h http.Header) { h.Set("Wechatpay-Serial", "PUB_KEY_ID_0") }), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 1},
	{"no serial", signed(204, "", func(h http.Header) { h.Del("Wechatpay-Serial") }), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"no nonce", signed(204, "", func(h http.Header) { h.Del("Wechatpay-Nonce") }), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"no timestamp", signed(204, "", func(h http.Header) { h.Del("Wechatpay-Timestamp") }), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"a timestamp that is no number", signed(204, "", func(h http.Header) { h.Set("Wechatpay-Timestamp", "now") }), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"another nonce than was signed", signed(204, "", func(h http.Header) { h.Set("Wechatpay-Nonce", "x") }), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"a signature that is not base64", signed(204, "", func(h http.Header) { h.Set("Wechatpay-Signature", "???") }), "unknown", "UPSTREAM_UNVERIFIED", false, 204, 504, 2},
	{"another body than was signed", func(rw http.ResponseWriter, s signer) {
		s.answer(rw, 200, `{"a":1}`, func(h http.Header) { _ = h })
		_, _ = rw.Write([]byte(" "))
	}, "unknown", "UPSTREAM_UNVERIFIED", false, 200, 504, 2},
	{"400 PARAM_ERROR, signed", signed(400, paramError, nil), "rejected", "PARAM_ERROR", true, 400, 422, 1},
	{"400 PARAM_ERROR, unsigned", unsigned(400, paramError), "rejected", "PARAM_ERROR", false, 400, 422, 1},
	{"400 PARAM_ERROR, SIGNTEST", signed(400, paramError, signTest), "rejected", "PARAM_ERROR", false, 400, 422, 1},
	{"400 and nothing", unsigned(400, ""), "rejected", "UPSTREAM_REFUSED", false, 400, 422, 1},
	{"400 and a page", unsigned(400, "<html>"), "rejected", "UPSTREAM_REFUSED", false, 400, 422, 1},
	{"401 SIGN_ERROR", signed(401, `{"code":"SIGN_ERROR","message":"签名错误"}`, nil), "rejected", "SIGN_ERROR", true, 401, 502, 1},
	{"401 and nothing", unsigned(401, ""), "rejected", "UPSTREAM_REFUSED", false, 401, 502, 1},
	{"403 NO_AUTH", signed(403, `{"code":"NO_AUTH","message":"商户无权限"}`, nil), "rejected", "NO_AUTH", true, 403, 502, 1},
	{"404 RESOURCE_NOT_EXISTS", unsigned(404, `{"code":"RESOURCE_NOT_EXISTS","message":"不存在"}`), "rejected", "RESOURCE_NOT_EXISTS", false, 404, 422, 1},
	{"409 and a code", unsigned(409, `{"code":"CONFLICT","message":"x"}`), "rejected", "CONFLICT", false, 409, 422, 1},
	{"429", unsigned(429, `{"code":"RATELIMIT_EXCEEDED","message":"频率超限"}`), "retryable", "RATE_LIMITED", false, 429, 503, 2},
	{"429 and nothing", unsigned(429, ""), "retryable", "RATE_LIMITED", false, 429, 503, 2},
	{"500 SYSTEM_ERROR", signed(500, `{"code":"SYSTEM_ERROR","message":"系统错误"}`, nil), "unknown", "SYSTEM_ERROR", true, 500, 504, 2},
	{"500 and nothing", unsigned(500, ""), "unknown", "UPSTREAM_GARBLED", false, 500, 504, 2},
	{"503 and a page", unsigned(503, "<html>"), "unknown", "UPSTREAM_GARBLED", false, 503, 504, 2},
	{"302", func(rw http.ResponseWriter, s signer) {
		s.answer(rw, 302, "", func(h http.Header) { h.Set("Location", "/elsewhere") })
	}, "unknown", "UPSTREAM_GARBLED", true, 302, 504, 2},
	{"308", func(rw http.ResponseWriter, s signer) {
		s.answer(rw, 308, "", func(h http.Header) { h.Set("Location", "/elsewhere") })
	}, "unknown", "UPSTREAM_GARBLED", true, 308, 504, 2},
	{"the connection cut", func(http.ResponseWriter, signer) { panic(http.ErrAbortHandler) }, "unknown", "UPSTREAM_TIMEOUT", false, 0, 504, 2},
	{"no answer in time", func(rw http.ResponseWriter, _ signer) { untilHangUp(rw) }, "unknown", "UPSTREAM_TIMEOUT", false, 0, 504, 2},
	{"an answer over 1 MiB", signed(200, long(1<<20+1), nil), "unknown", "UPSTREAM_GARBLED", false, 200, 504, 2},
	{"an answer of 1 MiB exactly", signed(200, long(1<<20), nil), "succeeded", "OK", true, 200, 200, 1},
}

func TestEveryAnswerToACompletionHasItsMeaning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("pub", sandbox.MerchantOptions{})
	s := w.signer()
	gateway := w.newStub(silent)
	// Both addresses are one gateway, so that the second attempt meets the same answer.
	f := w.complete("WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL, "MAX_ATTEMPTS=2", "ATTEMPT_TIMEOUT=4s")
	for _, test := range completionAnswers {
		t.Run(test.name, func(t *testing.T) {
			gateway.says(func(rw http.ResponseWriter, _ sandbox.Call) { test.answer(rw, s) })
			before := len(gateway.received())
			id := w.complaint("pub")
			got := f.response(f.invoke(request{merchant: "pub", complaint: id}.functionURL("complete")))
			if got.Outcome != test.outcome || got.Code != test.code || got.Verified != test.verified || got.HTTPStatus != test.status || got.status != test.http {
				t.Errorf("got %d %s", got.status, got.body)
			}
			calls := gateway.received()[before:]
			if len(calls) != test.calls || got.Attempts != test.calls {
				t.Errorf("%d calls were made and %d are told of", len(calls), got.Attempts)
			}
			for _, c := range calls {
				if strings.Contains(c.Target, "elsewhere") || string(c.Body) != string(calls[0].Body) {
					t.Errorf("called %s", c.Target)
				}
			}
		})
	}
}
