package simulation

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

var (
	commandsFlag = flag.Int("commands", fewCommands, "how many commands TestSimulation carries out")
	seedFlag     = flag.Uint64("seed", 1, "what every world's seed is derived from")
	faultsFlag   = flag.Float64("faults", 0.3, "the share of steps that fail")
	replayFlag   = flag.Uint64("replay", 0, "the seed of one world, which TestReplay runs and tells in full")
)

// plenty is how many commands it takes for everything to have happened, and for a share to mean something.
const plenty = 20_000

// perWorld is how many commands one world is asked to carry out.
const perWorld = 100

// runWorld runs one world in a bubble of its own.
func runWorld(t *testing.T, o Options) (r Report) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { r = Run(o) })
	return r
}

// totals is what became of many worlds.
type totals struct {
	Tally
	digest uint64
	found  []Violation
}

// runWorlds runs as many worlds as the commands need, on every processor, or until enough says so. Each world has a seed
// of its own, so their order does not matter.
func runWorlds(t *testing.T, seed uint64, commands int, o Options, enough func(*totals) bool) *totals {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(1200))
	total := &totals{Tally: newTally()}
	var mu sync.Mutex
	var next atomic.Uint64
	worlds := uint64((commands + perWorld - 1) / perWorld)
	t.Run("worlds", func(t *testing.T) {
		for n := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				for i := next.Add(1) - 1; i < worlds; i = next.Add(1) - 1 {
					mine := o
					mine.Seed, mine.Commands = dice(seed).roll(i, 0, 0), perWorld
					r := runWorld(t, mine)
					mu.Lock()
					total.Add(r.Tally)
					total.digest += r.Digest
					total.found = append(total.found, r.Violations...)
					over := enough(total)
					mu.Unlock()
					if over {
						return
					}
				}
			})
		}
	})
	return total
}

// TestSimulation is the proof: `make simulate` gives it 400,000 commands, `make test` fewer.
func TestSimulation(t *testing.T) {
	begun := time.Now()
	total := runWorlds(t, *seedFlag, *commandsFlag, Options{Faults: *faultsFlag}, func(all *totals) bool { return len(all.found) > 3 })
	var text strings.Builder
	fmt.Fprintf(&text, "\nseed          %d, digest %016x\n", *seedFlag, total.digest)
	total.Print(&text)
	fmt.Fprintf(&text, "wall time     %s on %d processors", time.Since(begun).Round(10*time.Millisecond), runtime.GOMAXPROCS(0))
	t.Log(text.String())
	for _, v := range total.found {
		t.Error(v)
	}
	if total.Duplicates != 0 || total.Losses != 0 {
		t.Errorf("%d duplicates, %d losses", total.Duplicates, total.Losses)
	}
	if total.False != 0 {
		t.Errorf("%d replies were called seen, and no consumer saw them", total.False)
	}
	if total.Settled+total.Kept != total.Commands {
		t.Errorf("of %d commands %d settled and %d are kept", total.Commands, total.Settled, total.Kept)
	}
	if *faultsFlag != 0.3 {
		return
	}
	if missing := total.Missing(); len(missing) > 0 && *commandsFlag >= plenty {
		t.Errorf("some faults never happened: %s", strings.Join(missing, ", "))
	}
	if reached, ended := total.Sighted(); *commandsFlag >= plenty && (reached == 0 || float64(ended) < 0.95*float64(reached)) {
		t.Errorf("of %d unknown replies that could be looked for %d ended without a person", reached, ended)
	}
	if share := float64(total.Faulted()) / float64(total.Steps); share < 0.27 {
		t.Errorf("%.3f of the steps failed, not three of ten", share)
	}
}

// Worlds in which something was wrong once, by what it was. Which events a seed gives changes with the simulation, so the
// rules behind them have tests of their own where they live.
func TestWorldsThatWereWrongOnce(t *testing.T) {
	for name, seed := range map[string]uint64{
		"a reply that was done was told as rejected, because a newer secret's gateway would not take it": 6737839657032474703,
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range runWorld(t, Options{Seed: seed, Commands: perWorld, Faults: 0.3}).Violations {
				t.Error(v)
			}
		})
	}
}

// TestReplay runs one world again and tells everything: the lines that the shipped code logs, and every event.
func TestReplay(t *testing.T) {
	o := Options{Seed: *replayFlag, Commands: perWorld, Faults: *faultsFlag}
	var log, events bytes.Buffer
	o.Log, o.Events = &log, &events
	if o.Seed == 0 {
		o.Seed = dice(*seedFlag).roll(0, 0, 0)
	}
	r := runWorld(t, o)
	o.Log, o.Events = nil, nil
	if quiet := runWorld(t, o); quiet.Digest != r.Digest {
		t.Errorf("told in full the world went another way: digest %016x, and %016x quietly", r.Digest, quiet.Digest)
	}
	for text, buffer := range map[string]*bytes.Buffer{"msg=settled": &log, "msg=attempt": &log, "takes effect": &events} {
		if !strings.Contains(buffer.String(), text) {
			t.Errorf("%q is not in what was told", text)
		}
	}
	if *replayFlag != 0 {
		log.WriteTo(os.Stdout)
		events.WriteTo(os.Stdout)
	}
	for _, v := range r.Violations {
		t.Error(v)
	}
}

func TestTheSameSeedGivesTheSameWorld(t *testing.T) {
	never := func(*totals) bool { return false }
	first := runWorlds(t, 7, fewCommands/20, Options{Faults: 0.3}, never)
	again := runWorlds(t, 7, fewCommands/20, Options{Faults: 0.3}, never)
	other := runWorlds(t, 8, fewCommands/20, Options{Faults: 0.3}, never)
	if first.digest != again.digest {
		t.Errorf("two runs of one seed differ: digests %016x and %016x", first.digest, again.digest)
	}
	if first.digest == other.digest {
		t.Errorf("two seeds give the same digest %016x", first.digest)
	}
}

func TestAWorldDoesNotDependOnTheNumberOfProcessors(t *testing.T) {
	o := Options{Seed: 11, Commands: perWorld, Faults: 0.3}
	many := runWorld(t, o)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if one := runWorld(t, o); one.Digest != many.Digest {
		t.Errorf("on one processor the digest is %016x, on more %016x", one.Digest, many.Digest)
	}
}

func TestWithoutFaultsEveryCommandIsCarriedOutOnce(t *testing.T) {
	total := runWorlds(t, 3, plenty/20, Options{}, func(*totals) bool { return false })
	for _, v := range total.found {
		t.Error(v)
	}
	for code, n := range total.Codes {
		// What is left are wrong requests, rivals for a key, complaints that cannot be completed, rotations that the
		// gateway knows of before Secrets Manager does, duplicates that meet, and the pace, which may also keep a
		// complaint's state from being read.
		allowed := []string{"succeeded 0000", "succeeded OK", "rejected INVALID_REQUEST", "rejected IDEMPOTENCY_MISMATCH", "rejected 6100",
			"rejected SIGN_ERROR", "retryable IN_PROGRESS", "retryable RATE_LIMITED", "unknown RATE_LIMITED"}
		if !slices.Contains(allowed, code) {
			t.Errorf("%d times %s", n, code)
		}
	}
	if succeeded := total.Ended[wire.Succeeded]; succeeded < total.Copies*8/10 {
		t.Errorf("of %d copies %d succeeded", total.Copies, succeeded)
	}
	if total.Kept != total.Unreadable || total.Unreadable == 0 || total.Faulted() > 0 || total.Duplicates > 0 || total.Losses > 0 {
		t.Errorf("%d kept, %d faults, %d duplicates, %d losses", total.Kept, total.Faulted(), total.Duplicates, total.Losses)
	}
}
