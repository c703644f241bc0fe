package signing_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"net/http"
	"testing"

	"github.com/kesu-go/kesu/pkg/signing"
)

func TestARequestIsSignedAsItWillBeSent(t *testing.T) {
	requester := signing.Requester{Mchid: "1900000001", SerialNo: "5157F09E", Key: newRSA(t, 2048)}
	body := []byte(`{"complainted_mchid":"1900000001"}`)
	for name, row := range map[string]struct {
		method, url string
		signed      []byte
		target      string // what stands in the signature as the path and query
	}{
		"a POST with a body":           {"POST", "https://api.mch.weixin.qq.com/v3/a/1/complete", body, "/v3/a/1/complete"},
		"a GET with a query":           {"GET", "https://api.mch.weixin.qq.com/v3/a?limit=50&offset=0", nil, "/v3/a?limit=50&offset=0"},
		"a path that is escaped":       {"GET", "https://api.mch.weixin.qq.com/v3/a/b%2Fc%E6%8A%95", nil, "/v3/a/b%2Fc%E6%8A%95"},
		"no path":                      {"GET", "https://api.mch.weixin.qq.com", nil, "/"},
		"no method, which is a GET":    {"", "https://api.mch.weixin.qq.com/v3/certificates", nil, "/v3/certificates"},
		"an upload, signed over meta":  {"POST", "https://api.mch.weixin.qq.com/v3/merchant-service/images/upload", []byte(`{"filename":"a.png"}`), "/v3/merchant-service/images/upload"},
		"a header that was there once": {"POST", "https://api2.mch.weixin.qq.com/v3/a", body, "/v3/a"},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequest(row.method, row.url, bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Method = row.method
			request.Header.Set("Authorization", "an old one")
			if err := requester.SignRequest(request, row.signed, now, nonce); err != nil {
				t.Fatal(err)
			}
			a, err := signing.ParseAuthorization(request.Header.Get("Authorization"))
			if err != nil {
				t.Fatal(err)
			}
			method := row.method
			if method == "" {
				method = "GET"
			}
			if err := a.Verify(method, row.target, row.signed, verifierOf(requester.Key)); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a request without a header or a URL", func(t *testing.T) {
		if err := requester.SignRequest(&http.Request{}, nil, now, nonce); err == nil {
			t.Error("a request without a URL was signed")
		}
		request, err := http.NewRequest("GET", "https://api.mch.weixin.qq.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = nil
		if err := requester.SignRequest(request, nil, now, nonce); err != nil || request.Header.Get("Authorization") == "" {
			t.Error(err)
		}
		if err := requester.SignRequest(request, nil, now, "a nonce with spaces"); err == nil {
			t.Error("a nonce that cannot stand in the header was taken")
		}
	})
}

func verifierOf(key crypto.Signer) func(digest, signature []byte) error {
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok {
		return func([]byte, []byte) error { return errors.New("not an RSA key") }
	}
	return func(digest, signature []byte) error {
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature)
	}
}
