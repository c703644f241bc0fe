package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// What a reader's screen and head take in.
const (
	lineMost     = 120 // columns, a tab being four
	fileMost     = 300 // lines
	functionMost = 50  // lines
)

// product reports whether a file is one of the product's, which are on a floor.
func product(file string) bool {
	for _, rooms := range floors {
		for _, room := range rooms {
			if filepath.Dir(file) == room {
				return true
			}
		}
	}
	return false
}

func TestTheProductIsReadWithoutScrolling(t *testing.T) {
	out, err := exec.Command("git", "-C", "../..", "ls-files", "*.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range strings.Fields(string(out)) {
		if strings.HasSuffix(file, "_test.go") || !product(file) {
			continue
		}
		seen++
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) > fileMost {
			t.Errorf("%s has %d lines", file, len(lines))
		}
		for i, line := range lines {
			if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > lineMost {
				t.Errorf("%s:%d has %d columns", file, i+1, n)
			}
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > functionMost {
					t.Errorf("%s: %s has %d lines", file, f.Name.Name, n)
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d files were looked at", seen)
	}
}
