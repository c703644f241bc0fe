package template

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/cfn"
)

// root is the project's folder, seen from this package's.
const root = "../.."

// node is a mapping of a YAML or JSON document.
type node = cfn.Node

// deployment is everything that is deployed together. Its documents are plain trees, so that a test can put a fault
// into a copy.
type deployment struct {
	template, openapi, asyncapi node
	makefile, runbook           string
	events                      map[string]node // by file name without .json
}

// load reads the deployment of this checkout anew, for a test to do with it what it likes, as it is without Watch and without
// alerts.
func load(t *testing.T) *deployment {
	t.Helper()
	d := loadWhole(t)
	d.template = withoutOptions(d.template).(node)
	return d
}

// behindWatch are the conditions that do not hold while Watch is off, behindAlerts those that do not without a webhook.
var (
	behindWatch  = []string{"Watching", "RepliesFirst"}
	behindAlerts = []string{"Alerts", "AlertsOfComplaints"}
)

func isOptional(condition string) bool {
	return slices.Contains(behindWatch, condition) || slices.Contains(behindAlerts, condition)
}

// withoutOptions leaves out what is only there behind a condition of Watch's or of the alerts'.
func withoutOptions(tree any) any {
	switch tree := tree.(type) {
	case node:
		for name, value := range tree {
			if isOptional(text(value, "Fn::If", 0)) {
				value = at(value, "Fn::If", 2)
			}
			if isOptional(text(value, "Condition")) {
				delete(tree, name)
				continue
			}
			tree[name] = withoutOptions(value)
		}
	case []any:
		kept := []any{}
		for _, value := range tree {
			if isOptional(text(value, "Fn::If", 0)) {
				value = at(value, "Fn::If", 2)
				if text(value, "Ref") == "AWS::NoValue" {
					continue
				}
			}
			kept = append(kept, withoutOptions(value))
		}
		return kept
	}
	return tree
}

// loadWhole is load with what stands behind Watch and what sends alerts.
func loadWhole(t *testing.T) *deployment {
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
		var sample any
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if err := json.Unmarshal([]byte(read(t, "events/"+filepath.Base(file))), &sample); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if event, ok := sample.(node); ok { // an array is none of EventBridge's events
			d.events[name] = event
		}
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
	tree, err := cfn.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func at(tree any, path ...any) any { return cfn.At(tree, path...) }

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
