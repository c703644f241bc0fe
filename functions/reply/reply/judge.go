package reply

import (
	"cmp"
	"net/http"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/wire"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

// resultBadSign is 翼码's result.id for a sign or mac that does not match.
const resultBadSign = "6100"

// notListed reads on from 翼码's words on a call from an address that it was not told of.
const notListed = "; the address that this call came from is not on 翼码's list of allowed addresses (IP 白名单)"

// judge says what an answer of 翼码's means: the table of the contract's section 4. What of it may be shown hidden says.
func judge(
	answer gateway.Answer,
	sent imageco.Reply,
	m *merchant.Imageco,
	hidden redact.Secrets,
	enforce bool,
) gateway.Verdict {
	read := imageco.ReadJSON
	if m.XML {
		read = imageco.ReadXML
	}
	said, err := read(answer.Body, m.Key)
	// What is no code that may be shown is no answer either: it says nothing of 翼码's.
	readable := err == nil && wire.GatewayCode(wire.Imageco, said.ResultID, hidden) != ""

	verdict := byStatusAndResult(answer, said, readable, sent)
	verdict.Verified = said.Signature == imageco.SignatureRight
	verdict.Forged = said.Signature == imageco.SignatureWrong
	if verdict.Forged && enforce {
		// After a rotation 翼码 may refuse our sign and sign that refusal with the new key.
		return gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamUnverified, Forged: true,
			KeyRefused: said.ResultID == resultBadSign,
			Message:    "the answer's signature is wrong, so what it says does not count"}
	}
	if readable && verdict.Message == "" {
		verdict.Message = cmp.Or(hidden.Text(said.Comment), "the gateway gave this code and no words")
		if said.ResultID == imageco.NotListed {
			verdict.Message += notListed
		}
	}
	return verdict
}

func byStatusAndResult(answer gateway.Answer, said imageco.Answer, readable bool, sent imageco.Reply) gateway.Verdict {
	status := answer.Status
	done := readable && said.ResultID == imageco.Succeeded
	switch {
	case status >= 300 && status < 400 || status >= 500:
		return garbled("the gateway answered with an HTTP status that says nothing about the reply")
	case foreign(said, sent):
		return garbled("the gateway's answer is about another reply")
	case readable && said.ResultID == imageco.TimedOut:
		return gateway.Verdict{Effect: gateway.MaybeDone, Code: said.ResultID}
	case done && (status == http.StatusTooManyRequests || status == http.StatusTooEarly):
		return garbled("the gateway refused and said success at once")
	case status == http.StatusTooManyRequests:
		return gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeRateLimited,
			Message:    "the gateway takes no more calls for now",
			RetryAfter: gateway.RetryAfter(answer.Header, time.Now())}
	case answer.NotTaken() && (!readable || status == http.StatusTooEarly):
		return gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeUpstreamUnreachable,
			Message: "the gateway did not take the request", RetryAfter: gateway.RetryAfter(answer.Header, time.Now())}
	case status == http.StatusRequestTimeout:
		return garbled("the gateway answered 408, and it may have taken the request before that")
	case !readable && status >= 400:
		return gateway.Verdict{Effect: gateway.Refused, Code: wire.CodeUpstreamRefused,
			Message: "the gateway refused without saying why"}
	case !readable:
		return garbled("the gateway's answer cannot be read")
	case done && said.TransactionID == sent.TransactionID && said.ComplaintID == sent.ComplaintID:
		return gateway.Verdict{Effect: gateway.Done, Code: said.ResultID}
	case done:
		return garbled("the gateway's answer does not say which reply it is about")
	}
	return gateway.Verdict{Effect: gateway.Refused, Code: said.ResultID, KeyRefused: said.ResultID == resultBadSign}
}

// foreign reports whether an answer carries an id that is not of the reply that was sent. A refusal may carry none: 翼码
// cannot echo what it did not read.
func foreign(said imageco.Answer, sent imageco.Reply) bool {
	return said.TransactionID != "" && said.TransactionID != sent.TransactionID ||
		said.ComplaintID != "" && said.ComplaintID != sent.ComplaintID
}

func garbled(message string) gateway.Verdict {
	return gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: message}
}
