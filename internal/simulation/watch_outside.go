package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/internal/watch"
	"github.com/kesu-go/kesu/pkg/signing"
)

// errOutside is what a step that failed gives.
var errOutside = errors.New("it failed")

// heardFaults is the share of steps that fail while it storms.
const heardFaults = 0.12

// meet lets a step of a visit happen, with the fault that is rolled for it: refused, hung, done without an
// acknowledgement, or a crash before or after it.
func meet[T any](ctx context.Context, h *hearing, land func() T) (out T, err error) {
	v := visited(ctx)
	h.mu.Lock()
	v.steps++
	n := v.steps
	fails := h.stormy() && h.share(3, v.id, n) < heardFaults
	which, latency := h.roll(4, v.id, n)%5, h.span(5, v.id, n, time.Millisecond, 40*time.Millisecond)
	if fails {
		v.faults++
		h.tally.Faults++
	}
	if fails && which == 0 {
		v.crashed = true
	}
	gone := v.crashed
	h.mu.Unlock()
	if fails && which == 1 { // it hangs, and happens or does not
		latency = time.Hour
	}
	if !gone && !after(ctx, latency) {
		h.mu.Lock()
		v.faults++
		h.mu.Unlock()
		if h.roll(6, v.id, n)%2 == 0 {
			land()
		}
		return out, errOutside
	}
	if gone || fails && which == 2 {
		return out, errOutside
	}
	out = land()
	if fails && which >= 3 {
		h.mu.Lock()
		v.crashed = v.crashed || which == 4
		h.mu.Unlock()
		return *new(T), errOutside
	}
	return out, nil
}

// after lets time pass, and reports whether all of it did.
func after(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// heardStore is the ledger's table behind a network that fails. A call is bounded as internal/assembly/watching bounds it.
type heardStore struct{ h *hearing }

// Put implements ledger.Store.
func (s *heardStore) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	bounded, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	v := visited(ctx)
	if strings.Contains(e.ID, "#event#") && e.State == ledger.Claimed {
		s.h.mu.Lock()
		v.event = e.ID
		s.h.mu.Unlock()
	}
	found, err := meet(bounded, s.h, func() *ledger.Entry {
		found, err := s.h.entries.Put(context.Background(), e, cond)
		s.h.mu.Lock()
		defer s.h.mu.Unlock()
		if err == nil && found == nil && e.State == ledger.Succeeded {
			s.h.settled[e.ID] = true
			if v.pending == e.ID {
				v.pending = ""
			}
		}
		return found
	})
	return found, err
}

// Delete implements ledger.Store.
func (s *heardStore) Delete(ctx context.Context, id, owner string) error {
	bounded, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	_, err := meet(bounded, s.h, func() bool { return s.h.entries.Delete(context.Background(), id, owner) == nil })
	return err
}

// heardBooks keeps what sweeps remember.
type heardBooks struct{ h *hearing }

type openedBook struct {
	text    string
	version int64
}

// Read implements watch.Books.
func (b *heardBooks) Read(ctx context.Context, merchant string) (string, int64, error) {
	bounded, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	got, err := meet(bounded, b.h, func() openedBook {
		text, version, _ := b.h.books.Read(context.Background(), merchant)
		return openedBook{text, version}
	})
	return got.text, got.version, err
}

// Write implements watch.Books.
func (b *heardBooks) Write(ctx context.Context, merchant, text string, version int64, expires time.Time) error {
	bounded, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	lost, err := meet(bounded, b.h, func() bool { return b.h.books.Write(context.Background(), merchant, text, version, expires) != nil })
	if err == nil && lost {
		return watch.ErrWritten
	}
	return err
}

// heardBus is the result bus.
type heardBus struct{ h *hearing }

// Put implements watch.Bus.
func (b *heardBus) Put(ctx context.Context, detailType string, detail []byte) error {
	v := visited(ctx)
	_, err := meet(ctx, b.h, func() bool { b.h.publish(v, detailType, detail); return true })
	if err == nil {
		b.h.mu.Lock()
		b.h.acked[v.event]++
		v.pending = v.event
		b.h.mu.Unlock()
	}
	return err
}

// publish is an event that reached the bus.
func (h *hearing) publish(v *hearingVisit, detailType string, detail []byte) {
	var d struct {
		Merchant       string `json:"merchant"`
		ComplaintID    string `json:"complaint_id"`
		ComplaintState string `json:"complaint_state"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		panic(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.complaints[d.ComplaintID] == nil {
		h.violate(KindForged, "%s of %s", detailType, d.ComplaintID)
	}
	if h.settled[v.event] {
		h.violate(KindToldAgain, "%s", v.event)
	}
	h.told[v.event] = append(h.told[v.event], telling{time.Now(), d.ComplaintState == "PENDING"})
	switch detailType {
	case "ComplaintReceived":
		h.tally.Received++
	case "ComplaintChanged":
		h.tally.Changed++
	case "ComplaintDue":
		h.tally.Due++
	}
	event := sandbox.Event{ID: fmt.Sprint("e", h.owners.Add(1)), Source: "kesu", DetailType: detailType, Detail: detail}
	if d.Merchant != "plain" && h.rule.Pattern.Matches(event) {
		h.running.Go(func() { h.followRule(event) })
	}
}

// wechatPayHeard is WeChat Pay: the list, and a complaint.
type wechatPayHeard struct{ h *hearing }

// RoundTrip implements http.RoundTripper.
func (g *wechatPayHeard) RoundTrip(r *http.Request) (*http.Response, error) {
	v := visited(r.Context())
	status, body := http.StatusOK, ""
	_, err := meet(r.Context(), g.h, func() bool {
		g.h.mu.Lock()
		defer g.h.mu.Unlock()
		switch trouble := g.h.share(7, v.id, v.steps); {
		case g.h.stormy() && trouble < 0.04:
			status, body = http.StatusInternalServerError, `{"code":"SYSTEM_ERROR","message":"x"}`
		case g.h.stormy() && trouble < 0.06 && r.URL.RawQuery == "":
			status, body = http.StatusForbidden, `{"code":"NO_AUTH","message":"x"}`
		default:
			body = g.tell(r)
		}
		if status != http.StatusOK {
			v.faults++
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Wechatpay-Serial"), "PUB_KEY_ID_"), "_1")
	at, nonce := time.Now(), fmt.Sprint("a", g.h.owners.Add(1))
	signature, err := signing.SignAnswer(cheapKey(platformKey(name, 1)), at, nonce, []byte(body))
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}, "Wechatpay-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Wechatpay-Nonce": {nonce},
		"Wechatpay-Serial": {r.Header.Get("Wechatpay-Serial")}, "Wechatpay-Signature": {signature}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r, ContentLength: int64(len(body))}, nil
}

// tell answers a reading. h.mu is held.
func (g *wechatPayHeard) tell(r *http.Request) string {
	query := r.URL.Query()
	if len(query) == 0 {
		return g.h.describe(g.h.complaints[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]])
	}
	limit, _ := strconv.Atoi(query.Get("limit"))
	offset, _ := strconv.Atoi(query.Get("offset"))
	mchid := r.Header.Get("Authorization")
	var found []*heard
	for _, c := range g.h.complaints {
		day := c.at.In(china).Format(time.DateOnly)
		if strings.Contains(mchid, `mchid="19`+c.merchant+`"`) && day >= query.Get("begin_date") && day <= query.Get("end_date") {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *heard) int { return strings.Compare(a.id, b.id) })
	var items []string
	for _, c := range found[min(offset, len(found)):min(offset+limit, len(found))] {
		items = append(items, g.h.describe(c))
	}
	return fmt.Sprintf(`{"data":[%s],"limit":%d,"offset":%d,"total_count":%d}`, strings.Join(items, ","), limit, offset, len(found))
}

// describe is a complaint as WeChat Pay tells it.
func (h *hearing) describe(c *heard) string {
	if c == nil {
		return `{}`
	}
	return fmt.Sprintf(`{"complaint_id":%q,"complaint_time":%q,"complaint_state":%q,"user_complaint_times":%d,"complainted_mchid":%q,"payer_phone":"1"}`,
		c.id, c.at.In(china).Format(time.RFC3339), c.state, c.times, "19"+c.merchant)
}
