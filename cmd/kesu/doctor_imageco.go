package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

var imagecoMembers = []string{"isspid", "system_id", "seller_account", "key", "format", "sign_charset", "url"}

// fingerprint is a name for a key that gives nothing of it away, as long as the key cannot be guessed.
func fingerprint(key []byte) string {
	sum := sha256.Sum256(key)
	return "sha256:" + hex.EncodeToString(sum[:8])
}

// guessable is the length below which a key's fingerprint would let somebody find the key by trying.
const guessable = 16

func (d *doctor) examineImageco(raw string) {
	f, ok := d.object("imageco", "imageco.", raw, imagecoMembers)
	if !ok {
		return
	}
	for _, id := range []struct {
		name  string
		limit int
	}{{"isspid", 8}, {"system_id", 4}} { // the documentation's lengths
		if text, ok := f.line(id.name, true); ok {
			if len(text) > id.limit || strings.Trim(text, "0123456789") != "" {
				d.warn("imageco."+id.name, fmt.Sprintf("is not a number of up to %d digits, as in 翼码's documentation", id.limit), "compare it with what 翼码 gave you")
			} else {
				d.ok("imageco."+id.name, "%s", text)
			}
		}
	}
	if _, there := f.members["seller_account"]; !there && f.near["seller_account"] == "" {
		d.warn("imageco.seller_account", "is missing, so every reply must name one", "add the 收款账户编号 that most complaints are about")
	} else if text, ok := f.line("seller_account", false); ok {
		if strings.Trim(text, "0123456789") == "" {
			d.ok("imageco.seller_account", "%s", text)
		} else { // a key may have been pasted here
			d.warn("imageco.seller_account", "is not a number", "compare it with the 收款账户编号 that 翼码 gave you")
		}
	}
	d.imagecoKey(f)
	d.imagecoForm(f)
	if text, ok := f.line("url", false); ok {
		if err := d.reply.CheckGatewayURL(text); err != nil {
			d.fail("imageco.url", strings.ReplaceAll(err.Error(), text, "the value"), "give the address from the contract with 翼码, beginning with https://, or take the member out to use IMAGECO_URL")
		} else {
			d.ok("imageco.url", "is an address of this merchant's own")
		}
	}
}

func (d *doctor) imagecoKey(f fields) {
	const what = "imageco.key"
	text, ok := f.text("key", true)
	if !ok {
		return
	}
	if strings.Contains(text, "-----BEGIN") {
		d.fail(what, "is a PEM, which is WeChat Pay's kind of key", "keys were swapped: 翼码's key is one line of text that 翼码 gave you; the PEM belongs to wechatpay")
		return
	}
	if text, ok = f.line("key", true); !ok {
		return
	}
	for _, other := range []string{"isspid", "system_id", "seller_account"} {
		if raw := f.members[other]; raw != nil && string(raw) == `"`+text+`"` {
			d.fail(what, "is the same as imageco."+other, "one of the two was pasted into the other's place")
			return
		}
	}
	switch {
	case len(text) < guessable:
		d.warn(what, fmt.Sprintf("has only %s; no fingerprint is shown of a key that could be guessed", plural(len(text), "character")), "compare its length with what 翼码 gave you; part of it may have been lost")
	case strings.Contains(text, " "):
		d.warn(what, "holds a space; fingerprint "+fingerprint([]byte(text)), "compare it with what 翼码 gave you")
	default:
		d.ok(what, "%d characters, fingerprint %s", len(text), fingerprint([]byte(text)))
	}
}

// imagecoForm looks at format and sign_charset, which belong together.
func (d *doctor) imagecoForm(f fields) {
	choose := func(name string, words ...string) (string, bool) {
		text, ok := f.text(name, false)
		if !ok {
			return words[0], f.members[name] == nil && f.near[name] == "" || text == "" && f.members[name] != nil && f.members[name][0] == '"'
		}
		for _, word := range words {
			if text == word {
				return text, true
			}
			if strings.EqualFold(strings.TrimSpace(text), word) {
				d.fail("imageco."+name, "is not written as "+word, "write it exactly so, in lower case and without spaces")
				return "", false
			}
		}
		advice := "write one of these words, or take the member out for " + words[0]
		if lower := strings.ToLower(text); lower == "gb2312" || lower == "gb18030" || lower == "utf8" {
			advice = "write gbk for GB 2312 and GB 18030, and utf-8 with the hyphen; " + advice
		}
		d.fail("imageco."+name, "is none of "+strings.Join(words, ", "), advice)
		return "", false
	}
	format, ok1 := choose("format", "json", "xml")
	charset, ok2 := choose("sign_charset", "utf-8", "gbk")
	switch _, given := f.members["sign_charset"]; {
	case !ok1 || !ok2:
	case format == "xml" && given:
		d.warn("imageco.sign_charset", "has no effect: with format xml the message and its mac are GBK, whatever stands here ("+charset+")",
			"take the member out; if 翼码 expects another charset than GBK of this merchant, format xml is wrong")
	case format == "xml":
		d.ok("imageco.format", "xml, in GBK")
	default:
		d.ok("imageco.format", "json, its sign over %s", charset)
	}
}
