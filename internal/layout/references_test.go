package layout

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository, seen from this package.
const root = "../.."

// tracked lists the repository's files with one of the endings, as paths from its root.
func tracked(t *testing.T, endings ...string) []string {
	t.Helper()
	command := exec.Command("git", "ls-files")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	var files []string
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		for _, ending := range endings {
			if strings.HasSuffix(file, ending) {
				files = append(files, file)
			}
		}
	}
	return files
}

// sections are the numbers of the contract's headings: "6" and "6.1".
func sections(contract string) map[string]bool {
	found := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ ([0-9]+(?:\.[0-9]+)?)\.? `).FindAllStringSubmatch(contract, -1) {
		found[heading[1]] = true
	}
	return found
}

var (
	// A citation may go on over a line's end, behind the mark of a comment.
	citation = regexp.MustCompile(`(?i)\bcontract(?:'s|,)?\s+(?:(?://|#|\*)\s*)?sections?\s+(?:(?://|#|\*)\s*)?([0-9][0-9.]*(?:(?:, | and | to )[0-9][0-9.]*)*)`)
	number   = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?`)
)

// lostCitations are the sections that a text cites and the contract does not have.
func lostCitations(text string, known map[string]bool) []string {
	var lost []string
	for _, cited := range citation.FindAllStringSubmatch(text, -1) {
		for _, section := range number.FindAllString(cited[1], -1) {
			if !known[section] {
				lost = append(lost, section)
			}
		}
	}
	return lost
}

func TestEveryCitedSectionOfTheContractIsThere(t *testing.T) {
	contract, err := os.ReadFile(filepath.Join(root, "docs/contract.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := sections(string(contract))
	if !known["6"] || !known["6.1"] {
		t.Fatalf("the contract's headings were not found: %v", known)
	}
	cited := 0
	for _, file := range tracked(t, ".go", ".md", ".yaml", ".sh", "Makefile") {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if file == "internal/layout/references_test.go" {
			continue
		}
		cited += len(citation.FindAll(text, -1))
		for _, section := range lostCitations(string(text), known) {
			t.Errorf("%s cites section %s of the contract, which is not there", file, section)
		}
	}
	if cited < 50 {
		t.Errorf("only %d citations were found: does the pattern still fit?", cited)
	}
}

func TestACitationThatLeadsNowhereIsFound(t *testing.T) {
	known := map[string]bool{"2": true, "6": true, "6.1": true}
	for text, want := range map[string]string{
		"contract, section 2":                      "",
		"the contract's section 6.1.":              "",
		"contract, sections 2 and 9":               "9",
		"the contract's\n// section 7":             "7",
		"Contract, section 6.2: what is not there": "6.2",
		"the contract with 翼码 has a section 7":     "",
	} {
		if got := strings.Join(lostCitations(text, known), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// name is what looks like a link to a name in a doc comment.
var name = regexp.MustCompile(`\[\*?(?:[a-z]+\.)?[A-Z]\w*(?:\.\w+)?\]`)

// commentsOf are the doc comments of a package's files, with the place of each.
func commentsOf(files []*ast.File) map[token.Pos]string {
	comments := map[token.Pos]string{}
	keep := func(group *ast.CommentGroup) {
		if group != nil {
			comments[group.Pos()] = group.Text()
		}
	}
	for _, file := range files {
		keep(file.Doc)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				keep(n.Doc)
			case *ast.GenDecl:
				keep(n.Doc)
			case *ast.TypeSpec:
				keep(n.Doc)
			case *ast.ValueSpec:
				keep(n.Doc)
			case *ast.Field:
				keep(n.Doc)
			}
			return true
		})
	}
	return comments
}

// symbols are the names that godoc shows for a package: "Name" and "Type.Member".
func symbols(p *doc.Package) map[string]bool {
	known := map[string]bool{}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, n := range v.Names {
				known[n] = true
			}
		}
	}
	funcs := func(list []*doc.Func) {
		for _, f := range list {
			known[f.Name] = true
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs)
	for _, typ := range p.Types {
		known[typ.Name] = true
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs)
		for _, m := range typ.Methods {
			known[typ.Name+"."+m.Name] = true
		}
		ast.Inspect(typ.Decl, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok {
				for _, n := range field.Names {
					known[typ.Name+"."+n.Name] = true
				}
			}
			return true
		})
	}
	return known
}

type parsedPackage struct {
	files   []*ast.File
	symbols map[string]bool
}

func parsePackages(t *testing.T, fset *token.FileSet) map[string]*parsedPackage {
	t.Helper()
	byFolder := map[string]*parsedPackage{}
	for _, file := range tracked(t, ".go") {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "bench/") {
			continue
		}
		parsed, err := parser.ParseFile(fset, filepath.Join(root, file), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Dir(file)
		if byFolder[folder] == nil {
			byFolder[folder] = &parsedPackage{}
		}
		byFolder[folder].files = append(byFolder[folder].files, parsed)
	}
	for folder, p := range byFolder {
		documented, err := doc.NewFromFiles(fset, p.files, module+folder, doc.AllDecls|doc.PreserveAST)
		if err != nil {
			t.Fatalf("%s: %v", folder, err)
		}
		p.symbols = symbols(documented)
	}
	return byFolder
}

func TestEveryNameLinkedInADocCommentCanBeResolved(t *testing.T) {
	fset := token.NewFileSet()
	packages := parsePackages(t, fset)
	links := 0
	for _, p := range packages {
		imports := importsOf(p.files)
		parser := comment.Parser{
			LookupSym: func(recv, name string) bool {
				if recv != "" {
					name = recv + "." + name
				}
				return p.symbols[name]
			},
			LookupPackage: func(name string) (string, bool) {
				path, ok := imports[name]
				return path, ok
			},
		}
		for at, text := range commentsOf(p.files) {
			for _, link := range linksOf(parser.Parse(text).Content) {
				switch link := link.(type) {
				case comment.Plain:
					for _, lost := range name.FindAllString(string(link), -1) {
						t.Errorf("%s: %s leads nowhere", fset.Position(at), lost)
					}
				case *comment.DocLink:
					links++
					target, ours := packages[strings.TrimPrefix(link.ImportPath, module)]
					symbol := strings.TrimPrefix(link.Recv+"."+link.Name, ".")
					if link.ImportPath != "" && ours && link.Name != "" && !target.symbols[symbol] {
						t.Errorf("%s: %s has no %s", fset.Position(at), link.ImportPath, symbol)
					}
				}
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links were found", links)
	}
}

// importsOf are the packages that a package's files import, by the name that they are called by.
func importsOf(files []*ast.File) map[string]string {
	imports := map[string]string{}
	for _, file := range files {
		for _, i := range file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			called := path[strings.LastIndex(path, "/")+1:]
			if i.Name != nil {
				called = i.Name.Name
			}
			imports[called] = path
		}
	}
	return imports
}

// linksOf are the links in a comment, and its plain text, where a link that was not resolved still stands as it was written.
func linksOf(blocks []comment.Block) []comment.Text {
	var found []comment.Text
	for _, block := range blocks {
		switch block := block.(type) {
		case *comment.Paragraph:
			found = append(found, block.Text...)
		case *comment.Heading:
			found = append(found, block.Text...)
		case *comment.List:
			for _, item := range block.Items {
				found = append(found, linksOf(item.Content)...)
			}
		}
	}
	return found
}
