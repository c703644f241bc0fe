// Package completion is the completion: WeChat Pay is told that a complaint is settled (contract, section 5).
package completion

import (
	"cmp"
	"context"
	"io"
	"time"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Completion is what the completions of all merchants share.
type Completion struct {
	API *wechatpay.API
}

// New makes it from the settings of functions/complete.
func New(client *gateway.Client, s config.Complete, nonces io.Reader, now func() time.Time) *Completion {
	return &Completion{wechatpay.New(client, gateway.NewHosts(s.Hosts...), nonces, now)}
}

// Work is what functions/complete does.
func (a *Completion) Work() pipeline.Work {
	return pipeline.Work{
		Action: wire.Complete,
		Open: func(secret string) (pipeline.Merchant, error) {
			half, err := merchant.ParseWechatPay(secret)
			if err != nil {
				return nil, err
			}
			return a.Of(half), nil
		},
		Guess: func(*wire.Command) string { return a.API.Base() },
		Fixed: true,
	}
}

// Of makes the merchant whose secret has that half.
func (a *Completion) Of(half *merchant.WechatPay) *Merchant { return &Merchant{half, a} }

// Merchant sends the completions of one merchant. It implements pipeline.Merchant.
type Merchant struct {
	half *merchant.WechatPay
	*Completion
}

// Through is the gateway that completions go to.
func (m *Merchant) Through(*wire.Command) wire.Provider { return wire.WechatPay }

// Check finds nothing: the secret's settings do not limit what a completion may hold.
func (m *Merchant) Check(*wire.Command, wire.Provider) ([]wire.Problem, *merchant.FieldError) {
	return nil, nil
}

// Send tells WeChat Pay that the complaint is settled.
func (m *Merchant) Send(ctx context.Context, call pipeline.Call) (gateway.Report, error) {
	c := wechatpay.Caller{
		API:      m.API,
		Keys:     m.half,
		Merchant: call.Command.Merchant,
		Turn:     call.Turn,
		Attempts: call.Attempts,
		Newer:    call.Newer,
	}
	return c.Complete(ctx, call.Command.ComplaintID, cmp.Or(call.Command.ComplaintedMchid, m.half.Requester.Mchid))
}

// WechatPay is the half of the secret that completions need.
func (m *Merchant) WechatPay() (*merchant.WechatPay, *merchant.FieldError) { return m.half, nil }

// Base is where completions go first.
func (m *Merchant) Base(wire.Provider) string { return m.API.Base() }

// LastCertificate is that of the half.
func (m *Merchant) LastCertificate() (signing.PlatformKey, bool) { return m.half.LastCertificate() }
