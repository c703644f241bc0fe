package onboard_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/kesu-go/kesu/internal/ledger/mototest"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/onboard"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// shelf is a Secrets Manager with what the tests need around it.
type shelf struct {
	onboard.Options
	wire *wiretap
}

// everywhere runs a test against the sandbox's Secrets Manager and against moto's.
func everywhere(t *testing.T, name string, place onboard.Place, f func(t *testing.T, s *shelf)) {
	t.Helper()
	t.Run(name+", on the sandbox", func(t *testing.T) {
		secrets, err := sandbox.NewSecrets(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = secrets.Close() })
		f(t, newShelf(secrets.URL(), "kesu/merchants/", place))
	})
	t.Run(name+", on moto", func(t *testing.T) {
		if endpoint := motos(t); endpoint != "" {
			f(t, newShelf(endpoint, rand.Text()+"/merchants/", place))
		}
	})
}

func newShelf(endpoint, prefix string, place onboard.Place) *shelf {
	tap := &wiretap{}
	return &shelf{wire: tap, Options: onboard.Options{
		Client: secretsmanager.New(secretsmanager.Options{
			Region: "us-east-1", BaseEndpoint: aws.String(endpoint), HTTPClient: &http.Client{Transport: tap},
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			}),
		}),
		Prefix: prefix, Place: place, CheckURL: func(string) error { return nil },
		Pause: func(ctx context.Context, _ int) error { return ctx.Err() },
	}}
}

// wiretap stands between the client and Secrets Manager. before is called with each operation, and lose says whose answer
// gets lost.
type wiretap struct {
	mu     sync.Mutex
	before func(operation string)
	lose   string
	count  map[string]int
}

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	before, lose := w.before, w.lose == operation
	if w.count == nil {
		w.count = map[string]int{}
	}
	w.count[operation]++
	if lose {
		w.lose = ""
	}
	w.mu.Unlock()
	if before != nil {
		before(operation)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if lose && err == nil {
		resp.Body.Close()
		return nil, errors.New("the answer got lost")
	}
	return resp, err
}

func (w *wiretap) calls(operation string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[operation]
}

// once calls f before the next call of an operation.
func (w *wiretap) once(operation string, f func()) {
	var one sync.Once
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = func(called string) {
		if called == operation {
			one.Do(f)
		}
	}
}

// motos is one moto for all tests of the package; it hands one call on after the other.
var moto struct {
	sync.Once
	endpoint string
}

func motos(t *testing.T) string {
	moto.Do(func() { moto.endpoint = mototest.Start(lasting{t}) })
	return moto.endpoint
}

// lasting lets what a test starts live until the tests of the package are over.
type lasting struct{ *testing.T }

var atEnd []func()

func (lasting) Cleanup(f func()) { atEnd = append(atEnd, f) }

func TestMain(m *testing.M) {
	code := m.Run()
	for i := len(atEnd) - 1; i >= 0; i-- {
		atEnd[i]()
	}
	os.Exit(code)
}

var keyPEM, publicPEM = sync.OnceValue(func() string {
	der, err := x509.MarshalPKCS8PrivateKey(key())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}), sync.OnceValue(func() string {
	der, err := x509.MarshalPKIXPublicKey(&key().PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
})

var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// secret is a whole secret that is told from others by its seller account.
func secret(account string) string {
	text, err := json.MarshalIndent(map[string]any{
		"imageco": map[string]any{"isspid": "39493002", "system_id": "8888", "seller_account": account, "key": "a key <&>"},
		"wechatpay": map[string]any{"mchid": "1900000001", "serial_no": "3775B6A45ACD588826D15E583A95F5DD", "private_key": keyPEM(),
			"platform_keys": []any{map[string]any{"id": "PUB_KEY_ID_0119", "pem": publicPEM()}}},
	}, "", "  ")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// small is a secret of one half.
func small(account string) string {
	return `{"imageco": {"isspid": "1", "system_id": "2", "seller_account": "` + account + `", "key": "k"}}`
}

// reader says which version is wanted. Without that moto 5.2.1 gives the one that CreateSecret or PutSecretValue made
// current, wherever UpdateSecretVersionStage has put the label since; AWS gives AWSCURRENT
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html).
type reader struct{ *secretsmanager.Client }

func (r reader) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, o ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	in.VersionStage = aws.String("AWSCURRENT")
	return r.Client.GetSecretValue(ctx, in, o...)
}

// reads is what functions/reply reads of a merchant: the seller account, or the error.
func (s *shelf) reads(t *testing.T, name string) string {
	t.Helper()
	return s.readsAt(t, s.Place, name)
}

func (s *shelf) readsAt(t *testing.T, place onboard.Place, name string) string {
	t.Helper()
	o := merchant.Options[*merchant.Imageco]{Client: reader{s.Client}, Prefix: s.Prefix, HardTTL: time.Hour,
		Parse: func(text string) (*merchant.Imageco, error) { return merchant.ParseImageco(text, s.CheckURL) }}
	load := merchant.NewStore(o).Load
	if place > 0 {
		load = merchant.NewPacked(int(place), o).Load
	}
	loaded, err := load(t.Context(), name)
	// A function waits for Secrets Manager for a bounded time, which may be too short on a busy machine; a caller comes again.
	for tries := 1; errors.Is(err, merchant.ErrUnavailable) && tries < 5; tries++ {
		loaded, err = load(t.Context(), name)
	}
	if err != nil {
		return err.Error()
	}
	return loaded.Value.SellerAccount
}

// puts puts a merchant, which must succeed.
func (s *shelf) puts(t *testing.T, name, text string) onboard.Report {
	t.Helper()
	report, err := onboard.Put(t.Context(), s.Options, name, text)
	if err != nil {
		t.Fatalf("put %s: %v", name, err)
	}
	return report
}

// changes are the changes of a report, in order.
func changes(written []onboard.Written) string {
	var all []string
	for _, w := range written {
		all = append(all, w.Change)
	}
	return strings.Join(all, " ")
}

const unknown = "there is no such merchant"
