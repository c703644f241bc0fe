package explain

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // what others may have used by mistake
	"encoding/base64"
	"encoding/hex"
	"html"
	"math/big"
	"net/url"
	"strings"

	_ "crypto/md5"
	_ "crypto/sha1"
)

// opened is an RSA signature from which its key has taken what was signed. A stranger's key leaves noise where the
// padding should be, so a wrong key is told from a wrong text for certain.
type opened struct {
	causes []found                // of the scheme: padding, hash
	made   func(text string) bool // reports whether the signature was made over the text
	// weak says that so little padding was there that it may be noise: only the text proves the key.
	weak bool
}

// infos are the beginnings of a PKCS#1 v1.5 signature's content up to the digest (RFC 8017, 9.2, note 1).
var infos = []struct {
	hash   crypto.Hash
	name   string
	prefix string // in hex
}{
	{crypto.SHA256, "SHA-256", "3031300d060960864801650304020105000420"},
	{crypto.SHA1, "SHA-1", "3021300906052b0e03021a05000414"},
	{crypto.SHA512, "SHA-512", "3051300d060960864801650304020305000440"},
	{crypto.SHA384, "SHA-384", "3041300d060960864801650304020205000430"},
	{crypto.SHA224, "SHA-224", "302d300d06096086480165030402040500041c"},
	{crypto.MD5, "MD5", "3020300c06082a864886f70d020505000410"},
}

// open opens a signature with a public key.
func open(public *rsa.PublicKey, signature []byte) (opened, bool) {
	s := new(big.Int).SetBytes(signature)
	if public == nil || len(signature) != public.Size() || s.Cmp(public.N) >= 0 {
		return opened{}, false
	}
	encoded := s.Exp(s, big.NewInt(int64(public.E)), public.N).FillBytes(make([]byte, public.Size()))
	if content, ok := pkcs1Content(encoded); ok {
		return openedPKCS1(content), true
	}
	return openPSS(encoded, public.N.BitLen())
}

// pkcs1Content takes the padding of PKCS#1 v1.5 off.
func pkcs1Content(encoded []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(encoded, []byte{0, 1})
	content := bytes.TrimLeft(rest, "\xff")
	if !ok || len(rest)-len(content) < 8 || len(content) == 0 || content[0] != 0 {
		return nil, false
	}
	return content[1:], true
}

func openedPKCS1(content []byte) opened {
	for _, info := range infos {
		prefix, _ := hex.DecodeString(info.prefix)
		digest, ok := bytes.CutPrefix(content, prefix)
		if !ok || len(digest) != info.hash.Size() {
			continue
		}
		o := opened{made: func(text string) bool { return string(sum(info.hash, text)) == string(digest) }}
		if info.hash != crypto.SHA256 {
			o.causes = []found{{"rsa.hash", []any{info.name}}}
		}
		return o
	}
	// Some libraries sign bytes as they are: a digest without its name, digits, or the text itself.
	return opened{causes: one("rsa.noinfo"), made: func(text string) bool {
		digest := sum(crypto.SHA256, text)
		for _, form := range []string{string(digest), hex.EncodeToString(digest), upperHex(digest), base64.StdEncoding.EncodeToString(digest), text} {
			if form == string(content) {
				return true
			}
		}
		return string(sum(crypto.MD5, text)) == string(content) || hex.EncodeToString(sum(crypto.MD5, text)) == string(content)
	}}
}

func sum(hash crypto.Hash, text string) []byte {
	if hash == crypto.SHA256 {
		digest := sha256.Sum256([]byte(text))
		return digest[:]
	}
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// openPSS takes the padding of PSS off (RFC 8017, 9.1.2), whose inside shows that the key is the right one whatever the
// text was.
func openPSS(encoded []byte, bits int) (opened, bool) {
	if encoded[len(encoded)-1] != 0xBC {
		return opened{}, false
	}
	if emBits := bits - 1; emBits%8 == 0 {
		encoded = encoded[1:]
	}
	for _, info := range infos {
		size := info.hash.Size()
		if len(encoded) < 2*size+2 {
			continue
		}
		db, h := bytes.Clone(encoded[:len(encoded)-size-1]), encoded[len(encoded)-size-1:len(encoded)-1]
		mask := mgf1(info.hash, h, len(db))
		for i := range db {
			db[i] ^= mask[i]
		}
		db[0] &= 0xFF >> (8*len(encoded) - (bits - 1))
		salt := bytes.TrimLeft(db, "\x00")
		if len(salt) == 0 || salt[0] != 1 {
			continue
		}
		salt = salt[1:]
		return opened{weak: len(db)-len(salt) < 5, causes: one("rsa.pss"), made: func(text string) bool {
			hash := info.hash.New()
			hash.Write(make([]byte, 8))
			hash.Write(sum(info.hash, text))
			hash.Write(salt)
			return string(hash.Sum(nil)) == string(h)
		}}, true
	}
	return opened{}, false
}

func mgf1(hash crypto.Hash, seed []byte, length int) []byte {
	var out []byte
	for counter := byte(0); len(out) < length; counter++ {
		h := hash.New()
		h.Write(seed)
		h.Write([]byte{0, 0, 0, counter})
		out = h.Sum(out)
	}
	return out[:length]
}

// alphabet is base64's.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// damaged reports whether a key made the signature but for one character that is another one, or two neighbours that
// changed places. Without it a typing error would be told from another key by nobody.
func damaged(ctx context.Context, text string, keys []rsaKey) bool {
	folded := []byte(strings.Join(strings.Fields(text), ""))
	opens := func() bool {
		signature, err := base64.StdEncoding.DecodeString(string(folded))
		if err != nil {
			return false
		}
		for _, key := range keys {
			if made, ok := open(key.public, signature); ok && !made.weak {
				return true
			}
		}
		return false
	}
	for i, was := range folded {
		if ctx.Err() != nil || len(folded) > 800 || was == '=' {
			return false
		}
		for _, other := range []byte(alphabet) {
			if folded[i] = other; other != was && opens() {
				return true
			}
		}
		folded[i] = was
		if i+1 < len(folded) && folded[i+1] != was {
			folded[i], folded[i+1] = folded[i+1], was
			if opens() {
				return true
			}
			folded[i], folded[i+1] = was, folded[i]
		}
	}
	return false
}

// reading is one way to read the text of a signature. cause is "" for base64 as it should be.
type reading struct {
	cause     string
	signature []byte
}

// readings are all ways to read the text, the right one first. A text may be several: hex digits are base64 too.
func readings(text string) []reading {
	var list []reading
	add := func(cause string, signature []byte, err error) {
		if err == nil && len(signature) > 0 {
			list = append(list, reading{cause, signature})
		}
	}
	std := base64.StdEncoding
	decode := func(cause, text string) {
		signature, err := std.Strict().DecodeString(text)
		add(cause, signature, err)
	}
	if !strings.ContainsAny(text, "\r\n") {
		decode("", text)
	}
	digits, err := hex.DecodeString(strings.Map(func(r rune) rune {
		if strings.ContainsRune(": \r\n\t-", r) {
			return -1
		}
		return r
	}, strings.TrimPrefix(text, "0x")))
	add("form.hex", digits, err)
	if err == nil {
		decode("form.base64hex", string(digits))
	}
	if once, err := std.DecodeString(text); err == nil {
		decode("form.twice", string(once))
		again, err := hex.DecodeString(string(once))
		add("form.base64hex", again, err)
		add("form.reversed", backwards(once), nil)
	}
	if !strings.ContainsAny(text, "\r\n") {
		decode("form.plus", strings.ReplaceAll(text, " ", "+"))
	}
	folded := strings.Join(strings.Fields(strings.NewReplacer(`\n`, "", `\r`, "", "\\", "").Replace(text)), "")
	decode("form.wrapped", folded)
	decode("form.wrapped", strings.Trim(folded, "\"'`，。,;；"))
	decode("form.wrapped", strings.Map(func(r rune) rune {
		if r > '~' {
			return -1
		}
		return r
	}, folded))
	for padded := folded; len(padded) < len(folded)+3; padded += "=" {
		decode("form.padding", padded)
	}
	decode("form.padding", strings.TrimRight(folded, "="))
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(folded, "="))
	add("form.padding", raw, err)
	urlSafe, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(folded, "="))
	add("form.urlsafe", urlSafe, err)
	if unescaped, err := url.PathUnescape(text); err == nil && unescaped != text {
		decode("form.percent", unescaped)
	}
	decode("form.entities", html.UnescapeString(text))
	return list
}
