// Package deployed reads template.yaml for a world on one machine: the rules of the bus, with their input transformers, as a
// stack with given parameters would have them.
package deployed

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kesu-go/kesu/internal/cfn"

	"github.com/kesu-go/kesu"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// Rules are the enabled rules of the bus. Events go straight to the functions, as with EventDelivery direct. A parameter that
// the template does not have is an error.
func Rules(parameters map[string]string) ([]sandbox.BusRule, error) {
	return rules(kesu.Template, parameters)
}

func rules(template []byte, parameters map[string]string) ([]sandbox.BusRule, error) {
	tree, err := cfn.Read(template)
	if err != nil {
		return nil, err
	}
	given := maps.Clone(parameters)
	if given == nil {
		given = map[string]string{}
	}
	if given["EventDelivery"] == "" {
		given["EventDelivery"] = "direct"
	}
	s := &stack{template: tree, given: given}
	if err := s.check(); err != nil {
		return nil, err
	}
	resources, _ := tree["Resources"].(cfn.Node)
	var found []sandbox.BusRule
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		resource, _ := resources[id].(cfn.Node)
		if !s.stands(resource) {
			continue
		}
		var some []sandbox.BusRule
		switch resource["Type"] {
		case "AWS::Events::Rule":
			some, err = s.rule(id, cfn.At(resource, "Properties"))
		case "AWS::Serverless::Function":
			some, err = s.functionEvents(id, cfn.At(resource, "Properties", "Events"))
		}
		if err != nil {
			return nil, fmt.Errorf("template.yaml: %s: %w", id, err)
		}
		found = append(found, some...)
	}
	return found, nil
}

// rule reads one rule and its targets. A rule on a schedule has no pattern.
func (s *stack) rule(id string, properties any) ([]sandbox.BusRule, error) {
	if s.value(cfn.At(properties, "EventPattern")) == nil || s.value(cfn.At(properties, "State")) == "DISABLED" {
		return nil, nil
	}
	pattern, err := s.pattern(cfn.At(properties, "EventPattern"))
	if err != nil {
		return nil, err
	}
	targets, _ := s.value(cfn.At(properties, "Targets")).([]any)
	var found []sandbox.BusRule
	for _, target := range targets {
		input, err := s.transformer(cfn.At(target, "InputTransformer"))
		if err != nil {
			return nil, err
		}
		found = append(found, sandbox.BusRule{Name: id, Pattern: pattern, Input: input, Target: cfn.LogicalID(cfn.At(target, "Arn"))})
	}
	return found, nil
}

// functionEvents reads the rules that SAM makes of a function's events.
func (s *stack) functionEvents(id string, events any) ([]sandbox.BusRule, error) {
	var found []sandbox.BusRule
	named, _ := events.(cfn.Node)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if cfn.At(named, name, "Type") != "EventBridgeRule" || s.value(cfn.At(named, name, "Properties", "State")) == "DISABLED" {
			continue
		}
		pattern, err := s.pattern(cfn.At(named, name, "Properties", "Pattern"))
		if err != nil {
			return nil, err
		}
		found = append(found, sandbox.BusRule{Name: id + name, Pattern: pattern, Target: id})
	}
	return found, nil
}

func (s *stack) pattern(tree any) (sandbox.Pattern, error) {
	text, err := json.Marshal(s.value(tree))
	if err != nil {
		return nil, err
	}
	return sandbox.ReadPattern(text)
}

func (s *stack) transformer(tree any) (*sandbox.Transformer, error) {
	if tree == nil {
		return nil, nil
	}
	template, ok := s.value(cfn.At(tree, "InputTemplate")).(string)
	if !ok {
		return nil, errors.New("the InputTemplate is not known before it is deployed")
	}
	t := &sandbox.Transformer{Paths: map[string]string{}, Template: template}
	paths, _ := s.value(cfn.At(tree, "InputPathsMap")).(cfn.Node)
	for name, path := range paths {
		t.Paths[name], ok = path.(string)
		if !ok {
			return nil, errors.New("a path of InputPathsMap is no text")
		}
	}
	return t, nil
}
