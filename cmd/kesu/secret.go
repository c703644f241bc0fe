package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kesu-go/kesu/internal/onboard"
	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/pkg/wire"
)

// fileLimit bounds what is read from a file or from standard input, in bytes.
const fileLimit = 1 << 20

// secretFlags say where a merchant's secret is read.
type secretFlags struct {
	Merchant     string `placeholder:"NAME" help:"The merchant, as in the name of its secret."`
	SecretFile   string `type:"path" placeholder:"FILE" help:"A file with the secret's JSON, to use in place of Secrets Manager; - is standard input."`
	SecretPrefix string `env:"MERCHANT_SECRET_PREFIX" placeholder:"TEXT" help:"What stands before the merchant in the secret's name; by default kesu/merchants/."`
	MerchantKeys string `env:"MERCHANT_KEYS" placeholder:"WHERE" help:"secretsmanager: each merchant has a secret of its own; packed, or packed:N: it is in one of 64 or N packs. By default secretsmanager."`
}

func (f secretFlags) given() bool { return f.Merchant != "" || f.SecretFile != "" }

// prefix is what stands before the merchant in the secret's name.
func (f secretFlags) prefix() string {
	if f.SecretPrefix == "" {
		return "kesu/merchants/"
	}
	return f.SecretPrefix
}

// place is where merchants' secrets are.
func (f secretFlags) place() (onboard.Place, error) {
	place, err := onboard.ParsePlace(f.MerchantKeys)
	if err != nil {
		return 0, usage("--merchant-keys (MERCHANT_KEYS) " + err.Error())
	}
	return place, nil
}

// read returns the secret's text.
func (f secretFlags) read(ctx context.Context, account operate.AWS) (string, error) {
	if f.SecretFile != "" {
		return readSecretFile(f.SecretFile, "--secret-file")
	}
	if err := f.validMerchant(); err != nil {
		return "", err
	}
	place, err := f.place()
	if err != nil {
		return "", err
	}
	return operate.ReadSecret(ctx, account, place, f.prefix(), f.Merchant)
}

func (f secretFlags) validMerchant() error {
	if !wire.ValidID(f.Merchant) {
		return usage("--merchant must be 1 to 64 of the characters 0-9, A-Z, a-z, _ and -")
	}
	return nil
}

// readSecretFile reads a file that holds a secret. What was given in place of a file's name is not repeated in the error: it
// may be the secret itself.
func readSecretFile(path, flag string) (string, error) {
	text, err := readInput(path, os.Stdin)
	if err != nil {
		return "", fmt.Errorf("the file that %s names: %w", flag, err)
	}
	return string(text), nil
}

// readInput reads a whole file, or standard input for "-".
func readInput(path string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		var wrong *os.PathError
		if errors.As(err, &wrong) { // what was given as a name may be a key
			return nil, fmt.Errorf("the file cannot be read: %w", wrong.Err)
		}
		if err != nil {
			return nil, errors.New("the file cannot be read")
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, fileLimit+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > fileLimit:
		return nil, fmt.Errorf("it is longer than %d bytes", fileLimit)
	}
	return text, nil
}
