package pasted

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/pkg/signing"
)

// What can be forgiven in the PEM of a key or a certificate.
const (
	DER           Forgiven = "der"                // the bytes without PEM around them
	Base64OfPEM   Forgiven = "base64-of-pem"      // the whole PEM once more in base64
	TwoCharacters Forgiven = "backslash-n"        // \n as two characters
	JSONString    Forgiven = "quoted"             // between quotes that belong to JSON, YAML or a shell
	CarriageAlone Forgiven = "carriage-return"    // CR, with or without LF
	OneLine       Forgiven = "lost-line-breaks"   // all on one line
	Indented      Forgiven = "indented"           // blanks before lines
	NoFrame       Forgiven = "no-frame"           // base64 without its BEGIN and END lines
	OddDashes     Forgiven = "odd-dashes"         // dashes of another kind, or another number of them
	OtherLabel    Forgiven = "other-label"        // a label that does not fit what is inside
	TextAround    Forgiven = "text-around"        // text behind the block
	BlankLines    Forgiven = "blank-lines-inside" // blank lines within the block
)

// The reasons why a text is no PEM that can be read. Their texts read on from a field's name.
var (
	ErrEmpty     = errors.New("is empty")
	ErrFileName  = errors.New("is the name of a file and not the file's text")
	ErrCutOff    = errors.New("is cut off: the line -----END …----- is missing")
	ErrDamaged   = errors.New("is not a whole PEM block: characters are missing or were changed")
	ErrSeveral   = errors.New("holds more than one PEM block")
	ErrEncrypted = errors.New("is encrypted with a passphrase")
	ErrNoPEM     = errors.New("is not PEM: no line begins with -----BEGIN")
	ErrRequest   = errors.New("is a certificate request (CSR) and neither a key nor a certificate")
	ErrSSH       = errors.New("is a key in OpenSSH's own form")
	ErrKeystore  = errors.New("is a key store (.p12 or .pfx) and not PEM")
)

// Key is a key or a certificate that was read.
type Key struct {
	Content  any    // *rsa.PrivateKey, *rsa.PublicKey, *x509.Certificate
	PEM      string // written anew, under the label that fits
	Forgiven []Forgiven
}

var (
	frame = regexp.MustCompile(`(?s)[-‐‑‒–—―－]+\s*BEGIN ([A-Z0-9 ]+?)\s*[-‐‑‒–—―－]+(.*?)[-‐‑‒–—―－]+\s*END ([A-Z0-9 ]+?)\s*[-‐‑‒–—―－]+`)
	// oneEnd is what is left of a frame of which the other line was not copied.
	oneEnd = regexp.MustCompile(`[-‐‑‒–—―－]+\s*END [A-Z0-9 ]+?\s*[-‐‑‒–—―－]+`)
	begin  = regexp.MustCompile(`[-‐‑‒–—―－]+\s*BEGIN [A-Z0-9 ]+`)
)

// PEM reads one key or certificate in any of the forms above.
func PEM(raw []byte) (Key, error) {
	if content, label := parseDER(raw); content != nil {
		return keyOf(raw, label, []Forgiven{DER})
	}
	if isPKCS12(raw) {
		return Key{}, ErrKeystore
	}
	text, forgiven := Plain(raw)
	text, more := unwrap(text)
	forgiven = append(forgiven, more...)
	blocks := frame.FindAllStringSubmatch(text, -1)
	switch {
	case strings.TrimSpace(text) == "":
		return Key{}, ErrEmpty
	case len(blocks) > 1 || len(begin.FindAllString(text, -1)) > 1:
		return Key{}, ErrSeveral
	case len(blocks) == 1:
		return framed(text, blocks[0], forgiven)
	case begin.MatchString(text):
		return Key{}, ErrCutOff
	}
	der := decode(oneEnd.ReplaceAllString(text, ""))
	if content, label := parseDER(der); content != nil {
		return keyOf(der, label, append(forgiven, NoFrame))
	}
	if trimmed := strings.TrimSpace(text); !strings.Contains(trimmed, "\n") && fileName.MatchString(trimmed) {
		return Key{}, ErrFileName
	}
	if isPKCS12(der) {
		return Key{}, ErrKeystore
	}
	if strings.HasPrefix(strings.TrimSpace(text), "MII") {
		return Key{}, ErrDamaged
	}
	return Key{}, ErrNoPEM
}

var fileName = regexp.MustCompile(`(?i)\.(pem|key|crt|cer|txt|p12|pfx)$`)

// unwrap takes off what was put around the text as a whole.
func unwrap(text string) (string, []Forgiven) {
	var forgiven []Forgiven
	add := func(f Forgiven) {
		if !slices.Contains(forgiven, f) {
			forgiven = append(forgiven, f)
		}
	}
	for range 3 {
		trimmed := strings.TrimSpace(text)
		var inner string
		switch {
		case len(trimmed) > 1 && strings.ContainsRune(`"'`+"`", rune(trimmed[0])) && trimmed[len(trimmed)-1] == trimmed[0]:
			add(JSONString)
			if json.Unmarshal([]byte(trimmed), &inner) != nil {
				inner = trimmed[1 : len(trimmed)-1]
			}
			text = inner
		case strings.Contains(text, `\n`) || strings.Contains(text, `\r`):
			add(TwoCharacters)
			text = strings.NewReplacer(`\\r`, "", `\\n`, "\n", `\r`, "", `\n`, "\n").Replace(text)
		case !begin.MatchString(text) && begin.Match(decode(text)):
			add(Base64OfPEM)
			text = string(decode(text))
		default:
			return text, forgiven
		}
	}
	return text, forgiven
}

// decode reads base64 whatever stands between its characters; nil when that is not possible.
func decode(text string) []byte {
	clean := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\r' || r == '\t' {
			return -1
		}
		return r
	}, text)
	der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(clean, "="))
	if err != nil {
		return nil
	}
	return der
}

// framed reads what stands between a BEGIN and an END line.
func framed(text string, block []string, forgiven []Forgiven) (Key, error) {
	label, body := block[1], block[2]
	switch {
	case strings.Contains(body, "DEK-Info"), strings.Contains(label, "ENCRYPTED"):
		return Key{}, ErrEncrypted
	case strings.Contains(label, "REQUEST"):
		return Key{}, ErrRequest
	case strings.Contains(label, "OPENSSH"):
		return Key{}, ErrSSH
	}
	der := decode(body)
	content, fits := parseDER(der)
	if content == nil {
		return Key{}, ErrDamaged
	}
	return keyOf(der, fits, append(forgiven, oddities(text, label, block[3], body, fits)...))
}

// oddities names what is odd about a frame whose inside could be read.
func oddities(text, label, endLabel, body, fits string) []Forgiven {
	unix := strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	body = strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n")
	first, last := "-----BEGIN "+label+"-----", "-----END "+endLabel+"-----"
	before, _, framed := strings.Cut(unix, first)
	_, behind, ended := strings.Cut(unix, last)
	before, behind = lastLine(before), strings.TrimSpace(behind)
	var forgiven []Forgiven
	for _, odd := range []struct {
		name Forgiven
		is   bool
	}{
		{CarriageAlone, strings.Contains(text, "\r")},
		{OddDashes, !framed || !ended || strings.HasSuffix(before, "-") || strings.HasPrefix(behind, "-")},
		{OneLine, !strings.HasPrefix(strings.TrimLeft(body, " \t"), "\n") || !strings.HasSuffix(strings.TrimRight(body, " \t"), "\n")},
		{Indented, framed && before != "" && strings.TrimSpace(before) == "" || strings.Contains(body, "\n ") || strings.Contains(body, "\n\t")},
		{BlankLines, strings.Contains(strings.TrimSpace(body), "\n\n")},
		{TextAround, ended && strings.Trim(behind, "-") != ""},
		{OtherLabel, label != fits || endLabel != label},
	} {
		if odd.is {
			forgiven = append(forgiven, odd.name)
		}
	}
	return forgiven
}

func lastLine(s string) string { return s[strings.LastIndexByte(s, '\n')+1:] }

// keyOf writes the key anew, and lets pkg/signing have the last word about it.
func keyOf(der []byte, label string, forgiven []Forgiven) (Key, error) {
	text := string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	read, err := signing.ParsePEM(text)
	if err != nil {
		return Key{}, err
	}
	return Key{Content: read, PEM: text, Forgiven: forgiven}, nil
}

// parseDER finds what the bytes are, and the label that fits them.
func parseDER(der []byte) (any, string) {
	if len(der) < 16 || der[0] != 0x30 {
		return nil, ""
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, "PRIVATE KEY"
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, "RSA PRIVATE KEY"
	}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key, "PUBLIC KEY"
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return key, "RSA PUBLIC KEY"
	}
	if key, err := x509.ParseCertificate(der); err == nil {
		return key, "CERTIFICATE"
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, "EC PRIVATE KEY"
	}
	return nil, ""
}

// isPKCS12 tells a key store by its version and the type of its content (RFC 7292, 4).
func isPKCS12(der []byte) bool {
	return len(der) > 20 && der[0] == 0x30 && bytes.Contains(der[:min(40, len(der))], []byte{0x02, 0x01, 0x03}) &&
		bytes.Contains(der[:min(60, len(der))], []byte{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07})
}

// Public returns the RSA public key of whatever was read.
func (k Key) Public() *rsa.PublicKey {
	switch content := k.Content.(type) {
	case *rsa.PrivateKey:
		return &content.PublicKey
	case *rsa.PublicKey:
		return content
	case *x509.Certificate:
		public, _ := content.PublicKey.(*rsa.PublicKey)
		return public
	}
	return nil
}
