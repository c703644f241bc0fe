package attention

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/sighting"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

const (
	lookLimit = 5 * time.Second // of one call to WeChat Pay
	// settledAfter is how long after its first send an unknown reply may be settled: the function's window, the time
	// that a queue hides a record for, and the lease. A look from here does not know the claim itself.
	settledAfter = time.Hour
)

// Why nobody could look.
const (
	noRequest = "NO_REQUEST" // the message does not hold the reply's words
	noSecret  = "NO_SECRET"  // the merchant's secret cannot be read
)

// Onlooker looks at one complaint after the other, and reads each merchant's secret once.
type Onlooker struct {
	secret func(ctx context.Context, merchant string) (string, error)
	api    *wechatpay.API
	keys   map[string]*merchant.WechatPay
	wrong  map[string]string // why a merchant cannot be looked for
}

// NewOnlooker makes an onlooker who asks WeChat Pay's hosts, and reads merchants' secrets with a function.
func NewOnlooker(hosts []string, secret func(ctx context.Context, merchant string) (string, error)) *Onlooker {
	client := &gateway.Client{Transport: gateway.NewTransport(nil), MaxAttempts: 1, AttemptTimeout: lookLimit,
		Random: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler)}
	return &Onlooker{secret: secret, api: wechatpay.New(client, gateway.NewHosts(hosts...), rand.Reader, time.Now),
		keys: map[string]*merchant.WechatPay{}, wrong: map[string]string{}}
}

// Look reads the history of an unknown reply's complaint, and sets what it shows now in i.Look. It sends nothing and
// notes nothing. What is no unknown reply it leaves alone.
func (o *Onlooker) Look(ctx context.Context, i *Item) {
	if !i.UnknownReply() {
		return
	}
	command, ok := i.asked()
	if !ok {
		i.Look = &wire.Evidence{Error: noRequest}
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
	if shown := slices.IndexFunc(items, wanted.ShownBy); shown >= 0 {
		evidence.Seen, evidence.LogID = new(true), items[shown].LogID
		evidence.OperateTime = items[shown].OperateTime.UTC()
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
func (o *Onlooker) caller(ctx context.Context, name string) (*wechatpay.Caller, string) {
	if o.keys[name] == nil && o.wrong[name] == "" {
		text, err := o.secret(ctx, name)
		if err != nil {
			o.wrong[name] = noSecret
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
func (i *Item) asked() (*wire.Command, bool) {
	if i.words != nil {
		return i.words, true
	}
	if i.request == nil {
		return nil, false
	}
	r := wire.ReadDetail(wire.Reply, i.request)
	return &r.Command, len(r.Problems) == 0
}

// SightingWords say what a look showed; "" when nobody looked.
func SightingWords(e *wire.Evidence) string {
	switch {
	case e == nil:
		return ""
	case e.Error == noRequest:
		return "not looked for: the message does not hold its words"
	case e.Error == noSecret:
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
