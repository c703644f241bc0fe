package wire

import (
	"time"
)

// Outcome says what became of a command. Each has one meaning, and once an attempt may have been carried out the
// outcome is never Retryable (contract, section 3).
type Outcome string

const (
	Succeeded Outcome = "succeeded" // the gateway did it, and said so verifiably
	Rejected  Outcome = "rejected"  // it was not done, and the same request will not be done as things stand
	Retryable Outcome = "retryable" // it was certainly not done; try again
	Unknown   Outcome = "unknown"   // it may have been done
)

// Provider names the gateway that an action goes to.
type Provider string

const (
	Imageco   Provider = "imageco"   // 翼码, replies
	WechatPay Provider = "wechatpay" // WeChat Pay APIv3, completions
)

// Result is the normalized answer to one command, the same in every shape of invocation (contract, section 3).
type Result struct {
	Action        Action    `json:"action"`
	Merchant      string    `json:"merchant"`
	ComplaintID   string    `json:"complaint_id"`
	Outcome       Outcome   `json:"outcome"`
	Provider      Provider  `json:"provider"`
	Code          string    `json:"code"`
	Message       string    `json:"message"`
	HTTPStatus    int       `json:"http_status"`    // the gateway's last one, 0 without an answer
	Verified      bool      `json:"verified"`       // the answer's signature was there and right
	RequestID     string    `json:"request_id"`     // the gateway's own name for the call, to quote to its support
	TransactionID string    `json:"transaction_id"` // 翼码's 请求流水号; empty for a completion
	Attempts      int       `json:"attempts"`       // calls to the gateway; 0 for a refusal of ours
	Replayed      bool      `json:"replayed"`       // told from the ledger, no call was made
	At            time.Time `json:"at"`             // UTC, whole seconds
	Errors        []Problem `json:"errors,omitempty"`

	// RetryAfter is how long a caller should wait before it tries again; it travels as a header, not in the body.
	RetryAfter time.Duration `json:"-"`
	// TooLarge and NotJSON tell an INVALID_REQUEST that is 413 or 415 from one that is 400.
	TooLarge, NotJSON bool `json:"-"`
}
