package sandbox

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// FirstPort is the first of the ports that a sandbox with a folder takes, when nobody says another.
const FirstPort = 8721

// hostNames are the sandbox's listeners, in the order of their ports.
var hostNames = []string{"wechatpay", "wechatpay-backup", "imageco", "secretsmanager", "eventbridge"}

// folder keeps a sandbox's ports and keys between starts. Nobody but its owner may look into it.
type folder struct {
	dir  string
	file folderFile
}

// folderFile is sandbox.json, for programs that use the sandbox. It holds no key: those are in files of their own.
type folderFile struct {
	WechatPay         string           `json:"wechatpay_url"`
	WechatPayBackup   string           `json:"wechatpay_backup_url"`
	Imageco           string           `json:"imageco_url"`
	SecretsManager    string           `json:"secretsmanager_url"`
	EventBridge       string           `json:"eventbridge_url"`
	PublicKeyID       string           `json:"wechatpay_public_key_id"`
	CertificateSerial string           `json:"wechatpay_certificate_serial"`
	FirstPort         int              `json:"first_port"`
	Merchants         []folderMerchant `json:"merchants"`
}

// folderMerchant is one merchant in sandbox.json. Files are beside sandbox.json, by what they hold.
type folderMerchant struct {
	Name          string            `json:"name"`
	Mchid         string            `json:"mchid"`
	SerialNo      string            `json:"serial_no"`
	PlatformKeys  string            `json:"platform_keys"` // public_key, certificate or both
	ISSPID        string            `json:"isspid"`
	SystemID      string            `json:"system_id"`
	SellerAccount string            `json:"seller_account"`
	Format        string            `json:"format"`
	SignCharset   string            `json:"sign_charset"`
	Files         map[string]string `json:"files"`
}

// openFolder opens a folder, or makes it. firstPort 0 takes the ports that the folder has.
func openFolder(dir string, firstPort int) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, fmt.Errorf("others may look into %s, where the sandbox keeps keys; run chmod 700 %s", dir, dir)
	}
	f := &folder{dir: dir}
	text, err := os.ReadFile(f.path("sandbox.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.file.FirstPort = FirstPort
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(text, &f.file); err != nil {
			return nil, fmt.Errorf("read %s: %w", f.path("sandbox.json"), err)
		}
	}
	if firstPort != 0 {
		f.file.FirstPort = firstPort
	}
	if last := f.file.FirstPort + len(hostNames) - 1; f.file.FirstPort < 1 || last > 65535 {
		return nil, fmt.Errorf("the sandbox takes %d ports, from %d on, and the last would be %d",
			len(hostNames), f.file.FirstPort, last)
	}
	return f, f.checkPorts()
}

func (f *folder) path(parts ...string) string {
	return filepath.Join(append([]string{f.dir}, parts...)...)
}

// address is where a listener listens; "", without a folder, is any free port.
func (f *folder) address(name string) string {
	if f == nil {
		return ""
	}
	for i, n := range hostNames {
		if n == name {
			return net.JoinHostPort("127.0.0.1", strconv.Itoa(f.file.FirstPort+i))
		}
	}
	return ""
}

// checkPorts says who holds a port, before a key is made or a file is written.
func (f *folder) checkPorts() error {
	for _, name := range hostNames {
		l, err := Listen(f.address(name))
		if err != nil {
			return heldBy(f.address(name), err)
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file that only its owner may read.
func (f *folder) writeFile(text string, parts ...string) error {
	path := f.path(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	part := path + ".part"
	if err := os.WriteFile(part, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// privateKey reads a key, or makes it and keeps it.
func (f *folder) privateKey(newKey func() (*rsa.PrivateKey, error), parts ...string) (*rsa.PrivateKey, error) {
	text, err := os.ReadFile(f.path(parts...))
	if errors.Is(err, fs.ErrNotExist) {
		key, err := newKey()
		if err != nil {
			return nil, err
		}
		written, err := PrivatePEM(key)
		if err != nil {
			return nil, err
		}
		return key, f.writeFile(written, parts...)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key", f.path(parts...))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s holds no RSA key", f.path(parts...))
	}
	return private, nil
}

// text reads a file, or makes its text and keeps it.
func (f *folder) text(newText func() (string, error), parts ...string) (string, error) {
	text, err := os.ReadFile(f.path(parts...))
	if !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	made, err := newText()
	if err != nil {
		return "", err
	}
	return made, f.writeFile(made, parts...)
}

// gatewayKeys are the keys that WeChat Pay signs with: the ones that the folder keeps, or new ones.
func (f *folder) gatewayKeys(newKey func() (*rsa.PrivateKey, error), now time.Time) (public, certificate GatewayKey, err error) {
	if public.Key, err = f.privateKey(newKey, "wechatpay", "public_key_private.pem"); err != nil {
		return public, certificate, err
	}
	if f.file.PublicKeyID == "" {
		f.file.PublicKeyID, f.file.CertificateSerial = newPublicKeyID(now), NewSerial()
	}
	public.ID, certificate.ID = f.file.PublicKeyID, f.file.CertificateSerial
	if certificate.Key, err = f.privateKey(newKey, "wechatpay", "platform_key.pem"); err != nil {
		return public, certificate, err
	}
	certificate.PEM, err = f.text(func() (string, error) { return platformPEM(certificate, now) }, "wechatpay", "platform_cert.pem")
	return public, certificate, err
}

func newPublicKeyID(now time.Time) string {
	return publicKeyPrefix + "01" + strconv.FormatInt(now.UnixNano(), 10)
}

// platformPEM is a platform certificate that is valid for the five years that real ones are.
func platformPEM(key GatewayKey, now time.Time) (string, error) {
	const day = 24 * time.Hour
	return CertificatePEM(key, now.Add(-day), now.Add(5*365*day))
}
