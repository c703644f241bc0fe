package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// TestAKeyOnTheCommandLineIsNotRepeated gives every flag that takes a file the key itself, as "$(cat key.pem)" does.
func TestAKeyOnTheCommandLineIsNotRepeated(t *testing.T) {
	t.Parallel()
	private := mustPEM(sandbox.PrivatePEM(testKeys()[3]))
	const imageco, padded = "3f9Aq27cKp0LzzTw3f9Aq27cKp0LzzTw", "3f9Aq27cKp0LzzTw3f9Aq27cKp0LzQ=="
	for _, key := range []string{private, "Bag Attributes\n" + private, strings.TrimSpace(private), imageco, imageco[:16], padded, "Key: " + padded + "\nof acme"} {
		for _, args := range [][]string{
			{"sign", "--key-file", key}, {"sign", "--key-file=" + key}, {"sign", "--secret-file", key}, {"sign", key}, {"sign", "--body", key}, {"sign", "--for", key},
			{"sign", "--lang", key}, {"doctor", "--secret-file", key}, {"doctor", "--secret-file", "-", "--certificate", key}, {"doctor", "--only", key},
			{"send", "reply", "--merchant", "a", "--complaint", "1", "--file", key}, {"attention", "answer", "x", "--resend", "--file", key}, {"merchant", "make", "--from", key, "--out", "x"},
			{"merchant", "make", "--private-key", key, "--out", "x"}, {key}, {"--" + key},
		} {
			o := process{args: args, stdin: `{"a":"b"}`}.run(t)
			if o.hides(t, key); o.code == 0 || strings.Contains(o.errors, key) || strings.Count(o.errors, "\n") != 1 {
				t.Errorf("kesu %s …: exit %d\n%s", strings.Join(args[:len(args)-1], " "), o.code, o.errors)
			}
		}
	}
}

// TestSignDoesNotShowAKeyThatIsGivenAsTheSignature covers both vendors.
func TestSignDoesNotShowAKeyThatIsGivenAsTheSignature(t *testing.T) {
	t.Parallel()
	private := mustPEM(sandbox.PrivatePEM(testKeys()[3]))
	request := "POST /v3/x HTTP/1.1\nAuthorization: WECHATPAY2-SHA256-RSA2048 mchid=\"1\",nonce_str=\"a\",timestamp=\"1554208460\",serial_no=\"1\",signature=\"a\"\n\n{}"
	for name, p := range map[string]process{
		"翼码":           {args: []string{"sign", "--key-file", file(t, "key.txt", signKey), "--signature", signKey}, stdin: `{"isspid":"1"}`},
		"WeChat Pay":   {args: []string{"sign", "--key-file", file(t, "key.pem", private), "--signature=" + private}, stdin: request},
		"as JSON":      {args: []string{"sign", "--json", "--key-file", file(t, "key.pem", private), "--signature=" + private}, stdin: request},
		"a line of it": {args: []string{"sign", "--key-file", file(t, "key.pem", private), "--signature", strings.Split(private, "\n")[3]}, stdin: request},
	} {
		o := p.run(t)
		if o.hides(t, private, signKey); o.code != 1 || !strings.Contains(o.out, "the key was given in the place of the signature") {
			t.Errorf("%s: exit %d\n%s%s", name, o.code, o.out, o.errors)
		}
	}
}

// TestSendSaysWhatIsKnownAfterAnOddAnswer ends with 4 whenever the command may have been carried out.
func TestSendSaysWhatIsKnownAfterAnOddAnswer(t *testing.T) {
	t.Parallel()
	const result = `{"action":"reply","merchant":"acme","complaint_id":"2001","outcome":"succeeded","code":"0000"}`
	for name, test := range map[string]struct {
		status int
		body   string
		code   int
		says   string
	}{
		"right":                          {200, result, 0, ""},
		"a body that breaks off":         {200, result[:60], 4, "breaks off"},
		"an empty body":                  {200, "", 4, "breaks off"},
		"a login page":                   {200, "<html>", 4, "may have been carried out"},
		"202 without a result":           {202, "{}", 4, "may have been carried out"},
		"500 and succeeded":              {500, result, 4, "contradicts itself"},
		"504 and succeeded":              {504, result, 4, "contradicts itself"},
		"200 and rejected":               {200, strings.Replace(result, "succeeded", "rejected", 1), 4, "contradicts itself"},
		"200 and an outcome of nonsense": {200, strings.Replace(result, "succeeded", "done", 1), 4, "contradicts itself"},
		"422 and rejected":               {422, strings.Replace(result, "succeeded", "rejected", 1), 1, ""},
		"503 and retryable":              {503, strings.Replace(result, "succeeded", "retryable", 1), 3, ""},
		"504 and unknown":                {504, strings.Replace(result, "succeeded", "unknown", 1), 4, ""},
		"404 of something else":          {404, "not found", 1, "nothing was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			o := process{args: []string{"send", "reply", "--merchant", "acme", "--complaint", "2001", "--content", "已处理", "--url", server.URL}}.run(t)
			if o.code != test.code || !strings.Contains(o.errors, test.says) {
				t.Errorf("exit %d\n%s%s", o.code, o.out, o.errors)
			}
		})
	}
}

func TestJSONHasNothingThatMovesATerminal(t *testing.T) {
	const nasty = "a\u009bb\u202ec\u200bd\x7fe\u2028f\U000E0001g\x1bh中<&>\n"
	var out bytes.Buffer
	if err := writeJSON(&out, map[string]string{"m": nasty}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\u009b\u202e\u200b\x7f\u2028\U000E0001\x1b") || !strings.Contains(out.String(), "中<&>") {
		t.Errorf("%q", out.String())
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["m"] != nasty {
		t.Errorf("it reads as %q, %v", back["m"], err)
	}
}
