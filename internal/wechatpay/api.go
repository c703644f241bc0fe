// Package wechatpay is everything about WeChat Pay APIv3 that needs a network: one call, signed anew for each attempt
// and its answer verified, and the operations on top of it (contract, sections 5 and 5.1 to 5.3).
package wechatpay

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/signing"
)

// API is WeChat Pay as this process calls it. It is safe for concurrent use.
type API struct {
	client  *gateway.Client
	hosts   *gateway.Hosts
	random  io.Reader // for nonces
	now     func() time.Time
	replays *signing.Replays // of every answer of this process
}

// New makes the API over the hosts of WECHATPAY_URL and WECHATPAY_BACKUP_URL.
func New(client *gateway.Client, hosts *gateway.Hosts, random io.Reader, now func() time.Time) *API {
	return &API{client: client, hosts: hosts, random: random, now: now, replays: &signing.Replays{}}
}

// Through is the same API through another client. What one of them accepted is an answer that came before to the other.
func (a *API) Through(client *gateway.Client) *API {
	other := *a
	other.client = client
	return &other
}

// Base is where calls go first.
func (a *API) Base() string { return a.hosts.Bases()[0] }

// Caller makes the calls of one command, or of one other piece of work, for one merchant. It is for one goroutine.
type Caller struct {
	API      *API
	Keys     *merchant.WechatPay
	Merchant string     // for the log
	Turn     *pace.Turn // gives a token for each attempt; nil is no limit
	Attempts int        // the most that a call makes; 0: MAX_ATTEMPTS
	// Newer reads the merchant's secret again, because an answer is signed by a key that is not in it or a look's key
	// was refused, and reports whether it is another one now. nil: nobody can.
	Newer func(ctx context.Context) (*merchant.WechatPay, bool)
	// Spread lets no two attempts in a row go to the same host, whatever it answered.
	Spread bool

	authorization string          // of the latest attempt
	tryLater      bool            // the latest refusal asked to try later
	latest        gateway.Report  // of the latest reading
	failed        *gateway.Report // of a reading whose host is not asked again
}

// operation is one of WeChat Pay's, as one command asks for it.
type operation struct {
	row
	complaintID string // for the log; empty when it is about none
	path        string // with its query
	body        []byte
	contentType string // "": application/json
	signed      []byte // what is signed in the place of the body; nil: the body itself
	attempts    int    // the most that there may be; 0: as the caller has it
	following   *gateway.Report
	judge       func(gateway.Answer) gateway.Verdict
}

// attempts is the most that a call makes.
func (c *Caller) attempts() int { return cmp.Or(c.Attempts, c.API.client.MaxAttempts) }

// do makes the attempts of an operation.
func (c *Caller) do(ctx context.Context, o operation) (gateway.Report, error) {
	return c.API.client.Do(ctx, gateway.Call{
		Merchant:    c.Merchant,
		ComplaintID: o.complaintID,
		Turn:        c.Turn,
		Hosts:       c.API.hosts,
		Repeatable:  o.repeatable,
		Attempts:    cmp.Or(o.attempts, c.attempts()),
		Following:   o.following,
		Spread:      c.Spread,
		Prepare:     func(base string) (gateway.Request, error) { return c.prepare(base, o) },
		Judge:       o.judge,
	})
}

// prepare makes one attempt, with a timestamp, a nonce and a signature of its own.
func (c *Caller) prepare(base string, o operation) (gateway.Request, error) {
	target, err := targetOf(base, o.path)
	if err != nil {
		return gateway.Request{}, err
	}
	nonce, err := signing.NewNonce(c.API.random)
	if err != nil {
		return gateway.Request{}, err
	}
	signed := o.signed
	if signed == nil {
		signed = o.body
	}
	c.authorization, err = c.Keys.Requester.Authorization(o.method, target, signed, c.API.now(), nonce)
	if err != nil {
		return gateway.Request{}, err
	}
	header := http.Header{
		"Authorization":    {c.authorization},
		"Accept":           {"application/json"},
		"User-Agent":       {gateway.UserAgent},
		"Wechatpay-Serial": {c.Keys.FirstKeyID},
	}
	if o.body != nil {
		header.Set("Content-Type", "application/json")
		if o.contentType != "" {
			header.Set("Content-Type", o.contentType)
		}
	}
	return gateway.Request{Method: o.method, URL: base + o.path, Header: header, Body: o.body}, nil
}

// targetOf is what the request line will hold, and so what is signed. A base is usually a host alone; what net/url
// makes of any other is net/url's to say.
func targetOf(base, path string) (string, error) {
	if _, host, ok := strings.Cut(base, "://"); ok && !strings.ContainsAny(host, "/?#") {
		return path, nil
	}
	u, err := url.Parse(base + path)
	if err != nil {
		return "", err
	}
	return u.RequestURI(), nil
}

// hidden is what must not be shown: the merchant's secrets and what the latest attempt was signed with.
func (c *Caller) hidden() redact.Secrets {
	return c.Keys.Hidden.With(signing.SecretsOf(c.authorization)...)
}
