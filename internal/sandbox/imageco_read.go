package sandbox

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/signing"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// readImageco reads a request in either form. An error comes with the HTTP status to answer.
func readImageco(r *http.Request, body []byte) (*imagecoMessage, int, error) {
	if r.Method != http.MethodPost {
		return nil, http.StatusMethodNotAllowed, errors.New("the method is not POST")
	}
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, http.StatusUnsupportedMediaType, errors.New("the Content-Type cannot be read")
	}
	var m *imagecoMessage
	switch charset := strings.ToLower(parameters["charset"]); {
	case media == "application/json" && (charset == "" || charset == "utf-8"):
		m, err = readImagecoJSON(body)
	// curl says this of everything that it sends with -d. 翼码 documents no Content-Type, so that it minds is not proved.
	case media == "application/x-www-form-urlencoded" && bytes.HasPrefix(body, []byte("{")):
		m, err = readImagecoJSON(body)
	case media == "application/x-www-form-urlencoded" && (charset == "" || charset == "gbk"):
		m, err = readImagecoForm(body)
	default:
		return nil, http.StatusUnsupportedMediaType, errors.New("the Content-Type is neither JSON in UTF-8 nor a form")
	}
	if err != nil {
		return nil, http.StatusBadRequest, err
	}
	return m, http.StatusOK, nil
}

// readImagecoJSON reads one object whose members are all strings and stand once.
func readImagecoJSON(body []byte) (*imagecoMessage, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the JSON is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("the body is not a JSON object")
	}
	m := &imagecoMessage{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, errors.New("the body is not JSON")
		}
		value, err := dec.Token()
		text, ok := value.(string)
		if err != nil || !ok {
			return nil, errors.New("a member's value is not a string")
		}
		if m.has(name.(string)) { // the decoder accepts nothing but a string here
			return nil, errors.New("a member stands twice")
		}
		m.members = append(m.members, signing.Member{Name: name.(string), Value: text})
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("the JSON ends too early")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("there is more after the JSON object")
	}
	return m, nil
}

// declaration is how the XML has to begin. Case and quotes are those of the XML recommendation, sections 2.8 and 4.3.3: names of
// encodings are compared without case.
var declaration = regexp.MustCompile(`^\s*<\?xml\s+version\s*=\s*(?:"1\.0"|'1\.0')\s+encoding\s*=\s*(?:"([^"]*)"|'([^']*)')\s*(?:standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)')\s*)?\?>`)

// readImagecoForm reads the members xml and mac, each once and no other.
//
// A byte that should have been escaped stands for itself, as every form reader takes it and as curl sends it with -d; but
// &, + and % do not, and so are errors of the form or of the mac.
func readImagecoForm(body []byte) (*imagecoMessage, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the form is not URL-encoded: a % or ; of the XML must be escaped")
	}
	if len(form) != 2 || len(form["xml"]) != 1 || len(form["mac"]) != 1 {
		return nil, errors.New("the form's members are not xml and mac; an & of the XML must be escaped, as %26")
	}
	m := &imagecoMessage{xml: []byte(form.Get("xml")), mac: form.Get("mac")}
	text, err := simplifiedchinese.GBK.NewDecoder().String(form.Get("xml"))
	if err != nil || strings.ContainsRune(text, utf8.RuneError) {
		return nil, errors.New("the XML is not GBK")
	}
	found := declaration.FindStringSubmatch(text)
	switch {
	case found == nil:
		return nil, errors.New("the XML does not begin with its declaration")
	case !strings.EqualFold(found[1]+found[2], "GBK"):
		return nil, errors.New("the XML's declaration says another encoding than GBK")
	}
	if m.members, err = readImagecoXML(text[len(found[0]):]); err != nil {
		return nil, err
	}
	if m.has("jump_url") && !strings.Contains(text, "<jump_url><![CDATA[") {
		return nil, errors.New("jump_url is not in CDATA")
	}
	return m, nil
}

// readImagecoXML reads business_trans with children that hold nothing but text.
func readImagecoXML(text string) ([]signing.Member, error) {
	dec := xml.NewDecoder(strings.NewReader(text))
	m := &imagecoMessage{}
	var path []string
	var value strings.Builder
	closed := false
	for {
		token, err := dec.Token()
		if err == io.EOF && closed {
			return m.members, nil
		}
		if err != nil {
			return nil, errors.New("the XML is not well-formed")
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			value.Reset()
			if closed || len(path) > 2 || path[0] != "business_trans" || len(t.Attr) > 0 || t.Name.Space != "" {
				return nil, errors.New("the XML is not business_trans with plain members")
			}
			if t.Name.Local == "sign" || m.has(t.Name.Local) {
				return nil, errors.New("a member stands twice, or is the sign that XML does not have")
			}
		case xml.CharData:
			if len(path) < 2 && strings.TrimSpace(string(t)) != "" {
				return nil, errors.New("there is text between the XML's members")
			}
			value.Write(t)
		case xml.EndElement:
			if len(path) == 2 {
				m.members = append(m.members, signing.Member{Name: path[1], Value: value.String()})
				value.Reset()
			}
			path = path[:len(path)-1]
			closed = len(path) == 0
		default:
			return nil, errors.New("the XML has a DOCTYPE, a comment or an instruction")
		}
	}
}

// images are the ids in response_images.
func (m *imagecoMessage) images() []string {
	if joined := m.get("response_images"); joined != "" {
		return strings.Split(joined, "|")
	}
	return nil
}
