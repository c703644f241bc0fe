package doctor

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/pasted"
	"github.com/kesu-go/kesu/pkg/signing"
)

var (
	// certificate is a note of the operator's: the functions ignore it, and the doctor holds it against the rest.
	wechatMembers = []string{"mchid", "serial_no", "private_key", "platform_keys", "apiv3_key", "certificate"}
	mchidForm     = regexp.MustCompile(`^[0-9]{8,10}$`)
	serialForm    = regexp.MustCompile(`^[0-9A-Fa-f]{1,64}$`)
)

const (
	rsaBits = 2048 // of WeChat Pay's keys, both sides
	// ExpirySoon is how long before its end a certificate is worth a word.
	ExpirySoon = 30 * 24 * time.Hour
)

func (d *doctor) examineWechatPay(raw string) {
	f, ok := d.object("wechatpay", "wechatpay.", raw, wechatMembers)
	if !ok {
		return
	}
	mchid, ok := f.line("mchid", true)
	switch {
	case ok && !mchidForm.MatchString(mchid):
		d.warn("wechatpay.mchid", "mchid.form")
	case ok:
		d.ok("wechatpay.mchid", "value", mchid)
	}
	serial := d.serialNo(f)
	key := d.privateKey(f)
	d.platformKeys(f, key, serial, mchid)
	if text, ok := f.text("apiv3_key", false); ok {
		d.apiv3Key(text)
	}
	certificate := d.Certificate
	if note, ok := f.text("certificate", false); ok && certificate == nil {
		certificate = []byte(note)
	}
	if certificate != nil {
		d.certificate(certificate, key, serial, mchid)
	}
}

// apiv3Key looks at the key that only notifications need.
func (d *doctor) apiv3Key(text string) {
	const what = "wechatpay.apiv3_key"
	id, _ := hiddenCharacter(text)
	switch {
	case len(text) == 32 && id == "" && !strings.ContainsFunc(text, func(r rune) bool { return r > '~' }):
		d.ok(what, "apiv3.ok", fingerprint([]byte(text)))
	case len(strings.TrimSpace(text)) == 32:
		d.fail(what, "line.space")
	default:
		d.fail(what, "apiv3.length", len(text))
	}
}

func (d *doctor) serialNo(f fields) string {
	const what = "wechatpay.serial_no"
	serial, ok := f.line("serial_no", true)
	bare := strings.NewReplacer(":", "", " ", "", "-", "", "0x", "", "0X", "").Replace(strings.TrimPrefix(strings.ToLower(serial), "serial="))
	switch {
	case !ok:
		return ""
	case strings.HasPrefix(serial, "PUB_KEY_ID"):
		d.fail(what, "serial.platform")
		return ""
	case !serialForm.MatchString(serial) && serialForm.MatchString(bare) && strings.HasPrefix(strings.ToLower(serial), "serial="):
		d.fail(what, "serial.prefix")
		return ""
	case !serialForm.MatchString(serial) && serialForm.MatchString(bare):
		d.fail(what, "serial.separators")
		return ""
	case !serialForm.MatchString(serial):
		d.fail(what, "serial.form")
		return ""
	case len(serial) > 40 && strings.Trim(serial, "0123456789") == "":
		d.warn(what, "serial.decimal", len(serial))
	case len(serial) != 40:
		d.warn(what, "serial.length", len(serial))
	default:
		d.ok(what, "value", serial)
	}
	return serial
}

// pem reads a PEM as the function does, and when that fails says what keeps it from being one.
func (d *doctor) pem(what, text string) (pasted.Key, bool) {
	lenient, lenientErr := pasted.PEM([]byte(text))
	_, err := signing.ParsePEM(text)
	switch {
	case err == nil && lenientErr == nil:
		return lenient, true
	case lenientErr == nil:
		id := "pem.form"
		for _, f := range lenient.Forgiven {
			if _, known := rows["pem."+string(f)]; known && !readOver[f] {
				id = "pem." + string(f)
				break
			}
		}
		d.fail(what, id)
	default:
		d.fail(what, pemID(lenientErr), lenientErr.Error())
	}
	return pasted.Key{}, false
}

// readOver is what the function reads over as well.
var readOver = map[pasted.Forgiven]bool{pasted.BOM: true, pasted.CarriageAlone: true, pasted.OtherLabel: true, pasted.BlankLines: true}

func pemID(err error) string {
	for id, known := range map[string]error{"pem.empty": pasted.ErrEmpty, "pem.filename": pasted.ErrFileName, "pem.cut": pasted.ErrCutOff, "pem.damaged": pasted.ErrDamaged,
		"pem.several": pasted.ErrSeveral, "pem.encrypted": pasted.ErrEncrypted, "pem.none": pasted.ErrNoPEM, "pem.request": pasted.ErrRequest, "pem.ssh": pasted.ErrSSH, "pem.keystore": pasted.ErrKeystore} {
		if errors.Is(err, known) {
			return id
		}
	}
	return "pem.other"
}

func (d *doctor) privateKey(f fields) *rsa.PrivateKey {
	const what = "wechatpay.private_key"
	text, ok := f.text("private_key", true)
	if !ok {
		return nil
	}
	read, ok := d.pem(what, text)
	if !ok {
		return nil
	}
	switch key := read.Content.(type) {
	case *x509.Certificate:
		d.fail(what, "private.certificate")
	case *rsa.PublicKey:
		d.fail(what, "private.public")
	case *rsa.PrivateKey:
		switch {
		case key.N.BitLen() < rsaBits:
			d.fail(what, "private.bits", key.N.BitLen(), rsaBits)
		case d.oddPEM(what, read):
		default:
			d.ok(what, "private.ok", key.N.BitLen(), publicFingerprint(&key.PublicKey))
		}
		return key
	}
	return nil
}

// oddPEM tells of what was read over.
func (d *doctor) oddPEM(what string, read pasted.Key) bool {
	for _, f := range read.Forgiven {
		if id := "pem.read." + string(f); rows[id].ID != "" {
			d.warn(what, id)
			return true
		}
	}
	return false
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
	case !there && f.near["platform_keys"] != "":
		d.fail(what, "member.near", shortName(f.near["platform_keys"]), ".wechatpay", shortName(f.near["platform_keys"]), "platform_keys")
		return
	case !there:
		d.fail(what, "platform.missing")
		return
	case raw[0] == '"':
		d.fail(what, "platform.string")
		return
	case raw[0] != '[' || json.Unmarshal(raw, &list) != nil:
		d.fail(what, "platform.kind", kind(raw))
		return
	case len(list) == 0:
		d.fail(what, "platform.empty")
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
			d.fail(field+".pem", "platform.ownkey")
		case key.certificate && serial != "" && sameSerial(key.id, serial), key.certificate && mchid != "" && key.name == mchid:
			d.fail(field+".pem", "platform.owncertificate")
		case before != "":
			d.warn(field, "platform.twice", before)
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
	read        pasted.Key
}

func (d *doctor) platformKey(f fields, field string) (platformEntry, bool) {
	text, ok := f.text("pem", true)
	if !ok {
		return platformEntry{}, false
	}
	id, _ := f.text("id", false)
	var key platformEntry
	if key.read, ok = d.pem(field+".pem", text); !ok {
		return key, false
	}
	parsed, err := signing.ParsePlatformKey(id, text)
	switch {
	case err == signing.ErrKeyID && id == "" && f.near["id"] != "":
		return key, false // the near name was told
	case err == signing.ErrKeyID && id == "":
		d.fail(field+".id", "id.missing")
		return key, false
	case err == signing.ErrKeyID:
		d.fail(field+".id", "id.form", err.Error())
		return key, false
	case err != nil:
		d.fail(field+".pem", "platform.private")
		return key, false
	}
	key.id, key.from, key.until, key.public = parsed.ID, parsed.NotBefore, parsed.NotAfter, key.read.Public()
	if certificate, is := key.read.Content.(*x509.Certificate); is {
		key.certificate, key.name = true, certificate.Subject.CommonName
		if id != "" && !sameSerial(id, key.id) {
			d.warn(field+".id", "id.ignored")
		}
	}
	return key, key.public != nil
}

func (d *doctor) judgePlatformKey(field string, key platformEntry, print string, first bool) {
	now := d.Now()
	suffix := ""
	if first {
		suffix = ".first"
	}
	until := key.until.Format(time.DateOnly)
	switch {
	case key.public.N.BitLen() < rsaBits:
		d.fail(field+".pem", "platform.bits", key.public.N.BitLen(), rsaBits)
	case key.certificate && now.After(key.until):
		d.fail(field+".pem", "platform.expired", key.id, until)
	case key.certificate && now.Before(key.from):
		d.fail(field+".pem", "platform.notyet", key.id, key.from.Format(time.DateOnly))
	case key.certificate && key.until.Sub(now) < ExpirySoon:
		d.warn(field+".pem", "platform.soon", key.id, until)
	case d.oddPEM(field+".pem", key.read):
	case key.certificate:
		d.ok(field, "platform.certificate"+suffix, key.id, until, print)
	case !strings.HasPrefix(key.id, "PUB_KEY_ID_"):
		d.warn(field+".id", "id.unusual")
	default:
		d.ok(field, "platform.public"+suffix, key.id, print)
	}
}

// certificate holds the merchant's own certificate against the secret. Only with it can be told here whether private_key
// belongs to serial_no; without it the self-test tells.
func (d *doctor) certificate(text []byte, key *rsa.PrivateKey, serial, mchid string) {
	const what = "certificate"
	read, err := pasted.PEM(text)
	c, is := read.Content.(*x509.Certificate)
	if err != nil || !is {
		d.fail(what, "certificate.none")
		return
	}
	own := fmt.Sprintf("%X", c.SerialNumber.Bytes())
	now, until := d.Now(), c.NotAfter.Format(time.DateOnly)
	switch {
	case key != nil && !key.PublicKey.Equal(c.PublicKey):
		d.fail("wechatpay.private_key", "certificate.key")
	case serial != "" && !sameSerial(serial, own):
		d.fail("wechatpay.serial_no", "certificate.serial", own)
	case mchid != "" && c.Subject.CommonName != mchid && mchidForm.MatchString(c.Subject.CommonName):
		d.fail("wechatpay.mchid", "certificate.mchid", c.Subject.CommonName)
	case now.After(c.NotAfter):
		d.fail(what, "certificate.expired", until)
	case now.Before(c.NotBefore):
		d.fail(what, "certificate.notyet", c.NotBefore.Format(time.DateOnly))
	case c.NotAfter.Sub(now) < ExpirySoon:
		d.warn(what, "certificate.soon", until)
	case key == nil || serial == "":
		d.warn(what, "certificate.alone", own, until)
	default:
		d.ok(what, "certificate.ok", own, until)
	}
}
