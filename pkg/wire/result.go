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
	Imageco   Provider = "imageco"   // 翼码: replies
	WechatPay Provider = "wechatpay" // WeChat Pay APIv3: replies, pictures and completions
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
	HTTPStatus    int       `json:"http_status"`          // the gateway's last one, 0 without an answer
	Verified      bool      `json:"verified"`             // the answer's signature was there and right
	RequestID     string    `json:"request_id"`           // the gateway's own name for the call, for its support
	TransactionID string    `json:"transaction_id"`       // 翼码's 请求流水号; empty for a completion and an upload
	Attempts      int       `json:"attempts"`             // calls to the gateway; 0 for a refusal of ours
	Replayed      bool      `json:"replayed"`             // told from the ledger, no call was made
	At            time.Time `json:"at"`                   // UTC, whole seconds
	EventID       string    `json:"event_id,omitempty"`   // of the event that brought the command
	MessageID     string    `json:"message_id,omitempty"` // of the queue's record that brought it
	MediaID       string    `json:"media_id,omitempty"`   // of a picture that was uploaded, for response_images
	Evidence      *Evidence `json:"evidence,omitempty"`   // of a look into the complaint's history
	Errors        []Problem `json:"errors,omitempty"`

	// RetryAfter is how long a caller should wait before it tries again; it travels as a header, not in the body.
	RetryAfter time.Duration `json:"-"`
	// LookAgain is after how long it is worth looking again what became of an unknown reply; 0 when a person has to.
	LookAgain time.Duration `json:"-"`
	// Final says of an unknown reply that the gateway refused to carry it out again, so that only an earlier attempt
	// can have been carried out, and repeating it would not tell more.
	Final bool `json:"-"`
	// TooLarge and WrongMedia tell an INVALID_REQUEST that is 413 or 415 from one that is 400.
	TooLarge, WrongMedia bool `json:"-"`
}

// Evidence is what a look into the complaint's negotiation history (协商历史) told of a reply that may have been carried
// out. What is not known is left out (contract, section 6.1).
type Evidence struct {
	LookedAt       time.Time `json:"looked_at,omitzero"`        // UTC, whole seconds
	Seen           *bool     `json:"seen,omitempty"`            // the history shows it; nil: it could not be read
	LogID          string    `json:"log_id,omitempty"`          // of the item that is the reply
	OperateTime    time.Time `json:"operate_time,omitzero"`     // of that item, UTC
	ComplaintState string    `json:"complaint_state,omitempty"` // read after a look that did not show the reply
	Error          string    `json:"error,omitempty"`           // the code of a look that failed
}
