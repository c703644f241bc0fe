package wechatpay_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

var validCode = regexp.MustCompile(`\A[0-9A-Za-z_.-]{1,64}\z`)

func FuzzReadError(f *testing.F) {
	f.Add([]byte(`{"code":"SIGN_ERROR","message":"签名错误","detail":{}}`))
	f.Add([]byte(`{"code":"a","code":"B"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		code, message := wechatpay.ReadError(body)
		if code == "" && message != "" || code != "" && !validCode.MatchString(code) {
			t.Fatalf("%q, %q", code, message)
		}
	})
}

func FuzzReadState(f *testing.F) {
	f.Add([]byte(`{"complaint_id":"1","complaint_state":"PROCESSED"}`), "1")
	f.Add([]byte(`{"complaint_id":"1","complaint_state":"PENDING"}`), "2")
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		state, err := wechatpay.ReadState(body, id)
		if (state == "") != (err != nil) {
			t.Fatalf("%q, %v", state, err)
		}
		var said struct {
			State string `json:"complaint_state"`
		}
		if state != "" && (json.Unmarshal(body, &said) != nil || !strings.Contains(string(body), "complaint_") && !strings.Contains(string(body), `\`)) {
			t.Fatalf("%q was read from %q", state, body)
		}
	})
}
