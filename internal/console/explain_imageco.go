package console

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
)

func imagecoRequest(m *sandbox.Merchant, x *sandbox.Call) *explained {
	if m.Imageco.Format == "xml" {
		return imagecoXML(m, x.Body)
	}
	return imagecoJSON(m, x.Body)
}

func imagecoAnswer(m *sandbox.Merchant, x *sandbox.Call) *explained {
	if m.Imageco.Format != "xml" {
		return imagecoJSON(m, x.Sent)
	}
	if bytes.HasPrefix(bytes.TrimSpace(x.Sent), []byte("<")) {
		return &explained{Scheme: "imageco-xml", Verdict: unsigned}
	}
	return imagecoXML(m, x.Sent)
}

// imagecoJSON makes a message's sign again: MD5 over the key, the sorted string members, and the key.
func imagecoJSON(owner *sandbox.Merchant, body []byte) *explained {
	m := owner.Imageco
	e := &explained{Scheme: "imageco-json", Verdict: unreadable}
	all, err := strictjson.Pairs(body)
	if err != nil {
		return e
	}
	var members []signing.Member
	sent := ""
	for _, raw := range all {
		var value string
		if raw.Value[0] != '"' || json.Unmarshal(raw.Value, &value) != nil {
			continue
		}
		if raw.Name == "sign" {
			sent = value
			continue
		}
		members = append(members, signing.Member{Name: raw.Name, Value: value})
	}
	slices.SortStableFunc(members, func(a, b signing.Member) int { return strings.Compare(a.Name, b.Name) })
	var sorted, joined strings.Builder
	for _, member := range members {
		sorted.WriteString(member.Name + " = " + member.Value + "\n")
		joined.WriteString(member.Name + member.Value)
	}
	e.step("members", strings.TrimSuffix(sorted.String(), "\n"))
	e.step("joined", joined.String())
	e.Signed = m.Key + joined.String() + m.Key
	if m.SignCharset == "gbk" {
		e.step("charset", "GBK")
		for i := range members {
			encoded, err := simplifiedchinese.GBK.NewEncoder().String(members[i].Value)
			if err != nil {
				return e
			}
			members[i].Value = encoded
		}
	}
	e.step("key", m.Key)
	e.md5(signing.ImagecoJSON(m.Key, members), sent)
	e.judge(owner, "imageco", body, time.Now())
	return e
}

// imagecoXML makes a form's mac again: MD5 over the key, the document's bytes, and the key.
func imagecoXML(owner *sandbox.Merchant, body []byte) *explained {
	key := owner.Imageco.Key
	e := &explained{Scheme: "imageco-xml", Verdict: unreadable}
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil || len(form["xml"]) != 1 {
		return e
	}
	document := form.Get("xml")
	text, err := simplifiedchinese.GBK.NewDecoder().String(document)
	if err != nil {
		return e
	}
	e.step("document", text)
	e.step("charset", "GBK")
	e.step("key", key)
	e.Signed = key + text + key
	e.md5(signing.ImagecoXML(key, []byte(document)), form.Get("mac"))
	e.judge(owner, "imageco", body, time.Now())
	return e
}

// md5 shows the digest that was made again beside the one that was sent.
func (e *explained) md5(made, sent string) {
	e.step("md5", made)
	if sent != "" {
		e.step("sent", sent)
	}
}
