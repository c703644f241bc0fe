package merchant

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"
)

// Packed keeps what was made of each merchant's secret as a [Store] does, from secrets that hold many merchants each
// (contract, section 7). One reading serves all merchants of a pack, and of a pack only the secrets that were asked for
// are parsed.
//
// A merchant's version is that of its own secret, not of the pack: it does not change when a neighbour's does.
type Packed[T any] struct {
	options   Options[T]
	count     int
	packs     *Store[pack]
	refreshes singleflight.Group

	mu        sync.Mutex
	parsed    map[string]Loaded[T]
	refreshed deadlines
}

// pack holds the secrets of a pack by merchant.
type pack map[string]packed

// packed is one merchant's secret and what tells it from another version of it.
type packed struct{ text, version string }

// NewPacked makes an empty store over a number of packs. o.Parse is given one merchant's secret, never a pack.
func NewPacked[T any](packs int, o Options[T]) *Packed[T] {
	own := NewStore(o) // for what it puts in place of a missing Now and OnStale
	seed := maphash.MakeSeed()
	return &Packed[T]{
		options: own.options, count: packs, parsed: map[string]Loaded[T]{}, refreshed: deadlines{},
		packs: NewStore(Options[pack]{
			Client: o.Client, Prefix: o.Prefix, SoftTTL: o.SoftTTL, HardTTL: o.HardTTL, Now: o.Now,
			Parse: func(secret string) (pack, error) { return openPack(secret, seed) },
		}),
	}
}

// openPack takes a pack apart. The version of a secret is a hash of its text with a seed of this process, which tells
// nothing outside of it.
func openPack(text string, seed maphash.Seed) (pack, error) {
	entries, err := ParsePack(text)
	if err != nil {
		return nil, err
	}
	p := make(pack, len(entries))
	for _, e := range entries {
		p[e.Name] = packed{string(e.Secret), strconv.FormatUint(maphash.Bytes(seed, e.Secret), 16)}
	}
	return p, nil
}

// Load returns a merchant, as [Store.Load] does. A merchant that is not in its pack is looked for again, in a
// pack read anew, when the pack is older than 30 s; one whose secret is malformed, whenever it is asked for.
func (p *Packed[T]) Load(ctx context.Context, name string) (Loaded[T], error) {
	id, before := PackName(p.count, name), p.packs.last()
	held, cause, err := p.packs.load(ctx, id)
	if err != nil {
		p.drop(name, err)
		return Loaded[T]{}, err
	}
	loaded, err := p.open(name, held)
	if p.mayHaveChanged(held, err, before) {
		newer, failed := p.reload(ctx, id)
		switch {
		case failed == nil:
			cause = nil
			loaded, err = p.open(name, newer)
		case err == ErrUnknown: // it may be there by now
			return Loaded[T]{}, failed
		}
	}
	if err == nil && cause != nil {
		loaded.Stale = true
		p.options.OnStale(ctx, name, cause)
	}
	return loaded, err
}

// Kept returns what was parsed last and may still serve, and reads nothing.
func (p *Packed[T]) Kept(name string) (value T, ok bool) {
	loaded := p.usable(name)
	return loaded.Value, !loaded.readAt.IsZero()
}

// mayHaveChanged reports whether a pack is worth reading again because of what a merchant's secret in it is like: the
// same reading would have been made if the merchant had a secret of its own.
func (p *Packed[T]) mayHaveChanged(held Loaded[pack], err error, before uint64) bool {
	var malformed *FieldError
	switch {
	case err == ErrUnknown:
		return p.packs.now().Sub(held.readAt) >= unknownFor
	case errors.As(err, &malformed):
		return held.turn <= before
	}
	return false
}

// Refresh reads a merchant's pack although the kept one is fresh, as [Store.Refresh] does: at most every 30 s for a
// merchant, whatever its neighbours did.
func (p *Packed[T]) Refresh(ctx context.Context, name, version string) (Loaded[T], bool, error) {
	loaded, err := share(ctx, &p.refreshes, name, func(ctx context.Context) (Loaded[T], error) {
		id := PackName(p.count, name)
		if p.isUnknown(id, name) {
			return Loaded[T]{}, ErrUnknown
		}
		if p.mayRefresh(name) {
			held, err := p.reload(ctx, id)
			if err != nil {
				p.drop(name, err)
				return Loaded[T]{}, err
			}
			return p.open(name, held)
		}
		if held, ok := p.packs.usable(id); ok {
			return p.open(name, held)
		}
		return Loaded[T]{}, fmt.Errorf("%w: it was tried less than %s ago", ErrUnavailable, refreshEvery)
	})
	if err != nil {
		return p.usable(name), false, err
	}
	return loaded, loaded.Version != version, nil
}

// reload reads a pack, once for all who want that at the same time.
func (p *Packed[T]) reload(ctx context.Context, id string) (Loaded[pack], error) {
	return share(ctx, &p.packs.refreshes, id,
		func(ctx context.Context) (Loaded[pack], error) { return p.packs.read(ctx, id) })
}

// open returns a merchant out of its pack, parsed when this version of it has not been before.
func (p *Packed[T]) open(name string, held Loaded[pack]) (Loaded[T], error) {
	entry, there := held.Value[name]
	if !there {
		p.drop(name, ErrUnknown)
		return Loaded[T]{}, ErrUnknown
	}
	if entry.text == "" {
		return Loaded[T]{}, &FieldError{secretField, "stands twice in its pack"}
	}
	loaded, again, err := p.parse(name, entry, held)
	if err == nil && !again {
		p.options.OnRead(name, loaded)
	}
	return loaded, err
}

// parse returns what was parsed of a merchant's secret; again reports whether it came out of the same reading before.
func (p *Packed[T]) parse(name string, entry packed, held Loaded[pack]) (loaded Loaded[T], again bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	loaded, before := p.parsed[name]
	if !before || loaded.Version != entry.version {
		value, err := p.options.Parse(entry.text)
		if err != nil { // beside it there may be a value that serves for something else; it is not kept
			return Loaded[T]{Value: value, Version: entry.version}, false, err
		}
		loaded = Loaded[T]{Value: value, Version: entry.version}
	}
	again = loaded.readAt.Equal(held.readAt)
	loaded.readAt = held.readAt
	p.parsed[name] = loaded
	return loaded, again, nil
}

// drop forgets a merchant that there is no more.
func (p *Packed[T]) drop(name string, err error) {
	if err == ErrUnknown {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.parsed, name)
	}
}

// isUnknown reports whether it is remembered that there is no such merchant.
func (p *Packed[T]) isUnknown(id, name string) bool {
	if p.packs.isUnknown(id) {
		return true
	}
	held, ok := p.packs.usable(id)
	if _, there := held.Value[name]; !ok || there {
		return false
	}
	return p.packs.now().Sub(held.readAt) < unknownFor
}

// usable is what was parsed last, if it may still serve.
func (p *Packed[T]) usable(name string) Loaded[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if loaded := p.parsed[name]; p.packs.now().Sub(loaded.readAt) < p.options.HardTTL {
		return loaded
	}
	return Loaded[T]{}
}

// mayRefresh takes the one forced reading of the next 30 s.
func (p *Packed[T]) mayRefresh(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refreshed.take(name, p.packs.now())
}
