package pipeline

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// acts is a merchant whose gateway plays its reports in order.
type acts struct {
	Merchant // what nobody asks here
	reports  []gateway.Report
	sent     []Call
	with     []string // the key of each
	problems []wire.Problem
	field    *merchant.FieldError
	err      error
	bug      bool
	during   func()
}

func (a *acts) Through(c *wire.Command) wire.Provider { return c.Action.Provider() }

func (a *acts) WechatPay() (*merchant.WechatPay, *merchant.FieldError) { return nil, nil }

func (a *acts) Check(*wire.Command, wire.Provider) ([]wire.Problem, *merchant.FieldError) {
	return a.problems, a.field
}

func (a *acts) Send(_ context.Context, call Call) (gateway.Report, error) {
	a.sent = append(a.sent, call)
	if a.during != nil {
		a.during()
	}
	if a.bug {
		panic("a bug of this test")
	}
	report := a.reports[0]
	if len(a.reports) > 1 {
		a.reports = a.reports[1:]
	}
	return report, a.err
}

// keyed is a merchant as a version of its secret made it, with that version's key.
type keyed struct {
	*acts
	key string
}

func (k keyed) WechatPay() (*merchant.WechatPay, *merchant.FieldError) {
	return &merchant.WechatPay{FirstKeyID: k.key}, nil
}

func (k keyed) Send(ctx context.Context, call Call) (gateway.Report, error) {
	k.with = append(k.with, k.key)
	return k.acts.Send(ctx, call)
}

// keys gives the same merchant under every name.
type keys struct {
	of         func(key string) Merchant
	err        error
	newer      string
	refreshErr error
	stale      bool
	bug        bool
}

func (k *keys) Load(context.Context, *wire.Command) (merchant.Loaded[Merchant], error) {
	if k.bug {
		panic("a bug of this test")
	}
	return merchant.Loaded[Merchant]{Value: k.of("old key"), Version: "1", Stale: k.stale}, k.err
}

func (k *keys) Refresh(_ context.Context, _, version string) (merchant.Loaded[Merchant], bool, error) {
	if k.newer == "" {
		return merchant.Loaded[Merchant]{Value: k.of("old key"), Version: "1"}, false, k.refreshErr
	}
	return merchant.Loaded[Merchant]{Value: k.of(k.newer), Version: "2"}, version != "2", nil
}

// store is the in-process ledger, which can be told to fail.
type store struct {
	ledger.Store
	putErr  func(n int) error
	noteErr error // of each note of a reply's words
	mu      sync.Mutex
	puts    int
}

// written is how many writes there were.
func (s *store) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts
}

func (s *store) Put(ctx context.Context, e ledger.Entry, c ledger.Condition) (*ledger.Entry, error) {
	s.mu.Lock()
	s.puts++
	n := s.puts
	s.mu.Unlock()
	if s.noteErr != nil && strings.Contains(e.ID, "#said#") {
		return nil, s.noteErr
	}
	if s.putErr != nil {
		if err := s.putErr(n); err != nil {
			return nil, err
		}
	}
	return s.Store.Put(ctx, e, c)
}

type bench struct {
	pipeline *Pipeline
	acts     *acts
	keys     *keys
	store    *store
	log      *bytes.Buffer
}

func newBench(reports ...gateway.Report) *bench {
	b := &bench{acts: &acts{reports: reports}, keys: &keys{}, store: &store{Store: ledger.NewMemory()}, log: &bytes.Buffer{}}
	b.keys.of = func(key string) Merchant { return keyed{b.acts, key} }
	b.pipeline = &Pipeline{
		Merchants: b.keys,
		Ledger:    ledger.New(b.store, time.Hour, time.Now, rand.Text),
		Log:       slog.New(slog.NewJSONHandler(b.log, nil)),
		Metrics:   telemetry.NewMetrics(b.log),
		Now:       time.Now,
	}
	return b
}

func reply(members string) wire.Request {
	return wire.ReadDetail(wire.Reply, []byte(`{"merchant":"acme","complaint_id":"1","response_content":"hello"`+members+`}`))
}

func completion(members string) wire.Request {
	return wire.ReadDetail(wire.Complete, []byte(`{"merchant":"acme","complaint_id":"1"`+members+`}`))
}

func told(effect gateway.Effect, code string) gateway.Report {
	r := gateway.Report{Last: gateway.Verdict{Effect: effect, Code: code}, Attempts: 1, HTTPStatus: 200}
	if effect == gateway.MaybeDone {
		r.Maybe = &r.Last
	}
	return r
}

var (
	done        = told(gateway.Done, "0000")
	refused     = told(gateway.Refused, "3001")
	maybe       = told(gateway.MaybeDone, wire.CodeUpstreamTimeout)
	unreachable = told(gateway.NotDone, wire.CodeUpstreamUnreachable)
	keyRefused  = gateway.Report{Last: gateway.Verdict{Effect: gateway.Refused, Code: "6100", KeyRefused: true}, Attempts: 1, HTTPStatus: 200}
	nothingSent = gateway.Report{Last: gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeDeadline}}
)

func TestWhatCountsFirst(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(b *bench)
		outcome wire.Outcome
		code    string
	}{
		{"no secret", func(b *bench) { b.keys.err = merchant.ErrUnknown }, wire.Rejected, wire.CodeUnknownMerchant},
		{"no access to the secret", func(b *bench) { b.keys.err = fmt.Errorf("%w: AccessDeniedException", merchant.ErrUnavailable) }, wire.Retryable, wire.CodeSecretsUnavailable},
		{"a broken secret", func(b *bench) { b.keys.err = &merchant.FieldError{Field: "imageco.key", Problem: "is missing"} }, wire.Rejected, wire.CodeMerchantMisconfigured},
		{"the secret counts before the ledger", func(b *bench) {
			b.keys.err = merchant.ErrUnknown
			b.store.putErr = func(int) error { return errors.New("down") }
		}, wire.Rejected, wire.CodeUnknownMerchant},
		{"what the secret tells counts before the ledger", func(b *bench) {
			b.acts.problems = []wire.Problem{{Pointer: "/response_content", Detail: "is not GBK"}}
			b.store.putErr = func(int) error { return errors.New("down") }
		}, wire.Rejected, wire.CodeInvalidRequest},
		{"what the merchant's settings lack is the merchant's mistake", func(b *bench) {
			b.acts.field = &merchant.FieldError{Field: "imageco.seller_account", Problem: "is missing"}
		}, wire.Rejected, wire.CodeMerchantMisconfigured},
		{"a ledger that is down", func(b *bench) { b.store.putErr = func(int) error { return errors.New("down") } }, wire.Retryable, wire.CodeLedgerUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(done)
			tt.prepare(b)
			got := b.pipeline.Do(t.Context(), reply(""))
			if got.Outcome != tt.outcome || got.Code != tt.code || got.Attempts != 0 {
				t.Errorf("%s %s after %d attempts, want %s %s after none", got.Outcome, got.Code, got.Attempts, tt.outcome, tt.code)
			}
			if len(b.acts.sent) != 0 {
				t.Error("something was sent")
			}
			// Whatever was wrong is put right: the key must be free for the corrected command.
			b.keys.err, b.store.putErr, b.acts.problems, b.acts.field = nil, nil, nil, nil
			if got := b.pipeline.Do(t.Context(), reply("")); got.Outcome != wire.Succeeded {
				t.Errorf("after it was put right: %s %s", got.Outcome, got.Code)
			}
		})
	}
}

func TestTimeThatRanOutIsNobodysFault(t *testing.T) {
	b := newBench(done)
	b.keys.err = fmt.Errorf("%w: %w", merchant.ErrUnavailable, context.DeadlineExceeded)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if got := b.pipeline.Do(ctx, reply("")); got.Outcome != wire.Retryable || got.Code != wire.CodeDeadline || len(b.acts.sent) != 0 {
		t.Errorf("%s %s, sent %d times", got.Outcome, got.Code, len(b.acts.sent))
	}
}

func TestWhatIsCertainIsToldAlsoWhenLittleTimeIsLeft(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code string
	}{
		{merchant.ErrUnknown, wire.CodeUnknownMerchant},
		{&merchant.FieldError{Field: "imageco.key", Problem: "is missing"}, wire.CodeMerchantMisconfigured},
		{fmt.Errorf("%w: AccessDeniedException", merchant.ErrUnavailable), wire.CodeSecretsUnavailable},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(done)
			b.keys.err = tt.err
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			defer cancel()
			if got := b.pipeline.Do(ctx, reply("")); got.Code != tt.code {
				t.Errorf("%s, want %s", got.Code, tt.code)
			}
		})
	}
}

func TestARefusalThatCannotBeBelievedIsNotResentWithANewerKey(t *testing.T) {
	forged := told(gateway.MaybeDone, wire.CodeUpstreamUnverified)
	forged.Last.KeyRefused = true
	b := newBench(forged)
	b.keys.newer = "new key"
	if got := b.pipeline.Do(t.Context(), reply("")); got.Outcome != wire.Unknown || len(b.acts.sent) != 1 {
		t.Errorf("%s %s, sent %d times", got.Outcome, got.Code, len(b.acts.sent))
	}
	if !strings.Contains(b.log.String(), "the secret was read again") {
		t.Error("the key was not read again for the next command's sake")
	}
}

func TestTheSecondTime(t *testing.T) {
	tests := []struct {
		name    string
		first   gateway.Report
		second  wire.Request
		report  gateway.Report // of the second, if it is sent
		outcome wire.Outcome
		code    string
		sent    int
	}{
		{"a success is told again and not sent again", done, reply(""), done, wire.Succeeded, "0000", 1},
		{"a refusal is free to be sent again", refused, reply(""), done, wire.Succeeded, "0000", 2},
		{"what found nobody is free to be sent again", unreachable, reply(""), done, wire.Succeeded, "0000", 2},
		{"a reply that may have been shown is not sent again", maybe, reply(""), done, wire.Unknown, wire.CodeOutcomeUnknown, 1},
		{"unless the caller wants it", maybe, reply(`,"resend_unknown":true`), done, wire.Succeeded, "0000", 2},
		{"a resend that is refused leaves the first one unknown", maybe, reply(`,"resend_unknown":true`), refused, wire.Unknown, "3001", 2},
		{"a resend that found nobody leaves the first one unknown", maybe, reply(`,"resend_unknown":true`), unreachable, wire.Unknown, wire.CodeUpstreamUnreachable, 2},
		{"a resend for which no time was left can be tried again", maybe, reply(`,"resend_unknown":true`), nothingSent, wire.Retryable, wire.CodeDeadline, 2},
		{"other words under the same key are refused", done, reply(`,"idempotency_key":"k","jump_url":"https://a.example","jump_url_text":"look"`), done, wire.Rejected, wire.CodeIdempotencyMismatch, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(tt.first, tt.report)
			first := reply("")
			if tt.code == wire.CodeIdempotencyMismatch {
				first = reply(`,"idempotency_key":"k"`)
			}
			before := b.pipeline.Do(t.Context(), first)
			got := b.pipeline.Do(t.Context(), tt.second)
			if got.Outcome != tt.outcome || got.Code != tt.code || len(b.acts.sent) != tt.sent {
				t.Errorf("%s %s, sent %d times; want %s %s, %d times", got.Outcome, got.Code, len(b.acts.sent), tt.outcome, tt.code, tt.sent)
			}
			if got.TransactionID != before.TransactionID && tt.code != wire.CodeIdempotencyMismatch {
				t.Errorf("transaction %q, the first had %q", got.TransactionID, before.TransactionID)
			}
			if got.Final != (tt.code == "3001") {
				t.Errorf("final is %v", got.Final)
			}
			if tt.sent == 1 && got.Outcome == wire.Succeeded != got.Replayed {
				t.Errorf("replayed is %v", got.Replayed)
			}
			if tt.first.Maybe != nil && got.Outcome != wire.Succeeded {
				third := b.pipeline.Do(t.Context(), reply(""))
				if third.Code != wire.CodeOutcomeUnknown {
					t.Errorf("after that a plain reply gets %s, want %s: the first is still unknown", third.Code, wire.CodeOutcomeUnknown)
				}
			}
		})
	}
}

// An event that asks for a resend is delivered at least once; it is still one resend.
func TestAResendThatIsDeliveredAgainIsNotSentAgain(t *testing.T) {
	b := newBench(maybe)
	delivered := func(id string) wire.Request {
		r := reply(`,"resend_unknown":true`)
		r.Command.Delivery = id
		return r
	}
	for i, step := range []struct {
		id   string
		code string
		sent int
	}{
		{"first", wire.CodeUpstreamTimeout, 1},
		{"first", wire.CodeOutcomeUnknown, 1}, // also when nothing was stored the first time
		{"second", wire.CodeUpstreamTimeout, 2},
		{"second", wire.CodeOutcomeUnknown, 2},
		{"", wire.CodeUpstreamTimeout, 3}, // not an event: each request is meant
		{"", wire.CodeUpstreamTimeout, 4},
	} {
		if got := b.pipeline.Do(t.Context(), delivered(step.id)); got.Code != step.code || got.Outcome != wire.Unknown || len(b.acts.sent) != step.sent {
			t.Errorf("step %d: %s %s, sent %d times; want %s, %d times", i+1, got.Outcome, got.Code, len(b.acts.sent), step.code, step.sent)
		}
	}
	t.Run("but one that could not be tried is tried again", func(t *testing.T) {
		b := newBench(maybe, nothingSent, done)
		b.pipeline.Do(t.Context(), reply(""))
		if got := b.pipeline.Do(t.Context(), delivered("third")); got.Outcome != wire.Retryable {
			t.Errorf("%s %s", got.Outcome, got.Code)
		}
		if got := b.pipeline.Do(t.Context(), delivered("third")); got.Outcome != wire.Succeeded {
			t.Errorf("%s %s", got.Outcome, got.Code)
		}
	})
}

// A merchant's newer secret may lead to another gateway, which takes less. What the ledger knows as taken stands.
func TestWhatANewerSecretWouldRefuseSaysNothingOfWhatWasTaken(t *testing.T) {
	for _, test := range []struct {
		name    string
		effect  gateway.Effect
		outcome wire.Outcome
		code    string
	}{
		{"it was done", gateway.Done, wire.Succeeded, "0000"},
		{"it may have been done", gateway.MaybeDone, wire.Unknown, wire.CodeOutcomeUnknown},
		{"it was refused, and is judged anew", gateway.Refused, wire.Rejected, wire.CodeInvalidRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(told(test.effect, "0000"))
			b.pipeline.Do(t.Context(), reply(""))
			b.acts.problems = []wire.Problem{{Pointer: "/response_content", Detail: "is too long"}}
			if got := b.pipeline.Do(t.Context(), reply("")); got.Outcome != test.outcome || got.Code != test.code {
				t.Errorf("%s %s, want %s %s", got.Outcome, got.Code, test.outcome, test.code)
			}
			if len(b.acts.sent) != 1 {
				t.Errorf("it was sent %d times", len(b.acts.sent))
			}
		})
	}
}

func TestTheStoredTransactionWinsOnAResend(t *testing.T) {
	b := newBench(maybe, done)
	b.pipeline.Do(t.Context(), reply(`,"transaction_id":"first00000001"`))
	got := b.pipeline.Do(t.Context(), reply(`,"transaction_id":"second0000001","resend_unknown":true`))
	if got.TransactionID != "first00000001" || b.acts.sent[1].TransactionID != "first00000001" {
		t.Errorf("sent %q, told %q", b.acts.sent[1].TransactionID, got.TransactionID)
	}
}

func TestTwoAtOnceAreOne(t *testing.T) {
	b := newBench(done)
	var second wire.Result
	b.acts.during = func() {
		b.acts.during = nil
		second = b.pipeline.Do(t.Context(), reply(""))
	}
	first := b.pipeline.Do(t.Context(), reply(""))
	if first.Outcome != wire.Succeeded || second.Code != wire.CodeInProgress || second.RetryAfter <= 0 || len(b.acts.sent) != 1 {
		t.Errorf("first %s, second %s with Retry-After %s, sent %d times", first.Outcome, second.Code, second.RetryAfter, len(b.acts.sent))
	}
}

func TestACompletionWithoutAKeyDoesNotGoThroughTheLedger(t *testing.T) {
	b := newBench(done)
	b.store.putErr = func(int) error { return errors.New("down") }
	for range 2 {
		if got := b.pipeline.Do(t.Context(), completion("")); got.Outcome != wire.Succeeded || got.TransactionID != "" {
			t.Errorf("%s %s, transaction %q", got.Outcome, got.Code, got.TransactionID)
		}
	}
	if b.store.puts != 0 || len(b.acts.sent) != 2 {
		t.Errorf("%d writes, sent %d times", b.store.puts, len(b.acts.sent))
	}
}

func TestACompletionThatMayBeDoneGoesAhead(t *testing.T) {
	b := newBench(maybe, done)
	b.pipeline.Do(t.Context(), completion(`,"idempotency_key":"k"`))
	if got := b.pipeline.Do(t.Context(), completion(`,"idempotency_key":"k"`)); got.Outcome != wire.Succeeded || len(b.acts.sent) != 2 {
		t.Errorf("%s %s, sent %d times", got.Outcome, got.Code, len(b.acts.sent))
	}
}

func TestASettlementThatFailsChangesNothingAndIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(done)
		b.store.putErr = func(n int) error {
			if n == 2 {
				return errors.New("down")
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if got := b.pipeline.Do(ctx, reply("")); got.Outcome != wire.Succeeded {
			t.Fatalf("%s %s", got.Outcome, got.Code)
		}
		if got := b.pipeline.Do(ctx, reply("")); got.Code != wire.CodeInProgress {
			t.Errorf("while the lease lasts: %s", got.Code)
		}
		time.Sleep(11 * time.Second)
		if got := b.pipeline.Do(t.Context(), reply("")); got.Code != wire.CodeOutcomeUnknown || len(b.acts.sent) != 1 {
			t.Errorf("after the lease: %s, sent %d times", got.Code, len(b.acts.sent))
		}
	})
}

// An action that meets an answer of an unknown key asks for a newer secret while it sends.
func TestAnActionMayAskForANewerSecret(t *testing.T) {
	for _, tt := range []struct {
		name    string
		keys    keys
		newer   string
		changed bool
		log     string
	}{
		{"that is there", keys{newer: "new key"}, "new key", true, "WeChat Pay goes by another key, and the secret was read again"},
		{"that is not there", keys{}, "", false, "WeChat Pay goes by another key, and the secret was read again"},
		{"that cannot be read", keys{refreshErr: merchant.ErrUnavailable}, "", false, "WeChat Pay goes by another key, and the secret could not be read again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(done)
			tt.keys.of = b.keys.of
			b.pipeline.Merchants = &tt.keys
			var got string
			var changed bool
			b.acts.during = func() {
				var half *merchant.WechatPay
				if half, changed = b.acts.sent[0].Newer(t.Context()); half != nil {
					got = half.FirstKeyID
				}
			}
			if result := b.pipeline.Do(t.Context(), reply("")); result.Outcome != wire.Succeeded {
				t.Errorf("%s %s", result.Outcome, result.Code)
			}
			if got != tt.newer || changed != tt.changed || !strings.Contains(b.log.String(), tt.log) {
				t.Errorf("%q, %v; log %s", got, changed, b.log)
			}
		})
	}
}

// Once a newer secret is used, a refusal of its signature is no reason to use it once more.
func TestANewerSecretThatIsUsedAlreadyIsNotNew(t *testing.T) {
	b := newBench(keyRefused, done)
	b.keys.newer = "new key"
	b.acts.during = func() { b.acts.sent[0].Newer(t.Context()) }
	if got := b.pipeline.Do(t.Context(), reply("")); got.Code != "6100" || len(b.acts.sent) != 1 {
		t.Errorf("%s %s, sent %d times", got.Outcome, got.Code, len(b.acts.sent))
	}
}

func TestARefusedSignatureIsTriedOnceMoreWithANewerKey(t *testing.T) {
	tests := []struct {
		name    string
		keys    keys
		reports []gateway.Report
		outcome wire.Outcome
		code    string
		sent    string
	}{
		{"a newer key works", keys{newer: "new key"}, []gateway.Report{keyRefused, done}, wire.Succeeded, "0000", "old key, new key once"},
		{"a newer key is refused too, and that is the end", keys{newer: "new key"}, []gateway.Report{keyRefused, keyRefused}, wire.Rejected, "6100", "old key, new key once"},
		{"a newer key meets a lost answer", keys{newer: "new key"}, []gateway.Report{keyRefused, maybe}, wire.Unknown, wire.CodeUpstreamTimeout, "old key, new key once"},
		{"there is no newer key", keys{}, []gateway.Report{keyRefused}, wire.Rejected, "6100", "old key"},
		{"the secret cannot be read again", keys{refreshErr: merchant.ErrUnavailable}, []gateway.Report{keyRefused}, wire.Rejected, "6100", "old key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(tt.reports...)
			tt.keys.of = b.keys.of
			b.pipeline.Merchants = &tt.keys
			got := b.pipeline.Do(t.Context(), reply(""))
			var sent []string
			for i, call := range b.acts.sent {
				text := b.acts.with[i]
				if call.Attempts == 1 {
					text += " once"
				}
				sent = append(sent, text)
			}
			if got.Outcome != tt.outcome || got.Code != tt.code || strings.Join(sent, ", ") != tt.sent || got.Attempts != len(sent) {
				t.Errorf("%s %s after %d attempts, sent with %q; want %s %s with %q", got.Outcome, got.Code, got.Attempts, sent, tt.outcome, tt.code, tt.sent)
			}
		})
	}
}

func TestABugIsAnAnswer(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*bench)
		outcome wire.Outcome
		next    string // what the same reply gets next
	}{
		{"before anything was sent it can be tried again", func(b *bench) { b.keys.bug = true }, wire.Retryable, "0000"},
		{"a request that could not be made was not sent", func(b *bench) {
			b.acts.err = gateway.ErrPrepare
			b.acts.reports = []gateway.Report{{}}
		}, wire.Retryable, "0000"},
		{"once something may have been sent it is unknown", func(b *bench) { b.acts.bug = true }, wire.Unknown, wire.CodeOutcomeUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(done)
			tt.prepare(b)
			got := b.pipeline.Do(t.Context(), reply(""))
			if got.Code != wire.CodeInternal || got.Outcome != tt.outcome || got.Status() != 500 {
				t.Errorf("%s %s %d", got.Outcome, got.Code, got.Status())
			}
			if !strings.Contains(b.log.String(), `"stack":`) {
				t.Error("no stack in the log")
			}
			if strings.Contains(got.Message, "a bug of this test") {
				t.Error("the bug's text is in the answer")
			}
			b.acts.bug, b.keys.bug, b.acts.err, b.acts.reports = false, false, nil, []gateway.Report{done}
			if got := b.pipeline.Do(t.Context(), reply("")); got.Code != tt.next {
				t.Errorf("the next one gets %s, want %s", got.Code, tt.next)
			}
		})
	}
}

// A result names the event that asked now, also when it is told from the ledger, which keeps none.
func TestTheResultNamesTheEventThatAsked(t *testing.T) {
	b := newBench(done, done)
	ask := func(event, message, members string) wire.Result {
		r := reply(members)
		r.Command.Origin = wire.Origin{Event: true, EventID: event, MessageID: message}
		return b.pipeline.Do(t.Context(), r)
	}
	for _, tt := range []struct {
		event, message, members string
		replayed                bool
	}{
		{"e-1", "m-1", "", false},
		{"e-2", "", "", true},
		{"", "", "", true},
		{"e-3", "m-3", `,"surprise":1`, false},
	} {
		got := ask(tt.event, tt.message, tt.members)
		if got.EventID != tt.event || got.MessageID != tt.message || got.Replayed != tt.replayed {
			t.Errorf("%+v, want %+v", got, tt)
		}
	}
}

// A request of 64 KiB of members that nobody knows is answered in full and logged in short.
func TestWhatIsWrongWithAHostileRequestIsLoggedInShort(t *testing.T) {
	b := newBench()
	var members strings.Builder
	for i := range 900 {
		fmt.Fprintf(&members, `,"%s%d":1`, strings.Repeat(`\u0001`, 9), i)
	}
	result := b.pipeline.Do(t.Context(), reply(members.String()))
	if len(result.Errors) != 100 {
		t.Errorf("%d problems are answered", len(result.Errors))
	}
	for line := range strings.Lines(b.log.String()) {
		if len(line) > 4<<10 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

func TestOneSettledLineAndOneMetricsLineForEachCommand(t *testing.T) {
	b := newBench(gateway.Report{Last: gateway.Verdict{Effect: gateway.Done, Code: "0000", Message: "回复成功", Verified: true},
		Attempts: 2, HTTPStatus: 200, Failovers: 1, Forged: 1, Upstream: 20 * time.Millisecond})
	b.keys.stale = true
	result := b.pipeline.Do(t.Context(), reply(""))
	b.pipeline.Do(t.Context(), reply(""))
	b.pipeline.Do(t.Context(), reply(`,"surprise":1`))

	var settled, metrics []map[string]any
	for line := range strings.Lines(b.log.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("not JSON: %s", line)
		}
		switch {
		case m["msg"] == "settled":
			settled = append(settled, m)
		case m["_aws"] != nil:
			metrics = append(metrics, m)
		}
	}
	if len(settled) != 3 || len(metrics) != 3 {
		t.Fatalf("%d settled lines and %d metrics lines for 3 commands", len(settled), len(metrics))
	}
	members := map[string]any{}
	text, _ := json.Marshal(result)
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for name, want := range members {
		if got := settled[0][name]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the settled line's %s is %v, the result's %v", name, got, want)
		}
	}
	if settled[0]["cold_start"] != true || settled[1]["cold_start"] != false || settled[0]["upstream_ms"] != 20.0 || settled[1]["replayed"] != true {
		t.Errorf("%v\n%v", settled[0], settled[1])
	}
	if settled[2]["errors"] == nil {
		t.Errorf("the refused request's line does not say what was wrong: %v", settled[2])
	}
	for name, want := range map[string]float64{"Settled": 1, "Attempts": 2, "UpstreamMs": 20, "Unverified": 1, "StaleSecret": 1, "Failover": 1, "Replayed": 0,
		"Retryable": 0, "Unknown": 0, "Misconfigured": 0} {
		if metrics[0][name] != want {
			t.Errorf("%s is %v, want %v", name, metrics[0][name], want)
		}
	}
	if metrics[1]["Replayed"] != 1.0 || metrics[2]["outcome"] != "rejected" {
		t.Errorf("%v\n%v", metrics[1], metrics[2])
	}
}

func TestWhatIsAboutOurSetUpIsCountedApartFromWhatIsAboutTheRequest(t *testing.T) {
	tests := []struct {
		name   string
		report gateway.Report
		err    error
		want   float64
	}{
		{"the gateway refuses our signature", told(gateway.Refused, "6100"), nil, 1},
		{"the secret is not usable", done, &merchant.FieldError{Field: "imageco.key", Problem: "is missing"}, 1},
		{"the gateway refuses the request", refused, nil, 0},
		{"the gateway cannot be reached", unreachable, nil, 0},
		{"it is done", done, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(tt.report)
			b.keys.err = tt.err
			b.pipeline.Do(t.Context(), reply(""))
			var line struct{ Misconfigured float64 }
			_, metrics, _ := strings.Cut(b.log.String(), `{"_aws"`)
			if err := json.Unmarshal([]byte(`{"_aws"`+metrics), &line); err != nil {
				t.Fatalf("%v in %q", err, b.log)
			}
			if line.Misconfigured != tt.want {
				t.Errorf("Misconfigured is %v", line.Misconfigured)
			}
		})
	}
}
