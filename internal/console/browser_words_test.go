package console

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// spoken are the files whose texts can reach the page: what is wrong with a request, results, refusals.
var spoken = []string{
	"../../pkg/wire/request.go", "../../pkg/wire/rules.go", "../../pkg/wire/jumpurl.go", "../../pkg/wire/picture.go", "../../pkg/wire/idempotencykey.go",
	"../../pkg/gbk/gbk.go", "../../pkg/strictjson/object.go", "../../internal/pipeline/claim.go", "../../internal/pipeline/pipeline.go", "../../internal/pipeline/look.go", "../../internal/pipeline/lookwhen.go", "../../internal/gateway/client.go",
	"../../functions/reply/reply/judge.go", "../../functions/reply/reply/imageco.go", "../../functions/reply/reply/reply.go", "../../pkg/wire/imageco/message.go", "../../internal/wechatpay/answer.go",
	"../../internal/wechatpay/operations.go", "../../internal/wechatpay/reading.go", "../../internal/wechatpay/respond.go", "../sandbox/apigateway.go", "../sandbox/local.go",
	"../sandbox/delivery.go", "*.go",
}

// silent are texts in those files that no page is told: reasons in the log, and beginnings that others complete.
var silent = regexp.MustCompile(`^(the key was refused|the gateway's answer is signed wrongly|` +
	`it is what the content is filed under|the ledger keeps the one that was sent first|it says how to send and not what|` +
	`never left$|too large$|curl -)`)

// texts finds the sentences in a file: literals of three words or more that begin with a small letter, put together where they
// are, with a word in the place of each value.
func texts(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.ImportSpec, *ast.Field:
			return false
		case *ast.CallExpr:
			if name, ok := x.Fun.(*ast.SelectorExpr); ok && (strings.HasSuffix(name.Sel.Name, "Context") || name.Sel.Name == "LogAttrs" || name.Sel.Name == "warn") {
				return false // a line of the log
			}
		case *ast.BinaryExpr, *ast.BasicLit:
			if text := textOf(x.(ast.Expr)); sentence.MatchString(text) && !silent.MatchString(text) {
				found = append(found, text)
				return false
			}
		}
		return true
	})
	return found
}

var (
	sentence = regexp.MustCompile(`^[a-z][a-z']* [^\n]*[a-z]`)
	verb     = regexp.MustCompile(`%[-+0-9.]*[a-zA-Z]`)
)

// textOf is a literal, or literals and values that are added, as a text.
func textOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.BasicLit:
		if x.Kind == token.STRING {
			text, _ := strconv.Unquote(x.Value) // the parser has read it
			return strings.ReplaceAll(verb.ReplaceAllString(strings.ReplaceAll(text, "%%", "\x00"), "17"), "\x00", "%")
		}
	case *ast.BinaryExpr:
		if x.Op == token.ADD {
			return textOf(x.X) + textOf(x.Y)
		}
	}
	return "17"
}

func TestBrowserSaysInChineseWhatTheServerSaysInEnglish(t *testing.T) {
	b, _ := visit(t, "zh-CN")
	if b == nil {
		return
	}
	var all []string
	for _, pattern := range spoken {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("there is no %s: %v", pattern, err)
		}
		for _, path := range paths {
			if !strings.HasSuffix(path, "_test.go") && path != "explain_engine.go" {
				all = append(all, texts(t, path)...)
			}
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d sentences were found", len(all))
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`(async () => {
		const { toChinese } = await import("/console/server.js");
		window.english = ` + string(text) + `.filter((s) => !/\p{Script=Han}/u.test(toChinese(s)));
	})(), 0`))
	b.is(`window.english !== undefined`)
	for _, s := range evaluate[[]string](b, `window.english`) {
		t.Errorf("the Chinese page says in English: %s", s)
	}
}
