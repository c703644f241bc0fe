package signing

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const (
	// maxPEM bounds a key's text in bytes: an RSA key of 16384 bits takes 12.5 KiB.
	maxPEM = 16 << 10
	// minBits is the shortest modulus that crypto/rsa will sign or verify with. It is asked here, so that a short key
	// is found when the secret is read and not when a consumer is waiting.
	minBits = 1024
	// maxKeyID bounds the id of a platform key.
	maxKeyID = 128
)

// ErrKeyID is what [ParsePlatformKey] returns for a public key without a usable id.
var ErrKeyID = errors.New(
	"must be 1 to 128 of the characters 0-9, A-Z, a-z, _ and -, because a public key does not say its own id")

var (
	errEncrypted = errors.New("is encrypted with a passphrase; store the key without one")
	errNotRSA    = errors.New("is not an RSA key")
)

// ParsePEM reads the one PEM block of a text by its content, whatever its label says, as OpenSSL does: an
// [*rsa.PrivateKey] from PKCS#8 or PKCS#1, an [*rsa.PublicKey] from SubjectPublicKeyInfo or PKCS#1, or an
// [*x509.Certificate] with an RSA key.
//
// A byte order mark, carriage returns, trailing blanks and blank lines around the block do not matter. Text before the
// block is skipped, as openssl writes it there; text after it is refused, because a second key there would go
// unnoticed.
//
// The errors read on from the name of the field ("is not PEM: …") and hold nothing of the text.
func ParsePEM(text string) (any, error) {
	block, err := onlyBlock(text)
	if err != nil {
		return nil, err
	}
	if block.Headers["DEK-Info"] != "" {
		return nil, errEncrypted
	}
	content := parseDER(block.Bytes)
	switch key := content.(type) {
	case *rsa.PrivateKey:
		return key, checkBits(&key.PublicKey)
	case *rsa.PublicKey:
		return key, checkBits(key)
	case *x509.Certificate:
		public, ok := key.PublicKey.(*rsa.PublicKey)
		if !ok {
			return nil, errNotRSA
		}
		return key, checkBits(public)
	case nil:
		return nil, unreadable(block.Type)
	}
	return nil, errNotRSA
}

// parseDER reads what a block holds, by the forms that keys and certificates have; nil is none of them.
func parseDER(der []byte) any {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return key
	}
	if certificate, err := x509.ParseCertificate(der); err == nil {
		return certificate
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key
	}
	return nil
}

// unreadable words a block whose content is of no known form, by what its label promises.
func unreadable(label string) error {
	switch label {
	case "ENCRYPTED PRIVATE KEY":
		return errEncrypted
	case "PRIVATE KEY", "RSA PRIVATE KEY":
		return errors.New("is PEM of a private key that cannot be read")
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return errors.New("is PEM of a public key that cannot be read")
	case "CERTIFICATE":
		return errors.New("is PEM of a certificate that cannot be read")
	}
	return errors.New("is PEM, but of no RSA key and no certificate")
}

// ParsePrivateKey reads a merchant's RSA key, PKCS#8 or PKCS#1, with the rules of [ParsePEM].
func ParsePrivateKey(text string) (*rsa.PrivateKey, error) {
	content, err := ParsePEM(text)
	if err != nil {
		return nil, err
	}
	switch key := content.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case *x509.Certificate:
		return nil, errors.New("is a certificate where a private key belongs")
	}
	return nil, errors.New("is PEM, but not of a private key")
}

// ParsePlatformKey reads a key that WeChat Pay signs its answers with, with the rules of [ParsePEM].
//
// A public key (微信支付公钥) is known by the id that WeChat Pay gave with it (PUB_KEY_ID_…), so id is needed, or the error
// is [ErrKeyID]. A certificate (平台证书) is known by its serial number in upper-case hex, as openssl prints it, whatever
// id says. An expired certificate is read like any other: its answers fail to verify.
func ParsePlatformKey(id, text string) (PlatformKey, error) {
	content, err := ParsePEM(text)
	if err != nil {
		return PlatformKey{}, err
	}
	var parsed PlatformKey
	var public *rsa.PublicKey
	switch key := content.(type) {
	case *rsa.PrivateKey:
		return PlatformKey{}, errors.New("is a private key where WeChat Pay's public key or certificate belongs")
	case *rsa.PublicKey:
		if !validKeyID(id) {
			return PlatformKey{}, ErrKeyID
		}
		parsed.ID, public = id, key
	case *x509.Certificate:
		parsed.ID = fmt.Sprintf("%X", key.SerialNumber.Bytes())
		if parsed.ID == "" {
			parsed.ID = "00"
		}
		parsed.NotBefore, parsed.NotAfter = key.NotBefore, key.NotAfter
		public, _ = key.PublicKey.(*rsa.PublicKey) // ParsePEM has seen that it is one
	}
	parsed.Verify = func(digest, signature []byte) error {
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature)
	}
	return parsed, nil
}

// byteOrderMark is what some editors put before a text in UTF-8.
const byteOrderMark = "\uFEFF"

// onlyBlock finds the one PEM block of a text.
func onlyBlock(text string) (*pem.Block, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("is longer than %d bytes", maxPEM)
	}
	text = strings.TrimPrefix(text, byteOrderMark)
	// A carriage return alone ended lines once, and Go's reader knows the line feed only.
	lines := bytes.ReplaceAll([]byte(text), []byte("\r\n"), []byte("\n"))
	block, rest := pem.Decode(bytes.ReplaceAll(lines, []byte("\r"), []byte("\n")))
	if block == nil {
		if strings.Contains(text, `\n`) {
			return nil, errors.New(`is not PEM: it holds \n as two characters where line breaks belong`)
		}
		return nil, errors.New("is not PEM: there is no complete block, from its first line to its last")
	}
	if strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("has more text after the first PEM block")
	}
	return block, nil
}

func checkBits(public *rsa.PublicKey) error {
	if public.N.BitLen() < minBits {
		return fmt.Errorf("is an RSA key of fewer than %d bits", minBits)
	}
	return nil
}

func validKeyID(id string) bool {
	if len(id) == 0 || len(id) > maxKeyID {
		return false
	}
	for _, c := range []byte(id) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
