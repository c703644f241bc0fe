package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// blanked stands where the key stands.
const blanked = "‹key›"

// explainImageco explains a 翼码 message: JSON, XML, or the form that carries XML.
func (c signCommand) explainImageco(ctx context.Context, message []byte) (*explanation, error) {
	key, gbk, err := c.imagecoKey(ctx)
	if err != nil {
		return nil, err
	}
	if _, body, ok := splitHTTP(message); ok {
		message = body
	}
	message = bytes.TrimPrefix(message, []byte("\xEF\xBB\xBF"))
	if start := bytes.TrimSpace(message); bytes.HasPrefix(start, []byte("{")) {
		return c.explainJSON(start, key, gbk || c.GBK)
	}
	return c.explainXML(message, key)
}

// imagecoKey finds the key, "" when none is given, and whether the merchant signs in GBK.
func (c signCommand) imagecoKey(ctx context.Context) (key string, gbk bool, err error) {
	if !c.given() {
		text, err := c.keyText()
		if strings.Contains(text, "-----BEGIN") {
			return "", false, errors.New("the key file holds PEM, which is WeChat Pay's kind of key; 翼码's is one line of text")
		}
		// An editor ends a file with a line feed, which is not a part of the key.
		return strings.TrimRight(text, "\r\n"), false, err
	}
	text, err := c.read(ctx, c.awsFlags)
	if err != nil {
		return "", false, err
	}
	reply, _ := config.ReadReply(func(string) string { return "" }) // for its rule about URLs alone
	half, err := merchant.ParseImageco(text, reply.CheckGatewayURL)
	if err != nil {
		return "", false, fmt.Errorf("in the merchant's secret, %w; kesu doctor tells more", err)
	}
	return half.Key, half.SignGBK, nil
}

func (c signCommand) explainJSON(message []byte, key string, gbk bool) (*explanation, error) {
	inGBK := !utf8.Valid(message)
	if inGBK {
		if decoded, err := simplifiedchinese.GBK.NewDecoder().Bytes(message); err == nil {
			message = decoded
		}
	}
	list, err := wire.Object(message)
	if err != nil {
		return nil, fmt.Errorf("the message %w", err)
	}
	right := jsonRecipe{key: key, before: true, after: true, gbk: gbk}
	e := &explanation{Scheme: "翼码 JSON: MD5 over the key, the top-level string members sorted by name, and the key again; upper-case hex", Given: c.Signature}
	for _, m := range list {
		member := jsonMember{name: m.Name, raw: string(m.Value)}
		if m.Value[0] == '"' {
			member.text = true
			if err := json.Unmarshal(m.Value, &member.value); err != nil {
				return nil, fmt.Errorf("the member %s cannot be read", clean(m.Name))
			}
			if m.Name == "sign" && e.Given == "" {
				e.Given = member.value
			}
		}
		right.members = append(right.members, member)
	}
	e.noteMembers(right.members)
	if inGBK {
		e.note("the message is GBK; JSON travels in UTF-8, whatever charset is signed")
	}
	text, err := right.text()
	if err != nil {
		return nil, fmt.Errorf("the message cannot be signed in GBK: %w", err)
	}
	if gbk {
		e.note("the text is signed as GBK bytes; it is shown in UTF-8")
	}
	shown := right
	shown.gbk, shown.key = false, ""
	inner, _ := shown.text() // UTF-8 holds everything
	e.Signed = blanked + blank(string(inner), key) + blanked
	if key == "" {
		e.note("without a key nothing can be made or checked; give --merchant, --secret-file or --key-file")
		return e, nil
	}
	e.Result = fmt.Sprintf("%X", md5Of(text))
	e.compare(func() ([]string, bool) {
		return explainBy(right, jsonMistakes(right), func(r jsonRecipe) bool {
			text, err := r.text()
			return err == nil && signing.EqualMD5(fmt.Sprintf("%x", md5Of(text)), e.Given)
		})
	}, e.Result)
	return e, nil
}

// noteMembers tells what takes no part, because people expect it to.
func (e *explanation) noteMembers(members []jsonMember) {
	seen := map[string]bool{}
	for _, m := range members {
		if seen[m.name] {
			e.note("the member %s stands twice; a receiver may take either", m.name)
		}
		seen[m.name] = true
		switch {
		case !m.text && strings.ContainsAny(m.raw[:1], "{["):
			e.note("%s is nested and takes no part", m.name)
		case !m.text:
			e.note("%s is not a string and takes no part; 翼码's members are all strings", m.name)
		}
	}
}

// compare says whether the given signature is the right one, and if not looks for the mistakes that explain it.
func (e *explanation) compare(search func() ([]string, bool), right string) {
	if e.Given == "" {
		return
	}
	e.matches(signing.EqualMD5(e.Given, right))
	switch {
	case *e.Matches && e.Given != right:
		e.note("the given signature is in the other case; the documentation prints a JSON sign in upper and an XML mac in lower case")
	case *e.Matches:
	case !signing.EqualMD5(e.Given, e.Given):
		e.note("the given signature is not 32 hex digits, so it is no MD5 at all")
	default:
		e.Differences, _ = search()
		if e.Differences == nil {
			e.note("most often that is another key: compare the fingerprint that kesu doctor shows with the other side's")
		}
	}
}

func (c signCommand) explainXML(message []byte, key string) (*explanation, error) {
	doc, mac := bytes.TrimSpace(message), ""
	if !bytes.HasPrefix(doc, []byte("<")) {
		form, err := url.ParseQuery(string(doc))
		if err != nil || form.Get("xml") == "" {
			return nil, errors.New("the message is neither JSON, nor XML, nor a form with the member xml")
		}
		doc, mac = []byte(form.Get("xml")), form.Get("mac")
	}
	e := &explanation{Scheme: "翼码 XML: MD5 over the key, the XML's bytes exactly as they are sent, and the key again; lower-case hex", Given: c.Signature}
	if e.Given == "" {
		e.Given = mac
	}
	shown := string(doc)
	if decoded, err := simplifiedchinese.GBK.NewDecoder().Bytes(doc); err == nil && strings.ToValidUTF8(shown, "") != shown {
		shown = string(decoded)
		e.note("the XML is GBK bytes; it is shown in UTF-8")
	} else if strings.Contains(shown, `encoding="GBK"`) && strings.ContainsFunc(shown, func(r rune) bool { return r > 127 }) {
		e.note("the XML says that it is GBK, and its bytes are UTF-8; 翼码 would read other characters")
	}
	e.Signed = blanked + blank(shown, key) + blanked
	if key == "" {
		e.note("without a key nothing can be made or checked; give --merchant, --secret-file or --key-file")
		return e, nil
	}
	e.Result = signing.ImagecoXML(key, doc)
	right := xmlRecipe{doc: string(doc), key: key, before: true, after: true}
	e.compare(func() ([]string, bool) {
		return explainBy(right, xmlMistakes(key), func(r xmlRecipe) bool {
			return signing.EqualMD5(fmt.Sprintf("%x", md5Of([]byte(r.text()))), e.Given)
		})
	}, e.Result)
	return e, nil
}

// blank takes a secret out of a text that is shown.
func blank(text, secret string) string {
	if secret == "" {
		return text
	}
	return strings.ReplaceAll(text, secret, blanked)
}
