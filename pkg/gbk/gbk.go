// Package gbk writes GBK as every implementation reads it, and reads what claims to be GBK or is no UTF-8.
package gbk

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Encode writes s in GBK. It fails, naming the first character and its place, when GBK lacks one, or when not every
// implementation of GBK has it in the same place.
func Encode(s string) ([]byte, error) {
	encoded := make([]byte, len(s)) // no character is longer in GBK than in UTF-8
	written, read, err := simplifiedchinese.GBK.NewEncoder().Transform(encoded, []byte(s), true)
	encoded = encoded[:written]

	position := 0
	rest := encoded
	for _, r := range s[:read] {
		position++
		switch {
		case r < utf8.RuneSelf:
			rest = rest[1:]
		case rest[0] == euroByte || !alike(rest[0], rest[1]):
			return nil, lacks(position, r)
		default:
			rest = rest[2:]
		}
	}
	if err != nil {
		r, _ := utf8.DecodeRuneInString(s[read:])
		return nil, lacks(position+1, r)
	}
	return encoded, nil
}

// GB18030 reads and writes what comes from outside. It contains GBK and GB 2312.
var GB18030 = simplifiedchinese.GB18030

// Decode reads an answer that is no UTF-8. What GBK does not have either becomes U+FFFD: some platforms cut a text off
// in the middle of a character.
func Decode(text []byte) []byte {
	decoded, err := GB18030.NewDecoder().Bytes(text)
	if err != nil { // the decoder has none
		return text
	}
	return decoded
}

// InOther is a text that is UTF-8 in GBK, and any other one, which is GBK, in UTF-8.
func InOther(text []byte) []byte {
	if !utf8.Valid(text) {
		return Decode(text)
	}
	encoded, err := GB18030.NewEncoder().Bytes(text)
	if err != nil {
		return text
	}
	return encoded
}

// HasHan reports whether a text is UTF-8 and has a Chinese character in it. Of a text in GBK both would be a rare
// accident: it takes a lead byte and two continuation bytes, out of step with the pairs.
func HasHan(text []byte) bool {
	return utf8.Valid(text) && bytes.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func lacks(position int, r rune) error {
	return fmt.Errorf("character %d (U+%04X) does not exist in GBK", position, r)
}

// euroByte is the only character that x/text writes as one byte beyond ASCII.
const euroByte = 0x80

// alike reports whether every implementation of GBK reads the pair of bytes the same.
//
// x/text follows the WHATWG's index, which is wider than GBK in 81 places: the euro sign (0x80 there and in glibc, A2E3
// in GB 18030, absent in Python and in GBK itself), U+01F9 and 79 characters of GB 18030 in rows A9 and FE, which
// glibc's and Python's GBK do not have. The pair A892 is U+2295 everywhere but in Java's GBK, where it is U+2641. 翼码
// does not say which one it runs, and a sign over bytes that it reads differently cannot be explained to anyone, so
// those count as lacking. testdata/gbk-common.txt is what is left, made from tables of Python, OpenJDK, glibc,
// iconv-lite and Node.
func alike(lead, trail byte) bool {
	switch lead {
	case 0xA8:
		return trail != 0x92 && trail != 0xBF
	case 0xA9:
		return trail < 0x89 || trail > 0x95
	case 0xFE:
		return trail < 0x50 || trail > 0xA0
	}
	return true
}
