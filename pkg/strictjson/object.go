// Package strictjson reads JSON objects of which every byte counts, because they are going to be signed or their
// signature is going to be checked: in order, in exact case, with a bounded depth, and with nothing taken for something
// else. [Encode] writes values for the same purposes.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxDepth bounds the nesting of any JSON or XML that comes from outside.
const MaxDepth = 32

// Member is one member of a JSON object: its name in exact case and its value as it was written.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Encode writes a value as JSON on one line, characters as they are: encoding/json alone would write &, < and > as
// \u0026, \u003c and \u003e, which is another text to sign, and a longer one.
func Encode(value any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// Object reads one JSON object into its members, in order and in exact case, and refuses one that names a member twice.
func Object(raw []byte) ([]Member, error) {
	members, err := Pairs(raw)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		if seen[m.Name] {
			return nil, &TwiceError{m.Name}
		}
		seen[m.Name] = true
	}
	return members, nil
}

// TwiceError says that an object names a member twice, and which.
type TwiceError struct{ Name string }

// Error implements error.
func (e *TwiceError) Error() string { return fmt.Sprintf("has the member %s twice", e.Name) }

// Pairs reads one JSON object as [Object] does, and gives a member that stands twice both times: for whoever says more
// about it than that.
//
// encoding/json alone would match names without case, take the last of two members of the same name, and put U+FFFD
// for bytes that are not UTF-8. In a request that is about to be signed, and in an answer whose signature is about to
// be checked, each of these is a way to say one thing and mean another, so they are errors here. The errors name what
// is wrong and the place, and quote nothing but member names.
func Pairs(raw []byte) ([]Member, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("is not UTF-8")
	}
	if err := checkDepth(raw); err != nil {
		return nil, err
	}
	if text := bytes.TrimLeft(raw, jsonSpace); len(text) > 0 && text[0] == '{' && json.Valid(text) {
		return split(text)
	}
	return nil, explain(raw)
}

// Members reads the members of a JSON object without the strictness of [Object]: for looking at what an event is and
// whom it is about, also when it is one that will be refused. ok is false when raw is no JSON object.
func Members(raw []byte) (members []Member, ok bool) {
	text := bytes.TrimLeft(raw, jsonSpace)
	if len(text) == 0 || text[0] != '{' || !json.Valid(text) { // which bounds the depth by itself
		return nil, false
	}
	members, err := split(text)
	return members, err == nil
}

// Text reads the value of a member that is a string.
func (m Member) Text() (text string, ok bool) { return Text(m.Value) }

// jsonSpace is the white space that JSON knows.
const jsonSpace = " \t\r\n"

// split finds the members of an object that is known to be valid JSON. Values are parts of text, not copies.
func split(text []byte) ([]Member, error) {
	members := make([]Member, 0, 12)
	for rest := text[1:]; ; {
		rest = bytes.TrimLeft(rest, jsonSpace+",")
		if rest[0] == '}' {
			return members, nil
		}
		end := valueEnd(rest)
		name, ok := Text(rest[:end:end])
		if !ok {
			return nil, syntaxError(text)
		}
		rest = bytes.TrimLeft(rest[end:], jsonSpace+":")
		end = valueEnd(rest)
		members = append(members, Member{name, json.RawMessage(rest[:end:end])})
		rest = rest[end:]
	}
}

// valueEnd is the length of the value that valid JSON begins with.
func valueEnd(text []byte) int {
	depth, inString, escaped := 0, false, false
	for i, c := range text {
		switch {
		case escaped:
			escaped = false
			continue
		case inString && c == '\\':
			escaped = true
			continue
		case c == '"':
			inString = !inString
			if !inString && depth == 0 {
				return i + 1
			}
		case inString:
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c == '}' || c == ']' || c == ',' || bytes.IndexByte([]byte(jsonSpace), c) >= 0):
			return i // a number, or one of the three words
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// Text reads a JSON string. Most have no escapes, and are then what stands between the quotes.
func Text(raw json.RawMessage) (string, bool) {
	if raw[0] != '"' {
		return "", false
	}
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	var text string
	return text, json.Unmarshal(raw, &text) == nil
}

// explain says why raw is not one JSON object, by reading it step by step.
func explain(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	start, err := dec.Token()
	if err != nil {
		return syntaxError(raw)
	}
	if start != json.Delim('{') {
		return errors.New("is not a JSON object")
	}
	var value json.RawMessage
	for dec.More() {
		if _, err := dec.Token(); err != nil { // the name
			return syntaxError(raw)
		}
		if dec.Decode(&value) != nil {
			return syntaxError(raw)
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return syntaxError(raw)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("has more text after the JSON object")
	}
	return syntaxError(raw)
}

// checkDepth refuses nesting beyond MaxDepth before anything recursive sees it.
func checkDepth(raw []byte) error {
	depth, inString, escaped := 0, false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return fmt.Errorf("is nested more than %d levels deep", MaxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// syntaxError says where the JSON breaks off, without quoting it: it may hold a secret or a consumer's words. The place
// is looked up anew, because the offsets in the errors of a decoder that read tokens before leave those out.
func syntaxError(raw []byte) error {
	var all json.RawMessage
	var syntax *json.SyntaxError
	err := json.NewDecoder(bytes.NewReader(raw)).Decode(&all)
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("is not JSON: it breaks at byte %d of %d", syntax.Offset, len(raw))
	case err != nil:
		return errors.New("is not JSON: it ends too early")
	}
	return errors.New("is not a JSON object") // a number that no float64 can hold
}
