package e2e

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

// percent escapes each byte of a text as in a URL.
func percent(text string) string {
	var out strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&out, "%%%02x", text[i])
	}
	return out.String()
}

// What a gateway writes is not shown when it holds what must be hidden, and not believed when it is about another reply.
func TestWhatAGatewayWritesIsNeitherBelievedNorShownBlindly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	gateway := w.newStub(silent)
	f := w.reply("IMAGECO_URL="+gateway.URL, "MAX_ATTEMPTS=2", "IMAGECO_RESPONSE_SIGN=warn")
	json := func(id, comment string) func(http.ResponseWriter, sandbox.Call) {
		return func(rw http.ResponseWriter, c sandbox.Call) {
			_, _ = rw.Write(imagecoAnswer(m.Imageco.Key, c.Body, id, comment, nil))
		}
	}
	closing := func(status int) func(http.ResponseWriter, sandbox.Call) {
		return func(rw http.ResponseWriter, _ sandbox.Call) {
			rw.Header().Set("Connection", "close")
			rw.WriteHeader(status)
		}
	}
	for _, test := range []struct {
		name                   string
		says                   func(http.ResponseWriter, sandbox.Call)
		outcome, code, message string
		calls                  int
	}{
		{"a refusal of another reply", func(rw http.ResponseWriter, _ sandbox.Call) {
			_, _ = io.WriteString(rw, `{"transaction_id":"resp00000000000000001","complaint_id":"another","result":{"id":"3001","comment":"no such complaint"}}`)
		}, "unknown", "UPSTREAM_GARBLED", "the gateway's answer is about another reply", 1},
		{"our sign as the code", func(rw http.ResponseWriter, c sandbox.Call) {
			_, _ = rw.Write(imagecoAnswer(m.Imageco.Key, c.Body, imageco.SignatureOf(c.Body), "x", nil))
		}, "unknown", "UPSTREAM_GARBLED", "the gateway's answer cannot be read", 1},
		{"our key as the code", json(m.Imageco.Key, "x"), "unknown", "UPSTREAM_GARBLED", "the gateway's answer cannot be read", 1},
		{"our key in the words", json("3001", "key "+strings.ToLower(m.Imageco.Key)), "rejected", "3001", "key ***", 1},
		{"our key but for its end", json("3001", "key "+m.Imageco.Key[:len(m.Imageco.Key)-1]), "rejected", "3001", "key ***", 1},
		{"our key in halves", json("3001", "密钥 "+m.Imageco.Key[:13]+" und "+m.Imageco.Key[13:]), "rejected", "3001", "密钥 ***", 1},
		{"our key in base64", json("3001", "密钥 "+base64.RawStdEncoding.EncodeToString([]byte(m.Imageco.Key))), "rejected", "3001", "密钥 ***", 1},
		{"our key in escapes of escapes", json("3001", "密钥 "+url.QueryEscape(percent(m.Imageco.Key))), "rejected", "3001", "密钥 ***", 1},
		{"our key in base64 as the code", json(base64.RawURLEncoding.EncodeToString([]byte(m.Imageco.Key)), "x"), "unknown", "UPSTREAM_GARBLED",
			"the gateway's answer cannot be read", 1},
		{"a phone number with slashes", json("3001", "tel 138/0013/8000"), "rejected", "3001", "tel ***", 1},
		{"a phone number in brackets", json("3001", "tel (138)00138000"), "rejected", "3001", "tel ***", 1},
		{"GBK", func(rw http.ResponseWriter, c sandbox.Call) {
			encoded, err := gbk.Encode(string(imagecoAnswer(m.Imageco.Key, c.Body, "0000", "回复成功", nil)))
			if err != nil {
				t.Error(err)
			}
			_, _ = rw.Write(encoded)
		}, "succeeded", "0000", "回复成功", 1},
		{"408 and an end", closing(408), "retryable", "UPSTREAM_UNREACHABLE", "the gateway did not take the request", 2},
		{"408 and no end", func(rw http.ResponseWriter, _ sandbox.Call) { rw.WriteHeader(408) }, "unknown", "UPSTREAM_GARBLED",
			"the gateway answered 408, and it may have taken the request before that", 1},
		{"425", func(rw http.ResponseWriter, _ sandbox.Call) { rw.WriteHeader(425) }, "retryable", "UPSTREAM_UNREACHABLE", "the gateway did not take the request", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			gateway.says(test.says)
			before := len(gateway.received())
			got := f.bare(replyTo("acme", w.complaint("acme")))
			if got.Outcome != test.outcome || got.Code != test.code || got.Message != test.message {
				t.Errorf("%s %s %q", got.Outcome, got.Code, got.Message)
			}
			if n := len(gateway.received()) - before; n != test.calls {
				t.Errorf("%d calls were made", n)
			}
		})
	}
}

// 翼码's 429 with a Retry-After is passed on to whoever waits for the answer.
func TestTheTimeThatImagecoAsksForIsPassedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	gateway := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) {
		rw.Header().Set("Retry-After", "77")
		rw.WriteHeader(http.StatusTooManyRequests)
	})
	got := w.reply("IMAGECO_URL=" + gateway.URL)
	answer := got.response(got.invoke(request{merchant: "acme", complaint: w.complaint("acme"), body: goodBody}.httpAPI("reply")))
	if answer.status != 503 || answer.header["retry-after"] != "77" || len(gateway.received()) != 1 {
		t.Errorf("%d, Retry-After %q, after %d calls", answer.status, answer.header["retry-after"], len(gateway.received()))
	}
}

// An answer that is signed by a key that the secret does not have yet is checked once more when the secret has it.
func TestTheSecretIsReadAgainForAnUnknownKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	right := m.Secret()
	m.WechatPay.PlatformKeys[0].ID = "PUB_KEY_ID_OF_LAST_YEAR"
	w.store(m)
	s := w.signer()
	gateway := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) { s.answer(rw, 204, "", nil) })
	f := w.complete("PREFETCH_MERCHANTS=acme", "WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL)
	within(t, "the process to start", f.Start)
	w.put("acme", right)
	before := w.Secrets.Calls.Len()
	for range 2 {
		if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "succeeded" || !got.Verified || got.Attempts != 1 {
			t.Errorf("got %+v", got)
		}
	}
	if n := w.Secrets.Calls.Len() - before; n != 1 || len(gateway.received()) != 2 {
		t.Errorf("the secret was read %d times, and %d calls were made", n, len(gateway.received()))
	}
}

func TestASignedAnswerCountsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	var kept http.Header
	gateway := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) {
		if kept == nil {
			s.answer(rw, 204, "", nil)
			kept = rw.Header().Clone()
			return
		}
		for name, values := range kept {
			rw.Header()[name] = values
		}
		rw.WriteHeader(204)
	})
	f := w.complete("WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL, "MAX_ATTEMPTS=1")
	if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Errorf("the first: %+v", got)
	}
	if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "unknown" || got.Code != "UPSTREAM_UNVERIFIED" || got.Verified {
		t.Errorf("the second: %+v", got)
	}
}

// The answer that told of a notification's complaint comes a second time, when a sweep asks for the list.
func TestASignedAnswerCountsOnceForNotificationsAndSweeps(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	s := w.signer()
	id, kept := w.complaint("acme"), http.Header{}
	gateway := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		body := `{"complaint_id":"` + id + `","complaint_state":"PENDING","data":[]}`
		if strings.Contains(c.Target, "?") {
			maps.Copy(rw.Header(), kept)
			_, _ = io.WriteString(rw, body)
			return
		}
		s.answer(rw, 200, body, nil)
		kept = rw.Header().Clone()
	})
	w.function = w.watch("WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL)
	if got := w.notify(id, "CREATE_COMPLAINT"); got != 204 {
		t.Fatalf("answered %d", got)
	}
	if !w.sweep() {
		t.Error("it was taken for the list")
	}
}

func TestWordsThatAskToTryLaterAreRetryableWhenNothingWasDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	for _, words := range []string{"提交商户回复失败，请稍后重试", "系统繁忙，请稍后再试"} {
		w.Primary.Faults.Next(sandbox.Fault{Method: "POST", Status: 400, Code: "INVALID_REQUEST", Message: words})
		id := w.complaint("acme")
		got := f.response(f.invoke(request{merchant: "acme", complaint: id}.functionURL("complete")))
		if got.status != 503 || got.Outcome != "retryable" || got.Code != "UPSTREAM_BUSY" || got.header["retry-after"] != "60" || len(callsFor(w.Primary, id)) != 2 {
			t.Errorf("%d %s, Retry-After %q", got.status, got.body, got.header["retry-after"])
		}
		if got := f.bare(completionOf("acme", id)); got.Outcome != "succeeded" {
			t.Errorf("later: %+v", got)
		}
	}
}

// One failure of Secrets Manager's costs a second call and nothing else.
func TestSecretsManagerIsAskedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	for _, f := range []*function{w.reply(), w.complete()} {
		command := map[string]members{"reply": replyTo("acme", w.complaint("acme")), "complete": completionOf("acme", w.complaint("acme"))}[f.action]
		before := w.Secrets.Calls.Len()
		w.Secrets.Faults.Next(sandbox.Fault{Status: 500, Code: "InternalServiceError"})
		got := f.bare(command)
		if got.Outcome != "succeeded" || w.Secrets.Calls.Len() != before+2 {
			t.Errorf("%s: %+v", f.action, got)
		}
	}
}

func TestAnErrorCodeOfSecretsManagersIsShownWhenItIsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	for _, test := range []struct{ code, shown string }{
		{"DecryptionFailure", "DecryptionFailure"}, {"13800138000", "unknown error"}, {m.Imageco.Key, "unknown error"},
	} {
		for range 2 {
			w.Secrets.Faults.Next(sandbox.Fault{Status: 500, Code: test.code})
		}
		if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Code != "SECRETS_UNAVAILABLE" || !strings.HasSuffix(got.Message, ": "+test.shown) {
			t.Errorf("%s: the message ends in %q", got.Code, got.Message[max(0, len(got.Message)-20):])
		}
	}
}
