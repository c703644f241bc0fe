// Package action is the reply: what is sent to 翼码, and what its answer means (contract, section 4).
package action

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Reply sends replies. It implements desk.Action.
type Reply struct {
	Client  *gateway.Client
	Hosts   *gateway.Hosts // for merchants whose secret names no address of its own
	Enforce bool           // a wrong signature on an answer makes the outcome unknown
	Log     *slog.Logger
}

// Check finds what only the merchant's settings can tell.
func (a *Reply) Check(c *wire.Command, m *merchant.Imageco) ([]wire.Problem, *merchant.FieldError) {
	if sellerAccount(c, m) == "" {
		return nil, &merchant.FieldError{Field: "imageco.seller_account", Problem: "is missing, and the request names none"}
	}
	if !m.XML && !m.SignGBK {
		return nil, nil
	}
	fields := []struct{ name, value string }{{"imageco.isspid", m.ISSPID}, {"imageco.system_id", m.SystemID}}
	if c.SellerAccount == "" { // the request's own is checked with the request
		fields = append(fields, struct{ name, value string }{"imageco.seller_account", m.SellerAccount})
	}
	for _, field := range fields {
		if _, err := wire.EncodeGBK(field.value); err != nil {
			return nil, &merchant.FieldError{Field: field.name, Problem: "has a character that does not exist in GBK"}
		}
	}
	return c.GBKProblems(), nil
}

// sellerAccount is the request's, or else the secret's.
func sellerAccount(c *wire.Command, m *merchant.Imageco) string {
	if c.SellerAccount != "" {
		return c.SellerAccount
	}
	return m.SellerAccount
}

// Send sends the reply. A reply is shown to the consumer at once, so the call is not repeatable: it is tried again only
// when the attempt before it was certainly not carried out.
func (a *Reply) Send(ctx context.Context, order desk.Order[*merchant.Imageco], attempts int) (gateway.Report, error) {
	m := order.Merchant
	message := wire.ReplyMessage{
		ISSPID:        m.ISSPID,
		TransactionID: order.TransactionID,
		SystemID:      m.SystemID,
		SellerAccount: sellerAccount(order.Command, m),
		ComplaintID:   order.Command.ComplaintID,
		ReplyContent:  order.Command.ReplyContent,
	}
	hosts := a.Hosts
	if m.URL != "" {
		hosts = gateway.NewHosts(m.URL)
	}
	return a.Client.Do(ctx, gateway.Call{
		Merchant:    order.Command.Merchant,
		ComplaintID: order.Command.ComplaintID,
		Hosts:       hosts,
		Prepare:     func(base string) (gateway.Request, error) { return prepare(base, message, m) },
		Judge: func(answer gateway.Answer) gateway.Verdict {
			verdict := judge(answer, message, m, a.Enforce)
			if verdict.Forged {
				a.Log.WarnContext(ctx, "the gateway's answer is signed wrongly", "merchant", order.Command.Merchant)
			}
			return verdict
		},
		Attempts: attempts,
	})
}

// prepare makes one signed attempt in the merchant's format.
func prepare(url string, message wire.ReplyMessage, m *merchant.Imageco) (gateway.Request, error) {
	contentType := wire.ImagecoJSONType
	write := func() ([]byte, error) { return message.JSON(m.Key, m.SignGBK) }
	if m.XML {
		contentType = wire.ImagecoFormType
		write = func() ([]byte, error) { return message.Form(m.Key) }
	}
	body, err := write()
	if err != nil {
		return gateway.Request{}, err
	}
	header := http.Header{"Content-Type": {contentType}, "User-Agent": {gateway.UserAgent}}
	return gateway.Request{Method: http.MethodPost, URL: url, Header: header, Body: body}, nil
}
