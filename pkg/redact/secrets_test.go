package redact_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/redact"
)

// fresh is a random text of n hex digits.
func fresh(t *testing.T, n int) string {
	t.Helper()
	raw := make([]byte, n/2)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(raw)
}

// Keys have the forms that merchants' keys have.
func newKeys(t *testing.T) (imageco, odd, privateKey string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return "G" + fresh(t, 14), "p+/=&\"" + fresh(t, 8) + "\\<é", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestTextMasksASecretHoweverItIsWritten(t *testing.T) {
	key, odd, private := newKeys(t)
	secrets := redact.Of(key, odd, private)
	line := strings.Split(private, "\n")[3]
	fullWidth := strings.Map(func(r rune) rune { return r + '！' - '!' }, key)
	for _, row := range []struct{ name, text string }{
		{"as it is", key},
		{"in upper case", strings.ToUpper(key)},
		{"with a hyphen in it", key[:8] + "-" + key[8:]},
		{"with spaces between its characters", strings.Join(strings.Split(key, ""), " ")},
		{"in full width", fullWidth},
		{"in HTML's numbers", "&#x" + hex.EncodeToString([]byte(key[:1])) + ";" + key[1:]},
		{"in a URL's escapes", "%" + hex.EncodeToString([]byte(key[:1])) + key[1:]},
		{"one with signs", odd},
		{"one with signs, in a URL", url.QueryEscape(odd)},
		{"one with signs, in HTML", strings.NewReplacer("&", "&amp;", "\"", "&#34;", "<", "&lt;").Replace(odd)},
		{"one with signs, in JSON", strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(odd)},
		{"a private key", private},
		{"a private key with its line breaks written", strings.ReplaceAll(private, "\n", `\n`)},
		{"one line of a private key", line},
		{"one line of a private key, broken", line[:20] + "\n" + line[20:]},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := secrets.Text("密钥 " + row.text + " 不对") // with letters there, one may be the key's own neighbour

			for _, part := range []string{key[2:], strings.ToUpper(key[2:]), fullWidth[6:], odd[8:12], line[:20], line[40:]} {
				if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(got, " ", ""), "-", ""), part) {
					t.Error("a part of a secret is shown") // and not which
				}
			}
			if !strings.HasPrefix(got, "密钥 ") || !strings.HasSuffix(got, " 不对") {
				t.Error("more than the secret is masked")
			}
		})
	}
}

func TestCode(t *testing.T) {
	key, odd, private := newKeys(t)
	sign := strings.ToUpper(fresh(t, 32))
	secrets := redact.Of(key, odd, private).With(sign)
	for _, row := range []struct {
		name, code string
		passes     bool
	}{
		{"翼码's", "0000", true},
		{"WeChat Pay's", "APPID_MCHID_NOT_MATCH", true},
		{"64 characters", strings.Repeat("Z", 63) + ".", true},
		{"a number of 10 digits", "1380013800", true},
		{"65 characters", strings.Repeat("A", 65), false},
		{"none", "", false},
		{"a space", "A B", false},
		{"a line feed", "A\n", false},
		{"Chinese", "错误", false},
		{"markup", "<b>", false},
		{"a sign", sign, false},
		{"a sign in lower case", strings.ToLower(sign), false},
		{"a sign in the form of a UUID", sign[:8] + "-" + sign[8:12] + "-" + sign[12:16] + "-" + sign[16:20] + "-" + sign[20:], false},
		{"half a sign", sign[8:24], false},
		{"another one's MD5", fresh(t, 32), false},
		{"a key", key, false},
		{"a key in a word", "KEY_" + key, false},
		{"a key in other case", strings.ToUpper(key), false},
		{"a key in pieces in a word", "KEY_" + strings.ToUpper(key[:8]) + "-" + strings.ToUpper(key[8:]) + "_X", false},
		{"a phone number", "13800138000", false},
		{"a phone number in a word", "TEL_138-0013.8000", false},
		{"an openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := secrets.Code(row.code); (got == row.code && got != "") != row.passes || !row.passes && got != "" {
				t.Errorf("it passes: %v", got != "")
			}
		})
	}
}

func TestID(t *testing.T) {
	key, odd, private := newKeys(t)
	signature := fresh(t, 64)
	secrets := redact.Of(key, odd, private).With(signature)
	for _, row := range []struct {
		name, id string
		passes   bool
	}{
		{"WeChat Pay's own form", "08F3FAA0B00610B30418D9D5A0F90120D1F4D8012896B502-268435456", true},
		{"a certificate's serial number", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", true},
		{"a public key's id", "PUB_KEY_ID_0116432912352024111500389200001234", true},
		{"128 characters", strings.Repeat("a", 128), true},
		{"129 characters", strings.Repeat("a", 129), false},
		{"a space", "a b", false},
		{"a line feed at the end", "a\n", false},
		{"Chinese", "请求", false},
		{"markup", "<b>", false},
		{"our signature", signature, false},
		{"our signature in upper case, in two halves", strings.ToUpper(signature[:32]) + ":" + strings.ToUpper(signature[32:]), false},
		{"a part of our signature", signature[10:40], false},
		{"a key", "x/" + key, false},
		{"a phone number", "req-13800138000", false},
		{"a phone number in groups", "138:0013/8000", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := secrets.ID(row.id); (got == row.id && got != "") != row.passes || !row.passes && got != "" {
				t.Errorf("it passes: %v", got != "")
			}
		})
	}
}

func TestAWSCode(t *testing.T) {
	for _, row := range []struct{ code, want string }{
		{"AccessDeniedException", "AccessDeniedException"}, {"AWS.SimpleQueueService.NonExistentQueue", "AWS.SimpleQueueService.NonExistentQueue"},
		{"", "unknown error"}, {"13800138000", "unknown error"}, {"a b", "unknown error"}, {"X\nY", "unknown error"},
		{"3f9Aq27cKp0LzzTw3f9Aq27cKp0LzzTw", "unknown error"}, {strings.Repeat("A", 65), "unknown error"}, {"错误错误", "unknown error"},
	} {
		if got := redact.AWSCode(row.code); got != row.want {
			t.Errorf("%q gives %q", row.code, got)
		}
	}
}

// A secret that is shared by many calls is not changed by one that adds to it.
func TestWithLeavesTheOtherSetAlone(t *testing.T) {
	shared := redact.Of("first-secret-1", "another-secret", "yet-another-one") // with room for one more
	one, other := shared.With("second-secret"), shared.With("third-secret-3")
	if one.Text("third-secret-3") != "third-secret-3" || other.Text("second-secret") != "second-secret" || shared.Text("second-secret") != "second-secret" {
		t.Error("a set knows a secret that it was not given")
	}
	if one.Text("first-secret-1 second-secret") != "*** ***" {
		t.Error("a set has lost a secret")
	}
}
