package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/merchant"
)

type doctorCommand struct {
	secretFlags
	Only        string `enum:"both,reply,complete" default:"both" help:"What the merchant is used for: both, reply (翼码) or complete (WeChat Pay)."`
	Complaint   string `placeholder:"ID" help:"A complaint of the merchant's, to ask 翼码 for: the only way to see whether 翼码 takes the key."`
	Certificate string `type:"path" placeholder:"FILE" help:"The merchant's API certificate (apiclient_cert.pem), to hold private_key, serial_no and mchid against."`
	Offline     bool   `help:"Look at the secret only, and ask no gateway."`

	Stack              string `placeholder:"NAME" help:"Take the gateways' addresses and the secret's prefix from the parameters of a stack."`
	ImagecoURL         string `name:"imageco-url" placeholder:"URL" help:"翼码's gateway; by default IMAGECO_URL, as for the function."`
	WechatPayURL       string `name:"wechatpay-url" placeholder:"URL" help:"WeChat Pay's host; by default WECHATPAY_URL."`
	WechatPayBackupURL string `name:"wechatpay-backup-url" placeholder:"URL" help:"WeChat Pay's other host; by default WECHATPAY_BACKUP_URL."`
	awsFlags
	jsonFlag
}

// Help is the example that kesu help shows.
func (doctorCommand) Help() string {
	return `Is this merchant's set-up right, before a consumer waits? Reads the secret, names everything that is missing or odd, shows fingerprints, serial numbers and expiry dates (never a key), the time to both gateways, their TLS and their clocks. Proves the WeChat Pay keys with its self-test (POST /v3/security/echo), and the 翼码 key with a query for a complaint that you name. Nothing is changed anywhere.

Examples:
  kesu doctor --merchant acme
  kesu doctor --merchant acme --complaint 200201820200101080076610000 --stack kesu
  kesu doctor --secret-file secret.json --certificate apiclient_cert.pem --offline

On the sandbox that kesu run starts: set AWS_ENDPOINT_URL_SECRETS_MANAGER, IMAGECO_URL, WECHATPAY_URL and WECHATPAY_BACKUP_URL to the addresses that it prints, and AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to anything.

Exit codes: 0 every check is ✓ or !; 1 a check is ✗; 2 wrong command line.`
}

// The marks of a check.
const (
	markOK      = "ok"
	markWarning = "warning"
	markFailed  = "failed"
)

// check is one thing that was looked at.
type check struct {
	Check   string `json:"check"`  // what: a field of the secret, a host, "clock"
	Status  string `json:"status"` // ok, warning or failed
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"` // what to do, unless it is ok
}

// doctor looks at one merchant.
type doctor struct {
	command   doctorCommand
	checks    []check
	transport *http.Transport
	reply     config.Reply
	complete  config.Complete
	dates     []hostDate
}

func (d *doctor) ok(what, format string, args ...any) {
	d.checks = append(d.checks, check{what, markOK, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) warn(what, message, advice string) {
	d.checks = append(d.checks, check{what, markWarning, message, advice})
}

func (d *doctor) fail(what, message, advice string) {
	d.checks = append(d.checks, check{what, markFailed, message, advice})
}

// count counts the checks with a status whose name begins with a prefix.
func (d *doctor) count(status, prefix string) int {
	n := 0
	for _, c := range d.checks {
		if c.Status == status && strings.HasPrefix(c.Check, prefix) {
			n++
		}
	}
	return n
}

// Run examines the merchant and prints what was found.
func (c doctorCommand) Run(ctx context.Context, t terminal) error {
	if !c.given() {
		return &exitError{exitUsage, "which merchant? Give --merchant NAME, or --secret-file FILE"}
	}
	d := &doctor{command: c, transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}, // as the functions do, no HTTP/2
	}}
	defer d.transport.CloseIdleConnections()
	if err := d.settings(ctx); err != nil {
		return err
	}
	secret, err := d.command.read(ctx, c.awsFlags)
	if err != nil {
		d.fail("secret", err.Error(), secretAdvice(err))
		secret = ""
	}
	if err == nil {
		d.examine(secret)
	}
	if !c.Offline {
		d.askGateways(ctx, secret)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted")
	}
	return d.print(t)
}

// settings finds the gateways' addresses by the functions' own rules.
func (d *doctor) settings(ctx context.Context) error {
	c := &d.command
	given := map[string]string{"IMAGECO_URL": c.ImagecoURL, "WECHATPAY_URL": c.WechatPayURL, "WECHATPAY_BACKUP_URL": c.WechatPayBackupURL}
	if c.Stack != "" {
		stack, err := describeStack(ctx, c.awsFlags, c.Stack)
		if err != nil {
			return err
		}
		for variable, parameter := range map[string]string{"IMAGECO_URL": "ImagecoUrl", "WECHATPAY_URL": "WechatPayUrl", "WECHATPAY_BACKUP_URL": "WechatPayBackupUrl"} {
			if given[variable] == "" {
				given[variable] = stack.parameters[parameter]
			}
		}
		if prefix := stack.parameters["MerchantSecretPrefix"]; c.SecretPrefix == "" {
			c.SecretPrefix = prefix
		}
	}
	getenv := func(name string) string {
		if value := given[name]; value != "" {
			return value
		}
		return os.Getenv(name)
	}
	var replyErr, completeErr error
	d.reply, replyErr = config.ReadReply(getenv)
	d.complete, completeErr = config.ReadComplete(getenv)
	if getenv("IMAGECO_URL") == "" {
		replyErr = nil // told where it is needed: the merchant may have an address of its own
	}
	for _, err := range []error{replyErr, completeErr} {
		if err != nil {
			d.fail("settings", err.Error(), "the function would not start with this setting; correct the variable, the flag or the stack's parameter")
			break
		}
	}
	return nil
}

// wants tells whether a half of the secret is needed.
func (d *doctor) wants(half string) bool {
	switch d.command.Only {
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

func (d *doctor) print(t terminal) error {
	failures, warnings := d.count(markFailed, ""), d.count(markWarning, "")
	var err error
	if failures > 0 {
		err = failed()
	}
	if d.command.JSON {
		for i := range d.checks {
			d.checks[i].Message, d.checks[i].Advice = clean(d.checks[i].Message), clean(d.checks[i].Advice)
		}
		if wrong := writeJSON(t.out, map[string]any{"merchant": d.command.Merchant, "checks": d.checks, "failed": failures, "warnings": warnings}); wrong != nil {
			return wrong
		}
		return err
	}
	marks := map[string]string{markOK: t.paint(green, "✓"), markWarning: t.paint(yellow, "!"), markFailed: t.paint(red, "✗")}
	width := 0
	for _, c := range d.checks {
		width = max(width, columns(c.Check))
	}
	for _, c := range d.checks {
		fmt.Fprintf(t.out, "%s %s%s  %s\n", marks[c.Status], c.Check, strings.Repeat(" ", width-columns(c.Check)), clean(c.Message))
		if c.Advice != "" {
			fmt.Fprintf(t.out, "  %s  %s\n", strings.Repeat(" ", width), t.paint(grey, "→ "+clean(c.Advice)))
		}
	}
	fmt.Fprintf(t.out, "\n%s: %s wrong, %s odd.\n", plural(len(d.checks), "check"), number(failures), number(warnings))
	return err
}

func number(n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}

// limit is how long the doctor waits for one call.
const limit = 10 * time.Second
