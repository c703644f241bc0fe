package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/onboard"
	"github.com/kesu-go/kesu/internal/operate"
)

type merchantCommand struct {
	Make   merchantMake   `cmd:"" help:"Make a merchant's secret from files, and check it."`
	Put    merchantPut    `cmd:"" help:"Give a merchant a secret, a new one or in place of the present one."`
	List   merchantList   `cmd:"" help:"List the merchants that have a secret."`
	Remove merchantRemove `cmd:"" help:"Take a merchant's secret away."`
	Copy   merchantCopy   `cmd:"" help:"Copy all merchants to another store, before the functions are told to read there."`
}

const merchantExamples = `Where the merchants' secrets are is the stack's parameter MerchantKeys, or --merchant-keys: secretsmanager (a secret for each) or packed:N (N packs, each of which holds many). A secret is read by the functions' own parser before it is written, and written under a version check: of two people who write to one pack at once, nobody's merchant is lost. No value is ever printed.

Examples:
  kesu merchant put acme --secret-file secret.json --stack kesu
  kesu merchant put acme --secret-file - --packed < secret.json
  kesu merchant put acme --change --platform-key pub_key.pem --platform-id PUB_KEY_ID_0119000000012024101600 --stack kesu
  kesu merchant list --stack kesu
  kesu merchant remove acme --stack kesu
  kesu merchant copy --to packed:1200 --stack kesu

copy takes nothing away. Until the old store is deleted, put and remove write to both.

Exit codes: 0 done; 1 something could not be done, or you said no; 2 wrong command line; 3 nothing was written because others write the same secret, try again.`

// Help is the example that kesu help shows.
func (merchantCommand) Help() string { return merchantExamples }

// Help is the example that kesu help shows.
func (merchantList) Help() string { return merchantExamples }

// Help is the example that kesu help shows.
func (merchantRemove) Help() string { return merchantExamples }

// Help is the example that kesu help shows.
func (merchantCopy) Help() string { return merchantExamples }

// storeFlags say where merchants' secrets are.
type storeFlags struct {
	Stack        string `placeholder:"NAME" help:"Take where the secrets are from the parameters of a deployed stack."`
	SecretPrefix string `env:"MERCHANT_SECRET_PREFIX" placeholder:"TEXT" help:"What stands before the merchant in the secret's name; by default kesu/merchants/."`
	MerchantKeys string `env:"MERCHANT_KEYS" xor:"store" placeholder:"WHERE" help:"secretsmanager, packed, or packed:N."`
	Packed       bool   `xor:"store" help:"The same as --merchant-keys packed."`
	KMSKey       string `name:"kms-key" placeholder:"ARN" help:"The key to encrypt a new secret with; by default the stack's, or AWS's own."`
	awsFlags
	jsonFlag
}

type merchantList struct{ storeFlags }

type merchantRemove struct {
	Name string `arg:"" help:"The merchant."`
	Yes  bool   `help:"Do not ask."`
	storeFlags
}

type merchantCopy struct {
	To string `required:"" placeholder:"WHERE" help:"The other store: secretsmanager, packed, or packed:N."`
	storeFlags
}

// storeLimit bounds a command; a copy of thousands of merchants takes a call or three for each pack.
const storeLimit = 15 * time.Minute

// options finds the store.
func (f storeFlags) options(ctx context.Context) (onboard.Options, error) {
	if f.Packed {
		f.MerchantKeys = "packed"
	}
	if f.Stack != "" {
		s, err := operate.DescribeStack(ctx, f.account(), f.Stack)
		if err != nil {
			return onboard.Options{}, err
		}
		for into, parameter := range map[*string]string{&f.SecretPrefix: "MerchantSecretPrefix", &f.MerchantKeys: "MerchantKeys", &f.KMSKey: "SecretsKmsKeyArn"} {
			if *into == "" {
				*into = s.Parameters[parameter]
			}
		}
	}
	where := secretFlags{SecretPrefix: f.SecretPrefix, MerchantKeys: f.MerchantKeys}
	place, err := where.place()
	if err != nil {
		return onboard.Options{}, err
	}
	account, err := f.account().Config(ctx)
	if err != nil {
		return onboard.Options{}, err
	}
	rules, _ := config.ReadReply(os.Getenv) // for its rule about a merchant's own URL alone
	return onboard.Options{Client: secretsmanager.NewFromConfig(account), Prefix: where.prefix(), Place: place, KMSKey: f.KMSKey,
		CheckURL: rules.CheckGatewayURL, Pause: onboard.Pause}, nil
}

// Run takes a merchant's secret away.
func (c merchantRemove) Run(ctx context.Context, t terminal) error {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	o, err := c.options(ctx)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Take the secret of %s away from %s? Its complaints can then be neither answered nor completed.", c.Name, o.Place.Secret(o.Prefix, c.Name))
	if err := confirm(t, os.Stdin, c.Yes, question); err != nil {
		return err
	}
	report, err := onboard.Remove(ctx, o, c.Name)
	return c.tell(t, report, err)
}

// tell prints what was written, also before an error.
func (f storeFlags) tell(t terminal, report onboard.Report, err error) error {
	if f.JSON {
		if wrong := writeJSON(t.out, report); wrong != nil {
			return wrong
		}
		return storeProblem(err)
	}
	for _, note := range report.Notes {
		fmt.Fprintln(t.out, t.paint(yellow, "!"), clean(note))
	}
	for _, w := range report.Written {
		fmt.Fprintf(t.out, "%s %s: %s\n", t.paint(green, "✓"), clean(w.Secret), w.Change)
	}
	if len(report.Halves) > 0 && err == nil {
		fmt.Fprintf(t.out, "%s has what is needed for: %s. Functions that hold an older one read it again within SECRET_SOFT_TTL.\n", report.Merchant, strings.Join(report.Halves, ", "))
	}
	return storeProblem(err)
}

// Run lists the merchants.
func (c merchantList) Run(ctx context.Context, t terminal) error {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	o, err := c.options(ctx)
	if err != nil {
		return err
	}
	listing, err := onboard.List(ctx, o)
	if err != nil {
		return storeProblem(err)
	}
	wrong := len(listing.Problems)
	for _, p := range listing.Packs {
		if p.Problem != "" {
			wrong++
		}
	}
	if c.JSON {
		err = writeJSON(t.out, listing)
	} else {
		c.print(t, listing)
	}
	if err == nil && wrong > 0 {
		err = failed()
	}
	return err
}

func (c merchantList) print(t terminal, l onboard.Listing) {
	for _, name := range l.Merchants {
		fmt.Fprintln(t.out, clean(name))
	}
	for _, p := range l.Packs {
		if p.Problem != "" {
			fmt.Fprintf(t.out, "%s %s: %s\n", t.paint(red, "✗"), clean(p.Secret), clean(p.Problem))
		}
	}
	for _, p := range l.Problems {
		fmt.Fprintf(t.out, "%s %s: %s\n", t.paint(red, "✗"), clean(p.Merchant), clean(p.Problem))
	}
	fmt.Fprintf(t.out, "\n%s in %s", plural(len(l.Merchants), "merchant"), l.Place)
	if len(l.Packs) > 0 {
		fmt.Fprintf(t.out, ", %s, the fullest to %.0f %%", plural(len(l.Packs), "pack"), 100*l.Fullest())
	}
	fmt.Fprintln(t.out, ".")
	if l.Fullest() > 0.8 {
		fmt.Fprintf(t.out, "%s soon a pack is full: copy all to a store with more packs (kesu merchant copy --to packed:N)\n", t.paint(yellow, "!"))
	}
	if len(l.Others) > 0 {
		fmt.Fprintf(t.out, "There is another store beside it: %s. put and remove write to it too.\n", strings.Join(l.Others, ", "))
	}
}

// Run copies all merchants to another store.
func (c merchantCopy) Run(ctx context.Context, t terminal) error {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	to, err := onboard.ParsePlace(c.To)
	if err != nil {
		return usage("--to " + err.Error())
	}
	o, err := c.options(ctx)
	if err != nil {
		return err
	}
	copied, err := onboard.Copy(ctx, o, to)
	if c.JSON {
		if wrong := writeJSON(t.out, copied); wrong != nil {
			return wrong
		}
		return storeProblem(err)
	}
	fmt.Fprintf(t.out, "%s written from %s to %s.\n", plural(copied.Written, "merchant"), copied.From, copied.To)
	for _, p := range copied.Problems {
		fmt.Fprintf(t.out, "%s %s was left out: %s\n", t.paint(yellow, "!"), clean(p.Merchant), clean(p.Problem))
	}
	for _, name := range copied.Only {
		fmt.Fprintf(t.out, "%s %s is only in %s, and was left there\n", t.paint(yellow, "!"), clean(name), copied.To)
	}
	if err == nil {
		fmt.Fprintf(t.out, "Both have %s alike. Now deploy with MerchantKeys=%s.\n", plural(copied.Merchants, "merchant"), copied.To)
	}
	return storeProblem(err)
}

// storeProblem words an error of a store.
func storeProblem(err error) error {
	var call *onboard.CallError
	switch {
	case errors.Is(err, onboard.ErrBusy):
		return operate.New(operate.Retryable, err.Error())
	case errors.As(err, &call):
		doing := strings.TrimSuffix(err.Error(), ": "+call.Err.Error()) // with what was done before
		return operate.Problem(doing, call.Err)
	}
	return err
}
