package explain

import (
	"html"
	"net/url"
	"slices"
	"strings"
)

// membersChanged adds bodies with other members than the one that was sent.
func (v *variants) membersChanged(root *node) {
	edit := func(cost int, cause found, change func(*node) bool) {
		other := &node{kind: '{', names: slices.Clone(root.names), members: slices.Clone(root.members)}
		if change(other) {
			v.rewritten(other, []found{cause}, cost)
		}
	}
	edit(1, found{"body.nulls", nil}, func(n *node) bool {
		return n.removeAll(func(m *node) bool { return m.kind == 0 && m.text == "null" })
	})
	edit(1, found{"body.empties", nil}, func(n *node) bool {
		return n.removeAll(func(m *node) bool {
			return m.kind == '"' && m.text == "" || m.kind != '"' && m.kind != 0 && len(m.members) == 0
		})
	})
	for i, name := range root.names {
		edit(1, found{"body.member.missing", []any{name}}, func(n *node) bool { n.remove(i); return true })
	}
	edit(1, found{"body.numbers", nil}, func(n *node) bool {
		return n.replaceAll(func(m *node) *node {
			if m.kind == '"' && len(m.text) < 19 && m.text != "" && strings.Trim(m.text, "0123456789") == "" && (m.text[0] != '0' || m.text == "0") {
				return &node{text: m.text}
			}
			return m
		})
	})
	edit(1, found{"body.strings", nil}, func(n *node) bool {
		return n.replaceAll(func(m *node) *node {
			if m.kind == 0 && m.text != "null" {
				return &node{kind: '"', text: m.text}
			}
			return m
		})
	})
	values := func(id string, change func(string) string) {
		edit(1, found{id, nil}, func(n *node) bool {
			return n.replaceAll(func(m *node) *node {
				if m.kind == '"' {
					return &node{kind: '"', text: change(m.text)}
				}
				return m
			})
		})
	}
	values("body.values.trimmed", strings.TrimSpace)
	values("body.values.crlf", func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") })
	values("body.values.lf", func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") })
	values("body.values.oneline", unbroken.Replace)
	values("body.values.entities", markup.Replace)
	values("body.values.entities.sent", html.UnescapeString)
	values("body.values.urlencoded", url.QueryEscape)
	for _, name := range optionalMembers {
		if slices.Contains(root.names, name) {
			continue
		}
		for _, empty := range []*node{{text: "null"}, {kind: '"'}, {kind: '['}} {
			edit(2, found{"body.member.added", []any{name}}, func(n *node) bool {
				n.names, n.members = append(n.names, name), append(n.members, empty)
				return true
			})
		}
	}
}

// optionalMembers are those of WeChat Pay's complaint requests that a library may write empty where the documentation
// leaves them out.
var optionalMembers = []string{"response_images", "jump_url", "jump_url_text", "mini_program_jump_info"}

func (n *node) remove(i int) {
	n.names, n.members = slices.Delete(n.names, i, i+1), slices.Delete(n.members, i, i+1)
}

// removeAll takes out members, and reports whether there were any.
func (n *node) removeAll(is func(*node) bool) bool {
	before := len(n.members)
	for i := len(n.members) - 1; i >= 0; i-- {
		if is(n.members[i]) {
			n.remove(i)
		}
	}
	return len(n.members) < before
}

// replaceAll changes members, in arrays and objects inside too, and reports whether anything is another.
func (n *node) replaceAll(change func(*node) *node) bool {
	changed := false
	for i, member := range n.members {
		other := change(member)
		if other.kind == '{' || other.kind == '[' {
			inner := &node{kind: other.kind, names: other.names, members: slices.Clone(other.members)}
			if inner.replaceAll(change) {
				other = inner
			}
		}
		if other != member && (other.kind != member.kind || other.text != member.text || len(other.members) > 0) {
			n.members[i], changed = other, true
		}
	}
	return changed
}
