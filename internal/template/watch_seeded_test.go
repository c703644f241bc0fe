package template

import (
	"slices"
	"strings"
	"testing"
)

// watchSeeded are mistakes in what stands behind Watch.
var watchSeeded = []fault{
	{"a watcher that is always there", func(d *deployment) { set(d.template, nil, resource("WatchFunction", "Condition")...) }, `WatchFunction stands behind the condition ""`},
	{"a Watch that is on by default", func(d *deployment) { set(d.template, "on", "Parameters", "Watch", "Default") }, "Watching holds by default"},
	{"a watcher that may write secrets", func(d *deployment) {
		set(d.template, "secretsmanager:*", property("WatchRole", "Policies", 0, "PolicyDocument", "Statement", 3, "Action")...)
	}, "what its own role allows: secretsmanager:* should not be there"},
	{"a watcher that may not read its table", func(d *deployment) {
		set(d.template, "dynamodb:Query", property("WatchRole", "Policies", 0, "PolicyDocument", "Statement", 3, "Action")...)
	}, "dynamodb:GetItem is missing"},
	{"a list of secrets for a watcher that needs none", func(d *deployment) {
		path := property("WatchRole", "Policies", 0, "PolicyDocument", "Statement", 4)
		set(d.template, at(d.template, append(path, "Fn::If", 1)...), path...)
	}, "with WatchMerchants acme,globex it may list secrets: true"},
	{"a watcher that takes the account's concurrency", func(d *deployment) {
		set(d.template, nil, property("WatchFunction", "ReservedConcurrentExecutions")...)
	}, "the watcher has no concurrency of its own"},
	{"notifications without a throttle", func(d *deployment) { set(d.template, nil, property("WatchApi", "DefaultRouteSettings")...) }, "route is not throttled"},
	{"notifications that need IAM", func(d *deployment) {
		set(d.template, node{"EnableIamAuthorizer": true, "DefaultAuthorizer": "AWS_IAM"}, property("WatchApi", "Auth")...)
	}, "so IAM would refuse them all"},
	{"Lambda's own lines for each call of a stranger", func(d *deployment) {
		set(d.template, "INFO", property("WatchFunction", "LoggingConfig", "SystemLogLevel")...)
	}, "Lambda writes lines of its own"},
	{"replies that strangers reach", func(d *deployment) {
		set(d.template, at(functionProperties(d, "WatchFunction"), "Events", "Notification"), property("ReplyFunction", "Events", "Notification")...)
	}, "ReplyFunction answers an API without IAM"},
	{"sweeps that leave nothing to notifications", func(d *deployment) {
		set(d.template, 3.0, property("WatchFunction", "Events", "Queue", "Properties", "ScalingConfig", "MaximumConcurrency")...)
	}, "sweeps may take all"},
	{"a watcher without its queue", func(d *deployment) {
		set(d.template, nil, property("WatchFunction", "Environment", "Variables", "WATCH_QUEUE")...)
	}, "WATCH_QUEUE is missing"},
	{"another time to remember", func(d *deployment) { set(d.template, "480h", "Parameters", "WatchTtl", "Default") }, "WATCH_TTL defaults to"},
	{"an alarm on a metric that the watcher does not write", func(d *deployment) {
		set(d.template, "AgeOfSweep", property("WatchSweepAlarm", "MetricName")...)
	}, "nobody writes Kesu AgeOfSweep by function"},
	{"an alarm that is silent without sweeps", func(d *deployment) {
		set(d.template, "notBreaching", property("WatchSweepAlarm", "TreatMissingData")...)
	}, "a sweep that never runs rings no alarm"},
	{"a runbook without the sweep", func(d *deployment) { d.runbook = strings.Replace(d.runbook, "## Watch sweep", "## Sweep", 1) }, "WatchSweepAlarm: the description names no section"},
	{"sweeps every day", func(d *deployment) {
		set(d.template, "rate(1 day)", property("WatchFunction", "Events", "Schedule", "Properties", "Schedule")...)
	}, "the schedule is"},
	{"a sweep that comes back while it runs", func(d *deployment) { set(d.template, 28.0, property("WatchQueue", "VisibilityTimeout")...) }, "a sweep is hidden for 28 s"},
	{"a sweep that is never given up", func(d *deployment) { set(d.template, nil, property("WatchQueue", "RedrivePolicy")...) }, "and ends in"},
	{"a queue that is not encrypted", func(d *deployment) { set(d.template, nil, property("WatchQueue", "SqsManagedSseEnabled")...) }, "WatchQueue is not encrypted"},
	{"a first reply to whatever arrives", func(d *deployment) {
		set(d.template, nil, property("FirstReplyRule", "EventPattern", "detail")...)
	}, "a complaint that is PROCESSED is answered: true"},
	{"a first reply to every change", func(d *deployment) {
		set(d.template, nil, property("FirstReplyRule", "EventPattern", "detail-type")...)
	}, "a complaint that changed is answered"},
	{"a first reply once for all times that a complaint is raised", func(d *deployment) {
		path := property("FirstReplyRule", "Targets", 0, "InputTransformer", "InputTemplate", "Fn::Sub")
		set(d.template, strings.Replace(text(d.template, path...), "-<times>", "", 1), path...)
	}, "the first reply asks for"},
	{"a first reply that goes to the function of completions", func(d *deployment) {
		set(d.template, node{"Fn::GetAtt": []any{"CompleteQueue", "Arn"}}, property("FirstReplyRule", "Targets", 0, "Arn")...)
	}, "it does not go to the reply queue"},
	{"a first reply that only goes with queues", func(d *deployment) {
		set(d.template, node{"Fn::If": []any{"DeliverByQueue", "ENABLED", "DISABLED"}}, property("FirstReplyRule", "State")...)
	}, "with EventDelivery direct nobody sends the first reply"},
	{"a reply queue that is only worked with queues", func(d *deployment) {
		set(d.template, node{"Fn::If": []any{"DeliverByQueue", true, false}}, property("ReplyFunction", "Events", "Queue", "Properties", "Enabled")...)
	}, "with EventDelivery direct nobody sends the first reply"},
	{"a queue that does not let the first reply in", func(d *deployment) {
		set(d.template, node{"Fn::GetAtt": []any{"ReplyQueueRule", "Arn"}}, property("ReplyQueuePolicy", "PolicyDocument", "Statement", 0, "Condition", "ArnEquals", "aws:SourceArn")...)
	}, "the policy of ReplyQueue does not let FirstReplyRule in"},
}

func TestEverySeededFaultOfTheWatcherIsCaught(t *testing.T) {
	caught(t, watchSeeded, watchChecks)
}

// caught puts each fault into a copy of the whole deployment and wants one of the checks to tell it.
func caught(t *testing.T, seeded []fault, checks []check) {
	t.Helper()
	for _, f := range seeded {
		t.Run(f.name, func(t *testing.T) {
			d := loadWhole(t)
			f.seed(d)
			var told []string
			for _, c := range checks {
				told = append(told, c.run(d)...)
			}
			if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, f.told) }) {
				t.Errorf("nobody said %q; said was:\n  %s", f.told, strings.Join(told, "\n  "))
			}
		})
	}
}

// whatChangesTheWatcher has, for each parameter of whatParametersChange, what it changes of what stands behind Watch; a
// parameter that is not here changes nothing of it.
var whatChangesTheWatcher = map[string]string{
	"Architecture": "WatchFunction", "MerchantKeys": "WatchFunction", "MerchantSecretPrefix": "WatchFunction", "PrefetchMerchants": "WatchFunction",
	"SecretSoftTtl": "WatchFunction", "SecretHardTtl": "WatchFunction", "WechatPayUrl": "WatchFunction", "WechatPayBackupUrl": "WatchFunction",
	"MaxAttempts": "WatchFunction", "AttemptTimeout": "WatchFunction", "ReadRatePerMinute": "WatchFunction", "MemorySize": "WatchFunction",
	"ExistingLedgerTable": "WatchFunction WatchRole", "Tracing": "WatchFunction", "SubnetIds": "WatchFunction", "SecurityGroupIds": "WatchFunction",
	"CallerMerchantClaim": "WatchFunction", "LedgerTtl": "WatchFunction", "EventBusName": "FirstReplyRule WatchFunction", "LogLevel": "WatchFunction",
	"AtRestKmsKeyArn": "WatchDeadLetters WatchLogGroup WatchQueue", "LogRetentionDays": "WatchLogGroup",
	"WatchMerchants": "WatchFunction", "WatchWarnBefore": "WatchFunction", "WatchTtl": "WatchFunction",
	"WatchConcurrency": "WatchFunction", "WatchThrottleRate": "WatchApiApiGatewayDefaultStage", "FirstReply": "FirstReplyRule",
	"AlarmTopicArn": "WatchDeadLettersAlarm WatchErrorsAlarm WatchKeyEndsAlarm WatchSweepAlarm", "RunbookUrl": "WatchDeadLettersAlarm WatchErrorsAlarm WatchKeyEndsAlarm WatchSweepAlarm",
}

func TestEachParameterChangesWhatItIsForOfTheWatcher(t *testing.T) {
	transformed := transform(t, root)[0]
	theirs := func(id string) bool {
		return slices.Contains(behindWatch, text(transformed, "Resources", id, "Condition"))
	}
	for _, p := range whatParametersChange {
		if p.parameter == "Watch" {
			continue
		}
		always := map[string]string{"Watch": "on", "FirstReply": "您好，已收到"}
		of := slices.DeleteFunc(changed(transformed, always, p.parameter, p.value), func(id string) bool { return !theirs(id) })
		if got := strings.Join(of, " "); got != whatChangesTheWatcher[p.parameter] {
			t.Errorf("%s changes\n  %s\nand should change\n  %s", p.parameter, got, whatChangesTheWatcher[p.parameter])
		}
	}
}

func TestWhatSAMMakesOfTheWatcher(t *testing.T) {
	transformed := transform(t, root)[0]
	mapping := at(transformed, "Resources", "WatchFunctionQueue", "Properties")
	if number(mapping, "ScalingConfig", "MaximumConcurrency") != 2 || len(list(at(mapping, "FunctionResponseTypes"))) != 1 ||
		target(at(mapping, "FunctionName")) != "WatchFunctionAliaslive" {
		t.Errorf("the queue's mapping: %v", mapping)
	}
	if at(transformed, "Resources", "WatchFunctionRole") != nil {
		t.Error("SAM made a role of its own")
	}
	// Whoever may invoke the function: its own API's route, and its own schedule.
	permissions, properties := ofType(transformed, "AWS::Lambda::Permission")
	for _, id := range permissions {
		if strings.HasPrefix(id, "Watch") && (at(properties[id], "SourceArn") == nil || target(at(properties[id], "FunctionName")) != "WatchFunctionAliaslive") {
			t.Errorf("%s: %v", id, properties[id])
		}
	}
	settings := at(transformed, "Resources", "WatchApiApiGatewayDefaultStage", "Properties", "DefaultRouteSettings")
	if target(at(settings, "ThrottlingRateLimit")) != "WatchThrottleRate" {
		t.Errorf("the throttle got lost: %v", settings)
	}
	body := asText(t, at(transformed, "Resources", "WatchApi", "Properties", "Body"))
	if !strings.Contains(body, `"payloadFormatVersion":"2.0"`) || !strings.Contains(body, "/merchants/{merchant}/notifications") ||
		strings.Contains(body, "security") {
		t.Errorf("the API is %s", body)
	}
	if mode := resolve(transformed, at(transformed, "Resources", "WatchFunction", "Properties", "TracingConfig", "Mode"), nil); mode != "Active" {
		t.Errorf("the tracing is %v", mode)
	}
}
