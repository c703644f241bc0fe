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
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// services are the SDK's packages by the name that IAM has for them.
var services = map[string]struct {
	prefix string
	client reflect.Type
}{
	"secretsmanager": {"secretsmanager", reflect.TypeFor[*secretsmanager.Client]()},
	"dynamodb":       {"dynamodb", reflect.TypeFor[*dynamodb.Client]()},
	"eventbridge":    {"events", reflect.TypeFor[*eventbridge.Client]()},
	"sqs":            {"sqs", reflect.TypeFor[*sqs.Client]()},
}

// byLambda are the actions that Lambda itself takes with a function's role: logging, tracing, working the queue, and
// handing failed events on.
var byLambda = []string{
	"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
	"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage",
}

// withKey are the actions that what is encrypted under a key of one's own needs; Secrets Manager, DynamoDB and SQS take them on
// the function's behalf.
var withKey = []string{"kms:Decrypt", "kms:GenerateDataKey"}

// inVPC are the actions that Lambda takes to attach a function to a VPC:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
var inVPC = []string{"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
	"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"}

// hides is what a function does with a message of its own queue that must come again later.
const hides = "sqs:ChangeMessageVisibility"

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
		f.same("what "+id+" may do", allowed, slices.Concat(code, byLambda, withKey, inVPC, []string{hides}))
	}
	return f
}

// exists tells whether IAM has an action: the SDK's client has a method for it, or it is one of Lambda's.
func exists(action string) bool {
	if slices.Contains(slices.Concat(byLambda, withKey, inVPC, []string{hides}), action) {
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
		// X-Ray knows no resources, and Lambda's work on network interfaces cannot be held to any.
		unbound := !slices.ContainsFunc(list(s.node["Action"]), func(a any) bool {
			return !strings.HasPrefix(a.(string), "xray:") && !slices.Contains(inVPC, a.(string))
		})
		for _, action := range list(s.node["Action"]) {
			if strings.Contains(action.(string), "*") {
				f.add("%s: the action %s has a wildcard", s.owner, action)
			}
		}
		if s.node["Principal"] == "*" || at(s.node, "Principal", "AWS") == "*" {
			f.add("%s: anybody may do it", s.owner)
		}
		for _, name := range resourceNames(s.node["Resource"]) {
			secrets := strings.HasSuffix(name, ":secret:${MerchantSecretPrefix}*")
			if strings.Contains(name, "*") && !(secrets && strings.Count(name, "*") == 1) && !(name == "*" && unbound) {
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

// resourceNames are the names of a statement's resources, those under a condition too.
func resourceNames(resources any) (all []string) {
	for _, resource := range list(resources) {
		name, ok := resource.(string)
		if branches := at(resource, "Fn::If"); branches != nil {
			all = append(all, resourceNames(list(branches)[1:])...)
			continue
		}
		if !ok {
			name = text(resource, "Fn::Sub")
		}
		all = append(all, name)
	}
	return all
}

// decryption wants each key to be used through the services that it is for, with both suffixes that AWS has in China.
func decryption(d *deployment) []string {
	var f faults
	through := map[string][]string{"SecretsKmsKeyArn": {"secretsmanager"}, "AtRestKmsKeyArn": {"dynamodb", "sqs"}}
	found := map[string]bool{}
	for _, s := range statements(d.template) {
		if !slices.Contains(list(s.node["Action"]), any("kms:Decrypt")) {
			continue
		}
		key := text(s.node, "Resource", "Ref")
		found[key] = true
		if through[key] == nil {
			f.add("%s: decrypts with other keys than the given ones", s.owner)
		}
		var want []string
		for _, service := range through[key] {
			want = append(want, service+".${AWS::Region}.amazonaws.com", service+".${AWS::Region}.${AWS::URLSuffix}")
		}
		var got []string
		for _, via := range list(at(s.node, "Condition", "StringEquals", "kms:ViaService")) {
			got = append(got, text(via, "Fn::Sub"))
		}
		f.same(s.owner+": decrypts through, with "+key, got, want)
	}
	f.same("keys that the functions may use", names(found), names(through))
	return f
}
