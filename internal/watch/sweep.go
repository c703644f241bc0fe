package watch

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

const (
	daysBack    = 4               // the list begins so many days before today
	pageMost    = 50              // items of a page; WeChat Pay gives no more
	pagesMost   = 2000            // a bound against a list that never ends: 100,000 complaints
	detailsMost = 50              // of remembered complaints that the list does not have
	tooYoung    = 2 * time.Minute // a younger complaint is left to its notification
)

// errSweep means that a merchant's sweep did not come to its end and is worth doing again.
var errSweep = errors.New("the sweep did not come to its end")

// errKey means that WeChat Pay refused the signature: the key may have been changed.
var errKey = errors.New("WeChat Pay refused the signature")

// Sweep looks through a merchant's complaints for what no notification told and for what comes due. An error means that
// it should be done again; what was told until then is not told again.
func (w *Watcher) Sweep(ctx context.Context, name string) error {
	s := &sweep{Watcher: w, merchant: name, seen: map[string]bool{}, now: w.Now()}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = withSettling(ctx, deadline.Add(-budget.NotificationSettling-budget.AWS))
		defer cancel()
	}
	loaded, err := w.Keys.Load(ctx, name)
	var field *merchant.FieldError
	skipped := errors.As(err, &field) || errors.Is(err, merchant.ErrUnknown)
	if skipped && w.Everybody {
		w.Log.DebugContext(ctx, "not swept: the secret has no usable wechatpay half", "merchant", name, "problem",
			err.Error())
		return nil
	}
	b, failed := w.openBook(ctx, name)
	if failed != nil {
		w.Log.WarnContext(ctx, "not swept: what was remembered cannot be read", "merchant", name, "error",
			failed.Error())
		return errSweep
	}
	switch s.book = b; {
	case skipped:
		w.Log.ErrorContext(ctx, wire.CodeMerchantMisconfigured, "merchant", name, "problem", err.Error())
	case err != nil:
		w.Log.WarnContext(ctx, "not swept: the secret cannot be read", "merchant", name, "error", err.Error())
		failed = errSweep
	default:
		failed = s.run(ctx, loaded)
	}
	if err := w.closeBook(settling(ctx), name, b); err != nil {
		w.Log.WarnContext(ctx, "what a sweep remembers could not be kept", "merchant", name, "error", err.Error())
	}
	w.Metrics.SweepAge(name, b.age(w.Now()), w.Now())
	return failed
}

// sweep is the sweep of one merchant.
type sweep struct {
	*Watcher
	merchant string
	book     *book
	caller   *wechatpay.Caller
	seen     map[string]bool
	now      time.Time
	lost     bool // an event could not be told
}

func (s *sweep) run(ctx context.Context, loaded merchant.Loaded[*merchant.Watched]) error {
	s.caller = s.Watcher.caller(s.API, s.merchant, loaded, s.Pace.Turn(ctx, s.merchant, true))
	defer func() { s.caller.Turn.End(settling(ctx)) }()
	refused, err := s.list(ctx)
	if errors.Is(err, errKey) { // the list comes first, so whatever is read later has the newer key too
		if newer, changed := s.newer(ctx, s.merchant, loaded); changed {
			s.caller.Keys = newer.Value.WechatPay
		}
		refused, err = s.list(ctx)
	}
	if errors.Is(err, errKey) {
		refused, err = true, nil
	}
	if err != nil || refused {
		return err
	}
	for _, id := range s.book.outside(s.seen, detailsMost) {
		c, failure := s.caller.Complaint(ctx, id)
		switch {
		case failure == nil:
			s.look(ctx, c, true)
		case failure.HTTPStatus == 404:
			delete(s.book.Entries, id)
		case failure.Refused:
			e := s.book.Entries[id]
			e.Looked = s.now.Unix()
			s.book.Entries[id] = e
		default:
			return s.unread(ctx, failure)
		}
	}
	if s.lost {
		return errSweep
	}
	s.forgetSettled()
	s.book.Whole = s.Now().Unix()
	return nil
}

// list goes through the list until a page has no items. refused reports that WeChat Pay will not tell as things stand.
func (s *sweep) list(ctx context.Context) (refused bool, err error) {
	today := s.now.In(china)
	begin, end := today.AddDate(0, 0, -daysBack).Format(time.DateOnly), today.Format(time.DateOnly)
	limit, offset := pageMost, 0
	for range pagesMost {
		page, failure := s.caller.List(ctx, begin, end, limit, offset)
		switch {
		case failure != nil && tooMuch(failure) && limit > 1:
			limit /= 2
			continue
		case failure != nil && failure.Refused:
			if failure.HTTPStatus == http.StatusUnauthorized {
				err = errKey
			}
			s.Log.ErrorContext(ctx, "not swept: WeChat Pay refuses the list", "merchant", s.merchant, "code",
				failure.Code, "http_status", failure.HTTPStatus, "problem", failure.Message)
			return true, err
		case failure != nil:
			return false, s.unread(ctx, failure)
		case len(page.Complaints) == 0:
			return false, nil
		}
		for _, c := range page.Complaints {
			if wire.ValidID(c.ComplaintID) {
				s.look(ctx, c, false)
			}
		}
		offset += len(page.Complaints)
		if ctx.Err() != nil {
			return false, errSweep
		}
	}
	return false, errSweep
}

func (s *sweep) unread(ctx context.Context, failure *wechatpay.Failure) error {
	s.Log.WarnContext(ctx, "the sweep did not come to its end: WeChat Pay could not be read", "merchant", s.merchant,
		"code", failure.Code, "http_status", failure.HTTPStatus)
	return errSweep
}

// look tells what there is to tell of one complaint, and remembers it.
func (s *sweep) look(ctx context.Context, c messages.Complaint, outside bool) {
	s.seen[c.ComplaintID] = true
	if s.now.Sub(c.ComplaintTime.Time) < tooYoung {
		return
	}
	e, known := s.book.Entries[c.ComplaintID]
	times := int64(0)
	if c.UserComplaintTimes != nil {
		times = *c.UserComplaintTimes
	}
	again := known && times > e.Times
	if again {
		e.Told = false
	}
	e.At, e.Times, e.Settled = c.ComplaintTime.Unix(), times, c.ComplaintState == messages.StateProcessed
	if outside {
		e.Looked = s.now.Unix()
	}
	if !e.Told && (again || c.ComplaintState == messages.StatePending) {
		arrived := event{complaint: tell(s.merchant, c), Via: "sweep"}
		arrived.dueTimes(c)
		e.Told = s.told(ctx, received, receivedKey(c.UserComplaintTimes), arrived)
		if !e.Told && again { // the next sweep finds again what could not be told
			e.Times--
		}
	}
	for _, d := range dues(c) {
		at := &e.Completion
		if d.What == dueReply {
			at = &e.Reply
		}
		s.warn(ctx, c, d, at)
	}
	s.book.Entries[c.ComplaintID] = e
}

// warn tells the latest threshold that was passed, once.
func (s *sweep) warn(ctx context.Context, c messages.Complaint, d due, told *string) {
	passed := d.passed(s.WarnBefore, s.now)
	if len(passed) == 0 || *told == passed[len(passed)-1] {
		return
	}
	latest, left := passed[len(passed)-1], d.secondsLeft(s.now)
	e := event{complaint: tell(s.merchant, c), What: d.What, DueAt: clock(d.At), SecondsLeft: &left}
	if s.told(ctx, dueSoon, "due-"+d.What+"-"+latest, e) {
		*told = latest
	}
}

// told publishes an event unless it was published before, and reports whether it is known to be.
func (s *sweep) told(ctx context.Context, detailType, key string, e event) bool {
	_, err := s.tellOnce(ctx, detailType, key, e)
	if err == nil {
		return true
	}
	s.lost = true
	s.Log.WarnContext(ctx, "an event could not be published", "merchant", s.merchant, "complaint_id", e.ComplaintID,
		"error", err.Error())
	return false
}

// forgetSettled drops the settled complaints that the list no longer has.
func (s *sweep) forgetSettled() {
	for id, e := range s.book.Entries {
		if e.Settled && !s.seen[id] {
			delete(s.book.Entries, id)
		}
	}
}
