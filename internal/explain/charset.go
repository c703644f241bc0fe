package explain

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// charset is a way in which text became bytes other than UTF-8. bytes gives false when it makes no difference.
type charset struct {
	id    string
	cost  int
	bytes func(string) (string, bool)
}

var charsets = []charset{
	{"charset.gbk", 1, toGBK},
	{"charset.question", 1, func(s string) (string, bool) { return replaced(s, 1) }},
	{"charset.question", 2, func(s string) (string, bool) { return replaced(s, 2) }},
	{"charset.latin1", 1, lowBytes},
	{"charset.mojibake", 2, func(s string) (string, bool) { return fromLatin1(s), !ascii(s) }},
	{"charset.mojibake.gbk", 2, func(s string) (string, bool) {
		text, err := simplifiedchinese.GBK.NewDecoder().String(s)
		return text, err == nil && text != s
	}},
	{"charset.twice", 2, func(s string) (string, bool) { text := toLatin1(s); return text, text != "" && text != s }},
	{"charset.utf16", 2, func(s string) (string, bool) { return toUTF16(s, false), true }},
	{"charset.utf16", 2, func(s string) (string, bool) { return toUTF16(s, true), true }},
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// toGBK writes text as GBK, with ? for what GBK lacks, as most libraries do.
func toGBK(s string) (string, bool) {
	if ascii(s) {
		return s, false
	}
	if text, err := simplifiedchinese.GBK.NewEncoder().String(s); err == nil {
		return text, true
	}
	var out strings.Builder
	for _, r := range s {
		text, err := simplifiedchinese.GBK.NewEncoder().String(string(r))
		if err != nil {
			text = "?"
		}
		out.WriteString(text)
	}
	return out.String(), true
}

// replaced puts question marks for everything beyond ASCII, as Java's getBytes and Python's "replace" do: one for a
// character, or one for each of its UTF-16 units.
func replaced(s string, perAstral int) (string, bool) {
	var out strings.Builder
	astral := false
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			out.WriteRune(r)
		case r > 0xFFFF:
			out.WriteString(strings.Repeat("?", perAstral))
			astral = true
		default:
			out.WriteByte('?')
		}
	}
	return out.String(), !ascii(s) && (perAstral == 1 || astral)
}

// lowBytes keeps the lower byte of each UTF-16 unit, as JavaScript's "latin1" and "binary" do.
func lowBytes(s string) (string, bool) {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		out.WriteByte(byte(unit))
	}
	return out.String(), !ascii(s)
}

// fromLatin1 reads UTF-8 bytes as Latin-1 and writes the result as UTF-8.
func fromLatin1(s string) string {
	var out strings.Builder
	for i := range len(s) {
		out.WriteRune(rune(s[i]))
	}
	return out.String()
}

// toLatin1 undoes fromLatin1; "" when the text cannot come from it.
func toLatin1(s string) string {
	var out strings.Builder
	for _, r := range s {
		if r > 0xFF {
			return ""
		}
		out.WriteByte(byte(r))
	}
	return out.String()
}

func toUTF16(s string, big bool) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		high, low := byte(unit>>8), byte(unit)
		if !big {
			high, low = low, high
		}
		out.WriteByte(high)
		out.WriteByte(low)
	}
	return out.String()
}

// inUTF8 decodes a text that is not UTF-8 as GBK, and reports whether it had to.
func inUTF8(s string) (string, bool) {
	if utf8.ValidString(s) {
		return s, false
	}
	text, err := simplifiedchinese.GBK.NewDecoder().String(s)
	if err != nil || strings.ContainsRune(text, utf8.RuneError) {
		return s, false
	}
	return text, true
}
