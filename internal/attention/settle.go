package attention

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/send"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// attendedType is the detail-type of the event that records what a person settled; source is its source, and that of a
// reply that is sent again.
const (
	attendedType = "ComplaintAttended"
	source       = "kesu-attention"
)

// Deed is what was done with one message.
type Deed struct {
	ID    string `json:"id"`
	Done  string `json:"done,omitempty"`  // in words; "" when it went wrong
	To    string `json:"to,omitempty"`    // the queue or the bus
	Error string `json:"error,omitempty"` // "" when it was done
}

// Requests are all requests that may be put back.
func (a *Attention) Requests() []*Item {
	var requests []*Item
	for _, i := range a.Items {
		if i.Kind == kindRequest {
			requests = append(requests, i)
		}
	}
	return requests
}

// Redrivable finds the messages with these ids, and says why when one of them cannot be put back.
func (a *Attention) Redrivable(ids []string) ([]*Item, error) {
	var chosen []*Item
	for _, id := range ids {
		i, err := a.Pick(id)
		if err != nil {
			return nil, err
		}
		// A result that EventBridge could not deliver belongs into the attention queue, if it is not there already.
		home := a.outputs["AttentionQueueUrl"]
		if i.Kind == kindUnreadable || i.Kind == kindResult && (home == "" || home == i.url) {
			return nil, fmt.Errorf("%s is not a request, so there is nothing to put back: %s", i.ID, i.Advice())
		}
		chosen = append(chosen, i)
	}
	return chosen, nil
}

// Redrive puts one back: first into its queue, then out of this one. If the second fails it is there twice, which the
// ledger makes harmless; the other way round it would be lost. to is the URL of the queue to put it into; "" is the one
// that it belongs into.
func (a *Attention) Redrive(ctx context.Context, i *Item, to string) Deed {
	url, err := a.home(ctx, i, to)
	if err == nil {
		err = a.send(ctx, url, i.event)
	}
	if err == nil {
		err = a.remove(ctx, i)
	}
	if err != nil {
		return Deed{ID: i.ID, Error: err.Error()}
	}
	return Deed{ID: i.ID, Done: "put back", To: url}
}

// home is the queue that an item's request belongs into: the one that is said, the stack's for its action, or the one
// that a dead-letter queue belongs to.
func (a *Attention) home(ctx context.Context, i *Item, to string) (string, error) {
	if to != "" {
		return to, nil
	}
	output := map[string]string{"reply": "ReplyQueueUrl", "complete": "CompleteQueueUrl"}[i.Action]
	if i.Kind == kindResult {
		output = "AttentionQueueUrl"
	}
	if url := a.outputs[output]; url != "" && url != i.url {
		return url, nil
	}
	if i.Kind == kindRequest {
		out, err := a.client.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &i.url})
		if err == nil && len(out.QueueUrls) == 1 {
			return out.QueueUrls[0], nil
		}
	}
	return "", fmt.Errorf("%s: nobody says which queue it belongs into; give --to URL", i.ID)
}

// Resend is an unknown reply that is ready to be sent again.
type Resend struct {
	Question  string // to ask a person before Send
	attention *Attention
	item      *Item
	order     send.Order
	to        string
}

// Resend prepares to send the identical reply again, after making sure that it is identical. text is the request as it
// was sent, a body or an event; nil is the one that the message holds. to is the URL of the queue for replies; "" is
// the stack's.
func (a *Attention) Resend(i *Item, text []byte, to string) (*Resend, error) {
	if !i.UnknownReply() {
		return nil, fmt.Errorf("%s is not an unknown reply: %s", i.ID, i.Advice())
	}
	from := "the file"
	if text == nil {
		text, from = i.request, "the event's request"
	}
	if text == nil {
		return nil, operate.New(operate.Usage,
			"--resend needs the request as it was sent (--file): the event does not tell it")
	}
	o, err := identical(i, text, from)
	if err != nil {
		return nil, err
	}
	if to == "" {
		to = a.outputs["ReplyQueueUrl"]
	}
	if to == "" {
		return nil, errors.New("nobody says which queue replies go into; give --to URL")
	}
	question := fmt.Sprintf("Send the reply to complaint %s of %s again? "+
		"If the consumer saw the first one, it will be seen twice.", i.ComplaintID, i.Merchant)
	if o.Command.TransactionID != "" && o.Command.IdempotencyKey == "" {
		question += " Its words cannot be compared with those that were sent, " +
			"because the caller gave the transaction_id."
	}
	return &Resend{Question: question, attention: a, item: i, order: o, to: to}, nil
}

// identical reads the request that an unknown result is about, and refuses any other. The transaction id tells: it is
// made from merchant, complaint, and the idempotency key or the words.
func identical(i *Item, text []byte, from string) (send.Order, error) {
	members, err := send.Members(text)
	if err != nil {
		return send.Order{}, fmt.Errorf("%s %w", from, err)
	}
	for name, value := range map[string]string{"merchant": i.result.Merchant, "complaint_id": i.result.ComplaintID} {
		quoted, err := strictjson.Encode(value)
		if err != nil {
			return send.Order{}, err
		}
		if given := members[name]; given != nil && string(given) != string(quoted) {
			what := strings.TrimSuffix(name, "_id")
			return send.Order{}, fmt.Errorf("%s is about another %s than the result", from, what)
		}
		members[name] = quoted
	}
	members["resend_unknown"] = json.RawMessage("true")
	o, err := send.NewOrder(wire.Reply, members)
	if err != nil {
		return send.Order{}, err
	}
	if o.Command.UpstreamTransactionID() != i.result.TransactionID {
		return send.Order{}, errors.New(from + " is not the request that was sent: its words, its idempotency_key " +
			"or its transaction_id are others. Sent now it would be a second reply and not the same one again")
	}
	return o, nil
}

// Look looks into the complaint's history, and refuses to send again what it shows. Where nobody can look from here,
// which the item's Look tells, the function looks.
func (r *Resend) Look(ctx context.Context, o *Onlooker) error {
	r.item.words = &r.order.Command
	o.Look(ctx, r.item)
	if e := r.item.Look; e.Seen != nil && *e.Seen {
		return fmt.Errorf("the complaint's history shows these words: %s. Nothing was sent; "+
			"answer --drop takes the message out", SightingWords(e))
	}
	return nil
}

// Send sends it again, and takes the message out of its queue.
func (r *Resend) Send(ctx context.Context) (Deed, error) {
	event, err := json.Marshal(map[string]any{"version": "0", "id": r.item.ID, "source": source,
		"account": "", "region": "", "time": time.Now().UTC().Format(time.RFC3339), "resources": []string{},
		"detail-type": wire.Reply.DetailType(), "detail": json.RawMessage(r.order.Detail)})
	if err != nil {
		return Deed{}, err
	}
	if err := r.attention.send(ctx, r.to, event); err != nil {
		return Deed{}, err
	}
	if err := r.attention.remove(ctx, r.item); err != nil {
		return Deed{}, fmt.Errorf("the reply was sent again, but: %w", err)
	}
	const done = "sent again; its result will come as an event, or here if it is unknown once more"
	return Deed{ID: r.item.ID, Done: done, To: r.to}, nil
}

// Drop is a message that a person settled, ready to be taken out.
type Drop struct {
	Question      string // to ask a person before Record
	attention     *Attention
	item          *Item
	note, by, bus string
}

// Drop prepares to take a message out that a person settled. note says what was done, by says who did it, and bus is
// the name of the bus to record it on; "" is the stack's.
func (a *Attention) Drop(i *Item, note, by, bus string) (*Drop, error) {
	if bus == "" {
		bus = a.outputs["BusName"]
	}
	if bus == "" {
		return nil, operate.New(operate.Usage, "--drop records what was done as an event; give --bus NAME, or --stack")
	}
	if strings.TrimSpace(note) == "" {
		return nil, operate.New(operate.Usage, "--drop needs --note: what was done, for whoever asks later")
	}
	question := fmt.Sprintf("Record that this was settled by a person (%s), and take it out of %s?", note, i.Queue)
	return &Drop{Question: question, attention: a, item: i, note: note, by: by, bus: bus}, nil
}

// Record records on the bus what was done, and takes the message out of its queue.
func (d *Drop) Record(ctx context.Context) (Deed, error) {
	i := d.item
	record := map[string]any{"message_id": i.ID, "queue": i.Queue, "kind": i.Kind, "action": i.Action,
		"merchant": i.Merchant, "complaint_id": i.ComplaintID, "outcome": i.Outcome, "code": i.Code, "reason": i.Reason,
		"note": d.note, "by": d.by, "at": time.Now().UTC().Format(time.RFC3339)}
	if i.result != nil {
		record["transaction_id"] = i.result.TransactionID
	}
	detail, err := strictjson.Encode(record)
	if err != nil {
		return Deed{}, err
	}
	event := send.Entry{EventBusName: d.bus, Source: source, DetailType: attendedType, Detail: string(detail)}
	id, err := event.Put(ctx, d.attention.options.AWS)
	if err != nil {
		return Deed{}, err
	}
	if err := d.attention.remove(ctx, i); err != nil {
		return Deed{}, fmt.Errorf("it was recorded as event %s, but: %w", id, err)
	}
	return Deed{ID: i.ID, Done: "recorded as event " + id + " on " + d.bus + ", and taken out", To: d.bus}, nil
}
