package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// request is a request to WeChat Pay, with a signature over any text.
func request(t *testing.T, key *rsa.PrivateKey, signed string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return requestWith(base64.StdEncoding.EncodeToString(signature))
}

const (
	requestTarget = "/v3/merchant-service/complaints-v2/2001/complete?a=%E4%B8%AD"
	requestNonce  = "593BEC0C930BF1AFEB40B4A08C8FB242"
	requestBody   = `{"complainted_mchid":"1900000001","text":"中/<"}`
)

func requestWith(signature string) string {
	return "POST " + requestTarget + " HTTP/1.1\r\nHost: api.mch.weixin.qq.com\r\nAuthorization: WECHATPAY2-SHA256-RSA2048 mchid=\"1900000001\",nonce_str=\"" +
		requestNonce + "\",timestamp=\"1554208460\",serial_no=\"5157F0\",signature=\"" + signature + "\"\r\n\r\n" + requestBody
}

func TestSignExplainsWeChatPaysRequest(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	private, err := sandbox.PrivatePEM(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, "key.pem", private)
	text := func(method, target, timestamp, nonce, body string) string {
		return method + "\n" + target + "\n" + timestamp + "\n" + nonce + "\n" + body + "\n"
	}
	right := text("POST", requestTarget, "1554208460", requestNonce, requestBody)
	for _, test := range []struct {
		name, message string
		says          []string
	}{
		{"right", request(t, keys[0], right), nil},
		{"no line feed at the end", request(t, keys[0], strings.TrimSuffix(right, "\n")), []string{"no line feed behind the body"}},
		{"Windows line ends", request(t, keys[0], strings.ReplaceAll(right, "\n", "\r\n")), []string{"CRLF"}},
		{"\\n as two characters", request(t, keys[0], strings.ReplaceAll(right, "\n", `\n`)), []string{"two characters"}},
		{"a whole URL", request(t, keys[0], text("POST", "https://api.mch.weixin.qq.com"+requestTarget, "1554208460", requestNonce, requestBody)), []string{"whole URL"}},
		{"host and path", request(t, keys[0], text("POST", "api.mch.weixin.qq.com"+requestTarget, "1554208460", requestNonce, requestBody)), []string{"host and path"}},
		{"no query", request(t, keys[0], text("POST", strings.Split(requestTarget, "?")[0], "1554208460", requestNonce, requestBody)), []string{"query is not signed"}},
		{"no escapes in the path", request(t, keys[0], text("POST", strings.ReplaceAll(requestTarget, "%E4%B8%AD", "中"), "1554208460", requestNonce, requestBody)), []string{"percent escapes"}},
		{"milliseconds", request(t, keys[0], text("POST", requestTarget, "1554208460000", requestNonce, requestBody)), []string{"milliseconds"}},
		{"a lower-case nonce", request(t, keys[0], text("POST", requestTarget, "1554208460", strings.ToLower(requestNonce), requestBody)), []string{"lower case"}},
		{"a lower-case method", request(t, keys[0], text("post", requestTarget, "1554208460", requestNonce, requestBody)), []string{"method is in the other case"}},
		{"nonce before timestamp", request(t, keys[0], text("POST", requestTarget, requestNonce, "1554208460", requestBody)), []string{"nonce stands before"}},
		{"no body", request(t, keys[0], text("POST", requestTarget, "1554208460", requestNonce, "")), []string{"body is not signed"}},
		{"a body with spaces", request(t, keys[0], text("POST", requestTarget, "1554208460", requestNonce, `{"complainted_mchid": "1900000001", "text": "中/<"}`)), []string{"space behind each"}},
		{"an escaped body", request(t, keys[0], text("POST", requestTarget, "1554208460", requestNonce, `{"complainted_mchid":"1900000001","text":"\u4e2d/<"}`)), []string{`\uXXXX`}},
		{"an indented body and no last line feed", request(t, keys[0], strings.TrimSuffix(text("POST", requestTarget, "1554208460", requestNonce,
			"{\n  \"complainted_mchid\": \"1900000001\",\n  \"text\": \"中/<\"\n}"), "\n")), []string{"indented", "no line feed behind"}},
		{"another key", request(t, keys[1], right), nil},
		{"another text", request(t, keys[0], "something else"), nil},
		{"SHA-1", requestWith(signSHA1(t, keys[0], right)), []string{"SHA-1 in place of SHA-256"}},
		{"PSS", requestWith(signPSS(t, keys[0], right)), []string{"PSS"}},
		{"base64 without its end", strings.Replace(request(t, keys[0], right), "==\"\r\n", "\"\r\n", 1), []string{"lacks the ="}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e, o := sign(t, test.message, "--key-file", path)
			o.hides(t, private)
			if e.Matches == nil || *e.Matches != (test.name == "right") || e.Signed != right {
				t.Fatalf("exit %d\n%s", o.code, o.out)
			}
			explains(t, e.Differences, test.says)
			if test.name == "another key" && (len(e.Explanations) == 0 || e.Explanations[0].Causes[0].ID != "key.private" || e.Explanations[0].Proved) {
				t.Errorf("\n%s", o.out)
			}
			if test.name == "another text" && !strings.Contains(o.out, "over another text") {
				t.Errorf("\n%s", o.out)
			}
		})
	}
}

func signSHA1(t *testing.T, key *rsa.PrivateKey, text string) string {
	t.Helper()
	digest := sha1.Sum([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA1, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func signPSS(t *testing.T, key *rsa.PrivateKey, text string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func TestSignExplainsWeChatPaysAnswer(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	w := &sandbox.Merchant{WechatPay: &sandbox.WechatPaySecret{}}
	for i, key := range keys[:2] {
		public, err := sandbox.PublicPEM(key)
		if err != nil {
			t.Fatal(err)
		}
		w.WechatPay.PlatformKeys = append(w.WechatPay.PlatformKeys, sandbox.PlatformSecret{ID: fmt.Sprint("PUB_KEY_ID_", i), PEM: public})
	}
	secret := file(t, "secret.json", w.Secret())
	answer := func(signed, serial string) string {
		digest := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(nil, keys[1], crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return "HTTP/1.1 200 OK\nWechatpay-Timestamp: 1554208460\nwechatpay-nonce: abc\nWechatpay-Serial: " + serial +
			"\nWechatpay-Signature: " + base64.StdEncoding.EncodeToString(signature) + "\n\n{\"a\":1}"
	}
	e, o := sign(t, answer("1554208460\nabc\n{\"a\":1}\n", "PUB_KEY_ID_1"), "--secret-file", secret)
	if e.Matches == nil || !*e.Matches || o.code != 0 || e.Signed != "1554208460\nabc\n{\"a\":1}\n" {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	e, o = sign(t, answer("1554208460\nabc\n{\"a\":1}", "PUB_KEY_ID_0"), "--secret-file", secret)
	explains(t, e.Differences, []string{"no line feed behind"})
	if !strings.Contains(o.out, "made with the key PUB_KEY_ID_1, and Wechatpay-Serial names PUB_KEY_ID_0") || o.code != 1 {
		t.Errorf("\n%s", o.out)
	}
}

// TestSignReadsTheMerchantsSecret takes both kinds of keys from Secrets Manager.
func TestSignReadsTheMerchantsSecret(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{SignGBK: true})
	run := func(message string) outcome {
		o := process{args: []string{"sign", "--merchant", "acme"}, stdin: message, env: c.Env()}.run(t)
		o.hides(t, privateParts(c.merchant)...)
		return o
	}
	key := c.merchant.Imageco.Key
	o := run(`{"text":"退款","sign":"` + strings.ToUpper(md5Hex(gbk(t, key+"text退款"+key))) + `"}`)
	if o.code != 0 || !strings.Contains(o.out, "✓ the given signature is right") || !strings.Contains(o.out, "GBK bytes") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	mine := strings.NewReplacer("1900000001\",nonce", c.merchant.WechatPay.Mchid+"\",nonce", "5157F0", c.merchant.WechatPay.SerialNo).
		Replace(request(t, c.merchant.Key, "POST\n"+requestTarget+"\n1554208460\n"+requestNonce+"\n"+requestBody+"\n"))
	if o = run(mine); o.code != 0 || !strings.Contains(o.out, "✓ the given signature is right") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	if o = run("POST " + requestTarget + "\nAuthorization: WECHATPAY2-SHA256-RSA2048 timestamp=\"1554208460000\",nonce_str=\"a\"\n\n"); o.code != 0 || !strings.Contains(o.out, "milliseconds; it must be seconds") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
}
