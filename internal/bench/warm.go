package bench

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	completion "github.com/kesu-go/kesu/functions/complete/action"
	reply "github.com/kesu-go/kesu/functions/reply/action"
	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// The base URLs that requests in memory name.
const (
	wechatpayURL = "https://api.mch.weixin.qq.com"
	imagecoURL   = "https://gateway.example/"
)

// memory is a transport whose gateway is a function: what is measured then is Kesu alone.
type memory func(body io.Reader) *http.Response

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	response := m(r.Body)
	_, err := io.Copy(io.Discard, r.Body) // as net/http does before it takes an answer for the last word
	_ = r.Body.Close()                    // a body in memory
	return response, err
}

// Settled is a transport that answers every completion with the same signed 204.
func (k *Keys) Settled() (http.RoundTripper, error) {
	signed, err := k.Signed()
	answer := &http.Response{StatusCode: http.StatusNoContent, Header: signed, Body: http.NoBody}
	return memory(func(io.Reader) *http.Response { return answer }), err
}

// secretIn is a Secrets Manager that holds one secret for every merchant.
type secretIn string

func (s secretIn) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	text, version := string(s), "1"
	return &secretsmanager.GetSecretValueOutput{SecretString: &text, VersionId: &version}, nil
}

// newClient is a gateway client as wiring builds it, with a transport of ours and a log that nobody reads.
func newClient(transport http.RoundTripper) *gateway.Client {
	return &gateway.Client{Transport: transport, Pace: gateway.NewPace(0), MaxAttempts: 3, AttemptTimeout: 5 * time.Second,
		Random: func() float64 { return 0 }, Log: newLog()}
}

func newLog() *slog.Logger { return telemetry.NewLogger(io.Discard, slog.LevelInfo) }

// NewCompletion is the completion as functions/complete builds it.
func NewCompletion(transport http.RoundTripper, base string) *completion.Completion {
	return &completion.Completion{Client: newClient(transport), Hosts: gateway.NewHosts(base), Random: rand.Reader, Now: time.Now}
}

// NewReply is the reply as functions/reply builds it.
func NewReply(transport http.RoundTripper, base string) *reply.Reply {
	return &reply.Reply{Client: newClient(transport), Hosts: gateway.NewHosts(base), Log: newLog()}
}

// newHandler is a whole function but for its runtime: what Lambda's events go through.
func newHandler[M any](action wire.Action, a desk.Action[M], secret string, parse func(string) (M, error), warm func(context.Context)) *lambdaio.Handler {
	log := newLog()
	keys := merchant.NewStore(merchant.Options[M]{Client: secretIn(secret), Prefix: "kesu/merchants/", Parse: parse,
		SoftTTL: 5 * time.Minute, HardTTL: time.Hour, Now: time.Now})
	return &lambdaio.Handler{Action: action, Log: log, Desk: &desk.Desk[M]{Action: a, Keys: keys,
		Ledger: ledger.New(ledger.NewMemory(), 24*time.Hour, time.Now, rand.Text), Log: log,
		Metrics: telemetry.NewMetrics(io.Discard), Now: time.Now, Warm: warm}}
}

// parseImageco lets a secret name any gateway.
func parseImageco(secret string) (*merchant.Imageco, error) {
	return merchant.ParseImageco(secret, func(string) error { return nil })
}

// CompleteHandler is functions/complete in this process.
func (k *Keys) CompleteHandler(transport http.RoundTripper, base string) *lambdaio.Handler {
	var warm func(context.Context)
	if t, ok := transport.(*gateway.Transport); ok {
		warm = func(ctx context.Context) { _ = t.Warm(ctx, base) }
	}
	return newHandler(wire.Complete, desk.Action[*merchant.WechatPay](NewCompletion(transport, base)), k.Secret, merchant.ParseWechatPay, warm)
}

// ReplyHandler is functions/reply in this process.
func ReplyHandler(transport http.RoundTripper, secret string) *lambdaio.Handler {
	return newHandler(wire.Reply, desk.Action[*merchant.Imageco](NewReply(transport, imagecoURL)), secret, parseImageco, nil)
}

// invoke carries out one command; anything but a success is a bug of the benchmark.
func invoke(h *lambdaio.Handler, event []byte) {
	answer, err := h.Invoke(context.Background(), event)
	if err != nil {
		panic("bench: " + err.Error())
	}
	if !succeeded(answer) {
		panic("bench: " + string(answer))
	}
}
