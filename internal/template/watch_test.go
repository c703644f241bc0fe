package template

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

// watchChecks are the checks over what stands behind Watch, as it is written.
var watchChecks = []check{
	{"everything of the watcher stands behind Watch, which is off", behindItsParameter},
	{"the watcher may do what its code calls, and no more", watcherRole},
	{"a flood of strangers is bounded", flood},
	{"the watcher's environment is what its code asks for", watcherEnvironment},
	{"the watcher's alarms watch metrics that it writes, and name a section of the runbook", watcherAlarms},
	{"sweeps come again, and end in a queue that rings", sweeps},
	{"the first reply is a request that the function takes", firstReply},
}

func TestTheWatcher(t *testing.T) {
	for _, c := range watchChecks {
		t.Run(c.name, func(t *testing.T) {
			for _, fault := range c.run(loadWhole(t)) {
				t.Error(fault)
			}
		})
	}
}

// behind are the resources that are only there behind one of the conditions.
func behind(d *deployment, conditions []string) map[string]node {
	left := map[string]node{}
	for id, resource := range at(d.template, "Resources").(node) {
		if slices.Contains(conditions, text(resource, "Condition")) {
			left[id], _ = resource.(node)
		}
	}
	return left
}

func behindItsParameter(d *deployment) []string {
	var f faults
	for id, resource := range at(d.template, "Resources").(node) {
		if (strings.HasPrefix(id, "Watch") || strings.HasPrefix(id, "FirstReply")) != slices.Contains(behindWatch, text(resource, "Condition")) {
			f.add("%s stands behind the condition %q", id, text(resource, "Condition"))
		}
	}
	off := resolver{d.template, nil}
	for _, condition := range behindWatch {
		if off.condition(condition) {
			f.add("%s holds by default", condition)
		}
	}
	return f
}

// watcherWords are found in nothing that is deployed with Watch off.
var watcherWords = []string{"WATCH_", "WatchFunction", "WatchApi", "WatchQueue", "WatchRole", "WatchDeadLetters", "WatchLogGroup", "FirstReply", "ListSecrets"}

// TestWithWatchOffNothingOfItIsThere looks through what is left of the transformed template with the default parameters.
func TestWithWatchOffNothingOfItIsThere(t *testing.T) {
	transformed := transform(t, root)[0]
	off, on := resources(transformed, nil), resources(transformed, map[string]string{"Watch": "on", "WatchMerchants": "*", "FirstReply": "您好"})
	for id, resource := range off {
		for _, word := range watcherWords {
			if strings.Contains(id+asText(t, resource), word) {
				t.Errorf("%s holds %s", id, word)
			}
		}
	}
	all := asText(t, on)
	for _, word := range watcherWords {
		if !strings.Contains(all, word) {
			t.Errorf("with Watch on nothing holds %s, so that looking for it shows nothing", word)
		}
	}
}

func watcherRole(d *deployment) []string {
	var f faults
	var allowed []string
	for _, s := range statements(d.template) {
		if s.owner != "WatchRole" {
			continue
		}
		for _, action := range list(s.node["Action"]) {
			allowed = append(allowed, action.(string))
		}
		if resource, ok := s.node["Resource"].(string); ok && resource == "*" && !slices.Equal(list(s.node["Action"]), []any{"secretsmanager:ListSecrets"}) {
			f.add("%v may be done to everything", s.node["Action"])
		}
	}
	f.same("what its own role allows", allowed, []string{"logs:CreateLogStream", "logs:PutLogEvents", "sqs:ReceiveMessage", "sqs:DeleteMessage",
		"sqs:GetQueueAttributes", "sqs:SendMessage", "dynamodb:GetItem", "secretsmanager:ListSecrets"})
	policies := list(at(d.template, "Resources", "WatchRole", "Properties", "ManagedPolicyArns"))
	if len(policies) != 1 || target(policies[0]) != "FunctionPolicy" {
		f.add("it has the policies %v", policies)
	}
	for merchants, lists := range map[string]bool{"acme,globex": false, "*": true} {
		role := resolve(d.template, at(d.template, "Resources", "WatchRole", "Properties"), map[string]string{"Watch": "on", "WatchMerchants": merchants})
		written, _ := json.Marshal(role) // a tree of texts always marshals
		if strings.Contains(string(written), "ListSecrets") != lists {
			f.add("with WatchMerchants %s it may list secrets: %t", merchants, !lists)
		}
	}
	return f
}

func flood(d *deployment) []string {
	var f faults
	if target(at(functionProperties(d, "WatchFunction"), "ReservedConcurrentExecutions")) != "WatchConcurrency" {
		f.add("the watcher has no concurrency of its own")
	}
	settings := at(d.template, "Resources", "WatchApi", "Properties", "DefaultRouteSettings")
	if target(at(settings, "ThrottlingRateLimit")) != "WatchThrottleRate" || target(at(settings, "ThrottlingBurstLimit")) != "WatchThrottleRate" {
		f.add("the notifications' route is not throttled: %v", settings)
	}
	if at(d.template, "Resources", "WatchApi", "Properties", "Auth") != nil {
		f.add("WeChat Pay's calls carry no signature of AWS's, so IAM would refuse them all")
	}
	if level := text(functionProperties(d, "WatchFunction"), "LoggingConfig", "SystemLogLevel"); level != "WARN" {
		f.add("Lambda writes lines of its own for each call: at the level %s", level)
	}
	for id, resource := range at(d.template, "Resources").(node) {
		events, _ := at(resource, "Properties", "Events").(node)
		for _, e := range events {
			if text(e, "Type") == "HttpApi" && id != "WatchFunction" {
				f.add("%s answers an API without IAM", id)
			}
		}
	}
	queue := at(functionProperties(d, "WatchFunction"), "Events", "Queue", "Properties")
	most := number(queue, "ScalingConfig", "MaximumConcurrency")
	if most == 0 || most >= number(d.template, "Parameters", "WatchConcurrency", "MinValue") {
		f.add("sweeps may take all of the watcher's concurrency")
	}
	return f
}

func watcherEnvironment(d *deployment) []string {
	var f faults
	var asked []string
	_, _ = config.ReadWatch(func(name string) string { // the error is about what is not set
		asked = append(asked, name)
		return ""
	})
	given, _ := at(functionProperties(d, "WatchFunction"), "Environment", "Variables").(node)
	notOurs := func(name string) bool { return strings.HasPrefix(name, "AWS_") }
	f.same("the watcher's variables", slices.DeleteFunc(names(given), notOurs), slices.DeleteFunc(asked, notOurs))
	for name, want := range map[string]string{"WATCH_TTL": (35 * 24 * time.Hour).String(), "WATCH_WARN_BEFORE": "4h,1h", "READ_RATE_PER_MINUTE": "180"} {
		got, _ := resolve(d.template, given[name], nil).(string)
		if parsed, err := time.ParseDuration(got); err == nil {
			got = parsed.String()
		}
		if got != want {
			f.add("%s defaults to %q, and the function to %s", name, got, want)
		}
	}
	return f
}

func watcherAlarms(d *deployment) []string {
	var f faults
	var watched []string
	for id, resource := range behind(d, behindWatch) {
		if text(resource, "Type") != "AWS::CloudWatch::Alarm" {
			continue
		}
		p, _ := at(resource, "Properties").(node)
		described(&f, d, id, p)
		if at(p, "AlarmActions") == nil {
			f.add("%s tells nobody", id)
		}
		for _, m := range watchedMetrics(p) {
			watched = append(watched, m.name)
			if !metricExists(m.namespace, m.name, m.dimensions) {
				f.add("%s: nobody writes %s %s by %s", id, m.namespace, m.name, m.dimensions)
			}
		}
	}
	f.same("what the watcher's alarms watch", watched, []string{"Errors", "SweepAge", "KeyDaysLeft", "ApproximateNumberOfMessagesVisible"})
	if text(d.template, "Resources", "WatchSweepAlarm", "Properties", "TreatMissingData") != "breaching" {
		f.add("a sweep that never runs rings no alarm")
	}
	return f
}

func sweeps(d *deployment) []string {
	var f faults
	watcher := functionProperties(d, "WatchFunction")
	schedule, queue := at(watcher, "Events", "Schedule", "Properties"), at(watcher, "Events", "Queue", "Properties")
	if text(schedule, "Schedule") != "rate(15 minutes)" || target(at(schedule, "DeadLetterConfig", "Arn")) != "UndeliveredEvents" {
		f.add("the schedule is %q, and what it cannot deliver goes to %q", text(schedule, "Schedule"), target(at(schedule, "DeadLetterConfig", "Arn")))
	}
	if target(at(queue, "Queue")) != "WatchQueue" || !slices.Equal(words(at(queue, "FunctionResponseTypes")), []string{"ReportBatchItemFailures"}) {
		f.add("the watcher does not work its queue by single records")
	}
	p := at(d.template, "Resources", "WatchQueue", "Properties")
	if number(p, "VisibilityTimeout") != 6*number(watcher, "Timeout") || target(at(p, "RedrivePolicy", "deadLetterTargetArn")) != "WatchDeadLetters" {
		f.add("a sweep is hidden for %v s and ends in %q", number(p, "VisibilityTimeout"), target(at(p, "RedrivePolicy", "deadLetterTargetArn")))
	}
	for _, id := range []string{"WatchQueue", "WatchDeadLetters"} {
		for key, managed := range map[string]any{"": true, someKey: nil} {
			q := resolve(d.template, at(d.template, "Resources", id, "Properties"), map[string]string{"AtRestKmsKeyArn": key})
			if at(q, "SqsManagedSseEnabled") != managed || text(q, "KmsMasterKeyId") != key {
				f.add("%s is not encrypted", id)
			}
		}
	}
	return f
}

// transformer is the input transformer of a rule's first target, with the parameters in their places.
func transformer(d *deployment, rule string, given map[string]string) sandbox.Transformer {
	written := at(d.template, "Resources", rule, "Properties", "Targets", 0, "InputTransformer")
	t := sandbox.Transformer{Paths: map[string]string{}}
	paths, _ := at(written, "InputPathsMap").(node)
	for name, path := range paths {
		t.Paths[name], _ = path.(string)
	}
	t.Template, _ = resolve(d.template, at(written, "InputTemplate"), given).(string)
	return t
}

// firstReply reads what the transformer makes with the code that will read it.
func firstReply(d *deployment) []string {
	var f faults
	const words = "您好，我们已收到您的投诉"
	detail := `{"merchant":"acme","complaint_id":"2002","complaint_state":"PENDING","complaint_detail":"\"<merchant>\"","user_complaint_times":2}`
	made, err := transformer(d, "FirstReplyRule", map[string]string{"FirstReply": words}).Apply(sandbox.Event{ID: "e1", Source: "kesu",
		DetailType: "ComplaintReceived", Detail: json.RawMessage(detail)})
	if err != nil {
		return append(f, err.Error())
	}
	var event struct {
		ID         string          `json:"id"`
		DetailType string          `json:"detail-type"`
		Detail     json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(made, &event); err != nil || event.ID != "e1" || event.DetailType != wire.Reply.DetailType() {
		f.add("%v: %s is no request", err, made)
	}
	request := wire.ReadDetail(wire.Reply, event.Detail)
	c := request.Command
	if len(request.Problems) > 0 || c.Merchant != "acme" || c.ComplaintID != "2002" || c.IdempotencyKey != "first-2002-2" || c.ResponseContent != words {
		f.add("the first reply asks for %+v: %v", c, request.Problems)
	}
	rule := at(d.template, "Resources", "FirstReplyRule", "Properties")
	if target(at(rule, "Targets", 0, "Arn")) != "ReplyQueue" {
		f.add("it does not go to the reply queue")
	}
	for _, delivery := range list(at(d.template, "Parameters", "EventDelivery", "AllowedValues")) {
		given := map[string]string{"Watch": "on", "FirstReply": words, "EventDelivery": delivery.(string)}
		worked := at(functionProperties(d, "ReplyFunction"), "Events", "Queue", "Properties")
		if resolve(d.template, at(rule, "State"), given) != "ENABLED" || text(d.template, "Resources", "ReplyQueue", "Condition") != "" ||
			target(at(worked, "Queue")) != "ReplyQueue" || resolve(d.template, at(worked, "Enabled"), given) == false {
			f.add("with EventDelivery %s nobody sends the first reply", delivery)
		}
	}
	pattern, _ := at(rule, "EventPattern").(node)
	for state, want := range map[string]bool{"PENDING": true, "PROCESSING": false, "PROCESSED": false} {
		received := node{"source": "kesu", "detail-type": "ComplaintReceived", "detail": node{"complaint_state": state}}
		if matches(pattern, received) != want {
			f.add("a complaint that is %s is answered: %t", state, !want)
		}
	}
	if matches(pattern, node{"source": "kesu", "detail-type": "ComplaintChanged", "detail": node{"complaint_state": "PENDING"}}) {
		f.add("a complaint that changed is answered")
	}
	whole := resolver{d.template, map[string]string{"Watch": "on", "FirstReply": words}}
	for queue, policy := range map[string]string{"ReplyQueue": "ReplyQueuePolicy", "UndeliveredEvents": "UndeliveredEventsPolicy"} {
		arns := whole.value(at(d.template, "Resources", policy, "Properties", "PolicyDocument", "Statement", 0, "Condition", "ArnEquals", "aws:SourceArn"))
		if !slices.ContainsFunc(list(arns), func(arn any) bool { return target(arn) == "FirstReplyRule" }) {
			f.add("the policy of %s does not let FirstReplyRule in", queue)
		}
	}
	return f
}

func asText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheWatcherIsBuiltByItsTarget(t *testing.T) {
	out, err := exec.Command("make", "-n", "-C", root, "build-WatchFunction", "ARTIFACTS_DIR=out").Output()
	if err != nil || !strings.Contains(string(out), "./functions/watch") {
		t.Errorf("%v: %s", err, out)
	}
}
