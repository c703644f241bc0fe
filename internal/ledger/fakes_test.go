package ledger

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
)

// lossyStore loses one acknowledgement, that of the first write that happens.
type lossyStore struct {
	Store
	lost bool
}

func (s *lossyStore) Put(ctx context.Context, e Entry, cond Condition) (*Entry, error) {
	found, err := s.Store.Put(ctx, e, cond)
	if err == nil && found == nil && !s.lost {
		s.lost = true
		return nil, errors.New("the table in account 123456789012 hung up") // must not get out
	}
	return found, err
}

// difference tells how an entry differs from the one wanted.
func difference(got, want *Entry) string {
	if reflect.DeepEqual(got, want) {
		return ""
	}
	return fmt.Sprintf("got %s\nwant %s", show(got), show(want))
}

func show(e *Entry) string {
	if e == nil {
		return "nothing"
	}
	if e.Result == nil {
		return fmt.Sprintf("%+v", *e)
	}
	return fmt.Sprintf("%+v with %+v", *e, *e.Result)
}

func contextThatEnded(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithDeadline(t.Context(), noon.AddDate(-20, 0, 0))
	return ctx, cancel
}

// failingStore fails and remembers how much time its Delete was given.
type failingStore struct {
	deletes int
	left    time.Duration
	ended   bool
}

func (s *failingStore) Put(context.Context, Entry, Condition) (*Entry, error) {
	return nil, ErrUnavailable
}

func (s *failingStore) Delete(ctx context.Context, _, _ string) error {
	s.deletes++
	deadline, _ := ctx.Deadline()
	s.left, s.ended = time.Until(deadline), ctx.Err() != nil
	return ErrUnavailable
}
