package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Command is one valid request for an action: everything in it has passed the rules of the contract's section 2. Only
// [ReadHTTP], [ReadPicture] and [ReadDetail] make one.
type Command struct {
	Action      Action
	Merchant    string
	ComplaintID string

	// Origin is how the command came.
	Origin

	// Delivery is the id of the event that brought the command, the same each time it is delivered; empty when it came
	// another way.
	Delivery string

	// IdempotencyKey is what the caller gave; empty when it gave none.
	IdempotencyKey string

	ReplyContent

	// MiniProgram is where a link in the reply leads (mini_program_jump_info), in place of JumpURL; nil: nowhere. Only
	// WeChat Pay takes one.
	MiniProgram *MiniProgram
	// ImmediateService says that the complaint asks for immediate service (即时服务), which WeChat Pay takes replies to in
	// another form.
	ImmediateService bool

	// Picture is what an upload holds; nil for every other action.
	Picture *Picture

	// TransactionID is 翼码's 请求流水号 as the caller gave it; empty: derive it.
	TransactionID string
	// ResendUnknown allows a reply to be sent again although an earlier one may have been carried out.
	ResendUnknown bool

	// ComplaintedMchid is 被诉商户号; empty: the merchant's own.
	ComplaintedMchid string
}

// Origin is how a command came. Its ids are fit to be shown: at most 128 printable ASCII characters, or empty.
type Origin struct {
	// Event says that nobody waits for the answer: the command may wait for its token, and is delivered again when it
	// was not carried out.
	Event     bool
	EventID   string // the id of the EventBridge event
	MessageID string // the messageId of the queue's record
}

// ReplyContent is what a reply says and for which account: the part that the ledger compares.
type ReplyContent struct {
	ResponseContent string
	ResponseImages  []string
	JumpURL         string
	JumpURLText     string
	SellerAccount   string // empty: the secret's
}

// MiniProgram is a page of a mini program (跳转小程序信息).
type MiniProgram struct{ AppID, Path, Text string }

// LedgerKey is the idempotency key that the ledger files the command under, and "" for a command that does not go
// through the ledger: an upload, and a completion without a key. A reply without a key is filed under a hash of its
// content, so that the same words to the same complaint are one reply (contract, section 6).
func (c *Command) LedgerKey() string {
	switch filed := rows[c.Action].filed; {
	case filed == notFiled:
		return ""
	case filed == filedByContent && c.IdempotencyKey == "":
		return "content-" + c.PayloadHash()
	}
	return c.IdempotencyKey
}

// PayloadHash identifies what the command asks for, as given in the request: the merchant's defaults take no part, so
// that it is known before the secret is. The transaction id takes no part either, because the ledger keeps the one
// that was sent first.
func (c *Command) PayloadHash() string {
	var parts []string
	for _, r := range rows[c.Action].rules {
		if r.content != nil {
			parts = append(parts, r.content(c)...)
		}
	}
	return hash(parts...)
}

// miniProgramContent and immediateContent are members that came to replies later: they take part only when they are
// given, so that every other reply keeps the hash that the ledger knows it by. Their marks cannot be media ids, which
// have no "|".
func miniProgramContent(c *Command) []string {
	if m := c.MiniProgram; m != nil {
		return []string{"|mini_program_jump_info", m.AppID, m.Path, m.Text}
	}
	return nil
}

func immediateContent(c *Command) []string {
	if c.ImmediateService {
		return []string{"|immediate_service"}
	}
	return nil
}

// UpstreamTransactionID is the 请求流水号 to send: the caller's, or one derived from merchant, complaint and key, so
// that a resend of the same command carries the same one. It is empty for a completion and an upload.
func (c *Command) UpstreamTransactionID() string {
	switch {
	case !rows[c.Action].numbered:
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
