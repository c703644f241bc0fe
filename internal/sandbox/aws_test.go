package sandbox

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

// credentials for the SDK, which the sandbox does not check.
var anybody = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDSANDBOX", SecretAccessKey: "sandbox"}, nil
})

func testSecrets(t *testing.T) (*Secrets, *secretsmanager.Client) {
	t.Helper()
	s, err := NewSecrets(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, secretsmanager.New(secretsmanager.Options{Region: Region, Credentials: anybody, BaseEndpoint: aws.String(s.URL()), RetryMaxAttempts: 1})
}

func TestSecretsReadThroughTheSDK(t *testing.T) {
	s, client := testSecrets(t)
	read := func() (*secretsmanager.GetSecretValueOutput, error) {
		return client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("kesu/merchants/acme")})
	}
	var unknown *secrettypes.ResourceNotFoundException
	if _, err := read(); !errors.As(err, &unknown) {
		t.Errorf("a secret that is not there: %v", err)
	}
	first := s.Put("kesu/merchants/acme", `{"a":"钥"}`)
	got, err := read()
	if err != nil || *got.SecretString != `{"a":"钥"}` || *got.VersionId != first || *got.Name != "kesu/merchants/acme" || !strings.HasPrefix(*got.ARN, "arn:aws:secretsmanager:") {
		t.Errorf("got %+v, %v", got, err)
	}
	if second := s.Put("kesu/merchants/acme", `{}`); second == first {
		t.Error("Put keeps the version")
	}
	if text, _, ok := s.Get("kesu/merchants/acme"); !ok || text != "{}" {
		t.Errorf("Get: %q", text)
	}
	s.Delete("kesu/merchants/acme")
	if _, err := read(); !errors.As(err, &unknown) {
		t.Errorf("a deleted secret: %v", err)
	}
	if n := s.Calls.Len(); n != 3 {
		t.Errorf("%d calls were counted", n)
	}
}

func TestSecretsCanBeToldToFail(t *testing.T) {
	s, client := testSecrets(t)
	s.Put("a", "{}")
	for _, test := range []struct {
		name  string
		fault Fault
		code  string
	}{
		{"access denied", Fault{Code: "AccessDeniedException"}, "AccessDeniedException"},
		{"an internal error", Fault{Status: 500, Code: "InternalServiceError"}, "InternalServiceError"},
		{"a cut connection", Fault{CutAfter: true}, ""},
		{"garbage", Fault{Status: 502, Body: []byte("<html>")}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.Faults.Next(test.fault)
			_, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
			var api smithy.APIError
			if err == nil || test.code != "" && (!errors.As(err, &api) || api.ErrorCode() != test.code) {
				t.Errorf("got %v", err)
			}
		})
	}
	signed := http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=x"}, "Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"secretsmanager.GetSecretValue"}}
	for name, code := range map[string]string{"Authorization": "MissingAuthenticationTokenException", "Content-Type": "SerializationException", "X-Amz-Target": "UnknownOperationException", "": "InvalidParameterException"} {
		header := signed.Clone()
		header.Del(name)
		if resp, body, err := reach(t, "POST", s.URL(), header, []byte("{}")); err != nil || resp.StatusCode != 400 || !strings.Contains(string(body), code) {
			t.Errorf("without %s: %v %s %v", name, resp, body, err)
		}
	}
}

func TestBusThroughTheSDK(t *testing.T) {
	b, err := NewBus(BusName, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	client := eventbridge.New(eventbridge.Options{Region: Region, Credentials: anybody, BaseEndpoint: aws.String(b.URL()), RetryMaxAttempts: 1})
	handed := make(chan Event, 1)
	b.AddRule(Rule{DetailType: "ComplaintReplySettled", Target: func(_ context.Context, e Event) { handed <- e }})
	entry := func(detailType, detail, bus string) types.PutEventsRequestEntry {
		return types.PutEventsRequestEntry{Source: aws.String("kesu"), DetailType: aws.String(detailType), Detail: aws.String(detail), EventBusName: aws.String(bus)}
	}
	out, err := client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		entry("ComplaintReplySettled", `{"code":"0000"}`, BusName), entry("Other", `{}`, "arn:aws:events:ap-east-1:000000000000:event-bus/"+BusName),
		entry("Other", `[1]`, BusName), entry("Other", `{}`, "another"), entry("", `{}`, BusName),
	}})
	if err != nil || out.FailedEntryCount != 3 || out.Entries[0].EventId == nil || *out.Entries[2].ErrorCode != "MalformedDetail" || *out.Entries[3].ErrorCode != "InvalidArgument" {
		t.Fatalf("got %+v, %v", out, err)
	}
	if e := <-handed; e.ID != *out.Entries[0].EventId || string(e.Detail) != `{"code":"0000"}` || e.Source != "kesu" || e.Time.IsZero() {
		t.Errorf("the rule's target got %+v", e)
	}
	if n := len(b.Events()); n != 2 {
		t.Errorf("the bus holds %d events", n)
	}
	b.Faults.Next(Fault{Code: "InternalFailure"}, Fault{Status: 500, Code: "InternalException"})
	one := &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry("Other", `{}`, BusName)}}
	if out, err := client.PutEvents(t.Context(), one); err != nil || out.FailedEntryCount != 1 || *out.Entries[0].ErrorCode != "InternalFailure" {
		t.Errorf("a refused entry: %+v, %v", out, err)
	}
	if _, err := client.PutEvents(t.Context(), one); err == nil {
		t.Error("a refused call went well")
	}
	if n := len(b.Events()); n != 2 {
		t.Errorf("after the refusals the bus holds %d events", n)
	}
}

func TestBusCloseEndsItsTargets(t *testing.T) {
	b, err := NewBus(BusName, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	b.AddRule(Rule{DetailType: "a", Target: func(ctx context.Context, _ Event) { <-ctx.Done(); ended = true }})
	b.Put(Entry{Source: "s", DetailType: "a", Detail: "{}"})
	b.Close()
	if !ended {
		t.Error("Close did not wait for the target")
	}
}

func TestBusWaitEndsWithItsContext(t *testing.T) {
	b, err := NewBus(BusName, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Wait(ctx, func(Event) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestQueuesKeepWhatShouldBecomeVisibleThroughTheSDK(t *testing.T) {
	q, err := NewQueues(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	client := sqs.New(sqs.Options{Region: Region, Credentials: anybody, BaseEndpoint: aws.String(q.URL()), RetryMaxAttempts: 1})
	change := func(seconds int32) error {
		_, err := client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
			QueueUrl: aws.String("https://sqs.ap-east-1.amazonaws.com/1/a"), ReceiptHandle: aws.String("h"), VisibilityTimeout: seconds})
		return err
	}
	if err := change(7); err != nil {
		t.Error(err)
	}
	var api smithy.APIError
	if err := change(43201); !errors.As(err, &api) || api.ErrorCode() != "InvalidParameterValue" {
		t.Errorf("a time out of bounds: %v", err)
	}
	q.Faults.Next(Fault{Code: "AccessDenied", Message: "no"})
	if err := change(0); !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
		t.Errorf("a refused call: %v", err)
	}
	if got := q.Changes(); len(got) != 1 || got[0] != (Visibility{"https://sqs.ap-east-1.amazonaws.com/1/a", "h", 7}) {
		t.Errorf("%+v", got)
	}
}
