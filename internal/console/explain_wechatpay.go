package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/signing"
)

// wechatPayRequest makes the text that a request signs again, and checks the signature with the merchant's key. body is the
// part of the request's body that is signed.
func wechatPayRequest(m *sandbox.Merchant, x *sandbox.Call, body []byte) *explained {
	e := &explained{Scheme: "wechatpay", Verdict: unreadable}
	a, err := signing.ParseAuthorization(x.Header.Get("Authorization"))
	if err != nil {
		e.Why = err.Error()
		return e
	}
	message := signing.RequestMessage(x.Method, x.Target, body, a.At, a.Nonce)
	e.Signed = string(message)
	e.step("fields", fmt.Sprintf("mchid = %s\nserial_no = %s\ntimestamp = %d (%s)\nnonce_str = %s",
		a.Mchid, a.SerialNo, a.At.Unix(), a.At.UTC().Format("2006-01-02T15:04:05Z"), a.Nonce))
	e.step("lines", string(message))
	digest := sha256.Sum256(message)
	e.step("sha256", hex.EncodeToString(digest[:]))
	e.step("rsa", base64.StdEncoding.EncodeToString(a.Signature))
	e.judge(m, "wechatpay", wireRequest(x), x.Done)
	return e
}

// metaOf is the part of an upload that is signed, the text of its meta: https://pay.weixin.qq.com/doc/v3/partner/4012467222.
func metaOf(x *sandbox.Call) []byte {
	_, parameters, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if err != nil {
		return nil
	}
	parts := multipart.NewReader(bytes.NewReader(x.Body), parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return nil
		}
		if part.FormName() == "meta" {
			meta, _ := io.ReadAll(part) // of a body that is in memory
			return meta
		}
	}
}

// wechatPayAnswer verifies an answer as the function had to, at the time at which it was sent.
func wechatPayAnswer(m *sandbox.Merchant, x *sandbox.Call) *explained {
	e := &explained{Scheme: "wechatpay"}
	var keys signing.KeySet
	for _, p := range m.WechatPay.PlatformKeys {
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
		if e.judge(m, "wechatpay", wireAnswer(x), x.Done); e.Verdict == right { // the key's validity is not the engine's
			e.Why = err.Error()
		}
		e.Verdict = wrong
		if errors.Is(err, signing.ErrNotSigned) {
			e.Verdict = unsigned
		}
	}
	return e
}
