package simulation

import (
	"fmt"
	"io"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// lookFate is what became of a reply whose outcome was unknown at some time.
type lookFate uint8

const (
	neverShown  lookFate = iota // no consumer saw it
	answered                    // the gateway's own answer told: to another delivery, or to a repetition
	unreadable                  // its merchant cannot be looked for
	secretGone                  // its merchant's secret was gone or broken when it came again
	seenAtOnce                  // seen by the invocation that sent it
	seenSoon                    // seen within five minutes
	seenLater                   // seen later, and without a person
	leftUnshown                 // the history does not show it, or in other words
	leftLate                    // the history showed it after the last look
	leftTwin                    // another reply has the same words
	leftRefused                 // a look was refused with 403
	leftFailed                  // every look since it was shown failed, or there was no time for one
	lookFates
)

var lookFateNames = [lookFates]string{
	neverShown: "never shown", answered: "answered after all", unreadable: "cannot be looked for",
	secretGone: "its secret was gone", seenAtOnce: "seen by its invocation", seenSoon: "seen within 5 min", seenLater: "seen later",
	leftUnshown: "not in the history", leftLate: "shown after the last look", leftTwin: "same words as another",
	leftRefused: "look refused (403)", leftFailed: "looks failed",
}

// countLooks says of each reply that was unknown what became of it. w is quiet.
func (w *world) countLooks(list []*command) {
	for _, v := range w.visits {
		if g := v.command.group; v.unclear > 0 && !v.done && g.unknownAt.IsZero() {
			g.unknownAt = v.firstSent // its process died
		}
	}
	told := map[*group]bool{}
	for _, c := range list {
		if g := c.group; c.action == wire.Reply && !g.unknownAt.IsZero() && !told[g] {
			told[g] = true
			f := w.lookFate(c, g)
			w.tally.Looking[w.comesBy(c)][f]++
		}
	}
}

// comesBy is the door that a command comes by again: what a pipe makes of a queue's record is an event like any other.
func (w *world) comesBy(c *command) door {
	for _, v := range w.visits {
		if v.command == c && c.door == doorQueue && !v.queued {
			return doorEvent
		}
	}
	return c.door
}

func (w *world) lookFate(c *command, g *group) lookFate {
	var first *item // the reply that nobody asked to send again
	for i, it := range g.file.items {
		if first == nil && it.visit != nil && it.visit.command.group == g && !it.visit.resend {
			first = &g.file.items[i]
		}
	}
	readable := w.merchants[c.merchant].readable()
	seen := !g.seen.IsZero() && (g.resentAt.IsZero() || g.seen.Before(g.resentAt))
	switch {
	case first == nil && !seen:
		return neverShown
	case g.answered && !seen:
		return answered
	case !readable:
		return unreadable
	case seen && g.atOnce:
		return seenAtOnce
	case seen && first != nil && g.seen.Sub(first.at) <= 5*time.Minute:
		return seenSoon
	case seen:
		return seenLater
	case g.atDoor:
		return secretGone
	case first.shown.IsZero() || first.text != c.content:
		return leftUnshown
	case g.file.twins:
		return leftTwin
	case g.refused:
		return leftRefused
	case first.shown.After(g.asked):
		return leftLate
	}
	return leftFailed
}

// Sighted is how many unknown replies reached the consumer of a merchant that can be looked for, and how many of those
// ended as succeeded without a person.
func (t *Tally) Sighted() (reached, ended int) {
	for _, fates := range t.Looking {
		for f := seenAtOnce; f < lookFates; f++ {
			reached += fates[f]
			if f <= seenLater {
				ended += fates[f]
			}
		}
	}
	return reached, ended
}

// PrintLooks writes the table of what became of unknown replies.
func (t *Tally) PrintLooks(out io.Writer) {
	reached, ended := t.Sighted()
	fmt.Fprintf(out, "unknown       %d replies that reached the consumer and can be looked for: %d ended without a person (%.2f %%)\n",
		reached, ended, 100*float64(ended)/float64(max(reached, 1)))
	for f := range lookFates {
		line := ""
		for d := range doors {
			line += fmt.Sprintf("  %s %6d", doorNames[d], t.Looking[d][f])
		}
		fmt.Fprintf(out, "  %-26s%s\n", lookFateNames[f], line)
	}
}
