package template

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestTheStackWithTheWatcherIsMadeInMotoAndAParameterReachesItsPublishedVersion(t *testing.T) {
	s := newStackInMoto(t, "WatchWarnBefore=2h", "Watch=on", "WatchMerchants=acme", "FirstReply=您好，我们已收到您的投诉", "AlertWebhookUrl="+someRobot)
	if s == nil {
		return
	}
	ids := s.deploy(0)
	var all []string
	for _, of := range s.made(ids) {
		all = append(all, of...)
	}
	for _, id := range []string{"WatchFunction", "WatchFunctionQueue", "WatchFunctionSchedule", "WatchQueue", "WatchDeadLetters", "WatchRole", "WatchLogGroup", "FirstReplyRule", "AlertDeadLetters"} {
		if !slices.Contains(all, id) {
			t.Errorf("%s was not left for moto to make", id)
		}
	}
	watch := ids["WatchFunction"]
	if got := s.versions(watch, "WATCH_WARN_BEFORE"); got != "$LATEST 4h,1h, 1 4h,1h" {
		t.Errorf("made: %s", got)
	}
	if got := s.versions(watch, "WATCH_QUEUE"); got != "$LATEST "+ids["WatchQueue"]+", 1 "+ids["WatchQueue"] {
		t.Errorf("it sweeps by %s", got)
	}
	s.deploy(1) // without another revision
	if got := s.versions(watch, "WATCH_WARN_BEFORE"); got != "$LATEST 2h, 1 4h,1h" {
		t.Errorf("updated without another revision: %s", got)
	}
	after := s.deploy(2)
	if got := s.versions(watch, "WATCH_WARN_BEFORE"); !strings.HasPrefix(got, "$LATEST 2h, ") || !strings.HasSuffix(got, "2 2h") {
		t.Errorf("updated with another revision: %s", got)
	}
	s.delivers(after)
	s.repliesFirst(after)
	s.alerts(after)
}

// repliesFirst lets moto's own transformer make the first reply, and reads it with the code that will read it.
func (s *stackInMoto) repliesFirst(ids map[string]string) {
	s.t.Helper()
	events := eventbridge.NewFromConfig(s.aws)
	s.putEvent(events, "kesu", "ComplaintReceived", `{"merchant": "acme", "complaint_id": "2002", "complaint_state": "PROCESSED", "user_complaint_times": 1}`)
	if got := s.take(ids["ReplyQueue"]); len(got) > 0 {
		s.t.Errorf("a complaint that is settled is answered: %q", got)
	}
	s.putEvent(events, "kesu", "ComplaintReceived", `{"merchant": "acme", "complaint_id": "2002", "complaint_state": "PENDING", "user_complaint_times": 2}`)
	got := s.take(ids["ReplyQueue"])
	if len(got) != 1 {
		s.t.Fatalf("a new complaint is answered by %q", got)
	}
	var event struct {
		DetailType string          `json:"detail-type"`
		Detail     json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal([]byte(got[0]), &event); err != nil || event.DetailType != wire.Reply.DetailType() {
		s.t.Fatalf("%v: %s", err, got[0])
	}
	request := wire.ReadDetail(wire.Reply, event.Detail)
	if c := request.Command; len(request.Problems) > 0 || c.Merchant != "acme" || c.ComplaintID != "2002" || c.IdempotencyKey != "first-2002-2" || c.ResponseContent != "您好，我们已收到您的投诉" {
		s.t.Errorf("%+v: %v", c, request.Problems)
	}
}

// alerts lets moto's own patterns and transformers make each alert of its sample. moto puts nothing into a call of an API
// destination, so that a queue stands in the robot's place.
func (s *stackInMoto) alerts(ids map[string]string) {
	s.t.Helper()
	d := loadWhole(s.t)
	events, queues := eventbridge.NewFromConfig(s.aws), sqs.NewFromConfig(s.aws)
	for _, kind := range []string{"wecom", "feishu"} {
		boxes := map[string]string{}
		for _, id := range alertRules {
			box, err := queues.CreateQueue(s.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(kind + id)})
			if err != nil {
				s.t.Fatal(err)
			}
			boxes[id] = aws.ToString(box.QueueUrl)
			name := aws.String(kind + id)
			pattern := asText(s.t, at(d.template, "Resources", id, "Properties", "EventPattern"))
			if _, err := events.PutRule(s.t.Context(), &eventbridge.PutRuleInput{Name: name, EventBusName: aws.String("kesu"), EventPattern: aws.String(pattern)}); err != nil {
				s.t.Fatal(err)
			}
			made := transformer(d, id, map[string]string{"AlertWebhookKind": kind})
			out, err := events.PutTargets(s.t.Context(), &eventbridge.PutTargetsInput{Rule: name, EventBusName: aws.String("kesu"), Targets: []types.Target{{Id: aws.String("robot"),
				Arn: aws.String("arn:aws:sqs:us-east-1:123456789012:" + kind + id), InputTransformer: &types.InputTransformer{InputPathsMap: made.Paths, InputTemplate: aws.String(made.Template)}}}})
			if err != nil || out.FailedEntryCount > 0 {
				s.t.Fatalf("%s: %v", id, err)
			}
		}
		s.alertsArrive(events, kind, boxes)
	}
	s.take(ids["AttentionQueue"])
	s.take(ids["SmokeQueue"])
}

// alertsArrive puts each sample on the bus and looks into all boxes.
func (s *stackInMoto) alertsArrive(events *eventbridge.Client, kind string, boxes map[string]string) {
	s.t.Helper()
	for _, sample := range alertSamples {
		s.putEvent(events, "kesu", sample.detailType, sample.detail)
		for _, id := range names(boxes) {
			got, want := s.take(boxes[id]), 0
			if id == sample.rule {
				want = 1
			}
			if len(got) != want {
				s.t.Errorf("%s to %s: %s told %d times, want %d", sample.name, kind, id, len(got), want)
				continue
			}
			for _, body := range got {
				said, ok := robots[kind]([]byte(body))
				if !ok || strings.ContainsAny(said, "<>") || !strings.HasPrefix(said, "客诉") {
					s.t.Errorf("%s to %s is %s", sample.name, kind, body)
				}
				for _, word := range sample.holds {
					if !strings.Contains(said, word) {
						s.t.Errorf("%s to %s: %q does not say %s", sample.name, kind, said, word)
					}
				}
			}
		}
	}
}
