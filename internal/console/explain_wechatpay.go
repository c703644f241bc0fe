package console

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/signing"
)

// wechatPayRequest makes the text that a request signs again, and checks the signature with the merchant's key.
func wechatPayRequest(m *sandbox.WechatPaySecret, x *sandbox.Call) *explained {
	e := &explained{Scheme: "wechatpay", Verdict: unreadable}
	a, err := signing.ParseAuthorization(x.Header.Get("Authorization"))
	if err != nil {
		e.Why = err.Error()
		return e
	}
	key, err := signing.ParsePrivateKey(m.PrivateKey)
	if err != nil {
		e.Why = err.Error()
		return e
	}
	message := signing.RequestMessage(x.Method, x.Target, x.Body, a.At, a.Nonce)
	e.Signed = string(message)
	e.step("fields", fmt.Sprintf("mchid = %s\nserial_no = %s\ntimestamp = %d (%s)\nnonce_str = %s",
		a.Mchid, a.SerialNo, a.At.Unix(), a.At.UTC().Format("2006-01-02T15:04:05Z"), a.Nonce))
	e.step("lines", string(message))
	digest := sha256.Sum256(message)
	e.step("sha256", hex.EncodeToString(digest[:]))
	e.step("rsa", base64.StdEncoding.EncodeToString(a.Signature))
	e.Verdict = right
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], a.Signature); err != nil {
		e.Verdict = wrong
	}
	return e
}

// wechatPayAnswer verifies an answer as the function had to, at the time at which it was sent.
func wechatPayAnswer(m *sandbox.WechatPaySecret, x *sandbox.Call) *explained {
	e := &explained{Scheme: "wechatpay"}
	var keys signing.KeySet
	for _, p := range m.PlatformKeys {
		key, err := signing.ParsePlatformKey(p.ID, p.PEM)
		if err != nil {
			continue
		}
		keys = append(keys, key)
	}
	header := func(name string) string { return x.Answer.Get("Wechatpay-" + name) }
	timestamp, nonce := header("Timestamp"), header("Nonce")
	if header("Signature") == "" {
		e.Verdict, e.Why = unsigned, signing.ErrNotSigned.Error()
		return e
	}
	e.step("fields", fmt.Sprintf("Wechatpay-Timestamp: %s\nWechatpay-Nonce: %s\nWechatpay-Serial: %s", timestamp, nonce, header("Serial")))
	message := signing.AnswerMessage(timestamp, nonce, x.Sent)
	e.Signed = string(message)
	e.step("lines", string(message))
	digest := sha256.Sum256(message)
	e.step("sha256", hex.EncodeToString(digest[:]))
	e.step("rsa", header("Signature"))
	e.Verdict = right
	if err := keys.Verify(x.Answer, x.Sent, x.Done); err != nil {
		e.Verdict, e.Why = wrong, err.Error()
		if errors.Is(err, signing.ErrNotSigned) {
			e.Verdict = unsigned
		}
	}
	return e
}
