package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// bodyLimit is API Gateway's limit on a request's body, in bytes.
const bodyLimit = 10 << 20

// Path is where an enforced handler serves the document.
const Path = "/openapi.yaml"

// Enforce makes a gateway hold to the OpenAPI document, which it serves at [Path] too.
//
// A request that the document refuses goes on to the function all the same, because only the function tells every problem
// of a request with its pointer; but it must be refused there as well. An answer must be one that the document describes:
// its status, its headers and its body. When either is not so, code and document have drifted apart, and the caller gets
// a 500 that says in what. Requests for other paths pass untouched, and so do the gateway's own errors (type about:blank).
func Enforce(next http.Handler) (http.Handler, error) {
	document, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("api/openapi.yaml: %w", err)
	}
	document.Servers = nil // it is served under any address
	router, err := legacy.NewRouter(document)
	if err != nil {
		return nil, fmt.Errorf("api/openapi.yaml: %w", err)
	}
	options := &openapi3filter.Options{
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc, // IAM, which a local gateway has not
		IncludeResponseStatus: true,
	}
	options.WithCustomSchemaErrorFunc(withoutValue)
	return &enforcer{next, router, options}, nil
}

// withoutValue says what is wrong with a value and does not quote it: it may be a consumer's words.
func withoutValue(err *openapi3.SchemaError) string {
	return "/" + strings.Join(err.JSONPointer(), "/") + " " + err.Reason
}

type enforcer struct {
	next    http.Handler
	router  routers.Router
	options *openapi3filter.Options
}

func (e *enforcer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == Path && r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(OpenAPI) // a caller that left needs no answer
		return
	}
	route, parameters, err := e.router.FindRoute(r)
	if err != nil {
		e.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		drift(w, http.StatusRequestEntityTooLarge, "the request is too large or was cut off")
		return
	}
	request := &openapi3filter.RequestValidationInput{Request: withBody(r, body), PathParams: parameters, Route: route, Options: e.options}
	refused := openapi3filter.ValidateRequest(r.Context(), request)

	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	e.next.ServeHTTP(answer, withBody(r, body))
	if refused != nil && answer.status < 300 {
		drift(w, http.StatusInternalServerError, "the function took a request that api/openapi.yaml refuses: "+reason(refused))
		return
	}
	if err := e.check(r, request, answer); err != nil {
		drift(w, http.StatusInternalServerError, "the function's answer is not one of api/openapi.yaml: "+reason(err))
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes())
}

// withBody is the request with its body to be read anew.
func withBody(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	again.ContentLength = int64(len(body))
	return again
}

func (e *enforcer) check(r *http.Request, request *openapi3filter.RequestValidationInput, answer *recorder) error {
	var own struct{ Type string }
	if json.Unmarshal(answer.body.Bytes(), &own) == nil && own.Type == "about:blank" {
		return nil // the gateway's, not the function's
	}
	response := &openapi3filter.ResponseValidationInput{RequestValidationInput: request, Status: answer.status, Header: answer.header, Options: e.options}
	response.SetBodyBytes(answer.body.Bytes())
	return openapi3filter.ValidateResponse(r.Context(), response)
}

// reason is the innermost thing that is wrong, on one line and without the values.
func reason(err error) string {
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		return withoutValue(schema)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// drift answers with application/problem+json (RFC 9457).
func drift(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
	if err != nil { // strings and a number always marshal
		body = nil
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// recorder keeps an answer until it is checked.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	begun  bool
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if !r.begun {
		r.status, r.begun = status, true
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.begun = true
	return r.body.Write(p)
}
