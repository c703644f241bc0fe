package watch

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	lambdamessages "github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/signing"
)

// mark stands in everything that a stranger writes.
const mark = "h0stile"

// hostile is how many notifications of strangers are tried.
const hostile = 100_000

type oneSecret string

func (s oneSecret) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(string(s)), VersionId: aws.String("v1")}, nil
}

type noBus struct{ t testing.TB }

func (b noBus) Put(context.Context, string, []byte) error {
	b.t.Error("a stranger's call was published")
	return nil
}

// door is the handler with one merchant, and the key that WeChat Pay signs with.
func door(t *testing.T, out *bytes.Buffer) (*Handler, *rsa.PrivateKey) {
	t.Helper()
	return doorOf(t, out, noBus{t})
}

func doorOf(t testing.TB, out *bytes.Buffer, bus Bus) (*Handler, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private, err1 := x509.MarshalPKCS8PrivateKey(key)
	public, err2 := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	secret, err := json.Marshal(map[string]any{"wechatpay": map[string]any{"mchid": "1900000001", "serial_no": "5F", "apiv3_key": strings.Repeat("k", 32),
		"private_key": text("PRIVATE KEY", private), "platform_keys": []any{map[string]any{"id": "PUB_KEY_ID_1", "pem": text("PUBLIC KEY", public)}}}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return &Handler{Notifications: NewNotifications(&Watcher{
		Keys: merchant.NewStore(merchant.Options[*merchant.Watched]{Client: oneSecret(secret), Parse: merchant.ParseWatched,
			SoftTTL: time.Hour, HardTTL: time.Hour}),
		Ledger: ledger.New(ledger.NewMemory(), time.Hour, time.Now, rand.Text),
		Bus:    bus, Log: log, Metrics: telemetry.NewMetrics(out), Now: time.Now,
		Open:      func(context.Context) { t.Error("a connection was opened for a stranger") },
		Merchants: []string{"acme"},
	})}, key
}

// stranger makes one call: a notification that WeChat Pay signed, spoiled in one to three ways.
func stranger(r *mathrand.Rand, signed http.Header, body string) []byte {
	h, path, method := signed.Clone(), "/merchants/acme/notifications", "POST"
	event := map[string]any{"requestContext": map[string]any{"stage": "prod"}, "isBase64Encoded": false}
	odd := []string{mark, "", mark + "\n", "9999999999999999999999", "\x00" + mark, strings.Repeat(mark, 1000), "-1", `"` + mark,
		"客诉" + mark, "WECHATPAY/SIGNTEST/" + mark}
	pick := func() string { return odd[r.IntN(len(odd))] }
	names := signedHeaders
	spoiled := false
	for range 1 + r.IntN(3) {
		switch r.IntN(8) {
		case 0:
			h[names[r.IntN(len(names))]] = []string{pick()}
		case 1:
			h.Add(names[r.IntN(len(names))], pick())
		case 2:
			h.Del(names[r.IntN(len(names))])
		case 3:
			at := r.IntN(len(body) + 1)
			body = body[:at] + mark + body[at:]
		case 4:
			body = pick()
		case 5:
			path = "/merchants/" + mark + pick() + "/notifications"
		case 6:
			method = pick()
		case 7:
			spoiled = true
		}
	}
	event["path"], event["httpMethod"], event["multiValueHeaders"], event["body"] = path, method, h, body
	payload, err := json.Marshal(event)
	if err != nil {
		return []byte(mark)
	}
	if spoiled { // the event itself: bytes that API Gateway would not send
		for range 1 + r.IntN(4) {
			payload[r.IntN(len(payload))] = byte(r.IntN(256))
		}
	}
	return payload
}

func TestAHundredThousandHostileNotifications(t *testing.T) {
	n := hostile
	if testing.Short() {
		n /= 100
	}
	var out bytes.Buffer
	handler, key := door(t, &out)
	// A body that verifies and is no notification: 400 if it comes whole, and nothing is ever published.
	body := `{"id":"1","event_type":"` + mark + `"}`
	signature, err := signing.SignAnswer(key, time.Now(), "nonce"+mark, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	signed := http.Header{"Wechatpay-Timestamp": {strconv.FormatInt(time.Now().Unix(), 10)}, "Wechatpay-Nonce": {"nonce" + mark},
		"Wechatpay-Serial": {"PUB_KEY_ID_1"}, "Wechatpay-Signature": {signature}}
	r := mathrand.New(mathrand.NewPCG(14, 10))
	statuses := map[int]int{}
	for range n {
		payload := stranger(r, signed, body)
		answer, err := handler.Invoke(t.Context(), payload)
		var unread lambdamessages.InvokeResponse_Error
		if errors.As(err, &unread) {
			if unread.Type != "UNREADABLE_EVENT" || strings.Contains(unread.Message, mark) {
				t.Fatalf("%v: %s", err, payload)
			}
			continue
		}
		var got events.APIGatewayProxyResponse
		if err != nil || json.Unmarshal(answer, &got) != nil || got.StatusCode < 400 || got.StatusCode > 499 || got.Body != refusedBody {
			t.Fatalf("%v %s: %q", err, answer, payload)
		}
		statuses[got.StatusCode]++
	}
	for _, status := range []int{400, 401, 404} {
		if statuses[status] == 0 {
			t.Errorf("none was answered %d: %v", status, statuses)
		}
	}
	if text := out.String(); strings.Contains(text, mark) || strings.Contains(text, "bug") {
		t.Errorf("the log: %s", text)
	}
}
