package template

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

// importantNotes holds api/openapi.yaml to "Amazon API Gateway important notes", the sections that concern REST APIs, as they
// stood in November 2026: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html. An
// import takes much of what is listed there without a word and then does without it. Notes that no document can break are
// left out: custom domains, mapping templates, private integrations, SDKs of Java, Android and JavaScript.
var importantNotes = []struct {
	note string
	run  func(openapi node) []string
}{
	{"security at the root is not used", securityOnOperations},
	{"path segments have few characters, and a parameter is a whole segment", pathSegments},
	{"model names are alphanumeric", modelNames},
	{"of a parameter only the name, place, type, description and whether it is required count", parameterMembers},
	{"security schemes are API keys", securitySchemes},
	{"models are JSON schema draft 4, without some keywords", modelKeywords},
	{"references stay within the document, and not in oneOf, anyOf and allOf", plainReferences},
	{"responses are no references, and their schemas are objects", plainResponses},
	{"the answer to a request that is too large is AWS's own", tooLarge},
}

func gatewayNotes(d *deployment) []string {
	var f faults
	for _, n := range importantNotes {
		for _, fault := range n.run(d.openapi) {
			f.add("%s: %s", n.note, fault)
		}
	}
	return f
}

func operations(openapi node, visit func(name string, operation node)) {
	paths, _ := openapi["paths"].(node)
	for _, path := range names(paths) {
		item, _ := paths[path].(node)
		for method, operation := range item {
			if m, ok := operation.(node); ok {
				visit(method+" "+path, m)
			}
		}
	}
}

// openToAll are the operations whose callers are known by other means than AWS's.
var openToAll = []string{}

func securityOnOperations(openapi node) []string {
	var f faults
	if openapi["security"] != nil {
		f.add("security stands at the root, where it does nothing")
	}
	operations(openapi, func(name string, operation node) {
		if asks := at(operation, "security", 0, "caller") != nil; asks == slices.Contains(openToAll, name) {
			f.add("%s asks who is calling: %t", name, asks)
		}
		if len(list(operation["security"])) > 1 {
			f.add("%s: a second way in beside the first", name)
		}
	})
	return f
}

var segment = regexp.MustCompile(`^([A-Za-z0-9_.,:-]+|\{[A-Za-z0-9_]+\})$`)

func pathSegments(openapi node) []string {
	var f faults
	for _, path := range names(openapi["paths"].(node)) {
		for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
			if !segment.MatchString(part) {
				f.add("%s has the segment %q", path, part)
			}
		}
		if path == "/ping" || path == "/sping" {
			f.add("%s is AWS's own", path)
		}
	}
	return f
}

var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)

func modelNames(openapi node) []string {
	var f faults
	schemas, _ := at(openapi, "components", "schemas").(node)
	for _, name := range names(schemas) {
		if !alphanumeric.MatchString(name) {
			f.add("%s is no model's name", name)
		}
	}
	return f
}

// parameterMembers lets a schema stand, which API Gateway ignores, because the function refuses what it forbids:
// requestLimits asks pkg/wire about every edge. Members that nobody would hold a caller to may not stand.
func parameterMembers(openapi node) []string {
	var f faults
	parameters, _ := at(openapi, "components", "parameters").(node)
	for _, name := range names(parameters) {
		for _, member := range names(parameters[name].(node)) {
			if !slices.Contains([]string{"name", "in", "required", "description", "schema", "example"}, member) {
				f.add("the parameter %s has %s, which nobody looks at", name, member)
			}
		}
	}
	return f
}

func securitySchemes(openapi node) []string {
	var f faults
	schemes, _ := at(openapi, "components", "securitySchemes").(node)
	for _, name := range names(schemes) {
		if text(schemes, name, "type") != "apiKey" {
			f.add("%s is of the type %q", name, text(schemes, name, "type"))
		}
	}
	return f
}

// modelKeywords are those that API Gateway does not know. minItems and maxItems take no part in its validation, and
// additionalProperties was once listed with the others; they stand, because the function refuses by itself.
func modelKeywords(openapi node) []string {
	var f faults
	for _, part := range []string{"schemas", "parameters"} {
		walk(at(openapi, "components", part), part, func(path string, m node) {
			if strings.HasSuffix(path, "/properties") { // the members' own names
				return
			}
			for _, keyword := range []string{"deprecated", "discriminator", "nullable", "exclusiveMinimum", "exclusiveMaximum", "readOnly", "writeOnly", "default"} {
				if m[keyword] != nil {
					f.add("%s has %s", path, keyword)
				}
			}
			if part == "schemas" && m["example"] != nil {
				f.add("%s has an example", path)
			}
			if format, _ := m["format"].(string); slices.Contains([]string{"int32", "int64", "decimal"}, format) {
				f.add("%s has the format %s", path, format)
			}
		})
	}
	return f
}

func plainReferences(openapi node) []string {
	var f faults
	walk(openapi, "", func(path string, m node) {
		if ref, ok := m["$ref"].(string); ok && !strings.HasPrefix(ref, "#/") {
			f.add("%s leads to another file", path)
		}
		for _, combination := range []string{"oneOf", "anyOf", "allOf"} {
			walk(m[combination], "", func(_ string, inner node) {
				if inner["$ref"] != nil {
					f.add("%s: %s has a reference", path, combination)
				}
			})
		}
	})
	return f
}

func plainResponses(openapi node) []string {
	var f faults
	if at(openapi, "components", "responses") != nil {
		f.add("components has responses, which could only be referred to")
	}
	operations(openapi, func(name string, operation node) {
		responses, _ := operation["responses"].(node)
		for _, status := range names(responses) {
			if at(responses, status, "$ref") != nil {
				f.add("%s: the answer %s is a reference", name, status)
			}
			content, _ := at(responses, status, "content").(node)
			for kind := range content {
				schema := at(content, kind, "schema")
				if ref := text(schema, "$ref"); ref != "" {
					schema = at(openapi, "components", "schemas", ref[strings.LastIndex(ref, "/")+1:])
				}
				if text(schema, "type") != "object" {
					f.add("%s: the answer %s is no object", name, status)
				}
			}
		}
	})
	return f
}

func tooLarge(openapi node) []string {
	if at(openapi, "x-amazon-apigateway-gateway-responses", "REQUEST_TOO_LARGE") != nil {
		return []string{"REQUEST_TOO_LARGE has a form of its own"}
	}
	return nil
}

// What API Gateway lets through although the document forbids it, because it does not look: the form of a path's parts, the
// number of items, members that stand twice, and whatever a stage without validation gets. The function alone must refuse it.
func TestWhatAPIGatewayLetsThroughIsRefusedByTheFunction(t *testing.T) {
	for name, detail := range map[string]string{
		"a merchant with a dot":                   `{"merchant":"a.b","complaint_id":"1","response_content":"x"}`,
		"a complaint of 65 characters":            `{"merchant":"a","complaint_id":"` + strings.Repeat("1", 65) + `","response_content":"x"}`,
		"no picture in a list of them":            `{"merchant":"a","complaint_id":"1","response_content":"x","response_images":[]}`,
		"five pictures":                           `{"merchant":"a","complaint_id":"1","response_content":"x","response_images":["1","2","3","4","5"]}`,
		"a member that nobody knows":              `{"merchant":"a","complaint_id":"1","response_content":"x","surprise":1}`,
		"a member that stands twice":              `{"merchant":"a","complaint_id":"1","response_content":"x","response_content":"y"}`,
		"null":                                    `{"merchant":"a","complaint_id":"1","response_content":"x","seller_account":null}`,
		"an idempotency key of 129 characters":    `{"merchant":"a","complaint_id":"1","response_content":"x","idempotency_key":"` + strings.Repeat("k", 129) + `"}`,
		"an idempotency key that is not ASCII":    `{"merchant":"a","complaint_id":"1","response_content":"x","idempotency_key":"键"}`,
		"a text where a list should be":           `{"merchant":"a","complaint_id":"1","response_content":"x","response_images":"1"}`,
		"a list as the body":                      `[]`,
		"a link without its words":                `{"merchant":"a","complaint_id":"1","response_content":"x","jump_url":"https://example.com"}`,
		"a link that is not https":                `{"merchant":"a","complaint_id":"1","response_content":"x","jump_url":"http://example.com","jump_url_text":"x"}`,
		"words that are white space alone":        `{"merchant":"a","complaint_id":"1","response_content":" \n "}`,
		"a resend that is neither true nor false": `{"merchant":"a","complaint_id":"1","response_content":"x","resend_unknown":"yes"}`,
	} {
		if len(wire.ReadDetail(wire.Reply, []byte(detail)).Problems) == 0 {
			t.Errorf("%s is taken", name)
		}
	}
}
