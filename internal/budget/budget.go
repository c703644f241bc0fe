// Package budget cuts an invocation's time up: how long each thing may take, and what is kept for what comes after it.
// Whoever lets Lambda end an invocation leaves a claim in the ledger that nobody settles, and a caller without an
// answer.
//
// A command:
//
//	start                                                                          Lambda's deadline
//	|-- asking --|-- sending -------------------------|-- looking --|-- settling --|-- publishing --|
//	 secret, claim  attempts and the waits between     after an       ledger         events only    |
//	 and token,     them; end Settling before the      unknown                                      |
//	 side by side   deadline                           reply only                  Answering is kept
//	 |<-- at least half of what is left; ends AfterAsking before the deadline
//
// A notification of WeChat Pay's has [Notification] for everything, whatever Lambda's deadline is:
//
//	start                                                    Notification
//	|-- asking --|-- reading, both hosts --|-- publishing --|-- NotificationSettling --|
package budget

import (
	"context"
	"time"
)

// What a command's parts may take. Each is a bound for something that answers within milliseconds or hangs.
const (
	Secret      = 5 * time.Second        // one reading of a secret, whoever waits for it
	SecretKept  = time.Second            // a reading when a kept secret could serve
	Ledger      = 3 * time.Second        // one question to the ledger
	LedgerUndo  = time.Second            // putting things back after a claim that failed
	Token       = 300 * time.Millisecond // the pace's store, longer than everything that is asked beside it
	TokenFiled  = Ledger                 // the same for a command that goes through the ledger
	TokenWait   = 20 * time.Second       // the longest that an event waits for its token
	Publish     = 3 * time.Second        // the bus
	Visibility  = time.Second            // a favour to a record of a queue
	Prefetching = 2 * time.Second        // everything that is fetched ahead, while Lambda initialises the function
)

// What is kept of an invocation's time.
const (
	AfterAsking = 500 * time.Millisecond // once secret and ledger have been asked, for taking a claim back
	Settling    = 500 * time.Millisecond // no attempt runs later than that before the deadline
	Answering   = 200 * time.Millisecond // for the answer itself
)

// LeastAttempt is the least that an attempt is given. With less than that a request would most likely leave and its
// answer would not be waited for, which turns a reply that could be tried again into one that nobody knows about.
const LeastAttempt = 100 * time.Millisecond

// Fair is the least that Secrets Manager and the ledger must have had before they are blamed for not answering.
const Fair = time.Second

// Looking for a reply that may have been carried out (contract, section 6.1).
const (
	Look      = 3 * time.Second // one look, all its pages and the state
	LookNeeds = time.Second     // with less than that to the deadline none is begun
	LookPause = 2 * time.Second // between the two looks after an attempt
	Looks     = 8 * time.Second // after the attempt, for both together
)

// A notification of WeChat Pay's, and a sweep.
const (
	// Notification is how long a notification may take from the handler's start. WeChat Pay calls again when it was not
	// answered in time; for how long it waits is not on the page of these notifications.
	Notification         = 3500 * time.Millisecond
	NotificationRead     = 2 * time.Second         // reading the complaint, on both hosts together
	NotificationAttempt  = time.Second             // one attempt of that, so that both hosts have their turn
	NotificationSettling = 400 * time.Millisecond  // kept for settling and releasing, of a sweep's time too
	AWS                  = time.Second             // one call to AWS
	ReadKeep             = 2500 * time.Millisecond // what must be left once a read's token was waited for
)

// Asking is how long the secret and the ledger may take before that deadline; at least half of what there is, so that
// what is wrong is told in the contract's order, the deadline last, also when little is left.
func Asking(deadline time.Time) time.Duration {
	left := time.Until(deadline)
	return max(left-AfterAsking, left/2)
}

// Hurried reports whether those who were asked since started were not given a fair time, because the invocation came
// with too little.
func Hurried(ctx context.Context, started time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) <= AfterAsking && deadline.Sub(started) < Fair+AfterAsking
}

// ForAsking is the context for asking Secrets Manager.
func ForAsking(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithTimeout(ctx, Asking(deadline))
	}
	return ctx, func() {}
}

// ForClaiming is the context for a claim. It is cancelled, and its deadline is later than that: the ledger may use the
// time between to take a claim back.
func ForClaiming(ctx context.Context) (context.Context, context.CancelFunc) {
	bound, end := Ledger, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, Asking(deadline))
		ctx, end = context.WithDeadline(ctx, deadline.Add(-Answering))
	}
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(bound, cancel)
	return ctx, func() { timer.Stop(); cancel(); end() }
}

// ForSettling is the context for the ledger's second write: the caller may have gone, the write still matters.
func ForSettling(ctx context.Context) (context.Context, context.CancelFunc) {
	bound := Ledger
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, time.Until(deadline)-Answering)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), bound)
}
