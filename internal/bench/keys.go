package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

// PlatformID is the id of WeChat Pay's key.
const PlatformID = "PUB_KEY_ID_0119000000012026112100000000000001"

// Keys are made anew for every run: the merchant's, and WeChat Pay's.
type Keys struct {
	Merchant, Platform *rsa.PrivateKey
	Secret             string // the merchant's secret, with both halves
	APIv3Key           string
	direct             bool // WeChat Pay carries the merchant's replies
}

// of are the same keys of a merchant whose replies go as the journey says.
func (k Keys) of(j journey) *Keys {
	if !j.direct {
		return &k
	}
	k.direct, k.Secret = true, strings.Replace(k.Secret, `{"imageco"`, `{"reply_through":"wechatpay","imageco"`, 1)
	return &k
}

// NewKeys makes them.
func NewKeys() (*Keys, error) {
	merchant, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	platform, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(merchant)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&platform.PublicKey)
	if err != nil {
		return nil, err
	}
	apiv3Key := (rand.Text() + rand.Text())[:32]
	secret, err := json.Marshal(map[string]any{
		"imageco": map[string]any{"isspid": "39493002", "system_id": "8888", "seller_account": "66660000000000001", "key": rand.Text()},
		"wechatpay": map[string]any{"mchid": "1900000001", "serial_no": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
			"apiv3_key":     apiv3Key,
			"private_key":   string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
			"platform_keys": []map[string]string{{"id": PlatformID, "pem": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}}},
	})
	return &Keys{Merchant: merchant, Platform: platform, Secret: string(secret), APIv3Key: apiv3Key}, err
}

// XMLSecret is the secret of a merchant that talks XML to 翼码.
func (k *Keys) XMLSecret() string {
	return strings.Replace(k.Secret, `"imageco":{`, `"imageco":{"format":"xml",`, 1)
}

// Signed are the headers of a 204 of WeChat Pay's, signed now, with a nonce of its own.
func (k *Keys) Signed() (http.Header, error) { return k.signedOver(nil) }

// signedOver are the headers of a body of WeChat Pay's.
func (k *Keys) signedOver(body []byte) (http.Header, error) {
	now, nonce := time.Now(), rand.Text()
	signature, err := signing.SignAnswer(crypto.Signer(k.Platform), now, nonce, body)
	return http.Header{
		"Wechatpay-Timestamp": {strconv.FormatInt(now.Unix(), 10)}, "Wechatpay-Nonce": {nonce},
		"Wechatpay-Serial": {PlatformID}, "Wechatpay-Signature": {signature}, "Request-Id": {"08F78BB0AB0610E80418DBB7F34E2094AB0928A02C"},
	}, err
}

// signedAhead is how many answers are signed before they are asked for: the gateway's own signing is no part of a figure.
const signedAhead = 200

// wechatpayAnswer settles every complaint with a signed 204, each with a nonce of its own: a process takes one only once.
func (k *Keys) wechatpayAnswer() (answerer, error) {
	ahead := make(chan http.Header, signedAhead)
	for range signedAhead {
		signed, err := k.Signed()
		if err != nil {
			return nil, err
		}
		ahead <- signed
	}
	return func(_ []byte, h http.Header) (int, []byte) {
		var signed http.Header
		select {
		case signed = <-ahead:
		default:
			signed, _ = k.Signed() // it did not fail before
		}
		for name, values := range signed {
			h[name] = values
		}
		return http.StatusNoContent, nil
	}, nil
}

// authority is a certificate for 127.0.0.1 and the files that make a client believe it.
type authority struct {
	certificate tls.Certificate
	pool        *x509.CertPool
	bundle      string   // the system's certificates and the authority's own, as Amazon Linux 2023 keeps them: in one file,
	directories []string // which is found again in two directories
	roots       int      // certificates in the bundle
}

// systemBundles are the files that crypto/x509 looks for on Linux.
var systemBundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}

func newAuthority(dir string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "kesu bench"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	a := &authority{certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool: x509.NewCertPool(), bundle: filepath.Join(dir, "tls-ca-bundle.pem")}
	a.pool.AppendCertsFromPEM(own)
	var system []byte
	for _, path := range systemBundles {
		if system, err = os.ReadFile(path); err == nil {
			break
		}
	}
	all := append(system, own...)
	a.roots = strings.Count(string(all), "BEGIN CERTIFICATE")
	if err := os.WriteFile(a.bundle, all, 0o644); err != nil {
		return nil, err
	}
	for _, name := range []string{"etc-ssl-certs", "etc-pki-tls-certs"} {
		directory := filepath.Join(dir, name)
		a.directories = append(a.directories, directory)
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return nil, err
		}
		if err := os.Symlink(a.bundle, filepath.Join(directory, "ca-bundle.crt")); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// environment is what makes a function believe the authority, with the certificate directories or without.
func (a *authority) environment(directories bool) []string {
	dirs := strings.Join(a.directories, ":")
	if !directories {
		dirs = "/nonexistent"
	}
	return []string{"SSL_CERT_FILE=" + a.bundle, "SSL_CERT_DIR=" + dirs}
}

// ServeSigned serves a WeChat Pay that settles every complaint with a signed 204, over TLS on this machine. It
// gives the address, what a client must trust, and what ends it; dir is for its files.
func (k *Keys) ServeSigned(dir string) (url string, pool *x509.CertPool, stop func(), err error) {
	a, err := newAuthority(dir)
	if err != nil {
		return "", nil, nil, err
	}
	answer, err := k.wechatpayAnswer()
	if err != nil {
		return "", nil, nil, err
	}
	s, err := newStandIn(a.certificate, 0, answer)
	if err != nil {
		return "", nil, nil, err
	}
	return s.URL, a.pool, s.close, nil
}
