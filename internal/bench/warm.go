package bench

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/kesu-go/kesu/functions/complete/completion"
	"github.com/kesu-go/kesu/functions/reply/reply"
	"github.com/kesu-go/kesu/internal/assembly"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/internal/wechatpay"
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

// settings are a function's, with the defaults that matter here, and without a pace.
func settings() config.Common {
	return config.Common{SecretPrefix: "kesu/merchants/", SecretSoftTTL: 5 * time.Minute, SecretHardTTL: time.Hour,
		MaxAttempts: 3, AttemptTimeout: 5 * time.Second, LedgerTTL: 24 * time.Hour}
}

// newClient is a gateway client with a transport of ours and a log that nobody reads.
func newClient(transport http.RoundTripper) *gateway.Client {
	return assembly.Client(settings(), transport, func() float64 { return 0 }, newLog())
}

func newLog() *slog.Logger { return telemetry.NewLogger(io.Discard, slog.LevelInfo) }

// NewCompletion is a merchant of functions/complete, but that it begins each command with an empty memory of nonces: the
// gateway in memory gives the same signed answer each time, since signing would cost as much as what is measured.
func NewCompletion(transport http.RoundTripper, base string, half *merchant.WechatPay) pipeline.Merchant {
	client, hosts := newClient(transport), gateway.NewHosts(base)
	anew := func() *completion.Merchant {
		return (&completion.Completion{API: wechatpay.New(client, hosts, rand.Reader, time.Now)}).Of(half)
	}
	return forgetful{anew(), anew}
}

type forgetful struct {
	*completion.Merchant
	anew func() *completion.Merchant
}

func (f forgetful) Send(ctx context.Context, call pipeline.Call) (gateway.Report, error) {
	return f.anew().Send(ctx, call)
}

// replyWork is what functions/reply does, for secrets that may name any gateway.
func replyWork(transport http.RoundTripper) pipeline.Work {
	return reply.New(newClient(transport), config.Reply{ImagecoURL: imagecoURL, Hosts: []string{wechatpayURL},
		CheckGatewayURL: func(string) error { return nil }}, rand.Reader, time.Now).Work()
}

// newHandler is a whole function but for its runtime: what Lambda's events go through. Connections are opened ahead
// where there are any.
func newHandler(transport http.RoundTripper, secret string, work pipeline.Work) *lambdaio.Handler {
	ahead, _ := transport.(*gateway.Transport)
	return assembly.Build(settings(), assembly.Outside{Log: newLog(), Metrics: telemetry.NewMetrics(io.Discard), Now: time.Now,
		Owner: rand.Text, Secrets: secretIn(secret), Entries: ledger.NewMemory(), Transport: ahead}, work).Handler
}

// CompleteHandler is functions/complete in this process.
func (k *Keys) CompleteHandler(transport http.RoundTripper, base string) *lambdaio.Handler {
	work := completion.New(newClient(transport), config.Complete{Hosts: []string{base}}, rand.Reader, time.Now).Work()
	work.Open = func(secret string) (pipeline.Merchant, error) {
		half, err := merchant.ParseWechatPay(secret)
		if err != nil {
			return nil, err
		}
		return NewCompletion(transport, base, half), nil
	}
	return newHandler(transport, k.Secret, work)
}

// ReplyHandler is functions/reply in this process.
func ReplyHandler(transport http.RoundTripper, secret string) *lambdaio.Handler {
	return newHandler(transport, secret, replyWork(transport))
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
