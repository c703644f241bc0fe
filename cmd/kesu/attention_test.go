package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kesu-go/kesu/internal/attention"
	"github.com/kesu-go/kesu/internal/ledger/mototest"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

// stackTemplate is the part of template.yaml that kesu attention looks at.
const stackTemplate = `{"Resources": {
 "ReplyDeadLetters": {"Type": "AWS::SQS::Queue"}, "CompleteDeadLetters": {"Type": "AWS::SQS::Queue"}, "UndeliveredEvents": {"Type": "AWS::SQS::Queue"},
 "FailedEvents": {"Type": "AWS::SQS::Queue"}, "AttentionQueue": {"Type": "AWS::SQS::Queue"}, "CompleteQueue": {"Type": "AWS::SQS::Queue"},
 "ReplyQueue": {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["ReplyDeadLetters", "Arn"]}, "maxReceiveCount": 100}}}},
 "Outputs": {
 "ReplyQueueUrl": {"Value": {"Ref": "ReplyQueue"}}, "CompleteQueueUrl": {"Value": {"Ref": "CompleteQueue"}}, "ReplyDeadLettersUrl": {"Value": {"Ref": "ReplyDeadLetters"}},
 "CompleteDeadLettersUrl": {"Value": {"Ref": "CompleteDeadLetters"}}, "UndeliveredEventsUrl": {"Value": {"Ref": "UndeliveredEvents"}},
 "FailedEventsUrl": {"Value": {"Ref": "FailedEvents"}}, "AttentionQueueUrl": {"Value": {"Ref": "AttentionQueue"}}, "BusName": {"Value": "` + sandbox.BusName + `"}}}`

// ward is a stack in moto, with a bus of the sandbox.
type ward struct {
	t       *testing.T
	queues  *sqs.Client
	outputs map[string]string
	bus     *sandbox.Bus
	env     []string
}

// newWard starts moto; nil when it is not installed, which is said in one line.
func newWard(t *testing.T) *ward {
	t.Helper()
	if _, err := exec.LookPath("moto_server"); err != nil && os.Getenv(mototest.Require) != "1" {
		t.Log("left out kesu attention: it needs moto_server (pip install 'moto[server]')")
		return nil
	}
	endpoint := mototest.Start(t)
	bus, err := sandbox.NewBus(sandbox.BusName, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	static := credentials.NewStaticCredentialsProvider("AKIDSANDBOX", "sandbox-very-secret", "")
	stacks := cloudformation.New(cloudformation.Options{BaseEndpoint: &endpoint, Region: sandbox.Region, Credentials: static})
	w := &ward{t: t, bus: bus, queues: sqs.New(sqs.Options{BaseEndpoint: &endpoint, Region: sandbox.Region, Credentials: static}), outputs: map[string]string{},
		env: []string{"AWS_REGION=" + sandbox.Region, "AWS_ACCESS_KEY_ID=AKIDSANDBOX", "AWS_SECRET_ACCESS_KEY=sandbox-very-secret", "USER=operator",
			"AWS_ENDPOINT_URL=" + endpoint, "AWS_ENDPOINT_URL_EVENTBRIDGE=" + bus.URL()}}
	if _, err := stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("kesu"), TemplateBody: aws.String(stackTemplate)}); err != nil {
		t.Fatal(err)
	}
	out, err := stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("kesu")})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out.Stacks[0].Outputs {
		w.outputs[*o.OutputKey] = *o.OutputValue
	}
	return w
}

// put puts a message into a queue and returns its id.
func (w *ward) put(output, body string, attributes map[string]string) string {
	w.t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: aws.String(w.outputs[output]), MessageBody: &body, MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, value := range attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	out, err := w.queues.SendMessage(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.MessageId
}

// take empties a queue and returns what was in it.
func (w *ward) take(output string) []string {
	w.t.Helper()
	var bodies []string
	for {
		out, err := w.queues.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(w.outputs[output]), MaxNumberOfMessages: 10})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			if _, err := w.queues.DeleteMessage(w.t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(w.outputs[output]), ReceiptHandle: m.ReceiptHandle}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func (w *ward) attention(stdin string, args ...string) outcome {
	w.t.Helper()
	o := process{args: append([]string{"attention"}, args...), env: w.env, stdin: stdin}.run(w.t)
	o.hides(w.t, "sandbox-very-secret")
	return o
}

func (w *ward) items(args ...string) []attention.Item {
	w.t.Helper()
	o := w.attention("", append([]string{"list", "--json", "--stack", "kesu"}, args...)...)
	var found struct{ Items []attention.Item }
	if err := json.Unmarshal([]byte(o.out), &found); err != nil || o.code != 0 {
		w.t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	return found.Items
}

const replyBody = `{"response_content":"已与用户沟通解决","idempotency_key":"k1"}`

// settledEvent is what the bus would put into the attention queue.
func settledEvent(t *testing.T, action wire.Action, outcome wire.Outcome, code string) string {
	t.Helper()
	request := wire.ReadDetail(action, []byte(`{"merchant":"acme","complaint_id":"2001",`+strings.TrimPrefix(map[wire.Action]string{wire.Reply: replyBody, wire.Complete: `{"idempotency_key":"k"}`}[action], "{")))
	if len(request.Problems) > 0 {
		t.Fatal(request.Problems)
	}
	result := request.Command.NewResult(outcome, code, "something \x1b[31m 13812345678", time.Now())
	result.TransactionID = request.Command.UpstreamTransactionID()
	detail, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"version":"0","source":"kesu","detail-type":%q,"detail":%s}`, action.SettledType(), detail)
}

func TestAttention(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	if w == nil {
		return
	}
	const replyEvent = `{"version":"0","detail-type":"ComplaintReplyRequested","source":"shop","detail":{"merchant":"acme","complaint_id":"2002","response_content":"已处理"}}`
	const completeEvent = `{"version":"0","detail-type":"ComplaintCompletionRequested","source":"shop","detail":{"merchant":"acme","complaint_id":"2003"}}`
	unknown := w.put("AttentionQueueUrl", settledEvent(t, wire.Reply, wire.Unknown, "UPSTREAM_TIMEOUT"), nil)
	rejected := w.put("AttentionQueueUrl", settledEvent(t, wire.Complete, wire.Rejected, "PARAM_ERROR"), nil)
	dead := w.put("ReplyDeadLettersUrl", replyEvent, nil)
	undelivered := w.put("UndeliveredEventsUrl", completeEvent, map[string]string{"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "not allowed"})
	lostResult := w.put("UndeliveredEventsUrl", settledEvent(t, wire.Reply, wire.Rejected, "3001"), map[string]string{"ERROR_CODE": "THROTTLING"})
	failedEvent := w.put("FailedEventsUrl", `{"version":"1.0","requestContext":{"condition":"RetriesExhausted"},"requestPayload":`+completeEvent+`,"responsePayload":{"errorType":"SECRETS_UNAVAILABLE","errorMessage":"no"}}`, nil)
	strange := w.put("FailedEventsUrl", "not JSON", nil)

	reasons := map[string]string{unknown: "unknown: UPSTREAM_TIMEOUT", rejected: "rejected: PARAM_ERROR", dead: "gave it up", undelivered: "NO_PERMISSIONS not allowed",
		lostResult: "rejected: 3001", failedEvent: "(RetriesExhausted): SECRETS_UNAVAILABLE no", strange: "not an event that can be read"}
	items := w.items()
	for id, reason := range reasons {
		n := slices.IndexFunc(items, func(i attention.Item) bool { return i.ID == id })
		if n < 0 || !strings.Contains(items[n].Reason, reason) || items[n].AgeSeconds > 60 || items[n].Since.IsZero() {
			t.Errorf("%s (%s) is listed as %+v", id, reason, items)
		}
		if n >= 0 && strings.ContainsAny(items[n].Reason, "\x1b") || n >= 0 && strings.Contains(items[n].Reason, "13812345678") {
			t.Errorf("%q", items[n].Reason)
		}
	}
	if again := w.items(); len(again) != len(reasons) || len(items) != len(reasons) {
		t.Fatalf("looking took messages out: %d, then %d", len(items), len(again))
	}
	t.Run("list in text", func(t *testing.T) {
		o := w.attention("", "--stack", "kesu")
		if o.code != 0 || !strings.Contains(o.out, unknown[:8]) || !strings.Contains(o.out, "reply dead letters") || !strings.Contains(o.out, "7 messages.") || strings.Contains(o.out, "\x1b") {
			t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
	})
	t.Run("show", func(t *testing.T) {
		o := w.attention("", "show", "--stack", "kesu", unknown[:12])
		if o.code != 0 || !strings.Contains(o.out, "answer --drop if the reply is there") || !strings.Contains(o.out, `"transaction_id"`) || strings.Contains(o.out, "\x1b") {
			t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
		o = w.attention("", "show", "--json", "--stack", "kesu", undelivered)
		if o.code != 0 || !strings.Contains(o.out, `"ERROR_CODE": "NO_PERMISSIONS"`) || !strings.Contains(o.out, `"complaint_id": "2003"`) {
			t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
	})
	t.Run("refusals change nothing", func(t *testing.T) { w.refuses(t, unknown, rejected, dead, strange) })
	t.Run("answer", func(t *testing.T) { w.answers(t, unknown, rejected) })
	t.Run("redrive", func(t *testing.T) {
		o := w.attention("", "redrive", "--queue", w.outputs["ReplyDeadLettersUrl"], "--yes", "--json", dead)
		if o.code != 0 || !strings.Contains(o.out, "put back") {
			t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
		if got := w.take("ReplyQueueUrl"); len(got) != 1 || got[0] != replyEvent {
			t.Errorf("the reply queue has %q", got)
		}
		if o = w.attention("y\n", "redrive", "--stack", "kesu", "--all"); o.code != 0 || !strings.Contains(o.errors, "Put 2 requests back") {
			t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
		if got := w.take("CompleteQueueUrl"); len(got) != 2 || got[0] != completeEvent || got[1] != completeEvent {
			t.Errorf("the queue for completions has %q", got)
		}
		if o = w.attention("", "redrive", "--stack", "kesu", "--yes", lostResult); o.code != 0 || len(w.take("AttentionQueueUrl")) != 1 {
			t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
		if o = w.attention("", "redrive", "--stack", "kesu", "--all"); o.code != 0 || o.out != "There was nothing to do.\n" {
			t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
	})
	t.Run("the words of a result", func(t *testing.T) { w.resendsWhatTheEventTells(t) })
	t.Run("what nobody can read", func(t *testing.T) {
		o := w.attention("", "answer", "--stack", "kesu", "--drop", "--note", "no idea", "--yes", strange)
		if o.code != 0 || len(w.items()) != 0 {
			t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
		if o = w.attention("", "list", "--stack", "kesu"); o.out != "✓ nothing waits for a person in 5 queues\n" {
			t.Errorf("%s", o.out)
		}
	})
	t.Run("many", func(t *testing.T) {
		for range 25 {
			w.put("CompleteDeadLettersUrl", completeEvent, nil)
		}
		if items := w.items(); len(items) != 25 {
			t.Errorf("%d of 25 are listed", len(items))
		}
		if items := w.items("--limit", "12"); len(items) != 12 {
			t.Errorf("%d of 12 are listed", len(items))
		}
		if o := w.attention("", "redrive", "--stack", "kesu", "--all", "--yes"); o.code != 0 || len(w.take("CompleteQueueUrl")) != 25 || len(w.items()) != 0 {
			t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
	})
}

// refuses tries what must not be done.
func (w *ward) refuses(t *testing.T, unknown, rejected, dead, strange string) {
	other := file(t, "other.json", `{"response_content":"其他","idempotency_key":"k2"}`)
	for _, test := range []struct {
		name, stdin string
		args        []string
		says        string
		code        int
	}{
		{"saying no", "n\n", []string{"redrive", "--stack", "kesu", dead}, "nothing was done", 1},
		{"saying nothing", "", []string{"redrive", "--stack", "kesu", dead}, "give --yes in a script", 1},
		{"redriving a result", "", []string{"redrive", "--stack", "kesu", "--yes", unknown}, "is not a request", 1},
		{"redriving what nobody can read", "", []string{"redrive", "--stack", "kesu", "--yes", strange}, "is not a request", 1},
		{"redriving nothing", "", []string{"redrive", "--stack", "kesu"}, "which messages", 2},
		{"resending other words", "", []string{"answer", "--stack", "kesu", "--yes", "--resend", "--file", other, unknown}, "is not the request that was sent", 1},
		{"resending without words", "", []string{"answer", "--stack", "kesu", "--yes", "--resend", unknown}, "--file", 2},
		{"resending about another complaint", `{"complaint_id":"1"}`, []string{"answer", "--stack", "kesu", "--yes", "--resend", "--file", "-", unknown}, "another complaint", 1},
		{"resending what was rejected", "", []string{"answer", "--stack", "kesu", "--yes", "--resend", "--file", other, rejected}, "is not an unknown reply", 1},
		{"dropping without a word", "", []string{"answer", "--stack", "kesu", "--yes", "--drop", unknown}, "--note", 2},
		{"both at once", "", []string{"answer", "--stack", "kesu", "--drop", "--resend", unknown}, "--drop", 2},
		{"neither of both", "", []string{"answer", "--stack", "kesu", unknown}, "--resend or --drop", 2},
		{"an id that is none", "", []string{"show", "--stack", "kesu", "nothing"}, "there is no message", 1},
		{"a stack that is none", "", []string{"list", "--stack", "nothing"}, "look up the stack nothing", 1},
		{"a queue that is none", "", []string{"list", "--queue", w.outputs["ReplyQueueUrl"] + "x"}, "look at the queue", 1},
		{"no queues", "", []string{"list"}, "which queues", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			if o := w.attention(test.stdin, test.args...); o.code != test.code || !strings.Contains(o.errors, test.says) || o.out != "" {
				t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
			}
		})
	}
	if items := w.items(); len(items) != 7 || len(w.take("ReplyQueueUrl")) != 0 || len(w.bus.Events()) != 0 {
		t.Errorf("something was changed: %d messages are left", len(items))
	}
}

// resendsWhatTheEventTells sends the request again that a settled event holds, and nothing that is another.
func (w *ward) resendsWhatTheEventTells(t *testing.T) {
	told := func(request string) string {
		event := settledEvent(t, wire.Reply, wire.Unknown, "UPSTREAM_TIMEOUT")
		return w.put("AttentionQueueUrl", strings.TrimSuffix(event, "}}")+`,"request":`+request+"}}", nil)
	}
	same := `{"merchant":"acme","complaint_id":"2001",` + strings.TrimPrefix(replyBody, "{")
	other := told(strings.Replace(same, `"k1"`, `"k2"`, 1))
	if o := w.attention("", "answer", "--stack", "kesu", "--resend", "--yes", other); o.code != 1 || !strings.Contains(o.errors, "the event's request is not the request that was sent") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	if o := w.attention("", "answer", "--stack", "kesu", "--drop", "--note", "another", "--yes", other); o.code != 0 {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	unknown := told(same)
	if o := w.attention("", "show", "--stack", "kesu", unknown); o.code != 0 || !strings.Contains(o.out, "已与用户沟通解决") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	if o := w.attention("y\n", "answer", "--stack", "kesu", "--resend", unknown); o.code != 0 || !strings.Contains(o.errors, "it will be seen twice. [y/N]") {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	sent := w.take("ReplyQueueUrl")
	if len(sent) != 1 {
		t.Fatalf("the reply queue has %q", sent)
	}
	var event sandbox.Event
	if err := json.Unmarshal([]byte(sent[0]), &event); err != nil {
		t.Fatalf("%v %s", err, sent[0])
	}
	request := wire.ReadDetail(wire.Reply, event.Detail)
	if c := request.Command; len(request.Problems) > 0 || !c.ResendUnknown || c.ResponseContent != "已与用户沟通解决" || c.IdempotencyKey != "k1" {
		t.Errorf("%+v", request)
	}
}

// answers settles the unknown reply and the rejected completion.
func (w *ward) answers(t *testing.T, unknown, rejected string) {
	o := w.attention("y\n", "answer", "--stack", "kesu", "--resend", "--file", file(t, "reply.json", replyBody), unknown)
	if o.code != 0 || !strings.Contains(o.out, "sent again") || !strings.Contains(o.errors, "it will be seen twice. [y/N]") {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	sent := w.take("ReplyQueueUrl")
	if len(sent) != 1 {
		t.Fatalf("the reply queue has %q", sent)
	}
	var event sandbox.Event
	if err := json.Unmarshal([]byte(sent[0]), &event); err != nil || event.DetailType != "ComplaintReplyRequested" {
		t.Fatalf("%v %s", err, sent[0])
	}
	request := wire.ReadDetail(wire.Reply, event.Detail)
	if c := request.Command; len(request.Problems) > 0 || !c.ResendUnknown || c.Merchant != "acme" || c.ComplaintID != "2001" || c.ResponseContent != "已与用户沟通解决" || c.IdempotencyKey != "k1" {
		t.Errorf("%+v", request)
	}
	o = w.attention("", "answer", "--stack", "kesu", "--drop", "--note", "called", "--yes", rejected)
	if o.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	record, err := w.bus.Wait(ctx, func(e sandbox.Event) bool { return e.DetailType == "ComplaintAttended" })
	if err != nil || record.Source == "kesu" {
		t.Fatalf("%v %+v", err, record)
	}
	for _, part := range []string{`"note":"called"`, `"by":"operator"`, `"code":"PARAM_ERROR"`, `"complaint_id":"2001"`, `"merchant":"acme"`} {
		if !strings.Contains(string(record.Detail), part) {
			t.Errorf("the record lacks %s: %s", part, record.Detail)
		}
	}
	if items := w.items(); len(items) != 5 {
		t.Errorf("%d messages are left", len(items))
	}
}
