package merchant

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/signing"
)

// maxPlatformKeys bounds the set of platform keys: two kinds, each with a successor, are four.
const maxPlatformKeys = 16

const (
	letters   = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	hexDigits = "0123456789ABCDEFabcdef"
)

// WechatPay is the WeChat Pay half of a merchant's secret (contract, section 1).
type WechatPay struct {
	Requester  signing.Requester // signs the merchant's requests
	Platform   signing.KeySet    // may have signed the answers; at least one
	FirstKeyID string            // names the key that answers should be signed with: Wechatpay-Serial of a request
	APIv3Key   []byte            // 32 bytes; only [ParseWatched] reads it
	Hidden     redact.Secrets
}

// ParseWechatPay reads the WeChat Pay half of a secret's text, of at most 64 KiB. An expired platform certificate is no
// error: the answers that it signs fail to verify. Every error is a [*FieldError].
func ParseWechatPay(secret string) (*WechatPay, error) {
	half, err := parseHalf(secret, "wechatpay", "mchid", "serial_no", "private_key", "platform_keys")
	if err != nil {
		return nil, err
	}
	var m WechatPay
	const notAnID = "is not 1 to 64 of the characters 0-9, A-Z, a-z, _ and -"
	if m.Requester.Mchid, err = half.madeOf("mchid", letters+hexDigits+"_-", notAnID); err != nil {
		return nil, err
	}
	if m.Requester.SerialNo, err = half.madeOf("serial_no", hexDigits, "is not 1 to 64 hex digits"); err != nil {
		return nil, err
	}
	text, err := half.required("private_key")
	if err != nil {
		return nil, err
	}
	key, err := signing.ParsePrivateKey(text)
	if err != nil {
		return nil, half.wrong("private_key", err.Error())
	}
	m.Requester.Key = key
	if m.Platform, err = half.platformKeys(); err != nil {
		return nil, err
	}
	m.FirstKeyID = m.Platform[0].ID
	m.Hidden = hiddenOf(secret)
	return &m, nil
}

// LastCertificate returns the certificate (平台证书) of WeChat Pay's that ends last, because a successor stands beside the
// one that it follows; ok is false when there are only public keys, which have no end:
// https://pay.weixin.qq.com/doc/v3/merchant/4012153196.
func (m *WechatPay) LastCertificate() (certificate signing.PlatformKey, ok bool) {
	for _, key := range m.Platform {
		if key.NotAfter.After(certificate.NotAfter) {
			certificate, ok = key, true
		}
	}
	return certificate, ok
}

// Watched is the WeChat Pay half as functions/watch needs it.
type Watched struct {
	*WechatPay
	KeyProblem *FieldError // why there is no APIv3 key; nil when there is one
}

// apiv3KeyBytes is the length of an APIv3 key: https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_16.shtml.
const apiv3KeyBytes = 32

// ParseWatched reads the WeChat Pay half of a secret's text with its APIv3 key. Complaints can be read without that
// key, so a missing or malformed one is told in KeyProblem and is no error.
func ParseWatched(secret string) (*Watched, error) {
	m, err := ParseWechatPay(secret)
	if err != nil {
		return nil, err
	}
	w := &Watched{WechatPay: m}
	half, err := parseHalf(secret, "wechatpay", "apiv3_key")
	var text string
	if err == nil {
		text, err = half.required("apiv3_key")
	}
	odd := func(c rune) bool { return c < ' ' || c > '~' }
	if err == nil && (len(text) != apiv3KeyBytes || strings.ContainsFunc(text, odd)) {
		err = half.wrong("apiv3_key", "is not 32 bytes of printable ASCII")
	}
	if err != nil && !errors.As(err, &w.KeyProblem) {
		return nil, err
	}
	if err == nil {
		m.APIv3Key = []byte(text)
	}
	return w, nil
}

// madeOf returns a required member of 1 to 64 characters of an alphabet.
func (o object) madeOf(name, alphabet, problem string) (string, error) {
	text, err := o.required(name)
	if err != nil {
		return "", err
	}
	if len(text) > 64 || strings.Trim(text, alphabet) != "" { // trimming ends at the first character of another kind
		return "", o.wrong(name, problem)
	}
	return text, nil
}

func (o object) platformKeys() (signing.KeySet, error) {
	const name = "platform_keys"
	raw, ok := o.members[name]
	if !ok {
		return nil, o.wrong(name, "is missing")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || raw[0] != '[' { // null passes for an empty array
		return nil, o.wrong(name, "is not an array")
	}
	if len(list) == 0 || len(list) > maxPlatformKeys {
		return nil, o.wrong(name, fmt.Sprintf("does not hold 1 to %d keys", maxPlatformKeys))
	}
	set := make(signing.KeySet, len(list))
	for i, entry := range list {
		field := fmt.Sprintf("%s%s[%d]", o.path, name, i)
		var err error
		if set[i], err = platformKey(field, entry); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func platformKey(field string, raw []byte) (signing.PlatformKey, error) {
	entry, err := parseObject(field, field+".", raw, "id", "pem")
	if err != nil {
		return signing.PlatformKey{}, err
	}
	id, err := entry.optional("id")
	if err != nil {
		return signing.PlatformKey{}, err
	}
	text, err := entry.required("pem")
	if err != nil {
		return signing.PlatformKey{}, err
	}
	key, err := signing.ParsePlatformKey(id, text)
	switch {
	case errors.Is(err, signing.ErrKeyID):
		return signing.PlatformKey{}, entry.wrong("id", err.Error())
	case err != nil:
		return signing.PlatformKey{}, entry.wrong("pem", err.Error())
	}
	return key, nil
}
