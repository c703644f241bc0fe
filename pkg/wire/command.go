package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Action is what a command asks for.
type Action string

const (
	Reply    Action = "reply"    // send words to the consumer, through 翼码
	Complete Action = "complete" // tell WeChat Pay that the complaint is settled
)

// DetailType is the EventBridge detail-type of a request for the action.
func (a Action) DetailType() string {
	if a == Reply {
		return "ComplaintReplyRequested"
	}
	return "ComplaintCompletionRequested"
}

// SettledType is the EventBridge detail-type of the event that tells what became of a request.
func (a Action) SettledType() string {
	if a == Reply {
		return "ComplaintReplySettled"
	}
	return "ComplaintCompletionSettled"
}

// Provider is the gateway that the action goes to.
func (a Action) Provider() Provider {
	if a == Reply {
		return Imageco
	}
	return WechatPay
}

// Command is one valid request for an action: everything in it has passed the rules of the contract's section 2. Only
// [Draft.Command] makes one.
type Command struct {
	Action      Action
	Merchant    string
	ComplaintID string

	// Delivery is the id of the event that brought the command, the same each time it is delivered; empty when it came
	// another way.
	Delivery string

	// IdempotencyKey is what the caller gave; empty when it gave none.
	IdempotencyKey string

	ReplyContent

	// TransactionID is 翼码's 请求流水号 as the caller gave it; empty: derive it.
	TransactionID string
	// ResendUnknown allows a reply to be sent again although an earlier one may have been carried out.
	ResendUnknown bool

	// ComplaintedMchid is 被诉商户号; empty: the merchant's own.
	ComplaintedMchid string
}

// ReplyContent is what a reply says and for which account: the part that the ledger compares.
type ReplyContent struct {
	ResponseContent string
	ResponseImages  []string
	JumpURL         string
	JumpURLText     string
	SellerAccount   string // empty: the secret's
}

// LedgerKey is the idempotency key that the ledger files the command under, and "" for a command that does not go
// through the ledger: a completion without a key. A reply without a key is filed under a hash of its content, so that
// the same words to the same complaint are one reply (contract, section 6).
func (c *Command) LedgerKey() string {
	if c.IdempotencyKey == "" && c.Action == Reply {
		return "content-" + c.PayloadHash()
	}
	return c.IdempotencyKey
}

// PayloadHash identifies what the command asks for, as given in the request: the merchant's defaults take no part, so
// that it is known before the secret is. The transaction id takes no part either, because the ledger keeps the one
// that was sent first.
func (c *Command) PayloadHash() string {
	if c.Action == Complete {
		return hash(c.ComplaintedMchid)
	}
	parts := []string{c.ResponseContent, c.JumpURL, c.JumpURLText, c.SellerAccount}
	return hash(append(parts, c.ResponseImages...)...)
}

// UpstreamTransactionID is the 请求流水号 to send: the caller's, or one derived from merchant, complaint and key, so
// that a resend of the same command carries the same one. It is empty for a completion.
func (c *Command) UpstreamTransactionID() string {
	switch {
	case c.Action == Complete:
		return ""
	case c.TransactionID != "":
		return c.TransactionID
	}
	return hash(c.Merchant, c.ComplaintID, c.LedgerKey())[:transactionIDMax]
}

// hash digests its parts so that no two different lists of parts give the same text.
func hash(parts ...string) string {
	var short [1024]byte // keeps a usual reply off the heap
	text := short[:0]
	for _, p := range parts {
		text = append(strconv.AppendInt(text, int64(len(p)), 10), ':')
		text = append(text, p...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Problem is one thing that is wrong with a request.
type Problem struct {
	Pointer string `json:"pointer"` // JSON pointer (RFC 6901) to the member; "" is the request as a whole
	Detail  string `json:"detail"`
}

// Pointer makes the JSON pointer of a top-level member.
func Pointer(member string) string {
	return "/" + strings.ReplaceAll(strings.ReplaceAll(member, "~", "~0"), "/", "~1")
}
