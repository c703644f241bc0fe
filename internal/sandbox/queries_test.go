package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
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
		{"another member", `{"echo_message":"a","x":"y"}`, func(*completion) {}, 400, "echo_message"},
		{"no message", `{"echo_message":""}`, func(*completion) {}, 400, "echo_message"},
		{"another method", `{"echo_message":"a"}`, func(c *completion) { c.method = "PUT" }, 405, "PARAM_ERROR"},
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
		if err := keys.Verify(resp.Header, body, time.Now()); err != nil {
			t.Errorf("%s: the answer does not verify: %v", test.name, err)
		}
		if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil {
			t.Errorf("%s: no Date", test.name)
		}
	}
}

func TestImagecoTellsOfAComplaint(t *testing.T) {
	d := world(t)
	i := d.Acme.Imageco
	right := wire.DetailQuery{ISSPID: i.ISSPID, TransactionID: "doctor1234567890", SystemID: i.SystemID, SellerAccount: i.SellerAccount, ComplaintID: "c1"}
	for _, test := range []struct {
		name, key, id string
		spoil         func(*wire.DetailQuery)
		signature     wire.Signature
	}{
		{"a right query", i.Key, "0000", func(*wire.DetailQuery) {}, wire.SignatureRight},
		{"no such complaint", i.Key, "3001", func(q *wire.DetailQuery) { q.ComplaintID = "c404" }, wire.SignatureRight},
		{"another key", "another", "6100", func(*wire.DetailQuery) {}, wire.SignatureWrong},
		{"another account", i.Key, "5200", func(q *wire.DetailQuery) { q.ISSPID = "1" }, wire.SignatureAbsent},
		{"another system", i.Key, "7001", func(q *wire.DetailQuery) { q.SystemID = "1" }, wire.SignatureRight},
		{"a member missing", i.Key, "2001", func(q *wire.DetailQuery) { q.SellerAccount = "" }, wire.SignatureRight},
		{"a member too long", i.Key, "2002", func(q *wire.DetailQuery) { q.SystemID = "88888" }, wire.SignatureRight},
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
		got, err := wire.ReadReplyJSON(body, test.key, false)
		if err != nil || got.ResultID != test.id || got.Signature != test.signature || got.ComplaintID != q.ComplaintID {
			t.Errorf("%s in JSON: %+v, %v", test.name, got, err)
		}
		if request, err = q.Form(test.key); err != nil {
			t.Fatal(err)
		}
		if _, body, err = reach(t, "POST", d.ImagecoHost.URL(), formHeader, request); err != nil {
			t.Fatal(err)
		}
		got, err = wire.ReadReplyXML(body, test.key)
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
