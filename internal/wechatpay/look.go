package wechatpay

import (
	"context"
	"net/http"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// The pages of a history. The limit is the page's default; an honest history is over long before the last one.
// https://pay.weixin.qq.com/doc/v3/merchant/4012533439
const (
	historyPage  = 100
	historyPages = 30
)

// Look reads a complaint's whole negotiation history by the time end: one attempt a page, and one more on the other
// host after a network failure. The order of its items is not documented.
func (c *Caller) Look(ctx context.Context, complaintID string, end time.Time) ([]messages.Item, *Failure) {
	var items []messages.Item
	total := -1
	for range historyPages {
		page, failure := once(ctx, c, end, func(ctx context.Context) (messages.History, *Failure) {
			return c.History(ctx, complaintID, historyPage, len(items))
		})
		if failure != nil {
			return nil, failure
		}
		if page.TotalCount != nil {
			total = *page.TotalCount
		}
		items = append(items, page.Items...)
		if len(page.Items) == 0 || total >= 0 && len(items) >= total {
			return items, nil
		}
	}
	return nil, &Failure{Code: wire.CodeUpstreamGarbled, Message: "the history does not end", HTTPStatus: http.StatusOK}
}

// State reads the state of a complaint by the time end, as [Caller.Look] reads a page.
func (c *Caller) State(ctx context.Context, complaintID string, end time.Time) (string, *Failure) {
	complaint, failure := once(ctx, c, end, func(ctx context.Context) (messages.Complaint, *Failure) {
		return c.Complaint(ctx, complaintID)
	})
	return complaint.ComplaintState, failure
}

// once reads with one attempt, and with one more after a network failure, or with a newer key after the key was
// refused. The first one is given half of the time, so that a host that does not answer leaves some for the other.
func once[T any](
	ctx context.Context,
	c *Caller,
	end time.Time,
	read func(context.Context) (T, *Failure),
) (T, *Failure) {
	defer func(before int) { c.Attempts = before }(c.Attempts)
	c.Attempts = 1
	first, cancel := until(ctx, time.Now().Add(time.Until(end)/2))
	value, failure := read(first)
	cancel()
	second, cancel := until(ctx, end)
	defer cancel()
	if failure.keyRefused() && c.renew(second) {
		return read(second)
	}
	if failure == nil || !failure.network() {
		return value, failure
	}
	failed := c.latest
	c.failed = &failed
	defer func() { c.failed = nil }()
	return read(second)
}

// renew reads the secret again and uses the newer key, if there is one.
func (c *Caller) renew(ctx context.Context) bool {
	if c.Newer == nil {
		return false
	}
	newer, changed := c.Newer(ctx)
	if changed {
		c.Keys = newer
	}
	return changed
}

// until is a context whose attempts end at a time, or at the context's own.
func until(ctx context.Context, end time.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, end.Add(budget.Settling))
}

// keyRefused reports whether WeChat Pay refused the signature: the key may have been changed.
func (f *Failure) keyRefused() bool {
	return f != nil && f.HTTPStatus == http.StatusUnauthorized && f.Code == messages.SignError
}

// network reports whether nothing came back: no connection, or no answer.
func (f *Failure) network() bool {
	return f.HTTPStatus == 0 && (f.Code == wire.CodeUpstreamUnreachable || f.Code == wire.CodeUpstreamTimeout)
}
