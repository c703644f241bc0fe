package explain

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pasted"
)

// keys are what is known of a merchant.
type keys struct {
	given   bool // a secret or a key file was given
	secret  bool // … a secret, so that ids can be compared too
	imageco struct {
		key, isspid, systemID string
		gbk                   bool
	}
	mchid, serial string
	own           []rsaKey // the merchant's
	platform      []rsaKey
	apiv3         string
	secrets       []string // what must not be shown
}

// rsaKey is a key that may have made a signature.
type rsaKey struct {
	name, id    string
	public      *rsa.PublicKey
	private     *rsa.PrivateKey // nil when only the public half is known
	certificate *x509.Certificate
}

// readKeys reads the secret or the key file as far as they can be read for this message.
func readKeys(o Options) (keys, error) {
	var k keys
	switch {
	case o.Secret != "":
		k.given, k.secret = true, true
		return k, k.fromSecret(o)
	case o.Key != nil:
		k.given = true
		return k, k.fromFile(o)
	}
	return k, nil
}

// fromFile reads a file that holds a key alone.
func (k *keys) fromFile(o Options) error {
	text, _ := pasted.Plain(o.Key)
	if isImageco(o) {
		if strings.Contains(text, "-----BEGIN") {
			return errors.New("the key file holds PEM, which is WeChat Pay's kind of key; 翼码's is one line of text")
		}
		// An editor ends a file with a line feed, which is not a part of the key.
		k.imageco.key, k.imageco.gbk = strings.TrimRight(text, "\r\n"), o.GBK
		k.hideLine(k.imageco.key)
		return nil
	}
	read, err := pasted.PEM(o.Key)
	if err != nil {
		return fmt.Errorf("the key in the file %w", err)
	}
	key := rsaKey{name: "the key in the file", public: read.Public()}
	switch content := read.Content.(type) {
	case *rsa.PrivateKey:
		key.private = content
		k.hidePEM(read.PEM)
	case *x509.Certificate:
		key.id, key.certificate = fmt.Sprintf("%X", content.SerialNumber.Bytes()), content
		if mchidForm.MatchString(content.Subject.CommonName) { // the merchant's own certificate names it
			k.mchid, k.serial = content.Subject.CommonName, key.id
		}
	}
	k.own, k.platform = []rsaKey{key}, []rsaKey{key}
	return nil
}

var mchidForm = regexp.MustCompile(`^[0-9]{8,10}$`)

// fromSecret reads what the message needs of the merchant's secret.
func (k *keys) fromSecret(o Options) error {
	text, _, err := pasted.Secret([]byte(o.Secret))
	if err != nil {
		return fmt.Errorf("the merchant's secret %w; kesu doctor tells more", err)
	}
	var secret struct {
		Imageco struct {
			Key, ISSPID string
			SystemID    string `json:"system_id"`
		}
		WechatPay struct {
			Mchid      string
			SerialNo   string                     `json:"serial_no"`
			PrivateKey string                     `json:"private_key"`
			Platform   []struct{ ID, PEM string } `json:"platform_keys"`
			APIv3      string                     `json:"apiv3_key"`
		}
	}
	lenient := json.Unmarshal([]byte(text), &secret)
	k.hideLine(secret.Imageco.Key)
	k.hideLine(secret.WechatPay.APIv3)
	k.hidePEM(secret.WechatPay.PrivateKey)
	if isImageco(o) {
		half, err := merchant.ParseImageco(text, func(string) error { return nil })
		if err != nil {
			return fmt.Errorf("in the merchant's secret, %w; kesu doctor tells more", err)
		}
		k.imageco.key, k.imageco.isspid, k.imageco.systemID, k.imageco.gbk = half.Key, half.ISSPID, half.SystemID, half.SignGBK
		return nil
	}
	if lenient != nil {
		return errors.New("the merchant's secret cannot be read as JSON; kesu doctor tells more")
	}
	w := secret.WechatPay
	k.mchid, k.serial, k.apiv3 = w.Mchid, strings.TrimSpace(w.SerialNo), w.APIv3
	var problem error
	if read, err := pasted.PEM([]byte(w.PrivateKey)); err != nil {
		problem = fmt.Errorf("wechatpay.private_key %w; kesu doctor tells more", err)
	} else {
		private, _ := read.Content.(*rsa.PrivateKey)
		k.own = []rsaKey{{name: "wechatpay.private_key", id: w.SerialNo, public: read.Public(), private: private}}
	}
	for i, p := range w.Platform {
		read, err := pasted.PEM([]byte(p.PEM))
		if err != nil {
			problem = errors.Join(problem, fmt.Errorf("wechatpay.platform_keys[%d].pem %w; kesu doctor tells more", i, err))
			continue
		}
		key := rsaKey{name: fmt.Sprintf("platform_keys[%d]", i), id: p.ID, public: read.Public()}
		if certificate, ok := read.Content.(*x509.Certificate); ok {
			key.id, key.certificate = fmt.Sprintf("%X", certificate.SerialNumber.Bytes()), certificate
		}
		k.platform = append(k.platform, key)
	}
	if len(k.own) == 0 && len(k.platform) == 0 && problem == nil {
		problem = errors.New("the merchant's secret has no wechatpay half")
	}
	if len(k.own) > 0 || len(k.platform) > 0 {
		problem = nil // what is missing is told when it is needed
	}
	return problem
}

// hideLine keeps a text from being shown, unless it is so short that it would blank half the words.
func (k *keys) hideLine(text string) {
	if len(text) >= 4 {
		k.secrets = append(k.secrets, text)
	}
	if trimmed := strings.TrimSpace(text); trimmed != text && len(trimmed) >= 4 {
		k.secrets = append(k.secrets, trimmed)
	}
}

// hidePEM keeps every line of a private key from being shown.
func (k *keys) hidePEM(text string) {
	for line := range strings.Lines(strings.ReplaceAll(text, `\n`, "\n")) {
		if line = strings.TrimSpace(line); len(line) >= 12 && !strings.HasPrefix(line, "-----") {
			k.secrets = append(k.secrets, line)
		}
	}
}

// sameID compares key ids as pkg/signing does: without case and leading zeros.
func sameID(a, b string) bool {
	return strings.EqualFold(strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0"))
}
