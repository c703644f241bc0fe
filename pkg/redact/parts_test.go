package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/redact"
)

// each writes each character of a text in a form.
func each(text, form string) string {
	var out strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&out, form, text[i])
	}
	return out.String()
}

// shifted writes letters and digits as those of another alphabet, from A, a and 0 on.
func shifted(text string, upper, lower, zero rune) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return upper + r - 'A'
		case r >= 'a' && r <= 'z':
			return lower + r - 'a'
		}
		return zero + r - '0'
	}, text)
}

func backwards(text string) string {
	var out strings.Builder
	for i := len(text); i > 0; i-- {
		out.WriteByte(text[i-1])
	}
	return out.String()
}

// writings are ways to write a key of 16 letters and digits or more so that it can still be read.
var writings = []struct {
	name  string
	write func(key string) string
}{
	{"as it is", func(key string) string { return key }},
	{"without its last character", func(key string) string { return key[:len(key)-1] }},
	{"without its first character", func(key string) string { return key[1:] }},
	{"its middle", func(key string) string { return key[2:14] }},
	{"in halves with a word between", func(key string) string { return key[:8] + " and then " + key[8:] }},
	{"in halves with Chinese between", func(key string) string { return key[:8] + "后面是" + key[8:] }},
	{"in quarters with words between", func(key string) string {
		return key[:4] + " then " + key[4:8] + " then " + key[8:12] + " then " + key[12:]
	}},
	{"in halves with a character lost", func(key string) string { return key[:7] + " ... " + key[8:] }},
	{"with a hyphen between its characters", func(key string) string { return each(key, "%c-") }},
	{"with a letter between its characters", func(key string) string { return each(key, "%cx") }},
	{"with two letters between its characters", func(key string) string { return each(key, "%cxy") }},
	{"with three letters between its characters", func(key string) string { return each(key, "%cxyz") }},
	{"with Chinese between its characters", func(key string) string { return each(key, "%c字") }},
	{"backwards", backwards},
	{"in full width", func(key string) string { return shifted(key, 'Ａ', 'ａ', '０') }},
	{"in bold mathematical letters", func(key string) string { return shifted(key, '𝐀', '𝐚', '𝟎') }},
	{"in sans-serif mathematical letters", func(key string) string { return shifted(key, '𝖠', '𝖺', '𝟢') }},
	{"in monospaced mathematical letters", func(key string) string { return shifted(key, '𝙰', '𝚊', '𝟶') }},
	{"in circles", func(key string) string {
		return strings.ReplaceAll(shifted(key, 'Ⓐ', 'ⓐ', '①'-1), "\u245F", "⓪")
	}},
	{"in squares", func(key string) string { return shifted(strings.ToUpper(key), '🄰', 0, '0') }},
	{"in black squares", func(key string) string { return shifted(strings.ToUpper(key), '🅰', 0, '0') }},
	{"in letters of flags", func(key string) string { return shifted(strings.ToUpper(key), '🇦', 0, '0') }},
	{"with accents", func(key string) string { return each(key, "%c\u0301") }},
	{"in Arabic digits where it has digits", func(key string) string { return shifted(key, 'A', 'a', '٠') }},
	{"in a URL's escapes", func(key string) string { return each(key, "%%%02x") }},
	{"in a URL's escapes that were escaped again", func(key string) string { return url.QueryEscape(each(key, "%%%02x")) }},
	{"in a URL's escapes that were escaped twice again", func(key string) string { return url.QueryEscape(url.QueryEscape(each(key, "%%%02X"))) }},
	{"in HTML's numbers", func(key string) string { return each(key, "&#%d;") }},
	{"in HTML's numbers that were escaped again", func(key string) string { return strings.ReplaceAll(each(key, "&#x%x;"), "&", "&amp;") }},
	{"in HTML's numbers in a URL", func(key string) string { return url.QueryEscape(each(key, "&#%d;")) }},
	{"with HTML's tags between its characters", func(key string) string { return each(key, "%c<i>") }},
	{"in JSON's escapes", func(key string) string { return each(key, `\u%04x`) }},
	{"in JavaScript's escapes", func(key string) string { return each(key, `\u{%x}`) }},
	{"in C's escapes", func(key string) string { return each(key, `\x%02x`) }},
	{"in C's octal escapes", func(key string) string { return each(key, `\%03o`) }},
	{"in Python's long escapes", func(key string) string { return each(key, `\U%08x`) }},
	{"in C's escapes in a URL", func(key string) string { return url.QueryEscape(each(key, `\x%02x`)) }},
	{"in hex", func(key string) string { return hex.EncodeToString([]byte(key)) }},
	{"in hex with colons", func(key string) string { return each(key, "%02X:") }},
	{"in hex behind another digit", func(key string) string { return "a" + hex.EncodeToString([]byte(key)) }},
	{"in base64", func(key string) string { return base64.StdEncoding.EncodeToString([]byte(key)) }},
	{"in base64 of a longer text", func(key string) string { return base64.StdEncoding.EncodeToString([]byte("key=" + key + "?>?>")) }},
	{"in base64 of URLs", func(key string) string { return base64.RawURLEncoding.EncodeToString([]byte("??>>" + key)) }},
	{"in base64 right behind a letter", func(key string) string { return "x" + base64.RawStdEncoding.EncodeToString([]byte(key)) }},
	{"in base64 that breaks off", func(key string) string { return base64.StdEncoding.EncodeToString([]byte("--" + key + "--"))[:22] }},
	{"in base64 in a URL", func(key string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(key))) }},
}

// showsPart reports whether a text shows a dozen characters in a row of what was written.
func showsPart(got, written string) bool {
	runes := []rune(written)
	for i := 0; i+12 <= len(runes); i++ {
		if strings.Contains(got, string(runes[i:i+12])) {
			return true
		}
	}
	return false
}

func TestTextMasksWhatCanBeReadAsAKey(t *testing.T) {
	_, _, private := newKeys(t)
	for _, key := range []string{"G" + strings.ToUpper(fresh(t, 16))[1:], fresh(t, 32)} {
		secrets := redact.Of(private, key, "another-key-of-the-merchant")
		for _, row := range writings {
			t.Run(fmt.Sprint(len(key), " characters ", row.name), func(t *testing.T) {
				written := row.write(key)
				if got := secrets.Text("key: " + written + "。不对"); showsPart(got, written) || !strings.HasPrefix(got, "key: ***") || !strings.HasSuffix(got, "不对") {
					t.Errorf("%d of %d characters are shown, or more is masked", utf8.RuneCountInString(got), utf8.RuneCountInString(written)) // and not which
				}
			})
		}
	}
}

func TestCodeAndIDHaveNoPartOfAKey(t *testing.T) {
	key := "G" + fresh(t, 16)[1:]
	secrets := redact.Of(key)
	for _, row := range writings {
		for _, text := range []string{row.write(key), "X_" + row.write(key)} {
			if secrets.Code(text) != "" || secrets.ID(text) != "" || !secrets.In(text) {
				t.Errorf("%s: it passes", row.name)
			}
		}
	}
}

// ordinary are texts of the kinds that gateways send, and of Kesu's own ids.
var ordinary = []string{
	"回复成功", "商户号与投诉单不匹配", "请求频率过高，请稍后再试", "订单号4200002153202406171234567890不存在", "参数错误：complaint_id",
	"系统异常 java.lang.NullPointerException at com.imageco.risk.ComplaintService.reply(ComplaintService.java:123)",
	"The requested complaint does not exist or does not belong to this merchant, please check complaint_id and complainted_mchid",
	"private_key must begin with -----BEGIN PRIVATE KEY----- and end with -----END PRIVATE KEY-----",
	"Wechatpay-Serial 5157F09EFDC096DE15EBE81A47057A72 is not PUB_KEY_ID_0116432912352024111500389200001234",
	"08F3FAA0B00610B30418D9D5A0F90120D1F4D8012896B502-268435456", "req-550e8400-e29b-41d4-a716-446655440000",
	"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr>nginx/1.24.0</body></html>",
	"https://pay.weixin.qq.com/doc/v3/merchant/4012467218?from=%E6%90%9C%E7%B4%A2&lang=zh-CN",
	`{"code":"PARAM_ERROR","detail":{"field":"/response_content","value":"\u6295\u8bc9","issue":"length"}}`,
	"abcdefghijklmnopqrstuvwxyz 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ", strings.Repeat("abc1", 60), strings.Repeat("The quick brown fox. ", 12),
}

// Without secrets a text is what it is with the secrets of a merchant that has nothing to do with it.
func TestOrdinaryTextsStay(t *testing.T) {
	_, _, private := newKeys(t)
	secrets := redact.Of(fresh(t, 32), "G"+fresh(t, 14), private, fresh(t, 16)).With(strings.ToUpper(fresh(t, 32)))
	for _, text := range ordinary {
		if got, want := secrets.Text(text), redact.Of().Text(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, code := range []string{"PARAM_ERROR", "SIGN_ERROR", "INVALID_REQUEST", "FREQUENCY_LIMITED", "0000", "6100", "APPID_MCHID_NOT_MATCH"} {
		if secrets.Code(code) != code {
			t.Errorf("%s does not pass", code)
		}
	}
}

// What has fewer characters of a key in a row than a part has stays.
func TestAFewCharactersOfAKeyStay(t *testing.T) {
	const key = "Q7ZM2K9XW4VB8TN3HJ5R"
	for _, row := range []struct{ name, text string }{
		{"eleven", key[:11]}, {"eleven of the middle", key[4:15]}, {"two pieces of five", key[:5] + " " + key[10:15]},
		{"pieces in another order", key[12:] + " " + key[6:12] + " " + key[:6]}, {"pieces that are far from each other", key[:8] + strings.Repeat(" lorem", 7) + " " + key[8:16]},
		{"each second character", key[0:1] + key[2:3] + key[4:5] + key[6:7] + key[8:9] + key[10:11] + key[12:13] + key[14:15]},
	} {
		if got := redact.Of(key).Text(row.text); got != row.text {
			t.Errorf("%s: %q", row.name, got)
		}
	}
	// Of a short key all but the last character is a part.
	if got := redact.Of("k3y-short1").Text("k3y-shor, k3y-short"); got != "k3y-shor, ***" {
		t.Errorf("%q", got)
	}
}

func FuzzParts(f *testing.F) {
	for _, text := range ordinary {
		f.Add(text, uint64(1), uint8(3))
	}
	f.Add("\\x\\u{ %25%25 &amp;#", uint64(2), uint8(20))
	f.Fuzz(func(t *testing.T, text string, seed uint64, way uint8) {
		random := rand.New(rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24), 1}))
		const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"
		key := make([]byte, 16+random.IntN(17))
		for i := range key {
			key[i] = letters[random.IntN(len(letters))]
		}
		secrets := redact.Of(string(key))
		if got, want := secrets.Text(text), redact.Of().Text(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		row := writings[int(way)%len(writings)]
		written := row.write(string(key))
		// Beside what an escape is made of, or what continues it, it would be written in another way.
		if text = strings.ToValidUTF8(text, ""); strings.ContainsAny(text, `&%\<`) || utf8.RuneCountInString(text) > 2000 {
			return
		}
		if got := secrets.Text(text + " " + written + " " + text); showsPart(got, written) {
			t.Errorf("%s: it is shown", row.name)
		}
	})
}

func BenchmarkText(b *testing.B) {
	key := strings.Repeat("Q7ZM2K9XW4VB8TN3", 100)
	secrets := redact.Of(key[:1600], key[3:35], key[7:39])
	for name, text := range map[string]string{"Chinese": "回复成功", "a sentence": ordinary[6], "an id": ordinary[9], "as long as may be": strings.Repeat("QmFzZTY0", 512)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				secrets.Text(text)
			}
		})
	}
}
