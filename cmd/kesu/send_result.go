package main

import (
	"fmt"
	"strconv"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/send"
	"github.com/kesu-go/kesu/pkg/wire"
)

// taken tells of an event that is on its way; its result will be an event too.
func taken(term terminal, action wire.Action, id string, asJSON bool) error {
	settled := action.SettledType()
	if asJSON {
		return writeJSON(term.out, map[string]any{"event_id": id, "detail_type": action.DetailType(), "settled_by": settled})
	}
	fmt.Fprintf(term.out, "%s the bus has taken it as event %s; its result will be an event %s\n", term.paint(green, "✓"), clean(id), settled)
	return nil
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

// showResult prints a result, and ends with the code of its outcome.
func showResult(term terminal, report send.Report, asJSON bool) error {
	r := report.Result
	err := endOf(r.Outcome)
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
	for _, more := range [][]string{{"transaction_id", r.TransactionID}, {"request_id", r.RequestID}, {"try again after", report.RetryAfter}} {
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
