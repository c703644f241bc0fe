package signing_test

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

// answer makes the headers of an answer that is signed at a time.
func answer(t testing.TB, key crypto.Signer, serial string, at time.Time, body []byte) http.Header {
	t.Helper()
	signature, err := signing.SignAnswer(key, at, nonce, body)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("Wechatpay-Timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Signature", signature)
	h.Set("Wechatpay-Serial", serial)
	return h
}

func parsed(t testing.TB, id, text string) signing.PlatformKey {
	t.Helper()
	key, err := signing.ParsePlatformKey(id, text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestVerifyAnswers(t *testing.T) {
	publicKey, certKey, oldKey := newRSA(t, 2048), newRSA(t, 2048), newRSA(t, 2048)
	set := signing.KeySet{
		parsed(t, "PUB_KEY_ID_0111", publicPEM(t, publicKey.Public())),
		parsed(t, "", certificate(t, certKey, big.NewInt(0x0ABC), now)),
		parsed(t, "", certificate(t, oldKey, big.NewInt(0x0DEF), now.AddDate(0, 0, -1))),
		parsed(t, "", certificate(t, oldKey, big.NewInt(0x0FFF), now.AddDate(0, 0, 1))),
	}
	body := []byte(`{"code":"OK"}`)
	signed := func(edit func(http.Header)) http.Header {
		h := answer(t, publicKey, "PUB_KEY_ID_0111", now, body)
		if edit != nil {
			edit(h)
		}
		return h
	}
	header := func(name, value string) http.Header { return signed(func(h http.Header) { h.Set(name, value) }) }
	for _, test := range []struct {
		name string
		h    http.Header
		body []byte
		want error
	}{
		{"an answer signed with the public key verifies", signed(nil), body, nil},
		{"an answer signed with the certificate verifies", answer(t, certKey, "0ABC", now, body), body, nil},
		{"an empty body verifies", answer(t, certKey, "0ABC", now, nil), nil, nil},
		{"the serial number counts without case and leading zeros", answer(t, certKey, "000abc", now, body), body, nil},
		{"the serial number counts without its leading zero", answer(t, certKey, "ABC", now, body), body, nil},
		{"300 seconds ago is near enough", answer(t, publicKey, "PUB_KEY_ID_0111", now.Add(-300*time.Second), body), body, nil},
		{"300 seconds ahead is near enough", answer(t, publicKey, "PUB_KEY_ID_0111", now.Add(300*time.Second), body), body, nil},

		{"no header at all", http.Header{}, body, signing.ErrNotSigned},
		{"no timestamp", signed(func(h http.Header) { h.Del("Wechatpay-Timestamp") }), body, signing.ErrNotSigned},
		{"no nonce", signed(func(h http.Header) { h.Del("Wechatpay-Nonce") }), body, signing.ErrNotSigned},
		{"no signature", signed(func(h http.Header) { h.Del("Wechatpay-Signature") }), body, signing.ErrNotSigned},
		{"no serial number", signed(func(h http.Header) { h.Del("Wechatpay-Serial") }), body, signing.ErrNotSigned},
		{"an empty nonce", header("Wechatpay-Nonce", ""), body, signing.ErrNotSigned},
		{"two signatures", signed(func(h http.Header) { h.Add("Wechatpay-Signature", "x") }), body, signing.ErrNotSigned},

		{"a timestamp in words", header("Wechatpay-Timestamp", "today"), body, signing.ErrTimestamp},
		{"a timestamp with a sign", header("Wechatpay-Timestamp", "+1795248000"), body, signing.ErrTimestamp},
		{"a timestamp with a fraction", header("Wechatpay-Timestamp", "1795248000.0"), body, signing.ErrTimestamp},
		{"a timestamp that overflows", header("Wechatpay-Timestamp", strings.Repeat("9", 40)), body, signing.ErrTimestamp},

		{"301 seconds ago", answer(t, publicKey, "PUB_KEY_ID_0111", now.Add(-301*time.Second), body), body, signing.ErrSkew},
		{"301 seconds ahead", answer(t, publicKey, "PUB_KEY_ID_0111", now.Add(301*time.Second), body), body, signing.ErrSkew},

		{"a key that is not in the set", header("Wechatpay-Serial", "PUB_KEY_ID_0222"), body, signing.ErrUnknownKey},
		{"a serial number that is no id at all", header("Wechatpay-Serial", "a b\n"), body, signing.ErrUnknownKey},

		{"a certificate that has expired", answer(t, oldKey, "0DEF", now, body), body, signing.ErrKeyExpired},
		{"a certificate that is not valid yet", answer(t, oldKey, "0FFF", now, body), body, signing.ErrKeyExpired},

		{"another timestamp", header("Wechatpay-Timestamp", strconv.FormatInt(now.Unix()+1, 10)), body, signing.ErrBadSignature},
		{"another nonce", header("Wechatpay-Nonce", strings.ToLower(nonce)), body, signing.ErrBadSignature},
		{"a byte more in the body", signed(nil), append(bytes.Clone(body), ' '), signing.ErrBadSignature},
		{"no body where one was signed", signed(nil), nil, signing.ErrBadSignature},
		{"the signature of another key of the set", answer(t, certKey, "PUB_KEY_ID_0111", now, body), body, signing.ErrBadSignature},
		{"a signature that is not base64", header("Wechatpay-Signature", "%%%"), body, signing.ErrBadSignature},
		{"a signature that breaks off", header("Wechatpay-Signature", signed(nil).Get("Wechatpay-Signature")[:100]), body, signing.ErrBadSignature},
		{"a signature that is too long", header("Wechatpay-Signature", strings.Repeat("A", 5000)), body, signing.ErrBadSignature},
		{"WeChat Pay's deliberate wrong signature", header("Wechatpay-Signature",
			"WECHATPAY/SIGNTEST/"+signed(nil).Get("Wechatpay-Signature")[19:]), body, signing.ErrBadSignature},
		{"WeChat Pay's deliberate wrong signature, put before a right one", header("Wechatpay-Signature",
			"WECHATPAY/SIGNTEST/"+signed(nil).Get("Wechatpay-Signature")), body, signing.ErrBadSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := set.Verify(test.h, test.body, now)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if signature := test.h.Get("Wechatpay-Signature"); err != nil && signature != "" && strings.Contains(err.Error(), signature) {
				t.Error("the error holds the signature")
			}
		})
	}
}

// The beginning of a signed body, moved to the end of the nonce, gives the same text to verify.
func TestVerifyRefusesABodyThatWasMovedIntoTheNonce(t *testing.T) {
	key := newRSA(t, 2048)
	set := signing.KeySet{parsed(t, "K", publicPEM(t, key.Public()))}
	h := answer(t, key, "K", now, []byte("not done\ndone"))
	if err := set.Verify(h, []byte("not done\ndone"), now); err != nil {
		t.Fatal(err)
	}
	moved := maps.Clone(h)
	moved["Wechatpay-Nonce"] = []string{nonce + "\nnot done"}
	if err := set.Verify(moved, []byte("done"), now); !errors.Is(err, signing.ErrBadSignature) {
		t.Errorf("got %v", err)
	}
}

func TestVerifyTriesEveryKeyOfOneID(t *testing.T) {
	older, newer := newRSA(t, 2048), newRSA(t, 2048)
	set := signing.KeySet{
		parsed(t, "PUB_KEY_ID_1", publicPEM(t, older.Public())),
		parsed(t, "pub_key_id_1", publicPEM(t, newer.Public())),
	}
	for name, key := range map[string]crypto.Signer{"first": older, "second": newer} {
		if err := set.Verify(answer(t, key, "PUB_KEY_ID_1", now, nil), nil, now); err != nil {
			t.Errorf("the %s key: %v", name, err)
		}
	}
	if err := set.Verify(answer(t, newRSA(t, 2048), "PUB_KEY_ID_1", now, nil), nil, now); !errors.Is(err, signing.ErrBadSignature) {
		t.Errorf("a third key: %v", err)
	}
	if err := (signing.KeySet)(nil).Verify(answer(t, newer, "PUB_KEY_ID_1", now, nil), nil, now); !errors.Is(err, signing.ErrUnknownKey) {
		t.Errorf("an empty set: %v", err)
	}
}

func TestAnExpiredCertificateDoesNotCountBesideAValidOneOfItsID(t *testing.T) {
	older, newer := newRSA(t, 2048), newRSA(t, 2048)
	set := signing.KeySet{
		parsed(t, "", certificate(t, older, big.NewInt(0xABC), now.AddDate(0, 0, -1))),
		parsed(t, "", certificate(t, newer, big.NewInt(0xABC), now)),
	}
	if err := set.Verify(answer(t, newer, "0ABC", now, nil), nil, now); err != nil {
		t.Errorf("the valid one: %v", err)
	}
	if err := set.Verify(answer(t, older, "0ABC", now, nil), nil, now); !errors.Is(err, signing.ErrBadSignature) {
		t.Errorf("the expired one: %v", err)
	}
}

func TestACertificateCountsFromItsFirstToItsLastSecond(t *testing.T) {
	key := newRSA(t, 2048)
	set := signing.KeySet{parsed(t, "", certificate(t, key, big.NewInt(0), now))}
	for _, test := range []struct {
		at   time.Time
		want error
	}{
		{now.Add(-time.Hour - time.Second), signing.ErrKeyExpired},
		{now.Add(-time.Hour), nil},
		{now.Add(time.Hour), nil},
		{now.Add(time.Hour + time.Second), signing.ErrKeyExpired},
	} {
		if err := set.Verify(answer(t, key, "0", test.at, nil), nil, test.at); !errors.Is(err, test.want) {
			t.Errorf("at %s: got %v, want %v", test.at, err, test.want)
		}
	}
}

func TestSignAnswerTellsWhyAKeyCouldNotSign(t *testing.T) {
	cause := errors.New("the key store is closed")
	key := signerFunc(func([]byte) ([]byte, error) { return nil, cause })
	if _, err := signing.SignAnswer(key, now, nonce, nil); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestAnswerMessageIsTheTextOfTheDocumentation(t *testing.T) {
	got := signing.AnswerMessage("1722850421", "d824f2e086d3c1df967785d13fcd22ef", []byte(`{"code_url":"weixin://"}`))
	want := "1722850421\nd824f2e086d3c1df967785d13fcd22ef\n{\"code_url\":\"weixin://\"}\n"
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func ExampleKeySet_Verify() {
	var platform signing.KeySet // as parsed from the merchant's secret
	var answer http.Response    // as it came, its body read
	err := platform.Verify(answer.Header, nil, time.Now())
	fmt.Println(errors.Is(err, signing.ErrNotSigned))
	// Output: true
}
