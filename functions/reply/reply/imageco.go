package reply

import (
	"context"
	"net/http"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/wire"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

// checkImageco finds what only the half of 翼码 can tell.
func checkImageco(c *wire.Command, m *merchant.Imageco) ([]wire.Problem, *merchant.FieldError) {
	if sellerAccount(c, m) == "" {
		return nil, &merchant.FieldError{
			Field:   "imageco.seller_account",
			Problem: "is missing, and the request names none",
		}
	}
	problems := c.ImagecoProblems()
	if !m.XML && !m.SignGBK {
		return problems, nil
	}
	fields := []struct{ name, value string }{{"imageco.isspid", m.ISSPID}, {"imageco.system_id", m.SystemID}}
	if c.SellerAccount == "" { // the request's own is checked with the request
		fields = append(fields, struct{ name, value string }{"imageco.seller_account", m.SellerAccount})
	}
	for _, field := range fields {
		if _, err := gbk.Encode(field.value); err != nil {
			return nil, &merchant.FieldError{Field: field.name, Problem: "has a character that does not exist in GBK"}
		}
	}
	return append(problems, c.GBKProblems()...), nil
}

// sellerAccount is the request's, or else the secret's.
func sellerAccount(c *wire.Command, m *merchant.Imageco) string {
	if c.SellerAccount != "" {
		return c.SellerAccount
	}
	return m.SellerAccount
}

// sendImageco sends the reply through 翼码. It is shown to the consumer at once, so the call is not repeatable: it is
// tried again only when the attempt before it was certainly not carried out.
func (m *Merchant) sendImageco(ctx context.Context, call pipeline.Call) (gateway.Report, error) {
	half, wrong := m.Imageco()
	if wrong != nil {
		return gateway.Report{}, wrong
	}
	message := imageco.Reply{
		ISSPID:        half.ISSPID,
		TransactionID: call.TransactionID,
		SystemID:      half.SystemID,
		SellerAccount: sellerAccount(call.Command, half),
		ComplaintID:   call.Command.ComplaintID,
		ReplyContent:  call.Command.ReplyContent,
	}
	var sent []byte
	return m.Client.Do(ctx, gateway.Call{
		Merchant:    call.Command.Merchant,
		ComplaintID: call.Command.ComplaintID,
		Turn:        call.Turn,
		Hosts:       m.hosts,
		Prepare: func(base string) (gateway.Request, error) {
			request, err := prepare(base, message, half)
			sent = request.Body
			return request, err
		},
		Judge: func(answer gateway.Answer) gateway.Verdict {
			verdict := judge(answer, message, half, half.Hidden.With(imageco.SignatureOf(sent)), m.Enforce)
			if verdict.Forged {
				m.Client.Log.WarnContext(ctx, "the gateway's answer is signed wrongly", "merchant",
					call.Command.Merchant)
			}
			return verdict
		},
		Attempts: call.Attempts,
	})
}

// prepare makes one signed attempt in the merchant's format.
func prepare(url string, message imageco.Reply, m *merchant.Imageco) (gateway.Request, error) {
	contentType := imageco.JSONType
	write := func() ([]byte, error) { return message.JSON(m.Key, m.SignGBK) }
	if m.XML {
		contentType = imageco.FormType
		write = func() ([]byte, error) { return message.Form(m.Key) }
	}
	body, err := write()
	if err != nil {
		return gateway.Request{}, err
	}
	header := http.Header{"Content-Type": {contentType}, "User-Agent": {gateway.UserAgent}}
	return gateway.Request{Method: http.MethodPost, URL: url, Header: header, Body: body}, nil
}
