package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// attendedType is the detail-type of the event that records what a person settled; attentionSource is its source, and
// that of a reply that is sent again.
const (
	attendedType    = "ComplaintAttended"
	attentionSource = "kesu-attention"
)

// deed is what was done with one message, for --json.
type deed struct {
	ID    string `json:"id"`
	Done  string `json:"done,omitempty"`
	To    string `json:"to,omitempty"`
	Error string `json:"error,omitempty"`
}

// Run puts requests back.
func (c attentionRedrive) Run(ctx context.Context, t terminal) error {
	if c.All == (len(c.ID) > 0) {
		return usage("which messages? Name them, or give --all")
	}
	found, err := c.look(ctx, t)
	if err != nil {
		return err
	}
	defer found.release(ctx)
	chosen, err := c.choose(found)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return report(t, c.JSON, nil)
	}
	if err := confirm(t, os.Stdin, c.Yes, fmt.Sprintf("Put %s back, to be carried out once more?", plural(len(chosen), "request"))); err != nil {
		return err
	}
	var deeds []deed
	for n, i := range chosen {
		if ctx.Err() != nil {
			break
		}
		if onTerminal(os.Stderr) && len(chosen) > batchSize {
			fmt.Fprintf(t.err, "\r\x1b[K%d of %d", n+1, len(chosen))
		}
		deeds = append(deeds, found.redrive(ctx, i, c.To))
	}
	return report(t, c.JSON, deeds)
}

// choose finds the requests to put back. One that is named and cannot be put back is an error before anything is done.
func (c attentionRedrive) choose(found *attention) ([]*item, error) {
	var chosen []*item
	if c.All {
		for _, i := range found.items {
			if i.Kind == kindRequest {
				chosen = append(chosen, i)
			}
		}
		return chosen, nil
	}
	for _, id := range c.ID {
		i, err := found.pick(id)
		if err != nil {
			return nil, err
		}
		// A result that EventBridge could not deliver belongs into the attention queue; one that is there already does not.
		home := found.outputs["AttentionQueueUrl"]
		if i.Kind == kindUnreadable || i.Kind == kindResult && (home == "" || home == i.url) {
			return nil, fmt.Errorf("%s is not a request, so there is nothing to put back: %s", i.ID, i.advice())
		}
		chosen = append(chosen, i)
	}
	return chosen, nil
}

// redrive puts one back: first into its queue, then out of this one. If the second fails it is there twice, which the ledger
// makes harmless; the other way round it would be lost.
func (a *attention) redrive(ctx context.Context, i *item, to string) deed {
	url, err := a.home(ctx, i, to)
	if err == nil {
		err = a.send(ctx, url, i.event)
	}
	if err == nil {
		err = a.remove(ctx, i)
	}
	if err != nil {
		return deed{ID: i.ID, Error: err.Error()}
	}
	return deed{ID: i.ID, Done: "put back", To: url}
}

// report prints what was done, and fails when something was not.
func report(t terminal, asJSON bool, deeds []deed) error {
	wrong := 0
	for _, d := range deeds {
		if d.Error != "" {
			wrong++
		}
	}
	var err error
	if wrong > 0 {
		err = failed()
	}
	if asJSON {
		if problem := writeJSON(t.out, map[string]any{"messages": append([]deed{}, deeds...)}); problem != nil {
			return problem
		}
		return err
	}
	if onTerminal(os.Stderr) && len(deeds) > batchSize {
		fmt.Fprint(t.err, "\r\x1b[K")
	}
	for _, d := range deeds {
		if d.Error != "" {
			fmt.Fprintf(t.out, "%s %s: %s\n", t.paint(red, "✗"), d.ID, clean(d.Error))
			continue
		}
		fmt.Fprintf(t.out, "%s %s %s\n", t.paint(green, "✓"), d.ID, clean(d.Done))
	}
	if len(deeds) == 0 {
		fmt.Fprintln(t.out, "There was nothing to do.")
	}
	return err
}

// Run settles one message.
func (c attentionAnswer) Run(ctx context.Context, t terminal) error {
	if !c.Resend && !c.Drop {
		return usage("say --resend or --drop")
	}
	found, err := c.look(ctx, t)
	if err != nil {
		return err
	}
	defer found.release(ctx)
	i, err := found.pick(c.ID)
	if err != nil {
		return err
	}
	var done deed
	if c.Resend {
		done, err = c.resend(ctx, t, found, i)
	} else {
		done, err = c.drop(ctx, t, found, i)
	}
	if err != nil {
		return err
	}
	return report(t, c.JSON, []deed{done})
}

// resend sends the identical reply again, after making sure that it is identical.
func (c attentionAnswer) resend(ctx context.Context, t terminal, found *attention, i *item) (deed, error) {
	if !i.unknownReply() {
		return deed{}, fmt.Errorf("%s is not an unknown reply: %s", i.ID, i.advice())
	}
	o, err := c.identical(i)
	if err != nil {
		return deed{}, err
	}
	to := c.To
	if to == "" {
		to = found.outputs["ReplyQueueUrl"]
	}
	if to == "" {
		return deed{}, errors.New("nobody says which queue replies go into; give --to URL")
	}
	if err := c.lookFirst(ctx, t, i, &o.command); err != nil {
		return deed{}, err
	}
	question := fmt.Sprintf("Send the reply to complaint %s of %s again? If the consumer saw the first one, it will be seen twice.", i.ComplaintID, i.Merchant)
	if o.command.TransactionID != "" && o.command.IdempotencyKey == "" {
		question += " Its words cannot be compared with those that were sent, because the caller gave the transaction_id."
	}
	if err := confirm(t, os.Stdin, c.Yes, question); err != nil {
		return deed{}, err
	}
	event, err := json.Marshal(map[string]any{"version": "0", "id": i.ID, "detail-type": wire.Reply.DetailType(), "source": attentionSource, "account": "",
		"time": time.Now().UTC().Format(time.RFC3339), "region": "", "resources": []string{}, "detail": json.RawMessage(o.detail)})
	if err != nil {
		return deed{}, err
	}
	if err := found.send(ctx, to, event); err != nil {
		return deed{}, err
	}
	if err := found.remove(ctx, i); err != nil {
		return deed{}, fmt.Errorf("the reply was sent again, but: %w", err)
	}
	return deed{ID: i.ID, Done: "sent again; its result will come as an event, or here if it is unknown once more", To: to}, nil
}

// lookFirst refuses to send again what the complaint's history shows. Where nobody can look from here, the function looks.
func (c attentionAnswer) lookFirst(ctx context.Context, t terminal, i *item, command *wire.Command) error {
	watcher, err := newOnlooker(c.lookFlags, c.account())
	if err != nil {
		return err
	}
	i.words = command
	watcher.look(ctx, i)
	switch e := i.Look; {
	case e.Seen != nil && *e.Seen:
		return fmt.Errorf("the complaint's history shows these words: %s. Nothing was sent; answer --drop takes the message out", sightingWords(e))
	case e.Error != "":
		fmt.Fprintf(t.err, "The reply was %s. The function looks before it sends.\n", clean(sightingWords(e)))
	}
	return nil
}

// request reads the request as it was sent: from the file, or else from the settled event, which tells it when a person has
// to look. It says which of the two an error is about.
func (c attentionAnswer) request(i *item) (members map[string]json.RawMessage, from string, err error) {
	text, from := []byte(i.request), "the event's request"
	switch {
	case c.File == "" && text == nil:
		return nil, "", usage("--resend needs the request as it was sent (--file): the event does not tell it")
	case c.File == "-" && !c.Yes:
		return nil, "", usage("--file - takes standard input, so the question cannot be answered there; give --yes")
	case c.File != "":
		from = "the file"
		if text, err = readInput(c.File, os.Stdin); err != nil {
			return nil, "", err
		}
	}
	if members, err = readMembers(text); err != nil {
		return nil, "", fmt.Errorf("%s %w", from, err)
	}
	return members, from, nil
}

// identical reads the request that an unknown result is about, and refuses any other. The transaction id tells: it is made
// from merchant, complaint, and the idempotency key or the words.
func (c attentionAnswer) identical(i *item) (order, error) {
	result := i.result
	members, from, err := c.request(i)
	if err != nil {
		return order{}, err
	}
	for name, value := range map[string]string{"merchant": result.Merchant, "complaint_id": result.ComplaintID} {
		quoted, err := encode(value)
		if err != nil {
			return order{}, err
		}
		if given := members[name]; given != nil && string(given) != string(quoted) {
			return order{}, fmt.Errorf("%s is about another %s than the result", from, strings.ReplaceAll(name, "_id", ""))
		}
		members[name] = quoted
	}
	members["resend_unknown"] = json.RawMessage("true")
	o, err := newOrder(wire.Reply, members)
	if err != nil {
		return order{}, err
	}
	if o.command.UpstreamTransactionID() != result.TransactionID {
		return order{}, errors.New(from + " is not the request that was sent: its words, its idempotency_key or its transaction_id are others. Sent now it would be a second reply and not the same one again")
	}
	return o, nil
}

// drop records that a person settled it, and takes it out of the queue.
func (c attentionAnswer) drop(ctx context.Context, t terminal, found *attention, i *item) (deed, error) {
	bus := c.Bus
	if bus == "" {
		bus = found.outputs["BusName"]
	}
	if bus == "" {
		return deed{}, usage("--drop records what was done as an event; give --bus NAME, or --stack")
	}
	if strings.TrimSpace(c.Note) == "" {
		return deed{}, usage("--drop needs --note: what was done, for whoever asks later")
	}
	question := fmt.Sprintf("Record that this was settled by a person (%s), and take it out of %s?", c.Note, i.Queue)
	if err := confirm(t, os.Stdin, c.Yes, question); err != nil {
		return deed{}, err
	}
	record := map[string]any{"message_id": i.ID, "queue": i.Queue, "kind": i.Kind, "action": i.Action, "merchant": i.Merchant, "complaint_id": i.ComplaintID,
		"outcome": i.Outcome, "code": i.Code, "reason": i.Reason, "note": c.Note, "by": c.By, "at": time.Now().UTC().Format(time.RFC3339)}
	if i.result != nil {
		record["transaction_id"] = i.result.TransactionID
	}
	detail, err := encode(record)
	if err != nil {
		return deed{}, err
	}
	id, err := target{bus: bus, account: c.account()}.put(ctx, attendedType, attentionSource, detail)
	if err != nil {
		return deed{}, err
	}
	if err := found.remove(ctx, i); err != nil {
		return deed{}, fmt.Errorf("it was recorded as event %s, but: %w", id, err)
	}
	return deed{ID: i.ID, Done: "recorded as event " + id + " on " + bus + ", and taken out", To: bus}, nil
}
