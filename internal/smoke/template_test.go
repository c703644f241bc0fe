package smoke_test

import (
	"os"
	"strings"
	"testing"

	yaml "github.com/oasdiff/yaml3"

	"github.com/kesu-go/kesu/internal/smoke"
)

// TestEachVariableIsCalledLikeItsParameter holds template.yaml to the rule by which the live settings are compared with the
// stack's parameters.
func TestEachVariableIsCalledLikeItsParameter(t *testing.T) {
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	resources := map[string]bool{"LEDGER_TABLE": true, "RESULT_BUS": true}
	seen := 0
	walk(&document, func(n *yaml.Node) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "Variables" || n.Content[i+1].Kind != yaml.MappingNode {
				continue
			}
			set := n.Content[i+1].Content
			for j := 0; j+1 < len(set); j += 2 {
				name, value := set[j].Value, set[j+1]
				seen++
				switch {
				case resources[name], strings.HasPrefix(name, "AWS_ENDPOINT_URL_") && value.Value == "":
				case value.Tag != "!Ref" || !smoke.SameName(name, value.Value):
					t.Errorf("%s is %s %q: kesu smoke would not know where its value comes from", name, value.Tag, value.Value)
				}
			}
		}
	})
	if seen < 15 {
		t.Errorf("%d variables were found", seen)
	}
}

func walk(n *yaml.Node, visit func(*yaml.Node)) {
	if n.Kind == yaml.MappingNode {
		visit(n)
	}
	for _, inner := range n.Content {
		walk(inner, visit)
	}
}
