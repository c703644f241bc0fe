// Package notifyurl shows, sets and removes the address that WeChat Pay notifies of a merchant's complaints (kesu watch
// url). WeChat Pay keeps one address for each merchant number. It prints nothing.
package notifyurl

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/wechatpay"
)

// attemptLimit is how long one attempt takes at most.
const attemptLimit = 5 * time.Second

// longest is the longest address that WeChat Pay takes, in characters.
const longest = 255

// Options say whose address it is and what is to stand there.
type Options struct {
	Merchant string
	Secret   string // the merchant's, as Secrets Manager holds it
	Set      string // the address that is to stand there, {merchant} in it is the merchant's name; "" only reads
	Remove   bool   // nothing is to stand there
	// WeChat Pay's hosts; "" is its own.
	WechatPayURL, WechatPayBackupURL string
}

// Report is what was found and done.
type Report struct {
	Merchant string `json:"merchant"`
	Before   string `json:"before"` // "": none
	Now      string `json:"now"`
	Changed  bool   `json:"changed"`
	Problem  string `json:"problem,omitempty"` // why notifications cannot be read with this secret
}

// Run reads the address, changes it if it is to be another, and reads it again. The kind of its error says whether
// anything may have been changed.
func Run(ctx context.Context, o Options) (Report, error) {
	report := Report{Merchant: o.Merchant}
	if err := o.Check(); err != nil {
		return report, err
	}
	keys, err := merchant.ParseWatched(o.Secret)
	if err != nil {
		return report, fmt.Errorf("the secret cannot be used: %w", err)
	}
	if keys.KeyProblem != nil {
		report.Problem = keys.KeyProblem.Error()
	}
	caller, err := o.caller(keys.WechatPay)
	if err != nil {
		return report, err
	}
	err = o.change(ctx, caller, &report)
	return report, err
}

// Check holds the address to WeChat Pay's rules: "必须是https,不能是中文域名,回调url是不能带参数的"
// (https://developers.weixin.qq.com/community/pay/doc/000a0606d345a064a4eb5c5455ec08), at most 255 characters.
func (o Options) Check() error {
	if o.Set == "" {
		return nil
	}
	address := o.address()
	u, err := url.Parse(address)
	odd := strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' })
	if err != nil || odd || len(address) > longest ||
		u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return operate.New(operate.Usage,
			"--set takes an https:// address of at most 255 ASCII characters, without a query")
	}
	return nil
}

// address is what is to stand there; "" for nothing.
func (o Options) address() string { return strings.ReplaceAll(o.Set, "{merchant}", o.Merchant) }

// caller makes WeChat Pay's calls for the merchant.
func (o Options) caller(keys *merchant.WechatPay) (*wechatpay.Caller, error) {
	settings, err := config.ReadComplete(func(name string) string { // nothing else of a function's settings matters here
		return map[string]string{"WECHATPAY_URL": o.WechatPayURL, "WECHATPAY_BACKUP_URL": o.WechatPayBackupURL}[name]
	})
	if err != nil {
		return nil, err
	}
	client := &gateway.Client{Transport: gateway.NewTransport(nil), MaxAttempts: 3, AttemptTimeout: attemptLimit,
		Random: mathrand.Float64, Log: slog.New(slog.DiscardHandler)}
	api := wechatpay.New(client, gateway.NewHosts(settings.Hosts...), rand.Reader, time.Now)
	return &wechatpay.Caller{API: api, Keys: keys, Merchant: o.Merchant}, nil
}

// change does what was asked for, unless it stands there already.
func (o Options) change(ctx context.Context, caller *wechatpay.Caller, report *Report) error {
	before, failure := caller.NotificationAddress(ctx)
	if failure != nil {
		return failed("read the address", failure, false)
	}
	report.Before, report.Now = before, before
	want := o.address()
	if !o.Remove && want == "" || want == before {
		return nil
	}
	if o.Remove {
		failure = caller.RemoveNotificationAddress(ctx)
	} else {
		failure = caller.SetNotificationAddress(ctx, want, before != "")
	}
	// What stands there now settles it, whatever became of the call's answer.
	now, unread := caller.NotificationAddress(ctx)
	switch {
	case unread != nil && failure != nil:
		return failed("change the address", failure, true)
	case unread != nil:
		return failed("read the address again", unread, true)
	case now == want:
		report.Now, report.Changed = now, true
		return nil
	case failure != nil:
		return failed("change the address", failure, false)
	case now == "":
		now = "no address is set"
	}
	return fmt.Errorf("WeChat Pay took the change and tells another address now: %s", now)
}

// failed is the error for a call that failed. maybe says that something may have been changed.
func failed(doing string, f *wechatpay.Failure, maybe bool) error {
	text := fmt.Sprintf("cannot %s: %s %s", doing, f.Code, f.Message)
	switch {
	case f.Refused:
		return errors.New(text)
	case maybe:
		return operate.New(operate.Unknown, text)
	}
	return operate.New(operate.Retryable, text)
}
