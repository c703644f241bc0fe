package secretfile

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/kesu-go/kesu/internal/pasted"
	"github.com/kesu-go/kesu/pkg/strictjson"
)

func (m *maker) imagecoHalf(in Inputs) error {
	for name, value := range map[string]string{"isspid": in.ISSPID, "system_id": in.SystemID, "seller_account": in.SellerAccount, "format": in.Format, "sign_charset": in.SignCharset, "url": in.URL} {
		if value != "" {
			m.imageco.set(name, line(name, value))
		}
	}
	if in.ImagecoKey != nil {
		text, forgiven := pasted.Plain(in.ImagecoKey)
		if strings.Contains(text, "-----BEGIN") {
			return errors.New("the file with 翼码's key holds PEM, which is WeChat Pay's kind of key")
		}
		for _, f := range forgiven {
			m.note("翼码's key: %s was put right", f)
		}
		key := strings.Trim(text, " \t\r\n")
		if key == "" || strings.ContainsAny(key, "\r\n") {
			return errors.New("the file with 翼码's key does not hold one line")
		}
		m.imageco.set("key", key)
	}
	slices.Sort(m.imageco.names)
	return nil
}

// merchantKey takes the merchant's private key and certificate, and holds one against the other.
func (m *maker) merchantKey(in Inputs) error {
	if in.Mchid != "" {
		m.wechatpay.set("mchid", line("mchid", in.Mchid))
	}
	var private *rsa.PrivateKey
	var certificate *x509.Certificate
	if in.P12 != nil {
		key, found, _, err := pkcs12.DecodeChain(in.P12, m.wechatpay.text("mchid"))
		if err != nil {
			return errors.New("the key store cannot be opened: its passphrase is the 商户号, which --mchid gives")
		}
		var ok bool
		if private, ok = key.(*rsa.PrivateKey); !ok {
			return errors.New("the key store holds no RSA key")
		}
		certificate = found
		m.note("the key store: its key and certificate were taken")
	}
	if in.PrivateKey != nil {
		key, err := pasted.PEM(in.PrivateKey)
		if err != nil {
			return fmt.Errorf("the private key's file %w", err)
		}
		read, ok := key.Content.(*rsa.PrivateKey)
		if !ok {
			return errors.New("the private key's file holds no private key; it is apiclient_key.pem")
		}
		private = read
		for _, f := range key.Forgiven {
			m.note("the private key: %s was put right", f)
		}
	}
	if in.Certificate != nil {
		key, err := pasted.PEM(in.Certificate)
		if err != nil {
			return fmt.Errorf("the certificate's file %w", err)
		}
		read, ok := key.Content.(*x509.Certificate)
		if !ok {
			return errors.New("the certificate's file holds no certificate; it is apiclient_cert.pem")
		}
		certificate = read
	}
	if private != nil {
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			return errors.New("the private key cannot be written")
		}
		m.wechatpay.set("private_key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	}
	if certificate != nil {
		return m.belongs(private, certificate)
	}
	return nil
}

var mchidForm = regexp.MustCompile(`^[0-9]{8,10}$`)

// belongs takes serial_no and mchid from the merchant's certificate, if the private key belongs to it.
func (m *maker) belongs(private *rsa.PrivateKey, certificate *x509.Certificate) error {
	if private == nil {
		key, err := pasted.PEM([]byte(m.wechatpay.text("private_key")))
		if err != nil {
			return errors.New("there is no private key to hold the certificate against")
		}
		private, _ = key.Content.(*rsa.PrivateKey)
	}
	if private == nil || !private.PublicKey.Equal(certificate.PublicKey) {
		return errors.New("the private key does not belong to the certificate; take the two files that were made together")
	}
	name := certificate.Subject.CommonName
	if given := m.wechatpay.text("mchid"); given != "" && mchidForm.MatchString(name) && given != name {
		return fmt.Errorf("the certificate is the one of the merchant %s, and mchid is %s", name, given)
	}
	if m.wechatpay.text("mchid") == "" && mchidForm.MatchString(name) {
		m.wechatpay.set("mchid", name)
	}
	m.wechatpay.set("serial_no", fmt.Sprintf("%X", certificate.SerialNumber.Bytes()))
	// An operator's note, which the functions ignore: with it kesu doctor sees when the certificate ends.
	m.wechatpay.set("certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})))
	return nil
}

// platformKey puts WeChat Pay's key first.
func (m *maker) platformKey(in Inputs) error {
	if in.PlatformKey == nil {
		return nil
	}
	key, err := pasted.PEM(in.PlatformKey)
	if err != nil {
		return fmt.Errorf("the file with WeChat Pay's key %w", err)
	}
	if _, private := key.Content.(*rsa.PrivateKey); private {
		return errors.New("the file with WeChat Pay's key holds a private key; it is pub_key.pem or a platform certificate")
	}
	entry := map[string]string{"pem": key.PEM}
	if _, public := key.Content.(*rsa.PublicKey); public {
		if in.PlatformID == "" {
			return errors.New("a public key does not say its own id: give --platform-id PUB_KEY_ID_…")
		}
		entry["id"] = line("id", in.PlatformID)
	}
	first, err := strictjson.Encode(entry)
	if err != nil {
		return errors.New("platform_keys cannot be written")
	}
	list := []json.RawMessage{first}
	if in.KeepPlatform {
		var old []json.RawMessage
		_ = json.Unmarshal(m.wechatpay.values["platform_keys"], &old) // none is none
		list = append(list, old...)
	}
	m.wechatpay.set("platform_keys", list)
	return nil
}

func (m *maker) apiv3(in Inputs) error {
	if in.APIv3Key == nil {
		return nil
	}
	text, _ := pasted.Plain(in.APIv3Key)
	text = strings.TrimSpace(text)
	if len(text) != 32 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the file with the APIv3 密钥 does not hold 32 ASCII characters")
	}
	m.wechatpay.set("apiv3_key", text)
	return nil
}
