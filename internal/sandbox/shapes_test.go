package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/signing"
)

// TestWechatPayTakesWhatRealClientsSend has the shape of each client's requests: headers, nonce and style of JSON, as seen on
// the wire or in its source. The clients themselves are run by `make peers`.
func TestWechatPayTakesWhatRealClientsSend(t *testing.T) {
	d := world(t)
	const axios = "application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5"
	for i, shape := range []struct {
		client string
		header map[string]string // "" takes a header away
		nonce  string
		body   string // MCHID stands for the merchant's
		signed string // the key that has to sign the answer
	}{
		{"Kesu", nil, "", "", d.PublicKey.ID},
		{"wechatpay-go 0.2.21", map[string]string{"Accept": "*/*"}, "", "", d.PublicKey.ID},
		{"wechatpay-java 0.2.17", map[string]string{"Accept": "*/*", "Content-Type": "application/json; charset=utf-8"}, "", "", d.PublicKey.ID},
		{"wechatpay-java 0.2.17, before it knows a certificate", map[string]string{"Accept": " */*", "Wechatpay-Serial": ""}, "", "", d.Certificate.ID},
		{"WxJava 4.7.0, which names no key", map[string]string{"Wechatpay-Serial": "", "Content-Type": "application/json; charset=UTF-8"}, "", "", d.Certificate.ID},
		{"WxJava 4.7.9 with a certificate", map[string]string{"Wechatpay-Serial": d.Certificate.ID}, "", "", d.Certificate.ID},
		{"wechatpayv3 2.0.4, which names no certificate and puts blanks into its JSON", map[string]string{"Wechatpay-Serial": ""},
			"5FA3A9C1E29B4D4CBE86D6D8E2A4A8F1", `{"complainted_mchid": "MCHID"}`, d.Certificate.ID},
		{"gopay 1.5.123, which names an empty key until it verifies", map[string]string{"Wechatpay-Serial": " "}, "", "", d.Certificate.ID},
		{"wechatpay-axios-plugin 0.9.6 and wechatpay-php 1.4", map[string]string{"Accept": axios, "Wechatpay-Serial": "", "Content-Type": "application/json; charset=utf-8"},
			"", "", d.Certificate.ID},
		{"wechatpay-node-v3 2.2.1", map[string]string{"Accept-Encoding": "gzip", "User-Agent": "127.0.0.1", "Wechatpay-Serial": ""}, "k3v9x0q2w1a", "", d.Certificate.ID},
		{"the documentation's curl", map[string]string{"User-Agent": "curl/8.5.0", "Wechatpay-Serial": ""}, "", "{\n  \"complainted_mchid\" : \"MCHID\"\n}", d.Certificate.ID},
		{"a request whose nonce has one character", nil, "a", "", d.PublicKey.ID},
		{"a request in escapes", nil, "", `{"complainted_mch\u0069d":"MCHID"}`, d.PublicKey.ID},
		{"an Accept of several ranges with weights", map[string]string{"Accept": "text/html, application/*;q=0.8"}, "", "", d.PublicKey.ID},
	} {
		t.Run(shape.client, func(t *testing.T) {
			id := "shape-" + strconv.Itoa(i)
			d.State.Add("acme", id)
			c := newCompletion(d, d.Acme, id)
			for name, value := range shape.header {
				c.header.Set(name, value)
				if value == "" {
					c.header.Del(name)
				}
			}
			if shape.nonce != "" {
				c.nonce = shape.nonce
			}
			if shape.body != "" {
				c.body = strings.ReplaceAll(shape.body, "MCHID", d.Acme.WechatPay.Mchid)
			}
			resp, body, err := c.send(t, d.Primary)
			if err != nil || resp.StatusCode != http.StatusNoContent {
				t.Fatalf("%v %s %v", resp, body, err)
			}
			// WxJava looks into the Content-Type of an answer that has no content.
			if got := resp.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
				t.Errorf("Content-Type %q", got)
			}
			// wechatpayv3 asks for the kind of signature.
			if got := resp.Header.Get("Wechatpay-Signature-Type"); got != "WECHATPAY2-SHA256-RSA2048" {
				t.Errorf("Wechatpay-Signature-Type %q", got)
			}
			if got := resp.Header.Get("Wechatpay-Serial"); got != shape.signed {
				t.Errorf("signed by %s instead of %s", got, shape.signed)
			}
		})
	}
}

// TestWechatPayIsAProxyToo: a client that can be given a proxy only, as WxJava, sends the whole address.
func TestWechatPayIsAProxyToo(t *testing.T) {
	d := world(t)
	c := newCompletion(d, d.Acme, "c1")
	authorization, err := c.requester.Authorization(c.method, c.target, []byte(c.body), c.at, c.nonce)
	if err != nil {
		t.Fatal(err)
	}
	c.header.Set("Authorization", authorization)
	answer := speak(t, d.Primary, "POST http://api.mch.weixin.qq.com"+c.target+" HTTP/1.1", c.header, c.body)
	if !strings.HasPrefix(answer, "HTTP/1.1 204") {
		t.Errorf("got %s", answer)
	}
	if calls := d.Primary.Calls.Calls(); len(calls) != 1 || calls[0].Target != c.target {
		t.Errorf("recorded %+v", calls)
	}
}

// TestImagecoTakesWhatOthersSend: spellings of the declaration that XML allows, and what curl makes of a message with -d.
func TestImagecoTakesWhatOthersSend(t *testing.T) {
	d := world(t)
	document := xmlText(members(d.XML, "c1"))
	form := func(declaration string) []byte {
		return signedForm(t, d.XML.Imageco.Key, strings.Replace(document, `<?xml version="1.0" encoding="GBK"?>`, declaration, 1))
	}
	plain := xmlText(without(without(without(members(d.XML, "c1"), "jump_url"), "jump_url_text"), "response_images"))
	raw, err := simplifiedchinese.GBK.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	json := signedJSON(d.Acme.Imageco.Key, members(d.Acme, "c1"))
	for i, test := range []struct {
		name, merchant string
		header         http.Header
		body           []byte
	}{
		{"the declaration of the documentation", "acme-xml", formHeader, form(`<?xml version="1.0" encoding="GBK"?>`)},
		{"an encoding in lower case", "acme-xml", formHeader, form(`<?xml version="1.0" encoding="gbk"?>`)},
		{"single quotes", "acme-xml", formHeader, form(`<?xml version='1.0' encoding='GBK'?>`)},
		{"blanks and standalone", "acme-xml", formHeader, form(`<?xml version = "1.0" encoding = "GBK" standalone="yes" ?>` + "\n")},
		{"curl -d of XML, which escapes nothing", "acme-xml", formHeader, []byte("xml=" + raw + "&mac=" + signing.ImagecoXML(d.XML.Imageco.Key, []byte(raw)))},
		{"curl -d of JSON, which says that it is a form", "acme", formHeader, json},
		{"JSON without a charset", "acme", http.Header{"Content-Type": {"application/json"}}, json},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, _ := d.State.Complaint(test.merchant, "c1")
			resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), test.header, test.body)
			after, _ := d.State.Complaint(test.merchant, "c1")
			if err != nil || resp.StatusCode != 200 || len(after.Replies) != len(before.Replies)+1 {
				t.Errorf("%d: %v %s %v", i, resp, body, err)
			}
		})
	}
}

func TestImagecoRefusesWhatWasNotAgreed(t *testing.T) {
	d := world(t)
	for _, test := range []struct {
		name, id string
		m        *Merchant
		header   http.Header
		body     []byte
	}{
		{"JSON of a merchant that talks XML", imagecoWrongForm, d.XML, jsonHeader, signedJSON(d.XML.Imageco.Key, members(d.XML, "c1"))},
		{"XML of a merchant that talks JSON", imagecoWrongForm, d.Acme, formHeader, signedForm(t, d.Acme.Imageco.Key, xmlText(members(d.Acme, "c1")))},
		{"another merchant's account", imagecoWrongSeller, d.Acme, jsonHeader,
			signedJSON(d.Acme.Imageco.Key, set(members(d.Acme, "c1"), "seller_account", d.XML.Imageco.SellerAccount))},
	} {
		resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), test.header, test.body)
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), test.id) {
			t.Errorf("%s: %v %s %v", test.name, resp, body, err)
		}
		if c, _ := d.State.Complaint(test.m.Name, "c1"); len(c.Replies) != 0 {
			t.Errorf("%s: it was shown", test.name)
		}
	}
}
