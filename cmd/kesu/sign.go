package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/explain"
)

type signCommand struct {
	File string `arg:"" optional:"" default:"-" type:"path" help:"The message: 翼码's JSON or XML (or its form), or an HTTP request or answer of WeChat Pay with its headers, also as curl -v prints it or a browser copies it. By default standard input."`
	For  string `enum:"auto,imageco,wechatpay" default:"auto" help:"Whose message it is (${enum}); auto looks at the message."`
	Part string `enum:"auto,request,answer" default:"auto" help:"Of a text that holds a request and its answer, the one to explain (${enum}); auto takes the answer when it is signed."`

	Signature string `placeholder:"TEXT" help:"The signature to explain, when it does not stand in the message. - reads it from standard input."`
	secretFlags
	KeyFile string `type:"path" placeholder:"FILE" help:"A file with the key alone, in place of the merchant's secret: 翼码's key, or a PEM (private key, public key or certificate)."`
	GBK     bool   `name:"gbk" help:"翼码 JSON: the agreed charset of the sign is GBK. With a merchant the secret says so."`

	Method    string `placeholder:"POST" help:"WeChat Pay, for a message that is a body alone: the method."`
	URL       string `name:"url" placeholder:"PATH" help:"… the path with its query."`
	Timestamp string `placeholder:"SECONDS" help:"… the timestamp."`
	Nonce     string `placeholder:"TEXT" help:"… the nonce_str."`
	Body      string `type:"path" placeholder:"FILE" help:"WeChat Pay, for a message without its body (curl -v shows none): a file with the body."`
	awsFlags
	jsonFlag
	langFlag
}

// jsonFlag asks for output that a program can read.
type jsonFlag struct {
	JSON bool `name:"json" help:"Write JSON in place of text."`
}

// langFlag chooses the language of causes and advice.
type langFlag struct {
	Lang string `enum:"auto,en,zh" default:"auto" help:"Language of causes and advice (${enum}); auto looks at LC_ALL, LC_MESSAGES and LANG."`
}

func (f langFlag) language() advice.Language { return advice.Choose(f.Lang, os.Getenv) }

// Help is the example that kesu help shows.
func (signCommand) Help() string {
	return `Shows what exactly is signed, with the key blanked, and the signature. When the message carries a signature, or one is given, says whether the gateway will take it, and if not which usual mistake gives just that signature: members in another order or left out, another charset, JSON that was written twice, a missing line feed, the key on one side only, and many more, also several at once. mchid and serial_no are held against the secret. What is not proved is said to be so, with the check that tells.

Examples:
  kesu sign --merchant acme reply.json
  kesu sign --key-file key.txt --signature 2EB4051F33C84719D59E0F5EADACF5D2 < reply.json
  kesu sign --key-file apiclient_key.pem request.http
  kesu sign --merchant acme answer.http

request.http is the request as it went out: "POST /v3/… HTTP/1.1", the headers with Authorization, an empty line, the body.

Exit codes: 0 the signature is right, or none was given; 1 it is wrong, or the message or the key cannot be read; 2 wrong command line.`
}

// Run explains one message.
func (c signCommand) Run(ctx context.Context, t terminal) error {
	o, err := c.options(ctx)
	if err != nil {
		return err
	}
	report, err := explain.Run(ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(t.out, report)
	} else {
		printExplanation(t, report, o.Language)
	}
	if err == nil && report.Matches != nil && !*report.Matches {
		err = failed()
	}
	return err
}

// options reads everything that the command line names.
func (c signCommand) options(ctx context.Context) (explain.Options, error) {
	o := explain.Options{For: c.For, Signature: c.Signature, GBK: c.GBK, Method: c.Method, Target: c.URL, Timestamp: c.Timestamp, Nonce: c.Nonce, Language: c.language()}
	if c.given() && c.KeyFile != "" {
		return o, usage("give --key-file or a merchant's secret, not both")
	}
	if c.Part != "auto" {
		o.Part = c.Part
	}
	if c.Signature == "-" {
		text, err := readInput("-", os.Stdin)
		if err != nil {
			return o, err
		}
		o.Signature = string(text)
	}
	var err error
	if o.Message, err = readInput(c.File, os.Stdin); err != nil {
		return o, err
	}
	if len(strings.TrimSpace(string(o.Message))) == 0 {
		return o, explain.ErrEmpty
	}
	if c.Body != "" {
		if o.Body, err = readInput(c.Body, os.Stdin); err != nil {
			return o, err
		}
	}
	switch {
	case c.KeyFile != "":
		var text string
		text, err = readSecretFile(c.KeyFile, "--key-file")
		o.Key = []byte(text)
	case c.given():
		if o.Secret, err = c.read(ctx, c.account()); err == nil && o.Secret == "" {
			err = errors.New("the merchant's secret is empty")
		}
	}
	return o, err
}

// signWords are what kesu sign says around a report.
var signWords = struct{ scheme, signed, signature, given, right, wrong, guess, alternative, tell advice.Words }{
	scheme: advice.Words{EN: "scheme", ZH: "算法"}, signed: advice.Words{EN: "what is signed", ZH: "待签文本"},
	signature: advice.Words{EN: "signature", ZH: "签名"}, given: advice.Words{EN: "given    ", ZH: "给出"},
	right:       advice.Words{EN: "✓ the given signature is right", ZH: "✓ 给出的签名正确"},
	wrong:       advice.Words{EN: "✗ the gateway will not take this.", ZH: "✗ 网关不会接受。"},
	guess:       advice.Words{EN: "Not proved; what fits, most common first:", ZH: "未经证实；按常见程度排列："},
	alternative: advice.Words{EN: "or, not to be told apart by the signature:", ZH: "或者（仅凭签名无法区分）："},
	tell:        advice.Words{EN: "to tell: ", ZH: "如何区分："},
}

func printExplanation(t terminal, e explain.Report, l advice.Language) {
	w := signWords
	fmt.Fprintln(t.out, t.paint(grey, w.scheme.In(l)), " ", e.Scheme)
	fmt.Fprintln(t.out, t.paint(grey, w.signed.In(l)))
	for line := range strings.Lines(clean(visible(e.Signed))) {
		fmt.Fprintln(t.out, "  "+strings.TrimSuffix(line, "\n"))
	}
	if e.Result != "" {
		fmt.Fprintln(t.out, t.paint(grey, w.signature.In(l)), e.Result)
	}
	if e.Given != "" {
		fmt.Fprintln(t.out, t.paint(grey, w.given.In(l)), clean(e.Given))
	}
	switch {
	case e.Matches == nil:
	case *e.Matches:
		fmt.Fprintln(t.out, t.paint(green, w.right.In(l)))
	default:
		fmt.Fprintln(t.out, t.paint(red, w.wrong.In(l)))
	}
	for i, x := range e.Explanations {
		switch {
		case !x.Proved && (i == 0 || e.Explanations[i-1].Proved):
			fmt.Fprintln(t.out, w.guess.In(l))
		case x.Proved && i > 0:
			fmt.Fprintln(t.out, w.alternative.In(l))
		}
		printCauses(t, x.Causes, l)
	}
	for _, note := range e.Notes {
		fmt.Fprintln(t.out, t.paint(yellow, "!"), clean(note))
	}
}

func printCauses(t terminal, causes []explain.Cause, l advice.Language) {
	for _, c := range causes {
		fmt.Fprintln(t.out, "  - "+clean(c.Says))
		if c.HowToTell != "" {
			fmt.Fprintln(t.out, "    "+t.paint(grey, signWords.tell.In(l)+clean(c.HowToTell)))
		}
		fmt.Fprintln(t.out, "    "+t.paint(grey, "→ "+clean(c.WhatToDo)))
	}
}

// visible writes line ends so that they can be seen.
func visible(s string) string {
	return strings.NewReplacer("\r\n", "␍␊\n", "\r", "␍", "\n", "␊\n").Replace(s)
}
