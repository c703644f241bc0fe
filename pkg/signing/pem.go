package signing

import (
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
var ErrKeyID = errors.New("must be 1 to 128 of the characters 0-9, A-Z, a-z, _ and -, because a public key does not say its own id")

// ParsePrivateKey reads a merchant's RSA key from one PEM block, PKCS#8 ("PRIVATE KEY") or PKCS#1 ("RSA PRIVATE KEY").
// Text before the block is skipped, as openssl writes it there; text after it is refused, because a second key there
// would go unnoticed.
//
// The errors read on from the name of the field ("is not PEM: …") and hold nothing of the text.
func ParsePrivateKey(text string) (*rsa.PrivateKey, error) {
	block, err := onlyBlock(text)
	if err != nil {
		return nil, err
	}
	var key any
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errors.New("is encrypted with a passphrase; store the key without one")
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("is encrypted with a passphrase; store the key without one")
	case "EC PRIVATE KEY":
		return nil, errors.New("is not an RSA key")
	case "CERTIFICATE":
		return nil, errors.New("is a certificate where a private key belongs")
	default:
		return nil, errors.New("is PEM, but not of a private key")
	}
	if err != nil {
		return nil, errors.New("is PEM of a private key that cannot be read")
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("is not an RSA key")
	}
	return private, checkBits(&private.PublicKey)
}

// ParsePlatformKey reads a key that WeChat Pay signs its answers with from one PEM block, with the rules of
// [ParsePrivateKey] for the text around it.
//
// A public key ("PUBLIC KEY", 微信支付公钥) is known by the id that WeChat Pay gave with it (PUB_KEY_ID_…), so id is needed, or
// the error is [ErrKeyID]. A certificate ("CERTIFICATE", 平台证书) is known by its serial number in upper-case hex, as
// openssl prints it, whatever id says. An expired certificate is read like any other: its answers fail to verify.
func ParsePlatformKey(id, text string) (PlatformKey, error) {
	block, err := onlyBlock(text)
	if err != nil {
		return PlatformKey{}, err
	}
	var parsed PlatformKey
	var key any
	switch block.Type {
	case "PUBLIC KEY":
		if !validKeyID(id) {
			return PlatformKey{}, ErrKeyID
		}
		parsed.ID = id
		if key, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			return PlatformKey{}, errors.New("is PEM of a public key that cannot be read")
		}
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return PlatformKey{}, errors.New("is PEM of a certificate that cannot be read")
		}
		parsed.ID, key = fmt.Sprintf("%X", cert.SerialNumber.Bytes()), cert.PublicKey
		if parsed.ID == "" {
			parsed.ID = "00"
		}
		parsed.NotBefore, parsed.NotAfter = cert.NotBefore, cert.NotAfter
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		return PlatformKey{}, errors.New("is a private key where WeChat Pay's public key or certificate belongs")
	default:
		return PlatformKey{}, errors.New("is PEM, but neither PUBLIC KEY nor CERTIFICATE")
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return PlatformKey{}, errors.New("is not an RSA key")
	}
	if err := checkBits(public); err != nil {
		return PlatformKey{}, err
	}
	parsed.Verify = func(digest, signature []byte) error {
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature)
	}
	return parsed, nil
}

// onlyBlock finds the one PEM block of a text.
func onlyBlock(text string) (*pem.Block, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("is longer than %d bytes", maxPEM)
	}
	block, rest := pem.Decode([]byte(text))
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
