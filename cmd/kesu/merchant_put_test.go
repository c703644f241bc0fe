package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// TestAMerchantIsPutFromTheFilesThatAPersonHas puts a key store, a public key and a text file into each kind of store, and
// lets the doctor ask both gateways with what was stored.
func TestAMerchantIsPutFromTheFilesThatAPersonHas(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"secretsmanager", "packed:3"} {
		t.Run(keys, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
			c.Secrets.Delete(sandbox.SecretPrefix + "acme")
			w, i, dir := c.merchant.WechatPay, c.merchant.Imageco, t.TempDir()
			files := map[string]string{"apiclient_key.pem": w.PrivateKey, "pub_key.pem": "\uFEFF" + w.PlatformKeys[0].PEM, "imageco_key.txt": i.Key + "\r\n",
				"apiclient_cert.pem": merchantCertificate(t, c.merchant.Key, w.Mchid, w.SerialNo, time.Now().Add(9999*time.Hour)), "secret.json": c.merchant.Secret()}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			makeStore(t, dir, w.Mchid)
			kesu := func(code int, says, line string) {
				t.Helper()
				out, errors, got := shell(t, dir, "kesu "+line, c.Env("MERCHANT_KEYS="+keys))
				if got != code || !strings.Contains(out+errors, says) {
					t.Errorf("kesu %s: exit %d\n%s%s", line, got, out, errors)
				}
				outcome{out: out, errors: errors, code: got}.hides(t, i.Key, w.PrivateKey)
			}
			platform := " --platform-key pub_key.pem --platform-id " + w.PlatformKeys[0].ID
			wechat := "merchant put acme --p12 apiclient_cert.p12 --mchid " + w.Mchid + platform
			imageco := " --imageco-key imageco_key.txt --isspid " + i.ISSPID + " --system-id " + i.SystemID + " --seller-account " + i.SellerAccount
			kesu(1, "no secret yet", wechat+imageco+" --change")
			kesu(1, "passphrase", strings.Replace(wechat, w.Mchid, "1900000000", 1)+imageco)
			kesu(0, "0 merchants", "merchant list")
			kesu(0, "imageco, wechatpay", wechat+imageco)
			kesu(0, "none wrong", "doctor --merchant acme --complaint 2001")
			kesu(1, "the merchant has imageco, and the files do not give it", wechat)
			kesu(0, "imageco, wechatpay", "merchant put acme --change"+platform)
			kesu(1, "imageco.format", "merchant put acme --change --format yaml")
			kesu(1, "imageco.url", "merchant put acme --change --imageco-url ftp://x")
			kesu(0, "none wrong", "doctor --merchant acme --complaint 2001")
			for name, text := range files {
				if left, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(left) != text {
					t.Errorf("the file %s was touched: %v", name, err)
				}
			}
		})
	}
}

func TestWhatIsPutIsSaidInOneWay(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	secret := file(t, "secret.json", c.merchant.Secret())
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"nothing":                    {nil, "nothing was given"},
		"a change of nothing":        {[]string{"--change"}, "nothing was given"},
		"a whole secret and a value": {[]string{"--secret-file", secret, "--mchid", "1900000001"}, "--secret-file"},
		"a change to a whole secret": {[]string{"--secret-file", secret, "--change"}, "--secret-file"},
		"two secrets to begin with":  {[]string{"--from", secret, "--change"}, "--from"},
	} {
		t.Run(name, func(t *testing.T) {
			o := process{args: append([]string{"merchant", "put", "acme"}, test.args...), env: c.Env()}.run(t)
			if o.code != 2 || o.out != "" || !strings.Contains(o.errors, test.says) {
				t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
			}
		})
	}
	numbers := strings.Replace(c.merchant.Secret(), `"`+c.merchant.Imageco.ISSPID+`"`, c.merchant.Imageco.ISSPID, 1)
	o := process{args: []string{"merchant", "put", "acme", "--from", file(t, "numbers.json", numbers), "--json"}, env: c.Env()}.run(t)
	var report struct {
		Merchant string
		Notes    []string
		Written  []struct{ Secret, Change string }
	}
	if err := json.Unmarshal([]byte(o.out), &report); err != nil || o.code != 0 || len(report.Written) != 1 || !strings.Contains(strings.Join(report.Notes, ";"), "imageco.isspid") {
		t.Errorf("exit %d, %v\n%s%s", o.code, err, o.out, o.errors)
	}
	o.hides(t, c.merchant.Imageco.Key, c.merchant.WechatPay.PrivateKey)
}
