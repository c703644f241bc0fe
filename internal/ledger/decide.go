package ledger

import "time"

// verdict is what a claim does about the entry it found.
type verdict int

const (
	free       verdict = iota // claim it
	ours                      // it is the claim that was just written
	takeOver                  // claim it from exactly this holder
	replay                    // tell the stored result
	inProgress                // somebody else is at it
	unknown                   // tell that it may have been done
	mismatch                  // the key belongs to another payload
)

// decide is the table of the contract's section 6: what the one who makes request r with the token owner gets for what
// it found at the time now. The text is the reason, for the log.
//
// An entry past its ExpiresAt does not exist. Otherwise another payload is a mismatch before anything else.
func decide(found Entry, r Request, owner string, now time.Time) (verdict, string) {
	switch {
	case found.State == Absent:
		return free, "nothing is stored"
	case !found.ExpiresAt.After(now):
		return free, "what was stored has expired"
	case found.PayloadHash != r.PayloadHash:
		return mismatch, "the key was used for another payload"
	case found.State == Claimed && found.Owner == owner:
		return ours, "our own claim, whose acknowledgement was lost"
	case found.State == Succeeded:
		return replay, "it succeeded before"
	case found.State == Claimed && found.LeaseUntil.After(now):
		return inProgress, "another holder's lease is running"
	}
	what := "an earlier attempt settled as unknown"
	if found.State == Claimed {
		what = "an earlier holder's lease ran out"
	}
	switch {
	case r.Repeatable:
		return takeOver, what + "; repeating it is harmless"
	case r.ResendUnknown && r.Delivery != "" && r.Delivery == found.Delivery:
		// The event asked for one resend and comes at least once: each time it comes again it would be one more.
		return unknown, what + ", made for this very event"
	case r.ResendUnknown:
		return takeOver, what + "; resend_unknown is set"
	}
	return unknown, what
}

// retryAfter is the rest of a lease in whole seconds, rounded up, and never less than one.
func retryAfter(leaseUntil, now time.Time) time.Duration {
	rest := leaseUntil.Sub(now)
	if down := rest.Truncate(time.Second); down < rest {
		rest = down + time.Second
	}
	return max(rest, time.Second)
}

// granted is the decision to go ahead with the claim e, which w wrote.
func granted(w write, e Entry, tookOver bool, reason string) Decision {
	if tookOver {
		reason = "taken over from an earlier attempt"
	}
	claim := &Claim{
		TransactionID: e.TransactionID,
		TookOver:      tookOver,
		entry:         e,
		delivery:      w.delivery,
		firstly:       w.firstly,
		claimed:       w.claimed,
	}
	return Decision{Claim: claim, Reason: reason}
}

// told is the decision not to go ahead, with what is known of the entry.
func told(v verdict, reason string, found Entry, now time.Time) Decision {
	switch v {
	case replay:
		found.Result.Replayed = true // the store handed out a copy
		return Decision{Replay: found.Result, Reason: reason}
	case inProgress:
		return Decision{InProgress: true, RetryAfter: retryAfter(found.LeaseUntil, now), Reason: reason}
	case mismatch:
		return Decision{Mismatch: true, Reason: reason}
	}
	return Decision{
		Unknown:       true,
		TransactionID: found.TransactionID,
		Earlier:       found.Result,
		Open:          &Open{found, !found.FirstClaim.IsZero()},
		Reason:        reason,
	}
}
