package template

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/internal/smoke"
	"github.com/kesu-go/kesu/pkg/wire"
)

// matches tells whether EventBridge hands an event to a rule with this pattern. It knows the patterns that the template
// uses: exact values, anything-but, prefix, anything-but a prefix, and a number beside one
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html).
func matches(pattern node, event node) bool {
	for name, want := range pattern {
		switch want := want.(type) {
		case node:
			inner, ok := event[name].(node)
			if !ok || !matches(want, inner) {
				return false
			}
		case []any:
			got, there := event[name]
			if !there || !slices.ContainsFunc(want, func(w any) bool { return matchesValue(w, got) }) {
				return false
			}
		default:
			return false // EventBridge refuses such a pattern
		}
	}
	return true
}

func matchesValue(want, got any) bool {
	m, ok := want.(node)
	if !ok {
		return want == got
	}
	word, isText := got.(string)
	if prefix := text(m, "prefix"); prefix != "" {
		return isText && strings.HasPrefix(word, prefix)
	}
	if limit, ok := m["numeric"].([]any); ok && len(limit) == 2 {
		n, isNumber := got.(float64)
		least, _ := limit[1].(float64)
		return isNumber && (limit[0] == "<" && n < least || limit[0] == ">=" && n >= least)
	}
	but, excluded := m["anything-but"]
	if prefix := text(but, "prefix"); prefix != "" {
		return isText && !strings.HasPrefix(word, prefix)
	}
	return excluded && !slices.Contains(list(but), got)
}

// sampleEvents returns every EventBridge event there is a sample of: those in events/, alone or in a batch, and the settled
// events of each action and outcome.
func sampleEvents(d *deployment) map[string]node {
	samples := map[string]node{}
	for name, event := range d.events {
		if event["detail-type"] != nil {
			samples[name] = event
		}
		for _, record := range list(event["Records"]) {
			var inner node
			if json.Unmarshal([]byte(text(record, "body")), &inner) == nil && inner["detail-type"] != nil {
				samples[name+" "+text(record, "messageId")] = inner
			}
		}
	}
	for _, action := range []wire.Action{wire.Reply, wire.Complete} {
		for _, outcome := range []wire.Outcome{wire.Succeeded, wire.Rejected, wire.Retryable, wire.Unknown} {
			for name, merchant := range map[string]string{"": "acme", "smoke's ": smoke.Prefix + "x"} {
				samples[name+"settled "+string(action)+" "+string(outcome)] = node{"source": "kesu", "detail-type": action.SettledType(),
					"detail": node{"action": string(action), "merchant": merchant, "outcome": string(outcome)}}
			}
		}
		samples["foreign "+string(action)] = node{"source": "shop", "detail-type": action.SettledType(), "detail": node{"outcome": "unknown"}}
		samples["echo "+string(action)] = node{"source": "kesu", "detail-type": action.DetailType(), "detail": node{}}
	}
	samples["of another kind"] = node{"source": "aws.s3", "detail-type": "Object Created", "detail": node{}}
	return samples
}

// rule is a rule as it is written: as a resource, or as a function's event.
type rule struct {
	id, target string
	pattern    node
	state      any
	deadLetter any
	retries    bool
}

func rules(d *deployment) []rule {
	var all []rule
	ids, resources := ofType(d.template, "AWS::Events::Rule")
	for _, id := range ids {
		for _, t := range list(at(resources[id], "Targets")) {
			pattern, _ := at(resources[id], "EventPattern").(node)
			all = append(all, rule{id, target(at(t, "Arn")), pattern, at(resources[id], "State"), at(t, "DeadLetterConfig", "Arn"), at(t, "RetryPolicy") != nil})
		}
	}
	functions, properties := ofType(d.template, "AWS::Serverless::Function")
	for _, id := range functions {
		events, _ := at(properties[id], "Events").(node)
		for _, name := range names(events) {
			p := at(events, name, "Properties")
			if text(events, name, "Type") == "EventBridgeRule" {
				pattern, _ := at(p, "Pattern").(node)
				all = append(all, rule{id + name, id, pattern, at(p, "State"), at(p, "DeadLetterConfig", "Arn"), at(p, "RetryPolicy") != nil})
			}
		}
	}
	return all
}

// purposes say which events each target is for.
var purposes = map[string]func(event node) bool{
	"ReplyFunction":    func(e node) bool { return isRequest(e, wire.Reply) },
	"CompleteFunction": func(e node) bool { return isRequest(e, wire.Complete) },
	"ReplyQueue":       func(e node) bool { return isRequest(e, wire.Reply) },
	"CompleteQueue":    func(e node) bool { return isRequest(e, wire.Complete) },
	"AttentionQueue": func(e node) bool {
		outcome := wire.Outcome(text(e, "detail", "outcome"))
		return isSettled(e) && !isSmoke(e) && (outcome == wire.Rejected || outcome == wire.Unknown)
	},
	"SmokeQueue": func(e node) bool { return isSettled(e) && isSmoke(e) },
}

func isSettled(e node) bool {
	return e["source"] == "kesu" && (e["detail-type"] == wire.Reply.SettledType() || e["detail-type"] == wire.Complete.SettledType())
}

// isSmoke tells what kesu smoke asked for from what is a complaint.
func isSmoke(e node) bool { return strings.HasPrefix(text(e, "detail", "merchant"), smoke.Prefix) }

func isRequest(e node, action wire.Action) bool {
	return e["detail-type"] == action.DetailType() && e["source"] != "kesu"
}

func rulePatterns(d *deployment) []string {
	var f faults
	seen := map[string]bool{}
	samples := sampleEvents(d)
	for _, r := range rules(d) {
		purpose := purposes[r.target]
		if purpose == nil {
			f.add("%s: nobody knows which events %s is for", r.id, r.target)
			continue
		}
		seen[r.target] = true
		for _, name := range names(samples) {
			if got, want := matches(r.pattern, samples[name]), purpose(samples[name]); got != want {
				f.add("%s: the event %q should match: %t, does: %t", r.id, name, want, got)
			}
		}
	}
	f.same("targets of rules", names(seen), names(purposes))
	return f
}

// deliveries wants, for each action and each value of EventDelivery, exactly one enabled rule.
func deliveries(d *deployment) []string {
	var f faults
	for _, way := range []string{"queue", "direct"} {
		for action, function := range functionIDs {
			var live []string
			for _, r := range rules(d) {
				ours := r.target == function || r.target == strings.TrimSuffix(function, "Function")+"Queue"
				if ours && resolve(d.template, r.state, map[string]string{"EventDelivery": way}) == "ENABLED" {
					live = append(live, r.target)
				}
			}
			want := function
			if way == "queue" {
				want = strings.TrimSuffix(function, "Function") + "Queue"
			}
			if !slices.Equal(live, []string{want}) {
				f.add("EventDelivery %s: %s should be delivered to %s alone, and is to %v", way, action, want, live)
			}
		}
	}
	for _, r := range rules(d) {
		if r.target == "AttentionQueue" && r.state != "ENABLED" {
			f.add("%s is not enabled", r.id)
		}
	}
	return f
}

func ruleDeadLetters(d *deployment) []string {
	var f faults
	_, policies := ofType(d.template, "AWS::SQS::QueuePolicy")
	lets := func(queue, rule string) bool {
		for _, p := range policies {
			for _, s := range list(at(p, "PolicyDocument", "Statement")) {
				if target(at(s, "Resource")) != queue || text(s, "Effect") != "Allow" || text(s, "Principal", "Service") != "events.amazonaws.com" {
					continue
				}
				for _, arn := range list(at(s, "Condition", "ArnEquals", "aws:SourceArn")) {
					if target(arn) == rule {
						return true
					}
				}
			}
		}
		return false
	}
	for _, r := range rules(d) {
		queue := target(r.deadLetter)
		switch {
		case text(d.template, "Resources", queue, "Type") != "AWS::SQS::Queue":
			f.add("%s: no delivery dead-letter queue", r.id)
		case !lets(queue, r.id):
			f.add("%s: the policy of %s does not let it in", r.id, queue)
		case !r.retries:
			f.add("%s: no retry policy", r.id)
		}
		if text(d.template, "Resources", r.target, "Type") == "AWS::SQS::Queue" && !lets(r.target, r.id) {
			f.add("%s: the policy of its target %s does not let it in", r.id, r.target)
		}
	}
	for action, id := range functionIDs {
		invoke := at(d.template, "Resources", id, "Properties", "EventInvokeConfig")
		if end := target(at(invoke, "DestinationConfig", "OnFailure", "Destination")); text(d.template, "Resources", end, "Type") != "AWS::SQS::Queue" {
			f.add("%s: an event that came directly and failed goes nowhere", action)
		}
	}
	return f
}
