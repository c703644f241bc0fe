package reply

import (
	"cmp"
	"context"
	"crypto/rand"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// sendWechatPay sends a picture or a reply through WeChat Pay: a reply to a complaint that asks for immediate service
// in the form that may be repeated, and to every other in the one that may not.
func (m *Merchant) sendWechatPay(ctx context.Context, call pipeline.Call) (gateway.Report, error) {
	caller, wrong := m.caller(call)
	if wrong != nil {
		return gateway.Report{}, wrong
	}
	c := call.Command
	if c.Action.TakesPicture() {
		return upload(ctx, caller, c.Picture)
	}
	reply := messages.Reply{
		// The account at 翼码 in the secret is another name space, and never stands in for this.
		ComplaintedMchID: cmp.Or(c.SellerAccount, caller.Keys.Requester.Mchid),
		Content:          c.ResponseContent,
		Images:           c.ResponseImages,
		JumpURL:          c.JumpURL,
		JumpURLText:      c.JumpURLText,
		MiniProgram:      (*messages.MiniProgram)(c.MiniProgram),
	}
	if c.ImmediateService {
		return caller.RespondImmediately(ctx, c.ComplaintID, reply, call.TransactionID)
	}
	return caller.Respond(ctx, c.ComplaintID, reply)
}

// upload gives WeChat Pay a picture that replies can show, whichever gateway carries them.
func upload(ctx context.Context, caller *wechatpay.Caller, p *wire.Picture) (gateway.Report, error) {
	// The boundary must not stand in the picture, whose bytes a stranger may have chosen.
	form, err := messages.NewUpload(p.Data, p.MediaType, p.Filename, p.Suffix, rand.Text())
	if err != nil {
		return gateway.Report{}, err
	}
	return caller.Upload(ctx, form)
}

// caller makes the calls of one command to WeChat Pay, or says what is wrong with that half of the secret.
func (m *Merchant) caller(call pipeline.Call) (*wechatpay.Caller, *merchant.FieldError) {
	half, wrong := m.WechatPay()
	return &wechatpay.Caller{
		API:      m.API,
		Keys:     half,
		Merchant: call.Command.Merchant,
		Turn:     call.Turn,
		Attempts: call.Attempts,
		Newer:    call.Newer,
	}, wrong
}
