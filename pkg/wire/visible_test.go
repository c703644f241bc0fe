package wire_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/wire"
)

// invisible reads the ranges that another implementation of Unicode's properties made.
func invisible(t *testing.T) func(rune) bool {
	f, err := os.Open("testdata/invisible.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := map[rune]bool{0x2800: true, 0xFFFC: true} // ours, see visible.go
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var from, to rune
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "%X..%X", &from, &to); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		for r := from; r <= to; r++ {
			in[r] = true
		}
	}
	return func(r rune) bool { return in[r] }
}

func TestContentThatShowsNothingIsRefused(t *testing.T) {
	hidden := invisible(t)
	for r := rune(0); r <= 0xFFFF; r++ {
		if !utf8.ValidRune(r) || r == utf8.RuneError {
			continue
		}
		for content, shows := range map[string]bool{string(r): !hidden(r), "\u200b" + string(r) + "\n": !hidden(r), "字" + string(r): true} {
			got := told(wire.ReadHTTP(wire.Reply, post(`{"response_content":`+quote(content)+`}`)).Problems)
			refused := strings.Contains(got, "is only white space") || strings.Contains(got, "has only characters that show nothing")
			if refused == shows {
				t.Errorf("U+%04X in %q: %q", r, content, got)
			}
		}
	}
}
