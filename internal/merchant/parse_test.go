package merchant_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/redact"
)

func anyURL(string) error { return nil }

// object is a JSON object to be edited.
type object map[string]any

// with returns a copy in which one member is another; nil leaves it out.
func (o object) with(name string, value any) object {
	o = maps.Clone(o)
	if o[name] = value; value == nil {
		delete(o, name)
	}
	return o
}

func secret(t testing.TB, half string, o any) string {
	t.Helper()
	text, err := json.Marshal(object{half: o, "note": "for the operators"})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func imageco() object {
	return object{"isspid": "39493002", "system_id": "8888", "key": "k-e-y"}
}

// misconfigured checks that an error is about a field and holds none of the secret's values.
func misconfigured(t *testing.T, err error, field, problem string) {
	t.Helper()
	var wrong *merchant.FieldError
	if !errors.As(err, &wrong) {
		t.Fatalf("got %v, want a FieldError", err)
	}
	if wrong.Field != field || !strings.Contains(wrong.Problem, problem) {
		t.Errorf("got %q, %q; want %q, %q", wrong.Field, wrong.Problem, field, problem)
	}
	if err.Error() != wrong.Field+" "+wrong.Problem {
		t.Errorf("the error reads %q", err)
	}
	if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "BEGIN") {
		t.Errorf("the error holds a value: %q", err)
	}
}

func TestParseImagecoReads(t *testing.T) {
	base := merchant.Imageco{ISSPID: "39493002", SystemID: "8888", Key: "k-e-y"}
	for _, test := range []struct {
		name   string
		secret string
		want   func(*merchant.Imageco)
	}{
		{"the least that is needed", secret(t, "imageco", imageco()), func(*merchant.Imageco) {}},
		{"everything", secret(t, "imageco", imageco().with("seller_account", "66660000000000001").with("format", "xml").
			with("sign_charset", "gbk").with("url", "https://gateway.example")), func(m *merchant.Imageco) {
			m.SellerAccount, m.XML, m.SignGBK, m.URL = "66660000000000001", true, true, "https://gateway.example"
		}},
		{"the defaults by name", secret(t, "imageco", imageco().with("seller_account", "").with("format", "json").
			with("sign_charset", "utf-8").with("url", "")), func(*merchant.Imageco) {}},
		{"operators' notes, also in another case", secret(t, "imageco", imageco().with("KEY", "s3cr3t").with("Key", 1).with("notes", object{"a": nil})),
			func(*merchant.Imageco) {}},
		{"64 characters of seller account", secret(t, "imageco", imageco().with("seller_account", strings.Repeat("商", 64))),
			func(m *merchant.Imageco) { m.SellerAccount = strings.Repeat("商", 64) }},
		{"another half that is broken", `{"wechatpay": 1, "wechatpay": 2, "imageco": {"isspid": "39493002", "system_id": "8888", "key": "k-e-y"}}`,
			func(*merchant.Imageco) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := base
			test.want(&want)
			got, err := merchant.ParseImageco(test.secret, anyURL)
			if err != nil {
				t.Fatal(err)
			}
			got.Hidden = redact.Secrets{}
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got %+v, want %+v", *got, want)
			}
		})
	}
}

func TestParseReadsOverAByteOrderMark(t *testing.T) {
	if m, err := merchant.ParseImageco("\uFEFF"+secret(t, "imageco", imageco()), anyURL); err != nil || m.Key != "k-e-y" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := merchant.ParseImageco("\uFEFF\uFEFF"+secret(t, "imageco", imageco()), anyURL); err == nil {
		t.Error("two of them were read")
	}
}

func TestParseImagecoRefuses(t *testing.T) {
	for _, test := range []struct {
		name, secret, field, problem string
	}{
		{"an empty secret", "", "SecretString", "is not a JSON object"},
		{"a secret that is no JSON", "key=s3cr3t", "SecretString", "is not a JSON object"},
		{"a secret that is an array", `["s3cr3t"]`, "SecretString", "is not a JSON object"},
		{"a secret that breaks off", `{"imageco": {"key": "s3cr3t"`, "SecretString", "is not a JSON object"},
		{"a secret that is not UTF-8", "{\"imageco\": \"s3cr3t\xff\"}", "SecretString", "is not a JSON object"},
		{"a secret that is too long", `{"note": "` + strings.Repeat("s3cr3t", 11000) + `"}`, "SecretString", "is longer than 65536 bytes"},
		{"no half", `{"IMAGECO": {}, "wechatpay": {}}`, "imageco", "is missing"},
		{"a half that is null", `{"imageco": null}`, "imageco", "is not a JSON object"},
		{"a half that is a string", `{"imageco": "s3cr3t"}`, "imageco", "is not a JSON object"},
		{"two halves of one name", `{"imageco": {}, "imageco": {}}`, "imageco", "stands twice"},
		{"two keys", `{"imageco": {"isspid": "1", "system_id": "1", "key": "s3cr3t", "key": "s3cr3t"}}`, "imageco.key", "stands twice"},
		{"no isspid", secret(t, "imageco", imageco().with("isspid", nil)), "imageco.isspid", "is missing"},
		{"no system_id", secret(t, "imageco", imageco().with("system_id", nil)), "imageco.system_id", "is missing"},
		{"no key", secret(t, "imageco", imageco().with("key", nil)), "imageco.key", "is missing"},
		{"an empty key", secret(t, "imageco", imageco().with("key", "")), "imageco.key", "is empty"},
		{"a key that is a number", secret(t, "imageco", imageco().with("key", 123)), "imageco.key", "is not a string"},
		{"a key that is null", `{"imageco": {"isspid": "1", "system_id": "1", "key": null}}`, "imageco.key", "is not a string"},
		{"a key that was pasted with its line break", secret(t, "imageco", imageco().with("key", "s3cr3t\n")), "imageco.key", "control character"},
		{"a key with half a character", `{"imageco": {"isspid": "1", "system_id": "1", "key": "s3cr3t\ud800"}}`, "imageco.key", "lost on the way"},
		{"an isspid with a tab", secret(t, "imageco", imageco().with("isspid", "s3cr3t\t")), "imageco.isspid", "control character"},
		{"a seller account that is a number", secret(t, "imageco", imageco().with("seller_account", 1)), "imageco.seller_account", "is not a string"},
		{"a seller account that is too long", secret(t, "imageco", imageco().with("seller_account", strings.Repeat("1", 65))), "imageco.seller_account", "longer than 64"},
		{"a seller account of two lines", secret(t, "imageco", imageco().with("seller_account", "1\n2")), "imageco.seller_account", "control character"},
		{"another format", secret(t, "imageco", imageco().with("format", "s3cr3t")), "imageco.format", "is none of json, xml"},
		{"a format that is a boolean", secret(t, "imageco", imageco().with("format", true)), "imageco.format", "is not a string"},
		{"another charset", secret(t, "imageco", imageco().with("sign_charset", "GB18030")), "imageco.sign_charset", "is none of utf-8, gbk"},
		{"a charset in upper case", secret(t, "imageco", imageco().with("sign_charset", "GBK")), "imageco.sign_charset", "is none of utf-8, gbk"},
		{"a URL that is a list", secret(t, "imageco", imageco().with("url", []string{"s3cr3t"})), "imageco.url", "is not a string"},
		{"a URL that may not be called", secret(t, "imageco", imageco().with("url", "http://s3cr3t")), "imageco.url", "must be https"},
		{"a URL that the check quotes", secret(t, "imageco", imageco().with("url", "quote s3cr3t")), "imageco.url", "is not a URL that may be called"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := merchant.ParseImageco(test.secret, func(url string) error {
				if strings.HasPrefix(url, "quote") {
					return fmt.Errorf("cannot parse %q", url)
				}
				return errors.New("must be https")
			})
			if got != nil {
				t.Errorf("got %+v", got)
			}
			misconfigured(t, err, test.field, test.problem)
		})
	}
}

// keys are PEM texts made for one test.
type keys struct {
	private                     *rsa.PrivateKey
	pkcs8, pkcs1, public, ec    string
	certificate, expired, ecPub string
}

func newKeys(t testing.TB) keys {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	ecPKCS8, err := x509.MarshalPKCS8PrivateKey(ec)
	must(t, err)
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	must(t, err)
	ecPublic, err := x509.MarshalPKIXPublicKey(ec.Public())
	must(t, err)
	certificate := func(serial int64, until time.Time) string {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Tenpay.com sign"},
			NotBefore: until.AddDate(-5, 0, 0), NotAfter: until,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
		must(t, err)
		return block("CERTIFICATE", der)
	}
	return keys{
		private: private, pkcs8: block("PRIVATE KEY", pkcs8), pkcs1: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)),
		public: block("PUBLIC KEY", public), ec: block("PRIVATE KEY", ecPKCS8), ecPub: block("PUBLIC KEY", ecPublic),
		certificate: certificate(0x0ABC, time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)),
		expired:     certificate(0xEE, time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func wechatpay(k keys) object {
	return object{
		"mchid": "1900000001", "serial_no": "0aBC", "private_key": k.pkcs8,
		"platform_keys": []any{object{"id": "PUB_KEY_ID_0111", "pem": k.public}, object{"pem": k.certificate}},
	}
}

func TestParseWechatPayReads(t *testing.T) {
	k := newKeys(t)
	for _, test := range []struct {
		name  string
		half  object
		first string
		ids   string
	}{
		{"a public key and a certificate", wechatpay(k), "PUB_KEY_ID_0111", "PUB_KEY_ID_0111 0ABC"},
		{"a private key in PKCS#1", wechatpay(k).with("private_key", k.pkcs1), "PUB_KEY_ID_0111", "PUB_KEY_ID_0111 0ABC"},
		{"a certificate first", wechatpay(k).with("platform_keys", []any{object{"pem": k.certificate, "id": "whatever"}}), "0ABC", "0ABC"},
		{"an expired certificate", wechatpay(k).with("platform_keys", []any{object{"pem": k.expired}}), "EE", "EE"},
		{"Windows line endings", wechatpay(k).with("private_key", strings.ReplaceAll(k.pkcs8, "\n", "\r\n")), "PUB_KEY_ID_0111", "PUB_KEY_ID_0111 0ABC"},
		{"notes", wechatpay(k).with("Mchid", 1).with("platform_keys", []any{object{"pem": k.expired, "PEM": "note", "until": 2030}}), "EE", "EE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := merchant.ParseWechatPay(secret(t, "wechatpay", test.half))
			if err != nil {
				t.Fatal(err)
			}
			if got.Requester.Mchid != "1900000001" || got.Requester.SerialNo != "0aBC" || !k.private.Equal(got.Requester.Key) {
				t.Errorf("the requester is %s, %s", got.Requester.Mchid, got.Requester.SerialNo)
			}
			var ids []string
			for _, key := range got.Platform {
				ids = append(ids, key.ID)
			}
			if got.FirstKeyID != test.first || strings.Join(ids, " ") != test.ids {
				t.Errorf("first %s of %v, want %s of %s", got.FirstKeyID, ids, test.first, test.ids)
			}
		})
	}
}

func TestParseWechatPayRefuses(t *testing.T) {
	k := newKeys(t)
	withKeys := func(list ...any) object { return wechatpay(k).with("platform_keys", list) }
	many := make([]any, 17)
	for i := range many {
		many[i] = object{"pem": k.certificate}
	}
	for _, test := range []struct {
		name           string
		half           any
		field, problem string
	}{
		{"a half that is an array", []string{"s3cr3t"}, "wechatpay", "is not a JSON object"},
		{"no mchid", wechatpay(k).with("mchid", nil), "wechatpay.mchid", "is missing"},
		{"an mchid that is a number", wechatpay(k).with("mchid", 1900000001), "wechatpay.mchid", "is not a string"},
		{"an mchid with a quote", wechatpay(k).with("mchid", `s3cr3t"`), "wechatpay.mchid", "is not 1 to 64 of"},
		{"an mchid with a quote in its middle", wechatpay(k).with("mchid", `190"000`), "wechatpay.mchid", "is not 1 to 64 of"},
		{"an mchid that is too long", wechatpay(k).with("mchid", strings.Repeat("1", 65)), "wechatpay.mchid", "is not 1 to 64 of"},
		{"no serial number", wechatpay(k).with("serial_no", nil), "wechatpay.serial_no", "is missing"},
		{"a serial number that is not hex", wechatpay(k).with("serial_no", "0xABC"), "wechatpay.serial_no", "is not 1 to 64 hex digits"},
		{"a serial number with a line break", wechatpay(k).with("serial_no", "ABC\n"), "wechatpay.serial_no", "is not 1 to 64 hex digits"},
		{"no private key", wechatpay(k).with("private_key", nil), "wechatpay.private_key", "is missing"},
		{"an empty private key", wechatpay(k).with("private_key", ""), "wechatpay.private_key", "is empty"},
		{"a private key that is no PEM", wechatpay(k).with("private_key", "s3cr3t"), "wechatpay.private_key", "is not PEM"},
		{"a private key of another kind", wechatpay(k).with("private_key", k.ec), "wechatpay.private_key", "is not an RSA key"},
		{"no platform keys", wechatpay(k).with("platform_keys", nil), "wechatpay.platform_keys", "is missing"},
		{"platform keys that are null", withKeys(), "wechatpay.platform_keys", "is not an array"},
		{"one platform key without a list", wechatpay(k).with("platform_keys", object{"pem": k.public}), "wechatpay.platform_keys", "is not an array"},
		{"too many platform keys", withKeys(many...), "wechatpay.platform_keys", "does not hold 1 to 16 keys"},
		{"an empty list of platform keys", wechatpay(k).with("platform_keys", []any{}), "wechatpay.platform_keys", "does not hold 1 to 16 keys"},
		{"a platform key that is a string", withKeys(k.public), "wechatpay.platform_keys[0]", "is not a JSON object"},
		{"a platform key without PEM", withKeys(object{"pem": k.certificate}, object{"id": "A"}), "wechatpay.platform_keys[1].pem", "is missing"},
		{"a platform key whose PEM is a list", withKeys(object{"pem": []string{"s3cr3t"}}), "wechatpay.platform_keys[0].pem", "is not a string"},
		{"a platform key whose id is a number", withKeys(object{"id": 7, "pem": k.public}), "wechatpay.platform_keys[0].id", "is not a string"},
		{"a public key without an id", withKeys(object{"pem": k.certificate}, object{"pem": k.public}), "wechatpay.platform_keys[1].id", "must be 1 to 128"},
		{"a platform key of another kind", withKeys(object{"id": "A", "pem": k.ecPub}), "wechatpay.platform_keys[0].pem", "is not an RSA key"},
		{"the merchant's own key as a platform key", withKeys(object{"id": "A", "pem": k.pkcs8}), "wechatpay.platform_keys[0].pem", "is a private key"},
		{"two PEM in one platform key", json.RawMessage(`{"mchid":"1","serial_no":"1","private_key":` + quoted(t, k.pkcs8) +
			`,"platform_keys":[{"pem":"s3cr3t","pem":"s3cr3t"}]}`), "wechatpay.platform_keys[0].pem", "stands twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := merchant.ParseWechatPay(secret(t, "wechatpay", test.half))
			if got != nil {
				t.Error("it was read")
			}
			misconfigured(t, err, test.field, test.problem)
		})
	}
	_, err := merchant.ParseWechatPay(`{"imageco": {}}`)
	misconfigured(t, err, "wechatpay", "is missing")
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	raw, err := json.Marshal(text)
	must(t, err)
	return string(raw)
}

func asText(t *testing.T, o object) string {
	t.Helper()
	text, err := json.Marshal(o)
	must(t, err)
	return string(text)
}

func TestTheLastCertificateIsTheOneThatEndsLast(t *testing.T) {
	k := newKeys(t)
	withKeys := func(list ...any) object { return wechatpay(k).with("platform_keys", list) }
	old, newer, public := object{"pem": k.expired}, object{"pem": k.certificate}, object{"id": "PUB_KEY_ID_0111", "pem": k.public}
	for _, tt := range []struct {
		name string
		half object
		want string
	}{
		{"a certificate", withKeys(old), "EE"},
		{"a certificate and its successor", withKeys(old, newer), "0ABC"},
		{"a successor first", withKeys(newer, old), "0ABC"},
		{"both kinds", withKeys(public, old), "EE"},
		{"public keys alone", withKeys(public), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := merchant.ParseWechatPay(asText(t, object{"wechatpay": tt.half}))
			must(t, err)
			if got, ok := m.LastCertificate(); got.ID != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %t", got.ID, ok)
			}
			for through, want := range map[string]string{"wechatpay": tt.want, "imageco": ""} {
				r, err := merchant.ParseReplier(asText(t, object{"reply_through": through, "wechatpay": tt.half, "imageco": imageco()}), anyURL)
				must(t, err)
				if got, ok := r.LastCertificate(); got.ID != want || ok != (want != "") {
					t.Errorf("through %s: got %q, %t", through, got.ID, ok)
				}
			}
		})
	}
}
