package onboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Options say where merchants' secrets are. All but KMSKey must be given.
type Options struct {
	Client   *secretsmanager.Client
	Prefix   string                                 // MERCHANT_SECRET_PREFIX
	Place    Place                                  // where the functions read
	KMSKey   string                                 // the key to encrypt new secrets with; empty for AWS's own
	CheckURL func(string) error                     // the rules of IMAGECO_URL, see [merchant.ParseImageco]
	Pause    func(ctx context.Context, n int) error // [Pause]
}

// Written is what became of one secret.
type Written struct {
	Secret string `json:"secret"` // its id
	Change string `json:"change"`
}

// Report is what was done for one merchant.
type Report struct {
	Merchant string    `json:"merchant"`
	Halves   []string  `json:"halves,omitempty"` // what it can be used for: imageco, wechatpay
	Notes    []string  `json:"notes,omitempty"`  // what was put right in the files that the secret was made from
	Written  []Written `json:"written"`
}

// Put gives a merchant a secret, a new one or in place of the present one, as [Change] does.
func Put(ctx context.Context, o Options, name, secret string) (Report, error) {
	return Change(ctx, o, name, func(string) (string, error) { return secret, nil })
}

// Change gives a merchant the secret that edit makes of the present one, which is "" when there is none, after reading it
// with the functions' own parsers. Edit is called again when another change came first. The secret is written to the place
// that the functions read, then to each other place that has the merchant or, being packs, will be asked for it after a
// [Copy], so that all stay alike. The report names what was written also when there is an error.
func Change(ctx context.Context, o Options, name string, edit func(present string) (string, error)) (Report, error) {
	report := Report{Merchant: name}
	if !wire.ValidID(name) {
		return report, errors.New("a merchant's name is 1 to 64 of the characters 0-9, A-Z, a-z, _ and -")
	}
	var secret string
	build := func(present string) (err error) {
		if secret, err = edit(present); err != nil {
			return err
		}
		secret = strings.TrimPrefix(secret, mark)
		report.Halves, err = Check(secret, o.CheckURL)
		return err
	}
	made := false
	err := o.everywhere(ctx, &report, func(p Place) (string, error) {
		changed, err := o.change(ctx, p.Secret(o.Prefix, name), func(text string) (string, error) {
			if !made {
				present, err := p.present(text, name)
				if err == nil {
					err = build(present)
				}
				if err != nil {
					return "", err
				}
			}
			return p.put(name, p.form(secret))(text)
		})
		made = made || err == nil // the other places get what the functions' place got
		return changed, err
	})
	return report, err
}

// Remove takes a merchant's secret out of the place that the functions read, and then out of each other one. A secret of
// its own can be restored for 30 days; the version of a pack that had the merchant stays as AWSPREVIOUS until the next
// change.
func Remove(ctx context.Context, o Options, name string) (Report, error) {
	report := Report{Merchant: name}
	if !wire.ValidID(name) {
		return report, errors.New("a merchant's name is 1 to 64 of the characters 0-9, A-Z, a-z, _ and -")
	}
	err := o.everywhere(ctx, &report, func(p Place) (string, error) {
		id := p.Secret(o.Prefix, name)
		if p != 0 {
			return o.change(ctx, id, remove(name))
		}
		_, err := o.Client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: aws.String(id), RecoveryWindowInDays: aws.Int64(30)})
		switch {
		case code(err) == "ResourceNotFoundException":
			return Unchanged, nil
		case err != nil:
			return "", &CallError{"delete the secret " + id, err}
		}
		return Deleted, nil
	})
	return report, err
}

// everywhere writes to the functions' place, then looks which others there are and writes to those. In this order a copy
// that is being made meanwhile either sees the merchant or is seen here.
func (o Options) everywhere(ctx context.Context, report *Report, write func(Place) (string, error)) error {
	to := func(p Place) error {
		done, err := write(p)
		if err == nil {
			report.Written = append(report.Written, Written{p.Secret(o.Prefix, report.Merchant), done})
		}
		return err
	}
	if err := to(o.Place); err != nil {
		return err
	}
	found, err := o.look(ctx)
	if err != nil {
		return fmt.Errorf("what the functions read is written; whether there are copies beside it cannot be seen: %w", err)
	}
	others := found.places()
	if slices.Contains(found.own, report.Merchant) {
		others = append(others, 0)
	}
	for _, p := range others {
		if p == o.Place {
			continue
		}
		if err := to(p); err != nil {
			return fmt.Errorf("what the functions read is written, its copy in %s is not: %w", p, err)
		}
	}
	return nil
}

// Check reads a secret as the functions do and returns the halves that it has. One that it lacks is no fault, as long as
// there is the other. An error names the field and never what it holds.
func Check(secret string, checkURL func(string) error) (halves []string, err error) {
	_, imageco := merchant.ParseImageco(secret, checkURL)
	_, wechatpay := merchant.ParseWechatPay(secret)
	for _, half := range []struct {
		name string
		err  error
	}{{"imageco", imageco}, {"wechatpay", wechatpay}} {
		var wrong *merchant.FieldError
		switch {
		case half.err == nil:
			halves = append(halves, half.name)
		case errors.As(half.err, &wrong) && *wrong == merchant.FieldError{Field: half.name, Problem: "is missing"}:
		default:
			return nil, fmt.Errorf("the secret is not one that the functions could use: %w", half.err)
		}
	}
	if len(halves) == 0 {
		return nil, errors.New("the secret has neither imageco nor wechatpay, so no function could use it")
	}
	return halves, nil
}

// mark is the byte order mark that some editors put before a text. In a pack it could not stand.
const mark = "\ufeff"

// form is a secret as a place keeps it: in a pack without the JSON's blanks, which would take room from others.
func (p Place) form(secret string) string {
	var text bytes.Buffer
	if p == 0 || json.Compact(&text, []byte(secret)) != nil {
		return secret
	}
	return text.String()
}
