package signing

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
)

// NotificationAlgorithm is the only algorithm that WeChat Pay encrypts a notification's resource with.
const NotificationAlgorithm = "AEAD_AES_256_GCM"

// maxCiphertext bounds the base64 of a notification's ciphertext, in bytes; a complaint's is a few hundred.
const maxCiphertext = 1 << 20

// What [Decrypt] can find wrong. None of their texts quotes a part of what was given.
var (
	ErrAPIv3Key      = errors.New("the APIv3 key does not have 32 bytes")
	ErrResourceNonce = errors.New("the resource's nonce does not have 12 bytes")
	ErrCiphertext    = errors.New("the resource's ciphertext is not base64, or is too long or too short")
	ErrDecrypt       = errors.New("the resource cannot be decrypted: another APIv3 key, or it was changed on its way")
)

// Decrypt opens the resource of a notification, or a platform certificate of /v3/certificates: AES-256-GCM with the
// merchant's APIv3 key (32 bytes; 16 and 24 are taken too, as the official SDKs do in their published examples), the
// nonce of 12 bytes and the associated data, which may be empty. ciphertext is base64 of the encrypted text and its tag
// of 16 bytes: https://pay.weixin.qq.com/doc/v3/merchant/4012071382.
//
// It returns [ErrAPIv3Key], [ErrResourceNonce], [ErrCiphertext] or [ErrDecrypt].
func Decrypt(apiv3Key, nonce, associatedData []byte, ciphertext string) ([]byte, error) {
	block, err := aes.NewCipher(apiv3Key)
	if err != nil {
		return nil, ErrAPIv3Key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, ErrAPIv3Key
	}
	if len(nonce) != aead.NonceSize() {
		return nil, ErrResourceNonce
	}
	if len(ciphertext) > maxCiphertext {
		return nil, ErrCiphertext
	}
	sealed, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil || len(sealed) < aead.Overhead() {
		return nil, ErrCiphertext
	}
	text, err := aead.Open(nil, nonce, sealed, associatedData)
	if err != nil {
		return nil, ErrDecrypt
	}
	return text, nil
}
