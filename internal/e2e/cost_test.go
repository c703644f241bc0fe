package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// wrote says what a call to the table writes: the claim and the settled result of a reply, its words, or the pace.
func wrote(c sandbox.Call) string {
	id := itemOf(c.Body)
	for _, kind := range []string{"pace", "reply", "said"} {
		if strings.HasPrefix(id, "acme#"+kind+"#") || strings.HasPrefix(id, "#"+kind+"#acme#") {
			return kind
		}
	}
	return c.Header.Get("X-Amz-Target") + " " + id
}

// amazon is one of Amazon's services that says the same to everybody.
func (w *world) amazon(text string) *stub {
	return w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) {
		rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = rw.Write([]byte(text))
	})
}

// Most replies succeed at once. A cold process makes these calls for one and no other: no complaint and no history is
// read, and nothing is asked twice.
func TestAPlainReplyMakesNoCallThatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	const imagecos, wechats = "POST /", "POST /v3/merchant-service/complaints-v2/c1/response"
	for _, test := range []struct {
		name    string
		through string
		alone   bool // the merchant has this gateway's half only
		env     string
		want    string
		table   string // a look for another reply with the same words needs to know of these
		guessed bool   // a connection may be opened to the other gateway, while nothing is known of the merchant
	}{
		{"through 翼码", "imageco", false, "A=", imagecos, "pace reply reply said said", false},
		{"through 翼码, of a merchant that cannot be looked for", "imageco", true, "A=", imagecos, "pace reply reply said", false},
		{"through WeChat Pay", "wechatpay", false, "IMAGECO_URL=", wechats, "pace reply reply said said", false},
		{"through WeChat Pay, where only the secret says so", "wechatpay", true, "A=", wechats, "pace reply reply said said", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m := w.merchant("acme", sandbox.MerchantOptions{})
			key, s := m.Imageco.Key, w.signer()
			m.ReplyThrough = test.through
			if test.alone && test.through == "imageco" {
				m.WechatPay = nil
			} else if test.alone {
				m.Imageco = nil
			}
			secret, err := json.Marshal(map[string]string{"SecretString": m.Secret(), "VersionId": "v1"})
			if err != nil {
				t.Fatal(err)
			}
			secrets, table := w.amazon(string(secret)), w.amazon("{}")
			imageco := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
				_, _ = rw.Write(imagecoAnswer(key, c.Body, "0000", "ok", nil))
			})
			signed := func(rw http.ResponseWriter, _ sandbox.Call) { s.answer(rw, 204, "", nil) }
			wechat, backup := w.newStub(signed), w.newStub(signed)
			f := w.reply("IMAGECO_URL="+imageco.URL, "WECHATPAY_URL="+wechat.URL, "WECHATPAY_BACKUP_URL="+backup.URL,
				"AWS_ENDPOINT_URL_SECRETS_MANAGER="+secrets.URL, "AWS_ENDPOINT_URL_DYNAMODB="+table.URL, "LEDGER_TABLE=kesu-ledger",
				"REPLY_RATE_PER_MINUTE=60", test.env)
			if got := f.bare(replyTo("acme", "c1")); got.Outcome != "succeeded" || got.Provider != test.through {
				t.Fatalf("got %+v", got)
			}
			var calls, writes []string
			for _, c := range slices.Concat(imageco.received(), wechat.received(), backup.received()) {
				calls = append(calls, c.Method+" "+c.Target)
			}
			for _, c := range table.received() {
				writes = append(writes, wrote(c))
			}
			slices.Sort(writes) // some are made side by side
			if got := strings.Join(calls, ", "); got != test.want {
				t.Errorf("the gateways are called: %s", got)
			}
			if got := strings.Join(writes, " "); got != test.table {
				t.Errorf("the table is written: %s", got)
			}
			carrier, other := imageco, wechat
			if test.through == "wechatpay" {
				carrier, other = wechat, imageco
			}
			if n := len(secrets.received()); n != 1 || secrets.everOpened() != 1 || table.everOpened() > 3 {
				t.Errorf("%d secrets on %d connections, %d connections to the table", n, secrets.everOpened(), table.everOpened())
			}
			if n := other.everOpened() + backup.everOpened(); carrier.everOpened() != 1 || n > 1 || n == 1 && !test.guessed {
				t.Errorf("%d connections to the carrier, %d to other gateways", carrier.everOpened(), n)
			}
		})
	}
}
