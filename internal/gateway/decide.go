package gateway

import (
	"time"

	"github.com/kesu-go/kesu/internal/budget"
)

// Effect is what an attempt did, as far as its answer tells.
type Effect int

const (
	Done      Effect = iota // carried out, and the gateway said so verifiably
	Refused                 // certainly not carried out, and the same request will not be
	NotDone                 // certainly not carried out; the same request may be later
	MaybeDone               // it may have been carried out
)

// Verdict is the judgement of one attempt.
type Verdict struct {
	Effect     Effect
	Code       string // the gateway's own code, or one of ours
	Message    string // fit to be shown
	Verified   bool   // the answer's signature was there and right
	Forged     bool   // the answer's signature was there and wrong, or missing where it must not be
	RequestID  string // the gateway's name for the call
	KeyRefused bool   // the gateway refused the signature: the key may have been changed
	RetryAfter time.Duration
	MediaID    string // WeChat Pay's id of the picture that was uploaded
	LogID      string // WeChat Pay's id of the reply in the complaint's history

	// Final keeps an attempt from being repeated although it might be, because that would not change the answer.
	Final bool
	// Conclusive says that the answer told the state of the thing itself, which speaks for every earlier attempt too.
	Conclusive bool
}

// situation is what, besides the verdict, matters for whether to try again.
type situation struct {
	attempts, max int
	repeatable    bool          // repeating what may have been done is harmless
	wait          time.Duration // before the next attempt
	left          time.Duration // until the last moment at which an attempt may still run
}

// Decision is whether the call is sent again, and why or why not.
type Decision struct {
	Resend bool
	Wait   time.Duration
	Reason string
}

// decide is the one place that says whether a call is repeated.
//
// The first rule comes first: what may have been carried out is repeated only when that is harmless.
func decide(v Verdict, s situation) Decision {
	switch {
	case v.Effect == Done:
		return stop("done")
	case v.Effect == Refused:
		return stop("refused")
	case v.Effect == MaybeDone && !s.repeatable:
		return stop("may have been carried out, and must not be carried out twice")
	case v.Final:
		return stop("asking again would not change the answer")
	case s.attempts >= s.max:
		return stop("attempts used up")
	case s.wait+budget.LeastAttempt > s.left:
		return stop("no time left before the deadline")
	case v.Effect == MaybeDone:
		return Decision{Resend: true, Wait: s.wait, Reason: "may have been carried out; repeating it is harmless"}
	}
	return Decision{Resend: true, Wait: s.wait, Reason: "certainly not carried out"}
}

func stop(reason string) Decision { return Decision{Reason: reason} }
