package explain_test

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/explain"
)

// What the generators need, each in the plainest way.

func md5Of(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func strconvQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func formOf(pairs []pair) string {
	values := url.Values{}
	for _, p := range pairs {
		values.Set(p.name, p.value)
	}
	return values.Encode()
}

func toQuestion(s string) string {
	out := ""
	for _, r := range s {
		if r > 127 {
			r = '?'
		}
		out += string(r)
	}
	return out
}

func toLow(s string) string {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r))
	}
	return string(out)
}

func asLatin1(s string) string {
	out := ""
	for _, b := range []byte(s) {
		out += string(rune(b))
	}
	return out
}

func broken(s string, width int) string {
	out := ""
	for len(s) > width {
		out, s = out+s[:width]+"\n", s[width:]
	}
	return out + s
}

func turned(b []byte) []byte {
	out := slices.Clone(b)
	slices.Reverse(out)
	return out
}

var corpusKeys = sync.OnceValue(func() (keys [3]*rsa.PrivateKey) {
	for i := range keys {
		keys[i], _ = rsa.GenerateKey(rand.Reader, 2048) // fails only without randomness
	}
	return keys
})

func privatePEM(t testing.TB, key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(t testing.TB, key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func wechatSecret(t testing.TB, own, theirs *rsa.PrivateKey) string {
	text, err := json.Marshal(map[string]any{"wechatpay": map[string]any{"mchid": mchid, "serial_no": serial, "private_key": privatePEM(t, own),
		"platform_keys": []any{map[string]any{"id": pubID, "pem": publicPEM(t, theirs)}}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// score is how an engine did on a corpus.
type score struct{ mistakes, named, right, falselyRight, falselyWrong, wrongKey int }

// grade runs every entry and counts.
func grade(t *testing.T, corpus []mistake, options func(mistake) explain.Options) score {
	t.Helper()
	var mu sync.Mutex
	var s score
	var running sync.WaitGroup
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, m := range corpus {
		running.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			o := options(m)
			o.Message, o.Now, o.Language = []byte(m.message), corpusTime, advice.English
			r, err := explain.Run(t.Context(), o)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%s: %v", m.name, err)
				return
			}
			s.count(t, m, r)
		})
	}
	running.Wait()
	return s
}

func (s *score) count(t *testing.T, m mistake, r explain.Report) {
	if len(m.causes) == 0 {
		if s.right++; !r.Right() {
			s.falselyWrong++
			t.Errorf("%s: it is right, and called wrong: %v %v", m.name, r.Explanations, r.Notes)
		}
		return
	}
	s.mistakes++
	if r.Right() {
		s.falselyRight++
		t.Errorf("%s: called right", m.name)
	}
	if m.causes[0] == "-" { // nothing to compare is enough
		s.named++
		return
	}
	for i, e := range r.Explanations {
		var ids []string
		for _, c := range e.Causes {
			ids = append(ids, c.ID)
		}
		if i < 2 && !slices.ContainsFunc(m.causes, func(c string) bool { return !slices.Contains(ids, c) }) {
			s.named++
			return
		}
		if i == 0 && slices.ContainsFunc(ids, func(id string) bool { return id == "key.private" || id == "key.other" || id == "key.size" }) {
			s.wrongKey++
			t.Errorf("%s: sent after another key", m.name)
		}
	}
	t.Logf("%s: %v is not named first or second: %+v", m.name, m.causes, r.Explanations)
}

// held fails when a score is worse than promised, or the documentation tells another one.
func (s score) held(t *testing.T, vendor string, least int) {
	t.Helper()
	if s.mistakes < least || s.named*100 < 95*s.mistakes || s.falselyRight+s.falselyWrong+s.wrongKey > 0 {
		t.Errorf("%s: %+v", vendor, s)
	}
	document, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	row := fmt.Sprintf("| %s | %d | %d | %d | 0 | 0 |", vendor, s.mistakes, s.named, s.right)
	if !strings.Contains(string(document), row) {
		t.Errorf("docs/operations.md lacks the line\n%s", row)
	}
}

func TestEveryMistakeWithWeChatPaysSignatureIsNamed(t *testing.T) {
	t.Parallel()
	keys := corpusKeys()
	secret := wechatSecret(t, keys[0], keys[1])
	grade(t, wechatCorpus(t, keys[0], keys[1], keys[2]), func(mistake) explain.Options { return explain.Options{Secret: secret} }).held(t, "WeChat Pay", 150)
}
