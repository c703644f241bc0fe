package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestARefusalWithINVALID_REQUESTIsHeldAgainstTheComplaintItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	gateway := w.newStub(silent)
	complaint := func(id, state string) string {
		return `{"complaint_id":"` + id + `","complaint_state":"` + state + `","payer_phone":"` + sandbox.PayerPhone + `","payer_openid":"` + openid + `"}`
	}
	f := w.complete("WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL, "MAX_ATTEMPTS=2", "ATTEMPT_TIMEOUT=4s")
	for _, test := range []struct {
		name     string
		state    func(rw http.ResponseWriter)
		outcome  string
		code     string
		verified bool
		http     int
	}{
		{"PROCESSED", func(rw http.ResponseWriter) { s.answer(rw, 200, complaint("c1", "PROCESSED"), nil) }, "succeeded", "OK", true, 200},
		{"PENDING", func(rw http.ResponseWriter) { s.answer(rw, 200, complaint("c1", "PENDING"), nil) }, "rejected", "INVALID_REQUEST", true, 422},
		{"PROCESSING", func(rw http.ResponseWriter) { s.answer(rw, 200, complaint("c1", "PROCESSING"), nil) }, "rejected", "INVALID_REQUEST", true, 422},
		{"PROCESSED, forged", func(rw http.ResponseWriter) { s.answer(rw, 200, complaint("c1", "PROCESSED"), signTest) }, "unknown", "", false, 504},
		{"PENDING, forged", func(rw http.ResponseWriter) { s.answer(rw, 200, complaint("c1", "PENDING"), signTest) }, "unknown", "", false, 504},
		{"PROCESSED, unsigned", func(rw http.ResponseWriter) { unsigned(200, complaint("c1", "PROCESSED"))(rw, s) }, "unknown", "", false, 504},
		{"another complaint", func(rw http.ResponseWriter) { s.answer(rw, 200, complaint("c2", "PROCESSED"), nil) }, "unknown", "", true, 504},
		{"no state", func(rw http.ResponseWriter) { s.answer(rw, 200, `{"complaint_id":"c1"}`, nil) }, "unknown", "", true, 504},
		{"500", func(rw http.ResponseWriter) { unsigned(500, "")(rw, s) }, "unknown", "", false, 504},
		{"404", func(rw http.ResponseWriter) { unsigned(404, `{"code":"RESOURCE_NOT_EXISTS","message":"x"}`)(rw, s) }, "unknown", "", false, 504},
		{"no answer", func(rw http.ResponseWriter) { untilHangUp(rw) }, "unknown", "", false, 504},
		{"429", func(rw http.ResponseWriter) { unsigned(429, "")(rw, s) }, "unknown", "", false, 504},
	} {
		t.Run(test.name, func(t *testing.T) {
			gateway.says(func(rw http.ResponseWriter, c sandbox.Call) {
				if c.Method == "GET" {
					test.state(rw)
					return
				}
				s.answer(rw, 400, `{"code":"INVALID_REQUEST","message":"投诉单已完结"}`, nil)
			})
			before := len(gateway.received())
			got := f.response(f.invoke(request{merchant: "acme", complaint: "c1"}.httpAPI("complete")))
			if got.Outcome != test.outcome || test.code != "" && got.Code != test.code || got.Verified != test.verified || got.status != test.http {
				t.Errorf("got %d %s", got.status, got.body)
			}
			calls := gateway.received()[before:]
			if got.Attempts != len(calls) || calls[0].Method != "POST" || len(calls) < 2 {
				t.Fatalf("%d calls were made and %d are told of", len(calls), got.Attempts)
			}
			for _, c := range calls[1:] {
				checkWechatPayRequest(t, c, m)
				if c.Method != "GET" || c.Target != "/v3/merchant-service/complaints-v2/c1" || len(c.Body) != 0 || c.Header.Get("Accept") != "application/json" || c.Header.Get("Wechatpay-Serial") != w.PublicKey.ID {
					t.Errorf("%s %s with a body of %d bytes", c.Method, c.Target, len(c.Body))
				}
			}
		})
	}
}

func TestACompletionThatWasDoneBeforeSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{Certificate: true})
	f := w.complete()
	id := w.complaint("acme")
	for i := range 2 {
		if got := f.bare(completionOf("acme", id)); got.Outcome != "succeeded" || got.Code != "OK" || !got.Verified || got.Replayed {
			t.Errorf("time %d: %+v", i, got)
		}
	}
}

func TestWhatAGatewaySaysIsPassedOnWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	echo := func(c sandbox.Call) string {
		text := authorizationMembers(c.Header.Get("Authorization"))["signature"] + " " + c.Header.Get("Authorization")
		return strconv.Quote("签名错误 " + sandbox.PayerPhone + " +86 138-0013-8000 " + openid + " " + base64.StdEncoding.EncodeToString(c.Body) + " " + text)
	}
	wechat := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		v := authorizationMembers(c.Header.Get("Authorization"))
		over := strconv.Quote(c.Method + "\n" + c.Target + "\n" + v["timestamp"] + "\n" + v["nonce_str"] + "\n" + string(c.Body) + "\n")
		message := map[bool]string{true: echo(c), false: over}[strings.Contains(c.Target, "c1")]
		unsigned(401, `{"code":"SIGN_ERROR","message":`+message+`,"detail":{"sign_information":{"truncated_sign_message":`+over+`}}}`)(rw, signer{})
	})
	imageco := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		_, _ = rw.Write(imagecoAnswer(m.Imageco.Key, c.Body, "6100", "签名错误 "+string(c.Body)+" "+m.Imageco.Key+" "+sandbox.PayerPhone, nil))
	})
	complete, reply := w.complete("WECHATPAY_URL="+wechat.URL), w.reply("IMAGECO_URL="+imageco.URL)
	for _, got := range []result{complete.bare(completionOf("acme", "c1")), complete.bare(completionOf("acme", "c2")), reply.bare(replyTo("acme", "c1"))} {
		if got.Outcome != "rejected" {
			t.Errorf("got %+v", got)
		}
	}
	w.transcript.hide("the payer's number, written otherwise", "138-0013-8000")
}

func TestTheQuestionForTheStateIsAskedAlsoWhenTheAttemptsAreUsedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	for _, test := range []struct{ most, refusedAfter, calls int }{{1, 1, 2}, {2, 2, 3}, {3, 1, 3}} {
		f := w.complete(fmt.Sprint("MAX_ATTEMPTS=", test.most))
		id := w.complaint("acme")
		var faults []sandbox.Fault
		for range test.refusedAfter - 1 {
			faults = append(faults, sandbox.Fault{Method: "POST", Status: 500})
		}
		faults = append(faults, sandbox.Fault{Method: "POST", Code: "INVALID_REQUEST", Message: "x"})
		w.Primary.Faults.Next(faults...)
		w.Primary.Faults.Stand(sandbox.Fault{Method: "GET", Status: 500})
		got := f.bare(completionOf("acme", id))
		if n := len(callsFor(w.Primary, id)); got.Outcome != "unknown" || n != test.calls || got.Attempts != n {
			t.Errorf("%+v: %d calls, %+v", test, n, got)
		}
		w.Primary.Faults.Clear()
	}
}
