package main

import (
	"io"
	"strings"
	"sync"

	"golang.org/x/text/width"
)

// syncWriter lets several functions write to one place, a write at a time.
type syncWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *syncWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// table writes rows in columns that line up on a terminal, where a Chinese character takes two places. paint may add
// colour to a cell once its width is settled.
func table(rows [][]string, paint func(row, column int, cell string) string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(cell))
		}
	}
	var text strings.Builder
	for r, row := range rows {
		line := ""
		for i, cell := range row {
			line += paint(r, i, cell) + strings.Repeat(" ", widths[i]-columns(cell)+2)
		}
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return text.String()
}

// columns is how many places a text takes on a terminal.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
