package explain

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// wechatRecipe is how the text that WeChat Pay's signature is made over comes about: lines with something at the end of
// each. The lines are method, target, timestamp, nonce and body; an answer has the last three.
type wechatRecipe struct {
	answer      bool
	lines       [5]string
	lineEnd     string
	first, last string // before the first line and behind the last one
	order       []int
	without     int // a line that is left out, with its end; 0 for none, else its number + 1
	charset     *charset
	hashed      func(string) string
}

const lineMethod, lineTarget, lineTimestamp, lineNonce, lineBody = 0, 1, 2, 3, 4

// text is what such a recipe signs; false when a change of charset changes nothing.
func (r *wechatRecipe) text() (string, bool) {
	order := r.order
	if order == nil {
		order = []int{0, 1, 2, 3, 4}
	}
	var out strings.Builder
	size := 16
	for _, line := range r.lines {
		size += len(line) + 2
	}
	out.Grow(size)
	out.WriteString(r.first)
	count := 0
	for _, i := range order {
		if r.answer && i < lineTimestamp || i == r.without-1 {
			continue
		}
		if count++; count > 1 {
			out.WriteString(r.lineEnd)
		}
		out.WriteString(r.lines[i])
	}
	out.WriteString(r.last)
	text := out.String()
	if r.charset != nil {
		other, differs := r.charset.bytes(text)
		if !differs {
			return "", false
		}
		text = other
	}
	if r.hashed != nil {
		text = r.hashed(text)
	}
	return text, true
}

type wechatChange = change[wechatRecipe]

// wechatChanges are the usual suspects. body is the body in UTF-8.
func wechatChanges(right wechatRecipe, body string) [][]wechatChange {
	change := func(cost int, id string, do func(*wechatRecipe), args ...any) wechatChange {
		return wechatChange{one(id, args...), cost, do}
	}
	ends := func(cost int, id, end string) wechatChange {
		return change(cost, id, func(r *wechatRecipe) { r.lineEnd, r.last = end, end })
	}
	groups := [][]wechatChange{
		{ends(1, "lines.crlf", "\r\n"), ends(1, "lines.backslash", `\n`), ends(1, "lines.nothing", ""), ends(2, "lines.cr", "\r"),
			ends(2, "lines.other", " "), ends(2, "lines.other", "&"), ends(2, "lines.other", ","), ends(2, "lines.other", `\r\n`), ends(2, "lines.other", "\n\n")},
		{change(1, "lines.nolast", func(r *wechatRecipe) { r.last = "" }), change(1, "lines.twolast", func(r *wechatRecipe) { r.last += "\n" }),
			change(2, "lines.first", func(r *wechatRecipe) { r.first = "\n" }), change(2, "lines.first", func(r *wechatRecipe) { r.first = "\uFEFF" })},
		bodyChanges(body, right.lines[lineBody]),
		timestampChanges(right.lines[lineTimestamp]),
		nonceChanges(right.lines[lineNonce]),
		orderChanges(right.answer),
		withoutChanges(right),
	}
	if !right.answer {
		groups = append(groups, targetChanges(right.lines[lineTarget]), methodChanges(right.lines[lineMethod]))
	}
	var charsetGroup []wechatChange
	for _, c := range charsets {
		charsetGroup = append(charsetGroup, change(c.cost, c.id, func(r *wechatRecipe) { r.charset = &c }))
	}
	hash := func(write func([]byte) string) func(*wechatRecipe) {
		return func(r *wechatRecipe) {
			r.hashed = func(s string) string { sum := sha256.Sum256([]byte(s)); return write(sum[:]) }
		}
	}
	return append(groups, charsetGroup, []wechatChange{
		change(1, "rsa.hashedtwice", hash(hex.EncodeToString)), change(1, "rsa.hashedtwice", hash(upperHex)),
		change(1, "rsa.hashedtwice", hash(func(b []byte) string { return string(b) })), change(2, "rsa.hashedtwice", hash(base64.StdEncoding.EncodeToString)),
		change(2, "text.base64", func(r *wechatRecipe) {
			r.hashed = func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
		}),
	})
}

func bodyChanges(body, sent string) []wechatChange {
	list := make([]wechatChange, 0, 4096)
	if body != sent { // the bytes that were sent are GBK
		list = append(list, wechatChange{one("charset.sent.gbk"), 1, func(r *wechatRecipe) { r.lines[lineBody] = body }})
	}
	for _, v := range bodyVariants(body) {
		list = append(list, wechatChange{v.causes, v.cost, func(r *wechatRecipe) { r.lines[lineBody] = v.text }})
	}
	return list
}

func methodChanges(method string) []wechatChange {
	var list []wechatChange
	for _, other := range []string{strings.ToUpper(method), strings.ToLower(method), capital(method), "GET", "POST", "PUT", "PATCH", "DELETE"} {
		if other != method && !slices.ContainsFunc(list, func(c wechatChange) bool { return c.causes[0].args[0] == other }) {
			id := "method"
			if strings.EqualFold(other, method) {
				id = "method.case"
			}
			list = append(list, wechatChange{one(id, other, method), 1, func(r *wechatRecipe) { r.lines[lineMethod] = other }})
		}
	}
	return list
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.ToLower(s[1:])
}

// orderChanges are the other orders of the lines.
func orderChanges(answer bool) []wechatChange {
	var list []wechatChange
	add := func(cost int, id string, order ...int) {
		list = append(list, wechatChange{one(id), cost, func(r *wechatRecipe) { r.order = order }})
	}
	add(1, "order.nonce", 0, 1, 3, 2, 4)
	if answer {
		add(1, "order.body", 4, 2, 3)
		add(2, "order.lines", 2, 4, 3)
		add(2, "order.lines", 3, 4, 2)
		add(2, "order.lines", 4, 3, 2)
		return list
	}
	add(1, "order.path", 1, 0, 2, 3, 4)
	add(1, "lines.answer", 2, 3, 4)
	add(1, "order.body", 0, 1, 4, 2, 3)
	order := []int{0, 1, 2, 3, 4}
	permute(order, 0, func(order []int) { add(2, "order.lines", slices.Clone(order)...) })
	return list
}

func withoutChanges(right wechatRecipe) []wechatChange {
	var list []wechatChange
	for line, id := range []string{"line.method", "line.target", "line.timestamp", "line.nonce", "line.body"} {
		if right.answer && line < lineTimestamp {
			continue
		}
		list = append(list, wechatChange{one(id), 1, func(r *wechatRecipe) { r.without = line + 1 }})
	}
	return list
}

func targetChanges(target string) []wechatChange {
	var list []wechatChange
	seen := map[string]bool{target: true}
	add := func(cost int, id, other string) {
		if !seen[other] && other != "" {
			seen[other] = true
			list = append(list, wechatChange{one(id), cost, func(r *wechatRecipe) { r.lines[lineTarget] = other }})
		}
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil
	}
	if u.Host != "" {
		_, rest, _ := strings.Cut(target, u.Host)
		add(1, "target.url.sent", rest)
	} else {
		for _, host := range []string{"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"} {
			add(1, "target.url", "https://"+host+target)
			add(2, "target.url", "http://"+host+target)
			add(1, "target.host", host+target)
			add(2, "target.url", "https://"+host+":443"+target)
		}
	}
	path, query, hasQuery := strings.Cut(target, "?")
	add(1, "target.query", path)
	if hasQuery {
		add(2, "target.query", path+"?")
		add(1, "target.query.sorted", path+"?"+sortedQuery(query))
		if values, err := url.ParseQuery(query); err == nil {
			add(1, "target.query.encoded", path+"?"+values.Encode())
			add(1, "target.query.encoded", path+"?"+strings.ReplaceAll(values.Encode(), "+", "%20"))
		}
		add(1, "target.query.encoded", path+"?"+strings.ReplaceAll(query, "%20", "+"))
		add(1, "target.query.encoded", path+"?"+strings.ReplaceAll(query, "+", "%20"))
		add(1, "target.amp", path+"?"+strings.ReplaceAll(query, "&", "&amp;"))
		add(1, "target.queryonly", query)
	} else {
		add(2, "target.slash.end", target+"?")
	}
	add(1, "target.slash.first", strings.TrimPrefix(target, "/"))
	add(1, "target.slash.end", path+"/"+strings.TrimPrefix(target, path))
	add(1, "target.slash.end", strings.TrimSuffix(path, "/")+strings.TrimPrefix(target, path))
	add(1, "target.slash.double", "/"+target)
	add(1, "target.slash.double", strings.Replace(target, "//", "/", 1))
	if decoded, err := url.PathUnescape(target); err == nil {
		add(1, "target.decoded", decoded)
	}
	if decoded, err := url.QueryUnescape(target); err == nil {
		add(2, "target.decoded", decoded)
	}
	add(1, "target.encoded", url.PathEscape(target))
	add(1, "target.encoded", url.QueryEscape(target))
	add(1, "target.encoded", encodedOnce(target))
	add(2, "target.percent", lowerPercent(target, strings.ToLower))
	add(2, "target.percent", lowerPercent(target, strings.ToUpper))
	add(1, "target.version", strings.TrimPrefix(target, "/v3"))
	add(2, "target.case", strings.ToLower(target))
	for _, placeholder := range []string{"{complaint_id}", ":complaint_id"} {
		if parts := strings.Split(path, "/"); len(parts) > 4 && parts[3] == "complaints-v2" {
			parts[4] = placeholder
			add(1, "target.template", strings.Join(parts, "/")+strings.TrimPrefix(target, path))
		}
	}
	if slash := strings.LastIndexByte(path, '/'); slash > 0 {
		add(2, "target.cut", path[:slash])
	}
	return list
}

func sortedQuery(query string) string {
	parts := strings.Split(query, "&")
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// encodedOnce escapes what is not ASCII, and the % of what was escaped already.
func encodedOnce(target string) string {
	var out strings.Builder
	for i := range len(target) {
		switch c := target[i]; {
		case c > '~' || c == '%' || c == ' ':
			out.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// lowerPercent changes the case of percent escapes.
func lowerPercent(target string, to func(string) string) string {
	out := []byte(target)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], to(string(out[i+1:i+3])))
		}
	}
	return string(out)
}

// nearSeconds is how far a timestamp that was made anew for the header may be from the one that was signed.
const nearSeconds = 120

// timestampChanges are other times: in other units, and made a second time a little before or later.
func timestampChanges(timestamp string) []wechatChange {
	set := func(cost int, id, other string, args ...any) wechatChange {
		return wechatChange{one(id, args...), cost, func(r *wechatRecipe) { r.lines[lineTimestamp] = other }}
	}
	list := []wechatChange{set(1, "timestamp.ms", timestamp+"000"), set(2, "timestamp.float", timestamp+".0")}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		if whole, _, ok := strings.Cut(timestamp, "."); ok {
			list = append(list, set(1, "timestamp.float.sent", whole))
		}
		return list
	}
	if len(timestamp) == 13 {
		return append(list, set(1, "timestamp.ms.sent", timestamp[:10]))
	}
	for off := int64(1); off <= nearSeconds; off++ {
		cost := 2
		if off <= 3 {
			cost = 1
		}
		list = append(list, set(cost, "timestamp.anew", strconv.FormatInt(seconds-off, 10)), set(cost, "timestamp.anew", strconv.FormatInt(seconds+off, 10)))
	}
	for ms := int64(1); ms < 1000; ms++ {
		list = append(list, set(2, "timestamp.ms", strconv.FormatInt(seconds*1000+ms, 10)))
	}
	return list
}

func nonceChanges(nonce string) []wechatChange {
	var list []wechatChange
	add := func(cost int, id, other string) {
		if other != nonce {
			list = append(list, wechatChange{one(id), cost, func(r *wechatRecipe) { r.lines[lineNonce] = other }})
		}
	}
	add(1, "nonce.upper", strings.ToUpper(nonce))
	add(1, "nonce.lower", strings.ToLower(nonce))
	add(1, "nonce.empty", "")
	add(2, "nonce.null", "null")
	bare := strings.ReplaceAll(nonce, "-", "")
	add(1, "nonce.dashes", bare)
	add(2, "nonce.dashes", strings.ToUpper(bare))
	add(2, "nonce.dashes", strings.ToLower(bare))
	if len(bare) == 32 {
		dashed := bare[:8] + "-" + bare[8:12] + "-" + bare[12:16] + "-" + bare[16:20] + "-" + bare[20:]
		add(1, "nonce.dashes", dashed)
		add(2, "nonce.dashes", strings.ToLower(dashed))
	}
	return list
}
