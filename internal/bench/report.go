package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Report is everything that one run measured.
type Report struct {
	Machine Machine
	Rows    []Row
	Extra   []Row // without targets
	Cold    []Parts
	Scale   []Scale
	Roots   int // certificates in the bundle
}

// The lines of docs/performance.md between which a run writes its figures.
const (
	begin = "<!-- figures: begin (written by make bench) -->"
	end   = "<!-- figures: end -->"
)

// WriteInto replaces the figures in a document.
func WriteInto(path, figures string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok1 := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return errors.New(path + " has no place for figures")
	}
	return os.WriteFile(path, []byte(head+begin+"\n\n"+figures+"\n"+end+tail), 0o644)
}

// JSON is the report for machines.
func (r Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", " ")
	return append(text, '\n'), err
}

// Markdown is the report for people.
func (r Report) Markdown() string {
	var b bytes.Buffer
	m := r.Machine
	fmt.Fprintf(&b, "Measured %s at commit %s with %s on %s, %d cores (%s); load %s before and %s after. Medians, with least and most in brackets.\n\n",
		m.At.Format("2006-01-02 15:04 UTC"), m.Commit, m.Go, m.System, m.Cores, m.Processor, m.LoadBefore, m.LoadAfter)
	b.WriteString("| figure | measured | yardstick | yardstick measured | ratio | target | |\n|---|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		writeRow(&b, row, true)
	}
	b.WriteString("\n### The cold path in parts\n\nOne start and the first completion or reply, prefetch off, 20 ms a round trip, medians in ms. ")
	b.WriteString("A reply keeps its ledger and its pace in DynamoDB.\n\n| | start | connect to Secrets Manager, roots included | the secret | wait for the gateway's connection, sign | the call | answer, settle | sum | processor time |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range r.Cold {
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f |\n", p.Name, p.Start, p.Connect, p.Secret, p.Gateway, p.Call, p.After, p.Total(), p.CPU)
	}
	fmt.Fprintf(&b, "\n### `SSL_CERT_DIR`\n\nThe bundle holds %d certificates. Amazon Linux 2023 keeps it in one file and links it from two directories, and crypto/x509 reads all three.\n\n", r.Roots)
	b.WriteString("| figure | measured | yardstick | yardstick measured | ratio |\n|---|---|---|---|---|\n")
	for _, row := range r.Extra {
		writeRow(&b, row, false)
	}
	b.WriteString("\n### Scale\n\n| what there is more of | how many | cost | heap, a merchant |\n|---|---|---|---|\n")
	for _, s := range r.Scale {
		share := "–"
		if s.Bytes != 0 {
			share = fmt.Sprintf("%.1f KiB", s.Bytes/1024)
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", s.What, s.N, cell(s.Cost, s.Unit), share)
	}
	return b.String()
}

func writeRow(b *bytes.Buffer, r Row, targets bool) {
	figure := r.Figure
	if r.Note != "" {
		figure += " (" + r.Note + ")"
	}
	yardstick := r.Yardstick
	if yardstick == "" {
		yardstick = "–"
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |", figure, cell(r.Ours, r.Unit), yardstick, cell(r.Its, r.Unit), r.ratio())
	if targets {
		fmt.Fprintf(b, " %s | %s |", r.target(), r.verdict())
	}
	b.WriteString("\n")
}
