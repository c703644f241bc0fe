package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kesu-go/kesu/internal/onboard"
	"github.com/kesu-go/kesu/internal/secretfile"
)

type merchantPut struct {
	Name       string `arg:"" help:"The merchant: 1 to 64 of the characters 0-9, A-Z, a-z, _ and -."`
	SecretFile string `type:"path" placeholder:"FILE" help:"A file with the secret's JSON, stored as it is; - is standard input."`
	Change     bool   `help:"Begin with the secret that the merchant has, and change only what the other flags give."`
	pieceFlags
	storeFlags
}

// Help is the example that kesu help shows.
func (merchantPut) Help() string { return merchantPutHelp }

const merchantPutHelp = `Gives a merchant a secret: one that is written already (--secret-file), or one put together from the files that a person has, with the flags and the care of kesu merchant make. With --change it begins with the secret that the merchant has. Without it, a secret from files does not take away the half (imageco or wechatpay) that the merchant has and the files do not give.

The functions' own parser reads the secret before it is written. It is written under a version check, so that of two people who write at once nobody's change is lost; the former version stays as AWSPREVIOUS. No file is deleted or changed: delete yours when exit code 0 has said that the secret is in force. No value is ever printed.

Examples:
  kesu merchant put acme --secret-file secret.json --stack kesu
  kesu merchant put acme --p12 apiclient_cert.p12 --mchid 1900000001 --platform-key pub_key.pem --platform-id PUB_KEY_ID_0119000000012024101600 --imageco-key imageco_key.txt --isspid 39493002 --system-id 8888 --seller-account 66660000000000001 --stack kesu
  kesu merchant put acme --change --platform-key pub_key.pem --platform-id PUB_KEY_ID_0119000000012024101600 --keep-platform --stack kesu

Exit codes: 0 done; 1 it could not be done; 2 wrong command line; 3 nothing was written because others write the same secret, try again.`

// Run puts a merchant's secret.
func (c merchantPut) Run(ctx context.Context, t terminal) error {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	edit, notes, err := c.edit()
	if err != nil {
		return err
	}
	o, err := c.options(ctx)
	if err != nil {
		return err
	}
	report, err := onboard.Change(ctx, o, c.Name, edit)
	report.Notes = *notes
	return c.tell(t, report, err)
}

// edit says what becomes of the secret that the merchant has. The notes are those of its last call.
func (c merchantPut) edit() (func(present string) (string, error), *[]string, error) {
	var notes []string
	switch pieces := c.given(); {
	case c.SecretFile != "" && (pieces || c.Change):
		return nil, nil, usage("--secret-file is the whole secret; give it alone, or begin with it: --from")
	case c.SecretFile != "":
		secret, err := readSecretFile(c.SecretFile, "--secret-file")
		return func(string) (string, error) { return secret, nil }, &notes, err
	case !pieces:
		return nil, nil, usage("nothing was given to put: give --secret-file, or files as for kesu merchant make")
	case c.Change && c.From != "":
		return nil, nil, usage("--change begins with the secret that the merchant has, --from with another one; give one of them")
	}
	in, err := c.inputs()
	if err != nil {
		return nil, nil, err
	}
	return func(present string) (string, error) {
		if c.Change {
			if present == "" {
				return "", errors.New("the merchant has no secret yet that could be changed; leave --change out")
			}
			in.From = []byte(present)
		}
		made, err := secretfile.Assemble(in)
		if err != nil {
			return "", err
		}
		notes = made.Notes
		return made.Secret, keepsHalves(present, made.Secret)
	}, &notes, nil
}

// keepsHalves refuses a secret that lacks a half that the merchant has: whoever has only one vendor's files at hand
// rarely means to take the other vendor away.
func keepsHalves(present, made string) error {
	anyURL := func(string) error { return nil }
	had, err := onboard.Check(present, anyURL)
	if err != nil {
		return nil // there is none, or none that a function could use
	}
	has, err := onboard.Check(made, anyURL)
	if err != nil {
		return err
	}
	for _, half := range had {
		if !slices.Contains(has, half) {
			return fmt.Errorf("the merchant has %s, and the files do not give it; --change keeps it, and --secret-file replaces the whole", half)
		}
	}
	return nil
}
