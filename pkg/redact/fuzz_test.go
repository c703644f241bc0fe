package redact_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/redact"
)

// standingAlone is a mobile number, or one behind 0, 86 or 0086, that no digit touches.
var standingAlone = regexp.MustCompile(`(?:\A|[^0-9])(?:0|86|0086)?1[3-9][0-9]{9}(?:[^0-9]|\z)`)

func FuzzText(f *testing.F) {
	f.Add("请联系13800138000处理", "")
	f.Add("138 0013  8000 +86-139-0013-9000\u200b", "secret")
	f.Add(strings.Repeat("字", 245)+"138001380001380013800", "字字")
	f.Add(strings.Repeat("f", 4060)+" 13800138000", "f")
	f.Add("155 1234 1381234 5678 13800138000", "138")
	f.Add("\u0131\x8c\u044c", "\xb1 ")
	f.Add("13814567818oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := redact.Of(secret).Text(text)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 257 {
			t.Fatalf("%d characters: %q", utf8.RuneCountInString(got), got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || r != ' ' && unicode.IsSpace(r) {
				t.Fatalf("U+%04X is in %q", r, got)
			}
		}
		if standingAlone.MatchString(got) {
			t.Fatalf("a phone number stands alone in %q", got)
		}
		if len(secret) >= 8 && !strings.ContainsAny(secret, "*…") && strings.Contains(got, secret) {
			t.Fatal("the secret is in the text")
		}
	})
}

// numerals are ways to write the digits from 0 to 9.
var numerals = []string{"0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", "〇一二三四五六七八九", "⓪①②③④⑤⑥⑦⑧⑨", "零壹贰叁肆伍陆柒捌玖"}

// A number is masked whatever groups it is written in, whatever separates them and in whichever digits.
func FuzzPhone(f *testing.F) {
	for _, separator := range []string{"", " ", "/", "_", " - ", ")", "、", "·", "\u200b", "&nbsp;", "%20", "<br>", "….:", "|"} {
		f.Add(uint64(1), separator, "\u3000", "tel ", " 处理")
	}
	f.Fuzz(func(t *testing.T, seed uint64, one, other, before, after string) {
		random := rand.New(rand.NewPCG(seed, 7))
		for _, separator := range []string{one, other} {
			if utf8.RuneCountInString(separator) > 64 || strings.ContainsFunc(separator, func(r rune) bool {
				return r == utf8.RuneError || unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("&%\\<>", r)
			}) {
				return
			}
		}
		// Beside a digit it would be part of another number; an escape may swallow a digit.
		if utf8.RuneCountInString(before+after) > 100 || !utf8.ValidString(before+after) || strings.ContainsAny(before+after, "&%\\<>") ||
			strings.ContainsFunc(before+after, unicode.IsNumber) || strings.ContainsFunc(before+after, unicode.IsLetter) && strings.Contains(one+other, ".") {
			return
		}
		if strings.Contains(redact.Secrets{}.Text(before+" "+after), redact.Mask) {
			return // what stands around it is masked for another reason
		}
		digits := []rune(numerals[random.IntN(len(numerals))])
		number := []int{1, 3 + random.IntN(7)}
		for len(number) < 11 {
			number = append(number, random.IntN(10))
		}
		var text strings.Builder
		for i, d := range number {
			if i > 0 && random.IntN(3) == 0 {
				text.WriteString([]string{one, other}[random.IntN(2)])
			}
			text.WriteRune(digits[d])
		}
		written := text.String()
		if regexp.MustCompile(`^(\S{1,3}\.){3}\S{1,3}$`).MatchString(written) {
			return // an address
		}
		got := redact.Secrets{}.Text("(" + before + "(" + written + ")" + after)
		if n := strings.Count(got, "*"); n < 3 || n > 3+strings.Count(before+after+one+other, "*")*12 {
			t.Fatalf("%q in %q", written, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool {
			return strings.ContainsRune(string(digits), r) && !strings.ContainsRune(before+after, r)
		}) {
			t.Fatalf("%q shows a part of %q", got, written)
		}
	})
}
