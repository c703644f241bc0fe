package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

// completion is a right request to complete a complaint, for tests to spoil.
type completion struct {
	method, target, body string
	header               http.Header
	requester            signing.Requester
	at                   time.Time
	nonce                string
}

func newCompletion(d *Demo, m *Merchant, id string) *completion {
	return &completion{
		method: http.MethodPost, target: "/v3/merchant-service/complaints-v2/" + id + "/complete",
		body: `{"complainted_mchid":"` + m.WechatPay.Mchid + `"}`,
		header: http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"test"},
			"Wechatpay-Serial": {d.PublicKey.ID}},
		requester: signing.Requester{Mchid: m.WechatPay.Mchid, SerialNo: m.WechatPay.SerialNo, Key: m.Key},
		at:        time.Now(), nonce: "0" + randomHex(16)[1:],
	}
}

func (c *completion) send(t *testing.T, host *Host) (*http.Response, []byte, error) {
	t.Helper()
	if c.header.Get("Authorization") == "" {
		authorization, err := c.requester.Authorization(c.method, c.target, []byte(c.body), c.at, c.nonce)
		if err != nil {
			t.Fatal(err)
		}
		c.header.Set("Authorization", authorization)
	}
	return reach(t, c.method, host.URL()+c.target, c.header, []byte(c.body))
}

func platformKeys(t *testing.T, d *Demo) signing.KeySet {
	t.Helper()
	var set signing.KeySet
	for _, m := range []*Merchant{d.Acme, d.XML} {
		for _, k := range m.WechatPay.PlatformKeys {
			key, err := signing.ParsePlatformKey(k.ID, k.PEM)
			if err != nil {
				t.Fatal(err)
			}
			set = append(set, key)
		}
	}
	return set
}

func TestWechatPayCompletesAComplaintOnce(t *testing.T) {
	d := world(t)
	keys := platformKeys(t, d)
	resp, _, err := newCompletion(d, d.Acme, "c1").send(t, d.Primary)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("got %v, %v", resp, err)
	}
	if err := keys.Verify(resp.Header, nil, time.Now()); err != nil {
		t.Error("the answer does not verify:", err)
	}
	if resp.Header.Get("Request-Id") == "" {
		t.Error("the answer has no Request-ID")
	}
	if c, _ := d.State.Complaint("acme", "c1"); c.State != Processed {
		t.Errorf("the complaint is %s", c.State)
	}
	resp, body, err := newCompletion(d, d.Acme, "c1").send(t, d.Backup)
	if err != nil || resp.StatusCode != 400 || !strings.Contains(string(body), `"INVALID_REQUEST"`) {
		t.Errorf("the second time: %v %s %v", resp, body, err)
	}
	if err := keys.Verify(resp.Header, body, time.Now()); err != nil {
		t.Error("the refusal does not verify:", err)
	}
	read := newCompletion(d, d.Acme, "c1")
	read.method, read.target, read.body = http.MethodGet, strings.TrimSuffix(read.target, "/complete"), ""
	resp, body, err = read.send(t, d.Primary)
	if err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), `"complaint_state":"PROCESSED"`) || !strings.Contains(string(body), `"payer_phone":"`) || strings.Contains(string(body), PayerPhone) {
		t.Errorf("reading it: %v %s %v", resp, body, err)
	}
	if err := keys.Verify(resp.Header, body, time.Now()); err != nil {
		t.Error("what was read does not verify:", err)
	}
	acted := slices.DeleteFunc(append(d.Primary.Calls.Calls(), d.Backup.Calls.Calls()...), func(c Call) bool { return !c.Acted })
	if len(acted) != 1 || acted[0].Merchant != "acme" || acted[0].ComplaintID != "c1" || acted[0].Code != "OK" || acted[0].Status != 204 {
		t.Errorf("calls that acted: %+v", acted)
	}
}

func TestWechatPayAnswersWithTheKeyThatIsAskedFor(t *testing.T) {
	d := world(t)
	c := newCompletion(d, d.XML, "c1")
	c.header.Set("Wechatpay-Serial", strings.ToLower(d.Certificate.ID))
	resp, _, err := c.send(t, d.Primary)
	if err != nil || resp.StatusCode != 204 || resp.Header.Get("Wechatpay-Serial") != d.Certificate.ID {
		t.Fatalf("got %+v, %v", resp, err)
	}
	if err := platformKeys(t, d).Verify(resp.Header, nil, time.Now()); err != nil {
		t.Error("the answer does not verify:", err)
	}
}

func TestWechatPayRefuses(t *testing.T) {
	d := world(t)
	authorization := func(change func(string) string) func(*completion) {
		return func(c *completion) {
			good, err := c.requester.Authorization(c.method, c.target, []byte(c.body), c.at, c.nonce)
			if err != nil {
				t.Fatal(err)
			}
			c.header.Set("Authorization", change(good))
		}
	}
	header := func(name, value string) func(*completion) {
		return func(c *completion) {
			c.header.Set(name, value)
			if value == "" {
				c.header[name] = []string{""} // keeps net/http from putting its own
			}
		}
	}
	body := func(text string) func(*completion) { return func(c *completion) { c.body = text } }
	mchid := d.Acme.WechatPay.Mchid
	for _, test := range []struct {
		name   string
		spoil  func(*completion)
		status int
		code   string
	}{
		{"another scheme", authorization(func(a string) string { return strings.Replace(a, "RSA2048", "SM2", 1) }), 401, "SIGN_ERROR"},
		{"no authorization", header("Authorization", "none"), 401, "SIGN_ERROR"},
		{"a member that stands twice", authorization(func(a string) string { return a + `,mchid="` + mchid + `"` }), 401, "SIGN_ERROR"},
		{"a member too many", authorization(func(a string) string { return a + `,x="1"` }), 401, "SIGN_ERROR"},
		{"a member too few", authorization(func(a string) string { return strings.Replace(a, `mchid="`+mchid+`",`, "", 1) }), 401, "SIGN_ERROR"},
		{"an unknown merchant", func(c *completion) { c.requester.Mchid = "1" }, 401, "SIGN_ERROR"},
		{"an unknown certificate", func(c *completion) { c.requester.SerialNo = "ABCD" }, 401, "SIGN_ERROR"},
		{"another key", func(c *completion) { c.requester.Key = d.XML.Key }, 401, "SIGN_ERROR"},
		{"a body that was changed after signing", func(c *completion) { authorization(func(a string) string { return a })(c); c.body += " " }, 401, "SIGN_ERROR"},
		{"a timestamp that is too old", func(c *completion) { c.at = c.at.Add(-303 * time.Second) }, 401, "SIGN_ERROR"},
		{"a timestamp that is too new", func(c *completion) { c.at = c.at.Add(310 * time.Second) }, 401, "SIGN_ERROR"},
		{"a nonce of 33 characters", func(c *completion) { c.nonce += "0" }, 401, "SIGN_ERROR"},
		{"no Accept", header("Accept", ""), 400, "INVALID_REQUEST"},
		{"an Accept that does not allow JSON", header("Accept", "text/xml, image/*"), 400, "INVALID_REQUEST"},
		{"another Content-Type", header("Content-Type", "text/plain"), 400, "INVALID_REQUEST"},
		{"no User-Agent", header("User-Agent", ""), 400, "INVALID_REQUEST"},
		{"a key that WeChat Pay does not have", header("Wechatpay-Serial", "PUB_KEY_ID_2"), 400, "PARAM_ERROR"},
		{"no body", body(""), 400, "PARAM_ERROR"},
		{"an empty object", body("{}"), 400, "PARAM_ERROR"},
		{"a member too many in the body", body(`{"complainted_mchid":"` + mchid + `","x":"y"}`), 400, "PARAM_ERROR"},
		{"a number for a string", body(`{"complainted_mchid":1900000001}`), 400, "PARAM_ERROR"},
		{"text after the body", body(`{"complainted_mchid":"` + mchid + `"}{}`), 400, "PARAM_ERROR"},
		{"another merchant's complaint", body(`{"complainted_mchid":"1999999999"}`), 403, "NO_AUTH"},
		{"an unknown complaint", func(c *completion) { c.target = strings.Replace(c.target, "c1", "c2", 1) }, 404, "RESOURCE_NOT_EXISTS"},
		{"an unknown path", func(c *completion) { c.target += "/again" }, 404, ""},
		{"another method", func(c *completion) { c.method = http.MethodPut }, 405, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCompletion(d, d.Acme, "c1")
			test.spoil(c)
			resp, body, err := c.send(t, d.Primary)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != test.status || test.code != "" && !strings.Contains(string(body), `"code":"`+test.code+`"`) || test.code == "" && len(body) > 0 {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
			// What is refused before it is known who asks is not signed.
			unsigned := test.status == 401 || test.code == "" || strings.Contains(string(body), "缺少Accept或User-Agent")
			if got := resp.Header.Get("Wechatpay-Signature"); (got == "") != unsigned {
				t.Errorf("signed: %t", got != "")
			}
		})
	}
	t.Run("a request that is sent again as it is", func(t *testing.T) {
		d.State.Add("acme", "c3")
		c := newCompletion(d, d.Acme, "c3")
		if resp, _, err := c.send(t, d.Primary); err != nil || resp.StatusCode != 204 {
			t.Fatalf("the first time: %v, %v", resp, err)
		}
		if resp, _, err := c.send(t, d.Backup); err != nil || resp.StatusCode != 401 {
			t.Errorf("the second time, at the other host: %v, %v", resp, err)
		}
	})
	if c, _ := d.State.Complaint("acme", "c1"); c.State != Pending {
		t.Errorf("a refused request left the complaint %s", c.State)
	}
}

func TestWechatPayFaults(t *testing.T) {
	d := world(t)
	keys := platformKeys(t, d)
	for i, test := range []struct {
		name   string
		fault  Fault
		status int // 0: no answer
		verify error
		acted  bool
		body   string
	}{
		{"no fault", Fault{}, 204, nil, true, ""},
		{"a wrong signature", Fault{WrongSignature: true}, 204, signing.ErrBadSignature, true, ""},
		{"the signature that is wrong on purpose", Fault{SignTest: true}, 204, signing.ErrBadSignature, true, ""},
		{"no signature", Fault{Unsigned: true}, 204, signing.ErrNotSigned, true, ""},
		{"a clock that is behind", Fault{Skew: -10 * time.Minute}, 204, signing.ErrSkew, true, ""},
		{"a key that nobody has", Fault{UnknownKey: true}, 204, signing.ErrUnknownKey, true, ""},
		{"an error before acting", Fault{Status: 500, Code: "SYSTEM_ERROR", Message: "系统错误"}, 500, nil, false, "SYSTEM_ERROR"},
		{"an error after acting", Fault{Status: 500, Code: "SYSTEM_ERROR", ActFirst: true}, 500, nil, true, "SYSTEM_ERROR"},
		{"a success that is none", Fault{Status: 204}, 204, nil, false, ""},
		{"garbage", Fault{Garbage: true, ActFirst: true}, 200, signing.ErrNotSigned, true, "It works!"},
		{"a body of one's own", Fault{Status: 502, Body: []byte("bad gateway")}, 502, nil, false, "bad gateway"},
		{"a connection cut before acting", Fault{CutBefore: true}, 0, nil, false, ""},
		{"a connection cut after acting", Fault{CutAfter: true}, 0, nil, true, ""},
		{"a connection cut in the middle", Fault{CutMidway: true}, 0, nil, true, ""},
		{"a fault for another method", Fault{Method: "GET", CutBefore: true}, 204, nil, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := "fault" + strconv.Itoa(i)
			d.State.Add("acme", id)
			d.Primary.Faults.Clear()
			d.Primary.Faults.Next(test.fault)
			resp, body, err := newCompletion(d, d.Acme, id).send(t, d.Primary)
			c, _ := d.State.Complaint("acme", id)
			if acted := c.State == Processed; acted != test.acted {
				t.Errorf("acted: %t", acted)
			}
			if test.status == 0 {
				if err == nil {
					t.Errorf("got an answer: %v", resp)
				}
				return
			}
			if err != nil || resp.StatusCode != test.status || !strings.Contains(string(body), test.body) {
				t.Fatalf("got %v %s %v", resp, body, err)
			}
			if err := keys.Verify(resp.Header, body, time.Now()); !errors.Is(err, test.verify) {
				t.Errorf("verifying gives %v", err)
			}
		})
	}
}
