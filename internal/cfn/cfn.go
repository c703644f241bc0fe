// Package cfn reads CloudFormation's documents, and others in YAML, as plain trees.
package cfn

import (
	"errors"
	"fmt"
	"strings"

	yaml "github.com/oasdiff/yaml3"
)

// Node is a mapping of a document: values are Node, []any, string, bool, float64 or nil, as encoding/json reads them.
type Node = map[string]any

// Read reads a document whose top is a mapping. Short forms (!Ref, !GetAtt A.Arn) are written out ({"Ref": …},
// {"Fn::GetAtt": ["A", "Arn"]}). A name that stands twice and an anchor are errors.
func Read(text []byte) (Node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, errors.New("the document is empty")
	}
	tree, err := plain(document.Content[0])
	if err != nil {
		return nil, err
	}
	root, ok := tree.(Node)
	if !ok {
		return nil, errors.New("the document is no mapping")
	}
	return root, nil
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
		return mapping(n)
	case yaml.SequenceNode:
		items := make([]any, len(n.Content))
		for i, item := range n.Content {
			var err error
			if items[i], err = plain(item); err != nil {
				return nil, err
			}
		}
		return items, nil
	case yaml.ScalarNode:
		var value any
		err := n.Decode(&value)
		if whole, ok := value.(int); ok {
			return float64(whole), err
		}
		return value, err
	}
	return nil, fmt.Errorf("line %d: CloudFormation knows no anchors", n.Line)
}

func mapping(n *yaml.Node) (any, error) {
	m := Node{}
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
}

func longForm(tag string, value any) any {
	switch name := strings.TrimPrefix(tag, "!"); name {
	case "Ref", "Condition":
		return Node{name: value}
	case "GetAtt":
		if text, ok := value.(string); ok {
			resource, attribute, _ := strings.Cut(text, ".")
			value = []any{resource, attribute}
		}
		return Node{"Fn::GetAtt": value}
	default:
		return Node{"Fn::" + name: value}
	}
}

// At follows a path of names and of indices of lists, and returns nil where it leads nowhere.
func At(tree any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := tree.(Node)
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

// LogicalID is the name of the resource that a Ref or a GetAtt leads to; "" when it leads to none.
func LogicalID(tree any) string {
	if id, ok := At(tree, "Ref").(string); ok {
		return id
	}
	id, _ := At(tree, "Fn::GetAtt", 0).(string)
	return id
}
