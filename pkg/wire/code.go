package wire

import (
	"slices"

	"github.com/kesu-go/kesu/pkg/redact"
)

// The codes that Kesu gives itself; every other code is the gateway's own (contract, section 3).
const (
	CodeOK = "OK" // a verified 2xx of WeChat Pay's, which carries no code

	CodeInvalidRequest        = "INVALID_REQUEST"
	CodeUnknownMerchant       = "UNKNOWN_MERCHANT"
	CodeMerchantMisconfigured = "MERCHANT_MISCONFIGURED"
	CodeInProgress            = "IN_PROGRESS"
	CodeIdempotencyMismatch   = "IDEMPOTENCY_MISMATCH"
	CodeOutcomeUnknown        = "OUTCOME_UNKNOWN"
	CodeSeenInHistory         = "SEEN_IN_HISTORY"
	CodeSecretsUnavailable    = "SECRETS_UNAVAILABLE"
	CodeLedgerUnavailable     = "LEDGER_UNAVAILABLE"
	CodeRateLimited           = "RATE_LIMITED"
	CodeUpstreamUnreachable   = "UPSTREAM_UNREACHABLE"
	CodeUpstreamBusy          = "UPSTREAM_BUSY"
	CodeUpstreamTimeout       = "UPSTREAM_TIMEOUT"
	CodeUpstreamUnverified    = "UPSTREAM_UNVERIFIED"
	CodeUpstreamGarbled       = "UPSTREAM_GARBLED"
	CodeUpstreamRefused       = "UPSTREAM_REFUSED"
	CodeResultNotPublished    = "RESULT_NOT_PUBLISHED"
	CodeDeadline              = "DEADLINE"
	CodeInternal              = "INTERNAL"
	CodeCallerNotAllowed      = "CALLER_NOT_ALLOWED"
	CodeUnreadableEvent       = "UNREADABLE_EVENT" // only the type of an error: what names nobody has no result
)

// maxCode bounds a gateway's code in characters; 翼码's have four digits, WeChat Pay's are a few words.
const maxCode = 64

// IsCode reports whether a text has the form of a gateway's code.
func IsCode(text string) bool {
	return text != "" && len(text) <= maxCode && madeOf(text, func(c byte) bool { return idCharacter(c) || c == '.' })
}

// ownCodes are what a gateway's code may not be: it would say something that only Kesu says.
var ownCodes = []string{
	CodeOK, CodeInvalidRequest, CodeUnknownMerchant, CodeMerchantMisconfigured, CodeInProgress, CodeIdempotencyMismatch,
	CodeOutcomeUnknown, CodeSeenInHistory, CodeSecretsUnavailable, CodeLedgerUnavailable, CodeRateLimited,
	CodeUpstreamUnreachable, CodeUpstreamBusy, CodeUpstreamTimeout, CodeUpstreamUnverified, CodeUpstreamGarbled,
	CodeUpstreamRefused, CodeResultNotPublished, CodeDeadline, CodeInternal, CodeCallerNotAllowed, CodeUnreadableEvent,
}

// GatewayCode lets a gateway's code into a result, and gives "" for what must not stand there: what is no code or holds
// what must be hidden, and a code of Kesu's own, but for WeChat Pay's INVALID_REQUEST (contract, section 3).
func GatewayCode(provider Provider, code string, hidden redact.Secrets) string {
	theirs := provider == WechatPay && code == CodeInvalidRequest
	if slices.Contains(ownCodes, code) && !theirs {
		return ""
	}
	return hidden.Code(code)
}
