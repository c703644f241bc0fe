package wire

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is what a string member may be. Without only it is any text that shows something and has no control characters
// and no characters beyond the Basic Multilingual Plane.
type text struct {
	min, max  int // characters; min 0 means 1
	only      func(byte) bool
	onlyWords string // says what only allows
	lineFeed  bool   // a line feed is allowed
	check     func(string) string
}

// problems lists all that is wrong with value. It never quotes it: it may be a consumer's words.
func (t text) problems(value string) []string {
	var problems []string
	if n := utf8.RuneCountInString(value); n < max(t.min, 1) || n > t.max {
		problems = append(problems, fmt.Sprintf("must have %d to %d characters, has %d", max(t.min, 1), t.max, n))
	}
	if t.only != nil {
		if !madeOf(value, t.only) {
			problems = append(problems, fmt.Sprintf(detailBadCharacters, t.onlyWords))
		}
		return problems
	}
	if p := t.badCharacter(value); p != "" {
		problems = append(problems, p)
	}
	switch {
	case value == "" || strings.ContainsFunc(value, shows):
	case strings.TrimSpace(value) == "":
		problems = append(problems, "is only white space")
	default:
		problems = append(problems, "has only characters that show nothing")
	}
	if t.check != nil && value != "" {
		if p := t.check(value); p != "" {
			problems = append(problems, p)
		}
	}
	return problems
}

// badCharacter finds the first character that neither gateway can take.
func (t text) badCharacter(value string) string {
	position := 0
	for _, r := range value {
		position++
		switch {
		case r > maxBMP:
			return fmt.Sprintf("character %d (U+%04X, an emoji?) is outside the Basic Multilingual Plane; "+
				"WeChat Pay takes UTF-8 of at most three bytes a character", position, r)
		case r == replacementMark:
			return fmt.Sprintf("character %d is U+FFFD, the mark of text that was damaged on its way", position)
		case unicode.IsControl(r) && !(r == '\n' && t.lineFeed):
			return fmt.Sprintf("character %d (U+%04X) is a control character", position, r)
		}
	}
	return ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlphanumeric(c byte) bool { return isDigit(c) || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }

func idCharacter(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '-' }

func printableASCII(c byte) bool { return c >= ' ' && c <= '~' }

// madeOf reports whether all of s is of one kind. Not a regexp: compiling one takes longer than a function's start may.
func madeOf(s string, kind func(byte) bool) bool {
	for i := range len(s) {
		if !kind(s[i]) {
			return false
		}
	}
	return true
}
