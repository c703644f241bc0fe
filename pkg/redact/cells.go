package redact

import (
	"html"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// cell is one character of a text and the bytes that it stands in.
type cell struct {
	r rune
	span
}

// tag stands for a whole tag of HTML: it separates, whatever letters it has.
const tag = '\x00'

// maxEscape bounds the bytes of an escape or a tag.
const maxEscape = 64

// cellsOf takes a text apart. Fillers, which are letters that show nothing, are left out. With decode, what HTML, a URL
// or JSON writes for a character is that character, and a tag is one of its own.
func cellsOf(text string, decode bool) []cell {
	cells := make([]cell, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if decode && (r == '&' || r == '%' || r == '\\' || r == '<') {
			if decoded, length := escape(text[i:min(len(text), i+maxEscape)]); length > 0 {
				r, size = decoded, length
			}
		}
		if !isFiller(r) {
			cells = append(cells, cell{r, span{int32(i), int32(i + size)}})
		}
		i += size
	}
	return cells
}

// hasEscapes reports whether decoding may make a difference.
func hasEscapes(text string) bool { return strings.ContainsAny(text, `&%\<`) }

// maxRounds bounds how often a text is decoded: what was escaped may have been escaped again.
const maxRounds = 3

// readings takes a text apart as it stands, and then with its escapes decoded, again and again as long as there are
// any.
func readings(text string) iter.Seq[[]cell] {
	return func(yield func([]cell) bool) {
		if !yield(cellsOf(text, false)) || !hasEscapes(text) {
			return
		}
		cells := cellsOf(text, true)
		for round := 1; yield(cells) && round < maxRounds; round++ {
			before := len(cells)
			if cells = decodedAgain(cells); len(cells) == before {
				return // nothing is left to decode
			}
		}
	}
}

// decodedAgain decodes what is still escaped in a text that was decoded.
func decodedAgain(cells []cell) []cell {
	var text strings.Builder
	at := make([]span, 0, len(cells)) // where each byte comes from
	for _, c := range cells {
		before := text.Len()
		text.WriteRune(c.r)
		for range text.Len() - before {
			at = append(at, c.span)
		}
	}
	again := cellsOf(text.String(), true)
	for i, c := range again {
		again[i].span = span{at[c.start].start, at[c.end-1].end}
	}
	return again
}

// isFiller tells Hangul's fillers.
func isFiller(r rune) bool { return r == '\u115F' || r == '\u1160' || r == '\u3164' || r == '\uFFA0' }

// escape reads the escape that a text begins with, and gives 0 for its length when there is none.
func escape(text string) (r rune, length int) {
	switch text[0] {
	case '%':
		return percent(text)
	case '\\':
		return backslash(text)
	case '&':
		return entity(text)
	case '<':
		if end := strings.IndexByte(text, '>'); end > 1 &&
			(isAlphanumeric(text[1]) && !isDigit(text[1]) || text[1] == '/' || text[1] == '!') {
			return tag, end + 1
		}
	}
	return 0, 0
}

// backslash reads an escape of JSON, JavaScript, C or Python: \u0035, \u{35}, \U00000035, \x35, \065.
func backslash(text string) (r rune, length int) {
	kind := text[1:min(len(text), 2)]
	digits, base := text[min(len(text), 2):], 16
	switch kind {
	case "u":
		if braced, ok := strings.CutPrefix(digits, "{"); ok {
			number, _, closed := strings.Cut(braced, "}")
			if code, err := strconv.ParseUint(number, 16, 21); err == nil && closed {
				return rune(code), len(`\u{}`) + len(number)
			}
			return 0, 0
		}
		digits = digits[:min(len(digits), 4)]
	case "U":
		digits = digits[:min(len(digits), 8)]
	case "x":
		digits = digits[:min(len(digits), 2)]
	case "0", "1":
		digits, base, kind = text[1:min(len(text), 4)], 8, ""
	default:
		return 0, 0
	}
	code, err := strconv.ParseUint(digits, base, 21)
	if err != nil || len(digits) < 2 {
		return 0, 0
	}
	return rune(code), 1 + len(kind) + len(digits)
}

// percent reads a character of a URL, which is an escape for each of its bytes.
func percent(text string) (r rune, length int) {
	var encoded []byte
	for len(text) >= length+3 && text[length] == '%' && len(encoded) < utf8.UTFMax {
		code, err := strconv.ParseUint(text[length+1:length+3], 16, 8)
		if err != nil {
			break
		}
		encoded = append(encoded, byte(code))
		length += 3
		if utf8.FullRune(encoded) {
			break
		}
	}
	if length == 0 {
		return 0, 0
	}
	r, size := utf8.DecodeRune(encoded)
	return r, 3 * size
}

// entity reads a character reference of HTML, also one that was escaped again. Browsers read a number without its
// semicolon too.
func entity(text string) (r rune, length int) {
	name := text[1:]
	for strings.HasPrefix(name, "amp;") {
		name = name[len("amp;"):]
	}
	if number, ok := strings.CutPrefix(name, "#"); ok {
		base, alphabet := 10, "0123456789"
		if rest, hex := strings.CutPrefix(strings.ToLower(number), "x"); hex {
			number, base, alphabet = rest, 16, alphabet+"abcdef"
		}
		after := strings.TrimLeft(number, alphabet)
		code, err := strconv.ParseUint(number[:len(number)-len(after)], base, 21)
		if err != nil {
			return 0, 0
		}
		return rune(code), len(text) - len(strings.TrimPrefix(after, ";"))
	}
	before, _, found := strings.Cut(name, ";")
	if !found {
		return 0, 0
	}
	decoded := html.UnescapeString("&" + before + ";")
	if decoded == "&"+before+";" {
		return 0, 0
	}
	r, _ = utf8.DecodeRuneInString(decoded)
	return r, len(text) - len(name) + len(before) + 1
}

// folded is what is left of a text when only its letters and digits of ASCII count, in lower case, and where each of
// them comes from.
type folded struct {
	text []byte
	at   []span // nil when that does not count
}

// maxFolded bounds the letters and digits of one character: U+33AF is rad over s squared.
const maxFolded = 18

// fold folds a text. What Unicode takes for the same as letters and digits of ASCII, but for its form, counts as these
// (normalization form KD: full-width and mathematical letters, letters with accents), and so do digits of any script.
// Chinese characters separate like signs.
func fold(cells []cell) folded {
	text, at := make([]byte, 0, len(cells)), make([]span, 0, len(cells))
	add := func(c byte, from span) {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if isAlphanumeric(c) {
			text, at = append(text, c), append(at, from)
		}
	}
	for _, c := range cells {
		switch {
		case c.r < utf8.RuneSelf:
			add(byte(c.r), c.span)
		case c.r >= 0x3400 && c.r <= 0xD7FF: // Chinese, Korean
		default:
			for _, plain := range plainly(c.r) {
				add(plain, c.span)
			}
		}
	}
	return folded{text, at}
}

// plainly is a character in ASCII, among other bytes.
func plainly(r rune) []byte {
	if d := anyDigit(r); d >= 0 {
		return []byte{byte('0' + d)}
	}
	// Letters that are white on black, and those of flags, are not the same as letters to Unicode.
	for _, a := range [...]rune{'🅐', '🅰', '🇦'} {
		if r >= a && r < a+26 {
			return []byte{byte('a' + r - a)}
		}
	}
	return norm.NFKD.PropertiesString(string(r)).Decomposition()
}

// backwards is a text read from its end, in the memory of another one.
func (f folded) backwards(into folded) folded {
	text, at := append(into.text[:0], f.text...), append(into.at[:0], f.at...)
	slices.Reverse(text)
	slices.Reverse(at)
	return folded{text, at}
}

// every has one of so many characters, from the first one on, in the memory of another text.
func (f folded) every(step, first int, into folded) folded {
	to := folded{into.text[:0], into.at[:0]}
	for i := first; i < len(f.text); i += step {
		to.text = append(to.text, f.text[i])
		if f.at != nil {
			to.at = append(to.at, f.at[i])
		}
	}
	return to
}

// foldBytes is [fold], in place, of bytes that are mostly no text and of which only the text counts.
func foldBytes(raw []byte) folded {
	short := raw[:0]
	for _, c := range raw {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if isAlphanumeric(c) {
			short = append(short, c)
		}
	}
	return folded{text: short}
}

// foldOf is what [fold] leaves of a text. Secrets are mostly ASCII.
func foldOf(text string) []byte {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return fold(cellsOf(text, false)).text
		}
	}
	return foldBytes([]byte(text)).text
}
