package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// clock is a clock that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

type historyPage struct {
	Data []struct {
		LogID   string          `json:"log_id"`
		Time    string          `json:"operate_time"`
		Type    string          `json:"operate_type"`
		Details string          `json:"operate_details"`
		Media   json.RawMessage `json:"complaint_media_list"`
	}
	Limit, Offset int
	Total         *int `json:"total_count"`
}

func readHistory(t *testing.T, d *Demo, query string) historyPage {
	t.Helper()
	status, text := askFor(t, d, d.Acme, "GET", "/v3/merchant-service/complaints-v2/c1/negotiation-historys"+query, "")
	var page historyPage
	if err := json.Unmarshal(text, &page); err != nil || status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	return page
}

func (p historyPage) types() (all []string) {
	for _, item := range p.Data {
		all = append(all, item.Type)
	}
	return all
}

func TestAHistoryTellsWhatHappened(t *testing.T) {
	d := world(t)
	picture := d.State.AddPicture(Picture{Merchant: "acme", Media: "image/png"})
	d.State.AttachPictures("acme", "c1", picture)
	d.State.reply("acme", "c1", ReplyEffect{Content: "已处理", Images: []string{picture}, JumpURL: "https://example.com/", JumpURLText: "查看"})
	d.State.Say("acme", "c1", "还没有退款")
	d.State.complete("acme", "c1")
	d.State.Raise("acme", "c1", "又出现了")
	want := []string{"USER_CREATE_COMPLAINT", "MERCHANT_RESPONSE", "USER_RESPONSE", "MERCHANT_CONFIRM_COMPLETE", "USER_CONTINUE_COMPLAINT"}
	page := readHistory(t, d, "")
	if !slices.Equal(page.types(), want) || page.Data[1].Details != "已处理查看" || page.Limit != 100 || page.Total == nil || *page.Total != 5 {
		t.Errorf("got %+v", page)
	}
	if _, err := time.Parse(time.RFC3339, page.Data[0].Time); err != nil || !strings.HasSuffix(page.Data[0].Time, "+08:00") || strings.Contains(page.Data[0].Time, ".") {
		t.Errorf("the time is %s, %v", page.Data[0].Time, err)
	}
	if !strings.HasPrefix(string(page.Data[0].Media), `{"media_type":"USER_COMPLAINT_IMAGE"`) {
		t.Errorf("the media are %s", page.Data[0].Media)
	}
	if second := readHistory(t, d, "?limit=2&offset=3"); !slices.Equal(second.types(), want[3:]) || second.Total != nil {
		t.Errorf("the second page: %+v", second)
	}
	if beyond := readHistory(t, d, "?offset=9"); len(beyond.Data) != 0 {
		t.Errorf("beyond the end: %+v", beyond)
	}
	c, _ := d.State.Complaint("acme", "c1")
	if c.State != Pending || c.Times != 1 || !c.AwaitsMerchant {
		t.Errorf("the complaint is %+v", c)
	}
	for _, query := range []string{"?limit=0", "?limit=301", "?limit=x", "?offset=-1", "?limit=1&limit=2", "?page=1", "?limit=%zz"} {
		if status, text := askFor(t, d, d.Acme, "GET", "/v3/merchant-service/complaints-v2/c1/negotiation-historys"+query, ""); status != 400 {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	if status, _ := askFor(t, d, d.XML, "GET", "/v3/merchant-service/complaints-v2/c9/negotiation-historys", ""); status != 404 {
		t.Errorf("no such complaint: %d", status)
	}
}

func TestOdditiesChangeWhatIsRead(t *testing.T) {
	now := &clock{time.Now()}
	d, err := NewDemo(Options{NewKey: testKeys(), Now: now.now})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.State.Add("acme", "c1")
	picture := d.State.AddPicture(Picture{Merchant: "acme", Media: "image/png"})
	d.State.AttachPictures("acme", "c1", picture)
	now.at = now.at.Add(time.Minute)
	d.State.reply("acme", "c1", ReplyEffect{Content: "已处理"})

	d.WechatPay.SetOddities(Oddities{Millis: true, OtherMedia: true, NewestFirst: true, Unknown: true})
	page := readHistory(t, d, "")
	if !slices.Equal(page.types(), []string{"MERCHANT_RESPONSE", "USER_CREATE_COMPLAINT"}) || !strings.Contains(page.Data[0].Time, ".") || page.Data[1].Media[0] != '[' {
		t.Errorf("got %+v", page)
	}
	if _, text := askFor(t, d, d.Acme, "GET", "/v3/merchant-service/complaints-v2/c1", ""); !strings.Contains(string(text), "TOMORROW") ||
		!strings.Contains(string(text), `"complaint_media_list":{`) {
		t.Errorf("the complaint: %s", text)
	}
	d.WechatPay.SetOddities(Oddities{HistoryLag: 30 * time.Second, TooMuchAbove: 20})
	if page := readHistory(t, d, "?limit=20"); !slices.Equal(page.types(), []string{"USER_CREATE_COMPLAINT"}) {
		t.Errorf("before the lag is over: %+v", page)
	}
	now.at = now.at.Add(30 * time.Second)
	if page := readHistory(t, d, "?limit=20"); len(page.Data) != 2 {
		t.Errorf("when the lag is over: %+v", page)
	}
	if _, text := askFor(t, d, d.Acme, "GET", "/v3/merchant-service/complaints-v2/c1/negotiation-historys?limit=21", ""); !strings.Contains(string(text), "数据量过大") {
		t.Errorf("too much: %s", text)
	}
}

func TestAListHasTheDaysThatAreAskedFor(t *testing.T) {
	d := world(t)
	day := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", text, china)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	d.State.Open("acme", "first", "", day("2026-10-01 00:00"))
	d.State.Open("acme", "last", "", day("2026-10-03 23:59"))
	d.State.Open("acme", "after", "", day("2026-10-04 00:00"))
	d.State.Open("acme-xml", "other", "", day("2026-10-02 00:00"))
	const path = "/v3/merchant-service/complaints-v2"
	list := func(query string) (ids []string, text string) {
		status, answer := askFor(t, d, d.Acme, "GET", path+query, "")
		var page struct {
			Data []struct {
				ID    string `json:"complaint_id"`
				Phone string `json:"payer_phone"`
			}
		}
		if err := json.Unmarshal(answer, &page); err != nil || status != 200 {
			return nil, fmt.Sprint(status, " ", string(answer))
		}
		for _, c := range page.Data {
			ids = append(ids, c.ID)
			if phone, err := decryptWith(d.Acme.Key, c.Phone); err != nil || phone != PayerPhone {
				t.Errorf("the phone number is %q, %v", phone, err)
			}
		}
		return ids, string(answer)
	}
	days := "?begin_date=2026-10-01&end_date=2026-10-03"
	if ids, text := list(days); !slices.Equal(ids, []string{"last", "first"}) || !strings.Contains(text, `"total_count":2`) {
		t.Errorf("got %v %s", ids, text)
	}
	if ids, text := list(days + "&limit=1&offset=1&complainted_mchid=" + d.Acme.WechatPay.Mchid); !slices.Equal(ids, []string{"first"}) || strings.Contains(text, "total_count") {
		t.Errorf("the second page: %v %s", ids, text)
	}
	for _, query := range []string{"", "?begin_date=2026-10-01", "?begin_date=2026-10-01&end_date=2026-9-30", "?begin_date=2026-10-02&end_date=2026-10-01",
		"?begin_date=2026-10-01&end_date=2026-11-01", days + "&limit=51", days + "&complainted_mchid=1", days + "&x=y"} {
		if ids, text := list(query); ids != nil || !strings.HasPrefix(text, "40") {
			t.Errorf("%q: %v %s", query, ids, text)
		}
	}
}

// TestARefusedSignatureShowsWhatWasExpected has the shape of real answers, with no more than 8 bytes of the body.
func TestARefusedSignatureShowsWhatWasExpected(t *testing.T) {
	d := world(t)
	c := newCompletion(d, d.Acme, "c1")
	authorization, err := c.requester.Authorization(c.method, c.target, []byte(c.body+" "), c.at, c.nonce)
	if err != nil {
		t.Fatal(err)
	}
	c.header.Set("Authorization", authorization)
	resp, text, err := c.send(t, d.Primary)
	if err != nil || resp.StatusCode != 401 || resp.Header.Get("Wechatpay-Signature") != "" {
		t.Fatalf("%v %s %v", resp, text, err)
	}
	length := len(c.method) + len(c.target) + 10 + len(c.nonce) + len(c.body) + 5
	want := fmt.Sprintf(`{"code":"SIGN_ERROR","detail":{"detail":{"issue":"sign not match"},"field":"signature","location":"authorization",`+
		`"sign_information":{"method":"POST","sign_message_length":%d,"truncated_sign_message":"POST\n%s\n%d\n%s\n{\"compla\n","url":"%s"}},"message":"错误的签名,验签失败"}`,
		length, c.target, c.at.Unix(), c.nonce, c.target)
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// TestARefusedSignatureIsExplained to whoever runs the sandbox, in a sentence that the answer does not have.
func TestARefusedSignatureIsExplained(t *testing.T) {
	d := world(t)
	for _, test := range []struct {
		name, why string
		sign      func(c *completion, method, target, body *string)
	}{
		{"no body", "the body was not signed", func(_ *completion, _, _, body *string) { *body = "" }},
		{"no query", "the path was signed without its query", func(_ *completion, _, target, _ *string) { *target, _, _ = strings.Cut(*target, "?") }},
		{"another key", "it was made with the key of acme-", func(c *completion, _, _, _ *string) { c.requester.Key = d.XML.Key }},
		{"nothing usual", "", func(_ *completion, _, _, body *string) { *body += " " }},
	} {
		c := newCompletion(d, d.Acme, "c1")
		c.target += "?a=b"
		method, target, body := c.method, c.target, c.body
		test.sign(c, &method, &target, &body)
		authorization, err := c.requester.Authorization(method, target, []byte(body), c.at, c.nonce)
		if err != nil {
			t.Fatal(err)
		}
		c.header.Set("Authorization", authorization)
		_, text, err := c.send(t, d.Primary)
		if err != nil {
			t.Fatal(err)
		}
		calls := d.Primary.Calls.Calls()
		got := calls[len(calls)-1]
		if want := strings.TrimSuffix("错误的签名,验签失败: "+test.why, ": "); !strings.HasPrefix(got.Problem, want) || test.why == "" && got.Problem != want || test.why != "" && strings.Contains(string(text), test.why) {
			t.Errorf("%s: %q; the answer is %s", test.name, got.Problem, text)
		}
		if line := got.String(); !strings.Contains(line, "acme 401 SIGN_ERROR") || strings.Contains(line, "signature=") {
			t.Errorf("the line is %s", line)
		}
	}
}
