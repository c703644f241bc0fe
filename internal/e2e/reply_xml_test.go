package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/internal/sandbox"
)

var cdata = regexp.MustCompile(`<jump_url><!\[CDATA\[(.*)\]\]></jump_url>`)

func TestAnXMLReplyIsAFormOfGBKBytesWithTheirMac(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{XML: true})
	f := w.reply()
	for _, bare := range []bool{false, true} {
		w.Imageco.AnswerBareXML(bare)
		id := w.complaint("acme")
		got := f.bare(replyTo("acme", id).with(fullReply...).with("response_content", "您好,已与用户\"沟通\"解决 <&> ']]>"))
		if got.Outcome != "succeeded" || got.Verified == bare || got.Message != "回复成功" {
			t.Fatalf("bare %v: got %+v", bare, got)
		}
		call := callsFor(w.ImagecoHost, id)[0]
		form, err := url.ParseQuery(string(call.Body))
		if err != nil || len(form) != 2 {
			t.Fatalf("the form has %d members: %v", len(form), err)
		}
		document := form.Get("xml")
		if form.Get("mac") != imagecoMac(m.Imageco.Key, document) {
			t.Error("the mac is wrong")
		}
		if !strings.HasPrefix(call.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || call.Method != "POST" {
			t.Errorf("%s with %s", call.Method, call.Header.Get("Content-Type"))
		}
		text, err := simplifiedchinese.GBK.NewDecoder().String(document)
		if err != nil || !strings.HasPrefix(text, `<?xml version="1.0" encoding="GBK"?>`) || !strings.Contains(text, "您好") || strings.Contains(text, "<sign>") {
			t.Errorf("the document: %v", err)
		}
		root := strings.TrimSpace(strings.TrimPrefix(text, `<?xml version="1.0" encoding="GBK"?>`))
		if !strings.HasPrefix(root, "<business_trans>") || !strings.HasSuffix(strings.TrimSpace(root), "</business_trans>") {
			t.Error("the root is not business_trans")
		}
		if link := cdata.FindStringSubmatch(text); link == nil || link[1] != "https://a.example/?a=1&b=%3C2%3E" {
			t.Error("jump_url is not in CDATA")
		}
		c, _ := w.State.Complaint("acme", id)
		if len(c.Replies) != 1 || c.Replies[0].Content != "您好,已与用户\"沟通\"解决 <&> ']]>" || strings.Join(c.Replies[0].Images, ",") != "m-1,m_2" {
			t.Errorf("the consumer sees %+v", c.Replies)
		}
	}
}

func TestXMLAnswersAreReadInTheEncodingThatTheyAreIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{XML: true})
	gateway := w.newStub(silent)
	document := func(head, transaction, complaint string) string {
		return head + "<business_trans><response_type>risk_complaints_resp_response</response_type><new>1</new><transaction_id>" + transaction + "</transaction_id><complaint_id>" +
			complaint + "</complaint_id><result><id>0000</id><comment>回复成功</comment></result></business_trans>"
	}
	gbk := func(text string) string {
		encoded, err := simplifiedchinese.GBK.NewEncoder().String(text)
		if err != nil {
			t.Error(err)
		}
		return encoded
	}
	form := func(document, mac string) string { return url.Values{"xml": {document}, "mac": {mac}}.Encode() }
	f := w.reply("IMAGECO_URL=" + gateway.URL)
	for _, test := range []struct {
		name     string
		make     func(transaction, complaint string) string
		outcome  string
		verified bool
	}{
		{"bare GBK", func(a, b string) string { return gbk(document(`<?xml version="1.0" encoding="GBK"?>`, a, b)) }, "succeeded", false},
		{"bare gbk in lower case", func(a, b string) string { return gbk(document(`<?xml version="1.0" encoding="gbk"?>`, a, b)) }, "succeeded", false},
		{"bare UTF-8", func(a, b string) string { return document(`<?xml version="1.0" encoding="UTF-8"?>`, a, b) }, "succeeded", false},
		{"bare without a declaration", func(a, b string) string { return document("", a, b) }, "succeeded", false},
		{"a form in GBK", func(a, b string) string {
			d := gbk(document(`<?xml version="1.0" encoding="GBK"?>`, a, b))
			return form(d, imagecoMac(m.Imageco.Key, d))
		}, "succeeded", true},
		{"a form in UTF-8", func(a, b string) string {
			d := document(`<?xml version="1.0" encoding="UTF-8"?>`, a, b)
			return form(d, imagecoMac(m.Imageco.Key, d))
		}, "succeeded", true},
		{"a form with the mac first and in upper case", func(a, b string) string {
			d := document(`<?xml version="1.0" encoding="UTF-8"?>`, a, b)
			return "mac=" + strings.ToUpper(imagecoMac(m.Imageco.Key, d)) + "&xml=" + url.QueryEscape(d)
		}, "succeeded", true},
		{"UTF-8 that declares another encoding", func(a, b string) string { return document(`<?xml version="1.0" encoding="Big5"?>`, a, b) }, "succeeded", false},
		{"a DOCTYPE", func(a, b string) string { return document(`<!DOCTYPE a [<!ENTITY b "c">]>`, a, b) }, "unknown", false},
		{"an answer about another transaction", func(a, b string) string { return document("", "9999999999999", b) }, "unknown", false},
		{"JSON", func(a, b string) string {
			return `{"transaction_id":"` + a + `","complaint_id":"` + b + `","result":{"id":"0000"}}`
		}, "unknown", false},
		{"half a document", func(a, b string) string { d := document("", a, b); return d[:len(d)-10] }, "unknown", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			gateway.says(func(rw http.ResponseWriter, c sandbox.Call) {
				form, _ := url.ParseQuery(string(c.Body))
				value := func(name string) string {
					return regexp.MustCompile("<" + name + ">(.*)</" + name + ">").FindStringSubmatch(form.Get("xml"))[1]
				}
				_, _ = rw.Write([]byte(test.make(value("transaction_id"), value("complaint_id"))))
			})
			got := f.bare(replyTo("acme", w.complaint("acme")))
			if got.Outcome != test.outcome || got.Verified != test.verified || got.Outcome == "succeeded" && got.Message != "回复成功" {
				t.Errorf("got %+v", got)
			}
			if got.Outcome == "unknown" && got.Code != "UPSTREAM_GARBLED" {
				t.Errorf("the code is %s", got.Code)
			}
		})
	}
}
