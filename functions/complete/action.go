package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// userAgent names us to the gateways; WeChat Pay refuses a request without one.
const userAgent = "kesu (+https://github.com/kesu-go/kesu)"

// action is the completion: what is sent to WeChat Pay, and what its answer means (contract, section 5).
type action struct {
	client *gateway.Client
	hosts  *gateway.Hosts
	random io.Reader // for nonces
	now    func() time.Time
}

// Check finds nothing: the secret's settings do not limit what a completion may hold.
func (a *action) Check(*wire.Command, *merchant.WechatPay) ([]wire.Problem, *merchant.FieldError) {
	return nil, nil
}

// Send tells WeChat Pay that the complaint is settled. Saying so twice is harmless, so what may have been done is
// tried again.
//
// A refusal with INVALID_REQUEST may mean that it was done before, by an attempt whose answer was lost or by a person,
// so the complaint itself is asked then.
func (a *action) Send(ctx context.Context, order desk.Order[*merchant.WechatPay], once bool) (gateway.Report, error) {
	m := order.Merchant
	mchid := order.Command.ComplaintedMchid
	if mchid == "" {
		mchid = m.Requester.Mchid
	}
	body := wire.CompleteBody(mchid)
	report, err := a.client.Do(ctx, gateway.Call{
		Merchant:   order.Command.Merchant,
		Hosts:      a.hosts,
		Repeatable: true,
		Once:       once,
		Prepare: func(base string) (gateway.Request, error) {
			return a.prepare(m, http.MethodPost, base+wire.CompletePath(order.Command.ComplaintID), body)
		},
		Judge: func(answer gateway.Answer) gateway.Verdict { return judgeCompletion(answer, m, a.now()) },
	})
	if err != nil || !alreadyDonePerhaps(report) {
		return report, err
	}
	state, err := a.client.Do(ctx, gateway.Call{
		Merchant:   order.Command.Merchant,
		Hosts:      a.hosts,
		Repeatable: true,
		Prepare: func(base string) (gateway.Request, error) {
			return a.prepare(m, http.MethodGet, base+wire.ComplaintPath(order.Command.ComplaintID), nil)
		},
		Judge: func(answer gateway.Answer) gateway.Verdict {
			return judgeState(answer, order.Command.ComplaintID, report.Last, m, a.now())
		},
	})
	return resolve(report, state), err
}

// prepare makes one attempt, with a timestamp, a nonce and a signature of its own.
func (a *action) prepare(m *merchant.WechatPay, method, address string, body []byte) (gateway.Request, error) {
	u, err := url.Parse(address)
	if err != nil {
		return gateway.Request{}, err
	}
	nonce, err := signing.NewNonce(a.random)
	if err != nil {
		return gateway.Request{}, err
	}
	authorization, err := m.Requester.Authorization(method, u.RequestURI(), body, a.now(), nonce)
	if err != nil {
		return gateway.Request{}, err
	}
	header := http.Header{
		"Authorization":    {authorization},
		"Accept":           {"application/json"},
		"User-Agent":       {userAgent},
		"Wechatpay-Serial": {m.FirstKeyID},
	}
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	return gateway.Request{Method: method, URL: address, Header: header, Body: body}, nil
}
