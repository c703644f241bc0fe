package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

var (
	wechatMembers = []string{"mchid", "serial_no", "private_key", "platform_keys"}
	mchidForm     = regexp.MustCompile(`^[0-9]{8,10}$`)
	serialForm    = regexp.MustCompile(`^[0-9A-Fa-f]{1,64}$`)
)

const (
	rsaBits    = 2048                // of WeChat Pay's keys, both sides
	expirySoon = 30 * 24 * time.Hour // a certificate that ends within that is worth a word
)

func (d *doctor) examineWechatPay(raw string) {
	f, ok := d.object("wechatpay", "wechatpay.", raw, wechatMembers)
	if !ok {
		return
	}
	mchid, ok := f.line("mchid", true)
	switch {
	case ok && !mchidForm.MatchString(mchid):
		d.warn("wechatpay.mchid", "is not a number of 8 to 10 digits", "compare it with the 商户号 on the merchant platform")
	case ok:
		d.ok("wechatpay.mchid", "%s", mchid)
	}
	serial := d.serialNo(f)
	key := d.privateKey(f)
	d.platformKeys(f, key, serial, mchid)
	if d.command.Certificate != "" {
		d.certificate(key, serial, mchid)
	}
}

func (d *doctor) serialNo(f fields) string {
	const what = "wechatpay.serial_no"
	serial, ok := f.line("serial_no", true)
	switch {
	case !ok:
		return ""
	case strings.HasPrefix(serial, "PUB_KEY_ID"):
		d.fail(what, "is the id of WeChat Pay's public key", "put the serial number of the merchant's own API certificate here: openssl x509 -in apiclient_cert.pem -noout -serial")
		return ""
	case strings.ContainsAny(serial, ": ") && serialForm.MatchString(strings.NewReplacer(":", "", " ", "").Replace(serial)):
		d.fail(what, "has colons or spaces between its digits", "write the digits alone")
		return ""
	case !serialForm.MatchString(serial):
		d.fail(what, "is not a number in hex", "take it from openssl x509 -in apiclient_cert.pem -noout -serial")
		return ""
	case len(serial) != 40:
		d.warn(what, fmt.Sprintf("has %d hex digits; those of WeChat Pay's certificates have 40", len(serial)), "compare it with the merchant platform (API安全 → 商户API证书)")
	default:
		d.ok(what, "%s", serial)
	}
	return serial
}

func (d *doctor) privateKey(f fields) *rsa.PrivateKey {
	const what = "wechatpay.private_key"
	text, ok := f.text("private_key", true)
	if !ok {
		return nil
	}
	problem, advice, odd := pemTrouble(text)
	if problem != "" && !odd {
		d.fail(what, problem, advice)
		return nil
	}
	key, err := signing.ParsePrivateKey(text)
	switch {
	case err != nil:
		d.fail(what, err.Error(), privateAdvice(err.Error()))
		return nil
	case key.N.BitLen() < rsaBits:
		d.fail(what, fmt.Sprintf("is an RSA key of %d bits; WeChat Pay's certificates are for keys of %d", key.N.BitLen(), rsaBits), "this is another system's key, or a test's; take apiclient_key.pem")
	case odd:
		d.warn(what, problem, advice)
	default:
		d.ok(what, "RSA, %d bits, its public half has the fingerprint %s", key.N.BitLen(), publicFingerprint(&key.PublicKey))
	}
	return key
}

func publicFingerprint(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "unknown"
	}
	return fingerprint(der)
}

func (d *doctor) platformKeys(f fields, own *rsa.PrivateKey, serial, mchid string) {
	const what = "wechatpay.platform_keys"
	raw, there := f.members["platform_keys"]
	var list []json.RawMessage
	switch {
	case !there:
		d.fail(what, "is missing"+f.hint("platform_keys"), "add WeChat Pay's public key with its id; without it no answer can be trusted")
		return
	case raw[0] != '[' || json.Unmarshal(raw, &list) != nil:
		d.fail(what, "is "+kind(raw)+" and not an array", `write [{"id": "PUB_KEY_ID_…", "pem": "…"}]`)
		return
	case len(list) == 0:
		d.fail(what, "is an empty array", "add WeChat Pay's public key with its id; without it no answer can be trusted")
		return
	}
	seen := map[string]string{}
	for i, entry := range list {
		field := fmt.Sprintf("%s[%d]", what, i)
		f, ok := d.object(field, field+".", string(entry), []string{"id", "pem"})
		if !ok {
			continue
		}
		key, ok := d.platformKey(f, field)
		if !ok {
			continue
		}
		print := publicFingerprint(key.public)
		switch before := seen[print]; {
		case own != nil && own.PublicKey.Equal(key.public):
			d.fail(field+".pem", "is the merchant's own key and not WeChat Pay's", "this is apiclient_cert.pem or the public half of private_key; WeChat Pay's key is downloaded from the merchant platform (API安全 → 微信支付公钥)")
		case key.certificate && serial != "" && sameSerial(key.id, serial), key.certificate && mchid != "" && key.name == mchid:
			d.fail(field+".pem", "is the merchant's own API certificate (apiclient_cert.pem) and not WeChat Pay's", "take WeChat Pay's public key, or its platform certificate")
		case before != "":
			d.warn(field, "is the same key as "+before, "take one of them out, or put the key there that was meant")
		default:
			d.judgePlatformKey(field, key, print, i == 0)
		}
		seen[print] = field
	}
}

func sameSerial(a, b string) bool {
	return strings.EqualFold(strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0"))
}

// platformEntry is a readable entry of platform_keys.
type platformEntry struct {
	id, name    string // name: the certificate's common name
	public      *rsa.PublicKey
	certificate bool
	from, until time.Time
	odd         [2]string // what is odd about its text, with advice
}

func (d *doctor) platformKey(f fields, field string) (platformEntry, bool) {
	text, ok := f.text("pem", true)
	if !ok {
		return platformEntry{}, false
	}
	id, _ := f.text("id", false)
	var key platformEntry
	problem, advice, odd := pemTrouble(text)
	if problem != "" && !odd {
		d.fail(field+".pem", problem, advice)
		return key, false
	}
	key.odd = [2]string{problem, advice}
	parsed, err := signing.ParsePlatformKey(id, text)
	switch {
	case err == signing.ErrKeyID && id == "":
		d.fail(field+".id", "is missing: a public key does not say its own id"+f.hint("id"), "add the id that stands beside the key on the merchant platform, PUB_KEY_ID_…")
		return key, false
	case err == signing.ErrKeyID:
		d.fail(field+".id", err.Error(), "copy the id that stands beside the key on the merchant platform, PUB_KEY_ID_…")
		return key, false
	case err != nil:
		d.fail(field+".pem", err.Error(), platformAdvice(err.Error()))
		return key, false
	}
	key.id, key.from, key.until = parsed.ID, parsed.NotBefore, parsed.NotAfter
	block, _ := pem.Decode([]byte(text)) // it was read before
	var public any
	if block.Type == "CERTIFICATE" {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return key, false
		}
		key.certificate, key.name, public = true, certificate.Subject.CommonName, certificate.PublicKey
		if id != "" && !sameSerial(id, key.id) {
			d.warn(field+".id", "is not the certificate's serial number, and has no effect", "take it out; a certificate is known by its own number")
		}
	} else if public, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		return key, false
	}
	key.public, ok = public.(*rsa.PublicKey)
	return key, ok
}

func (d *doctor) judgePlatformKey(field string, key platformEntry, print string, first bool) {
	now := time.Now()
	named := ""
	if first {
		named = "; requests ask for answers that are signed with it"
	}
	switch {
	case key.public.N.BitLen() < rsaBits:
		d.fail(field+".pem", fmt.Sprintf("is an RSA key of %d bits; WeChat Pay's have %d", key.public.N.BitLen(), rsaBits), platformAdvice(""))
	case key.certificate && now.After(key.until):
		d.fail(field+".pem", fmt.Sprintf("is a certificate (serial %s) that expired on %s", key.id, key.until.Format(time.DateOnly)), "replace it with WeChat Pay's public key (PUB_KEY_ID_…), or with the current platform certificate; answers that it signs are not trusted")
	case key.certificate && now.Before(key.from):
		d.fail(field+".pem", fmt.Sprintf("is a certificate (serial %s) that is valid only from %s on", key.id, key.from.Format(time.DateOnly)), "check this machine's date, or put the current key first")
	case key.certificate && key.until.Sub(now) < expirySoon:
		d.warn(field+".pem", fmt.Sprintf("is a certificate (serial %s) that expires soon, on %s", key.id, key.until.Format(time.DateOnly)), "add its successor, or WeChat Pay's public key, to platform_keys now")
	case key.odd[0] != "":
		d.warn(field+".pem", key.odd[0], key.odd[1])
	case key.certificate:
		d.ok(field, "certificate, serial %s, valid until %s, fingerprint %s%s", key.id, key.until.Format(time.DateOnly), print, named)
	case !strings.HasPrefix(key.id, "PUB_KEY_ID_"):
		d.warn(field+".id", "does not begin with PUB_KEY_ID_", "copy the id that stands beside the key on the merchant platform")
	default:
		d.ok(field, "public key %s, fingerprint %s%s", key.id, print, named)
	}
}

// certificate holds the merchant's own certificate against the secret. Only with it can be told here whether private_key
// belongs to serial_no; without it the self-test tells.
func (d *doctor) certificate(key *rsa.PrivateKey, serial, mchid string) {
	const what = "certificate"
	text, err := readInput(d.command.Certificate, strings.NewReader(""))
	if err != nil {
		d.fail(what, "the file cannot be read", "check --certificate")
		return
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		d.fail(what, "the file does not hold a certificate", "give apiclient_cert.pem")
		return
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		d.fail(what, "the certificate cannot be read", "download it again")
		return
	}
	own := fmt.Sprintf("%X", c.SerialNumber.Bytes())
	switch {
	case key != nil && !key.PublicKey.Equal(c.PublicKey):
		d.fail("wechatpay.private_key", "does not belong to the certificate in the file", "take the apiclient_key.pem that was made together with this apiclient_cert.pem")
	case serial != "" && !sameSerial(serial, own):
		d.fail("wechatpay.serial_no", "is the serial number of another certificate; the one in the file has "+own, "write the file's number, if private_key belongs to it")
	case mchid != "" && c.Subject.CommonName != mchid && mchidForm.MatchString(c.Subject.CommonName):
		d.fail("wechatpay.mchid", "is not the merchant of the certificate in the file, "+c.Subject.CommonName, "put together what belongs together")
	case time.Now().After(c.NotAfter):
		d.fail(what, "the merchant's API certificate expired on "+c.NotAfter.Format(time.DateOnly), "make a new one on the merchant platform (API安全), and store its key and serial number")
	case time.Until(c.NotAfter) < expirySoon:
		d.warn(what, "the merchant's API certificate expires soon, on "+c.NotAfter.Format(time.DateOnly), "make a new one on the merchant platform (API安全)")
	default:
		d.ok(what, "private_key belongs to it, serial %s, valid until %s", own, c.NotAfter.Format(time.DateOnly))
	}
}
