package sandbox

import (
	"net/http"
	"strings"
)

// operation is one thing that can be asked of WeChat Pay.
type operation struct {
	method, path string // a segment in braces is an id
	work         func(*WechatPay, *request) (success, refusal)
	complaint    bool // the id is a complaint's
	form         bool // the body is multipart/form-data; otherwise it is JSON, or nothing
	any          bool // the answer is no JSON, so that Accept need not allow it
}

const complaintPath = "/v3/merchant-service/complaints-v2"

// operations are those of the product's guide, https://pay.weixin.qq.com/doc/v3/merchant/4015821404, but for the approval
// of refunds, with certificates and the self-test.
var operations = []operation{
	{method: "GET", path: complaintPath, work: (*WechatPay).list},
	{method: "GET", path: complaintPath + "/{id}", work: (*WechatPay).detail, complaint: true},
	{method: "GET", path: complaintPath + "/{id}/negotiation-historys", work: (*WechatPay).history, complaint: true},
	{method: "POST", path: complaintPath + "/{id}/response", work: (*WechatPay).response, complaint: true},
	{method: "POST", path: complaintPath + "/{id}/response-immediate-service", work: (*WechatPay).immediate, complaint: true},
	{method: "POST", path: complaintPath + "/{id}/complete", work: (*WechatPay).complete, complaint: true},
	{method: "POST", path: "/v3/merchant-service/images/upload", work: (*WechatPay).upload, form: true},
	{method: "GET", path: "/v3/merchant-service/images/{id}", work: (*WechatPay).picture, any: true},
	{method: "POST", path: notificationsPath, work: (*WechatPay).createNotifications},
	{method: "GET", path: notificationsPath, work: (*WechatPay).readNotifications},
	{method: "PUT", path: notificationsPath, work: (*WechatPay).updateNotifications},
	{method: "DELETE", path: notificationsPath, work: (*WechatPay).deleteNotifications},
	{method: "GET", path: "/v3/certificates", work: (*WechatPay).certificates},
	{method: "POST", path: "/v3/security/echo", work: (*WechatPay).echo},
}

// route finds the operation and the id in its path. The real gateway was seen to answer a path that it does not have
// with 404 and a method that a path does not have with 405, before it looks at anything else, both without a body or a
// signature (probed without credentials on 2026-09-11, published with the log).
func route(q *request) (operation, refusal) {
	no := refusal{status: http.StatusNotFound, code: "NOT_FOUND", message: "请求的资源不存在", unsigned: true, empty: true}
	for _, op := range operations {
		id, ok := matches(op.path, q.path)
		if !ok {
			continue
		}
		q.id = id
		if op.method == q.Method {
			return op, refusal{}
		}
		no = refusal{status: http.StatusMethodNotAllowed, code: "METHOD_NOT_ALLOWED", message: "不支持的请求方法",
			unsigned: true, empty: true}
		if op.complaint {
			q.call.ComplaintID = id
		}
	}
	return operation{}, no
}

// matches reports whether a path has a pattern's form, and what stands where the pattern has braces. An id has 1 to 64
// characters in a complaint's pages and 512 in a picture's; a real one needs no escape.
func matches(pattern, path string) (id string, ok bool) {
	before, after, braces := strings.Cut(pattern, "{id}")
	if !braces {
		return "", path == pattern
	}
	rest, ok := strings.CutPrefix(path, before)
	if !ok {
		return "", false
	}
	id, ok = strings.CutSuffix(rest, after)
	if !ok || id == "" || id == "upload" || strings.ContainsAny(id, "/%") {
		return "", false
	}
	limit := 64
	if !strings.HasPrefix(pattern, complaintPath) {
		limit = 512
	}
	return id, len(id) <= limit
}
