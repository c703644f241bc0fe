package wechatpay

import (
	"context"
	"net/http"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// Respond shows a reply to the consumer (回复用户): https://pay.weixin.qq.com/doc/v3/merchant/4012467254. Its message has
// no member by which WeChat Pay could tell a repetition, so what may have been carried out is not sent again.
func (c *Caller) Respond(ctx context.Context, complaintID string, reply messages.Reply) (gateway.Report, error) {
	return c.do(ctx, operation{
		row: respond, complaintID: complaintID,
		path: messages.ResponsePath(complaintID), body: reply.Response(),
		judge: func(a gateway.Answer) gateway.Verdict { return c.judgeReply(ctx, a) },
	})
}

// RespondImmediately shows a reply to the consumer of a complaint that asks for immediate service (回复需要即时服务的投诉单):
// https://pay.weixin.qq.com/doc/v3/merchant/4017151596. WeChat Pay carries an idempotentID out once, so it is repeated
// like a completion.
func (c *Caller) RespondImmediately(
	ctx context.Context,
	complaintID string,
	reply messages.Reply,
	idempotentID string,
) (gateway.Report, error) {
	return c.do(ctx, operation{
		row: respondImmediately, complaintID: complaintID,
		path: messages.ImmediatePath(complaintID), body: reply.Immediate(idempotentID),
		judge: func(a gateway.Answer) gateway.Verdict {
			verdict := c.judgeReply(ctx, a)
			if verdict.Effect == gateway.Done {
				verdict.LogID = c.hidden().ID(messages.ReadLogID(a.Body))
			}
			return verdict
		},
	})
}

// judgeReply says what an answer to a reply means: the table of the contract's section 5.1. A refusal that asks to try
// later is not repeated at once.
func (c *Caller) judgeReply(ctx context.Context, answer gateway.Answer) gateway.Verdict {
	verdict := c.judge(ctx, answer, "the reply is shown to the consumer", "reply")
	if verdict.Effect == gateway.Refused && answer.Status == http.StatusBadRequest && c.tryLater {
		verdict.Final, verdict.RetryAfter = true, busyWait
		return say(verdict, gateway.NotDone, wire.CodeUpstreamBusy, verdict.Message)
	}
	return verdict
}

// Upload gives WeChat Pay a picture (商户上传反馈图片): https://pay.weixin.qq.com/doc/v3/partner/4012467222. What is signed is
// the form's member meta. Uploading a picture twice gives two ids, which is harmless.
func (c *Caller) Upload(ctx context.Context, upload messages.Upload) (gateway.Report, error) {
	return c.do(ctx, operation{
		row:  uploadPicture,
		path: messages.UploadPath, body: upload.Body, contentType: upload.ContentType, signed: upload.Meta,
		judge: func(a gateway.Answer) gateway.Verdict {
			verdict := c.judge(ctx, a, "the picture is uploaded", "picture")
			if verdict.Effect != gateway.Done {
				return verdict
			}
			// An id that holds a secret is none: WeChat Pay makes its ids itself.
			verdict.MediaID = messages.ReadUpload(a.Body)
			if verdict.MediaID == "" || c.hidden().In(verdict.MediaID) {
				verdict.MediaID = ""
				return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled,
					"the gateway's answer has no media_id that a reply could show")
			}
			return verdict
		},
	})
}
