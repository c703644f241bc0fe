// Package doctor looks at a merchant's set-up before a consumer waits: the secret, the keys, the gateways. It says only
// what it proved. Everything that it can find is a row of a table, in two languages, with what tells it from its
// neighbours and the step that cures it; nothing it says holds a key, and it changes nothing anywhere.
package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/onboard"
)

// Options say whom to look at, and how.
type Options struct {
	Merchant string        // as in the name of its secret
	Secret   *string       // the secret's text, in place of Secrets Manager; nil reads it there
	AWS      *aws.Config   // the account; nil when Secret is given and no function is named
	Prefix   string        // of the secrets' names; "" takes the functions' default
	Place    onboard.Place // where the secrets are: one for each merchant, or packs

	Only        string // "reply" or "complete": what the merchant is used for; "" both
	Complaint   string // to ask 翼码 for
	Certificate []byte // the merchant's API certificate; nil for none
	Offline     bool   // ask no gateway

	// AsFunction names a deployed function. Its role reads the secret, if it may be assumed, and its environment holds
	// the settings.
	AsFunction string

	Getenv   func(string) string // the settings
	Language advice.Language
	Now      func() time.Time
}

// The states of a check.
const (
	OK      = "ok"
	Warning = "warning"
	Failed  = "failed"
)

// Check is one thing that was looked at.
type Check struct {
	Check     string `json:"check"`  // what: a field of the secret, a host, "clock"
	Status    string `json:"status"` // ok, warning or failed
	Cause     string `json:"cause"`  // names the finding for programs
	Message   string `json:"message"`
	HowToTell string `json:"how_to_tell,omitempty"` // from other causes of the same finding
	Advice    string `json:"advice,omitempty"`      // what to do, unless it is ok
}

// Report is what was found out about one merchant.
type Report struct {
	Merchant string  `json:"merchant"`
	TestedAs string  `json:"tested_as"` // whose rights read the secret
	Checks   []Check `json:"checks"`
	Failed   int     `json:"failed"`
	Warnings int     `json:"warnings"`
	// Ringing counts the warnings that somebody must act on before a date: certificates that end within 30 days.
	Ringing int `json:"ringing"`
	// Temporary reports whether all that failed may be otherwise in a minute: a network, a limit of AWS's.
	Temporary bool `json:"temporary,omitempty"`
}

// doctor looks at one merchant.
type doctor struct {
	Options
	report    Report
	lasting   int // failures that will not go away by themselves
	transport *http.Transport
	reply     config.Reply
	complete  config.Complete
	dates     []hostDate
}

// add adds a check; id names a row of the table.
func (d *doctor) add(status, what, id string, args ...any) {
	row, ok := rows[id]
	if !ok {
		row = advice.Cause{Says: advice.Words{EN: id, ZH: id}}
	}
	c := Check{Check: what, Status: status, Cause: id, Message: fill(row.Says.In(d.Language), args)}
	if status != OK {
		c.HowToTell = row.Tell.In(d.Language)
		c.Advice = strings.ReplaceAll(fill(row.Do.In(d.Language), args), "{path}", jqPath(what))
	}
	switch status {
	case Failed:
		d.report.Failed++
		if !temporary[id] {
			d.lasting++
		}
	case Warning:
		d.report.Warnings++
		if ringing[id] {
			d.report.Ringing++
		}
	}
	d.report.Checks = append(d.report.Checks, c)
}

func (d *doctor) ok(what, id string, args ...any)   { d.add(OK, what, id, args...) }
func (d *doctor) warn(what, id string, args ...any) { d.add(Warning, what, id, args...) }
func (d *doctor) fail(what, id string, args ...any) { d.add(Failed, what, id, args...) }

// fill puts args into a text that has verbs; one that needs fewer leaves the rest.
func fill(text string, args []any) string {
	if !strings.Contains(text, "%") {
		return text
	}
	full, _, _ := strings.Cut(fmt.Sprintf(text, args...), "%!(EXTRA")
	return full
}

// jqPath is a field of the secret as jq names it.
func jqPath(field string) string { return "." + field }

// count counts the checks with a status whose name begins with a prefix.
func (d *doctor) count(status, prefix string) int {
	n := 0
	for _, c := range d.report.Checks {
		if c.Status == status && strings.HasPrefix(c.Check, prefix) {
			n++
		}
	}
	return n
}

// ErrNoMerchant is the error when nobody is named.
var ErrNoMerchant = errors.New("which merchant? Give --merchant NAME, or --secret-file FILE")

// Run examines one merchant. Whatever is wrong with the set-up is in the report; the error is for an examination that
// could not be made, such as one that was interrupted.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Merchant == "" && o.Secret == nil {
		return Report{}, ErrNoMerchant
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	d := &doctor{Options: o, report: Report{Merchant: o.Merchant, TestedAs: "the file"}, transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}, // as the functions do, no HTTP/2
	}}
	defer d.transport.CloseIdleConnections()
	if err := d.becomeFunction(ctx); err != nil {
		return Report{}, err
	}
	d.settings()
	secret, readable := d.readSecret(ctx)
	if readable {
		secret = d.examine(secret)
	}
	if !o.Offline {
		d.askGateways(ctx, secret)
	}
	if ctx.Err() != nil {
		return Report{}, errors.New("interrupted")
	}
	d.report.Temporary = d.report.Failed > 0 && d.lasting == 0
	return d.report, nil
}

// settings finds the gateways' addresses by the functions' own rules.
func (d *doctor) settings() {
	var replyErr, completeErr error
	d.reply, replyErr = config.ReadReply(d.Getenv)
	d.complete, completeErr = config.ReadComplete(d.Getenv)
	if d.Getenv("IMAGECO_URL") == "" {
		replyErr = nil // told where it is needed: the merchant may have an address of its own
	}
	for _, err := range []error{replyErr, completeErr} {
		if err != nil {
			d.fail("settings", "settings", err.Error())
			break
		}
	}
}

// wants reports whether a half of the secret is needed.
func (d *doctor) wants(half string) bool {
	switch d.Only {
	case "reply":
		return half == "imageco"
	case "complete":
		return half == "wechatpay"
	}
	return true
}

// askGateways asks what only the gateways can tell.
func (d *doctor) askGateways(ctx context.Context, secret string) {
	var half *merchant.Imageco
	var pay *merchant.WechatPay
	if secret != "" {
		half, _ = merchant.ParseImageco(secret, d.reply.CheckGatewayURL) // what is wrong with it was told before
		pay, _ = merchant.ParseWechatPay(secret)
	}
	if d.wants("imageco") {
		d.askImageco(ctx, half)
	}
	if d.wants("wechatpay") {
		d.askWechatPay(ctx, pay)
	}
	d.clock()
}

// limit is how long the doctor waits for one call.
const limit = 10 * time.Second
