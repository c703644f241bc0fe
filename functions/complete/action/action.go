// Package action is the completion: what is sent to WeChat Pay, and what its answer means (contract, section 5).
package action

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Completion sends completions. It implements desk.Action.
type Completion struct {
	Client *gateway.Client
	Hosts  *gateway.Hosts
	Random io.Reader // for nonces
	Now    func() time.Time
}

// Check finds nothing: the secret's settings do not limit what a completion may hold.
func (a *Completion) Check(*wire.Command, *merchant.WechatPay) ([]wire.Problem, *merchant.FieldError) {
	return nil, nil
}

// Send tells WeChat Pay that the complaint is settled. Saying so twice is harmless, so what may have been done is
// tried again.
//
// A refusal with INVALID_REQUEST may mean that it was done before, by an attempt whose answer was lost or by a person,
// so the complaint itself is asked then.
func (a *Completion) Send(ctx context.Context, order desk.Order[*merchant.WechatPay], attempts int) (gateway.Report, error) {
	m := order.Merchant
	mchid := order.Command.ComplaintedMchid
	if mchid == "" {
		mchid = m.Requester.Mchid
	}
	body := wire.CompleteBody(mchid)
	report, err := a.Client.Do(ctx, gateway.Call{
		Merchant:    order.Command.Merchant,
		ComplaintID: order.Command.ComplaintID,
		Hosts:       a.Hosts,
		Repeatable:  true,
		Attempts:    attempts,
		Prepare: func(base string) (gateway.Request, error) {
			return a.prepare(m, http.MethodPost, base, wire.CompleteURL(base, order.Command.ComplaintID), body)
		},
		Judge: func(answer gateway.Answer) gateway.Verdict { return judgeCompletion(answer, m, a.Now()) },
	})
	if err != nil || !alreadyDonePerhaps(report) {
		return report, err
	}
	refusal := report.Last
	state, err := a.Client.Do(ctx, gateway.Call{
		Merchant:    order.Command.Merchant,
		ComplaintID: order.Command.ComplaintID,
		Hosts:       a.Hosts,
		Repeatable:  true,
		// What is left of the invocation's attempts, but at least one: without it nobody would know.
		Attempts:  max(cmp.Or(attempts, a.Client.MaxAttempts)-report.Attempts, 1),
		Following: &report,
		Prepare: func(base string) (gateway.Request, error) {
			return a.prepare(m, http.MethodGet, base, base+wire.ComplaintPath(order.Command.ComplaintID), nil)
		},
		Judge: func(answer gateway.Answer) gateway.Verdict {
			return judgeState(answer, order.Command.ComplaintID, refusal, m, a.Now())
		},
	})
	return resolve(report, state), err
}

// prepare makes one attempt, with a timestamp, a nonce and a signature of its own.
func (a *Completion) prepare(m *merchant.WechatPay, method, base, address string, body []byte) (gateway.Request, error) {
	signed, err := target(base, address)
	if err != nil {
		return gateway.Request{}, err
	}
	nonce, err := signing.NewNonce(a.Random)
	if err != nil {
		return gateway.Request{}, err
	}
	authorization, err := m.Requester.Authorization(method, signed, body, a.Now(), nonce)
	if err != nil {
		return gateway.Request{}, err
	}
	values := []string{authorization, "application/json", gateway.UserAgent, m.FirstKeyID, "application/json"} // one piece of memory
	header := http.Header{
		"Authorization":    values[0:1:1],
		"Accept":           values[1:2:2],
		"User-Agent":       values[2:3:3],
		"Wechatpay-Serial": values[3:4:4],
	}
	if body != nil {
		header["Content-Type"] = values[4:5:5]
	}
	return gateway.Request{Method: method, URL: address, Header: header, Body: body}, nil
}

// target is what the request line of a request to an address below base will hold, and so what is signed. A base is
// usually a host alone; what net/url makes of any other is net/url's to say.
func target(base, address string) (string, error) {
	if _, host, ok := strings.Cut(base, "://"); ok && !strings.ContainsAny(host, "/?#") {
		return address[len(base):], nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return u.RequestURI(), nil
}
