package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// Transformer is the InputTransformer of a rule's target: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html.
type Transformer struct {
	Paths    map[string]string // InputPathsMap, by the name of the variable: $.detail.merchant
	Template string            // InputTemplate, with <name> where a variable goes
}

var variable = regexp.MustCompile(`<([A-Za-z0-9_.-]+)>`)

// Apply makes a target's input of an event, by what AWS's page says of it:
//
//   - "EventBridge automatically adds quotes to string variable values", and none to an object or an array: outside of
//     quotes a variable is the JSON value that it is;
//   - inside of quotes a text is put in as it is, because "EventBridge doesn't escape values extracted by Input Path". Of an
//     object or an array it "removes any internal quotes";
//   - a variable whose path leads nowhere "isn't created and won't appear in the output".
//
// The same page says that "the JSON that is passed to the target is minified and escaped". Which of the two holds for a text
// with a quote in it is not proved, so the worse one is played here: what it makes is no JSON then, which is an error.
// Wildcards in paths and the predefined variables are not played.
func (t Transformer) Apply(event Event) ([]byte, error) {
	text, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	var out strings.Builder
	quoted, rest := false, t.Template
	for rest != "" {
		at := variable.FindStringSubmatchIndex(rest)
		plain := rest
		if at != nil {
			plain = rest[:at[0]]
		}
		out.WriteString(plain)
		quoted = quoted != leavesQuotes(plain)
		if at == nil {
			break
		}
		path, known := t.Paths[rest[at[2]:at[3]]]
		if !known {
			return nil, errors.New("the template names a variable that has no path")
		}
		value, found := follow(tree, path)
		if found {
			text, err := rendered(value, quoted)
			if err != nil {
				return nil, err
			}
			out.WriteString(text)
		}
		rest = rest[at[1]:]
	}
	var made bytes.Buffer
	if json.Compact(&made, []byte(out.String())) != nil {
		return nil, errors.New("what the transformer makes is no JSON")
	}
	return made.Bytes(), nil
}

// leavesQuotes reports whether a piece of a template ends inside of quotes when it begins outside of them, or the other
// way round. A quote behind a backslash is a character of the text.
func leavesQuotes(piece string) bool {
	odd := false
	for i := 0; i < len(piece); i++ {
		switch piece[i] {
		case '\\':
			i++
		case '"':
			odd = !odd
		}
	}
	return odd
}

func rendered(value any, quoted bool) (string, error) {
	if text, ok := value.(string); ok && quoted {
		return text, nil
	}
	text, err := strictjson.Encode(value)
	if quoted {
		return strings.ReplaceAll(string(text), `"`, ""), err
	}
	return string(text), err
}

// step is one step of a path: a name, or the index of an array.
var step = regexp.MustCompile(`^(?:\.([A-Za-z0-9_/-]+)|\[([0-9]+)\])`)

// follow finds what stands at a path ("$.detail.orders[0].amount"), and false where nothing does.
func follow(tree any, path string) (any, bool) {
	rest, ok := strings.CutPrefix(path, "$")
	for ok && rest != "" {
		found := step.FindStringSubmatch(rest)
		if found == nil {
			return nil, false
		}
		if name := found[1]; name != "" {
			object, _ := tree.(map[string]any)
			tree, ok = object[name]
		} else {
			index, err := strconv.Atoi(found[2])
			list, _ := tree.([]any)
			if ok = err == nil && index < len(list); ok {
				tree = list[index]
			}
		}
		rest = rest[len(found[0]):]
	}
	return tree, ok
}
