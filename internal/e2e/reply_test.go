package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/internal/sandbox"
)

var fullReply = []any{"response_images", []string{"m-1", "m_2"}, "jump_url", "https://a.example/?a=1&b=%3C2%3E", "jump_url_text", "查看<订单>", "seller_account", "S1",
	"transaction_id", "resp2024061700001", "response_content", "您好,\n已与用户\"沟通\"解决 <&> '/\\ é"}

func TestAJSONReplyIsTheDocumentedMessageSignedOverItsTextMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain, gbk := w.merchant("plain", sandbox.MerchantOptions{}), w.merchant("gbk", sandbox.MerchantOptions{SignGBK: true})
	f := w.reply()
	for _, test := range []struct {
		name string
		m    *sandbox.Merchant
		full bool
	}{{"the least", plain, false}, {"everything", plain, true}, {"the least, signed over GBK", gbk, false}, {"everything, signed over GBK", gbk, true}} {
		t.Run(test.name, func(t *testing.T) {
			id := w.complaint(test.m.Name)
			command := replyTo(test.m.Name, id)
			if test.full {
				command = command.with(fullReply...)
			}
			got := f.bare(command)
			calls := callsFor(w.ImagecoHost, id)
			if got.Outcome != "succeeded" || !got.Verified || got.HTTPStatus != 200 || got.Attempts != 1 || got.Message != "回复成功" || len(calls) != 1 {
				t.Fatalf("got %+v", got)
			}
			want := map[string]any{"request_type": "risk_complaints_resp_request", "isspid": test.m.Imageco.ISSPID, "system_id": "8888",
				"seller_account": test.m.Imageco.SellerAccount, "complaint_id": id, "response_content": command["response_content"], "transaction_id": got.TransactionID}
			if test.full {
				want["response_images"], want["jump_url"], want["jump_url_text"], want["seller_account"] = "m-1|m_2", "https://a.example/?a=1&b=%3C2%3E", "查看<订单>", "S1"
			}
			checkJSONMessage(t, calls[0], want, test.m)
		})
	}
}

func checkJSONMessage(t *testing.T, c sandbox.Call, want map[string]any, m *sandbox.Merchant) {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(c.Body, &all); err != nil {
		t.Fatal(err)
	}
	sign := all["sign"]
	delete(all, "sign")
	sent, _ := json.Marshal(all)
	wanted, _ := json.Marshal(want)
	if !bytes.Equal(sent, wanted) {
		t.Errorf("sent   %s\nwanted %s", sent, wanted)
	}
	over := want
	if m.Imageco.SignCharset == "gbk" {
		over = map[string]any{}
		for name, value := range want {
			text, err := simplifiedchinese.GBK.NewEncoder().String(value.(string))
			if err != nil {
				t.Fatal(err)
			}
			over[name] = text
		}
	}
	if sign != imagecoSign(m.Imageco.Key, over) {
		t.Error("the sign is wrong")
	}
	if bytes.Contains(c.Body, []byte(`\u003c`)) || bytes.Contains(c.Body, []byte(`\u0026`)) {
		t.Error("the JSON is escaped as for HTML")
	}
	if types := c.Header.Values("Content-Type"); c.Method != "POST" || len(types) != 1 || types[0] != "application/json; charset=utf-8" {
		t.Errorf("%s with %v", c.Method, types)
	}
	if agents := c.Header.Values("User-Agent"); len(agents) != 1 || agents[0] == "" {
		t.Errorf("User-Agent %v", agents)
	}
}

// said is one thing that 翼码 may answer, and what it means.
type said struct {
	name     string
	answer   func(rw http.ResponseWriter, key string, sent []byte)
	outcome  string
	code     string
	verified bool
	status   int // http_status
	http     int // our own status
	calls    int
}

// says answers with a result.id and a right sign, on an HTTP status.
func says(status int, id string) func(http.ResponseWriter, string, []byte) {
	return with(status, id, nil)
}

func with(status int, id string, change func(map[string]any)) func(http.ResponseWriter, string, []byte) {
	return func(rw http.ResponseWriter, key string, sent []byte) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		_, _ = rw.Write(imagecoAnswer(key, sent, id, "说明", change))
	}
}

func plain(status int, body string) func(http.ResponseWriter, string, []byte) {
	return func(rw http.ResponseWriter, _ string, _ []byte) {
		rw.WriteHeader(status)
		_, _ = rw.Write([]byte(body))
	}
}

// resigned signs again after a change.
func resigned(key string, all map[string]any) {
	delete(all, "sign")
	all["sign"] = imagecoSign(key, all)
}

var replyAnswers = []said{
	{"0000", says(200, "0000"), "succeeded", "0000", true, 200, 200, 1},
	{"0000 without a sign", with(200, "0000", func(a map[string]any) { delete(a, "sign") }), "succeeded", "0000", false, 200, 200, 1},
	{"0000 with a wrong sign", with(200, "0000", func(a map[string]any) { a["sign"] = strings.Repeat("A", 32) }), "succeeded", "0000", false, 200, 200, 1},
	{"0000 with a sign in lower case", with(200, "0000", func(a map[string]any) { a["sign"] = strings.ToLower(a["sign"].(string)) }), "succeeded", "0000", true, 200, 200, 1},
	{"0000 with members nobody knows", func(rw http.ResponseWriter, key string, sent []byte) {
		_, _ = rw.Write(imagecoAnswer(key, sent, "0000", "", func(a map[string]any) {
			a["colour"], a["list"], a["null"], a["n"] = "red", []int{1}, nil, 7
			resigned(key, a)
		}))
	}, "succeeded", "0000", true, 200, 200, 1},
	{"0000 for another transaction", func(rw http.ResponseWriter, key string, sent []byte) {
		_, _ = rw.Write(imagecoAnswer(key, sent, "0000", "", func(a map[string]any) { a["transaction_id"] = "9999999999999"; resigned(key, a) }))
	}, "unknown", "UPSTREAM_GARBLED", true, 200, 504, 1},
	{"0000 for another complaint", func(rw http.ResponseWriter, key string, sent []byte) {
		_, _ = rw.Write(imagecoAnswer(key, sent, "0000", "", func(a map[string]any) { a["complaint_id"] = "9"; resigned(key, a) }))
	}, "unknown", "UPSTREAM_GARBLED", true, 200, 504, 1},
	{"0000 without ids", func(rw http.ResponseWriter, key string, sent []byte) {
		_, _ = rw.Write(imagecoAnswer(key, sent, "0000", "", func(a map[string]any) {
			delete(a, "complaint_id")
			delete(a, "transaction_id")
			resigned(key, a)
		}))
	}, "unknown", "UPSTREAM_GARBLED", true, 200, 504, 1},
	{"0000 with 500", says(500, "0000"), "unknown", "UPSTREAM_GARBLED", true, 500, 504, 1},
	{"6100 with 503", says(503, "6101"), "unknown", "UPSTREAM_GARBLED", true, 503, 504, 1},
	{"500 and nothing", plain(500, ""), "unknown", "UPSTREAM_GARBLED", false, 500, 504, 1},
	{"502 and a page", plain(502, "<html>"), "unknown", "UPSTREAM_GARBLED", false, 502, 504, 1},
	{"302", func(rw http.ResponseWriter, _ string, _ []byte) {
		rw.Header().Set("Location", "/elsewhere")
		rw.WriteHeader(302)
	}, "unknown", "UPSTREAM_GARBLED", false, 302, 504, 1},
	{"307", func(rw http.ResponseWriter, _ string, _ []byte) {
		rw.Header().Set("Location", "/elsewhere")
		rw.WriteHeader(307)
	}, "unknown", "UPSTREAM_GARBLED", false, 307, 504, 1},
	{"200 and nothing", plain(200, ""), "unknown", "UPSTREAM_GARBLED", false, 200, 504, 1},
	{"200 and a page", plain(200, "<html><body>ok</body></html>"), "unknown", "UPSTREAM_GARBLED", false, 200, 504, 1},
	{"200 and JSON without a result", plain(200, `{"response_type":"x"}`), "unknown", "UPSTREAM_GARBLED", false, 200, 504, 1},
	{"200 and a result that is a text", plain(200, `{"result":"0000"}`), "unknown", "UPSTREAM_GARBLED", false, 200, 504, 1},
	{"200 and half of it", plain(200, `{"result":{"id":"0000"`), "unknown", "UPSTREAM_GARBLED", false, 200, 504, 1},
	{"200 and an empty result.id", plain(200, `{"result":{"id":"","comment":"?"}}`), "unknown", "UPSTREAM_GARBLED", false, 200, 504, 1},
	{"9998", says(200, "9998"), "unknown", "9998", true, 200, 504, 1},
	{"6100", says(200, "6100"), "rejected", "6100", true, 200, 502, 1},
	{"6108", says(200, "6108"), "rejected", "6108", true, 200, 502, 1},
	{"6109", says(200, "6109"), "rejected", "6109", true, 200, 422, 1},
	{"5200", says(200, "5200"), "rejected", "5200", true, 200, 502, 1},
	{"7000", says(200, "7000"), "rejected", "7000", true, 200, 502, 1},
	{"7001", says(200, "7001"), "rejected", "7001", true, 200, 422, 1},
	{"7104", says(200, "7104"), "rejected", "7104", true, 200, 502, 1},
	{"7105", says(200, "7105"), "rejected", "7105", true, 200, 502, 1},
	{"7101", says(200, "7101"), "rejected", "7101", true, 200, 422, 1},
	{"3001", says(200, "3001"), "rejected", "3001", true, 200, 422, 1},
	{"9999", says(200, "9999"), "rejected", "9999", true, 200, 422, 1},
	{"3001 with 400", says(400, "3001"), "rejected", "3001", true, 400, 422, 1},
	{"400 and a page", plain(400, "<html>"), "rejected", "UPSTREAM_REFUSED", false, 400, 422, 1},
	{"404 and nothing", plain(404, ""), "rejected", "UPSTREAM_REFUSED", false, 404, 422, 1},
	{"403 and JSON of somebody else's", plain(403, `{"error":"x"}`), "rejected", "UPSTREAM_REFUSED", false, 403, 422, 1},
	{"429", plain(429, ""), "retryable", "RATE_LIMITED", false, 429, 503, 2},
	{"the connection cut before an answer", func(http.ResponseWriter, string, []byte) { panic(http.ErrAbortHandler) }, "unknown", "UPSTREAM_TIMEOUT", false, 0, 504, 1},
	{"the connection cut in the middle", func(rw http.ResponseWriter, _ string, _ []byte) {
		rw.Header().Set("Content-Length", "500")
		_, _ = rw.Write([]byte(`{"result":{"id":"0000"}}`))
		_ = http.NewResponseController(rw).Flush()
		panic(http.ErrAbortHandler)
	}, "unknown", "UPSTREAM_TIMEOUT", false, 200, 504, 1},
	{"no answer in time", func(rw http.ResponseWriter, _ string, _ []byte) { untilHangUp(rw) }, "unknown", "UPSTREAM_TIMEOUT", false, 0, 504, 1},
	{"a JSON answer over 1 MiB", func(rw http.ResponseWriter, key string, sent []byte) {
		_, _ = rw.Write(imagecoAnswer(key, sent, "0000", "", func(a map[string]any) { a["more"] = long(1 << 20); resigned(key, a) }))
	}, "unknown", "UPSTREAM_GARBLED", false, 200, 504, 1},
}

func TestEveryAnswerToAReplyHasItsMeaning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	gateway := w.newStub(silent)
	f := w.reply("IMAGECO_URL="+gateway.URL, "MAX_ATTEMPTS=2", "ATTEMPT_TIMEOUT=4s")
	for _, test := range replyAnswers {
		t.Run(test.name, func(t *testing.T) {
			gateway.says(func(rw http.ResponseWriter, c sandbox.Call) { test.answer(rw, m.Imageco.Key, c.Body) })
			before := len(gateway.received())
			id := w.complaint("acme")
			got := f.response(f.invoke(request{merchant: "acme", complaint: id, body: goodBody}.httpAPI("reply")))
			if got.Outcome != test.outcome || got.Code != test.code || got.Verified != test.verified || got.HTTPStatus != test.status || got.status != test.http {
				t.Errorf("got %d %s", got.status, got.body)
			}
			calls := gateway.received()[before:]
			if len(calls) != test.calls || got.Attempts != test.calls {
				t.Errorf("%d calls were made and %d are told of", len(calls), got.Attempts)
			}
			for _, c := range calls {
				if strings.Contains(c.Target, "elsewhere") {
					t.Error("a redirect was followed")
				}
			}
		})
	}
}

func TestWithEnforceAWrongSignMakesTheOutcomeUnknownAndAMissingOneDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("json", sandbox.MerchantOptions{})
	w.merchant("xml", sandbox.MerchantOptions{XML: true})
	warn, enforce := w.reply(), w.reply("IMAGECO_RESPONSE_SIGN=enforce")
	for _, merchant := range []string{"json", "xml"} {
		for _, test := range []struct {
			name           string
			fault          sandbox.Fault
			warn, enforced string
			code           string
		}{
			{"right", sandbox.Fault{}, "succeeded", "succeeded", "0000"},
			{"missing", sandbox.Fault{Unsigned: true}, "succeeded", "succeeded", "0000"},
			{"wrong", sandbox.Fault{WrongSignature: true}, "succeeded", "unknown", "UPSTREAM_UNVERIFIED"},
			{"wrong on a refusal", sandbox.Fault{WrongSignature: true, Code: "6101", Message: "x"}, "rejected", "unknown", "UPSTREAM_UNVERIFIED"},
		} {
			w.ImagecoHost.Faults.Next(test.fault, test.fault)
			if got := warn.bare(replyTo(merchant, w.complaint(merchant))); got.Outcome != test.warn || got.Verified != (test.name == "right") {
				t.Errorf("%s, %s, warn: %+v", merchant, test.name, got)
			}
			if got := enforce.bare(replyTo(merchant, w.complaint(merchant))); got.Outcome != test.enforced || got.Code != test.code || got.Verified != (test.name == "right") {
				t.Errorf("%s, %s, enforce: %+v", merchant, test.name, got)
			}
		}
	}
	if unverified := sum(t, warn, "Unverified"); unverified != 4 {
		t.Errorf("%v wrong signs were counted", unverified)
	}
	if lines := warn.logged(t, func(l line) bool { return l["level"] == "WARN" && l["merchant"] == "json" }); len(lines) != 2 {
		t.Errorf("%d wrong signs were logged", len(lines))
	}
}
