package explain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/pasted"
	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
)

// imageco explains a 翼码 message: JSON, XML, or the form that carries XML.
func (r *Report) imageco(ctx context.Context, o Options, k keys) error {
	message := o.Message
	if m, ok := pasted.ReadHTTP(message, o.Part); ok {
		r.forgave(m.Forgiven)
		message = m.Body
		if len(message) == 0 {
			message = o.Body
		}
		if len(bytes.TrimSpace(message)) == 0 {
			return errors.New("the message has no body; 翼码's signature covers the body alone")
		}
	}
	if bytes.HasPrefix(bytes.TrimSpace(message), []byte("{")) {
		return r.imagecoJSON(ctx, o, k, bytes.TrimSpace(message))
	}
	return r.imagecoXML(ctx, o, k, message)
}

// imagecoJSON explains the sign of a JSON message.
func (r *Report) imagecoJSON(ctx context.Context, o Options, k keys, message []byte) error {
	r.Scheme = schemeJSON.In(r.language)
	text, inGBK := inUTF8(string(message))
	list, err := strictjson.Pairs([]byte(text))
	if err != nil {
		return fmt.Errorf("the message %w", err)
	}
	right := jsonRecipe{around: around{key: k.imageco.key, before: true, after: true}}
	r.Given = o.Signature
	seen := map[string]bool{}
	var problems []found
	for _, m := range list {
		member := jsonMember{name: m.Name, raw: string(m.Value)}
		if m.Value[0] == '"' {
			member.text = true
			if err := json.Unmarshal(m.Value, &member.value); err != nil {
				return fmt.Errorf("the member %s cannot be read", m.Name)
			}
			if m.Name == "sign" && r.Given == "" {
				r.Given = member.value
			}
		}
		if seen[m.Name] {
			problems = append(problems, found{"member.twice", []any{m.Name}})
		}
		seen[m.Name] = true
		right.members = append(right.members, member)
	}
	if inGBK {
		problems = append(problems, found{"json.bytes.gbk", nil})
	}
	problems = append(problems, r.members(right.members, k)...)
	inner := right.text()
	r.Signed = Blanked + inner + Blanked
	if k.imageco.gbk {
		r.note(noteGBK)
		if _, err := gbk.Encode(inner); err != nil {
			return fmt.Errorf("the message cannot be signed in GBK: %w", err)
		}
		right.charset = &charset{id: "agreed", bytes: func(s string) (string, bool) { text, _ := toGBK(s); return text, true }}
	}
	if !k.given {
		r.note(noteNoKey)
		return nil
	}
	digest, _ := right.digest(inner)
	r.Result = upperHex(digest)
	if r.Given == "" {
		return nil
	}
	r.compare(r.Given, true, digest, problems, func(m *matcher) [][]found {
		return search(ctx, right, jsonChanges(right, k.imageco.gbk, m, wholeTexts(text)), func(c *jsonRecipe) ([]found, bool) {
			return m.made(c.digest(c.text()))
		})
	}, func(m *matcher) (string, bool) { return m.match(digest) })
	return nil
}

// documented are the members of 翼码's complaint messages, all of them strings: https://open.wangcaio2o.com/docs/ipos-sa/1845.
var documented = []string{"request_type", "isspid", "transaction_id", "system_id", "seller_account", "complaint_id", "response_content",
	"response_images", "jump_url", "jump_url_text"}

// members tells what takes no part because people expect it to, and what contradicts the secret.
func (r *Report) members(members []jsonMember, k keys) []found {
	var problems []found
	request := slices.ContainsFunc(members, func(m jsonMember) bool { return m.name == "request_type" })
	for _, m := range members {
		switch {
		case !m.text && strings.ContainsAny(m.raw[:1], "{["):
			r.note(noteNested, m.name)
		case !m.text && request && slices.Contains(documented, m.name):
			problems = append(problems, found{"member.notstring", []any{m.name}})
		case !m.text:
			r.note(noteNotString, m.name)
		case m.name == "isspid" && k.imageco.isspid != "" && m.value != k.imageco.isspid:
			problems = append(problems, found{"account.isspid", nil})
		case m.name == "system_id" && k.imageco.systemID != "" && m.value != k.imageco.systemID:
			problems = append(problems, found{"account.system", nil})
		}
	}
	return problems
}

// compare says whether the given signature is the right one, and if not looks for what explains it. problems are what
// the gateway will refuse although the signature may be right.
func (r *Report) compare(given string, upper bool, right []byte, problems []found, search func(*matcher) [][]found, same func(*matcher) (string, bool)) {
	if strings.Contains(given, "-----BEGIN") || slices.Contains(r.secrets, given) {
		r.explain(true, one("given.key"))
		return
	}
	m := newMatcher(given, upper)
	each := func() {
		for _, p := range problems {
			r.explain(true, []found{p})
		}
	}
	if form, ok := same(m); ok {
		switch {
		case form != "":
			r.explain(true, one(form))
		case len(problems) == 0:
			r.right()
			return
		}
		each()
		return
	}
	for _, unwrapped := range unwrapSignature(given) {
		u := newMatcher(unwrapped, upper)
		if _, ok := same(u); ok {
			r.explain(true, one("given.wrapped"))
			each()
			return
		}
	}
	answers := search(m)
	if len(answers) > 0 {
		r.explain(true, answers...)
		if len(m.raw) == 16 && (upper && given != strings.ToUpper(given) || !upper && given != strings.ToLower(given)) {
			r.note(noteCase)
		}
		each()
		return
	}
	each()
	if len(m.raw) != 16 && len(m.possible()) == 0 {
		r.explain(true, one("given.form"))
		return
	}
	r.explain(false, one("text.other"), one("key.other"))
}

// unwrapSignature takes off what clings to a signature that was pasted.
func unwrapSignature(given string) []string {
	var list []string
	for _, text := range []string{
		strings.Trim(given, "\"'`，。,;； "), strings.TrimPrefix(strings.TrimPrefix(given, "sign="), "mac="),
		strings.Join(strings.Fields(given), ""), strings.Map(func(c rune) rune {
			if strings.ContainsRune("\u200b\u200c\u200d\ufeff\u00a0\u2060", c) {
				return -1
			}
			return c
		}, given),
	} {
		if text != given && text != "" {
			list = append(list, text)
		}
	}
	return list
}

// wholeTexts are the texts of a message that may have been signed as a whole, in place of its members.
func wholeTexts(message string) []variant {
	root, err := parseJSON(message)
	if err != nil || root.kind != '{' {
		return nil
	}
	v := newVariants("\x00")
	v.style, v.known = styleOf(message, root)
	v.add(1, message)
	v.add(1, compacted(message), found{"body.spacing", []any{"", ""}})
	for _, sign := range []string{"", "empty"} {
		other := &node{kind: '{'}
		for i, name := range root.names {
			if name != "sign" {
				other.names, other.members = append(other.names, name), append(other.members, root.members[i])
			} else if sign == "empty" {
				other.names, other.members = append(other.names, name), append(other.members, &node{kind: '"'})
			}
		}
		v.add(1, other.write(v.style))
		v.rewritten(other, nil, 1)
	}
	v.rewritten(root, nil, 1)
	return v.list
}

// imagecoXML explains the mac of an XML message.
func (r *Report) imagecoXML(ctx context.Context, o Options, k keys, message []byte) error {
	r.Scheme = schemeXML.In(r.language)
	r.Given = o.Signature
	doc := bytes.TrimSpace(message)
	var problems []found
	if !bytes.HasPrefix(doc, []byte("<")) {
		text, mac, encoded := readForm(string(doc))
		if text == "" {
			return errors.New("the message is neither JSON, nor XML, nor a form with the member xml")
		}
		if !encoded {
			problems = append(problems, found{"form.unencoded", nil})
		}
		if doc = []byte(text); r.Given == "" {
			r.Given = mac
		}
	} else if signing.EqualMD5(r.Given, signing.ImagecoXML(k.imageco.key, message)) {
		doc = message // the white space around it was sent
	} else if len(message) > len(doc) {
		r.note(noteXMLEnds)
	}
	shown, isGBK := inUTF8(string(doc))
	switch {
	case isGBK:
		r.note(noteXMLGBK)
	case !ascii(shown) && strings.Contains(strings.ToUpper(declaration.FindString(shown)), "GB"):
		problems = append(problems, found{"xml.bytes.utf8", nil})
	}
	if members, err := xmlMembers(string(doc)); err == nil {
		for _, m := range members {
			switch {
			case m[0] == "isspid" && k.imageco.isspid != "" && m[1] != k.imageco.isspid:
				problems = append(problems, found{"account.isspid", nil})
			case m[0] == "system_id" && k.imageco.systemID != "" && m[1] != k.imageco.systemID:
				problems = append(problems, found{"account.system", nil})
			}
		}
	}
	r.Signed = Blanked + shown + Blanked
	if !k.given {
		r.note(noteNoKey)
		return nil
	}
	r.Result = signing.ImagecoXML(k.imageco.key, doc)
	right := xmlRecipe{doc: string(doc), around: around{key: k.imageco.key, before: true, after: true}}
	digest, _ := right.digest(right.doc)
	if r.Given == "" {
		return nil
	}
	r.compare(r.Given, false, digest, problems, func(m *matcher) [][]found {
		return search(ctx, right, xmlChanges(right, m), func(c *xmlRecipe) ([]found, bool) { return m.made(c.digest(c.doc)) })
	}, func(m *matcher) (string, bool) { return m.match(digest) })
	return nil
}

// readForm reads the members xml and mac, and reports whether they were URL-encoded as a form's must be.
func readForm(text string) (doc, mac string, encoded bool) {
	form, err := url.ParseQuery(text)
	if err == nil && form.Get("xml") != "" && !strings.Contains(text, "<") {
		return form.Get("xml"), form.Get("mac"), true
	}
	_, rest, ok := strings.Cut(text, "xml=")
	if !ok {
		return "", "", false
	}
	if end := strings.LastIndex(rest, "&mac="); end >= 0 {
		return rest[:end], rest[end+len("&mac="):], false
	}
	before, _, _ := strings.Cut(text, "&xml=")
	return rest, strings.TrimPrefix(before, "mac="), false
}

var (
	schemeJSON = advice.Words{EN: "翼码 JSON: MD5 over the key, the top-level string members sorted by name, and the key again; upper-case hex",
		ZH: "翼码 JSON：密钥 + 按名称排序的顶层字符串成员 + 密钥，取 MD5，大写十六进制"}
	schemeXML = advice.Words{EN: "翼码 XML: MD5 over the key, the XML's bytes exactly as they are sent, and the key again; lower-case hex",
		ZH: "翼码 XML：密钥 + 原样发送的 XML 字节 + 密钥，取 MD5，小写十六进制"}
	noteGBK       = advice.Words{EN: "the text is signed as GBK bytes; it is shown in UTF-8", ZH: "签名用的是 GBK 字节，这里以 UTF-8 显示"}
	noteXMLGBK    = advice.Words{EN: "the XML is GBK bytes; it is shown in UTF-8", ZH: "XML 是 GBK 字节，这里以 UTF-8 显示"}
	noteXMLEnds   = advice.Words{EN: "white space around the XML was taken for the file's and not for the message's", ZH: "XML 前后的空白视为文件的，不算报文的"}
	noteNoKey     = advice.Words{EN: "without a key nothing can be made or checked; give --merchant, --secret-file or --key-file", ZH: "没有密钥就无法计算和核对；请给出 --merchant、--secret-file 或 --key-file"}
	noteCase      = advice.Words{EN: "the given signature is in the other case, too: the documentation prints a JSON sign in upper and an XML mac in lower case", ZH: "另外，给出的签名大小写也不对：文档里 JSON 的 sign 是大写，XML 的 mac 是小写"}
	noteNested    = advice.Words{EN: "%s is nested and takes no part", ZH: "%s 是嵌套成员，不参与签名"}
	noteNotString = advice.Words{EN: "%s is not a string and takes no part; 翼码's members are all strings", ZH: "%s 不是字符串，不参与签名；翼码的成员都是字符串"}
)
