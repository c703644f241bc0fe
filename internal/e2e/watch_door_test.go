package e2e

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// refusedAs is the reason that one process gives for refusing a call, and its answer.
func (w *watcher) refusedAs(payload string, env ...string) (status int, reason string) {
	w.t.Helper()
	one := &watcher{w.world, w.watch(env...), nil}
	status = one.status(payload)
	_ = one.function.Close() // what it printed is there then
	for _, l := range one.metrics(w.t) {
		if text, ok := l["reason"].(string); ok {
			reason = text
		}
	}
	return status, reason
}

// TestWhatIsWrongIsToldInTheOrderOfItsCost spoils a call in one more way each time, the cheaper one to see after the dearer.
func TestWhatIsWrongIsToldInTheOrderOfItsCost(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	var sealed map[string]any
	n := w.notification(w.complaint("acme"), "CREATE_COMPLAINT", sandbox.Fault{})
	if err := json.Unmarshal([]byte(n.Body), &sealed); err != nil {
		t.Fatal(err)
	}
	sealed["resource"].(map[string]any)["associated_data"] = "other"
	d := deliver(signedNotification(t, w.PublicKey, event(sealed)))
	for _, step := range []struct {
		name   string
		spoil  func()
		status int
		reason string
	}{
		{"it does not decrypt", func() {}, 401, "decryption"},
		{"and the signature is wrong", func() { d.body += " " }, 401, "signature"},
		{"and the key is not in the set", func() { d.header.Set("Wechatpay-Serial", "PUB_KEY_ID_0") }, 401, "unknown_key"},
		{"and the merchant is not watched", func() { d.path = "/merchants/nobody/notifications" }, 401, "merchant"},
		{"and the timestamp is old", func() { d.header.Set("Wechatpay-Timestamp", fmt.Sprint(time.Now().Unix()-400)) }, 401, "timestamp"},
		{"and the nonce is missing", func() { d.header.Del("Wechatpay-Nonce") }, 401, "not_signed"},
		{"and it is too large", func() { d.body = long(64<<10 + 1) }, 413, "size"},
		{"and the path is another", func() { d.path = "/notifications" }, 404, "path"},
	} {
		step.spoil()
		reads := w.Secrets.Calls.Len()
		status, reason := w.refusedAs(d.restAPI())
		if status != step.status || reason != step.reason {
			t.Errorf("%s: answered %d for its %s, want %d for its %s", step.name, status, reason, step.status, step.reason)
		}
		keyless := step.reason != "decryption" && step.reason != "signature" && step.reason != "unknown_key"
		if n := w.Secrets.Calls.Len() - reads; keyless && n != 0 {
			t.Errorf("%s: %d secrets were read", step.name, n)
		}
	}
}

func TestATimestampHoldsForFiveMinutesEitherWay(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for _, skew := range []time.Duration{-240 * time.Second, 240 * time.Second} { // a busy machine takes of the first one's rest
		if got := w.status(deliver(w.notification(w.complaint("acme"), "CREATE_COMPLAINT", sandbox.Fault{Skew: skew})).restAPI()); got != 204 {
			t.Errorf("%v: answered %d", skew, got)
		}
	}
}

func TestEachKeyOfTheSetMaySignANotification(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                string
		merchant            sandbox.MerchantOptions
		public, certificate int
	}{
		{"only the public key", sandbox.MerchantOptions{}, 204, 401},
		{"only the certificate", sandbox.MerchantOptions{Certificate: true}, 401, 204},
		{"both", sandbox.MerchantOptions{BothKeys: true}, 204, 204},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &watcher{world: newWorldOf(t, sandbox.Options{NewKey: newKey, Ledger: true})}
			w.acme = w.merchant("acme", test.merchant)
			w.function = w.watch()
			for serial, want := range map[string]int{w.PublicKey.ID: test.public, w.Certificate.ID: test.certificate, strings.ToLower(w.Certificate.ID): test.certificate} {
				key := serial
				if strings.EqualFold(serial, w.Certificate.ID) {
					key = w.Certificate.ID
				}
				n, err := w.WechatPay.Notification("acme", w.complaint("acme"), "CREATE_COMPLAINT", key, sandbox.Fault{})
				if err != nil {
					t.Fatal(err)
				}
				n.Header.Set("Wechatpay-Serial", serial)
				if got := w.status(deliver(n).restAPI()); got != want {
					t.Errorf("signed by %s: %d, want %d", serial, got, want)
				}
			}
		})
	}
}

func TestAKeyThatIsOnlyInTheNewerSecretVerifies(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	if got := w.notify(w.complaint("acme"), "CREATE_COMPLAINT"); got != 204 {
		t.Fatalf("answered %d", got)
	}
	w.acme.WechatPay.PlatformKeys = append(w.acme.WechatPay.PlatformKeys, sandbox.PlatformSecret{PEM: w.Certificate.PEM})
	w.store(w.acme)
	n, err := w.WechatPay.Notification("acme", w.complaint("acme"), "CREATE_COMPLAINT", w.Certificate.ID, sandbox.Fault{})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.status(deliver(n).restAPI()); got != 204 {
		t.Errorf("answered %d", got)
	}
}

// TestNonceAndAssociatedDataAreBytes encrypts what WeChat Pay could send and the sandbox does not.
func TestNonceAndAssociatedDataAreBytes(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	block, err := aes.NewCipher([]byte(w.acme.WechatPay.APIv3Key))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct {
		name, nonce, associated string
		missing                 bool
	}{
		{"as usual", "0123456789ab", "complaint", false},
		{"empty", "0123456789ab", "", false},
		{"missing", "0123456789ab", "", true},
		{"Chinese, and blanks", "客诉通知", " 投诉\n\x00😡\n", false},
	} {
		id := w.complaint("acme")
		text := event(map[string]any{"complaint_id": id, "action_type": "CREATE_COMPLAINT"})
		resource := map[string]any{"algorithm": "AEAD_AES_256_GCM", "nonce": test.nonce, "associated_data": test.associated,
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(test.nonce), []byte(text), []byte(test.associated)))}
		if test.missing {
			delete(resource, "associated_data")
		}
		body := event(map[string]any{"id": fmt.Sprint("n", i), "event_type": "COMPLAINT.CREATE", "resource": resource})
		if got := w.status(deliver(signedNotification(t, w.PublicKey, body)).restAPI()); got != 204 {
			t.Errorf("%s: answered %d", test.name, got)
			continue
		}
		w.expect(id, "ComplaintReceived")
	}
}

// TestASecretThatIsWrongIsNotReadForEachCallOfAStranger is about a merchant who is watched by name: with * the look-ups are
// bounded for names that never verified.
func TestASecretThatIsWrongIsNotReadForEachCallOfAStranger(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, "WATCH_MERCHANTS=broken")
	w.put("broken", `{"wechatpay":{}}`)
	d := deliver(signedNotification(t, w.PublicKey, "{}"))
	d.path = "/merchants/broken/notifications"
	payload, began := d.restAPI(), time.Now()
	for range 500 {
		if got := w.status(payload); got != 500 {
			t.Fatalf("answered %d", got)
		}
	}
	seconds := int(time.Since(began)/time.Second) + 1
	if n := w.Secrets.Calls.Len(); n > seconds+1 || n == 0 {
		t.Errorf("the secret was read %d times in %d s", n, seconds)
	}
	w.wrote("MERCHANT_MISCONFIGURED", `"reason":"misconfigured"`)
	w.linesOfStrangers(seconds)
	// A secret that was mended serves soon.
	w.store(w.acme)
	w.put("broken", w.acme.Secret())
	within(t, "the mended secret", untilTrue(func() bool {
		n := w.notification(w.complaint("acme"), "CREATE_COMPLAINT", sandbox.Fault{})
		d := deliver(n)
		d.path = "/merchants/broken/notifications"
		return w.status(d.restAPI()) == 204
	}))
}

// linesOfStrangers checks how many lines strangers' calls cost in so many seconds: one in each, and one more at first.
func (w *watcher) linesOfStrangers(seconds int) {
	w.t.Helper()
	text := w.out.String()
	n := 0
	for _, mark := range []string{"notifications refused", "MERCHANT_MISCONFIGURED", "an old key is used"} {
		n += strings.Count(text, `"msg":"`+mark)
	}
	if n > seconds+2 || n == 0 {
		w.t.Errorf("%d lines in %d s", n, seconds)
	}
}

func TestWhileSecretsManagerIsDownStrangersCostALineASecond(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, "SECRET_SOFT_TTL=0s")
	if got := w.notify(w.complaint("acme"), "CREATE_COMPLAINT"); got != 204 {
		t.Fatalf("answered %d", got)
	}
	w.Secrets.Faults.Stand(sandbox.Fault{Code: "InternalServiceError", Status: 500})
	d := deliver(signedNotification(t, w.PublicKey, "{}"))
	d.body += " "
	payload, began := d.restAPI(), time.Now()
	for range 30 {
		if got := w.status(payload); got != 401 {
			t.Fatalf("answered %d", got)
		}
	}
	seconds := int(time.Since(began)/time.Second) + 1
	w.wrote("an old key is used")
	w.linesOfStrangers(seconds)
}
