package lambdaio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// command is a bare completion; the pipeline gives it the outcome that its complaint names.
func command(complaint string) string {
	return fmt.Sprintf(`{"merchant":"acme","complaint_id":%q}`, complaint)
}

// The ways in which one thing is wrapped around another.
func inSNS(text string) string {
	return `{"Type":"Notification","MessageId":"n-1","TopicArn":"arn:aws:sns:ap-east-1:1:crm","Message":` + quote(text) + `}`
}

func inFailure(payload string) string {
	return `{"version":"1.0","requestContext":{"requestId":"r","condition":"RetriesExhausted"},"requestPayload":` + payload + `,"responsePayload":null}`
}

func queued(body string) string {
	return `{"messageId":"m-1","receiptHandle":"h-1","body":` + quote(body) + `,"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:ap-east-1:1:completions"}`
}

func published(message string) string {
	return `{"EventSource":"aws:sns","EventVersion":"1.0","Sns":{"Type":"Notification","MessageId":"n-1","Message":` + quote(message) + `}}`
}

func records(all ...string) string { return `{"Records":[` + strings.Join(all, ",") + `]}` }

// invoke gives the answer of an invocation, or the type of its error.
func invoke(t *testing.T, h *Handler, payload string) (answer, errorType string) {
	t.Helper()
	out, err := h.Invoke(t.Context(), []byte(payload))
	var failed messages.InvokeResponse_Error
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("the error is %v", err)
	}
	return string(out), failed.Type
}

// What stands in a record, and in nothing else, may be wrapped up to three times.
func TestARecordsEventOrCommandIsFoundWithinItsLayers(t *testing.T) {
	ok := event(wire.Complete, "ok")
	for _, tt := range []struct {
		name, body string
		read       bool
		eventID    string
	}{
		{"an event", ok, true, eventID},
		{"a bare command", command("ok"), true, ""},
		{"an event with white space around it", "\n " + ok + "\r\n", true, eventID},
		{"an SNS envelope around an event", inSNS(ok), true, eventID},
		{"an SNS envelope around a command", inSNS(command("ok")), true, ""},
		{"a failure record around an event", inFailure(ok), true, eventID},
		{"a failure record around a command", inFailure(command("ok")), true, ""},
		{"a failure record around an event's text", inFailure(quote(ok)), true, eventID},
		{"JSON in JSON", quote(ok), true, eventID},
		{"JSON in JSON, with white space before it", " " + quote(ok), true, eventID},
		{"JSON in JSON in JSON", quote(quote(ok)), true, eventID},
		{"three layers of one kind", quote(quote(quote(ok))), true, eventID},
		{"three layers of three kinds", inFailure(quote(inSNS(ok))), true, eventID},
		{"three layers in another order", inSNS(quote(inFailure(command("ok")))), true, ""},
		{"three envelopes", inSNS(inSNS(inSNS(ok))), true, eventID},
		{"an event whose detail is a string", `{"id":"e","detail-type":"ComplaintCompletionRequested","detail":` + quote(command("ok")) + `}`, true, "e"},
		{"an event whose detail is a string, within three layers", quote(quote(quote(`{"detail-type":"ComplaintCompletionRequested","detail":` + quote(command("ok")) + `}`))), true, ""},

		{"four layers", quote(quote(quote(quote(ok)))), false, ""},
		{"four layers of several kinds", inSNS(inFailure(quote(inSNS(ok)))), false, ""},
		{"an array", "[" + ok + "]", false, ""},
		{"a failure record around an array", inFailure("[" + ok + "]"), false, ""},
		{"records", records(queued(ok)), false, ""},
		{"an envelope around records", inSNS(records(queued(ok))), false, ""},
		{"S3's test event", `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`, false, ""},
		{"an envelope that is no notification", strings.Replace(inSNS(ok), "Notification", "SubscriptionConfirmation", 1), false, ""},
		{"an envelope without a text", `{"Type":"Notification","Message":{"merchant":"acme","complaint_id":"ok"}}`, false, ""},
		{"a failure record around nothing", inFailure("null"), false, ""},
		{"an entry of PutEvents", `{"DetailType":"ComplaintCompletionRequested","Detail":` + quote(command("ok")) + `}`, false, ""},
		{"a detail that is a string twice", `{"id":"e","detail-type":"ComplaintCompletionRequested","detail":` + quote(quote(command("ok"))) + `}`, false, "e"},
		{"words", "not JSON", false, ""},
		{"nothing", "", false, ""},
		{"an HTTP event", `{"rawPath":"/merchants/acme/complaints/ok/complete","requestContext":{}}`, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handler, d, bus := newHandler(wire.Complete)
			for _, in := range []struct {
				name, payload, message string
				readable, unreadable   string // the answer, or the error's type
			}{
				{"a queue", records(queued(tt.body)), "m-1", `{"batchItemFailures":[]}`, `{"batchItemFailures":[{"itemIdentifier":"m-1"}]}`},
				{"a topic", records(published(tt.body)), "n-1", "", wire.CodeUnreadableEvent},
				{"an array of a queue's records", "[" + queued(tt.body) + "]", "m-1", `{"batchItemFailures":[]}`, `{"batchItemFailures":[{"itemIdentifier":"m-1"}]}`},
			} {
				d.requests, bus.published = nil, nil
				answer, errorType := invoke(t, handler, in.payload)
				want := in.unreadable
				if tt.read {
					want = in.readable
				}
				if answer != want && errorType != want && !(tt.read && in.name == "a topic" && strings.HasPrefix(answer, `[{"action":"complete"`)) {
					t.Errorf("%s: %s, %s", in.name, answer, errorType)
				}
				if !tt.read {
					if len(d.requests) != 0 {
						t.Errorf("%s: it was carried out", in.name)
					}
					continue
				}
				if len(d.requests) != 1 || len(bus.published) != 1 {
					t.Fatalf("%s: %d requests, %d settled events", in.name, len(d.requests), len(bus.published))
				}
				c, wantKey := d.requests[0].Command, tt.eventID
				if wantKey == "" {
					wantKey = in.message
				}
				if c.Origin != (wire.Origin{Event: true, EventID: tt.eventID, MessageID: in.message}) || c.Delivery != wantKey ||
					c.IdempotencyKey != wantKey || c.ComplaintID != "ok" {
					t.Errorf("%s: %+v", in.name, c)
				}
				if r := bus.published[0]; r.EventID != tt.eventID || r.MessageID != in.message {
					t.Errorf("%s: the settled event names %q, %q", in.name, r.EventID, r.MessageID)
				}
			}
		})
	}
}

// At the top level and in an array nothing is unwrapped.
func TestNothingElseIsUnwrapped(t *testing.T) {
	ok := event(wire.Complete, "ok")
	for name, payload := range map[string]string{
		"an envelope":                             inSNS(ok),
		"a failure record":                        inFailure(ok),
		"an envelope in an array":                 "[" + inSNS(ok) + "]",
		"a failure record in an array":            "[" + inFailure(ok) + "]",
		"JSON in JSON":                            quote(ok),
		"JSON in JSON in an array":                "[" + quote(ok) + "]",
		"SNS's record in an array":                "[" + published(ok) + "]",
		"an HTTP event in an array":               `[{"rawPath":"/merchants/acme/complaints/ok/complete","requestContext":{}}]`,
		"records in an array":                     "[" + records(queued(ok)) + "]",
		"an array in an array":                    "[[" + ok + "]]",
		"a queue's record beside an event":        "[" + queued(ok) + "," + ok + "]",
		"records of Kinesis":                      `{"Records":[{"eventSource":"aws:kinesis","kinesis":{"data":"e30="}}]}`,
		"records of DynamoDB":                     `{"Records":[{"eventSource":"aws:dynamodb","dynamodb":{}}]}`,
		"records of S3":                           `{"Records":[{"eventSource":"aws:s3","s3":{}}]}`,
		"records of CloudFront":                   `{"Records":[{"cf":{}}]}`,
		"records of SNS and Kinesis":              `{"Records":[` + published(ok) + `,{"eventSource":"aws:kinesis"}]}`,
		"a record of SNS without a message":       `{"Records":[{"EventSource":"aws:sns","Sns":{}}]}`,
		"S3's test event":                         `{"Service":"Amazon S3","Event":"s3:TestEvent"}`,
		"records that are an object":              `{"Records":{}}`,
		"records that are a text":                 `{"Records":"[]"}`,
		"an array that breaks off":                "[" + ok,
		"an array with more behind it":            "[]x",
		"nothing":                                 "",
		"null":                                    "null",
		"a text":                                  `"a"`,
		"a number":                                "7",
		"true":                                    "true",
		"an object that breaks off":               `{"merchant":"acme"`,
		"an object of nobody's":                   `{"a":1}`,
		"a command in another case":               `{"Merchant":"acme","Complaint_id":"ok"}`,
		"an HTTP event that a function failed on": inFailure(`{"rawPath":"/merchants/acme/complaints/ok/complete"}`),
		"a scheduled event":                       `{"id":"e","detail-type":"Scheduled Event","detail":{}}`,
		"an event without a detail":               `{"id":"e","detail-type":"ComplaintCompletionRequested"}`,
		"an event whose detail is a number":       `{"id":"e","detail-type":"ComplaintCompletionRequested","detail":7}`,
		"an event whose detail is null":           `{"id":"e","detail-type":"ComplaintCompletionRequested","detail":null}`,
		"an event whose detail is an array":       `{"id":"e","detail-type":"ComplaintCompletionRequested","detail":[{"merchant":"acme","complaint_id":"ok"}]}`,
		"an event without a merchant":             `{"detail-type":"ComplaintCompletionRequested","detail":{"complaint_id":"ok"}}`,
		"an event without a complaint":            `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme"}}`,
		"an event whose merchant is empty":        `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"","complaint_id":"ok"}}`,
		"an event whose merchant is an object":    `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":{},"complaint_id":"ok"}}`,
		"an event whose complaint is a number":    `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":7}}`,
		"an empty command in an array":            "[{}]",
		"null in an array":                        "[null]",
		"a batch of nobody's records":             records(`{"cf":{}}`, `{"cf":{}}`),
	} {
		t.Run(name, func(t *testing.T) {
			handler, d, bus := newHandler(wire.Complete)
			answer, errorType := invoke(t, handler, payload)
			if errorType != wire.CodeUnreadableEvent || answer != "" {
				t.Errorf("%s, %q", answer, errorType)
			}
			for _, r := range d.requests {
				if len(bus.published) == 0 || r.Command.ComplaintID != "ok" {
					t.Errorf("it was carried out: %+v", r)
				}
			}
		})
	}
}

func TestAnArrayIsAnsweredAsAWhole(t *testing.T) {
	ok := event(wire.Complete, "ok")
	for _, tt := range []struct {
		name, payload string
		want          string // the outcomes, or an answer, or an error's type
	}{
		{"nothing", "[]", "[]"},
		{"nothing, with white space", " [ ] \n", "[]"},
		{"one event", "[" + ok + "]", "succeeded"},
		{"events and commands, in their order", "[" + ok + "," + command("rejected") + "," + command("ok") + "]", "succeeded rejected succeeded"},
		{"one that is malformed and names whom it is about", "[" + command("not an id!") + "]", "rejected"},
		{"one that comes again", "[" + ok + "," + command("retryable") + "," + ok + "]", wire.CodeUpstreamUnreachable},
		{"two that come again: the first code", "[" + command("later") + "," + command("retryable") + "]", wire.CodeRateLimited},
		{"one that cannot be read: the first code", "[7," + command("retryable") + "]", wire.CodeUnreadableEvent},
		{"one that comes again before one that cannot be read", "[" + command("retryable") + ",7]", wire.CodeUpstreamUnreachable},
		{"a queue's records", "[" + queued(command("retryable")) + "," + strings.ReplaceAll(queued(ok), "m-1", "m-2") + "]", `{"batchItemFailures":[{"itemIdentifier":"m-1"}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handler, d, bus := newHandler(wire.Complete)
			answer, errorType := invoke(t, handler, tt.payload)
			got := answer
			var results []wire.Result
			if json.Unmarshal([]byte(answer), &results) == nil && len(results) > 0 {
				var outcomes []string
				for _, r := range results {
					outcomes = append(outcomes, string(r.Outcome))
				}
				got = strings.Join(outcomes, " ")
			}
			if got != tt.want && errorType != tt.want {
				t.Errorf("%s, %q", answer, errorType)
			}
			for _, r := range d.requests {
				if !r.Command.Event {
					t.Errorf("it did not come as an event: %+v", r.Command)
				}
			}
			if len(results) > 0 && len(bus.published) != len(results) {
				t.Errorf("%d results and %d settled events", len(results), len(bus.published))
			}
		})
	}
}

// What names its merchant and its complaint and can never succeed is settled, whatever is wrong with it.
func TestAnEventThatNamesWhomItIsAboutIsSettled(t *testing.T) {
	long := strings.Repeat("x", 65)
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for _, tt := range []struct {
		name, payload       string
		merchant, complaint string
		pointer             string
	}{
		{"a merchant of a wrong form", event(wire.Complete, "ok!"), "acme", "ok!", "/complaint_id"},
		{"names that are too long are cut", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"` + long + `","complaint_id":"` + long + `"}}`, long[:64], long[:64], "/merchant"},
		{"names that are no ASCII are cut by characters", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"` + strings.Repeat("商", 70) + `","complaint_id":"1"}}`, strings.Repeat("商", 64), "1", "/merchant"},
		{"a name that is a phone number with words is masked", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"call 13800138000","complaint_id":"1"}}`, "call ***", "1", "/merchant"},
		{"a detail that is nested too deep", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":"1","x":` + deep + `}}`, "acme", "1", ""},
		{"an event that is nested too deep elsewhere is carried out", `{"detail-type":"ComplaintCompletionRequested","x":` + deep + `,"detail":{"merchant":"acme","complaint_id":"ok"}}`, "acme", "ok", "-"},
		{"a detail over 64 KiB", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":"1","x":"` + strings.Repeat("x", wire.MaxBody) + `"}}`, "acme", "1", ""},
		{"a name that stands twice: the first", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":"1","merchant":"other"}}`, "acme", "1", "/merchant"},
		{"a name that stands twice, the first time as a number", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":7,"complaint_id":"1","merchant":"other"}}`, "other", "1", "/merchant"},
		{"a name that stands twice, both times of a wrong form: the first", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"a b","complaint_id":"1","merchant":"c d"}}`, "a b", "1", "/merchant"},
		{"another detail-type", `{"detail-type":"Anything","detail":{"merchant":"acme","complaint_id":"1"}}`, "acme", "1", "/detail-type"},
		{"the other function's detail-type", event(wire.Reply, "1"), "acme", "1", "/detail-type"},
		{"no detail-type", `{"detail":{"merchant":"acme","complaint_id":"1"}}`, "acme", "1", "/detail-type"},
		{"a detail-type that is a list", `{"detail-type":[],"detail":{"merchant":"acme","complaint_id":"1"}}`, "acme", "1", "/detail-type"},
		{"a detail that stands twice", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":"1"},"detail":{"merchant":"b","complaint_id":"2"}}`, "acme", "1", "/detail"},
		{"an unknown member", `{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":"1","colour":1}}`, "acme", "1", "/colour"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, payload := range []string{tt.payload, "[" + tt.payload + "]", records(queued(tt.payload)), records(published(tt.payload))} {
				handler, d, bus := newHandler(wire.Complete)
				if answer, errorType := invoke(t, handler, payload); errorType != "" || strings.Contains(answer, "itemIdentifier") {
					t.Fatalf("%.60s: %s, %s", payload, answer, errorType)
				}
				if len(bus.published) != 1 || len(d.requests) != 1 {
					t.Fatalf("%.60s: %d settled events", payload, len(bus.published))
				}
				r := bus.published[0]
				if r.Merchant != tt.merchant || r.ComplaintID != tt.complaint {
					t.Errorf("%.60s: it is about %q, %q", payload, r.Merchant, r.ComplaintID)
				}
				if tt.pointer == "-" {
					continue
				}
				if r.Code != wire.CodeInvalidRequest || r.Errors[0].Pointer != tt.pointer {
					t.Errorf("%.60s: %+v", payload, r)
				}
			}
		})
	}
}

// The settled event says what was asked for where a person has to do something about it.
func TestASettledEventHasTheRequestWhenAPersonMustLook(t *testing.T) {
	as := func(action wire.Action, complaint string) (string, string) {
		members := command(complaint)
		if action == wire.Reply {
			members = `{"merchant":"acme","complaint_id":"` + complaint + `","response_content":"a\r\nb"}`
		}
		return members, `{"id":"e","detail-type":"` + action.DetailType() + `","detail":` + members + `}`
	}
	for _, tt := range []struct {
		name      string
		action    wire.Action
		complaint string
		told      bool
	}{
		{"rejected", wire.Complete, "rejected", true},
		{"wrong", wire.Complete, "not an id!", true},
		{"an unknown reply", wire.Reply, "unknown", true},
		{"succeeded", wire.Reply, "ok", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			members, payload := as(tt.action, tt.complaint)
			twice := strings.Replace(payload, members, quote(members), 1)
			for _, p := range []string{payload, twice, records(queued(members)), "[" + members + "]"} {
				handler, _, bus := newHandler(tt.action)
				if _, errorType := invoke(t, handler, p); errorType != "" {
					t.Fatal(errorType)
				}
				want := ""
				if tt.told {
					want = members
				}
				if len(bus.requests) != 1 || bus.requests[0] != want {
					t.Errorf("%s: %q", p, bus.requests)
				}
			}
		})
	}
	t.Run("one that no bus takes is left out", func(t *testing.T) {
		handler, _, bus := newHandler(wire.Complete)
		members := `{"merchant":"acme","complaint_id":"1","x":"` + strings.Repeat("x", requestMax) + `"}`
		if _, errorType := invoke(t, handler, records(queued(members))); errorType != "" || bus.requests[0] != "" || bus.published[0].Merchant != "acme" {
			t.Errorf("%s, %d bytes", errorType, len(bus.requests[0]))
		}
	})
}

// Every line about an event names it, readable or not; an id that is not fit to be shown is left out.
func TestEveryLineOfAnEventNamesIt(t *testing.T) {
	var out bytes.Buffer
	handler, _, bus := newHandler(wire.Complete)
	handler.Log = telemetry.NewLogger(&out, slog.LevelDebug)
	bus.err = errors.New("down")
	odd := strings.Repeat("x", 129)
	batch := records(
		strings.ReplaceAll(queued("no event"), "m-1", "m-1"),
		strings.ReplaceAll(queued(`{"id":"e-2"}`), "m-1", "m-2"),
		strings.ReplaceAll(queued(`{"id":"e-3","detail-type":"ComplaintCompletionRequested","detail":{}}`), "m-1", "m-3"),
		strings.ReplaceAll(queued(`{"id":"e-4","detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":"ok"}}`), "m-1", "m-4"),
		strings.ReplaceAll(queued(`{"id":"`+odd+`","detail":{}}`), "m-1", "消息"),
		`{"messageId":"m-6","body":{},"eventSource":"aws:sqs"}`,
	)
	answer, _ := invoke(t, handler, batch)
	if strings.Count(answer, "itemIdentifier") != 6 || !strings.Contains(answer, `"消息"`) {
		t.Errorf("%s", answer)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		var l struct {
			Event   string `json:"event_id"`
			Message string `json:"message_id"`
			Code    string `json:"code"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		got = append(got, l.Code+" "+l.Event+" "+l.Message)
	}
	slices.Sort(got)
	want := []string{"RESULT_NOT_PUBLISHED e-4 m-4", "UNREADABLE_EVENT  ", "UNREADABLE_EVENT  m-1", "UNREADABLE_EVENT  m-6", "UNREADABLE_EVENT e-2 m-2", "UNREADABLE_EVENT e-3 m-3"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, payload := range []string{`{"id":"e-7","detail":{}}`, `[{"id":"e-7"}]`, `{"id":"e-7","detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":"retryable"}}`} {
		if _, err := handler.Invoke(t.Context(), []byte(payload)); err == nil || !strings.Contains(err.Error(), "event_id e-7") {
			t.Errorf("the error of %s does not name the event: %v", payload, err)
		}
	}
}

func TestARecordThatSQSWouldNeverSendDoesNotTouchTheOthers(t *testing.T) {
	for name, record := range map[string]string{
		"a body that is an object":            `{"messageId":"odd","body":{"a":1},"eventSource":"aws:sqs"}`,
		"no body":                             `{"messageId":"odd"}`,
		"a body that is null":                 `{"messageId":"odd","body":null}`,
		"a record of another source":          `{"messageId":"odd","eventSource":"aws:kinesis","body":` + quote(command("ok")) + `}`,
		"attributes of another type":          `{"messageId":"odd","body":"x","attributes":7}`,
		"a record that is a text":             `"odd"`,
		"a record that is null":               `null`,
		"a record that is an array":           `[1]`,
		"a message id that is a number":       `{"messageId":7,"body":"x"}`,
		"a message id that stands twice: one": `{"messageId":"odd","messageId":"even","body":"x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			handler, d, _ := newHandler(wire.Complete)
			answer, errorType := invoke(t, handler, records(record, strings.ReplaceAll(queued(command("ok")), "m-1", "good")))
			id := ""
			if strings.Contains(record, `"messageId":"odd"`) {
				id = "odd"
			}
			if want := `{"batchItemFailures":[{"itemIdentifier":"` + id + `"}]}`; answer != want || errorType != "" || len(d.requests) != 1 {
				t.Errorf("%s, %s, %d carried out", answer, errorType, len(d.requests))
			}
		})
	}
}

func TestARecordsBugDoesNotTouchTheOthers(t *testing.T) {
	var out bytes.Buffer
	handler, d, _ := newHandler(wire.Complete)
	handler.Log = telemetry.NewLogger(&out, slog.LevelInfo)
	answer, errorType := invoke(t, handler, records(queued(command("bug")), strings.ReplaceAll(queued(command("ok")), "m-1", "m-2")))
	if answer != `{"batchItemFailures":[{"itemIdentifier":"m-1"}]}` || errorType != "" || len(d.requests) != 2 || !strings.Contains(out.String(), `"message_id":"m-1"`) {
		t.Errorf("%s, %s, %s", answer, errorType, out.String())
	}
	if _, errorType := invoke(t, handler, "["+command("bug")+"]"); errorType != wire.CodeInternal {
		t.Errorf("in an array: %s", errorType)
	}
}

func TestMoreThanAnySourceHandsOverIsNotCarriedOut(t *testing.T) {
	many := slices.Repeat([]string{command("ok")}, elementsMax+1)
	for name, payload := range map[string]string{
		"an array": "[" + strings.Join(many, ",") + "]",
		"a batch":  records(slices.Repeat([]string{queued(command("ok"))}, elementsMax+1)...),
	} {
		handler, d, _ := newHandler(wire.Complete)
		if answer, errorType := invoke(t, handler, payload); errorType != wire.CodeUnreadableEvent || len(d.requests) != 0 {
			t.Errorf("%s: %.80s, %s, %d carried out", name, answer, errorType, len(d.requests))
		}
	}
}

func TestARecordMayNameNoSource(t *testing.T) {
	handler, d, _ := newHandler(wire.Complete)
	payload, _ := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: command("ok")}}})
	if answer, errorType := invoke(t, handler, string(payload)); answer != `{"batchItemFailures":[]}` || len(d.requests) != 1 {
		t.Errorf("%s, %s", answer, errorType)
	}
}
