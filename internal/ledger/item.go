package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The attributes of an item. Operators read them, so they are words and not one packed value.
const (
	attrID            = "id"             // S, the partition key
	attrState         = "state"          // S
	attrOwner         = "owner"          // S
	attrPayloadHash   = "payload_hash"   // S
	attrTransactionID = "transaction_id" // S, empty for a completion
	attrDelivery      = "delivery"       // S, an event's id; not always there
	attrLeaseUntil    = "lease_until"    // N, unix milliseconds
	attrExpiresAt     = "expires_at"     // N, unix seconds, the table's TTL attribute
	attrFirstClaim    = "first_claim"    // N, unix milliseconds; not always there
	attrClaimedAt     = "claimed_at"     // N, unix milliseconds; not always there
	attrLookedAt      = "looked_at"      // N, unix milliseconds; not always there
	attrResult        = "result"         // S, JSON of wire.Result; not always there
	attrSaid          = "said"           // S, JSON of []Saying; only in the entry of a text
)

// item is one item of the table.
type item = map[string]types.AttributeValue

// writeItem is the stored form of an entry whose times are rounded.
func writeItem(e Entry) (item, error) {
	out := item{
		attrID:            text(e.ID),
		attrState:         text(string(e.State)),
		attrOwner:         text(e.Owner),
		attrPayloadHash:   text(e.PayloadHash),
		attrTransactionID: text(e.TransactionID),
		attrLeaseUntil:    number(e.LeaseUntil.UnixMilli()),
		attrExpiresAt:     number(e.ExpiresAt.Unix()),
	}
	if e.Delivery != "" {
		out[attrDelivery] = text(e.Delivery)
	}
	times := map[string]time.Time{attrFirstClaim: e.FirstClaim, attrClaimedAt: e.ClaimedAt, attrLookedAt: e.LookedAt}
	for name, at := range times {
		if !at.IsZero() {
			out[name] = number(at.UnixMilli())
		}
	}
	if len(e.Said) > 0 {
		said, err := json.Marshal(e.Said)
		if err != nil {
			return nil, err
		}
		out[attrSaid] = text(string(said))
	}
	if e.Result != nil {
		result, err := encodeResult(e.Result)
		if err != nil {
			return nil, err
		}
		out[attrResult] = text(result)
	}
	return out, nil
}

// lastSecond is the end of the year 9999: a time beyond it is not one of ours, and would overflow time.Time.
const lastSecond = 253402300799

// readItem reads an item that should be the entry id. The table is outside the process, so nothing about the item is
// taken for granted; an error names the attribute and never its value.
func readItem(stored item, id string) (Entry, error) {
	r := itemReader{stored: stored}
	e := Entry{
		ID:            r.text(attrID),
		Owner:         r.text(attrOwner),
		State:         State(r.text(attrState)),
		PayloadHash:   r.text(attrPayloadHash),
		TransactionID: r.text(attrTransactionID),
		LeaseUntil:    time.UnixMilli(r.number(attrLeaseUntil, lastSecond*1000)).UTC(),
		ExpiresAt:     time.Unix(r.number(attrExpiresAt, lastSecond), 0).UTC(),
	}
	if _, there := stored[attrDelivery]; there {
		e.Delivery = r.text(attrDelivery)
	}
	e.FirstClaim, e.ClaimedAt, e.LookedAt = r.since(attrFirstClaim), r.since(attrClaimedAt), r.since(attrLookedAt)
	if _, there := stored[attrSaid]; there && json.Unmarshal([]byte(r.text(attrSaid)), &e.Said) != nil {
		r.fail(attrSaid, "is not readable")
	}
	switch {
	case r.err != nil:
		return Entry{}, r.err
	case e.ID != id:
		return Entry{}, errors.New("id is another one")
	case e.State != Claimed && e.State != Succeeded && e.State != Unknown:
		return Entry{}, errors.New("state is none of ours")
	case e.Owner == "":
		return Entry{}, errors.New("owner is empty")
	}
	if _, there := stored[attrResult]; !there && e.State != Succeeded {
		return e, nil
	}
	result := r.text(attrResult)
	if r.err != nil {
		return Entry{}, r.err
	}
	var err error
	e.Result, err = decodeResult(result, e.State)
	return e, err
}

// itemReader reads attributes and remembers the first one that is not what it should be.
type itemReader struct {
	stored item
	err    error
}

func (r *itemReader) text(name string) string {
	v, ok := r.stored[name].(*types.AttributeValueMemberS)
	if !ok || v == nil {
		r.fail(name, "is not a string")
		return ""
	}
	return v.Value
}

// number reads whole units from 0 to limit.
func (r *itemReader) number(name string, limit int64) int64 {
	v, ok := r.stored[name].(*types.AttributeValueMemberN)
	if !ok || v == nil {
		r.fail(name, "is not a number")
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil || n < 0 || n > limit {
		r.fail(name, "is not a time")
		return 0
	}
	return n
}

// since reads a time that is not always there.
func (r *itemReader) since(name string) time.Time {
	if _, there := r.stored[name]; !there {
		return time.Time{}
	}
	return time.UnixMilli(r.number(name, lastSecond*1000)).UTC()
}

func (r *itemReader) fail(name, problem string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s %s", name, problem)
	}
}
