package cfn_test

import (
	"reflect"
	"testing"

	"github.com/kesu-go/kesu/internal/cfn"
)

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want cfn.Node
	}{
		"short forms are written out":     {"a: !Ref B\nc: !GetAtt D.Arn\ne: !Sub \"${F}\"", cfn.Node{"a": cfn.Node{"Ref": "B"}, "c": cfn.Node{"Fn::GetAtt": []any{"D", "Arn"}}, "e": cfn.Node{"Fn::Sub": "${F}"}}},
		"a short form may hold a list":    {"a: !GetAtt [B, Arn]\nc: !Not [!Condition D]", cfn.Node{"a": cfn.Node{"Fn::GetAtt": []any{"B", "Arn"}}, "c": cfn.Node{"Fn::Not": []any{cfn.Node{"Condition": "D"}}}}},
		"values are those of JSON":        {"a: 1\nb: true\nc: null\nd: x\ne: [1.5]", cfn.Node{"a": 1.0, "b": true, "c": nil, "d": "x", "e": []any{1.5}}},
		"a name that stands twice is not": {"a: 1\na: 2", nil},
		"an anchor is not":                {"a: &x 1\nb: *x", nil},
		"a list is not":                   {"- a", nil},
		"nothing is not":                  {"", nil},
		"what is no YAML is not":          {"a: [", nil},
	} {
		got, err := cfn.Read([]byte(test.text))
		if !reflect.DeepEqual(got, test.want) || (err == nil) != (test.want != nil) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestAt(t *testing.T) {
	tree := cfn.Node{"a": []any{cfn.Node{"b": "c"}}, "arn": cfn.Node{"Fn::GetAtt": []any{"Q", "Arn"}}}
	for name, test := range map[string]struct{ got, want any }{
		"through names and indices":   {cfn.At(tree, "a", 0, "b"), "c"},
		"behind the end of a list":    {cfn.At(tree, "a", 1, "b"), nil},
		"where no mapping is":         {cfn.At(tree, "a", "b"), nil},
		"the resource of a Ref":       {cfn.LogicalID(cfn.Node{"Ref": "Q"}), "Q"},
		"the resource of a GetAtt":    {cfn.LogicalID(tree["arn"]), "Q"},
		"a text leads to no resource": {cfn.LogicalID("Q"), ""},
	} {
		if test.got != test.want {
			t.Errorf("%s: %v", name, test.got)
		}
	}
}
