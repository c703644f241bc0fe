package action

import (
	"cmp"
	"net/http"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/wire"
)

// resultBadSign is 翼码's result.id for a sign or mac that does not match.
const resultBadSign = "6100"

// judge says what an answer of 翼码's means: the table of the contract's section 4.
func judge(answer gateway.Answer, sent wire.ReplyMessage, m *merchant.Imageco, enforce bool) gateway.Verdict {
	read := wire.ReadReplyJSON
	if m.XML {
		read = func(body []byte, key string, _ bool) (wire.ReplyAnswer, error) { return wire.ReadReplyXML(body, key) }
	}
	said, err := read(answer.Body, m.Key, m.SignGBK)
	readable := err == nil

	verdict := byStatusAndResult(answer, said, readable, sent)
	verdict.Verified = readable && said.Signature == wire.SignatureRight
	verdict.Forged = readable && said.Signature == wire.SignatureWrong
	if verdict.Forged && enforce {
		// After a rotation 翼码 may refuse our sign and sign that refusal with the new key.
		return gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamUnverified, Forged: true,
			KeyRefused: said.ResultID == resultBadSign,
			Message:    "the answer's signature is wrong, so what it says does not count"}
	}
	if readable && verdict.Message == "" {
		verdict.Message = cmp.Or(wire.Message(said.Comment, m.Key), "the gateway gave this code and no words")
	}
	return verdict
}

func byStatusAndResult(answer gateway.Answer, said wire.ReplyAnswer, readable bool, sent wire.ReplyMessage) gateway.Verdict {
	status := answer.Status
	ours := said.TransactionID == sent.TransactionID && said.ComplaintID == sent.ComplaintID
	switch {
	case status >= 300 && status < 400 || status >= 500:
		return garbled("the gateway answered with an HTTP status that says nothing about the reply")
	case readable && said.ResultID == wire.ResultTimedOut:
		return gateway.Verdict{Effect: gateway.MaybeDone, Code: said.ResultID}
	case status == http.StatusTooManyRequests && readable && said.ResultID == wire.ResultSucceeded:
		return garbled("the gateway answered 429 and success at once")
	case status == http.StatusTooManyRequests:
		return gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeRateLimited,
			Message: "the gateway takes no more calls for now", RetryAfter: gateway.RetryAfter(answer.Header, time.Now())}
	case !readable && status >= 400:
		return gateway.Verdict{Effect: gateway.Refused, Code: wire.CodeUpstreamRefused,
			Message: "the gateway refused without saying why"}
	case !readable:
		return garbled("the gateway's answer cannot be read")
	case said.ResultID == wire.ResultSucceeded && ours:
		return gateway.Verdict{Effect: gateway.Done, Code: said.ResultID}
	case said.ResultID == wire.ResultSucceeded:
		return garbled("the gateway's answer is about another reply")
	}
	return gateway.Verdict{Effect: gateway.Refused, Code: said.ResultID, KeyRefused: said.ResultID == resultBadSign}
}

func garbled(message string) gateway.Verdict {
	return gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: message}
}
