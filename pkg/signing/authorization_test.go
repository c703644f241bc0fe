package signing_test

import (
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/signing"
)

const wellFormed = `WECHATPAY2-SHA256-RSA2048 mchid="1900000001",nonce_str="N",timestamp="1554208460",serial_no="0abc",signature="c2lnbmVk"`

func TestParseAuthorizationTakesTheParametersInAnyOrder(t *testing.T) {
	for _, header := range []string{
		wellFormed,
		`WECHATPAY2-SHA256-RSA2048 signature="c2lnbmVk",serial_no="0abc",timestamp="1554208460",nonce_str="N",mchid="1900000001"`,
	} {
		a, err := signing.ParseAuthorization(header)
		if err != nil {
			t.Fatal(err)
		}
		if a.Mchid != "1900000001" || a.Nonce != "N" || a.At.Unix() != 1554208460 || a.SerialNo != "0abc" || string(a.Signature) != "signed" {
			t.Errorf("got %+v", a)
		}
	}
}

func TestParseAuthorizationRefuses(t *testing.T) {
	edit := func(old, new string) string { return strings.Replace(wellFormed, old, new, 1) }
	for _, test := range []struct{ name, header, want string }{
		{"an empty header", "", "scheme"},
		{"another scheme", edit("WECHATPAY2-SHA256-RSA2048", "Bearer"), "scheme"},
		{"the scheme in lower case", edit("WECHATPAY2", "wechatpay2"), "scheme"},
		{"the scheme alone", "WECHATPAY2-SHA256-RSA2048 ", "of the form"},
		{"two spaces", edit(" ", "  "), "unknown parameter"},
		{"a space after a comma", edit(",", ", "), "unknown parameter"},
		{"a value without quotes", edit(`"N"`, "N"), "of the form"},
		{"a value with half a quote", edit(`"N"`, `"`), "of the form"},
		{"a comma at the end", wellFormed + ",", "of the form"},
		{"an unknown parameter", wellFormed + `,note="x"`, "unknown parameter"},
		{"a parameter twice", wellFormed + `,mchid="2"`, "mchid stands twice"},
		{"no mchid", edit(`mchid="1900000001",`, ""), "mchid is missing"},
		{"no nonce", edit(`nonce_str="N",`, ""), "nonce_str is missing"},
		{"no timestamp", edit(`timestamp="1554208460",`, ""), "timestamp is missing"},
		{"no serial number", edit(`serial_no="0abc",`, ""), "serial_no is missing"},
		{"no signature", edit(`,signature="c2lnbmVk"`, ""), "signature is missing"},
		{"an empty mchid", edit("1900000001", ""), "mchid is empty"},
		{"a quote in the nonce", edit(`"N"`, `"N"N"`), "nonce_str"},
		{"a line break in the serial number", edit("0abc", "0a\nbc"), "serial_no"},
		{"a timestamp in words", edit("1554208460", "today"), "timestamp"},
		{"a timestamp with a sign", edit("1554208460", "+554208460"), "timestamp"},
		{"a negative timestamp", edit("1554208460", "-1"), "timestamp"},
		{"a timestamp with a leading zero", edit("1554208460", "01554208460"), "timestamp"},
		{"a timestamp beyond all time", edit("1554208460", "155420846000"), "timestamp"},
		{"a signature that is not base64", edit("c2lnbmVk", "%%%"), "signature is not base64"},
		{"an empty signature", edit("c2lnbmVk", ""), "signature is not base64"},
		{"a header that is too long", wellFormed + strings.Repeat("x", 5000), "longer than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := signing.ParseAuthorization(test.header)
			if err == nil {
				t.Fatal("it was read")
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "c2lnbmVk") {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
		})
	}
}
