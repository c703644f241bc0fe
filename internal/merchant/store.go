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

	"github.com/kesu-go/kesu/internal/budget"
)

const (
	// unknownFor is how long it is remembered that a secret does not exist.
	unknownFor = 30 * time.Second
	// refreshEvery is the least time between two forced readings of one secret.
	refreshEvery = 30 * time.Second
)

// SecretReader is the part of the Secrets Manager client that a [Store] uses.
type SecretReader interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput,
		opts ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Options is what a [Store] is made of; all but Now, OnRead and OnStale must be given.
type Options[T any] struct {
	Client SecretReader
	Prefix string                         // stands before a merchant's name in its secret's id
	Parse  func(secret string) (T, error) // pure; its errors are returned as they are and not kept

	// SoftTTL is how long a secret serves without being read again, HardTTL how long it serves at most when it cannot
	// be read; both from the beginning of the reading that brought it.
	SoftTTL, HardTTL time.Duration

	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// OnRead is told of every secret that was read and could be parsed, before anybody who waits for it has it.
	OnRead func(merchant string, read Loaded[T])
	// OnStale is told of every load that an outdated secret serves, and why it could not be read.
	OnStale func(ctx context.Context, merchant string, cause error)
}

// Loaded is what was made of a merchant's secret and the version of the secret that it came from.
type Loaded[T any] struct {
	Value   T
	Version string // Secrets Manager's VersionId
	Stale   bool   // it is outdated and could not be read again

	readAt time.Time // when the reading that brought it began
	turn   uint64    // the reading's number
}

// ReadAt is when the secret was read.
func (l Loaded[T]) ReadAt() time.Time { return l.readAt }

// Cache keeps what was made of merchants' secrets: a [Store] or a [Packed].
type Cache[T any] interface {
	Load(ctx context.Context, name string) (Loaded[T], error)
	Refresh(ctx context.Context, name, version string) (Loaded[T], bool, error)
	Kept(name string) (value T, ok bool)
}

// New makes an empty cache over a number of packs or, when there are none, over a secret for each merchant.
func New[T any](packs int, o Options[T]) Cache[T] {
	if packs > 0 {
		return NewPacked(packs, o)
	}
	return NewStore(o)
}

// Store keeps what was made of each merchant's secret (contract, section 7). It does nothing by itself: whatever is due
// is done while a caller waits. All methods may be called at the same time. A merchant that exists stays in memory, so
// the number of secrets bounds it; names that do not exist are remembered up to a fixed number.
type Store[T any] struct {
	options          Options[T]
	loads, refreshes singleflight.Group

	mu        sync.Mutex
	turns     uint64 // readings begun, to tell an older one from a newer one when they end the other way round
	known     map[string]Loaded[T]
	unknown   deadlines
	refreshed deadlines
}

// NewStore makes an empty store.
func NewStore[T any](o Options[T]) *Store[T] {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnStale == nil {
		o.OnStale = func(context.Context, string, error) {}
	}
	if o.OnRead == nil {
		o.OnRead = func(string, Loaded[T]) {}
	}
	return &Store[T]{options: o, known: map[string]Loaded[T]{}, unknown: deadlines{}, refreshed: deadlines{}}
}

// Load returns a merchant. Within SoftTTL it is the kept one; then the secret is read, once for all who wait for
// it, and if that fails, or takes longer than a second, the kept one serves until HardTTL. A caller whose context ends
// leaves with [ErrUnavailable], which then wraps the context's error, and the reading goes on for the others.
//
// The errors are [ErrUnknown], which is remembered for 30 s, [ErrUnavailable], and the [*FieldError] of a malformed
// secret, each of which is asked anew by the next call.
func (s *Store[T]) Load(ctx context.Context, name string) (Loaded[T], error) {
	loaded, cause, err := s.load(ctx, name)
	if cause != nil {
		s.options.OnStale(ctx, name, cause)
	}
	return loaded, err
}

// load is Load, which besides says why an outdated secret serves; cause is nil when none does.
func (s *Store[T]) load(ctx context.Context, name string) (loaded Loaded[T], cause, err error) {
	if loaded, ok, err := s.fresh(name); ok {
		return loaded, nil, err
	}
	waiting, cancel := s.patient(ctx, name)
	defer cancel()
	loaded, err = share(waiting, &s.loads, name, func(ctx context.Context) (Loaded[T], error) {
		// Another reading may have ended between the look above and this one's beginning.
		if loaded, ok, err := s.fresh(name); ok {
			return loaded, err
		}
		return s.read(ctx, name)
	})
	if !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
		return loaded, nil, err
	}
	if newer, ok, err := s.fresh(name); ok { // another reading brought it meanwhile
		return newer, nil, err
	}
	if stale, ok := s.usable(name); ok {
		stale.Stale = true
		return stale, err, nil
	}
	return loaded, nil, err
}

// Kept returns what is kept of a merchant, if it may still serve, and reads nothing.
func (s *Store[T]) Kept(name string) (value T, ok bool) {
	loaded, ok := s.usable(name)
	return loaded.Value, ok
}

// patient bounds how long a caller waits that a kept secret could serve.
func (s *Store[T]) patient(ctx context.Context, name string) (context.Context, context.CancelFunc) {
	if _, ok := s.usable(name); !ok {
		return ctx, func() {}
	}
	bound := budget.SecretKept
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
	loaded, err := share(ctx, &s.refreshes, name, func(ctx context.Context) (Loaded[T], error) {
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
// caller that began it, and ends after budget.Secret.
func share[T any](
	ctx context.Context,
	group *singleflight.Group,
	name string,
	load func(context.Context) (Loaded[T], error),
) (Loaded[T], error) {
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
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget.Secret)
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
	if err != nil { // beside it there may be a value that serves for something else; it is not kept
		return Loaded[T]{Value: value, Version: aws.ToString(out.VersionId)}, err
	}
	kept := s.keep(name, Loaded[T]{Value: value, Version: aws.ToString(out.VersionId), readAt: at, turn: turn})
	s.options.OnRead(name, kept)
	return kept, nil
}
