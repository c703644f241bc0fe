package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// judge lets a client do its operations and holds what it says against what the sandbox has seen.
func judge(ctx context.Context, d *sandbox.Demo, e *env, c client) map[string]done {
	all, err := c.run(ctx, e)
	cells := map[string]done{}
	for _, operation := range operations {
		i := slices.IndexFunc(all, func(x done) bool { return x.Operation == operation })
		switch {
		case i >= 0:
			cells[operation] = all[i]
		case err != nil:
			cells[operation] = done{Failed: err.Error()}
		default:
			cells[operation] = done{Failed: "it said nothing of it"}
		}
	}
	for operation, x := range cells {
		if x.Failed == "" && x.Cannot == "" {
			x.Failed = difference(d, e, operation, x.Value)
			cells[operation] = x
		}
	}
	return cells
}

// difference says what of an operation is not as it should be.
func difference(d *sandbox.Demo, e *env, operation, value string) string {
	want := map[string]string{"read": sandbox.PayerPhone, "list": e.Complaint, "history": replyText, "echo": echoText,
		"notification": e.Complaint, "certificates": d.Certificate.ID}
	if text, ok := want[operation]; ok {
		if value != text {
			return fmt.Sprintf("%q instead of %q", value, text)
		}
		return ""
	}
	c, _ := d.State.Complaint(e.Merchant, e.Complaint)
	switch operation {
	case "upload":
		if p, ok := d.State.Picture(value); !ok || !bytes.Equal(p.Data, picture) {
			return "the sandbox does not have the picture"
		}
	case "reply":
		if len(c.Replies) != 1 || c.Replies[0].Content != replyText {
			return fmt.Sprintf("the consumer sees %d replies", len(c.Replies))
		}
	case "complete":
		if c, _ = d.State.Complaint(e.Merchant, e.Complaint+"-done"); c.State != sandbox.Processed {
			return "the complaint is " + string(c.State)
		}
	}
	return ""
}
