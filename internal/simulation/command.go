package simulation

import (
	"cmp"
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
	index     int
	action    wire.Action
	merchant  int
	door      door
	copies    int           // deliveries or callers of the same command, beside each other
	start     time.Duration // since the world began
	key       string        // the caller's idempotency key, or none
	content   string
	txn       string // the caller's transaction id, or none
	pictures  int    // that the reply shows
	immediate bool   // the complaint is said to ask for immediate service
	shape     shape  // of a queue's record, or of what a bus hands over
	wrong     bool   // the request is wrong in itself
	group     *group
	settled   int // copies that came to an end
	kept      int // copies whose message, or whose caller, still holds the command
}

// repeatable reports whether it may be carried out again although it may have been.
func (c *command) repeatable() bool { return c.action == wire.Complete || c.immediate }

func (c *command) label() string {
	return fmt.Sprintf("%s %d (%s)", c.action, c.index, doorNames[c.door])
}

// group is what the ledger keeps under one key: a command, and perhaps a rival that uses its key for other words.
type group struct {
	complaint string
	file      *complaint
	keyed     bool // its commands go through the ledger

	effects     []effect
	plain       int       // effects of visits without resend_unknown
	resends     int       // visits with resend_unknown
	maybeSent   string    // the transaction id of the first attempt that may have been carried out
	completable bool      // the complaint's state allows that it is completed
	processed   bool      // the complaint is settled
	firstClaim  time.Time // of the latest claim that is in the ledger, by its holder's clock
	claimed     time.Time // when the latest send was claimed, by its holder's clock
	seen        time.Time // when the first result said that the reply was seen
	atOnce      bool      // by the invocation that sent it
	answered    bool      // a result said that the gateway did it
	atDoor      bool      // refused for its secret's sake
	seenKept    bool      // such a result is in the ledger
	refused     bool      // a look was refused with 403
	asked       time.Time // when it last began to be carried out or looked for
	unknownAt   time.Time // when an attempt may have been carried out whose invocation did not tell more
	resentAt    time.Time // when somebody first asked to send it again
	lies        bool      // a settled complaint answers a second completion with success, not with INVALID_REQUEST
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
		} else if i > 0 && w.isTwin(c, list[i-1]) {
			w.makeTwin(c, list[i-1])
		}
		list = append(list, c)
	}
	w.addStrangers(list)
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
	c.group.file = w.newComplaint(c.group.complaint, n)
	if share(6) < 0.4 {
		c.action = wire.Complete
		c.merchant %= onlyImageco // which has no half to complete with
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
		if share(13) < 0.2 {
			c.pictures = 1 + i%2
		}
		c.immediate = c.merchant == onlyWechatPay && share(14) < 0.15
	}
	if c.door == doorEvent || c.door == doorQueue {
		c.shape = w.shapeOf(i)
	}
	if w.options.Crowd {
		c.crowd()
	}
	c.group.keyed = c.action == wire.Reply || c.key != "" || c.door == doorEvent || c.door == doorQueue
	return c
}

// crowd makes it one of many replies of one merchant, each asked for once, that stand in a queue from the beginning.
func (c *command) crowd() {
	c.action, c.merchant, c.door, c.shape, c.copies = wire.Reply, 0, doorQueue, plain, 1
	c.start, c.key, c.txn, c.wrong, c.pictures = 0, "", "", false, 0
	c.immediate = false
	c.content = fmt.Sprintf("您好,退款已原路退回,单号 %d", c.index)
}

func (w *world) isRival(c, before *command) bool {
	return !w.options.Crowd && c.action == wire.Reply && before.action == wire.Reply && before.key != "" && !before.wrong && !c.wrong &&
		w.dice.share(placeCommand, uint64(c.index), 11) < 0.08
}

// makeRival lets c use the key of the command before it for words of its own.
func (w *world) makeRival(c, before *command) {
	c.group, c.merchant, c.key, c.txn = before.group, before.merchant, before.key, before.txn
	c.start = before.start + w.dice.span(placeCommand, uint64(c.index), 12, -5*time.Second, 30*time.Second)
	c.start = max(c.start, 0)
}

// isTwin decides whether c says the same words to the complaint of the command before it, as another reply.
func (w *world) isTwin(c, before *command) bool {
	return !w.options.Crowd && c.action == wire.Reply && before.action == wire.Reply && !before.wrong && !c.wrong &&
		w.dice.share(placeCommand, uint64(c.index), 15) < cmp.Or(w.options.Twins, 0.04)
}

// makeTwin lets c say what the command before it says, under a key of its own. One in four shows more pictures.
func (w *world) makeTwin(c, before *command) {
	c.group.complaint, c.group.file = before.group.complaint, before.group.file
	c.group.file.twins = true
	c.merchant, c.content, c.pictures, c.immediate = before.merchant, before.content, before.pictures, before.immediate
	c.key, c.txn = fmt.Sprintf("twin-%d", c.index), ""
	if w.dice.share(placeCommand, uint64(c.index), 16) < 0.25 {
		c.pictures++
	}
	c.start = before.start + w.dice.span(placeCommand, uint64(c.index), 17, -5*time.Second, 60*time.Second)
	c.start = max(c.start, 0)
}

// detail is the command as an event's detail and as a bare command; without its place it is an HTTP body.
func (c *command) detail(m *seller, placed, resend, otherTxn bool) []byte {
	d := struct {
		Merchant  string   `json:"merchant,omitempty"`
		Complaint string   `json:"complaint_id,omitempty"`
		Key       string   `json:"idempotency_key,omitempty"`
		Content   string   `json:"response_content,omitempty"`
		Images    []string `json:"response_images,omitempty"`
		Immediate bool     `json:"immediate_service,omitempty"`
		Txn       string   `json:"transaction_id,omitempty"`
		Resend    bool     `json:"resend_unknown,omitempty"`
	}{Key: c.key, Content: c.content, Immediate: c.immediate, Txn: c.txn, Resend: resend}
	for i := range c.pictures {
		d.Images = append(d.Images, fmt.Sprint("picture-", i))
	}
	if placed {
		d.Merchant, d.Complaint = m.name, c.group.complaint
	}
	if c.wrong {
		d.Content = ""
	}
	if c.shape == unnamed {
		d.Merchant = ""
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
	return c.invocation(m)
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
