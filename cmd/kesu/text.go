package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// writeJSON writes a value as indented JSON with a line feed at its end.
//
// What could rewrite a terminal or turn the direction of writing is escaped as \uXXXX: a program reads the same text, and
// a person who looks at it is not deceived.
func writeJSON(w io.Writer, v any) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, escapedJSON(out.String()))
	return err
}

// escapedJSON escapes in JSON what clean takes out of text. It can only stand within strings.
func escapedJSON(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r >= ' ' && r < 0x7F:
			out.WriteRune(r)
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// clean makes text from outside fit for a terminal: no control characters, which could move the cursor or rewrite what
// stands above, and nothing that changes the direction of writing. Line feeds and tabs stay.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Colours of a terminal.
const (
	red, green, yellow, grey = "31", "32", "33", "2"
)

// paint colours a text when the terminal has colours.
func (t terminal) paint(colour, text string) string {
	if !t.colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// plural writes a number with its noun: "1 check", "2 checks".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
