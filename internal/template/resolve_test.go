package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/internal/cfn"
)

// resolve works out what can be known before deployment: parameters, conditions, Fn::If and Fn::Sub. References to
// resources stay. given overrides the parameters' defaults.
func resolve(template node, tree any, given map[string]string) any {
	r := resolver{template, given}
	return r.value(tree)
}

type resolver struct {
	template node
	given    map[string]string
}

// noValue stands for AWS::NoValue: the member that has it is left out.
type noValue struct{}

func (r resolver) parameter(name string) (string, bool) {
	if v, ok := r.given[name]; ok {
		return v, true
	}
	value := at(r.template, "Parameters", name, "Default")
	return fmt.Sprint(value), value != nil
}

func (r resolver) value(tree any) any {
	switch v := tree.(type) {
	case []any:
		out := []any{}
		for _, item := range v {
			if item := r.value(item); item != (noValue{}) {
				out = append(out, item)
			}
		}
		return out
	case node:
		if len(v) == 1 {
			for name, argument := range v {
				if out, ok := r.function(name, argument); ok {
					return out
				}
			}
		}
		out := node{}
		for name, item := range v {
			if item := r.value(item); item != (noValue{}) {
				out[name] = item
			}
		}
		return out
	}
	return tree
}

func (r resolver) function(name string, argument any) (any, bool) {
	switch name {
	case "Ref":
		if argument == "AWS::NoValue" {
			return noValue{}, true
		}
		return r.ref(fmt.Sprint(argument))
	case "Fn::If":
		if r.condition(text(argument, 0)) {
			return r.value(at(argument, 1)), true
		}
		return r.value(at(argument, 2)), true
	case "Fn::Join":
		parts, ok := r.texts(at(argument, 1))
		return strings.Join(parts, text(argument, 0)), ok
	case "Fn::Split":
		joined, ok := r.value(at(argument, 1)).(string)
		split := []any{}
		for part := range strings.SplitSeq(joined, text(argument, 0)) {
			split = append(split, part)
		}
		return split, ok
	case "Fn::Sub":
		pattern, ok := argument.(string)
		if !ok {
			pattern = text(argument, 0)
			variables, _ := at(argument, 1).(node)
			for name, value := range variables {
				if value, ok := r.value(value).(string); ok {
					pattern = strings.ReplaceAll(pattern, "${"+name+"}", value)
				}
			}
		}
		for pseudo, value := range r.given {
			pattern = strings.ReplaceAll(pattern, "${"+pseudo+"}", value)
		}
		for _, parameter := range names(at(r.template, "Parameters").(node)) {
			if value, ok := r.parameter(parameter); ok {
				pattern = strings.ReplaceAll(pattern, "${"+parameter+"}", value)
			}
		}
		if strings.Contains(pattern, "${") {
			return node{"Fn::Sub": pattern}, true
		}
		return pattern, true
	}
	return nil, false
}

// texts are the members of a list that is known before deployment. A parameter that is a list is a text with commas.
func (r resolver) texts(tree any) (parts []string, ok bool) {
	switch v := r.value(tree).(type) {
	case string:
		return strings.Split(v, ","), true
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, false
			}
			parts = append(parts, s)
		}
		return parts, true
	}
	return nil, false
}

func (r resolver) ref(name string) (any, bool) {
	value, ok := r.parameter(name)
	return value, ok
}

func (r resolver) condition(name string) bool { return r.test(at(r.template, "Conditions", name)) }

func (r resolver) test(tree any) bool {
	m, _ := tree.(node)
	for name, argument := range m {
		switch name {
		case "Condition":
			return r.condition(fmt.Sprint(argument))
		case "Fn::Equals":
			return fmt.Sprint(r.value(at(argument, 0))) == fmt.Sprint(r.value(at(argument, 1)))
		case "Fn::Not":
			return !r.test(at(argument, 0))
		case "Fn::And":
			for _, part := range list(argument) {
				if !r.test(part) {
					return false
				}
			}
			return true
		case "Fn::EachMemberIn":
			members, _ := r.texts(at(argument, 0))
			in, _ := r.texts(at(argument, 1))
			for _, member := range members {
				if !slices.Contains(in, member) {
					return false
				}
			}
			return true
		case "Fn::Contains":
			members, _ := r.texts(at(argument, 0))
			return slices.Contains(members, fmt.Sprint(r.value(at(argument, 1))))
		case "Fn::Or":
			for _, part := range list(argument) {
				if r.test(part) {
					return true
				}
			}
			return false
		}
	}
	return false
}

// target is the logical id that a Ref, a GetAtt or a plain Fn::Sub leads to; "" when it leads to none.
func target(tree any) string {
	if id := cfn.LogicalID(tree); id != "" {
		return id
	}
	if sub := text(tree, "Fn::Sub"); strings.HasPrefix(sub, "${") {
		id, _, _ := strings.Cut(strings.TrimPrefix(sub, "${"), "}")
		id, _, _ = strings.Cut(id, ".")
		return id
	}
	return ""
}
