package peers

import (
	"crypto/tls"
	"math"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/kesu-go/kesu/internal/bench"
	"github.com/kesu-go/kesu/internal/gateway"
)

// answering is a gateway in memory that gives every request the same answer.
type answering http.Header

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close() // a body in memory
	}
	return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header(a), Body: http.NoBody, Request: r}, nil
}

func keysAndAnswer(t testing.TB) (*bench.Keys, http.Header) {
	t.Helper()
	keys, err := bench.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := keys.Signed()
	if err != nil {
		t.Fatal(err)
	}
	return keys, signed
}

const memoryURL = "https://api.mch.weixin.qq.com"

// They do equal work only if each of them checks the answer.
func TestAllThreeTakeASignedAnswerAndRefuseATamperedOne(t *testing.T) {
	keys, signed := keysAndAnswer(t)
	for name, tampered := range map[string]func(http.Header){
		"the answer as it was signed": nil,
		"another signature":           func(h http.Header) { h["Wechatpay-Signature"] = []string{other(signed.Get("Wechatpay-Signature"))} },
		"another nonce":               func(h http.Header) { h["Wechatpay-Nonce"] = []string{"FEDCBA9876543210FEDCBA9876543210"} },
		"a key that nobody knows":     func(h http.Header) { h["Wechatpay-Serial"] = []string{"PUB_KEY_ID_0100000000000000000000000000000000"} },
	} {
		answer := signed.Clone()
		if tampered != nil {
			tampered(answer)
		}
		all, err := All(keys, answering(answer), memoryURL)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if err := p.Complete(); (err == nil) != (tampered == nil) {
				t.Errorf("%s, given %s: %v", p.Name, name, err)
			}
		}
	}
}

// Times are the machine's, allocations are the code's: those in memory that the page shows are nearly these.
func TestThePageShowsWhatIsAllocated(t *testing.T) {
	page, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	keys, signed := keysAndAnswer(t)
	all, err := All(keys, answering(signed), memoryURL)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		row := regexp.MustCompile(`(?mi)^\| ` + regexp.QuoteMeta(p.Name) + `(?: v[0-9.]+)? \| ([0-9]+), `).FindSubmatch(page)
		if row == nil {
			t.Errorf("the page has no row of %s", p.Name)
			continue
		}
		shown, _ := strconv.ParseFloat(string(row[1]), 64)
		if got := testing.AllocsPerRun(100, func() { _ = p.Complete() }); math.Abs(got-shown) > 3 {
			t.Errorf("%s: %.0f allocations, and the page shows %.0f", p.Name, got, shown)
		}
	}
}

// other is a signature of the same form that is not the same.
func other(signature string) string {
	if signature[0] == 'A' {
		return "B" + signature[1:]
	}
	return "A" + signature[1:]
}

func BenchmarkMemory(b *testing.B) {
	keys, signed := keysAndAnswer(b)
	run(b, keys, answering(signed), memoryURL, func(p Peer) func() error { return p.Complete })
}

func BenchmarkLoopbackTLS(b *testing.B) {
	keys, _ := keysAndAnswer(b)
	url, pool, stop, err := keys.ServeSigned(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	transport := gateway.NewTransport(&tls.Config{RootCAs: pool})
	run(b, keys, transport, url, func(p Peer) func() error { return p.Complete })
}

func run(b *testing.B, keys *bench.Keys, transport http.RoundTripper, base string, what func(Peer) func() error) {
	all, err := All(keys, transport, base)
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range all {
		call := what(p)
		b.Run(p.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
