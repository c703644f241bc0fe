package explain

import (
	"encoding/xml"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// xmlRecipe is how a 翼码 XML mac is made. doc holds bytes, in whatever charset they are.
type xmlRecipe struct {
	doc string
	around
}

type xmlChange = change[xmlRecipe]

var (
	betweenTags = regexp.MustCompile(`>\s+<`)
	cdata       = regexp.MustCompile(`(?s)<!\[CDATA\[(.*?)\]\]>`)
	declaration = regexp.MustCompile(`(?s)^<\?xml.*?\?>\s*`)
	root        = regexp.MustCompile(`(?s)^.*?<business_trans>(.*)</business_trans>.*$`)
	emptyTag    = regexp.MustCompile(`<([A-Za-z_]+)></([A-Za-z_]+)>`)
)

// xmlChanges are the usual suspects of a mac.
func xmlChanges(r xmlRecipe, m *matcher) [][]xmlChange {
	on := func(cost int, id string, change func(string) string) xmlChange {
		return xmlChange{one(id), cost, func(r *xmlRecipe) { r.doc = change(r.doc) }}
	}
	declared := func(text string) func(string) string {
		return func(doc string) string {
			if d := declaration.FindString(doc); d != "" {
				return text + doc[len(d):]
			}
			return text + doc
		}
	}
	groups := [][]xmlChange{
		{on(1, "declaration.missing", declared("")), on(1, "declaration.utf8", func(doc string) string { return strings.Replace(doc, `"GBK"`, `"UTF-8"`, 1) }),
			on(1, "declaration.utf8", func(doc string) string { return strings.Replace(doc, `"GBK"`, `"utf-8"`, 1) }),
			on(2, "declaration.other", func(doc string) string { return strings.Replace(doc, `"GBK"`, `"gbk"`, 1) }),
			on(2, "declaration.other", func(doc string) string { return strings.Replace(doc, `"GBK"`, `"GB2312"`, 1) }),
			on(2, "declaration.other", declared(`<?xml version='1.0' encoding='GBK'?>`)),
			on(2, "declaration.other", declared(`<?xml version='1.0' encoding='GBK'?>`+"\n")),
			on(2, "declaration.other", declared(`<?xml version="1.0" encoding="GBK" standalone="yes"?>`)),
			on(2, "declaration.other", declared(`<?xml version="1.0"?>`)),
			on(1, "declaration.added", declared(`<?xml version="1.0" encoding="GBK"?>`)),
			on(2, "declaration.added", declared(`<?xml version="1.0" encoding="GBK"?>`+"\n"))},
		{on(1, "xml.space.removed", func(doc string) string { return betweenTags.ReplaceAllString(doc, "><") }),
			on(2, "xml.space.added", func(doc string) string { return pretty(doc, "  ") }), on(2, "xml.space.added", func(doc string) string { return pretty(doc, "    ") }),
			on(2, "xml.space.added", func(doc string) string { return pretty(doc, "\t") }), on(2, "xml.space.added", func(doc string) string { return pretty(doc, "") }),
			on(2, "xml.space.after", func(doc string) string {
				d := declaration.FindString(doc)
				return strings.TrimRight(d, "\r\n ") + "\n" + doc[len(d):]
			})},
		{on(1, "xml.lf.added", func(doc string) string { return doc + "\n" }), on(1, "xml.lf.added", func(doc string) string { return doc + "\r\n" }),
			on(1, "xml.lf.missing", strings.TrimSpace),
			on(1, "body.crlf.lf", func(doc string) string { return strings.ReplaceAll(doc, "\r\n", "\n") }),
			on(1, "body.lf.crlf", func(doc string) string {
				return strings.ReplaceAll(strings.ReplaceAll(doc, "\r\n", "\n"), "\n", "\r\n")
			})},
		{on(1, "xml.cdata.missing", func(doc string) string { return cdata.ReplaceAllString(doc, "$1") }),
			on(1, "xml.cdata.escaped", func(doc string) string {
				return cdata.ReplaceAllStringFunc(doc, func(s string) string { return entities(cdata.FindStringSubmatch(s)[1]) })
			}),
			on(1, "xml.cdata.added", func(doc string) string {
				return regexp.MustCompile(`<jump_url>([^<]*)</jump_url>`).ReplaceAllStringFunc(doc, func(s string) string {
					inner := strings.TrimSuffix(strings.TrimPrefix(s, "<jump_url>"), "</jump_url>")
					return "<jump_url><![CDATA[" + unescapedEntities(inner) + "]]></jump_url>"
				})
			}),
			on(2, "xml.cdata.added", allCDATA)},
		{on(1, "values.entities", func(doc string) string { return strings.ReplaceAll(doc, "&", "&amp;") }),
			on(1, "values.entities.sent", unescapedEntities),
			on(2, "xml.emptytags", func(doc string) string { return emptyTag.ReplaceAllString(doc, "<$1/>") }),
			on(2, "xml.root", func(doc string) string { return root.ReplaceAllString(doc, "$1") })},
		{on(1, "xml.urlencoded", url.QueryEscape), on(1, "xml.prefix", func(doc string) string { return "xml=" + doc }),
			on(1, "xml.prefix", func(doc string) string { return "xml=" + url.QueryEscape(doc) }),
			on(1, "xml.jsonrule", func(doc string) string { return byJSONRule(doc, true, "", "") }),
			on(2, "xml.jsonrule", func(doc string) string { return byJSONRule(doc, false, "", "") }),
			on(2, "xml.jsonrule", func(doc string) string { return byJSONRule(doc, true, "=", "&") }),
			on(2, "xml.values", func(doc string) string { return byJSONRule(doc, false, "-", "") })},
		{on(1, "body.bom.added", func(doc string) string { return "\uFEFF" + doc }), on(2, "body.case", strings.ToUpper), on(2, "body.case", strings.ToLower)},
		keyPlaces(func(r *xmlRecipe) *around { return &r.around }),
		keyForms(r.key, func(r *xmlRecipe) *around { return &r.around }),
		algorithmChanges(m, func(r *xmlRecipe) *around { return &r.around }),
		xmlCharsets(r.doc),
	}
	return groups
}

// xmlCharsets changes the charset last, so that every other change is made in the charset that was sent.
func xmlCharsets(sent string) []xmlChange {
	decode := func(s string) string {
		text, _ := inUTF8(s)
		return text
	}
	var list []xmlChange
	if _, gbk := inUTF8(sent); gbk {
		list = append(list, xmlChange{one("xml.utf8"), 1, func(r *xmlRecipe) { r.doc = decode(r.doc) }})
	}
	for _, c := range charsets {
		c.bytes = func(of func(string) (string, bool)) func(string) (string, bool) {
			return func(s string) (string, bool) { return of(decode(s)) }
		}(c.bytes)
		id := c.id
		if id == "charset.gbk" {
			id = "xml.gbk"
		}
		list = append(list, xmlChange{one(id), c.cost, func(r *xmlRecipe) { r.charset = &c }})
	}
	return list
}

// Replacers are built once: a search uses them for every text that it makes.
var (
	markup     = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	unescaping = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#39;", "'", "&#34;", `"`, "&amp;", "&")
	unbroken   = strings.NewReplacer("\r", "", "\n", "")
)

func entities(s string) string { return markup.Replace(s) }

func unescapedEntities(s string) string {
	return unescaping.Replace(s)
}

// pretty puts every member on a line of its own.
func pretty(doc, indent string) string {
	flat := betweenTags.ReplaceAllString(doc, "><")
	flat = strings.Replace(flat, "?><", "?>\n<", 1)
	flat = strings.Replace(flat, "<business_trans><", "<business_trans>\n"+indent+"<", 1)
	members := regexp.MustCompile(`(</[a-z_]+>)<([a-z])`).ReplaceAllString(flat, "$1\n"+indent+"<$2")
	return regexp.MustCompile(`(</[a-z_]+>)</business_trans>`).ReplaceAllString(members, "$1\n</business_trans>")
}

func allCDATA(doc string) string {
	return regexp.MustCompile(`<([a-z_]+)>([^<]+)</([a-z_]+)>`).ReplaceAllString(doc, "<$1><![CDATA[$2]]></$3>")
}

// byJSONRule joins the members as the JSON sign does, in GBK when the document is.
func byJSONRule(doc string, sorted bool, equals, between string) string {
	members, err := xmlMembers(doc)
	if err != nil {
		return doc
	}
	if sorted {
		slices.SortStableFunc(members, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	}
	var parts []string
	for _, m := range members {
		if equals == "-" {
			parts = append(parts, m[1])
			continue
		}
		parts = append(parts, m[0]+equals+m[1])
	}
	text := strings.Join(parts, between)
	if _, gbk := inUTF8(doc); gbk {
		text, _ = toGBK(text)
	}
	return text
}

// xmlMembers are the names and values of a document's members, in order.
func xmlMembers(doc string) ([][2]string, error) {
	text, _ := inUTF8(doc)
	dec := xml.NewDecoder(strings.NewReader(declaration.ReplaceAllString(text, "")))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) {
		return simplifiedchinese.GBK.NewDecoder().Reader(in), nil
	}
	var members [][2]string
	depth, name, value := 0, "", ""
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return members, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 {
				name, value = t.Name.Local, ""
			}
		case xml.CharData:
			if depth == 2 {
				value += string(t)
			}
		case xml.EndElement:
			if depth == 2 {
				members = append(members, [2]string{name, value})
			}
			depth--
		}
	}
}
