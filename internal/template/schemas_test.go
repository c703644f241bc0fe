package template

import (
	"context"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/kesu-go/kesu/pkg/wire"
)

func references(d *deployment) []string {
	var f faults
	for name, document := range map[string]node{"api/openapi.yaml": d.openapi, "api/asyncapi.yaml": d.asyncapi} {
		walk(document, "", func(path string, m node) {
			ref, ok := m["$ref"].(string)
			if !ok {
				return
			}
			steps := []any{}
			for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
				steps = append(steps, step)
			}
			if !strings.HasPrefix(ref, "#/") || at(document, steps...) == nil {
				f.add("%s%s: %s leads nowhere", name, path, ref)
			}
		})
	}
	return f
}

func openAPIValid(d *deployment) []string {
	text, err := json.Marshal(d.openapi)
	if err != nil {
		return faults{err.Error()}
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return faults{err.Error()}
	}
	if err := document.Validate(context.Background()); err != nil {
		return faults{err.Error()}
	}
	return nil
}

// contractMembers are the members of the contract's section 2, without the path's.
var contractMembers = map[wire.Action][]string{
	wire.Reply: {"response_content", "response_images", "jump_url", "jump_url_text", "mini_program_jump_info", "immediate_service", "seller_account", "transaction_id",
		"resend_unknown", "idempotency_key"},
	wire.Complete: {"complainted_mchid", "idempotency_key"},
}

// least is a command of each action that pkg/wire takes.
var least = map[wire.Action]node{
	wire.Reply:    {"merchant": "m", "complaint_id": "c", "response_content": "x"},
	wire.Complete: {"merchant": "m", "complaint_id": "c"},
}

// refused tells what pkg/wire says of a command in which one member has this value.
func refused(action wire.Action, name string, value any) []string {
	command := node{}
	for n, v := range least[action] {
		command[n] = v
	}
	name, value = inside(name, value)
	command[name] = value
	switch name { // these two come together
	case "jump_url":
		command["jump_url_text"] = "x"
	case "jump_url_text":
		command["jump_url"] = "https://x"
	}
	text, err := json.Marshal(command)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for _, p := range wire.ReadDetail(action, text).Problems {
		found = append(found, p.Pointer+" "+p.Detail)
	}
	return found
}

// requestLimits asks pkg/wire about the edges of every limit in the schemas: the last value inside must be taken, and the
// first one outside refused.
func requestLimits(d *deployment) []string {
	var f faults
	for action, schema := range map[wire.Action]string{wire.Reply: "Reply", wire.Complete: "Completion"} {
		body := at(d.openapi, "components", "schemas", schema)
		properties, _ := at(body, "properties").(node)
		f.same(schema+"'s members", names(properties), contractMembers[action])
		if at(body, "additionalProperties") != false {
			f.add("%s takes unknown members", schema)
		}
		for name, property := range properties {
			probe(&f, action, schema, name, property.(node))
		}
		for _, name := range contractMembers[action] {
			command := node{}
			for n, v := range least[action] {
				if n != name {
					command[n] = v
				}
			}
			text, _ := json.Marshal(command)
			needed := len(wire.ReadDetail(action, text).Problems) > 0
			if needed != slices.Contains(list(at(body, "required")), any(name)) {
				f.add("%s: whether %s is required: pkg/wire says %t", schema, name, needed)
			}
		}
	}
	// The Idempotency-Key header is not the member: it may hold a key in quotes, and one key several times.
	for parameter, member := range map[string]string{"Merchant": "merchant", "ComplaintId": "complaint_id"} {
		schema, _ := at(d.openapi, "components", "parameters", parameter, "schema").(node)
		probe(&f, wire.Complete, "parameter "+parameter, member, schema)
	}
	return f
}

// inside puts a value into a member of a member: mini_program_jump_info has three, all of them needed.
func inside(name string, value any) (member string, whole any) {
	member, inner, nested := strings.Cut(name, "/")
	if !nested {
		return name, value
	}
	object := node{"appid": "wx1", "path": "p", "text": "t"}
	object[inner] = value
	return member, object
}

func probe(f *faults, action wire.Action, schema, name string, property node) {
	word := func(length int) string {
		if name == "jump_url" && length > len("https://x/") {
			return "https://x/" + strings.Repeat("x", length-len("https://x/"))
		}
		if name == "jump_url" && length == len("https://x") {
			return "https://x"
		}
		return strings.Repeat("x", length)
	}
	expect := func(what string, value any, taken bool) {
		if problems := refused(action, name, value); (len(problems) == 0) != taken {
			f.add("%s: %s %s: the schema says %t, pkg/wire says %v", schema, name, what, taken, problems)
		}
	}
	switch property["type"] {
	case "string":
		shortest, longest := int(number(property, "minLength")), int(number(property, "maxLength"))
		if name == "jump_url" { // the shortest that is an https URL with a host
			expect("of minLength-1", "", false)
			shortest = len("https://x")
		} else {
			expect("of minLength-1", word(max(shortest-1, 0)), false)
		}
		expect("of minLength", word(shortest), true)
		expect("of maxLength", word(longest), true)
		expect("of maxLength+1", word(longest+1), false)
		expectCharacters(f, action, schema, name, property)
	case "array":
		item, _ := property["items"].(node)
		few, most, longest := int(number(property, "minItems")), int(number(property, "maxItems")), int(number(item, "maxLength"))
		items := func(n, length int) []string { return slices.Repeat([]string{word(length)}, n) }
		expect("with minItems", items(few, longest), true)
		expect("with minItems-1", items(few-1, 1), false)
		expect("with maxItems", items(most, longest), true)
		expect("with maxItems+1", items(most+1, 1), false)
		expect("with an item of maxLength+1", items(1, longest+1), false)
		expect("with an item of minLength-1", items(1, int(number(item, "minLength"))-1), false)
		expect("with a | in an item", []string{"a|b"}, regexp.MustCompile(text(item, "pattern")).MatchString("a|b"))
	case "boolean":
		expect("true", true, true)
		expect("text", "true", false)
	case "object":
		members, _ := property["properties"].(node)
		f.same(name+"'s required members", words(property["required"]), names(members))
		for _, member := range names(members) {
			probe(f, action, schema, name+"/"+member, members[member].(node))
		}
		expect("with a member that is none", node{"appid": "wx1", "path": "p", "text": "t", "other": "x"}, property["additionalProperties"] != false)
		expect("without members", node{}, len(words(property["required"])) == 0)
	default:
		f.add("%s: %s has the type %v", schema, name, property["type"])
	}
	expect("null", nil, false)
}

// expectCharacters compares a pattern with pkg/wire's rule, a character at a time. Where there is no pattern, the schema
// leaves characters to the function.
func expectCharacters(f *faults, action wire.Action, schema, name string, property node) {
	if text(property, "pattern") == "" || name == "jump_url" {
		return
	}
	pattern, err := regexp.Compile(text(property, "pattern"))
	if err != nil {
		f.add("%s: %s: the pattern is no regular expression", schema, name)
		return
	}
	filling := strings.Repeat("x", int(number(property, "minLength")))
	for c := rune(0); c < 0x180; c++ {
		value := filling + string(c)
		if taken := len(refused(action, name, value)) == 0; taken != pattern.MatchString(value) {
			f.add("%s: %s with U+%04X: the pattern says %t, pkg/wire says %t", schema, name, c, !taken, taken)
		}
	}
}

// resultSchema compares the schema of a result with wire.Result, member by member, and its limits with what pkg/wire does.
func resultSchema(d *deployment) []string {
	var f faults
	var members, required []string
	kinds := map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer", reflect.Bool: "boolean", reflect.Slice: "array", reflect.Struct: "string", reflect.Pointer: "object"}
	schema := at(d.openapi, "components", "schemas", "Result")
	problem := at(d.openapi, "components", "schemas", "Problem")
	for i := range reflect.TypeFor[wire.Result]().NumField() {
		field := reflect.TypeFor[wire.Result]().Field(i)
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		members = append(members, name)
		if option != "omitempty" {
			required = append(required, name)
		}
		for _, s := range []any{schema, problem} {
			if got := text(s, "properties", name, "type"); got != kinds[field.Type.Kind()] {
				f.add("%s has the type %q in a schema, and is a %s", name, got, field.Type)
			}
		}
	}
	properties, _ := at(schema, "properties").(node)
	f.same("Result's members", names(properties), members)
	f.same("Result's required members", words(at(schema, "required")), required)
	ofProblem, _ := at(problem, "properties").(node)
	f.same("Problem's members", names(ofProblem), append(members, "type", "title", "status", "detail", "instance"))

	f.same("outcomes", words(at(properties, "outcome", "enum")), []string{string(wire.Succeeded), string(wire.Rejected), string(wire.Retryable), string(wire.Unknown)})
	f.same("outcomes of a problem", words(at(ofProblem, "outcome", "enum")), []string{string(wire.Rejected), string(wire.Retryable), string(wire.Unknown)})
	f.same("actions", words(at(properties, "action", "enum")), []string{string(wire.Reply), string(wire.Complete), string(wire.Upload)})
	f.same("providers", words(at(properties, "provider", "enum")), []string{string(wire.Imageco), string(wire.WechatPay)})

	many := "{" + strings.TrimSuffix(strings.Repeat(`"?":1,`, 1), ",")
	for i := range 300 {
		many += `,"x` + strings.Repeat("y", i%7) + `":1`
	}
	if most := len(wire.ReadDetail(wire.Reply, []byte(many+"}")).Problems); number(properties, "errors", "maxItems") != float64(most) {
		f.add("errors: pkg/wire tells at most %d, the schema says %v", most, number(properties, "errors", "maxItems"))
	}
	derived := wire.Command{Action: wire.Reply}
	if n := float64(len(derived.UpstreamTransactionID())); number(properties, "transaction_id", "maxLength") != n {
		f.add("transaction_id: pkg/wire makes one of %v characters", n)
	}
	if number(properties, "merchant", "maxLength") != wire.IDMax || number(properties, "complaint_id", "maxLength") != wire.IDMax {
		f.add("merchant and complaint_id have at most %d characters", wire.IDMax)
	}
	later := 0
	walk(at(d.openapi, "paths"), "", func(path string, m node) {
		retry := at(m, "Retry-After", "schema")
		if retry == nil {
			return
		}
		later++
		if number(retry, "minimum") != float64(wire.RetryAfterSeconds(0)) || number(retry, "maximum") != float64(wire.RetryAfterSeconds(1000*time.Hour)) {
			f.add("%s: Retry-After is from %d to %d", path, wire.RetryAfterSeconds(0), wire.RetryAfterSeconds(1000*time.Hour))
		}
	})
	if later != 2*len(at(d.openapi, "paths").(node)) {
		f.add("%d answers have Retry-After, should be 409 and 503 of each path", later)
	}
	return f
}

func words(v any) []string {
	var all []string
	for _, item := range list(v) {
		s, _ := item.(string)
		all = append(all, s)
	}
	return all
}

// asyncSchemas wants each event's detail to be the HTTP body with merchant and complaint_id beside it, and the result to be
// the same in both documents.
func asyncSchemas(d *deployment) []string {
	var f faults
	for _, name := range []string{"Reply", "Completion", "Result", "RequestError"} {
		http, event := at(d.openapi, "components", "schemas", name), at(d.asyncapi, "components", "schemas", name)
		want, _ := at(http, "properties").(node)
		got, _ := at(event, "properties").(node)
		members, required := names(want), words(at(http, "required"))
		if name == "Reply" || name == "Completion" {
			members, required = append(members, "merchant", "complaint_id"), append(required, "merchant", "complaint_id")
		}
		f.same(name+"'s members in api/asyncapi.yaml", names(got), members)
		f.same(name+"'s required members in api/asyncapi.yaml", words(at(event, "required")), required)
		for member, schema := range got {
			from := at(want, member)
			if from == nil {
				parameter := map[string]string{"merchant": "Merchant", "complaint_id": "ComplaintId"}[member]
				from = at(d.openapi, "components", "parameters", parameter, "schema")
			}
			if !reflect.DeepEqual(undescribed(from), undescribed(schema)) {
				f.add("%s: %s is not the same in both documents", name, member)
			}
		}
		if !reflect.DeepEqual(at(http, "additionalProperties"), at(event, "additionalProperties")) {
			f.add("%s: unknown members are not treated the same in both documents", name)
		}
	}
	for schema, kind := range map[string]string{"ReplyEvent": wire.Reply.DetailType(), "CompletionEvent": wire.Complete.DetailType(),
		"ReplySettledEvent": wire.Reply.SettledType(), "CompletionSettledEvent": wire.Complete.SettledType(),
		"ReceivedEvent": "ComplaintReceived", "ChangedEvent": "ComplaintChanged", "DueEvent": "ComplaintDue"} {
		if got := words(at(d.asyncapi, "components", "schemas", schema, "properties", "detail-type", "enum")); !slices.Equal(got, []string{kind}) {
			f.add("%s: the detail-type is %v, should be %s", schema, got, kind)
		}
		if at(d.asyncapi, "components", "messages", kind) == nil || at(d.asyncapi, "channels", "bus", "messages", kind) == nil {
			f.add("api/asyncapi.yaml has no message %s on the bus", kind)
		}
	}
	return f
}

func undescribed(schema any) any {
	m, ok := schema.(node)
	if !ok {
		return schema
	}
	out := node{}
	for name, value := range m {
		if name != "description" {
			out[name] = undescribed(value)
		}
	}
	return out
}
