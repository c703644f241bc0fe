package template

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	yaml "github.com/oasdiff/yaml3"
)

// root is the project's folder, seen from this package's.
const root = "../.."

// node is a mapping of a YAML or JSON document: values are node, []any, string, bool, float64 or nil.
type node = map[string]any

// deployment is everything that is deployed together. Its documents are plain trees, so that a test can put a fault
// into a copy.
type deployment struct {
	template, openapi, asyncapi node
	makefile, runbook           string
	events                      map[string]node // by file name without .json
}

// load reads the deployment of this checkout anew, for a test to do with it what it likes.
func load(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{
		template: parseYAML(t, read(t, "template.yaml")),
		openapi:  parseYAML(t, read(t, "api/openapi.yaml")),
		asyncapi: parseYAML(t, read(t, "api/asyncapi.yaml")),
		makefile: read(t, "Makefile"),
		runbook:  read(t, "docs/runbook.md"),
		events:   map[string]node{},
	}
	files, err := filepath.Glob(filepath.Join(root, "events", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample events: %v", err)
	}
	for _, file := range files {
		var event node
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if err := json.Unmarshal([]byte(read(t, "events/"+filepath.Base(file))), &event); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		d.events[name] = event
	}
	return d
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parseYAML reads a document, with CloudFormation's short forms (!Ref, !Sub …) written out.
func parseYAML(t *testing.T, text string) node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	tree, err := plain(document.Content[0])
	if err != nil {
		t.Fatal(err)
	}
	return tree.(node)
}

func plain(n *yaml.Node) (any, error) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		untagged := *n
		untagged.Tag = ""
		value, err := plain(&untagged)
		return longForm(n.Tag, value), err
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := node{}
		for i := 0; i < len(n.Content); i += 2 {
			name := n.Content[i].Value
			if _, twice := m[name]; twice {
				return nil, fmt.Errorf("line %d: %s stands twice", n.Content[i].Line, name)
			}
			value, err := plain(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[name] = value
		}
		return m, nil
	case yaml.SequenceNode:
		items := []any{}
		for _, item := range n.Content {
			value, err := plain(item)
			if err != nil {
				return nil, err
			}
			items = append(items, value)
		}
		return items, nil
	case yaml.ScalarNode:
		var value any
		err := n.Decode(&value)
		if whole, ok := value.(int); ok {
			return float64(whole), err // as encoding/json reads it
		}
		return value, err
	}
	return nil, fmt.Errorf("line %d: CloudFormation knows no anchors", n.Line)
}

func longForm(tag string, value any) any {
	switch name := strings.TrimPrefix(tag, "!"); name {
	case "Ref", "Condition":
		return node{name: value}
	case "GetAtt":
		if text, ok := value.(string); ok {
			resource, attribute, _ := strings.Cut(text, ".")
			value = []any{resource, attribute}
		}
		return node{"Fn::GetAtt": value}
	default:
		return node{"Fn::" + name: value}
	}
}

// at follows a path of member names, or indexes of lists, and returns nil where it leads nowhere.
func at(tree any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := tree.(node)
			tree = m[step]
		case int:
			list, _ := tree.([]any)
			if step >= len(list) {
				return nil
			}
			tree = list[step]
		}
	}
	return tree
}

func text(tree any, path ...any) string { s, _ := at(tree, path...).(string); return s }

func number(tree any, path ...any) float64 { f, _ := at(tree, path...).(float64); return f }

// list takes a single value for a list of one, as IAM and others do.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// ofType returns the resources of a CloudFormation type by logical id, in order.
func ofType(template node, kind string) (ids []string, resources map[string]node) {
	resources = map[string]node{}
	all, _ := template["Resources"].(node)
	for id, r := range all {
		if text(r, "Type") == kind {
			ids = append(ids, id)
			resources[id], _ = at(r, "Properties").(node)
		}
	}
	slices.Sort(ids)
	return ids, resources
}

// walk calls visit for every mapping in a tree.
func walk(tree any, path string, visit func(path string, m node)) {
	switch v := tree.(type) {
	case node:
		visit(path, v)
		for name, value := range v {
			walk(value, path+"/"+name, visit)
		}
	case []any:
		for i, value := range v {
			walk(value, fmt.Sprintf("%s/%d", path, i), visit)
		}
	}
}

// names returns the sorted names of a mapping.
func names[T any](m map[string]T) []string {
	all := make([]string, 0, len(m))
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
