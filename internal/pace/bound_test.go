package pace

import (
	"container/heap"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
)

// TestInNoMinuteMoreThanTheFigureAndABurst lets many processes with clocks that differ take, use, give back and lose
// tokens, and counts what is used in every minute.
func TestInNoMinuteMoreThanTheFigureAndABurst(t *testing.T) {
	for _, tt := range []struct {
		perMinute, processes int
		clocks               time.Duration // by how much they differ
		unused               float64       // the share of tokens that are given back
		extra                int           // what the clocks and late tokens may add (see the package comment)
	}{
		{60, 1, 0, 0, 0},
		{60, 1, 0, 0.5, 0},
		{60, 2, 0, 0.1, 0},
		{60, 8, 0, 0.5, 0},
		{60, 8, 0, 0.9, 0},
		{12, 5, 0, 0.5, 0},
		{60, 8, 10 * time.Millisecond, 0.5, 1},
		{60, 8, 2 * time.Second, 0.5, 2},
		{60, 8, 30 * time.Second, 0.5, 30},
		{7, 3, 0, 0.5, 0},
		{600, 8, 0, 0.5, 9},
		{1500, 8, 0, 0.5, 24},
	} {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("%d a minute, %d processes, clocks within %s, %g unused, seed %d",
				tt.perMinute, tt.processes, tt.clocks, tt.unused, seed), func(t *testing.T) {
				w := &world{T: t, random: rand.New(rand.NewPCG(seed, 1)), at: noon, interval: time.Minute / time.Duration(tt.perMinute)}
				w.lasts = max(5*time.Minute, 3600*w.interval)
				store := NewMemory()
				for i := range tt.processes {
					skew := time.Duration(0)
					if i > 0 {
						skew = time.Duration(w.random.Int64N(int64(tt.clocks) + 1)).Truncate(time.Microsecond)
					}
					w.paces = append(w.paces, New(Options{PerMinute: tt.perMinute, Store: store, Log: slog.New(slog.DiscardHandler),
						Now: func() time.Time { return w.at.Add(skew) }}))
				}
				w.run(tt.unused)
				burst := max(tt.perMinute/10, 3)
				if most := w.mostInAMinute(); most > tt.perMinute+burst+tt.extra {
					t.Errorf("%d calls in a minute, %d and a burst of %d allow %d", most, tt.perMinute, burst, tt.perMinute+burst+tt.extra)
				}
				// What limits too much is no pace either. A place that is given back too late for anybody to use it is lost.
				if got, least := len(w.used), int((1-tt.unused)*float64(w.lasts/w.interval/3)); got < least {
					t.Errorf("%d calls though there was more than enough to do, want at least %d", got, least)
				}
			})
		}
	}
}

// world is processes, their commands and a clock.
type world struct {
	*testing.T
	random   *rand.Rand
	at       time.Time
	interval time.Duration
	lasts    time.Duration
	paces    []*Pace
	todo     agenda
	used     []time.Time
}

// errand is something to do at a time.
type errand struct {
	at time.Time
	do func()
}

type agenda []errand

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(errand)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func (w *world) later(d time.Duration, do func()) { heap.Push(&w.todo, errand{w.at.Add(d), do}) }

func (w *world) span(most time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(most) + 1)).Truncate(time.Microsecond)
}

// run carries commands out: waves of commands and pauses. The tokens of a wave meet one fate, and often at one time,
// because what is given back all at once, when its places are nearly past, is what tempts a pace most.
func (w *world) run(unused float64) {
	end := w.at.Add(w.lasts)
	var arrive func()
	arrive = func() {
		wave := wave{givesBack: w.random.Float64() < unused, most: w.interval}
		switch w.random.IntN(4) {
		case 0:
			wave.most = 30 * time.Second
		case 1:
			wave.least = w.span(10 * w.interval)
			wave.most = wave.least
		}
		if w.random.IntN(2) == 0 {
			wave.patience = budget.TokenWait
		}
		for range 1 + w.random.IntN(12) {
			w.later(0, func() { w.command(w.paces[w.random.IntN(len(w.paces))], wave) })
		}
		pause := w.span(4 * w.interval)
		if w.random.IntN(20) == 0 {
			pause = w.span(20 * w.interval) // the line becomes idle
		}
		w.later(pause, arrive)
	}
	arrive()
	for w.todo.Len() > 0 && w.at.Before(end) {
		next := heap.Pop(&w.todo).(errand)
		w.at = next.at
		next.do()
	}
}

// wave is what commands that come together have in common.
type wave struct {
	givesBack   bool
	least, most time.Duration // from taking a token to using it or giving it back
	patience    time.Duration
}

// command takes a token, waits for it if it lies ahead, and after a while uses it, gives it back or loses it.
func (w *world) command(p *Pace, wave wave) {
	token, _ := p.take(w.Context(), "acme", wave.patience)
	if token == nil {
		return
	}
	delay := wave.least + w.span(wave.most-wave.least)
	if wave.givesBack {
		w.later(delay, func() { token.pace.giveBack(w.Context(), "acme", token) })
		return
	}
	w.later(max(delay, token.usable().Sub(p.now())), func() {
		if !token.late(p.now()) {
			w.used = append(w.used, w.at)
		}
	})
}

func (w *world) mostInAMinute() int {
	most := 0
	for i, from := range w.used {
		n, _ := slices.BinarySearchFunc(w.used[i:], from.Add(time.Minute), time.Time.Compare)
		most = max(most, n)
	}
	return most
}
