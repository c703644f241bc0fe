package signing_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

// The vector of wechatpay-go's utils/aes_test.go, whose key has 16 bytes.
const (
	sampleKey            = "testAPIv3Key0000"
	sampleNonce          = "wCq51qZv4Yfg"
	sampleAssociatedData = "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8"
	sampleCiphertext     = "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC"
)

func TestAResourceIsDecryptedOrItsFaultIsNamed(t *testing.T) {
	for name, row := range map[string]struct {
		key, nonce, associated, ciphertext string
		want                               error
	}{
		"the official SDK's vector":        {sampleKey, sampleNonce, sampleAssociatedData, sampleCiphertext, nil},
		"a key that is too short":          {"short", sampleNonce, sampleAssociatedData, sampleCiphertext, signing.ErrAPIv3Key},
		"no key":                           {"", sampleNonce, sampleAssociatedData, sampleCiphertext, signing.ErrAPIv3Key},
		"another key":                      {"testAPIv3Key0001", sampleNonce, sampleAssociatedData, sampleCiphertext, signing.ErrDecrypt},
		"a nonce of another length":        {sampleKey, sampleNonce + "x", sampleAssociatedData, sampleCiphertext, signing.ErrResourceNonce},
		"no nonce":                         {sampleKey, "", sampleAssociatedData, sampleCiphertext, signing.ErrResourceNonce},
		"another nonce":                    {sampleKey, "wCq51qZv4Yfh", sampleAssociatedData, sampleCiphertext, signing.ErrDecrypt},
		"no associated data":               {sampleKey, sampleNonce, "", sampleCiphertext, signing.ErrDecrypt},
		"a ciphertext that is not base64":  {sampleKey, sampleNonce, sampleAssociatedData, "invalid cipher", signing.ErrCiphertext},
		"a ciphertext without its tag":     {sampleKey, sampleNonce, sampleAssociatedData, "SGVsbG8=", signing.ErrCiphertext},
		"a ciphertext that was changed":    {sampleKey, sampleNonce, sampleAssociatedData, "G" + sampleCiphertext[1:], signing.ErrDecrypt},
		"a ciphertext that is very long":   {sampleKey, sampleNonce, sampleAssociatedData, strings.Repeat("A", 2<<20), signing.ErrCiphertext},
		"a ciphertext of another alphabet": {sampleKey, sampleNonce, sampleAssociatedData, strings.ReplaceAll(sampleCiphertext, "/", "_"), signing.ErrCiphertext},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := signing.Decrypt([]byte(row.key), []byte(row.nonce), []byte(row.associated), row.ciphertext)
			if !errors.Is(err, row.want) || row.want == nil && string(text) != "Hello World" || row.want != nil && text != nil {
				t.Errorf("%q, %v; want %v", text, err, row.want)
			}
		})
	}
}

func TestTheNotificationThatTheOfficialSDKPublishesVerifiesAndDecrypts(t *testing.T) {
	raw, err := os.ReadFile("testdata/wechatpay-notification.json")
	if err != nil {
		t.Fatal(err)
	}
	var vector struct {
		Key         string `json:"apiv3_key"`
		Certificate string
		Now         int64
		Headers     map[string]string
		Body        string
		Plaintext   string
	}
	if err := json.Unmarshal(raw, &vector); err != nil {
		t.Fatal(err)
	}
	key, err := signing.ParsePlatformKey("", vector.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	for name, value := range vector.Headers {
		header.Set(name, value)
	}
	if err := (signing.KeySet{key}).Verify(header, []byte(vector.Body), time.Unix(vector.Now, 0)); err != nil {
		t.Errorf("the signature: %v", err)
	}
	var notification struct {
		Resource struct {
			Algorithm, Ciphertext, Nonce string
			AssociatedData               string `json:"associated_data"`
		}
	}
	if err := json.Unmarshal([]byte(vector.Body), &notification); err != nil {
		t.Fatal(err)
	}
	r := notification.Resource
	text, err := signing.Decrypt([]byte(vector.Key), []byte(r.Nonce), []byte(r.AssociatedData), r.Ciphertext)
	if err != nil || string(text) != vector.Plaintext || r.Algorithm != signing.NotificationAlgorithm {
		t.Errorf("%q, %v; want %q", text, err, vector.Plaintext)
	}
}
