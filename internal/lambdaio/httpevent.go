package lambdaio

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// httpEvent is what a command needs of a proxy event, of payload 1.0 (events.APIGatewayProxyRequest) and 2.0
// (events.APIGatewayV2HTTPRequest, which a function URL sends too) alike.
//
// It is not one of those types, and is read member by member. They would fail on any member that AWS makes richer,
// though it does not matter here; they match names without case; and they keep headers in a map, whose order would say
// which of two spellings of a header is believed.
type httpEvent struct {
	method              string
	path                string // without the stage
	merchant, complaint string // of the path parameters
	keys, contentTypes  []string
	filenames           []string // of the query
	body                []byte
	encoded             bool // the event had the body as base64
	authorizer          json.RawMessage

	problems, bodyProblems []wire.Problem // what is wrong with the event itself, at its place there
}

func readHTTPEvent(members []strictjson.Member) httpEvent {
	var r reader
	context := r.object("/requestContext", find(members, "requestContext"))
	ofHTTP := r.object("/requestContext/http", find(context, "http"))
	parameters := r.object("/pathParameters", find(members, "pathParameters"))
	e := httpEvent{
		method: cmp.Or(r.text("/httpMethod", find(members, "httpMethod")), // 1.0
			r.text("/requestContext/http/method", find(ofHTTP, "method")), http.MethodPost), // 2.0
		path: cmp.Or(r.text("/rawPath", find(members, "rawPath")), // 2.0
			r.text("/path", find(members, "path"))), // 1.0
		merchant:   r.text("/pathParameters/merchant", find(parameters, "merchant")),
		complaint:  r.text("/pathParameters/complaint_id", find(parameters, "complaint_id")),
		authorizer: find(context, "authorizer"),
	}
	if stage := r.text("/requestContext/stage", find(context, "stage")); stage != "" {
		if rest, cut := strings.CutPrefix(e.path, "/"+stage+"/"); cut {
			e.path = "/" + rest
		}
	}
	headers := r.object("/headers", find(members, "headers"))
	all := r.object("/multiValueHeaders", find(members, "multiValueHeaders"))
	e.keys, e.contentTypes = r.header(headers, all, "Idempotency-Key"), r.header(headers, all, "Content-Type")
	query := r.object("/queryStringParameters", find(members, "queryStringParameters"))
	queries := r.object("/multiValueQueryStringParameters", find(members, "multiValueQueryStringParameters"))
	e.filenames = r.query(query, queries, "filename")
	if name := twice(members, "requestContext", "httpMethod", "rawPath", "path", "pathParameters", "headers",
		"multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters"); name != "" {
		r.problem(wire.Pointer(name), "stands twice")
	}
	e.problems = r.problems
	e.body, e.encoded, e.bodyProblems = readBody(members)
	return e
}

// readBody takes the body out of the event, and tells whether it stood there as base64.
func readBody(members []strictjson.Member) ([]byte, bool, []wire.Problem) {
	var r reader
	text, encoded := r.text("/body", find(members, "body")), false
	if raw := find(members, "isBase64Encoded"); raw != nil && json.Unmarshal(raw, &encoded) != nil {
		r.problem("/isBase64Encoded", "must be true or false")
	}
	if name := twice(members, "body", "isBase64Encoded"); name != "" {
		r.problem(wire.Pointer(name), "stands twice")
	}
	body := []byte(text)
	if encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(text); err != nil {
			r.problem("/body", "is said to be base64 and is not")
		}
	}
	return body, encoded, r.problems
}

// reader reads members of an event and collects what is wrong with them.
type reader struct{ problems []wire.Problem }

func (r *reader) problem(pointer, detail string) {
	r.problems = append(r.problems, wire.Problem{Pointer: pointer, Detail: detail})
}

func absent(value json.RawMessage) bool { return value == nil || string(value) == "null" }

// text reads a string; without one it is empty.
func (r *reader) text(pointer string, value json.RawMessage) string {
	if absent(value) {
		return ""
	}
	text, ok := strictjson.Member{Value: value}.Text()
	if !ok {
		r.problem(pointer, "must be a string")
	}
	return text
}

// object reads the members of an object; without one there are none.
func (r *reader) object(pointer string, value json.RawMessage) []strictjson.Member {
	if absent(value) {
		return nil
	}
	members, ok := strictjson.Members(value)
	if !ok {
		r.problem(pointer, "must be an object")
	}
	return members
}

// header lists the values of a header in the event's order, in whichever case its name is written. Payload 1.0 has all
// of them in multiValueHeaders and the last one in headers too. A header without a value has one that is empty.
func (r *reader) header(headers, all []strictjson.Member, name string) []string {
	var values []string
	for _, m := range all {
		if !strings.EqualFold(m.Name, name) {
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(m.Value, &list) != nil {
			r.problem("/multiValueHeaders"+wire.Pointer(m.Name), "must be an array of strings")
			continue
		}
		for _, value := range list {
			values = append(values, r.text("/multiValueHeaders"+wire.Pointer(m.Name), value))
		}
		if len(list) == 0 {
			values = append(values, "")
		}
	}
	listed := slices.Clone(values)
	for _, m := range headers {
		if !strings.EqualFold(m.Name, name) {
			continue
		}
		if value := r.text("/headers"+wire.Pointer(m.Name), m.Value); !slices.Contains(listed, value) {
			values = append(values, value)
		}
	}
	return values
}

// query lists the values of a query parameter. Payload 1.0 has all of them in the one member and the last one in the
// other too; payload 2.0 has the other alone.
func (r *reader) query(last, all []strictjson.Member, name string) []string {
	if raw := find(all, name); !absent(raw) {
		var list []string
		if json.Unmarshal(raw, &list) != nil {
			r.problem("/multiValueQueryStringParameters"+wire.Pointer(name), "must be an array of strings")
		}
		return list
	}
	if raw := find(last, name); !absent(raw) {
		return []string{r.text("/queryStringParameters"+wire.Pointer(name), raw)}
	}
	return nil
}
