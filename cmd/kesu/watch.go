package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/kesu-go/kesu/internal/notifyurl"
	"github.com/kesu-go/kesu/internal/operate"
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

// Run reads the address, changes it if it is to be another, and reads it again.
func (c watchURL) Run(ctx context.Context, t terminal) error {
	if err := c.fromStack(ctx); err != nil {
		return err
	}
	if c.Merchant == "" {
		return usage("--merchant is missing")
	}
	if err := c.validMerchant(); err != nil {
		return err
	}
	options := notifyurl.Options{Merchant: c.Merchant, Set: c.Set, Remove: c.Remove,
		WechatPayURL:       cmp.Or(c.WechatPayURL, os.Getenv("WECHATPAY_URL")),
		WechatPayBackupURL: cmp.Or(c.WechatPayBackupURL, os.Getenv("WECHATPAY_BACKUP_URL"))}
	if err := options.Check(); err != nil {
		return err
	}
	var err error
	if options.Secret, err = c.read(ctx, c.account()); err != nil {
		return err
	}
	report, err := notifyurl.Run(ctx, options)
	if err != nil {
		return err
	}
	return c.print(t, report)
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

func (c watchURL) print(t terminal, told notifyurl.Report) error {
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
