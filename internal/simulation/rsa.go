package simulation

import (
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// cheapKey stands in for an RSA key pair: it signs and verifies with one hash over its name and the digest. A million
// commands with real keys would take an hour of arithmetic. It is the only thing of what ships that is replaced, and it
// stands behind the interface that ships: crypto.Signer one way and signing.PlatformKey's function the other.
type cheapKey string

func (k cheapKey) Public() crypto.PublicKey { return string(k) }

func (k cheapKey) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return k.signature(digest), nil
}

func (k cheapKey) signature(digest []byte) []byte {
	var text [128]byte
	sum := sha256.Sum256(append(append(text[:0], k...), digest...))
	return sum[:]
}

func (k cheapKey) verify(digest, signature []byte) error {
	if string(k.signature(digest)) != string(signature) {
		return errors.New("not signed with this key")
	}
	return nil
}

func platformID(merchant string, version int) string {
	return fmt.Sprintf("PUB_KEY_ID_%s_%d", merchant, version)
}

func platformKey(merchant string, version int) string {
	return fmt.Sprintf("platform-%s-%d", merchant, version)
}

// parseReplier reads a secret for a reply, with the WeChat Pay half that parseWechatPay reads. One text is read once: that
// each process reads its own takes time and shows nothing.
func (w *world) parseReplier(text string) (*merchant.Replier, error) {
	if known, ok := w.repliers.Load(text); ok {
		return known.(*merchant.Replier), nil
	}
	r, err := w.readReplier(text)
	if err == nil {
		w.repliers.Store(text, r)
	}
	return r, err
}

func (w *world) readReplier(text string) (*merchant.Replier, error) {
	var secret map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &secret) != nil {
		return nil, &merchant.FieldError{Field: "SecretString", Problem: "is not a JSON object"}
	}
	var through wire.Provider
	if err := json.Unmarshal(secret["reply_through"], &through); err != nil {
		return nil, err
	}
	var imageco *merchant.Imageco
	var half *merchant.WechatPay
	var err error
	if secret["imageco"] != nil {
		imageco, err = merchant.ParseImageco(text, func(string) error { return nil })
	}
	if err == nil && secret["wechatpay"] != nil {
		half, err = w.parseWechatPay(text)
	}
	return merchant.NewReplier(through, imageco, half), err
}

// parseWechatPay reads the WeChat Pay half of a secret whose keys are cheapKeys. internal/merchant's own parser is tested
// where it lives; it differs in what stands in private_key and pem.
func (w *world) parseWechatPay(text string) (*merchant.WechatPay, error) {
	var secret struct {
		WechatPay struct {
			Mchid        string              `json:"mchid"`
			SerialNo     string              `json:"serial_no"`
			PrivateKey   string              `json:"private_key"`
			PlatformKeys []map[string]string `json:"platform_keys"`
		} `json:"wechatpay"`
	}
	if json.Unmarshal([]byte(text), &secret) != nil || len(secret.WechatPay.PlatformKeys) == 0 {
		return nil, &merchant.FieldError{Field: "SecretString", Problem: "is not a JSON object"}
	}
	half := secret.WechatPay
	m := &merchant.WechatPay{
		Requester:  signing.Requester{Mchid: half.Mchid, SerialNo: half.SerialNo, Key: cheapKey(half.PrivateKey)},
		FirstKeyID: half.PlatformKeys[0]["id"],
	}
	for _, key := range half.PlatformKeys {
		m.Platform = append(m.Platform, signing.PlatformKey{
			ID: key["id"], Verify: wrapped(verifier(cheapKey(key["pem"]).verify), w.options.Off.Verify),
		})
	}
	return m, nil
}
