package merchant_test

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/internal/merchant"
)

// Each half knows what must be hidden of the whole secret: the gateway of one must not show the key of the other.
func TestEachHalfKnowsWhatMustBeHiddenOfBoth(t *testing.T) {
	key, apiv3 := rand.Text(), rand.Text()
	private := "-----BEGIN PRIVATE KEY-----\n" + rand.Text() + rand.Text() + "\n" + rand.Text() + "\n-----END PRIVATE KEY-----\n"
	text, err := json.Marshal(map[string]any{
		"imageco":   map[string]any{"isspid": "1", "system_id": "2", "key": key},
		"wechatpay": map[string]any{"private_key": private, "apiv3_key": apiv3, "mchid": 7},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := merchant.ParseImageco(string(text), anyURL)
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{"key": key, "apiv3_key": apiv3, "a line of private_key": strings.Split(private, "\n")[1],
		"another line of it": strings.Split(private, "\n")[2]} {
		if got := m.Hidden.Text("it is " + strings.ToLower(secret) + "."); got != "it is ***." {
			t.Errorf("%s is shown", what)
		}
		if m.Hidden.Code(secret) != "" || m.Hidden.ID(secret) != "" {
			t.Errorf("%s passes for a code or an id", what)
		}
	}
	broken := strings.Replace(string(text), `"private_key"`, `"private_key":1,"private_key"`, 1)
	if m, err = merchant.ParseImageco(broken, anyURL); err != nil || m.Hidden.Text(key) != "***" {
		t.Error("a broken other half makes this one forget its own key")
	}
}

func TestAnErrorCodeThatIsNoneIsNotShown(t *testing.T) {
	in(t, "of a phone number's form", func(t *testing.T, h *house) {
		h.secrets.set("", "", &smithy.GenericAPIError{Code: "13800138000", Message: "s3cr3t"})
		_, err := h.Load(t.Context(), "acme")
		if err == nil || !strings.HasSuffix(err.Error(), ": unknown error") {
			t.Errorf("the error is %v", err)
		}
	})
}
