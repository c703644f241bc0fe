package pipeline

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// paced takes a token for each sending, as internal/gateway does.
type paced struct {
	*acts
	mu *sync.Mutex // several send at once here
}

func (p paced) Send(ctx context.Context, call Call) (gateway.Report, error) {
	again, ok := call.Turn.Take(ctx)
	switch {
	case !ok:
		return gateway.Report{Last: gateway.Paced(again)}, nil
	case ctx.Err() != nil:
		return nothingSent, nil
	}
	call.Turn.Spend()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acts.Send(ctx, call)
}

// newPacedBench is a bench whose pace is 60 a minute, with a burst of six, in a store of all processes.
func newPacedBench(store pace.Store, reports ...gateway.Report) *bench {
	b := newBench(reports...)
	p := paced{b.acts, &sync.Mutex{}}
	b.keys.of = func(string) Merchant { return p }
	tokens := newPace(store)
	b.pipeline.Paces = map[wire.Action]*pace.Pace{wire.Reply: tokens, wire.Complete: tokens}
	b.pipeline.Log, b.pipeline.Metrics = slog.New(slog.DiscardHandler), telemetry.NewMetrics(io.Discard) // the bench's are one buffer
	return b
}

func newPace(store pace.Store) *pace.Pace {
	return pace.New(pace.Options{PerMinute: 60, Action: "reply", Store: store, Keep: 6 * time.Second, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
}

// tokens is how many tokens another process finds; it takes them.
func tokens(t *testing.T, store pace.Store) int {
	t.Helper()
	p := newPace(store)
	for n := range 100 {
		turn := p.Turn(t.Context(), "acme", false)
		if _, ok := turn.Take(t.Context()); !ok {
			return n
		}
		turn.Spend()
	}
	t.Fatal("there is no end")
	return 0
}

func asEvent(r wire.Request) wire.Request {
	r.Command.Origin.Event = true
	return r
}

// inTime is an invocation's context with so much time.
func inTime(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestATokenWhoseCommandSendsNothingIsGivenBack(t *testing.T) {
	unavailable := errors.New("down")
	for _, tt := range []struct {
		name    string
		prepare func(*testing.T, *bench) // makes the command one that sends nothing
		code    string
		used    int // tokens, in the preparation
	}{
		{"a replay", func(t *testing.T, b *bench) { b.pipeline.Do(t.Context(), reply("")) }, "0000", 1},
		{"one in progress", func(t *testing.T, b *bench) {
			r := reply("").Command
			if _, err := b.pipeline.Ledger.Claim(t.Context(), ledger.Request{Action: r.Action, Merchant: r.Merchant,
				ComplaintID: r.ComplaintID, Key: r.LedgerKey(), PayloadHash: r.PayloadHash()}); err != nil {
				t.Fatal(err)
			}
		}, wire.CodeInProgress, 0},
		{"one that may have been done", func(t *testing.T, b *bench) {
			b.acts.reports = []gateway.Report{maybe}
			b.pipeline.Do(t.Context(), reply(""))
		}, wire.CodeOutcomeUnknown, 1},
		{"an unknown merchant", func(_ *testing.T, b *bench) { b.keys.err = merchant.ErrUnknown }, wire.CodeUnknownMerchant, 0},
		{"a misconfigured one", func(_ *testing.T, b *bench) { b.acts.field = &merchant.FieldError{Field: "imageco.key"} }, wire.CodeMerchantMisconfigured, 0},
		{"what the secret tells", func(_ *testing.T, b *bench) { b.acts.problems = []wire.Problem{{Detail: "is not GBK"}} }, wire.CodeInvalidRequest, 0},
		{"a ledger that is down", func(_ *testing.T, b *bench) { b.store.putErr = func(int) error { return unavailable } }, wire.CodeLedgerUnavailable, 0},
		{"a bug", func(_ *testing.T, b *bench) { b.keys.bug = true }, wire.CodeInternal, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := pace.NewMemory()
				b := newPacedBench(store, done)
				tt.prepare(t, b)
				sent := len(b.acts.sent)
				for range 20 {
					if got := b.pipeline.Do(t.Context(), reply("")); got.Code != tt.code {
						t.Fatalf("%s %s", got.Outcome, got.Code)
					}
				}
				if n := tokens(t, store); n != 6-tt.used || len(b.acts.sent) != sent {
					t.Errorf("%d tokens are left, want %d; sent %d times", n, 6-tt.used, len(b.acts.sent))
				}
			})
		})
	}
}

func TestThePaceIsToldAfterTheLedgerAndTheSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pace.NewMemory()
		b := newPacedBench(store, done)
		b.pipeline.Do(t.Context(), reply(""))
		tokens(t, store)
		if got := b.pipeline.Do(t.Context(), reply("")); !got.Replayed {
			t.Errorf("a replay without a token: %s %s", got.Outcome, got.Code)
		}
		other := reply(`,"idempotency_key":"other"`)
		got := b.pipeline.Do(inTime(t, 400*time.Millisecond), other)
		if got.Outcome != wire.Retryable || got.Code != wire.CodeRateLimited || got.RetryAfter != time.Second || got.Attempts != 0 {
			t.Errorf("before the deadline: %s %s, again in %s", got.Outcome, got.Code, got.RetryAfter)
		}
		b.keys.err = merchant.ErrUnknown
		if got := b.pipeline.Do(t.Context(), other); got.Code != wire.CodeUnknownMerchant {
			t.Errorf("an unknown merchant without a token: %s", got.Code)
		}
		b.keys.err = nil
		time.Sleep(time.Second)
		if got := b.pipeline.Do(t.Context(), other); got.Outcome != wire.Succeeded {
			t.Errorf("when there is a token, the claim must be free: %s %s", got.Outcome, got.Code)
		}
	})
}

func TestAnEventWithoutATokenInTimeClaimsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pace.NewMemory()
		b := newPacedBench(store, done)
		for i := range 30 { // 6 now, 20 in time, and then one that learns that there is none
			go b.pipeline.Do(inTime(t, 28*time.Second), asEvent(reply(`,"idempotency_key":"`+string(rune('a'+i))+`"`)))
			synctest.Wait()
		}
		synctest.Wait()
		puts, event := b.store.written(), asEvent(reply(`,"idempotency_key":"new"`))
		got := b.pipeline.Do(inTime(t, 28*time.Second), event)
		if got.Outcome != wire.Retryable || got.Code != wire.CodeRateLimited || got.RetryAfter < 21*time.Second || b.store.written() != puts+1 {
			t.Errorf("%s %s, again in %s, the ledger was asked %d times", got.Outcome, got.Code, got.RetryAfter, b.store.written()-puts)
		}
		if known, err := b.pipeline.Ledger.Peek(t.Context(), requestOf(event)); err != nil || known.InProgress || known.Unknown {
			t.Errorf("it was claimed: %+v, %v", known, err)
		}
		for _, tt := range []struct {
			code    string
			prepare func()
		}{
			{wire.CodeUnknownMerchant, func() { b.keys.err = merchant.ErrUnknown }},
			{wire.CodeMerchantMisconfigured, func() { b.keys.err, b.acts.field = nil, &merchant.FieldError{Field: "imageco.key"} }},
		} {
			tt.prepare()
			if got := b.pipeline.Do(inTime(t, 28*time.Second), asEvent(reply(""))); got.Code != tt.code || got.Outcome != wire.Rejected {
				t.Errorf("what the secret settles: %s %s, want %s", got.Outcome, got.Code, tt.code)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(b.acts.sent) != 26 {
			t.Errorf("%d were sent, want the 26 that had a token in time", len(b.acts.sent))
		}
	})
}

// requestOf is what the ledger is asked for about a command.
func requestOf(r wire.Request) ledger.Request {
	c := r.Command
	return ledger.Request{Action: c.Action, Merchant: c.Merchant, ComplaintID: c.ComplaintID, Key: c.LedgerKey(), PayloadHash: c.PayloadHash()}
}

// An event that was carried out needs no token, so the pace must not keep it from being settled.
func TestAnEventWithoutATokenInTimeIsToldWhatTheLedgerKnows(t *testing.T) {
	const key = `,"idempotency_key":"k"`
	carriedOut := func(report gateway.Report) func(*testing.T, *bench) {
		return func(t *testing.T, b *bench) {
			b.acts.reports = []gateway.Report{report}
			b.pipeline.Do(t.Context(), reply(key))
		}
	}
	for _, tt := range []struct {
		name    string
		prepare func(*testing.T, *bench)
		members string
		code    string
		outcome wire.Outcome
	}{
		{"a success", carriedOut(done), key, "0000", wire.Succeeded},
		{"one that may have been done", carriedOut(maybe), key, wire.CodeOutcomeUnknown, wire.Unknown},
		{"another payload under the key", carriedOut(done), key + `,"seller_account":"other"`, wire.CodeIdempotencyMismatch, wire.Rejected},
		{"one in progress", func(t *testing.T, b *bench) {
			if _, err := b.pipeline.Ledger.Claim(t.Context(), requestOf(reply(key))); err != nil {
				t.Fatal(err)
			}
		}, key, wire.CodeInProgress, wire.Retryable},
		{"a ledger that is down", func(_ *testing.T, b *bench) {
			b.store.putErr = func(int) error { return errors.New("down") }
		}, key, wire.CodeLedgerUnavailable, wire.Retryable},
		{"nothing", func(*testing.T, *bench) {}, key, wire.CodeRateLimited, wire.Retryable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := pace.NewMemory()
				b := newPacedBench(store)
				tt.prepare(t, b)
				for range 30 { // more than there are in time
					b.pipeline.Paces[wire.Reply].Turn(t.Context(), "acme", true).Ask(t.Context())
					synctest.Wait()
				}
				sent := len(b.acts.sent)
				if _, full := b.pipeline.Paces[wire.Reply].Turn(t.Context(), "acme", true).Full(); !full {
					t.Fatal("there is a token in time")
				}
				got := b.pipeline.Do(inTime(t, 28*time.Second), asEvent(reply(tt.members)))
				if got.Outcome != tt.outcome || got.Code != tt.code || len(b.acts.sent) != sent {
					t.Errorf("%s %s, sent %d times", got.Outcome, got.Code, len(b.acts.sent)-sent)
				}
			})
		})
	}
}

func TestWhileAnEventWaitsItsClaimIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pace.NewMemory()
		b := newPacedBench(store, done)
		for range 25 { // so that the next one is twenty seconds ahead
			turn := b.pipeline.Paces[wire.Reply].Turn(t.Context(), "acme", true)
			turn.Ask(t.Context())
			synctest.Wait()
		}
		began := time.Now()
		b.acts.during = func() {
			if waited := time.Since(began); waited != 20*time.Second {
				t.Errorf("it was sent after %s", waited)
			}
		}
		var first wire.Result
		go func() { first = b.pipeline.Do(inTime(t, 28*time.Second), asEvent(reply(""))) }()
		time.Sleep(19 * time.Second)
		if got := b.pipeline.Do(t.Context(), reply("")); got.Code != wire.CodeInProgress || got.RetryAfter != 9*time.Second {
			t.Errorf("meanwhile: %s, again in %s", got.Code, got.RetryAfter)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if first.Outcome != wire.Succeeded || len(b.acts.sent) != 1 {
			t.Errorf("%s %s, sent %d times", first.Outcome, first.Code, len(b.acts.sent))
		}
	})
}

func TestAnEventThatIsEndedWhileItWaitsLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pace.NewMemory()
		b := newPacedBench(store, done)
		tokens(t, store)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(500*time.Millisecond, cancel)
		if got := b.pipeline.Do(ctx, asEvent(reply(""))); got.Outcome != wire.Retryable || len(b.acts.sent) != 0 {
			t.Errorf("%s %s, sent %d times", got.Outcome, got.Code, len(b.acts.sent))
		}
		time.Sleep(500 * time.Millisecond)
		if got := b.pipeline.Do(t.Context(), reply("")); got.Outcome != wire.Succeeded {
			t.Errorf("afterwards: %s %s", got.Outcome, got.Code)
		}
	})
}

// slowly is a store of the pace, of the ledger and of keys at once, and takes its time with each.
type slowly struct {
	pace.Store
	ledgers ledger.Store
	*keys
	takes time.Duration
}

func (s slowly) Take(ctx context.Context, line string, a pace.Ask) (time.Time, bool, error) {
	select {
	case <-time.After(s.takes):
		return s.Store.Take(ctx, line, a)
	case <-ctx.Done():
		return time.Time{}, false, ledger.Failure(ctx.Err())
	}
}

func (s slowly) Put(ctx context.Context, e ledger.Entry, c ledger.Condition) (*ledger.Entry, error) {
	time.Sleep(s.takes)
	return s.ledgers.Put(ctx, e, c)
}

func (s slowly) Delete(ctx context.Context, id, owner string) error {
	return s.ledgers.Delete(ctx, id, owner)
}

func (s slowly) Load(ctx context.Context, c *wire.Command) (merchant.Loaded[Merchant], error) {
	time.Sleep(s.takes)
	return s.keys.Load(ctx, c)
}

func TestTokenClaimAndSecretAreAskedBesideEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slowly{pace.NewMemory(), ledger.NewMemory(), &keys{}, time.Second}
		b := newPacedBench(s, done)
		s.keys.of = b.keys.of
		b.pipeline.Merchants = s
		b.pipeline.Ledger = ledger.New(s, time.Hour, time.Now, func() string { return "me" })
		began := time.Now()
		b.acts.during = func() {
			if took := time.Since(began); took != time.Second {
				t.Errorf("it was sent after %s, and each takes a second", took)
			}
		}
		if got := b.pipeline.Do(t.Context(), reply("")); got.Outcome != wire.Succeeded {
			t.Errorf("%s %s", got.Outcome, got.Code)
		}
	})
}

func TestACompletionWithoutAKeyGoesByTheProcessesOwnPaceWhenTheTableDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPacedBench(slowly{Store: pace.NewMemory(), takes: time.Hour}, done)
		began := time.Now()
		if got := b.pipeline.Do(t.Context(), completion("")); got.Outcome != wire.Succeeded || time.Since(began) != 300*time.Millisecond {
			t.Errorf("%s %s after %s", got.Outcome, got.Code, time.Since(began))
		}
	})
}
