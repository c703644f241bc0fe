package wechatpay

import (
	"context"
	"net/http"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/pkg/wire"
)

// row is what is fixed about an operation.
type row struct {
	method     string
	repeatable bool // repeating what may have been done is harmless
}

// The operations.
var (
	complete           = row{http.MethodPost, true}
	respond            = row{http.MethodPost, false} // shown to the consumer each time
	respondImmediately = row{http.MethodPost, true}
	uploadPicture      = row{http.MethodPost, true}
	reading            = row{http.MethodGet, true}
)

// Complete tells WeChat Pay that a complaint is settled (反馈处理完成): https://pay.weixin.qq.com/doc/v3/merchant/4012467255.
//
// A refusal with INVALID_REQUEST may mean that it was done before, by an attempt whose answer was lost or by a person,
// so the complaint itself is asked then.
func (c *Caller) Complete(ctx context.Context, complaintID, complaintedMchID string) (gateway.Report, error) {
	report, err := c.do(ctx, operation{
		row: complete, complaintID: complaintID,
		path: messages.CompletePath(complaintID), body: messages.CompleteBody(complaintedMchID),
		judge: func(a gateway.Answer) gateway.Verdict {
			return c.judge(ctx, a, "the complaint is settled", "completion")
		},
	})
	if err != nil || !alreadyDonePerhaps(report) {
		return report, err
	}
	refusal, tryLater := report.Last, c.tryLater
	state, err := c.do(ctx, operation{
		row: reading, complaintID: complaintID, path: messages.ComplaintPath(complaintID), following: &report,
		// What is left of the invocation's attempts, but at least one: without it nobody would know.
		attempts: max(c.attempts()-report.Attempts, 1),
		judge: func(a gateway.Answer) gateway.Verdict {
			return c.judgeState(ctx, a, complaintID, refusal, tryLater)
		},
	})
	return resolve(report, state), err
}

// alreadyDonePerhaps reports whether a completion got the refusal that it gets when the complaint's state does not
// allow it, which is also what one gets that is settled already.
func alreadyDonePerhaps(report gateway.Report) bool {
	return report.Last.Effect == gateway.Refused && report.Last.Code == messages.InvalidRequest &&
		report.HTTPStatus == http.StatusBadRequest
}

// judgeState says what the complaint's own state means for a completion that was refused with INVALID_REQUEST. Only a
// verified answer counts; asking again is worth it unless WeChat Pay refuses to tell.
//
// A refusal that asked to try later and left the complaint open may be repeated, but not at once.
func (c *Caller) judgeState(
	ctx context.Context,
	answer gateway.Answer,
	complaintID string,
	refusal gateway.Verdict,
	tryLater bool,
) gateway.Verdict {
	verdict := c.read(ctx, answer)
	switch status := answer.Status; {
	case status == http.StatusTooManyRequests:
		verdict.RetryAfter = gateway.RetryAfter(answer.Header, c.API.now())
		return say(verdict, gateway.MaybeDone, wire.CodeRateLimited, "the gateway takes no more calls for now")
	case status != http.StatusOK:
		verdict.Final = refused(status) && status != http.StatusTooEarly
		if verdict.Code == "" {
			return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled, "the complaint's state could not be read")
		}
		return verdict
	case !verdict.Verified:
		return verdict
	}
	state, err := messages.ReadState(answer.Body, complaintID)
	if err != nil {
		return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled,
			"the complaint, as WeChat Pay tells it, "+err.Error())
	}
	verdict.Conclusive = true
	if state == messages.StateProcessed {
		return say(verdict, gateway.Done, wire.CodeOK, "the complaint was settled already")
	}
	if tryLater {
		verdict.Final, verdict.RetryAfter = true, busyWait
		return say(verdict, gateway.NotDone, wire.CodeUpstreamBusy, refusal.Message)
	}
	return say(verdict, gateway.Refused, refusal.Code, refusal.Message)
}

// resolve joins the refused completion and the state that was read because of it.
//
// A state that was read and verified settles the matter, for an earlier attempt whose answer was lost as well: the
// complaint is settled or it is not. Without one the refusal alone is not believed, and the outcome is unknown.
func resolve(refusal, state gateway.Report) gateway.Report {
	// Nobody was asked: there was no connection, no time or no pace left.
	if state.Last.Effect == gateway.NotDone && !state.Last.Conclusive {
		state.Last.Effect = gateway.MaybeDone
	}
	joined := refusal.Then(state)
	joined.Maybe = nil // the last verdict speaks for all attempts
	return joined
}
