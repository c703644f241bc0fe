package deployed

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/cfn"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

func named(t *testing.T, parameters map[string]string) map[string]sandbox.BusRule {
	t.Helper()
	rules, err := Rules(parameters)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]sandbox.BusRule{}
	for _, r := range rules {
		found[r.Name] = r
	}
	return found
}

func TestTheRulesAreThoseThatAStackWithTheseParametersHas(t *testing.T) {
	usual := named(t, nil)
	if r := usual["ReplyFunctionDirect"]; r.Target != "ReplyFunction" || r.Input != nil {
		t.Errorf("replies: %+v", r)
	}
	if r := usual["AttentionRule"]; r.Target != "AttentionQueue" {
		t.Errorf("attention: %+v", r)
	}
	for _, absent := range []string{"ReplyQueueRule", "FirstReplyRule"} {
		if _, ok := usual[absent]; ok {
			t.Errorf("%s stands although its parameter is off", absent)
		}
	}
	byQueue := named(t, map[string]string{"EventDelivery": "queue"})
	if _, ok := byQueue["ReplyFunctionDirect"]; ok || byQueue["ReplyQueueRule"].Target != "ReplyQueue" {
		t.Error("EventDelivery makes no difference")
	}
	if _, err := Rules(map[string]string{"NoSuchParameter": "x"}); err == nil {
		t.Error("a parameter that is not there is taken")
	}
}

func TestTheFirstReplyOfTheTemplateIsARequestThatTheFunctionTakes(t *testing.T) {
	rule, ok := named(t, map[string]string{"Watch": "on", "FirstReply": "您好，我们已收到您的投诉"})["FirstReplyRule"]
	if !ok || rule.Target != "ReplyQueue" || rule.Input == nil {
		t.Fatalf("there is no first reply: %+v", rule)
	}
	event := sandbox.Event{ID: "e1", Source: "kesu", DetailType: "ComplaintReceived",
		Detail: json.RawMessage(`{"merchant":"acme","complaint_id":"2002","complaint_state":"PENDING","complaint_detail":"\"<merchant>\"","user_complaint_times":2}`)}
	if !rule.Pattern.Matches(event) {
		t.Error("a complaint that waits for its first reply is not answered")
	}
	settled := event
	settled.Detail = json.RawMessage(`{"merchant":"acme","complaint_id":"2002","complaint_state":"PROCESSED"}`)
	if rule.Pattern.Matches(settled) {
		t.Error("a complaint that is settled is answered")
	}
	made, err := rule.Input.Apply(event)
	if err != nil {
		t.Fatal(err)
	}
	var request struct {
		DetailType string          `json:"detail-type"`
		Detail     json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(made, &request); err != nil || request.DetailType != wire.Reply.DetailType() {
		t.Fatalf("%v: %s", err, made)
	}
	read := wire.ReadDetail(wire.Reply, request.Detail)
	if c := read.Command; len(read.Problems) > 0 || c.Merchant != "acme" || c.ComplaintID != "2002" || c.IdempotencyKey != "first-2002-2" ||
		c.ResponseContent != "您好，我们已收到您的投诉" {
		t.Errorf("%v %+v", read.Problems, read.Command)
	}
}

func TestWhatATemplateSaysOnlyAfterDeploymentIsAnError(t *testing.T) {
	for name, target := range map[string]string{
		"a template that is made of a resource": `InputTransformer: {InputTemplate: !GetAtt Bus.Arn}`,
		"a path that is no text":                `InputTransformer: {InputPathsMap: {a: [1]}, InputTemplate: "{}"}`,
	} {
		text := "Parameters: {EventDelivery: {Default: direct}}\nResources:\n  R:\n    Type: AWS::Events::Rule\n    Properties:\n" +
			"      EventPattern: {source: [kesu]}\n      Targets:\n        - Arn: !GetAtt Queue.Arn\n          " + target + "\n"
		if _, err := rules([]byte(text), nil); err == nil || !strings.Contains(err.Error(), "R: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, broken := range []string{"", "[]", "a: b: c", "x: [1"} {
		if _, err := rules([]byte(broken), nil); err == nil {
			t.Errorf("%q is taken", broken)
		}
	}
}

func TestConditionsAndSubstitutions(t *testing.T) {
	s := &stack{template: cfn.Node{"Conditions": cfn.Node{"Both": cfn.Node{"Fn::And": []any{cfn.Node{"Condition": "One"}, cfn.Node{"Fn::Not": []any{cfn.Node{"Condition": "None"}}}}},
		"One":  cfn.Node{"Fn::Equals": []any{cfn.Node{"Ref": "A"}, "1"}},
		"None": cfn.Node{"Fn::Or": []any{cfn.Node{"Fn::Equals": []any{"x", "y"}}}}},
		"Parameters": cfn.Node{"A": cfn.Node{"Default": 1}}}}
	for name, want := range map[string]bool{"Both": true, "One": true, "None": false} {
		if s.condition(name) != want {
			t.Errorf("%s is %t", name, !want)
		}
	}
	got := s.value([]any{cfn.Node{"Fn::If": []any{"One", cfn.Node{"Fn::Sub": "a ${A} ${Bus} b"}, "no"}}, cfn.Node{"Ref": "AWS::NoValue"}, cfn.Node{"Fn::If": []any{"None", 1, cfn.Node{"x": "y"}}}})
	if list, _ := got.([]any); len(list) != 2 || list[0] != "a 1 ${Bus} b" || cfn.At(list[1], "x") != "y" {
		t.Errorf("%v", got)
	}
	if !slices.Equal([]string{cfn.LogicalID(cfn.Node{"Ref": "Q"}), cfn.LogicalID(cfn.Node{"Fn::GetAtt": []any{"Q", "Arn"}}), cfn.LogicalID("Q")}, []string{"Q", "Q", ""}) {
		t.Error("logical ids")
	}
}

func TestTheAlertsAreMessagesThatARobotTakes(t *testing.T) {
	for _, kind := range []string{"wecom", "dingtalk", "feishu"} {
		rules := named(t, map[string]string{"Watch": "on", "AlertWebhookUrl": "https://robot.invalid", "AlertWebhookKind": kind})
		for name, event := range map[string]sandbox.Event{
			"AlertNewRule":     {DetailType: "ComplaintReceived", Detail: json.RawMessage(`{"merchant":"acme","complaint_id":"c-1"}`)},
			"AlertDueRule":     {DetailType: "ComplaintDue", Detail: json.RawMessage(`{"merchant":"acme","complaint_id":"c-1","what":"reply","due_at":"x","seconds_left":60}`)},
			"AlertLateRule":    {DetailType: "ComplaintDue", Detail: json.RawMessage(`{"merchant":"acme","complaint_id":"c-1","what":"reply","due_at":"x","seconds_left":-1}`)},
			"AlertUnknownRule": {DetailType: "ComplaintReplySettled", Detail: json.RawMessage(`{"merchant":"acme","complaint_id":"c-1","outcome":"unknown","action":"reply","code":"X"}`)},
		} {
			event.Source = "kesu"
			for other, rule := range rules {
				if strings.HasPrefix(other, "Alert") && rule.Pattern.Matches(event) != (other == name) {
					t.Errorf("%s: %s and the event of %s", kind, other, name)
				}
			}
			if rules[name].Target != "AlertDestination" || rules[name].Input == nil {
				t.Errorf("%s: %s leads to %s", kind, name, rules[name].Target)
				continue
			}
			made, err := rules[name].Input.Apply(event)
			var message struct {
				MsgType  string `json:"msgtype"`
				MsgType2 string `json:"msg_type"`
				Text     struct{ Content string }
				Content  struct{ Text string }
			}
			if err != nil || json.Unmarshal(made, &message) != nil || message.MsgType+message.MsgType2 != "text" ||
				!strings.Contains(message.Text.Content+message.Content.Text, "c-1") || (kind == "feishu") != (message.Content.Text != "") {
				t.Errorf("%s: %s: %v: %s", kind, name, err, made)
			}
		}
	}
}
