package wire

// The codes that Kesu gives itself; every other code is the gateway's own (contract, section 3).
const (
	CodeOK = "OK" // a verified 2xx of WeChat Pay's, which carries no code

	CodeInvalidRequest        = "INVALID_REQUEST"
	CodeUnknownMerchant       = "UNKNOWN_MERCHANT"
	CodeMerchantMisconfigured = "MERCHANT_MISCONFIGURED"
	CodeInProgress            = "IN_PROGRESS"
	CodeIdempotencyMismatch   = "IDEMPOTENCY_MISMATCH"
	CodeOutcomeUnknown        = "OUTCOME_UNKNOWN"
	CodeSecretsUnavailable    = "SECRETS_UNAVAILABLE"
	CodeLedgerUnavailable     = "LEDGER_UNAVAILABLE"
	CodeRateLimited           = "RATE_LIMITED"
	CodeUpstreamUnreachable   = "UPSTREAM_UNREACHABLE"
	CodeUpstreamTimeout       = "UPSTREAM_TIMEOUT"
	CodeUpstreamUnverified    = "UPSTREAM_UNVERIFIED"
	CodeUpstreamGarbled       = "UPSTREAM_GARBLED"
	CodeUpstreamRefused       = "UPSTREAM_REFUSED"
	CodeResultNotPublished    = "RESULT_NOT_PUBLISHED"
	CodeDeadline              = "DEADLINE"
	CodeInternal              = "INTERNAL"
)
