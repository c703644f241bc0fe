package explain_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/explain"
)

// The generator of mistakes with 翼码's sign and mac, written from its documentation
// (https://open.wangcaio2o.com/docs/ipos-sa/1845) and from what libraries print.

const (
	imagecoKey = "3f9Aq27cKp0LzzTw3f9Aq27cKp0LzzTw"
	isspid     = "39493002"
	systemID   = "8888"
)

var imagecoPairs = []pair{
	{"request_type", "risk_complaints_resp_request"}, {"isspid", isspid}, {"transaction_id", "resp20261126080000000001"}, {"system_id", systemID},
	{"seller_account", "66660000000000001"}, {"complaint_id", "200201820200101080076610000"},
	{"response_content", "已与用户沟通<解决>&退款\n谢谢 "}, {"jump_url", "https://example.com/n?a=1&b=2"}, {"jump_url_text", "查看订单"},
}

// joined puts pairs into the order of their names and joins them.
func joined(pairs []pair, equals, between string) string {
	sorted := slices.Clone(pairs)
	slices.SortFunc(sorted, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return inOrder(sorted, equals, between)
}

func inOrder(pairs []pair, equals, between string) string {
	var parts []string
	for _, p := range pairs {
		parts = append(parts, p.name+equals+p.value)
	}
	return strings.Join(parts, between)
}

func valuesOf(pairs []pair, change func(string) string) []pair {
	out := slices.Clone(pairs)
	for i := range out {
		out[i].value = change(out[i].value)
	}
	return out
}

func without(pairs []pair, name string) []pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.name == name })
}

func upperMD5(s string) string { return strings.ToUpper(md5Of(s)) }

func hmacOf(of func() hash.Hash, key, text string) []byte {
	h := hmac.New(of, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signedJSON is the message with a sign.
func signedJSON(pairs []pair, sign string) string {
	return compactOf(append(slices.Clone(pairs), pair{"sign", sign}))
}

func imagecoJSONCorpus(t testing.TB) []mistake {
	const k = imagecoKey
	var all []mistake
	add := func(name, message string, causes ...string) { all = append(all, mistake{name, message, causes}) }
	signs := func(name, signed string, causes ...string) {
		add(name, signedJSON(imagecoPairs, upperMD5(signed)), causes...)
	}
	right := joined(imagecoPairs, "", "")
	both := func(text string) string { return k + text + k }
	written := inOrder(imagecoPairs, "", "")

	// Order and membership.
	signs("the message's order", both(written), "order.written")
	reversed := slices.Clone(imagecoPairs)
	slices.SortFunc(reversed, func(a, b pair) int { return strings.Compare(b.name, a.name) })
	signs("backwards", both(inOrder(reversed, "", "")), "order.reversed")
	byValue := slices.Clone(imagecoPairs)
	slices.SortFunc(byValue, func(a, b pair) int { return strings.Compare(a.value, b.value) })
	signs("sorted by value", both(inOrder(byValue, "", "")), "order.values")
	signs("sign as an empty member", both(joined(append(slices.Clone(imagecoPairs), pair{"sign", ""}), "", "")), "sign.empty")
	add("sign as it stands", signedJSON(imagecoPairs, "0"), "given.form")
	for _, p := range imagecoPairs {
		signs("without "+p.name, both(joined(without(imagecoPairs, p.name), "", "")), "member.missing")
	}
	signs("with an empty response_images", both(joined(append(slices.Clone(imagecoPairs), pair{"response_images", ""}), "", "")), "member.added")
	empty := append(slices.Clone(imagecoPairs), pair{"memo", ""})
	add("an empty member left out", signedJSON(empty, upperMD5(both(strings.Replace(joined(empty, "", ""), "memo", "", 1)))), "empties")
	nested := strings.TrimSuffix(compactOf(imagecoPairs), "}") + `,"extra":{"a":"1","b":["2"]},"n":7,"sign":"`
	withNested := append(slices.Clone(imagecoPairs), pair{"extra", `{"a":"1","b":["2"]}`})
	add("a nested member signed", nested+upperMD5(both(joined(withNested, "", "")))+`"}`, "nested")
	add("a number signed", nested+upperMD5(both(joined(append(slices.Clone(imagecoPairs), pair{"n", "7"}), "", "")))+`"}`, "notstrings")
	add("a number and a nested member signed", nested+upperMD5(both(joined(append(withNested, pair{"n", "7"}), "", "")))+`"}`, "notstrings", "nested")
	number := strings.Replace(signedJSON(imagecoPairs, upperMD5(both(joined(without(imagecoPairs, "seller_account"), "", "")))), `"66660000000000001"`, "66660000000000001", 1)
	add("a member sent as a number", number, "member.notstring")
	twice := strings.Replace(signedJSON(imagecoPairs, upperMD5(both(right))), `"isspid":"`+isspid+`"`, `"isspid":"`+isspid+`","isspid":"`+isspid+`"`, 1)
	add("a member twice", twice, "member.twice")

	// Joining.
	signs("name=value&", both(joined(imagecoPairs, "=", "&")), "join.form")
	signs("an = between", both(joined(imagecoPairs, "=", "")), "join.equals")
	signs("an & between", both(joined(imagecoPairs, "", "&")), "join.and")
	sorted := slices.Clone(imagecoPairs)
	slices.SortFunc(sorted, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	var onlyValues []string
	for _, p := range sorted {
		onlyValues = append(onlyValues, p.value)
	}
	signs("values alone", both(strings.Join(onlyValues, "")), "join.names")
	signs("values with commas", both(strings.Join(onlyValues, ",")), "join.other")
	for _, between := range []string{",", "|", "\n"} {
		signs("members with "+between, both(joined(imagecoPairs, "", between)), "join.other")
	}
	signs("colons", both(joined(imagecoPairs, ":", "")), "join.other")
	signs("colons and commas", both(joined(imagecoPairs, ":", ",")), "join.other")

	// Values.
	value := func(name string, change func(string) string, causes ...string) {
		signs(name, both(joined(valuesOf(imagecoPairs, change), "", "")), causes...)
	}
	value("as in the JSON", plainEscape, "values.raw")
	value("URL-encoded", url.QueryEscape, "values.urlencoded")
	value("URL-encoded, a blank as %20", func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }, "values.urlencoded")
	value("entities", func(s string) string { return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s) }, "values.entities")
	value("trimmed", strings.TrimSpace, "values.trimmed")
	value("CRLF", func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }, "values.crlf")
	value("one line", func(s string) string { return strings.ReplaceAll(s, "\n", "") }, "values.oneline")
	value("Python's escapes", unicodeEscape(`\u%04x`), "values.escaped")
	value("PHP's escapes", then(unicodeEscape(`\u%04x`), "/", `\/`), "values.escaped")
	value("PHP's slashes", then(plainEscape, "/", `\/`), "values.escaped")
	value("capital escapes", unicodeEscape(`\u%04X`), "values.escaped")
	value("Go's escapes", then(plainEscape, "<", `\u003c`, ">", `\u003e`, "&", `\u0026`), "values.escaped")
	value("quoted", func(s string) string { return `"` + s + `"` }, "values.quoted")
	value("in capitals", strings.ToUpper, "values.upper")
	entitiesSent := valuesOf(imagecoPairs, func(s string) string { return strings.ReplaceAll(s, "&", "&amp;") })
	add("entities sent, not signed", signedJSON(entitiesSent, upperMD5(both(right))), "values.entities.sent")
	crlfSent := valuesOf(imagecoPairs, func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") })
	add("CRLF sent, LF signed", signedJSON(crlfSent, upperMD5(both(right))), "values.lf")

	// The key.
	for name, key := range map[string]struct {
		key   string
		cause string
	}{
		"a line feed": {k + "\n", "key.lf"}, "CRLF": {k + "\r\n", "key.crlf"}, "a blank behind": {k + " ", "key.space"}, "a blank before": {" " + k, "key.space"},
		"a tab": {k + "\t", "key.space"}, "double quotes": {`"` + k + `"`, "key.quotes"}, "single quotes": {"'" + k + "'", "key.quotes"},
		"capitals": {strings.ToUpper(k), "key.upper"}, "small letters": {strings.ToLower(k), "key.lower"}, "a byte order mark": {"\uFEFF" + k, "key.bom"},
		"a zero-width space": {"\u200b" + k, "key.zerowidth"}, "its MD5": {md5Of(k), "key.hashed"}, "its MD5 in capitals": {upperMD5(k), "key.hashed"},
		"its first half": {k[:16], "key.cut"}, "without its last character": {k[:31], "key.cut"}, "without its first character": {k[1:], "key.cut"}, "twice": {k + k, "key.twice"},
	} {
		signs("the key with or in "+name, key.key+right+key.key, key.cause)
	}
	signs("the key before", k+right, "key.before")
	signs("the key behind", right+k, "key.behind")
	signs("no key", right, "key.missing")
	signs("&key=", joined(imagecoPairs, "=", "&")+"&key="+k, "key.member", "join.form")
	signs("&key= without =", right+"&key="+k, "key.member")
	signs("key= behind", right+"key="+k, "key.member")
	signs("the key before, the message's order", k+written, "key.before", "order.written")
	signs("the key behind, a line feed in it", right+k+"\n", "key.behind", "key.lf")

	// Charsets.
	signs("GBK", gbkOf(t, both(right)), "charset.gbk")
	signs("question marks", toQuestion(both(right)), "charset.question")
	signs("lower bytes", toLow(both(right)), "charset.latin1")
	signs("Latin-1 as UTF-8", asLatin1(both(right)), "charset.mojibake")
	signs("GBK in the message's order", gbkOf(t, both(written)), "charset.gbk", "order.written")
	signs("GBK, the key behind", gbkOf(t, right+k), "charset.gbk", "key.behind")
	signs("question marks, values alone", toQuestion(both(strings.Join(onlyValues, ""))), "charset.question", "join.names")
	signs("GBK, &key=", gbkOf(t, joined(imagecoPairs, "=", "&")+"&key="+k), "charset.gbk", "key.member", "join.form")
	add("sent in GBK", gbkOf(t, signedJSON(imagecoPairs, upperMD5(both(right)))), "json.bytes.gbk")

	// The whole JSON.
	bare, open := compactOf(imagecoPairs), func(sign string) string { return signedJSON(imagecoPairs, sign) }
	add("the whole JSON, key around", open(upperMD5(both(bare))), "json.whole")
	add("the whole JSON, key before", open(upperMD5(k+bare)), "json.whole", "key.before")
	add("the whole JSON, key behind", open(upperMD5(bare+k)), "json.whole", "key.behind")
	add("the whole JSON without a key", open(upperMD5(bare)), "json.whole", "key.missing")
	add("the whole JSON with an empty sign", open(upperMD5(both(open("")))), "json.whole")
	add("the whole JSON, Python's", open(upperMD5(both(flat(imagecoPairs, "", ": ", ", ", "", unicodeEscape(`\u%04x`))))), "json.whole")
	add("the whole JSON, PHP's", open(upperMD5(both(flat(imagecoPairs, "", ":", ",", "", then(unicodeEscape(`\u%04x`), "/", `\/`))))), "json.whole")
	add("the whole JSON sorted", open(upperMD5(both(compactOf(sorted)))), "json.whole")
	add("the whole JSON in GBK", open(upperMD5(gbkOf(t, both(bare)))), "json.whole", "charset.gbk")
	add("the whole JSON, HMAC", open(strings.ToUpper(hex.EncodeToString(hmacOf(md5.New, k, bare)))), "json.whole", "algorithm")

	// Digests and forms.
	digest, _ := hex.DecodeString(md5Of(both(right)))
	form := func(name, sign string, causes ...string) { add(name, signedJSON(imagecoPairs, sign), causes...) }
	form("small letters", md5Of(both(right)), "form.case")
	form("mixed letters", strings.ToUpper(md5Of(both(right))[:16])+md5Of(both(right))[16:], "form.case")
	form("16 digits", upperMD5(both(right))[8:24], "form.16digits")
	form("16 small digits", md5Of(both(right))[8:24], "form.16digits")
	form("base64", base64.StdEncoding.EncodeToString(digest), "form.base64")
	form("base64 of the digits", base64.StdEncoding.EncodeToString([]byte(md5Of(both(right)))), "form.base64hex")
	form("base64 of the capital digits", base64.StdEncoding.EncodeToString([]byte(upperMD5(both(right)))), "form.base64hex")
	form("hex of the digits", hex.EncodeToString([]byte(md5Of(both(right)))), "form.hexhex")
	form("separated by dashes", strings.ToUpper(strings.TrimSuffix(strings.Join(pairsOf(md5Of(both(right))), "-"), "-")), "form.separated")
	form("separated by colons", strings.Join(pairsOf(md5Of(both(right))), ":"), "form.separated")
	form("0x", "0x"+upperMD5(both(right)), "form.prefix")
	form("bytes turned round", strings.ToUpper(hex.EncodeToString(turned(digest))), "form.reversed")
	form("16 digits of GBK", strings.ToUpper(md5Of(gbkOf(t, both(right)))[8:24]), "form.16digits", "charset.gbk")
	form("base64 in the message's order", base64.StdEncoding.EncodeToString(md5Bytes(both(written))), "form.base64", "order.written")
	form("with blanks around", " "+upperMD5(both(right))+" ", "given.wrapped")
	form("with quotes", "'"+upperMD5(both(right))+"'", "given.wrapped")
	form("nothing that is a digest", "the sign", "given.form")
	form("a key in its place", k, "given.key")
	form("HMAC-MD5", strings.ToUpper(hex.EncodeToString(hmacOf(md5.New, k, right))), "algorithm")
	form("HMAC-MD5 with the key around", strings.ToUpper(hex.EncodeToString(hmacOf(md5.New, k, both(right)))), "algorithm")
	form("HMAC-MD5 of the form", strings.ToUpper(hex.EncodeToString(hmacOf(md5.New, k, joined(imagecoPairs, "=", "&")))), "algorithm", "join.form")
	form("HMAC-SHA-256", strings.ToUpper(hex.EncodeToString(hmacOf(sha256.New, k, right))), "algorithm")
	sum256, sum1 := sha256.Sum256([]byte(both(right))), sha1.Sum([]byte(both(right)))
	form("SHA-256", strings.ToUpper(hex.EncodeToString(sum256[:])), "algorithm")
	form("SHA-1", strings.ToUpper(hex.EncodeToString(sum1[:])), "algorithm")
	form("SHA-256 in base64", base64.StdEncoding.EncodeToString(sum256[:]), "algorithm", "form.base64")
	signs("MD5 twice", md5Of(both(right)), "algorithm.twice")
	signs("MD5 twice, capitals between", upperMD5(both(right)), "algorithm.twice")
	signs("MD5 twice, bytes between", string(digest), "algorithm.twice")
	signs("MD5 salted again", md5Of(right)+k, "algorithm.salted")
	signs("MD5 twice in the message's order", md5Of(both(written)), "algorithm.twice", "order.written")
	for i := range 400 { // a digest whose number begins with a zero
		pairs := append(slices.Clone(imagecoPairs), pair{"seq", strings.Repeat("x", i)})
		sum := md5Of(both(joined(pairs, "", "")))
		if sum[0] == '0' {
			add("a lost zero", signedJSON(pairs, strings.ToUpper(strings.TrimLeft(sum, "0"))), "form.zeros")
			lost := ""
			for _, p := range pairsOf(sum) {
				lost += strings.TrimPrefix(p, "0")
			}
			add("bytes without their zeros", signedJSON(pairs, lost), "form.zeros")
			break
		}
	}

	// Three at once, other accounts, other texts, right ones.
	signs("three at once", gbkOf(t, k+written), "charset.gbk", "order.written", "key.before")
	signs("values trimmed, = and &", both(joined(valuesOf(imagecoPairs, strings.TrimSpace), "=", "&")), "values.trimmed", "join.form")
	other := slices.Clone(imagecoPairs)
	other[1].value = "11111111"
	add("another isspid", signedJSON(other, upperMD5(both(joined(other, "", "")))), "account.isspid")
	other = slices.Clone(imagecoPairs)
	other[3].value = "9999"
	add("another system_id", signedJSON(other, upperMD5(both(joined(other, "", "")))), "account.system")
	other = slices.Clone(imagecoPairs)
	other[2].value = "resp20261126080000000002"
	signs("a transaction_id made anew", both(joined(other, "", "")), "text.other")
	signs("another key", "another"+right+"another", "key.other")
	signs("right", both(right))
	add("right, indented", flat(append(slices.Clone(imagecoPairs), pair{"sign", upperMD5(both(right))}), "\n  ", ": ", ",\n  ", "\n", plainEscape))
	add("right, Python's", flat(append(slices.Clone(imagecoPairs), pair{"sign", upperMD5(both(right))}), "", ": ", ", ", "", unicodeEscape(`\u%04x`)))
	add("right, PHP's", flat(append(slices.Clone(imagecoPairs), pair{"sign", upperMD5(both(right))}), "", ":", ",", "", then(unicodeEscape(`\u%04x`), "/", `\/`)))
	return all
}

func md5Bytes(s string) []byte {
	sum := md5.Sum([]byte(s))
	return sum[:]
}

func pairsOf(digits string) []string {
	var out []string
	for i := 0; i < len(digits); i += 2 {
		out = append(out, digits[i:i+2])
	}
	return out
}

func imagecoXMLCorpus(t testing.TB) []mistake {
	const k, declaration = imagecoKey, `<?xml version="1.0" encoding="GBK"?>`
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	inner := ""
	for _, p := range imagecoPairs {
		if p.name == "jump_url" {
			inner += "<jump_url><![CDATA[" + p.value + "]]></jump_url>"
			continue
		}
		inner += "<" + p.name + ">" + escape(p.value) + "</" + p.name + ">"
	}
	text := declaration + "<business_trans>" + inner + "</business_trans>"
	doc := gbkOf(t, text)
	var all []mistake
	form := func(sent, mac string) string { return "xml=" + url.QueryEscape(sent) + "&mac=" + mac }
	signs := func(name, signed string, causes ...string) {
		all = append(all, mistake{"XML: " + name, form(doc, md5Of(signed)), causes})
	}
	sent := func(name, sent, signed string, causes ...string) {
		all = append(all, mistake{"XML: " + name, form(sent, md5Of(signed)), causes})
	}
	both := func(s string) string { return k + s + k }
	signs("right", both(doc))
	signs("UTF-8", both(text), "xml.utf8")
	signs("question marks", both(toQuestion(text)), "charset.question")
	signs("no declaration", both(strings.TrimPrefix(doc, declaration)), "declaration.missing")
	signs("UTF-8's declaration", both(strings.Replace(doc, "GBK", "UTF-8", 1)), "declaration.utf8")
	signs("UTF-8 and its declaration", both(strings.Replace(text, "GBK", "UTF-8", 1)), "declaration.utf8", "xml.utf8")
	signs("a small gbk", both(strings.Replace(doc, "GBK", "gbk", 1)), "declaration.other")
	signs("GB2312", both(strings.Replace(doc, "GBK", "GB2312", 1)), "declaration.other")
	signs("single quotes", both(strings.Replace(doc, declaration, `<?xml version='1.0' encoding='GBK'?>`, 1)), "declaration.other")
	signs("standalone", both(strings.Replace(doc, declaration, `<?xml version="1.0" encoding="GBK" standalone="yes"?>`, 1)), "declaration.other")
	signs("a line behind the declaration", both(strings.Replace(doc, "?>", "?>\n", 1)), "xml.space.after")
	signs("a line feed at the end", both(doc+"\n"), "xml.lf.added")
	signs("CRLF at the end", both(doc+"\r\n"), "xml.lf.added")
	signs("CDATA not signed", both(strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(doc)), "xml.cdata.missing")
	signs("CDATA as entities", both(strings.Replace(doc, "<![CDATA[https://example.com/n?a=1&b=2]]>", "https://example.com/n?a=1&amp;b=2", 1)), "xml.cdata.escaped")
	signs("entities as characters", both(strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(doc)), "values.entities.sent")
	signs("entities twice", both(strings.ReplaceAll(doc, "&", "&amp;")), "values.entities")
	signs("URL-encoded", both(url.QueryEscape(doc)), "xml.urlencoded")
	signs("xml= too", both("xml="+doc), "xml.prefix")
	signs("xml= and URL-encoded", both("xml="+url.QueryEscape(doc)), "xml.prefix")
	signs("a byte order mark", both("\uFEFF"+doc), "body.bom.added")
	signs("without its root", both(gbkOf(t, inner)), "xml.root")
	signs("JSON's rule", both(gbkOf(t, joined(imagecoPairs, "", ""))), "xml.jsonrule")
	signs("JSON's rule in UTF-8", both(joined(imagecoPairs, "", "")), "xml.jsonrule", "xml.utf8")
	signs("JSON's rule, the message's order", both(gbkOf(t, inOrder(imagecoPairs, "", ""))), "xml.jsonrule")
	signs("the key before", k+doc, "key.before")
	signs("the key behind", doc+k, "key.behind")
	signs("no key", doc, "key.missing")
	signs("&key=", doc+"&key="+k, "key.member")
	signs("the key before, UTF-8", k+text, "key.before", "xml.utf8")
	signs("the key behind, no declaration", strings.TrimPrefix(doc, declaration)+k, "key.behind", "declaration.missing")
	for name, key := range map[string]struct{ key, cause string }{"a line feed": {k + "\n", "key.lf"}, "CRLF": {k + "\r\n", "key.crlf"}, "a blank": {k + " ", "key.space"},
		"small letters": {strings.ToLower(k), "key.lower"}, "capitals": {strings.ToUpper(k), "key.upper"}, "its MD5": {md5Of(k), "key.hashed"}, "quotes": {`"` + k + `"`, "key.quotes"}} {
		signs("the key with or in "+name, key.key+doc+key.key, key.cause)
	}
	signs("MD5 twice", md5Of(both(doc)), "algorithm.twice")
	pretty := gbkOf(t, declaration+"\n<business_trans>\n  "+strings.ReplaceAll(inner, "><", ">\n  <")+"\n</business_trans>")
	pretty = strings.NewReplacer(">\n  <![CDATA[", "><![CDATA[", "]]>\n  </", "]]></").Replace(pretty)
	sent("white space sent, not signed", pretty, both(doc), "xml.space.removed")
	signs("white space signed, not sent", both(pretty), "xml.space.added")
	sent("right, with white space", pretty, both(pretty))
	sent("CRLF sent, LF signed", strings.ReplaceAll(pretty, "\n", "\r\n"), both(strings.ReplaceAll(pretty, "\r\n", "\n")), "body.crlf.lf")
	sent("LF sent, CRLF signed", pretty, both(strings.ReplaceAll(pretty, "\n", "\r\n")), "body.lf.crlf")
	sent("UTF-8 sent and signed", text, both(text), "xml.bytes.utf8")
	sent("UTF-8 sent, GBK signed", text, both(doc), "xml.gbk")
	sent("no CDATA sent, CDATA signed", strings.Replace(doc, "<![CDATA[https://example.com/n?a=1&b=2]]>", "https://example.com/n?a=1&amp;b=2", 1), both(doc), "xml.cdata.added")
	raw := func(name, message string, causes ...string) {
		all = append(all, mistake{"XML: " + name, message, causes})
	}
	raw("capital digits", form(doc, strings.ToUpper(md5Of(both(doc)))), "form.case")
	raw("16 digits", form(doc, md5Of(both(doc))[8:24]), "form.16digits")
	raw("base64", form(doc, url.QueryEscape(base64.StdEncoding.EncodeToString(md5Bytes(both(doc))))), "form.base64")
	raw("HMAC-MD5", form(doc, hex.EncodeToString(hmacOf(md5.New, k, doc))), "algorithm")
	sum256 := sha256.Sum256([]byte(both(doc)))
	raw("SHA-256", form(doc, hex.EncodeToString(sum256[:])), "algorithm")
	raw("not URL-encoded", "xml="+doc+"&mac="+md5Of(both(doc)), "form.unencoded")
	raw("another isspid", form(strings.Replace(doc, isspid, "11111111", 1), md5Of(both(strings.Replace(doc, isspid, "11111111", 1)))), "account.isspid")
	return all
}

func imagecoSecret(t testing.TB, format, charset string) string {
	text, err := json.Marshal(map[string]any{"imageco": map[string]any{"isspid": isspid, "system_id": systemID, "key": imagecoKey, "format": format, "sign_charset": charset}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// gbkCorpus are mistakes of a merchant that agreed on GBK.
func gbkCorpus(t testing.TB) []mistake {
	const k = imagecoKey
	right := joined(imagecoPairs, "", "")
	send := func(signed string) string { return signedJSON(imagecoPairs, upperMD5(signed)) }
	return []mistake{
		{"agreed GBK: right", send(gbkOf(t, k+right+k)), nil},
		{"agreed GBK: UTF-8", send(k + right + k), []string{"charset.utf8"}},
		{"agreed GBK: question marks", send(toQuestion(k + right + k)), []string{"charset.question"}},
		{"agreed GBK: UTF-8, the message's order", send(k + inOrder(imagecoPairs, "", "") + k), []string{"charset.utf8", "order.written"}},
		{"agreed GBK: the key before", send(gbkOf(t, k+right)), []string{"key.before"}},
		{"agreed GBK: UTF-8, the key behind", send(right + k), []string{"charset.utf8", "key.behind"}},
		{"agreed GBK: HMAC-MD5", signedJSON(imagecoPairs, strings.ToUpper(hex.EncodeToString(hmacOf(md5.New, k, gbkOf(t, right))))), []string{"algorithm"}},
	}
}

func TestEveryMistakeWith翼码sSignatureIsNamed(t *testing.T) {
	t.Parallel()
	agreedUTF8, agreedGBK := imagecoSecret(t, "json", "utf-8"), imagecoSecret(t, "json", "gbk")
	corpus := append(append(imagecoJSONCorpus(t), imagecoXMLCorpus(t)...), gbkCorpus(t)...)
	grade(t, corpus, func(m mistake) explain.Options {
		if strings.HasPrefix(m.name, "agreed GBK") {
			return explain.Options{Secret: agreedGBK}
		}
		return explain.Options{Secret: agreedUTF8}
	}).held(t, "翼码", 150)
}
