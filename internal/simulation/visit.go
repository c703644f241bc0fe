package simulation

import (
	"context"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// visit is one command of one invocation: what the pipeline calls Do once.
type visit struct {
	id       uint64 // follows from the command, the copy and the try, so it is the same in every run
	command  *command
	copy     int
	try      int
	resend   bool // with resend_unknown
	otherTxn bool // with another transaction id than the first
	process  *process
	deadline time.Time

	// The rest is written under the world's mutex.
	steps     [steps]uint64
	started   time.Time
	attempts  int // those of looks are not among them
	looks     int // calls to WeChat Pay that looked for the reply
	lastLook  look
	kept      bool // its unknown result is in the ledger
	firstSent time.Time
	unclear   int // attempts after which nobody could know, and whose matter no verified state settled since
	effects   int
	ownPace   map[string]bool // by line: the latest token is not one of all processes
	message   *message        // of a queue
	queued    bool            // it came as a record of a queue
	shown     bool            // its record was to become visible again
	showAfter time.Duration   // after this
	showMet   fault
	done      bool // result is set: the process told it while it was alive
	result    wire.Result
	published wire.Outcome
}

func (w *world) newVisit(c *command, number, try int, resend bool) *visit {
	v := &visit{command: c, copy: number, try: try, resend: resend,
		id: w.dice.roll(placeVisit, uint64(c.index)<<16+uint64(number), uint64(try))}
	v.otherTxn = resend && v.id%4 == 0
	w.mu.Lock()
	defer w.mu.Unlock()
	w.visits = append(w.visits, v)
	w.tally.Visits++
	if resend {
		c.group.resends++
		if c.group.resentAt.IsZero() {
			c.group.resentAt = time.Now()
		}
		w.tally.Resends++
	}
	return v
}

// again reports whether the event of a visit that ended with its result has to come again.
func (v *visit) again() bool {
	unknown := v.result.Outcome == wire.Unknown
	return v.result.Outcome == wire.Retryable || unknown && v.command.repeatable() && !v.result.Final || unknown && v.queued && v.result.LookAgain > 0
}

func (v *visit) where() string {
	if v.process == nil {
		return "nothing"
	}
	return v.process.label()
}

// invocation is what one call of the handler carries: one visit, or the records of a batch.
type invocation struct{ visits []*visit }

// find gives the visit of a request or of a result.
func (i *invocation) find(complaint, content string) *visit {
	for _, v := range i.visits {
		if v.command.group.complaint == complaint && (content == "" || v.command.content == content) {
			return v
		}
	}
	return nil
}

type invocationKey struct{}

type visitKey struct{}

// visitOf is the visit that a context of the shipped code belongs to.
func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}
