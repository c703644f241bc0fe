package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/doctor"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// clinic is a world with one merchant for the doctor to look at. The merchant's key is testKeys()[2].
type clinic struct {
	*sandbox.World
	merchant *sandbox.Merchant
}

func newClinic(t *testing.T, o sandbox.Options, kind sandbox.MerchantOptions) *clinic {
	t.Helper()
	var made atomic.Int32
	o.CreateOnSight = true
	o.NewKey = func() (*rsa.PrivateKey, error) { return testKeys()[min(made.Add(1)-1, 2)], nil }
	w, err := sandbox.NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	m, err := w.AddMerchant("acme", kind)
	if err != nil {
		t.Fatal(err)
	}
	return &clinic{w, m}
}

// copy is the merchant to spoil without harm to the others.
func (c *clinic) copy(t *testing.T) *sandbox.Merchant {
	t.Helper()
	var m sandbox.Merchant
	if err := json.Unmarshal([]byte(c.merchant.Secret()), &m); err != nil {
		t.Fatal(err)
	}
	m.Key = c.merchant.Key
	return &m
}

// examine runs kesu doctor on a secret, and returns what it found.
func (c *clinic) examine(t *testing.T, name, secret string, env []string, args ...string) ([]doctor.Check, outcome) {
	t.Helper()
	if secret != "" {
		c.Secrets.Put(sandbox.SecretPrefix+name, secret)
	}
	p := process{args: append([]string{"doctor", "--json", "--merchant", name, "--complaint", "2001"}, args...), env: c.Env(env...)}
	o := p.run(t)
	var found struct{ Checks []doctor.Check }
	if o.errors == "" && json.Unmarshal([]byte(o.out), &found) != nil {
		t.Fatalf("not JSON:\n%s", o.out)
	}
	return found.Checks, o
}

func mustPEM(text string, err error) string {
	if err != nil {
		panic(err)
	}
	return text
}

// merchantCertificate makes an apiclient_cert.pem.
func merchantCertificate(t *testing.T, key *rsa.PrivateKey, mchid, serial string, until time.Time) string {
	t.Helper()
	number, _ := new(big.Int).SetString(serial, 16)
	template := &x509.Certificate{SerialNumber: number, Subject: pkix.Name{CommonName: mchid, Organization: []string{"微信商户系统"}}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestDoctorFindsFaultsOfTheSecret(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	for n, f := range secretFaults(t, c) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			m := c.copy(t)
			if f.spoil != nil {
				f.spoil(m)
			}
			secret := m.Secret()
			if f.text != nil {
				secret = f.text(secret)
			}
			if secret == c.merchant.Secret() {
				t.Fatal("the fault changes nothing")
			}
			checks, o := c.examine(t, "fault-"+string(rune('a'+n/26))+string(rune('a'+n%26)), secret, nil)
			f.found(t, checks, o)
			o.hides(t, privateParts(m)...)
			o.hides(t, privateParts(c.merchant)...)
		})
	}
}

// privateParts are what must never be seen of a merchant.
func privateParts(m *sandbox.Merchant) []string {
	var parts []string
	if m.Imageco != nil {
		parts = append(parts, strings.TrimSpace(m.Imageco.Key))
		if m.Imageco.Key == m.Imageco.ISSPID {
			parts = nil
		}
	}
	if m.WechatPay != nil && !strings.HasPrefix(m.WechatPay.PrivateKey, "/") {
		parts = append(parts, strings.NewReplacer(`\n`, "\n", " ", "\n").Replace(m.WechatPay.PrivateKey))
	}
	return parts
}

// found fails when the doctor did not name the fault, or drew the wrong conclusion.
func (f fault) found(t *testing.T, checks []doctor.Check, o outcome) {
	t.Helper()
	if want := map[string]int{"failed": 1, "warning": 0}[f.status]; o.code != want && f.status == "failed" {
		t.Errorf("exit %d", o.code)
	}
	for _, c := range checks {
		if c.Check == f.check && c.Status == f.status && strings.Contains(c.Message, f.says) && strings.Contains(c.Advice, f.advice) && c.Advice != "" {
			return
		}
	}
	t.Errorf("not found: %s %s %q\n%s\n%s", f.status, f.check, f.says, o.out, o.errors)
}

func TestDoctorFindsNothingWrongWithAHealthyMerchant(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]sandbox.MerchantOptions{"JSON": {}, "GBK": {SignGBK: true}, "XML and a certificate": {XML: true, Certificate: true}, "both keys": {BothKeys: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, sandbox.Options{}, kind)
			certificate := merchantCertificate(t, c.merchant.Key, c.merchant.WechatPay.Mchid, c.merchant.WechatPay.SerialNo, time.Now().Add(365*24*time.Hour))
			checks, o := c.examine(t, "acme", "", nil, "--certificate", file(t, "cert.pem", certificate))
			o.hides(t, privateParts(c.merchant)...)
			inText := process{args: []string{"doctor", "--merchant", "acme", "--complaint", "2001"}, env: c.Env()}.run(t)
			if inText.hides(t, privateParts(c.merchant)...); inText.code != 0 || strings.Count(inText.out, "✓") < 13 {
				t.Errorf("exit %d\n%s\n%s", inText.code, inText.out, inText.errors)
			}
			if o.code != 0 || len(checks) < 14 {
				t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
			}
			for _, c := range checks {
				if c.Status != "ok" || c.Advice != "" {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// refusing is an address that refuses connections for as long as the test runs: no other test can listen there, as it
// could on a port that was only given back.
func refusing(t *testing.T) string {
	t.Helper()
	address, release, err := sandbox.ReservePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return "http://" + address
}

func TestDoctorFindsFaultsBeyondTheSecret(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>login</html>")) }))
	t.Cleanup(plain.Close)
	forge := func(f sandbox.Fault) func(*clinic) []string {
		return func(c *clinic) []string { c.Primary.Faults.Stand(f); return nil }
	}
	for _, test := range []struct {
		fault
		clock time.Duration
		do    func(*clinic) []string // gives more environment
	}{
		{fault{name: "a clock that is 6 minutes behind", check: "clock", status: "failed", says: "6m0s behind", advice: "NTP"}, 6 * time.Minute, nil},
		{fault{name: "a clock that is 6 minutes ahead", check: "wechatpay primary self-test", status: "failed", says: "time is not WeChat Pay's", advice: "NTP"}, -6 * time.Minute, nil},
		{fault{name: "a clock that is 2 minutes behind", check: "clock", status: "warning", says: "2m0s behind", advice: "NTP"}, 2 * time.Minute, nil},
		{fault{name: "only the backup host reachable", check: "wechatpay primary", status: "failed", says: "refuses connections", advice: "both hosts"}, 0, func(*clinic) []string { return []string{"WECHATPAY_URL=" + refusing(t)} }},
		{fault{name: "only the primary host reachable", check: "wechatpay backup", status: "failed", says: "refuses connections", advice: "both hosts"}, 0, func(*clinic) []string { return []string{"WECHATPAY_BACKUP_URL=" + refusing(t)} }},
		{fault{name: "翼码 unreachable", check: "imageco", status: "failed", says: "refuses connections"}, 0, func(*clinic) []string { return []string{"IMAGECO_URL=" + refusing(t)} }},
		{fault{name: "a certificate that nobody trusts", check: "wechatpay primary", status: "failed", says: "signed by nobody that this machine trusts", advice: "proxy"}, 0, func(*clinic) []string { return []string{"WECHATPAY_URL=" + untrusted.URL} }},
		{fault{name: "https to a port without TLS", check: "imageco", status: "failed", says: "does not speak TLS"}, 0, func(*clinic) []string {
			return []string{"IMAGECO_URL=" + strings.Replace(plain.URL, "http:", "https:", 1)}
		}},
		{fault{name: "a name that does not exist", check: "wechatpay backup", status: "failed", says: "cannot be resolved", advice: "spelling"}, 0, func(*clinic) []string { return []string{"WECHATPAY_BACKUP_URL=https://api2.invalid"} }},
		{fault{name: "a login page in WeChat Pay's place", check: "wechatpay primary self-test", status: "failed", says: "is not signed"}, 0, func(*clinic) []string { return []string{"WECHATPAY_URL=" + plain.URL} }},
		{fault{name: "a login page in 翼码's place", check: "imageco query", status: "failed", says: "cannot be read as 翼码's"}, 0, func(*clinic) []string { return []string{"IMAGECO_URL=" + plain.URL} }},
		{fault{name: "an http address", check: "settings", status: "failed", says: "WECHATPAY_URL must be https", advice: "would not start"}, 0, func(*clinic) []string { return []string{"WECHATPAY_URL=http://api.mch.weixin.qq.com"} }},
		{fault{name: "no address of 翼码's", check: "imageco", status: "failed", says: "no address", advice: "IMAGECO_URL"}, 0, func(*clinic) []string { return []string{"IMAGECO_URL="} }},
		{fault{name: "an answer with a foreign key", check: "wechatpay primary self-test", status: "failed", says: "the secret has that key under another id"}, 0, forge(sandbox.Fault{UnknownKey: true})},
		{fault{name: "an unsigned answer", check: "wechatpay primary self-test", status: "failed", says: "is not signed"}, 0, forge(sandbox.Fault{Unsigned: true})},
		{fault{name: "answers that are wrong on purpose", check: "wechatpay primary self-test", status: "warning", says: "SIGNTEST"}, 0, forge(sandbox.Fault{SignTest: true})},
		{fault{name: "a merchant without the self-test", check: "wechatpay primary self-test", status: "warning", says: "403 NO_AUTH", advice: "not be allowed"}, 0,
			func(c *clinic) []string {
				c.Primary.Faults.Stand(sandbox.Fault{Method: "POST", Status: 403, Code: "NO_AUTH", Message: "无权限"})
				return nil
			}},
		{fault{name: "翼码 signs otherwise", check: "imageco query", status: "failed", says: "answer is signed otherwise"}, 0, func(c *clinic) []string { c.ImagecoHost.Faults.Stand(sandbox.Fault{WrongSignature: true}); return nil }},
		{fault{name: "no permission to read the secret", check: "secret", status: "failed", says: "AccessDeniedException", advice: "secretsmanager:GetSecretValue"}, 0,
			func(c *clinic) []string {
				c.Secrets.Faults.Stand(sandbox.Fault{Code: "AccessDeniedException", Message: "not allowed"})
				return nil
			}},
		{fault{name: "no such secret", check: "secret", status: "failed", says: "no secret of this name: other/acme", advice: "--secret-prefix"}, 0, func(*clinic) []string { return []string{"MERCHANT_SECRET_PREFIX=other/"} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, sandbox.Options{Now: func() time.Time { return time.Now().Add(test.clock) }}, sandbox.MerchantOptions{})
			var env []string
			if test.do != nil {
				env = test.do(c)
			}
			checks, o := c.examine(t, "acme", "", env)
			test.found(t, checks, o)
			o.hides(t, privateParts(c.merchant)...)
		})
	}
}

// TestDoctorLooksAtTLS puts TLS before a host of the sandbox, and lets the process trust the certificate or not.
func TestDoctorLooksAtTLS(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	behind, err := url.Parse(c.Primary.URL())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }})
	t.Cleanup(server.Close)
	trusted := "SSL_CERT_FILE=" + file(t, "root.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	checks, o := c.examine(t, "acme", "", []string{"WECHATPAY_URL=" + server.URL, trusted})
	if o.code != 0 || !slices.ContainsFunc(checks, func(c doctor.Check) bool {
		return c.Check == "wechatpay primary" && strings.Contains(c.Message, "answers; TLS 1.3, certificate until 2084-")
	}) {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	checks, o = c.examine(t, "acme", "", []string{"WECHATPAY_URL=" + strings.Replace(server.URL, "127.0.0.1", "localhost", 1), trusted})
	fault{check: "wechatpay primary", status: "failed", says: "is for another name", advice: "captive portal"}.found(t, checks, o)
}

func TestDoctorHoldsACertificateAgainstTheSecret(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	p, year := c.merchant.WechatPay, time.Now().Add(365*24*time.Hour)
	for _, test := range []struct {
		fault
		certificate string
	}{
		{fault{name: "of another key", check: "wechatpay.private_key", status: "failed", says: "does not belong to the certificate"}, merchantCertificate(t, testKeys()[3], p.Mchid, p.SerialNo, year)},
		{fault{name: "with another serial", check: "wechatpay.serial_no", status: "failed", says: "another certificate; the one in the file has 77AB"}, merchantCertificate(t, c.merchant.Key, p.Mchid, "77AB", year)},
		{fault{name: "of another merchant", check: "wechatpay.mchid", status: "failed", says: "1999999999"}, merchantCertificate(t, c.merchant.Key, "1999999999", p.SerialNo, year)},
		{fault{name: "that expired", check: "certificate", status: "failed", says: "expired on"}, merchantCertificate(t, c.merchant.Key, p.Mchid, p.SerialNo, time.Now().Add(-time.Minute))},
		{fault{name: "that expires soon", check: "certificate", status: "warning", says: "expires soon"}, merchantCertificate(t, c.merchant.Key, p.Mchid, p.SerialNo, time.Now().Add(time.Hour))},
		{fault{name: "that is none", check: "certificate", status: "failed", says: "does not hold a certificate"}, p.PrivateKey},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checks, o := c.examine(t, "acme", "", nil, "--offline", "--certificate", file(t, "cert.pem", test.certificate))
			test.found(t, checks, o)
			o.hides(t, privateParts(c.merchant)...)
		})
	}
}

func TestDoctorInText(t *testing.T) {
	t.Parallel()
	secret := `{"imageco": {"isspid": "39493002", "systemid": "8888", "key": "3f9Aq27cKp0LzzTw3f9Aq27cKp0LzzTw ", "format": "XML"}, "wechatpay": {"mchid": 1900000001}}`
	o := process{args: []string{"doctor", "--secret-file", file(t, "secret.json", secret), "--offline"}}.run(t)
	golden(t, "doctor.txt", o.out)
	o.hides(t, "3f9Aq27cKp0LzzTw3f9Aq27cKp0LzzTw")
	if o.code != 1 || o.errors != "" {
		t.Errorf("exit %d\n%s", o.code, o.errors)
	}
	o = process{args: []string{"doctor"}}.run(t)
	if o.code != 2 || !strings.Contains(o.errors, "which merchant?") {
		t.Errorf("exit %d\n%s", o.code, o.errors)
	}
}

func TestDoctorOnlyForOneAction(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	m := c.copy(t)
	m.Imageco = nil
	checks, o := c.examine(t, "only", m.Secret(), nil, "--only", "complete")
	if o.code != 0 || len(checks) == 0 || c.ImagecoHost.Calls.Len() != 0 {
		t.Errorf("exit %d\n%s", o.code, o.out)
	}
}
