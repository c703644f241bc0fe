package smoke_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/kesu-go/kesu/api"
	"github.com/kesu-go/kesu/internal/ledger/mototest"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/internal/smoke"
)

const region = "us-east-1"

// programs is where TestMain builds the functions.
var programs string

// endpoint is moto's address, "" when it is not installed.
var endpoint = struct {
	sync.Once
	url  string
	ends []func()
}{}

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kesu-smoke-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	for _, name := range []string{"reply", "complete", "watch"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), "../../functions/"+name).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", name, err, out)
			return 1
		}
	}
	defer func() {
		for _, end := range endpoint.ends {
			end()
		}
	}()
	return m.Run()
}

// lasting lets what a test starts live until the tests of the package are over.
type lasting struct{ *testing.T }

func (lasting) Cleanup(f func()) { endpoint.ends = append([]func(){f}, endpoint.ends...) }

// plan is a stack as it is to be; a fault changes one thing in it.
type plan struct {
	parameters        map[string]string
	settings          map[string]string // of both functions, as they are live
	latest            map[string]string // of what was deployed last, when that is not live
	latestCode        string
	outputs           map[string]string // written over the right ones
	alias             string            // "" is a published version
	memory            int32
	architecture      lambdatypes.Architecture
	rules             []string // of the bus: reply, complete, smoke
	resultBus         string   // "" is the bus
	open              bool     // the API lets in who does not say who it is
	anyPath           bool     // the API does not ask what a caller may do
	status            string   // of the stack, when it is not CREATE_COMPLETE
	secretsDown       bool
	settledAs         string // the code that events are settled with, by no function
	caller            string // the access key that asks
	merchantsOfCaller string // what the caller's own policy allows
	watch             bool
	notifications     http.Handler // in place of the third function, for a fault
}

func sound() *plan {
	return &plan{
		parameters:   map[string]string{"ImagecoResponseSign": "warn", "MaxAttempts": "3", "MerchantKeys": "secretsmanager", "MemorySize": "256", "Architecture": "arm64", "WechatPayUrl": "https://api.mch.weixin.qq.com"},
		settings:     map[string]string{"IMAGECO_RESPONSE_SIGN": "warn", "MAX_ATTEMPTS": "3", "MERCHANT_KEYS": "secretsmanager", "WECHATPAY_URL": "https://api.mch.weixin.qq.com", "AWS_ENDPOINT_URL_DYNAMODB": ""},
		architecture: lambdatypes.ArchitectureArm64, memory: 256, outputs: map[string]string{}, rules: []string{"reply", "complete", "smoke"},
		caller: "AKIDCALLER", merchantsOfCaller: "merchants/*",
	}
}

// world is a stack in moto, with the compiled functions behind its queues and its API.
type world struct {
	t       *testing.T
	plan    *plan
	name    string // of the stack
	aws     aws.Config
	queues  map[string]string // URLs
	outputs map[string]string
	sts     *sts
}

// build makes the stack. It returns nil when there is no moto.
func build(t *testing.T, p *plan) *world {
	t.Helper()
	endpoint.Do(func() { endpoint.url = mototest.Start(lasting{t}) })
	if endpoint.url == "" {
		return nil
	}
	w := &world{t: t, plan: p, name: "kesu-" + strings.ToLower(rand.Text()), queues: map[string]string{}, outputs: map[string]string{}}
	w.sts = newSTS(t)
	w.aws = aws.Config{Region: region, BaseEndpoint: aws.String(endpoint.url), Credentials: credentials.NewStaticCredentialsProvider(p.caller, "secret of "+p.caller, ""),
		HTTPClient: &http.Client{Transport: detour{p.status, w.sts.url}}}
	w.role()
	w.bus()
	reply, complete := w.function("reply"), w.function("complete")
	gateway, err := api.Enforce(&sandbox.APIGateway{Reply: reply, Complete: complete})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&door{next: gateway, plan: p, sts: w.sts})
	t.Cleanup(server.Close)
	w.outputs["ApiUrl"], w.outputs["ApiArn"] = server.URL, "arn:aws:execute-api:us-east-1:123456789012:abc/v1"
	if p.watch {
		w.watching()
	}
	for name, f := range map[string]*sandbox.Function{"reply": reply, "complete": complete} {
		w.pump(name, f)
	}
	w.deploy()
	return w
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// watching makes the third function, and an HTTP API in front of it.
func (w *world) watching() {
	w.t.Helper()
	w.plan.parameters["Watch"] = "on"
	w.outputs["WatchQueueUrl"] = "https://sqs.us-east-1.amazonaws.com/123456789012/" + w.name + "-watch"
	var next http.Handler = httpAPI{w.function("watch")}
	if w.plan.notifications != nil {
		next = w.plan.notifications
	}
	server := httptest.NewServer(next)
	w.t.Cleanup(server.Close)
	w.outputs["NotificationsUrl"] = server.URL + "/merchants/{merchant}/notifications"
}

// httpAPI hands a request to a function as an HTTP API does, with payload 2.0:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
type httpAPI struct{ function *sandbox.Function }

func (a httpAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	headers := map[string]string{}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	merchant, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/merchants/"), "/")
	event, _ := json.Marshal(map[string]any{"version": "2.0", "routeKey": "POST /merchants/{merchant}/notifications", "rawPath": r.URL.Path, "headers": headers,
		"pathParameters": map[string]string{"merchant": merchant}, "requestContext": map[string]any{"http": map[string]string{"method": r.Method, "path": r.URL.Path}},
		"body": string(body), "isBase64Encoded": false})
	var answer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	got, err := a.function.Invoke(r.Context(), event, 28*time.Second)
	if err != nil || json.Unmarshal(got.Payload, &answer) != nil || answer.StatusCode == 0 {
		answer.StatusCode, answer.Body = http.StatusInternalServerError, `{"message":"Internal Server Error"}`
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.WriteString(w, answer.Body)
}

// role makes the role that moto wants to see before it makes a function.
func (w *world) role() {
	w.t.Helper()
	template := `{"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "` + w.name + `", "AssumeRolePolicyDocument": {"Version": "2012-10-17",
		"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}}}}`
	must[*cloudformation.CreateStackOutput](w.t)(cloudformation.NewFromConfig(w.aws).CreateStack(w.t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String(w.name + "-role"), TemplateBody: aws.String(template)}))
}

// bus makes the bus, the queues and the rules.
func (w *world) bus() {
	w.t.Helper()
	ctx, events, queues := w.t.Context(), eventbridge.NewFromConfig(w.aws), sqs.NewFromConfig(w.aws)
	must[*eventbridge.CreateEventBusOutput](w.t)(events.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: aws.String(w.name)}))
	w.outputs["BusName"] = w.name
	patterns := map[string]string{
		"reply":    `{"detail-type": ["ComplaintReplyRequested"], "source": [{"anything-but": "kesu"}]}`,
		"complete": `{"detail-type": ["ComplaintCompletionRequested"], "source": [{"anything-but": "kesu"}]}`,
		"smoke":    `{"source": ["kesu"], "detail-type": ["ComplaintReplySettled", "ComplaintCompletionSettled"], "detail": {"merchant": [{"prefix": "kesu-smoke-"}]}}`,
	}
	for _, name := range []string{"reply", "complete", "smoke"} {
		queue := must[*sqs.CreateQueueOutput](w.t)(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(w.name + "-" + name)}))
		w.queues[name] = *queue.QueueUrl
	}
	w.outputs["SmokeQueueUrl"] = w.queues["smoke"]
	for _, name := range w.plan.rules {
		must[*eventbridge.PutRuleOutput](w.t)(events.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String(w.name + "-" + name), EventBusName: aws.String(w.name), EventPattern: aws.String(patterns[name])}))
		must[*eventbridge.PutTargetsOutput](w.t)(events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String(w.name + "-" + name), EventBusName: aws.String(w.name),
			Targets: []types.Target{{Id: aws.String("queue"), Arn: aws.String("arn:aws:sqs:us-east-1:123456789012:" + w.name + "-" + name)}}}))
	}
}

// function makes a function in moto, which only tells of it, and runs the compiled one here.
func (w *world) function(name string) *sandbox.Function {
	w.t.Helper()
	ctx, client, full := w.t.Context(), lambda.NewFromConfig(w.aws), w.name+"-"+name
	w.outputs[map[string]string{"reply": "ReplyFunctionName", "complete": "CompleteFunctionName", "watch": "WatchFunctionName"}[name]] = full
	bus := w.plan.resultBus
	if bus == "" {
		bus = w.name
	}
	settings := map[string]string{"RESULT_BUS": w.name}
	for k, v := range w.plan.settings {
		settings[k] = v
	}
	if name == "watch" {
		settings["WATCH_QUEUE"] = w.outputs["WatchQueueUrl"]
	}
	must[*lambda.CreateFunctionOutput](w.t)(client.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String(full), Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Role: aws.String("arn:aws:iam::123456789012:role/" + w.name), Code: &lambdatypes.FunctionCode{ZipFile: zipped(w.t, "the code")},
		MemorySize: aws.Int32(w.plan.memory), Architectures: []lambdatypes.Architecture{w.plan.architecture}, Environment: &lambdatypes.Environment{Variables: settings}}))
	version := w.plan.alias
	if version == "" {
		version = *must[*lambda.PublishVersionOutput](w.t)(client.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String(full)})).Version
	}
	must[*lambda.CreateAliasOutput](w.t)(client.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String(full), Name: aws.String("live"), FunctionVersion: aws.String(version)}))
	if w.plan.latest != nil {
		must[*lambda.UpdateFunctionConfigurationOutput](w.t)(client.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(full),
			Environment: &lambdatypes.Environment{Variables: w.plan.latest}}))
	}
	if w.plan.latestCode != "" {
		must[*lambda.UpdateFunctionCodeOutput](w.t)(client.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(full), ZipFile: zipped(w.t, w.plan.latestCode)}))
	}
	env := []string{"AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_ENDPOINT_URL=" + endpoint.url,
		"IMAGECO_URL=http://127.0.0.1:1/", "WECHATPAY_URL=http://127.0.0.1:1", "WECHATPAY_BACKUP_URL=http://127.0.0.1:1", "RESULT_BUS=" + bus, "WATCH_MERCHANTS=acme"}
	if w.plan.secretsDown {
		env = append(env, "AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:1")
	}
	f := sandbox.NewFunction(sandbox.FunctionConfig{Name: full, Path: filepath.Join(programs, name), Env: env, Concurrency: 2})
	w.t.Cleanup(func() { _ = f.Close() })
	if err := f.Start(ctx); err != nil {
		w.t.Fatal(err)
	}
	return f
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("bootstrap")
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pump hands a queue's messages to a function, as Lambda's poller does, until the test ends.
func (w *world) pump(name string, f *sandbox.Function) {
	ctx, cancel := context.WithCancel(context.Background())
	client := sqs.NewFromConfig(w.aws)
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(w.queues[name]), WaitTimeSeconds: 1})
			if err != nil {
				continue
			}
			for _, m := range out.Messages {
				if w.plan.settledAs != "" {
					w.settle(ctx, name, *m.Body)
					continue
				}
				record := map[string]any{"messageId": *m.MessageId, "receiptHandle": *m.ReceiptHandle, "body": *m.Body, "eventSource": "aws:sqs",
					"eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:" + w.name + "-" + name, "awsRegion": region}
				payload, _ := json.Marshal(map[string]any{"Records": []any{record}})
				_, _ = f.Invoke(ctx, payload, 28*time.Second)
			}
		}
	})
	w.t.Cleanup(func() { cancel(); done.Wait() })
}

// settle puts a settled event for a request on the bus, in a function's place.
func (w *world) settle(ctx context.Context, name, body string) {
	var request struct {
		Detail map[string]any `json:"detail"`
	}
	_ = json.Unmarshal([]byte(body), &request)
	request.Detail["outcome"], request.Detail["code"] = "rejected", w.plan.settledAs
	detail, _ := json.Marshal(request.Detail)
	kind := map[string]string{"reply": "ComplaintReplySettled", "complete": "ComplaintCompletionSettled"}[name]
	_, _ = eventbridge.NewFromConfig(w.aws).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(w.name), Source: aws.String("kesu"), DetailType: aws.String(kind), Detail: aws.String(string(detail))}}})
}

// deploy makes a stack in moto that says what a deployed one says.
func (w *world) deploy() {
	w.t.Helper()
	for name, value := range w.plan.outputs {
		w.outputs[name] = value
	}
	parameters, outputs := map[string]any{}, map[string]any{}
	for name, value := range w.plan.parameters {
		parameters[name] = map[string]any{"Type": "String", "Default": value}
	}
	for name, value := range w.outputs {
		if value != "" {
			outputs[name] = map[string]any{"Value": value}
		}
	}
	template, err := json.Marshal(map[string]any{"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Outputs": outputs,
		"Resources": map[string]any{"Any": map[string]any{"Type": "AWS::SQS::Queue"}}})
	if err != nil {
		w.t.Fatal(err)
	}
	must[*cloudformation.CreateStackOutput](w.t)(cloudformation.NewFromConfig(w.aws).CreateStack(w.t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String(w.name), TemplateBody: aws.String(string(template))}))
}

// run asks the stack as kesu smoke does.
func (w *world) run(change func(*smoke.Options)) (smoke.Report, error) {
	o := smoke.Options{Stack: w.name, AWS: w.aws, HTTP: &http.Client{}, Wait: 5 * time.Minute, Call: 5 * time.Minute, Now: time.Now, CallerRole: "arn:aws:iam::123456789012:role/caller"}
	if change != nil {
		change(&o)
	}
	return smoke.Run(w.t.Context(), o)
}
