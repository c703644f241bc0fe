package doctor

import (
	"crypto/sha256"
	"encoding/hex"
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
				d.warn("imageco."+id.name, "imageco.number", id.limit)
			} else {
				d.ok("imageco."+id.name, "value", text)
			}
		}
	}
	if _, there := f.members["seller_account"]; !there && f.near["seller_account"] == "" {
		d.warn("imageco.seller_account", "seller.missing")
	} else if text, ok := f.line("seller_account", false); ok {
		if strings.Trim(text, "0123456789") == "" {
			d.ok("imageco.seller_account", "value", text)
		} else { // a key may have been pasted here
			d.warn("imageco.seller_account", "seller.number")
		}
	} else if raw := f.members["seller_account"]; string(raw) == `""` {
		d.warn("imageco.seller_account", "seller.missing")
	}
	d.imagecoKey(f)
	d.imagecoForm(f)
	if text, ok := f.line("url", false); ok {
		if err := d.reply.CheckGatewayURL(text); err != nil {
			d.fail("imageco.url", "url", strings.ReplaceAll(err.Error(), text, "the value"))
		} else {
			d.ok("imageco.url", "url.own")
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
		d.fail(what, "key.pem")
		return
	}
	if text, ok = f.line("key", true); !ok {
		return
	}
	for _, other := range []string{"isspid", "system_id", "seller_account"} {
		if raw := f.members[other]; raw != nil && string(raw) == `"`+text+`"` {
			d.fail(what, "key.same", other)
			return
		}
	}
	switch {
	case len(text) < guessable:
		d.warn(what, "key.short", len(text))
	case strings.Contains(text, " "):
		d.warn(what, "key.space", fingerprint([]byte(text)))
	default:
		d.ok(what, "key.ok", len(text), fingerprint([]byte(text)))
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
				d.fail("imageco."+name, "choice.case", word)
				return "", false
			}
		}
		id := "choice"
		if lower := strings.ToLower(text); lower == "gb2312" || lower == "gb18030" || lower == "utf8" {
			id = "choice.charset"
		}
		d.fail("imageco."+name, id, strings.Join(words, ", "))
		return "", false
	}
	format, ok1 := choose("format", "json", "xml")
	charset, ok2 := choose("sign_charset", "utf-8", "gbk")
	switch raw, given := f.members["sign_charset"]; {
	case !ok1 || !ok2:
	case format == "xml" && given && string(raw) != `""`:
		d.warn("imageco.sign_charset", "charset.xml", charset)
	case format == "xml":
		d.ok("imageco.format", "format.xml")
	default:
		d.ok("imageco.format", "format.json", charset)
	}
}
