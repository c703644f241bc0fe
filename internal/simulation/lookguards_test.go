package simulation

import (
	"context"
	"strings"
	"time"

	"github.com/kesu-go/kesu/functions/reply/reply"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/sighting"
	apiv3 "github.com/kesu-go/kesu/internal/wechatpay"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// lookGuards are what keeps a look from telling what is not so.
var lookGuards = []guard{
	{"a look's time bound: what is older than the claim shows it too",
		Guards{Reply: func(m pipeline.Merchant) pipeline.Merchant { return timeless{m.(*reply.Merchant)} }}, KindFalse, 0},
	{"a look's words: any words will do",
		Guards{Reply: func(m pipeline.Merchant) pipeline.Merchant { return blurred{m.(*reply.Merchant), sameWords} }}, KindFalse, 0},
	{"a look's pictures: any number will do",
		Guards{Reply: func(m pipeline.Merchant) pipeline.Merchant { return blurred{m.(*reply.Merchant), samePictures} }}, KindFalse, 0},
	{"an item proves one reply: it proves any",
		Guards{Table: func(s ledger.Store) ledger.Store { return deaf{s, "#seen#"} }}, KindFalse, 0.9},
	{"the note that words are on their way: there is none",
		Guards{Table: func(s ledger.Store) ledger.Store { return deaf{s, "#said#"} }}, KindFalse, 0},
	{"verification of a look: every signature of WeChat Pay is right",
		Guards{Verify: func(verifier) verifier { return func(_, _ []byte) error { return nil } }}, KindFalse, 0},
	{"the look before a resend: nobody looks",
		Guards{Reply: func(m pipeline.Merchant) pipeline.Merchant { return heedless{m.(*reply.Merchant)} }}, KindBlind, 0},
	{"settling before looking: the unknown is not written",
		Guards{Table: func(s ledger.Store) ledger.Store { return lazy{s} }}, KindLooking, 0},
	{"coming again until the window is over: it does not",
		Guards{Reply: func(m pipeline.Merchant) pipeline.Merchant { return uncertain{m.(*reply.Merchant)} }}, KindPerson, 0},
}

// timeless looks for a reply that was claimed long ago.
type timeless struct{ *reply.Merchant }

func (t timeless) Look(ctx context.Context, call pipeline.Call, claimedAt, end time.Time) ([]messages.Item, *apiv3.Failure) {
	return t.Merchant.Look(ctx, call, claimedAt.Add(-100*24*time.Hour), end)
}

// blurred sees the items of a history changed.
type blurred struct {
	*reply.Merchant
	change func(*messages.Item, sighting.Reply)
}

func sameWords(i *messages.Item, r sighting.Reply) { i.Details = r.Content }

func samePictures(i *messages.Item, r sighting.Reply) {
	*i = messages.Item{LogID: i.LogID, OperateTime: i.OperateTime, OperateType: i.OperateType, Details: i.Text(), Images: make([]string, r.Pictures)}
}

func (b blurred) Look(ctx context.Context, call pipeline.Call, claimedAt, end time.Time) ([]messages.Item, *apiv3.Failure) {
	half, _ := b.WechatPay()
	caller := apiv3.Caller{API: b.API, Keys: half, Merchant: call.Command.Merchant, Turn: call.Turn}
	items, failure := caller.Look(ctx, call.Command.ComplaintID, end)
	wanted := sighting.Reply{Content: call.Command.ResponseContent, Pictures: len(call.Command.ResponseImages), ClaimedAt: claimedAt}
	var shown []messages.Item
	for _, item := range items {
		b.change(&item, wanted)
		if wanted.ShownBy(item) {
			shown = append(shown, item)
		}
	}
	return shown, failure
}

// deaf takes what is written under some names for written, and keeps none of it.
type deaf struct {
	ledger.Store
	to string
}

func (d deaf) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	if strings.Contains(e.ID, d.to) {
		return nil, nil
	}
	return d.Store.Put(ctx, e, cond)
}

// heedless does not look before a resend.
type heedless struct{ *reply.Merchant }

func (h heedless) Look(ctx context.Context, call pipeline.Call, claimedAt, end time.Time) ([]messages.Item, *apiv3.Failure) {
	if call.Command.ResendUnknown {
		return nil, nil
	}
	return h.Merchant.Look(ctx, call, claimedAt, end)
}

// lazy says that an unknown result is settled, and does not write it.
type lazy struct{ ledger.Store }

func (l lazy) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	if e.State == ledger.Unknown && cond.State == ledger.Claimed {
		return nil, nil
	}
	return l.Store.Put(ctx, e, cond)
}

// uncertain takes what cannot be looked for now for what never can be.
type uncertain struct{ *reply.Merchant }

func (u uncertain) Look(ctx context.Context, call pipeline.Call, claimedAt, end time.Time) ([]messages.Item, *apiv3.Failure) {
	items, failure := u.Merchant.Look(ctx, call, claimedAt, end)
	if failure != nil {
		failure = &apiv3.Failure{Code: failure.Code, HTTPStatus: 403, Refused: true}
	}
	return items, failure
}
