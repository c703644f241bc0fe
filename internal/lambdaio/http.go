package lambdaio

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/pkg/wire"
)

// httpEvent is what a command needs of a proxy event, of payload 1.0 (events.APIGatewayProxyRequest) and 2.0
// (events.APIGatewayV2HTTPRequest, which a function URL sends too) alike. It is not one of those types: they would
// fail on any member that AWS makes richer, though it does not matter here.
type httpEvent struct {
	HTTPMethod        string              `json:"httpMethod"` // 1.0
	Path              string              `json:"path"`       // 1.0
	RawPath           string              `json:"rawPath"`    // 2.0
	PathParameters    map[string]string   `json:"pathParameters"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
	RequestContext    struct {
		Stage string `json:"stage"`
		HTTP  struct {
			Method string `json:"method"` // 2.0
		} `json:"http"`
	} `json:"requestContext"`
}

// http answers an HTTP request that came through API Gateway or a function URL. The answer's form is the same for both
// payload versions.
func (h *Handler) http(ctx context.Context, payload []byte) ([]byte, error) {
	var event httpEvent
	request := wire.Request{
		Command:  wire.Command{Action: h.Action},
		Problems: []wire.Problem{{Detail: "the event is not one of API Gateway"}},
	}
	if err := json.Unmarshal(payload, &event); err == nil {
		request = readHTTP(h.Action, event)
	}
	status, header, body := h.Desk.Do(ctx, request).HTTP()
	return json.Marshal(events.APIGatewayProxyResponse{StatusCode: status, Headers: header, Body: string(body)})
}

func readHTTP(action wire.Action, event httpEvent) wire.Request {
	// A function URL and a catch-all route pass every method on. A GET must never act: browsers and crawlers send them.
	if method := cmp.Or(event.HTTPMethod, event.RequestContext.HTTP.Method, http.MethodPost); method != http.MethodPost {
		return wire.Request{Command: wire.Command{Action: action}, Problems: []wire.Problem{{Detail: "the method must be POST"}}}
	}
	in := wire.HTTPRequest{
		Merchant:        event.PathParameters["merchant"],
		ComplaintID:     event.PathParameters["complaint_id"],
		IdempotencyKeys: event.header("Idempotency-Key"),
		ContentType:     strings.Join(event.header("Content-Type"), ", "),
	}
	if in.Merchant == "" && in.ComplaintID == "" {
		var ok bool
		if in.Merchant, in.ComplaintID, ok = event.parsePath(action); !ok {
			return wire.Request{Command: wire.Command{Action: action}, Problems: []wire.Problem{{
				Detail: "the path must be /merchants/{merchant}/complaints/{complaint_id}/" + string(action)}}}
		}
	}
	in.Body = []byte(event.Body)
	if event.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(event.Body)
		if err != nil {
			in.BodyProblem = "the body is said to be base64 and is not"
		}
		in.Body = body
	}
	return wire.ReadHTTP(action, in)
}

// header gives the values of a header; names are compared without case. Payload 1.0 lists them all in
// multiValueHeaders and the last one in headers too.
func (e httpEvent) header(name string) []string {
	for n, values := range e.MultiValueHeaders {
		if strings.EqualFold(n, name) && len(values) > 0 {
			return values
		}
	}
	for n, value := range e.Headers {
		if strings.EqualFold(n, name) {
			return []string{value}
		}
	}
	return nil
}

// parsePath takes merchant and complaint from the path of a request that came without path parameters: a function
// URL's, or one of a catch-all route, which may begin with the stage.
func (e httpEvent) parsePath(action wire.Action) (merchant, complaint string, ok bool) {
	path := e.RawPath
	if path == "" {
		path = e.Path
	}
	if stage := e.RequestContext.Stage; stage != "" {
		if rest, cut := strings.CutPrefix(path, "/"+stage+"/"); cut {
			path = "/" + rest
		}
	}
	parts := strings.Split(path, "/")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "merchants" || parts[3] != "complaints" || parts[5] != string(action) {
		return "", "", false
	}
	merchant, err1 := url.PathUnescape(parts[2])
	complaint, err2 := url.PathUnescape(parts[4])
	return merchant, complaint, err1 == nil && err2 == nil
}
