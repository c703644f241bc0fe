package watch

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// bodyMax bounds a notification's body in bytes; a real one is below a kilobyte.
const bodyMax = 64 << 10

// last is the last segment of the path.
const last = "notifications"

// call is an HTTP request as API Gateway (payload 1.0 and 2.0) or a function URL hands it over.
type call struct {
	merchant string
	header   http.Header // the four that a signature needs, each with all values that came
	body     []byte      // byte for byte as it was sent
}

// signedHeaders are the headers that WeChat Pay signs a call with.
var signedHeaders = []string{"Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"}

// readCall reads an HTTP event. Everything but the path and the size is left to whoever verifies.
func readCall(members []strictjson.Member) (call, reason) {
	var event struct {
		httpMethod, rawPath, path string
		parameters                map[string]string
		context                   struct {
			Stage string
			HTTP  struct{ Method string }
		}
		headers map[string]string
		all     map[string][]string
		body    string
		encoded bool
	}
	known := map[string]any{"httpMethod": &event.httpMethod, "rawPath": &event.rawPath, "path": &event.path,
		"pathParameters": &event.parameters, "requestContext": &event.context, "headers": &event.headers,
		"multiValueHeaders": &event.all, "body": &event.body, "isBase64Encoded": &event.encoded}
	for _, m := range members {
		if into, ok := known[m.Name]; ok && json.Unmarshal(m.Value, into) != nil {
			return call{}, noSuchPath // no event of API Gateway's
		}
	}
	merchant, ok := merchantOf(cmp.Or(event.rawPath, event.path), event.context.Stage, event.parameters["merchant"])
	if !ok {
		return call{}, noSuchPath
	}
	c := call{merchant: merchant, header: headersOf(event.headers, event.all)}
	if cmp.Or(event.httpMethod, event.context.HTTP.Method) != http.MethodPost {
		return call{}, noSuchPath
	}
	if len(event.body) > base64.StdEncoding.EncodedLen(bodyMax) {
		return call{}, tooLarge
	}
	c.body = []byte(event.body)
	if event.encoded {
		var err error
		if c.body, err = base64.StdEncoding.DecodeString(event.body); err != nil {
			return call{}, notSigned
		}
	}
	if len(c.body) > bodyMax {
		return call{}, tooLarge
	}
	return c, ""
}

// merchantOf is the merchant of a notification's path, which API Gateway tells apart where it knows the route. The path
// may begin with the stage.
func merchantOf(path, stage, parameter string) (merchant string, ok bool) {
	if rest, cut := strings.CutPrefix(path, "/"+stage+"/"); cut && stage != "" {
		path = "/" + rest
	}
	parts := strings.Split(path, "/")
	switch {
	case parameter != "" && parts[len(parts)-1] == last: // below the base path of a domain of the operator's
		return parameter, true
	case len(parts) == 4 && parts[0] == "" && parts[1] == "merchants" && parts[3] == last:
		return parts[2], true
	}
	return "", false
}

// headersOf collects the headers of a signature, whatever the case of their names. Payload 1.0 has every value in
// multiValueHeaders and the last one in headers again.
func headersOf(headers map[string]string, all map[string][]string) http.Header {
	h := http.Header{}
	for _, name := range signedHeaders {
		for given, values := range all {
			if strings.EqualFold(given, name) {
				h[name] = append(h[name], values...)
			}
		}
		if h[name] != nil {
			continue
		}
		for given, value := range headers {
			if strings.EqualFold(given, name) {
				h[name] = append(h[name], value)
			}
		}
	}
	return h
}
