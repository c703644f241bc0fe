package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// entriesMax bounds how many complaints of a merchant are remembered. An entry takes about 100 bytes of the 400 KB that
// an item of DynamoDB may hold. Beyond it the settled ones go first and then the oldest: what was told about them the
// ledger still knows, and only what a complaint outside the list waits for is no longer looked at.
const entriesMax = 3000

// book is what the sweeps remember of one merchant.
type book struct {
	Begun   int64            `json:"begun"` // when the first sweep began, in Unix seconds
	Whole   int64            `json:"whole"` // when the last whole sweep ended; 0: none did
	Entries map[string]entry `json:"open"`  // by complaint_id

	version int64 // 0: nothing is stored
}

// entry is what is remembered of one complaint.
type entry struct {
	At         int64  `json:"a"`           // complaint_time, in Unix seconds
	Times      int64  `json:"n,omitempty"` // user_complaint_times
	Told       bool   `json:"t,omitempty"` // that it arrived, this often, was told
	Settled    bool   `json:"s,omitempty"` // it is PROCESSED
	Reply      string `json:"r,omitempty"` // the latest threshold that was told of the reply
	Completion string `json:"c,omitempty"` // and of the completion
	Looked     int64  `json:"l,omitempty"` // when it was last read outside the list
}

// Books keeps a text for each merchant under a version.
type Books interface {
	// Read gives what is stored; version 0 when nothing is.
	Read(ctx context.Context, merchant string) (text string, version int64, err error)
	// Write stores text as version+1, unless another version than version is stored: then the error is ErrWritten.
	Write(ctx context.Context, merchant, text string, version int64, expires time.Time) error
}

// ErrWritten means that another sweep of the same merchant stored what it remembers first.
var ErrWritten = errors.New("another sweep was faster")

func (w *Watcher) openBook(ctx context.Context, merchant string) (*book, error) {
	b := &book{Begun: w.Now().Unix(), Entries: map[string]entry{}}
	text, version, err := w.Books.Read(ctx, merchant)
	if err != nil {
		return nil, err
	}
	if version > 0 && json.Unmarshal([]byte(text), b) != nil { // it is begun again: the ledger knows what was told
		b = &book{Begun: w.Now().Unix(), Entries: map[string]entry{}}
	}
	if b.Entries == nil {
		b.Entries = map[string]entry{}
	}
	b.version = version
	return b, nil
}

func (w *Watcher) closeBook(ctx context.Context, merchant string, b *book) error {
	b.shrink(w.Now().Add(-w.Forget).Unix())
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	err = w.Books.Write(ctx, merchant, string(text), b.version, w.Now().Add(w.Forget))
	if errors.Is(err, ErrWritten) {
		w.Log.InfoContext(ctx, "what a sweep remembers was not kept: another one was faster", "merchant", merchant)
		return nil
	}
	return err
}

// shrink forgets complaints from before a time, and whatever is too much.
func (b *book) shrink(before int64) {
	var ids []string
	for id, e := range b.Entries {
		if e.At < before {
			delete(b.Entries, id)
			continue
		}
		ids = append(ids, id)
	}
	if len(ids) <= entriesMax {
		return
	}
	slices.SortFunc(ids, func(x, y string) int {
		a, c := b.Entries[x], b.Entries[y]
		if a.Settled != c.Settled {
			if a.Settled {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.At, c.At), cmp.Compare(x, y))
	})
	for _, id := range ids[:len(ids)-entriesMax] {
		delete(b.Entries, id)
	}
}

// outside lists at most most remembered complaints that are not settled and were not seen, those that were not looked
// at for the longest time first.
func (b *book) outside(seen map[string]bool, most int) []string {
	var ids []string
	for id, e := range b.Entries {
		if !e.Settled && !seen[id] {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y string) int {
		return cmp.Or(cmp.Compare(b.Entries[x].Looked, b.Entries[y].Looked), cmp.Compare(x, y))
	})
	return ids[:min(most, len(ids))]
}

// age is how long ago the last whole sweep ended, or the first one began when none did.
func (b *book) age(now time.Time) time.Duration {
	since := b.Whole
	if since == 0 {
		since = b.Begun
	}
	return max(0, now.Sub(time.Unix(since, 0)))
}
