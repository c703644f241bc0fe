package action

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// judgeCompletion says what an answer of WeChat Pay's means: the table of the contract's section 5.
func judgeCompletion(answer gateway.Answer, m *merchant.WechatPay, now time.Time) gateway.Verdict {
	verdict := read(answer, m, now)
	switch status := answer.Status; {
	case status == http.StatusAccepted && verdict.Verified:
		verdict.Final = true
		return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled, "the gateway answered 202: taken, but not done")
	case succeeded(status) && verdict.Verified:
		return say(verdict, gateway.Done, wire.CodeOK, "the complaint is settled")
	case succeeded(status):
		return verdict
	case status == http.StatusTooManyRequests:
		verdict.RetryAfter = gateway.RetryAfter(answer.Header, now)
		return say(verdict, gateway.NotDone, wire.CodeRateLimited, "the gateway takes no more calls for now")
	case refused(status) && verdict.Code == "":
		return say(verdict, gateway.Refused, wire.CodeUpstreamRefused, "the gateway refused without saying why")
	case refused(status):
		verdict.Effect = gateway.Refused
		verdict.KeyRefused = status == http.StatusUnauthorized && verdict.Code == wire.WechatPaySignError
		return verdict
	case verdict.Code == "":
		return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled, "the gateway's answer says nothing about the completion")
	}
	return verdict // 3xx or 5xx with a code of WeChat Pay's own
}

// read is what every answer tells: who it is from, and WeChat Pay's code if it has one. Its effect is that of an answer
// that says nothing certain.
func read(answer gateway.Answer, m *merchant.WechatPay, now time.Time) gateway.Verdict {
	verdict := gateway.Verdict{
		Effect:    gateway.MaybeDone,
		RequestID: wire.RequestID(answer.Header.Get("Request-Id")),
	}
	signature := m.Platform.Verify(answer.Header, answer.Body, now)
	verdict.Verified = signature == nil
	if !succeeded(answer.Status) {
		// Errors are often unsigned, and then not forged.
		verdict.Forged = signature != nil && !errors.Is(signature, signing.ErrNotSigned)
		code, message := wire.ReadWechatPayError(answer.Body)
		verdict.Code, verdict.Message = code, cmp.Or(wire.Message(message), "the gateway gave this code and no words")
		return verdict
	}
	if signature != nil {
		verdict.Forged = true
		verdict.Code, verdict.Message = wire.CodeUpstreamUnverified, "the answer cannot be verified: "+signature.Error()
	}
	return verdict
}

func succeeded(status int) bool { return status >= 200 && status < 300 }

func refused(status int) bool { return status >= 400 && status < 500 }

func say(v gateway.Verdict, effect gateway.Effect, code, message string) gateway.Verdict {
	v.Effect, v.Code, v.Message = effect, code, message
	return v
}

// alreadyDonePerhaps tells the refusal that a completion gets when the complaint's state does not allow it, which is
// also what one gets that is settled already.
func alreadyDonePerhaps(report gateway.Report) bool {
	return report.Last.Effect == gateway.Refused && report.Last.Code == wire.WechatPayInvalidRequest &&
		report.HTTPStatus == http.StatusBadRequest
}

// judgeState says what the complaint's own state means for a completion that was refused with INVALID_REQUEST. Only a
// verified answer counts; asking again is worth it unless WeChat Pay refuses to tell.
func judgeState(answer gateway.Answer, complaintID string, refusal gateway.Verdict, m *merchant.WechatPay, now time.Time) gateway.Verdict {
	verdict := read(answer, m, now)
	switch status := answer.Status; {
	case status == http.StatusTooManyRequests:
		verdict.RetryAfter = gateway.RetryAfter(answer.Header, now)
		return say(verdict, gateway.MaybeDone, wire.CodeRateLimited, "the gateway takes no more calls for now")
	case status != http.StatusOK:
		verdict.Final = refused(status)
		if verdict.Code == "" {
			return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled, "the complaint's state could not be read")
		}
		return verdict
	case !verdict.Verified:
		return verdict
	}
	state, err := wire.ReadComplaintState(answer.Body, complaintID)
	if err != nil {
		return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled, "the complaint, as WeChat Pay tells it, "+err.Error())
	}
	verdict.Conclusive = true
	if state == wire.StateProcessed {
		return say(verdict, gateway.Done, wire.CodeOK, "the complaint was settled already")
	}
	return say(verdict, gateway.Refused, refusal.Code, refusal.Message)
}

// resolve joins the refused completion and the state that was read because of it.
//
// A state that was read and verified settles the matter, for an earlier attempt whose answer was lost as well: the
// complaint is settled or it is not. Without one the refusal alone is not believed, and the outcome is unknown.
func resolve(refusal, state gateway.Report) gateway.Report {
	if state.Last.Effect == gateway.NotDone { // nobody was asked: no connection, no time or no pace left
		state.Last.Effect = gateway.MaybeDone
	}
	joined := refusal.Then(state)
	joined.Maybe = nil // the last verdict speaks for all attempts
	return joined
}
