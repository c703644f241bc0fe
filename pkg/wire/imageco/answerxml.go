package imageco

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
)

// maxElements bounds an XML answer; 翼码's has about ten.
const maxElements = 1000

// answerXML takes every element as a list, so that one that stands twice is seen.
type answerXML struct {
	XMLName       xml.Name `xml:"business_trans"`
	TransactionID []leaf   `xml:"transaction_id"`
	ComplaintID   []leaf   `xml:"complaint_id"`
	Result        []struct {
		ID      []leaf `xml:"id"`
		Comment []leaf `xml:"comment"`
	} `xml:"result"`
}

// leaf is an element that holds text and nothing else. encoding/xml would leave out what stands between two pieces of
// text, and so read an id that nobody wrote.
type leaf string

// UnmarshalXML refuses elements, comments and processing instructions. CDATA sections and entities are text.
func (l *leaf) UnmarshalXML(d *xml.Decoder, _ xml.StartElement) error {
	var text strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			*l = leaf(strings.TrimSpace(text.String()))
			return nil
		default:
			return errors.New("has more than text in a member")
		}
	}
}

// ReadXML reads an answer that is bare XML or a form with the members xml and mac, and checks the mac, which is
// right when it is made over the XML as it came or over the same text in the other of GBK and UTF-8.
func ReadXML(body []byte, key string) (Answer, error) {
	doc, mac, err := splitForm(body)
	if err != nil {
		return Answer{}, err
	}
	var parsed answerXML
	if err := decodeXML(doc, &parsed); err != nil {
		return Answer{}, err
	}
	if len(parsed.Result) != 1 {
		return Answer{}, errNoResult
	}
	var answer Answer
	for _, field := range []struct {
		into *string
		from []leaf
	}{
		{&answer.ResultID, parsed.Result[0].ID},
		{&answer.Comment, parsed.Result[0].Comment},
		{&answer.TransactionID, parsed.TransactionID},
		{&answer.ComplaintID, parsed.ComplaintID},
	} {
		if len(field.from) > 1 {
			return Answer{}, errors.New("has an element that stands twice")
		}
		if len(field.from) == 1 {
			*field.into = string(field.from[0])
		}
	}
	if mac != "" {
		answer.Signature = SignatureWrong
		if signing.EqualMD5(mac, signing.ImagecoXML(key, doc)) ||
			signing.EqualMD5(mac, signing.ImagecoXML(key, gbk.InOther(doc))) {
			answer.Signature = SignatureRight
		}
	}
	return answer, answer.readable()
}

// splitForm takes the XML and the mac out of an answer. Bare XML has no mac.
func splitForm(body []byte) (doc []byte, mac string, err error) {
	trimmed := bytes.TrimSpace(withoutMark(body))
	if bytes.HasPrefix(trimmed, []byte("<")) {
		return trimmed, "", nil
	}
	form, err := url.ParseQuery(string(trimmed))
	if err != nil || len(form["xml"]) != 1 || len(form["mac"]) > 1 {
		return nil, "", errors.New("is neither XML nor a form with the member xml")
	}
	return []byte(form.Get("xml")), form.Get("mac"), nil
}

// decodeXML reads one document from outside: no DOCTYPE (and so no entities but XML's own five), bounded in depth and
// number of elements, nothing beside the root. The size was bounded when it was received.
func decodeXML(doc []byte, into any) error {
	doc = withoutMark(doc)
	charset := charsetReader(gbk.HasHan(doc))
	if !utf8.Valid(doc) { // GBK, whatever it declares
		doc, charset = gbk.Decode(doc), asItIs
	}
	inner := xml.NewDecoder(bytes.NewReader(doc))
	inner.CharsetReader = charset
	guard := &xmlGuard{inner: inner}
	dec := xml.NewTokenDecoder(guard)
	err := dec.Decode(into)
	read := err == nil
	for err == nil { // what stands behind the root is the guard's to judge
		_, err = dec.Token()
	}
	switch {
	case guard.refused != nil:
		return guard.refused
	case !read || err != io.EOF:
		return errors.New("is not the XML that was expected")
	}
	return nil
}

// xmlGuard stops a hostile document before encoding/xml builds anything from it.
type xmlGuard struct {
	inner                         *xml.Decoder
	declarations, depth, elements int
	refused                       error
}

// Token gives no token together with an error: the decoder behind it would take the token and forget the error.
func (g *xmlGuard) Token() (xml.Token, error) {
	token, err := g.inner.RawToken()
	if err != nil {
		return nil, err
	}
	if g.refused = g.check(token); g.refused != nil {
		return nil, g.refused
	}
	return token, nil
}

func (g *xmlGuard) check(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return errors.New("has a DOCTYPE, which is not accepted")
	case xml.ProcInst:
		// Every declaration that names an encoding puts one more reader between the bytes and the parser.
		if t.Target == "xml" {
			g.declarations++
		}
		if g.declarations > 1 {
			return errors.New("has two XML declarations")
		}
	case xml.StartElement:
		if g.depth == 0 && g.elements > 0 {
			return errors.New("has more than one XML root")
		}
		g.depth++
		g.elements++
		if g.depth > strictjson.MaxDepth || g.elements > maxElements {
			return fmt.Errorf("has more than %d levels or %d elements", strictjson.MaxDepth, maxElements)
		}
	case xml.EndElement:
		g.depth--
	case xml.CharData:
		if g.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
			return errors.New("has text outside of the XML root")
		}
	}
	return nil
}

// asItIs reads what is UTF-8 already.
func asItIs(_ string, input io.Reader) (io.Reader, error) { return input, nil }

// charsetReader reads what is UTF-8 by its bytes as that, whatever it declares; encoding/xml asks for every other
// charset. In GBK, which 翼码 may answer in, such bytes can be meant when there is no Chinese in them.
func charsetReader(hasHan bool) func(label string, input io.Reader) (io.Reader, error) {
	return func(label string, input io.Reader) (io.Reader, error) {
		switch strings.ToLower(label) {
		case "gbk", "gb2312", "gb18030", "cp936":
			if !hasHan {
				return gbk.GB18030.NewDecoder().Reader(input), nil
			}
		}
		return input, nil
	}
}
