package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// wechatRecipe is how the text that WeChat Pay's signature is made over comes about: lines with something at the end of
// each.
type wechatRecipe struct {
	answer                                 bool
	method, target, timestamp, nonce, body string
	lineEnd                                string
	withoutLast                            bool // nothing stands behind the last line
	order                                  []int
}

func newWechatRecipe(w wechatMessage) wechatRecipe {
	return wechatRecipe{answer: w.answer, method: w.method, target: w.target, timestamp: w.timestamp, nonce: w.nonce, body: w.body, lineEnd: "\n"}
}

func (r wechatRecipe) text() string {
	lines := []string{r.method, r.target, r.timestamp, r.nonce, r.body}
	if r.answer {
		lines = lines[2:]
	}
	if len(r.order) == len(lines) {
		ordered := make([]string, len(lines))
		for to, from := range r.order {
			ordered[to] = lines[from]
		}
		lines = ordered
	}
	text := strings.Join(lines, r.lineEnd)
	if !r.withoutLast {
		text += r.lineEnd
	}
	return text
}

// wechatMistakes are the usual suspects.
func wechatMistakes(right wechatRecipe) [][]mistake[wechatRecipe] {
	type list = []mistake[wechatRecipe]
	ends := list{
		{"there is no line feed behind the body (the last line)", func(r *wechatRecipe) { r.withoutLast = true }},
		{"the lines end with Windows line ends (CRLF) in place of line feeds", func(r *wechatRecipe) { r.lineEnd = "\r\n" }},
		{`the lines end with \n as two characters in place of a line feed`, func(r *wechatRecipe) { r.lineEnd = `\n` }},
		{"there is nothing between the lines", func(r *wechatRecipe) { r.lineEnd = "" }},
	}
	both := list{{"there is no line end behind the body (the last line)", func(r *wechatRecipe) { r.withoutLast = true }}}
	groups := [][]mistake[wechatRecipe]{ends, both, bodyMistakes(right.body), timestampMistakes(right), nonceMistakes(right.nonce)}
	if right.answer {
		return append(groups, list{{"the nonce stands before the timestamp", func(r *wechatRecipe) { r.order = []int{1, 0, 2} }}})
	}
	return append(groups, targetMistakes(right.target),
		list{{"the method is in the other case", func(r *wechatRecipe) {
			if r.method == strings.ToUpper(r.method) {
				r.method = strings.ToLower(r.method)
			} else {
				r.method = strings.ToUpper(r.method)
			}
		}}, {"the method is GET in place of the request's", func(r *wechatRecipe) { r.method = "GET" }}},
		list{{"the nonce stands before the timestamp", func(r *wechatRecipe) { r.order = []int{0, 1, 3, 2, 4} }},
			{"the path stands before the method", func(r *wechatRecipe) { r.order = []int{1, 0, 2, 3, 4} }},
			{"the body stands before timestamp and nonce", func(r *wechatRecipe) { r.order = []int{0, 1, 4, 2, 3} }}})
}

func targetMistakes(target string) []mistake[wechatRecipe] {
	var found []mistake[wechatRecipe]
	add := func(says, other string) {
		if other != target && !slices.ContainsFunc(found, func(m mistake[wechatRecipe]) bool { return m.says == says }) {
			found = append(found, mistake[wechatRecipe]{says, func(r *wechatRecipe) { r.target = other }})
		}
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil
	}
	path := u.EscapedPath()
	if u.Host != "" {
		add("the path alone is signed, and the request line has a whole URL", u.RequestURI())
	} else {
		for _, host := range []string{"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"} {
			add("the whole URL is signed (https://"+host+"/…) in place of the path", "https://"+host+target)
			add("host and path are signed in place of the path", host+target)
		}
	}
	add("the query is not signed", path)
	add("the path is signed without the slash at its beginning", strings.TrimPrefix(target, "/"))
	add("the path is signed with a slash at its end", target+"/")
	if decoded, err := url.PathUnescape(target); err == nil {
		add("the path is signed without its percent escapes", decoded)
	}
	return found
}

func timestampMistakes(right wechatRecipe) []mistake[wechatRecipe] {
	found := []mistake[wechatRecipe]{{"the timestamp that is signed is in milliseconds", func(r *wechatRecipe) { r.timestamp += "000" }}}
	if len(right.timestamp) == 13 {
		found = append(found, mistake[wechatRecipe]{"the timestamp that is signed is in seconds, the one that is sent in milliseconds", func(r *wechatRecipe) { r.timestamp = r.timestamp[:10] }})
	}
	return found
}

func nonceMistakes(nonce string) []mistake[wechatRecipe] {
	var found []mistake[wechatRecipe]
	for says, other := range map[string]string{"the nonce that is signed is in upper case": strings.ToUpper(nonce), "the nonce that is signed is in lower case": strings.ToLower(nonce)} {
		if other != nonce {
			found = append(found, mistake[wechatRecipe]{says, func(r *wechatRecipe) { r.nonce = other }})
		}
	}
	return found
}

// bodyMistakes are other ways to write the same body.
func bodyMistakes(body string) []mistake[wechatRecipe] {
	var found []mistake[wechatRecipe]
	add := func(says, other string) {
		if other != body {
			found = append(found, mistake[wechatRecipe]{says, func(r *wechatRecipe) { r.body = other }})
		}
	}
	add("the body is not signed", "")
	add("the body is signed as {}, and was sent otherwise", "{}")
	add("the body is signed without the line feed at its end", strings.TrimRight(body, "\r\n"))
	add("a line feed is signed behind the body that was not sent", body+"\n")
	add("the body's Windows line ends (CRLF) are signed as line feeds", strings.ReplaceAll(body, "\r\n", "\n"))
	add("the body's line feeds are signed as Windows line ends (CRLF)", strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\n", "\r\n"))
	add("the body is signed with a byte order mark", "\uFEFF"+body)
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(body)) != nil {
		return found
	}
	add("the body is signed without the white space that was sent", compact.String())
	add("the body is signed with a space behind each : and , that was not sent", spaced(compact.String()))
	for _, indent := range []string{"  ", "    ", "\t"} {
		var pretty bytes.Buffer
		if json.Indent(&pretty, compact.Bytes(), "", indent) == nil {
			add(fmt.Sprintf("the body is signed indented (by %q), and was sent otherwise", indent), pretty.String())
		}
	}
	add(`the body is signed with its characters escaped as \uXXXX, and was sent without`, escaped(compact.String()))
	add(`the body is signed with / escaped as \/, and was sent without`, strings.ReplaceAll(compact.String(), "/", `\/`))
	var members map[string]any
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&members) == nil {
		var sorted bytes.Buffer
		enc := json.NewEncoder(&sorted)
		if enc.Encode(members) == nil {
			add(`the body is signed with its members sorted, and <, > and & escaped`, strings.TrimSpace(sorted.String()))
		}
		sorted.Reset()
		enc.SetEscapeHTML(false)
		if enc.Encode(members) == nil {
			add("the body is signed with its members sorted by name, and was sent in another order", strings.TrimSpace(sorted.String()))
		}
	}
	return found
}

// spaced puts a space behind each colon and comma outside of strings, as Python's json does.
func spaced(compact string) string {
	var out strings.Builder
	inString, escape := false, false
	for _, r := range compact {
		out.WriteRune(r)
		switch {
		case escape:
			escape = false
		case inString && r == '\\':
			escape = true
		case r == '"':
			inString = !inString
		case !inString && (r == ':' || r == ','):
			out.WriteByte(' ')
		}
	}
	return out.String()
}

// escaped writes everything beyond ASCII as \uXXXX, as many JSON libraries do.
func escaped(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r < 128:
			out.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}
