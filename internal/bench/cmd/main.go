// Command cmd measures everything that docs/performance.md tells, prints it, and writes it there. See internal/bench.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/kesu-go/kesu/internal/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	rounds := flag.Int("rounds", 10, "how often each figure is measured")
	slice := flag.Duration("slice", 50*time.Millisecond, "how long one measurement of something short takes")
	dry := flag.Bool("n", false, "only print; do not write docs/performance.md's figures and picture, and bin/bench.json")
	only := flag.String("only", "", "only the steps whose name holds this, as the log names them; implies -n")
	flag.Parse()
	root, err := bench.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kesu-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	suite := &bench.Suite{Rounds: *rounds, Slice: *slice, Only: *only, Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	if err := suite.Run(ctx, root, dir); err != nil {
		return err
	}
	fmt.Println(suite.Report.Markdown())
	if *dry || *only != "" {
		return nil
	}
	return writeAll(root, suite.Report)
}

func writeAll(root string, report bench.Report) error {
	text, err := report.JSON()
	if err != nil {
		return err
	}
	for path, content := range map[string][]byte{
		filepath.Join(root, "bin", "bench.json"):               text,
		filepath.Join(root, "docs", "images", "cold-path.svg"): []byte(bench.Picture(report.Cold)),
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return bench.WriteInto(filepath.Join(root, "docs", "performance.md"), report.Markdown())
}
