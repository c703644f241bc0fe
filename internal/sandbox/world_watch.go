package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// BusRule is a rule of the bus as template.yaml has it.
type BusRule struct {
	Name    string // its logical id
	Pattern Pattern
	Input   *Transformer // nil hands the event over as it is
	Target  string       // the logical id of what it leads to: ReplyQueue
}

// HandedOver is what a rule with a transformer made of an event for something that is not played here: a robot's alert.
type HandedOver struct {
	N       int // from 1
	At      time.Time
	Rule    string
	Target  string
	EventID string
	Payload json.RawMessage // nil when the transformer failed
	Problem string
}

// handedOver are the latest of them.
type handedOver struct {
	mu     sync.Mutex
	latest int
	all    []HandedOver
}

func (h *handedOver) add(one HandedOver) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.latest++
	one.N = h.latest
	h.all = latest(append(h.all, one))
}

// HandedOver returns what rules made for targets that are not played here, the oldest first.
func (w *World) HandedOver() []HandedOver {
	w.handed.mu.Lock()
	defer w.handed.mu.Unlock()
	return slices.Clone(w.handed.all)
}

const (
	ReplyQueue    = "kesu-replies"
	completeQueue = "kesu-completions"
	watchQueue    = "kesu-watch"
	receivesMost  = 10 // maxReceiveCount of the queues in template.yaml
)

// sweepEvery is the schedule of template.yaml.
const sweepEvery = 15 * time.Minute

// startWatch starts the third function, with its queue, its schedule and the address for notifications.
func (w *World) startWatch(ctx context.Context, p Programs) error {
	env := append([]string{"WATCH_MERCHANTS=*", "WATCH_QUEUE=" + QueueURL(watchQueue)}, p.Env...)
	p.Env = env
	w.Watch = w.function("kesu-watch", p.Watch, p)
	if err := w.Watch.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", w.Watch.config.Name, err)
	}
	w.Queues.Consume(watchQueue, Consumer{Function: w.Watch, Timeout: p.Timeout, Pause: p.Pause, Receives: receivesMost})
	schedule := &ticking{done: make(chan struct{})}
	schedule.ending, schedule.end = context.WithCancel(context.Background())
	w.closers = append(w.closers, schedule)
	go func() {
		defer close(schedule.done)
		for linger(schedule.ending, sweepEvery, nil) {
			_, _ = w.Sweep(schedule.ending) // the function's log tells what failed
		}
	}()
	return nil
}

// ticking is a schedule with the goroutine that waits for its times.
type ticking struct {
	ending context.Context
	end    context.CancelFunc
	done   chan struct{}
}

func (t *ticking) Close() error {
	t.end()
	<-t.done
	return nil
}

// Sweep does what the schedule does every 15 minutes: each merchant's sweep is put into the queue.
func (w *World) Sweep(ctx context.Context) (Invocation, error) {
	payload, err := json.Marshal(Event{Version: "0", ID: newUUID(), DetailType: "Scheduled Event", Source: "aws.events", Account: AccountID,
		Time: w.now().UTC().Truncate(time.Second), Region: Region, Resources: []string{}, Detail: json.RawMessage("{}")})
	if err != nil {
		return Invocation{}, err
	}
	return w.Watch.Invoke(ctx, payload, w.limit)
}

// NotificationURL is the address for a merchant's notifications, below the URL that [World.Serve] gave. It is https because
// WeChat Pay takes no other; the sandbox calls it without TLS.
func NotificationURL(gateway, merchant string) string {
	return "https" + gateway[len("http"):] + "/merchants/" + merchant + "/notifications"
}

// SetNotificationURL sets a merchant's address as its own call to WeChat Pay would.
func (w *World) SetNotificationURL(m *Merchant, url string) {
	w.State.setNotificationURL(m.WechatPay.Mchid, url)
}

// AddRules lets the bus follow rules of the template.
func (w *World) AddRules(rules ...BusRule) {
	for _, r := range rules {
		w.Bus.AddRule(Rule{Pattern: r.Pattern, Target: func(ctx context.Context, event Event) { w.follow(ctx, r, event) }})
	}
}

func (w *World) follow(ctx context.Context, r BusRule, event Event) {
	if r.Input == nil {
		w.hand(ctx, r, event, nil)
		return
	}
	payload, err := r.Input.Apply(event)
	if err != nil {
		w.handed.add(HandedOver{At: w.now(), Rule: r.Name, Target: r.Target, EventID: event.ID, Problem: err.Error()})
		return
	}
	w.hand(ctx, r, event, payload)
}

// hand gives an event, or what a transformer made of it, to a rule's target. Queues that wait for another program are not
// played: the settled events are read at /events.
func (w *World) hand(ctx context.Context, r BusRule, event Event, payload []byte) {
	text := payload
	if text == nil {
		var err error
		if text, err = json.Marshal(event); err != nil {
			return
		}
	}
	switch {
	case r.Target == "ReplyFunction" && payload == nil:
		w.ReplyDelivery.Deliver(ctx, event)
	case r.Target == "CompleteFunction" && payload == nil:
		w.CompletionDelivery.Deliver(ctx, event)
	case r.Target == "ReplyQueue":
		w.Queues.Put(QueueURL(ReplyQueue), string(text))
	case r.Target == "CompleteQueue":
		w.Queues.Put(QueueURL(completeQueue), string(text))
	case r.Target == "AttentionQueue":
		w.Queues.Put(QueueURL(AttentionQueue), string(text))
	case payload != nil:
		w.handed.add(HandedOver{At: w.now(), Rule: r.Name, Target: r.Target, EventID: event.ID, Payload: payload})
	}
}
