package merchant_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/merchant"
)

func FuzzParseImageco(f *testing.F) {
	f.Add(secret(f, "imageco", imageco()))
	f.Add(secret(f, "imageco", imageco().with("format", "xml").with("sign_charset", "gbk").with("url", "https://gateway.example")))
	f.Add(`{"imageco": {"isspid": null, "key": "\ud800"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := merchant.ParseImageco(text, anyURL)
		if err != nil {
			onlyFieldError(t, err)
			return
		}
		if m.ISSPID == "" || m.SystemID == "" || m.Key == "" || strings.ContainsAny(m.Key+m.ISSPID+m.SystemID+m.SellerAccount, "\r\n\x00") {
			t.Errorf("read %+v", m)
		}
	})
}

func FuzzParseWechatPay(f *testing.F) {
	k := newKeys(f)
	f.Add(secret(f, "wechatpay", wechatpay(k)))
	f.Add(secret(f, "wechatpay", wechatpay(k).with("platform_keys", []any{object{"pem": k.expired}})))
	f.Add(`{"wechatpay": {"mchid": "1", "serial_no": "1", "private_key": "", "platform_keys": null}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := merchant.ParseWechatPay(text)
		if err != nil {
			onlyFieldError(t, err)
			return
		}
		if m.Requester.Mchid == "" || m.Requester.SerialNo == "" || m.Requester.Key == nil || len(m.Platform) == 0 || m.FirstKeyID != m.Platform[0].ID {
			t.Error("half a merchant was read")
		}
	})
}

func onlyFieldError(t *testing.T, err error) {
	t.Helper()
	var wrong *merchant.FieldError
	if !errors.As(err, &wrong) || wrong.Field == "" || wrong.Problem == "" {
		t.Errorf("got %v, want a FieldError that names field and problem", err)
	}
}
