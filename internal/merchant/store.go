package merchant

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"golang.org/x/sync/singleflight"
)

const (
	// readTimeout bounds one reading of a secret, whoever waits for it.
	readTimeout = 5 * time.Second
	// patience is how long a caller waits for a reading when a kept secret could serve it: Secrets Manager answers within
	// milliseconds, or hangs.
	patience = time.Second
	// unknownFor is how long it is remembered that a secret does not exist.
	unknownFor = 30 * time.Second
	// refreshEvery is the least time between two forced readings of one secret.
	refreshEvery = 30 * time.Second
)

// SecretReader is the part of the Secrets Manager client that a [Store] uses.
type SecretReader interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Options is what a [Store] is made of; all but Now and OnStale must be given.
type Options[T any] struct {
	Client SecretReader
	Prefix string                         // stands before a merchant's name in its secret's id
	Parse  func(secret string) (T, error) // pure; its errors are returned as they are and not kept

	// SoftTTL is how long a secret serves without being read again, HardTTL how long it serves at most when it cannot be
	// read; both from the beginning of the reading that brought it.
	SoftTTL, HardTTL time.Duration

	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// OnStale is told of every load that an outdated secret serves, and why it could not be read.
	OnStale func(ctx context.Context, merchant string, cause error)
}

// Loaded is one half of a merchant's secret and the version of the secret that it came from.
type Loaded[T any] struct {
	Value   T
	Version string // Secrets Manager's VersionId
	Stale   bool   // it is outdated and could not be read again
}

// Store keeps one half of each merchant's secret (contract, section 7). It does nothing by itself: whatever is due is
// done while a caller waits. All methods may be called at the same time. A merchant that exists stays in memory, so the
// number of secrets bounds it; names that do not exist are remembered up to a fixed number.
type Store[T any] struct {
	options          Options[T]
	loads, refreshes singleflight.Group

	mu        sync.Mutex
	turns     uint64 // readings begun, to tell an older one from a newer one when they end the other way round
	known     map[string]kept[T]
	unknown   deadlines
	refreshed deadlines
}

// kept is what a reading brought.
type kept[T any] struct {
	loaded Loaded[T]
	readAt time.Time
	turn   uint64
}

// NewStore makes an empty store.
func NewStore[T any](o Options[T]) *Store[T] {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnStale == nil {
		o.OnStale = func(context.Context, string, error) {}
	}
	return &Store[T]{options: o, known: map[string]kept[T]{}, unknown: deadlines{}, refreshed: deadlines{}}
}

// Load returns a merchant's half. Within SoftTTL it is the kept one; then the secret is read, once for all who wait for
// it, and if that fails, or takes longer than a second, the kept one serves until HardTTL. A caller whose context ends leaves with [ErrUnavailable],
// which then wraps the context's error, and the reading goes on for the others.
//
// The errors are [ErrUnknown], which is remembered for 30 s, [ErrUnavailable], and the [*FieldError] of a malformed
// secret, each of which is asked anew by the next call.
func (s *Store[T]) Load(ctx context.Context, name string) (Loaded[T], error) {
	if loaded, ok, err := s.fresh(name); ok {
		return loaded, err
	}
	waiting, cancel := s.patient(ctx, name)
	defer cancel()
	loaded, err := s.share(waiting, &s.loads, name, func(ctx context.Context) (Loaded[T], error) {
		// Another reading may have ended between the look above and this one's beginning.
		if loaded, ok, err := s.fresh(name); ok {
			return loaded, err
		}
		return s.read(ctx, name)
	})
	if !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
		return loaded, err
	}
	if newer, ok, err := s.fresh(name); ok { // another reading brought it meanwhile
		return newer, err
	}
	if stale, ok := s.usable(name); ok {
		s.options.OnStale(ctx, name, err)
		stale.Stale = true
		return stale, nil
	}
	return loaded, err
}

// patient bounds how long a caller waits that a kept secret could serve.
func (s *Store[T]) patient(ctx context.Context, name string) (context.Context, context.CancelFunc) {
	if _, ok := s.usable(name); !ok {
		return ctx, func() {}
	}
	bound := patience
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, time.Until(deadline)/2)
	}
	return context.WithTimeout(ctx, bound)
}

// Refresh reads a merchant's secret although the kept one is fresh, because a gateway refused what was signed with
// version. That happens at most every 30 s for a merchant; in between it returns the kept one. The answer is whether
// the version is another now, so that signing again is worth it.
//
// When reading fails it returns the kept one, if it may still serve, false, and the error as in [Store.Load].
func (s *Store[T]) Refresh(ctx context.Context, name, version string) (Loaded[T], bool, error) {
	loaded, err := s.share(ctx, &s.refreshes, name, func(ctx context.Context) (Loaded[T], error) {
		if s.isUnknown(name) {
			return Loaded[T]{}, ErrUnknown
		}
		if s.mayRefresh(name) {
			return s.read(ctx, name)
		}
		if loaded, ok := s.usable(name); ok {
			return loaded, nil
		}
		return Loaded[T]{}, fmt.Errorf("%w: it was tried less than %s ago", ErrUnavailable, refreshEvery)
	})
	if err != nil {
		usable, _ := s.usable(name)
		return usable, false, err
	}
	return loaded, loaded.Version != version, nil
}

// share runs load once for all who ask for the same name in the same group at the same time. It runs on without the
// caller that began it, and ends after readTimeout.
func (s *Store[T]) share(ctx context.Context, group *singleflight.Group, name string, load func(context.Context) (Loaded[T], error)) (Loaded[T], error) {
	if err := ctx.Err(); err != nil {
		return Loaded[T]{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	done := group.DoChan(name, func() (val any, err error) {
		// A panic here would end the process, where no caller could recover it.
		defer func() {
			if p := recover(); p != nil {
				err = &panicked{fmt.Sprintf("%v\n\n%s", p, debug.Stack())}
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		return load(ctx)
	})
	select {
	case <-ctx.Done():
		return Loaded[T]{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	case r := <-done:
		if p, ok := r.Err.(*panicked); ok {
			panic(p.text)
		}
		loaded, _ := r.Val.(Loaded[T])
		return loaded, r.Err
	}
}

// panicked carries a panic from the shared reading to those who wait for it.
type panicked struct{ text string }

func (p *panicked) Error() string { return p.text }

// read reads and parses one secret and keeps the result.
func (s *Store[T]) read(ctx context.Context, name string) (Loaded[T], error) {
	turn, at := s.begin(), s.now()
	out, err := s.options.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(s.options.Prefix + name),
	})
	if err != nil {
		err = readError(err)
		if err == ErrUnknown {
			s.forget(name, turn)
		}
		return Loaded[T]{}, err
	}
	if out == nil || out.SecretString == nil {
		return Loaded[T]{}, &FieldError{secretField, "is missing"}
	}
	value, err := s.options.Parse(*out.SecretString)
	if err != nil {
		return Loaded[T]{}, err
	}
	return s.keep(name, kept[T]{Loaded[T]{Value: value, Version: aws.ToString(out.VersionId)}, at, turn}), nil
}
