package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/send"
	"github.com/kesu-go/kesu/internal/smoke"
	"github.com/kesu-go/kesu/pkg/wire"
)

type smokeCommand struct {
	Stack          string        `required:"" placeholder:"NAME" help:"The deployed stack."`
	CallerRole     string        `placeholder:"ARN" help:"A role that may call the API and that you may assume: with it, cut down to one merchant, another merchant is asked for, which must be refused."`
	CallerMerchant string        `placeholder:"NAME" help:"With --caller-role: the merchant that it may call for, when that is a real one; it is sent a body that must be refused. By default one that does not exist."`
	Wait           time.Duration `default:"90s" help:"How long to wait for the events to be settled."`
	awsFlags
	jsonFlag
}

// Help is the example that kesu help shows.
func (smokeCommand) Help() string {
	return `Does a deployed stack do what its parameters say? Asks the API without a signature (must be refused), with yours (the function must answer), with a role for one merchant (--caller-role; another merchant must be refused); compares the live alias's settings with the stack's parameters; puts an event for each function on the bus and waits until it is settled.

Nothing of it can reach a consumer: it asks for merchants named kesu-smoke-…, which do not exist, and without a merchant's secret no gateway is called. UNKNOWN_MERCHANT is the right answer. Nothing is changed in the account.

Examples:
  kesu smoke --stack kesu
  kesu smoke --stack kesu --caller-role arn:aws:iam::123456789012:role/shop --json

With a user pool, put a user's token into KESU_TOKEN.

Exit codes: 0 every check is ✓ or left out; 1 a check is ✗, or the stack cannot be looked at; 2 wrong command line.`
}

// Run asks the stack and prints what was found.
func (c smokeCommand) Run(ctx context.Context, t terminal) error {
	switch {
	case c.CallerMerchant != "" && (c.CallerRole == "" || !wire.ValidID(c.CallerMerchant)):
		return usage("--caller-merchant needs --caller-role, and is 1 to 64 of the characters 0-9, A-Z, a-z, _ and -")
	case c.Wait < time.Second || c.Wait > 15*time.Minute:
		return usage("--wait must be 1s to 15m")
	}
	account, err := c.account().Config(ctx)
	if err != nil {
		return err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	report, err := smoke.Run(ctx, smoke.Options{Stack: c.Stack, AWS: account, HTTP: client, Wait: c.Wait, Now: time.Now,
		Token: os.Getenv(send.TokenName), CallerRole: c.CallerRole, Merchant: c.CallerMerchant})
	switch {
	case errors.Is(err, smoke.ErrStack):
		return operate.Problem("look up the stack "+c.Stack, err)
	case err != nil:
		return errors.New("interrupted")
	}
	return c.print(t, report)
}

func (c smokeCommand) print(t terminal, report smoke.Report) error {
	var err error
	if !report.OK() {
		err = failed()
	}
	for i, check := range report.Checks {
		report.Checks[i].Message, report.Checks[i].Advice = clean(check.Message), clean(check.Advice)
	}
	if c.JSON {
		if wrong := writeJSON(t.out, map[string]any{"stack": report.Stack, "ok": report.OK(), "checks": report.Checks}); wrong != nil {
			return wrong
		}
		return err
	}
	marks := map[string]string{smoke.OK: t.paint(green, "✓"), smoke.LeftOut: t.paint(grey, "–"), smoke.Failed: t.paint(red, "✗")}
	width, wrong := 0, 0
	for _, check := range report.Checks {
		width = max(width, columns(check.Check))
		if check.Status == smoke.Failed {
			wrong++
		}
	}
	for _, check := range report.Checks {
		fmt.Fprintf(t.out, "%s %s%s  %s\n", marks[check.Status], check.Check, strings.Repeat(" ", width-columns(check.Check)), check.Message)
		if check.Advice != "" {
			fmt.Fprintf(t.out, "  %s  %s\n", strings.Repeat(" ", width), t.paint(grey, "→ "+check.Advice))
		}
	}
	fmt.Fprintf(t.out, "\n%s: %s wrong.\n", plural(len(report.Checks), "check"), number(wrong, advice.English))
	return err
}
