package wechatpay

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// unknownKeyWait is after how long an answer that is signed by a key that nobody here knows is worth asking for again:
// a person has to put the key into the secret.
const unknownKeyWait = 15 * time.Minute

// busyWait is how long a caller waits when WeChat Pay asks to try later and does not say when.
const busyWait = time.Minute

// read is what every answer tells: who it is from, and WeChat Pay's code if it has one. Its effect is that of an answer
// that says nothing certain.
func (c *Caller) read(ctx context.Context, answer gateway.Answer) gateway.Verdict {
	signature := c.verify(ctx, answer)
	hidden := c.hidden()
	verdict := gateway.Verdict{
		Effect:    gateway.MaybeDone,
		Verified:  signature == nil,
		RequestID: hidden.ID(answer.Header.Get("Request-Id")),
	}
	if !succeeded(answer.Status) {
		// Errors are often unsigned, and then not forged.
		verdict.Forged = signature != nil && !errors.Is(signature, signing.ErrNotSigned)
		code, message := messages.ReadError(answer.Body)
		c.tryLater = messages.AsksToTryLater(message)
		verdict.Code = wire.GatewayCode(wire.WechatPay, code, hidden)
		verdict.Message = cmp.Or(hidden.Text(message), "the gateway gave this code and no words")
		return verdict
	}
	if signature != nil {
		verdict.Forged = true
		verdict.Code = wire.CodeUpstreamUnverified
		verdict.Message = "the answer cannot be verified: " + because(signature, answer.Header, hidden)
	}
	if errors.Is(signature, signing.ErrUnknownKey) {
		verdict.Final, verdict.RetryAfter = true, unknownKeyWait // no repetition is signed by a key that is known
	}
	return verdict
}

// verify checks who an answer is from. When it must be verified and the key that signed it is not in the set, the
// secret is read again, because WeChat Pay may have begun to use a key that was put there meanwhile.
func (c *Caller) verify(ctx context.Context, answer gateway.Answer) error {
	replays, now := c.API.replays, c.API.now()
	err := replays.Verify(c.Keys.Platform, answer.Header, answer.Body, now)
	if !succeeded(answer.Status) || !errors.Is(err, signing.ErrUnknownKey) || !c.renew(ctx) {
		return err
	}
	return replays.Verify(c.Keys.Platform, answer.Header, answer.Body, now)
}

// because is why an answer does not verify. Some reasons name the key, as the answer does.
func because(signature error, header http.Header, hidden redact.Secrets) string {
	if serial := header.Get("Wechatpay-Serial"); serial != "" && hidden.ID(serial) == "" {
		for _, reason := range []error{signing.ErrUnknownKey, signing.ErrKeyExpired} {
			if errors.Is(signature, reason) {
				return reason.Error()
			}
		}
	}
	return signature.Error()
}

// judge says what an answer to an operation that changes something means: the tables of the contract's sections 5 and
// 5.1. what is the operation in a message's words.
func (c *Caller) judge(ctx context.Context, answer gateway.Answer, done, what string) gateway.Verdict {
	verdict := c.read(ctx, answer)
	switch status := answer.Status; {
	case status == http.StatusAccepted && verdict.Verified:
		verdict.Final = true
		return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled,
			"the gateway answered 202: taken, but not done")
	case succeeded(status) && verdict.Verified:
		return say(verdict, gateway.Done, wire.CodeOK, done)
	case succeeded(status):
		return verdict
	case status == http.StatusTooManyRequests:
		verdict.RetryAfter = gateway.RetryAfter(answer.Header, c.API.now())
		return say(verdict, gateway.NotDone, wire.CodeRateLimited, "the gateway takes no more calls for now")
	case answer.NotTaken() && (verdict.Code == "" || status == http.StatusTooEarly):
		verdict.RetryAfter = gateway.RetryAfter(answer.Header, c.API.now())
		return say(verdict, gateway.NotDone, wire.CodeUpstreamUnreachable, "the gateway did not take the request")
	case refused(status) && verdict.Code == "":
		return say(verdict, gateway.Refused, wire.CodeUpstreamRefused, "the gateway refused without saying why")
	case refused(status):
		verdict.Effect = gateway.Refused
		verdict.KeyRefused = status == http.StatusUnauthorized && verdict.Code == messages.SignError
		return verdict
	case verdict.Code == "":
		return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled,
			"the gateway's answer says nothing about the "+what)
	}
	return verdict // 408, 3xx or 5xx with a code of WeChat Pay's own
}

func succeeded(status int) bool { return status >= 200 && status < 300 }

// refused reports whether a status says that the request was not carried out. 408 may come from behind the gateway.
func refused(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout
}

func say(v gateway.Verdict, effect gateway.Effect, code, message string) gateway.Verdict {
	v.Effect, v.Code, v.Message = effect, code, message
	return v
}
