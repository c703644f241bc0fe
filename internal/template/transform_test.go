package template

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// python finds the interpreter that has the SAM translator: KESU_SAM_PYTHON, or the virtual environment that make
// validate makes.
func python(t *testing.T) string {
	t.Helper()
	found := os.Getenv("KESU_SAM_PYTHON")
	if found == "" {
		found, _ = filepath.Abs(filepath.Join(root, ".aws-sam/venv/bin/python"))
	}
	if err := exec.Command(found, "-c", "import samtranslator").Run(); err != nil {
		if os.Getenv("KESU_REQUIRE_SAM") != "" {
			t.Fatalf("%s has no SAM translator: %v", found, err)
		}
		t.Skip("left out: what SAM makes of template.yaml, because the SAM translator is not installed (make validate installs it)")
	}
	return found
}

// transform returns what SAM makes of the templates in folders.
func transform(t *testing.T, folders ...string) []node {
	t.Helper()
	var groups [][]string
	for _, folder := range folders {
		groups = append(groups, []string{folder})
	}
	return transformWith(t, groups...)
}

// asItIs is what SAM makes of template.yaml as it is, which many tests look at and which takes seconds to make.
var asItIs struct {
	sync.Mutex
	made []byte
}

// transformWith returns what SAM makes of a template for each group: a folder and what its parameters are.
func transformWith(t *testing.T, groups ...[]string) []node {
	t.Helper()
	if len(groups) != 1 || !slices.Equal(groups[0], []string{root}) {
		return decoded(t, transformed(t, groups))
	}
	asItIs.Lock()
	defer asItIs.Unlock()
	if asItIs.made == nil {
		asItIs.made = transformed(t, groups)
	}
	return decoded(t, asItIs.made)
}

func decoded(t *testing.T, made []byte) (transformed []node) {
	t.Helper()
	if err := json.Unmarshal(made, &transformed); err != nil {
		t.Fatal(err)
	}
	return transformed
}

func transformed(t *testing.T, groups [][]string) []byte {
	t.Helper()
	arguments := []string{filepath.Join(root, "scripts/sam-transform")}
	for i, group := range groups {
		if i > 0 {
			arguments = append(arguments, "--")
		}
		arguments = append(arguments, group...)
	}
	command := exec.Command(python(t), arguments...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("sam-transform: %v\n%s", err, complaints.Bytes())
	}
	return out
}

// transformChecks are the checks over what SAM makes of the template. written is the template as it is written.
var transformChecks = []struct {
	name string
	run  func(transformed node, written *deployment) []string
}{
	{"each function has the alias, and everything that calls it calls the alias", aliases},
	{"the API is the OpenAPI document, and may call both aliases on its paths only", apiResources},
	{"the queues' mappings report single records and are limited", mappings},
	{"the direct rules follow EventDelivery", directRules},
	{"deployments shift by canary in production, with rollback alarms", deployments},
	{"SAM adds no role and no permission of its own", addedRoles},
	{"every log group has a retention, and no statement a wildcard", commonChecks},
}

func TestWhatSAMMakesOfIt(t *testing.T) {
	transformed := withoutOptions(transform(t, root)[0]).(node)
	for _, c := range transformChecks {
		t.Run(c.name, func(t *testing.T) {
			for _, fault := range c.run(transformed, load(t)) {
				t.Error(fault)
			}
		})
	}
}

func aliases(transformed node, written *deployment) []string {
	var f faults
	_, versions := ofType(transformed, "AWS::Lambda::Version")
	for _, id := range functionIDs {
		alias := at(transformed, "Resources", id+"Aliaslive", "Properties")
		if text(alias, "Name") != "live" || target(at(alias, "FunctionName")) != id {
			f.add("%s has no alias live", id)
		}
		if versions[target(at(alias, "FunctionVersion"))] == nil {
			f.add("%s: the alias leads to no published version", id)
		}
		for _, caller := range []struct {
			id   string
			path []any
		}{
			{id + "Queue", []any{"FunctionName"}},
			{id + "Direct", []any{"Targets", 0, "Arn"}},
			{id + "DirectPermission", []any{"FunctionName"}},
			{id + "HttpPermissionv1", []any{"FunctionName"}},
		} {
			if got := target(at(transformed, append([]any{"Resources", caller.id, "Properties"}, caller.path...)...)); got != id+"Aliaslive" {
				f.add("%s calls %q and not the alias of %s", caller.id, got, id)
			}
		}
		if text(transformed, "Resources", id+"EventInvokeConfig", "Properties", "Qualifier") != "live" {
			f.add("%s: the on-failure destination is not the alias's", id)
		}
		function := at(transformed, "Resources", id, "Properties")
		if resolve(transformed, at(function, "TracingConfig", "Mode"), nil) != "Active" || text(function, "Handler") != "bootstrap" || text(function, "Runtime") != "provided.al2023" {
			f.add("%s: the tracing, the handler or the runtime got lost", id)
		}
		variables, _ := at(function, "Environment", "Variables").(node)
		own, _ := at(functionProperties(written, id), "Environment", "Variables").(node)
		f.same(id+"'s variables after the transform", names(variables), names(own))
	}
	return f
}

func apiResources(transformed node, written *deployment) []string {
	var f faults
	body, _ := at(transformed, "Resources", "Api", "Properties", "Body").(node)
	for _, part := range []string{"paths", "components", "x-amazon-apigateway-policy", "x-amazon-apigateway-request-validators", "x-amazon-apigateway-gateway-responses"} {
		if !reflect.DeepEqual(body[part], written.openapi[part]) {
			f.add("the API's %s are not those of api/openapi.yaml", part)
		}
	}
	pictures := at(transformed, "Resources", "ReplyFunctionPicturesPermissionv1", "Properties")
	if arn := text(pictures, "SourceArn", "Fn::Sub", 0); !strings.HasSuffix(arn, "/POST/merchants/*/images") {
		f.add("the API may call ReplyFunction with pictures on %q", arn)
	}
	for action, id := range functionIDs {
		permission := at(transformed, "Resources", id+"HttpPermissionv1", "Properties")
		if arn := text(permission, "SourceArn", "Fn::Sub", 0); !strings.HasSuffix(arn, "/POST/merchants/*/complaints/*/"+action) {
			f.add("the API may call %s on %q", id, arn)
		}
		if text(permission, "Principal") != "apigateway.amazonaws.com" {
			f.add("%s may be called by %q", id, text(permission, "Principal"))
		}
	}
	stages, properties := ofType(transformed, "AWS::ApiGateway::Stage")
	if len(stages) != 1 {
		f.add("the API has the stages %v, should have one", stages)
		return f
	}
	stage := properties[stages[0]]
	if text(stage, "StageName") != "v1" || resolve(transformed, at(stage, "TracingEnabled"), nil) != true || target(at(stage, "AccessLogSetting", "DestinationArn")) != "ApiLogGroup" {
		f.add("the stage is not v1, traced and logged")
	}
	if at(stage, "MethodSettings", 0, "ThrottlingRateLimit") == nil {
		f.add("the stage is not throttled")
	}
	return f
}

func mappings(transformed node, _ *deployment) []string {
	var f faults
	ids, properties := ofType(transformed, "AWS::Lambda::EventSourceMapping")
	f.same("mappings", ids, []string{"ReplyFunctionQueue", "CompleteFunctionQueue"})
	for _, id := range ids {
		p := properties[id]
		if want := strings.TrimSuffix(strings.TrimSuffix(id, "Queue"), "Function") + "Queue"; target(at(p, "EventSourceArn")) != want {
			f.add("%s takes from %s, should take from %s", id, target(at(p, "EventSourceArn")), want)
		}
		if !slices.Equal(words(at(p, "FunctionResponseTypes")), []string{"ReportBatchItemFailures"}) {
			f.add("%s does not report single records", id)
		}
		if target(at(p, "ScalingConfig", "MaximumConcurrency")) != "QueueConcurrency" {
			f.add("%s is not limited", id)
		}
	}
	return f
}

func directRules(transformed node, written *deployment) []string {
	var f faults
	for _, id := range functionIDs {
		rule := at(transformed, "Resources", id+"Direct", "Properties")
		for way, want := range map[string]string{"queue": "DISABLED", "direct": "ENABLED"} {
			if got := resolve(written.template, at(rule, "State"), map[string]string{"EventDelivery": way}); got != want {
				f.add("%sDirect is %v with EventDelivery %s", id, got, way)
			}
		}
		if target(at(rule, "Targets", 0, "DeadLetterConfig", "Arn")) != "UndeliveredEvents" || at(rule, "Targets", 0, "RetryPolicy") == nil {
			f.add("%sDirect has no dead-letter queue or no retries", id)
		}
		end := at(transformed, "Resources", id+"EventInvokeConfig", "Properties", "DestinationConfig", "OnFailure", "Destination")
		if target(end) != "FailedEvents" {
			f.add("%s: events that fail go to %q", id, target(end))
		}
	}
	return f
}

func deployments(transformed node, written *deployment) []string {
	var f faults
	for action, id := range functionIDs {
		group := at(transformed, "Resources", id+"DeploymentGroup", "Properties")
		for stage, want := range map[string]string{"prod": "Canary10Percent10Minutes", "dev": "AllAtOnce"} {
			// The translator writes CodeDeploy's name for it as a Fn::Sub over its own.
			branch := resolver{written.template, map[string]string{"Stage": stage}}
			index := map[bool]int{true: 1, false: 2}[branch.condition(text(group, "DeploymentConfigName", "Fn::If", 0))]
			if got := text(group, "DeploymentConfigName", "Fn::If", index, "Fn::Sub", 1, "ConfigName"); got != want {
				f.add("%s: a deployment in %s shifts by %q", id, stage, got)
			}
		}
		var watched []string
		for _, a := range list(at(group, "AlarmConfiguration", "Alarms")) {
			watched = append(watched, target(at(a, "Name")))
		}
		prefix := strings.TrimSuffix(id, "Function")
		f.same("rollback alarms of "+action, watched, []string{prefix + "VersionAlarm", prefix + "VersionErrorsAlarm"})
		if at(transformed, "Resources", id+"Aliaslive", "UpdatePolicy", "CodeDeployLambdaAliasUpdate") == nil {
			f.add("%s: the alias moves at once", id)
		}
	}
	return f
}

// addedRoles wants no role but the template's own and the one that CodeDeploy deploys with.
func addedRoles(transformed node, written *deployment) []string {
	var f faults
	got, _ := ofType(transformed, "AWS::IAM::Role")
	want, _ := ofType(written.template, "AWS::IAM::Role")
	f.same("roles", got, append(want, "CodeDeployServiceRole"))
	permissions, _ := ofType(transformed, "AWS::Lambda::Permission")
	f.same("permissions", permissions, []string{"ReplyFunctionHttpPermissionv1", "ReplyFunctionDirectPermission", "ReplyFunctionPicturesPermissionv1", "CompleteFunctionHttpPermissionv1", "CompleteFunctionDirectPermission"})
	return f
}

// commonChecks repeats on SAM's output the checks whose resources SAM could add to.
func commonChecks(transformed node, written *deployment) []string {
	var f faults
	for _, s := range statements(transformed) {
		for _, r := range list(s.node["Resource"]) {
			if action := words(s.node["Action"])[0]; r == "*" && !strings.HasPrefix(action, "xray:") && !strings.HasPrefix(action, "ec2:") {
				f.add("%s: the resource * in what SAM made", s.owner)
			}
		}
	}
	groups, properties := ofType(transformed, "AWS::Logs::LogGroup")
	for _, id := range groups {
		if at(properties[id], "RetentionInDays") == nil {
			f.add("%s keeps logs for ever", id)
		}
	}
	for _, id := range functionIDs {
		if group := target(at(transformed, "Resources", id, "Properties", "LoggingConfig", "LogGroup")); !slices.Contains(groups, group) {
			f.add("%s lost its log group", id)
		}
	}
	return f
}

// transformFaults are put into the text of a copy of template.yaml, which SAM then transforms.
var transformFaults = []struct{ name, from, to, told string }{
	{"another alias", "    AutoPublishAlias: live\n", "    AutoPublishAlias: prod\n", "ReplyFunction has no alias live"},
	{"a function with a role of SAM's", "      Role: !GetAtt ReplyRole.Arn\n", "", "ReplyFunctionRole should not be there"},
	{"a queue that is worked as a whole", "            FunctionResponseTypes: [ReportBatchItemFailures]\n", "", "does not report single records"},
	{"a direct rule that is always live", "            State: !If [DeliverByQueue, DISABLED, ENABLED]\n", "", "ReplyFunctionDirect is <nil> with EventDelivery queue"},
	{"no canary", "        Type: !If [Production, Canary10Percent10Minutes, AllAtOnce]\n", "        Type: AllAtOnce\n", "a deployment in prod shifts by"},
	{"no rollback alarm", "        Alarms: [!Ref ReplyVersionAlarm, !Ref ReplyVersionErrorsAlarm]\n", "", "rollback alarms of reply: ReplyVersionAlarm is missing"},
	{"an API without an access log", "      TracingEnabled: !If [Traced, true, false]\n", "      TracingEnabled: false\n", "the stage is not v1, traced and logged"},
	{"no tracing", "    Tracing: !If [Traced, Active, PassThrough]\n", "    Tracing: PassThrough\n", "the tracing, the handler or the runtime got lost"},
}

func TestEverySeededFaultIsSeenInWhatSAMMakesOfIt(t *testing.T) {
	source := read(t, "template.yaml")
	var folders []string
	for _, f := range transformFaults {
		folder := copied(t, source, f.from, f.to)
		folders = append(folders, folder)
	}
	for i, transformed := range transform(t, folders...) {
		f := transformFaults[i]
		t.Run(f.name, func(t *testing.T) {
			var told []string
			for _, c := range transformChecks {
				told = append(told, c.run(transformed, load(t))...)
			}
			if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, f.told) }) {
				t.Errorf("nobody said %q; said was:\n  %s", f.told, strings.Join(told, "\n  "))
			}
		})
	}
}

// copied writes a copy of the template with a fault in it into a folder of its own.
func copied(t *testing.T, source, from, to string) string {
	t.Helper()
	if !strings.Contains(source, from) {
		t.Fatalf("template.yaml has no %q to put a fault in", from)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "api"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{"template.yaml": strings.ReplaceAll(source, from, to), "api/openapi.yaml": read(t, "api/openapi.yaml")} {
		if err := os.WriteFile(filepath.Join(folder, path), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
