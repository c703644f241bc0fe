package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// sightedActs is a gateway whose commands can be looked for. Each look plays the next answer; the last one stays.
type sightedActs struct {
	*acts
	blind   bool // the merchant cannot be looked for
	takes   time.Duration
	answers []lookAnswer
	looks   []time.Duration // when each look began, since the test did
	bounds  []time.Duration // how long it was given
	claims  []time.Time
	states  int
	began   time.Time
	before  func() // is called by each look
}

type lookAnswer struct {
	logIDs  []string
	at      time.Time // of the items; zero: the look's own
	failure *wechatpay.Failure
}

func (a *sightedActs) WechatPay() (*merchant.WechatPay, *merchant.FieldError) {
	if a.blind {
		return nil, &merchant.FieldError{Field: "wechatpay", Problem: "is missing"}
	}
	return nil, nil
}

func (a *sightedActs) Look(_ context.Context, _ Call, claimedAt, end time.Time) ([]messages.Item, *wechatpay.Failure) {
	a.looks, a.bounds = append(a.looks, time.Since(a.began)), append(a.bounds, time.Until(end))
	a.claims = append(a.claims, claimedAt)
	if a.before != nil {
		a.before()
	}
	time.Sleep(a.takes)
	answer := a.answers[0]
	if len(a.answers) > 1 {
		a.answers = a.answers[1:]
	}
	var items []messages.Item
	for i, id := range answer.logIDs {
		at := answer.at
		if at.IsZero() {
			at = time.Now()
		}
		items = append(items, messages.Item{LogID: id, OperateTime: messages.Time{Time: at.Add(time.Duration(i) * time.Millisecond)}})
	}
	return items, answer.failure
}

func (a *sightedActs) State(context.Context, Call, time.Time) (string, *wechatpay.Failure) {
	a.states++
	return messages.StateProcessing, nil
}

var (
	unseen   = lookAnswer{}
	shown    = lookAnswer{logIDs: []string{"log-1"}}
	limited  = lookAnswer{failure: &wechatpay.Failure{Code: wire.CodeRateLimited, HTTPStatus: 429}}
	withheld = lookAnswer{failure: &wechatpay.Failure{Code: "NO_AUTH", HTTPStatus: 403, Refused: true}}
	absent   = lookAnswer{failure: &wechatpay.Failure{Code: "NOT_FOUND", HTTPStatus: 404, Refused: true}}
)

func newLookBench(answers []lookAnswer, reports ...gateway.Report) (*bench, *sightedActs) {
	b := newBench(reports...)
	a := &sightedActs{acts: b.acts, answers: answers, began: time.Now()}
	b.keys.of = func(string) Merchant { return a }
	b.pipeline.Words = func(c *wire.Command) string { return c.ResponseContent }
	b.pipeline.Window = 15 * time.Minute
	return b, a
}

// saw is what the evidence tells in a word.
func saw(r wire.Result) string {
	e := r.Evidence
	switch {
	case e == nil:
		return "none"
	case e.Error != "":
		return e.Error
	case *e.Seen:
		return "seen " + e.LogID
	}
	return "unseen " + e.ComplaintState
}

func TestLookingAfterAnAttempt(t *testing.T) {
	for _, test := range []struct {
		name    string
		answers []lookAnswer
		takes   time.Duration // of each look
		left    time.Duration // of the invocation
		looks   string
		saw     string
		outcome wire.Outcome
	}{
		{"seen at once", []lookAnswer{shown}, 0, time.Minute, "[0s]", "seen log-1", wire.Succeeded},
		{"seen two seconds later", []lookAnswer{unseen, shown}, 0, time.Minute, "[0s 2s]", "seen log-1", wire.Succeeded},
		{"not seen", []lookAnswer{unseen}, 0, time.Minute, "[0s 2s]", "unseen PROCESSING", wire.Unknown},
		{"the first look fails", []lookAnswer{limited, shown}, 0, time.Minute, "[0s 2s]", "seen log-1", wire.Succeeded},
		{"both looks fail", []lookAnswer{limited}, 0, time.Minute, "[0s 2s]", "RATE_LIMITED", wire.Unknown},
		{"a refusal is not asked again", []lookAnswer{withheld, shown}, 0, time.Minute, "[0s]", "NO_AUTH", wire.Unknown},
		{"slow looks end after eight seconds", []lookAnswer{unseen}, 3 * time.Second, time.Minute, "[0s 5s]", "unseen ", wire.Unknown},
		{"less than a second to the deadline", []lookAnswer{shown}, 0, 999 * time.Millisecond, "[]", "none", wire.Unknown},
		{"a second to the deadline", []lookAnswer{shown}, 0, time.Second, "[0s]", "seen log-1", wire.Succeeded},
		{"less than three seconds: one look", []lookAnswer{unseen, shown}, 0, 2999 * time.Millisecond, "[0s]", "unseen PROCESSING", wire.Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, a := newLookBench(test.answers, maybe)
				a.takes = test.takes
				ctx, cancel := context.WithTimeout(t.Context(), test.left)
				defer cancel()
				got := b.pipeline.Do(ctx, reply(""))
				if got.Outcome != test.outcome || saw(got) != test.saw || fmt.Sprint(a.looks) != test.looks {
					t.Errorf("%s, %s, looks at %v", got.Outcome, saw(got), a.looks)
				}
				if got.Outcome == wire.Succeeded && (got.Code != wire.CodeSeenInHistory || !got.Verified || got.Replayed || got.HTTPStatus != 200 || got.Attempts != 1) {
					t.Errorf("%+v", got)
				}
				for _, bound := range a.bounds {
					if bound > budget.Look {
						t.Errorf("a look was given %v", bound)
					}
				}
				again := b.pipeline.Do(t.Context(), reply(""))
				if seen := test.outcome == wire.Succeeded; again.Replayed != seen || !seen && again.Code != wire.CodeOutcomeUnknown && again.Code != wire.CodeSeenInHistory {
					t.Errorf("the next one is told %+v", again)
				}
				if len(b.acts.sent) != 1 {
					t.Errorf("sent %d times", len(b.acts.sent))
				}
			})
		})
	}
}

// The unknown is settled before it is looked for: a process that dies while it looks leaves what it knows.
func TestAnUnknownReplyIsSettledBeforeItIsLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, a := newLookBench([]lookAnswer{unseen}, maybe)
		asked := reply(`,"idempotency_key":"k"`)
		a.before = func() {
			a.before = nil
			decision, err := b.pipeline.Ledger.Claim(t.Context(), ledger.Request{Action: wire.Reply, Merchant: "acme", ComplaintID: "1",
				Key: "k", PayloadHash: asked.Command.PayloadHash()})
			if err != nil || !decision.Unknown || decision.Earlier == nil {
				t.Errorf("while it is looked for the ledger says %+v, %v", decision, err)
			}
		}
		b.pipeline.Do(t.Context(), asked)
	})
}

func TestWithoutTheLedgerNothingIsLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, a := newLookBench([]lookAnswer{shown}, maybe)
		b.store.putErr = func(n int) error {
			if n <= 2 {
				return nil // the claim, and the note of the words
			}
			return ledger.ErrUnavailable
		}
		if got := b.pipeline.Do(t.Context(), reply("")); got.Outcome != wire.Unknown || len(a.looks) != 0 || got.LookAgain != 30*time.Second {
			t.Errorf("%+v after %d looks", got, len(a.looks))
		}
	})
}

func TestWhatCostsNothing(t *testing.T) {
	for _, test := range []struct {
		name   string
		blind  bool
		report gateway.Report
		puts   int
	}{
		{"a merchant that cannot be looked for: claim, note and settle", true, done, 3},
		{"nor after an unknown", true, maybe, 3},
		{"one that can: another note beside the settling", false, done, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, a := newLookBench([]lookAnswer{shown}, test.report)
				a.blind = test.blind
				got := b.pipeline.Do(t.Context(), reply(""))
				if b.store.written() != test.puts || len(a.looks) != 0 || got.Evidence != nil || got.LookAgain != 0 {
					t.Errorf("%d writes, %d looks, %+v", b.store.written(), len(a.looks), got)
				}
			})
		})
	}
}

func TestTheNextOneLooksUnlessSomebodyJustDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, a := newLookBench([]lookAnswer{unseen}, maybe)
		b.pipeline.Do(t.Context(), reply(""))
		began := a.claims[0]
		for _, step := range []struct {
			wait  time.Duration
			looks int
		}{{4999 * time.Millisecond, 2}, {time.Millisecond, 3}, {time.Second, 3}, {4 * time.Second, 4}} {
			time.Sleep(step.wait)
			got := b.pipeline.Do(t.Context(), reply(""))
			if got.Code != wire.CodeOutcomeUnknown || saw(got) != "unseen PROCESSING" || len(a.looks) != step.looks {
				t.Errorf("%s, %s after %d looks, want %d", got.Code, saw(got), len(a.looks), step.looks)
			}
		}
		time.Sleep(5 * time.Second)
		a.answers = []lookAnswer{shown}
		got := b.pipeline.Do(t.Context(), reply(""))
		if got.Code != wire.CodeSeenInHistory || got.Attempts != 0 || got.Replayed || got.HTTPStatus != 200 {
			t.Errorf("%+v", got)
		}
		if again := b.pipeline.Do(t.Context(), reply("")); !again.Replayed || saw(again) != "seen log-1" || len(b.acts.sent) != 1 {
			t.Errorf("%+v, sent %d times", again, len(b.acts.sent))
		}
		for _, at := range a.claims {
			if !at.Equal(began) {
				t.Errorf("looked for what was claimed %v, not %v", at, began)
			}
		}
	})
}

func TestBeforeAResend(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer lookAnswer
		code   string
		sent   int
	}{
		{"seen", shown, wire.CodeSeenInHistory, 1},
		{"not seen", unseen, "0000", 2},
		{"limited", limited, wire.CodeOutcomeUnknown, 1},
		{"withheld", withheld, "0000", 2},
		{"another refusal", absent, wire.CodeOutcomeUnknown, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, a := newLookBench([]lookAnswer{unseen}, maybe, done)
				b.pipeline.Do(t.Context(), reply(""))
				a.answers = []lookAnswer{test.answer}
				got := b.pipeline.Do(t.Context(), reply(`,"resend_unknown":true`))
				if got.Code != test.code || len(b.acts.sent) != test.sent {
					t.Errorf("%s %s, sent %d times", got.Code, saw(got), len(b.acts.sent))
				}
				if again := b.pipeline.Do(t.Context(), reply("")); again.Replayed != (test.code != wire.CodeOutcomeUnknown) {
					t.Errorf("the next one is told %+v", again)
				}
			})
		})
	}
}

// What one reply was seen by shows no other, and what is not later than another's settling may be that one's.
func TestWhatBelongsToAnotherReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, a := newLookBench([]lookAnswer{shown}, maybe, maybe, maybe, done, maybe)
		for _, step := range []struct {
			key    string
			answer lookAnswer
			wait   time.Duration // before the command
			takes  time.Duration // before the item's time
			saw    string
		}{
			{"one", shown, 0, time.Millisecond, "seen log-1"},
			{"two", shown, time.Second, time.Millisecond, "unseen PROCESSING"},
			{"three", lookAnswer{logIDs: []string{"log-1", "log-2"}}, time.Second, time.Millisecond, "seen log-2"},
			{"four", shown, time.Second, time.Millisecond, "none"}, // it succeeded
		} {
			time.Sleep(step.wait)
			a.answers, a.takes = []lookAnswer{step.answer}, step.takes
			if got := b.pipeline.Do(t.Context(), reply(`,"idempotency_key":"`+step.key+`"`)); saw(got) != step.saw {
				t.Errorf("%s: %s", step.key, saw(got))
			}
		}
	})
	for after, want := range map[time.Duration]string{-time.Second: "unseen PROCESSING", 0: "unseen PROCESSING",
		clocksApart: "unseen PROCESSING", clocksApart + time.Millisecond: "seen log-1"} {
		synctest.Test(t, func(t *testing.T) {
			b, a := newLookBench([]lookAnswer{{[]string{"log-1"}, time.Now().Add(after), nil}}, done, maybe)
			b.pipeline.Do(t.Context(), reply(`,"idempotency_key":"one"`))
			a.takes = time.Millisecond
			if got := b.pipeline.Do(t.Context(), reply(`,"idempotency_key":"two"`)); saw(got) != want {
				t.Errorf("an item of %v after another reply was settled: %s", after, saw(got))
			}
		})
	}
}

func TestAReplyByQueueIsLookedForUntilItsWindowEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newLookBench([]lookAnswer{unseen}, maybe)
		b.pipeline.Window = 12 * time.Minute
		var waits []time.Duration
		got := b.pipeline.Do(t.Context(), reply(""))
		for got.LookAgain > 0 {
			waits = append(waits, got.LookAgain.Round(time.Second))
			time.Sleep(got.LookAgain)
			got = b.pipeline.Do(t.Context(), reply(""))
		}
		want := []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 4 * time.Minute, 28 * time.Second}
		if !slices.Equal(waits, want) || got.Outcome != wire.Unknown {
			t.Errorf("it comes again after %v, want %v; then %s", waits, want, got.Outcome)
		}
	})
	for _, test := range []struct {
		name   string
		answer lookAnswer
		window time.Duration
	}{{"what WeChat Pay does not show", withheld, 15 * time.Minute}, {"without a window", unseen, 0}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, _ := newLookBench([]lookAnswer{test.answer}, maybe)
				b.pipeline.Window = test.window
				if got := b.pipeline.Do(t.Context(), reply("")); got.LookAgain != 0 || got.Outcome != wire.Unknown {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

func TestAGatewayThatAsksToTryLater(t *testing.T) {
	busy := gateway.Report{Last: gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeUpstreamBusy, RetryAfter: time.Minute}, Attempts: 1, HTTPStatus: 400}
	event := func() wire.Request {
		r := reply("")
		r.Command.Origin.Event = true
		return r
	}
	synctest.Test(t, func(t *testing.T) {
		b, a := newLookBench([]lookAnswer{unseen}, busy)
		first := time.Now()
		for _, step := range []struct {
			wait    time.Duration
			request wire.Request
			outcome wire.Outcome
		}{
			{0, event(), wire.Retryable},
			{time.Hour - time.Second, event(), wire.Retryable},
			{time.Second, reply(""), wire.Retryable}, // nobody comes again by itself
			{0, event(), wire.Rejected},
		} {
			time.Sleep(step.wait)
			got := b.pipeline.Do(t.Context(), step.request)
			if got.Outcome != step.outcome || got.Code != wire.CodeUpstreamBusy || got.Evidence == nil {
				t.Errorf("%s %s %s", got.Outcome, got.Code, saw(got))
			}
			if at := a.claims[len(a.claims)-1]; !at.Equal(first.Truncate(time.Millisecond)) {
				t.Errorf("looked for what was claimed %v, not %v", at, first)
			}
		}
		a.answers = []lookAnswer{shown}
		if got := b.pipeline.Do(t.Context(), event()); got.Outcome != wire.Succeeded || got.Code != wire.CodeSeenInHistory {
			t.Errorf("%+v", got)
		}
		if got := b.pipeline.Do(t.Context(), event()); !got.Replayed {
			t.Errorf("%+v", got)
		}
	})
}

func TestALookIsLoggedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newLookBench([]lookAnswer{limited, shown}, maybe)
		b.pipeline.Do(t.Context(), reply(""))
		for _, want := range []string{`"msg":"look"`, `"error":"RATE_LIMITED"`, `"log_id":"log-1"`, `"Sighted":1,"LookFailed":1`} {
			if !strings.Contains(b.log.String(), want) {
				t.Errorf("no %s in %s", want, b.log)
			}
		}
	})
}
