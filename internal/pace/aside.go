package pace

import (
	"context"
	"time"
)

// asideKey is the key of the function that [WithAside] puts into a context.
type asideKey struct{}

// WithAside says what to do before a command waits for its token, and, with the function that this returns, afterwards:
// a record of a batch makes room for another one meanwhile.
func WithAside(ctx context.Context, aside func() (back func())) context.Context {
	return context.WithValue(ctx, asideKey{}, aside)
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	if aside, ok := ctx.Value(asideKey{}).(func() func()); ok {
		defer aside()()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
