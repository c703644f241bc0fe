package examples

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kesu-go/kesu/internal/ledger/mototest"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// toolsVariable names the folder with what scripts/examples-install installed.
const toolsVariable = "KESU_EXAMPLES"

const (
	folder  = "../../examples"
	bound   = 2 * time.Minute // of one program, on a busy machine
	content = "退款已原路退回"
)

// language is one example. Its command is what a person types, but for the compiling of Go and Java.
type language struct {
	name    string
	command func(tools, built string) []string
}

var languages = []language{
	{"go", func(_, built string) []string { return []string{filepath.Join(built, "example")} }},
	{"node", func(tools, _ string) []string { return []string{"node", filepath.Join(tools, "node", "kesu.js")} }},
	{"python", func(tools, _ string) []string {
		return []string{filepath.Join(tools, "python", "bin", "python"), filepath.Join(folder, "python", "kesu.py")}
	}},
	{"php", func(string, string) []string { return []string{"php", filepath.Join(folder, "php", "kesu.php")} }},
	{"java", func(tools, built string) []string {
		// Compiled lightly, because each program runs for a moment only.
		return []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", built + ":" + filepath.Join(tools, "java", "lib", "*"), "Kesu"}
	}},
}

func TestEveryExample(t *testing.T) {
	tools := os.Getenv(toolsVariable)
	if tools == "" {
		t.Skip("left out: the examples, which need what they are written with (make examples)")
	}
	tools, built := absolute(t, tools), t.TempDir()
	build(t, "go", "build", "-o", filepath.Join(built, "example"), "../../examples/go")
	build(t, "go", "build", "-o", built+"/", "../../functions/reply", "../../functions/complete")
	build(t, "javac", "-cp", filepath.Join(tools, "java", "lib", "*"), "-d", built, filepath.Join(folder, "java", "Kesu.java"))
	script, err := os.ReadFile(filepath.Join(folder, "node", "kesu.js"))
	if err == nil { // beside its packages: Node looks for them from where a script really is
		err = os.WriteFile(filepath.Join(tools, "node", "kesu.js"), script, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, built)
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) { s.act(t, l, l.command(tools, built)) })
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func build(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// stage is a stack on this machine: the functions and the gateways of the sandbox, API Gateway's SigV4, and moto's EventBridge
// and SQS for the settled events, whose rule is the one of examples/settled-rule.json.
type stage struct {
	demo   *sandbox.Demo
	api    string
	events *eventbridge.Client
	queues *sqs.Client
	queue  string
	moto   string
	told   int // settled events that moto has
}

func newStage(t *testing.T, functions string) *stage {
	t.Helper()
	d, err := sandbox.NewDemo(sandbox.Options{CreateOnSight: true, Ledger: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.WechatPay.SetOddities(sandbox.Oddities{HistoryRefused: true}) // what may have been sent stays unknown
	if err := d.StartFunctions(t.Context(), sandbox.Programs{Reply: filepath.Join(functions, "reply"), Complete: filepath.Join(functions, "complete"),
		Env: []string{"MAX_ATTEMPTS=1", "REPLY_RATE_PER_MINUTE=0", "LOG_LEVEL=error"}}); err != nil {
		t.Fatal(err)
	}
	l, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := d.Serve(l)
	if err != nil {
		t.Fatal(err)
	}
	front, err := newFront(gateway, aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(front)
	t.Cleanup(server.Close)
	s := &stage{demo: d, api: server.URL, moto: mototest.Start(t)}
	if s.moto == "" {
		t.Fatal("the settled events need moto_server (pip install 'moto[server]')")
	}
	s.makeQueue(t)
	return s
}

// makeQueue makes the queue for settled events, and the rule that fills it.
func (s *stage) makeQueue(t *testing.T) {
	t.Helper()
	c := aws.Config{Region: sandbox.Region, BaseEndpoint: aws.String(s.moto), Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "example", "")}
	s.events, s.queues = eventbridge.NewFromConfig(c), sqs.NewFromConfig(c)
	made, err := s.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("settled")})
	if err != nil {
		t.Fatal(err)
	}
	s.queue = *made.QueueUrl
	arn, err := s.queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := os.ReadFile(filepath.Join(folder, "settled-rule.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("settled"), EventPattern: aws.String(string(pattern))}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("settled"),
		Targets: []types.Target{{Id: aws.String("queue"), Arn: aws.String(arn.Attributes["QueueArn"])}}}); err != nil {
		t.Fatal(err)
	}
}

// run runs an example once and gives what it printed.
func (s *stage) run(t *testing.T, command []string, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8", "AWS_REGION=" + sandbox.Region, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=example", "AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL_EVENTBRIDGE=" + s.demo.Bus.URL(),
		"AWS_ENDPOINT_URL_SQS=" + s.moto, "KESU_API_URL=" + s.api, "KESU_BUS=" + sandbox.BusName, "KESU_QUEUE_URL=" + s.queue}, env...)
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out.String(), errors.String())
	}
	return strings.TrimSpace(out.String())
}

// hand gives moto the events that were put on the sandbox's bus since it was called last, and every request among them, so
// that the rule has something to leave out.
func (s *stage) hand(t *testing.T) {
	t.Helper()
	all := s.demo.Bus.Events()
	for _, e := range all[s.told:] {
		if _, err := s.events.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
			Source: aws.String(e.Source), DetailType: aws.String(e.DetailType), Detail: aws.String(string(e.Detail))}}}); err != nil {
			t.Fatal(err)
		}
	}
	s.told = len(all)
}

// replies are how often the consumer sees the reply at a complaint.
func (s *stage) replies(complaint string) int {
	c, _ := s.demo.State.Complaint("acme", complaint)
	n := 0
	for _, r := range c.Replies {
		if r.Content == content {
			n++
		}
	}
	return n
}

// act lets an example meet each outcome, by HTTP and by event.
func (s *stage) act(t *testing.T, l language, command []string) {
	// A fault is what the gateway does wrong with the next call.
	for _, test := range []struct {
		name, complaint string
		faults          []sandbox.Fault
		env             []string
		want            string // what the example prints begins with it
		replies, calls  int
	}{
		{name: "a reply", complaint: "1", want: "done", replies: 1, calls: 1},
		{name: "the same once more", complaint: "1", want: "done", replies: 1},
		{name: "no such complaint", complaint: "404", want: "a person corrects it: 3001", calls: 1},
		{name: "a gateway that is busy", complaint: "2", faults: []sandbox.Fault{{Status: 429, RetryAfter: "1"}}, want: "done", replies: 1, calls: 2},
		{name: "an answer that is lost", complaint: "3", faults: []sandbox.Fault{{CutAfter: true}}, want: "a person looks at the complaint before it is sent again: UPSTREAM_TIMEOUT", replies: 1, calls: 1},
		{name: "a wrong secret key", complaint: "4", env: []string{"AWS_SECRET_ACCESS_KEY=wrong"}, want: "a person corrects it: INVALID_SIGNATURE"},
	} {
		complaint, before := l.name+"-"+test.complaint, len(s.demo.ImagecoHost.Calls.Calls())
		for _, f := range test.faults {
			s.demo.ImagecoHost.Faults.Next(f)
		}
		if got := s.run(t, command, test.env, "http", complaint, content, "key-"+complaint); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: it prints %q, not %q", test.name, got, test.want)
		}
		if calls := len(s.demo.ImagecoHost.Calls.Calls()) - before; calls != test.calls || s.replies(complaint) != test.replies {
			t.Errorf("%s: %d calls, and the consumer sees %d replies", test.name, calls, s.replies(complaint))
		}
	}
	want := map[string]string{
		l.name + "-5":      "ComplaintReplySettled " + l.name + "-5 done",
		l.name + "-5-404":  "ComplaintReplySettled " + l.name + "-5-404 a person corrects it: 3001 ",
		l.name + "-5-9998": "ComplaintReplySettled " + l.name + "-5-9998 a person looks at the complaint before it is sent again: 9998",
	}
	for complaint := range want {
		if strings.HasSuffix(complaint, "9998") {
			s.demo.ImagecoHost.Faults.Next(sandbox.Fault{Code: "9998", ActFirst: true})
		}
		if got := s.run(t, command, nil, "event", complaint, content, "key-"+complaint); got != "sent" {
			t.Errorf("by event: it prints %q", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		_, err := s.demo.Bus.Wait(ctx, func(e sandbox.Event) bool {
			return e.DetailType == "ComplaintReplySettled" && strings.Contains(string(e.Detail), `"`+complaint+`"`)
		})
		cancel()
		if err != nil {
			t.Fatalf("%s is not settled: %v", complaint, err)
		}
	}
	s.hand(t)
	printed := s.run(t, command, nil, "settled")
	for complaint, line := range want {
		if strings.Count("\n"+printed, "\n"+line) != 1 {
			t.Errorf("%s is not told of once:\n%s", complaint, printed)
		}
	}
	if n := strings.Count(printed, "  it said "+content); n != 2 {
		t.Errorf("the words stand there %d times:\n%s", n, printed)
	}
	if again := s.run(t, command, nil, "settled"); again != "" {
		t.Errorf("it does not take out what it read:\n%s", again)
	}
}
