package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/wire"
)

func secretAdvice(err error) string {
	if errors.Is(err, errNoSecret) {
		return "create it (docs/operations.md shows its form), or check --merchant, --secret-prefix, the region and the account"
	}
	return "without the secret nothing else can be said; check the permission secretsmanager:GetSecretValue, the region and the account"
}

// fields is one JSON object of the secret as the doctor reads it: everything wrong is told, and reading goes on.
type fields struct {
	d       *doctor
	path    string // "imageco."
	members map[string]json.RawMessage
	near    map[string]string // a known member that is missing → a member that looks like it
}

// examine looks at the whole secret.
func (d *doctor) examine(secret string) {
	whole, ok := d.object("secret", "", secret, []string{"imageco", "wechatpay"})
	if !ok {
		return
	}
	for _, half := range []struct {
		name, action string
		look         func(string)
		parse        func() error
	}{
		{"imageco", "reply", d.examineImageco, func() error { _, err := merchant.ParseImageco(secret, d.reply.CheckGatewayURL); return err }},
		{"wechatpay", "complete", d.examineWechatPay, func() error { _, err := merchant.ParseWechatPay(secret); return err }},
	} {
		if !d.wants(half.name) {
			continue
		}
		raw, there := whole.members[half.name]
		if !there {
			d.fail(half.name, "this half of the secret is missing"+whole.hint(half.name), fmt.Sprintf("add it; without it every %s is refused (MERCHANT_MISCONFIGURED). If the merchant does not need it, say --only", half.action))
			continue
		}
		half.look(string(raw))
		// The function's own reading has the last word.
		var field *merchant.FieldError
		if err := half.parse(); errors.As(err, &field) && d.count(markFailed, half.name) == 0 {
			d.fail(field.Field, field.Problem, "the function refuses the secret as it is; correct this field")
		}
	}
}

// object reads one JSON object and tells of members that stand twice and of names that are nearly right.
func (d *doctor) object(what, path, text string, known []string) (fields, bool) {
	f := fields{d, path, map[string]json.RawMessage{}, map[string]string{}}
	list, err := wire.Object([]byte(text))
	if err != nil {
		d.fail(what, notAnObject(text, err), "correct the JSON; `jq . secret.json` shows the place. The secret must be one JSON object in SecretString")
		return f, false
	}
	var strange []string
	for _, m := range list {
		if !slices.Contains(known, m.Name) {
			strange = append(strange, m.Name)
			continue
		}
		if f.members[m.Name] != nil {
			d.fail(path+m.Name, "stands twice", "nobody can say which of the two is meant; take one out")
		}
		f.members[m.Name] = m.Value
	}
	for _, name := range strange {
		for _, right := range known {
			if !looksLike(name, right) {
				continue
			}
			f.near[right] = name
			if f.members[right] != nil {
				d.warn(path+right, fmt.Sprintf("there is also a member %q, which has no effect", shortName(name)), "take it out, or rename it if it is a note of yours")
			}
		}
	}
	return f, true
}

// notAnObject says what is wrong with a text that is not a JSON object, in the forms in which that usually happens.
func notAnObject(text string, err error) string {
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		return "is empty"
	case strings.HasPrefix(text, "\uFEFF"):
		return "begins with a byte order mark, which some editors put there"
	case strings.HasPrefix(trimmed, `"`):
		return "is a JSON string and not an object: it was encoded twice"
	case strings.HasPrefix(trimmed, "-----BEGIN"):
		return "is a PEM file and not the JSON object that holds one"
	case strings.HasPrefix(trimmed, "{'") || strings.ContainsAny(trimmed, "“”"):
		return "has other quotes than JSON's \""
	}
	return err.Error()
}

// hint names the member that was probably meant.
func (f fields) hint(name string) string {
	if near := f.near[name]; near != "" {
		return fmt.Sprintf("; there is a member %q, which looks like a slip of the pen for it", shortName(near))
	}
	return ""
}

// text returns a member that must be a string; "" and false when it is not there or was found wrong.
func (f fields) text(name string, required bool) (string, bool) {
	what := f.path + name
	raw, there := f.members[name]
	switch {
	case !there && (required || f.near[name] != ""):
		f.d.fail(what, "is missing"+f.hint(name), "add it, in exactly this spelling")
		return "", false
	case !there:
		return "", false
	case raw[0] != '"':
		f.d.fail(what, "is "+kind(raw)+" and not a string", "put the value between quotes")
		return "", false
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		f.d.fail(what, "is a string that cannot be read", "write it again")
		return "", false
	}
	if text == "" && required {
		f.d.fail(what, "is empty", "fill it in")
		return "", false
	}
	return text, text != ""
}

// line returns a member like text, of one line without anything that cannot be seen.
func (f fields) line(name string, required bool) (string, bool) {
	text, ok := f.text(name, required)
	if !ok {
		return "", false
	}
	what := f.path + name
	if hidden, found := hiddenCharacter(text); found {
		f.d.fail(what, "holds "+hidden, "write the value again by hand, or copy it as plain text; it counts as a part of the value, and the gateway does not know it")
		return text, false
	}
	if strings.TrimSpace(text) != text {
		f.d.fail(what, "begins or ends with white space", "take the white space out; it counts as a part of the value, so every signature comes out wrong")
		return text, false
	}
	if len(text) > 1 && strings.ContainsRune("\"'`", rune(text[0])) && text[len(text)-1] == text[0] {
		f.d.fail(what, "stands between quotes that are a part of the value", "take the inner quotes out")
		return text, false
	}
	return text, true
}

// hiddenCharacter finds what a person does not see in a value.
func hiddenCharacter(text string) (string, bool) {
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r':
			return "a line break", true
		case r == '\t':
			return "a tab", true
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return fmt.Sprintf("an invisible character (U+%04X)", r), true
		case r != ' ' && unicode.IsSpace(r):
			return fmt.Sprintf("a space of another kind (U+%04X)", r), true
		case r >= '！' && r <= '～':
			return fmt.Sprintf("a full-width character (U+%04X), which only looks like ASCII", r), true
		case r == unicode.ReplacementChar:
			return "a character that was lost on the way (U+FFFD)", true
		}
	}
	return "", false
}

// kind names a JSON value's type.
func kind(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "a string"
	}
	return "a number"
}

// looksLike tells a slip of the pen from a name of its own: the same letters in another case or with other separators, or up
// to two letters wrong.
func looksLike(name, right string) bool {
	fold := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(s))
	}
	if fold(name) == fold(right) {
		return true
	}
	most := 2
	if len(right) < 6 {
		most = 1
	}
	return len(name) <= len(right)+most && distance(name, right) <= most
}

// distance is the number of letters to add, remove, change or swap with a neighbour to get from a to b (Damerau's).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// shortName bounds a member's name that is shown.
func shortName(name string) string {
	if runes := []rune(name); len(runes) > 32 {
		return string(runes[:32]) + "…"
	}
	return name
}
