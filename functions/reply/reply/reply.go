// Package reply is what functions/reply does: a reply, through the gateway that carries the merchant's replies, and a
// picture for one (contract, sections 4, 5.1 and 5.2). It says what is sent and what the answer means.
package reply

import (
	"context"
	"io"
	"time"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/sighting"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Reply is what the replies and pictures of all merchants share.
type Reply struct {
	Client  *gateway.Client
	Hosts   *gateway.Hosts // of 翼码, for merchants whose secret names no address of its own; nil: there are none
	API     *wechatpay.API
	Enforce bool // a wrong signature on an answer of 翼码's makes the outcome unknown

	CheckURL func(string) error // the rules for an address in a secret
}

// New makes it from the settings of functions/reply.
func New(client *gateway.Client, s config.Reply, nonces io.Reader, now func() time.Time) *Reply {
	a := &Reply{
		Client:   client,
		API:      wechatpay.New(client, gateway.NewHosts(s.Hosts...), nonces, now),
		Enforce:  s.EnforceSign,
		CheckURL: s.CheckGatewayURL,
	}
	if s.ImagecoURL != "" {
		a.Hosts = gateway.NewHosts(s.ImagecoURL)
	}
	return a
}

// Work is what functions/reply does.
func (a *Reply) Work() pipeline.Work {
	return pipeline.Work{
		Action: wire.Reply,
		Also:   []wire.Action{wire.Upload},
		Open: func(secret string) (pipeline.Merchant, error) {
			halves, err := merchant.ParseReplier(secret, a.CheckURL)
			if halves == nil {
				return nil, err
			}
			return a.Of(halves), err
		},
		Guess: func(c *wire.Command) string {
			if c.Action.TakesPicture() || a.Hosts == nil {
				return a.API.Base()
			}
			return a.Hosts.Bases()[0]
		},
		Words: func(c *wire.Command) string { return sighting.Words(c.ResponseContent) },
	}
}

// Of makes the merchant whose secret has these halves.
func (a *Reply) Of(halves *merchant.Replier) *Merchant {
	m := &Merchant{Replier: halves, Reply: a}
	half, wrong := halves.Imageco()
	switch {
	case wrong != nil:
	case half.URL != "":
		m.hosts = gateway.NewHosts(half.URL)
	default:
		m.hosts = a.Hosts
	}
	return m
}

// Merchant sends the replies and pictures of one merchant. It implements pipeline.Merchant and pipeline.Looker.
type Merchant struct {
	*merchant.Replier
	*Reply
	hosts *gateway.Hosts // of 翼码; nil when nobody says where that is
}

// Through is the gateway that carries the merchant's replies. A picture goes to WeChat Pay: 翼码 has no call for
// pictures, and shows those of WeChat Pay.
func (m *Merchant) Through(c *wire.Command) wire.Provider {
	if c.Action.TakesPicture() {
		return wire.WechatPay
	}
	return m.Replier.Through
}

// Check finds what only the merchant's settings can tell. Of the secret, the half that carries the command is looked
// at.
func (m *Merchant) Check(c *wire.Command, through wire.Provider) ([]wire.Problem, *merchant.FieldError) {
	if through == wire.WechatPay {
		_, wrong := m.WechatPay()
		return c.WechatPayProblems(), wrong
	}
	half, wrong := m.Imageco()
	if wrong != nil {
		return nil, wrong
	}
	if m.hosts == nil {
		return nil, &merchant.FieldError{
			Field:   "imageco.url",
			Problem: "is missing, and the function's IMAGECO_URL is not set",
		}
	}
	return checkImageco(c, half)
}

// Send sends the command.
func (m *Merchant) Send(ctx context.Context, call pipeline.Call) (gateway.Report, error) {
	if call.Through == wire.WechatPay {
		return m.sendWechatPay(ctx, call)
	}
	return m.sendImageco(ctx, call)
}

// Base is where calls through a gateway go first; empty when nobody says.
func (m *Merchant) Base(through wire.Provider) string {
	if through == wire.WechatPay {
		return m.API.Base()
	}
	if m.hosts == nil {
		return ""
	}
	return m.hosts.Bases()[0]
}
