package sandbox

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/pkg/wire"
)

// gatewayLimit is API Gateway's limit on the time that an integration may take.
const gatewayLimit = 29 * time.Second

// Invoker runs an invocation; [Function] is one.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte, timeout time.Duration) (Invocation, error)
}

// APIGateway is a REST API with the routes of the contract's section 2, by Lambda proxy integration, payload 1.0.
type APIGateway struct {
	Reply, Complete Invoker
	Timeout         time.Duration // the functions' timeout; 0 is 29 s, which is also the most
}

const routePattern = "/merchants/{merchant}/complaints/{complaint_id}/"

// binaryTypes are the API's binary media types, as in api/openapi.yaml.
var binaryTypes = []string{"image/jpeg", "image/png", "image/bmp"}

// ServeHTTP finds the function for a path and passes the request to it and its answer back.
func (g *APIGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	resource, parameters := splitPath(r.URL.EscapedPath())
	function := map[string]Invoker{wire.Reply.Route(): g.Reply, wire.Complete.Route(): g.Complete, wire.Upload.Route(): g.Reply}[resource]
	switch {
	case function == nil:
		problem(w, http.StatusNotFound, "there is nothing at this path; try POST "+routePattern+"reply or …/complete, or "+wire.Upload.Route())
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		problem(w, http.StatusMethodNotAllowed, "this path takes POST")
		return
	}
	body, err := readBody(w, r, payloadLimit)
	if err != nil {
		problem(w, http.StatusRequestEntityTooLarge, "the request is too large or was cut off")
		return
	}
	event := proxyEvent(r, body, resource, parameters)
	payload, err := json.Marshal(event)
	if err != nil {
		problem(w, http.StatusInternalServerError, "the event cannot be encoded")
		return
	}
	limit := gatewayLimit
	if g.Timeout > 0 {
		limit = min(limit, g.Timeout)
	}
	result, err := function.Invoke(r.Context(), payload, limit)
	switch {
	case err != nil:
		problem(w, http.StatusBadGateway, "the function cannot be run: "+err.Error())
	case result.ErrorType == "Sandbox.Timedout":
		problem(w, http.StatusGatewayTimeout, "the function did not answer in time")
	case result.Failed():
		problem(w, http.StatusBadGateway, "the function failed: "+result.ErrorType+": "+result.ErrorMessage)
	default:
		writeProxyResponse(w, result.Payload)
	}
}

// splitPath tells which route a path is of, and decodes its parameters; the route is empty when it is of none.
func splitPath(path string) (resource string, parameters map[string]string) {
	for _, action := range []wire.Action{wire.Reply, wire.Complete, wire.Upload} {
		route, parts := strings.Split(action.Route(), "/"), strings.Split(path, "/")
		found, ok := map[string]string{}, len(parts) == len(route)
		for i := 0; ok && i < len(route); i++ {
			name, isParameter := strings.CutPrefix(route[i], "{")
			value, err := url.PathUnescape(parts[i])
			if isParameter {
				found[strings.TrimSuffix(name, "}")] = value
			}
			ok = err == nil && (isParameter && value != "" || !isParameter && parts[i] == route[i])
		}
		if ok {
			return action.Route(), found
		}
	}
	return "", nil
}

// proxyEvent is the event that API Gateway makes of a request.
func proxyEvent(r *http.Request, body []byte, resource string, parameters map[string]string) events.APIGatewayProxyRequest {
	sourceIP, _, _ := net.SplitHostPort(r.RemoteAddr)
	event := events.APIGatewayProxyRequest{
		Resource: resource, Path: r.URL.EscapedPath(), HTTPMethod: r.Method, PathParameters: parameters,
		Headers: map[string]string{"Host": r.Host}, MultiValueHeaders: map[string][]string{"Host": {r.Host}},
		Body: string(body),
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: AccountID, APIID: "sandbox", Stage: "local", ResourcePath: resource, Path: r.URL.EscapedPath(), HTTPMethod: r.Method,
			Protocol: r.Proto, RequestID: newUUID(), RequestTimeEpoch: time.Now().UnixMilli(), DomainName: r.Host,
			Identity: events.APIGatewayRequestIdentity{SourceIP: sourceIP, UserAgent: r.UserAgent()},
		},
	}
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if slices.Contains(binaryTypes, strings.ToLower(strings.TrimSpace(mediaType))) || !utf8.Valid(body) { // text of a JSON string would not keep it
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	for name, values := range r.Header {
		event.Headers[name], event.MultiValueHeaders[name] = values[len(values)-1], values
	}
	if query := r.URL.Query(); len(query) > 0 {
		event.QueryStringParameters, event.MultiValueQueryStringParameters = map[string]string{}, query
		for name, values := range query {
			event.QueryStringParameters[name] = values[len(values)-1]
		}
	}
	return event
}

// writeProxyResponse writes what the function returned as an HTTP answer.
func writeProxyResponse(w http.ResponseWriter, payload []byte) {
	var response events.APIGatewayProxyResponse
	if err := json.Unmarshal(payload, &response); err != nil || response.StatusCode < 200 || response.StatusCode > 599 {
		problem(w, http.StatusBadGateway, "the function's answer is not a proxy response")
		return
	}
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(response.Body); err != nil {
			problem(w, http.StatusBadGateway, "the function's answer is not the base64 that it says")
			return
		}
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	for name, values := range response.MultiValueHeaders {
		w.Header().Del(name)
		for _, value := range values {
			w.Header().Add(name, value)
		}
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body)
}
