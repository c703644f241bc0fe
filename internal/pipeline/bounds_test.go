package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/wire"
)

// hangingKeys is a Secrets Manager that takes a call and says nothing.
type hangingKeys struct{ keys }

func (*hangingKeys) Load(ctx context.Context, _ *wire.Command) (merchant.Loaded[Merchant], error) {
	<-ctx.Done()
	return merchant.Loaded[Merchant]{}, &unavailable{ctx.Err()}
}

// unavailable is the store's error for a reading that did not end in time.
type unavailable struct{ cause error }

func (*unavailable) Error() string     { return "the merchant's secret could not be read" }
func (u *unavailable) Unwrap() []error { return []error{merchant.ErrUnavailable, u.cause} }

// hangingStore is a ledger whose writes from the n-th on hang.
type hangingStore struct {
	ledger.Store
	from, puts int
}

func (s *hangingStore) Put(ctx context.Context, e ledger.Entry, c ledger.Condition) (*ledger.Entry, error) {
	if s.puts++; s.puts >= s.from {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.Store.Put(ctx, e, c)
}

func (s *hangingStore) Delete(ctx context.Context, id, owner string) error {
	if s.puts >= s.from {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.Delete(ctx, id, owner)
}

// How long what hangs is waited for, and who is blamed. A second was enough to answer; with less the deadline is to blame.
func TestWhatHangsIsWaitedForAsLongAsTheInvocationAllows(t *testing.T) {
	const none = 0
	for _, tt := range []struct {
		name    string
		keys    bool // the secret hangs
		from    int  // the first write that hangs; 0: none
		left    time.Duration
		outcome wire.Outcome
		code    string
		after   time.Duration
	}{
		{"the secret, with much time", true, none, 10 * time.Second, wire.Retryable, wire.CodeSecretsUnavailable, 9500 * time.Millisecond},
		{"the secret, with a second and what is kept after it", true, none, 1500 * time.Millisecond, wire.Retryable, wire.CodeSecretsUnavailable, time.Second},
		{"the secret, with a little less", true, none, 1490 * time.Millisecond, wire.Retryable, wire.CodeDeadline, 990 * time.Millisecond},
		{"the secret, with so little that half of it is for asking", true, none, 600 * time.Millisecond, wire.Retryable, wire.CodeDeadline, 300 * time.Millisecond},
		{"the ledger, with much time, and the claim is taken back", false, 1, time.Minute, wire.Retryable, wire.CodeLedgerUnavailable, 4 * time.Second},
		{"the ledger, with little time", false, 1, 2 * time.Second, wire.Retryable, wire.CodeLedgerUnavailable, 1800 * time.Millisecond},
		{"the ledger, with less than a second", false, 1, time.Second, wire.Retryable, wire.CodeDeadline, 800 * time.Millisecond},
		{"the settling, with much time", false, 2, time.Minute, wire.Succeeded, "0000", 3 * time.Second},
		{"the settling, with little time", false, 2, 2 * time.Second, wire.Succeeded, "0000", 1800 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(done)
				if tt.keys {
					b.pipeline.Merchants = &hangingKeys{}
				}
				if tt.from > 0 {
					b.pipeline.Ledger = ledger.New(&hangingStore{Store: ledger.NewMemory(), from: tt.from}, time.Hour, time.Now, func() string { return "owner" })
				}
				ctx, cancel := context.WithTimeout(t.Context(), tt.left)
				defer cancel()
				started := time.Now()
				got := b.pipeline.Do(ctx, reply(""))
				if took := time.Since(started); got.Outcome != tt.outcome || got.Code != tt.code || took != tt.after {
					t.Errorf("%s %s after %s, want %s %s after %s", got.Outcome, got.Code, took, tt.outcome, tt.code, tt.after)
				}
			})
		})
	}
}
