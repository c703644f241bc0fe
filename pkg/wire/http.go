package wire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// problemBase is where each problem type is explained: the reference's table of codes.
const problemBase = "https://github.com/kesu-go/kesu/blob/main/docs/reference.md#"

// maxRetryAfter bounds the Retry-After that a caller is told.
const maxRetryAfter = time.Hour

// titles are the problem titles of our own codes, one sentence each for a person who does not know the code.
var titles = map[string]string{
	CodeInvalidRequest:        "The request is wrong",
	CodeUnknownMerchant:       "There is no such merchant",
	CodeMerchantMisconfigured: "The merchant's secret is not usable",
	CodeInProgress:            "The same command is being carried out right now",
	CodeIdempotencyMismatch:   "The idempotency key was used for another request",
	CodeOutcomeUnknown:        "An earlier attempt may have been carried out",
	CodeSeenInHistory:         "The complaint's history shows the reply",
	CodeSecretsUnavailable:    "The merchant's secret cannot be read right now",
	CodeLedgerUnavailable:     "The ledger cannot be reached right now",
	CodeRateLimited:           "Too many calls for this merchant",
	CodeUpstreamUnreachable:   "The gateway cannot be reached",
	CodeUpstreamBusy:          "The gateway asks to try again later",
	CodeUpstreamTimeout:       "The gateway did not answer in time",
	CodeUpstreamUnverified:    "The gateway's answer is not signed as it must be",
	CodeUpstreamGarbled:       "The gateway's answer cannot be understood",
	CodeUpstreamRefused:       "The gateway refused without saying why",
	CodeResultNotPublished:    "The result could not be published",
	CodeDeadline:              "Too little time was left to try",
	CodeInternal:              "Kesu met a bug of its own",
	CodeCallerNotAllowed:      "The caller may not act for this merchant",
}

// Status is the result's HTTP status (contract, section 3).
func (r Result) Status() int {
	switch {
	case r.Code == CodeResultNotPublished:
		return http.StatusServiceUnavailable
	case r.Outcome == Succeeded:
		return http.StatusOK
	case r.Code == CodeInternal && r.Outcome != Rejected: // a bug of ours never says that nothing will be done
		return http.StatusInternalServerError
	case r.Outcome == Unknown:
		return http.StatusGatewayTimeout
	case r.Outcome == Retryable && r.Code == CodeInProgress:
		return http.StatusConflict
	case r.Outcome == Retryable:
		return http.StatusServiceUnavailable
	case r.fromGateway():
		return r.refusalStatus()
	}
	switch r.Code {
	case CodeInvalidRequest:
		if r.TooLarge {
			return http.StatusRequestEntityTooLarge
		}
		if r.WrongMedia {
			return http.StatusUnsupportedMediaType
		}
		return http.StatusBadRequest
	case CodeCallerNotAllowed:
		return http.StatusForbidden
	case CodeUnknownMerchant:
		return http.StatusNotFound
	case CodeMerchantMisconfigured:
		return http.StatusBadGateway
	}
	return http.StatusUnprocessableEntity
}

// fromGateway tells a gateway's refusal from one of ours: INVALID_REQUEST is a code of both.
func (r Result) fromGateway() bool { return r.Attempts > 0 }

// refusalStatus is 502 for a refusal that is about our identity or set-up, so that whoever operates Kesu looks at it,
// and 422 for any other, so that whoever wrote the request does.
func (r Result) refusalStatus() int {
	identity := false
	switch r.Provider {
	case WechatPay:
		identity = r.HTTPStatus == http.StatusUnauthorized || r.HTTPStatus == http.StatusForbidden
	case Imageco:
		identity = len(r.Code) == 4 && "6100" <= r.Code && r.Code <= "6108" ||
			slices.Contains([]string{"5200", "7000", "7104", "7105"}, r.Code)
	}
	if identity {
		return http.StatusBadGateway
	}
	return http.StatusUnprocessableEntity
}

// problem is the result as RFC 9457 problem details.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Result
}

// HTTP is the result as an HTTP answer: JSON when it succeeded, else application/problem+json.
func (r Result) HTTP() (status int, header map[string]string, body []byte) {
	status = r.Status()
	header = map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}
	var document any = r
	if status != http.StatusOK {
		header["Content-Type"] = "application/problem+json"
		title, anchor := r.title()
		document = problem{Type: problemBase + anchor, Title: title, Status: status, Detail: r.Message, Result: r}
	}
	if r.Outcome == Retryable {
		header["Retry-After"] = strconv.Itoa(RetryAfterSeconds(r.RetryAfter))
	}
	body, err := json.Marshal(document)
	if err != nil { // strings, numbers and booleans always marshal
		panic(err)
	}
	return status, header, body
}

// title explains the code to a person, and names the place in the reference that says more.
func (r Result) title() (title, anchor string) {
	title, anchor = titles[r.Code], r.Code
	gatewayCode := r.fromGateway() &&
		(r.Code == CodeInvalidRequest || r.Outcome == Rejected && r.Code != CodeUpstreamRefused)
	switch {
	case title != "" && !gatewayCode:
		return title, anchor
	case r.Outcome == Unknown:
		return "The gateway did not say whether it was done", "gateway-refusal"
	}
	return "The gateway refused", "gateway-refusal"
}

// RetryAfterSeconds rounds a wait up to whole seconds, 1 to 3600.
func RetryAfterSeconds(wait time.Duration) int {
	return int((min(max(wait, time.Second), maxRetryAfter) + time.Second - 1) / time.Second)
}

// Refusal is the result of a request that is wrong in itself, or whose caller may not make it.
func (r Request) Refusal(at time.Time) Result {
	code := CodeInvalidRequest
	if r.NotAllowed {
		code = CodeCallerNotAllowed
	}
	result := r.Command.NewResult(Rejected, code, summary(r.Problems), at)
	result.TransactionID = "" // none is derived from a request that is not valid
	result.Merchant = cmp.Or(result.Merchant, shown(r.Names.Merchant))
	result.ComplaintID = cmp.Or(result.ComplaintID, shown(r.Names.ComplaintID))
	result.TooLarge, result.WrongMedia = r.TooLarge, r.WrongMedia
	if !r.NotAllowed {
		result.Errors = r.Problems
	}
	return result
}

// shown makes a name that is not valid fit for a result: it is cut, and what is not made of the characters of a name
// may be anything, a phone number too.
func shown(name string) string {
	if runes := []rune(name); len(runes) > IDMax {
		name = string(runes[:IDMax])
	}
	if madeOf(name, idCharacter) {
		return name
	}
	return asGiven(name)
}

func summary(problems []Problem) string {
	first := strings.TrimSpace(problems[0].Pointer + " " + problems[0].Detail)
	if len(problems) == 1 {
		return first
	}
	return fmt.Sprintf("%s (and %d more, see errors)", first, len(problems)-1)
}

// NewResult starts the result of a command: everything but what a gateway said.
func (c *Command) NewResult(outcome Outcome, code, message string, at time.Time) Result {
	return Result{
		Action:        c.Action,
		Merchant:      c.Merchant,
		ComplaintID:   c.ComplaintID,
		Outcome:       outcome,
		Provider:      c.Action.Provider(),
		Code:          code,
		Message:       message,
		TransactionID: c.UpstreamTransactionID(),
		At:            at.UTC().Truncate(time.Second),
	}
}
