package wire_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/wire"
)

// An object that is taken is JSON, an object that is refused has a reason that encoding/json does not see or is not
// JSON, and the members put together again are the object.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":[{"c":null}],"a":"\ud83d\ude00"}`, `{"a":1,}`, `{"a" 1}`, `[]`, ` { "x" : -1.5e3 } `, `{"a":"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		members, err := wire.Object(raw)
		if err != nil {
			if strings.Contains(err.Error(), "is not JSON") && json.Valid(raw) && utf8.Valid(raw) {
				t.Fatalf("%v", err)
			}
			return
		}
		if !json.Valid(raw) || !utf8.Valid(raw) {
			t.Fatal("it took what is not JSON")
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
		names := map[string]json.RawMessage{}
		for _, m := range members {
			if !json.Valid(m.Value) || m.Value[0] <= ' ' {
				t.Fatalf("the value %q", m.Value)
			}
			names[m.Name] = m.Value
		}
		if len(names) != len(all) {
			t.Fatalf("%d names, encoding/json sees %d", len(names), len(all))
		}
		for name, value := range all {
			if string(names[name]) != string(value) {
				t.Fatalf("%q is %q, encoding/json sees %q", name, names[name], value)
			}
		}
	})
}

var (
	validID  = regexp.MustCompile(`\A[0-9A-Za-z_-]{1,64}\z`)
	validTxn = regexp.MustCompile(`\A[0-9A-Za-z]{13,32}\z`)
	validKey = regexp.MustCompile(`\A[ -~]{1,128}\z`)
)

func within(value string, most int, lineFeed bool) bool {
	n := 0
	for _, r := range value {
		n++
		if r > 0xFFFF || r == utf8.RuneError || unicode.IsControl(r) && !(lineFeed && r == '\n') {
			return false
		}
	}
	return n >= 1 && n <= most
}

// checkRequest says whether a request without problems satisfies every limit, and one with problems tells them well.
func checkRequest(t *testing.T, r wire.Request) {
	c := r.Command
	if len(r.Problems) > 0 {
		checkProblems(t, r)
		return
	}
	ok := validID.MatchString(c.Merchant) && validID.MatchString(c.ComplaintID) &&
		(c.IdempotencyKey == "" || validKey.MatchString(c.IdempotencyKey)) && !r.TooLarge && !r.NotJSON
	if c.Action == wire.Complete {
		ok = ok && (c.ComplaintedMchid == "" || validID.MatchString(c.ComplaintedMchid)) && c.ResponseContent == "" && c.TransactionID == ""
	} else {
		ok = ok && within(c.ResponseContent, 200, true) && strings.TrimSpace(c.ResponseContent) != "" &&
			(c.SellerAccount == "" || within(c.SellerAccount, 64, false)) &&
			(c.TransactionID == "" || validTxn.MatchString(c.TransactionID)) &&
			validTxn.MatchString(c.UpstreamTransactionID()) && c.ComplaintedMchid == "" &&
			(c.JumpURL == "") == (c.JumpURLText == "") && len(c.ResponseImages) <= 4
		if c.JumpURL != "" {
			u, err := url.Parse(c.JumpURL)
			ok = ok && err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil &&
				within(c.JumpURL, 512, false) && within(c.JumpURLText, 10, false)
		}
		for _, id := range c.ResponseImages {
			ok = ok && within(id, 512, false) && !strings.Contains(id, "|")
		}
	}
	if !ok {
		t.Fatalf("it passed the door: %+v", c)
	}
}

func checkProblems(t *testing.T, r wire.Request) {
	if len(r.Problems) > 100 {
		t.Fatalf("%d problems", len(r.Problems))
	}
	for _, p := range r.Problems {
		if p.Detail == "" || p.Pointer != "" && p.Pointer[0] != '/' || len(p.Pointer) > 64*4*2+8 {
			t.Fatalf("%+v", p)
		}
	}
	if c := r.Command; c.Merchant != "" && !validID.MatchString(c.Merchant) || c.ComplaintID != "" && !validID.MatchString(c.ComplaintID) {
		t.Fatalf("a name that is not valid can be used: %+v", c)
	}
	status, _, body := r.Refusal(at).HTTP()
	if status != 400 && status != 413 && status != 415 || !json.Valid(body) {
		t.Fatalf("%d %s", status, body)
	}
}

func action(complete bool) wire.Action {
	if complete {
		return wire.Complete
	}
	return wire.Reply
}

func FuzzReadHTTP(f *testing.F) {
	f.Add(false, "acme", complaintID, "k", "application/json", []byte(`{"response_content":"a","response_images":["a"],"jump_url":"https://a.cn","jump_url_text":"b"}`))
	f.Add(false, "acme", complaintID, "k", "application/json", []byte(`{"response_content":"\ud83d\u0000","transaction_id":"resp202406170001","seller_account":"1","resend_unknown":true}`))
	f.Add(true, "acme", "1", "", "application/json; charset=utf-8", []byte(`{"complainted_mchid":"1","idempotency_key":"k"}`))
	f.Add(true, "", "a/b", "键", "text/plain", []byte(`{`))
	f.Fuzz(func(t *testing.T, complete bool, merchant, complaint, key, contentType string, body []byte) {
		in := wire.HTTPRequest{Merchant: merchant, ComplaintID: complaint, ContentType: contentType, Body: body}
		if key != "" {
			in.IdempotencyKeys = []string{key}
		}
		r := wire.ReadHTTP(action(complete), in)
		checkRequest(t, r)
		if len(r.Problems) == 0 && key != "" && r.Command.IdempotencyKey != key {
			t.Fatalf("the key is %q", r.Command.IdempotencyKey)
		}
	})
}

func FuzzReadDetail(f *testing.F) {
	f.Add(false, []byte(`{"merchant":"acme","complaint_id":"1","response_content":"a","response_images":["a","b|"],"idempotency_key":"k"}`))
	f.Add(false, []byte(`{"merchant":"acme","complaint_id":"1","response_content":"a","jump_url":"https://a.cn/?a=]]>","jump_url_text":"b"}`))
	f.Add(true, []byte(`{"merchant":"acme","complaint_id":"1","complainted_mchid":null}`))
	f.Fuzz(func(t *testing.T, complete bool, detail []byte) {
		r := wire.ReadDetail(action(complete), detail)
		checkRequest(t, r)
		if len(r.Problems) > 0 || complete {
			return
		}
		checkSent(t, r.Command)
	})
}

// checkSent says whether a reply that passed the door arrives as it was meant, in JSON and in XML.
func checkSent(t *testing.T, c wire.Command) {
	m := sample()
	m.ReplyContent = c.ReplyContent
	body, err := m.JSON(sampleKey, false)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := wire.ReadReplyJSON([]byte(strings.TrimSuffix(string(body), "}")+`,"result":{"id":"0000"}}`), sampleKey, false)
	if err != nil || answer.Signature != wire.SignatureRight || answer.TransactionID != m.TransactionID {
		t.Fatalf("%+v, %v", answer, err)
	}
	var sent map[string]string
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	doc, err := m.XML()
	if (err != nil) != (len((&wire.Command{ReplyContent: wire.ReplyContent{ResponseContent: c.ResponseContent,
		ResponseImages: c.ResponseImages, JumpURL: c.JumpURL, JumpURLText: c.JumpURLText}}).GBKProblems()) > 0) {
		t.Fatalf("GBKProblems says otherwise than XML: %v", err)
	}
	read := []map[string]string{sent}
	if err == nil {
		read = append(read, sentXML(t, doc))
	}
	for _, members := range read {
		if members["response_content"] != c.ResponseContent || members["jump_url"] != c.JumpURL || members["jump_url_text"] != c.JumpURLText ||
			members["response_images"] != strings.Join(c.ResponseImages, "|") {
			t.Fatalf("%+v arrived as %q", c.ReplyContent, members)
		}
	}
}

func checkAnswer(t *testing.T, answer wire.ReplyAnswer, err error) {
	if err == nil && (answer.ResultID == "" || len(answer.ResultID) > 32 || !validID.MatchString(answer.ResultID)) {
		t.Fatalf("the result.id of a readable answer is %q", answer.ResultID)
	}
	if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
		t.Fatalf("%q", err)
	}
	if !utf8.ValidString(answer.Comment) || !utf8.ValidString(answer.TransactionID) {
		t.Fatalf("%+v is not UTF-8", answer)
	}
}

// No answer has a right signature unless it was made with the key.
func FuzzReadReplyJSON(f *testing.F) {
	f.Add([]byte("{"+echoed+","+doneResult+"}"), true)
	f.Add([]byte(`{"sign":"00000000000000000000000000000000","result":{"id":"0000","id":"1"}}`), false)
	f.Add([]byte("\xEF\xBB\xBF{}"), false)
	f.Fuzz(func(t *testing.T, body []byte, gbk bool) {
		answer, err := wire.ReadReplyJSON(body, freshKey, gbk)
		checkAnswer(t, answer, err)
		if answer.Signature == wire.SignatureRight {
			t.Fatal("an answer that nobody signed is right")
		}
	})
}

func FuzzReadReplyXML(f *testing.F) {
	bare := []byte(gbkDeclaration + "<business_trans>" + xmlEchoed + "<result><id>0000</id><comment>\xB3\xC9\xB9\xA6</comment></result></business_trans>")
	f.Add(bare)
	f.Add([]byte("xml=" + url.QueryEscape(string(bare)) + "&mac=00000000000000000000000000000000"))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><business_trans>&b;</business_trans>`))
	f.Add([]byte("<business_trans><result><id><![CDATA[0000]]></id></result></business_trans><!-- -->"))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := wire.ReadReplyXML(body, freshKey)
		checkAnswer(t, answer, err)
		if answer.Signature == wire.SignatureRight {
			t.Fatal("an answer that nobody signed is right")
		}
		if text := string(body); err == nil && text[0] == '<' && strings.Contains(text, "<!DOCTYPE") && !strings.ContainsAny(text[1:], "[-?") {
			t.Fatal("a DOCTYPE was taken")
		}
	})
}

// freshKey is a key with which no input of a fuzz target was signed.
const freshKey = "a key that signs nothing"

func FuzzReadWechatPayError(f *testing.F) {
	f.Add([]byte(`{"code":"SIGN_ERROR","message":"签名错误","detail":{}}`))
	f.Add([]byte(`{"code":"a","code":"B"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		code, message := wire.ReadWechatPayError(body)
		if code == "" && message != "" || code != "" && !regexp.MustCompile(`\A[0-9A-Z_]{1,64}\z`).MatchString(code) {
			t.Fatalf("%q, %q", code, message)
		}
	})
}

func FuzzReadComplaintState(f *testing.F) {
	f.Add([]byte(`{"complaint_id":"1","complaint_state":"PROCESSED"}`), "1")
	f.Add([]byte(`{"complaint_id":"1","complaint_state":"PENDING"}`), "2")
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		state, err := wire.ReadComplaintState(body, id)
		if (state == "") != (err != nil) {
			t.Fatalf("%q, %v", state, err)
		}
		var said struct {
			State string `json:"complaint_state"`
		}
		if state != "" && (json.Unmarshal(body, &said) != nil || !strings.Contains(string(body), "complaint_") && !strings.Contains(string(body), `\`)) {
			t.Fatalf("%q was read from %q", state, body)
		}
	})
}

// standingAlone is a mobile number, or one behind 0, 86 or 0086, that no digit touches.
var standingAlone = regexp.MustCompile(`(?:\A|[^0-9])(?:0|86|0086)?1[3-9][0-9]{9}(?:[^0-9]|\z)`)

func FuzzMessage(f *testing.F) {
	f.Add("请联系13800138000处理", "")
	f.Add("138 0013  8000 +86-139-0013-9000\u200b", "secret")
	f.Add(strings.Repeat("字", 245)+"138001380001380013800", "字字")
	f.Add(strings.Repeat("f", 4060)+" 13800138000", "f")
	f.Add("155 1234 1381234 5678 13800138000", "138")
	f.Add("\u0131\x8c\u044c", "\xb1 ")
	f.Add("13814567818oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := wire.Message(text, secret)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 257 {
			t.Fatalf("%d characters: %q", utf8.RuneCountInString(got), got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || r != ' ' && unicode.IsSpace(r) {
				t.Fatalf("U+%04X is in %q", r, got)
			}
		}
		if standingAlone.MatchString(got) {
			t.Fatalf("a phone number stands alone in %q", got)
		}
		if len(secret) >= 8 && !strings.ContainsAny(secret, "*…") && strings.Contains(got, secret) {
			t.Fatal("the secret is in the message")
		}
		if again := wire.Message(got); utf8.RuneCountInString(got) <= 256 && again != got {
			t.Fatalf("%q becomes %q", got, again)
		}
	})
}
