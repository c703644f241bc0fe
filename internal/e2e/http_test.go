package e2e

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// request is an HTTP request, which AWS tells a function about in three ways.
type request struct {
	merchant, complaint string
	header              map[string]string // nil: a JSON body
	body                string
	base64              bool
	method              string // "" is POST
	path                string // in place of the two above
}

func (r request) address(action string) string {
	if r.path != "" {
		return r.path
	}
	return "/merchants/" + r.merchant + "/complaints/" + r.complaint + "/" + action
}

func (r request) content() (body string, headers map[string]string, method string) {
	body, headers, method = r.body, r.header, r.method
	if r.base64 {
		body = base64.StdEncoding.EncodeToString([]byte(body))
	}
	if headers == nil {
		headers = map[string]string{"Content-Type": "application/json"}
	}
	if method == "" {
		method = "POST"
	}
	return body, headers, method
}

func event(all map[string]any) string {
	text, err := json.Marshal(all)
	if err != nil {
		return ""
	}
	return string(text)
}

// restAPI is a proxy event of payload 1.0.
func (r request) restAPI(action string) string {
	body, headers, method := r.content()
	many := map[string][]string{}
	for name, value := range headers {
		many[name] = []string{value}
	}
	return event(map[string]any{
		"resource": "/merchants/{merchant}/complaints/{complaint_id}/" + action, "path": r.address(action), "httpMethod": method,
		"headers": headers, "multiValueHeaders": many, "queryStringParameters": nil, "multiValueQueryStringParameters": nil,
		"pathParameters": map[string]string{"merchant": r.merchant, "complaint_id": r.complaint}, "stageVariables": nil,
		"requestContext": map[string]any{"accountId": "000000000000", "stage": "prod", "httpMethod": method, "authorizer": map[string]any{"principalId": "u", "n": 7},
			"identity": map[string]any{"sourceIp": "127.0.0.1", "userAgent": nil}, "requestTimeEpoch": 1732176000000},
		"body": body, "isBase64Encoded": r.base64,
	})
}

// httpAPI is an event of payload 2.0, whose headers AWS gives in lower case.
func (r request) httpAPI(action string) string {
	all := r.v2(action)
	all["routeKey"] = "POST /merchants/{merchant}/complaints/{complaint_id}/" + action
	all["pathParameters"] = map[string]string{"merchant": r.merchant, "complaint_id": r.complaint}
	return event(all)
}

// functionURL is payload 2.0 without path parameters.
func (r request) functionURL(action string) string {
	all := r.v2(action)
	all["routeKey"] = "$default"
	return event(all)
}

func (r request) v2(action string) map[string]any {
	body, headers, method := r.content()
	lower := map[string]string{}
	for name, value := range headers {
		lower[strings.ToLower(name)] = value
	}
	all := map[string]any{
		"version": "2.0", "rawPath": r.address(action), "rawQueryString": "", "headers": lower, "isBase64Encoded": r.base64,
		"requestContext": map[string]any{"accountId": "000000000000", "stage": "$default", "timeEpoch": 1732176000000, "authentication": nil,
			"http": map[string]any{"method": method, "path": r.address(action), "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "curl"}},
	}
	if body != "" {
		all["body"] = body
	}
	return all
}

// ways are the three ways in which HTTP comes to a function.
var ways = []struct {
	name string
	make func(r request, action string) string
}{
	{"a REST API (payload 1.0)", request.restAPI},
	{"an HTTP API (payload 2.0)", request.httpAPI},
	{"a function URL", request.functionURL},
}

const goodBody = `{"response_content":"已与用户沟通解决"}`

func TestHTTPRequestsAreAnsweredAsHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	functions := map[string]*function{"reply": w.reply(), "complete": w.complete()}
	tooLong := `{"response_content":"a"` + strings.Repeat(" ", 64<<10) + `}`
	exactly := goodBody + strings.Repeat(" ", 64<<10-len(goodBody))
	for _, test := range []struct {
		name     string
		action   string
		request  request
		status   int
		code     string
		pointers []string
	}{
		{"a reply", "reply", request{body: goodBody}, 200, "0000", nil},
		{"a reply in base64", "reply", request{body: goodBody, base64: true}, 200, "0000", nil},
		{"a content type with a charset", "reply", request{body: goodBody, header: map[string]string{"Content-Type": "application/json; charset=UTF-8"}}, 200, "0000", nil},
		{"headers in upper case", "reply", request{body: goodBody, header: map[string]string{"CONTENT-TYPE": "Application/JSON", "IDEMPOTENCY-KEY": "k1"}}, 200, "0000", nil},
		{"the same key twice", "reply", request{body: `{"response_content":"a","idempotency_key":"k2"}`,
			header: map[string]string{"content-type": "application/json", "idempotency-key": "k2"}}, 200, "0000", nil},
		{"64 KiB exactly", "reply", request{body: exactly}, 200, "0000", nil},
		{"more than 64 KiB", "reply", request{body: tooLong}, 413, "INVALID_REQUEST", []string{""}},
		{"more than 64 KiB in base64", "reply", request{body: tooLong, base64: true}, 413, "INVALID_REQUEST", []string{""}},
		{"two keys that differ", "reply", request{body: `{"response_content":"a","idempotency_key":"k3"}`,
			header: map[string]string{"Content-Type": "application/json", "Idempotency-Key": "k4"}}, 400, "INVALID_REQUEST", []string{"/idempotency_key"}},
		{"a header's key beyond ASCII", "reply", request{body: goodBody, header: map[string]string{"Content-Type": "application/json", "Idempotency-Key": "键"}}, 400, "INVALID_REQUEST", []string{"/idempotency_key"}},
		{"text/plain", "reply", request{body: goodBody, header: map[string]string{"Content-Type": "text/plain"}}, 415, "INVALID_REQUEST", []string{""}},
		{"a form", "complete", request{body: "a=b", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 415, "INVALID_REQUEST", []string{""}},
		{"no content type", "reply", request{body: goodBody, header: map[string]string{}}, 415, "INVALID_REQUEST", []string{""}},
		{"a JSON-like type", "reply", request{body: goodBody, header: map[string]string{"Content-Type": "application/jsonp"}}, 415, "INVALID_REQUEST", []string{""}},
		{"merchant in the body", "reply", request{body: `{"merchant":"acme","response_content":"a"}`}, 400, "INVALID_REQUEST", []string{"/merchant"}},
		{"complaint_id in the body", "complete", request{body: `{"complaint_id":"c"}`}, 400, "INVALID_REQUEST", []string{"/complaint_id"}},
		{"several problems", "reply", request{body: `{"x":1,"response_content":""}`}, 400, "INVALID_REQUEST", []string{"/response_content", "/x"}},
		{"a list", "reply", request{body: `[]`}, 400, "INVALID_REQUEST", []string{""}},
		{"null", "complete", request{body: `null`}, 400, "INVALID_REQUEST", []string{""}},
		{"text after the object", "reply", request{body: goodBody + "{}"}, 400, "INVALID_REQUEST", []string{""}},
		{"half an object", "reply", request{body: `{"response_content":"a`}, 400, "INVALID_REQUEST", []string{""}},
		{"a reply without a body", "reply", request{}, 400, "INVALID_REQUEST", []string{"/response_content"}},
		{"bytes that are not UTF-8", "reply", request{body: "{\"response_content\":\"\xd2\xd1\"}", base64: true}, 400, "INVALID_REQUEST", []string{""}},
		{"an unknown merchant", "reply", request{merchant: "nobody", body: goodBody}, 404, "UNKNOWN_MERCHANT", nil},
		{"a completion", "complete", request{body: "{}"}, 200, "OK", nil},
		{"a completion without a body", "complete", request{header: map[string]string{"Host": "a"}}, 200, "OK", nil},
		{"a completion with a key", "complete", request{header: map[string]string{"Idempotency-Key": "k5"}}, 200, "OK", nil},
	} {
		for _, way := range ways {
			t.Run(test.name+" by "+way.name, func(t *testing.T) {
				f, r := functions[test.action], test.request
				if r.merchant == "" {
					r.merchant = "acme"
				}
				r.complaint = w.complaint(r.merchant)
				got := f.response(f.invoke(way.make(r, test.action)))
				if got.status != test.status || got.Code != test.code || !slices.Equal(got.pointers(), test.pointers) {
					t.Errorf("got %d %s", got.status, got.body)
				}
				if got.Merchant != r.merchant || got.ComplaintID != r.complaint || got.Action != test.action {
					t.Errorf("it is about %s %s %s", got.Action, got.Merchant, got.ComplaintID)
				}
				if sent := len(callsFor(w.ImagecoHost, r.complaint)) + len(callsFor(w.Primary, r.complaint)); sent != map[bool]int{true: 1}[test.status == 200] {
					t.Errorf("%d calls were made", sent)
				}
			})
		}
	}
}

func TestAMethodThatIsNotPOSTSendsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	for _, f := range []*function{w.reply(), w.complete()} {
		for _, way := range ways {
			for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
				r := request{merchant: "acme", complaint: w.complaint("acme"), method: method, body: goodBody}
				if f.action == "complete" {
					r.body = ""
				}
				got := f.response(f.invoke(way.make(r, f.action)))
				if got.status/100 != 4 || got.Code != "INVALID_REQUEST" {
					t.Errorf("%s %s by %s: %d %s", f.action, method, way.name, got.status, got.body)
				}
			}
		}
	}
	if n := w.ImagecoHost.Calls.Len() + w.Primary.Calls.Len(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestAPathWithoutParametersIsTakenApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	for _, test := range []struct {
		path   string
		status int
	}{
		{"/merchants/acme/complaints/ID/reply", 200},
		{"/merchants/%61cme/complaints/ID/reply", 200},
		{"/merchants/acme/complaints/ID/complete", 400},
		{"/merchants/acme/complaints/ID", 400},
		{"/merchants/acme/complaints/ID/reply/more", 400},
		{"/merchants//complaints/ID/reply", 400},
		{"/merchants/acme/complaints//reply", 400},
		{"/merchants/a%2Fcme/complaints/ID/reply", 400},
		{"/merchants/acme/complaints/..%2fID/reply", 400},
		{"/merchants/acme/complaints/ID%00/reply", 400},
		{"/", 400},
		{"", 400},
	} {
		id := w.complaint("acme")
		got := f.response(f.invoke(request{path: strings.ReplaceAll(test.path, "ID", id) + map[bool]string{true: "?"}[test.path == ""], body: goodBody}.functionURL("reply")))
		if got.status != test.status || (w.replies("acme", id) == 1) != (test.status == 200) {
			t.Errorf("%q: %d %s", test.path, got.status, got.body)
		}
	}
}

func TestPathParametersAreHeldAgainstTheRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	for _, test := range []struct {
		merchant, complaint string
		want                []string
	}{
		{"a b", "c1", []string{"/merchant"}},
		{"acme", "c.1", []string{"/complaint_id"}},
		{long(65), long(65), []string{"/complaint_id", "/merchant"}},
		{"", "c1", []string{"/merchant"}},
		{"acme", "", []string{"/complaint_id"}},
		{"商户", "c1", []string{"/merchant"}},
	} {
		got := f.response(f.invoke(request{merchant: test.merchant, complaint: test.complaint}.httpAPI("complete")))
		if got.status != 400 || !slices.Equal(got.pointers(), test.want) {
			t.Errorf("%q %q: %d %s", test.merchant, test.complaint, got.status, got.body)
		}
	}
	if w.Primary.Calls.Len() != 0 {
		t.Error("something was sent")
	}
}

func TestABodyThatIsNotTheBase64ThatItSaysIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	payload := strings.Replace(request{merchant: "acme", complaint: "c1", body: "?", base64: true}.restAPI("reply"), `"body":"Pw=="`, `"body":"!!"`, 1)
	if got := f.response(f.invoke(payload)); got.status != 400 || !slices.Equal(got.pointers(), []string{"/body"}) {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestSeveralIdempotencyKeyHeadersMustAgree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	r := request{merchant: "acme", complaint: w.complaint("acme"), header: map[string]string{"Idempotency-Key": "b"}}
	payload := strings.Replace(r.restAPI("complete"), `"multiValueHeaders":{"Idempotency-Key":["b"]}`, `"multiValueHeaders":{"Idempotency-Key":["a","b"]}`, 1)
	if got := f.response(f.invoke(payload)); got.status != 400 || !slices.Equal(got.pointers(), []string{"/idempotency_key"}) {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
