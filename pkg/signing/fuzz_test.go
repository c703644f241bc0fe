package signing_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/signing"
)

func FuzzParsePrivateKey(f *testing.F) {
	sample, err := os.ReadFile("testdata/wechatpay-sample-key.pem")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(sample))
	f.Add(pkcs1(newRSA(f, 1024)))
	f.Add(pkcs8(f, newEC(f)))
	f.Add("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := signing.ParsePrivateKey(text)
		if err != nil {
			noPart(t, err, text)
			return
		}
		digest := sha256.Sum256([]byte("a request"))
		if _, err := key.Sign(rand.Reader, digest[:], cryptoSHA256); err != nil {
			t.Logf("a key that was read cannot sign: %v", err) // its numbers are not a key's; that is found when it signs
		}
	})
}

func FuzzParsePlatformKey(f *testing.F) {
	key := newRSA(f, 1024)
	f.Add("PUB_KEY_ID_1", publicPEM(f, key.Public()))
	f.Add("", certificate(f, key, big.NewInt(1), now))
	f.Add("", certificate(f, newEC(f), big.NewInt(1), now))
	f.Add("A", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----")
	f.Fuzz(func(t *testing.T, id, text string) {
		got, err := signing.ParsePlatformKey(id, text)
		if err != nil {
			noPart(t, err, text)
			return
		}
		if got.ID == "" {
			t.Error("a key without an id")
		}
		if got.Verify(make([]byte, 32), make([]byte, 128)) == nil {
			t.Error("a signature of zeros was taken")
		}
	})
}

func FuzzVerify(f *testing.F) {
	text, err := os.ReadFile("testdata/wechatpay-sample-key.pem") // one key for every process that fuzzes
	if err != nil {
		f.Fatal(err)
	}
	key, err := signing.ParsePrivateKey(string(text))
	if err != nil {
		f.Fatal(err)
	}
	set := signing.KeySet{parsed(f, "K1", publicPEM(f, key.Public())), parsed(f, "", certificate(f, key, big.NewInt(0xABC), now))}
	body := []byte("body")
	right := answer(f, key, "K1", now, body)
	signature := right.Get("Wechatpay-Signature")
	f.Add(right.Get("Wechatpay-Timestamp"), nonce, signature, "K1", body)
	f.Add(right.Get("Wechatpay-Timestamp"), nonce, signature, "0abc", body)
	f.Add("", "", "", "", []byte(nil))
	f.Add("-1", "\n", "WECHATPAY/SIGNTEST/AA==", "\x00", []byte{0xff})
	f.Fuzz(func(t *testing.T, timestamp, n, s, serial string, b []byte) {
		h := http.Header{"Wechatpay-Timestamp": {timestamp}, "Wechatpay-Nonce": {n}, "Wechatpay-Signature": {s}, "Wechatpay-Serial": {serial}}
		if set.Verify(h, b, now) != nil {
			return
		}
		// Only what was signed may verify; the decoder skips line breaks in base64 and the bits that pad it.
		same, _ := base64.StdEncoding.DecodeString(s)
		want, _ := base64.StdEncoding.DecodeString(signature)
		if timestamp != strconv.FormatInt(now.Unix(), 10) || n != nonce || string(b) != string(body) || string(same) != string(want) {
			t.Errorf("a forgery verifies: %q %q %q %q", timestamp, n, serial, b)
		}
	})
}

func FuzzParseAuthorization(f *testing.F) {
	f.Add(wellFormed)
	f.Add(strings.ReplaceAll(wellFormed, ",", ",,"))
	f.Add(`WECHATPAY2-SHA256-RSA2048 mchid="`)
	f.Fuzz(func(t *testing.T, header string) {
		a, err := signing.ParseAuthorization(header)
		if err != nil {
			return
		}
		// What was read can be written again and reads the same.
		r := signing.Requester{Mchid: a.Mchid, SerialNo: a.SerialNo, Key: signerFunc(func([]byte) ([]byte, error) { return a.Signature, nil })}
		again, err := r.Authorization("GET", "/", nil, a.At, a.Nonce)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		b, err := signing.ParseAuthorization(again)
		if err != nil || b.Mchid != a.Mchid || b.Nonce != a.Nonce || b.SerialNo != a.SerialNo || !b.At.Equal(a.At) || string(b.Signature) != string(a.Signature) {
			t.Errorf("%q became %q: %v", header, again, err)
		}
	})
}
