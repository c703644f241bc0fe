package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

const (
	// hosts is how many attempts a notification's reading has: one on each of WeChat Pay's hosts.
	hosts = 2
)

// certainly are the statuses with which WeChat Pay refuses to tell of a complaint for certain.
var certainly = []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}

// Notifications takes WeChat Pay's own calls.
type Notifications struct {
	*Watcher

	names   names
	refused refusals
}

// NewNotifications makes the door for notifications.
func NewNotifications(w *Watcher) *Notifications {
	return &Notifications{Watcher: w, refused: refusals{metrics: w.Metrics}}
}

// Take carries out one call and gives the status of its answer.
func (n *Notifications) Take(ctx context.Context, members []strictjson.Member) (status int) {
	start := n.Now()
	n.refused.catchUp(start)
	ctx, cancel := context.WithTimeout(ctx, budget.Notification)
	defer cancel()
	why := func() (why reason) {
		defer func() {
			if bug := recover(); bug != nil {
				why = bugInKesu
				n.Log.LogAttrs(ctx, slog.LevelError, "a bug in kesu", slog.String("bug", fmt.Sprint(bug)),
					slog.String("stack", string(debug.Stack())))
			}
		}()
		return n.take(ctx, members)
	}()
	if why == "" {
		return http.StatusNoContent
	}
	n.refused.count(why, n.Now())
	return why.status()
}

func (n *Notifications) take(ctx context.Context, members []strictjson.Member) reason {
	c, why := readCall(members)
	if why != "" {
		return why
	}
	// What is wrong with the headers alone costs a stranger's call nothing: no key is needed to see it.
	switch err := (signing.KeySet{}).Verify(c.header, nil, n.Now()); {
	case errors.Is(err, signing.ErrNotSigned):
		return notSigned
	case errors.Is(err, signing.ErrTimestamp), errors.Is(err, signing.ErrSkew):
		return oldTimestamp
	}
	loaded, why := n.look(ctx, c.merchant)
	if why != "" {
		return why
	}
	if loaded, why = n.verify(ctx, c, loaded); why != "" {
		return why
	}
	n.names.sawVerified(c.merchant)
	// Without its APIv3 key a secret serves the sweeps and is kept for them, so it is read again here, once somebody
	// may have put the key there.
	if loaded.Value.KeyProblem != nil && n.Now().Sub(loaded.ReadAt()) >= brokenFor {
		if newer, changed := n.newer(ctx, c.merchant, loaded); changed {
			loaded = newer
		}
	}
	if loaded.Value.KeyProblem != nil {
		n.misconfigured(ctx, c.merchant, loaded.Value.KeyProblem)
		return misconfigured
	}
	told, why := readNotice(c.body, loaded.Value.APIv3Key)
	if why != "" {
		return why
	}
	return n.tell(ctx, c.merchant, loaded, told)
}

// Sparingly writes a line that strangers can cause, unless there were too many.
func (n *Notifications) Sparingly(write func()) { n.refused.word(n.Now(), write) }

// look gives the keys of a merchant that is watched.
func (n *Notifications) look(ctx context.Context, name string) (loaded merchant.Loaded[*merchant.Watched], why reason) {
	if !wire.ValidID(name) || !n.Everybody && !n.watched(name) {
		return loaded, noSuchMerchant
	}
	if n.names.isBroken(name, n.Now()) {
		return loaded, misconfigured
	}
	if n.Everybody {
		_, kept := n.Keys.Kept(name)
		if why, ok := n.names.may(name, kept, n.Now()); !ok {
			return loaded, why
		}
	}
	bounded, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	loaded, err := n.Keys.Load(bounded, name)
	var field *merchant.FieldError
	switch {
	case err == nil:
		return loaded, ""
	case errors.Is(err, merchant.ErrUnknown):
		if n.Everybody {
			n.names.sawUnknown(name, n.Now())
		}
		return loaded, noSuchMerchant
	case errors.As(err, &field):
		n.names.sawBroken(name, n.Now())
		n.misconfigured(ctx, name, field)
		return loaded, misconfigured
	}
	return loaded, unavailable
}

// misconfigured logs what is wrong with a secret.
func (n *Notifications) misconfigured(ctx context.Context, name string, field *merchant.FieldError) {
	n.Sparingly(func() {
		n.Log.ErrorContext(ctx, wire.CodeMerchantMisconfigured, "merchant", name, "problem", field.Error())
	})
}

// verify checks the signature over the raw body. A key that is not in the set makes the secret be read again.
func (n *Notifications) verify(
	ctx context.Context,
	c call,
	loaded merchant.Loaded[*merchant.Watched],
) (merchant.Loaded[*merchant.Watched], reason) {
	err := loaded.Value.Platform.Verify(c.header, c.body, n.Now())
	if errors.Is(err, signing.ErrUnknownKey) {
		if newer, changed := n.newer(ctx, c.merchant, loaded); changed {
			loaded, err = newer, newer.Value.Platform.Verify(c.header, c.body, n.Now())
		}
	}
	switch {
	case err == nil:
		return loaded, ""
	case errors.Is(err, signing.ErrUnknownKey), errors.Is(err, signing.ErrKeyExpired):
		return loaded, unknownKey
	}
	return loaded, badSignature
}

// tell publishes what a verified notification tells, once.
func (n *Notifications) tell(
	ctx context.Context,
	name string,
	loaded merchant.Loaded[*merchant.Watched],
	told notice,
) reason {
	end, _ := ctx.Deadline()
	work, cancel := withSettling(ctx, end.Add(-budget.NotificationSettling))
	defer cancel()
	// Connections and the reading's token are asked for beside the claim, and only now that the caller is known to be
	// WeChat Pay.
	n.Open(work)
	asking, stop := context.WithTimeout(work, readTime)
	defer stop()
	turn := n.Pace.Turn(asking, name, true)
	turn.Ask(asking)
	defer turn.End(settling(ctx))
	c, err := n.claim(work, ledger.Request{Action: actNotification, Merchant: name, Key: told.id})
	switch {
	case errors.Is(err, errTaken):
		return alreadyHandled
	case err != nil:
		return unavailable
	case c == nil:
		return "" // published before
	}
	e, why := n.read(work, n.caller(n.Quick, name, loaded, turn), loaded, told)
	if why == "" {
		why = n.publishNotice(work, e, told, c)
	}
	if why != "" {
		n.release(ctx, c)
	}
	return why
}

// readTime is how long reading a complaint may take, with what is kept of a context's time for settling.
const readTime = budget.NotificationRead + budget.Settling

// read reads the complaint that a notification names. What WeChat Pay refuses to tell for certain is left out.
func (n *Notifications) read(
	ctx context.Context,
	caller *wechatpay.Caller,
	loaded merchant.Loaded[*merchant.Watched],
	told notice,
) (event, reason) {
	name := caller.Merchant
	bounded, cancel := context.WithTimeout(settling(ctx), readTime)
	defer cancel()
	caller.Spread = true // each host has its turn
	caller.Attempts = hosts
	c, failure := caller.Complaint(bounded, told.complaintID)
	if failure != nil && failure.HTTPStatus == http.StatusUnauthorized { // the key may have been changed
		if newer, changed := n.newer(bounded, name, loaded); changed {
			caller.Keys, caller.Attempts = newer.Value.WechatPay, 1
			c, failure = caller.Complaint(bounded, told.complaintID)
		}
	}
	e := event{ActionType: told.action}
	switch {
	case failure == nil:
		e.complaint = tell(name, c)
		e.dueTimes(c)
	case slices.Contains(certainly, failure.HTTPStatus):
		e.complaint = complaint{Merchant: name, ComplaintID: told.complaintID}
		e.DetailMissing = failure.Code
	default:
		n.Log.WarnContext(ctx, "the complaint could not be read", "merchant", name, "complaint_id", told.complaintID,
			"code", failure.Code, "http_status", failure.HTTPStatus)
		return e, unreadDetail
	}
	if ctx.Err() != nil {
		return e, tooLate
	}
	return e, ""
}

// publishNotice publishes exactly one event: that the complaint arrived, or that something about it changed. It settles
// the notification's claim with it.
func (n *Notifications) publishNotice(ctx context.Context, e event, told notice, c *ledger.Claim) reason {
	if told.arrived() {
		arrived := e
		arrived.Via, arrived.ActionType = "notification", ""
		key := receivedKey(e.UserComplaintTimes)
		if e.DetailMissing != "" { // how often it was raised is not known
			key = "received-by-" + told.id
		}
		switch first, err := n.tellOnce(ctx, received, key, arrived, c); {
		case errors.Is(err, errTaken):
			return alreadyHandled
		case err != nil:
			return n.untold(ctx, e, err)
		case first:
			return ""
		}
	}
	e.ReplyDueAt, e.CompletionDueAt = "", ""
	published, err := n.tellOnce(ctx, changed, "changed-"+told.id, e, c)
	if err != nil {
		return n.untold(ctx, e, err)
	}
	if !published {
		n.settle(settling(ctx), c)
	}
	return ""
}

func (n *Notifications) untold(ctx context.Context, e event, err error) reason {
	n.Log.WarnContext(ctx, "an event could not be published", "merchant", e.Merchant, "complaint_id", e.ComplaintID,
		"error", err.Error())
	return unavailable
}

// receivedKey files that a complaint arrived: once for each time that it was raised.
func receivedKey(times *int64) string {
	if times == nil {
		return "received-0"
	}
	return fmt.Sprintf("received-%d", *times)
}

// dueTimes sets until when a complaint must be answered and settled.
func (e *event) dueTimes(c messages.Complaint) {
	if c.ComplaintTime.IsZero() {
		return
	}
	e.ReplyDueAt = clock(c.ComplaintTime.Add(replyWithin))
	e.CompletionDueAt = clock(c.ComplaintTime.Add(completionWithin))
}
