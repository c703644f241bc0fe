package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kesu-go/kesu/internal/secretfile"
)

// Help is the example that kesu help shows.
func (merchantMake) Help() string { return merchantMakeHelp }

const merchantMakeHelp = `Puts a merchant's secret together from the files that a person has, in whatever form they are: PEM with a byte order mark, Windows line ends, lost line breaks or none of its lines, base64 of it, UTF-16, a .p12; or from a secret that is written in a form that the functions do not read (--from). Says what it put right, holds private key, certificate, mchid and serial_no against each other, lets the functions' own reader check the whole, and writes it to a new file that only you can read. Nothing secret is printed.

Examples:
  kesu merchant make --from secret.json --out new.json
  kesu merchant make --private-key apiclient_key.pem --certificate apiclient_cert.pem --platform-key pub_key.pem --platform-id PUB_KEY_ID_0119000000012024101600 --imageco-key imageco_key.txt --isspid 39493002 --system-id 8888 --seller-account 66660000000000001 --out secret.json
  kesu merchant make --p12 apiclient_cert.p12 --mchid 1900000001 --platform-key pub_key.pem --platform-id PUB_KEY_ID_0119000000012024101600 --out secret.json

Exit codes: 0 the secret was made and is one that the functions read; 1 it was not, and nothing was written; 2 wrong command line.`

type merchantMake struct {
	Out string `type:"path" required:"" placeholder:"FILE" help:"The file to write, readable by you alone; it must not exist yet."`
	pieceFlags
	jsonFlag
}

// Run makes the secret and writes it.
func (c merchantMake) Run(_ context.Context, t terminal) error {
	in, err := c.inputs()
	if err != nil {
		return err
	}
	made, err := secretfile.Assemble(in)
	if err != nil {
		return err
	}
	if err := writeSecret(c.Out, made.Secret); err != nil {
		return err
	}
	if c.JSON {
		notes := made.Notes
		if notes == nil {
			notes = []string{}
		}
		return writeJSON(t.out, map[string]any{"made": true, "notes": notes})
	}
	for _, note := range made.Notes {
		fmt.Fprintln(t.out, t.paint(yellow, "!"), clean(note))
	}
	fmt.Fprintln(t.out, t.paint(green, "✓"), "the secret was written, and is one that the functions read; kesu doctor --secret-file looks at it further")
	return nil
}

// writeSecret writes a new file for its owner alone. A file that is there already is left as it is: it may be the only
// copy of a key.
func writeSecret(path, secret string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		return errors.New("the file that --out names is there already; name a new one")
	case err != nil:
		return errors.New("the file that --out names cannot be written; look at its directory")
	}
	_, err = file.WriteString(secret)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("the secret was not written whole to %s", filepath.Base(path)), os.Remove(path))
	}
	return nil
}
