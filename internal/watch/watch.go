package watch

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Keys gives merchants' keys: a merchant.Store or a merchant.Packed.
type Keys interface {
	Load(ctx context.Context, name string) (merchant.Loaded[*merchant.Watched], error)
	Kept(name string) (*merchant.Watched, bool)
	Refresh(ctx context.Context, name, version string) (merchant.Loaded[*merchant.Watched], bool, error)
}

// Bus puts an event on the result bus.
type Bus interface {
	Put(ctx context.Context, detailType string, detail []byte) error
}

// Watcher is what notifications and sweeps have in common. It is safe for concurrent use.
type Watcher struct {
	Keys    Keys
	API     *wechatpay.API // for the list, and for what a sweep reads
	Quick   *wechatpay.API // for the one reading of a notification, whose attempts are shorter
	Pace    *pace.Pace     // of reads; nil is no limit
	Ledger  *ledger.Ledger // keeps its entries for WATCH_TTL
	Books   Books
	Bus     Bus
	Log     *slog.Logger
	Metrics *telemetry.Metrics
	Now     func() time.Time
	Open    func(ctx context.Context) // begins to open the connections to WeChat Pay and to the bus

	Everybody  bool
	Merchants  []string
	WarnBefore []time.Duration // the longest first
	Forget     time.Duration   // WATCH_TTL: how long a complaint is remembered
}

// detailTypes of the events.
const (
	received = "ComplaintReceived"
	changed  = "ComplaintChanged"
	dueSoon  = "ComplaintDue"
)

// event is the detail of an event. What does not belong to its kind is left out.
type event struct {
	complaint
	ReplyDueAt      string `json:"reply_due_at,omitempty"`
	CompletionDueAt string `json:"completion_due_at,omitempty"`
	Via             string `json:"via,omitempty"`
	ActionType      string `json:"action_type,omitempty"`
	DetailMissing   string `json:"detail_missing,omitempty"`
	What            string `json:"what,omitempty"`
	DueAt           string `json:"due_at,omitempty"`
	SecondsLeft     *int64 `json:"seconds_left,omitempty"`
}

// detailMax bounds an event's detail, below EventBridge's 256 KB for an entry.
const detailMax = 200 << 10

// errTaken means that somebody else is telling the same event now.
var errTaken = errors.New("another invocation is at it")

// The actions under which the ledger files what was told.
const (
	actNotification wire.Action = "notification"
	actEvent        wire.Action = "event"
)

// claim asks the ledger for the right to tell something once. A nil claim without an error means that it was told
// before.
func (w *Watcher) claim(ctx context.Context, r ledger.Request) (*ledger.Claim, error) {
	r.Repeatable = true // an event is told at least once
	r.LeaseUntil = w.Now().Add(lease)
	decision, err := w.Ledger.Claim(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case decision.Claim != nil:
		return decision.Claim, nil
	case decision.Replay != nil:
		return nil, nil
	}
	return nil, errTaken
}

// lease is how long a claim is held. It is longer than a notification may take.
const lease = 5 * time.Second

// settle notes that something was told; claims are settled beside each other. A failure means that it is told once
// more.
func (w *Watcher) settle(ctx context.Context, claims ...*ledger.Claim) {
	var group sync.WaitGroup
	for _, c := range claims {
		group.Go(func() {
			err := w.Ledger.Settle(ctx, c, wire.Result{Outcome: wire.Succeeded, Code: wire.CodeOK, At: w.Now().UTC()})
			if err != nil {
				w.Log.WarnContext(ctx, "what was told could not be noted: it may be told again", "error", err.Error())
			}
		})
	}
	group.Wait()
}

// release gives a claim back, so that the next one need not wait for its end.
func (w *Watcher) release(ctx context.Context, c *ledger.Claim) {
	if err := w.Ledger.Release(ctx, c); err != nil {
		w.Log.WarnContext(ctx, "a claim could not be released: it ends by itself", "error", err.Error())
	}
}

// publish puts an event on the bus.
func (w *Watcher) publish(ctx context.Context, detailType string, e event) error {
	detail, err := json.Marshal(e)
	if err == nil && len(detail) > detailMax { // a refusal for its size would come again for ever
		e.ComplaintDetail, e.ProblemDescription, e.Orders, e.Media, e.UserTags = "", "", nil, nil, nil
		e.DetailMissing = "TOO_LARGE"
		detail, err = json.Marshal(e)
	}
	if err != nil {
		return errors.New("the event cannot be written as JSON")
	}
	bounded, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	if err := w.Bus.Put(bounded, detailType, detail); err != nil {
		return err
	}
	w.Metrics.Published(detailType, w.Now())
	w.Log.InfoContext(ctx, "published", "detail_type", detailType, "merchant", e.Merchant, "complaint_id",
		e.ComplaintID, "complaint_state", shownState(e.ComplaintState), "action_type", e.ActionType, "what", e.What)
	return nil
}

// shownState is a state as the log shows it: an enum value, or nothing.
func shownState(state string) string {
	if isWord(state) {
		return state
	}
	return ""
}

// tellOnce publishes an event under its own key, and then settles with it what else was claimed for it. It reports
// whether this call published it; false without an error means that it was published before, and that nothing was
// settled.
func (w *Watcher) tellOnce(ctx context.Context, detailType, key string, e event, with ...*ledger.Claim) (bool, error) {
	c, err := w.claim(ctx, ledger.Request{Action: actEvent, Merchant: e.Merchant, ComplaintID: e.ComplaintID, Key: key})
	if err != nil || c == nil {
		return false, err
	}
	if err := w.publish(ctx, detailType, e); err != nil {
		w.release(settling(ctx), c)
		return false, err
	}
	w.settle(settling(ctx), append(with, c)...)
	return true, nil
}

// caller makes WeChat Pay's calls for a merchant.
func (w *Watcher) caller(
	api *wechatpay.API,
	name string,
	loaded merchant.Loaded[*merchant.Watched],
	turn *pace.Turn,
) *wechatpay.Caller {
	return &wechatpay.Caller{API: api, Keys: loaded.Value.WechatPay, Merchant: name, Turn: turn,
		Newer: func(ctx context.Context) (*merchant.WechatPay, bool) {
			newer, changed := w.newer(ctx, name, loaded)
			if !changed {
				return nil, false
			}
			return newer.Value.WechatPay, true
		}}
}

// newer reads a merchant's secret again, at most every 30 s, and reports whether it is another one now.
func (w *Watcher) newer(
	ctx context.Context,
	name string,
	loaded merchant.Loaded[*merchant.Watched],
) (merchant.Loaded[*merchant.Watched], bool) {
	bounded, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	newer, changed, err := w.Keys.Refresh(bounded, name, loaded.Version)
	return newer, err == nil && changed
}

// watched reports whether a merchant is watched by name.
func (w *Watcher) watched(name string) bool {
	return slices.Contains(w.Merchants, name)
}

// tooMuch reports whether WeChat Pay refused a list because its page is too large ("当前查询结果数据量过大,请缩小入参limit并重试").
func tooMuch(f *wechatpay.Failure) bool {
	return f.Refused && strings.Contains(f.Message, "数据量过大")
}

type settlingKey struct{}

// withSettling gives the context of the work, which ends before ctx does, so that what was claimed can be settled or
// released with ctx itself.
func withSettling(ctx context.Context, end time.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.WithValue(ctx, settlingKey{}, ctx), end)
}

// settling is the context to settle and release with.
func settling(ctx context.Context) context.Context {
	if outer, ok := ctx.Value(settlingKey{}).(context.Context); ok {
		return outer
	}
	return ctx
}
