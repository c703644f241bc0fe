package wire_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/wire"
)

func TestNoGatewayMayGiveACodeOfOurs(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s is no text", spec.Names[0].Name)
		}
		code, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if got := wire.GatewayCode(wire.Imageco, code, redact.Secrets{}); got != "" {
			t.Errorf("翼码 may give the code %s", code)
		}
		got := wire.GatewayCode(wire.WechatPay, code, redact.Secrets{})
		if theirs := code == wire.CodeInvalidRequest; (got == code) != theirs {
			t.Errorf("WeChat Pay's code %s becomes %q", code, got)
		}
		return true
	})
	if found < 20 {
		t.Errorf("found %d codes in code.go", found)
	}
}
