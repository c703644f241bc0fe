package explain

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"math/big"
	"strings"
)

// form is a way to write a digest as text. cause is "" for the documentation's own.
type form struct {
	cause string
	write func(digest []byte) string
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// forms are the ways in which a digest in 翼码's sign is written, the right one first.
func forms(upper bool) []form {
	right, other := hex.EncodeToString, upperHex
	if upper {
		right, other = upperHex, hex.EncodeToString
	}
	return []form{
		{"", right},
		{"form.case", other},
		{"form.16digits", func(b []byte) string { return middle(right(b)) }},
		{"form.16digits", func(b []byte) string { return middle(other(b)) }},
		{"form.base64", base64.StdEncoding.EncodeToString},
		{"form.base64", base64.RawStdEncoding.EncodeToString},
		{"form.base64", base64.URLEncoding.EncodeToString},
		{"form.base64hex", func(b []byte) string { return base64.StdEncoding.EncodeToString([]byte(right(b))) }},
		{"form.base64hex", func(b []byte) string { return base64.StdEncoding.EncodeToString([]byte(other(b))) }},
		{"form.hexhex", func(b []byte) string { return right([]byte(right(b))) }},
		{"form.hexhex", func(b []byte) string { return other([]byte(other(b))) }},
		{"form.zeros", func(b []byte) string { return unpadded(right(b)) }},
		{"form.zeros", func(b []byte) string { return unpadded(other(b)) }},
		{"form.zeros", func(b []byte) string { return signed(b, upper) }},
		{"form.zeros", func(b []byte) string { return signed(b, !upper) }},
		{"form.zeros", func(b []byte) string { return bytewise(b, upper) }},
		{"form.zeros", func(b []byte) string { return bytewise(b, !upper) }},
		{"form.separated", func(b []byte) string { return separated(right(b), "-") }},
		{"form.separated", func(b []byte) string { return separated(other(b), "-") }},
		{"form.separated", func(b []byte) string { return separated(right(b), ":") }},
		{"form.separated", func(b []byte) string { return separated(other(b), ":") }},
		{"form.separated", func(b []byte) string { return separated(right(b), " ") }},
		{"form.separated", func(b []byte) string { return separated(other(b), " ") }},
		{"form.prefix", func(b []byte) string { return "0x" + right(b) }},
		{"form.prefix", func(b []byte) string { return "0x" + other(b) }},
		{"form.reversed", func(b []byte) string { return right(backwards(b)) }},
	}
}

func middle(digits string) string {
	if len(digits) < 24 {
		return digits
	}
	return digits[8:24]
}

// unpadded loses the zeros at the beginning, as Java's BigInteger.toString(16) does.
func unpadded(digits string) string {
	if cut := strings.TrimLeft(digits, "0"); cut != digits {
		return cut
	}
	return ""
}

// signed takes the digest for a signed number, as Java's new BigInteger(bytes) does.
func signed(b []byte, upper bool) string {
	if len(b) == 0 || b[0] < 0x80 {
		return ""
	}
	n := new(big.Int).SetBytes(b)
	n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	text := n.Text(16)
	if upper {
		text = strings.ToUpper(text)
	}
	return text
}

// bytewise writes each byte without its leading zero, as Java's Integer.toHexString(b & 0xff) does.
func bytewise(b []byte, upper bool) string {
	var out strings.Builder
	digits := hexLower
	if upper {
		digits = hexUpper
	}
	lost := false
	for _, c := range b {
		if c >= 0x10 {
			out.WriteByte(digits[c>>4])
		} else {
			lost = true
		}
		out.WriteByte(digits[c&0xF])
	}
	if !lost {
		return ""
	}
	return out.String()
}

func separated(digits, by string) string {
	var pairs []string
	for i := 0; i+2 <= len(digits); i += 2 {
		pairs = append(pairs, digits[i:i+2])
	}
	return strings.Join(pairs, by)
}

func backwards(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out
}

// algorithm is what makes a digest of a text. cause is "" for MD5.
type algorithm struct {
	cause string
	args  []any
	cost  int
	sum   func(text, key string) []byte
}

func plain(of func() hash.Hash) func(string, string) []byte {
	return func(text, _ string) []byte {
		h := of()
		h.Write([]byte(text))
		return h.Sum(nil)
	}
}

func keyed(of func() hash.Hash) func(string, string) []byte {
	return func(text, key string) []byte {
		h := hmac.New(of, []byte(key))
		h.Write([]byte(text))
		return h.Sum(nil)
	}
}

func md5Of(text string) []byte {
	sum := md5.Sum([]byte(text))
	return sum[:]
}

var algorithms = []algorithm{
	{"algorithm", []any{"HMAC-MD5"}, 1, keyed(md5.New)},
	{"algorithm.twice", nil, 1, func(text, _ string) []byte { return md5Of(hex.EncodeToString(md5Of(text))) }},
	{"algorithm.twice", nil, 1, func(text, _ string) []byte { return md5Of(upperHex(md5Of(text))) }},
	{"algorithm.twice", nil, 2, func(text, _ string) []byte { return md5Of(string(md5Of(text))) }},
	{"algorithm.salted", nil, 2, func(text, key string) []byte { return md5Of(hex.EncodeToString(md5Of(text)) + key) }},
	{"algorithm.salted", nil, 2, func(text, key string) []byte { return md5Of(key + hex.EncodeToString(md5Of(text)) + key) }},
	{"algorithm", []any{"SHA-256"}, 1, plain(sha256.New)},
	{"algorithm", []any{"HMAC-SHA-256"}, 1, keyed(sha256.New)},
	{"algorithm", []any{"SHA-1"}, 1, plain(sha1.New)},
	{"algorithm", []any{"HMAC-SHA-1"}, 2, keyed(sha1.New)},
	{"algorithm", []any{"SHA-512"}, 2, plain(sha512.New)},
	{"algorithm", []any{"SHA-384"}, 2, plain(sha512.New384)},
}

// matcher holds digests against the signature that was given.
type matcher struct {
	given string
	raw   []byte         // the given text's bytes when it is hex
	right form           // the documentation's
	other map[int][]form // by a digest's length in bytes: the forms that may have given the text
}

func newMatcher(given string, upper bool) *matcher {
	all := forms(upper)
	m := &matcher{given: given, right: all[0], other: map[int][]form{}}
	m.raw, _ = hex.DecodeString(given)
	for _, size := range []int{16, 20, 32, 48, 64} {
		full := append([]byte{0xF0}, make([]byte, size-1)...)
		for _, f := range all[2:] {
			lost := 2*size - len(given)
			if len(f.write(full)) == len(given) || f.cause == "form.zeros" && lost >= -1 && lost <= 8 && lost != 0 {
				m.other[size] = append(m.other[size], f)
			}
		}
	}
	return m
}

// match reports whether the digest gives the text, and in which form: "" is the documentation's.
func (m *matcher) match(digest []byte) (string, bool) {
	if len(m.raw) == len(digest) && string(m.raw) == string(digest) {
		if m.right.write(digest) == m.given {
			return "", true
		}
		return "form.case", true
	}
	for _, f := range m.other[len(digest)] {
		if f.write(digest) == m.given {
			return f.cause, true
		}
	}
	return "", false
}

// made is [matcher.match] for a search: the form is one more cause.
func (m *matcher) made(digest []byte, ok bool) ([]found, bool) {
	if !ok {
		return nil, false
	}
	form, same := m.match(digest)
	if form == "" || form == "form.case" { // compare notes the case
		return nil, same
	}
	return one(form), same
}

// possible are the algorithms whose digest may have given the text.
func (m *matcher) possible() []algorithm {
	var list []algorithm
	for _, a := range algorithms {
		if size := len(a.sum("", "")); len(m.raw) == size || len(m.other[size]) > 0 {
			list = append(list, a)
		}
	}
	return list
}
