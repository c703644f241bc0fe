package e2e

import (
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// Each function tells, once for each version of a secret, when the last certificate in it ends.
func TestWhenAMerchantsCertificateEndsIsAMetricOfEachFunction(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	w := newWorldOf(t, sandbox.Options{NewKey: newKey, Ledger: true})
	ending := func(name string, o sandbox.MerchantOptions, ends ...time.Duration) {
		t.Helper()
		m := w.merchant(name, o)
		m.ReplyThrough = "wechatpay"
		if len(ends) > 0 {
			m.WechatPay.PlatformKeys = nil
		}
		for _, left := range ends {
			text, err := sandbox.CertificatePEM(w.Certificate, time.Now().Add(-day), time.Now().Add(left))
			if err != nil {
				t.Fatal(err)
			}
			m.WechatPay.PlatformKeys = append(m.WechatPay.PlatformKeys, sandbox.PlatformSecret{PEM: text})
		}
		w.store(m)
	}
	ending("acme", sandbox.MerchantOptions{Certificate: true}, 9*day+12*time.Hour)
	ending("globex", sandbox.MerchantOptions{Certificate: true}, 2*day, 1000*day+12*time.Hour) // its successor is there
	ending("initech", sandbox.MerchantOptions{})                                               // a public key

	reply, complete, watch := w.reply(), w.complete(), w.watch("WATCH_MERCHANTS=acme,globex,initech")
	for range 2 {
		for _, name := range []string{"acme", "globex", "initech"} {
			reply.bare(replyTo(name, w.complaint(name)))
			complete.bare(completionOf(name, w.complaint(name)))
		}
		watch.invoke(`{"detail-type": "Scheduled Event", "source": "aws.events"}`)
	}
	for _, f := range []*function{reply, complete, watch} {
		left := map[string][]float64{}
		for _, l := range f.metrics(t) {
			if days, ok := l["KeyDaysLeft"].(float64); ok {
				name, _ := l["merchant"].(string)
				left[name] = append(left[name], days)
				if l["key_id"] != w.Certificate.ID || l["function"] == "" {
					t.Errorf("%s: %v", f.action, l)
				}
			}
		}
		for name, want := range map[string]float64{"acme": 9, "globex": 1000} {
			if got := left[name]; len(got) != 1 || got[0] != want {
				t.Errorf("%s of %s: %v days, want once %v", f.action, name, got, want)
			}
		}
		if len(left) != 2 {
			t.Errorf("%s tells of %v", f.action, left)
		}
	}
}
