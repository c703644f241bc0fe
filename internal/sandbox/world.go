package sandbox

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// SecretPrefix is MERCHANT_SECRET_PREFIX's default.
	SecretPrefix = "kesu/merchants/"
	// BusName is the name of a world's bus, the value of RESULT_BUS.
	BusName = "kesu-local"
)

// Options are what a [World] is made from. The zero value serves tests: real time, and no complaint that was not added.
type Options struct {
	Now           func() time.Time // nil is time.Now
	CreateOnSight bool             // see [NewState]
	// NewKey makes an RSA key; nil is [NewKey]. Many worlds in one test may share a few keys, which take long to make.
	NewKey func() (*rsa.PrivateKey, error)
	Output io.Writer // what the functions write to standard output and standard error; nil throws it away
	// Watcher is told of every invocation of the functions; may be nil.
	Watcher Watcher
	// Ledger gives the world a ledger table. Without one the functions keep their ledger in the process.
	Ledger bool
}

// World is everything the functions talk to, on the loopback interface: both gateways (WeChat Pay with its two hosts),
// Secrets Manager and an event bus. The functions themselves and the gateway before them are added by StartFunctions
// and Serve. Close ends it all.
type World struct {
	State     *State
	Imageco   *Imageco
	WechatPay *WechatPay
	Secrets   *Secrets
	Bus       *Bus

	ImagecoHost, Primary, Backup *Host

	// PublicKey and Certificate are the keys that WeChat Pay signs with; the second one is known by a certificate.
	PublicKey, Certificate GatewayKey

	// Reply and Complete, with the deliveries of events to them, are nil until StartFunctions.
	Reply, Complete                   *Function
	ReplyDelivery, CompletionDelivery *Delivery

	Ledger *LedgerTable // nil without Options.Ledger

	output  io.Writer
	watcher Watcher
	now     func() time.Time
	newKey  func() (*rsa.PrivateKey, error)
	closers []io.Closer

	mu        sync.Mutex
	merchants int
	mounts    map[string]http.Handler // by path, see Mount
}

// NewWorld makes the keys and starts the listeners, on free ports.
func NewWorld(o Options) (*World, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewKey == nil {
		o.NewKey = NewKey
	}
	w := &World{State: NewState(o.Now, o.CreateOnSight), output: o.Output, watcher: o.Watcher, now: o.Now, newKey: o.NewKey}
	err := w.open()
	if err == nil && o.Ledger {
		err = w.openLedger()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), w.Close())
	}
	return w, nil
}

func (w *World) open() error {
	keys, err := w.newKeys(2)
	if err != nil {
		return err
	}
	w.PublicKey = GatewayKey{ID: "PUB_KEY_ID_01" + strconv.FormatInt(w.now().UnixNano(), 10), Key: keys[0]}
	w.Certificate = GatewayKey{ID: NewSerial(), Key: keys[1]}
	w.Imageco = NewImageco(w.State)
	w.WechatPay = NewWechatPay(w.State, w.PublicKey, w.Certificate)
	if w.ImagecoHost, err = NewImagecoHost("imageco", w.Imageco); err != nil {
		return err
	}
	w.closers = append(w.closers, w.ImagecoHost)
	if w.Primary, err = NewWechatPayHost("wechatpay", w.WechatPay); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Primary)
	if w.Backup, err = NewWechatPayHost("wechatpay-backup", w.WechatPay); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Backup)
	if w.Secrets, err = NewSecrets(w.now); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Secrets)
	if w.Bus, err = NewBus(BusName, w.now); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Bus)
	return nil
}

// newKeys makes RSA keys side by side: one takes a good part of a second.
func (w *World) newKeys(n int) ([]*rsa.PrivateKey, error) {
	keys, failed := make([]*rsa.PrivateKey, n), make([]error, n)
	var making sync.WaitGroup
	for i := range keys {
		making.Go(func() { keys[i], failed[i] = w.newKey() })
	}
	making.Wait()
	return keys, errors.Join(failed...)
}

// MerchantOptions say what kind of merchant to make. The zero value talks JSON to 翼码 and knows WeChat Pay's public key.
type MerchantOptions struct {
	XML         bool // imageco.format xml
	SignGBK     bool // imageco.sign_charset gbk
	Certificate bool // knows WeChat Pay's certificate instead of its public key
	BothKeys    bool // knows both, the public key first, as while it migrates
}

// AddMerchant makes a merchant with fresh keys, registers it with both gateways and stores its secret.
func (w *World) AddMerchant(name string, o MerchantOptions) (*Merchant, error) {
	key, err := w.newKey()
	if err != nil {
		return nil, err
	}
	private, err := PrivatePEM(key)
	if err != nil {
		return nil, err
	}
	platform, err := w.platformKeys(o)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.merchants++
	n := w.merchants
	w.mu.Unlock()
	m := &Merchant{Name: name, Key: key,
		Imageco: &ImagecoSecret{ISSPID: strconv.Itoa(39493000 + n), SystemID: "8888", SellerAccount: fmt.Sprintf("6666000000000%04d", n), Key: randomHex(16)},
		WechatPay: &WechatPaySecret{Mchid: strconv.Itoa(1900000000 + n), SerialNo: NewSerial(), PrivateKey: private,
			PlatformKeys: platform},
	}
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

func (w *World) platformKeys(o MerchantOptions) ([]PlatformSecret, error) {
	public, err := PublicPEM(w.PublicKey.Key)
	if err != nil {
		return nil, err
	}
	day := 24 * time.Hour
	certificate, err := CertificatePEM(w.Certificate, w.now().Add(-day), w.now().Add(5*365*day))
	if err != nil {
		return nil, err
	}
	both := []PlatformSecret{{ID: w.PublicKey.ID, PEM: public}, {PEM: certificate}}
	switch {
	case o.BothKeys:
		return both, nil
	case o.Certificate:
		return both[1:], nil
	}
	return both[:1], nil
}

// Register makes both gateways know the merchant as it is now, and nothing that they knew of it before.
func (w *World) Register(m *Merchant) {
	if i := m.Imageco; i != nil {
		w.Imageco.Register(ImagecoAccount{Merchant: m.Name, ISSPID: i.ISSPID, SystemID: i.SystemID, Key: i.Key, SignGBK: i.SignCharset == "gbk"})
	}
	if p := m.WechatPay; p != nil {
		w.WechatPay.Register(WechatPayAccount{Merchant: m.Name, Mchid: p.Mchid, Certificates: map[string]*rsa.PublicKey{p.SerialNo: &m.Key.PublicKey}})
	}
}

// Rotate gives the merchant new keys at both gateways and stores them in its secret. With keepOld the gateways take the old
// ones too, as they do while a key is being changed; without, whoever still has the old ones is refused.
func (w *World) Rotate(m *Merchant, keepOld bool) error {
	key, err := w.newKey()
	if err != nil {
		return err
	}
	private, err := PrivatePEM(key)
	if err != nil {
		return err
	}
	oldKey, oldSerial, oldSecret := m.Key, m.WechatPay.SerialNo, m.Imageco.Key
	m.Key, m.WechatPay.PrivateKey, m.WechatPay.SerialNo, m.Imageco.Key = key, private, NewSerial(), randomHex(16)
	if keepOld {
		w.Imageco.Register(ImagecoAccount{Merchant: m.Name, ISSPID: m.Imageco.ISSPID, SystemID: m.Imageco.SystemID, Key: m.Imageco.Key, OldKey: oldSecret,
			SignGBK: m.Imageco.SignCharset == "gbk"})
		w.WechatPay.Register(WechatPayAccount{Merchant: m.Name, Mchid: m.WechatPay.Mchid,
			Certificates: map[string]*rsa.PublicKey{m.WechatPay.SerialNo: &key.PublicKey, oldSerial: &oldKey.PublicKey}})
	} else {
		w.Register(m)
	}
	w.Store(m)
	return nil
}

// Store stores the merchant's secret as it is now, as a new version.
func (w *World) Store(m *Merchant) { w.Secrets.Put(SecretPrefix+m.Name, m.Secret()) }

// Env is the environment for a function in this world, with extra at its end, where it wins.
func (w *World) Env(extra ...string) []string {
	if w.Ledger != nil {
		extra = slices.Concat(w.Ledger.env(), extra)
	}
	return slices.Concat([]string{
		"AWS_REGION=" + Region, "AWS_DEFAULT_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=AKIDSANDBOX", "AWS_SECRET_ACCESS_KEY=sandbox",
		"AWS_EC2_METADATA_DISABLED=true",
		// Without these the SDK would read the files in the home directory of whoever runs the sandbox.
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + w.Secrets.URL(), "AWS_ENDPOINT_URL_EVENTBRIDGE=" + w.Bus.URL(),
		"IMAGECO_URL=" + w.ImagecoHost.URL() + "/", "WECHATPAY_URL=" + w.Primary.URL(), "WECHATPAY_BACKUP_URL=" + w.Backup.URL(),
		"RESULT_BUS=" + BusName,
	}, extra)
}

// Close ends everything that was started, the latest first, and waits until it is gone. It may be called more than once.
func (w *World) Close() error {
	var failed []error
	for _, c := range slices.Backward(w.closers) {
		failed = append(failed, c.Close())
	}
	w.closers = nil
	return errors.Join(failed...)
}
