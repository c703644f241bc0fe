package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"time"
)

// Merchant is one merchant as it is written in its secret (contract, section 1). A test changes a field and stores
// Secret() again, to see what the functions make of it.
type Merchant struct {
	Name string `json:"-"`
	// ReplyThrough says which gateway carries the merchant's replies; empty is 翼码.
	ReplyThrough string `json:"reply_through,omitempty"`

	Imageco   *ImagecoSecret   `json:"imageco,omitempty"`
	WechatPay *WechatPaySecret `json:"wechatpay,omitempty"`
	Key       *rsa.PrivateKey  `json:"-"` // the one in WechatPay.PrivateKey
	// OtherSellers are accounts at 翼码 that the merchant may name beside the one in its secret.
	OtherSellers []string          `json:"-"`
	Notes        map[string]string `json:"notes,omitempty"`
}

// ImagecoSecret is the secret's imageco half.
type ImagecoSecret struct {
	ISSPID        string `json:"isspid,omitempty"`
	SystemID      string `json:"system_id,omitempty"`
	SellerAccount string `json:"seller_account,omitempty"`
	Key           string `json:"key,omitempty"`
	Format        string `json:"format,omitempty"`
	SignCharset   string `json:"sign_charset,omitempty"`
	URL           string `json:"url,omitempty"`
}

// WechatPaySecret is the secret's wechatpay half.
type WechatPaySecret struct {
	Mchid        string           `json:"mchid,omitempty"`
	SerialNo     string           `json:"serial_no,omitempty"`
	PrivateKey   string           `json:"private_key,omitempty"`
	PlatformKeys []PlatformSecret `json:"platform_keys,omitempty"`
	APIv3Key     string           `json:"apiv3_key,omitempty"`
}

// PlatformSecret is one of the secret's platform_keys.
type PlatformSecret struct {
	ID  string `json:"id,omitempty"`
	PEM string `json:"pem,omitempty"`
}

// Secret is the text to store in Secrets Manager.
func (m *Merchant) Secret() string {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "" // a struct of strings can always be encoded
	}
	return string(text)
}

// keyBits is the size of WeChat Pay's RSA keys, both sides.
const keyBits = 2048

// NewKey makes an RSA key as a merchant or WeChat Pay has one.
func NewKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }

// PrivatePEM writes a key as PKCS#8.
func PrivatePEM(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// PublicPEM writes the public half of a key.
func PublicPEM(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// CertificatePEM writes a platform certificate for the key, with the serial number that GatewayKey.ID has.
func CertificatePEM(key GatewayKey, notBefore, notAfter time.Time) (string, error) {
	serial, ok := new(big.Int).SetString(key.ID, 16)
	if !ok {
		return "", errors.New("the key's id is not a serial number in hex")
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "Tenpay.com sandbox"}, NotBefore: notBefore, NotAfter: notAfter}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.Key.PublicKey, key.Key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}
