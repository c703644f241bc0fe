package examples

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// front stands before the local gateway and asks for SigV4, as API Gateway does and the local gateway does not. The signature
// is made anew by AWS's SDK for Go over what the request says was signed, and must be the same.
type front struct {
	credentials aws.Credentials
	behind      http.Handler
}

func newFront(gateway string, credentials aws.Credentials) (*front, error) {
	u, err := url.Parse(gateway)
	if err != nil {
		return nil, err
	}
	return &front{credentials, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.Out.Header.Del("Authorization")
	}}}, nil
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = f.check(r, body)
	}
	if err != nil { // as api/openapi.yaml has it
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"outcome": "rejected", "code": "INVALID_SIGNATURE", "message": %q}`, err.Error())
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.behind.ServeHTTP(w, r)
}

func (f *front) check(r *http.Request, body []byte) error {
	given := r.Header.Get("Authorization")
	_, list, found := strings.Cut(given, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if !found || err != nil {
		return fmt.Errorf("the request is not signed")
	}
	if age := time.Since(at).Abs(); age > 5*time.Minute {
		return fmt.Errorf("the signature is %v old", age)
	}
	signed := strings.Split(strings.TrimSpace(list), ";")
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	again.ContentLength = -1 // signed only when the request says so
	host := false
	for _, name := range signed {
		switch name {
		case "host":
			host = true
		case "content-length":
			again.ContentLength = r.ContentLength
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(body)
	credentials := f.credentials
	if err := v4.NewSigner().SignHTTP(r.Context(), credentials, again, hex.EncodeToString(sum[:]), "execute-api", sandbox.Region, at); err != nil {
		return err
	}
	_, want, _ := strings.Cut(again.Header.Get("Authorization"), "Signature=")
	_, got, _ := strings.Cut(given, "Signature=")
	if !host || got != want {
		return fmt.Errorf("the signature over %v is wrong", signed)
	}
	return nil
}
