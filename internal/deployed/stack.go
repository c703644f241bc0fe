package deployed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/internal/cfn"
)

// stack is the template with parameters.
type stack struct {
	template cfn.Node
	given    map[string]string
}

func (s *stack) check() error {
	for name := range s.given {
		if cfn.At(s.template, "Parameters", name) == nil {
			return fmt.Errorf("template.yaml has no parameter %s", name)
		}
	}
	return nil
}

// parameter is the value of a parameter, and false for one without a value.
func (s *stack) parameter(name string) (string, bool) {
	if v, ok := s.given[name]; ok {
		return v, true
	}
	value := cfn.At(s.template, "Parameters", name, "Default")
	return fmt.Sprint(value), value != nil
}

// stands reports whether a resource is deployed.
func (s *stack) stands(resource cfn.Node) bool {
	condition, ok := resource["Condition"].(string)
	return !ok || s.condition(condition)
}

func (s *stack) condition(name string) bool { return s.test(cfn.At(s.template, "Conditions", name)) }

func (s *stack) test(tree any) bool {
	if name, ok := cfn.At(tree, "Condition").(string); ok {
		return s.condition(name)
	}
	if both, ok := cfn.At(tree, "Fn::Equals").([]any); ok && len(both) == 2 {
		return fmt.Sprint(s.value(both[0])) == fmt.Sprint(s.value(both[1]))
	}
	if one, ok := cfn.At(tree, "Fn::Not").([]any); ok && len(one) == 1 {
		return !s.test(one[0])
	}
	if all, ok := cfn.At(tree, "Fn::And").([]any); ok {
		return !slices.ContainsFunc(all, func(part any) bool { return !s.test(part) })
	}
	some, _ := cfn.At(tree, "Fn::Or").([]any)
	return slices.ContainsFunc(some, s.test)
}

// value works out what is known before deployment: parameters, Fn::If, and Fn::Sub over parameters. What AWS::NoValue stands
// for is left out; references to resources stay.
func (s *stack) value(tree any) any {
	switch v := tree.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			if known := s.value(item); known != nil {
				list = append(list, known)
			}
		}
		return list
	case cfn.Node:
		if len(v) == 1 {
			if known, ok := s.function(v); ok {
				return known
			}
		}
		m := cfn.Node{}
		for name, item := range v {
			if known := s.value(item); known != nil {
				m[name] = known
			}
		}
		return m
	}
	return tree
}

func (s *stack) function(call cfn.Node) (any, bool) {
	if name, ok := call["Ref"].(string); ok {
		if name == "AWS::NoValue" {
			return nil, true
		}
		return s.parameter(name)
	}
	if choice, ok := call["Fn::If"].([]any); ok && len(choice) == 3 {
		if s.condition(fmt.Sprint(choice[0])) {
			return s.value(choice[1]), true
		}
		return s.value(choice[2]), true
	}
	if pattern, ok := call["Fn::Sub"].(string); ok {
		return s.filled(pattern), true
	}
	return nil, false
}

// filled puts parameters into a pattern of Fn::Sub. A piece that no parameter is for stays as it is.
func (s *stack) filled(pattern string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		if value, ok := s.parameter(name); ok {
			out.WriteString(value)
		} else {
			out.WriteString("${" + name + "}")
		}
		pattern = after
	}
}
