package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/kesu-go/kesu/internal/ledger/mototest"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// deployment is a bus in moto with the local gateway as the deployed API.
type deployment struct {
	t      *testing.T
	env    []string
	rules  *eventbridge.Client
	queues *sqs.Client
	api    string
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	if _, err := exec.LookPath("moto_server"); err != nil && os.Getenv(mototest.Require) != "1" {
		t.Log("left out kesu desk: it needs moto_server (pip install 'moto[server]')")
		return nil
	}
	endpoint := mototest.Start(t)
	static := credentials.NewStaticCredentialsProvider("AKIDSANDBOX", "sandbox-very-secret", "")
	d := &deployment{t: t,
		rules:  eventbridge.New(eventbridge.Options{BaseEndpoint: &endpoint, Region: sandbox.Region, Credentials: static}),
		queues: sqs.New(sqs.Options{BaseEndpoint: &endpoint, Region: sandbox.Region, Credentials: static}),
		env: []string{"AWS_REGION=" + sandbox.Region, "AWS_ACCESS_KEY_ID=AKIDSANDBOX", "AWS_SECRET_ACCESS_KEY=sandbox-very-secret",
			"AWS_ENDPOINT_URL=" + endpoint}}
	if _, err := d.rules.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String("kesu")}); err != nil {
		t.Fatal(err)
	}
	address, _ := d.serve(nil, `gateway +(http://127\.0\.0\.1:[0-9]+)\n`, "run", "--port", "0")
	d.api = address
	return d
}

// serve starts a command that runs until it is interrupted, and gives the address that it prints and a way to end it.
func (d *deployment) serve(env []string, address string, args ...string) (string, func()) {
	d.t.Helper()
	cmd := exec.Command(filepath.Join(programs, "kesu"), args...)
	cmd.Dir, cmd.Env = d.t.TempDir(), append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	var complaints strings.Builder
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if args[0] == "desk" {
		cmd.Stderr = &complaints
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			d.t.Errorf("%v ended with %v: %s", args, err, complaints.String())
		}
	}
	d.t.Cleanup(end)
	lines, said := bufio.NewReader(stdout), ""
	for {
		line, err := lines.ReadString('\n')
		said += line
		if found := regexp.MustCompile(address).FindStringSubmatch(said); found != nil {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return found[1], end
		}
		if err != nil {
			_ = cmd.Wait()
			ended = true
			d.t.Fatalf("%v says %s %s", args, said, complaints.String())
		}
	}
}

func (d *deployment) desk(more ...string) (string, func()) {
	d.t.Helper()
	args := append([]string{"desk", "--url", d.api, "--bus", "kesu", "--port", "0"}, more...)
	return d.serve(d.env, `(http://127\.0\.0\.1:[0-9]+)/console`, args...)
}

// publish puts an event on the bus as functions/watch does.
func (d *deployment) publish(detailType, detail string) {
	d.t.Helper()
	out, err := d.rules.PutEvents(d.t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: aws.String("kesu"), Source: aws.String("kesu"), DetailType: &detailType, Detail: &detail}}})
	if err != nil || out.FailedEntryCount > 0 {
		d.t.Fatal(err, out)
	}
}

// tells waits until the desk's stream tells something.
func (d *deployment) tells(url, what string) string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 60*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/console/stream?of=desk", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	lines, said := bufio.NewScanner(response.Body), ""
	for lines.Scan() {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), what) {
			return lines.Text()
		}
	}
	d.t.Fatalf("it never tells %s, only %s", what, said)
	return ""
}

func (d *deployment) ask(method, url, body string) string {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

const receivedComplaint = `{"merchant":"acme","complaint_id":"200201820261126000000000001","complaint_time":"2026-11-26T10:00:00+08:00",` +
	`"complaint_state":"PENDING","complaint_detail":"付款后一直没有发货","user_complaint_times":1,"via":"notification"}`

func TestDeskWorksOnADeployedKesu(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	if d == nil {
		return
	}
	url, end := d.desk()
	if page := d.ask("GET", url+"/console", ""); !strings.Contains(page, "<title>Kesu desk</title>") {
		t.Errorf("the page is %.200s", page)
	}
	d.publish("ComplaintReceived", receivedComplaint)
	said := d.tells(url, `"id":"200201820261126000000000001"`)
	for _, want := range []string{`"mode":"deployed"`, `"notice":"from.now"`, `"words":"付款后一直没有发货"`, `"state":"PENDING"`} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not tell %s: %s", want, said)
		}
	}
	answer := d.ask("POST", url+"/console/send", `{"merchant":"acme","complaint_id":"200201820261126000000000001","action":"reply",`+
		`"body":{"response_content":"您好,今天发货。"}}`)
	if !strings.Contains(answer, `"outcome":"succeeded"`) {
		t.Errorf("the reply: %s", answer)
	}
	d.tells(url, `"state":"PROCESSING"`)
	var talk struct{ Items []struct{ Kind, Text string } }
	if err := json.Unmarshal([]byte(d.ask("GET", url+"/console/complaints/acme/200201820261126000000000001", "")), &talk); err != nil ||
		len(talk.Items) != 2 || talk.Items[1].Text != "您好,今天发货。" {
		t.Errorf("the conversation: %v %+v", err, talk)
	}
	d.publish("ComplaintCompletionSettled", `{"action":"complete","merchant":"acme","complaint_id":"200201820261126000000000001",`+
		`"outcome":"succeeded","code":"OK","message":"the complaint is settled","event_id":"e1"}`)
	d.tells(url, `"state":"PROCESSED"`)
	end()
	queues, err := d.queues.ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("kesu-desk-")})
	if err != nil || len(queues.QueueUrls) > 0 {
		t.Errorf("at the end there are the queues %v, %v", queues.QueueUrls, err)
	}
	rules, err := d.rules.ListRules(t.Context(), &eventbridge.ListRulesInput{EventBusName: aws.String("kesu")})
	if err != nil || len(rules.Rules) > 0 {
		t.Errorf("at the end there are the rules %v, %v", rules.Rules, err)
	}
}

func TestDeskThatIsKeptHasWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	if d == nil {
		return
	}
	url, end := d.desk("--keep", "night")
	d.publish("ComplaintReceived", receivedComplaint)
	d.tells(url, `"id":"200201820261126000000000001"`)
	end()
	d.publish("ComplaintReceived", strings.ReplaceAll(receivedComplaint, "00001\"", "00002\""))
	url, _ = d.desk("--keep", "night")
	d.tells(url, `"id":"200201820261126000000000001"`)
	d.tells(url, `"id":"200201820261126000000000002"`)
}

func TestDeskIsRefusedWithoutAPlace(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"desk"}, {"desk", "--url", "https://api.example.com"}, {"desk", "--bus", "kesu"},
		{"desk", "--stack", "kesu", "--bus", "kesu"}, {"desk", "--url", "http://api.example.com", "--bus", "kesu"}} {
		o := process{args: args, env: []string{"AWS_REGION=ap-east-1"}}.run(t)
		if o.code != exitUsage {
			t.Errorf("%v: exit %d\n%s", args, o.code, o.errors)
		}
	}
}
