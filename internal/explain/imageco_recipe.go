package explain

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"html"
	"net/url"
	"slices"
	"strings"
)

// around is where 翼码's key stands, and what makes the digest.
type around struct {
	key           string
	before, after bool
	tail          string // stands before the key behind the text
	algorithm     *algorithm
	charset       *charset
}

func (a *around) digest(text string) ([]byte, bool) {
	if a.charset != nil {
		other, differs := a.charset.bytes(text)
		if !differs {
			return nil, false
		}
		text = other
	}
	if a.before {
		text = a.key + text
	}
	if a.after {
		text += a.tail + a.key
	}
	if a.algorithm != nil {
		return a.algorithm.sum(text, a.key), true
	}
	return md5Of(text), true
}

// jsonMember is one top-level member of a 翼码 JSON message.
type jsonMember struct {
	name  string
	value string // of a string, without escapes
	raw   string // as it was written
	text  bool   // it is a string
}

// jsonRecipe is how a 翼码 JSON sign is made. The zero values are as the documentation says.
type jsonRecipe struct {
	members []jsonMember
	around
	order             string // sorted, "written", "reversed" or "folded"
	sign              string // the member sign: left out, signed "as" it stands, or "empty"
	nested            string // nested members: left out, signed "as" they stand, or "compact"
	leftOut, added    string // a member
	other             bool   // numbers, true and null take part too
	withoutEmpty, raw bool
	namesLeftOut      bool
	equals, between   string
	values            func(string) string
	whole             string // signed in place of the members: the JSON as a text
	isWhole           bool
}

func (r *jsonRecipe) text() string {
	if r.isWhole {
		return r.whole
	}
	var parts []string
	for _, m := range r.ordered() {
		if m.name == "sign" && r.sign == "" || m.name == r.leftOut && r.leftOut != "" {
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
	return strings.Join(parts, r.between)
}

func (r *jsonRecipe) valueOf(m jsonMember) string {
	value := m.value
	switch {
	case !m.text && r.nested == "compact":
		value = compacted(m.raw)
	case !m.text:
		value = m.raw
	case r.raw:
		value = m.raw[1 : len(m.raw)-1]
	}
	if r.values != nil {
		value = r.values(value)
	}
	return value
}

func (r *jsonRecipe) ordered() []jsonMember {
	sorted := slices.Clone(r.members)
	if r.sign == "empty" {
		sorted = slices.DeleteFunc(sorted, func(m jsonMember) bool { return m.name == "sign" })
		sorted = append(sorted, jsonMember{name: "sign", raw: `""`, text: true})
	}
	if r.added != "" {
		sorted = append(sorted, jsonMember{name: r.added, raw: `""`, text: true})
	}
	switch r.order {
	case "":
		slices.SortStableFunc(sorted, func(a, b jsonMember) int { return cmp.Compare(a.name, b.name) })
	case "reversed":
		slices.SortStableFunc(sorted, func(a, b jsonMember) int { return cmp.Compare(b.name, a.name) })
	case "folded":
		slices.SortStableFunc(sorted, func(a, b jsonMember) int {
			return cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name))
		})
	case "values":
		slices.SortStableFunc(sorted, func(a, b jsonMember) int { return cmp.Compare(a.value, b.value) })
	case "length":
		slices.SortStableFunc(sorted, func(a, b jsonMember) int { return cmp.Compare(len(a.name), len(b.name)) })
	}
	return sorted
}

type jsonChange = change[jsonRecipe]

// jsonChanges are the usual suspects, one group for each thing that can be done in one wrong way at a time.
func jsonChanges(r jsonRecipe, gbk bool, m *matcher, whole []variant) [][]jsonChange {
	var members []jsonChange
	for _, member := range r.members {
		if member.text && member.name != "sign" && member.name != "" {
			members = append(members, jsonChange{one("member.missing", member.name), 1, func(r *jsonRecipe) { r.leftOut = member.name }})
		}
	}
	for _, name := range []string{"seller_account", "response_images", "jump_url", "jump_url_text"} {
		if !slices.ContainsFunc(r.members, func(m jsonMember) bool { return m.name == name }) {
			members = append(members, jsonChange{one("member.added", name), 2, func(r *jsonRecipe) { r.added = name }})
		}
	}
	change := func(cost int, id string, do func(*jsonRecipe)) jsonChange { return jsonChange{one(id), cost, do} }
	values := func(cost int, id string, f func(string) string) jsonChange {
		return change(cost, id, func(r *jsonRecipe) { r.values = f })
	}
	groups := [][]jsonChange{
		charsetChanges(gbk, func(r *jsonRecipe) *around { return &r.around }),
		{change(1, "order.written", func(r *jsonRecipe) { r.order = "written" }), change(1, "order.reversed", func(r *jsonRecipe) { r.order = "reversed" }),
			change(1, "order.folded", func(r *jsonRecipe) { r.order = "folded" }), change(2, "order.values", func(r *jsonRecipe) { r.order = "values" }),
			change(2, "order.length", func(r *jsonRecipe) { r.order = "length" })},
		{change(1, "sign.empty", func(r *jsonRecipe) { r.sign = "empty" }), change(1, "sign.as", func(r *jsonRecipe) { r.sign = "as" })},
		{change(1, "nested", func(r *jsonRecipe) { r.nested = "as" }), change(1, "nested", func(r *jsonRecipe) { r.nested = "compact" })},
		{change(1, "notstrings", func(r *jsonRecipe) { r.other = true })},
		{change(1, "empties", func(r *jsonRecipe) { r.withoutEmpty = true })},
		members,
		{change(1, "join.form", func(r *jsonRecipe) { r.equals, r.between = "=", "&" }), change(1, "join.equals", func(r *jsonRecipe) { r.equals = "=" }),
			change(1, "join.and", func(r *jsonRecipe) { r.between = "&" }), change(1, "join.names", func(r *jsonRecipe) { r.namesLeftOut = true }),
			change(2, "join.other", func(r *jsonRecipe) { r.equals, r.between = "=", "" }), change(2, "join.other", func(r *jsonRecipe) { r.between = "," }),
			change(2, "join.other", func(r *jsonRecipe) { r.between = "|" }), change(2, "join.other", func(r *jsonRecipe) { r.between = "\n" }),
			change(2, "join.other", func(r *jsonRecipe) { r.equals = ":" }), change(2, "join.other", func(r *jsonRecipe) { r.equals, r.between = ":", "," }),
			change(2, "join.other", func(r *jsonRecipe) { r.namesLeftOut, r.between = true, "&" }),
			change(2, "join.other", func(r *jsonRecipe) { r.namesLeftOut, r.between = true, "," })},
		{change(1, "values.raw", func(r *jsonRecipe) { r.raw = true })},
		{values(1, "values.urlencoded", url.QueryEscape), values(1, "values.urlencoded", url.PathEscape),
			values(1, "values.urlencoded", func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }),
			values(1, "values.urldecoded", func(s string) string {
				if text, err := url.QueryUnescape(s); err == nil {
					return text
				}
				return s
			}),
			values(1, "values.entities", markup.Replace),
			values(2, "values.entities", html.EscapeString),
			values(1, "values.entities.sent", html.UnescapeString),
			values(1, "values.trimmed", strings.TrimSpace),
			values(1, "values.crlf", func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") }),
			values(1, "values.lf", func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }),
			values(1, "values.oneline", unbroken.Replace),
			values(1, "values.escaped", func(s string) string { return escapedValue(s, style{unicode: unicodeLower}) }),
			values(1, "values.escaped", func(s string) string { return escapedValue(s, style{unicode: unicodeLower, slash: slashEscaped}) }),
			values(1, "values.escaped", func(s string) string { return escapedValue(s, style{slash: slashEscaped}) }),
			values(2, "values.escaped", func(s string) string { return escapedValue(s, style{unicode: unicodeUpper}) }),
			values(2, "values.escaped", func(s string) string { return escapedValue(s, style{html: htmlGo}) }),
			values(2, "values.escaped", func(s string) string { return escapedValue(s, style{}) }),
			values(2, "values.quoted", func(s string) string { return `"` + s + `"` }),
			values(2, "values.lower", strings.ToLower), values(2, "values.upper", strings.ToUpper)},
		keyPlaces(func(r *jsonRecipe) *around { return &r.around }),
		keyForms(r.key, func(r *jsonRecipe) *around { return &r.around }),
		algorithmChanges(m, func(r *jsonRecipe) *around { return &r.around }),
	}
	var texts []jsonChange
	for _, v := range whole {
		texts = append(texts, jsonChange{append(one("json.whole"), v.causes...), v.cost, func(r *jsonRecipe) { r.isWhole, r.whole = true, v.text }})
	}
	return append(groups, texts)
}

func escapedValue(s string, as style) string {
	text := (&node{kind: '"', text: s}).write(as)
	return text[1 : len(text)-1]
}

// charsetChanges are the other ways in which the text may have become bytes.
func charsetChanges[R any](gbk bool, of func(*R) *around) []change[R] {
	var list []change[R]
	for _, c := range charsets {
		if gbk && c.id == "charset.gbk" {
			continue
		}
		list = append(list, change[R]{one(c.id), c.cost, func(r *R) { of(r).charset = &c }})
	}
	if gbk {
		list = append(list, change[R]{one("charset.utf8"), 1, func(r *R) { of(r).charset = nil }})
	}
	return list
}

// keyPlaces are the other places of the key.
func keyPlaces[R any](of func(*R) *around) []change[R] {
	place := func(cost int, id string, do func(*around)) change[R] {
		return change[R]{one(id), cost, func(r *R) { do(of(r)) }}
	}
	return []change[R]{
		place(1, "key.before", func(a *around) { a.after = false }),
		place(1, "key.behind", func(a *around) { a.before = false }),
		place(1, "key.missing", func(a *around) { a.before, a.after = false, false }),
		place(1, "key.member", func(a *around) { a.before, a.tail = false, "&key=" }),
		place(2, "key.member", func(a *around) { a.before, a.tail = false, "key=" }),
		place(2, "key.member", func(a *around) { a.before, a.tail = false, "&" }),
		place(2, "key.member", func(a *around) { a.before, a.tail = false, "key" }),
	}
}

// keyForms are other forms of the same key.
func keyForms[R any](key string, of func(*R) *around) []change[R] {
	var list []change[R]
	sum := md5.Sum([]byte(key))
	fromHex, _ := hex.DecodeString(key)
	for _, k := range []struct {
		cost    int
		id, key string
	}{
		{1, "key.space.secret", strings.TrimSpace(key)},
		{1, "key.lf", key + "\n"}, {1, "key.crlf", key + "\r\n"}, {1, "key.space", key + " "}, {1, "key.space", " " + key}, {2, "key.space", key + "\t"},
		{1, "key.quotes", `"` + key + `"`}, {1, "key.quotes", "'" + key + "'"}, {1, "key.quotes.secret", strings.Trim(key, `"'`)},
		{1, "key.upper", strings.ToUpper(key)}, {1, "key.lower", strings.ToLower(key)},
		{1, "key.bom", "\uFEFF" + key}, {2, "key.zerowidth", "\u200b" + key}, {2, "key.zerowidth", key + "\u200b"},
		{1, "key.hashed", hex.EncodeToString(sum[:])}, {1, "key.hashed", upperHex(sum[:])}, {2, "key.decoded", string(fromHex)},
		{2, "key.cut", cut(key, 1, 0)}, {2, "key.cut", cut(key, 0, 1)}, {2, "key.cut", cut(key, 0, len(key)-16)},
		{2, "key.twice", key + key},
	} {
		if k.key != key && k.key != "" {
			list = append(list, change[R]{one(k.id), k.cost, func(r *R) { of(r).key = k.key }})
		}
	}
	return list
}

func cut(s string, front, back int) string {
	if back < 0 || front+back >= len(s) {
		return ""
	}
	return s[front : len(s)-back]
}

func algorithmChanges[R any](m *matcher, of func(*R) *around) []change[R] {
	var list []change[R]
	for _, a := range m.possible() {
		list = append(list, change[R]{[]found{{a.cause, a.args}}, a.cost, func(r *R) { of(r).algorithm = &a }})
		if strings.HasPrefix(a.cause, "algorithm") && len(a.args) > 0 && strings.HasPrefix(a.args[0].(string), "HMAC") {
			// With an HMAC the key usually stands nowhere else.
			list = append(list, change[R]{[]found{{a.cause, a.args}}, a.cost, func(r *R) {
				of(r).algorithm, of(r).before, of(r).after = &a, false, false
			}})
		}
	}
	return list
}
