package reply

import (
	"context"
	"time"

	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/sighting"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// Look reads the complaint's history by the time end, and gives the items that show the reply, whichever gateway
// carried it.
func (m *Merchant) Look(
	ctx context.Context,
	call pipeline.Call,
	claimedAt, end time.Time,
) ([]messages.Item, *wechatpay.Failure) {
	caller, _ := m.caller(call)
	items, failure := caller.Look(ctx, call.Command.ComplaintID, end)
	if failure != nil {
		return nil, failure
	}
	wanted := wanted(call.Command, claimedAt)
	var shown []messages.Item
	for _, item := range items {
		if wanted.ShownBy(item) && caller.Keys.Hidden.ID(item.LogID) != "" { // the id is going to be shown
			shown = append(shown, item)
		}
	}
	return shown, nil
}

// State reads the complaint's state by the time end.
func (m *Merchant) State(ctx context.Context, call pipeline.Call, end time.Time) (string, *wechatpay.Failure) {
	caller, _ := m.caller(call)
	state, failure := caller.State(ctx, call.Command.ComplaintID, end)
	return caller.Keys.Hidden.Code(state), failure
}

// wanted is the reply as it would be shown.
func wanted(c *wire.Command, claimedAt time.Time) sighting.Reply {
	link := []string{c.JumpURLText, c.JumpURL}
	if m := c.MiniProgram; m != nil {
		link = []string{m.Text, m.Path}
	}
	return sighting.Reply{Content: c.ResponseContent, Link: link, Pictures: len(c.ResponseImages), ClaimedAt: claimedAt}
}
