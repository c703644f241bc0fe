package sandbox

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
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
	// Told is told of every call to the gateways when it has been answered; may be nil. It must return soon.
	Told func(Call)
	// Watcher is told of every invocation of the functions; may be nil.
	Watcher Watcher
	// Ledger gives the world a ledger table. Without one the functions keep their ledger in the process.
	Ledger bool
	// Folder keeps ports, keys and complaints between starts, in a directory that nobody but its owner may look into; "" keeps
	// nothing. FirstPort is the first of the five ports that such a world takes; 0 is what the folder says, or [FirstPort].
	Folder    string
	FirstPort int
}

// World is everything the functions talk to, on the loopback interface: both gateways (WeChat Pay with its two hosts),
// Secrets Manager, an event bus and SQS. The functions themselves and the gateway before them are added by StartFunctions
// and Serve. Close ends it all.
type World struct {
	State     *State
	Imageco   *Imageco
	WechatPay *WechatPay
	Secrets   *Secrets
	Bus       *Bus
	Queues    *Queues

	ImagecoHost, Primary, Backup *Host

	// PublicKey and Certificate are the keys that WeChat Pay signs with; the second one is known by a certificate.
	PublicKey, Certificate GatewayKey

	// Notifier tells merchants of complaints, at the addresses that they set.
	Notifier *Notifier

	// Reply and Complete, with the deliveries of events to them, are nil until StartFunctions; Watch without a program too.
	Reply, Complete, Watch            *Function
	ReplyDelivery, CompletionDelivery *Delivery

	Ledger *LedgerTable // nil without Options.Ledger

	output  io.Writer
	watcher Watcher
	now     func() time.Time
	newKey  func() (*rsa.PrivateKey, error)
	folder  *folder // nil without Options.Folder
	closers []io.Closer
	limit   time.Duration // of each invocation
	handed  handedOver

	mu        sync.Mutex
	merchants int
	mounts    map[string]http.Handler // by path, see Mount
}

// NewWorld makes the keys and starts the listeners, on free ports unless a folder keeps them.
func NewWorld(o Options) (*World, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewKey == nil {
		o.NewKey = NewKey
	}
	w := &World{State: NewState(o.Now, o.CreateOnSight), output: o.Output, watcher: o.Watcher, now: o.Now, newKey: o.NewKey}
	err := w.open(o)
	if err == nil && o.Ledger {
		err = w.openLedger()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), w.Close())
	}
	return w, nil
}

func (w *World) open(o Options) (err error) {
	if o.Folder != "" {
		if w.folder, err = openFolder(o.Folder, o.FirstPort); err != nil {
			return err
		}
		if err := openState(w.State, o.Folder); err != nil {
			return err
		}
		w.closers = append(w.closers, closing(w.State.close))
	}
	if err := w.makeKeys(); err != nil {
		return err
	}
	w.Imageco = NewImageco(w.State)
	w.WechatPay = NewWechatPay(w.State, w.PublicKey, w.Certificate)
	send, closeIdle := caller()
	w.Notifier = newNotifier(w.WechatPay, send, func(ctx context.Context, d time.Duration) bool { return linger(ctx, d, nil) && ctx.Err() == nil })
	w.closers = append(w.closers, closing(func() error { closeIdle(); return nil }))
	if err := w.listen(o.Told); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Notifier) // it ends before what it calls
	return nil
}

// closing is a function that ends something.
type closing func() error

func (c closing) Close() error { return c() }

func (w *World) makeKeys() (err error) {
	if w.folder != nil {
		w.PublicKey, w.Certificate, err = w.folder.gatewayKeys(w.newKey, w.now())
		return err
	}
	keys, err := w.newKeys(2)
	if err != nil {
		return err
	}
	w.PublicKey = GatewayKey{ID: newPublicKeyID(w.now()), Key: keys[0]}
	w.Certificate = GatewayKey{ID: NewSerial(), Key: keys[1]}
	w.Certificate.PEM, err = platformPEM(w.Certificate, w.now())
	return err
}

// listen starts the listeners.
func (w *World) listen(told func(Call)) (err error) {
	for _, h := range []struct {
		host   **Host
		name   string
		behind gateway
	}{{&w.ImagecoHost, "imageco", w.Imageco}, {&w.Primary, "wechatpay", w.WechatPay}, {&w.Backup, "wechatpay-backup", w.WechatPay}} {
		*h.host = &Host{Name: h.name, behind: h.behind, beside: w.control(), told: told, now: w.now, address: w.folder.address(h.name)}
		if err := (*h.host).open(); err != nil {
			return err
		}
		w.closers = append(w.closers, *h.host)
	}
	if w.Secrets, err = newSecretsAt(w.folder.address("secretsmanager"), w.now); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Secrets)
	if w.Bus, err = newBusAt(w.folder.address("eventbridge"), BusName, w.now); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Bus)
	if w.Queues, err = NewQueues(w.now); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Queues)
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
	// OtherSellers are accounts at 翼码 that it may name beside its own.
	OtherSellers []string
}

// AddMerchant makes a merchant with fresh keys, registers it with both gateways and stores its secret.
func (w *World) AddMerchant(name string, o MerchantOptions) (*Merchant, error) {
	w.mu.Lock()
	w.merchants++
	n := w.merchants
	w.mu.Unlock()
	if w.folder != nil {
		return w.keptMerchant(name, n, o)
	}
	key, err := w.newKey()
	if err != nil {
		return nil, err
	}
	return w.newMerchant(name, n, o, merchantKeys{key, NewSerial(), randomHex(16), randomHex(16)})
}

func (w *World) platformKeys(o MerchantOptions) ([]PlatformSecret, error) {
	public, err := PublicPEM(w.PublicKey.Key)
	if err != nil {
		return nil, err
	}
	both := []PlatformSecret{{ID: w.PublicKey.ID, PEM: public}, {PEM: w.Certificate.PEM}}
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
		w.Imageco.Register(imagecoAccount(m))
	}
	if p := m.WechatPay; p != nil {
		w.WechatPay.Register(wechatPayAccount(m))
	}
}

func imagecoAccount(m *Merchant) ImagecoAccount {
	i := m.Imageco
	return ImagecoAccount{Merchant: m.Name, ISSPID: i.ISSPID, SystemID: i.SystemID, SellerAccounts: append(m.OtherSellers, i.SellerAccount), Key: i.Key,
		SignGBK: i.SignCharset == "gbk", XML: i.Format == "xml"}
}

func wechatPayAccount(m *Merchant) WechatPayAccount {
	p := m.WechatPay
	hasCertificate := slices.ContainsFunc(p.PlatformKeys, func(k PlatformSecret) bool { return !strings.HasPrefix(k.ID, publicKeyPrefix) })
	return WechatPayAccount{Merchant: m.Name, Mchid: p.Mchid, Certificates: map[string]*rsa.PublicKey{p.SerialNo: &m.Key.PublicKey},
		APIv3Key: p.APIv3Key, PlatformCertificates: hasCertificate}
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
	imageco, wechatpay := imagecoAccount(m), wechatPayAccount(m)
	if keepOld {
		imageco.OldKey, wechatpay.Certificates[oldSerial] = oldSecret, &oldKey.PublicKey
	}
	// In one step for whoever reads the secret: nobody is refused for an old key and then reads the old secret once more.
	w.Secrets.change(SecretPrefix+m.Name, func() string {
		w.Imageco.Register(imageco)
		w.WechatPay.Register(wechatpay)
		return m.Secret()
	})
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
		"AWS_ENDPOINT_URL_SQS=" + w.Queues.URL(),
		"IMAGECO_URL=" + w.ImagecoHost.URL() + "/", "WECHATPAY_URL=" + w.Primary.URL(), "WECHATPAY_BACKUP_URL=" + w.Backup.URL(),
		"RESULT_BUS=" + BusName,
	}, extra)
}

// Operator is the environment in which a person's commands ask this world instead of AWS and of WeChat Pay.
func (w *World) Operator() []string {
	return []string{
		"AWS_REGION=" + Region, "AWS_ACCESS_KEY_ID=AKIDSANDBOX", "AWS_SECRET_ACCESS_KEY=sandbox",
		"AWS_ENDPOINT_URL_SQS=" + w.Queues.URL(), "AWS_ENDPOINT_URL_EVENTBRIDGE=" + w.Bus.URL(),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + w.Secrets.URL(),
		"WECHATPAY_URL=" + w.Primary.URL(), "WECHATPAY_BACKUP_URL=" + w.Backup.URL(),
	}
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
