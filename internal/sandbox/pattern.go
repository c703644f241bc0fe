package sandbox

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Pattern is a rule's EventPattern. It knows exact values, prefix, anything-but (values, or a prefix), exists, and numeric:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
type Pattern map[string]any

// ReadPattern reads a pattern, and refuses one that it does not know how to play.
func ReadPattern(text []byte) (Pattern, error) {
	var p Pattern
	if json.Unmarshal(text, &p) != nil || len(p) == 0 {
		return nil, errors.New("the pattern is no JSON object with members")
	}
	return p, p.check()
}

func (p Pattern) check() error {
	for name, want := range p {
		switch want := want.(type) {
		case map[string]any:
			if err := Pattern(want).check(); err != nil {
				return err
			}
		case []any:
			for _, w := range want {
				if operator, ok := w.(map[string]any); ok && !knownOperator(operator) {
					return errors.New("the pattern's operator for " + name + " is not played here")
				}
			}
		default:
			return errors.New("the pattern's " + name + " is neither a list nor an object")
		}
	}
	return nil
}

func knownOperator(operator map[string]any) bool {
	known := []string{"prefix", "anything-but", "exists", "numeric"}
	for name := range operator {
		if len(operator) != 1 || !slices.Contains(known, name) {
			return false
		}
	}
	return len(operator) == 1
}

// Matches reports whether a rule with this pattern takes an event.
func (p Pattern) Matches(event Event) bool {
	text, err := json.Marshal(event)
	var tree map[string]any
	return err == nil && json.Unmarshal(text, &tree) == nil && p.matches(tree)
}

func (p Pattern) matches(tree map[string]any) bool {
	for name, want := range p {
		got, there := tree[name]
		switch want := want.(type) {
		case map[string]any:
			inner, _ := got.(map[string]any)
			if !Pattern(want).matches(inner) {
				return false
			}
		case []any:
			if !slices.ContainsFunc(want, func(w any) bool { return matchesOne(w, got, there) }) {
				return false
			}
		}
	}
	return true
}

// matchesOne compares one value of a pattern. An array of the event's matches when one of its items does.
func matchesOne(want, got any, there bool) bool {
	if operator, ok := want.(map[string]any); ok {
		if exists, ok := operator["exists"].(bool); ok {
			return exists == there
		}
	}
	if list, ok := got.([]any); ok {
		return slices.ContainsFunc(list, func(item any) bool { return matchesOne(want, item, true) })
	}
	operator, ok := want.(map[string]any)
	if !ok {
		return there && want == got
	}
	word, isText := got.(string)
	if prefix, ok := operator["prefix"].(string); ok {
		return isText && strings.HasPrefix(word, prefix)
	}
	if bounds, ok := operator["numeric"].([]any); ok {
		number, isNumber := got.(float64)
		return isNumber && within(number, bounds)
	}
	switch but := operator["anything-but"].(type) {
	case map[string]any:
		prefix, _ := but["prefix"].(string)
		return isText && !strings.HasPrefix(word, prefix)
	case []any:
		return there && !slices.Contains(but, got)
	default:
		return there && but != got
	}
}

// within reports whether a number is in [">", 0, "<=", 5].
func within(number float64, bounds []any) bool {
	for i := 0; i+1 < len(bounds); i += 2 {
		bound, _ := bounds[i+1].(float64)
		holds := map[any]bool{"=": number == bound, ">": number > bound, ">=": number >= bound, "<": number < bound, "<=": number <= bound}
		if !holds[bounds[i]] {
			return false
		}
	}
	return len(bounds) > 0
}
