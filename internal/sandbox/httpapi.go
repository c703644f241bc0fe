package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// NotificationAPI is the HTTP API with the one route for WeChat Pay's own calls (contract, section 10), by Lambda proxy
// integration, payload 2.0. It has no IAM and no document: the function alone says what it takes.
type NotificationAPI struct {
	Watch   Invoker
	Timeout time.Duration // the function's; 0 is 29 s, which is also the most
}

const notificationRoute = "/merchants/{merchant}/notifications"

// notified is the merchant in the path of a notification.
func notified(path string) (merchant string, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 4 || parts[0] != "" || parts[1] != "merchants" || parts[2] == "" || parts[3] != "notifications" {
		return "", false
	}
	merchant, err := url.PathUnescape(parts[2])
	return merchant, err == nil
}

// ServeHTTP passes a call to the function and its answer back.
func (g *NotificationAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	merchant, ok := notified(r.URL.EscapedPath())
	if !ok || r.Method != http.MethodPost { // an HTTP API has one answer for a path and a method that it does not have
		writeJSON(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
		return
	}
	body, err := readBody(w, r, payloadLimit)
	if err != nil {
		writeJSON(w, http.StatusRequestEntityTooLarge, map[string]string{"message": "Request Entity Too Large"})
		return
	}
	payload, err := json.Marshal(notificationEvent(r, body, merchant))
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]string{"message": "Internal Server Error"})
		return
	}
	limit := gatewayLimit
	if g.Timeout > 0 {
		limit = min(limit, g.Timeout)
	}
	result, err := g.Watch.Invoke(r.Context(), payload, limit)
	if err != nil || result.Failed() {
		writeJSON(w, http.StatusInternalServerError, map[string]string{"message": "Internal Server Error"})
		return
	}
	writeProxyResponse(w, result.Payload)
}

// notificationEvent is the event of payload 2.0: header names in lower case, values of one name joined by commas
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html). The page does
// not say which bodies come in base64; here it is every one that is not text by its type or that JSON could not carry.
func notificationEvent(r *http.Request, body []byte, merchant string) events.APIGatewayV2HTTPRequest {
	sourceIP, _, _ := net.SplitHostPort(r.RemoteAddr)
	now := time.Now()
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST " + notificationRoute, RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host}, PathParameters: map[string]string{"merchant": merchant}, Body: string(body),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "POST " + notificationRoute, AccountID: AccountID, Stage: "$default", RequestID: newUUID(), APIID: "sandbox",
			DomainName: r.Host, Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.Method, Path: r.URL.EscapedPath(), Protocol: r.Proto,
				SourceIP: sourceIP, UserAgent: r.UserAgent()},
		},
	}
	for name, values := range r.Header {
		event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if text := media == "application/json" || strings.HasPrefix(media, "text/"); !text || !utf8.Valid(body) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return event
}
