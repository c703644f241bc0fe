package sandbox

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// askFor sends a right request of any kind and reads the answer, whose signature is checked when it is a success.
func askFor(t *testing.T, d *Demo, m *Merchant, method, target, body string) (int, []byte) {
	t.Helper()
	c := newCompletion(d, m, "unused")
	c.method, c.target, c.body = method, target, body
	resp, text, err := c.send(t, d.Primary)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode < 300 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := platformKeys(t, d).Verify(resp.Header, text, time.Now()); err != nil {
			t.Errorf("%s %s does not verify: %v", method, target, err)
		}
	}
	return resp.StatusCode, text
}

// upload sends a picture; spoil may change the form's parts, by name.
func upload(t *testing.T, d *Demo, m *Merchant, spoil func(meta, file *string, header http.Header)) (int, []byte) {
	t.Helper()
	file := "\x89PNG\r\n\x1a\nand so on"
	sum := sha256.Sum256([]byte(file))
	meta := `{"filename":"a.png","sha256":"` + hex.EncodeToString(sum[:]) + `"}`
	c := newCompletion(d, m, "unused")
	c.method, c.target = "POST", "/v3/merchant-service/images/upload"
	spoil(&meta, &file, c.header)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range []struct{ disposition, media, text string }{
		{`form-data; name="meta"`, "application/json", meta}, {`form-data; name="file"; filename="a.png"`, "image/png", file}} {
		w, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.disposition}, "Content-Type": {part.media}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(part.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	if c.header.Get("Content-Type") == "application/json" {
		c.header.Set("Content-Type", form.FormDataContentType())
	}
	authorization, err := c.requester.Authorization(c.method, c.target, []byte(meta), c.at, c.nonce)
	if err != nil {
		t.Fatal(err)
	}
	c.header.Set("Authorization", authorization)
	c.body = body.String()
	resp, text, err := c.send(t, d.Primary)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}

func TestAPictureIsUploadedShownAndRead(t *testing.T) {
	d := world(t)
	nothing := func(*string, *string, http.Header) {}
	status, text := upload(t, d, d.Acme, nothing)
	var got struct {
		ID string `json:"media_id"`
	}
	if err := json.Unmarshal(text, &got); err != nil || status != 200 || got.ID == "" {
		t.Fatalf("%d %s", status, text)
	}
	reply := fmt.Sprintf(`{"complainted_mchid":%q,"response_content":"见图","response_images":[%q]}`, d.Acme.WechatPay.Mchid, got.ID)
	if status, text := askFor(t, d, d.Acme, "POST", "/v3/merchant-service/complaints-v2/c1/response", reply); status != 204 {
		t.Errorf("the reply: %d %s", status, text)
	}
	if status, text := askFor(t, d, d.Acme, "GET", "/v3/merchant-service/images/"+got.ID, ""); status != 200 || !bytes.HasPrefix(text, []byte("\x89PNG")) {
		t.Errorf("the picture: %d %q", status, text)
	}
	if status, _ := askFor(t, d, d.XML, "GET", "/v3/merchant-service/images/"+got.ID, ""); status != 404 {
		t.Errorf("another merchant's picture: %d", status)
	}
	if _, text := askFor(t, d, d.Acme, "GET", "/v3/merchant-service/complaints-v2/c1/negotiation-historys", ""); !strings.Contains(string(text), "/v3/merchant-service/images/"+got.ID) {
		t.Errorf("the history does not show it: %s", text)
	}
	for _, test := range []struct {
		name, says string
		spoil      func(meta, file *string, header http.Header)
	}{
		{"a boundary that is in the body only, as wechatpayv3 sends it", "media_id", func(_, _ *string, h http.Header) { h.Set("Content-Type", "multipart/form-data") }},
		{"a sum in upper case", "media_id", func(m, _ *string, _ http.Header) {
			var meta struct{ Filename, SHA256 string }
			_ = json.Unmarshal([]byte(*m), &meta)
			*m = fmt.Sprintf(`{"filename":%q,"sha256":%q}`, meta.Filename, strings.ToUpper(meta.SHA256))
		}},
		{"another sum", "/meta/sha256", func(m, f *string, _ http.Header) { *f += "x" }},
		{"another kind of file", "/meta/filename", func(m, f *string, _ http.Header) { *m = strings.Replace(*m, "a.png", "a.gif", 1) }},
		{"a name of another kind than the bytes", "/meta/filename", func(m, f *string, _ http.Header) { *m = strings.Replace(*m, "a.png", "a.jpg", 1) }},
		{"a member too many in the meta", "/meta/x", func(m, f *string, _ http.Header) { *m = strings.Replace(*m, "{", `{"x":"y",`, 1) }},
		{"JSON instead of a form", "multipart/form-data", func(_, _ *string, h http.Header) { h.Set("Content-Type", "application/json; charset=utf-8") }},
		{"a file that is too large", "2M", func(m, f *string, _ http.Header) {
			*f = "\x89PNG\r\n\x1a\n" + strings.Repeat("x", pictureLimit)
			sum := sha256.Sum256([]byte(*f))
			*m = `{"filename":"a.png","sha256":"` + hex.EncodeToString(sum[:]) + `"}`
		}},
	} {
		if status, text := upload(t, d, d.Acme, test.spoil); !strings.Contains(string(text), test.says) {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
}

func TestAReplyThroughWechatPayIsShownEachTime(t *testing.T) {
	d := world(t)
	target, mchid := "/v3/merchant-service/complaints-v2/c1/response", d.Acme.WechatPay.Mchid
	picture := d.State.AddPicture(Picture{Merchant: "acme", Media: "image/png"})
	body := func(members string) string { return `{"complainted_mchid":"` + mchid + `"` + members + `}` }
	jump := `,"response_content":"a","jump_url":"https://example.com/","jump_url_text":"看"`
	for _, test := range []struct {
		name, body, says string // says is "" for a reply that is shown
	}{
		{"words", body(`,"response_content":"已处理"`), ""},
		{"the same words again", body(`,"response_content":"已处理"`), ""},
		{"everything", body(jump + `,"response_images":["` + picture + `"],"mini_program_jump_info":{"appid":"wx1","path":"pages/a","text":"进入"}`), ""},
		{"500 characters", body(`,"response_content":"` + strings.Repeat("好", 500) + `"`), ""},
		{"501 characters", body(`,"response_content":"` + strings.Repeat("好", 501) + `"`), "/response_content"},
		{"no words", body(``), "/response_content"},
		{"empty words", body(`,"response_content":""`), "/response_content"},
		{"an emoji", body(`,"response_content":"好😀"`), "四字节"},
		{"an emoji as an escape", body(`,"response_content":"\ud83d\ude00"`), "四字节"},
		{"a null", body(`,"response_content":"a","jump_url":null`), "不允许使用null"},
		{"bytes that are no UTF-8", body(",\"response_content\":\"\xff\""), "UTF-8"},
		{"complaint_id in the body, of which WxJava warns", body(`,"response_content":"a","complaint_id":"c1"`), "/complaint_id"},
		{"words twice", body(`,"response_content":"a","response_content":"b"`), "重复"},
		{"five pictures", body(`,"response_content":"a","response_images":["1","2","3","4","5"]`), "/response_images"},
		{"a picture that was not uploaded", body(`,"response_content":"a","response_images":["1"]`), "media_id"},
		{"pictures as text", body(`,"response_content":"a","response_images":"` + picture + `"`), "/response_images"},
		{"a link without words", body(`,"response_content":"a","jump_url":"https://example.com/"`), "/jump_url_text"},
		{"a link without TLS", body(strings.Replace(jump, "https", "http", 1)), "/jump_url"},
		{"a link whose words are too long", body(strings.Replace(jump, "看", strings.Repeat("看", 11), 1)), "/jump_url_text"},
		{"a mini program without a path", body(`,"response_content":"a","mini_program_jump_info":{"appid":"wx1","text":"进入"}`), "/mini_program_jump_info/path"},
		{"another merchant's complaint", `{"complainted_mchid":"1","response_content":"a"}`, "NO_AUTH"},
	} {
		before, _ := d.State.Complaint("acme", "c1")
		status, text := askFor(t, d, d.Acme, "POST", target, test.body)
		after, _ := d.State.Complaint("acme", "c1")
		if shown := len(after.Replies) > len(before.Replies); (status == 204) != (test.says == "") || shown != (test.says == "") || !strings.Contains(string(text), test.says) {
			t.Errorf("%s: %d %s, shown %t", test.name, status, text, shown)
		}
	}
	if c, _ := d.State.Complaint("acme", "c1"); c.State != Processing || c.Replies[2].MiniProgram == "" {
		t.Errorf("the complaint is %+v", c)
	}
	if status, _ := askFor(t, d, d.Acme, "POST", strings.Replace(target, "c1", "c2", 1), body(`,"response_content":"a"`)); status != 404 {
		t.Errorf("a complaint that is not there: %d", status)
	}
	d.Primary.Faults.Next(Fault{CutAfter: true})
	c := newCompletion(d, d.Acme, "unused")
	c.target, c.body = target, body(`,"response_content":"答复已执行,应答丢失"`)
	if resp, _, err := c.send(t, d.Primary); err == nil {
		t.Errorf("got %v", resp)
	}
	if c, _ := d.State.Complaint("acme", "c1"); c.Replies[len(c.Replies)-1].Content != "答复已执行,应答丢失" {
		t.Error("a reply whose answer was lost was not shown")
	}
}

func TestAReplyInBlocksIsShownOnce(t *testing.T) {
	d := world(t)
	d.State.AskImmediate("acme", "c1")
	d.State.Add("acme", "c2")
	picture := d.State.AddPicture(Picture{Merchant: "acme", Media: "image/png"})
	body := func(id, blocks string) string {
		return fmt.Sprintf(`{"complainted_mchid":%q,"idempotent_id":%q,"message":{"blocks":[%s],"sender_identity":"MANUAL"}}`, d.Acme.WechatPay.Mchid, id, blocks)
	}
	words := `{"type":"TEXT","text":{"text":"已处理"}}`
	all := words + `,{"type":"IMAGE","image":{"media_id":"` + picture + `","image_style_type":"IMAGE_STYLE_TYPE_NARROW"}}` +
		`,{"type":"LINK","link":{"text":"查看","action":{"action_type":"ACTION_TYPE_JUMP_URL","jump_url":"https://example.com/"}}}`
	target := "/v3/merchant-service/complaints-v2/c1/response-immediate-service"
	var ids [2]struct {
		LogID string `json:"log_id"`
	}
	for i := range ids {
		status, text := askFor(t, d, d.Acme, "POST", target, body("once", all))
		if err := json.Unmarshal(text, &ids[i]); err != nil || status != 200 || ids[i].LogID == "" {
			t.Fatalf("%d %s", status, text)
		}
	}
	c, _ := d.State.Complaint("acme", "c1")
	if ids[0] != ids[1] || len(c.Replies) != 1 || c.Replies[0].Content != "已处理" || c.Replies[0].JumpURL == "" || len(c.Replies[0].Images) != 1 {
		t.Errorf("ids %v, replies %+v", ids, c.Replies)
	}
	if _, text := askFor(t, d, d.Acme, "GET", "/v3/merchant-service/complaints-v2/c1/negotiation-historys", ""); !strings.Contains(string(text), `"normal_message":{"blocks":[{"type":"TEXT"`) ||
		!strings.Contains(string(text), ids[0].LogID) {
		t.Errorf("the history: %s", text)
	}
	for _, test := range []struct{ name, target, body, says string }{
		{"a complaint that does not ask for it", strings.Replace(target, "c1", "c2", 1), body("x", words), "INVALID_REQUEST"},
		{"a complaint that is not there", strings.Replace(target, "c1", "c9", 1), body("x", words), "RESOURCE_NOT_EXISTS"},
		{"no blocks", target, body("x", ""), "/message/blocks"},
		{"a block of another kind than it says", target, body("x", `{"type":"IMAGE","text":{"text":"a"}}`), "/message/blocks/type"},
		{"a kind that nobody knows", target, body("x", `{"type":"VIDEO"}`), "/message/blocks/type"},
		{"no idempotent_id", target, strings.Replace(body("x", words), `"idempotent_id":"x",`, "", 1), "/idempotent_id"},
		{"a link without TLS", target, body("x", `{"type":"LINK","link":{"text":"a","action":{"action_type":"ACTION_TYPE_JUMP_URL","jump_url":"http://a/"}}}`), "jump_url"},
		{"a picture that was not uploaded", target, body("x", `{"type":"IMAGE","image":{"media_id":"x"}}`), "media_id"},
		{"another sender", target, strings.Replace(body("x", words), "MANUAL", "ROBOT", 1), "/message/sender_identity"},
	} {
		if status, text := askFor(t, d, d.Acme, "POST", test.target, test.body); status < 400 || !strings.Contains(string(text), test.says) {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
}

func TestCertificatesAreForMerchantsThatHaveThem(t *testing.T) {
	d := world(t)
	if status, text := askFor(t, d, d.Acme, "GET", "/v3/certificates", ""); status != 404 || !strings.Contains(string(text), "无可用的平台证书") {
		t.Errorf("a merchant with the public key: %d %s", status, text)
	}
	status, text := askFor(t, d, d.XML, "GET", "/v3/certificates?algorithm_type=RSA", "")
	var list struct {
		Data []struct {
			Serial    string `json:"serial_no"`
			Encrypted sealed `json:"encrypt_certificate"`
		}
	}
	if err := json.Unmarshal(text, &list); err != nil || status != 200 || len(list.Data) != 1 || list.Data[0].Serial != d.Certificate.ID {
		t.Fatalf("%d %s", status, text)
	}
	block, _ := pem.Decode(opened(t, d.XML.WechatPay.APIv3Key, list.Data[0].Encrypted))
	if block == nil {
		t.Fatal("no certificate")
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !d.Certificate.Key.PublicKey.Equal(parsed.PublicKey) {
		t.Errorf("another certificate: %v", err)
	}
}

// opened decrypts as a merchant does.
func opened(t *testing.T, key string, s sealed) []byte {
	t.Helper()
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(s.Ciphertext)
	if err != nil {
		t.Fatal(err)
	}
	out, err := gcm.Open(nil, []byte(s.Nonce), text, []byte(s.AssociatedData))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheAddressForNotificationsIsKept(t *testing.T) {
	d := world(t)
	const path = "/v3/merchant-service/complaint-notifications"
	for i, test := range []struct {
		method, body string
		status       int
		says         string
	}{
		{"GET", "", 400, "RESOURCE_NOT_EXISTS"},
		{"PUT", `{"url":"https://example.com/b"}`, 400, "RESOURCE_NOT_EXISTS"},
		{"DELETE", "", 400, "RESOURCE_NOT_EXISTS"},
		{"POST", `{"url":"http://example.com/a"}`, 400, "/url"},
		{"POST", `{"url":"https://example.com/a"}`, 200, `"url":"https://example.com/a"`},
		{"POST", `{"url":"https://example.com/b"}`, 400, "RESOURCE_ALREADY_EXISTS"},
		{"PUT", `{"url":"https://example.com/b"}`, 200, `"url":"https://example.com/b"`},
		{"GET", "", 200, `"mchid":"` + d.Acme.WechatPay.Mchid + `"`},
		{"DELETE", "", 204, ""},
		{"GET", "", 400, "RESOURCE_NOT_EXISTS"},
	} {
		if status, text := askFor(t, d, d.Acme, test.method, path, test.body); status != test.status || !strings.Contains(string(text), test.says) {
			t.Errorf("%d, %s %s: %d %s", i, test.method, test.body, status, text)
		}
	}
}

func TestANotificationVerifiesAndDecrypts(t *testing.T) {
	d := world(t)
	for _, serial := range []string{"", d.PublicKey.ID, d.Certificate.ID} {
		n, err := d.WechatPay.Notification("acme", "c1", "CREATE_COMPLAINT", serial, Fault{})
		if err != nil {
			t.Fatal(err)
		}
		if err := platformKeys(t, d).Verify(n.Header, []byte(n.Body), time.Now()); err != nil {
			t.Errorf("%q: %v", serial, err)
		}
		var body struct {
			Type     string `json:"event_type"`
			Resource sealed
		}
		if err := json.Unmarshal([]byte(n.Body), &body); err != nil || body.Type != "COMPLAINT.CREATE" {
			t.Fatalf("%s %v", n.Body, err)
		}
		if got := string(opened(t, d.Acme.WechatPay.APIv3Key, body.Resource)); got != `{"action_type":"CREATE_COMPLAINT","complaint_id":"c1"}` {
			t.Errorf("got %s", got)
		}
	}
	if n, err := d.WechatPay.Notification("acme", "c1", "MERCHANT_RESPONSE", "", Fault{SignTest: true}); err != nil ||
		platformKeys(t, d).Verify(n.Header, []byte(n.Body), time.Now()) == nil || !strings.Contains(n.Body, "COMPLAINT.STATE_CHANGE") {
		t.Errorf("a wrong signature: %v, %v", n, err)
	}
	if _, err := d.WechatPay.Notification("nobody", "c1", "", "", Fault{}); err == nil {
		t.Error("a notification for nobody")
	}
}

func TestAnEchoGoesThroughBothKeys(t *testing.T) {
	d := world(t)
	for _, key := range []GatewayKey{d.PublicKey, d.Certificate} {
		encrypted, err := encryptFor(&key.Key.PublicKey, "回声")
		if err != nil {
			t.Fatal(err)
		}
		c := newCompletion(d, d.Acme, "unused")
		c.target, c.body = "/v3/security/echo", fmt.Sprintf(`{"echo_message":"a","encrypted_echo_message":%q}`, encrypted)
		c.header.Set("Wechatpay-Serial", key.ID)
		resp, text, err := c.send(t, d.Primary)
		var got struct {
			Encrypted string `json:"encrypted_echo_message"`
		}
		if err != nil || resp.StatusCode != 200 || json.Unmarshal(text, &got) != nil {
			t.Fatalf("%v %s %v", resp, text, err)
		}
		if plain, err := decryptWith(d.Acme.Key, got.Encrypted); err != nil || plain != "回声" {
			t.Errorf("%q, %v", plain, err)
		}
	}
}
