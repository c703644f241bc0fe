package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/wechatpay"
)

// watchCommand is what there is to do by hand about functions/watch.
type watchCommand struct {
	URL watchURL `cmd:"" name:"url" help:"Show, set or remove the address that WeChat Pay notifies of complaints."`
}

type watchURL struct {
	secretFlags
	Set                string `placeholder:"URL" xor:"do" help:"Let WeChat Pay send notifications there; {merchant} in it is the merchant's name."`
	Remove             bool   `xor:"do" help:"Let WeChat Pay send none. Whoever else has set the address loses it too."`
	Stack              string `placeholder:"NAME" help:"Set the NotificationsUrl of a stack, unless --set names another; take the gateway's addresses, and where the secret is, from its parameters."`
	WechatPayURL       string `name:"wechatpay-url" placeholder:"URL" help:"WeChat Pay's host; by default WECHATPAY_URL."`
	WechatPayBackupURL string `name:"wechatpay-backup-url" placeholder:"URL" help:"WeChat Pay's other host; by default WECHATPAY_BACKUP_URL."`
	awsFlags
	jsonFlag
}

// Help is the example that kesu help shows.
func (watchURL) Help() string {
	return `Without --set, --stack or --remove it shows what stands there now. WeChat Pay keeps one address for each merchant number; what is set is read again and compared. The merchant's secret needs wechatpay.apiv3_key, or no notification can be decrypted.

Examples:
  kesu watch url --merchant acme
  kesu watch url --merchant acme --stack kesu
  kesu watch url --merchant acme --set https://example.com/merchants/{merchant}/notifications
  kesu watch url --merchant acme --remove

Exit codes: 0 it stands there as you said; 1 it was refused, or something is wrong; 2 the command line is wrong; 3 certainly nothing was changed, try again; 4 it may have been changed.`
}

// addressTold is what the command found and did, as --json prints it.
type addressTold struct {
	Merchant string `json:"merchant"`
	Before   string `json:"before"` // "": none
	Now      string `json:"now"`
	Changed  bool   `json:"changed"`
	Problem  string `json:"problem,omitempty"` // why notifications cannot be read with this secret
}

// attemptLimit is how long one attempt takes at most.
const attemptLimit = 5 * time.Second

// Run reads the address, changes it if it is to be another, and reads it again.
func (c watchURL) Run(ctx context.Context, t terminal) error {
	if err := c.fromStack(ctx); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	secret, err := c.read(ctx, c.account())
	if err != nil {
		return err
	}
	keys, err := merchant.ParseWatched(secret)
	if err != nil {
		return fmt.Errorf("the secret cannot be used: %w", err)
	}
	caller, err := c.caller(keys.WechatPay)
	if err != nil {
		return err
	}
	told := addressTold{Merchant: c.Merchant}
	if keys.KeyProblem != nil {
		told.Problem = keys.KeyProblem.Error()
	}
	if err := c.change(ctx, caller, &told); err != nil {
		return err
	}
	return c.print(t, told)
}

// fromStack takes what no flag says from a stack.
func (c *watchURL) fromStack(ctx context.Context) error {
	if c.Stack == "" {
		return nil
	}
	s, err := operate.DescribeStack(ctx, c.account(), c.Stack)
	if err != nil {
		return err
	}
	for parameter, flag := range map[string]*string{"WechatPayUrl": &c.WechatPayURL, "WechatPayBackupUrl": &c.WechatPayBackupURL,
		"MerchantSecretPrefix": &c.SecretPrefix, "MerchantKeys": &c.MerchantKeys} {
		if *flag == "" {
			*flag = s.Parameters[parameter]
		}
	}
	if c.Set != "" || c.Remove {
		return nil
	}
	if c.Set = s.Outputs["NotificationsUrl"]; c.Set == "" {
		return fmt.Errorf("the stack %s has no NotificationsUrl; deploy it with Watch on", c.Stack)
	}
	return nil
}

// check holds the address to WeChat Pay's rules: "必须是https,不能是中文域名,回调url是不能带参数的"
// (https://developers.weixin.qq.com/community/pay/doc/000a0606d345a064a4eb5c5455ec08), at most 255 characters.
func (c *watchURL) check() error {
	if c.Merchant == "" {
		return usage("--merchant is missing")
	}
	if err := c.validMerchant(); err != nil {
		return err
	}
	if c.Set == "" {
		return nil
	}
	c.Set = strings.ReplaceAll(c.Set, "{merchant}", c.Merchant)
	u, err := url.Parse(c.Set)
	odd := strings.ContainsFunc(c.Set, func(r rune) bool { return r <= ' ' || r > '~' })
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || odd || len(c.Set) > 255 {
		return usage("--set takes an https:// address of at most 255 ASCII characters, without a query")
	}
	return nil
}

// caller makes WeChat Pay's calls for the merchant.
func (c *watchURL) caller(keys *merchant.WechatPay) (*wechatpay.Caller, error) {
	given := map[string]string{"WECHATPAY_URL": c.WechatPayURL, "WECHATPAY_BACKUP_URL": c.WechatPayBackupURL}
	settings, err := config.ReadComplete(func(name string) string {
		value, ours := given[name]
		if ours && value == "" {
			value = os.Getenv(name)
		}
		return value // nothing else of a function's settings matters here
	})
	if err != nil {
		return nil, err
	}
	client := &gateway.Client{Transport: gateway.NewTransport(nil), MaxAttempts: 3, AttemptTimeout: attemptLimit, Random: mathrand.Float64,
		Log: slog.New(slog.DiscardHandler)}
	api := wechatpay.New(client, gateway.NewHosts(settings.Hosts...), rand.Reader, time.Now)
	return &wechatpay.Caller{API: api, Keys: keys, Merchant: c.Merchant}, nil
}

// change does what was asked for, unless it stands there already.
func (c *watchURL) change(ctx context.Context, caller *wechatpay.Caller, told *addressTold) error {
	before, failure := caller.NotificationAddress(ctx)
	if failure != nil {
		return c.failed("read the address", failure, false)
	}
	told.Before, told.Now = before, before
	want := c.Set
	if !c.Remove && want == "" || want == before {
		return nil
	}
	if c.Remove {
		failure = caller.RemoveNotificationAddress(ctx)
	} else {
		failure = caller.SetNotificationAddress(ctx, want, before != "")
	}
	// What stands there now settles it, whatever became of the call's answer.
	now, unread := caller.NotificationAddress(ctx)
	switch {
	case unread != nil && failure != nil:
		return c.failed("change the address", failure, true)
	case unread != nil:
		return c.failed("read the address again", unread, true)
	case now == want:
		told.Now, told.Changed = now, true
		return nil
	case failure != nil:
		return c.failed("change the address", failure, false)
	}
	return fmt.Errorf("WeChat Pay took the change and tells another address now: %s", orNone(clean(now)))
}

// failed is the error for a call that failed, with the exit code. maybe says that something may have been changed.
func (c *watchURL) failed(doing string, f *wechatpay.Failure, maybe bool) error {
	text := fmt.Sprintf("cannot %s: %s %s", doing, f.Code, f.Message)
	switch {
	case f.Refused:
		return errors.New(text)
	case maybe:
		return operate.New(operate.Unknown, text)
	}
	return operate.New(operate.Retryable, text)
}

func (c *watchURL) print(t terminal, told addressTold) error {
	if c.JSON {
		return writeJSON(t.out, told)
	}
	word := "unchanged"
	if told.Changed {
		word = "changed; before: " + orNone(clean(told.Before))
	}
	fmt.Fprintf(t.out, "%s: %s\n%s\n", told.Merchant, orNone(clean(told.Now)), word)
	if told.Problem != "" && told.Now != "" {
		fmt.Fprintf(t.out, "! %s: no notification can be read with this secret\n", told.Problem)
	}
	return nil
}

func orNone(text string) string {
	if text == "" {
		return "no address is set"
	}
	return text
}
