package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxDepth bounds the nesting of any JSON or XML that comes from outside.
const maxDepth = 32

// RawMember is one member of a JSON object: its name in exact case and its value as it was written.
type RawMember struct {
	Name  string
	Value json.RawMessage
}

// Object reads one JSON object into its members, in order and in exact case.
//
// encoding/json alone would match names without case, take the last of two members of the same name, and put U+FFFD
// for bytes that are not UTF-8. In a request that is about to be signed, and in an answer whose signature is about to
// be checked, each of these is a way to say one thing and mean another, so they are errors here. The errors name what
// is wrong and the place, and quote nothing but member names.
func Object(raw []byte) ([]RawMember, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("is not UTF-8")
	}
	if err := checkDepth(raw); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	start, err := dec.Token()
	if err != nil {
		return nil, syntaxError(raw)
	}
	if start != json.Delim('{') {
		return nil, errors.New("is not a JSON object")
	}
	var members []RawMember
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, syntaxError(raw)
		}
		m := RawMember{Name: name.(string)} // the decoder accepts nothing but a string here
		if err := dec.Decode(&m.Value); err != nil {
			return nil, syntaxError(raw)
		}
		members = append(members, m)
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, syntaxError(raw)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("has more text after the JSON object")
	}
	return members, nil
}

// checkDepth refuses nesting beyond maxDepth before anything recursive sees it.
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
			if depth++; depth > maxDepth {
				return fmt.Errorf("is nested more than %d levels deep", maxDepth)
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
