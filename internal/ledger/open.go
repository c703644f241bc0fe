package ledger

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Open is an entry whose command may have been carried out, for one who looks what became of it (contract, section
// 6.1).
type Open struct {
	entry   Entry
	firstly bool
}

// Open is the claim as something to look for. Once it was settled as unknown, what a look tells can be settled.
func (c *Claim) Open() *Open { return &Open{c.entry, c.firstly} }

// Earlier is the attempt that the claim took over, as something to look for before it is repeated.
func (c *Claim) Earlier() *Open {
	e := c.entry
	e.ClaimedAt = c.claimed
	return &Open{e, c.firstly}
}

// FirstClaim is when the first send was claimed, and false when an older version of this program wrote the entry: then
// nobody knows from when on the reply may have been shown.
func (o *Open) FirstClaim() (time.Time, bool) { return o.entry.FirstClaim, o.firstly }

// ClaimedAt is when the latest send was claimed; zero when nobody knows.
func (o *Open) ClaimedAt() time.Time { return o.entry.ClaimedAt }

// LookedAt is when the command was last looked for; zero: never.
func (o *Open) LookedAt() time.Time { return o.entry.LookedAt }

// LeaseUntil is when the claim ends by itself.
func (c *Claim) LeaseUntil() time.Time { return c.entry.LeaseUntil }

// Looked notes what a look told: r is succeeded, or the unknown result that stays. A result whose holder never told one
// stays without it, so that only the time of the look is noted then. The entry is found as it was or nothing is
// written.
//
// The errors are those of [Ledger.Settle].
func (l *Ledger) Looked(ctx context.Context, o *Open, r wire.Result, at time.Time) error {
	e := o.entry
	cond := Condition{Owner: e.Owner, State: e.State}
	e.LookedAt = at
	switch {
	case r.Outcome == wire.Succeeded:
		e.State, e.Result = Succeeded, &r
		e.ExpiresAt = l.now().Add(l.ttl)
	case r.Outcome != wire.Unknown:
		return errors.New("ledger: a look tells that it succeeded, or nothing")
	case e.Result != nil: // the earlier result stays, with what is known of it now
		earlier := *e.Result
		earlier.Evidence = r.Evidence
		e.Result = &earlier
	}
	found, err := l.store.Put(ctx, e, cond)
	switch {
	case err != nil:
		return unavailable(err)
	case found == nil:
		o.entry = e
		return nil
	case found.Owner == e.Owner && found.State == e.State && found.LookedAt.Equal(e.rounded().LookedAt):
		return nil // our own write, whose acknowledgement was lost
	}
	return ErrLost
}

// itemID names the entry of an item of a complaint's history, and textID that of a text that a complaint was answered
// with. No action has such a name, so no command's entry can be meant.
func itemID(merchant, complaintID, logID string) string {
	return merchant + "#seen#" + complaintID + "#" + logID
}

func textID(merchant, complaintID, words string) string {
	sum := sha256.Sum256([]byte(words))
	return merchant + "#said#" + complaintID + "#" + hex.EncodeToString(sum[:])
}

func busyID(r Request) string {
	return r.Merchant + "#busy#" + r.ComplaintID + "#" + r.Key
}

// Own makes an item of the complaint's history the proof of one reply. It reports whether the item is this reply's now,
// which it is not when it proved another one. r needs only what names the reply.
func (l *Ledger) Own(ctx context.Context, r Request, logID string) (bool, error) {
	now := l.now()
	e := Entry{
		ID:         itemID(r.Merchant, r.ComplaintID, logID),
		Owner:      r.id(),
		State:      Claimed,
		LeaseUntil: now,
		ExpiresAt:  now.Add(l.ttl),
	}
	found, err := l.store.Put(ctx, e, Condition{AbsentAt: now})
	if err != nil {
		return false, unavailable(err)
	}
	return found == nil || found.Owner == e.Owner, nil
}

// nobody is an owner that no entry has, so a write on that condition writes nothing and tells what is stored.
const nobody = ""

// Note is what a [Ledger.Say] or a [Ledger.Announce] left, for the next one about the same reply.
type Note struct {
	owner     string
	said, was []Saying // after it, and before
}

// Say notes until when a reply with these words to the complaint may have been shown, for the looks of other replies
// with the same words: an item that is not later may be this one's. Before it is sent that is the end of its claim's
// lease, and once it was settled that moment. The zero time takes the note back: it was certainly not sent. before is
// the note that this one replaces; nil: it is not known.
func (l *Ledger) Say(ctx context.Context, r Request, words string, until time.Time, before *Note) (*Note, error) {
	mine := Saying{Key: r.id()}
	if !until.IsZero() {
		mine.At = until.UnixMilli()
	}
	return l.note(ctx, r, words, until, before, func(said []Saying) []Saying { return sayings(mine, said) })
}

// Announce is Say for a reply whose claim is asked for at the same time, until the end of the lease that r asks for. It
// does not shorten what is noted of the reply, which may be on its way for somebody else. [Ledger.Withdraw] it when the
// claim was not won.
func (l *Ledger) Announce(ctx context.Context, r Request, words string) (*Note, error) {
	until := leaseEnd(r, l.now())
	return l.note(ctx, r, words, until, nil, func(said []Saying) []Saying {
		mine := Saying{Key: r.id(), At: roundUp(until, time.Millisecond).UnixMilli()}
		for _, s := range said {
			if s.Key == mine.Key {
				mine.At = max(mine.At, s.At)
			}
		}
		return sayings(mine, said)
	})
}

// Withdraw puts back what was noted before an announcement, unless somebody noted something since. Then the
// announcement stays, which keeps a look from believing what it could believe, and from nothing else.
func (l *Ledger) Withdraw(ctx context.Context, r Request, words string, announced *Note) error {
	now := l.now()
	e := Entry{
		ID:         textID(r.Merchant, r.ComplaintID, words),
		Owner:      l.newOwner(),
		State:      Claimed,
		LeaseUntil: now,
		ExpiresAt:  l.expiry(now, time.Time{}),
		Said:       announced.was,
	}
	_, err := l.store.Put(ctx, e, Condition{Owner: announced.owner, State: Claimed})
	return unavailable(err)
}

func (l *Ledger) note(
	ctx context.Context,
	r Request,
	words string,
	until time.Time,
	before *Note,
	with func(said []Saying) []Saying,
) (*Note, error) {
	now := l.now()
	e := Entry{
		ID:         textID(r.Merchant, r.ComplaintID, words),
		State:      Claimed,
		LeaseUntil: now,
		ExpiresAt:  l.expiry(now, until),
	}
	cond, was := Condition{AbsentAt: now}, []Saying(nil)
	if before != nil {
		cond, was = Condition{Owner: before.owner, State: Claimed}, before.said
	}
	for range maxWrites {
		e.Owner, e.Said = l.newOwner(), with(was)
		found, err := l.store.Put(ctx, e, cond)
		switch {
		case err != nil:
			return nil, unavailable(err)
		case found == nil, found.Owner == e.Owner: // or our own write, whose acknowledgement was lost
			return &Note{e.Owner, e.Said, was}, nil
		case found.State == Absent || !found.ExpiresAt.After(now):
			cond, was = Condition{AbsentAt: now}, nil
		default:
			cond, was = Condition{Owner: found.Owner, State: found.State}, found.Said
		}
	}
	return nil, ErrLost
}

// maxSayings bounds what is kept of a text. It is far more than there are replies with the same words on their way.
const maxSayings = 8

// sayings are what is kept: the latest of each key. What is over the bound is kept as nobody's, and so counts as
// another reply's for everybody.
func sayings(mine Saying, said []Saying) []Saying {
	kept := slices.DeleteFunc(slices.Clone(said), func(s Saying) bool { return s.Key == mine.Key })
	if mine.At > 0 {
		kept = append(kept, mine)
	}
	slices.SortFunc(kept, func(a, b Saying) int { return cmp.Compare(b.At, a.At) })
	if len(kept) > maxSayings {
		kept = kept[:maxSayings]
		kept[maxSayings-1].Key = nobody
	}
	return kept
}

// SaidByOthers is until when another reply with these words to the complaint may have been shown; zero: there is none.
func (l *Ledger) SaidByOthers(ctx context.Context, r Request, words string) (time.Time, error) {
	now := l.now()
	id := textID(r.Merchant, r.ComplaintID, words)
	found, err := l.store.Put(ctx, Entry{ID: id, Owner: r.id(), State: Claimed, LeaseUntil: now, ExpiresAt: now},
		Condition{Owner: nobody, State: Claimed})
	if err != nil {
		return time.Time{}, unavailable(err)
	}
	latest := time.Time{}
	if found == nil || !found.ExpiresAt.After(now) {
		return latest, nil
	}
	for _, s := range found.Said {
		if at := time.UnixMilli(s.At).UTC(); s.Key != r.id() && at.After(latest) {
			latest = at
		}
	}
	return latest, nil
}

// busyKept is the least time for which a first refusal is remembered: longer than a reply is tried again.
const busyKept = 2 * time.Hour

// Busy is when the reply was first refused with a request to try later, which leaves no entry of its own: this time, or
// an earlier one. claimedAt is when this send was claimed.
func (l *Ledger) Busy(ctx context.Context, r Request, claimedAt time.Time) (time.Time, error) {
	now := l.now()
	e := Entry{ID: busyID(r), Owner: r.id(), State: Claimed, PayloadHash: r.PayloadHash, LeaseUntil: now,
		ExpiresAt: now.Add(max(l.ttl, busyKept)), FirstClaim: claimedAt}
	found, err := l.store.Put(ctx, e, Condition{AbsentAt: now})
	switch {
	case err != nil:
		return time.Time{}, unavailable(err)
	case found == nil || found.FirstClaim.IsZero():
		return claimedAt, nil
	}
	return found.FirstClaim, nil
}
