package template

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// alertChecks are the checks over what sends alerts to a group's robot, as it is written.
var alertChecks = []check{
	{"everything of the alerts stands behind the webhook, which is empty", alertsBehindTheirParameter},
	{"each alert is told for its events alone", alertPatterns},
	{"what a robot gets is its message", alertMessages},
	{"an alert holds nothing that a consumer wrote", alertMembers},
	{"alerts go to the webhook and to nothing else, and end in a queue that rings", alertTargets},
}

func TestTheAlerts(t *testing.T) {
	for _, c := range alertChecks {
		t.Run(c.name, func(t *testing.T) {
			for _, fault := range c.run(loadWhole(t)) {
				t.Error(fault)
			}
		})
	}
}

// alertSamples are events, and the rule that tells of each; "" is none.
var alertSamples = []struct {
	name, rule, detailType, detail string
	holds                          []string // what the alert must say
}{
	{"a new complaint", "AlertNewRule", "ComplaintReceived",
		`{"merchant":"acme","complaint_id":"200201820200101080076610000","complaint_state":"PENDING","complaint_detail":"\"坏了\" <merchant>\\","user_complaint_times":1,` +
			`"reply_due_at":"2026-11-27T08:00:00+08:00","completion_due_at":"2026-11-29T08:00:00+08:00","via":"notification"}`,
		[]string{"acme", "200201820200101080076610000", "24 小时"}},
	{"a new complaint of which the ids are known alone", "AlertNewRule", "ComplaintReceived",
		`{"merchant":"acme","complaint_id":"2002","detail_missing":"NO_AUTH","via":"notification"}`, []string{"acme", "2002"}},
	{"a reply that comes due", "AlertDueRule", "ComplaintDue",
		`{"merchant":"acme","complaint_id":"2002","what":"reply","due_at":"2026-11-27T08:00:00+08:00","seconds_left":3600}`, []string{"2002", "reply", "即将到期"}},
	{"a completion that is due now", "AlertDueRule", "ComplaintDue",
		`{"merchant":"acme","complaint_id":"2002","what":"completion","due_at":"2026-11-27T08:00:00+08:00","seconds_left":0}`, []string{"completion", "即将到期"}},
	{"a reply that is late", "AlertLateRule", "ComplaintDue",
		`{"merchant":"acme","complaint_id":"2002","what":"reply","due_at":"2026-11-27T08:00:00+08:00","seconds_left":-1}`, []string{"2002", "reply", "已超时"}},
	{"a reply whose outcome is unknown", "AlertUnknownRule", "ComplaintReplySettled",
		`{"action":"reply","merchant":"acme","complaint_id":"2002","outcome":"unknown","code":"UPSTREAM_TIMEOUT","message":"\"","request":{"response_content":"\"您好\""}}`,
		[]string{"acme", "2002", "reply", "UPSTREAM_TIMEOUT", "结果未知"}},
	{"a completion whose outcome is unknown", "AlertUnknownRule", "ComplaintCompletionSettled",
		`{"action":"complete","merchant":"acme","complaint_id":"2002","outcome":"unknown","code":"UPSTREAM_TIMEOUT"}`, []string{"complete"}},
	{"a reply that succeeded", "", "ComplaintReplySettled", `{"merchant":"acme","complaint_id":"2002","outcome":"succeeded","code":"0000"}`, nil},
	{"a reply that was rejected", "", "ComplaintReplySettled", `{"merchant":"acme","complaint_id":"2002","outcome":"rejected","code":"3001"}`, nil},
	{"what smoke asked for", "", "ComplaintReplySettled", `{"merchant":"kesu-smoke-x","complaint_id":"2002","outcome":"unknown","code":"UPSTREAM_TIMEOUT"}`, nil},
	{"a complaint that changed", "", "ComplaintChanged", `{"merchant":"acme","complaint_id":"2002","action_type":"USER_RESPONSE"}`, nil},
}

var alertRules = []string{"AlertNewRule", "AlertDueRule", "AlertLateRule", "AlertUnknownRule"}

func alertsBehindTheirParameter(d *deployment) []string {
	var f faults
	for id, resource := range at(d.template, "Resources").(node) {
		if strings.HasPrefix(id, "Alert") != slices.Contains(behindAlerts, text(resource, "Condition")) {
			f.add("%s stands behind the condition %q", id, text(resource, "Condition"))
		}
	}
	off := resolver{d.template, map[string]string{"Watch": "on"}}
	unwatched := resolver{d.template, map[string]string{"AlertWebhookUrl": someRobot}}
	for _, condition := range behindAlerts {
		if off.condition(condition) {
			f.add("%s holds by default", condition)
		}
	}
	if unwatched.condition("AlertsOfComplaints") || !unwatched.condition("Alerts") {
		f.add("without Watch there are alerts of complaints, or none at all")
	}
	if at(d.template, "Parameters", "AlertWebhookUrl", "NoEcho") != true {
		f.add("the robot's key is shown")
	}
	return f
}

func alertPatterns(d *deployment) []string {
	var f faults
	for _, s := range alertSamples {
		var detail node
		if err := json.Unmarshal([]byte(s.detail), &detail); err != nil {
			f.add("%s: %v", s.name, err)
		}
		for _, id := range alertRules {
			pattern, _ := at(d.template, "Resources", id, "Properties", "EventPattern").(node)
			if got := matches(pattern, node{"source": "kesu", "detail-type": s.detailType, "detail": detail}); got != (id == s.rule) {
				f.add("%s takes %s: %t", id, s.name, got)
			}
			if matches(pattern, node{"source": "shop", "detail-type": s.detailType, "detail": detail}) {
				f.add("%s takes what somebody else sends", id)
			}
		}
	}
	return f
}

// robots read the body of a call as the vendors' pages describe a text message, and return its text.
//
// WeCom, with at most 2,048 bytes: https://developer.work.weixin.qq.com/document/path/91770.
// DingTalk: https://open.dingtalk.com/document/group/custom-robot-access.
// Feishu, with at most 20 KB for the whole: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.
var robots = map[string]func(body []byte) (text string, ok bool){
	"wecom": textMessage, "dingtalk": textMessage,
	"feishu": func(body []byte) (string, bool) {
		var message struct {
			Kind    string `json:"msg_type"`
			Content struct {
				Text string `json:"text"`
			} `json:"content"`
		}
		ok := strictly(body, &message) && message.Kind == "text"
		return message.Content.Text, ok
	},
}

func textMessage(body []byte) (string, bool) {
	var message struct {
		Kind string `json:"msgtype"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
	}
	ok := strictly(body, &message) && message.Kind == "text"
	return message.Text.Content, ok
}

func strictly(body []byte, into any) bool {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into) == nil
}

// alertMessages does what EventBridge does with each sample, and lets each robot read it.
func alertMessages(d *deployment) []string {
	var f faults
	kinds := words(at(d.template, "Parameters", "AlertWebhookKind", "AllowedValues"))
	f.same("robots", kinds, names(robots))
	for _, kind := range kinds {
		for _, s := range alertSamples {
			if s.rule == "" || robots[kind] == nil {
				continue
			}
			body, err := transformer(d, s.rule, map[string]string{"AlertWebhookKind": kind}).Apply(
				sandbox.Event{ID: "e1", Source: "kesu", DetailType: s.detailType, Detail: json.RawMessage(s.detail)})
			if err != nil {
				f.add("%s, %s: %v", kind, s.name, err)
				continue
			}
			said, ok := robots[kind](body)
			if !ok || len(said) > 2048 {
				f.add("%s, %s: %s is no message of that robot's", kind, s.name, body)
			}
			if !strings.HasPrefix(said, "客诉") {
				f.add("%s, %s: %q does not begin with the keyword", kind, s.name, said)
			}
			for _, word := range s.holds {
				if !strings.Contains(said, word) {
					f.add("%s, %s: %q does not say %s", kind, s.name, said, word)
				}
			}
		}
	}
	return f
}

// bounded are the members whose form Kesu bounds, so that they need no escaping inside a text.
var bounded = []string{"$.detail.merchant", "$.detail.complaint_id", "$.detail.due_at", "$.detail.what", "$.detail.action", "$.detail.code"}

func alertMembers(d *deployment) []string {
	var f faults
	for _, id := range alertRules {
		for _, path := range transformer(d, id, nil).Paths {
			if !slices.Contains(bounded, path) {
				f.add("%s tells %s, which may hold anything", id, path)
			}
			for _, s := range alertSamples {
				var detail node
				_ = json.Unmarshal([]byte(s.detail), &detail) // alertPatterns tells of a sample that is no JSON
				if s.rule == id && detail[strings.TrimPrefix(path, "$.detail.")] == nil {
					f.add("%s tells %s, which %s lacks", id, path, s.name)
				}
			}
		}
	}
	return f
}

func alertTargets(d *deployment) []string {
	var f faults
	on := resolver{d.template, map[string]string{"Watch": "on", "AlertWebhookUrl": someRobot}}
	letsIn := on.value(at(d.template, "Resources", "AlertDeadLettersPolicy", "Properties", "PolicyDocument", "Statement", 0, "Condition", "ArnEquals", "aws:SourceArn"))
	for _, id := range alertRules {
		t := at(d.template, "Resources", id, "Properties", "Targets", 0)
		if target(at(t, "Arn")) != "AlertDestination" || target(at(t, "RoleArn")) != "AlertRole" || target(at(t, "DeadLetterConfig", "Arn")) != "AlertDeadLetters" {
			f.add("%s goes to %q as %q, and ends in %q", id, target(at(t, "Arn")), target(at(t, "RoleArn")), target(at(t, "DeadLetterConfig", "Arn")))
		}
		if age := number(t, "RetryPolicy", "MaximumEventAgeInSeconds"); age == 0 || age > 3600 {
			f.add("%s is tried for %v s, when nobody needs it any more", id, age)
		}
		if !slices.ContainsFunc(list(letsIn), func(arn any) bool { return target(arn) == id }) {
			f.add("the policy of AlertDeadLetters does not let %s in", id)
		}
	}
	destination := at(d.template, "Resources", "AlertDestination", "Properties")
	if target(at(destination, "InvocationEndpoint")) != "AlertWebhookUrl" || text(destination, "HttpMethod") != "POST" {
		f.add("the destination is %v", destination)
	}
	for _, s := range statements(d.template) {
		if s.owner == "AlertRole" && (!slices.Equal(list(s.node["Action"]), []any{"events:InvokeApiDestination"}) || target(s.node["Resource"]) != "AlertDestination") {
			f.add("AlertRole may do %v to %v", s.node["Action"], s.node["Resource"])
		}
	}
	ids, alarm := ofType(d.template, "AWS::CloudWatch::Alarm")
	if !slices.Contains(ids, "AlertDeadLettersAlarm") {
		return append(f, "nobody hears of alerts that do not arrive")
	}
	described(&f, d, "AlertDeadLettersAlarm", alarm["AlertDeadLettersAlarm"])
	if target(at(alarm["AlertDeadLettersAlarm"], "Dimensions", 0, "Value")) != "AlertDeadLetters" {
		f.add("the alarm watches another queue")
	}
	return f
}

var alertFaults = []fault{
	{"alerts that are always there", func(d *deployment) { set(d.template, nil, resource("AlertDestination", "Condition")...) }, `AlertDestination stands behind the condition ""`},
	{"a webhook that is shown", func(d *deployment) { set(d.template, nil, "Parameters", "AlertWebhookUrl", "NoEcho") }, "the robot's key is shown"},
	{"alerts of complaints that nobody hears", func(d *deployment) {
		set(d.template, node{"Condition": "Alerts"}, "Conditions", "AlertsOfComplaints")
	}, "without Watch there are alerts of complaints"},
	{"late ones that are told as due", func(d *deployment) {
		set(d.template, nil, property("AlertDueRule", "EventPattern", "detail")...)
	}, "AlertDueRule takes a reply that is late: true"},
	{"due ones that are told as late", func(d *deployment) {
		set(d.template, []any{node{"numeric": []any{"<", 1.0}}}, property("AlertLateRule", "EventPattern", "detail", "seconds_left")...)
	}, "AlertLateRule takes a completion that is due now: true"},
	{"alerts of every outcome", func(d *deployment) {
		set(d.template, nil, property("AlertUnknownRule", "EventPattern", "detail", "outcome")...)
	}, "AlertUnknownRule takes a reply that succeeded: true"},
	{"alerts of smoke's", func(d *deployment) {
		set(d.template, nil, property("AlertUnknownRule", "EventPattern", "detail", "merchant")...)
	}, "AlertUnknownRule takes what smoke asked for: true"},
	{"alerts of anybody's events", func(d *deployment) { set(d.template, nil, property("AlertNewRule", "EventPattern", "source")...) }, "AlertNewRule takes what somebody else sends"},
	{"Feishu's message for the others", func(d *deployment) {
		path := property("AlertNewRule", "Targets", 0, "InputTransformer", "InputTemplate", "Fn::If")
		set(d.template, text(d.template, append(path, 1)...), append(path, 2)...)
	}, "dingtalk, a new complaint:"},
	{"an alert without the keyword", func(d *deployment) {
		path := property("AlertLateRule", "Targets", 0, "InputTransformer", "InputTemplate", "Fn::If", 1)
		set(d.template, strings.Replace(text(d.template, path...), "客诉：", "", 1), path...)
	}, "does not begin with the keyword"},
	{"an alert with what not every event has", func(d *deployment) {
		set(d.template, "$.detail.reply_due_at", property("AlertNewRule", "Targets", 0, "InputTransformer", "InputPathsMap", "due")...)
	}, "AlertNewRule tells $.detail.reply_due_at, which a new complaint of which the ids are known alone lacks"},
	{"an alert with the consumer's words", func(d *deployment) {
		set(d.template, "$.detail.complaint_detail", property("AlertNewRule", "Targets", 0, "InputTransformer", "InputPathsMap", "complaint")...)
	}, "AlertNewRule tells $.detail.complaint_detail, which may hold anything"},
	{"an alert that leads nowhere", func(d *deployment) {
		set(d.template, nil, property("AlertUnknownRule", "Targets", 0, "DeadLetterConfig")...)
	}, `AlertUnknownRule goes to "AlertDestination"`},
	{"a queue that does not let alerts in", func(d *deployment) {
		set(d.template, []any{}, property("AlertDeadLettersPolicy", "PolicyDocument", "Statement", 0, "Condition", "ArnEquals", "aws:SourceArn")...)
	}, "the policy of AlertDeadLetters does not let AlertLateRule in"},
	{"a role that may call anything", func(d *deployment) {
		set(d.template, "*", property("AlertRole", "Policies", 0, "PolicyDocument", "Statement", 0, "Resource")...)
	}, "AlertRole may do"},
	{"no alarm for alerts", func(d *deployment) { set(d.template, nil, resource("AlertDeadLettersAlarm")...) }, "nobody hears of alerts that do not arrive"},
	{"another address", func(d *deployment) {
		set(d.template, "https://example.com/", property("AlertDestination", "InvocationEndpoint")...)
	}, "the destination is"},
}

func TestEverySeededFaultOfTheAlertsIsCaught(t *testing.T) { caught(t, alertFaults, alertChecks) }

func TestWithoutAWebhookNothingOfTheAlertsIsThere(t *testing.T) {
	transformed := transform(t, root)[0]
	for id, resource := range resources(transformed, map[string]string{"Watch": "on"}) {
		for _, word := range []string{"Alert", "qyapi", "InvokeApiDestination"} {
			if all := id + asText(t, resource); strings.Contains(all, word) {
				t.Errorf("%s holds %s", id, word)
			}
		}
	}
	on := resources(transformed, map[string]string{"Watch": "on", "AlertWebhookUrl": someRobot})
	for _, id := range append([]string{"AlertDestination", "AlertConnection", "AlertRole", "AlertDeadLetters"}, alertRules...) {
		if on[id] == nil {
			t.Errorf("%s is not there with a webhook", id)
		}
	}
}

// The webhook's address stands in no file that is kept, on no command line, and in nothing that is printed.
func TestTheWebhookIsReadFromAFileAndNeverPrinted(t *testing.T) {
	folder := t.TempDir()
	webhook := filepath.Join(folder, "webhook.txt")
	for _, id := range functionIDs {
		if os.Mkdir(filepath.Join(folder, id), 0o755) != nil || os.WriteFile(filepath.Join(folder, id, "bootstrap"), nil, 0o755) != nil {
			t.Fatal("no binaries")
		}
	}
	if err := os.WriteFile(webhook, []byte(someRobot+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const program = `
import importlib.machinery, importlib.util, json, pathlib, sys
loader = importlib.machinery.SourceFileLoader("deploy", sys.argv[1])
deploy = importlib.util.module_from_spec(importlib.util.spec_from_loader("deploy", loader))
loader.exec_module(deploy)
build, given = pathlib.Path(sys.argv[2]), deploy.pairs(sys.argv[3:])
stack = deploy.Stack.__new__(deploy.Stack)
stack.now = {"Parameters": [{"ParameterKey": "AlertWebhookUrl", "ParameterValue": "****"}]}
stack.what = deploy.plan("default", given, build)
stack.show([])
print("revision", stack.what["parameters"]["Revision"])
sent = stack.parameter("AlertWebhookUrl", stack.what["parameters"]["AlertWebhookUrl"])
print("sent", "as before" if sent.get("UsePreviousValue") else len(sent["ParameterValue"]))`
	script, err := filepath.Abs(filepath.Join(root, "scripts/deploy"))
	if err != nil {
		t.Fatal(err)
	}
	run := func(arguments ...string) string {
		t.Helper()
		out, err := exec.Command(python(t), append([]string{"-B", "-c", program, script, folder}, arguments...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	given, none, empty := run("AlertWebhookUrl=file://"+webhook), run(), run("AlertWebhookUrl=")
	if strings.Contains(given, "qyapi") || !strings.Contains(given, "AlertWebhookUrl: (not shown)") || !strings.Contains(given, "sent 89") {
		t.Errorf("given: %s", given)
	}
	if strings.Contains(none, "AlertWebhookUrl") || !strings.Contains(none, "sent as before") {
		t.Errorf("not given: %s", none)
	}
	if !strings.Contains(empty, "AlertWebhookUrl: (empty)") || !strings.Contains(empty, "sent 0") {
		t.Errorf("taken away: %s", empty)
	}
	revision := func(out string) string { _, after, _ := strings.Cut(out, "revision "); return after[:64] }
	if revision(given) != revision(none) {
		t.Error("the webhook is part of the revision, which anybody may read")
	}
}
