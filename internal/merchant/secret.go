package merchant

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// maxSecret bounds a secret's text in bytes: Secrets Manager keeps no longer one.
const maxSecret = 64 << 10

// secretField is what a [FieldError] names when the secret as a whole is wrong: the member of Secrets Manager's answer.
const secretField = "SecretString"

// FieldError says which field of a merchant's secret is wrong, and never what it holds. It stands for
// MERCHANT_MISCONFIGURED; ask for it with errors.As and a *FieldError.
type FieldError struct {
	Field   string // "imageco.key", "wechatpay.platform_keys[1].pem"; "SecretString" is the whole
	Problem string // reads on from the field: "is missing"
}

func (e *FieldError) Error() string { return e.Field + " " + e.Problem }

// object is one JSON object of a secret, the members that Kesu knows of it.
type object struct {
	path    string // the object's own name with a dot behind it, to stand before its members'; "" for the whole secret
	members map[string]json.RawMessage
}

// parseObject reads the known members of an object that stands in field; path stands before their names. Members are
// known in exact case, unlike encoding/json's: an operator's note "KEY" must not pass for "key". Which of two "key" is
// meant nobody can say, so that is an error; whatever else stands there is the operators' own.
func parseObject(field, path string, raw []byte, known ...string) (object, error) {
	list, ok := strictjson.Members(raw) // which minds no depth: an operator's note may have any
	if !ok || !utf8.Valid(raw) {
		return object{}, &FieldError{field, "is not a JSON object"}
	}
	o := object{path, make(map[string]json.RawMessage, len(known))}
	for _, m := range list {
		if !slices.Contains(known, m.Name) {
			continue
		}
		if _, twice := o.members[m.Name]; twice {
			return object{}, &FieldError{path + m.Name, "stands twice"}
		}
		o.members[m.Name] = m.Value
	}
	return o, nil
}

// parseSecret reads the known members of a secret as a whole.
func parseSecret(secret string, known ...string) (object, error) {
	if len(secret) > maxSecret {
		return object{}, &FieldError{secretField, "is longer than " + strconv.Itoa(maxSecret) + " bytes"}
	}
	// An editor's byte order mark is not seen by whoever wrote it, and changes nothing of what the JSON says.
	return parseObject(secretField, "", []byte(strings.TrimPrefix(secret, "\uFEFF")), known...)
}

// parseHalf reads one of the two halves of a secret.
func parseHalf(secret, name string, known ...string) (object, error) {
	whole, err := parseSecret(secret, name)
	if err != nil {
		return object{}, err
	}
	half, ok := whole.members[name]
	if !ok {
		return object{}, &FieldError{name, "is missing"}
	}
	return parseObject(name, name+".", half, known...)
}

// optional returns a member that is a string, and "" when it is not there.
func (o object) optional(name string) (string, error) {
	raw, ok := o.members[name]
	if !ok {
		return "", nil
	}
	if raw[0] != '"' { // null too: encoding/json would leave the string as it was
		return "", o.wrong(name, "is not a string")
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", o.wrong(name, "is not a string")
	}
	if strings.ContainsRune(text, utf8.RuneError) {
		return "", o.wrong(name, "holds a character that was lost on the way (U+FFFD)")
	}
	return text, nil
}

// required returns a member that is a string and not empty.
func (o object) required(name string) (string, error) {
	if _, ok := o.members[name]; !ok {
		return "", o.wrong(name, "is missing")
	}
	text, err := o.optional(name)
	if err == nil && text == "" {
		return "", o.wrong(name, "is empty")
	}
	return text, err
}

// line refuses control characters: a line break at a key's end is the usual trace of a paste, and no message can carry
// one.
func (o object) line(name, text string) error {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return o.wrong(name, "holds a control character, such as a line break at its end")
	}
	return nil
}

// choice returns a member that is one of several words; the first one when it is not there.
func (o object) choice(name string, words ...string) (string, error) {
	text, err := o.optional(name)
	if err != nil {
		return "", err
	}
	if text == "" { // left out, or left empty like url
		return words[0], nil
	}
	if !slices.Contains(words, text) {
		return "", o.wrong(name, "is none of "+strings.Join(words, ", "))
	}
	return text, nil
}

func (o object) wrong(name, problem string) error { return &FieldError{o.path + name, problem} }
