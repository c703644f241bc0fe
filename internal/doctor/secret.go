package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pasted"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// fields is one JSON object of the secret as the doctor reads it: everything wrong is told, and reading goes on.
type fields struct {
	d       *doctor
	path    string // "imageco."
	members map[string]json.RawMessage
	near    map[string]string // a known member that is missing → a member that looks like it
}

// examine looks at the whole secret, and returns its text if the functions may read it.
func (d *doctor) examine(secret string) string {
	text := d.form(secret)
	whole, ok := d.object("secret", "", text, []string{"imageco", "wechatpay", "reply_through"})
	if !ok {
		return ""
	}
	d.examineReplyThrough(whole)
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
			d.missingHalf(whole, half.name, half.action, text)
			continue
		}
		half.look(string(raw))
		// The function's own reading has the last word.
		var field *merchant.FieldError
		if err := half.parse(); errors.As(err, &field) && d.count(Failed, half.name) == 0 && d.count(Failed, "secret") == 0 {
			d.fail(field.Field, "field", field.Problem)
		}
	}
	return secret
}

// examineReplyThrough looks at reply_through, which chooses the gateway that carries the replies.
func (d *doctor) examineReplyThrough(whole fields) {
	const name = "reply_through"
	raw, there := whole.members[name]
	if !there || !d.wants(string(wire.Imageco)) && !d.wants(string(wire.WechatPay)) {
		return
	}
	var word string
	given := json.Unmarshal(raw, &word) == nil && string(raw) != "null"
	providers := []string{string(wire.Imageco), string(wire.WechatPay)}
	switch written := strings.ToLower(strings.TrimSpace(word)); {
	case given && (word == "" || slices.Contains(providers, word)):
	case given && slices.Contains(providers, written):
		d.fail(name, "choice.case", written)
	default:
		d.fail(name, "choice", strings.Join(providers, ", "))
	}
}

// missingHalf tells of a half that is not there, and whether its members stand somewhere else.
func (d *doctor) missingHalf(whole fields, half, action, text string) {
	known := map[string][]string{"imageco": imagecoMembers, "wechatpay": wechatMembers}[half]
	list, err := strictjson.Pairs([]byte(text))
	flat := 0
	if err == nil {
		for _, m := range list {
			if slices.Contains(known, m.Name) {
				flat++
			}
		}
	}
	if flat > 1 {
		d.fail(half, "half.flat", half)
		return
	}
	if near := whole.near[half]; near != "" {
		d.fail(half, "half.near", shortName(near), half)
		return
	}
	d.fail(half, "half.missing", action)
}

// form names everything that had to be forgiven before the secret could be read, and returns the object.
func (d *doctor) form(secret string) string {
	text, forgiven, _ := pasted.Secret([]byte(secret)) // object tells what is wrong when it cannot be read
	for _, f := range forgiven {
		id := "secret." + string(f)
		if _, known := rows[id]; !known {
			id = "secret.form"
		}
		if f == pasted.BOM { // the functions read over it
			d.warn("secret", id)
			continue
		}
		d.fail("secret", id)
	}
	return text
}

// object reads one JSON object and tells of members that stand twice and of names that are nearly right.
func (d *doctor) object(what, path, text string, known []string) (fields, bool) {
	f := fields{d, path, map[string]json.RawMessage{}, map[string]string{}}
	list, err := strictjson.Pairs([]byte(text))
	if err != nil {
		d.notAnObject(what, text, err)
		return f, false
	}
	var strange []string
	for _, m := range list {
		if !slices.Contains(known, m.Name) {
			strange = append(strange, m.Name)
			continue
		}
		if f.members[m.Name] != nil {
			d.fail(path+m.Name, "member.twice")
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
				d.warn(path+right, "member.beside", shortName(name))
			}
		}
	}
	return f, true
}

// notAnObject says what is wrong with a text that is not a JSON object, in the forms in which that usually happens.
func (d *doctor) notAnObject(what, text string, err error) {
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		d.fail(what, "json.empty")
	case strings.HasPrefix(trimmed, `"`):
		d.fail(what, "json.string")
	case strings.HasPrefix(trimmed, "[") && what == "secret":
		d.fail(what, "json.array")
	case what != "secret":
		d.fail(what, "json.member", kind(json.RawMessage(trimmed)))
	case strings.Contains(trimmed, "-----BEGIN") && !strings.HasPrefix(trimmed, "{"):
		d.fail(what, "json.pem")
	case pythonQuotes.MatchString(trimmed):
		d.fail(what, "json.quotes")
	case strings.HasPrefix(trimmed, "{") && rawLineBreak(trimmed):
		d.fail(what, "json.linebreak")
	default:
		d.fail(what, "json", err.Error())
	}
}

// pythonQuotes is how Python prints an object.
var pythonQuotes = regexp.MustCompile(`^\{\s*'`)

// rawLineBreak reports whether a string of the JSON holds a line break that is not escaped, as a PEM does that was pasted
// between the quotes.
func rawLineBreak(text string) bool {
	inString, escaped := false, false
	for _, c := range []byte(text) {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString && (c == '\n' || c == '\r'):
			return true
		}
	}
	return false
}

// text returns a member that must be a string; "" and false when it is not there or was found wrong.
func (f fields) text(name string, required bool) (string, bool) {
	what := f.path + name
	raw, there := f.members[name]
	switch {
	case !there && f.near[name] != "":
		f.d.fail(what, "member.near", shortName(f.near[name]), f.object(), shortName(f.near[name]), name)
		return "", false
	case !there && required:
		f.d.fail(what, "member.missing")
		return "", false
	case !there:
		return "", false
	case raw[0] >= '0' && raw[0] <= '9':
		f.d.fail(what, "member.number")
		return "", false
	case raw[0] != '"':
		f.d.fail(what, "member.kind", kind(raw))
		return "", false
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		f.d.fail(what, "member.unreadable")
		return "", false
	}
	if text == "" && required {
		f.d.fail(what, "member.empty")
		return "", false
	}
	return text, text != ""
}

// object is the object's place as jq names it.
func (f fields) object() string { return "." + strings.TrimSuffix(f.path, ".") }

// line returns a member like text, of one line without anything that cannot be seen.
func (f fields) line(name string, required bool) (string, bool) {
	text, ok := f.text(name, required)
	if !ok {
		return "", false
	}
	what := f.path + name
	if id, args := hiddenCharacter(text); id != "" {
		f.d.fail(what, id, args...)
		return text, false
	}
	if strings.TrimSpace(text) != text {
		f.d.fail(what, "line.space")
		return text, false
	}
	if len(text) > 1 && strings.ContainsRune("\"'`", rune(text[0])) && text[len(text)-1] == text[0] {
		f.d.fail(what, "line.quotes")
		return text, false
	}
	if strings.ContainsAny(text, "…<>＜＞") || strings.Contains(strings.ToLower(text), "todo") || strings.Trim(text, "xX*.") == "" {
		f.d.fail(what, "line.placeholder")
		return text, false
	}
	return text, true
}

// hiddenCharacter finds what a person does not see in a value.
func hiddenCharacter(text string) (id string, args []any) {
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r':
			return "line.break", nil
		case r == '\t':
			return "line.tab", nil
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return "line.invisible", []any{fmt.Sprintf("U+%04X", r)}
		case r != ' ' && unicode.IsSpace(r):
			return "line.otherspace", []any{fmt.Sprintf("U+%04X", r)}
		case r >= '！' && r <= '～':
			return "line.fullwidth", []any{fmt.Sprintf("U+%04X", r)}
		case r == unicode.ReplacementChar:
			return "line.lost", nil
		}
	}
	return "", nil
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
