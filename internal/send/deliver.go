package send

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/wire"
)

const eventSource = "kesu-send" // not "kesu", which is the source of settled events

// Entry is an event as PutEvents takes it.
type Entry struct {
	Detail       string // JSON
	DetailType   string
	EventBusName string `json:",omitempty"` // a name or an ARN; "" on the local gateway's bus
	Source       string
}

// Put puts the event on AWS's bus and returns its id.
func (e Entry) Put(ctx context.Context, account operate.AWS) (id string, err error) {
	c, err := account.Config(ctx)
	if err != nil {
		return "", err
	}
	in := &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		{EventBusName: &e.EventBusName, Source: &e.Source, DetailType: &e.DetailType, Detail: &e.Detail}}}
	out, err := eventbridge.NewFromConfig(c).PutEvents(ctx, in)
	switch {
	case err != nil:
		return "", operate.Problem("put the event on the bus "+e.EventBusName, err)
	case out.FailedEntryCount > 0 && len(out.Entries) > 0:
		code := redact.AWSCode(aws.ToString(out.Entries[0].ErrorCode))
		return "", operate.New(operate.Retryable, "the bus did not take the event: "+code+"; nothing was sent")
	case len(out.Entries) == 0:
		return "", operate.New(operate.Retryable, "the bus did not take the event; nothing was sent")
	}
	return aws.ToString(out.Entries[0].EventId), nil
}

// Preview is what would be sent.
type Preview struct {
	To    string // "POST https://…" or "PutEvents on NAME"
	Entry *Entry // the event; nil for an HTTP request
	Auth  string // of the HTTP request: iam, token or none
	Body  []byte // of the HTTP request
}

// Preview tells what Deliver would send, without sending it.
func (t Target) Preview(o Order) Preview {
	switch {
	case t.bus != "":
		return Preview{To: "PutEvents on " + t.bus, Entry: t.entry(o)}
	case t.local:
		return Preview{To: "POST " + t.base + t.path(o), Entry: t.entry(o)}
	}
	return Preview{To: "POST " + t.base + t.path(o), Auth: t.auth, Body: o.Body}
}

// path is where the API, or the local gateway's bus, takes the command.
func (t Target) path(o Order) string {
	if t.local {
		return "/events"
	}
	return "/merchants/" + o.Command.Merchant + "/complaints/" + o.Command.ComplaintID + "/" + string(o.Command.Action)
}

func (t Target) entry(o Order) *Entry {
	return &Entry{EventBusName: t.bus, Source: eventSource,
		DetailType: o.Command.Action.DetailType(), Detail: string(o.Detail)}
}

// Report is what became of an order or of a picture.
type Report struct {
	EventID    string       // of the event that a bus took; its result will be an event too
	Result     *wire.Result // what the API answered, as Shown makes it; nil when a bus took the order
	RetryAfter string       // what the API said about when to try again; "" for nothing
}

// Deliver sends the order. The kind of its error tells whether anything may have been done; a result that is no success
// is no error.
func (t Target) Deliver(ctx context.Context, o Order) (Report, error) {
	switch {
	case t.bus != "":
		id, err := t.entry(o).Put(ctx, t.aws)
		return Report{EventID: id}, err
	case t.local:
		return t.deliverLocally(ctx, o)
	}
	status, header, answer, err := t.Call(ctx, t.path(o), "application/json", o.Body)
	if err != nil {
		return Report{}, err
	}
	report, err := read(status, header, answer)
	if err == nil && !agrees(status, report.Result.Outcome) {
		return Report{}, operate.New(operate.Unknown, contradiction(status, report.Result.Outcome)+"; "+mayBeDone)
	}
	return report, err
}

// deliverLocally puts the order on the local gateway's bus.
func (t Target) deliverLocally(ctx context.Context, o Order) (Report, error) {
	body, err := json.Marshal(t.entry(o))
	if err != nil {
		return Report{}, err
	}
	status, _, answer, err := t.Call(ctx, t.path(o), "application/json", body)
	if err != nil {
		return Report{}, err
	}
	var put struct {
		Entries []struct{ EventId, ErrorCode string }
	}
	if json.Unmarshal(answer, &put) != nil || status != http.StatusOK || len(put.Entries) != 1 {
		return Report{}, fmt.Errorf("the local bus did not take the event: HTTP %d", status)
	}
	if e := put.Entries[0]; e.EventId == "" {
		return Report{}, operate.New(operate.Retryable, "the bus did not take the event: "+redact.AWSCode(e.ErrorCode)+"; nothing was sent")
	}
	return Report{EventID: put.Entries[0].EventId}, nil
}

// read reads a result.
func read(status int, header http.Header, answer []byte) (Report, error) {
	var result wire.Result
	if json.Unmarshal(answer, &result) != nil || result.Outcome == "" {
		return Report{}, notFromTheFunction(status, answer)
	}
	result = Shown(result)
	return Report{Result: &result, RetryAfter: redact.Secrets{}.Text(header.Get("Retry-After"))}, nil
}

// mayBeDone says what is known after an answer that cannot be relied on.
const mayBeDone = "the command may have been carried out. Sending the same again is safe: the ledger knows"

// agrees reports whether an HTTP status and an outcome belong together (contract, section 3).
func agrees(status int, outcome wire.Outcome) bool {
	switch outcome {
	case wire.Succeeded:
		return status == http.StatusOK
	case wire.Rejected:
		return status >= 400 && status < 500 || status == http.StatusBadGateway
	case wire.Retryable, wire.Unknown:
		return status >= 400
	}
	return false
}

func contradiction(status int, outcome wire.Outcome) string {
	return fmt.Sprintf("the answer contradicts itself: HTTP %d, and an outcome of %s", status, outcome)
}

// notFromTheFunction words an answer of something that stands before the function.
func notFromTheFunction(status int, answer []byte) error {
	var said struct{ Message, Detail string }
	_ = json.Unmarshal(answer, &said) // an answer that is no JSON says nothing
	words := redact.Secrets{}.Text(said.Message + said.Detail)
	if words != "" {
		words = " (" + words + ")"
	}
	text := fmt.Sprintf("HTTP %d%s, and not from the function: ", status, words)
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return operate.New(operate.Failed, text+"the API does not let this caller in; check the credentials, "+
			"the IAM policy for this merchant (docs/operations.md), and --auth")
	case status == http.StatusTooManyRequests:
		return operate.New(operate.Retryable, text+"too many requests; nothing was sent, try again")
	case status >= 500:
		return operate.New(operate.Unknown, text+mayBeDone)
	case status/100 == 2:
		return operate.New(operate.Unknown,
			fmt.Sprintf("HTTP %d, and an answer that breaks off or is none of the function's; ", status)+mayBeDone)
	}
	return operate.New(operate.Failed, text+"check the address; nothing was sent")
}

// Shown is what a terminal may see of a result: the address that it came from may be anyone's.
func Shown(r wire.Result) wire.Result {
	var foreign redact.Secrets
	r.Code, r.RequestID, r.TransactionID = foreign.Code(r.Code), foreign.ID(r.RequestID), foreign.ID(r.TransactionID)
	r.Message = foreign.Text(r.Message)
	r.Errors = slices.Clone(r.Errors)
	for i, p := range r.Errors {
		r.Errors[i] = wire.Problem{Pointer: foreign.Text(p.Pointer), Detail: foreign.Text(p.Detail)}
	}
	return r
}
