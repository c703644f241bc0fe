package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// sample is a command of a document and what the document says that it prints.
type sample struct{ line, out string }

// samplesOf are the commands in a document's blocks of console lines, in their order.
func samplesOf(page string) []sample {
	var all []sample
	for _, block := range regexp.MustCompile("(?s)\n```console\n(.*?)```\n").FindAllStringSubmatch(page, -1) {
		for _, part := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			line, out, _ := strings.Cut(strings.TrimSuffix(part, "\n")+"\n", "\n")
			all = append(all, sample{line, out})
		}
	}
	return all
}

// tooLong are the commands whose output no test compares: a simulation takes minutes, and its last line tells how many.
var tooLong = []string{"make simulate", "go test ./internal/simulation"}

// sampleTime is the part of an answer that is another each time.
var sampleTime = regexp.MustCompile(`"at":"[0-9TZ:-]+"`)

// pages are the documents of the repository, with their names.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files := []string{"../../README.md", "../../README.zh-CN.md", "../../examples/README.md"}
	if err := filepath.WalkDir("../../docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(file, "../../")] = string(text)
	}
	return all
}

// TestEveryPrintedSampleIsTrue runs the commands that the documents show with what they print, and compares. Each document
// has gateways and a ledger of its own, as whoever follows it from the top.
func TestEveryPrintedSampleIsTrue(t *testing.T) {
	t.Parallel()
	ran := map[string]int{}
	for file, page := range pages(t) {
		samples := samplesOf(page)
		for _, s := range samples {
			ran[strings.Join(strings.Fields(s.line)[:2], " ")]++
		}
		if len(samples) == 0 {
			continue
		}
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			url, dir := sampleWorld(t), t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "receipt.png"), []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, s := range samples {
				s.isTrue(t, url, dir)
			}
		})
	}
	if ran["make demo"] != 2 || ran["curl -sS"] < 4 || ran["kesu send"] < 4 {
		t.Errorf("some samples were not found: %v", ran)
	}
}

// sampleWorld is what `make run` serves, on another port.
func sampleWorld(t *testing.T) string {
	t.Helper()
	d, err := sandbox.NewDemo(sandbox.Options{CreateOnSight: true, Ledger: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(programs, "functions")
	if err := d.StartFunctions(t.Context(), sandbox.Programs{Reply: filepath.Join(dir, "reply"), Complete: filepath.Join(dir, "complete")}); err != nil {
		t.Fatal(err)
	}
	l, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url, err := d.Serve(l)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func (s sample) isTrue(t *testing.T, url, dir string) {
	t.Helper()
	out, line := s.out, s.line
	switch {
	case slices.ContainsFunc(tooLong, func(long string) bool { return strings.HasPrefix(line, long) }):
		return
	case line == "make demo": // what the compiler is called with stands before it; TestDemoComesOutAsItShould holds the rest
		want, err := os.ReadFile("testdata/demo.txt")
		if err != nil {
			t.Fatal(err)
		}
		if out != "…\n"+string(want) {
			t.Errorf("%s prints\n%s\nand not\n%s", line, want, out)
		}
		return
	case strings.HasPrefix(line, "kesu send "):
		line += " --url " + url
	case strings.HasPrefix(line, "curl "):
		line = strings.ReplaceAll(line, "http://127.0.0.1:3000", url)
		out = strings.ReplaceAll(out, "http://127.0.0.1:3000", url)
	default:
		t.Errorf("no test knows how to run %s", line)
		return
	}
	got, errors, code := shell(t, dir, line, nil)
	if strings.HasPrefix(s.line, "curl ") && got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n" // an answer has none; a document does
	}
	if code != 0 || errors != "" {
		t.Errorf("%s: exit %d\n%s%s", s.line, code, got, errors)
	}
	if same := func(text string) string { return sampleTime.ReplaceAllString(text, `"at":"…"`) }; s.out != "" && same(got) != same(out) {
		t.Errorf("%s prints\n%s\nand not\n%s", s.line, got, out)
	}
}

// TestTheSandboxPrintsWhatItsPageShows fills what kesu sandbox prints with the page's addresses.
func TestTheSandboxPrintsWhatItsPageShows(t *testing.T) {
	at := func(port string) map[string]string { return map[string]string{"URL": "http://127.0.0.1:" + port} }
	var printed strings.Builder
	if err := sandboxWelcome.Execute(&printed, map[string]any{"Dir": "/home/me/kesu-sandbox",
		"Demo": map[string]any{"Primary": at("8721"), "Backup": at("8722"), "ImagecoHost": at("8723")}}); err != nil {
		t.Fatal(err)
	}
	all := pages(t)
	for _, file := range []string{"docs/sandbox.md", "docs/zh-CN/sandbox.md"} {
		if !strings.Contains(all[file], "```text\n"+printed.String()) {
			t.Errorf("%s does not show\n%s", file, printed.String())
		}
	}
}
