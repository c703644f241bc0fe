package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// node is a JSON value as it was written: members in their order, numbers digit by digit.
type node struct {
	kind    byte   // { [ " or 0 for a number, true, false, null
	text    string // of a string, without escapes; of the last kind, as written
	names   []string
	members []*node
}

var errNoJSON = errors.New("is not JSON")

// maxNodes bounds the values of a body that is written in other ways.
const maxNodes = 20_000

// parseJSON reads one JSON value.
func parseJSON(text string) (*node, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	left := maxNodes
	root, err := parseValue(dec, &left, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err == nil {
		return nil, errNoJSON
	}
	return root, nil
}

func parseValue(dec *json.Decoder, left *int, depth int) (*node, error) {
	token, err := dec.Token()
	if *left--; err != nil || *left < 0 || depth > 32 {
		return nil, errNoJSON
	}
	switch t := token.(type) {
	case string:
		return &node{kind: '"', text: t}, nil
	case json.Delim:
		n := &node{kind: byte(t)}
		for dec.More() {
			if t == '{' {
				name, err := dec.Token()
				text, ok := name.(string)
				if err != nil || !ok {
					return nil, errNoJSON
				}
				n.names = append(n.names, text)
			}
			member, err := parseValue(dec, left, depth+1)
			if err != nil {
				return nil, err
			}
			n.members = append(n.members, member)
		}
		if _, err := dec.Token(); err != nil {
			return nil, errNoJSON
		}
		return n, nil
	case json.Number:
		return &node{text: t.String()}, nil
	case bool:
		return &node{text: strconv.FormatBool(t)}, nil
	}
	return &node{text: "null"}, nil
}

// style is how a library writes JSON.
type style struct {
	spacing, unicode, slash, html, order string
}

// The words of a style. The zero style is compact, without escapes that JSON does not ask for.
const (
	spacePython  = "python"  // ", " and ": ", as Python's json.dumps
	spaceColon   = "colon"   // ": " alone
	spaceComma   = "comma"   // ", " alone
	space2       = "2"       // indented
	space4       = "4"       // …
	spaceTab     = "tab"     // …
	spaceJackson = "jackson" // indented by 2, with " : "
	space2CRLF   = "2crlf"   // indented by 2, with CRLF

	unicodeLower = "lower" // \u4e2d
	unicodeUpper = "upper" // \u4E2D

	slashEscaped = "escaped" // \/

	htmlGo   = "go"   // < > & and U+2028 as \u003c
	htmlGson = "gson" // also = and '
	htmlNet  = "net"  // < > & + ' " ` as \u003C, as System.Text.Json

	orderSorted   = "sorted"
	orderReversed = "reversed"
)

var (
	spacings  = []string{"", spacePython, space2, space4, spaceTab, spaceJackson, spaceColon, spaceComma, space2CRLF}
	unicodes  = []string{"", unicodeLower, unicodeUpper}
	slashes   = []string{"", slashEscaped}
	htmls     = []string{"", htmlGo, htmlGson, htmlNet}
	orderings = []string{"", orderSorted, orderReversed}
)

// write writes a value in a style.
func (n *node) write(s style) string {
	var out strings.Builder
	n.writeTo(&out, s, 0)
	return out.String()
}

func (n *node) writeTo(out *strings.Builder, s style, depth int) {
	switch n.kind {
	case '"':
		writeString(out, n.text, s)
	case '{', '[':
		out.WriteByte(n.kind)
		for k, i := range n.ordered(s.order) {
			if k > 0 {
				out.WriteByte(',')
				if s.spacing == spacePython || s.spacing == spaceComma {
					out.WriteByte(' ')
				}
			}
			indent(out, s.spacing, depth+1)
			if n.kind == '{' {
				writeString(out, n.names[i], s)
				out.WriteString(colon(s.spacing))
			}
			n.members[i].writeTo(out, s, depth+1)
		}
		if len(n.members) > 0 {
			indent(out, s.spacing, depth)
		}
		out.WriteByte(n.kind + 2) // } is two behind {, and ] behind [
	default:
		out.WriteString(n.text)
	}
}

// ordered are the members' numbers in the style's order.
func (n *node) ordered(order string) []int {
	numbers := make([]int, len(n.members))
	for i := range numbers {
		numbers[i] = i
	}
	if n.kind == '{' {
		switch order {
		case orderSorted:
			slices.SortStableFunc(numbers, func(a, b int) int { return strings.Compare(n.names[a], n.names[b]) })
		case orderReversed:
			slices.Reverse(numbers)
		}
	}
	return numbers
}

func colon(spacing string) string {
	switch spacing {
	case "", spaceComma:
		return ":"
	case spaceJackson:
		return " : "
	}
	return ": "
}

func indent(out *strings.Builder, spacing string, depth int) {
	unit, end := "", "\n"
	switch spacing {
	case space2, spaceJackson:
		unit = "  "
	case space2CRLF:
		unit, end = "  ", "\r\n"
	case space4:
		unit = "    "
	case spaceTab:
		unit = "\t"
	default:
		return
	}
	out.WriteString(end + strings.Repeat(unit, depth))
}

const hexLower, hexUpper = "0123456789abcdef", "0123456789ABCDEF"

func writeString(out *strings.Builder, text string, s style) {
	out.WriteByte('"')
	for _, r := range text {
		digits := hexLower
		if s.unicode == unicodeUpper || s.html == htmlNet {
			digits = hexUpper
		}
		switch {
		case r == '"' && s.html == htmlNet:
			escape(out, '"', hexUpper)
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == '\b':
			out.WriteString(`\b`)
		case r == '\f':
			out.WriteString(`\f`)
		case r < ' ':
			escape(out, r, digits)
		case r == '/' && s.slash == slashEscaped:
			out.WriteString(`\/`)
		case htmlEscapes(r, s.html):
			escape(out, r, digits)
		case r > '~' && s.unicode != "":
			escape(out, r, digits)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

func htmlEscapes(r rune, html string) bool {
	switch html {
	case htmlGo:
		return r == '<' || r == '>' || r == '&' || r == '\u2028' || r == '\u2029'
	case htmlGson:
		return r == '<' || r == '>' || r == '&' || r == '=' || r == '\'' || r == '\u2028' || r == '\u2029'
	case htmlNet:
		return r == '<' || r == '>' || r == '&' || r == '+' || r == '\'' || r == '`'
	}
	return false
}

func escape(out *strings.Builder, r rune, digits string) {
	if r > 0xFFFF {
		high, low := utf16.EncodeRune(r)
		escape(out, high, digits)
		escape(out, low, digits)
		return
	}
	out.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		out.WriteByte(digits[r>>shift&0xF])
	}
}

// python writes a value as Python's str() of the parsed JSON does.
func (n *node) python(out *strings.Builder) {
	switch n.kind {
	case '"':
		quote := "'"
		if strings.Contains(n.text, "'") && !strings.Contains(n.text, `"`) {
			quote = `"`
		}
		out.WriteString(quote + strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, quote, `\`+quote).Replace(n.text) + quote)
	case '{', '[':
		out.WriteByte(n.kind)
		for i, member := range n.members {
			if i > 0 {
				out.WriteString(", ")
			}
			if n.kind == '{' {
				(&node{kind: '"', text: n.names[i]}).python(out)
				out.WriteString(": ")
			}
			member.python(out)
		}
		out.WriteByte(n.kind + 2)
	default:
		out.WriteString(map[string]string{"true": "True", "false": "False", "null": "None"}[n.text])
		if n.text != "true" && n.text != "false" && n.text != "null" {
			out.WriteString(n.text)
		}
	}
}

// java writes a value as Java's Map.toString does.
func (n *node) java(out *strings.Builder) {
	if n.kind != '{' && n.kind != '[' {
		out.WriteString(n.text)
		return
	}
	out.WriteByte(n.kind)
	for i, member := range n.members {
		if i > 0 {
			out.WriteString(", ")
		}
		if n.kind == '{' {
			out.WriteString(n.names[i] + "=")
		}
		member.java(out)
	}
	out.WriteByte(n.kind + 2)
}

// compacted is the JSON without white space, its strings as they were written.
func compacted(raw string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(raw)) != nil {
		return raw
	}
	return out.String()
}
