package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/doctor"
	"github.com/kesu-go/kesu/internal/operate"
)

type doctorCommand struct {
	secretFlags
	All         bool   `help:"Look at every merchant that has a secret under the prefix."`
	Only        string `enum:"both,reply,complete" default:"both" help:"What the merchant is used for: both, reply (翼码) or complete (WeChat Pay)."`
	Complaint   string `placeholder:"ID" help:"A complaint of the merchant's, to ask 翼码 for: the only way to see whether 翼码 takes the key."`
	Certificate string `type:"path" placeholder:"FILE" help:"The merchant's API certificate (apiclient_cert.pem), to hold private_key, serial_no and mchid against."`
	AsFunction  string `placeholder:"NAME" help:"A deployed function, by name or ARN: take its settings, and read the secret with its role, or ask IAM what the role may do."`
	Offline     bool   `help:"Look at the secret only, and ask no gateway."`
	Strict      bool   `help:"For a schedule: a certificate that ends within 30 days counts as a ✗ in the exit code."`

	Stack              string `placeholder:"NAME" help:"Take the gateways' addresses, and where the secret is, from the parameters of a stack."`
	ImagecoURL         string `name:"imageco-url" placeholder:"URL" help:"翼码's gateway; by default IMAGECO_URL, as for the function."`
	WechatPayURL       string `name:"wechatpay-url" placeholder:"URL" help:"WeChat Pay's host; by default WECHATPAY_URL."`
	WechatPayBackupURL string `name:"wechatpay-backup-url" placeholder:"URL" help:"WeChat Pay's other host; by default WECHATPAY_BACKUP_URL."`
	awsFlags
	jsonFlag
	langFlag
}

// Help is the example that kesu help shows.
func (doctorCommand) Help() string {
	return `Is this merchant's set-up right, before a consumer waits? Reads the secret, names everything that is missing or odd, shows fingerprints, serial numbers and expiry dates (never a key), the time to both gateways, their TLS and their clocks. Proves the WeChat Pay keys with its self-test (POST /v3/security/echo), and 翼码's key and charset with queries for a complaint that you name. Says whose rights were tested. Nothing is changed anywhere.

Examples:
  kesu doctor --merchant acme
  kesu doctor --merchant acme --complaint 200201820200101080076610000 --stack kesu
  kesu doctor --merchant acme --as-function kesu-reply
  kesu doctor --all --strict --json
  kesu doctor --secret-file secret.json --certificate apiclient_cert.pem --offline

On the sandbox that kesu run starts: set AWS_ENDPOINT_URL_SECRETS_MANAGER, IMAGECO_URL, WECHATPAY_URL and WECHATPAY_BACKUP_URL to the addresses that it prints, and AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to anything.

Exit codes: 0 every check is ✓ or !; 1 a check is ✗ (with --strict also when a certificate ends within 30 days); 2 wrong command line; 3 nothing is known to be wrong, and something could not be looked at for now (a network, a limit of AWS's).`
}

// Run examines one merchant, or all, and prints what was found.
func (c doctorCommand) Run(ctx context.Context, t terminal) error {
	switch {
	case c.All && c.given():
		return usage("give --all or one merchant, not both")
	case !c.All && !c.given():
		return usage(doctor.ErrNoMerchant.Error())
	case c.AsFunction != "" && c.SecretFile != "":
		return usage("--as-function tests who may read a secret in Secrets Manager; give --merchant in place of --secret-file")
	}
	o, err := c.options(ctx)
	if err != nil {
		return err
	}
	names := []string{c.Merchant}
	if c.All {
		if names, err = doctor.Merchants(ctx, *o.AWS, o.Prefix); err != nil {
			return err
		}
		if len(names) == 0 {
			return fmt.Errorf("there is no merchant's secret under %s in %s", o.prefix(), o.AWS.Region)
		}
	}
	reports := []doctor.Report{}
	for _, name := range names {
		o.Merchant = name
		report, err := doctor.Run(ctx, o.Options)
		if err != nil {
			return err
		}
		reports = append(reports, report)
	}
	return c.print(t, reports)
}

// doctorOptions are the package's, put together from the command line.
type doctorOptions struct{ doctor.Options }

func (o doctorOptions) prefix() string {
	if o.Prefix == "" {
		return doctor.DefaultPrefix
	}
	return o.Prefix
}

// options reads everything that the command line names.
func (c doctorCommand) options(ctx context.Context) (doctorOptions, error) {
	o := doctorOptions{doctor.Options{Complaint: c.Complaint, Offline: c.Offline, AsFunction: c.AsFunction, Prefix: c.SecretPrefix, Language: c.language()}}
	if c.Only != "both" {
		o.Only = c.Only
	}
	given := map[string]string{"IMAGECO_URL": c.ImagecoURL, "WECHATPAY_URL": c.WechatPayURL, "WECHATPAY_BACKUP_URL": c.WechatPayBackupURL}
	keys := c.MerchantKeys
	if c.Stack != "" {
		var err error
		if keys, err = c.fromStack(ctx, given, &o); err != nil {
			return o, err
		}
	}
	o.Getenv = func(name string) string {
		if value := given[name]; value != "" {
			return value
		}
		return os.Getenv(name)
	}
	if c.Certificate != "" {
		text, err := readSecretFile(c.Certificate, "--certificate")
		if err != nil {
			return o, err
		}
		o.Certificate = []byte(text)
	}
	if c.SecretFile != "" {
		text, err := readSecretFile(c.SecretFile, "--secret-file")
		if err != nil {
			return o, err
		}
		o.Secret = aws.String(text)
		return o, nil
	}
	if !c.All {
		if err := c.validMerchant(); err != nil {
			return o, err
		}
	}
	if keys == "" {
		keys = c.MerchantKeys
	}
	place, err := secretFlags{MerchantKeys: keys}.place()
	if err != nil {
		return o, err
	}
	if o.Place = place; c.All && place != 0 {
		return o, usage("--all looks at secrets of their own and not into packs; name the merchants one by one")
	}
	account, err := c.account().Config(ctx)
	o.AWS = &account
	return o, err
}

// fromStack takes addresses and prefix from a stack's parameters, where no flag says otherwise.
func (c doctorCommand) fromStack(ctx context.Context, given map[string]string, o *doctorOptions) (keys string, err error) {
	stack, err := operate.DescribeStack(ctx, c.account(), c.Stack)
	if err != nil {
		return "", err
	}
	for variable, parameter := range map[string]string{"IMAGECO_URL": "ImagecoUrl", "WECHATPAY_URL": "WechatPayUrl", "WECHATPAY_BACKUP_URL": "WechatPayBackupUrl"} {
		if given[variable] == "" {
			given[variable] = stack.Parameters[parameter]
		}
	}
	if o.Prefix == "" {
		o.Prefix = stack.Parameters["MerchantSecretPrefix"]
	}
	if c.MerchantKeys != "" {
		return c.MerchantKeys, nil
	}
	return stack.Parameters["MerchantKeys"], nil
}

// print shows the reports, and returns the error that holds the exit code.
func (c doctorCommand) print(t terminal, reports []doctor.Report) error {
	failures, warnings, ringing, temporary := 0, 0, 0, true
	for _, r := range reports {
		failures += r.Failed
		warnings += r.Warnings
		ringing += r.Ringing
		temporary = temporary && (r.Failed == 0 || r.Temporary)
	}
	var err error
	switch {
	case failures > 0 && temporary && (!c.Strict || ringing == 0):
		err = operate.New(operate.Retryable, "")
	case failures > 0 || c.Strict && ringing > 0:
		err = failed()
	}
	if c.JSON {
		var shown any = map[string]any{"merchants": reports, "failed": failures, "warnings": warnings}
		if !c.All {
			shown = reports[0]
		}
		return errors.Join(writeJSON(t.out, shown), err)
	}
	for i, r := range reports {
		if c.All {
			if i > 0 {
				fmt.Fprintln(t.out)
			}
			fmt.Fprintln(t.out, clean(r.Merchant))
		}
		printReport(t, r, c.language())
	}
	return err
}

var doctorWords = struct{ total, as, tell advice.Words }{
	total: advice.Words{EN: "%s: %s wrong, %s odd.", ZH: "共 %s：错误 %s，异常 %s。"},
	as:    advice.Words{EN: "The secret was read with the rights of: %s.", ZH: "读取密钥条目所用的权限：%s。"},
	tell:  advice.Words{EN: "to tell: ", ZH: "如何区分："},
}

func printReport(t terminal, r doctor.Report, l advice.Language) {
	marks := map[string]string{doctor.OK: t.paint(green, "✓"), doctor.Warning: t.paint(yellow, "!"), doctor.Failed: t.paint(red, "✗")}
	width := 0
	for _, c := range r.Checks {
		width = max(width, columns(c.Check))
	}
	for _, c := range r.Checks {
		fmt.Fprintf(t.out, "%s %s%s  %s\n", marks[c.Status], c.Check, strings.Repeat(" ", width-columns(c.Check)), clean(c.Message))
		indent := strings.Repeat(" ", width)
		if c.HowToTell != "" {
			fmt.Fprintf(t.out, "  %s  %s\n", indent, t.paint(grey, doctorWords.tell.In(l)+clean(c.HowToTell)))
		}
		if c.Advice != "" {
			fmt.Fprintf(t.out, "  %s  %s\n", indent, t.paint(grey, "→ "+clean(c.Advice)))
		}
	}
	if r.TestedAs != "the file" {
		fmt.Fprintln(t.out, "\n"+doctorWords.as.In(l, clean(r.TestedAs)))
	}
	checks := plural(len(r.Checks), "check")
	if l == advice.Chinese {
		checks = fmt.Sprintf("%d 项", len(r.Checks))
	}
	fmt.Fprintln(t.out, "\n"+doctorWords.total.In(l, checks, number(r.Failed, l), number(r.Warnings, l)))
}

func number(n int, l advice.Language) string {
	if n == 0 && l == advice.English {
		return "none"
	}
	return fmt.Sprint(n)
}
