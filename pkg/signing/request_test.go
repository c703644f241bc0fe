package signing_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

const cryptoSHA256 = crypto.SHA256

const nonce = "593BEC0C930BF1AFEB40B4A08C8FB242"

// The request that WeChat Pay's documentation signs as an example, with the key printed there.
func ExampleRequester_Authorization() {
	text, err := os.ReadFile("testdata/wechatpay-sample-key.pem")
	if err != nil {
		panic(err)
	}
	key, err := signing.ParsePrivateKey(string(text))
	if err != nil {
		panic(err)
	}
	r := signing.Requester{Mchid: "1900007291", SerialNo: "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB", Key: key}
	body := `{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店-深圳腾大-QQ公仔",` +
		`"out_trade_no":"1217752501201407033233368018","notify_url":"https://www.weixin.qq.com/wxpay/pay.php",` +
		`"amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}`
	header, err := r.Authorization("POST", "/v3/pay/transactions/jsapi", []byte(body), time.Unix(1554208460, 0),
		"593BEC0C930BF1AFEB40B4A08C8FB242")
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.ReplaceAll(header, ",", ",\n"))
	// Output:
	// WECHATPAY2-SHA256-RSA2048 mchid="1900007291",
	// nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242",
	// timestamp="1554208460",
	// serial_no="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
	// signature="jnks4dlrPw3ZX+ozVvSK39oa0t7OMBsg83BHAwd8BRdUFiVaQNTLTvci+wURgP1OQBbKYhFGvt7iqYpDSTQkp7Uq1sltaQKyncCyrA1g88m5bsKERQfPyT0ahSwKTYJ1CAn9QiJuSJRq1QsQs07eehbU/k9BCS51jTyc1Jpsi2H77HF9f/BnjXAOP3/sPObg6V5Ee4EzwLox684hhuMuIwHo7D8KFk3LIHOKDcNI4It1aCXydFWNpNK+SG86VUDe5kwoDpw4Ulqfu9z8OFDGbDs9TCxEv8iqQzbpxOlEVoOe2kalSYM5kApQb3nZcxdUtoE0liJGW3RGUNE0t4v01A=="
}

func TestThePublishedRequestSignatureIsReproduced(t *testing.T) {
	raw, err := os.ReadFile("testdata/wechatpay-request.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Method, URL, Body, Signature string
		Timestamp                    int64
		Nonce                        string `json:"nonce_str"`
		PrivateKey                   string `json:"private_key"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", v.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	key, err := signing.ParsePrivateKey(string(text))
	if err != nil {
		t.Fatal(err)
	}
	r := signing.Requester{Mchid: "1900007291", SerialNo: "408B07E7", Key: key}
	header, err := r.Authorization(v.Method, v.URL, []byte(v.Body), time.Unix(v.Timestamp, 0), v.Nonce)
	if err != nil {
		t.Fatal(err)
	}
	a, err := signing.ParseAuthorization(header)
	if err != nil {
		t.Fatal(err)
	}
	if base64.StdEncoding.EncodeToString(a.Signature) != v.Signature {
		t.Error("the signature is not the published one")
	}
}

func TestAuthorizationSignsEveryPart(t *testing.T) {
	key := newRSA(t, 2048)
	r := signing.Requester{Mchid: "1900000001", SerialNo: "0abc", Key: key}
	const method, target = "POST", "/v3/complaints?limit=1"
	body := []byte(`{"complainted_mchid":"1900000001"}`)
	header, err := r.Authorization(method, target, body, now.Add(999*time.Millisecond), nonce)
	if err != nil {
		t.Fatal(err)
	}
	a, err := signing.ParseAuthorization(header)
	if err != nil {
		t.Fatal(err)
	}
	if a.Mchid != r.Mchid || a.SerialNo != r.SerialNo || a.Nonce != nonce || !a.At.Equal(now) {
		t.Errorf("the header says mchid %s, serial %s, nonce %s, at %s", a.Mchid, a.SerialNo, a.Nonce, a.At)
	}
	verify := verifier(key)
	if err := a.Verify(method, target, body, verify); err != nil {
		t.Errorf("as signed: %v", err)
	}
	later, otherNonce := a, a
	later.At = a.At.Add(time.Second)
	otherNonce.Nonce = strings.ToLower(nonce)
	for name, err := range map[string]error{
		"method":    a.Verify("PUT", target, body, verify),
		"path":      a.Verify(method, "/v3/complaints2?limit=1", body, verify),
		"query":     a.Verify(method, "/v3/complaints?limit=2", body, verify),
		"body":      a.Verify(method, target, append(bytes.Clone(body), '\n'), verify),
		"timestamp": later.Verify(method, target, body, verify),
		"nonce":     otherNonce.Verify(method, target, body, verify),
		"key":       a.Verify(method, target, body, verifier(newRSA(t, 2048))),
	} {
		if !errors.Is(err, signing.ErrBadSignature) {
			t.Errorf("with another %s: %v", name, err)
		}
	}
	if _, err := r.Authorization("GET", target, nil, now, nonce); err != nil {
		t.Errorf("an empty body: %v", err)
	}
}

func verifier(key *rsa.PrivateKey) func(digest, signature []byte) error {
	return func(digest, signature []byte) error {
		return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest, signature)
	}
}

func TestAuthorizationRefusesWhatWouldBreakTheHeaderOrTheText(t *testing.T) {
	signed := false
	key := signerFunc(func([]byte) ([]byte, error) { signed = true; return []byte("signature"), nil })
	hostile := []string{"", `a"b`, "a\r\nX-Other: 1", "a\nb", "a\x00b", "a\x7fb", "a b", `a\b`, "a,b", "商户", strings.Repeat("a", 129)}
	for _, bad := range hostile {
		for name, err := range map[string]error{
			"mchid":     authorize(signing.Requester{Mchid: bad, SerialNo: "1", Key: key}, "GET", "/v3", nonce),
			"serial_no": authorize(signing.Requester{Mchid: "1", SerialNo: bad, Key: key}, "GET", "/v3", nonce),
			"nonce_str": authorize(signing.Requester{Mchid: "1", SerialNo: "1", Key: key}, "GET", "/v3", bad),
		} {
			if err == nil {
				t.Errorf("%s %.20q was taken", name, bad)
			} else if !strings.Contains(err.Error(), name) || bad != "" && strings.Contains(err.Error(), bad) {
				t.Errorf("the error %q names something else or quotes the value", err)
			}
		}
	}
	for _, bad := range []string{"", "/v3\n", "/v 3", "/v3/投诉"} {
		if authorize(signing.Requester{Mchid: "1", SerialNo: "1", Key: key}, "GET", bad, nonce) == nil {
			t.Errorf("target %q was taken", bad)
		}
		if authorize(signing.Requester{Mchid: "1", SerialNo: "1", Key: key}, bad, "/v3", nonce) == nil {
			t.Errorf("method %q was taken", bad)
		}
	}
	if authorize(signing.Requester{Mchid: "1", SerialNo: "1"}, "GET", "/v3", nonce) == nil {
		t.Error("there was no key and no error")
	}
	if signed {
		t.Error("a refused request was signed")
	}
}

func authorize(r signing.Requester, method, target, nonce string) error {
	_, err := r.Authorization(method, target, nil, now, nonce)
	return err
}

func TestAuthorizationTellsWhyAKeyCouldNotSign(t *testing.T) {
	cause := errors.New("the key store is closed")
	r := signing.Requester{Mchid: "1", SerialNo: "1", Key: signerFunc(func([]byte) ([]byte, error) { return nil, cause })}
	if err := authorize(r, "GET", "/v3", nonce); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestAuthorizationStaysWithinSixAllocations(t *testing.T) {
	r := signing.Requester{Mchid: "1900000001", SerialNo: "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB", Key: newRSA(t, 2048)}
	body := []byte(`{"complainted_mchid":"1900000001"}`)
	const target = "/v3/merchant-service/complaints-v2/200201820200101080076610000/complete"
	header := func() {
		if _, err := r.Authorization("POST", target, body, now, nonce); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, header); n > 6 {
		t.Errorf("%v allocations, RSA's own included; want at most 6", n)
	}
	if n := bytesPerRun(100, header); n > 1229 {
		t.Errorf("%d bytes, RSA's own included; want at most 1.2 KiB", n)
	}
}

// bytesPerRun is testing.AllocsPerRun for bytes. The package's tests run one at a time, so nobody else allocates.
func bytesPerRun(runs uint64, f func()) uint64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f() // what is made once is not counted
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

func BenchmarkAuthorization(b *testing.B) {
	r := signing.Requester{Mchid: "1900000001", SerialNo: "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB", Key: newRSA(b, 2048)}
	body := []byte(`{"complainted_mchid":"1900000001"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Authorization("POST", "/v3/complete", body, now, nonce); err != nil {
			b.Fatal(err)
		}
	}
}

func TestNewNonceIs32CharactersFromTheGivenRandomness(t *testing.T) {
	got, err := signing.NewNonce(bytes.NewReader(bytes.Repeat([]byte{0xA5}, 16)))
	if err != nil || got != strings.Repeat("A5", 16) {
		t.Errorf("got %q, %v", got, err)
	}
	if !regexp.MustCompile(`^[0-9A-F]{32}$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	if _, err := signing.NewNonce(iotest.ErrReader(io.ErrNoProgress)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("randomness that fails: %v", err)
	}
	if _, err := signing.NewNonce(bytes.NewReader(make([]byte, 15))); err == nil {
		t.Error("too little randomness was taken")
	}
}

func TestOpenSSLAgreesWithOurSignatures(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("openssl is not on this machine, so the signatures are checked against the published one and crypto/rsa only")
		return
	}
	key := newRSA(t, 2048)
	r := signing.Requester{Mchid: "1900000001", SerialNo: "0ABC", Key: key}
	body := []byte(`{"complainted_mchid":"1900000001"}`)
	header, err := r.Authorization("POST", "/v3/complete", body, now, nonce)
	if err != nil {
		t.Fatal(err)
	}
	a, err := signing.ParseAuthorization(header)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := signing.SignAnswer(key, now, nonce, body)
	if err != nil {
		t.Fatal(err)
	}
	answerSignature, err := base64.StdEncoding.DecodeString(answer)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	public := filepath.Join(dir, "public.pem")
	write(t, public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	seconds := fmt.Sprint(now.Unix())
	for name, test := range map[string]struct{ message, signature []byte }{
		"request": {[]byte("POST\n/v3/complete\n" + seconds + "\n" + nonce + "\n" + string(body) + "\n"), a.Signature},
		"answer":  {[]byte(seconds + "\n" + nonce + "\n" + string(body) + "\n"), answerSignature},
	} {
		message, signature := filepath.Join(dir, name), filepath.Join(dir, name+".sig")
		write(t, message, test.message)
		write(t, signature, test.signature)
		out, err := exec.Command(openssl, "dgst", "-sha256", "-verify", public, "-signature", signature, message).CombinedOutput()
		if err != nil {
			t.Errorf("openssl refuses the %s: %v %s", name, err, out)
		}
	}
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRequestMessageIsTheTextOfTheDocumentation(t *testing.T) {
	got := signing.RequestMessage("GET", "/v3/certificates", nil, time.Unix(1554208460, 0), nonce)
	want := "GET\n/v3/certificates\n1554208460\n" + nonce + "\n\n"
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
