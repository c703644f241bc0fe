// Package ledger sees to it that a command is never lost and never doubled (contract, section 6).
//
// A command is claimed before the gateway sees it, and the claim is settled when the command succeeded or may have
// been carried out, or released when it was certainly not. Every write is conditional and fenced by an owner token, so
// of any number of processes one holds a command, and a holder that comes back late changes nothing. A key whose
// command may have been carried out is never freed before it expires.
//
// The rules are in decide, which knows no storage; [Memory] and [DynamoDB] know no rules.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/pkg/wire"
)

// ErrUnavailable is wrapped by every failure of a store. The text names AWS's error code and nothing else of the
// cause. A write that failed so may have happened.
var ErrUnavailable = errors.New("ledger: unavailable")

// ErrLost means that the claim belongs to somebody else by now, or is gone, and that nothing was written. It is for
// the log: it says nothing about the command and must not change its result.
var ErrLost = errors.New("ledger: the claim was lost")

const (
	// defaultLease is how long a claim is held when the invocation has no deadline (contract, section 6).
	defaultLease = 60 * time.Second
	// maxWrites bounds how often one Claim tries to write: the claim, and three more after races that it lost.
	maxWrites = 4
)

// Ledger applies the rules to a store. It is safe for use by several goroutines when its store and functions are.
type Ledger struct {
	store    Store
	ttl      time.Duration
	now      func() time.Time
	newOwner func() string
}

// New returns a ledger over store. An entry is kept for ttl after its last write; ttl should be far longer than the
// clocks of the processes that share a table may differ. newOwner must return another unguessable, non-empty text each
// time, as crypto/rand.Text does: a token that comes twice would be two holders of one command.
func New(store Store, ttl time.Duration, now func() time.Time, newOwner func() string) *Ledger {
	return &Ledger{store: store, ttl: ttl, now: now, newOwner: newOwner}
}

// Request asks for the right to carry out one command.
type Request struct {
	Action        wire.Action
	Merchant      string // without '#', as the contract's section 2 has it; so is ComplaintID
	ComplaintID   string
	Key           string // [wire.Command.LedgerKey], not empty
	PayloadHash   string
	TransactionID string    // to send unless an earlier attempt sent another; empty for a completion
	Delivery      string    // the id of the event that asks for a resend, the same at each delivery; else empty
	Repeatable    bool      // sending what may have been carried out again is harmless
	ResendUnknown bool      // it may be sent again although it is not: somebody asks for it
	LeaseUntil    time.Time // the invocation's deadline; zero: 60 s from now
}

// id names the entry, in words that an operator can look up. Only the key, which comes last, may contain '#'.
func (r Request) id() string {
	return r.Merchant + "#" + string(r.Action) + "#" + r.ComplaintID + "#" + r.Key
}

// Claim is the right to carry out one command. It ends with [Ledger.Settle] or [Ledger.Release], or by itself with its
// lease.
type Claim struct {
	TransactionID string // the one to send: the stored one when the claim took over
	TookOver      bool   // an earlier attempt may have been carried out

	entry    Entry     // as it was written; Result is the earlier one
	delivery string    // the earlier one's, when the claim took over
	firstly  bool      // the time of the first send's claim is known
	claimed  time.Time // when the earlier attempt was claimed, when the claim took over
}

// Through is the gateway that the earlier attempt went through, when the claim took over one that told; else empty.
func (c *Claim) Through() wire.Provider {
	if !c.TookOver || c.entry.Result == nil {
		return ""
	}
	return c.entry.Result.Provider
}

// Decision is what became of a request: exactly one of Claim, Replay, InProgress, Unknown and Mismatch is set.
type Decision struct {
	Claim      *Claim       // go ahead
	Replay     *wire.Result // it succeeded before; Replayed is set; the caller may change it
	InProgress bool         // somebody else is at it; RetryAfter is set
	Unknown    bool         // it may have been done; TransactionID and perhaps Earlier are set
	Mismatch   bool         // the key was used for another payload

	RetryAfter    time.Duration // whole seconds, at least one
	TransactionID string        // what was sent when the outcome became unknown
	Earlier       *wire.Result  // the unknown result, nil when the holder never told one
	Open          *Open         // with Unknown: for one who looks what became of it
	Reason        string        // why, for the log
}

// write is one thing to try: an entry, and what must be stored for it.
type write struct {
	entry    Entry
	cond     Condition
	tookOver bool
	delivery string    // of the entry that is taken over
	firstly  bool      // it says when its first send was claimed
	claimed  time.Time // when the attempt that is taken over was claimed
}

// Claim decides by the table of the contract's section 6, and writes the claim if there is one.
//
// An error wraps [ErrUnavailable] and means that nothing may be sent. The claim may have been written before the
// store failed, so Claim tries once to take it back, for at most a second and within ctx's deadline. Where that fails
// too, the claim stays and is found expired: a caller is told OUTCOME_UNKNOWN for a reply that was never sent.
func (l *Ledger) Claim(ctx context.Context, r Request) (Decision, error) {
	owner := l.newOwner()
	now := l.now()
	r.LeaseUntil = leaseEnd(r, now)
	w := l.fresh(r, owner, now)
	triedTakeover := false
	for range maxWrites {
		found, err := l.store.Put(ctx, w.entry, w.cond)
		if err != nil {
			l.undo(ctx, &Claim{TookOver: triedTakeover, entry: w.entry, delivery: w.delivery, claimed: w.claimed})
			return Decision{}, unavailable(err)
		}
		if found == nil {
			return granted(w, w.entry, w.tookOver, "the key was free"), nil
		}
		v, reason := decide(*found, r, owner, now)
		switch v {
		case ours:
			return granted(w, *found, triedTakeover, reason), nil
		case free:
			now = l.now()
			w = l.fresh(r, owner, now)
		case takeOver:
			now = l.now()
			w = l.takeover(r, owner, *found, now)
			triedTakeover = true
		default:
			return told(v, reason, *found, now), nil
		}
	}
	return Decision{InProgress: true, RetryAfter: time.Second, Reason: "others changed the entry each time"}, nil
}

// Settle records that the command succeeded or may have been carried out. ctx should not be one that ended with the
// call to the gateway.
//
// It returns [ErrLost] when somebody took the claim over, and an error that wraps [ErrUnavailable] when the store
// failed: the claim then stays and is found expired. Neither changes the command's result. Any other error is a
// result that is to be released instead.
func (l *Ledger) Settle(ctx context.Context, c *Claim, r wire.Result) error {
	e := c.entry
	switch r.Outcome {
	case wire.Succeeded:
		e.State = Succeeded
	case wire.Unknown:
		e.State = Unknown
	default:
		return fmt.Errorf("ledger: the outcome %q is released, not settled", r.Outcome)
	}
	e.Result = &r
	c.entry = e
	return l.finish(ctx, e)
}

// Release gives up the claim of a command that was certainly not carried out, so that the next one can try. A claim
// that took over goes back to unknown instead, with the result that it found, because the attempt before it may have
// been carried out.
//
// The errors are those of [Ledger.Settle]. A fresh claim that was lost is released without an error.
func (l *Ledger) Release(ctx context.Context, c *Claim) error {
	if !c.TookOver {
		return unavailable(l.store.Delete(ctx, c.entry.ID, c.entry.Owner))
	}
	e := c.entry
	e.State, e.Delivery, e.ClaimedAt = Unknown, c.delivery, c.claimed
	return l.finish(ctx, e)
}

// finish writes the last state of a claim, if it is still held.
func (l *Ledger) finish(ctx context.Context, e Entry) error {
	e.ExpiresAt = l.now().Add(l.ttl) // the lease ends here, so it no longer keeps the entry
	found, err := l.store.Put(ctx, e, Condition{Owner: e.Owner, State: Claimed})
	switch {
	case err != nil:
		return unavailable(err)
	case found == nil:
		return nil
	case found.Owner == e.Owner && found.State == e.State:
		return nil // our own write, whose acknowledgement was lost
	}
	return ErrLost
}

// undo takes back a claim whose write failed and may have happened all the same.
func (l *Ledger) undo(ctx context.Context, c *Claim) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget.LedgerUndo)
	defer cancel()
	if deadline, ok := ctx.Deadline(); ok {
		bounded, cancel = context.WithDeadline(bounded, deadline)
		defer cancel()
	}
	if bounded.Err() == nil {
		_ = l.Release(bounded, c) // best effort: the failure that the caller hears of is the claim's
	}
}

// leaseEnd is when a claim that is asked for now ends by itself.
func leaseEnd(r Request, now time.Time) time.Time {
	if r.LeaseUntil.IsZero() {
		return now.Add(defaultLease)
	}
	return r.LeaseUntil
}

// fresh is an ordinary claim on a key that nobody has.
func (l *Ledger) fresh(r Request, owner string, now time.Time) write {
	return write{
		firstly: true,
		entry: Entry{
			ID: r.id(), Owner: owner, State: Claimed, PayloadHash: r.PayloadHash, TransactionID: r.TransactionID,
			Delivery:   r.Delivery,
			LeaseUntil: r.LeaseUntil, ExpiresAt: l.expiry(now, r.LeaseUntil), FirstClaim: now, ClaimedAt: now,
		},
		cond: Condition{AbsentAt: now},
	}
}

// takeover is a claim on what an earlier attempt left, from exactly that attempt. The stored transaction id is the one
// that may have been sent, so it stays.
func (l *Ledger) takeover(r Request, owner string, found Entry, now time.Time) write {
	w := l.fresh(r, owner, now)
	w.entry.TransactionID, w.entry.Result = found.TransactionID, found.Result
	if !found.FirstClaim.IsZero() {
		w.entry.FirstClaim = found.FirstClaim
	}
	w.firstly = !found.FirstClaim.IsZero()
	w.cond = Condition{Owner: found.Owner, State: found.State}
	w.tookOver, w.delivery, w.claimed = true, found.Delivery, found.ClaimedAt
	return w
}

// expiry is when an entry written now ceases to exist: never while its lease runs.
func (l *Ledger) expiry(now, leaseUntil time.Time) time.Time {
	at := now.Add(l.ttl)
	if at.Before(leaseUntil) {
		return leaseUntil
	}
	return at
}

// unavailable makes sure of what the callers ask for, whatever the store: nil, or ErrUnavailable.
func unavailable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: the store failed", ErrUnavailable)
}
