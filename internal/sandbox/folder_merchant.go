package sandbox

import (
	"crypto/rsa"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (o MerchantOptions) platformKeys() string {
	switch {
	case o.BothKeys:
		return "both"
	case o.Certificate:
		return "certificate"
	}
	return "public_key"
}

// keptMerchant makes a merchant from what the folder keeps of it, and keeps what is new.
func (w *World) keptMerchant(name string, n int, o MerchantOptions) (*Merchant, error) {
	f := w.folder
	key, err := f.privateKey(w.newKey, name, "apiclient_key.pem")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(f.file.Merchants, func(m folderMerchant) bool { return m.Name == name })
	if i < 0 {
		i = len(f.file.Merchants)
		f.file.Merchants = append(f.file.Merchants, folderMerchant{Name: name, SerialNo: NewSerial()})
	}
	random := func(bytes int) func() (string, error) {
		return func() (string, error) { return randomHex(bytes), nil }
	}
	imagecoKey, err := f.text(random(16), name, "imageco_key")
	if err != nil {
		return nil, err
	}
	apiv3, err := f.text(random(16), name, "apiv3_key")
	if err != nil {
		return nil, err
	}
	m, err := w.newMerchant(name, n, o, merchantKeys{key, f.file.Merchants[i].SerialNo, imagecoKey, apiv3})
	if err != nil {
		return nil, err
	}
	return m, w.writeMerchant(i, m, o)
}

// writeMerchant writes the files that a merchant has from WeChat Pay and from 翼码, with a page on how to use them.
func (w *World) writeMerchant(i int, m *Merchant, o MerchantOptions) error {
	f, entry := w.folder, &w.folder.file.Merchants[i]
	if _, err := f.text(func() (string, error) { return merchantPEM(m, w.now()) }, m.Name, "apiclient_cert.pem"); err != nil {
		return err
	}
	for _, p := range m.WechatPay.PlatformKeys {
		name := "platform_cert.pem"
		if strings.HasPrefix(p.ID, publicKeyPrefix) {
			name = "pub_key.pem"
		}
		if err := f.writeFile(p.PEM, m.Name, name); err != nil {
			return err
		}
	}
	*entry = folderMerchant{Name: m.Name, Mchid: m.WechatPay.Mchid, SerialNo: m.WechatPay.SerialNo,
		PlatformKeys: o.platformKeys(), ISSPID: m.Imageco.ISSPID, SystemID: m.Imageco.SystemID,
		SellerAccount: m.Imageco.SellerAccount, Format: orElse(m.Imageco.Format, "json"),
		SignCharset: orElse(m.Imageco.SignCharset, "utf-8"), Files: map[string]string{}}
	files := []string{"apiclient_key.pem", "apiclient_cert.pem", "apiv3_key", "imageco_key"}
	if o.BothKeys || !o.Certificate {
		files = append(files, "pub_key.pem")
	}
	if o.BothKeys || o.Certificate {
		files = append(files, "platform_cert.pem")
	}
	for _, name := range files {
		entry.Files[name] = m.Name + "/" + name
	}
	page, err := merchantPage(w, m, entry)
	if err != nil {
		return err
	}
	return f.writeFile(page, m.Name, "README.md")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// merchantPEM is the merchant's certificate, as WeChat Pay issues one.
func merchantPEM(m *Merchant, now time.Time) (string, error) {
	return platformPEM(GatewayKey{ID: m.WechatPay.SerialNo, Key: m.Key}, now)
}

// writeFolder writes sandbox.json, last: whoever waits for it finds everything.
func (w *World) writeFolder() error {
	f := &w.folder.file
	f.WechatPay, f.WechatPayBackup, f.Imageco = w.Primary.URL(), w.Backup.URL(), w.ImagecoHost.URL()+"/"
	f.SecretsManager, f.EventBridge = w.Secrets.URL(), w.Bus.URL()
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return w.folder.writeFile(string(text)+"\n", "sandbox.json")
}

// merchantKeys are what is secret of a merchant, with the serial number of its certificate.
type merchantKeys struct {
	key               *rsa.PrivateKey
	serial            string
	imageco, apiv3Key string
}

// newMerchant makes the nth merchant from its keys, registers it with both gateways and stores its secret.
func (w *World) newMerchant(name string, n int, o MerchantOptions, k merchantKeys) (*Merchant, error) {
	private, err := PrivatePEM(k.key)
	if err != nil {
		return nil, err
	}
	platform, err := w.platformKeys(o)
	if err != nil {
		return nil, err
	}
	number := strconv.Itoa(10000 + n)[1:]
	m := &Merchant{Name: name, Key: k.key, OtherSellers: o.OtherSellers,
		Imageco: &ImagecoSecret{ISSPID: strconv.Itoa(39493000 + n), SystemID: "8888", SellerAccount: "6666000000000" + number,
			Key: k.imageco},
		WechatPay: &WechatPaySecret{Mchid: strconv.Itoa(1900000000 + n), SerialNo: k.serial, PrivateKey: private,
			PlatformKeys: platform, APIv3Key: k.apiv3Key}}
	if o.XML {
		m.Imageco.Format = "xml"
	}
	if o.SignGBK {
		m.Imageco.SignCharset = "gbk"
	}
	w.Register(m)
	w.Store(m)
	return m, nil
}
