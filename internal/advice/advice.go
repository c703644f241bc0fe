// Package advice words what was found wrong, and what to do about it, in English and Chinese: a table of causes, each
// with the check that tells it from its neighbours and the step that cures it.
package advice

import (
	"fmt"
	"strings"
)

// Language is one that the tables are written in.
type Language int

// The languages.
const (
	English Language = iota
	Chinese
)

// Choose returns the language of a flag's word, or of the environment when the word is empty or "auto": Chinese when
// LC_ALL, LC_MESSAGES or LANG, whichever is set first, begins with zh.
func Choose(word string, getenv func(string) string) Language {
	switch word {
	case "zh":
		return Chinese
	case "en":
		return English
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			if strings.HasPrefix(strings.ToLower(value), "zh") {
				return Chinese
			}
			return English
		}
	}
	return English
}

// Words are one text in both languages.
type Words struct{ EN, ZH string }

// In returns the text in a language, with args put in where it has verbs of package fmt.
func (w Words) In(l Language, args ...any) string {
	text := w.EN
	if l == Chinese && w.ZH != "" {
		text = w.ZH
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Cause is one row of a table.
type Cause struct {
	ID   string
	Says Words // what is wrong; may have verbs of package fmt
	Tell Words // how to tell it from other causes; empty when it was proved by itself
	Do   Words // what cures it
	// Failed are the words of the step that has just failed when this cause is named, in either language. Neither Tell
	// nor Do may send the reader through it again as it is.
	Failed []string
}
