package signing

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tolerance is how far the timestamp of an answer may be from now, either way (contract, section 5).
const Tolerance = 300 * time.Second

// maxSignature bounds Wechatpay-Signature in bytes; that of a 16384-bit key takes 2.7 KiB.
const maxSignature = 4 << 10

// What [KeySet.Verify] can find wrong with an answer. None of them says that the request was not carried out.
var (
	ErrNotSigned = errors.New(
		"the answer lacks one of Wechatpay-Timestamp, -Nonce, -Signature and -Serial, or has one of them twice")
	ErrTimestamp    = errors.New("Wechatpay-Timestamp is not a number of seconds")
	ErrSkew         = errors.New("Wechatpay-Timestamp is more than 300 seconds from now")
	ErrUnknownKey   = errors.New("Wechatpay-Serial names a key that is not among the platform keys")
	ErrKeyExpired   = errors.New("Wechatpay-Serial names a certificate that is not valid at this time")
	ErrBadSignature = errors.New("the signature does not belong to what was signed")
)

// PlatformKey is a key that may have signed an answer of WeChat Pay: a public key (微信支付公钥) or a certificate (平台证书).
type PlatformKey struct {
	// ID is what Wechatpay-Serial says: PUB_KEY_ID_…, or a certificate's serial number in upper-case hex.
	ID string
	// Verify checks a PKCS#1 v1.5 signature over a SHA256 digest.
	Verify func(digest, signature []byte) error
	// NotBefore and NotAfter bound the time in which a certificate counts, both included; zero for a public key.
	NotBefore, NotAfter time.Time
}

// validAt says whether the key counts at a time. A bare public key has no end of its own.
func (k *PlatformKey) validAt(now time.Time) bool {
	return (k.NotBefore.IsZero() || !now.Before(k.NotBefore)) && (k.NotAfter.IsZero() || !now.After(k.NotAfter))
}

// KeySet is every key that may have signed an answer. Both kinds together are the normal state while a merchant
// migrates from certificates to public keys, and several keys of one id are all tried.
type KeySet []PlatformKey

// Verify checks that WeChat Pay signed an answer: SHA256 with RSA PKCS#1 v1.5 over Wechatpay-Timestamp, Wechatpay-Nonce
// and body, each ended by a newline, by a key of the set whose ID is Wechatpay-Serial, compared without case and
// leading zeros. body is the answer's, byte for byte; now decides about [Tolerance] and about certificates.
// https://pay.weixin.qq.com/docs/merchant/development/interface-rules/build-verify-sign-src.html
//
// In this order it returns [ErrNotSigned], [ErrTimestamp], [ErrSkew], [ErrUnknownKey], [ErrKeyExpired] or
// [ErrBadSignature]; ask with errors.Is, because a public detail may be added to them. The signatures that WeChat Pay
// gets wrong on purpose (WECHATPAY/SIGNTEST/…) are ErrBadSignature like any other wrong one.
func (ks KeySet) Verify(h http.Header, body []byte, now time.Time) error {
	timestamp, ok1 := only(h, "Wechatpay-Timestamp")
	nonce, ok2 := only(h, "Wechatpay-Nonce")
	encoded, ok3 := only(h, "Wechatpay-Signature")
	serial, ok4 := only(h, "Wechatpay-Serial")
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return ErrNotSigned
	}
	at, ok := parseSeconds(timestamp)
	if !ok {
		return ErrTimestamp
	}
	if off := at.Sub(now); off > Tolerance || off < -Tolerance {
		return fmt.Errorf("%w: it is off by %s", ErrSkew, off.Round(time.Second))
	}
	named, valid := false, false
	for i := range ks {
		if !sameID(ks[i].ID, serial) {
			continue
		}
		named = true
		valid = valid || ks[i].validAt(now)
	}
	switch {
	case !named && validKeyID(serial):
		return fmt.Errorf("%w: %s", ErrUnknownKey, serial)
	case !named:
		return ErrUnknownKey
	case !valid:
		return fmt.Errorf("%w: %s", ErrKeyExpired, serial)
	}
	return ks.verifySignature(serial, timestamp, nonce, encoded, body, now)
}

// verifySignature tries every key of the id that is valid now.
func (ks KeySet) verifySignature(serial, timestamp, nonce, encoded string, body []byte, now time.Time) error {
	// A line break in the nonce would let the beginning of a signed body pass for the end of the nonce.
	if !visible(nonce) || len(encoded) > maxSignature {
		return ErrBadSignature
	}
	signature, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ErrBadSignature
	}
	digest := answerDigest(timestamp, nonce, body)
	for i := range ks {
		if sameID(ks[i].ID, serial) && ks[i].validAt(now) && ks[i].Verify(digest, signature) == nil {
			return nil
		}
	}
	return ErrBadSignature
}

// AnswerMessage returns the text that an answer's signature is made over (应答验签串). It is as secret as the answer.
func AnswerMessage(timestamp, nonce string, body []byte) []byte {
	return append(append(answerHead(nil, timestamp, nonce), body...), '\n')
}

// SignAnswer returns the Wechatpay-Signature of an answer, as WeChat Pay would sign it: a stand-in for the gateway
// signs its answers with it, so that they can be verified.
func SignAnswer(key crypto.Signer, at time.Time, nonce string, body []byte) (string, error) {
	digest := answerDigest(strconv.FormatInt(at.Unix(), 10), nonce, body)
	signature, err := key.Sign(rand.Reader, digest, crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("sign answer: %w", err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// answerDigest is the SHA256 of [AnswerMessage] without a copy of the body, which may be long.
func answerDigest(timestamp, nonce string, body []byte) []byte {
	var short [160]byte
	h := sha256.New()
	h.Write(answerHead(short[:0], timestamp, nonce))
	h.Write(body)
	h.Write([]byte{'\n'})
	return h.Sum(nil)
}

func answerHead(text []byte, timestamp, nonce string) []byte {
	text = append(text, timestamp...)
	text = append(text, '\n')
	text = append(text, nonce...)
	return append(text, '\n')
}

// only returns the value of a header that stands exactly once and is not empty. name is in canonical form.
func only(h http.Header, name string) (string, bool) {
	values := h[name]
	if len(values) != 1 || values[0] == "" {
		return "", false
	}
	return values[0], true
}

// sameID compares key ids without case and leading zeros: a serial number is written with and without them.
func sameID(a, b string) bool {
	return strings.EqualFold(strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0"))
}
