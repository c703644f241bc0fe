package wechatpay_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// What other people's clients send and receive, as their documentation and tests have it: facts, in our own words.
//
// Replies: https://wechatpay.im/openapi/v3/merchant-service/complaints-v2/{complaint_id}/response (wechatpay-php) and
// github.com/songxzj/weixin-sdk-java, WxComplaintResponseRequest, which has no mini program yet.
func TestTheMembersOfAReplyAreThoseOfPublicClients(t *testing.T) {
	php := map[string]any{
		"complainted_mchid": "1900012181", "response_content": "已与用户沟通解决", "response_images": []any{"file23578_21798531.jpg"},
		"jump_url": "https://www.xxx.com/notify", "jump_url_text": "查看订单详情",
		"mini_program_jump_info": map[string]any{"appid": "example_appid", "path": "example_path", "text": "example_text"},
	}
	reply := wechatpay.Reply{ComplaintedMchID: "1900012181", Content: "已与用户沟通解决", Images: []string{"file23578_21798531.jpg"},
		JumpURL: "https://www.xxx.com/notify", JumpURLText: "查看订单详情",
		MiniProgram: &wechatpay.MiniProgram{AppID: "example_appid", Path: "example_path", Text: "example_text"}}
	checkMembers(t, "wechatpay-php", reply.Response(), php)

	reply.MiniProgram = nil
	delete(php, "mini_program_jump_info")
	checkMembers(t, "weixin-sdk-java", reply.Response(), php)
}

// Uploads: https://wechatpay.im/openapi/v3/merchant/media/upload (wechatpay-php), whose meta has these two members, and
// wechatpy's pay/v3/api/media.py, which sends the form's members meta and file.
func TestTheMembersOfAnUploadAreThoseOfPublicClients(t *testing.T) {
	upload, err := wechatpay.NewUpload([]byte("picture"), "image/jpeg", "image.jpg", ".jpg", "boundary")
	if err != nil {
		t.Fatal(err)
	}
	checkMembers(t, "wechatpay-php", upload.Meta, map[string]any{"filename": "image.jpg",
		"sha256": "2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97"})
	for _, name := range []string{`name="meta"`, `name="file"`} {
		if !bytes.Contains(upload.Body, []byte(name)) {
			t.Errorf("the form has no %s", name)
		}
	}
}

func checkMembers(t *testing.T, client string, sent []byte, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(sent, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, sent %s", client, err, sent)
	}
}

// Ids of pictures: WeChat Pay's own samples in wechatpay-php's tests and documentation.
func TestMediaIDsOfPublicClientsAreTaken(t *testing.T) {
	for _, id := range []string{"BB04A5DEEFEA18D4F2554C1EDD3B610B.bmp", "file23578_21798531.jpg", "MediaId"} {
		if got := wechatpay.ReadUpload([]byte(`{"media_id":"` + id + `"}`)); got != id {
			t.Errorf("%s was read as %q", id, got)
		}
	}
}
