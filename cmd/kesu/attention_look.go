package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/sighting"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

const (
	lookLimit = 5 * time.Second
	// settledAfter is how long after its first send an unknown reply may be settled: the function's window, the time that a
	// queue hides a record for, and the lease. A look from here does not know the claim itself.
	settledAfter = time.Hour
)

// lookFlags say where the secret and WeChat Pay are, for a look into a complaint's history.
type lookFlags struct {
	SecretPrefix string `env:"MERCHANT_SECRET_PREFIX" placeholder:"TEXT" help:"For a look: what stands before the merchant in the secret's name; by default kesu/merchants/."`
	MerchantKeys string `env:"MERCHANT_KEYS" placeholder:"WHERE" help:"For a look: where the secrets are, as for the functions; by default secretsmanager."`
}

// looks at one complaint after the other, and reads each merchant's secret once.
type onlooker struct {
	flags   lookFlags
	account operate.AWS
	api     *wechatpay.API
	keys    map[string]*merchant.WechatPay
	wrong   map[string]string // why a merchant cannot be looked for
}

func newOnlooker(f lookFlags, account operate.AWS) (*onlooker, error) {
	settings, err := config.ReadReply(func(name string) string {
		if name == "WECHATPAY_URL" || name == "WECHATPAY_BACKUP_URL" {
			return os.Getenv(name)
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	client := &gateway.Client{Transport: gateway.NewTransport(nil), MaxAttempts: 1, AttemptTimeout: lookLimit,
		Random: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler)}
	hosts := gateway.NewHosts(settings.Hosts...)
	return &onlooker{flags: f, account: account, api: wechatpay.New(client, hosts, rand.Reader, time.Now),
		keys: map[string]*merchant.WechatPay{}, wrong: map[string]string{}}, nil
}

// look reads the history of an unknown reply's complaint, and says what it shows now. It sends nothing and notes nothing.
func (o *onlooker) look(ctx context.Context, i *item) {
	if !i.unknownReply() {
		return
	}
	command, ok := i.asked()
	if !ok {
		i.Look = &wire.Evidence{Error: "NO_REQUEST"}
		return
	}
	caller, wrong := o.caller(ctx, i.Merchant)
	if wrong != "" {
		i.Look = &wire.Evidence{Error: wrong}
		return
	}
	evidence := &wire.Evidence{LookedAt: time.Now().UTC().Truncate(time.Second)}
	i.Look = evidence
	items, failure := caller.Look(ctx, i.ComplaintID, time.Now().Add(lookLimit))
	if failure != nil {
		evidence.Error = caller.Keys.Hidden.Code(failure.Code)
		return
	}
	evidence.Seen = new(false)
	wanted := sightedAs(command, i.result.At.Add(-settledAfter))
	shown := slices.IndexFunc(items, wanted.ShownBy)
	if shown >= 0 {
		evidence.Seen, evidence.LogID, evidence.OperateTime = new(true), items[shown].LogID, items[shown].OperateTime.UTC()
		return
	}
	state, _ := caller.State(ctx, i.ComplaintID, time.Now().Add(lookLimit))
	evidence.ComplaintState = caller.Keys.Hidden.Code(state)
}

// sightedAs is the reply as a history would show it.
func sightedAs(c *wire.Command, earliest time.Time) sighting.Reply {
	link := []string{c.JumpURLText, c.JumpURL}
	if m := (*messages.MiniProgram)(c.MiniProgram); m != nil {
		link = []string{m.Text, m.Path}
	}
	return sighting.Reply{Content: c.ResponseContent, Link: link, Pictures: len(c.ResponseImages), ClaimedAt: earliest}
}

// caller calls WeChat Pay for a merchant, or says why nobody can.
func (o *onlooker) caller(ctx context.Context, name string) (*wechatpay.Caller, string) {
	if o.keys[name] == nil && o.wrong[name] == "" {
		text, err := secretFlags{Merchant: name, SecretPrefix: o.flags.SecretPrefix, MerchantKeys: o.flags.MerchantKeys}.read(ctx, o.account)
		if err != nil {
			o.wrong[name] = "NO_SECRET"
		} else if o.keys[name], err = merchant.ParseWechatPay(text); err != nil {
			o.wrong[name] = wire.CodeMerchantMisconfigured
		}
	}
	if o.wrong[name] != "" {
		return nil, o.wrong[name]
	}
	return &wechatpay.Caller{API: o.api, Keys: o.keys[name], Merchant: name}, ""
}

// asked is the command that a settled event is about, as it was given.
func (i *item) asked() (*wire.Command, bool) {
	if i.words != nil {
		return i.words, true
	}
	if i.request == nil {
		return nil, false
	}
	r := wire.ReadDetail(wire.Reply, i.request)
	return &r.Command, len(r.Problems) == 0
}

// sightingWords say what a look showed.
func sightingWords(e *wire.Evidence) string {
	switch {
	case e == nil:
		return ""
	case e.Error == "NO_REQUEST":
		return "not looked for: the message does not hold its words"
	case e.Error == "NO_SECRET":
		return "not looked for: the merchant's secret cannot be read from here"
	case e.Error != "":
		return "not looked for: " + e.Error
	case *e.Seen:
		return fmt.Sprintf("shown at %s (log_id %s)", e.OperateTime.In(china).Format(time.RFC3339), e.LogID)
	case e.ComplaintState != "":
		return "not shown; the complaint is " + e.ComplaintState
	}
	return "not shown"
}

// china is the time zone of WeChat Pay's times.
var china = time.FixedZone("CST", 8*60*60)
