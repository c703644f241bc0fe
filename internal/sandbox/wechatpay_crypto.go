package sandbox

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
)

// encryptFor encrypts a text for whoever has the private key: RSA-OAEP with SHA-1, base64
// (https://pay.weixin.qq.com/doc/v3/merchant/4013053257). What WeChat Pay sends is encrypted under the merchant's
// certificate, what it takes under one of its own keys.
func encryptFor(key *rsa.PublicKey, text string) (string, error) {
	out, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte(text), nil)
	return base64.StdEncoding.EncodeToString(out), err
}

func decryptWith(key *rsa.PrivateKey, text string) (string, error) {
	in, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	out, err := rsa.DecryptOAEP(sha1.New(), nil, key, in, nil)
	return string(out), err
}

// sealed is a resource that is encrypted with the merchant's APIv3 key: AEAD_AES_256_GCM with a nonce of 12
// characters (https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_16.shtml).
type sealed struct {
	Algorithm      string `json:"algorithm"`
	OriginalType   string `json:"original_type,omitempty"`
	Nonce          string `json:"nonce"`
	AssociatedData string `json:"associated_data"`
	Ciphertext     string `json:"ciphertext"`
}

func seal(apiv3Key, associated string, text []byte) (sealed, error) {
	block, err := aes.NewCipher([]byte(apiv3Key))
	if err != nil {
		return sealed{}, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return sealed{}, err
	}
	nonce := randomHex(6)
	out := gcm.Seal(nil, []byte(nonce), text, []byte(associated))
	return sealed{Algorithm: "AEAD_AES_256_GCM", Nonce: nonce, AssociatedData: associated,
		Ciphertext: base64.StdEncoding.EncodeToString(out)}, nil
}
