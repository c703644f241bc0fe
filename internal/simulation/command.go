package simulation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/pkg/wire"
)

// door is the way by which a command comes in.
type door uint8

const (
	doorHTTP  door = iota // a caller behind API Gateway
	doorEvent             // EventBridge invokes the function
	doorQueue             // EventBridge, then SQS, then a batch
	doorBare              // Step Functions or the CLI
	doors
)

var doorNames = [doors]string{"http", "event", "queue", "bare"}

// command is one thing that somebody wants done.
type command struct {
	index    int
	action   wire.Action
	merchant int
	door     door
	copies   int           // deliveries or callers of the same command, beside each other
	start    time.Duration // since the world began
	key      string        // the caller's idempotency key, or none
	content  string
	txn      string // the caller's transaction id, or none
	wrong    bool   // the request is wrong in itself
	group    *group
	settled  int // copies that came to an end
	kept     int // copies whose message, or whose caller, still holds the command
}

func (c *command) label() string {
	return fmt.Sprintf("%s %d (%s)", c.action, c.index, doorNames[c.door])
}

// group is what the ledger keeps under one key: a command, and perhaps a rival that uses its key for other words.
type group struct {
	complaint string
	keyed     bool // its commands go through the ledger

	effects     []effect
	plain       int    // effects of visits without resend_unknown
	resends     int    // visits with resend_unknown
	maybeSent   string // the transaction id of the first attempt that may have been carried out
	completable bool   // the complaint's state allows that it is completed
	processed   bool   // the complaint is settled
	lies        bool   // a settled complaint answers a second completion with success, not with INVALID_REQUEST
}

// effect is one reply that a consumer saw, or one complaint that was settled.
type effect struct {
	at    time.Time
	visit *visit
}

// commands makes everything that will be asked of a world.
func (w *world) commands() []*command {
	list := make([]*command, 0, w.options.Commands)
	for i := range w.options.Commands {
		c := w.command(i)
		if i > 0 && w.isRival(c, list[i-1]) {
			w.makeRival(c, list[i-1])
		}
		list = append(list, c)
	}
	return list
}

func (w *world) command(i int) *command {
	n := uint64(i)
	share := func(c uint64) float64 { return w.dice.share(placeCommand, n, c) }
	c := &command{
		index: i, action: wire.Reply, merchant: int(w.dice.roll(placeCommand, n, 1) % uint64(len(w.merchants))),
		door: door(w.dice.roll(placeCommand, n, 2) % uint64(doors)), copies: 1,
		start: w.dice.span(placeCommand, n, 3, 0, w.span),
		group: &group{complaint: fmt.Sprintf("2002%06d", i), completable: share(4) < 0.93, lies: share(5) < 0.5},
	}
	if share(6) < 0.4 {
		c.action = wire.Complete
	}
	switch s := share(7); {
	case s < 0.04:
		c.copies = 4
	case s < 0.16:
		c.copies = 2
	}
	if share(8) < 0.6 {
		c.key = fmt.Sprintf("key-%d", i)
	}
	if c.action == wire.Reply {
		c.content = fmt.Sprintf("您好,退款已原路返回,单号 %d", i)
		c.wrong = share(9) < 0.01
		if share(10) < 0.2 {
			c.txn = fmt.Sprintf("caller%020d", i)
		}
	}
	c.group.keyed = c.action == wire.Reply || c.key != "" || c.door == doorEvent || c.door == doorQueue
	return c
}

func (w *world) isRival(c, before *command) bool {
	return c.action == wire.Reply && before.action == wire.Reply && before.key != "" && !before.wrong && !c.wrong &&
		w.dice.share(placeCommand, uint64(c.index), 11) < 0.08
}

// makeRival lets c use the key of the command before it for words of its own.
func (w *world) makeRival(c, before *command) {
	c.group, c.merchant, c.key, c.txn = before.group, before.merchant, before.key, before.txn
	c.start = before.start + w.dice.span(placeCommand, uint64(c.index), 12, -5*time.Second, 30*time.Second)
	c.start = max(c.start, 0)
}

// detail is the command as an event's detail and as a bare command; without its place it is an HTTP body.
func (c *command) detail(m *seller, placed, resend, otherTxn bool) []byte {
	d := struct {
		Merchant  string `json:"merchant,omitempty"`
		Complaint string `json:"complaint_id,omitempty"`
		Key       string `json:"idempotency_key,omitempty"`
		Content   string `json:"response_content,omitempty"`
		Txn       string `json:"transaction_id,omitempty"`
		Resend    bool   `json:"resend_unknown,omitempty"`
	}{Key: c.key, Content: c.content, Txn: c.txn, Resend: resend}
	if placed {
		d.Merchant, d.Complaint = m.name, c.group.complaint
	}
	if c.wrong {
		d.Content = ""
	}
	if otherTxn {
		d.Txn = fmt.Sprintf("resend%020d", c.index)
	}
	return encode(d)
}

// payload is the event of one invocation for this command alone.
func (c *command) payload(m *seller, resend, otherTxn bool) []byte {
	switch c.door {
	case doorHTTP:
		var event events.APIGatewayV2HTTPRequest
		event.Version, event.Body = "2.0", string(c.detail(m, false, resend, otherTxn))
		event.RawPath = "/merchants/" + m.name + "/complaints/" + c.group.complaint + "/" + string(c.action)
		event.Headers = map[string]string{"content-type": "application/json"}
		event.RequestContext.HTTP.Method = http.MethodPost
		return encode(event)
	case doorBare:
		return c.detail(m, true, resend, otherTxn)
	}
	return c.event(m)
}

// event is the command as EventBridge delivers it; every copy has the same id.
func (c *command) event(m *seller) []byte {
	return encode(struct {
		Version    string          `json:"version"`
		ID         string          `json:"id"`
		Source     string          `json:"source"`
		DetailType string          `json:"detail-type"`
		Detail     json.RawMessage `json:"detail"`
	}{"0", fmt.Sprintf("event-%d", c.index), "shop", c.action.DetailType(), c.detail(m, true, false, false)})
}

// encode writes JSON of what always can be written.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
