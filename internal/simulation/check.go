package simulation

import (
	"fmt"
	"net/http"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"

	"github.com/kesu-go/kesu/pkg/wire"
)

// The promises that a world watches over; doc.go says what each means.
const (
	KindTwice    = "a reply took effect twice"
	KindResent   = "a reply was sent again after an attempt that may have been carried out"
	KindNoEffect = "succeeded without an effect at the gateway"
	KindUndone   = "told as not done, and it was done"
	KindUnclear  = "told as certain, and nobody could know"
	KindNeedless = "told as unknown, and it was certain"
	KindLost     = "a message was deleted without a settled result"
	KindWedged   = "a command did not settle in fair weather"
	KindAttempts = "more attempts than allowed"
	KindDeadline = "an attempt past the deadline"
	KindPace     = "the pace was not kept"
	KindTxn      = "a resend with another transaction id"
	KindReplay   = "a replay that called the gateway"
	KindLate     = "a record did not become visible again when it should"
	KindDropped  = "what nobody can name was taken for done"
	KindAnswer   = "the answer is not the result"
	KindFalse    = "called seen, and no consumer saw it"
	KindShown    = "called unseen, and its look showed it"
	KindAgain    = "sent again although it was seen"
	KindBlind    = "sent again without a look"
	KindPerson   = "left to a person before its window was over"
	KindLooking  = "looked for before its unknown was settled"
	KindOther    = "something else"
)

// margin is what is kept of an invocation's time (contract, section 6).
const margin = 500 * time.Millisecond

// leaves is called before anything of an attempt is sent.
func (w *world) leaves(a *attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, now := a.v, time.Now()
	if a.sends() {
		w.sends(a, now)
	} else {
		w.looks(a)
	}
	end, bounded := a.ctx.Deadline()
	switch last := v.deadline.Add(-margin); {
	case now.After(last):
		w.violate(v, KindDeadline, "it began %s after it", now.Sub(last))
	case !bounded || end.After(last):
		w.violate(v, KindDeadline, "it may run beyond it")
	}
}

// sends is an attempt of the command's own that leaves. w.mu is held.
func (w *world) sends(a *attempt, now time.Time) {
	v := a.v
	w.tally.Attempts++
	w.note(v, "sends "+a.request.Method, a.request.URL.Host, int64(v.attempts))
	v.attempts++
	if v.firstSent.IsZero() {
		v.firstSent = now
	}
	// One more with a newer key, and one more to read the complaint's state (contract, sections 5 and 7).
	if v.attempts > maxAttempts+2 || v.command.action == wire.Reply && v.attempts > maxAttempts+1 {
		w.violate(v, KindAttempts, "attempt %d", v.attempts)
	}
	if a.once() && v.unclear > 0 {
		w.violate(v, KindResent, "attempt %d", v.attempts)
	}
	w.checkResend(v)
}

// paced is called when an attempt has a connection: one that has none is not counted.
func (w *world) paced(a *attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.options.Crowd && a.sends() {
		w.calls = append(w.calls, time.Since(w.began))
	}
	merchant := w.merchants[a.v.command.merchant].name
	kind, rate, now := string(a.p.action), w.rates[a.p.action], time.Now()
	if !a.sends() {
		kind, rate = readLine, readRate
	}
	line := kind + " of " + merchant
	if a.v.ownPace[merchant+"#"+kind] { // the table was asked for the token in vain, so the process keeps a pace of its own
		line += fmt.Sprint(" by process ", a.p.id)
	}
	if w.buckets[line] == nil {
		w.buckets[line] = newBucket(rate, now)
	}
	if !w.buckets[line].take(now) {
		w.violate(a.v, KindPace, "%s at %d a minute", line, rate)
	}
}

// bucket is the contract's pace, that of all processes together: a burst of a tenth of the figure, at least 3, and the
// figure's share of time since. On top of it may come what internal/pace says of late tokens and of clocks that differ.
type bucket struct {
	perSecond, burst, tokens float64
	at                       time.Time
}

func newBucket(perMinute int, now time.Time) *bucket {
	b := &bucket{perSecond: float64(perMinute) / 60, at: now}
	late := max(1, 1/b.perSecond) + networkTime.Seconds() // seconds after a token's place
	b.burst = float64(max(perMinute/10, 3)) + (late+2*maxSkew.Seconds())*b.perSecond
	b.tokens = b.burst
	return b
}

func (b *bucket) take(now time.Time) bool {
	b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.perSecond) - 1
	b.at = now
	return b.tokens > -1e-6
}

// shown is a reply that the consumer sees. w.mu is held.
func (w *world) shown(a *attempt, r replyRequest) {
	v := a.v
	g := v.command.group
	w.tally.Replies++
	w.tookEffect(v)
	w.addReply(v, a.step == stepReply)
	if r.Complaint != g.complaint || r.Content != v.command.content || r.pictures() != v.command.pictures {
		w.violate(v, KindOther, "the consumer saw %q with %d pictures under complaint %s", r.Content, r.pictures(), r.Complaint)
	}
	if g.maybeSent != "" && r.Txn != "" && g.maybeSent != r.Txn {
		w.violate(v, KindTxn, "%s, and before that %s", r.Txn, g.maybeSent)
	}
	g.maybeSent = r.Txn
	if v.effects > 1 {
		w.tally.Duplicates++
		w.violate(v, KindTwice, "by one invocation")
	}
	if v.resend {
		w.tally.Resent++
		return
	}
	if g.plain++; g.plain > 1 {
		w.tally.Duplicates++
		w.violate(v, KindTwice, "by %d invocations without resend_unknown", g.plain)
	}
}

// completed is a complaint that was settled. Settling it again changes nothing. w.mu is held.
func (w *world) completed(v *visit) {
	w.tally.Completions++
	w.tookEffect(v)
	v.command.group.processed = true
}

func (w *world) tookEffect(v *visit) {
	v.effects++
	v.command.group.effects = append(v.command.group.effects, effect{time.Now(), v})
	w.note(v, "takes effect", "", int64(v.effects))
	if v.done && (v.result.Outcome == wire.Rejected || v.result.Outcome == wire.Retryable) {
		w.violate(v, KindUndone, "%s %s, and then it took effect", v.result.Outcome, v.result.Code)
	}
}

// saw counts what the caller of an attempt can know after it. The table is the contract's, sections 4 and 5, by the
// fault that the attempt met, so it shares nothing with the code that judges answers.
func (a *attempt) saw(response *http.Response, err error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	detail := faultNames[a.fault]
	if err != nil {
		detail = err.Error()
	}
	a.w.note(a.v, "sees", detail, 0)
	if !a.sends() {
		if err == nil && response.StatusCode == http.StatusForbidden {
			a.v.command.group.refused = true
		}
		return // what a look meets changes nothing
	}
	clear := !a.connected || a.dead
	if err == nil {
		clear = a.isClear()
	}
	switch {
	case a.step == stepState && err == nil && clear:
		a.v.unclear = 0 // a verified state settles the matter
	case a.step != stepState && (!clear || a.step == stepSettle && err == nil && a.code == messages.InvalidRequest):
		a.v.unclear++ // a completion's INVALID_REQUEST alone is not believed
	}
}

// isClear tells whether an answer that arrived says for certain what became of the request.
func (a *attempt) isClear() bool {
	if a.stray {
		return false
	}
	if a.step == stepState { // only an honest, verified state counts
		return a.code == saysState && (a.fault == noFault || a.fault == slowAnswer)
	}
	switch a.fault {
	case redirects, errorBefore, errorAfter, garbles, cutInAnswer, tooLong:
		return false
	case echoesForeign, foreignNo, timedOut, signTest, staleAnswer:
		return a.honest
	case forges:
		return a.step == stepReply && !a.w.enforce || a.step != stepReply && a.honest
	case unsigned:
		return a.step == stepReply || a.honest
	case accepted:
		return false
	}
	return true
}

// told is a visit's result, at the moment at which the pipeline gives it. A dead process tells nobody.
func (w *world) told(v *visit, r wire.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.process.gone() {
		return
	}
	v.done, v.result = true, r
	w.note(v, "result "+string(r.Outcome), r.Code, int64(r.Attempts))
	w.tally.result(r)
	w.checkResult(v, r)
	if v.command.action == wire.Reply {
		w.checkLook(v, r)
	}
}

// checkResult holds the result against the truth as it is known now; judge does so again at the end.
func (w *world) checkResult(v *visit, r wire.Result) {
	g := v.command.group
	switch {
	case r.Replayed && v.attempts > 0:
		w.violate(v, KindReplay, "%d attempts", v.attempts)
	case r.Attempts != v.attempts && !r.Replayed:
		w.violate(v, KindAnswer, "%d attempts are told, %d were made", r.Attempts, v.attempts)
	}
	switch r.Outcome {
	case wire.Succeeded:
		if r.Code == wire.CodeSeenInHistory {
			return // see checkLook
		}
		if v.command.action == wire.Reply && !w.wasShown(v.command) || v.command.action == wire.Complete && !g.processed {
			w.violate(v, KindNoEffect, "%s", r.Code)
		}
		if v.command.action == wire.Reply && !v.command.immediate && v.unclear > 0 {
			w.violate(v, KindUnclear, "succeeded %s", r.Code)
		}
	case wire.Rejected, wire.Retryable:
		if v.unclear > 0 {
			w.violate(v, KindUnclear, "%s %s", r.Outcome, r.Code)
		}
		if v.effects > 0 {
			w.violate(v, KindUndone, "%s %s", r.Outcome, r.Code)
		}
	case wire.Unknown:
		fresh := v.command.action == wire.Reply && !v.resend && !v.command.immediate || !g.keyed
		if fresh && v.attempts > 0 && v.unclear == 0 {
			w.violate(v, KindNeedless, "%s", r.Code)
		}
	}
}

// wasShown tells whether these very words took effect.
func (w *world) wasShown(c *command) bool {
	for _, e := range c.group.effects {
		if e.visit.command.content == c.content {
			return true
		}
	}
	return false
}

// judge holds every result against the whole truth, when nothing can happen any more. w is quiet.
func (w *world) judge(list []*command) {
	w.countLooks(list)
	for _, v := range w.visits {
		if v.done && v.result.Outcome == wire.Rejected {
			w.judgeRejection(v)
		}
	}
	for _, c := range list {
		switch {
		case c.settled+c.kept != c.copies:
			w.tally.Losses++
			w.violate(&visit{command: c}, KindLost, "of %d copies %d settled and %d are kept", c.copies, c.settled, c.kept)
		case c.unreadable() && c.settled > 0:
			w.tally.Losses++
			w.violate(&visit{command: c}, KindDropped, "%d of %d copies", c.settled, c.copies)
		case c.settled > 0:
			w.tally.Settled++
		default:
			w.tally.Kept++
			if c.unreadable() {
				w.tally.Unreadable++
			}
		}
	}
}

// judgeRejection checks that nothing that was sent before this visit began had an effect, then or later.
//
// Two refusals say nothing about that. A merchant whose secret is gone or broken is refused before the ledger's word
// counts (contract, section 2, order of checks). And a completion without a key has no ledger.
func (w *world) judgeRejection(v *visit) {
	atDoor := v.attempts == 0 && (v.result.Code == wire.CodeUnknownMerchant || v.result.Code == wire.CodeMerchantMisconfigured)
	for _, e := range v.command.group.effects {
		before := e.visit != v && e.visit.command == v.command && !e.visit.firstSent.IsZero() && e.visit.firstSent.Before(v.started)
		switch {
		case !before || !v.command.group.keyed:
		case atDoor:
			w.tally.AtDoor++
			return
		default:
			w.violate(v, KindUndone, "rejected %s, and an earlier attempt took effect", v.result.Code)
			return
		}
	}
}
