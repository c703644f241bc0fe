package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/wire"
)

// deliver sends the command and shows what became of it.
func (t target) deliver(ctx context.Context, term terminal, o order, asJSON bool) error {
	if t.bus != "" {
		id, err := t.put(ctx, o.command.Action.DetailType(), eventSource, o.detail)
		if err != nil {
			return err
		}
		return taken(term, o, id, asJSON)
	}
	body := o.body
	if t.local {
		var err error
		if body, err = json.Marshal(t.entry(o)); err != nil {
			return err
		}
	}
	status, header, answer, err := t.post(ctx, t.address(o), body)
	if err != nil {
		return err
	}
	if t.local {
		var put struct {
			Entries []struct{ EventId, ErrorCode, ErrorMessage string }
		}
		if json.Unmarshal(answer, &put) != nil || status != http.StatusOK || len(put.Entries) != 1 {
			return fmt.Errorf("the local bus did not take the event: HTTP %d", status)
		}
		return taken(term, o, put.Entries[0].EventId, asJSON)
	}
	var result wire.Result
	if json.Unmarshal(answer, &result) != nil || result.Outcome == "" {
		return notFromTheFunction(status, answer)
	}
	if !agrees(status, result.Outcome) {
		return operate.New(operate.Unknown, fmt.Sprintf("the answer contradicts itself: HTTP %d, and an outcome of %s; ", status, clean(string(result.Outcome)))+mayBeDone)
	}
	return showResult(term, result, header.Get("Retry-After"), asJSON)
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

// taken tells of an event that is on its way; its result will be an event too.
func taken(term terminal, o order, id string, asJSON bool) error {
	settled := o.command.Action.SettledType()
	if asJSON {
		return writeJSON(term.out, map[string]any{"event_id": id, "detail_type": o.command.Action.DetailType(), "settled_by": settled})
	}
	fmt.Fprintf(term.out, "%s the bus has taken it as event %s; its result will be an event %s\n", term.paint(green, "✓"), clean(id), settled)
	return nil
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
		return operate.New(operate.Failed, text+"the API does not let this caller in; check the credentials, the IAM policy for this merchant (docs/operations.md), and --auth")
	case status == http.StatusTooManyRequests:
		return operate.New(operate.Retryable, text+"too many requests; nothing was sent, try again")
	case status >= 500:
		return operate.New(operate.Unknown, text+mayBeDone)
	case status/100 == 2:
		return operate.New(operate.Unknown, fmt.Sprintf("HTTP %d, and an answer that breaks off or is none of the function's; ", status)+mayBeDone)
	}
	return operate.New(operate.Failed, text+"check the address; nothing was sent")
}

// endOf is the error to end with after a result; nil when it succeeded.
func endOf(outcome wire.Outcome) error {
	switch outcome {
	case wire.Succeeded:
		return nil
	case wire.Retryable:
		return operate.New(operate.Retryable, "")
	case wire.Unknown:
		return operate.New(operate.Unknown, "")
	}
	return failed()
}

// shown is what a terminal may see of a result: the address that it came from may be anyone's.
func shown(r wire.Result) wire.Result {
	var foreign redact.Secrets
	r.Code, r.RequestID, r.TransactionID = foreign.Code(r.Code), foreign.ID(r.RequestID), foreign.ID(r.TransactionID)
	r.Message = foreign.Text(r.Message)
	r.Errors = slices.Clone(r.Errors)
	for i, p := range r.Errors {
		r.Errors[i] = wire.Problem{Pointer: foreign.Text(p.Pointer), Detail: foreign.Text(p.Detail)}
	}
	return r
}

// showResult prints a result, and ends with the code of its outcome.
func showResult(term terminal, r wire.Result, retryAfter string, asJSON bool) error {
	err := endOf(r.Outcome)
	r, retryAfter = shown(r), redact.Secrets{}.Text(retryAfter)
	if asJSON {
		if wrong := writeJSON(term.out, r); wrong != nil {
			return wrong
		}
		return err
	}
	colour := map[wire.Outcome]string{wire.Succeeded: green, wire.Rejected: red, wire.Retryable: yellow, wire.Unknown: yellow}[r.Outcome]
	yes := map[bool]string{true: "yes", false: "no"}
	rows := [][]string{
		{"outcome", string(r.Outcome)}, {"code", r.Code}, {"message", r.Message},
		{"complaint", r.Merchant + " " + r.ComplaintID}, {"attempts", strconv.Itoa(r.Attempts)}, {"verified", yes[r.Verified]},
	}
	for _, more := range [][]string{{"transaction_id", r.TransactionID}, {"request_id", r.RequestID}, {"try again after", retryAfter}} {
		if more[1] != "" {
			rows = append(rows, more)
		}
	}
	if r.Replayed {
		rows = append(rows, []string{"replayed", "yes: it was done before, and nothing was sent now"})
	}
	for _, p := range r.Errors {
		rows = append(rows, []string{p.Pointer, p.Detail})
	}
	if r.Outcome == wire.Unknown && r.Action == wire.Reply {
		rows = append(rows, []string{"what now", "look at the complaint on the merchant platform; if the reply is not there, send it again with --resend-unknown"})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = clean(row[i])
		}
	}
	fmt.Fprint(term.out, table(rows, func(row, column int, cell string) string {
		switch {
		case column == 0:
			return term.paint(grey, cell)
		case row == 0:
			return term.paint(colour, cell)
		}
		return cell
	}))
	return err
}
