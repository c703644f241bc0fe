package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheMedianIsTheMiddle(t *testing.T) {
	for _, c := range []struct {
		name string
		of   Sample
		want float64
	}{{"of nothing", nil, 0}, {"of an odd number", Sample{3, 1, 2}, 2}, {"of an even number", Sample{4, 1, 3, 2}, 2.5}} {
		if got := c.of.Median(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestARowSaysWhetherItsTargetIsMet(t *testing.T) {
	for _, c := range []struct {
		name string
		row  Row
		want string
	}{
		{"a ratio within its limit", Row{Ours: Sample{2}, Its: Sample{1}, Limit: 2}, "met"},
		{"a ratio beyond its limit", Row{Ours: Sample{2.1}, Its: Sample{1}, Limit: 2}, "**missed**"},
		{"a rate that is high enough", Row{Ours: Sample{95}, Its: Sample{100}, Limit: 0.9, AtLeast: true}, "met"},
		{"a rate that is too low", Row{Ours: Sample{80}, Its: Sample{100}, Limit: 0.9, AtLeast: true}, "**missed**"},
		{"a count beyond its limit", Row{Ours: Sample{41}, Limit: 40, Absolute: true}, "**missed**"},
		{"no target", Row{Ours: Sample{41}}, "–"},
	} {
		if got := c.row.verdict(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFiguresReplaceTheOnesBeforeAndNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("before\n"+begin+"\nold\n"+end+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := WriteInto(path, "new"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if want := "before\n" + begin + "\n\nnew\n" + end + "\nafter\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if err := os.WriteFile(path, []byte("no place"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteInto(path, "new"); err == nil {
		t.Error("a document without a place for figures was taken")
	}
}

func TestTheDocumentHasAPlaceForFigures(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "performance.md"))
	if err != nil || !strings.Contains(string(text), begin) || !strings.Contains(string(text), end) {
		t.Errorf("docs/performance.md has no place for figures (%v)", err)
	}
}

// One of everything that the figures of the cold path are made of; distance shows in the round trips' parts.
func TestAColdStartIsSplitIntoItsParts(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	const roundTrip = 10 * time.Millisecond
	for _, j := range journeys {
		w, err := NewWorld(t.TempDir(), keys.of(j), roundTrip)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		path, err := Build(t.Context(), root, t.TempDir(), j.program, "")
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.ColdStart(t.Context(), path, j.program, setting{directories: true, ledger: j.program == Reply, env: j.env}, 1)
		if err != nil {
			t.Fatal(err)
		}
		least := milliseconds(roundTrip)
		if c.Connect < 2*least || c.Secret < least || c.Reply < least || c.Start <= 0 || len(c.Warm) != 1 || c.CPU <= 0 {
			t.Errorf("%s: a part is shorter than its round trips: %+v", j.figure, c)
		}
		if sum := c.Connect + c.Secret + c.Dial + c.Reply; sum > c.First {
			t.Errorf("%s: the parts are %.2f ms, the whole %.2f ms", j.figure, sum, c.First)
		}
	}
}
