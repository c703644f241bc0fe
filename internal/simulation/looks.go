package simulation

import (
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// readLine is the name of the pace of reading complaints.
const readLine = "read"

// looks is a call that looks for what became of a reply, as it leaves. w.mu is held.
func (w *world) looks(a *attempt) {
	v := a.v
	w.tally.Looks++
	v.looks++
	w.note(v, "looks "+stepNames[a.step], a.request.URL.Host, int64(v.looks))
	if v.unclear > 0 && !v.kept {
		w.violate(v, KindLooking, "after %d attempts", v.attempts)
	}
	if v.looks > 12 {
		w.violate(v, KindAttempts, "look %d", v.looks)
	}
}

// checkResend is called when an attempt to send a reply leaves. w.mu is held.
func (w *world) checkResend(v *visit) {
	g := v.command.group
	if v.command.action != wire.Reply || !w.merchants[v.command.merchant].readable() {
		return
	}
	switch {
	case g.seenKept:
		w.violate(v, KindAgain, "the ledger had it")
	case !v.resend || len(g.effects) == 0 || g.effects[0].at.After(v.started):
	case v.looks == 0:
		w.violate(v, KindBlind, "it had been shown %s before", time.Since(g.effects[0].at))
	case v.attempts == 1 && v.lastLook.own && v.lastLook.whole && !g.file.twins:
		w.violate(v, KindAgain, "its own look showed it")
	}
}

// checkLook holds what a reply's result says of a look against the truth. w.mu is held.
func (w *world) checkLook(v *visit, r wire.Result) {
	c, g := v.command, v.command.group
	file, evidence := g.file, r.Evidence
	if g.unknownAt.IsZero() && (r.Outcome == wire.Unknown || v.unclear > 0) {
		g.unknownAt = time.Now()
	}
	switch {
	case r.Outcome == wire.Unknown:
		unseen := v.looks > 0 && evidence != nil && evidence.Seen != nil && !*evidence.Seen
		if unseen && v.lastLook.own && v.lastLook.whole && !file.twins {
			w.violate(v, KindShown, "%s", r.Code)
		}
	case r.Outcome != wire.Succeeded:
		g.atDoor = g.atDoor || r.Code == wire.CodeUnknownMerchant || r.Code == wire.CodeMerchantMisconfigured
		return
	case r.Code == wire.CodeSeenInHistory:
		w.checkSeen(v, r)
	}
	if r.Outcome != wire.Succeeded {
		return
	}
	file.succeeded[c] = true
	g.answered = g.answered || r.Code != wire.CodeSeenInHistory && !v.resend
	told, shown := 0, 0
	for other := range file.succeeded {
		if other.content == c.content && other.pictures == c.pictures {
			told++
		}
	}
	for _, i := range file.items {
		if i.visit != nil && i.visit.command.content == c.content && i.visit.command.pictures == c.pictures {
			shown++
		}
	}
	if told > shown {
		w.tally.False++
		w.violate(v, KindFalse, "%d replies with these words are told to have succeeded, the consumer saw them %d times", told, shown)
	}
}

// checkSeen is for a result that says that the reply was seen. Which of two unknown replies with the same words an item
// shows nobody can know, and nobody needs to: each of them is shown as often as it is told to be. w.mu is held.
func (w *world) checkSeen(v *visit, r wire.Result) {
	c, g := v.command, v.command.group
	if g.seen.IsZero() {
		g.seen, g.atOnce = time.Now(), v.attempts > 0
	}
	for _, i := range g.file.items {
		if i.logID != r.Evidence.LogID {
			continue
		}
		owner := g.file.proved[i.logID]
		if i.visit == nil || i.visit.command.content != c.content || i.visit.command.pictures != c.pictures || owner != nil && owner != g {
			break
		}
		if g.file.proved[i.logID] = g; i.visit.command.group != g {
			w.tally.Interchanged++
		}
		return
	}
	w.tally.False++
	w.violate(v, KindFalse, "by the item %s", r.Evidence.LogID)
}

// checkPerson is called when a message of a queue is deleted. w.mu is held.
func (w *world) checkPerson(v *visit) {
	g := v.command.group
	if v.command.action != wire.Reply || v.result.Outcome != wire.Unknown || !v.queued || g.refused || !w.merchants[v.command.merchant].readable() {
		return
	}
	since := g.claimed
	if v.result.Final { // what was claimed then was refused
		since = g.firstClaim
	}
	if age := time.Since(since); age < window-2*replySkew-time.Second {
		w.violate(v, KindPerson, "%s after its claim", age)
	}
}
