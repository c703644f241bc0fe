package imageco

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"encoding/xml"
	"strings"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/signing"
)

// How a message travels is only partly documented; these are our reading [inferred], here and nowhere else.
const (
	// JSONType goes with a JSON message: UTF-8 on the wire, whatever charset its sign is computed over.
	JSONType = "application/json; charset=utf-8"
	// FormType goes with an XML message, which is sent as the form members xml and mac, as the vendor's sibling
	// platform takes it. The percent-encoded bytes are GBK.
	FormType = "application/x-www-form-urlencoded; charset=GBK"
)

// xmlDeclaration opens every XML message; encoding/xml writes none that names GBK.
const xmlDeclaration = `<?xml version="1.0" encoding="GBK"?>`

// member is one member of a message: what is sent in JSON and in XML, and what the sign covers, come from the same
// list.
type member struct {
	name     string
	value    string
	optional bool // left out when it is empty
	cdata    bool // a CDATA section in XML, as the documentation's sample has it
}

// message is the members of one message in the order of the documentation. Every one is a string.
type message []member

// sent are the members that go out.
func (m message) sent() message {
	out := make(message, 0, len(m))
	for _, one := range m {
		if one.value != "" || !one.optional {
			out = append(out, one)
		}
	}
	return out
}

// sign is the sign over the members in UTF-8, or in GBK. Members without a value take no part. It fails only when GBK
// lacks a character.
func (m message) sign(key string, inGBK bool) (string, error) {
	signed := make([]signing.Member, 0, len(m))
	for _, one := range m {
		if one.value == "" {
			continue
		}
		value := one.value
		if inGBK {
			encoded, err := gbk.Encode(value)
			if err != nil {
				return "", err
			}
			value = string(encoded)
		}
		signed = append(signed, signing.Member{Name: one.name, Value: value})
	}
	return signing.ImagecoJSON(key, signed), nil
}

// json is the message in UTF-8 on one line, without HTML escaping, with its sign as the last member.
func (m message) json(key string, signGBK bool) ([]byte, error) {
	sign, err := m.sign(key, signGBK)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	text := func(before, value string) {
		out.WriteString(before)
		_ = enc.Encode(value)       // a string in a buffer
		out.Truncate(out.Len() - 1) // Encode ends with a line feed
	}
	before := "{"
	for _, one := range append(m.sent(), member{name: "sign", value: sign}) {
		text(before, one.name)
		text(":", one.value)
		before = ","
	}
	out.WriteString("}")
	return out.Bytes(), nil
}

// xml is the message as GBK bytes with its declaration, without a sign. It fails only when GBK lacks a character.
func (m message) xml() ([]byte, error) {
	out := bytes.NewBufferString(xmlDeclaration)
	enc := xml.NewEncoder(out)
	root := xml.StartElement{Name: xml.Name{Local: "business_trans"}}
	if err := enc.EncodeToken(root); err != nil {
		return nil, err
	}
	for _, one := range m.sent() {
		var value any = one.value
		if one.cdata {
			value = struct {
				Text string `xml:",cdata"`
			}{one.value}
		}
		if err := enc.EncodeElement(value, xml.StartElement{Name: xml.Name{Local: one.name}}); err != nil {
			return nil, err
		}
	}
	if err := enc.EncodeToken(root.End()); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return gbk.Encode(out.String())
}

// form is the XML message with its mac as the form that is posted.
func (m message) form(key string) ([]byte, error) {
	doc, err := m.xml()
	if err != nil {
		return nil, err
	}
	return xmlForm(doc, key), nil
}

// SignatureOf is the sign or the mac of a message as [Reply.JSON] or [Reply.Form] made it, which both
// write last.
func SignatureOf(message []byte) string {
	text := strings.TrimSuffix(string(message), `"}`)
	return text[max(0, len(text)-md5.Size*2):]
}

// xmlForm is an XML message with its mac, which is made over the bytes as they are sent, as the form that is posted.
func xmlForm(doc []byte, key string) []byte {
	form := make([]byte, 0, 3*len(doc)+48)
	form = append(form, "xml="...)
	form = escapeGBK(form, doc)
	form = append(form, "&mac="...)
	return append(form, signing.ImagecoXML(key, doc)...)
}

// escapeGBK appends text in GBK as a value of a form. Both bytes of a character are escaped, also when the second one
// is a letter: four of ten form readers in Java decode the escapes first and then the characters between them, and so
// tear a character whose half was left as it is. The application/x-www-form-urlencoded parsing of the WHATWG's URL
// standard takes an escape for any byte.
func escapeGBK(form, text []byte) []byte {
	const digits = "0123456789ABCDEF"
	second := false
	for _, c := range text {
		first := !second && c >= utf8.RuneSelf
		switch {
		case first || second || !unreserved(c) && c != ' ':
			form = append(form, '%', digits[c>>4], digits[c&15])
		case c == ' ':
			form = append(form, '+')
		default:
			form = append(form, c)
		}
		second = first
	}
	return form
}

// unreserved are the characters of RFC 3986 that never need an escape.
func unreserved(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' ||
		bytes.IndexByte([]byte("-._~"), c) >= 0
}
