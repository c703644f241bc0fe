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
	if text := bytes.TrimLeft(raw, jsonSpace); len(text) > 0 && text[0] == '{' && json.Valid(text) {
		return split(text)
	}
	return nil, explain(raw)
}

// jsonSpace is the white space that JSON knows.
const jsonSpace = " \t\r\n"

// split finds the members of an object that is known to be valid JSON. Values are parts of text, not copies.
func split(text []byte) ([]RawMember, error) {
	members := make([]RawMember, 0, 12)
	for rest := text[1:]; ; {
		rest = bytes.TrimLeft(rest, jsonSpace+",")
		if rest[0] == '}' {
			return members, nil
		}
		end := valueEnd(rest)
		name, ok := textOf(rest[:end:end])
		if !ok {
			return nil, syntaxError(text)
		}
		rest = bytes.TrimLeft(rest[end:], jsonSpace+":")
		end = valueEnd(rest)
		members = append(members, RawMember{name, json.RawMessage(rest[:end:end])})
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
		case (c == '}' || c == ']') && depth == 0 || depth == 0 && (c == ',' || bytes.IndexByte([]byte(jsonSpace), c) >= 0):
			return i // a number, or one of the three words
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// textOf reads a JSON string. Most have no escapes, and are then what stands between the quotes.
func textOf(raw json.RawMessage) (string, bool) {
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
