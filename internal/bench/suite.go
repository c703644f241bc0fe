package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Suite is one run of everything.
type Suite struct {
	Rounds int           // how often each figure is measured; ten at least, for a median that can be quoted
	Slice  time.Duration // how long one measurement of something short takes
	Only   string        // the steps whose name holds it; empty: all
	Log    func(format string, args ...any)

	root, dir string
	paths     map[string]string
	keys      *Keys

	Report Report
}

// distance is the round trip of the row with latency.
const distance = 20 * time.Millisecond

// Run measures everything; dir is for what is built, and emptied by the caller.
func (s *Suite) Run(ctx context.Context, root, dir string) (err error) {
	s.root, s.dir, s.paths = root, dir, map[string]string{}
	s.Report.Machine = ThisMachine(ctx, root)
	for _, program := range []string{Bare, Reply, Complete, Watch} {
		if s.paths[program], err = Build(ctx, root, filepath.Join(dir, "bin"), program, ""); err != nil {
			return err
		}
	}
	if s.keys, err = NewKeys(); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"sizes", s.sizes}, {"start", s.start}, {"first invocation", s.first}, {"at a distance", s.far}, {"a lost answer", s.lost}, {"a notification", s.heard}, {"certificates", s.certificates},
		{"memory", s.memory}, {"warm, in memory", s.warm}, {"warm, loopback TLS", s.loopback}, {"allocations", s.allocations},
		{"throughput", s.throughput}, {"merchants", s.merchants}, {"batches and concurrency", s.batches},
	} {
		if !strings.Contains(step.name, s.Only) {
			continue
		}
		started := time.Now()
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		s.Log("%-24s %5.1f s", step.name, time.Since(started).Seconds())
	}
	s.Report.Machine.LoadAfter = load()
	return nil
}

func (s *Suite) row(r Row) {
	s.Report.Rows = append(s.Report.Rows, r)
	s.Log("  %-70s %s %s", r.Figure, cell(r.Ours, r.Unit), r.ratio())
}

// world makes a world in a directory of its own.
func (s *Suite) world(roundTrip time.Duration) (*World, error) { return s.worldOf(s.keys, roundTrip) }

// worldOf makes it for a merchant with these keys.
func (s *Suite) worldOf(keys *Keys, roundTrip time.Duration) (*World, error) {
	dir, err := os.MkdirTemp(s.dir, "world")
	if err != nil {
		return nil, err
	}
	return NewWorld(dir, keys, roundTrip)
}

func (s *Suite) sizes(ctx context.Context) error {
	const MB = 1e6
	weigh := func(program string) (Size, error) {
		path, err := Build(ctx, s.root, filepath.Join(s.dir, "bin"), program, "arm64")
		if err != nil {
			return Size{}, err
		}
		return SizeOf(path)
	}
	bare, err := weigh(Bare)
	if err != nil {
		return err
	}
	for _, program := range []string{Reply, Complete} {
		size, err := weigh(program)
		if err != nil {
			return err
		}
		name := filepath.Base(program)
		s.row(Row{Figure: name + ": binary, stripped, arm64", Yardstick: "the bare handler: " + number(float64(bare.Binary)/MB) + " MB",
			Unit: "MB", Ours: Sample{float64(size.Binary) / MB}, Limit: BinaryLimit / MB, Absolute: true})
		s.row(Row{Figure: name + ": zip, arm64", Yardstick: "the bare handler: " + number(float64(bare.Zip)/MB) + " MB",
			Unit: "MB", Ours: Sample{float64(size.Zip) / MB}, Limit: ZipLimit / MB, Absolute: true})
	}
	return nil
}

// The limits of a function's size in bytes, for arm64.
const (
	BinaryLimit = 13_500_000
	ZipLimit    = 4_800_000
)

// start measures exec → first poll. The first run of each program is thrown away: it reads the file from the disk.
func (s *Suite) start(ctx context.Context) error {
	w, err := s.world(0)
	if err != nil {
		return err
	}
	defer w.Close()
	took := map[string]Sample{}
	programs := []string{Bare, Reply, Complete}
	for round := range 3*s.Rounds + 1 {
		for _, program := range programs {
			p, err := start(ctx, s.paths[program], w.environment(setting{directories: true}))
			if err != nil {
				return err
			}
			if round > 0 {
				took[program] = append(took[program], milliseconds(p.ready.Sub(p.started)))
			}
			p.stop()
		}
	}
	for _, program := range programs[1:] {
		s.row(Row{Figure: filepath.Base(program) + ": exec → first `/next`, prefetch off", Yardstick: "a bare `aws-lambda-go` handler",
			Unit: "ms", Ours: took[program], Its: took[Bare], Limit: 2.5})
	}
	return nil
}

// first measures the first invocation after a prefetch beside the warm ones of the same process.
func (s *Suite) first(ctx context.Context) error {
	w, err := s.world(0)
	if err != nil {
		return err
	}
	defer w.Close()
	for _, program := range []string{Reply, Complete} {
		var first, warm Sample
		for range 2 * s.Rounds {
			c, err := w.ColdStart(ctx, s.paths[program], program, setting{prefetch: true, directories: true}, 30)
			if err != nil {
				return err
			}
			first, warm = append(first, c.First-c.Own), append(warm, c.Warm.Median())
		}
		s.row(Row{Figure: filepath.Base(program) + ": first invocation, prefetch on, without the gateway's own time", Yardstick: "the median warm one of the same process",
			Unit: "ms", Ours: first, Its: warm, Limit: 1.5})
	}
	return s.firstBare(ctx)
}

// firstBare shows what of a first invocation is the Go runtime's and aws-lambda-go's own.
func (s *Suite) firstBare(ctx context.Context) error {
	var first, warm Sample
	for range 2 * s.Rounds {
		p, err := start(ctx, s.paths[Bare], nil)
		if err != nil {
			return err
		}
		var all Sample
		for range 31 {
			i, err := p.invoke([]byte("{}"), "{}")
			if err != nil {
				p.stop()
				return err
			}
			all = append(all, milliseconds(i.took()))
		}
		p.stop()
		first, warm = append(first, all[0]), append(warm, all[1:].Median())
	}
	s.row(Row{Figure: "the bare handler: first invocation", Yardstick: "the median warm one of the same process", Unit: "ms", Ours: first, Its: warm})
	return nil
}

// memory measures what is resident after a thousand warm invocations.
func (s *Suite) memory(ctx context.Context) error {
	w, err := s.world(0)
	if err != nil {
		return err
	}
	defer w.Close()
	const invocations = 1000
	resident := map[string]Sample{}
	rounds := max(3, s.Rounds/3)
	for range rounds {
		for _, program := range []string{Bare, Reply, Complete} {
			p, err := start(ctx, s.paths[program], w.environment(setting{directories: true}))
			if err != nil {
				return err
			}
			for i := range invocations {
				want := `"succeeded"`
				if program == Bare {
					want = "{}"
				}
				if _, err := p.invoke(event(program, i), want); err != nil {
					p.stop()
					return err
				}
			}
			bytes, err := p.resident()
			p.stop()
			if err != nil {
				return err
			}
			resident[program] = append(resident[program], bytes/1e6)
		}
	}
	for _, program := range []string{Reply, Complete} {
		s.row(Row{Figure: filepath.Base(program) + ": resident memory after 1,000 warm invocations", Yardstick: "the bare handler",
			Unit: "MB", Ours: resident[program], Its: resident[Bare], Limit: 2, Note: fmt.Sprintf("%d processes each", rounds)})
	}
	return nil
}

// cores runs f with so many processors and then with all of them again.
func cores(n int, f func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	f()
}
