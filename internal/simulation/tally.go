package simulation

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Tally counts what happened, in one world or in many.
type Tally struct {
	Worlds, Commands   int
	Settled, Kept      int // commands: settled at least once; still held by a caller or a dead-letter queue
	Copies, KeptCopies int // deliveries and callers of the commands
	Visits, Resends    int // commands in invocations, and of those with resend_unknown
	Steps              int // meetings with the outside
	Attempts           int // calls to a gateway that carry a command out
	Looks              int // calls to WeChat Pay that look for a reply
	False              int // replies that were called seen and were not
	Interchanged       int // replies that were seen by the item of another unknown one with the same words
	Looking            [doors][lookFates]int
	Replies, Resent    int // replies that a consumer saw, and of those by resend_unknown
	Completions        int // completions that the gateway carried out
	Duplicates, Losses int
	Published          int // settled events
	Crashes            int
	Unreadable         int // commands that nobody can read, and that a dead-letter queue has
	AtDoor             int // refused for the secret's sake before the ledger was heard, though done earlier
	Outcomes           map[wire.Outcome]int
	Ended              map[wire.Outcome]int // copies, by the result that settled them
	Codes              map[string]int       // results by outcome and code
	Faults             [steps][faults]int
	Away               map[string]int // attempts that met a host that was away
	Violations         map[string]int
	Virtual            time.Duration
}

func newTally() Tally {
	return Tally{
		Outcomes: map[wire.Outcome]int{}, Ended: map[wire.Outcome]int{}, Codes: map[string]int{}, Away: map[string]int{},
		Violations: map[string]int{},
	}
}

// result counts a result that a process told.
func (t *Tally) result(r wire.Result) {
	t.Outcomes[r.Outcome]++
	t.Codes[string(r.Outcome)+" "+r.Code]++
}

// ended counts the result that settled a copy.
func (t *Tally) ended(r wire.Result) { t.Ended[r.Outcome]++ }

// Add adds another world's counts.
func (t *Tally) Add(o Tally) {
	for _, pair := range []struct {
		to   *int
		from int
	}{
		{&t.Worlds, o.Worlds}, {&t.Commands, o.Commands}, {&t.Settled, o.Settled}, {&t.Kept, o.Kept}, {&t.Copies, o.Copies},
		{&t.KeptCopies, o.KeptCopies}, {&t.Visits, o.Visits}, {&t.Resends, o.Resends}, {&t.Steps, o.Steps},
		{&t.Attempts, o.Attempts}, {&t.Looks, o.Looks}, {&t.False, o.False},
		{&t.Interchanged, o.Interchanged}, {&t.Replies, o.Replies}, {&t.Resent, o.Resent}, {&t.Completions, o.Completions},
		{&t.Duplicates, o.Duplicates}, {&t.Losses, o.Losses}, {&t.Published, o.Published}, {&t.Crashes, o.Crashes}, {&t.AtDoor, o.AtDoor}, {&t.Unreadable, o.Unreadable},
	} {
		*pair.to += pair.from
	}
	for d := range t.Looking {
		for f := range t.Looking[d] {
			t.Looking[d][f] += o.Looking[d][f]
		}
	}
	addTo(t.Outcomes, o.Outcomes)
	addTo(t.Ended, o.Ended)
	addTo(t.Codes, o.Codes)
	addTo(t.Away, o.Away)
	addTo(t.Violations, o.Violations)
	for s := range t.Faults {
		for f := range t.Faults[s] {
			t.Faults[s][f] += o.Faults[s][f]
		}
	}
	t.Virtual += o.Virtual
}

func addTo[K comparable](to, from map[K]int) {
	for k, n := range from {
		to[k] += n
	}
}

// Faulted is how many steps failed.
func (t *Tally) Faulted() int {
	sum := 0
	for s := range t.Faults {
		for _, n := range t.Faults[s] {
			sum += n
		}
	}
	return sum
}

// Missing lists the faults of the menu that never happened.
func (t *Tally) Missing() []string {
	var missing []string
	for s := range menu {
		for _, w := range menu[s] {
			if t.Faults[s][w.fault] == 0 {
				missing = append(missing, stepNames[s]+": "+faultNames[w.fault])
			}
		}
	}
	return missing
}

// Print writes the counts.
func (t *Tally) Print(out io.Writer) {
	p := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	p("commands      %d in %d worlds: %d settled, %d still kept, %d of those because nobody can read them", t.Commands, t.Worlds, t.Settled, t.Kept, t.Unreadable)
	p("deliveries    %d copies of them, %d visits in invocations, %d with resend_unknown", t.Copies, t.Visits, t.Resends)
	p("steps         %d, of which %d failed (%.1f %%), and %d crashes", t.Steps, t.Faulted(), 100*float64(t.Faulted())/float64(max(t.Steps, 1)), t.Crashes)
	p("attempts      %d calls to the gateways, %d of them to a host that was away", t.Attempts, sum(t.Away))
	p("effects       %d replies seen (%d of them sent again with resend_unknown), %d completions, %d settled events", t.Replies, t.Resent, t.Completions, t.Published)
	p("duplicates    %d", t.Duplicates)
	p("losses        %d", t.Losses)
	p("looks         %d calls, %d false sightings, %d seen by another unknown one's item", t.Looks, t.False, t.Interchanged)
	t.PrintLooks(out)
	p("virtual time  %s", t.Virtual.Round(time.Second))
	p("settled as    %s", listing(t.Ended))
	p("all results   %s", listing(t.Outcomes))
	for _, code := range slices.Sorted(maps.Keys(t.Codes)) {
		p("  %-38s %d", code, t.Codes[code])
	}
	if t.AtDoor > 0 {
		p("  (%d were rejected for their secret's sake before the ledger was heard, though done earlier)", t.AtDoor)
	}
	for s := range menu {
		line := ""
		for _, w := range menu[s] {
			line += fmt.Sprintf("; %s %d", faultNames[w.fault], t.Faults[s][w.fault])
		}
		if line != "" {
			p("faults at %-10s %s", stepNames[s], line[2:])
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(t.Violations)) {
		p("BROKEN        %s: %d times", kind, t.Violations[kind])
	}
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

func listing(counts map[wire.Outcome]int) string {
	text := ""
	for _, outcome := range []wire.Outcome{wire.Succeeded, wire.Rejected, wire.Unknown, wire.Retryable} {
		text += fmt.Sprintf("%s %d, ", outcome, counts[outcome])
	}
	return text[:len(text)-2]
}
