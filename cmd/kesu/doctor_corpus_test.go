package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kesu-go/kesu/internal/doctor"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// utf16Of writes a text as Windows' Notepad does.
func utf16Of(s string) string {
	out := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(s)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

func quotedJSON(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// pemForms are the forms in which people have a PEM, with what must be said of them; "" is nothing at all.
func pemForms(text string) map[string]struct{ text, status, says string } {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	body := strings.Join(lines[1:len(lines)-1], "")
	f := func(text, status, says string) struct{ text, status, says string } {
		return struct{ text, status, says string }{text, status, says}
	}
	return map[string]struct{ text, status, says string }{
		"with a byte order mark":          f("\uFEFF"+text, "warning", "byte order mark"),
		"with CR alone":                   f(strings.ReplaceAll(text, "\n", "\r"), "warning", "line ends"),
		"with \\r\\n as characters":       f(strings.ReplaceAll(text, "\n", `\r\n`), "failed", `\n as two characters`),
		"in base64":                       f(base64.StdEncoding.EncodeToString([]byte(text)), "failed", "base64 of a whole PEM"),
		"without its frame":               f(body, "failed", "without its lines"),
		"without its frame, in lines":     f(strings.Join(lines[1:len(lines)-1], "\n"), "failed", "without its lines"),
		"indented":                        f("  "+strings.ReplaceAll(text, "\n", "\n  "), "failed", "blanks before"),
		"with no-break spaces":            f(strings.ReplaceAll(text, "\n", "\u00a0\n"), "failed", "spaces of another kind"),
		"with a zero-width space":         f("\u200b"+text, "failed", "take no place"),
		"with long dashes":                f(strings.ReplaceAll(text, "-----", "—–"), "failed", "dashes"),
		"with four dashes":                f(strings.ReplaceAll(text, "-----", "----"), "failed", "dashes"),
		"on one line":                     f(strings.ReplaceAll(strings.TrimSpace(text), "\n", " "), "failed", "lost its line breaks"),
		"on one line without blanks":      f(strings.ReplaceAll(strings.TrimSpace(text), "\n", ""), "failed", "lost its line breaks"),
		"between quotes":                  f(`"`+strings.TrimSpace(text)+`"`, "failed", "between quotes"),
		"with words behind":               f(text+"keep this safe\n", "failed", "more text behind"),
		"with blank lines and CRLF":       f("\r\n"+strings.ReplaceAll(text, "\n", "\r\n")+"\r\n", "warning", "CRLF"),
		"with characters missing":         f(strings.Replace(text, body[40:60], "", 1), "failed", "characters are missing"),
		"with one character changed to ?": f(strings.Replace(text, body[40:41]+body[41:60], "?"+body[41:60], 1), "failed", "characters are missing"),
		"without its last lines":          f(strings.Join(lines[:len(lines)-3], "\n"), "failed", "cut off"),
		"twice":                           f(text+text, "failed", "more than one"),
	}
}

// moreFaults are secrets as editors, consoles and tools make them.
func moreFaults(t *testing.T, c *clinic) []fault {
	i, p := func(m *sandbox.Merchant) *sandbox.ImagecoSecret { return m.Imageco }, func(m *sandbox.Merchant) *sandbox.WechatPaySecret { return m.WechatPay }
	first := func(m *sandbox.Merchant) *sandbox.PlatformSecret { return &m.WechatPay.PlatformKeys[0] }
	halves := func(s string) string {
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(s), &all); err != nil {
			t.Fatal(err)
		}
		return `{"imageco":` + quotedJSON(string(all["imageco"])) + `,"wechatpay":` + quotedJSON(string(all["wechatpay"])) + `}`
	}
	list := []fault{
		{"UTF-16", nil, utf16Of, "secret", "failed", "UTF-16", "merchant make"},
		{"a saved get-secret-value", nil, func(s string) string {
			return `{"ARN":"arn:x","Name":"kesu/merchants/acme","SecretString":` + quotedJSON(s) + `}`
		}, "secret", "failed", "get-secret-value", "merchant make"},
		{"halves as strings", nil, halves, "secret", "failed", "halves as strings", "merchant make"},
		{"encoded three times", nil, func(s string) string { return quotedJSON(quotedJSON(s)) }, "secret", "failed", "encoded twice", "merchant make"},
		{"a code fence", nil, func(s string) string { return "```json\n" + s + "\n```" }, "secret", "failed", "```", "merchant make"},
		{"typographic quotes", nil, func(s string) string { return strings.NewReplacer(`"imageco"`, "“imageco”").Replace(s) }, "secret", "failed", "other quotes", "merchant make"},
		{"no-break spaces between", nil, func(s string) string { return strings.ReplaceAll(s, "\n  ", "\n\u00a0\u00a0") }, "secret", "failed", "spaces of another kind", "merchant make"},
		{"nothing", nil, func(string) string { return " \n" }, "secret", "failed", "is empty", "JSON object"},
		{"an array", nil, func(s string) string { return "[" + s + "]" }, "secret", "failed", "is a JSON array", "jq"},
		{"a PEM alone", nil, func(string) string { return p(c.merchant).PrivateKey }, "secret", "failed", "is a PEM file", "merchant make"},
		{"Python's quotes", nil, func(s string) string { return strings.ReplaceAll(s, `"`, "'") }, "secret", "failed", "other quotes", ""},
		{"a comma too many", nil, func(s string) string { return strings.TrimSuffix(strings.TrimSpace(s), "}") + ",}" }, "secret", "failed", "is not JSON", ""},
		{"text behind", nil, func(s string) string { return s + "\nEOF" }, "secret", "failed", "more text", ""},
		{"line breaks in a string", nil, func(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }, "secret", "failed", "holds a line break", "merchant make"},
		{"members beside the halves", nil, func(string) string {
			return `{"isspid":"1","system_id":"2","key":"k","mchid":"1","serial_no":"2"}`
		}, "imageco", "failed", "beside the halves", ""},
		{"a half in capitals", nil, replace(`"imageco"`, `"Imageco"`), "imageco", "failed", "slip of the pen", "rename it to imageco"},
		{"a half as a list", nil, func(s string) string { return `{"imageco":[],"wechatpay":[]}` }, "imageco", "failed", "is an array", ""},

		{"a key with a tab", func(m *sandbox.Merchant) { i(m).Key = i(m).Key[:8] + "\t" + i(m).Key[8:] }, nil, "imageco.key", "failed", "a tab", "jq"},
		{"a key with a blank before", func(m *sandbox.Merchant) { i(m).Key = " " + i(m).Key }, nil, "imageco.key", "failed", "white space", "jq"},
		{"a key with CRLF", func(m *sandbox.Merchant) { i(m).Key += "\r\n" }, nil, "imageco.key", "failed", "a line break", "jq"},
		{"a key with a byte order mark", func(m *sandbox.Merchant) { i(m).Key = "\uFEFF" + i(m).Key }, nil, "imageco.key", "failed", "U+FEFF", "jq"},
		{"a key with a no-break space", func(m *sandbox.Merchant) { i(m).Key += "\u00a0" }, nil, "imageco.key", "failed", "U+00A0", "jq"},
		{"a key in single quotes", func(m *sandbox.Merchant) { i(m).Key = "'" + i(m).Key + "'" }, nil, "imageco.key", "failed", "between quotes", "jq"},
		{"a key that was lost", func(m *sandbox.Merchant) { i(m).Key = "abc\ufffddefghijklmnop" }, nil, "imageco.key", "failed", "lost on the way", "copy"},
		{"a placeholder key", func(m *sandbox.Merchant) { i(m).Key = "<key of 翼码>" }, nil, "imageco.key", "failed", "placeholder", "own value"},
		{"a key of stars", func(m *sandbox.Merchant) { i(m).Key = "********************************" }, nil, "imageco.key", "failed", "placeholder", ""},
		{"the key in capitals", func(m *sandbox.Merchant) { i(m).Key = strings.ToUpper(i(m).Key) + "X" }, nil, "imageco query", "failed", "6100", "fingerprint"},
		{"the charset the other way round", func(m *sandbox.Merchant) { i(m).SignCharset = "gbk" }, nil, "imageco.sign_charset", "failed", "takes it signed in utf-8", "that was taken"},
		{"a blank behind the isspid", func(m *sandbox.Merchant) { i(m).ISSPID += " " }, nil, "imageco.isspid", "failed", "white space", "jq"},
		{"an isspid of letters", func(m *sandbox.Merchant) { i(m).ISSPID = "abc" }, nil, "imageco.isspid", "warning", "not a number", ""},
		{"an isspid as a number", nil, func(s string) string {
			return strings.Replace(s, `"isspid": "`+i(c.merchant).ISSPID+`"`, `"isspid": `+i(c.merchant).ISSPID, 1)
		}, "imageco.isspid", "failed", "is a number", "jq"},
		{"a format of nonsense", func(m *sandbox.Merchant) { i(m).Format = "yaml" }, nil, "imageco.format", "failed", "none of json, xml", "jq"},
		{"a charset with a blank", func(m *sandbox.Merchant) { i(m).SignCharset = "utf-8 " }, nil, "imageco.sign_charset", "failed", "not written as utf-8", "jq"},
		{"utf8", func(m *sandbox.Merchant) { i(m).SignCharset = "utf8" }, nil, "imageco.sign_charset", "failed", "none of", "hyphen"},

		{"a serial as openssl prints it", func(m *sandbox.Merchant) { p(m).SerialNo = "serial=" + p(m).SerialNo }, nil, "wechatpay.serial_no", "failed", "serial=", "jq"},
		{"a serial with 0x", func(m *sandbox.Merchant) { p(m).SerialNo = "0x" + p(m).SerialNo }, nil, "wechatpay.serial_no", "failed", "0x", "jq"},
		{"a serial with blanks", func(m *sandbox.Merchant) { p(m).SerialNo = p(m).SerialNo[:4] + " " + p(m).SerialNo[4:] }, nil, "wechatpay.serial_no", "failed", "blanks", "jq"},
		{"a decimal serial", func(m *sandbox.Merchant) { p(m).SerialNo = "464409421246712876543210987654321098765432109876" }, nil, "wechatpay.serial_no", "warning", "decimal", "openssl x509"},
		{"a serial that is none", func(m *sandbox.Merchant) { p(m).SerialNo = "my certificate" }, nil, "wechatpay.serial_no", "failed", "not a number in hex", "openssl x509"},
		{"a mchid with a blank", func(m *sandbox.Merchant) { p(m).Mchid += " " }, nil, "wechatpay.mchid", "failed", "white space", "jq"},
		{"an appid as mchid", func(m *sandbox.Merchant) { p(m).Mchid = "wx8888888888888888" }, nil, "wechatpay.mchid", "warning", "8 to 10 digits", ""},
		{"platform keys as a string", nil, func(s string) string {
			var all struct {
				Imageco   json.RawMessage            `json:"imageco"`
				WechatPay map[string]json.RawMessage `json:"wechatpay"`
			}
			if json.Unmarshal([]byte(s), &all) != nil {
				t.Fatal("no JSON")
			}
			all.WechatPay["platform_keys"] = json.RawMessage(quotedJSON(string(all.WechatPay["platform_keys"])))
			text, _ := json.Marshal(all)
			return string(text)
		}, "wechatpay.platform_keys", "failed", "encoded twice", "jq"},
		{"an empty list of platform keys", nil, func(s string) string {
			return regexp.MustCompile(`(?s)"platform_keys": \[.*?\]`).ReplaceAllString(s, `"platform_keys": []`)
		}, "wechatpay.platform_keys", "failed", "empty array", ""},
		{"a short APIv3 key", nil, apiv3("short"), "wechatpay.apiv3_key", "failed", "has 5 characters", "APIv3"},
		{"an APIv3 key with a line feed", nil, apiv3(`0123456789abcdef0123456789abcdef\n`), "wechatpay.apiv3_key", "failed", "white space", "jq"},
		{"a key store's base64", func(m *sandbox.Merchant) { p(m).PrivateKey = "MIIKPAIBAzCCCgIGCSqGSIb3DQEHAaCCCfMEggnvMIIJ6zCC" }, nil, "wechatpay.private_key", "failed", "key store", "--p12"},
		{"a certificate request", func(m *sandbox.Merchant) {
			p(m).PrivateKey = "-----BEGIN CERTIFICATE REQUEST-----\nMIIC\n-----END CERTIFICATE REQUEST-----\n"
		}, nil, "wechatpay.private_key", "failed", "CSR", "apiclient_key.pem"},
		{"an encrypted key", func(m *sandbox.Merchant) {
			p(m).PrivateKey = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIC\n-----END ENCRYPTED PRIVATE KEY-----\n"
		}, nil, "wechatpay.private_key", "failed", "passphrase", "-nocrypt"},
		{"an OpenSSH key", func(m *sandbox.Merchant) {
			p(m).PrivateKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n"
		}, nil, "wechatpay.private_key", "failed", "OpenSSH", "apiclient_key.pem"},
		{"words for a key", func(m *sandbox.Merchant) { p(m).PrivateKey = "the key is in the safe" }, nil, "wechatpay.private_key", "failed", "not PEM", "-----BEGIN"},
		{"the certificate's note of another merchant", nil, replace(`"mchid"`, `"certificate": `+quotedJSON(merchantCertificate(t, c.merchant.Key, "1999999999", p(c.merchant).SerialNo, time.Now().Add(9999*time.Hour)))+`, "mchid"`), "wechatpay.mchid", "failed", "1999999999", "jq"},
		{"the certificate's note ends soon", nil, replace(`"mchid"`, `"certificate": `+quotedJSON(merchantCertificate(t, c.merchant.Key, p(c.merchant).Mchid, p(c.merchant).SerialNo, time.Now().Add(20*24*time.Hour)))+`, "mchid"`), "certificate", "warning", "expires soon", "API安全"},
		{"the platform key's id on a certificate", func(m *sandbox.Merchant) {
			*first(m) = sandbox.PlatformSecret{ID: "PUB_KEY_ID_01", PEM: mustPEM(sandbox.CertificatePEM(c.Certificate, time.Now().Add(-time.Hour), time.Now().Add(9999*time.Hour)))}
		}, nil, "wechatpay.platform_keys[0].id", "warning", "no effect", "jq"},
	}
	der := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(c.merchant.Key)})
	list = append(list, fault{"PKCS#1 under PKCS#8's label", func(m *sandbox.Merchant) { p(m).PrivateKey = string(der) }, nil, "wechatpay.private_key", "warning", "label", "merchant make"},
		fault{"PKCS#8 under PKCS#1's label", func(m *sandbox.Merchant) {
			p(m).PrivateKey = strings.ReplaceAll(p(m).PrivateKey, "PRIVATE KEY", "RSA PRIVATE KEY")
		}, nil, "wechatpay.private_key", "warning", "label", "merchant make"})
	for name, form := range pemForms(p(c.merchant).PrivateKey) {
		list = append(list, fault{"private key " + name, func(m *sandbox.Merchant) { p(m).PrivateKey = form.text }, nil, "wechatpay.private_key", form.status, form.says, ""})
	}
	for name, form := range pemForms(first(c.merchant).PEM) {
		list = append(list, fault{"platform key " + name, func(m *sandbox.Merchant) { first(m).PEM = form.text }, nil, "wechatpay.platform_keys[0].pem", form.status, form.says, ""})
	}
	return list
}

// apiv3 puts another APIv3 key into a secret.
func apiv3(key string) func(string) string {
	return func(s string) string {
		return regexp.MustCompile(`"apiv3_key": "[^"]*"`).ReplaceAllLiteralString(s, `"apiv3_key": "`+key+`"`)
	}
}

// command is what an advice tells to type.
var commandIn = regexp.MustCompile("`((?:jq|kesu merchant make) [^`]*)`")

// TestEveryAdviceOfTheDoctorCures seeds secrets, asks the doctor, does literally what it says, and asks again. It also counts:
// no seeded secret may come out all green.
func TestEveryAdviceOfTheDoctorCures(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("jq"); err != nil {
		t.Log("left out: the cures by jq, which is not installed")
	}
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	faults := append(secretFaults(t, c), moreFaults(t, c)...)
	if seeded := len(faults); seeded < 120 {
		t.Errorf("only %d secrets are seeded", seeded)
	}
	for n, f := range faults {
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
			var checks []doctor.Check
			var o outcome
			if utf8.ValidString(secret) {
				checks, o = c.examine(t, fmt.Sprintf("seed-%d", n), secret, nil)
			} else { // only a file can hold that
				o = process{args: []string{"doctor", "--json", "--offline", "--secret-file", file(t, "secret.json", secret)}}.run(t)
				var found struct{ Checks []doctor.Check }
				_ = json.Unmarshal([]byte(o.out), &found)
				checks = found.Checks
			}
			f.found(t, checks, o)
			if strings.Contains(o.out, `"failed": 0`) && strings.Contains(o.out, `"warnings": 0`) {
				t.Errorf("all green:\n%s", o.out)
			}
			o.hides(t, privateParts(c.merchant)...)
			for _, check := range checks {
				if command := commandIn.FindStringSubmatch(check.Advice); command != nil {
					c.cures(t, check, command[1], secret)
				}
			}
		})
	}
}

// cures does what an advice says, and looks whether the doctor still finds the same.
func (c *clinic) cures(t *testing.T, check doctor.Check, command, secret string) {
	t.Helper()
	if _, err := exec.LookPath("jq"); err != nil && strings.HasPrefix(command, "jq") {
		return
	}
	dir := t.TempDir()
	w := c.merchant.WechatPay
	for name, text := range map[string]string{"secret.json": secret, "apiclient_key.pem": w.PrivateKey,
		"apiclient_cert.pem": merchantCertificate(t, c.merchant.Key, w.Mchid, w.SerialNo, time.Now().Add(9999*time.Hour))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "sh", "-c", command)
	run.Dir, run.Env = dir, []string{"PATH=" + programs + ":" + os.Getenv("PATH"), "HOME=" + dir}
	out, err := run.CombinedOutput()
	if err != nil && strings.HasPrefix(command, "kesu") && (bytes.Contains(out, []byte("wechatpay.")) || bytes.Contains(out, []byte("imageco."))) {
		return // another fault of the same secret is in the way, and is named
	}
	cured, readErr := os.ReadFile(filepath.Join(dir, "new.json"))
	if err != nil || readErr != nil {
		t.Errorf("%s: %v, %v\n%s", command, err, readErr, out)
		return
	}
	o := process{args: []string{"doctor", "--json", "--offline", "--secret-file", "-"}, stdin: string(cured)}.run(t)
	var found struct{ Checks []doctor.Check }
	if json.Unmarshal([]byte(o.out), &found) != nil {
		t.Fatalf("not JSON:\n%s%s", o.out, o.errors)
	}
	for _, again := range found.Checks {
		if again.Check == check.Check && again.Status != doctor.OK && (again.Cause == check.Cause || again.Status == doctor.Failed && strings.Contains(command, "kesu")) {
			t.Errorf("%s\ndoes not cure %s: %s\n%s", command, check.Check, check.Message, again.Message)
		}
	}
}

// TestMerchantMakeReadsAKeyStore lets the real openssl write it.
func TestMerchantMakeReadsAKeyStore(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("left out: a key store by OpenSSL, which is not installed")
		return
	}
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	w := c.merchant.WechatPay
	key := file(t, "apiclient_key.pem", w.PrivateKey)
	certificate := file(t, "apiclient_cert.pem", merchantCertificate(t, c.merchant.Key, w.Mchid, w.SerialNo, time.Now().Add(9999*time.Hour)))
	platform, store := file(t, "pub_key.pem", "\uFEFF"+w.PlatformKeys[0].PEM), filepath.Join(t.TempDir(), "apiclient_cert.p12")
	if out, err := exec.Command(openssl, "pkcs12", "-export", "-inkey", key, "-in", certificate, "-out", store, "-passout", "pass:"+w.Mchid).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, args := range map[string][]string{
		"a key store": {"--p12", store, "--mchid", w.Mchid},
		"PEM":         {"--private-key", key, "--certificate", certificate},
	} {
		out := filepath.Join(t.TempDir(), "secret.json")
		o := process{args: append([]string{"merchant", "make", "--platform-key", platform, "--platform-id", w.PlatformKeys[0].ID, "--out", out}, args...)}.run(t)
		o.hides(t, w.PrivateKey)
		text, err := os.ReadFile(out)
		info, statErr := os.Stat(out)
		if err != nil || statErr != nil || o.code != 0 || info.Mode().Perm() != 0o600 {
			t.Fatalf("%s: exit %d, %v\n%s%s", name, o.code, err, o.out, o.errors)
		}
		checks, o := c.examine(t, "made", string(text), nil, "--only", "complete")
		if o.code != 0 {
			t.Errorf("%s: %+v\n%s", name, checks, o.errors)
		}
		if again := (process{args: append([]string{"merchant", "make", "--platform-key", platform, "--platform-id", "A", "--out", out}, args...)}).run(t); again.code != 1 || !strings.Contains(again.errors, "there already") {
			t.Errorf("%s: it writes over a file: exit %d %s", name, again.code, again.errors)
		}
	}
	o := process{args: []string{"merchant", "make", "--private-key", file(t, "other.pem", mustPEM(sandbox.PrivatePEM(testKeys()[3]))), "--certificate", certificate, "--out", filepath.Join(t.TempDir(), "x.json")}}.run(t)
	if o.code != 1 || !strings.Contains(o.errors, "does not belong to the certificate") {
		t.Errorf("exit %d %s", o.code, o.errors)
	}
}
