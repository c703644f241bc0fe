package template

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// services are the SDK's packages by the name that IAM has for them.
var services = map[string]struct {
	prefix string
	client reflect.Type
}{
	"secretsmanager": {"secretsmanager", reflect.TypeFor[*secretsmanager.Client]()},
	"dynamodb":       {"dynamodb", reflect.TypeFor[*dynamodb.Client]()},
	"eventbridge":    {"events", reflect.TypeFor[*eventbridge.Client]()},
}

// byLambda are the actions that Lambda itself takes with a function's role: logging, tracing, working the queue, and
// handing failed events on.
var byLambda = []string{
	"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
	"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage",
}

// withKey is the action that a secret under a key of one's own needs; Secrets Manager takes it on the function's behalf.
const withKey = "kms:Decrypt"

// called returns the actions that the functions' code calls: every XInput of an SDK's service package that is named in
// the functions' own packages.
var called = sync.OnceValues(func() ([]string, error) {
	command := exec.Command("go", "list", "-deps", "-f", `{{if and .Module .Module.Main}}{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}`,
		"./functions/reply", "./functions/complete")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var actions []string
	for _, file := range strings.Fields(string(out)) {
		found, err := inputs(file)
		if err != nil {
			return nil, err
		}
		actions = append(actions, found...)
	}
	return sorted(actions), nil
})

func inputs(file string) (actions []string, err error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), filepath.Clean(file), nil, 0)
	if err != nil {
		return nil, err
	}
	imported := map[string]string{} // service by the name it is imported under
	for _, spec := range syntax.Imports {
		from, _ := strconv.Unquote(spec.Path.Value)
		if !strings.HasPrefix(from, "github.com/aws/aws-sdk-go-v2/service/") || strings.HasSuffix(from, "/types") {
			continue
		}
		name := path.Base(from)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = path.Base(from)
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := selector.X.(*ast.Ident)
		operation, isInput := strings.CutSuffix(selector.Sel.Name, "Input")
		if ok && isInput && imported[x.Name] != "" {
			actions = append(actions, services[imported[x.Name]].prefix+":"+operation)
		}
		return true
	})
	return actions, nil
}

// statement is one statement of a policy, with the resource that the policy belongs to.
type statement struct {
	owner string
	node
}

// statements returns the statements that are about what functions may do (roles and managed policies), or all of them.
func statements(template node) []statement {
	var all []statement
	add := func(owner string, document any) {
		for _, s := range list(at(document, "Statement")) {
			if branch := at(s, "Fn::If"); branch != nil { // one that stands only under a condition
				s = at(branch, 1)
			}
			all = append(all, statement{owner, s.(node)})
		}
	}
	for _, kind := range []string{"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::SQS::QueuePolicy"} {
		ids, properties := ofType(template, kind)
		for _, id := range ids {
			add(id, at(properties[id], "PolicyDocument"))
			for _, p := range list(at(properties[id], "Policies")) {
				add(id, at(p, "PolicyDocument"))
			}
		}
	}
	return all
}

func actions(d *deployment) []string {
	var f faults
	code, err := called()
	if err != nil {
		return faults{err.Error()}
	}
	for _, action := range code {
		if !exists(action) {
			f.add("the code calls %s, which is not one of the services that are known here", action)
		}
	}
	for _, id := range functionIDs {
		role := target(at(functionProperties(d, id), "Role"))
		owners := []string{role}
		for _, p := range list(at(d.template, "Resources", role, "Properties", "ManagedPolicyArns")) {
			if target(p) == "" {
				f.add("%s has a policy that is not the stack's: %v", role, p)
			}
			owners = append(owners, target(p))
		}
		var allowed []string
		for _, s := range statements(d.template) {
			if !slices.Contains(owners, s.owner) {
				continue
			}
			for _, action := range list(s.node["Action"]) {
				allowed = append(allowed, action.(string))
				if !exists(action.(string)) {
					f.add("%s: IAM has no action %s", s.owner, action)
				}
			}
		}
		f.same("what "+id+" may do", allowed, slices.Concat(code, byLambda, []string{withKey}))
	}
	return f
}

// exists tells whether IAM has an action: the SDK's client has a method for it, or it is one of Lambda's.
func exists(action string) bool {
	if slices.Contains(byLambda, action) || action == withKey {
		return true
	}
	prefix, operation, _ := strings.Cut(action, ":")
	for _, service := range services {
		if _, ok := service.client.MethodByName(operation); ok && service.prefix == prefix {
			return true
		}
	}
	return false
}

func wildcards(d *deployment) []string {
	var f faults
	for _, s := range statements(d.template) {
		tracing := !slices.ContainsFunc(list(s.node["Action"]), func(a any) bool { return !strings.HasPrefix(a.(string), "xray:") })
		for _, action := range list(s.node["Action"]) {
			if strings.Contains(action.(string), "*") {
				f.add("%s: the action %s has a wildcard", s.owner, action)
			}
		}
		if s.node["Principal"] == "*" || at(s.node, "Principal", "AWS") == "*" {
			f.add("%s: anybody may do it", s.owner)
		}
		for _, resource := range list(s.node["Resource"]) {
			name, ok := resource.(string)
			if !ok {
				name = text(resource, "Fn::Sub")
			}
			secrets := strings.HasSuffix(name, ":secret:${MerchantSecretPrefix}*") && strings.Count(name, "*") == 1
			if strings.Contains(name, "*") && !secrets && !(name == "*" && tracing) {
				f.add("%s: the resource %s has a wildcard", s.owner, name)
			}
		}
	}
	for _, id := range functionIDs {
		if at(functionProperties(d, id), "Role") == nil {
			f.add("%s has no role of its own, and SAM's may write to every log group", id)
		}
	}
	return f
}

func decryption(d *deployment) []string {
	var f faults
	found := 0
	for _, s := range statements(d.template) {
		if !slices.Contains(list(s.node["Action"]), any(withKey)) {
			continue
		}
		found++
		if text(s.node, "Resource", "Ref") != "SecretsKmsKeyArn" {
			f.add("%s: decrypts with other keys than the given one", s.owner)
		}
		if text(s.node, "Condition", "StringEquals", "kms:ViaService", "Fn::Sub") != "secretsmanager.${AWS::Region}.${AWS::URLSuffix}" {
			f.add("%s: decrypts not only through Secrets Manager", s.owner)
		}
	}
	if found == 0 {
		f.add("secrets under a key of one's own cannot be read")
	}
	return f
}
