package sandbox

import (
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// What WeChat Pay asks of every request. Each rule names its page or its witness; what has neither says so. The pages:
//
//   - basic rules: https://pay.weixin.qq.com/doc/v3/merchant/4012081709, before that
//     https://pay.weixin.qq.com/wiki/doc/apiv3/wechatpay/wechatpay2_0.shtml
//   - signatures: https://pay.weixin.qq.com/doc/v3/merchant/4012365336
//   - reasons of a 401: https://pay.weixin.qq.com/doc/v3/merchant/4012072670, before that 常见问题, 签名相关, in
//     https://wechatpay-api.gitbook.io/wechatpay-api-v3
//
// and a log of calls to the real gateway with made-up credentials, published on 2026-09-11 ("the probe").

// invalid is a request that breaks the rules of the interface, and paramError one whose parameters are wrong: basic
// rules, 公共错误码.
func invalid(message string) refusal {
	return refusal{status: http.StatusBadRequest, code: "INVALID_REQUEST", message: message}
}

func paramError(location, field, issue string) refusal {
	return refusal{status: http.StatusBadRequest, code: "PARAM_ERROR", message: "参数错误:" + issue,
		detail: map[string]string{"location": location, "field": field, "issue": issue}}
}

// bodyError is a paramError in the member of a JSON body that a JSON pointer leads to.
func bodyError(pointer, issue string) refusal { return paramError("body", pointer, issue) }

// checkHead looks at the headers that are asked for before anybody is asked who he is.
func checkHead(q *request, op operation) refusal {
	accept := strings.Join(q.Header.Values("Accept"), ",")
	// The probe: 400 with this text, unsigned, before the signature is looked at; `*/*` passes. Basic rules, User Agent:
	// "很可能会拒绝处理无User-Agent的请求".
	if strings.TrimSpace(accept) == "" || q.Header.Get("User-Agent") == "" {
		no := invalid("Http头缺少Accept或User-Agent")
		no.unsigned = true
		return no
	}
	// Basic rules: "请求须设置HTTP头部: Accept: application/json". Real clients send */* (wechatpay-go, wechatpay-java) and
	// lists (wechatpay-axios-plugin, wechatpay-php), so whatever allows JSON is taken. That one which does not is refused
	// is not proved.
	if !op.any && !allowsJSON(accept) {
		return invalid("Http头Accept应为application/json")
	}
	media, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type")) // wechatpay-axios-plugin adds a charset
	// Basic rules: "Content-Type: application/json"; the page of the upload: "请设置为multipart/form-data". What a GET says of a
	// body that it does not have is not looked at: wechatpay-go and wechatpayv3 say application/json.
	want := map[bool]string{true: "multipart/form-data", false: "application/json"}[op.form]
	if hasBody(op.method) && media != want {
		return invalid("Http头Content-Type应为" + want)
	}
	return refusal{}
}

func hasBody(method string) bool { return method == http.MethodPost || method == http.MethodPut }

// allowsJSON reports whether an Accept header allows application/json (RFC 9110, section 12.5.1).
func allowsJSON(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		switch media, _, _ := strings.Cut(strings.TrimSpace(part), ";"); strings.ToLower(strings.TrimSpace(media)) {
		case "application/json", "application/*", "*/*":
			return true
		}
	}
	return false
}

// checkSerial asks for a key of WeChat Pay's, when the request names one. The page of the self-test says that the header
// names the public key or a platform certificate (https://pay.weixin.qq.com/doc/v3/merchant/4014551946); that a foreign
// name is refused where nothing is encrypted is not proved.
func (g *WechatPay) checkSerial(q *request) refusal {
	if _, ok := g.key(q.Header.Get("Wechatpay-Serial")); !ok {
		return paramError("header", "Wechatpay-Serial", "平台证书序列号Wechatpay-Serial错误")
	}
	return refusal{}
}

// checkBody asks for a body where there has to be one and for none where not, and for UTF-8 (basic rules, 字符集). That
// characters of four bytes are not taken is checked where a member is read, since JSON can write them as escapes too.
func checkBody(q *request, op operation) refusal {
	switch {
	case op.form:
		return checkUTF8(q.form.meta)
	case hasBody(op.method):
		return checkUTF8(q.body)
	// wechatpay-go sends the body "null" with a DELETE; that it is taken is not proved, that a GET's is refused neither.
	case len(q.body) > 0 && op.method == http.MethodGet:
		return invalid("GET请求的报文主体应为空")
	}
	return refusal{}
}

func checkUTF8(text []byte) refusal {
	if !utf8.Valid(text) {
		return bodyError("", "请求体不是UTF-8编码")
	}
	return refusal{}
}

// fourBytes reports whether a character takes four bytes in UTF-8, as emoji do:
// "仅支持UTF-8字符编码的一个子集:使用一至三个字节编码的字符".
func fourBytes(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > 0xffff })
}
