package signing_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/signing"
)

// noPart fails when an error holds a piece of the text that it is about.
func noPart(t *testing.T, err error, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) >= 16 && !strings.Contains(line, " ") && strings.Contains(err.Error(), line) {
			t.Errorf("the error holds a line of the text")
		}
	}
	if strings.Contains(err.Error(), "BEGIN ") || strings.Contains(err.Error(), "asn1") {
		t.Errorf("the error holds a part of the text or of the parser's own words: %v", err)
	}
}

func TestParsePrivateKeyReads(t *testing.T) {
	key := newRSA(t, 2048)
	for name, text := range map[string]string{
		"PKCS#8":                          pkcs8(t, key),
		"PKCS#1":                          pkcs1(key),
		"Windows line endings":            strings.ReplaceAll(pkcs8(t, key), "\n", "\r\n"),
		"blank lines around":              "\n\n" + pkcs8(t, key) + "\r\n \n",
		"what openssl pkcs12 puts before": "Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n" + pkcs8(t, key),
		"no line break at the end":        strings.TrimSpace(pkcs8(t, key)),
		"a byte order mark":               "\uFEFF" + pkcs8(t, key),
		"carriage returns alone":          strings.ReplaceAll(pkcs8(t, key), "\n", "\r"),
		"blanks at the ends of lines":     strings.ReplaceAll(pkcs8(t, key), "\n", " \t\n"),
		"PKCS#1 under PKCS#8's label":     block("PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)),
		"PKCS#8 under PKCS#1's label":     strings.ReplaceAll(pkcs8(t, key), "PRIVATE KEY", "RSA PRIVATE KEY"),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := signing.ParsePrivateKey(text)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(key) {
				t.Error("it is another key")
			}
		})
	}
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	key := newRSA(t, 2048)
	good := pkcs8(t, key)
	ecDER, err := x509.MarshalECPrivateKey(newEC(t))
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 such keys are what operators have on disk
	encrypted, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), []byte("x"), x509.PEMCipherAES128)
	if err != nil {
		t.Fatal(err)
	}
	small := newSmall(t)
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "is not PEM"},
		{"words", "the key is in the safe", "is not PEM"},
		{"a block that breaks off", good[:len(good)/2], "is not PEM"},
		{"line breaks written as two characters", strings.ReplaceAll(good, "\n", `\n`), `holds \n as two characters`},
		{"text after the block", good + "and more", "more text after"},
		{"a second block", good + good, "more text after"},
		{"a text that is too long", strings.Repeat(" ", 20<<10) + good, "longer than"},
		{"bytes that are no key", block("PRIVATE KEY", []byte("no key at all")), "cannot be read"},
		{"a PKCS#1 key that is broken", block("RSA PRIVATE KEY", []byte{0x30, 0}), "cannot be read"},
		{"an EC key", pkcs8(t, newEC(t)), "not an RSA key"},
		{"an EC key in its own format", block("EC PRIVATE KEY", ecDER), "not an RSA key"},
		{"an Ed25519 key", pkcs8(t, newEd25519(t)), "not an RSA key"},
		{"a key with a passphrase, PKCS#8", block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0}), "passphrase"},
		{"a key with a passphrase, PKCS#1", string(pem.EncodeToMemory(encrypted)), "passphrase"},
		{"a certificate", certificate(t, key, big.NewInt(1), now), "is a certificate"},
		{"a public key", publicPEM(t, key.Public()), "not of a private key"},
		{"a key that crypto/rsa will not use", pkcs1(small), "fewer than 1024 bits"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := signing.ParsePrivateKey(test.text)
			if err == nil {
				t.Fatal("it was read")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
			noPart(t, err, test.text)
		})
	}
}

// newSmall makes a 512-bit key from two primes, because crypto/rsa no longer makes one.
func newSmall(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	e := big.NewInt(65537)
	for {
		p, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			t.Fatal(err)
		}
		q, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			t.Fatal(err)
		}
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		if d == nil || p.Cmp(q) == 0 {
			continue
		}
		return &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537},
			D:         d, Primes: []*big.Int{p, q},
		}
	}
}

func TestParsePlatformKeyReads(t *testing.T) {
	key := newRSA(t, 2048)
	public := publicPEM(t, key.Public())
	cert := certificate(t, key, big.NewInt(0x0ABCDEF), now)
	digest := sha256.Sum256([]byte("an answer"))
	signature, err := key.Sign(rand.Reader, digest[:], cryptoSHA256)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, id, text, want string }{
		{"a public key under its id", "PUB_KEY_ID_0111", public, "PUB_KEY_ID_0111"},
		{"a public key with Windows line endings", "PUB_KEY_ID_0111", strings.ReplaceAll(public, "\n", "\r\n"), "PUB_KEY_ID_0111"},
		{"a PKCS#1 public key", "PUB_KEY_ID_0111", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey)), "PUB_KEY_ID_0111"},
		{"a public key under PKCS#1's label", "PUB_KEY_ID_0111", strings.ReplaceAll(public, "PUBLIC", "RSA PUBLIC"), "PUB_KEY_ID_0111"},
		{"a public key with a byte order mark", "PUB_KEY_ID_0111", "\uFEFF" + public, "PUB_KEY_ID_0111"},
		{"a certificate under its serial number", "", cert, "ABCDEF"},
		{"a certificate whatever id says", "PUB_KEY_ID_0111", cert, "ABCDEF"},
		{"a certificate whose serial number begins with a zero digit", "", certificate(t, key, big.NewInt(0xABC), now), "0ABC"},
		{"an expired certificate", "", certificate(t, key, big.NewInt(0xEE), now.AddDate(-9, 0, 0)), "EE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := signing.ParsePlatformKey(test.id, test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != test.want {
				t.Errorf("id %q, want %q", got.ID, test.want)
			}
			if got.NotAfter.IsZero() != strings.Contains(test.text, "PUBLIC") {
				t.Errorf("validity until %v", got.NotAfter)
			}
			if err := got.Verify(digest[:], signature); err != nil {
				t.Errorf("a right signature: %v", err)
			}
			if got.Verify(digest[1:], signature) == nil || got.Verify(digest[:], signature[1:]) == nil {
				t.Error("a wrong signature was taken")
			}
		})
	}
}

func TestParsePlatformKeyRefuses(t *testing.T) {
	key := newRSA(t, 2048)
	public := publicPEM(t, key.Public())
	for _, test := range []struct{ name, id, text, want string }{
		{"a public key without an id", "", public, "1 to 128 of the characters"},
		{"an id with a line break", "PUB\n", public, "1 to 128 of the characters"},
		{"an id that is too long", strings.Repeat("A", 129), public, "1 to 128 of the characters"},
		{"an empty text", "A", "", "is not PEM"},
		{"text after the block", "A", public + "x", "more text after"},
		{"a chain of certificates", "", strings.Repeat(certificate(t, key, big.NewInt(1), now), 2), "more text after"},
		{"a public key that is broken", "A", block("PUBLIC KEY", []byte{0x30, 0}), "public key that cannot be read"},
		{"a certificate that is broken", "A", block("CERTIFICATE", []byte{0x30, 0}), "certificate that cannot be read"},
		{"a PKCS#1 public key that is broken", "A", block("RSA PUBLIC KEY", []byte{0x30, 0}), "public key that cannot be read"},
		{"an EC public key", "A", publicPEM(t, newEC(t).Public()), "not an RSA key"},
		{"a certificate of an EC key", "A", certificate(t, newEC(t), big.NewInt(1), now), "not an RSA key"},
		{"a short public key", "A", publicPEM(t, newSmall(t).Public()), "fewer than 1024 bits"},
		{"the merchant's own private key", "A", pkcs8(t, key), "is a private key"},
		{"a certificate request", "A", block("CERTIFICATE REQUEST", []byte{0x30, 0}), "of no RSA key and no certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := signing.ParsePlatformKey(test.id, test.text)
			if err == nil {
				t.Fatal("it was read")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
			if errors.Is(err, signing.ErrKeyID) != strings.Contains(test.want, "1 to 128") {
				t.Error("ErrKeyID is for the id only")
			}
			noPart(t, err, test.text)
		})
	}
}
