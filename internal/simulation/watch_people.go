package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

// run lets four days pass and gives what was found.
func (h *hearing) run() (HearingTally, []Violation) {
	for n := range uint64(perHearing) {
		h.running.Go(func() { h.complain(n) })
	}
	if !h.off.NoSweeps {
		for n, name := range hearMerchants {
			h.running.Go(func() { h.schedule(uint64(n), name) })
		}
	}
	for n := range uint64(10) { // strangers
		h.running.Go(func() {
			time.Sleep(h.span(20, n, 0, 0, stormFor))
			h.count(&h.tally.Forged)
			h.notify("acme", fmt.Sprint("forged-", n), fmt.Sprint("made-up-", n), "CREATE_COMPLAINT", "somebody else's")
		})
	}
	h.running.Wait()
	h.judge()
	return h.tally, h.found
}

func (h *hearing) count(what *int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*what++
}

// complain is the life of one complaint: it arrives, is answered, perhaps raised again, and settled by a person once
// somebody was told of it.
func (h *hearing) complain(n uint64) {
	time.Sleep(h.span(10, n, 0, time.Minute, stormFor-12*time.Hour))
	c := &heard{merchant: hearMerchants[n%3], id: fmt.Sprintf("c%03d", n), at: time.Now().Truncate(time.Second), state: "PENDING", times: 1, since: time.Now()}
	h.mu.Lock()
	h.complaints[c.id] = c
	h.tally.Complaints++
	h.mu.Unlock()
	h.announce(c, "CREATE_COMPLAINT", n*10)
	if h.roll(11, n, 0)%3 == 0 {
		time.Sleep(h.span(12, n, 0, time.Minute, 5*time.Hour))
		h.announce(c, "USER_RESPONSE", n*10+1)
	}
	if h.roll(13, n, 0)%2 == 0 {
		time.Sleep(h.span(14, n, 0, 10*time.Minute, 6*time.Hour))
		h.mu.Lock()
		c.times, c.state, c.since = 2, "PENDING", time.Now()
		h.tally.Raised++
		h.mu.Unlock()
		h.announce(c, "CONTINUE_COMPLAINT", n*10+2)
	}
}

// announce lets WeChat Pay notify: as often as it takes, as its page says; or never.
func (h *hearing) announce(c *heard, action string, n uint64) {
	id := fmt.Sprint("EV-", n)
	fate := h.share(15, n, 0)
	if fate < 0.25 {
		h.count(&h.tally.Lost)
		return
	}
	h.running.Go(func() {
		if fate < 0.45 {
			h.count(&h.tally.Late)
			time.Sleep(h.span(16, n, 0, time.Minute, 2*time.Hour))
		}
		for attempt := 1; !h.notify(c.merchant, id, c.id, action, cheapKey(platformKey(c.merchant, 1))); attempt++ {
			pause := 5 * time.Minute
			if attempt == 1 {
				pause = 5 * time.Second
			} else if attempt <= 11 {
				pause = time.Minute
			}
			time.Sleep(pause)
		}
		h.count(&h.tally.Notified)
	})
	if fate > 0.8 { // and beside it, on another link
		h.count(&h.tally.Doubled)
		h.running.Go(func() {
			time.Sleep(h.span(17, n, 0, time.Millisecond, 3*time.Second))
			h.notify(c.merchant, id, c.id, action, cheapKey(platformKey(c.merchant, 1)))
		})
	}
}

// schedule sweeps one merchant every 15 minutes until the world ends; a message that failed comes again.
func (h *hearing) schedule(n uint64, name string) {
	time.Sleep(h.span(18, n, 0, time.Second, 15*time.Minute))
	for time.Since(h.began) < stormFor+fairFor {
		at := time.Now()
		h.running.Go(func() {
			for range 10 {
				if h.sweep(name, at) {
					return
				}
				time.Sleep(168 * time.Second)
			}
		})
		time.Sleep(15 * time.Minute)
	}
}

// sweep delivers the message of one sweep, and reports whether it was taken.
func (h *hearing) sweep(name string, at time.Time) bool {
	body := fmt.Sprintf(`{"detail-type":"KesuSweep","detail":{"merchant":%q,"scheduled_at":%q}}`, name, at.UTC().Format(time.RFC3339))
	payload, err := json.Marshal(map[string]any{"Records": []any{map[string]string{"messageId": "m1", "eventSource": "aws:sqs", "body": body}}})
	if err != nil {
		panic(err)
	}
	began := time.Now()
	answer, v, failed := h.invoke(payload, 28*time.Second)
	taken := failed == nil && strings.Contains(string(answer), `"batchItemFailures":[]`)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tally.Sweeps++
	if taken && v.faults == 0 && began.Sub(at) < 14*time.Minute {
		h.tally.CleanSweeps++
		h.swept(name, began)
	}
	return taken
}

// swept holds a sweep that nothing disturbed to its promises: what waits was told, and what comes due was announced. h.mu
// is held.
func (h *hearing) swept(name string, began time.Time) {
	for _, c := range h.complaints {
		if c.merchant != name || began.Sub(c.at) < 2*time.Minute+time.Second || !c.since.Before(began) || c.state != "PENDING" {
			continue
		}
		if len(h.told[c.key(fmt.Sprint("received-", c.times))]) == 0 {
			h.violate(KindUntold, "%s, raised %d times, before the sweep of %v ended", c.id, c.times, began.Sub(h.began))
		}
		for what, within := range map[string]time.Duration{"reply": 24 * time.Hour, "completion": 72 * time.Hour} {
			due := c.at.Add(within)
			switch {
			case began.After(due):
				h.announced(c, what, "late", began)
			case began.After(due.Add(-4 * time.Hour)):
				h.announced(c, what, "", began)
			}
		}
	}
}

// announced wants an event about what is due: the one that is named, or any before the end. h.mu is held.
func (h *hearing) announced(c *heard, what, threshold string, began time.Time) {
	names := []string{"4h0m0s", "1h0m0s"}
	if threshold != "" {
		names = []string{threshold}
	}
	for _, name := range names {
		if len(h.told[c.key("due-"+what+"-"+name)]) > 0 {
			return
		}
	}
	h.violate(KindUnannounced, "%s: the %s of %s, at a sweep %v after it arrived", threshold, what, c.id, began.Sub(c.at))
}

// key is the ledger's id of an event about a complaint.
func (c *heard) key(event string) string { return c.merchant + "#event#" + c.id + "#" + event }

// followRule is the rule of template.yaml with its transformer, the reply's queue, and the reply's function as far as its
// ledger goes, which the other worlds try in full. A message is delivered until it is taken, and some twice.
func (h *hearing) followRule(event sandbox.Event) {
	made, err := h.rule.Input.Apply(event)
	if err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.violate(KindUnreplied, "the transformer: %v", err)
		return
	}
	var request struct {
		Detail json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(made, &request); err != nil {
		panic(err)
	}
	read := wire.ReadDetail(wire.Reply, request.Detail)
	if len(read.Problems) > 0 {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.violate(KindUnreplied, "the request: %v", read.Problems)
		return
	}
	n := hashText(event.ID)
	for range 1 + h.roll(19, n, 0)%2 {
		h.running.Go(func() {
			time.Sleep(h.span(19, n, 1, time.Second, time.Minute))
			h.reply(read.Command)
		})
	}
}

// reply shows a reply once for each of its keys.
func (h *hearing) reply(c wire.Command) {
	key := c.IdempotencyKey
	if h.off.RaisedAs {
		key = key[:strings.LastIndexByte(key, '-')]
	}
	decision, err := h.replies.Claim(context.Background(), ledger.Request{Action: wire.Reply, Merchant: c.Merchant, ComplaintID: c.ComplaintID, Key: key})
	if err != nil || decision.Claim == nil {
		return
	}
	h.mu.Lock()
	h.shown[c.IdempotencyKey]++
	h.tally.Replies++
	if told := h.complaints[c.ComplaintID]; told.state == "PENDING" && strings.HasSuffix(c.IdempotencyKey, fmt.Sprint("-", told.times)) {
		told.state, told.since = "PROCESSING", time.Now()
	}
	h.mu.Unlock()
	if err := h.replies.Settle(context.Background(), decision.Claim, wire.Result{Outcome: wire.Succeeded, Code: wire.CodeOK, At: time.Now().UTC()}); err != nil {
		panic(err)
	}
}

// judge compares what happened with the truth when everything late has landed.
func (h *hearing) judge() {
	for id, n := range h.acked {
		if most := 1 + h.unsettled[id]; n > most {
			h.violate(KindToldAgain, "%s: %d acknowledgements, of which %d were not noted", id, n, most-1)
		}
	}
	for _, c := range h.complaints {
		for times := 1; times <= c.times; times++ {
			key := c.key(fmt.Sprint("received-", times))
			told := h.told[key]
			// What was raised again before anybody heard of the first time is told once, with the number that it has by then.
			if len(told) == 0 && times == c.times {
				h.violate(KindUntold, "%s, raised %d times", c.id, times)
			}
			shown := h.shown[fmt.Sprintf("first-%s-%d", c.id, times)]
			pending := false
			for _, t := range told {
				pending = pending || t.pending
			}
			switch {
			case shown > 1:
				h.violate(KindReplied, "%s: %d replies for raise %d", c.id, shown, times)
			case pending && shown == 0 && c.merchant != "plain":
				h.violate(KindUnreplied, "%s, raise %d", c.id, times)
			}
		}
	}
}
