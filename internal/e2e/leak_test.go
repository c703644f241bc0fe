package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// openid is the payer's in every complaint that the sandbox tells of.
const openid = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"

// transcript keeps what got out of one world's functions, and what must not.
type transcript struct {
	mu      sync.Mutex
	outputs []*printed
	out     []remark
	secrets map[string]string // the text, and what it is
}

type remark struct {
	what string
	text []byte
}

func newTranscript() *transcript {
	return &transcript{secrets: map[string]string{sandbox.PayerPhone: "the payer's phone number", openid: "the payer's openid"}}
}

func (s *transcript) output() *printed {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &printed{}
	s.outputs = append(s.outputs, p)
	return p
}

func (s *transcript) add(what string, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = append(s.out, remark{what, bytes.Clone(text)})
}

// hide names a text that must not get out. Short ones would be found by accident.
func (s *transcript) hide(what, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(text) >= 8 {
		s.secrets[text] = what
	}
}

// keep hides everything in a merchant's secret that is nobody else's business.
func (s *transcript) keep(m *sandbox.Merchant) {
	if m.Imageco != nil {
		s.hide("翼码's key", m.Imageco.Key)
	}
	if m.WechatPay != nil {
		s.hide("the APIv3 key", m.WechatPay.APIv3Key)
		s.hidePEM("the private key", m.WechatPay.PrivateKey)
		for _, k := range m.WechatPay.PlatformKeys {
			s.hidePEM("a platform key", k.PEM)
		}
	}
	for _, note := range m.Notes {
		s.hide("a note in the secret", note)
	}
}

// hidePEM hides each line by itself, for whoever quotes a part. All keys of one size begin alike, so the first line of a
// public key would be the same text in another's, which does not matter here.
func (s *transcript) hidePEM(what, text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "-----") {
			s.hide(what, line)
		}
	}
}

var signatureMember = regexp.MustCompile(`signature="([^"]*)"`)

// sent hides a request's signature and the string that was signed.
func (s *transcript) sent(method, target string, header http.Header, body []byte) {
	authorization := header.Get("Authorization")
	if found := signatureMember.FindStringSubmatch(authorization); found != nil {
		s.hide("a signature", found[1])
		values := authorizationMembers(authorization)
		signed := method + "\n" + target + "\n" + values["timestamp"] + "\n" + values["nonce_str"] + "\n" + string(body) + "\n"
		s.hide("a string that was signed", signed)
		// The nonce tells such a string however its lines are joined.
		s.hide("a part of a string that was signed", values["nonce_str"])
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("mac") != "" {
		s.hide("a mac", form.Get("mac"))
		s.hide("a document that was signed", form.Get("xml"))
		return
	}
	var all map[string]any
	if json.Unmarshal(body, &all) != nil || all["sign"] == nil {
		return
	}
	s.hide("a sign", fmt.Sprint(all["sign"]))
	s.hide("a string that was signed", concatenated(all))
}

// concatenated is what 翼码's sign is computed over, without the key.
func concatenated(all map[string]any) string {
	var names []string
	for name, value := range all {
		if _, ok := value.(string); ok && name != "sign" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var text strings.Builder
	for _, name := range names {
		text.WriteString(name + all[name].(string))
	}
	return text.String()
}

// collect gathers what the gateways received and what the bus was told.
func (w *world) collect() {
	for _, h := range []*sandbox.Host{w.ImagecoHost, w.Primary, w.Backup} {
		for _, c := range h.Calls.Calls() {
			w.transcript.sent(c.Method, c.Target, c.Header, c.Body)
		}
	}
	for _, event := range w.Bus.Events() {
		w.transcript.add("a settled event", event.Detail)
	}
	for _, c := range w.Bus.Calls.Calls() {
		w.transcript.add("a call to the bus", c.Body)
	}
}

// leaks searches everything that got out, also in the forms that JSON and URLs give to a text.
func (s *transcript) leaks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]remark{}, s.out...)
	for _, p := range s.outputs {
		all = append(all, remark{"the log", []byte(p.String())})
	}
	var found []string
	for secret, what := range s.secrets {
		for _, form := range []string{secret, quoted(secret), quoted(quoted(secret)), url.QueryEscape(secret), strings.ToLower(secret), strings.ToUpper(secret)} {
			for _, r := range all {
				if bytes.Contains(r.text, []byte(form)) {
					found = append(found, what+" got into "+r.what)
				}
			}
		}
	}
	return found
}

// quoted is a text as it stands inside a JSON string.
func quoted(text string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(text) != nil {
		return text
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b.String()), `"`), `"`)
}

func (s *transcript) check(t testing.TB) {
	t.Helper()
	for _, leak := range s.leaks() {
		t.Error(leak)
	}
}

// A search that finds nothing proves nothing unless it finds what is there.
func TestTheSearchForSecretsFindsOneInEveryPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	xml := w.merchant("acme-xml", sandbox.MerchantOptions{XML: true})
	reply, complete := w.reply(), w.complete()
	id := w.complaint("acme")
	reply.bare(replyTo("acme", id))
	complete.bare(completionOf("acme", id))
	reply.bare(replyTo("acme-xml", w.complaint("acme-xml")))

	w.collect()
	signed := w.ImagecoHost.Calls.Calls()
	form, err := url.ParseQuery(string(signed[1].Body))
	if err != nil {
		t.Fatal(err)
	}
	var message map[string]any
	if err := json.Unmarshal(signed[0].Body, &message); err != nil {
		t.Fatal(err)
	}
	authorization := authorizationMembers(w.Primary.Calls.Calls()[0].Header.Get("Authorization"))
	for what, text := range map[string]string{
		"翼码's key":                  m.Imageco.Key,
		"another merchant's key":    "x" + xml.Imageco.Key + "x",
		"a line of a private key":   strings.Split(m.WechatPay.PrivateKey, "\n")[3],
		"a note":                    "see: " + m.Notes["note"],
		"WeChat Pay's signature":    authorization["signature"],
		"the string it is over":     authorization["timestamp"] + `\n` + authorization["nonce_str"],
		"a sign":                    message["sign"].(string),
		"a sign in lower case":      strings.ToLower(message["sign"].(string)),
		"the string it is over too": concatenated(message),
		"a mac":                     form.Get("mac"),
		"a payer's phone number":    "call " + sandbox.PayerPhone,
	} {
		t.Run(what, func(t *testing.T) {
			planted := &transcript{secrets: w.transcript.secrets}
			if found := planted.leaks(); len(found) != 0 {
				t.Fatalf("found %v in nothing", found)
			}
			_, _ = planted.output().Write([]byte(`{"message":"` + text + `"}`))
			if len(planted.leaks()) == 0 {
				t.Error("it was not found in the log")
			}
			planted.outputs = nil
			planted.add("an answer", []byte(text))
			if len(planted.leaks()) == 0 {
				t.Error("it was not found in an answer")
			}
		})
	}
}
