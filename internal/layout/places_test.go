package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// quoted is what stands in backquotes.
var quoted = regexp.MustCompile("`([^`]+)`")

// declaration is a declared name: a function, a type, a constant, a variable, or a method after its type.
var declaration = regexp.MustCompile(`^[A-Za-z]\w*(\.[A-Za-z]\w*)?$`)

// declared are the names that a file declares; a method is "Type.Method".
func declared(t *testing.T, file string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "../../"+file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%v", err)
		return nil
	}
	names := map[string]bool{}
	for _, d := range parsed.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = true
				continue
			}
			of := d.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if generic, ok := of.(*ast.IndexExpr); ok {
				of = generic.X
			}
			names[of.(*ast.Ident).Name+"."+d.Name.Name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names[spec.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						names[n.Name] = true
					}
				}
			}
		}
	}
	return names
}

// places checks one line of a document: of the names that stand before a Go file there, each is declared in it. It returns
// how many it saw.
func places(t *testing.T, line string) (seen int) {
	t.Helper()
	var names []string
	folder := ""
	for _, found := range quoted.FindAllStringSubmatch(line, -1) {
		word := found[1]
		switch {
		case strings.HasSuffix(word, ".go"):
			if strings.Contains(word, "/") {
				folder = path.Dir(word)
			} else {
				word = path.Join(folder, word)
			}
			in := declared(t, word)
			for _, n := range names {
				if seen++; !in[n] {
					t.Errorf("%s does not declare %s", word, n)
				}
			}
			names = nil
		case strings.Contains(word, "/"): // a room
			names, folder = nil, word
		case declaration.MatchString(word):
			names = append(names, word)
		}
	}
	return seen
}

func TestEveryDecisionIsWhereTheArchitectureSaysThatItIs(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) == 4 { // a table of two columns: what, and where
			seen += places(t, cells[2])
		}
	}
	if seen < 30 {
		t.Errorf("only %d places were looked at", seen)
	}
}

// The walk of one command may have ten stops, each of which is there.
func TestTheWalkOfACommandIsShortAndTrue(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, walk, ok := strings.Cut(string(text), "## The walk")
	walk, _, _ = strings.Cut(walk, "\n## ")
	stop := regexp.MustCompile(`(?m)^\d+\. .*$`)
	stops := stop.FindAllString(walk, -1)
	if !ok || len(stops) == 0 || len(stops) > 10 {
		t.Fatalf("the walk has %d stops", len(stops))
	}
	for _, s := range stops {
		if places(t, s) == 0 {
			t.Errorf("a stop without a place: %s", s)
		}
	}
}
