package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

func TestWechatPayEchoes(t *testing.T) {
	d := world(t)
	keys := platformKeys(t, d)
	for _, test := range []struct {
		name, body string
		spoil      func(*completion)
		status     int
		says       string
	}{
		{"a right self-test", `{"echo_message":"你好"}`, func(*completion) {}, 200, `{"echo_message":"你好"}`},
		{"another member", `{"echo_message":"a","x":"y"}`, func(*completion) {}, 400, `"/x"`},
		{"an emoji", `{"echo_message":"好😀"}`, func(*completion) {}, 400, "四字节"},
		{"an emoji as an escape", `{"echo_message":"\ud83d\ude00"}`, func(*completion) {}, 400, "四字节"},
		{"a callback without TLS", `{"echo_message":"a","notify_url":"http://example.com/"}`, func(*completion) {}, 400, "/notify_url"},
		{"what was not encrypted", `{"echo_message":"a","encrypted_echo_message":"aGVsbG8="}`, func(*completion) {}, 400, "密文"},
		{"no message", `{"echo_message":""}`, func(*completion) {}, 400, "echo_message"},
		{"another method", `{"echo_message":"a"}`, func(c *completion) { c.method = "PUT" }, 405, ""},
		{"another serial number", `{"echo_message":"a"}`, func(c *completion) { c.requester.SerialNo = "77" }, 401, "商户证书序列号有误"},
		{"an old timestamp", `{"echo_message":"a"}`, func(c *completion) { c.at = c.at.Add(-6 * time.Minute) }, 401, "timestamp"},
		{"an unknown platform key", `{"echo_message":"a"}`, func(c *completion) { c.header.Set("Wechatpay-Serial", "PUB_KEY_ID_X") }, 400, "Wechatpay-Serial"},
	} {
		c := newCompletion(d, d.Acme, "unused")
		c.target, c.body = "/v3/security/echo", test.body
		test.spoil(c)
		resp, body, err := c.send(t, d.Backup)
		if err != nil || resp.StatusCode != test.status || !strings.Contains(string(body), test.says) {
			t.Errorf("%s: %v %s %v", test.name, resp, body, err)
			continue
		}
		unsigned := test.status == 401 || test.status == 405
		if err := keys.Verify(resp.Header, body, time.Now()); (err == nil) == unsigned {
			t.Errorf("%s: verifying the answer gives %v", test.name, err)
		}
		if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil {
			t.Errorf("%s: no Date", test.name)
		}
	}
}

func TestImagecoTellsOfAComplaint(t *testing.T) {
	d := world(t)
	i := d.Acme.Imageco
	x := d.XML.Imageco
	right := imageco.DetailQuery{ISSPID: i.ISSPID, TransactionID: "doctor1234567890", SystemID: i.SystemID, SellerAccount: i.SellerAccount, ComplaintID: "c1"}
	for _, test := range []struct {
		name, key, id string
		spoil         func(*imageco.DetailQuery)
		signature     imageco.Signature
	}{
		{"a right query", i.Key, "0000", func(*imageco.DetailQuery) {}, imageco.SignatureRight},
		{"no such complaint", i.Key, "3001", func(q *imageco.DetailQuery) { q.ComplaintID = "c404" }, imageco.SignatureRight},
		{"another key", "another", "6100", func(*imageco.DetailQuery) {}, imageco.SignatureWrong},
		{"another account", i.Key, "5200", func(q *imageco.DetailQuery) { q.ISSPID = "1" }, imageco.SignatureAbsent},
		{"another system", i.Key, "7001", func(q *imageco.DetailQuery) { q.SystemID = "1" }, imageco.SignatureRight},
		{"another seller", i.Key, "7002", func(q *imageco.DetailQuery) { q.SellerAccount = "1" }, imageco.SignatureRight},
		{"a member missing", i.Key, "2001", func(q *imageco.DetailQuery) { q.SellerAccount = "" }, imageco.SignatureRight},
		{"a member too long", i.Key, "2002", func(q *imageco.DetailQuery) { q.SystemID = "88888" }, imageco.SignatureRight},
	} {
		q := right
		test.spoil(&q)
		request, err := q.JSON(test.key, false)
		if err != nil {
			t.Fatal(err)
		}
		resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, request)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %v %v", test.name, resp, err)
		}
		got, err := imageco.ReadJSON(body, test.key)
		if err != nil || got.ResultID != test.id || got.Signature != test.signature || got.ComplaintID != q.ComplaintID {
			t.Errorf("%s in JSON: %+v, %v", test.name, got, err)
		}
		key := test.key
		if key == i.Key {
			key = x.Key
		}
		if q.ISSPID == i.ISSPID {
			q.ISSPID = x.ISSPID
		}
		if q.SellerAccount == i.SellerAccount {
			q.SellerAccount = x.SellerAccount
		}
		if request, err = q.Form(key); err != nil {
			t.Fatal(err)
		}
		if _, body, err = reach(t, "POST", d.ImagecoHost.URL(), formHeader, request); err != nil {
			t.Fatal(err)
		}
		got, err = imageco.ReadXML(body, key)
		if err != nil || got.ResultID != test.id || got.Signature != test.signature || got.TransactionID != q.TransactionID {
			t.Errorf("%s in XML: %+v, %v", test.name, got, err)
		}
	}
	if c, _ := d.State.Complaint("acme", "c1"); c.State != Pending || len(c.Replies) != 0 {
		t.Errorf("a query changed the complaint: %+v", c)
	}
	request, err := json.Marshal(map[string]string{"request_type": detailRequest, "isspid": i.ISSPID, "response_content": "x",
		"sign": signing.ImagecoJSON(i.Key, []signing.Member{{Name: "request_type", Value: detailRequest}, {Name: "isspid", Value: i.ISSPID}, {Name: "response_content", Value: "x"}})})
	if err != nil {
		t.Fatal(err)
	}
	if _, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, request); err != nil || !strings.Contains(string(body), `"id":"2001"`) {
		t.Errorf("members of a reply: %s %v", body, err)
	}
}
