package pasted

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// What can be forgiven in a merchant's secret.
const (
	EncodedTwice Forgiven = "encoded-twice"    // a JSON string that holds the object
	GetOutput    Forgiven = "get-secret-value" // the output of `aws secretsmanager get-secret-value`
	HalfStrings  Forgiven = "halves-are-strings"
	CodeFence    Forgiven = "code-fence" // ``` of a chat or a page
)

// ErrPEMSecret is the error for a PEM in the place of a secret. It reads on from "the secret".
var ErrPEMSecret = errors.New("is a PEM file and not the JSON object that holds one")

var (
	fence     = regexp.MustCompile("(?s)^\\s*```[a-z]*\n(.*?)\n?```\\s*$")
	typograph = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "＂", `"`)
)

// Secret reads the JSON of a merchant's secret in the forms in which people have it. What it returns is an object again,
// as the functions read it, if nothing was forgiven.
func Secret(raw []byte) (string, []Forgiven, error) {
	text, forgiven := Bytes(raw)
	current := string(text)
	if match := fence.FindStringSubmatch(current); match != nil {
		current, forgiven = match[1], append(forgiven, CodeFence)
	}
	if !json.Valid([]byte(current)) && strings.ContainsAny(current, "“”„＂") && json.Valid([]byte(typograph.Replace(current))) {
		current, forgiven = typograph.Replace(current), append(forgiven, Quotes)
	}
	if !json.Valid([]byte(current)) {
		if plain, more := Plain([]byte(current)); len(more) > 0 && json.Valid([]byte(plain)) {
			current, forgiven = plain, append(forgiven, more...)
		}
	}
	for range 3 {
		var inner string
		if strings.HasPrefix(strings.TrimSpace(current), `"`) && json.Unmarshal([]byte(current), &inner) == nil {
			current, forgiven = inner, append(forgiven, EncodedTwice)
			continue
		}
		break
	}
	list, err := strictjson.Pairs([]byte(current))
	if err != nil {
		if strings.HasPrefix(strings.TrimSpace(current), "-----BEGIN") {
			err = ErrPEMSecret
		}
		return current, forgiven, err
	}
	var out strings.Builder
	halves := false
	for _, m := range list {
		var inner string
		switch {
		case m.Name == "SecretString" && m.Value[0] == '"' && json.Unmarshal(m.Value, &inner) == nil:
			text, more, err := Secret([]byte(inner))
			return text, append(append(forgiven, GetOutput), more...), err
		case (m.Name == "imageco" || m.Name == "wechatpay") && m.Value[0] == '"' && json.Unmarshal(m.Value, &inner) == nil && isObject(inner):
			halves = true
			m.Value = json.RawMessage(inner)
		}
		name, err := json.Marshal(m.Name)
		if err != nil {
			return current, forgiven, err
		}
		out.WriteString(map[bool]string{true: "{", false: ","}[out.Len() == 0] + string(name) + ":" + string(m.Value))
	}
	if halves {
		current, forgiven = out.String()+"}", append(forgiven, HalfStrings)
	}
	return current, forgiven, nil
}

func isObject(text string) bool {
	_, err := strictjson.Pairs([]byte(text))
	return err == nil
}
