package template

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// resources returns what is left of a template's resources and outputs when its parameters have these values.
func resources(template node, given map[string]string) map[string]any {
	r := resolver{template, given}
	left := map[string]any{}
	for _, part := range []string{"Resources", "Outputs"} {
		all, _ := template[part].(node)
		for id, resource := range all {
			condition := text(resource, "Condition")
			if condition == "" || r.condition(condition) {
				left[map[string]string{"Resources": id, "Outputs": "output " + id}[part]] = r.value(node{"": at(resource, map[string]string{"Resources": "Properties", "Outputs": "Value"}[part])})
			}
		}
	}
	return left
}

// changed returns what of a template differs between its defaults, beside what is given in any case, and one other value of
// a parameter.
func changed(template node, always map[string]string, parameter, value string) []string {
	given := map[string]string{}
	maps.Copy(given, always)
	maps.Copy(given, givenWith[parameter])
	before := resources(template, maps.Clone(given))
	given[parameter] = value
	after := resources(template, given)
	var differing []string
	for id := range before {
		if after[id] == nil || !reflect.DeepEqual(before[id], after[id]) {
			differing = append(differing, id)
		}
	}
	for id := range after {
		if before[id] == nil {
			differing = append(differing, id)
		}
	}
	slices.Sort(differing)
	return differing
}

const (
	someKey = "arn:aws:kms:ap-southeast-1:123456789012:key/x"
	// The key of a robot's address is no robot's.
	someRobot = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-0000-0000-000000000000"
	somePool  = "arn:aws:cognito-idp:ap-southeast-1:123456789012:userpool/x"
)

// whatParametersChange has another value for each parameter, and what of the transformed template is then different. Revision
// is not among them: SAM takes it by its value, and it changes the name of the versions.
var whatParametersChange = []struct{ parameter, value, changes string }{
	{"Stage", "prod", "CompleteFunctionDeploymentGroup LedgerTable ReplyFunctionDeploymentGroup"},
	{"Architecture", "x86_64", "CompleteFunction ReplyFunction"},
	{"MerchantSecretPrefix", "other/", "CompleteFunction FunctionPolicy ReplyFunction"},
	{"MerchantKeys", "packed:1200", "CompleteFunction ReplyFunction"},
	{"SecretsKmsKeyArn", someKey, "FunctionPolicy"},
	{"PrefetchMerchants", "acme", "CompleteFunction ReplyFunction"},
	{"SecretSoftTtl", "1m", "CompleteFunction ReplyFunction"},
	{"SecretHardTtl", "2h", "CompleteFunction ReplyFunction"},
	{"ImagecoUrl", "https://example.com", "ReplyFunction"},
	{"ImagecoResponseSign", "enforce", "ReplyFunction"},
	{"WechatPayUrl", "https://example.com", "CompleteFunction ReplyFunction"},
	{"WechatPayBackupUrl", "https://example.com", "CompleteFunction ReplyFunction"},
	{"MaxAttempts", "2", "CompleteFunction ReplyFunction"},
	{"AttemptTimeout", "4s", "CompleteFunction ReplyFunction"},
	{"ReplyRatePerMinute", "30", "ReplyFunction"},
	{"CompleteRatePerMinute", "750", "CompleteFunction"},
	{"ReadRatePerMinute", "90", "ReplyFunction"},
	{"UnknownWindow", "30m", "ReplyFunction"},
	{"LedgerTtl", "400h", "CompleteFunction ReplyFunction"},
	{"MemorySize", "512", "CompleteFunction ReplyFunction"},
	{"ReservedConcurrency", "5", "CompleteFunction ReplyFunction"},
	{"ExistingLedgerTable", "ledger", "CompleteFunction FunctionPolicy LedgerTable LedgerThrottlesAlarm ReplyFunction output LedgerTableName"},
	{"AtRestKmsKeyArn", someKey, "AlarmTopic ApiLogGroup Archive AttentionQueue Bus CompleteDeadLetters CompleteLogGroup CompleteQueue " +
		"FailedEvents FunctionPolicy LedgerTable ReplyDeadLetters ReplyLogGroup ReplyQueue SmokeQueue UndeliveredEvents"},
	{"Tracing", "none", "Apiv1Stage CompleteFunction FunctionPolicy ReplyFunction"},
	{"SubnetIds", "subnet-1,subnet-2", "CompleteFunction FunctionPolicy ReplyFunction"},
	{"SecurityGroupIds", "sg-1", "CompleteFunction ReplyFunction"},
	{"CallerAccounts", "222222222222", "Api output Callers"},
	{"CallerMerchantClaim", "custom:merchant", "CompleteFunction ReplyFunction"},
	{"RequestValidation", "function", "Api output BodiesCheckedBy"},
	{"CognitoUserPoolArn", somePool, "Api output Callers"},
	{"LogValidationErrors", "yes", "Apiv1Stage"},
	{"ThrottleRate", "10", "Apiv1Stage"},
	{"ThrottleBurst", "20", "Apiv1Stage"},
	{"ApiGatewayAccount", "create", "ApiGatewayLogging ApiGatewayLoggingRole"},
	{"EventBusName", "shared", "Archive AttentionRule Bus CompleteFunction CompleteFunctionDirect CompleteQueueRule FunctionPolicy " +
		"ReplyFunction ReplyFunctionDirect ReplyQueueRule SmokeRule output BusName"},
	{"EventDelivery", "direct", "CompleteFunctionDirect CompleteQueueRule ReplyFunctionDirect ReplyQueueRule"},
	{"ArchiveDays", "7", "Archive"},
	{"QueueConcurrency", "5", "CompleteFunctionQueue ReplyFunctionQueue"},
	{"Watch", "on", "UndeliveredEventsPolicy WatchApi WatchApiApiGatewayDefaultStage WatchDeadLetters WatchDeadLettersAlarm WatchErrorsAlarm " +
		"WatchFunction WatchFunctionAliaslive WatchFunctionEventInvokeConfig WatchFunctionNotificationPermission WatchFunctionQueue " +
		"WatchFunctionSchedule WatchFunctionSchedulePermission WatchFunctionVersion0000000000 WatchKeyEndsAlarm WatchLogGroup WatchQueue WatchRole " +
		"WatchSweepAlarm output NotificationsUrl output WatchFunctionName output WatchQueueUrl"},
	{"WatchMerchants", "acme", "WatchFunction"},
	{"WatchWarnBefore", "2h", "WatchFunction"},
	{"WatchTtl", "480h", "WatchFunction"},
	{"WatchConcurrency", "5", "WatchFunction"},
	{"WatchThrottleRate", "5", "WatchApiApiGatewayDefaultStage"},
	{"FirstReply", "您好", "FirstReplyRule ReplyQueuePolicy UndeliveredEventsPolicy"},
	{"LogLevel", "DEBUG", "CompleteFunction ReplyFunction"},
	{"LogRetentionDays", "90", "ApiLogGroup CompleteLogGroup ReplyLogGroup"},
	{"AlarmTopicArn", "arn:aws:sns:ap-southeast-1:123456789012:x", "AlarmTopic output AlarmTopic, every alarm"},
	{"AlarmEmail", "a@example.com", "AlarmSubscription"},
	{"AlarmShare", "30", "ApiErrorsAlarm CompleteOutageAlarm ReplyOutageAlarm"},
	{"AlarmCount", "50", "CompleteRetryableAlarm CompleteUnknownAlarm ReplyRetryableAlarm"},
	{"RunbookUrl", "https://example.com/docs/runbook.md", ", every alarm"},
	{"AlertWebhookUrl", someRobot, "AlertConnection AlertDeadLetters AlertDeadLettersAlarm AlertDeadLettersPolicy AlertDestination AlertRole AlertUnknownRule output AlertDeadLettersUrl"},
	{"AlertWebhookKind", "feishu", "AlertUnknownRule"},
	{"OldestMessageSeconds", "600", "CompleteQueueAgeAlarm ReplyQueueAgeAlarm"},
}

// givenWith are values that a parameter needs beside it to mean anything.
var givenWith = map[string]map[string]string{
	"SecurityGroupIds": {"SubnetIds": "subnet-1"}, "AlertWebhookKind": {"AlertWebhookUrl": someRobot},
	"WatchMerchants": {"Watch": "on"}, "WatchWarnBefore": {"Watch": "on"}, "WatchTtl": {"Watch": "on"},
	"WatchConcurrency": {"Watch": "on"}, "WatchThrottleRate": {"Watch": "on"}, "FirstReply": {"Watch": "on"},
}

func TestEachParameterChangesWhatItIsFor(t *testing.T) {
	transformed := transform(t, root)[0]
	tried := []string{"Revision"}
	for _, p := range whatParametersChange {
		tried = append(tried, p.parameter)
		if got := told(transformed, changed(transformed, nil, p.parameter, p.value)); got != p.changes {
			t.Errorf("%s changes\n  %s\nand should change\n  %s", p.parameter, got, p.changes)
		}
	}
	var f faults
	f.same("parameters", names(transformed["Parameters"].(node)), tried)
	for _, fault := range f {
		t.Error(fault)
	}
}

// told writes down what differs; all alarms together are "every alarm".
func told(template node, differing []string) string {
	alarms, _ := ofType(template, "AWS::CloudWatch::Alarm")
	// Those of functions/watch and of the alerts come and go with them.
	alarms = slices.DeleteFunc(alarms, func(id string) bool { return isOptional(text(template, "Resources", id, "Condition")) })
	isAlarm := func(id string) bool { return slices.Contains(alarms, id) }
	rest := slices.DeleteFunc(slices.Clone(differing), isAlarm)
	if len(differing)-len(rest) == len(alarms) {
		return strings.Join(rest, " ") + ", every alarm"
	}
	return strings.Join(differing, " ")
}

// revisions asks scripts/deploy for the revision of each set of parameters, and of other binaries.
func revisions(t *testing.T, build string, parameters ...string) []string {
	t.Helper()
	const program = `
import functools, importlib.machinery, importlib.util, json, pathlib, sys
loader = importlib.machinery.SourceFileLoader("deploy", sys.argv[1])
deploy = importlib.util.module_from_spec(importlib.util.spec_from_loader("deploy", loader))
loader.exec_module(deploy)
deploy.yaml_parse = functools.cache(deploy.yaml_parse)  # the same template each time
print(json.dumps([deploy.plan("default", deploy.pairs([a] if a else []), pathlib.Path(sys.argv[2]))["parameters"]["Revision"] for a in sys.argv[3:]]))`
	script, err := filepath.Abs(filepath.Join(root, "scripts/deploy"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(python(t), append([]string{"-B", "-c", program, script, build}, parameters...)...)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("scripts/deploy: %v\n%s", err, command.Stderr)
	}
	var all []string
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestARevisionDiffersForEachParameterAndForOtherBinaries(t *testing.T) {
	build := t.TempDir()
	binary := func(function, content string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Join(build, function), 0o755), os.WriteFile(filepath.Join(build, function, "bootstrap"), []byte(content), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	binary("ReplyFunction", "1")
	binary("CompleteFunction", "1")
	binary("WatchFunction", "1")
	parameters := []string{"", ""}
	for _, p := range whatParametersChange {
		if p.parameter == "AlertWebhookUrl" { // it is hidden, and no function sees it
			continue
		}
		value := p.value
		switch p.parameter { // the default settings in samconfig.toml have these
		case "RequestValidation":
			value = "gateway"
		case "LogLevel":
			value = "INFO"
		}
		parameters = append(parameters, p.parameter+"="+value)
	}
	all := revisions(t, build, parameters...)
	if all[0] != all[1] {
		t.Error("the same parameters and binaries have two revisions")
	}
	seen := map[string]string{}
	for i, revision := range all[1:] {
		if before, twice := seen[revision]; twice {
			t.Errorf("%q and %q have the same revision", before, parameters[i+1])
		}
		seen[revision] = parameters[i+1]
	}
	for _, function := range functionIDs {
		binary(function, "2")
		if revision := revisions(t, build, "")[0]; seen[revision] != "" {
			t.Errorf("another binary of %s has the revision of %q", function, seen[revision])
		} else {
			seen[revision] = function
		}
	}
	off, on := revisions(t, build, "")[0], revisions(t, build, "Watch=on")[0]
	binary("WatchFunction", "2")
	if revisions(t, build, "")[0] != off {
		t.Error("another binary of a function that is not deployed makes another revision")
	}
	if revisions(t, build, "Watch=on")[0] == on {
		t.Error("another binary of the watcher has the same revision")
	}
}

// asBefore says which functions and stages would go on as before although a parameter changed that is theirs.
func asBefore(before, after node) []string {
	var f faults
	live := func(transformed node, id string) string {
		return target(at(transformed, "Resources", id+"Aliaslive", "Properties", "FunctionVersion"))
	}
	for _, id := range []string{"ReplyFunction", "CompleteFunction", "WatchFunction"} {
		if live(before, id) == live(after, id) {
			f.add("%s: the alias leads to the version of before", id)
		}
	}
	deployment := func(transformed node) string {
		return target(at(transformed, "Resources", "Apiv1Stage", "Properties", "DeploymentId"))
	}
	if deployment(before) == deployment(after) {
		f.add("the stage serves the deployment of before")
	}
	return f
}

// neverLive are ways in which a changed parameter never gets to the functions or to the stage that are live. The first two are
// how the template was.
var neverLive = []struct{ name, from, to, told string }{
	{"a version that is named by references to parameters", "      AutoPublishCodeSha256: !Ref Revision\n", "      AutoPublishAliasAllProperties: true\n", "ReplyFunction: the alias leads to the version of before"},
	{"a deployment that is named by references to parameters", "      AlwaysDeploy: true\n", "", "the stage serves the deployment of before"},
	{"a version for changed code alone", "      AutoPublishCodeSha256: !Ref Revision\n", "", "CompleteFunction: the alias leads to the version of before"},
	{"a version of the watcher for changed code alone", "      AutoPublishCodeSha256: !Ref Revision\n      Role: !GetAtt WatchRole.Arn\n", "      Role: !GetAtt WatchRole.Arn\n", "WatchFunction: the alias leads to the version of before"},
}

func TestAChangedParameterBecomesLive(t *testing.T) {
	changes := []string{"RequestValidation=function", "ImagecoResponseSign=enforce", "MaxAttempts=2", "Revision=" + strings.Repeat("1", 64)}
	source := read(t, "template.yaml")
	groups := [][]string{{root}, append([]string{root}, changes...)}
	for _, f := range neverLive {
		folder := copied(t, source, f.from, f.to)
		groups = append(groups, []string{folder}, append([]string{folder}, changes...))
	}
	transformed := transformWith(t, groups...)
	for _, fault := range asBefore(transformed[0], transformed[1]) {
		t.Error(fault)
	}
	for i, f := range neverLive {
		if told := asBefore(transformed[2+2*i], transformed[3+2*i]); !slices.Contains(told, f.told) {
			t.Errorf("%s: nobody said %q; said was %q", f.name, f.told, told)
		}
	}
}
