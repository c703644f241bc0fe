package signing_test

import (
	"crypto/x509"
	"os/exec"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/signing"
)

// TestParsePrivateKeyReadsWhatOpenSSLReads asks the real openssl: whatever form of a private key it takes, a merchant's
// tools produce sooner or later.
func TestParsePrivateKeyReadsWhatOpenSSLReads(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("left out: OpenSSL as a witness, which is not installed")
		return
	}
	key := newRSA(t, 2048)
	good, old := pkcs8(t, key), pkcs1(key)
	taken := 0
	for name, text := range map[string]string{
		"PKCS#8": good, "PKCS#1": old,
		"a byte order mark":           "\uFEFF" + good,
		"a byte order mark and CRLF":  "\uFEFF" + strings.ReplaceAll(good, "\n", "\r\n"),
		"CRLF":                        strings.ReplaceAll(good, "\n", "\r\n"),
		"CR alone":                    strings.ReplaceAll(good, "\n", "\r"),
		"blanks at the ends of lines": strings.ReplaceAll(good, "\n", "  \n"),
		"tabs at the ends of lines":   strings.ReplaceAll(good, "\n", "\t\n"),
		"blank lines around":          "\n \n\n" + good + "\n\n\n",
		"text before":                 "Bag Attributes\n    localKeyID: 01 00 00 00\nKey Attributes: <No Attributes>\n" + good,
		"no line break at the end":    strings.TrimSpace(good),
		"PKCS#8 as RSA":               strings.ReplaceAll(good, "PRIVATE KEY", "RSA PRIVATE KEY"),
		"PKCS#1 as PKCS#8":            block("PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)),
		"a blank line after BEGIN":    strings.Replace(good, "KEY-----\n", "KEY-----\n\n", 1),
		"a blank line before END":     strings.Replace(good, "-----END", "\n-----END", 1),
		"one line of base64":          oneLine(good),
		"lines of 76 characters":      wrapped(good, 76),
		"indented":                    "  " + strings.ReplaceAll(good, "\n", "\n  "),
		"without its END line":        good[:strings.Index(good, "-----END")],
	} {
		run := exec.Command(openssl, "pkey", "-noout")
		run.Stdin = strings.NewReader(text)
		if run.Run() != nil {
			continue
		}
		taken++
		if got, err := signing.ParsePrivateKey(text); err != nil || !got.Equal(key) {
			t.Errorf("%s: OpenSSL reads it, and we do not: %v", name, err)
		}
	}
	if taken < 10 {
		t.Errorf("OpenSSL took only %d forms", taken)
	}
}

func oneLine(text string) string { return wrapped(text, 1<<20) }

// wrapped breaks the base64 of a PEM into lines of another length.
func wrapped(text string, width int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	body, out := strings.Join(lines[1:len(lines)-1], ""), lines[0]+"\n"
	for len(body) > width {
		out, body = out+body[:width]+"\n", body[width:]
	}
	return out + body + "\n" + lines[len(lines)-1] + "\n"
}
