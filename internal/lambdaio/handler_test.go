package lambdaio

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/pkg/wire"
)

// pipeline gives each complaint the outcome that its id names, and keeps the requests.
type pipeline struct {
	mu       sync.Mutex
	requests []wire.Request
}

var at = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func (d *pipeline) Do(_ context.Context, r wire.Request) wire.Result {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, r)
	result := d.result(r)
	result.EventID, result.MessageID = r.Command.EventID, r.Command.MessageID
	return result
}

func (d *pipeline) result(r wire.Request) wire.Result {
	if len(r.Problems) > 0 {
		return r.Refusal(at)
	}
	switch r.Command.ComplaintID {
	case "retryable":
		return r.Command.NewResult(wire.Retryable, wire.CodeUpstreamUnreachable, "nobody there", at)
	case "later":
		result := r.Command.NewResult(wire.Retryable, wire.CodeRateLimited, "too many", at)
		result.RetryAfter = 7100 * time.Millisecond
		return result
	case "unverified":
		result := r.Command.NewResult(wire.Unknown, wire.CodeUpstreamUnverified, "who says so?", at)
		result.RetryAfter = 15 * time.Minute
		return result
	case "unknown":
		return r.Command.NewResult(wire.Unknown, wire.CodeUpstreamTimeout, "no answer", at)
	case "rejected":
		return r.Command.NewResult(wire.Rejected, wire.CodeUnknownMerchant, "no such merchant", at)
	case "bug":
		panic("a bug of this test")
	}
	return r.Command.NewResult(wire.Succeeded, wire.CodeOK, "done", at)
}

// bus keeps what is published.
type bus struct {
	mu        sync.Mutex
	published []wire.Result
	requests  []string // beside them
	err       error
}

func (b *bus) Publish(_ context.Context, r wire.Result, request json.RawMessage) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.published, b.requests = append(b.published, r), append(b.requests, string(request))
	}
	return b.err
}

func newHandler(action wire.Action) (*Handler, *pipeline, *bus) {
	d, b := &pipeline{}, &bus{}
	return &Handler{Action: action, Pipeline: d, Publisher: b, Log: slog.New(slog.DiscardHandler)}, d, b
}

const eventID = "7bf73129-1428-4cd3-a780-95db273d1602"

func event(action wire.Action, complaint string) string {
	content := ""
	if action == wire.Reply {
		content = `,"response_content":"hello"`
	}
	return fmt.Sprintf(`{"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":%q,"source":"crm","detail":{"merchant":"acme","complaint_id":%q%s}}`,
		action.DetailType(), complaint, content)
}

func TestAnEventIsSettledOrComesAgain(t *testing.T) {
	tests := []struct {
		name      string
		action    wire.Action
		complaint string
		again     string // the errorType, when it comes again
	}{
		{"a reply that succeeded is settled", wire.Reply, "ok", ""},
		{"a reply that is rejected is settled", wire.Reply, "rejected", ""},
		{"a reply that may have been shown is settled, for a person to look at", wire.Reply, "unknown", ""},
		{"a reply that was certainly not sent comes again", wire.Reply, "retryable", wire.CodeUpstreamUnreachable},
		{"a completion that succeeded is settled", wire.Complete, "ok", ""},
		{"a completion that may be done comes again", wire.Complete, "unknown", wire.CodeUpstreamTimeout},
		{"a malformed event is settled", wire.Reply, "not an id!", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			handler, _, bus := newHandler(tt.action)
			answer, err := handler.Invoke(t.Context(), []byte(event(tt.action, tt.complaint)))
			var failure messages.InvokeResponse_Error
			if errors.As(err, &failure) != (tt.again != "") || failure.Type != tt.again {
				t.Fatalf("error %v, want type %q", err, tt.again)
			}
			if settled := tt.again == ""; settled != (len(bus.published) == 1) {
				t.Errorf("%d settled events", len(bus.published))
			}
			if tt.again == "" {
				var result wire.Result
				if err := json.Unmarshal(answer, &result); err != nil || result.Outcome != bus.published[0].Outcome {
					t.Errorf("the return value is %s, %v", answer, err)
				}
			}
		})
	}
}

func TestAnEventWhoseResultCannotBePublishedComesAgain(t *testing.T) {
	handler, _, bus := newHandler(wire.Reply)
	bus.err = errors.New("down")
	unpublished := 0
	handler.OnUnpublished = func() { unpublished++ }
	_, err := handler.Invoke(t.Context(), []byte(event(wire.Reply, "ok")))
	var failure messages.InvokeResponse_Error
	if !errors.As(err, &failure) || failure.Type != wire.CodeResultNotPublished {
		t.Errorf("error %v", err)
	}
	if unpublished != 1 {
		t.Errorf("counted %d times", unpublished)
	}
}

func TestEachRecordOfABatchHasItsOwnFate(t *testing.T) {
	handler, d, bus := newHandler(wire.Complete)
	var batch events.SQSEvent
	for i, body := range []string{
		event(wire.Complete, "ok"), event(wire.Complete, "retryable"), "not JSON", event(wire.Complete, "unknown"),
		event(wire.Reply, "ok"), event(wire.Complete, "rejected"), `{"detail-type":"ComplaintCompletionRequested"}`,
	} {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint("m", i), Body: body, EventSource: "aws:sqs"})
	}
	payload, _ := json.Marshal(batch)
	answer, err := handler.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"batchItemFailures":[{"itemIdentifier":"m1"},{"itemIdentifier":"m2"},{"itemIdentifier":"m3"},{"itemIdentifier":"m6"}]}`
	if string(answer) != want {
		t.Errorf("got  %s\nwant %s", answer, want)
	}
	if len(d.requests) != 5 || len(bus.published) != 3 {
		t.Errorf("%d requests, %d settled events", len(d.requests), len(bus.published))
	}
}

func TestAnEmptyBatchHasNoFailures(t *testing.T) {
	for _, payload := range []string{`{"Records":[]}`, `{"Records":null}`} {
		handler, _, _ := newHandler(wire.Reply)
		answer, err := handler.Invoke(t.Context(), []byte(payload))
		if err != nil || string(answer) != `{"batchItemFailures":[]}` {
			t.Errorf("%s, %v", answer, err)
		}
	}
}

func TestABareCommandAlwaysGetsItsResult(t *testing.T) {
	payloads := []string{"{}", " {} ", `{"merchant":7}`, `{"complaint_id":null}`, `{"resend_unknown":true}`, `{"complainted_mchid":"1"}`, `{"response_content":"a"}`}
	for _, complaint := range []string{"ok", "retryable", "later", "unknown", "rejected", "not an id!"} {
		payloads = append(payloads, fmt.Sprintf(`{"merchant":"acme","complaint_id":%q}`, complaint))
	}
	for _, payload := range payloads {
		handler, d, bus := newHandler(wire.Complete)
		answer, err := handler.Invoke(t.Context(), []byte(payload))
		var result wire.Result
		if err != nil || json.Unmarshal(answer, &result) != nil || result.Action != wire.Complete {
			t.Errorf("%s: %s, %v", payload, answer, err)
		}
		if len(bus.published) != 0 {
			t.Errorf("%s: a settled event for a bare command", payload)
		}
		if o := d.requests[0].Command.Origin; o != (wire.Origin{}) {
			t.Errorf("%s: a bare command came as %+v", payload, o)
		}
	}
}

func TestACompletionEventIsFiledUnderItsOwnID(t *testing.T) {
	tests := []struct {
		name, members, id, want string
	}{
		{"without a key", "", "7bf73129", "7bf73129"},
		{"with a key of its own", `,"idempotency_key":"mine"`, "7bf73129", "mine"},
		{"with an id that cannot be a key", "", strings.Repeat("x", 129), ""},
		{"without an id", "", "", ""},
		{"with an id that is not ASCII", "", "事件", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			handler, d, _ := newHandler(wire.Complete)
			payload := fmt.Sprintf(`{"id":%q,"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","complaint_id":"ok"%s}}`, tt.id, tt.members)
			if _, err := handler.Invoke(t.Context(), []byte(payload)); err != nil {
				t.Fatal(err)
			}
			if got := d.requests[0].Command.IdempotencyKey; got != tt.want {
				t.Errorf("key %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("a reply is not: its words are its key", func(t *testing.T) {
		handler, d, _ := newHandler(wire.Reply)
		if _, err := handler.Invoke(t.Context(), []byte(event(wire.Reply, "ok"))); err != nil || d.requests[0].Command.IdempotencyKey != "" {
			t.Errorf("key %q, %v", d.requests[0].Command.IdempotencyKey, err)
		}
	})
}

func TestHTTP(t *testing.T) {
	const body = `{"response_content":"hello"}`
	v1 := `{"resource":"/x","httpMethod":"POST","pathParameters":{"merchant":"acme","complaint_id":"ok"},"headers":{"content-type":"application/json"},"requestContext":{},"body":` + quote(body) + `}`
	tests := []struct {
		name    string
		payload string
		status  int
		pointer string
	}{
		{"payload 1.0", v1, 200, ""},
		{"payload 1.0 with all headers listed", `{"httpMethod":"POST","pathParameters":{"merchant":"acme","complaint_id":"ok"},"multiValueHeaders":{"Content-Type":["application/json"]},"requestContext":{},"body":` + quote(body) + `}`, 200, ""},
		{"payload 2.0", `{"version":"2.0","rawPath":"/merchants/acme/complaints/ok/reply","pathParameters":{"merchant":"acme","complaint_id":"ok"},"headers":{"content-type":"application/json; charset=UTF-8"},"requestContext":{"http":{"method":"POST"}},"body":` + quote(body) + `}`, 200, ""},
		{"a function URL", `{"version":"2.0","rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{"stage":"$default"},"body":` + quote(body) + `}`, 200, ""},
		{"a catch-all route behind a stage", `{"version":"2.0","rawPath":"/prod/merchants/acme/complaints/ok/reply","pathParameters":{"proxy":"x"},"headers":{"content-type":"application/json"},"requestContext":{"stage":"prod"},"body":` + quote(body) + `}`, 200, ""},
		{"a path that is escaped", `{"rawPath":"/merchants/%61cme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"body":` + quote(body) + `}`, 200, ""},
		{"a body in base64", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"isBase64Encoded":true,"body":"` + base64.StdEncoding.EncodeToString([]byte(body)) + `"}`, 200, ""},
		{"a body that is not the base64 it is said to be", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"isBase64Encoded":true,"body":"%"}`, 400, "/body"},
		{"a flag that is a string", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"isBase64Encoded":"false","body":` + quote(body) + `}`, 400, "/isBase64Encoded"},
		{"a flag that is a number", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"isBase64Encoded":0,"body":` + quote(body) + `}`, 400, "/isBase64Encoded"},
		{"a flag that is null", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"isBase64Encoded":null,"body":` + quote(body) + `}`, 200, ""},
		{"a body that is an object", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"body":` + body + `}`, 400, "/body"},
		{"a body that is a list", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"body":[]}`, 400, "/body"},
		{"a body that stands twice", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"body":` + quote(body) + `,"body":"{}"}`, 400, "/body"},
		{"a body under another spelling is none", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"Body":` + quote(body) + `}`, 400, "/response_content"},
		{"a body that is null is none", `{"rawPath":"/merchants/acme/complaints/ok/reply","requestContext":{},"body":null}`, 400, "/response_content"},
		{"headers that are a list", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":[],"requestContext":{},"body":` + quote(body) + `}`, 415, "/headers"},
		{"a header that is a number", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":7},"requestContext":{},"body":` + quote(body) + `}`, 415, "/headers/content-type"},
		{"a header that nobody reads may be anything", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json","x":{"y":1}},"requestContext":{},"body":` + quote(body) + `}`, 200, ""},
		{"header values that are no list", `{"rawPath":"/merchants/acme/complaints/ok/reply","multiValueHeaders":{"Content-Type":"application/json"},"requestContext":{},"body":` + quote(body) + `}`, 415, "/multiValueHeaders/Content-Type"},
		{"a path parameter that is a number", `{"httpMethod":"POST","pathParameters":{"merchant":7,"complaint_id":"ok"},"headers":{"content-type":"application/json"},"requestContext":{},"body":` + quote(body) + `}`, 400, "/pathParameters/merchant"},
		{"path parameters that are null", `{"rawPath":"/merchants/acme/complaints/ok/reply","pathParameters":null,"headers":{"content-type":"application/json"},"requestContext":{},"body":` + quote(body) + `}`, 200, ""},
		{"a method that is no string", `{"httpMethod":7,"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"body":` + quote(body) + `}`, 400, "/httpMethod"},
		{"a context without a stage", `{"rawPath":"/merchants/acme/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":null,"body":` + quote(body) + `}`, 200, ""},
		{"only a method", `{"httpMethod":"POST"}`, 400, ""},
		{"only a path", `{"rawPath":"/merchants/acme/complaints/ok/reply"}`, 400, "/response_content"},
		{"records do not make it a batch", `{"rawPath":"/merchants/acme/complaints/ok/reply","Records":[],"detail":{},"headers":{"content-type":"application/json"},"body":` + quote(body) + `}`, 200, ""},
		{"the other action's path", `{"rawPath":"/merchants/acme/complaints/ok/complete","headers":{"content-type":"application/json"},"requestContext":{},"body":` + quote(body) + `}`, 400, ""},
		{"a slash that was escaped does not make a segment", `{"rawPath":"/merchants/a%2Fb/complaints/ok/reply","headers":{"content-type":"application/json"},"requestContext":{},"body":` + quote(body) + `}`, 400, "/merchant"},
		{"no content type", `{"rawPath":"/merchants/acme/complaints/ok/reply","requestContext":{},"body":` + quote(body) + `}`, 415, ""},
		{"an event that is not API Gateway's after all", `{"requestContext":1}`, 400, "/requestContext"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			handler, _, bus := newHandler(wire.Reply)
			answer, err := handler.Invoke(t.Context(), []byte(tt.payload))
			if err != nil {
				t.Fatal(err)
			}
			var response events.APIGatewayProxyResponse
			if err := json.Unmarshal(answer, &response); err != nil || response.StatusCode != tt.status {
				t.Fatalf("status %d, want %d; %s, %v", response.StatusCode, tt.status, response.Body, err)
			}
			var result wire.Result
			if err := json.Unmarshal([]byte(response.Body), &result); err != nil {
				t.Fatal(err)
			}
			if tt.status != 200 && (len(result.Errors) == 0 || result.Errors[0].Pointer != tt.pointer) {
				t.Errorf("errors %v, want one at %q", result.Errors, tt.pointer)
			}
			if len(bus.published) != 0 {
				t.Error("a settled event for an HTTP request")
			}
		})
	}
}

func quote(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}

func TestTheIdempotencyKeyHeaderIsFoundInAnyCase(t *testing.T) {
	for _, name := range []string{"Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"} {
		handler, d, _ := newHandler(wire.Complete)
		payload := `{"rawPath":"/merchants/acme/complaints/ok/complete","requestContext":{},"headers":{"` + name + `":"k"}}`
		if _, err := handler.Invoke(t.Context(), []byte(payload)); err != nil || d.requests[0].Command.IdempotencyKey != "k" {
			t.Errorf("%s: %+v, %v", name, d.requests[0], err)
		}
	}
}

func TestABugInTheHandlerIsAnErrorWithoutItsText(t *testing.T) {
	handler, _, _ := newHandler(wire.Complete)
	_, err := handler.Invoke(t.Context(), []byte(`{"merchant":"acme","complaint_id":"bug"}`))
	var failure messages.InvokeResponse_Error
	if !errors.As(err, &failure) || failure.Type != wire.CodeInternal || strings.Contains(failure.Message, "a bug of this test") {
		t.Errorf("%v", err)
	}
}

func TestAHeaderIsReadInOneWay(t *testing.T) {
	for _, tt := range []struct {
		name, headers, all string // the members headers and multiValueHeaders
		key                string // "": it is refused
	}{
		{"once", `{"Idempotency-Key":"k"}`, `null`, "k"},
		{"in both places", `{"Idempotency-Key":"k"}`, `{"Idempotency-Key":["k"]}`, "k"},
		{"in both places, in two spellings", `{"idempotency-key":"k"}`, `{"Idempotency-Key":["k"]}`, "k"},
		{"only in the lists", `{}`, `{"IDEMPOTENCY-KEY":["k","k"]}`, "k"},
		{"joined in one place and listed in the other", `{"Idempotency-Key":"k,k"}`, `{"Idempotency-Key":["k","k"]}`, "k"},
		{"in quotes in one place", `{"Idempotency-Key":"\"k\""}`, `{"Idempotency-Key":["k"]}`, "k"},
		{"in two spellings with two keys", `{"Idempotency-Key":"k","idempotency-key":"l"}`, `null`, ""},
		{"in two spellings with two keys, the other way round", `{"idempotency-key":"l","Idempotency-Key":"k"}`, `null`, ""},
		{"in two spellings with one key", `{"Idempotency-Key":"k","idempotency-key":"k"}`, `null`, "k"},
		{"in two spellings of the lists", `{}`, `{"Idempotency-Key":["k"],"idempotency-key":["l"]}`, ""},
		{"another key in the other place", `{"Idempotency-Key":"l"}`, `{"Idempotency-Key":["k"]}`, ""},
		{"two keys of which the last is in both places", `{"Idempotency-Key":"l"}`, `{"Idempotency-Key":["k","l"]}`, ""},
		{"a header without a value", `{"Idempotency-Key":""}`, `null`, ""},
		{"a header that is null", `{"Idempotency-Key":null}`, `null`, ""},
		{"a header with an empty list", `{}`, `{"Idempotency-Key":[]}`, ""},
		{"a list with null in it", `{}`, `{"Idempotency-Key":["k",null]}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handler, d, _ := newHandler(wire.Complete)
			payload := `{"rawPath":"/merchants/acme/complaints/ok/complete","requestContext":{},"headers":` + tt.headers + `,"multiValueHeaders":` + tt.all + `}`
			for range 40 { // a map's order would show
				if _, err := handler.Invoke(t.Context(), []byte(payload)); err != nil {
					t.Fatal(err)
				}
			}
			for _, r := range d.requests {
				refused := len(r.Problems) > 0 && r.Problems[0].Pointer == "/idempotency_key"
				if refused != (tt.key == "") || !refused && (r.Command.IdempotencyKey != tt.key || len(r.Problems) > 0) {
					t.Fatalf("%+v", r)
				}
			}
		})
	}
}

func TestTwoContentTypesAreNone(t *testing.T) {
	for headers, taken := range map[string]bool{
		`"headers":{"Content-Type":"application/json"}`:                                                                        true,
		`"headers":{"content-type":"application/json"},"multiValueHeaders":{"Content-Type":["application/json"]}`:              true,
		`"headers":{"Content-Type":"application/json","content-type":"text/plain"}`:                                            false,
		`"headers":{"content-type":"text/plain","Content-Type":"application/json"}`:                                            false,
		`"headers":{"Content-Type":"application/json"},"multiValueHeaders":{"Content-Type":["text/plain","application/json"]}`: false,
		`"headers":{"content-type":"application/json, text/plain"}`:                                                            false,
	} {
		handler, d, _ := newHandler(wire.Complete)
		for range 20 {
			if _, err := handler.Invoke(t.Context(), []byte(`{"rawPath":"/merchants/acme/complaints/ok/complete","body":"{}",`+headers+`}`)); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range d.requests {
			if r.WrongMedia == taken {
				t.Errorf("%s: %+v", headers, r)
			}
		}
	}
}

// eventBridge answers PutEvents.
type eventBridge struct {
	out *eventbridge.PutEventsOutput
	err error
	in  *eventbridge.PutEventsInput
}

func (e *eventBridge) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	e.in = in
	return e.out, e.err
}

func TestPublish(t *testing.T) {
	tests := []struct {
		name string
		out  *eventbridge.PutEventsOutput
		err  error
		want string
	}{
		{"it is on the bus", &eventbridge.PutEventsOutput{}, nil, ""},
		{"the entry is refused", &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: []types.PutEventsResultEntry{{ErrorCode: aws.String("ThrottlingException")}}}, nil, "PutEvents: ThrottlingException"},
		{"the entry is refused without a word", &eventbridge.PutEventsOutput{FailedEntryCount: 1}, nil, "PutEvents: the entry was refused"},
		{"the call is refused", nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "arn and more"}, "PutEvents: AccessDeniedException"},
		{"the entry is refused with a code that is none", &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: []types.PutEventsResultEntry{{ErrorCode: aws.String("13800138000")}}}, nil, "PutEvents: unknown error"},
		{"the call is refused with a code that is none", nil, &smithy.GenericAPIError{Code: "13800138000"}, "PutEvents: unknown error"},
		{"the bus is not there", nil, errors.New("dial tcp 10.0.0.1: refused"), "PutEvents: the bus could not be reached"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := &eventBridge{out: tt.out, err: tt.err}
			command := wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: "1"}
			err := (&Bus{Client: client, Name: "kesu"}).Publish(t.Context(), command.NewResult(wire.Succeeded, wire.CodeOK, "done", at), nil)
			if got := fmt.Sprint(err); err != nil && got != tt.want || (err == nil) != (tt.want == "") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			entry := client.in.Entries[0]
			if *entry.Source != "kesu" || *entry.DetailType != "ComplaintCompletionSettled" || *entry.EventBusName != "kesu" ||
				!strings.HasPrefix(*entry.Detail, `{"action":"complete","merchant":"acme"`) {
				t.Errorf("entry %s %s %s %s", *entry.Source, *entry.DetailType, *entry.EventBusName, *entry.Detail)
			}
		})
	}
}
