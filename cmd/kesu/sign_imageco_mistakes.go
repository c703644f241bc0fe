package main

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/wire"
)

func md5Of(text []byte) []byte {
	sum := md5.Sum(text)
	return sum[:]
}

// jsonMember is one top-level member of a 翼码 JSON message.
type jsonMember struct {
	name  string
	value string // of a string, without escapes
	raw   string // as it was written
	text  bool   // it is a string
}

// jsonRecipe is how a 翼码 JSON sign is made. Fields that are false or "" are as the documentation says, but for key,
// before and after.
type jsonRecipe struct {
	members       []jsonMember
	key           string
	before, after bool // the key stands there

	order                     string // sorted, "written", "reversed" or "folded"
	sign                      string // the member sign: left out, signed "as" it stands, or "empty"
	nested                    string // nested members: left out, signed "as" they stand, or "compact"
	leftOut                   string // a member that was forgotten
	other                     bool   // numbers, true and null take part too
	withoutEmpty, gbk, raw    bool
	namesLeftOut              bool
	equals, between, tail     string // between name and value, between members, at the end
	trimmed, escaped, newline bool   // values: without space around, URL-encoded, CRLF for LF
}

// text is what such a recipe signs; it fails when GBK lacks a character.
func (r jsonRecipe) text() ([]byte, error) {
	var parts []string
	for _, m := range r.ordered() {
		if m.name == "sign" && r.sign == "" || m.name == r.leftOut {
			continue
		}
		if nested := strings.ContainsAny(m.raw[:1], "{["); !m.text && (nested && r.nested == "" || !nested && !r.other) {
			continue
		}
		value := r.valueOf(m)
		if value == "" && r.withoutEmpty {
			continue
		}
		name := m.name
		if r.namesLeftOut {
			name = ""
		}
		parts = append(parts, name+r.equals+value)
	}
	text := strings.Join(parts, r.between) + r.tail
	if r.gbk {
		encoded, err := wire.EncodeGBK(text)
		if err != nil {
			return nil, err
		}
		text = string(encoded)
	}
	return []byte(around(text, r.key, r.before, r.after)), nil
}

func (r jsonRecipe) valueOf(m jsonMember) string {
	value := m.value
	if !m.text {
		value = m.raw
		if r.nested == "compact" {
			value = compacted(m.raw)
		}
	} else if r.raw {
		value = m.raw[1 : len(m.raw)-1]
	}
	if r.trimmed {
		value = strings.TrimSpace(value)
	}
	if r.newline {
		value = strings.ReplaceAll(value, "\n", "\r\n")
	}
	if r.escaped {
		value = url.QueryEscape(value)
	}
	return value
}

func compacted(raw string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(raw)) != nil {
		return raw
	}
	return out.String()
}

func (r jsonRecipe) ordered() []jsonMember {
	sorted := slices.Clone(r.members)
	if r.sign == "empty" {
		sorted = slices.DeleteFunc(sorted, func(m jsonMember) bool { return m.name == "sign" })
		sorted = append(sorted, jsonMember{name: "sign", raw: `""`, text: true})
	}
	switch r.order {
	case "":
		slices.SortStableFunc(sorted, func(a, b jsonMember) int { return cmp.Compare(a.name, b.name) })
	case "reversed":
		slices.SortStableFunc(sorted, func(a, b jsonMember) int { return cmp.Compare(b.name, a.name) })
	case "folded":
		slices.SortStableFunc(sorted, func(a, b jsonMember) int { return cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	}
	return sorted
}

func around(text, key string, before, after bool) string {
	if before {
		text = key + text
	}
	if after {
		text += key
	}
	return text
}

// jsonMistakes are the usual suspects, one group for each thing that can be done in one wrong way at a time.
func jsonMistakes(right jsonRecipe) [][]mistake[jsonRecipe] {
	key, gbk := right.key, right.gbk
	var forgotten []mistake[jsonRecipe]
	for _, m := range right.members {
		if m.text && m.name != "sign" && m.name != "" {
			forgotten = append(forgotten, mistake[jsonRecipe]{"the member " + m.name + " is not signed", func(r *jsonRecipe) { r.leftOut = m.name }})
		}
	}
	charset := "the characters are signed as GBK; agreed is UTF-8 (sign_charset)"
	if gbk {
		charset = "the characters are signed as UTF-8; agreed is GBK (sign_charset)"
	}
	return [][]mistake[jsonRecipe]{
		{{charset, func(r *jsonRecipe) { r.gbk = !gbk }}},
		{{"the members stand in the order of the message, not sorted by name", func(r *jsonRecipe) { r.order = "written" }},
			{"the members are sorted backwards", func(r *jsonRecipe) { r.order = "reversed" }},
			{"the members are sorted without regard to case", func(r *jsonRecipe) { r.order = "folded" }}},
		{{"the member sign is signed too, empty", func(r *jsonRecipe) { r.sign = "empty" }},
			{"the member sign is signed too, as it stands", func(r *jsonRecipe) { r.sign = "as" }}},
		{{"nested members are signed too, as they stand", func(r *jsonRecipe) { r.nested = "as" }},
			{"nested members are signed too, without white space", func(r *jsonRecipe) { r.nested = "compact" }}},
		{{"members that are no strings (numbers, true, null) are signed too", func(r *jsonRecipe) { r.other = true }}},
		{{"empty members are left out", func(r *jsonRecipe) { r.withoutEmpty = true }}},
		forgotten,
		{{"the key stands only before the members", func(r *jsonRecipe) { r.after = false }},
			{"the key stands only behind the members", func(r *jsonRecipe) { r.before = false }},
			{"the key is missing", func(r *jsonRecipe) { r.before, r.after = false, false }},
			{"the key is appended as a member &key=…", func(r *jsonRecipe) { r.before, r.tail = false, "&key=" }}},
		keyMistakes(key, func(r *jsonRecipe, wrong string) { r.key = wrong }),
		{{"the members are joined as name=value&name=value", func(r *jsonRecipe) { r.equals, r.between = "=", "&" }},
			{"an = stands between name and value", func(r *jsonRecipe) { r.equals = "=" }},
			{"an & stands between the members", func(r *jsonRecipe) { r.between = "&" }},
			{"the values alone are signed, without the names", func(r *jsonRecipe) { r.namesLeftOut = true }}},
		{{"the values are signed as they are escaped in the JSON (\\/, \\n, \\u4e2d)", func(r *jsonRecipe) { r.raw = true }},
			{"the values are signed URL-encoded", func(r *jsonRecipe) { r.escaped = true }}},
		{{"the values are signed without the white space at their ends", func(r *jsonRecipe) { r.trimmed = true }}},
		{{"line feeds within the values are signed as Windows line ends (CRLF)", func(r *jsonRecipe) { r.newline = true }}},
	}
}

// keyMistakes are other forms of the same key.
func keyMistakes[R any](key string, set func(*R, string)) []mistake[R] {
	var found []mistake[R]
	for _, k := range []struct{ says, key string }{
		{"white space at an end of the key in the secret is not a part of it", strings.TrimSpace(key)},
		{"a line feed at its end counts as a part of the key", key + "\n"},
		{"a Windows line end (CRLF) counts as a part of the key", key + "\r\n"},
		{"a space at its end counts as a part of the key", key + " "},
		{"a space before it counts as a part of the key", " " + key},
		{"quotes around it count as a part of the key", `"` + key + `"`},
		{"the key is in upper case", strings.ToUpper(key)},
		{"the key is in lower case", strings.ToLower(key)},
	} {
		if k.key != key {
			found = append(found, mistake[R]{k.says, func(r *R) { set(r, k.key) }})
		}
	}
	return found
}

// xmlRecipe is how a 翼码 XML mac is made.
type xmlRecipe struct {
	doc           string
	key           string
	before, after bool
}

func (r xmlRecipe) text() string { return around(r.doc, r.key, r.before, r.after) }

var betweenTags = regexp.MustCompile(`>\s+<`)

// xmlMistakes are the usual suspects of a mac.
func xmlMistakes(key string) [][]mistake[xmlRecipe] {
	on := func(change func(string) string) func(*xmlRecipe) {
		return func(r *xmlRecipe) { r.doc = change(r.doc) }
	}
	return [][]mistake[xmlRecipe]{
		{{"the bytes that are signed are UTF-8, the ones that are sent GBK", on(func(doc string) string {
			text, _ := simplifiedchinese.GBK.NewDecoder().String(doc)
			return text
		})}, {"the bytes that are signed are GBK, the ones that are sent UTF-8", on(func(doc string) string {
			text, _ := simplifiedchinese.GBK.NewEncoder().String(doc)
			return text
		})}},
		{{"the XML declaration is not signed", on(func(doc string) string {
			if _, rest, ok := strings.Cut(doc, "?>"); ok && strings.HasPrefix(doc, "<?xml") {
				return strings.TrimLeft(rest, "\r\n")
			}
			return doc
		})}, {"the declaration that is signed says UTF-8", on(func(doc string) string { return strings.Replace(doc, `"GBK"`, `"UTF-8"`, 1) })}},
		{{"white space between the elements is not signed", on(func(doc string) string { return betweenTags.ReplaceAllString(doc, "><") })}},
		{{"a line feed at the end of the XML is signed too", on(func(doc string) string { return doc + "\n" })},
			{"a Windows line end (CRLF) at the end of the XML is signed too", on(func(doc string) string { return doc + "\r\n" })},
			{"Windows line ends (CRLF) are signed as line feeds", on(func(doc string) string { return strings.ReplaceAll(doc, "\r\n", "\n") })},
			{"line feeds are signed as Windows line ends (CRLF)", on(func(doc string) string { return strings.ReplaceAll(doc, "\n", "\r\n") })}},
		{{"the XML is signed as it stands in the form, URL-encoded", on(url.QueryEscape)},
			{"xml= is signed too", on(func(doc string) string { return "xml=" + doc })}},
		{{"the key stands only before the XML", func(r *xmlRecipe) { r.after = false }},
			{"the key stands only behind the XML", func(r *xmlRecipe) { r.before = false }},
			{"the key is missing", func(r *xmlRecipe) { r.before, r.after = false, false }}},
		keyMistakes(key, func(r *xmlRecipe, wrong string) { r.key = wrong }),
	}
}
