package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/signing"
)

// xmlDeclaration opens every message; encoding/xml writes none that names GBK.
const xmlDeclaration = `<?xml version="1.0" encoding="GBK"?>`

// maxElements bounds an XML answer; 翼码's has about ten.
const maxElements = 1000

// replyXML is the message in the order of the documentation. XML carries no sign node.
type replyXML struct {
	XMLName         xml.Name `xml:"business_trans"`
	RequestType     string   `xml:"request_type"`
	ISSPID          string   `xml:"isspid"`
	TransactionID   string   `xml:"transaction_id"`
	SystemID        string   `xml:"system_id"`
	SellerAccount   string   `xml:"seller_account"`
	ComplaintID     string   `xml:"complaint_id"`
	ResponseContent string   `xml:"response_content"`
	ResponseImages  string   `xml:"response_images,omitempty"`
	JumpURL         *cdata   `xml:"jump_url,omitempty"`
	JumpURLText     string   `xml:"jump_url_text,omitempty"`
}

type cdata struct {
	Text string `xml:",cdata"`
}

// XML is the message as GBK bytes with its declaration. It fails only when GBK lacks a character.
func (m ReplyMessage) XML() ([]byte, error) {
	members := m.members()
	message := replyXML{
		RequestType:     members.RequestType,
		ISSPID:          members.ISSPID,
		TransactionID:   members.TransactionID,
		SystemID:        members.SystemID,
		SellerAccount:   members.SellerAccount,
		ComplaintID:     members.ComplaintID,
		ResponseContent: members.ResponseContent,
		ResponseImages:  members.ResponseImages,
		JumpURLText:     members.JumpURLText,
	}
	if members.JumpURL != "" {
		message.JumpURL = &cdata{members.JumpURL}
	}
	body, err := xml.Marshal(message)
	if err != nil {
		return nil, err
	}
	return EncodeGBK(xmlDeclaration + string(body))
}

// answerXML takes every element as a list, so that one that stands twice is seen.
type answerXML struct {
	XMLName       xml.Name `xml:"business_trans"`
	TransactionID []string `xml:"transaction_id"`
	ComplaintID   []string `xml:"complaint_id"`
	Result        []struct {
		ID      []string `xml:"id"`
		Comment []string `xml:"comment"`
	} `xml:"result"`
}

// ReadReplyXML reads an answer that is bare XML or a form with the members xml and mac, and checks the mac.
func ReadReplyXML(body []byte, key string) (ReplyAnswer, error) {
	doc, mac, err := splitForm(body)
	if err != nil {
		return ReplyAnswer{}, err
	}
	var parsed answerXML
	if err := decodeXML(doc, &parsed); err != nil {
		return ReplyAnswer{}, err
	}
	if len(parsed.Result) != 1 {
		return ReplyAnswer{}, errNoResult
	}
	var answer ReplyAnswer
	for _, field := range []struct {
		into *string
		from []string
	}{
		{&answer.ResultID, parsed.Result[0].ID},
		{&answer.Comment, parsed.Result[0].Comment},
		{&answer.TransactionID, parsed.TransactionID},
		{&answer.ComplaintID, parsed.ComplaintID},
	} {
		if len(field.from) > 1 {
			return ReplyAnswer{}, errors.New("has an element that stands twice")
		}
		*field.into = strings.TrimSpace(strings.Join(field.from, ""))
	}
	if mac != "" {
		answer.Signature = SignatureWrong
		if signing.EqualMD5(mac, signing.ImagecoXML(key, doc)) {
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
	inner := xml.NewDecoder(bytes.NewReader(withoutMark(doc)))
	inner.CharsetReader = charsetReader
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
		if g.depth > maxDepth || g.elements > maxElements {
			return fmt.Errorf("has more than %d levels or %d elements", maxDepth, maxElements)
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

// charsetReader honours the encodings in which 翼码 may answer; encoding/xml reads UTF-8 by itself. GB 18030 contains
// GBK and GB 2312.
func charsetReader(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "gbk", "gb2312", "gb18030", "cp936":
		return simplifiedchinese.GB18030.NewDecoder().Reader(input), nil
	}
	return nil, errors.New("the declared encoding is neither GBK nor UTF-8")
}
