package explain

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// variant is another text that may have been signed in place of the one that was sent.
type variant struct {
	text   string
	causes []found
	cost   int
}

// variantBytes bounds the memory of all variants of one body.
const variantBytes = 48 << 20

// variants collects texts, the cheapest way to each.
type variants struct {
	list  []variant
	at    map[string]int
	used  int
	style style // of the text that was sent
	known bool  // it is one of the styles
}

func newVariants(sent string) *variants { return &variants{at: map[string]int{sent: -1}} }

func (v *variants) add(cost int, text string, causes ...found) {
	if i, known := v.at[text]; known {
		if i >= 0 && v.list[i].cost > cost {
			v.list[i] = variant{text, causes, cost}
		}
		return
	}
	if v.used += len(text); v.used > variantBytes {
		return
	}
	v.at[text] = len(v.list)
	v.list = append(v.list, variant{text, causes, cost})
}

// bodyVariants are the usual other ways to write a body. sent is UTF-8.
func bodyVariants(sent string) []variant {
	v := newVariants(sent)
	v.add(1, "", found{"body.empty", nil})
	for _, word := range []string{"{}", "null", `""`, "[]", "undefined", "None", "[object Object]", "Array"} {
		if strings.TrimSpace(sent) == "" || len(word) > 4 || word == "{}" {
			v.add(1, word, found{"body.word", []any{word}})
		}
	}
	v.add(1, strings.TrimRight(sent, "\r\n"), found{"body.lf.missing", nil})
	v.add(1, strings.TrimSpace(sent), found{"body.trimmed", nil})
	v.add(1, sent+"\n", found{"body.lf.added", nil})
	v.add(2, sent+"\r\n", found{"body.lf.added", nil})
	v.add(2, sent+" ", found{"body.blank.added", nil})
	unix := strings.ReplaceAll(sent, "\r\n", "\n")
	v.add(1, unix, found{"body.crlf.lf", nil})
	v.add(1, strings.ReplaceAll(unix, "\n", "\r\n"), found{"body.lf.crlf", nil})
	v.add(1, "\uFEFF"+sent, found{"body.bom.added", nil})
	v.add(1, strings.TrimPrefix(sent, "\uFEFF"), found{"body.bom.missing", nil})
	v.add(1, url.QueryEscape(sent), found{"body.urlencoded", nil})
	v.add(2, url.PathEscape(sent), found{"body.urlencoded", nil})
	if text, err := url.QueryUnescape(sent); err == nil {
		v.add(1, text, found{"body.urldecoded", nil})
	}
	v.add(1, html.EscapeString(sent), found{"body.entities", nil})
	v.add(1, strings.ReplaceAll(sent, "&", "&amp;"), found{"body.entities", nil})
	v.add(1, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(sent), found{"body.entities", nil})
	v.add(1, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(sent), found{"body.entities", nil})
	v.add(1, html.UnescapeString(sent), found{"body.entities.sent", nil})
	v.add(2, base64.StdEncoding.EncodeToString([]byte(sent)), found{"body.base64", nil})
	sum := sha256.Sum256([]byte(sent))
	v.add(2, hex.EncodeToString(sum[:]), found{"body.hash", nil})
	v.add(2, strings.ToUpper(sent), found{"body.case", nil})
	v.add(2, strings.ToLower(sent), found{"body.case", nil})
	root, err := parseJSON(sent)
	if err != nil || len(sent) > 256<<10 {
		return v.list
	}
	v.style, v.known = styleOf(sent, root)
	v.jsonTexts(sent, root)
	return v.list
}

// jsonTexts adds what comes of a body that is JSON.
func (v *variants) jsonTexts(sent string, root *node) {
	v.rewritten(root, nil, 0)
	if !v.known {
		v.add(1, compacted(sent), found{"body.spacing", nil})
	}
	v.permuted(root)
	quoted, err := json.Marshal(sent)
	if err == nil {
		v.add(1, string(quoted), found{"body.twice", nil})
	}
	v.add(2, (&node{kind: '"', text: sent}).write(style{}), found{"body.twice", nil})
	if root.kind == '"' {
		v.add(1, root.text, found{"body.twice.sent", nil})
		return
	}
	var python, java strings.Builder
	root.python(&python)
	root.java(&java)
	v.add(1, python.String(), found{"body.python", nil})
	v.add(2, java.String(), found{"body.java", nil})
	if root.kind != '{' {
		return
	}
	v.add(1, asForm(root), found{"body.form", nil})
	v.add(2, strings.NewReplacer(`{ `, `{`, ` }`, `}`).Replace(sent), found{"body.spacing", nil})
	v.add(2, strings.TrimSuffix(strings.Replace(root.write(style{spacing: spacePython}), "{", "{ ", 1), "}")+" }", found{"body.spacing", nil})
	v.membersChanged(root)
}

// asForm writes an object as a form.
func asForm(root *node) string {
	values := url.Values{}
	for i, name := range root.names {
		values.Set(name, root.members[i].text)
	}
	return values.Encode()
}

// rewritten adds the body in every style, with what differs from the style that was sent. more are causes that hold
// already, at their cost.
func (v *variants) rewritten(root *node, more []found, cost int) {
	for _, s := range allStyles() {
		causes, price := differences(v.style, s, v.known)
		if total := cost + price; total <= mostCost && total > 0 {
			v.add(total, root.write(s), append(more[:len(more):len(more)], causes...)...)
		}
	}
}

// allStyles are all combinations of the words of a style.
var allStyles = sync.OnceValue(func() []style {
	var all []style
	for _, order := range orderings {
		for _, spacing := range spacings {
			for _, unicode := range unicodes {
				for _, slash := range slashes {
					for _, markup := range htmls {
						all = append(all, style{spacing, unicode, slash, markup, order})
					}
				}
			}
		}
	}
	return all
})

// styleOf finds the style that a body was written in.
func styleOf(sent string, root *node) (style, bool) {
	for _, s := range allStyles() {
		if s.order == "" && root.write(s) == sent {
			return s, true
		}
	}
	return style{}, false
}

// libraries are styles that one library writes without being asked: such a difference is one mistake, however much of
// the text it changes.
var libraries = []struct {
	name  string
	style style
}{
	{"Python json.dumps", style{spacing: spacePython, unicode: unicodeLower}},
	{"Python json.dumps(ensure_ascii=False)", style{spacing: spacePython}},
	{"PHP json_encode", style{unicode: unicodeLower, slash: slashEscaped}},
	{"PHP JSON_PRETTY_PRINT", style{spacing: space4, unicode: unicodeLower, slash: slashEscaped}},
	{"PHP JSON_UNESCAPED_UNICODE", style{slash: slashEscaped}},
	{"PHP JSON_UNESCAPED_SLASHES", style{unicode: unicodeLower}},
	{"Go encoding/json", style{html: htmlGo}},
	{"Gson", style{html: htmlGson}},
	{"System.Text.Json", style{unicode: unicodeUpper, html: htmlNet}},
	{"JSON.stringify(…, null, 2)", style{spacing: space2}},
	{"json.dumps(indent=4)", style{spacing: space4, unicode: unicodeLower}},
	{"json.dumps(indent=2)", style{spacing: space2, unicode: unicodeLower}},
	{"json.dumps(sort_keys=True)", style{spacing: spacePython, unicode: unicodeLower, order: orderSorted}},
	{"Jackson INDENT_OUTPUT", style{spacing: spaceJackson}},
	{"", style{}},
}

// differences names what differs between the style that was sent and the one that was signed, and its price.
func differences(sent, signed style, known bool) ([]found, int) {
	var causes []found
	price := 0
	for _, d := range []struct {
		id           string
		sent, signed string
		cost         int
	}{
		{"body.spacing", sent.spacing, signed.spacing, 1}, {"body.unicode", sent.unicode, signed.unicode, 1},
		{"body.slash", sent.slash, signed.slash, 1}, {"body.html", sent.html, signed.html, 1}, {"body.order", sent.order, signed.order, 1},
	} {
		if d.sent != d.signed || d.id == "body.spacing" && !known {
			causes = append(causes, found{d.id, []any{d.sent, d.signed}})
			price += d.cost
		}
	}
	if price > 1 && (byLibrary(signed) || byLibrary(sent) && signed == (style{})) {
		price = 1
		if signed.order != sent.order {
			price = 2
		}
	}
	return causes, price
}

func byLibrary(s style) bool {
	return slices.ContainsFunc(libraries, func(l struct {
		name  string
		style style
	}) bool {
		return l.style == s
	})
}

// permuted adds every other order of the members of a small object, which is what an unordered map gives.
func (v *variants) permuted(root *node) {
	if root.kind != '{' || len(root.members) > 6 || len(root.members) < 2 {
		return
	}
	order := make([]int, len(root.members))
	for i := range order {
		order[i] = i
	}
	permute(order, 0, func(order []int) {
		other := &node{kind: '{'}
		for _, i := range order {
			other.names, other.members = append(other.names, root.names[i]), append(other.members, root.members[i])
		}
		v.add(2, other.write(v.style), found{"body.order", []any{"", "other"}})
		v.add(3, other.write(style{}), found{"body.order", []any{"", "other"}}, found{"body.spacing", []any{v.style.spacing, ""}})
	})
}

func permute(order []int, k int, visit func([]int)) {
	if k == len(order) {
		visit(order)
		return
	}
	for i := k; i < len(order); i++ {
		order[k], order[i] = order[i], order[k]
		permute(order, k+1, visit)
		order[k], order[i] = order[i], order[k]
	}
}
