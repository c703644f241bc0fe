package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/wire"
)

// State says how far a command came, as far as the ledger knows.
type State string

// The states of an entry. Absent is never stored: it is what [Store.Put] reports when it found nothing.
const (
	Absent    State = ""
	Claimed   State = "claimed"   // somebody holds it; past LeaseUntil nobody knows what became of it
	Succeeded State = "succeeded" // done, Result tells it
	Unknown   State = "unknown"   // it may have been done
)

// Entry is what the ledger keeps of one command.
type Entry struct {
	ID            string // merchant#action#complaint#key
	Owner         string // token of the attempt that wrote the entry last; the fence
	State         State
	PayloadHash   string
	TransactionID string    // 翼码's 请求流水号 that was sent first; empty for a completion
	Delivery      string    // the event that asked for the resend; empty when it was none
	LeaseUntil    time.Time // whole milliseconds, rounded up by the store
	// FirstClaim is when the first send was claimed, in whole milliseconds, rounded down; zero in an entry of an older
	// version.
	FirstClaim time.Time
	ClaimedAt  time.Time // when the latest send was claimed; likewise
	LookedAt   time.Time // when it was last looked for; likewise; zero: never
	ExpiresAt  time.Time // whole seconds, rounded up by the store; from then on the entry does not exist

	// Result is the settled result. On a claim it is the earlier, unknown one that the claim took over, so that a
	// holder that dies does not take it along.
	Result *wire.Result

	// Said is only in the entry of a text: until when which replies with these words to the complaint may have been
	// shown.
	Said []Saying
}

// Saying is until when a reply may have been shown: when it was settled, or when its claim ends by itself.
type Saying struct {
	Key string `json:"key"` // "": of some reply that is no longer told apart
	At  int64  `json:"at"`  // unix milliseconds
}

// Condition is what must be true of the stored entry for a write to happen: either AbsentAt alone, or Owner and State.
type Condition struct {
	AbsentAt time.Time // nothing stored, or expired: ExpiresAt <= AbsentAt, to the second
	Owner    string    // or exactly this holder
	State    State     // in this state; Absent means that the condition is AbsentAt
}

// holds tells whether the condition is true of what is stored; found is nil when nothing is.
func (c Condition) holds(found *Entry) bool {
	if c.State == Absent {
		return found == nil || !found.ExpiresAt.After(c.AbsentAt)
	}
	return found != nil && found.Owner == c.Owner && found.State == c.State
}

// Store keeps entries. There are two: [Memory] and [DynamoDB]. Neither looks at a clock of its own.
//
// Every error of either method wraps [ErrUnavailable]; the write may have happened all the same.
type Store interface {
	// Put writes e when cond holds for what is stored under e.ID and returns nil, nil. When it does not hold, nothing
	// is written and Put returns what is stored: an Entry in the state [Absent] when that is nothing.
	Put(ctx context.Context, e Entry, cond Condition) (*Entry, error)
	// Delete removes the entry when its owner and the state Claimed match. Anything else is left alone without an
	// error.
	Delete(ctx context.Context, id, owner string) error
}

// rounded gives the times the precision that every store keeps: upwards, so that a lease or an entry may last a moment
// longer than asked, never shorter; but what happened downwards.
func (e Entry) rounded() Entry {
	e.LeaseUntil = roundUp(e.LeaseUntil, time.Millisecond)
	e.ExpiresAt = roundUp(e.ExpiresAt, time.Second)
	for _, t := range []*time.Time{&e.FirstClaim, &e.ClaimedAt, &e.LookedAt} {
		if !t.IsZero() {
			*t = t.Truncate(time.Millisecond).UTC()
		}
	}
	return e
}

func roundUp(t time.Time, unit time.Duration) time.Time {
	down := t.Truncate(unit)
	if down.Before(t) {
		down = down.Add(unit)
	}
	return down.UTC()
}

// maxText bounds, in bytes, each text of a result that a gateway chose. An item of DynamoDB holds 400 KB and a
// gateway's answer may be 1 MiB: a success that is too long to be stored would be an unknown to the next caller.
const maxText = 4096

// encodeResult is the stored form of a result; both stores use it, so that both give back the same.
func encodeResult(r *wire.Result) (string, error) {
	kept := *r
	kept.Code, kept.Message, kept.RequestID = shortened(r.Code), shortened(r.Message), shortened(r.RequestID)
	text, err := json.Marshal(kept)
	return string(text), err
}

// shortened cuts s to maxText bytes, between characters.
func shortened(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// decodeResult reads what encodeResult wrote. The outcome must be the one that the entry's state stands for, because
// the result is handed to a caller as the truth.
func decodeResult(text string, state State) (*wire.Result, error) {
	var r wire.Result
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, errors.New("result is not readable") // the cause would quote the text
	}
	want := wire.Unknown
	if state == Succeeded {
		want = wire.Succeeded
	}
	if r.Outcome != want {
		return nil, errors.New("result does not fit the state")
	}
	return &r, nil
}
