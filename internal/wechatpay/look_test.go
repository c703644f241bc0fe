package wechatpay

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// items is a page of a history with items from one number to before another. total below zero: total_count is left out.
func items(from, to, total int) exchange {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf(`{"log_id":"%d"}`, i))
	}
	count := ""
	if total >= 0 {
		count = fmt.Sprintf(`,"total_count":%d`, total)
	}
	return exchange{status: 200, body: `{"data":[` + strings.Join(list, ",") + `]` + count + `}`}
}

func endless() (pages []exchange) {
	for range historyPages + 1 {
		pages = append(pages, items(0, 1, -1))
	}
	return pages
}

func TestLook(t *testing.T) {
	unsigned := items(0, 1, 1)
	unsigned.unsigned = true
	p := newParties(t)
	for _, test := range []struct {
		name    string
		answers []exchange
		found   int
		asked   string // host and offset of each request
		failure string // code and status
		refused bool
		took    time.Duration
	}{
		{name: "one page", answers: []exchange{items(0, 3, 3)}, found: 3, asked: "primary 0"},
		{name: "no items", answers: []exchange{items(0, 0, 0)}, asked: "primary 0"},
		{name: "pages until all are there", answers: []exchange{items(0, 100, 150), items(100, 150, -1)}, found: 150, asked: "primary 0 primary 100"},
		{name: "pages that hold less than was asked for", answers: []exchange{items(0, 2, 3), items(2, 3, -1)}, found: 3, asked: "primary 0 primary 2"},
		{name: "pages until one is empty, when nobody counts", answers: []exchange{items(0, 2, -1), items(0, 0, -1)}, found: 2, asked: "primary 0 primary 2"},
		{name: "fewer items than were counted", answers: []exchange{items(0, 2, 5), items(0, 0, -1)}, found: 2, asked: "primary 0 primary 2"},
		{name: "a history that does not end", answers: endless(), failure: wire.CodeUpstreamGarbled + " 200", asked: "…"},

		{name: "no answer, and the other host has one", answers: []exchange{{lost: true}, items(0, 1, 1)}, found: 1, asked: "primary 0 backup 0", took: 1500 * time.Millisecond},
		{name: "no answer of either host", answers: []exchange{{lost: true}, {lost: true}}, failure: wire.CodeUpstreamTimeout + " 0",
			asked: "primary 0 backup 0", took: 3 * time.Second},
		{name: "no answer for the second page", answers: []exchange{items(0, 1, 2), {lost: true}, items(1, 2, -1)}, found: 2,
			asked: "primary 0 primary 1 backup 1", took: 1500 * time.Millisecond},
		{name: "limited, which is asked once", answers: []exchange{{status: 429}}, failure: wire.CodeRateLimited + " 429", asked: "primary 0"},
		{name: "broken, which is asked once", answers: []exchange{{status: 500}}, failure: wire.CodeUpstreamGarbled + " 500", asked: "primary 0"},
		{name: "not verified", answers: []exchange{unsigned}, failure: wire.CodeUpstreamUnverified + " 200", asked: "primary 0"},
		{name: "a second page that is not verified", answers: []exchange{items(0, 1, 2), unsigned}, failure: wire.CodeUpstreamUnverified + " 200", asked: "primary 0 primary 1"},
		{name: "no JSON", answers: []exchange{{status: 200, body: "<html>"}}, failure: wire.CodeUpstreamGarbled + " 200", asked: "primary 0"},
		{name: "a signed answer that holds nothing", answers: []exchange{{status: 204}}, failure: wire.CodeUpstreamGarbled + " 204", asked: "primary 0"},
		{name: "refused", answers: []exchange{{status: 403, body: `{"code":"NO_AUTH","message":""}`}}, failure: "NO_AUTH 403", refused: true, asked: "primary 0"},
		{name: "not there", answers: []exchange{{status: 404, body: `{"code":"NOT_FOUND","message":""}`}}, failure: "NOT_FOUND 404", refused: true, asked: "primary 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wechatPay{t: t, p: p, answers: test.answers}
				began := time.Now()
				found, failure := newCaller(w, p).Look(t.Context(), complaint, began.Add(3*time.Second))
				said := ""
				if failure != nil {
					said = fmt.Sprintf("%s %d", failure.Code, failure.HTTPStatus)
				}
				if len(found) != test.found || said != test.failure || failure != nil && failure.Refused != test.refused {
					t.Errorf("%d items, failure %q %+v", len(found), said, failure)
				}
				var asked []string
				for _, r := range w.requests {
					asked = append(asked, r.URL.Host+" "+r.URL.Query().Get("offset"))
					if r.URL.Query().Get("limit") != "100" || !strings.HasSuffix(r.URL.Path, "/complaints-v2/"+complaint+"/negotiation-historys") {
						t.Errorf("asked %s", r.URL)
					}
				}
				if got := strings.Join(asked, " "); got != test.asked && test.asked != "…" {
					t.Errorf("asked %s, want %s", got, test.asked)
				}
				if len(w.requests) > historyPages {
					t.Errorf("%d requests", len(w.requests))
				}
				if took := time.Since(began); took < test.took || took > test.took+time.Second {
					t.Errorf("it took %s, want about %s", took, test.took)
				}
			})
		})
	}
}

// The invocation's deadline stands above every look.
func TestALookEndsBeforeItsCaller(t *testing.T) {
	p := newParties(t)
	synctest.Test(t, func(t *testing.T) {
		w := &wechatPay{t: t, p: p, answers: []exchange{{lost: true}, {lost: true}}}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if _, failure := newCaller(w, p).Look(ctx, complaint, began.Add(3*time.Second)); failure == nil {
			t.Error("it did not fail")
		}
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("it took %s of 2 s", took)
		}
	})
}

func TestState(t *testing.T) {
	state := func(id string) exchange {
		return exchange{status: 200, body: `{"complaint_id":"` + id + `","complaint_state":"PROCESSING"}`}
	}
	forged := state(complaint)
	forged.unsigned = true
	p := newParties(t)
	for _, test := range []struct {
		name    string
		answers []exchange
		state   string
		failure string
	}{
		{"told", []exchange{state(complaint)}, "PROCESSING", ""},
		{"told by the other host", []exchange{{lost: true}, state(complaint)}, "PROCESSING", ""},
		{"of another complaint", []exchange{state("1")}, "", wire.CodeUpstreamGarbled},
		{"not verified", []exchange{forged}, "", wire.CodeUpstreamUnverified},
		{"refused", []exchange{{status: 403, body: `{"code":"NO_AUTH","message":""}`}}, "", "NO_AUTH"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wechatPay{t: t, p: p, answers: test.answers}
				got, failure := newCaller(w, p).State(t.Context(), complaint, time.Now().Add(3*time.Second))
				code := ""
				if failure != nil {
					code = failure.Code
				}
				if got != test.state || code != test.failure {
					t.Errorf("%q, %q", got, code)
				}
			})
		})
	}
}
