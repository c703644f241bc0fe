package layout

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/pkg/wire"
)

// references are the reference in each language, with its words for what a member is.
var references = map[string]struct {
	file, request, configuration, needed, allowed string
}{
	"English": {"docs/reference.md", "## The request", "## Configuration", "required", "optional"},
	"Chinese": {"docs/zh-CN/reference.md", "## 请求", "## 配置", "必填", "可选"},
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// literals are the string literals of a Go file for which keep says so.
func literals(t *testing.T, path string, keep func(ast.Node) []ast.Expr) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			return true
		}
		for _, e := range keep(n) {
			if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, text)
			}
		}
		return true
	})
	return found
}

// section is the part of a document below a heading, up to the next of its depth.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n"+heading+"\n")
	if !found {
		t.Fatalf("there is no %q", heading)
	}
	part, _, _ := strings.Cut(rest, "\n## ")
	return part
}

// firstCells are the words in backticks in the first cell of each row of a text's tables, with the row's other cells.
func firstCells(text string) map[string][]string {
	found := map[string][]string{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "\x00"), "|")
		for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[0], -1) {
			found[word[1]] = cells[1:]
		}
	}
	return found
}

// settings reads everything that the functions read of an environment, without what cannot be compared.
func settings(t *testing.T, env map[string]string) []any {
	t.Helper()
	getenv := func(name string) string { return env[name] }
	reply, err1 := config.ReadReply(getenv)
	complete, err2 := config.ReadComplete(getenv)
	watch, err3 := config.ReadWatch(getenv)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	reply.CheckGatewayURL = nil
	return []any{reply, complete, watch}
}

func TestTheReferenceHasEverySettingWithItsDefault(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z][A-Z_]+$`)
	var known []string
	for _, text := range literals(t, "internal/config/config.go", func(n ast.Node) []ast.Expr {
		if spec, ok := n.(*ast.ValueSpec); ok {
			return spec.Values
		}
		return nil
	}) {
		if name.MatchString(text) {
			known = append(known, text)
		}
	}
	if len(known) < 25 {
		t.Fatalf("only %d settings were found: %v", len(known), known)
	}
	for language, r := range references {
		text := section(t, readFile(t, r.file), r.configuration)
		rows := firstCells(text)
		for _, setting := range known {
			if _, told := rows[setting]; !told && !strings.Contains(text, "`"+setting+"`") && !strings.Contains(text, "`"+setting+"=") {
				t.Errorf("%s: %s is not told of", language, setting)
			}
		}
		for setting, cells := range rows {
			if !slices.Contains(known, setting) && setting != "AWS_…" {
				t.Errorf("%s: %s is no setting", language, setting)
			}
			documented := strings.Trim(strings.TrimSpace(cells[0]), "`")
			if documented == "" || documented == "–" {
				continue
			}
			needed := map[string]string{"RESULT_BUS": "bus", "LEDGER_TABLE": "table"}
			given := maps.Clone(needed)
			given[setting] = documented
			if unset, set := settings(t, needed), settings(t, given); !reflect.DeepEqual(unset, set) {
				t.Errorf("%s: %s is not the default of %s", language, documented, setting)
			}
		}
	}
}

func TestTheReferenceHasEveryCodeAndEveryProblemTypeLeadsThere(t *testing.T) {
	codes := literals(t, "pkg/wire/code.go", func(n ast.Node) []ast.Expr {
		if spec, ok := n.(*ast.ValueSpec); ok {
			return spec.Values
		}
		return nil
	})
	places := append(codes, "gateway-refusal")
	for _, document := range []string{"api/openapi.yaml", "pkg/wire/testdata/problem.json"} {
		for _, at := range regexp.MustCompile(`blob/main/([a-zA-Z./-]+)#([A-Za-z_-]+)`).FindAllStringSubmatch(readFile(t, document), -1) {
			if at[1] != references["English"].file {
				t.Errorf("%s: a problem's type leads to %s", document, at[1])
			}
			places = append(places, at[2])
		}
	}
	_, _, body := wire.Result{Outcome: wire.Rejected, Code: wire.CodeInternal}.HTTP()
	if !strings.Contains(string(body), references["English"].file+"#INTERNAL") {
		t.Errorf("a problem's type is not in the reference: %s", body)
	}
	if len(places) < 40 {
		t.Fatalf("only %d places were found", len(places))
	}
	for language, r := range references {
		text := readFile(t, r.file)
		for _, place := range places {
			if strings.Count(text, `<a id="`+place+`">`) != 1 {
				t.Errorf("%s: %s does not stand there once", language, place)
			}
		}
		for _, anchor := range regexp.MustCompile(`<a id="([A-Z_]+)">`).FindAllStringSubmatch(text, -1) {
			if !slices.Contains(places, anchor[1]) {
				t.Errorf("%s: there is no code %s", language, anchor[1])
			}
		}
	}
}

func TestTheReferenceHasEveryMemberOfARequest(t *testing.T) {
	names := literals(t, "pkg/wire/rules.go", func(n ast.Node) []ast.Expr {
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "name" {
				return []ast.Expr{pair.Value}
			}
		}
		return nil
	})
	if len(names) < 12 {
		t.Fatalf("only %d members were found: %v", len(names), names)
	}
	for language, r := range references {
		rows := firstCells(section(t, readFile(t, r.file), r.request))
		for _, name := range names {
			cells := rows[name]
			if len(cells) != 3 {
				t.Errorf("%s: %s is not told of", language, name)
				continue
			}
			for i, action := range []wire.Action{wire.Reply, wire.Complete} {
				if want, got := memberOf(t, action, name), strings.TrimSpace(cells[i]); want != "path" &&
					got != map[string]string{"needed": r.needed, "allowed": r.allowed, "none": "–"}[want] {
					t.Errorf("%s: %s of a %s is %q, and the code says %s", language, name, action, got, want)
				}
			}
		}
	}
}

// memberOf says what a member is to an action: path, needed, allowed or none.
func memberOf(t *testing.T, action wire.Action, name string) string {
	t.Helper()
	if name == "merchant" || name == "complaint_id" {
		return "path"
	}
	problem := func(text string) bool {
		return slices.ContainsFunc(wire.ReadDetail(action, []byte(text)).Problems, func(p wire.Problem) bool {
			return p.Pointer == wire.Pointer(name) && (strings.HasPrefix(p.Detail, "is required") || strings.HasPrefix(p.Detail, "is not a member"))
		})
	}
	switch empty := `{"merchant":"a","complaint_id":"1"}`; {
	case problem(empty):
		return "needed"
	case problem(`{"merchant":"a","complaint_id":"1",` + strconv.Quote(name) + `:""}`):
		return "none"
	}
	return "allowed"
}

func TestTheReferenceHasEveryMemberOfAResultAndOfASecret(t *testing.T) {
	var members []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[wire.Result]()) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" {
			members = append(members, name)
		}
	}
	for path, half := range map[string]string{"imageco": "imageco.go", "wechatpay": "wechatpay.go"} {
		for _, name := range literals(t, "internal/merchant/"+half, func(n ast.Node) []ast.Expr {
			if call, ok := n.(*ast.CallExpr); ok {
				if function, ok := call.Fun.(*ast.Ident); ok && function.Name == "parseHalf" {
					return call.Args[2:]
				}
			}
			return nil
		}) {
			members = append(members, path+"."+name)
		}
	}
	if len(members) < 30 {
		t.Fatalf("only %d members were found: %v", len(members), members)
	}
	for language, r := range references {
		rows := firstCells(readFile(t, r.file))
		for _, name := range append(members, "reply_through") {
			if rows[name] == nil {
				t.Errorf("%s: %s is not told of", language, name)
			}
		}
	}
}

func TestTheReferencesAreTheSameInBothLanguages(t *testing.T) {
	// Blocks of JSON, HTTP and shell are the same to the last byte; so are the words in the tables' first cells.
	blocks := func(text string) []string {
		return regexp.MustCompile("(?s)\n```(?:json|http|sh)\n.*?\n```\n").FindAllString(text, -1)
	}
	english, chinese := readFile(t, references["English"].file), readFile(t, references["Chinese"].file)
	if one, other := blocks(english), blocks(chinese); len(one) < 8 || !slices.Equal(one, other) {
		t.Errorf("%d and %d blocks of code, and they differ", len(one), len(other))
	}
	one, other := firstCells(english), firstCells(chinese)
	for name := range one {
		if other[name] == nil {
			t.Errorf("%s is told of in English alone", name)
		}
	}
	for name := range other {
		if one[name] == nil {
			t.Errorf("%s is told of in Chinese alone", name)
		}
	}
	for _, block := range blocks(english) {
		for _, text := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(block, -1) {
			if !json.Valid([]byte(text[1])) {
				t.Errorf("this is not JSON: %s", text[1])
			}
		}
	}
}
