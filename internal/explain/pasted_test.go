package explain_test

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/explain"
)

// TestARightRequestIsRightHoweverItWasPasted gives one signed request in the forms in which tools show it.
func TestARightRequestIsRightHoweverItWasPasted(t *testing.T) {
	t.Parallel()
	keys := corpusKeys()
	body := compactOf(replyPairs)
	r := requestTo{method: "POST", target: replyTo, timestamp: strconv.FormatInt(corpusTime.Unix(), 10), nonce: nonce, body: body, mchid: mchid, serial: serial}
	plain := r.send(base64.StdEncoding.EncodeToString(signBytes(t, keys[0], r.text())))
	head, _, _ := strings.Cut(plain, "\r\n\r\n")
	_, authorization, _ := strings.Cut(head, "Authorization: ")
	length := "\r\nContent-Length: " + strconv.Itoa(len(body))
	quoted := "'" + strings.ReplaceAll(body, "'", `'\''`) + "'"
	verbose := "* Connected to api.mch.weixin.qq.com (1.2.3.4) port 443\n> POST " + replyTo + " HTTP/2\n> host: api.mch.weixin.qq.com\n> authorization: " + authorization +
		"\n> content-length: " + strconv.Itoa(len(body)) + "\n>\n} [5 bytes data]\n< HTTP/2 401\n< content-type: application/json\n<\n{\"code\":\"SIGN_ERROR\"}\n* Connection #0 to host left intact\n"
	wrapped := authorization
	for i := 70; i < len(wrapped); i += 72 {
		wrapped = wrapped[:i] + "\n" + wrapped[i:]
	}
	for name, o := range map[string]explain.Options{
		"as it went":                    {Message: []byte(plain)},
		"line feeds alone":              {Message: []byte(strings.ReplaceAll(head, "\r\n", "\n") + "\n\n" + body)},
		"a byte order mark":             {Message: []byte("\uFEFF" + plain)},
		"a terminal's colours":          {Message: []byte("\x1b[32m" + strings.Replace(plain, "Host", "\x1b[0mHost", 1))},
		"an editor's line feed":         {Message: []byte(head + length + "\r\n\r\n" + body + "\n")},
		"curl -v and its body":          {Message: []byte(verbose), Body: []byte(body)},
		"curl -v behind its command":    {Message: []byte("$ curl -v https://api.mch.weixin.qq.com" + replyTo + " --data-raw " + quoted + "\n" + verbose)},
		"a command of curl":             {Message: []byte("curl 'https://api.mch.weixin.qq.com" + replyTo + "' \\\n  -H 'Authorization: " + authorization + "' \\\n  -H 'Content-Type: application/json' \\\n  --data-raw " + quoted)},
		"a browser's request headers":   {Message: []byte(":authority:\napi.mch.weixin.qq.com\n:method:\nPOST\n:path:\n" + replyTo + "\nauthorization:\n" + authorization + "\n"), Body: []byte(body)},
		"HTTP/2's names before":         {Message: []byte(":method: POST\n:path: " + replyTo + "\nauthorization: " + authorization + "\n\n" + body)},
		"headers without a first line":  {Message: []byte("Host: api.mch.weixin.qq.com\nAuthorization: " + authorization + "\n\n" + body), Method: "POST", Target: replyTo},
		"a wrapped header":              {Message: []byte("POST " + replyTo + " HTTP/1.1\nAuthorization: " + wrapped + "\n\n" + body)},
		"blanks between the parameters": {Message: []byte(strings.Replace(strings.Replace(plain, `",nonce_str`, `", nonce_str`, 1), `",timestamp`, `" , timestamp`, 1))},
		"a body and flags":              {Message: []byte(body), For: "wechatpay", Method: "POST", Target: replyTo, Timestamp: r.timestamp, Nonce: nonce, Signature: base64.StdEncoding.EncodeToString(signBytes(t, keys[0], r.text()))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Secret, o.Now = wechatSecret(t, keys[0], keys[1]), corpusTime
			report, err := explain.Run(t.Context(), o)
			if err != nil || !report.Right() || report.Signed != r.text() {
				t.Errorf("%v %+v", err, report)
			}
		})
	}
	_, err := explain.Run(t.Context(), explain.Options{Message: []byte(verbose), Now: corpusTime})
	if err == nil || !strings.Contains(err.Error(), "--body FILE") {
		t.Errorf("curl -v without a body: %v", err)
	}
}

// TestTheKeyIsReadInEveryForm gives the same key as files hold it.
func TestTheKeyIsReadInEveryForm(t *testing.T) {
	t.Parallel()
	keys := corpusKeys()
	private := privatePEM(t, keys[0])
	r := requestTo{method: "GET", target: listOf, timestamp: strconv.FormatInt(corpusTime.Unix(), 10), nonce: nonce, mchid: mchid, serial: serial}
	message := r.send(base64.StdEncoding.EncodeToString(signBytes(t, keys[0], r.text())))
	lines := strings.Split(strings.TrimSpace(private), "\n")
	der, err := base64.StdEncoding.DecodeString(strings.Join(lines[1:len(lines)-1], ""))
	if err != nil {
		t.Fatal(err)
	}
	utf16 := []byte{0xFF, 0xFE}
	for _, c := range []byte(private) {
		utf16 = append(utf16, c, 0)
	}
	for name, key := range map[string][]byte{
		"PEM": []byte(private), "a byte order mark": []byte("\uFEFF" + private), "UTF-16": utf16, "DER": der, "base64 of the PEM": []byte(base64.StdEncoding.EncodeToString([]byte(private))),
		"without its frame": []byte(strings.Join(lines[1:len(lines)-1], "\n")), "one line": []byte(strings.Join(lines, " ")), "backslash n": []byte(strings.ReplaceAll(private, "\n", `\n`)),
		"quoted": []byte(strconv.Quote(private)), "zero-width spaces": []byte(strings.ReplaceAll(private, "\n", "\u200b\n")), "no-break spaces": []byte(strings.ReplaceAll(private, "\n", "\u00a0\n")),
		"the public half": []byte(publicPEM(t, keys[0])),
	} {
		report, err := explain.Run(t.Context(), explain.Options{Message: []byte(message), Key: key, Now: corpusTime})
		if err != nil || !report.Right() {
			t.Errorf("%s: %v %+v", name, err, report.Explanations)
		}
	}
}
