package samlocal

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// oddBody is a notification in JSON that is legal and that nobody would write: whatever reads it and writes it again on the way
// to the function, or takes it for text of another encoding, changes a byte of it and breaks its signature.
const oddBody = "\r\n\t {\n  \"id\" :\t\"%s\",\r\n\r\n\"resource_type\":\"encrypt-resource\",\"unknown\":[1.0e+2,-0,1E400,{}, null ],\"unknown\":\"twice\"," +
	"\"summary\":\"投诉 \\u6295\\u8BC9 \\/ / \\ud83d\\ude21 😡 \\ud800 \u2028 \u00a0 e\u0301 é \ufeff \ufffd \U0010ffff \x7f %%41 + &amp; \\\"\\\\\" ,\r" +
	"\"event_type\":\"COMPLAINT\\u002eCREATE\" , \"resource\" : {\"algorithm\":\"AEAD_AES_256_GCM\",\"ciphertext\":\"%s\",\n" +
	"\"nonce\":\"%s\",\"associated_data\":\"%s\",\"original_type\":\"complaint\"} }\n \r\n"

const (
	bodyMost = 64 << 10 // what the function takes (contract, section 10)

	refused = `{"code":"FAIL","message":"refused"}`
)

// notifications are posted in this order. Each is of a complaint of its own, unless it names one.
var notifications = []struct {
	name, contentType string
	complaint         string
	write             func(body string) string // before it is signed
	spoil             func(body string) string // after
	status            int
}{
	{"odd bytes", "application/json", "4001", nil, nil, 204},
	{"odd bytes of a type that is no text", "application/octet-stream", "4002", nil, nil, 204},
	{"64 KiB", "application/json", "4003", func(body string) string { return body + strings.Repeat(" ", bodyMost-len(body)) }, nil, 204},
	{"one byte more than 64 KiB", "application/json", "4004",
		func(body string) string { return body + strings.Repeat(" ", bodyMost+1-len(body)) }, nil, 413},
	{"one blank became another", "application/json", "4005", nil, func(body string) string { return strings.TrimSuffix(body, "\n") + " " }, 401},
	{"one character became another", "application/json", "4006", nil, once("é \ufeff", "è \ufeff"), 401},
	{"an escape was written out", "application/json", "4007", nil, once(`\u6295`, "投"), 401},
	{"the last blank was cut off", "application/json", "4008", nil, func(body string) string { return strings.TrimSuffix(body, "\n") }, 401},
}

// once replaces a text that stands once.
func once(old, replacement string) func(string) string {
	return func(body string) string {
		if strings.Count(body, old) != 1 {
			return "the body does not hold it once"
		}
		return strings.Replace(body, old, replacement, 1)
	}
}

// compareNotifications posts what WeChat Pay signed to both gateways.
func compareNotifications(t *testing.T, here *side, there *samSide, url string) {
	for _, n := range notifications {
		t.Run("a notification, "+n.name, func(t *testing.T) {
			answers := map[string]string{}
			for name, gateway := range map[string]struct {
				world *sandbox.Demo
				url   string
			}{"sam local": {there.world, url}, "the local gateway": {here.world, here.url}} {
				body := oddly(t, gateway.world, n.complaint)
				if n.write != nil {
					body = n.write(body)
				}
				header := signed(t, gateway.world.PublicKey, body)
				header.Set("Content-Type", n.contentType)
				if n.spoil != nil {
					changed := n.spoil(body)
					if changed == body {
						t.Fatal("nothing was spoiled")
					}
					body = changed
				}
				answers[name] = notify(t, gateway.url, header, body)
				if got, want := arrivals(t, gateway.world, n.complaint), map[bool]int{true: 1}[n.status == 204]; got != want {
					t.Errorf("%s's function published %d events, want %d", name, got, want)
				}
			}
			want := fmt.Sprintf("%d application/json %s", n.status, refused)
			if n.status == 204 {
				want = "204  "
			}
			for name, got := range answers {
				if got != want {
					t.Errorf("%s gives\n%s\nwant\n%s", name, got, want)
				}
			}
		})
	}
}

// oddly makes a notification in bytes that nobody would write.
func oddly(t *testing.T, world *sandbox.Demo, complaint string) string {
	t.Helper()
	n, err := world.WechatPay.Notification("acme", complaint, "CREATE_COMPLAINT", world.PublicKey.ID, sandbox.Fault{})
	if err != nil {
		t.Fatal(err)
	}
	var plain struct {
		ID       string
		Resource struct {
			Ciphertext     string
			Nonce          string
			AssociatedData string `json:"associated_data"`
		}
	}
	if err := json.Unmarshal([]byte(n.Body), &plain); err != nil {
		t.Fatal(err)
	}
	r := plain.Resource
	body := fmt.Sprintf(oddBody, plain.ID, r.Ciphertext, r.Nonce, r.AssociatedData)
	if !json.Valid([]byte(body)) {
		t.Fatal("the odd body is no JSON")
	}
	return body
}

// signed are the headers with which WeChat Pay sends a body.
func signed(t *testing.T, key sandbox.GatewayKey, body string) http.Header {
	t.Helper()
	timestamp, nonce := fmt.Sprint(time.Now().Unix()), "0123456789abcdef0123456789ABCDEF"
	sum := sha256.Sum256([]byte(timestamp + "\n" + nonce + "\n" + body + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, key.Key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Wechatpay-Timestamp": {timestamp}, "Wechatpay-Nonce": {nonce}, "Wechatpay-Serial": {key.ID},
		"Wechatpay-Signature": {base64.StdEncoding.EncodeToString(signature)}}
}

// notify posts a body to acme's address for notifications and returns the answer's status, type and body.
func notify(t *testing.T, url string, header http.Header, body string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second) // sam local may start a container for it
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/merchants/acme/notifications", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	kind := response.Header.Get("Content-Type")
	if response.StatusCode == http.StatusNoContent { // a type of nothing says nothing: flask adds one
		kind = ""
	}
	return fmt.Sprint(response.StatusCode, " ", kind, " ", string(text))
}

// arrivals is how often a function told that a complaint arrived.
func arrivals(t *testing.T, world *sandbox.Demo, complaint string) (n int) {
	t.Helper()
	for _, e := range fromKesu(world) {
		var detail struct {
			ComplaintID string `json:"complaint_id"`
		}
		if err := json.Unmarshal(e.Detail, &detail); err != nil {
			t.Fatal(err)
		}
		if e.DetailType == "ComplaintReceived" && detail.ComplaintID == complaint {
			n++
		}
	}
	return n
}
