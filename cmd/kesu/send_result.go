package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

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
	return showResult(term, result, header.Get("Retry-After"), asJSON)
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
	words := wire.Message(said.Message + said.Detail)
	if words != "" {
		words = " (" + words + ")"
	}
	text := fmt.Sprintf("HTTP %d%s, and not from the function: ", status, words)
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return &exitError{exitFailed, text + "the API does not let this caller in; check the credentials, the IAM policy for this merchant (docs/operations.md), and --auth"}
	case status == http.StatusTooManyRequests:
		return &exitError{exitRetryable, text + "too many requests; nothing was sent, try again"}
	case status >= 500:
		return &exitError{exitUnknown, text + "the command may have been carried out. Sending the same again is safe: the ledger knows"}
	}
	return &exitError{exitFailed, text + "check the address; nothing was sent"}
}

// outcomeCode is the exit code of a result.
func outcomeCode(outcome wire.Outcome) int {
	switch outcome {
	case wire.Succeeded:
		return exitOK
	case wire.Retryable:
		return exitRetryable
	case wire.Unknown:
		return exitUnknown
	}
	return exitFailed
}

// showResult prints a result, and ends with the code of its outcome.
func showResult(term terminal, r wire.Result, retryAfter string, asJSON bool) error {
	var err error
	if code := outcomeCode(r.Outcome); code != exitOK {
		err = &exitError{code: code}
	}
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
