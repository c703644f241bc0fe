package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// firstReply is what every new complaint of the demo is answered with, by the rule of template.yaml.
const firstReply = "您好，我们已收到您的投诉，正在核实处理"

// heardID is the complaint of which the demo hears.
const heardID = "2010"

// settleWhenAnswered is a rule of the demo's own: a complaint whose consumer answered is settled. It is what docs/watch.md
// shows for a shop that may do so.
var settleWhenAnswered = sandbox.BusRule{Name: "SettleWhenAnswered", Target: "CompleteQueue",
	Pattern: sandbox.Pattern{"source": []any{"kesu"}, "detail-type": []any{"ComplaintChanged"},
		"detail": map[string]any{"action_type": []any{"USER_RESPONSE"}}},
	Input: &sandbox.Transformer{
		Paths: map[string]string{"id": "$.id", "merchant": "$.detail.merchant", "complaint": "$.detail.complaint_id"},
		Template: `{"id": <id>, "detail-type": "ComplaintCompletionRequested", "source": "shop",
			"detail": {"merchant": <merchant>, "complaint_id": <complaint>}}`}}

// hear lets a consumer complain, and waits for what the notification becomes.
func hear(ctx context.Context, d *demo) (result, error) {
	d.State.Open("acme", heardID, "付款后一直没有收到货", time.Now())
	return d.published(ctx, "ComplaintReceived")
}

func firstReplied(ctx context.Context, d *demo) (result, error) {
	return d.settled(ctx, "ComplaintReplySettled", heardID)
}

func answered(ctx context.Context, d *demo) (result, error) {
	d.State.Say("acme", heardID, "收到退款了，谢谢")
	return d.published(ctx, "ComplaintChanged")
}

func completed(ctx context.Context, d *demo) (result, error) {
	return d.settled(ctx, "ComplaintCompletionSettled", heardID)
}

// published waits for an event about the complaint, and for the answer to the notification that it came from.
func (d *demo) published(ctx context.Context, detailType string) (result, error) {
	if _, err := d.settled(ctx, detailType, heardID); err != nil {
		return result{}, err
	}
	told, err := d.taken(ctx)
	if err != nil {
		return result{}, err
	}
	got := result{Outcome: "published", Code: detailType, Attempts: len(told.Attempts), Verified: true}
	got.status = told.Attempts[len(told.Attempts)-1].Status
	return got, nil
}

// taken waits until the latest notification was taken. It is published before it is answered, so it may still be on its way.
func (d *demo) taken(ctx context.Context) (sandbox.Told, error) {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if all := d.Notifier.All(); len(all) > 0 && all[len(all)-1].State == sandbox.Taken {
			return all[len(all)-1], nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return sandbox.Told{}, ctx.Err()
		}
	}
}

// settled waits for an event of Kesu's about a complaint.
func (d *demo) settled(ctx context.Context, detailType, complaint string) (result, error) {
	var got result
	_, err := d.Bus.Wait(ctx, func(e sandbox.Event) bool {
		var r result
		if e.Source != "kesu" || e.DetailType != detailType || json.Unmarshal(e.Detail, &r) != nil || r.ComplaintID != complaint {
			return false
		}
		got = r
		return true
	})
	return got, err
}
