package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

type signCommand struct {
	File string `arg:"" optional:"" default:"-" type:"path" help:"The message: 翼码's JSON or XML (or its form), or an HTTP request or answer of WeChat Pay with its headers. By default standard input."`
	For  string `enum:"auto,imageco,wechatpay" default:"auto" help:"Whose message it is (${enum}); auto looks at the message."`

	Signature string `placeholder:"TEXT" help:"The signature to explain, when it does not stand in the message. - reads it from standard input."`
	secretFlags
	KeyFile string `type:"path" placeholder:"FILE" help:"A file with the key alone, in place of the merchant's secret: 翼码's key, or a PEM (private key, public key or certificate)."`
	GBK     bool   `name:"gbk" help:"翼码 JSON: the agreed charset of the sign is GBK. With a merchant the secret says so."`

	Method    string `placeholder:"POST" help:"WeChat Pay, for a message that is a body alone: the method."`
	URL       string `name:"url" placeholder:"PATH" help:"… the path with its query."`
	Timestamp string `placeholder:"SECONDS" help:"… the timestamp."`
	Nonce     string `placeholder:"TEXT" help:"… the nonce_str."`
	awsFlags
	jsonFlag
}

// jsonFlag asks for output that a program can read.
type jsonFlag struct {
	JSON bool `name:"json" help:"Write JSON in place of text."`
}

// Help is the example that kesu help shows.
func (signCommand) Help() string {
	return `Shows what exactly is signed, with the key blanked, and the signature. When the message carries a signature, or one is given, says whether it is right, and if not which usual mistake gives just that signature: members in another order or left out, another charset, a missing line feed, the key on one side only, and many more, up to three at once.

Examples:
  kesu sign --merchant acme reply.json
  kesu sign --key-file key.txt --signature 2EB4051F33C84719D59E0F5EADACF5D2 < reply.json
  kesu sign --key-file apiclient_key.pem request.http
  kesu sign --merchant acme answer.http

request.http is the request as it went out: "POST /v3/… HTTP/1.1", the headers with Authorization, an empty line, the body.

Exit codes: 0 the signature is right, or none was given; 1 it is wrong, or the message or the key cannot be read; 2 wrong command line.`
}

// explanation is what kesu sign finds out. It never holds a key.
type explanation struct {
	Scheme      string   `json:"scheme"`
	Signed      string   `json:"signed"`           // what is signed, the key blanked
	Result      string   `json:"result,omitempty"` // the right signature, when there is a key to make it with
	Given       string   `json:"given,omitempty"`
	Matches     *bool    `json:"matches,omitempty"`
	Differences []string `json:"differences,omitempty"` // what would make the given signature come out
	Notes       []string `json:"notes,omitempty"`
}

func (e *explanation) note(format string, args ...any) {
	e.Notes = append(e.Notes, fmt.Sprintf(format, args...))
}

func (e *explanation) matches(yes bool) { e.Matches = &yes }

// Run explains one message.
func (c signCommand) Run(ctx context.Context, t terminal) error {
	if c.given() && c.KeyFile != "" {
		return &exitError{exitUsage, "give --key-file or a merchant's secret, not both"}
	}
	if c.Signature == "-" {
		text, err := readInput("-", os.Stdin)
		if err != nil {
			return err
		}
		c.Signature = string(text)
	}
	c.Signature = strings.TrimSpace(c.Signature)
	message, err := readInput(c.File, os.Stdin)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(message)) == 0 {
		return errors.New("the message is empty; give a file, or pipe the message in")
	}
	explain := c.explainWechatPay
	if c.imageco(message) {
		explain = c.explainImageco
	}
	e, err := explain(ctx, message)
	if err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(t.out, e)
	} else {
		e.print(t)
	}
	if err == nil && e.Matches != nil && !*e.Matches {
		err = failed()
	}
	return err
}

// imageco tells whose message it is.
func (c signCommand) imageco(message []byte) bool {
	if c.For != "auto" {
		return c.For == "imageco"
	}
	start := bytes.TrimPrefix(bytes.TrimSpace(message), []byte("\xEF\xBB\xBF"))
	switch {
	case c.Method != "" || c.URL != "" || c.Nonce != "":
		return false
	case bytes.HasPrefix(start, []byte("{")), bytes.HasPrefix(start, []byte("<")), bytes.HasPrefix(start, []byte("xml=")), bytes.HasPrefix(start, []byte("mac=")):
		return true
	}
	// An HTTP request: 翼码's has its type in the body.
	return bytes.Contains(message, []byte("request_type")) || bytes.Contains(message, []byte("business_trans"))
}

// keyText is the text of the key file, or "" without one.
func (c signCommand) keyText() (string, error) {
	if c.KeyFile == "" {
		return "", nil
	}
	return readSecretFile(c.KeyFile, "--key-file")
}

func (e *explanation) print(t terminal) {
	fmt.Fprintln(t.out, t.paint(grey, "scheme"), " ", e.Scheme)
	fmt.Fprintln(t.out, t.paint(grey, "what is signed"))
	for line := range strings.Lines(clean(visible(e.Signed))) {
		fmt.Fprintln(t.out, "  "+strings.TrimSuffix(line, "\n"))
	}
	if e.Result != "" {
		fmt.Fprintln(t.out, t.paint(grey, "signature"), e.Result)
	}
	if e.Given != "" {
		fmt.Fprintln(t.out, t.paint(grey, "given"), "   ", clean(e.Given))
	}
	switch {
	case e.Matches == nil:
	case *e.Matches:
		fmt.Fprintln(t.out, t.paint(green, "✓ the given signature is right"))
	case len(e.Differences) > 0:
		fmt.Fprintln(t.out, t.paint(red, "✗ the given signature is wrong.")+" It comes out when:")
	default:
		fmt.Fprintln(t.out, t.paint(red, "✗ the given signature is wrong,")+" and none of the usual mistakes gives it.")
	}
	for _, difference := range e.Differences {
		fmt.Fprintln(t.out, "  - "+clean(difference))
	}
	for _, note := range e.Notes {
		fmt.Fprintln(t.out, t.paint(yellow, "!"), clean(note))
	}
}

// visible writes line ends so that they can be seen.
func visible(s string) string {
	return strings.NewReplacer("\r\n", "␍␊\n", "\r", "␍", "\n", "␊\n").Replace(s)
}
