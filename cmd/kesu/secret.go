package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/pkg/wire"
)

// fileLimit bounds what is read from a file or from standard input, in bytes.
const fileLimit = 1 << 20

// secretFlags say where a merchant's secret is read.
type secretFlags struct {
	Merchant     string `placeholder:"NAME" help:"The merchant, as in the name of its secret."`
	SecretFile   string `type:"path" placeholder:"FILE" help:"A file with the secret's JSON, to use in place of Secrets Manager; - is standard input."`
	SecretPrefix string `env:"MERCHANT_SECRET_PREFIX" placeholder:"TEXT" help:"What stands before the merchant in the secret's name; by default kesu/merchants/."`
}

func (f secretFlags) given() bool { return f.Merchant != "" || f.SecretFile != "" }

func (f secretFlags) name() string {
	prefix := f.SecretPrefix
	if prefix == "" {
		prefix = "kesu/merchants/"
	}
	return prefix + f.Merchant
}

// errNoSecret says that Secrets Manager has no such secret; the text that follows says what to do.
var errNoSecret = errors.New("there is no secret of this name")

// read returns the secret's text.
func (f secretFlags) read(ctx context.Context, account awsFlags) (string, error) {
	if f.SecretFile != "" {
		return readSecretFile(f.SecretFile, "--secret-file")
	}
	if !wire.ValidID(f.Merchant) {
		return "", &exitError{exitUsage, "--merchant must be 1 to 64 of the characters 0-9, A-Z, a-z, _ and -"}
	}
	ctx, cancel := context.WithTimeout(ctx, awsLimit)
	defer cancel()
	c, err := account.config(ctx)
	if err != nil {
		return "", err
	}
	out, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(f.name())})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "ResourceNotFoundException":
		return "", fmt.Errorf("%w: %s in %s", errNoSecret, f.name(), c.Region)
	case err != nil:
		return "", awsProblem("read the secret "+f.name(), err)
	case out.SecretString == nil:
		return "", errors.New("the secret holds binary data and no text; store its JSON as SecretString")
	}
	return *out.SecretString, nil
}

// readSecretFile reads a file that holds a secret. What was given in place of a file's name is not repeated in the error: it
// may be the secret itself.
func readSecretFile(path, flag string) (string, error) {
	text, err := readInput(path, os.Stdin)
	var wrong *os.PathError
	if errors.As(err, &wrong) {
		return "", fmt.Errorf("the file that %s names cannot be read: %w", flag, wrong.Err)
	}
	return string(text), err
}

// readInput reads a whole file, or standard input for "-".
func readInput(path string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, fileLimit+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > fileLimit:
		return nil, fmt.Errorf("%s is longer than %d bytes", path, fileLimit)
	}
	return text, nil
}
