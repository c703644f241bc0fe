package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// fault is one way in which a merchant's set-up is wrong. spoil changes the merchant; text changes the secret's text behind it.
type fault struct {
	name  string
	spoil func(*sandbox.Merchant)
	text  func(string) string

	check, status, says, advice string // what the doctor must find: parts
}

func replace(old, new string) func(string) string {
	return func(text string) string { return strings.Replace(text, old, new, 1) }
}

func secretFaults(t *testing.T, c *clinic) []fault {
	keys := testKeys()
	i, p := func(m *sandbox.Merchant) *sandbox.ImagecoSecret { return m.Imageco }, func(m *sandbox.Merchant) *sandbox.WechatPaySecret { return m.WechatPay }
	first := func(m *sandbox.Merchant) *sandbox.PlatformSecret { return &m.WechatPay.PlatformKeys[0] }
	certificate := func(serial string, from, until time.Time) string {
		return mustPEM(sandbox.CertificatePEM(sandbox.GatewayKey{ID: serial, Key: keys[1]}, from, until))
	}
	now, year := time.Now(), 365*24*time.Hour
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return []fault{
		{"no JSON", nil, replace("{", "{{"), "secret", "failed", "is not JSON: it breaks at byte", "correct the JSON"},
		{"JSON in JSON", nil, func(s string) string { b, _ := json.Marshal(s); return string(b) }, "secret", "failed", "encoded twice", ""},
		{"a byte order mark", nil, func(s string) string { return "\uFEFF" + s }, "secret", "warning", "byte order mark", "merchant make"},
		{"no 翼码 half", func(m *sandbox.Merchant) { m.Imageco = nil }, nil, "imageco", "failed", "half of the secret is missing", "every reply is refused"},
		{"no WeChat Pay half", func(m *sandbox.Merchant) { m.WechatPay = nil }, nil, "wechatpay", "failed", "half of the secret is missing", "every complete is refused"},
		{"a half with a slip of the pen", nil, replace(`"wechatpay"`, `"wechat_pay"`), "wechatpay", "failed", `there is a member "wechat_pay"`, ""},
		{"a member with a slip of the pen", nil, replace(`"system_id"`, `"systemid"`), "imageco.system_id", "failed", `there is a member "systemid"`, "exactly this spelling"},
		{"an option with a slip of the pen", func(m *sandbox.Merchant) { i(m).SignCharset = "gbk" }, replace(`"sign_charset"`, `"sign_charest"`), "imageco.sign_charset", "failed", `"sign_charest"`, ""},
		{"a member in another case beside the right one", nil, replace(`"isspid"`, `"ISSPID": "1", "isspid"`), "imageco.isspid", "warning", `"ISSPID", which has no effect`, ""},
		{"a member twice", nil, replace(`"isspid"`, `"isspid": "1", "isspid"`), "imageco.isspid", "failed", "stands twice", ""},
		{"a number in place of a string", nil, replace(`"system_id": "8888"`, `"system_id": 8888`), "imageco.system_id", "failed", "is a number and not a string", "between quotes"},
		{"null", nil, replace(`"system_id": "8888"`, `"system_id": null`), "imageco.system_id", "failed", "is null and not a string", ""},
		{"no 翼码 key", func(m *sandbox.Merchant) { i(m).Key = "" }, nil, "imageco.key", "failed", "is missing", ""},
		{"a space behind the 翼码 key", func(m *sandbox.Merchant) { i(m).Key += " " }, nil, "imageco.key", "failed", "begins or ends with white space", "every signature comes out wrong"},
		{"a line feed behind the 翼码 key", func(m *sandbox.Merchant) { i(m).Key += "\n" }, nil, "imageco.key", "failed", "holds a line break", ""},
		{"an invisible character in the 翼码 key", func(m *sandbox.Merchant) { i(m).Key = "\u200b" + i(m).Key }, nil, "imageco.key", "failed", "invisible character (U+200B)", ""},
		{"quotes around the 翼码 key", func(m *sandbox.Merchant) { i(m).Key = `"` + i(m).Key + `"` }, nil, "imageco.key", "failed", "between quotes", ""},
		{"a short 翼码 key", func(m *sandbox.Merchant) { i(m).Key = i(m).Key[:8] }, nil, "imageco.key", "warning", "has only 8 characters", ""},
		{"the PEM in the 翼码 key's place", func(m *sandbox.Merchant) { i(m).Key = p(m).PrivateKey }, nil, "imageco.key", "failed", "is a PEM", "swapped"},
		{"the isspid in the 翼码 key's place", func(m *sandbox.Merchant) { i(m).Key = i(m).ISSPID }, nil, "imageco.key", "failed", "the same as imageco.isspid", ""},
		{"another 翼码 key", func(m *sandbox.Merchant) { i(m).Key = "00112233445566778899aabbccddeeff" }, nil, "imageco query", "failed", "refuses the signature (6100", "fingerprint"},
		{"another system_id", func(m *sandbox.Merchant) { i(m).SystemID = "8889" }, nil, "imageco query", "failed", "refuses imageco.system_id", ""},
		{"another isspid", func(m *sandbox.Merchant) { i(m).ISSPID = "11111111" }, nil, "imageco query", "failed", "does not know imageco.isspid", ""},
		{"full-width digits", func(m *sandbox.Merchant) { i(m).SystemID = "８８８８" }, nil, "imageco.system_id", "failed", "full-width", ""},
		{"the 翼码 key in seller_account's place", func(m *sandbox.Merchant) { i(m).SellerAccount = i(m).Key }, nil, "imageco.seller_account", "warning", "is not a number", ""},
		{"no seller_account", func(m *sandbox.Merchant) { i(m).SellerAccount = "" }, nil, "imageco.seller_account", "warning", "every reply must name one", ""},
		{"format in capitals", func(m *sandbox.Merchant) { i(m).Format = "XML" }, nil, "imageco.format", "failed", "is not written as xml", "lower case"},
		{"a gateway for replies that is none", nil, replace(`{`, `{"reply_through": "alipay", `), "reply_through", "failed", "is none of imageco, wechatpay", ""},
		{"a gateway for replies in capitals", nil, replace(`{`, `{"reply_through": "WeChatPay", `), "reply_through", "failed", "is not written as wechatpay", ""},
		{"a gateway for replies that is null", nil, replace(`{`, `{"reply_through": null, `), "reply_through", "failed", "is none of", ""},
		{"an unknown charset", func(m *sandbox.Merchant) { i(m).SignCharset = "gb2312" }, nil, "imageco.sign_charset", "failed", "is none of utf-8, gbk", "write gbk for GB 2312"},
		{"a charset beside xml", func(m *sandbox.Merchant) { i(m).Format, i(m).SignCharset = "xml", "utf-8" }, nil, "imageco.sign_charset", "warning", "has no effect: with format xml", ""},
		{"an http URL", func(m *sandbox.Merchant) { i(m).URL = "http://gateway.example.com/" }, nil, "imageco.url", "failed", "must be https", "https://"},
		{"a URL with spaces", func(m *sandbox.Merchant) { i(m).URL = "https://gate way/" }, nil, "imageco.url", "failed", "is not a URL", ""},

		{"mchid as a number", nil, func(s string) string { return strings.Replace(s, `"`+p(c.merchant).Mchid+`"`, p(c.merchant).Mchid, 1) }, "wechatpay.mchid", "failed", "is a number", ""},
		{"another mchid", func(m *sandbox.Merchant) { p(m).Mchid = "1999999999" }, nil, "wechatpay primary self-test", "failed", "mchid is not known to WeChat Pay", ""},
		{"the serial of another certificate", func(m *sandbox.Merchant) { p(m).SerialNo = sandbox.NewSerial() }, nil, "wechatpay primary self-test", "failed", "serial_no is not the serial number of a certificate of this merchant", "openssl x509"},
		{"a serial with colons", func(m *sandbox.Merchant) { p(m).SerialNo = "51:57:F0" }, nil, "wechatpay.serial_no", "failed", "colons", ""},
		{"the platform key's id as serial", func(m *sandbox.Merchant) { p(m).SerialNo = first(m).ID }, nil, "wechatpay.serial_no", "failed", "id of WeChat Pay's public key", ""},
		{"a cut serial", func(m *sandbox.Merchant) { p(m).SerialNo = "5157F0" }, nil, "wechatpay.serial_no", "warning", "has 6 hex digits", ""},
		{"another private key", func(m *sandbox.Merchant) { p(m).PrivateKey = mustPEM(sandbox.PrivatePEM(keys[3])) }, nil, "wechatpay primary self-test", "failed", "private_key does not belong to the certificate that serial_no names", "--certificate"},
		{"private key with \\n as two characters", func(m *sandbox.Merchant) { p(m).PrivateKey = strings.ReplaceAll(p(m).PrivateKey, "\n", `\n`) }, nil, "wechatpay.private_key", "failed", `\n as two characters`, ""},
		{"private key without line breaks", func(m *sandbox.Merchant) { p(m).PrivateKey = strings.ReplaceAll(p(m).PrivateKey, "\n", " ") }, nil, "wechatpay.private_key", "failed", "lost its line breaks", ""},
		{"private key without one line break", func(m *sandbox.Merchant) {
			p(m).PrivateKey = strings.Replace(p(m).PrivateKey, "KEY-----\n", "KEY-----", 1)
		}, nil, "wechatpay.private_key", "failed", "lost its line breaks", ""},
		{"private key with Windows line ends", func(m *sandbox.Merchant) { p(m).PrivateKey = strings.ReplaceAll(p(m).PrivateKey, "\n", "\r\n") }, nil, "wechatpay.private_key", "warning", "Windows line ends", "dos2unix"},
		{"private key without its END", func(m *sandbox.Merchant) { p(m).PrivateKey = p(m).PrivateKey[:800] }, nil, "wechatpay.private_key", "failed", "cut off", ""},
		{"private key without its BEGIN", func(m *sandbox.Merchant) { _, p(m).PrivateKey, _ = strings.Cut(p(m).PrivateKey, "\n") }, nil, "wechatpay.private_key", "failed", "base64 of a key", ""},
		{"a file's name as private key", func(m *sandbox.Merchant) { p(m).PrivateKey = "/etc/apiclient_key.pem" }, nil, "wechatpay.private_key", "failed", "name of a file", ""},
		{"a certificate as private key", func(m *sandbox.Merchant) {
			p(m).PrivateKey = merchantCertificate(t, m.Key, p(m).Mchid, p(m).SerialNo, now.Add(year))
		}, nil, "wechatpay.private_key", "failed", "is a certificate", "apiclient_key.pem"},
		{"swapped keys", func(m *sandbox.Merchant) { p(m).PrivateKey, first(m).PEM = first(m).PEM, p(m).PrivateKey }, nil, "wechatpay.private_key", "failed", "not of a private key", "swapped"},
		{"swapped keys, the other one", func(m *sandbox.Merchant) { p(m).PrivateKey, first(m).PEM = first(m).PEM, p(m).PrivateKey }, nil, "wechatpay.platform_keys[0].pem", "failed", "is a private key", "swapped"},
		{"a key of 1024 bits", func(m *sandbox.Merchant) { p(m).PrivateKey = mustPEM(sandbox.PrivatePEM(short)) }, nil, "wechatpay.private_key", "failed", "1024 bits", ""},

		{"no platform keys", func(m *sandbox.Merchant) { p(m).PlatformKeys = nil }, nil, "wechatpay.platform_keys", "failed", "is missing", ""},
		{"platform keys as an object", nil, func(s string) string {
			return strings.NewReplacer(`"platform_keys": [`, `"platform_keys": `, "      }\n    ]", "      }").Replace(s)
		}, "wechatpay.platform_keys", "failed", "is an object and not an array", ""},
		{"a platform key without its id", func(m *sandbox.Merchant) { first(m).ID = "" }, nil, "wechatpay.platform_keys[0].id", "failed", "is missing", "PUB_KEY_ID_"},
		{"a platform key's id as ID", nil, replace(`"id"`, `"ID"`), "wechatpay.platform_keys[0].id", "failed", `"ID"`, ""},
		{"a platform key under another id", func(m *sandbox.Merchant) { first(m).ID = "PUB_KEY_ID_0100000000000000000000000000000001" }, nil, "wechatpay primary self-test", "failed", "does not know the id of the first", ""},
		{"another platform key under the right id", func(m *sandbox.Merchant) { first(m).PEM = mustPEM(sandbox.PublicPEM(keys[4])) }, nil, "wechatpay primary self-test", "failed", "did not sign the answer", "does not belong to the id"},
		{"two platform keys with swapped PEMs", func(m *sandbox.Merchant) {
			p(m).PlatformKeys = []sandbox.PlatformSecret{{ID: first(m).ID, PEM: mustPEM(sandbox.PublicPEM(keys[4]))}, {ID: "PUB_KEY_ID_02", PEM: first(m).PEM}}
		}, nil, "wechatpay primary self-test", "failed", "are swapped", ""},
		{"the merchant's own public key as platform key", func(m *sandbox.Merchant) { first(m).PEM = mustPEM(sandbox.PublicPEM(m.Key)) }, nil, "wechatpay.platform_keys[0].pem", "failed", "merchant's own key", ""},
		{"the merchant's own certificate as platform key", func(m *sandbox.Merchant) {
			first(m).PEM = merchantCertificate(t, keys[3], p(m).Mchid, p(m).SerialNo, now.Add(year))
		}, nil, "wechatpay.platform_keys[0].pem", "failed", "own API certificate", ""},
		{"an expired certificate", func(m *sandbox.Merchant) {
			*first(m) = sandbox.PlatformSecret{PEM: certificate(c.Certificate.ID, now.Add(-year), now.Add(-time.Hour))}
		}, nil, "wechatpay.platform_keys[0].pem", "failed", "expired on " + now.UTC().Add(-time.Hour).Format(time.DateOnly), "replace it"},
		{"an expired certificate signs", func(m *sandbox.Merchant) {
			*first(m) = sandbox.PlatformSecret{PEM: certificate(c.Certificate.ID, now.Add(-year), now.Add(-time.Hour))}
		}, nil, "wechatpay primary self-test", "failed", "certificate that is not valid", ""},
		{"a certificate that expires soon", func(m *sandbox.Merchant) {
			*first(m) = sandbox.PlatformSecret{PEM: certificate(c.Certificate.ID, now.Add(-year), now.Add(9*24*time.Hour))}
		}, nil, "wechatpay.platform_keys[0].pem", "warning", "expires soon", "successor"},
		{"a certificate of tomorrow", func(m *sandbox.Merchant) {
			*first(m) = sandbox.PlatformSecret{PEM: certificate(c.Certificate.ID, now.Add(24*time.Hour), now.Add(year))}
		}, nil, "wechatpay.platform_keys[0].pem", "failed", "valid only from", ""},
		{"a platform key twice", func(m *sandbox.Merchant) { p(m).PlatformKeys = append(p(m).PlatformKeys, *first(m)) }, nil, "wechatpay.platform_keys[1]", "warning", "the same key as", ""},
		{"two blocks in one PEM", func(m *sandbox.Merchant) { first(m).PEM += first(m).PEM }, nil, "wechatpay.platform_keys[0].pem", "failed", "more than one PEM block", ""},
	}
}
