package template

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/kesu-go/kesu/internal/ledger/mototest"
)

// stackInMoto is the stack of the transformed template, as far as moto makes it: scripts/for-moto says what it lacks.
type stackInMoto struct {
	t         *testing.T
	endpoint  string
	aws       aws.Config
	templates []string
}

// newStackInMoto transforms the template three times: with the parameters that are given, with another one beside them, and
// with that and another revision. It returns nil where moto is not installed.
func newStackInMoto(t *testing.T, another string, given ...string) *stackInMoto {
	t.Helper()
	interpreter := python(t)
	endpoint := mototest.Start(t)
	if endpoint == "" {
		return nil
	}
	first, second := strings.Repeat("a", 64), strings.Repeat("b", 64)
	given = append([]string{root, "AWS::Region=us-east-1", "ImagecoUrl=https://example.com"}, given...)
	arguments := append([]string{filepath.Join(root, "scripts/sam-transform")}, given...)
	arguments = append(arguments, "Revision="+first)
	for _, revision := range []string{first, second} {
		arguments = append(append(arguments, "--"), given...)
		arguments = append(arguments, another, "Revision="+revision)
	}
	transformed, err := exec.Command(interpreter, arguments...).Output()
	if err != nil {
		t.Fatalf("sam-transform: %v", err)
	}
	reduce := exec.Command(interpreter, filepath.Join(root, "scripts/for-moto"))
	reduce.Stdin = bytes.NewReader(transformed)
	out, err := reduce.Output()
	if err != nil {
		t.Fatalf("for-moto: %v", err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	s := &stackInMoto{t: t, endpoint: endpoint, aws: aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(endpoint), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}}
	for _, one := range all {
		s.templates = append(s.templates, string(one))
	}
	// moto 5.2.1 publishes no version when only the configuration has changed since the last one; AWS does
	// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html). So the code changes with the parameter.
	s.put("bucket", nil)
	s.put("bucket/function.zip", zipOf(t, "the first code"))
	s.put("bucket/other.zip", zipOf(t, "the second code"))
	for i := range s.templates[1:] {
		s.templates[1+i] = strings.ReplaceAll(s.templates[1+i], `"S3Key": "function.zip"`, `"S3Key": "other.zip"`)
	}
	return s
}

// put makes a bucket or an object in moto's S3.
func (s *stackInMoto) put(path string, body []byte) {
	s.call(http.MethodPut, path, "s3", body).Body.Close()
}

// call calls a service of moto's, which looks at no signature.
func (s *stackInMoto) call(method, path, service string, body []byte) *http.Response {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.endpoint+"/"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261121/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
	return resp
}

func zipOf(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("bootstrap")
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err != nil || z.Close() != nil {
		t.Fatal("no zip")
	}
	return b.Bytes()
}

// deploy makes or updates the stack, and returns its resources' physical ids.
func (s *stackInMoto) deploy(template int) map[string]string {
	s.t.Helper()
	client := cloudformation.NewFromConfig(s.aws)
	var err error
	if template == 0 {
		_, err = client.CreateStack(s.t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("kesu"), TemplateBody: aws.String(s.templates[template])})
	} else {
		_, err = client.UpdateStack(s.t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("kesu"), TemplateBody: aws.String(s.templates[template])})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	ids := map[string]string{}
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: aws.String("kesu")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range page.StackResourceSummaries {
			ids[*r.LogicalResourceId] = aws.ToString(r.PhysicalResourceId)
			if status := string(r.ResourceStatus); !strings.HasSuffix(status, "_COMPLETE") {
				s.t.Errorf("%s is %s", *r.LogicalResourceId, status)
			}
		}
	}
	return ids
}

// versions are a variable's values by version, "$LATEST" first. moto leaves a parameter that is a number a number, which
// the SDK would not read.
func (s *stackInMoto) versions(function, variable string) string {
	s.t.Helper()
	resp := s.call(http.MethodGet, "2015-03-31/functions/"+function+"/versions", "lambda", nil)
	defer resp.Body.Close()
	var out struct {
		Versions []struct {
			Version     string
			Environment struct{ Variables map[string]any }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, v := range out.Versions {
		all = append(all, fmt.Sprint(v.Version, " ", v.Environment.Variables[variable]))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestTheStackIsMadeInMotoAndAParameterReachesAPublishedVersion(t *testing.T) {
	s := newStackInMoto(t, "ImagecoResponseSign=enforce")
	if s == nil {
		return
	}
	ids := s.deploy(0)
	kinds := s.made(ids)
	for _, kind := range []string{"AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::SQS::Queue", "AWS::Events::Rule", "AWS::Events::EventBus", "AWS::DynamoDB::Table", "AWS::ApiGateway::RestApi"} {
		if !slices.Contains(names(kinds), kind) {
			t.Errorf("no %s was left for moto to make", kind)
		}
	}
	reply := ids["ReplyFunction"]
	if got := s.versions(reply, "IMAGECO_RESPONSE_SIGN"); got != "$LATEST warn, 1 warn" {
		t.Errorf("made: %s", got)
	}
	// The fault that was there: a parameter changes, and the revision does not.
	s.deploy(1)
	if got := s.versions(reply, "IMAGECO_RESPONSE_SIGN"); got != "$LATEST enforce, 1 warn" {
		t.Errorf("updated without another revision: %s", got)
	}
	after := s.deploy(2)
	if got := s.versions(reply, "IMAGECO_RESPONSE_SIGN"); !strings.HasPrefix(got, "$LATEST enforce, ") || !strings.HasSuffix(got, "2 enforce") {
		t.Errorf("updated with another revision: %s", got)
	}
	if _, same := after["ReplyFunctionVersion"+strings.Repeat("a", 10)]; same {
		t.Error("the version is the one of before")
	}
	s.delivers(after)
}

// made wants everything of the first template to be there, and returns its resources by their types.
func (s *stackInMoto) made(ids map[string]string) map[string][]string {
	s.t.Helper()
	var template struct {
		Resources map[string]struct{ Type string }
	}
	if err := json.Unmarshal([]byte(s.templates[0]), &template); err != nil {
		s.t.Fatal(err)
	}
	kinds := map[string][]string{}
	for id, resource := range template.Resources {
		kinds[resource.Type] = append(kinds[resource.Type], id)
		if _, made := ids[id]; !made {
			s.t.Errorf("%s was not made", id)
		}
	}
	return kinds
}

// delivers puts settled events on the stack's bus and looks into the queues that its rules lead to. Requests are left out:
// moto knows no rule with a function for its target and fails, although the direct rules are disabled.
func (s *stackInMoto) delivers(ids map[string]string) {
	s.t.Helper()
	events := eventbridge.NewFromConfig(s.aws)
	for _, e := range []struct{ queue, source, kind, detail string }{
		{"AttentionQueue", "kesu", "ComplaintReplySettled", `{"merchant": "acme", "outcome": "rejected"}`},
		{"SmokeQueue", "kesu", "ComplaintReplySettled", `{"merchant": "kesu-smoke-x", "outcome": "rejected"}`},
	} {
		s.putEvent(events, e.source, e.kind, e.detail)
		for _, queue := range []string{"SmokeQueue", "AttentionQueue"} {
			want := 0
			if queue == e.queue {
				want = 1
			}
			if got := len(s.take(ids[queue])); got != want {
				s.t.Errorf("%s of %s: %d in %s, want %d", e.kind, e.detail, got, queue, want)
			}
		}
	}
}

func (s *stackInMoto) putEvent(events *eventbridge.Client, source, kind, detail string) {
	s.t.Helper()
	out, err := events.PutEvents(s.t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{EventBusName: aws.String("kesu"),
		Source: aws.String(source), DetailType: aws.String(kind), Detail: aws.String(detail)}}})
	if err != nil || out.FailedEntryCount > 0 {
		s.t.Fatalf("%s: %v", kind, err)
	}
}

// take takes what is in a queue out of it and returns it.
func (s *stackInMoto) take(url string) (bodies []string) {
	s.t.Helper()
	client := sqs.NewFromConfig(s.aws)
	out, err := client.ReceiveMessage(context.WithoutCancel(s.t.Context()), &sqs.ReceiveMessageInput{QueueUrl: aws.String(url), MaxNumberOfMessages: 10})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range out.Messages {
		bodies = append(bodies, aws.ToString(m.Body))
		if _, err := client.DeleteMessage(s.t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(url), ReceiptHandle: m.ReceiptHandle}); err != nil {
			s.t.Fatal(err)
		}
	}
	return bodies
}
