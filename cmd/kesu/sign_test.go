package main

import (
	"crypto/md5"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/internal/explain"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// testKeys makes the RSA keys that all tests share, once: one takes a good part of a second.
var testKeys = sync.OnceValue(func() (keys [5]*rsa.PrivateKey) {
	var making sync.WaitGroup
	for i := range keys {
		making.Go(func() {
			key, err := sandbox.NewKey()
			if err != nil {
				panic(err)
			}
			keys[i] = key
		})
	}
	making.Wait()
	return keys
})

const signKey = "3f9Aq27cKp0LzzTw"

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func gbk(t *testing.T, s string) string {
	t.Helper()
	encoded, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func sign(t *testing.T, message string, args ...string) (explain.Report, outcome) {
	t.Helper()
	o := process{args: append([]string{"sign", "--json"}, args...), stdin: message}.run(t)
	var e explain.Report
	if o.errors == "" && json.Unmarshal([]byte(o.out), &e) != nil {
		t.Fatalf("not JSON:\n%s", o.out)
	}
	return e, o
}

func TestSignExplains翼码JSON(t *testing.T) {
	t.Parallel()
	const message = `{"request_type":"risk","b":"2","isspid":"394","a":"","text":"退款 \/ 已办\n好 ","n":7,"deep":{"x":"1"},"sign":"0"}`
	const k = signKey
	sorted := "a" + "b2" + "isspid394" + "request_typerisk" + "text退款 / 已办\n好 "
	written := "request_typerisk" + "b2" + "isspid394" + "a" + "text退款 / 已办\n好 "
	key := file(t, "key.txt", k+"\n")
	for _, test := range []struct {
		name, signed string
		says         []string
	}{
		{"right", k + sorted + k, nil},
		{"the order of the message", k + written + k, []string{"order of the message"}},
		{"sorted backwards", k + "text退款 / 已办\n好 request_typeriskisspid394b2a" + k, []string{"backwards"}},
		{"the sign member, empty", k + "ab2isspid394request_typerisksigntext退款 / 已办\n好 " + k, []string{"sign is signed too, empty"}},
		{"the sign member, as it stands", k + "ab2isspid394request_typerisksign0text退款 / 已办\n好 " + k, []string{"sign is signed too, as it stands"}},
		{"GBK", gbk(t, k+sorted+k), []string{"as GBK"}},
		{"the key only before", k + sorted, []string{"only before"}},
		{"the key only behind", sorted + k, []string{"only behind"}},
		{"no key", sorted, []string{"key is missing"}},
		{"a nested member", k + `ab2deep{"x":"1"}isspid394request_typerisktext退款 / 已办` + "\n好 " + k, []string{"nested"}},
		{"a number", k + "ab2isspid394n7request_typerisktext退款 / 已办\n好 " + k, []string{"no strings"}},
		{"without the empty member", k + strings.TrimPrefix(sorted, "a") + k, []string{"empty members"}},
		{"without one member", k + "ab2request_typerisktext退款 / 已办\n好 " + k, []string{"the member isspid is not signed"}},
		{"with = and &", k + "a=&b=2&isspid=394&request_type=risk&text=退款 / 已办\n好 " + k, []string{"name=value&name=value"}},
		{"the key as a last member", "a=&b=2&isspid=394&request_type=risk&text=退款 / 已办\n好 &key=" + k, []string{"&key=", "name=value&name=value"}},
		{"a key with a line feed", k + "\n" + sorted + k + "\n", []string{"line feed at its end"}},
		{"a key with a space", k + " " + sorted + k + " ", []string{"a space at its end"}},
		{"a key in lower case", strings.ToLower(k) + sorted + strings.ToLower(k), []string{"lower case"}},
		{"a key in upper case", strings.ToUpper(k) + sorted + strings.ToUpper(k), []string{"upper case"}},
		{"escapes", k + "ab2isspid394request_typerisktext" + `退款 \/ 已办\n好 ` + k, []string{"escaped in the JSON"}},
		{"trimmed values", k + strings.TrimSuffix(sorted, " ") + k, []string{"white space at their ends"}},
		{"Windows line ends", k + strings.ReplaceAll(sorted, "\n", "\r\n") + k, []string{"Windows line ends"}},
		{"three at once", gbk(t, k+written), []string{"as GBK", "order of the message", "only before"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e, o := sign(t, message, "--key-file", key, "--signature", strings.ToUpper(md5Hex(test.signed)))
			o.hides(t, k)
			matches := len(test.says) == 0
			if e.Matches == nil || *e.Matches != matches || o.code != map[bool]int{true: 0, false: 1}[matches] {
				t.Fatalf("exit %d\n%s", o.code, o.out)
			}
			if !matches {
				explains(t, e.Differences, test.says)
			}
		})
	}
}

// explains holds the differences against parts of what they should say, one each.
func explains(t *testing.T, differences, says []string) {
	t.Helper()
	ok := len(differences) == len(says)
	for _, part := range says {
		ok = ok && slices.ContainsFunc(differences, func(d string) bool { return strings.Contains(d, part) })
	}
	if !ok {
		t.Errorf("says %q, should say %q", differences, says)
	}
}

func TestSignTakesAMessageInGBK(t *testing.T) {
	t.Parallel()
	e, o := sign(t, gbk(t, `{"text":"退款","deep": {"x": "1"}}`), "--key-file", file(t, "key.txt", signKey), "--signature", md5Hex(gbk(t, signKey+`deep{"x":"1"}text退款`+signKey)))
	if o.code != 1 || e.Signed != "‹key›text退款‹key›" || !strings.Contains(o.out, "JSON travels in UTF-8") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	explains(t, e.Differences, []string{"as GBK", "nested"})
}

func TestSignKeepsToTheMessagesOwnSignature(t *testing.T) {
	t.Parallel()
	key := file(t, "key.txt", signKey)
	message := `{"isspid":"394","sign":"` + strings.ToUpper(md5Hex(signKey+"isspid394"+signKey)) + `"}`
	if e, o := sign(t, message, "--key-file", key); e.Matches == nil || !*e.Matches || o.code != 0 {
		t.Errorf("exit %d\n%s", o.code, o.out)
	}
	lower := strings.ReplaceAll(message, message[24:56], strings.ToLower(message[24:56]))
	if e, o := sign(t, lower, "--key-file", key); e.Matches == nil || *e.Matches || o.code != 1 || !strings.Contains(o.out, "other case") {
		t.Errorf("exit %d\n%s", o.code, o.out)
	}
	e, o := sign(t, message, "--key-file", file(t, "other.txt", "another key"))
	if o.code != 1 || len(e.Explanations) != 2 || e.Explanations[0].Proved || e.Explanations[1].Causes[0].ID != "key.other" {
		t.Errorf("exit %d\n%s", o.code, o.out)
	}
	e, o = sign(t, message)
	if o.code != 0 || e.Matches != nil || e.Result != "" || e.Signed != "‹key›isspid394‹key›" {
		t.Errorf("exit %d\n%s", o.code, o.out)
	}
}

func TestSignExplains翼码XML(t *testing.T) {
	t.Parallel()
	text := "<?xml version=\"1.0\" encoding=\"GBK\"?>\n<business_trans>\n  <response_content>退款</response_content>\n</business_trans>"
	doc := gbk(t, text)
	const k = signKey
	key := file(t, "key.txt", k)
	for _, test := range []struct {
		name, signed string
		says         []string
	}{
		{"right", k + doc + k, nil},
		{"UTF-8", k + text + k, []string{"signed are UTF-8"}},
		{"no declaration", k + doc[strings.Index(doc, "\n")+1:] + k, []string{"declaration"}},
		{"no white space", k + gbk(t, strings.NewReplacer("\n", "", "  ", "").Replace(text)) + k, []string{"white space between the elements"}},
		{"a line feed at the end", k + doc + "\n" + k, []string{"line end behind the XML"}},
		{"Windows line ends", k + strings.ReplaceAll(doc, "\n", "\r\n") + k, []string{"signed as Windows line ends"}},
		{"URL-encoded", k + url.QueryEscape(doc) + k, []string{"URL-encoded"}},
		{"the key only before", k + doc, []string{"only before"}},
		{"the key only behind, UTF-8", text + k, []string{"signed are UTF-8", "only behind"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			form := "xml=" + url.QueryEscape(doc) + "&mac=" + md5Hex(test.signed)
			e, o := sign(t, form, "--key-file", key)
			o.hides(t, k)
			if e.Matches == nil || *e.Matches != (len(test.says) == 0) || !strings.Contains(e.Signed, "退款") {
				t.Fatalf("exit %d\n%s", o.code, o.out)
			}
			explains(t, e.Differences, test.says)
		})
	}
}

func TestSignInText(t *testing.T) {
	t.Parallel()
	key := file(t, "key.txt", "test") // the key of the vendor's published example
	const message = `{"request_type":"barcode_cancel_request","isspid":"39493002","pos_id":"6666666666","store_id":"6666666666",` +
		`"pos_seq":"2018121400000012","user_id":"user01","system_id":"8888","barcode_cancel_request":{"pay_type":"","org_pos_seq":"2018121400000010"},` +
		`"sign":"38C73CFED3B3C6E0ED18AF04E8D34D94"}`
	o := process{args: []string{"sign", "--key-file", key}, stdin: message}.run(t)
	golden(t, "sign_right.txt", o.out)
	o = process{args: []string{"sign", "--key-file", key, "--signature", md5Hex("testisspid39493002")}, stdin: `{"isspid":"39493002","sign":""}`}.run(t)
	golden(t, "sign_wrong.txt", o.out)
	if o.code != 1 || o.errors != "" {
		t.Errorf("exit %d, %s", o.code, o.errors)
	}
}

func TestSignRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	pem := file(t, "key.pem", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END PRIVATE KEY-----\n")
	for _, test := range []struct {
		name, stdin, says string
		args              []string
		code              int
	}{
		{"nothing", "", "the message is empty", nil, 1},
		{"broken JSON", `{"a":`, "is not JSON", nil, 1},
		{"a PEM for 翼码", `{"a":"b"}`, "PEM, which is WeChat Pay's kind of key", []string{"--key-file", pem}, 1},
		{"a broken PEM", "GET /v3/x\nAuthorization: timestamp=\"1\",nonce_str=\"a\"\n\n", "characters are missing", []string{"--key-file", pem}, 1},
		{"a body without a path", `{"a":"b"}`, "--method and --url", []string{"--for", "wechatpay"}, 1},
		{"two keys", `{"a":"b"}`, "not both", []string{"--key-file", pem, "--merchant", "acme"}, 2},
		{"no such file", "", "no such file", []string{"/nowhere/at/all"}, 1},
		{"a key in place of its file", `{"a":"b"}`, "that --key-file names: the file cannot be read", []string{"--key-file", "MIIEvQsecret"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := process{args: append([]string{"sign"}, test.args...), stdin: test.stdin}.run(t)
			if o.code != test.code || !strings.Contains(o.errors, test.says) || strings.Count(o.errors, "\n") != 1 || strings.Contains(o.errors, "MIIEvQ") {
				t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
			}
		})
	}
}
