package explain_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// The generator of mistakes with WeChat Pay's signatures. It is written from the documentation and from what libraries
// print, and knows nothing of package explain.

const (
	mchid   = "1900000001"
	serial  = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	pubID   = "PUB_KEY_ID_0119000000012024101600"
	nonce   = "593BEC0C930BF1AFEB40B4A08C8FB242"
	replyTo = "/v3/merchant-service/complaints-v2/200201820200101080076610000/response"
	listOf  = "/v3/merchant-service/complaints-v2?limit=50&offset=0&begin_date=2026-11-20&end_date=2026-11-26&complainted_mchid=%E4%B8%AD"
)

var corpusTime = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// mistake is one entry of a corpus: a message, and what must be named together.
type mistake struct {
	name    string
	message string
	causes  []string // all of them in one explanation; none when the message is right
}

// pair is a member of a flat JSON object.
type pair struct{ name, value string }

var replyPairs = []pair{
	{"complainted_mchid", mchid}, {"response_content", "已与用户沟通<解决>&退款\n谢谢 "},
	{"jump_url", "https://example.com/n?a=1&b=2"}, {"jump_url_text", "查看订单"},
}

// flat writes pairs as JSON with the given punctuation and string escapes.
func flat(pairs []pair, open, colon, comma, end string, escape func(string) string) string {
	var parts []string
	for _, p := range pairs {
		parts = append(parts, `"`+escape(p.name)+`"`+colon+`"`+escape(p.value)+`"`)
	}
	return "{" + open + strings.Join(parts, comma) + end + "}"
}

func plainEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
}

// unicodeEscape writes everything beyond ASCII as \uXXXX in the given format.
func unicodeEscape(format string) func(string) string {
	return func(s string) string {
		out := ""
		for _, r := range plainEscape(s) {
			if r < 128 {
				out += string(r)
			} else {
				out += fmt.Sprintf(format, r)
			}
		}
		return out
	}
}

func then(first func(string) string, pairs ...string) func(string) string {
	return func(s string) string { return strings.NewReplacer(pairs...).Replace(first(s)) }
}

func compactOf(pairs []pair) string { return flat(pairs, "", ":", ",", "", plainEscape) }

// requestTo is a request to WeChat Pay.
type requestTo struct {
	method, target, timestamp, nonce, body string
	mchid, serial, scheme, more            string
}

func (r requestTo) text() string {
	return r.method + "\n" + r.target + "\n" + r.timestamp + "\n" + r.nonce + "\n" + r.body + "\n"
}

func (r requestTo) send(signature string) string {
	scheme := r.scheme
	if scheme == "" {
		scheme = "WECHATPAY2-SHA256-RSA2048"
	}
	return r.method + " " + r.target + " HTTP/1.1\r\nHost: api.mch.weixin.qq.com\r\nContent-Type: application/json\r\n" + r.more +
		"Authorization: " + scheme + ` mchid="` + r.mchid + `",nonce_str="` + r.nonce + `",timestamp="` + r.timestamp + `",serial_no="` + r.serial + `",signature="` + signature + "\"\r\n\r\n" + r.body
}

func gbkOf(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func signBytes(t testing.TB, key *rsa.PrivateKey, text string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// wechatCorpus makes the mistakes. key is the merchant's, theirs WeChat Pay's, stranger nobody's.
func wechatCorpus(t testing.TB, key, theirs, stranger *rsa.PrivateKey) []mistake {
	seconds := strconv.FormatInt(corpusTime.Unix(), 10)
	compact := compactOf(replyPairs)
	base := requestTo{method: "POST", target: replyTo, timestamp: seconds, nonce: nonce, body: compact, mchid: mchid, serial: serial}
	get := base
	get.method, get.target, get.body = "GET", listOf, ""
	var all []mistake
	add := func(name, message string, causes ...string) { all = append(all, mistake{name, message, causes}) }
	b64 := base64.StdEncoding.EncodeToString
	signs := func(name string, r requestTo, signed string, causes ...string) {
		add(name, r.send(b64(signBytes(t, key, signed))), causes...)
	}
	with := func(r requestTo, change func(*requestTo)) requestTo { change(&r); return r }

	// Lines.
	text := base.text()
	signs("no last line feed", base, strings.TrimSuffix(text, "\n"), "lines.nolast")
	signs("two last line feeds", base, text+"\n", "lines.twolast")
	signs("CRLF", base, strings.ReplaceAll(text, "\n", "\r\n"), "lines.crlf")
	signs("CRLF, none at the end", base, strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\r\n"), "\r\n"), "lines.crlf", "lines.nolast")
	signs("backslash n", base, strings.ReplaceAll(text, "\n", `\n`), "lines.backslash")
	signs("backslash n, none at the end", base, strings.TrimSuffix(strings.ReplaceAll(text, "\n", `\n`), `\n`), "lines.backslash", "lines.nolast")
	signs("nothing between", base, strings.ReplaceAll(text, "\n", ""), "lines.nothing")
	signs("CR alone", base, strings.ReplaceAll(text, "\n", "\r"), "lines.cr")
	signs("blanks between", base, strings.ReplaceAll(text, "\n", " "), "lines.other")
	signs("ampersands between", base, strings.ReplaceAll(text, "\n", "&"), "lines.other")
	signs("a line feed first", base, "\n"+text, "lines.first")
	signs("a byte order mark first", base, "\uFEFF"+text, "lines.first")
	signs("a GET without the empty body's line", get, strings.TrimSuffix(get.text(), "\n"), "lines.nolast")
	signs("a GET with CRLF", get, strings.ReplaceAll(get.text(), "\n", "\r\n"), "lines.crlf")
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	join := func(order ...int) string {
		out := ""
		for _, i := range order {
			out += lines[i] + "\n"
		}
		return out
	}
	signs("nonce before timestamp", base, join(0, 1, 3, 2, 4), "order.nonce")
	signs("path before method", base, join(1, 0, 2, 3, 4), "order.path")
	signs("body before timestamp", base, join(0, 1, 4, 2, 3), "order.body")
	signs("timestamp first", base, join(2, 3, 0, 1, 4), "order.lines")
	signs("no method", base, join(1, 2, 3, 4), "line.method")
	signs("no path", base, join(0, 2, 3, 4), "line.target")
	signs("no timestamp", base, join(0, 1, 3, 4), "line.timestamp")
	signs("no nonce", base, join(0, 1, 2, 4), "line.nonce")
	signs("no body line", base, join(0, 1, 2, 3), "line.body")
	signs("an answer's three lines", base, join(2, 3, 4), "lines.answer")

	// Method and path.
	for _, method := range []string{"post", "Post"} {
		signs("method "+method, base, with(base, func(r *requestTo) { r.method = method }).text(), "method.case")
	}
	for _, method := range []string{"GET", "PUT"} {
		signs("method "+method, base, with(base, func(r *requestTo) { r.method = method }).text(), "method")
	}
	signs("a GET signed as POST", get, with(get, func(r *requestTo) { r.method = "POST" }).text(), "method")
	target := func(name string, r requestTo, other string, causes ...string) {
		signs(name, r, with(r, func(r *requestTo) { r.target = other }).text(), causes...)
	}
	target("whole URL", base, "https://api.mch.weixin.qq.com"+replyTo, "target.url")
	target("whole URL of the backup host", base, "https://api2.mch.weixin.qq.com"+replyTo, "target.url")
	target("whole http URL", base, "http://api.mch.weixin.qq.com"+replyTo, "target.url")
	target("host and path", base, "api.mch.weixin.qq.com"+replyTo, "target.host")
	target("no first slash", base, replyTo[1:], "target.slash.first")
	target("a last slash", base, replyTo+"/", "target.slash.end")
	target("a double slash", base, "/"+replyTo, "target.slash.double")
	target("no version", base, strings.TrimPrefix(replyTo, "/v3"), "target.version")
	target("a placeholder", base, strings.Replace(replyTo, "200201820200101080076610000", "{complaint_id}", 1), "target.template")
	target("a colon's placeholder", base, strings.Replace(replyTo, "200201820200101080076610000", ":complaint_id", 1), "target.template")
	target("without its last part", base, strings.TrimSuffix(replyTo, "/response"), "target.cut")
	path, query, _ := strings.Cut(listOf, "?")
	target("no query", get, path, "target.query")
	target("the query alone", get, query, "target.queryonly")
	target("the query sorted", get, path+"?begin_date=2026-11-20&complainted_mchid=%E4%B8%AD&end_date=2026-11-26&limit=50&offset=0", "target.query.sorted")
	target("the query with &amp;", get, path+"?"+strings.ReplaceAll(query, "&", "&amp;"), "target.amp")
	target("no escapes", get, path+"?"+strings.ReplaceAll(query, "%E4%B8%AD", "中"), "target.decoded")
	target("escapes in lower case", get, path+"?"+strings.ReplaceAll(query, "%E4%B8%AD", "%e4%b8%ad"), "target.percent")
	target("escaped twice", get, path+"?"+strings.ReplaceAll(query, "%", "%25"), "target.encoded")
	target("escaped as a whole", base, url.QueryEscape(replyTo), "target.encoded")
	target("whole URL with its query", get, "https://api.mch.weixin.qq.com"+listOf, "target.url")
	spaced := with(get, func(r *requestTo) { r.target = path + "?keyword=a%20b" })
	target("a plus for a blank", spaced, path+"?keyword=a+b", "target.query.encoded")
	proxied := with(base, func(r *requestTo) { r.target = "https://api.mch.weixin.qq.com" + replyTo })
	signs("the request line has a whole URL", proxied, text, "target.url.sent")
	target("a question mark at the end", base, replyTo+"?", "target.slash.end")

	// Time and nonce.
	at := func(name, other string, causes ...string) {
		signs(name, base, with(base, func(r *requestTo) { r.timestamp = other }).text(), causes...)
	}
	at("milliseconds signed", seconds+"000", "timestamp.ms")
	at("true milliseconds signed", seconds+"417", "timestamp.ms")
	at("the second before", strconv.FormatInt(corpusTime.Unix()-1, 10), "timestamp.anew")
	at("the second after", strconv.FormatInt(corpusTime.Unix()+1, 10), "timestamp.anew")
	at("a minute before", strconv.FormatInt(corpusTime.Unix()-60, 10), "timestamp.anew")
	at("a fraction", seconds+".0", "timestamp.float")
	ms := with(base, func(r *requestTo) { r.timestamp += "000" })
	signs("milliseconds sent and signed", ms, ms.text(), "timestamp.milliseconds")
	signs("milliseconds sent alone", ms, text, "timestamp.ms.sent")
	later := with(base, func(r *requestTo) { r.timestamp = strconv.FormatInt(corpusTime.Unix()+3600, 10) })
	signs("a clock an hour ahead", later, later.text(), "timestamp.future")
	word := with(base, func(r *requestTo) { r.timestamp = "2026-11-26T08:00:00Z" })
	signs("a date in place of seconds", word, word.text(), "timestamp.form")
	one := func(name, other string, causes ...string) {
		signs(name, base, with(base, func(r *requestTo) { r.nonce = other }).text(), causes...)
	}
	one("a nonce in lower case", strings.ToLower(nonce), "nonce.lower")
	one("an empty nonce", "", "nonce.empty")
	one("null for a nonce", "null", "nonce.null")
	one("a nonce with dashes", "593BEC0C-930B-F1AF-EB40-B4A08C8FB242", "nonce.dashes")
	dashed := with(base, func(r *requestTo) { r.nonce = "593bec0c-930b-f1af-eb40-b4a08c8fb242" })
	signs("a UUID signed without dashes", dashed, with(dashed, func(r *requestTo) { r.nonce = strings.ReplaceAll(r.nonce, "-", "") }).text(), "nonce.dashes")
	one("a nonce made anew", "0123456789ABCDEF0123456789ABCDEF", "nonce.anew")

	// Bodies that were written twice, in both directions.
	writings := map[string]struct {
		body   string
		causes []string
	}{
		"Python's default":     {flat(replyPairs, "", ": ", ", ", "", unicodeEscape(`\u%04x`)), []string{"body.spacing", "body.unicode"}},
		"Python's unescaped":   {flat(replyPairs, "", ": ", ", ", "", plainEscape), []string{"body.spacing"}},
		"PHP's default":        {flat(replyPairs, "", ":", ",", "", then(unicodeEscape(`\u%04x`), "/", `\/`)), []string{"body.unicode", "body.slash"}},
		"PHP's unescaped":      {flat(replyPairs, "", ":", ",", "", then(plainEscape, "/", `\/`)), []string{"body.slash"}},
		"PHP's pretty":         {flat(replyPairs, "\n    ", ": ", ",\n    ", "\n", then(unicodeEscape(`\u%04x`), "/", `\/`)), []string{"body.spacing", "body.unicode", "body.slash"}},
		"ASCII escapes":        {flat(replyPairs, "", ":", ",", "", unicodeEscape(`\u%04x`)), []string{"body.unicode"}},
		"capital escapes":      {flat(replyPairs, "", ":", ",", "", unicodeEscape(`\u%04X`)), []string{"body.unicode"}},
		"Go's escapes":         {flat(replyPairs, "", ":", ",", "", then(plainEscape, "<", `\u003c`, ">", `\u003e`, "&", `\u0026`)), []string{"body.html"}},
		"Gson's escapes":       {flat(replyPairs, "", ":", ",", "", then(plainEscape, "<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "=", `\u003d`, "'", `\u0027`)), []string{"body.html"}},
		"indented by 2":        {flat(replyPairs, "\n  ", ": ", ",\n  ", "\n", plainEscape), []string{"body.spacing"}},
		"indented by 4":        {flat(replyPairs, "\n    ", ": ", ",\n    ", "\n", plainEscape), []string{"body.spacing"}},
		"indented by tabs":     {flat(replyPairs, "\n\t", ": ", ",\n\t", "\n", plainEscape), []string{"body.spacing"}},
		"Jackson's indented":   {flat(replyPairs, "\n  ", " : ", ",\n  ", "\n", plainEscape), []string{"body.spacing"}},
		"blanks behind commas": {flat(replyPairs, "", ":", ", ", "", plainEscape), []string{"body.spacing"}},
		"blanks behind colons": {flat(replyPairs, "", ": ", ",", "", plainEscape), []string{"body.spacing"}},
	}
	for name, w := range writings {
		other := with(base, func(r *requestTo) { r.body = w.body })
		signs(name+" signed, compact sent", base, other.text(), w.causes...)
		signs(name+" sent, compact signed", other, text, w.causes...)
	}
	signs("Python's default signed, no last line feed", base, strings.TrimSuffix(with(base, func(r *requestTo) { r.body = writings["Python's default"].body }).text(), "\n"), "body.spacing", "body.unicode", "lines.nolast")
	signs("PHP's default signed, Python's sent", with(base, func(r *requestTo) { r.body = writings["Python's default"].body }), with(base, func(r *requestTo) { r.body = writings["PHP's default"].body }).text(), "body.spacing", "body.slash")
	sorted := []pair{replyPairs[0], replyPairs[2], replyPairs[3], replyPairs[1]}
	body := func(name, signed string, causes ...string) {
		signs(name, base, with(base, func(r *requestTo) { r.body = signed }).text(), causes...)
	}
	body("members sorted", compactOf(sorted), "body.order")
	body("members sorted, Python's", flat(sorted, "", ": ", ", ", "", unicodeEscape(`\u%04x`)), "body.order", "body.spacing")
	body("members reversed", compactOf([]pair{replyPairs[3], replyPairs[2], replyPairs[1], replyPairs[0]}), "body.order")
	body("members of a hash map", compactOf([]pair{replyPairs[2], replyPairs[0], replyPairs[3], replyPairs[1]}), "body.order")
	signs("sorted sent, written signed", with(base, func(r *requestTo) { r.body = compactOf(sorted) }), text, "body.order")
	body("no body", "", "body.empty")
	body("{}", "{}", "body.word")
	body("a Python dict", strings.NewReplacer(`":"`, `': '`, `","`, `', '`, `{"`, `{'`, `"}`, `'}`).Replace(compact), "body.python")
	body("[object Object]", "[object Object]", "body.word")
	body("encoded twice", strconvQuote(compact), "body.twice")
	body("as a form", formOf(replyPairs), "body.form")
	body("URL-encoded", url.QueryEscape(compact), "body.urlencoded")
	body("with entities", strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(compact), "body.entities")
	body("with &amp; alone", strings.ReplaceAll(compact, "&", "&amp;"), "body.entities")
	body("with &quot;", strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(compact), "body.entities")
	body("a line feed more", compact+"\n", "body.lf.added")
	body("a byte order mark more", "\uFEFF"+compact, "body.bom.added")
	body("in base64", b64([]byte(compact)), "body.base64")
	hash := sha256.Sum256([]byte(compact))
	body("its SHA-256", hex.EncodeToString(hash[:]), "body.hash")
	body("without jump_url", compactOf(append([]pair{}, replyPairs[0], replyPairs[1], replyPairs[3])), "body.member.missing")
	body("without jump_url_text", compactOf(replyPairs[:3]), "body.member.missing")
	body("with a null option", strings.TrimSuffix(compact, "}")+`,"response_images":null}`, "body.member.added")
	body("with an empty list", strings.TrimSuffix(compact, "}")+`,"response_images":[]}`, "body.member.added")
	body("values trimmed", strings.ReplaceAll(compact, `谢谢 "`, `谢谢"`), "body.values.trimmed")
	body("values with CRLF", strings.ReplaceAll(compact, `\n`, `\r\n`), "body.values.crlf")
	body("values without line breaks", strings.ReplaceAll(compact, `\n`, ""), "body.values.oneline")
	body("values with entities", strings.ReplaceAll(compact, "&", "&amp;"), "body.entities")
	body("mchid as a number", strings.Replace(compact, `"`+mchid+`"`, mchid, 1), "body.numbers")
	signs("a line feed sent, not signed", with(base, func(r *requestTo) { r.body += "\n" }), text, "body.lf.missing")
	signs("entities sent, not signed", with(base, func(r *requestTo) { r.body = strings.ReplaceAll(r.body, "&", "&amp;") }), text, "body.entities.sent")
	signs("a byte order mark sent, not signed", with(base, func(r *requestTo) { r.body = "\uFEFF" + r.body }), text, "body.bom.missing")
	signs("encoded twice sent", with(base, func(r *requestTo) { r.body = strconvQuote(compact) }), text, "body.twice.sent")
	nulls := with(base, func(r *requestTo) { r.body = strings.TrimSuffix(compact, "}") + `,"response_images":null}` })
	signs("nulls sent, not signed", nulls, text, "body.nulls")
	empties := with(base, func(r *requestTo) { r.body = strings.TrimSuffix(compact, "}") + `,"response_images":[]}` })
	signs("empties sent, not signed", empties, text, "body.empties")
	for _, w := range []string{"null", "{}", `""`, "undefined"} {
		signs("a GET's body "+w, get, with(get, func(r *requestTo) { r.body = w }).text(), "body.word")
	}

	// Charsets.
	signs("GBK", base, gbkOf(t, text), "charset.gbk")
	signs("question marks", base, toQuestion(text), "charset.question")
	signs("the lower bytes", base, toLow(text), "charset.latin1")
	signs("UTF-8 as Latin-1 as UTF-8", base, asLatin1(text), "charset.mojibake")
	signs("GBK and no last line feed", base, gbkOf(t, strings.TrimSuffix(text, "\n")), "charset.gbk", "lines.nolast")
	signs("GBK of Python's unescaped", base, gbkOf(t, with(base, func(r *requestTo) { r.body = writings["Python's unescaped"].body }).text()), "charset.gbk", "body.spacing")
	signs("question marks of the sorted", base, toQuestion(with(base, func(r *requestTo) { r.body = compactOf(sorted) }).text()), "charset.question", "body.order")
	signs("GBK sent, UTF-8 signed", with(base, func(r *requestTo) { r.body = gbkOf(t, compact) }), text, "charset.sent.gbk")

	// Digests, paddings and keys.
	raw := signBytes(t, key, text)
	digest := sha256.Sum256([]byte(text))
	for _, h := range []struct {
		hash crypto.Hash
		name string
	}{{crypto.SHA1, "SHA-1"}, {crypto.MD5, "MD5"}, {crypto.SHA512, "SHA-512"}, {crypto.SHA384, "SHA-384"}, {crypto.SHA224, "SHA-224"}} {
		hasher := h.hash.New()
		hasher.Write([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, key, h.hash, hasher.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		add(h.name, base.send(b64(signature)), "rsa.hash")
	}
	for name, salt := range map[string]int{"PSS": rsa.PSSSaltLengthAuto, "PSS with a salt of 32": 32, "PSS without salt": 0} {
		signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt})
		if salt == 0 {
			signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		if err != nil {
			t.Fatal(err)
		}
		add(name, base.send(b64(signature)), "rsa.pss")
	}
	signs("the digest in hex", base, hex.EncodeToString(digest[:]), "rsa.hashedtwice")
	signs("the digest in capital hex", base, strings.ToUpper(hex.EncodeToString(digest[:])), "rsa.hashedtwice")
	signs("the digest's bytes", base, string(digest[:]), "rsa.hashedtwice")
	signs("the digest in base64", base, b64(digest[:]), "rsa.hashedtwice")
	signs("the text in base64", base, b64([]byte(text)), "text.base64")
	bare, err := rsa.SignPKCS1v15(nil, key, 0, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	add("the digest without its name", base.send(b64(bare)), "rsa.noinfo")
	bareHex, err := rsa.SignPKCS1v15(nil, key, 0, []byte(hex.EncodeToString(digest[:])))
	if err != nil {
		t.Fatal(err)
	}
	add("the digest's digits encrypted", base.send(b64(bareHex)), "rsa.noinfo")
	add("another key", base.send(b64(signBytes(t, stranger, text))), "key.private")
	add("WeChat Pay's signature", base.send(b64(signBytes(t, theirs, text))), "key.platforms")

	// Forms of the signature. Pluses and slashes are spoiled below, and one signature in a hundred lacks one of them: the
	// nonce is counted up until both are there.
	form := base
	for i := 1; !strings.Contains(b64(raw), "+") || !strings.Contains(b64(raw), "/"); i++ {
		form.nonce = fmt.Sprintf("%032X", i)
		raw = signBytes(t, key, form.text())
	}
	add("hex", form.send(hex.EncodeToString(raw)), "form.hex")
	add("capital hex", form.send(strings.ToUpper(hex.EncodeToString(raw))), "form.hex")
	add("base64 twice", form.send(b64([]byte(b64(raw)))), "form.twice")
	add("base64 of hex", form.send(b64([]byte(hex.EncodeToString(raw)))), "form.base64hex")
	add("no padding", form.send(strings.TrimRight(b64(raw), "=")), "form.padding")
	add("URL-safe", form.send(base64.URLEncoding.EncodeToString(raw)), "form.urlsafe")
	add("pluses as blanks", form.send(strings.ReplaceAll(b64(raw), "+", " ")), "form.plus")
	add("percent escapes", form.send(url.QueryEscape(b64(raw))), "form.percent")
	add("JSON's slashes", form.send(strings.ReplaceAll(b64(raw), "/", `\/`)), "form.wrapped")
	add("MIME's lines", form.send(broken(b64(raw), 76)), "form.wrapped")
	add("backslash n in the lines", form.send(strings.ReplaceAll(broken(b64(raw), 64), "\n", `\n`)), "form.wrapped")
	add("little-endian", form.send(b64(turned(raw))), "form.reversed")
	add("lower case", form.send(strings.ToLower(b64(raw))), "form.folded")
	add("cut off", form.send(b64(raw)[:200]), "given.cut")
	typed := []byte(b64(raw))
	typed[100] = map[bool]byte{true: 'B', false: 'A'}[typed[100] == 'A']
	add("one character changed", form.send(string(typed)), "given.changed")
	typed = []byte(b64(raw))
	for i := 200; i < 300; i++ {
		if typed[i] != typed[i+1] {
			typed[i], typed[i+1] = typed[i+1], typed[i]
			break
		}
	}
	add("two characters swapped", form.send(string(typed)), "given.changed")
	add("an MD5", base.send(md5Of(text)), "given.digest")
	add("an HMAC", base.send(hex.EncodeToString(digest[:])), "given.digest")
	add("hex, Python's default", form.send(hex.EncodeToString(signBytes(t, key, with(form, func(r *requestTo) { r.body = writings["Python's default"].body }).text()))), "form.hex", "body.spacing", "body.unicode")

	// Headers around a right signature.
	head := func(name string, change func(*requestTo), causes ...string) {
		r := with(base, change)
		signs(name, r, r.text(), causes...)
	}
	head("another serial", func(r *requestTo) { r.serial = "2AAD6A561C300C0000000000000000007D839865" }, "header.serial.other")
	head("the public key's id as serial", func(r *requestTo) { r.serial = pubID }, "header.serial.platform")
	head("another mchid", func(r *requestTo) { r.mchid = "1900000109" }, "header.mchid")
	head("a serial with colons", func(r *requestTo) { r.serial = "51:57:F0:9E:FD:C0:96:DE:15:EB:E8:1A:47:05:7A:72:32:F1:B8:E1" }, "header.serial.form")
	head("a serial as openssl prints it", func(r *requestTo) { r.serial = "serial=" + serial }, "header.serial.form")
	head("no serial", func(r *requestTo) { r.serial = "" }, "header.missing")
	head("no mchid", func(r *requestTo) { r.mchid = "" }, "header.missing")
	head("another scheme", func(r *requestTo) { r.scheme = "WECHATPAY2-SHA256-RSA" }, "header.scheme")
	head("Bearer", func(r *requestTo) { r.scheme = "Bearer" }, "header.scheme")
	head("the SM2 scheme", func(r *requestTo) { r.scheme = "WECHATPAY2-SM2-WITH-SM3" }, "header.scheme")
	head("the header's name in its value", func(r *requestTo) { r.scheme = "Authorization: WECHATPAY2-SHA256-RSA2048" }, "header.name")
	head("the own certificate in Wechatpay-Serial", func(r *requestTo) { r.more = "Wechatpay-Serial: " + serial + "\r\n" }, "header.named.own")
	head("a foreign key in Wechatpay-Serial", func(r *requestTo) { r.more = "Wechatpay-Serial: PUB_KEY_ID_0100000000000000000000000000000001\r\n" }, "header.named.unknown")
	quoted := form.send(b64(raw))
	start, rest, _ := strings.Cut(quoted, "RSA2048 ")
	parameters, rest, _ := strings.Cut(rest, "\r\n")
	add("single quotes", start+"RSA2048 "+strings.ReplaceAll(parameters, `"`, "'")+"\r\n"+rest, "header.quotes")
	add("typographic quotes", start+"RSA2048 "+strings.ReplaceAll(strings.ReplaceAll(parameters, `="`, `=“`), `"`, "”")+"\r\n"+rest, "header.quotes")
	add("no quotes", start+"RSA2048 "+strings.ReplaceAll(parameters, `"`, "")+"\r\n"+rest, "header.quotes")
	add("semicolons", start+"RSA2048 "+strings.ReplaceAll(parameters, `",`, `";`)+"\r\n"+rest, "header.form")

	// Right ones.
	signs("right", base, text)
	signs("a right GET", get, get.text())
	head("right, a serial in lower case", func(r *requestTo) { r.serial = strings.ToLower(r.serial) })
	head("right, naming the public key", func(r *requestTo) { r.more = "Wechatpay-Serial: " + pubID + "\r\n" })
	for name, w := range writings {
		r := with(base, func(r *requestTo) { r.body = w.body })
		signs("right, "+name, r, r.text())
	}
	return append(all, answerCorpus(t, key, theirs, stranger, seconds)...)
}

// answerCorpus makes the mistakes with WeChat Pay's answers.
func answerCorpus(t testing.TB, key, theirs, stranger *rsa.PrivateKey, seconds string) []mistake {
	const compact = `{"complaint_id":"2002","complaint_detail":"反馈/不好","complaint_state":"PENDING"}`
	answer := func(by *rsa.PrivateKey, id, signed, body string) string {
		return "HTTP/1.1 200 OK\r\nServer: nginx\r\nWechatpay-Timestamp: " + seconds + "\r\nWechatpay-Nonce: " + nonce + "\r\nWechatpay-Serial: " + id +
			"\r\nWechatpay-Signature: " + base64.StdEncoding.EncodeToString(signBytes(t, by, signed)) + "\r\n\r\n" + body
	}
	right := seconds + "\n" + nonce + "\n" + compact + "\n"
	indented := "{\n  \"complaint_id\": \"2002\",\n  \"complaint_detail\": \"反馈/不好\",\n  \"complaint_state\": \"PENDING\"\n}"
	python := `{"complaint_id": "2002", "complaint_detail": "\u53cd\u9988/\u4e0d\u597d", "complaint_state": "PENDING"}`
	signTest := strings.Replace(answer(theirs, pubID, right, compact), "Wechatpay-Signature: ", "Wechatpay-Signature: WECHATPAY/SIGNTEST/", 1)
	unsigned := strings.Split(answer(theirs, pubID, right, compact), "Wechatpay-Signature")[0] + "\r\n" + compact
	return []mistake{
		{"an answer, right", answer(theirs, pubID, right, compact), nil},
		{"an answer, printed by jq", answer(theirs, pubID, right, indented), []string{"body.spacing"}},
		{"an answer, written anew by Python", answer(theirs, pubID, right, python), []string{"body.spacing", "body.unicode"}},
		{"an answer, written anew by PHP", answer(theirs, pubID, right, strings.ReplaceAll(compact, "/", `\/`)), []string{"body.slash"}},
		{"an answer, sorted", answer(theirs, pubID, right, `{"complaint_detail":"反馈/不好","complaint_id":"2002","complaint_state":"PENDING"}`), []string{"body.order"}},
		{"an answer with a line feed more", answer(theirs, pubID, right, compact+"\n"), []string{"body.lf.missing"}},
		{"an answer in GBK", answer(theirs, pubID, right, gbkOf(t, compact)), []string{"charset.sent.gbk"}},
		{"an answer without its body", answer(theirs, pubID, right, ""), []string{"answer.body"}},
		{"an answer cut off", answer(theirs, pubID, right, compact[:40]), []string{"answer.body"}},
		{"an answer of a stranger", answer(stranger, pubID, right, compact), []string{"answer.key"}},
		{"an answer under another id", answer(theirs, "PUB_KEY_ID_0100000000000000000000000000000001", right, compact), []string{"answer.serial"}},
		{"an answer by the merchant's own key", answer(key, pubID, right, compact), []string{"key.merchants"}},
		{"an answer wrong on purpose", signTest, []string{"signtest"}},
		{"an answer with nonce before timestamp", answer(theirs, pubID, nonce+"\n"+seconds+"\n"+compact+"\n", compact), []string{"order.nonce"}},
		{"an answer without its last line feed", answer(theirs, pubID, strings.TrimSuffix(right, "\n"), compact), []string{"lines.nolast"}},
		{"an answer without a signature", unsigned, []string{"-"}},
	}
}
