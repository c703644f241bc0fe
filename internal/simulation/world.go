package simulation

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Options say which world to run.
type Options struct {
	Seed     uint64  // everything in the world follows from it
	Commands int     // how many commands it is asked to carry out
	Faults   float64 // the share of steps that fail, 0 to 1
	Crowd    bool    // all commands are replies of one merchant that stand in a queue from the beginning
	Twins    float64 // the share of replies that say what the one before them says, to the same complaint; 0: a few
	Off      Guards  // what is put around the parts that ship; the zero value is nothing
	// Log gets the lines that the shipped code logs; nil: they are not even made.
	Log io.Writer
	// Events gets every event of the world when it is over; nil: they are not told.
	Events io.Writer
}

// Report is what came of a world.
type Report struct {
	Seed       uint64
	Digest     uint64 // the sum over every event; the same for the same options
	Tally      Tally
	Violations []Violation
	Calls      []time.Duration // of a crowd: when each attempt had a connection, since the world began
}

// world is one small universe: merchants, both gateways, Secrets Manager, a ledger's table, a bus, a queue, and the
// processes that run the shipped code. It lives in one synctest bubble, on virtual time.
type world struct {
	options   Options
	dice      dice
	began     time.Time
	span      time.Duration // the time within which commands are asked for
	merchants []*seller
	enforce   bool // IMAGECO_RESPONSE_SIGN=enforce
	bus       bool // RESULT_BUS is set
	rates     map[wire.Action]int
	buckets   map[string]*bucket // by action and merchant
	paces     *pace.Memory
	memory    ledger.Store // the table that all processes share
	log       *slog.Logger
	owners    atomic.Uint64
	repliers  sync.Map       // *merchant.Replier by the text of its secret
	busy      sync.WaitGroup // everything that was started
	idle      chan func()    // takes work when there is a goroutine without

	mu         sync.Mutex
	fair       bool // the storm is over: nothing fails any more
	slots      map[wire.Action][]*process
	started    uint64 // processes
	nonces     map[string]bool
	tally      Tally
	events     []event
	visits     []*visit
	digest     uint64
	violations []Violation
	calls      []time.Duration
}

// Run runs one world to its end. It must be called in a bubble of testing/synctest.
func Run(o Options) Report {
	w := newWorld(o)
	list := w.commands()
	for _, c := range list {
		w.ask(c)
	}
	w.poll(wire.Reply, list)
	w.poll(wire.Complete, list)
	w.busy.Wait()
	time.Sleep(longestRead) // a reading of a secret goes on when its callers were served by the kept one
	synctest.Wait()         // and it counts what it met; that is read below
	close(w.idle)
	w.judge(list)
	w.tally.Commands = len(list)
	w.tally.Worlds = 1
	w.tally.Virtual = time.Since(w.began)
	if o.Events != nil {
		for _, e := range w.events {
			fmt.Fprintln(o.Events, e)
		}
	}
	return Report{Seed: o.Seed, Digest: w.digest, Tally: w.tally, Violations: w.violations, Calls: w.calls}
}

// longestRead is longer than a reading of a secret may take.
const longestRead = 10 * time.Second

func newWorld(o Options) *world {
	w := &world{
		options: o, dice: dice(o.Seed), began: time.Now(), span: time.Duration(o.Commands) * 4 * time.Second,
		idle: make(chan func()), buckets: map[string]*bucket{}, paces: pace.NewMemory(), slots: map[wire.Action][]*process{}, nonces: map[string]bool{}, tally: newTally(),
		log: slog.New(slog.DiscardHandler), events: make([]event, 0, 32*o.Commands),
	}
	w.memory = watched{ledger.NewMemory(), w}
	if o.Off.Table != nil {
		w.memory = o.Off.Table(w.memory)
	}
	if o.Log != nil {
		w.log = slog.New(slog.NewTextHandler(o.Log, nil))
	}
	w.enforce = w.dice.share(placeWorld, 1, 0) < 0.5
	w.bus = w.dice.share(placeWorld, 2, 0) < 0.7
	w.rates = map[wire.Action]int{
		wire.Reply:    []int{60, 60, 20, 12}[w.dice.roll(placeWorld, 3, 0)%4],
		wire.Complete: []int{1500, 1500, 30, 15}[w.dice.roll(placeWorld, 4, 0)%4],
	}
	if o.Crowd {
		w.rates[wire.Reply] = 60
	}
	for i := range sellers {
		w.merchants = append(w.merchants, w.newSeller(i))
	}
	w.slots[wire.Reply] = make([]*process, 3)
	w.slots[wire.Complete] = make([]*process, 2)
	return w
}

// start runs f beside everything else and lets the world wait for it. Goroutines are used again: growing a new one's
// stack each time took an eighth of all the time.
func (w *world) start(f func()) {
	w.busy.Add(1)
	select {
	case w.idle <- f:
	default:
		go w.work(f)
	}
}

func (w *world) work(f func()) {
	for ok := true; ok; f, ok = <-w.idle {
		f()
		w.busy.Done()
	}
}

// later runs f after a while, whatever becomes of the process that caused it.
func (w *world) later(after time.Duration, f func()) {
	w.start(func() {
		time.Sleep(after)
		f()
	})
}

// fault decides whether and how a step of a visit fails. n tells the visit's steps of one kind apart.
func (w *world) fault(v *visit, s step) (f fault, n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v.steps[s]++
	n = uint64(s)<<32 + v.steps[s]
	w.tally.Steps++
	if w.fair {
		return noFault, n
	}
	f = pick(s, w.options.Faults, w.dice.share(placeFault, v.id, n), w.dice.roll(placeFaultKind, v.id, n))
	if f != noFault {
		w.tally.Faults[s][f]++
		w.note(v, "fault at "+stepNames[s], faultNames[f], 0)
	}
	return f, n
}

// latency is how long a step takes.
func (w *world) latency(v *visit, n uint64, least, most time.Duration) time.Duration {
	return w.dice.span(placeLatency, v.id, n, least, most)
}

// seconds is a duration as a number for a trace.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }
