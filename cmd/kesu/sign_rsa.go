package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // what others may have used by mistake
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/kesu-go/kesu/pkg/signing"
)

// wechatKey is a key that may have made a signature.
type wechatKey struct {
	name    string // for people
	id      string // of a platform key
	public  *rsa.PublicKey
	private *rsa.PrivateKey // nil for a platform key
}

func named(keys []wechatKey) string {
	var names []string
	for _, key := range keys {
		names = append(names, key.name)
	}
	return strings.Join(names, " or ")
}

// wechatKeys finds the keys that a message may be signed with: the merchant's for a request, the platform's for an answer.
func (c signCommand) wechatKeys(ctx context.Context, answer bool) ([]wechatKey, error) {
	if c.KeyFile != "" {
		text, err := c.keyText()
		if err != nil {
			return nil, err
		}
		return keyFromPEM("the key in the file", text)
	}
	if !c.given() {
		return nil, nil
	}
	text, err := c.read(ctx, c.awsFlags)
	if err != nil {
		return nil, err
	}
	var secret struct {
		WechatPay struct {
			PrivateKey string                     `json:"private_key"`
			Platform   []struct{ ID, PEM string } `json:"platform_keys"`
		} `json:"wechatpay"`
	}
	if err := json.Unmarshal([]byte(text), &secret); err != nil {
		return nil, errors.New("the merchant's secret cannot be read as JSON; kesu doctor tells more")
	}
	if !answer {
		return keyFromPEM("the merchant's private key", secret.WechatPay.PrivateKey)
	}
	var keys []wechatKey
	for i, platform := range secret.WechatPay.Platform {
		found, err := keyFromPEM(fmt.Sprintf("platform_keys[%d]", i), platform.PEM)
		if err != nil {
			return nil, err
		}
		if found[0].id == "" {
			found[0].id = platform.ID
		}
		keys = append(keys, found...)
	}
	if len(keys) == 0 {
		return nil, errors.New("the merchant's secret has no wechatpay.platform_keys to check an answer with")
	}
	return keys, nil
}

// keyFromPEM reads a private key, a public key or a certificate. Its errors hold nothing of the text.
func keyFromPEM(name, text string) ([]wechatKey, error) {
	private, err := signing.ParsePrivateKey(text)
	if err == nil {
		return []wechatKey{{name: name, public: &private.PublicKey, private: private}}, nil
	}
	key := wechatKey{name: name}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("%s %w", name, err)
	}
	switch block.Type {
	case "PUBLIC KEY":
		public, _ := x509.ParsePKIXPublicKey(block.Bytes)
		key.public, _ = public.(*rsa.PublicKey)
	case "CERTIFICATE":
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			key.id = fmt.Sprintf("%X", certificate.SerialNumber.Bytes())
			key.public, _ = certificate.PublicKey.(*rsa.PublicKey)
		}
	default:
		return nil, fmt.Errorf("%s %w", name, err)
	}
	if key.public == nil {
		return nil, fmt.Errorf("%s is not an RSA key that can be read", name)
	}
	return []wechatKey{key}, nil
}

// recoveredDigest is what an RSA signature was made over.
type recoveredDigest struct {
	hash   crypto.Hash
	digest []byte
}

// hashes are those whose mark can stand in a PKCS#1 v1.5 signature (RFC 8017, 9.2, note 1).
var hashes = []struct {
	hash   crypto.Hash
	prefix string // DigestInfo up to the digest, in hex
}{
	{crypto.SHA256, "3031300d060960864801650304020105000420"},
	{crypto.SHA1, "3021300906052b0e03021a05000414"},
	{crypto.SHA512, "3051300d060960864801650304020305000440"},
	{crypto.MD5, "3020300c06082a864886f70d020505000410"},
}

// recoverDigest opens a signature with the public key. It gives false when that key did not make it: a stranger's key
// leaves noise where the padding should be. So a wrong key is told from a wrong text for certain.
func recoverDigest(public *rsa.PublicKey, signature []byte) (recoveredDigest, bool) {
	s := new(big.Int).SetBytes(signature)
	if len(signature) != public.Size() || s.Cmp(public.N) >= 0 {
		return recoveredDigest{}, false
	}
	opened := s.Exp(s, big.NewInt(int64(public.E)), public.N).FillBytes(make([]byte, public.Size()))
	rest, ok := bytes.CutPrefix(opened, []byte{0, 1})
	info := bytes.TrimLeft(rest, "\xff")
	if !ok || len(rest)-len(info) < 8 || len(info) == 0 || info[0] != 0 {
		return recoveredDigest{}, false
	}
	for _, h := range hashes {
		prefix, _ := hex.DecodeString(h.prefix)
		if digest, ok := bytes.CutPrefix(info[1:], prefix); ok && len(digest) == h.hash.Size() {
			return recoveredDigest{h.hash, digest}, true
		}
	}
	return recoveredDigest{}, false
}

// otherPadding tells a signature that was made over the right text in another scheme of RSA.
func otherPadding(public *rsa.PublicKey, signature []byte, text string) string {
	if rsa.VerifyPSS(public, crypto.SHA256, digestOf(crypto.SHA256, text), signature, nil) == nil {
		return "the padding is PSS in place of PKCS#1 v1.5"
	}
	return ""
}

func digestOf(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

func decodeHex(s string) ([]byte, error) { return hex.DecodeString(s) }
