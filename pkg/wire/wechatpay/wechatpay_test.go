package wechatpay_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

func TestABodyHasTheMembersOfItsPageAndNoOthers(t *testing.T) {
	mini := &wechatpay.MiniProgram{AppID: "wx1234567890abcdef", Path: "pages/refund?id=1", Text: "查看退款"}
	plain := wechatpay.Reply{ComplaintedMchID: "1900012181", Content: "已退款 <b>&</b>\n请查收"}
	linked := wechatpay.Reply{ComplaintedMchID: "1900012181", Content: "已退款", Images: []string{"a", "b"},
		JumpURL: "https://x.cn/?a=1&b=2", JumpURLText: "查看"}
	small := wechatpay.Reply{ComplaintedMchID: "1900012181", Content: "已退款", MiniProgram: mini}
	for name, row := range map[string]struct {
		body []byte
		want string
	}{
		"words alone": {plain.Response(),
			`{"complainted_mchid":"1900012181","response_content":"已退款 <b>&</b>\n请查收"}`},
		"pictures and a link": {linked.Response(),
			`{"complainted_mchid":"1900012181","response_content":"已退款","response_images":["a","b"],` +
				`"jump_url":"https://x.cn/?a=1&b=2","jump_url_text":"查看"}`},
		"a mini program": {small.Response(),
			`{"complainted_mchid":"1900012181","response_content":"已退款",` +
				`"mini_program_jump_info":{"appid":"wx1234567890abcdef","path":"pages/refund?id=1","text":"查看退款"}}`},
		"immediate, words alone": {plain.Immediate("t1"),
			`{"complainted_mchid":"1900012181","idempotent_id":"t1","message":{"blocks":[` +
				`{"type":"TEXT","text":{"text":"已退款 <b>&</b>\n请查收"}}],"sender_identity":"MANUAL"}}`},
		"immediate, pictures and a link": {linked.Immediate("t1"),
			`{"complainted_mchid":"1900012181","idempotent_id":"t1","message":{"blocks":[{"type":"TEXT","text":{"text":"已退款"}},` +
				`{"type":"IMAGE","image":{"media_id":"a","image_style_type":"IMAGE_STYLE_TYPE_NARROW"}},` +
				`{"type":"IMAGE","image":{"media_id":"b","image_style_type":"IMAGE_STYLE_TYPE_NARROW"}},` +
				`{"type":"LINK","link":{"text":"查看","action":{"action_type":"ACTION_TYPE_JUMP_URL",` +
				`"jump_url":"https://x.cn/?a=1&b=2"}}}],"sender_identity":"MANUAL"}}`},
		"immediate, a mini program": {small.Immediate("t1"),
			`{"complainted_mchid":"1900012181","idempotent_id":"t1","message":{"blocks":[{"type":"TEXT","text":{"text":"已退款"}},` +
				`{"type":"LINK","link":{"text":"查看退款","action":{"action_type":"ACTION_TYPE_JUMP_MINI_PROGRAM",` +
				`"mini_program_jump_info":{"appid":"wx1234567890abcdef","path":"pages/refund?id=1","text":"查看退款"}}}}],` +
				`"sender_identity":"MANUAL"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			if string(row.body) != row.want {
				t.Errorf("got  %s\nwant %s", row.body, row.want)
			}
		})
	}
}

// The five lines that the page of 商户上传反馈图片 prints as the string that is signed:
// https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_10.shtml. The page abbreviates the digest.
func TestTheStringThatAnUploadSignsIsTheOneThatItsPagePrints(t *testing.T) {
	const want = "POST\n/v3/merchant-service/images/upload\n1566987169\n12ced2db6f0193dda91ba86224ea1cd8\n" +
		`{"filename":"filea.jpg","sha256":"hjkahkjsjkfsjk78687dhjahdajhk"}` + "\n"
	picture := []byte("\xff\xd8\xff\xe0 a picture")
	sum := sha256.Sum256(picture)
	upload, err := wechatpay.NewUpload(picture, "image/jpeg", "filea.jpg", ".jpg", "kesu")
	if err != nil {
		t.Fatal(err)
	}
	meta := strings.Replace(string(upload.Meta), hex.EncodeToString(sum[:]), "hjkahkjsjkfsjk78687dhjahdajhk", 1)
	got := signing.RequestMessage("POST", "/v3/merchant-service/images/upload", []byte(meta),
		time.Unix(1566987169, 0), "12ced2db6f0193dda91ba86224ea1cd8")
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAnUploadIsAMultipartFormWhoseMetaIsWhatWasSigned(t *testing.T) {
	picture := []byte("\x89PNG\r\n\x1a\n--kesu--\r\n\x00")
	upload, err := wechatpay.NewUpload(picture, "image/png", "退款凭证.png", ".png", "boundary0123456789")
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(upload.ContentType)
	if err != nil {
		t.Fatal(err)
	}
	reader := multipart.NewReader(bytes.NewReader(upload.Body), params["boundary"])
	sum := sha256.Sum256(picture)
	for _, want := range []struct{ name, filename, mediaType, content string }{
		{"meta", "", "application/json", `{"filename":"退款凭证.png","sha256":"` + hex.EncodeToString(sum[:]) + `"}`},
		{"file", "image.png", "image/png", string(picture)},
	} {
		part, err := reader.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(part)
		if err != nil || part.FormName() != want.name || part.FileName() != want.filename ||
			part.Header.Get("Content-Type") != want.mediaType || string(content) != want.content {
			t.Errorf("%s: %v %q", want.name, part.Header, content)
		}
		if want.name == "meta" && !bytes.Equal(content, upload.Meta) {
			t.Errorf("what was signed is not what is sent")
		}
	}
	if _, err := reader.NextPart(); err != io.EOF {
		t.Errorf("there is more than two parts: %v", err)
	}
	if _, err := wechatpay.NewUpload(picture, "image/png", "a.png", ".png", "a\r\nb"); err == nil {
		t.Error("a boundary that is none was taken")
	}
}

func TestAMediaIDIsTakenOnlyWhenAReplyCouldCarryIt(t *testing.T) {
	for body, want := range map[string]string{
		`{"media_id":"MTkwMDAwMDAwMV8x"}`:  "MTkwMDAwMDAwMV8x",
		`{"media_id":"a","new":{"x":[1]}}`: "a",
		`{"media_id":"a|b"}`:               "",
		`{"media_id":"a b"}`:               "",
		`{"media_id":""}`:                  "",
		`{"media_id":7}`:                   "",
		`{}`:                               "",
		`x`:                                "",
		`{"media_id":"` + strings.Repeat("a", 513) + `"}`:       "",
		`{"media_id":"` + strings.Repeat("a", 512) + `","b":1}`: strings.Repeat("a", 512),
	} {
		if got := wechatpay.ReadUpload([]byte(body)); got != want {
			t.Errorf("%.40s: %.20q, want %.20q", body, got, want)
		}
	}
}

func TestAComplaintIsReadLenientlyAndOnlyWhenItIsTheOneThatWasAskedFor(t *testing.T) {
	const full = `{"complaint_id":"200201820200101080076610000","complaint_time":"2015-05-20T13:29:35.120+08:00",
		"complaint_detail":"反馈一个重复扣费的问题","complaint_state":"PENDING","complainted_mchid":"1900012181",
		"payer_phone":"sensitive","payer_openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		"complaint_order_info":[{"transaction_id":"4200000404201909069117582536","out_trade_no":"20190906154617947762231","amount":3}],
		"complaint_full_refunded":true,"incoming_user_response":false,"user_complaint_times":1,
		"complaint_media_list":[{"media_type":"USER_COMPLAINT_IMAGE","media_url":["https://api.mch.weixin.qq.com/v3/merchant-service/images/1"]}],
		"problem_description":"不满意商家服务","problem_type":"REFUND","apply_refund_amount":10,"user_tag_list":["TRUSTED","A_NEW_ONE"],
		"service_order_info":[{"order_id":"1"}],"additional_info":{"type":"SHARE_POWER_TYPE"},"tomorrow":{"a":[1,{}]}}`
	c, err := wechatpay.ReadComplaint([]byte(full), "200201820200101080076610000")
	if err != nil {
		t.Fatal(err)
	}
	if !c.ComplaintTime.Equal(time.Date(2015, 5, 20, 5, 29, 35, 120e6, time.UTC)) || c.ComplaintState != "PENDING" ||
		*c.Orders[0].Amount != 3 || c.Media[0].URLs[0] == "" || c.UserTags[1] != "A_NEW_ONE" || !*c.FullRefunded ||
		*c.IncomingUserResponse || c.NeedImmediateService != nil || *c.ApplyRefundAmount != 10 {
		t.Errorf("%+v", c)
	}
	told, err := json.Marshal(c)
	if err != nil || strings.Contains(string(told), "sensitive") || strings.Contains(string(told), "oUpF8u") {
		t.Errorf("the payer can be read in %s", told)
	}
	for name, row := range map[string]struct {
		body string
		want string // "": it is read
	}{
		"a media list that is an object": {`{"complaint_id":"1","complaint_state":"PENDING","complaint_media_list":{"media_type":"X","media_url":["a"]}}`, ""},
		"a media list that is null":      {`{"complaint_id":"1","complaint_state":"PENDING","complaint_media_list":null}`, ""},
		"a time with seconds":            {`{"complaint_id":"1","complaint_state":"PENDING","complaint_time":"2015-05-20T13:29:35+08:00"}`, ""},
		"a time that is none":            {`{"complaint_id":"1","complaint_state":"PENDING","complaint_time":7}`, ""},
		"another complaint":              {`{"complaint_id":"2","complaint_state":"PROCESSED"}`, "does not name this complaint"},
		"no complaint":                   {`{"complaint_state":"PROCESSED"}`, "does not name this complaint"},
		"no state":                       {`{"complaint_id":"1"}`, "has no complaint_state"},
		"no JSON":                        {`<html>`, "cannot be read"},
		"an array":                       {`[]`, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wechatpay.ReadComplaint([]byte(row.body), "1")
			if got := text(err); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestAMemberOfAnotherTypeIsLeftOut(t *testing.T) {
	c, err := wechatpay.ReadComplaint([]byte(`{"complaint_media_list":"","apply_refund_amount":"10","user_complaint_times":1.5,"user_tag_list":["A",7],
		"complaint_detail":{},"complaint_id":"1","complaint_state":"PENDING","problem_type":"REFUND"}`), "1")
	if err != nil || c.ProblemType != "REFUND" || c.Media != nil || c.ApplyRefundAmount != nil || c.UserComplaintTimes != nil || c.UserTags != nil || c.ComplaintDetail != "" {
		t.Errorf("%+v, %v", c, err)
	}
	for body, want := range map[string]string{
		`{"data":[{"complaint_media_list":"","complaint_id":"1"},{"complaint_id":"2"}]}`: "",
		`{"data":["1"]}`: "cannot be read",
		`{"data":{}}`:    "cannot be read",
	} {
		if list, err := wechatpay.ReadList([]byte(body)); text(err) != want || want == "" && list.Complaints[1].ComplaintID != "2" {
			t.Errorf("%s: %+v, %v", body, list, err)
		}
	}
	for kind, want := range map[string]string{"USER_RESPONSE": "", wechatpay.MerchantResponse: "cannot be read", "": "cannot be read"} {
		if _, err := wechatpay.ReadHistory([]byte(`{"data":[{"complaint_media_list":"","log_id":7,"operate_type":"` + kind + `"}]}`)); text(err) != want {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAnItemOfTheHistorySaysItsWordsAndItsPictures(t *testing.T) {
	for name, row := range map[string]struct {
		item     string
		text     string
		pictures int
	}{
		"details":                          {`{"operate_details":"已退款"}`, "已退款", 0},
		"details before blocks":            {`{"operate_details":"a","normal_message":{"blocks":[{"type":"TEXT","text":{"text":"b"}}]}}`, "a", 0},
		"text blocks when details is bare": {`{"operate_details":"","normal_message":{"blocks":[{"type":"TEXT","text":{"text":"a"}},{"type":"NEW"},{"type":"TEXT","text":{"text":"b"}}]}}`, "ab", 0},
		"a text block without text":        {`{"normal_message":{"blocks":[{"type":"TEXT"}]}}`, "", 0},
		"pictures in every list at once": {`{"image_list":["a"],"complaint_media_list":{"media_type":"X","media_url":["a","b"]},
			"normal_message":{"blocks":[{"type":"IMAGE","image":{"media_id":"a"}}]}}`, "", 2},
		"media in two groups": {`{"complaint_media_list":[{"media_url":["a"]},{"media_url":["b","c"]}]}`, "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := wechatpay.ReadHistory([]byte(`{"data":[` + row.item + `],"total_count":1,"x":{}}`))
			if err != nil || len(page.Items) != 1 {
				t.Fatal(page, err)
			}
			if got := page.Items[0]; got.Text() != row.text || got.Pictures() != row.pictures {
				t.Errorf("%q and %d pictures, want %q and %d", got.Text(), got.Pictures(), row.text, row.pictures)
			}
		})
	}
	if page, err := wechatpay.ReadHistory([]byte(`{"data":[],"limit":50}`)); err != nil || page.TotalCount != nil {
		t.Error(page, err)
	}
	if _, err := wechatpay.ReadHistory([]byte(`x`)); err == nil {
		t.Error("what is no JSON was read")
	}
	if list, err := wechatpay.ReadList([]byte(`{"data":[{"complaint_id":"1"}],"total_count":7}`)); err != nil || list.TotalCount != 7 || list.Complaints[0].ComplaintID != "1" {
		t.Error(list, err)
	}
	if _, err := wechatpay.ReadList([]byte(`[`)); err == nil {
		t.Error("what is no JSON was read")
	}
}

func TestALogIDIsReadFromTheAnswerToAnImmediateReply(t *testing.T) {
	for body, want := range map[string]string{`{"log_id":"300285320210322170000071077"}`: "300285320210322170000071077", `{}`: "", `{"log_id":7}`: "", `x`: ""} {
		if got := wechatpay.ReadLogID([]byte(body)); got != want {
			t.Errorf("%s gives %q, want %q", body, got, want)
		}
	}
}
