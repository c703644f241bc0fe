package redact

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

const (
	// leastPart is the shortest part of a secret, in letters and digits, that is as good as the secret.
	leastPart = 12
	// leastPiece is the shortest piece of a part that was taken apart.
	leastPiece = 4
	// maxBetween is how many letters and digits may stand between two pieces of a part.
	maxBetween = 32
	// maxLost is how many characters of a secret may be missing between two of its pieces.
	maxLost = 1
	// maxStep bounds every how many letters one is the secret's: "k-x-e-x-y-x" has one in two.
	maxStep = 4
)

// needed is how many letters and digits of a secret are as good as the secret: all but the last of a short one.
func needed(secret []byte) int { return min(leastPart, max(len(secret)-1, leastFolded)) }

// parts gives the places in a text of parts of the secrets, however they are written:
//
//   - as they are, in any case, with anything but letters and digits between them;
//   - in pieces with words between, with the same number of letters between any two characters, and backwards;
//   - in letters that Unicode takes for the same (full-width, mathematical, in circles), in escapes of URLs, HTML, JSON
//     and C, also escaped again, in base64 and in hex.
//
// The text is bounded by [maxRead], and is looked up in the secrets: their number and length hardly count.
func (s *Secrets) parts(text string) []span {
	if s.need == 0 || len(text)*maxFolded < s.need {
		return nil
	}
	var found []span
	for cells := range readings(text) {
		plain := fold(cells)
		found = s.written(found, plain, folded{make([]byte, len(plain.text)), make([]span, len(plain.at))})
		digits, raw := make([]byte, len(cells)), make([]byte, len(cells))
		for i, c := range cells {
			digits[i] = base64Digit(c.r)
		}
		found = s.inHex(found, plain, raw)
		found = s.inBase64(found, digits, cells, raw)
	}
	return found
}

// partIn reports whether a token has a part of a secret in it. Tokens are short, many, and mostly ASCII without
// escapes: there it takes less memory than parts.
func (s *Secrets) partIn(token string) bool {
	if s.need == 0 || len(token)*maxFolded < s.need {
		return false
	}
	if hasEscapes(token) || strings.ContainsFunc(token, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return len(s.parts(token)) > 0
	}
	n := len(token)
	memory := make([]byte, 4*n)
	digits, text, other, raw := memory[:n], memory[n:2*n], memory[2*n:3*n], memory[3*n:]
	for i := range digits {
		digits[i] = base64Digit(rune(token[i]))
	}
	copy(text, token)
	plain := foldBytes(text)
	return len(s.written(nil, plain, folded{text: other})) > 0 ||
		len(s.inHex(nil, plain, raw)) > 0 || len(s.inBase64(nil, digits, nil, raw)) > 0
}

// written finds parts in pieces, at steps and backwards. other is memory for as long a text.
func (s *Secrets) written(found []span, f, other folded) []span {
	if len(f.text) < s.need {
		return found
	}
	for set := s; set != nil; set = set.below {
		found = set.lookup.pieces(found, f)
	}
	found = s.runs(found, f.backwards(other))
	for step := 2; step <= maxStep && len(f.text)/step >= s.need; step++ {
		for first := range step {
			found = s.runs(found, f.every(step, first, other))
		}
	}
	return found
}

// runs finds parts that stand as a whole.
func (s *Secrets) runs(found []span, f folded) []span {
	if len(f.text) < s.need {
		return found
	}
	for ; s != nil; s = s.below {
		found = s.lookup.runs(found, f)
	}
	return found
}

// inHex finds words of hex that hold a part. raw is memory for what a word is decoded to.
func (s *Secrets) inHex(found []span, f folded, raw []byte) []span {
	for from := 0; from < len(f.text); from++ {
		start := from
		for from < len(f.text) && hexDigit(f.text[from]) >= 0 {
			from++
		}
		if from-start < 2*s.need {
			continue
		}
		for first := start; first < start+2; first++ { // another digit may stand right before it
			raw = raw[:0]
			for i := first; i+1 < from; i += 2 {
				raw = append(raw, byte(hexDigit(f.text[i])<<4|hexDigit(f.text[i+1])))
			}
			found = s.inside(found, f.place(start, from), raw)
		}
	}
	return found
}

// inBase64 finds words of base64 that hold a part. digits are the text's digits of base64, and 0 for each cell that is
// none; raw is memory for what a word is decoded to.
func (s *Secrets) inBase64(found []span, digits []byte, cells []cell, raw []byte) []span {
	least := base64.RawStdEncoding.EncodedLen(s.need)
	for from := 0; from < len(digits); from++ {
		start := from
		for from < len(digits) && digits[from] != 0 {
			from++
		}
		if from-start < least {
			continue
		}
		var word span
		if cells != nil {
			word = span{cells[start].start, cells[from-1].end}
		}
		for first := start; first < start+4 && from-first >= least; first++ { // other letters may stand right before it
			n, _ := base64.RawStdEncoding.Decode(raw, digits[first:from]) // what there is of a word that breaks off
			found = s.inside(found, word, raw[:n])
		}
	}
	return found
}

// inside adds a word when what it was decoded to, which is changed, holds a part.
func (s *Secrets) inside(found []span, word span, decoded []byte) []span {
	if f := foldBytes(decoded); len(s.runs(nil, f)) > 0 {
		return append(found, word)
	}
	return found
}

// base64Digit is a digit of base64 in the standard alphabet, and 0 for what is none; that of URLs has two others.
func base64Digit(r rune) byte {
	switch {
	case r == '-':
		return '+'
	case r == '_':
		return '/'
	case r == '+' || r == '/' || r < 0x80 && isAlphanumeric(byte(r)):
		return byte(r)
	}
	return 0
}

// hexDigit is the value of a hex digit in lower case, and -1 for what is none.
func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
