package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/signing"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// members are those of a right reply in the order of the documentation's sample.
func members(m *Merchant, id string) []signing.Member {
	return []signing.Member{
		{Name: "request_type", Value: "risk_complaints_resp_request"}, {Name: "isspid", Value: m.Imageco.ISSPID},
		{Name: "transaction_id", Value: "resp202406170000000001"}, {Name: "system_id", Value: m.Imageco.SystemID},
		{Name: "seller_account", Value: m.Imageco.SellerAccount}, {Name: "complaint_id", Value: id},
		{Name: "response_content", Value: "已与用户沟通解决"}, {Name: "response_images", Value: "file1|file2"},
		{Name: "jump_url", Value: "https://www.xxx.com/aaaa?a=1&b=2"}, {Name: "jump_url_text", Value: "查看订单详情"},
	}
}

func set(all []signing.Member, name, value string) []signing.Member {
	for i := range all {
		if all[i].Name == name {
			all[i].Value = value
			return all
		}
	}
	return append(all, signing.Member{Name: name, Value: value})
}

func without(all []signing.Member, name string) []signing.Member {
	return slices.DeleteFunc(all, func(m signing.Member) bool { return m.Name == name })
}

func jsonBody(all []signing.Member) []byte {
	object := map[string]string{}
	for _, m := range all {
		object[m.Name] = m.Value
	}
	text, _ := json.Marshal(object)
	return text
}

func signedJSON(key string, all []signing.Member) []byte {
	return jsonBody(set(all, "sign", signing.ImagecoJSON(key, all)))
}

// xmlText writes a document by hand: the tests are not to depend on what the functions use.
func xmlText(all []signing.Member) string {
	text := `<?xml version="1.0" encoding="GBK"?><business_trans>`
	for _, m := range all {
		value := strings.ReplaceAll(m.Value, "&", "&amp;")
		if m.Name == "jump_url" {
			value = "<![CDATA[" + m.Value + "]]>"
		}
		text += "<" + m.Name + ">" + value + "</" + m.Name + ">"
	}
	return text + "</business_trans>"
}

func signedForm(t *testing.T, key, text string) []byte {
	t.Helper()
	document, err := simplifiedchinese.GBK.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(url.Values{"xml": {document}, "mac": {signing.ImagecoXML(key, []byte(document))}}.Encode())
}

var (
	jsonHeader = http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	formHeader = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
)

// imagecoAnswer is what the tests look at in a JSON answer.
type imagecoAnswer struct {
	ResponseType  string `json:"response_type"`
	ISSPID        string `json:"isspid"`
	TransactionID string `json:"transaction_id"`
	SellerAccount string `json:"seller_account"`
	ComplaintID   string `json:"complaint_id"`
	Sign          string `json:"sign"`
	Result        struct{ ID, Comment string }
}

func (a imagecoAnswer) members() []signing.Member {
	return []signing.Member{{Name: "response_type", Value: a.ResponseType}, {Name: "isspid", Value: a.ISSPID}, {Name: "transaction_id", Value: a.TransactionID},
		{Name: "seller_account", Value: a.SellerAccount}, {Name: "complaint_id", Value: a.ComplaintID}}
}

func TestImagecoShowsAReplyInJSON(t *testing.T) {
	d := world(t)
	key := d.Acme.Imageco.Key
	resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, signedJSON(key, members(d.Acme, "c1")))
	var got imagecoAnswer
	if err != nil || resp.StatusCode != 200 || json.Unmarshal(body, &got) != nil {
		t.Fatalf("got %v %s %v", resp, body, err)
	}
	if got.Result.ID != "0000" || got.Result.Comment != "回复成功" || got.TransactionID != "resp202406170000000001" || got.ComplaintID != "c1" ||
		got.ResponseType != "risk_complaints_resp_response" || got.SellerAccount != d.Acme.Imageco.SellerAccount {
		t.Errorf("got %+v", got)
	}
	if got.Sign != signing.ImagecoJSON(key, got.members()) {
		t.Error("the answer's sign is wrong")
	}
	c, _ := d.State.Complaint("acme", "c1")
	if c.State != Processing || len(c.Replies) != 1 {
		t.Fatalf("the complaint is %+v", c)
	}
	r := c.Replies[0]
	if r.Content != "已与用户沟通解决" || !slices.Equal(r.Images, []string{"file1", "file2"}) || r.JumpURL != "https://www.xxx.com/aaaa?a=1&b=2" || r.JumpURLText != "查看订单详情" ||
		r.TransactionID != "resp202406170000000001" || r.At.IsZero() {
		t.Errorf("the consumer sees %+v", r)
	}
}

func TestImagecoShowsARepeatedReplyAgain(t *testing.T) {
	d := world(t)
	for range 2 {
		if resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, signedJSON(d.Acme.Imageco.Key, members(d.Acme, "c1"))); err != nil || resp.StatusCode != 200 {
			t.Fatalf("got %v %s %v", resp, body, err)
		}
	}
	if c, _ := d.State.Complaint("acme", "c1"); len(c.Replies) != 2 {
		t.Errorf("%d replies took effect", len(c.Replies))
	}
}

func TestImagecoShowsAReplyInXML(t *testing.T) {
	d := world(t)
	key := d.XML.Imageco.Key
	for _, bare := range []bool{false, true} {
		d.Imageco.AnswerBareXML(bare)
		resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), formHeader, signedForm(t, key, xmlText(members(d.XML, "c1"))))
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("got %v %s %v", resp, body, err)
		}
		document := string(body)
		if !bare {
			form, err := url.ParseQuery(document)
			if err != nil || form.Get("mac") != signing.ImagecoXML(key, []byte(form.Get("xml"))) {
				t.Fatalf("the answer's mac is wrong: %s %v", body, err)
			}
			document = form.Get("xml")
		}
		text, err := simplifiedchinese.GBK.NewDecoder().String(document)
		want := `<?xml version="1.0" encoding="GBK"?><business_trans><response_type>risk_complaints_resp_response</response_type><isspid>` + d.XML.Imageco.ISSPID +
			`</isspid><transaction_id>resp202406170000000001</transaction_id><seller_account>` + d.XML.Imageco.SellerAccount +
			`</seller_account><complaint_id>c1</complaint_id><result><id>0000</id><comment>回复成功</comment></result></business_trans>`
		if err != nil || text != want {
			t.Errorf("got %s, %v", text, err)
		}
	}
	if c, _ := d.State.Complaint("acme-xml", "c1"); len(c.Replies) != 2 || c.Replies[0].Content != "已与用户沟通解决" {
		t.Errorf("the consumer sees %+v", c.Replies)
	}
}

func TestImagecoRefusesMembers(t *testing.T) {
	d := world(t)
	key := d.Acme.Imageco.Key
	change := func(name, value string) func([]signing.Member) []signing.Member {
		return func(all []signing.Member) []signing.Member { return set(all, name, value) }
	}
	drop := func(name string) func([]signing.Member) []signing.Member {
		return func(all []signing.Member) []signing.Member { return without(all, name) }
	}
	for _, test := range []struct {
		name  string
		spoil func([]signing.Member) []signing.Member
		id    string
	}{
		{"an unknown isspid", change("isspid", "1"), "5200"},
		{"another system_id", change("system_id", "9999"), "7001"},
		{"another request_type", change("request_type", "risk_complaints_detail_request"), "2003"},
		{"no transaction_id", drop("transaction_id"), "2001"},
		{"no seller_account", drop("seller_account"), "2001"},
		{"no response_content", drop("response_content"), "2001"},
		{"an empty response_content", change("response_content", ""), "2001"},
		{"an empty option", change("response_images", ""), "2001"},
		{"a link without its text", drop("jump_url_text"), "2001"},
		{"a long transaction_id", change("transaction_id", strings.Repeat("1", 33)), "2002"},
		{"a long seller_account", change("seller_account", strings.Repeat("1", 65)), "2002"},
		{"a long complaint_id", change("complaint_id", strings.Repeat("1", 65)), "2002"},
		{"a long response_content", change("response_content", strings.Repeat("好", 201)), "2002"},
		{"a long jump_url", change("jump_url", "https://"+strings.Repeat("a", 505)), "2002"},
		{"a long jump_url_text", change("jump_url_text", strings.Repeat("好", 11)), "2002"},
		{"five images", change("response_images", "1|2|3|4|5"), "2002"},
		{"a member that is not in the documentation", change("colour", "red"), "2003"},
		{"an unknown complaint", change("complaint_id", "c9"), "3001"},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, signedJSON(key, test.spoil(members(d.Acme, "c1"))))
			var got imagecoAnswer
			if err != nil || resp.StatusCode != 200 || json.Unmarshal(body, &got) != nil || got.Result.ID != test.id || got.Result.Comment == "" {
				t.Errorf("got %v %s %v", resp, body, err)
			}
		})
	}
	t.Run("the limits themselves are allowed", func(t *testing.T) {
		all := set(set(members(d.Acme, "c1"), "response_content", strings.Repeat("好", 200)), "jump_url_text", strings.Repeat("好", 10))
		_, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, signedJSON(key, all))
		if err != nil || !strings.Contains(string(body), `"0000"`) {
			t.Errorf("got %s %v", body, err)
		}
	})
	if c, _ := d.State.Complaint("acme", "c1"); len(c.Replies) != 1 {
		t.Errorf("%d replies took effect", len(c.Replies))
	}
}

func TestImagecoRefusesForms(t *testing.T) {
	d := world(t)
	key, xmlKey := d.Acme.Imageco.Key, d.XML.Imageco.Key
	good := signedJSON(key, members(d.Acme, "c1"))
	text := xmlText(members(d.XML, "c1"))
	form := func(text string) []byte { return signedForm(t, xmlKey, text) }
	swap := func(text, old, replacement string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("there is no %s to change", old)
		}
		return strings.Replace(text, old, replacement, 1)
	}
	for _, test := range []struct {
		name   string
		header http.Header
		body   []byte
		status int
		want   string
	}{
		{"a JSON sign by another key", jsonHeader, signedJSON("other", members(d.Acme, "c1")), 200, `"6100"`},
		{"a JSON sign in lower case", jsonHeader, jsonBody(set(members(d.Acme, "c1"), "sign", strings.ToLower(signing.ImagecoJSON(key, members(d.Acme, "c1"))))), 200, `"6100"`},
		{"no JSON sign", jsonHeader, jsonBody(members(d.Acme, "c1")), 200, `"6100"`},
		{"another charset", http.Header{"Content-Type": {"application/json; charset=gbk"}}, good, 415, "Content-Type"},
		{"no Content-Type", http.Header{}, good, 415, "Content-Type"},
		{"plain text", http.Header{"Content-Type": {"text/plain"}}, good, 415, "Content-Type"},
		{"JSON that is not UTF-8", jsonHeader, append([]byte(`{"a":"`), 0xd2, 0xd1, '"', '}'), 400, "UTF-8"},
		{"a number in the JSON", jsonHeader, []byte(`{"isspid":39493002}`), 400, "not a string"},
		{"an object in the JSON", jsonHeader, []byte(`{"isspid":{}}`), 400, "not a string"},
		{"a JSON member that stands twice", jsonHeader, []byte(`{"isspid":"1","isspid":"2"}`), 400, "twice"},
		{"text after the JSON", jsonHeader, append(slices.Clone(good), good...), 400, "more after"},
		{"JSON that ends too early", jsonHeader, good[:len(good)-1], 400, "too early"},
		{"a JSON list", jsonHeader, []byte(`[]`), 400, "object"},
		{"a mac by another key", formHeader, signedForm(t, "other", text), 200, "6100"},
		{"a form with a member too many", formHeader, append(form(text), "&x=1"...), 400, "members"},
		{"a form without a mac", formHeader, []byte("xml=1"), 400, "members"},
		{"a form that is not URL-encoded", formHeader, []byte("xml=%3&mac=1"), 400, "URL-encoded"},
		{"a form whose XML has an & that is not escaped", formHeader, []byte("xml=<?xml a&b ?>&mac=1"), 400, "%26"},
		{"XML in UTF-8", formHeader, []byte(url.Values{"xml": {text + "好好好\xff"}, "mac": {"1"}}.Encode()), 400, "GBK"},
		{"another encoding", formHeader, form(swap(text, `encoding="GBK"`, `encoding="UTF-8"`)), 400, "another encoding"},
		{"no declaration", formHeader, form(swap(text, `<?xml version="1.0" encoding="GBK"?>`, "")), 400, "does not begin with its declaration"},
		{"another root", formHeader, form(strings.ReplaceAll(text, "business_trans", "business")), 400, "business_trans"},
		{"a DOCTYPE", formHeader, form(swap(text, "<business_trans>", "<!DOCTYPE a><business_trans>")), 400, "DOCTYPE"},
		{"a comment", formHeader, form(swap(text, "<isspid>", "<!-- a --><isspid>")), 400, "comment"},
		{"a sign node", formHeader, form(swap(text, "<isspid>", "<sign>1</sign><isspid>")), 400, "sign"},
		{"an attribute", formHeader, form(swap(text, "<isspid>", `<isspid a="b">`)), 400, "plain"},
		{"a nested node", formHeader, form(swap(text, "<isspid>", "<a><b/></a><isspid>")), 400, "plain"},
		{"a node that stands twice", formHeader, form(swap(text, "<isspid>", "<isspid>1</isspid><isspid>")), 400, "twice"},
		{"text between nodes", formHeader, form(swap(text, "<isspid>", "a<isspid>")), 400, "between"},
		{"a second root", formHeader, form(text + "<a/>"), 400, "business_trans"},
		{"XML that ends too early", formHeader, form(strings.TrimSuffix(text, "</business_trans>")), 400, "well-formed"},
		{"a link that is not in CDATA", formHeader, form(swap(swap(text, "<![CDATA[https://www.xxx.com/aaaa?a=1&b=2", "https://www.xxx.com/aaaa"), "]]>", "")), 400, "CDATA"},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), test.header, test.body)
			if err != nil || resp.StatusCode != test.status || !strings.Contains(string(body), test.want) {
				t.Errorf("got %v %s %v", resp, body, err)
			}
		})
	}
	if resp, _, err := reach(t, "GET", d.ImagecoHost.URL(), jsonHeader, nil); err != nil || resp.StatusCode != 405 {
		t.Errorf("GET: %v, %v", resp, err)
	}
	for _, m := range []string{"acme", "acme-xml"} {
		if c, _ := d.State.Complaint(m, "c1"); len(c.Replies) != 0 {
			t.Errorf("%d replies took effect", len(c.Replies))
		}
	}
}

func TestImagecoSignsOverTheAgreedCharset(t *testing.T) {
	d := world(t)
	d.Acme.Imageco.SignCharset = "gbk"
	d.Register(d.Acme)
	key, all := d.Acme.Imageco.Key, members(d.Acme, "c1")
	sign, ok := signJSON(key, all, true)
	if !ok {
		t.Fatal("the sample is not in GBK")
	}
	for _, test := range []struct{ sign, id string }{{sign, `"0000"`}, {signing.ImagecoJSON(key, all), `"6100"`}} {
		_, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, jsonBody(set(slices.Clone(all), "sign", test.sign)))
		if err != nil || !strings.Contains(string(body), test.id) {
			t.Errorf("got %s %v", body, err)
		}
	}
}

func TestImagecoTakesBothKeysWhileOneIsChanged(t *testing.T) {
	d := world(t)
	account, _ := d.Imageco.account(d.Acme.Imageco.ISSPID)
	account.OldKey, account.Key = account.Key, "the new one"
	d.Imageco.Register(account)
	for _, key := range []string{account.OldKey, account.Key} {
		_, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, signedJSON(key, members(d.Acme, "c1")))
		var got imagecoAnswer
		if err != nil || json.Unmarshal(body, &got) != nil || got.Result.ID != "0000" || got.Sign != signing.ImagecoJSON(key, got.members()) {
			t.Errorf("got %s %v", body, err)
		}
	}
}

func TestImagecoFaults(t *testing.T) {
	d := world(t)
	key := d.Acme.Imageco.Key
	for _, test := range []struct {
		name    string
		fault   Fault
		status  int // 0: no answer
		signed  string
		replies int
		want    string
	}{
		{"no fault", Fault{}, 200, "right", 1, `"0000"`},
		{"a wrong sign", Fault{WrongSignature: true}, 200, "wrong", 1, `"0000"`},
		{"no sign", Fault{Unsigned: true}, 200, "none", 1, `"0000"`},
		{"foreign ids", Fault{ForeignEcho: true}, 200, "right", 1, "99999999999999999999"},
		{"a refusal", Fault{Code: "9998", Message: "超时"}, 200, "right", 0, `"9998"`},
		{"a refusal after acting", Fault{Code: "9998", ActFirst: true}, 200, "right", 1, `"9998"`},
		{"an HTTP error with a message", Fault{Status: 500, Code: "0000"}, 500, "right", 0, `"0000"`},
		{"too many requests", Fault{Status: 429, RetryAfter: "3"}, 429, "", 0, ""},
		{"a redirect", Fault{Status: 302, Header: http.Header{"Location": {"/"}}}, 302, "", 0, ""},
		{"garbage", Fault{Garbage: true, ActFirst: true}, 200, "", 1, "<html>"},
		{"a connection cut before acting", Fault{CutBefore: true}, 0, "", 0, ""},
		{"a connection cut after acting", Fault{CutAfter: true}, 0, "", 1, ""},
		{"a connection cut in the middle", Fault{CutMidway: true}, 0, "", 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := strings.ReplaceAll(test.name, " ", "_")
			d.State.Add("acme", id)
			d.ImagecoHost.Faults.Next(test.fault)
			resp, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, signedJSON(key, members(d.Acme, id)))
			if c, _ := d.State.Complaint("acme", id); len(c.Replies) != test.replies {
				t.Errorf("%d replies took effect", len(c.Replies))
			}
			if test.status == 0 {
				if err == nil {
					t.Errorf("got an answer: %v", resp)
				}
				return
			}
			if err != nil || resp.StatusCode != test.status || !strings.Contains(string(body), test.want) {
				t.Fatalf("got %v %s %v", resp, body, err)
			}
			if resp.Header.Get("Retry-After") != test.fault.RetryAfter || resp.Header.Get("Location") != test.fault.Header.Get("Location") {
				t.Errorf("headers %v", resp.Header)
			}
			var got imagecoAnswer
			if test.signed == "" {
				return
			}
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			signed := map[string]string{"": "none", signing.ImagecoJSON(key, got.members()): "right"}[got.Sign]
			if signed == "" {
				signed = "wrong"
			}
			if signed != test.signed {
				t.Errorf("the sign is %s", signed)
			}
		})
	}
}
