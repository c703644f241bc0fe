package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

// local starts the functions in a clinic, and the gateway before them.
func (c *clinic) local(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(programs, "functions")
	if err := c.StartFunctions(t.Context(), sandbox.Programs{Reply: filepath.Join(dir, "reply"), Complete: filepath.Join(dir, "complete"), Env: []string{"LOG_LEVEL=error", "MAX_ATTEMPTS=1"}}); err != nil {
		t.Fatal(err)
	}
	l, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url, err := c.Serve(l)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestSend(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	url := c.local(t)
	send := func(args ...string) outcome {
		o := process{args: append([]string{"send"}, append(args, "--url", url)...)}.run(t)
		o.hides(t, privateParts(c.merchant)...)
		return o
	}
	o := send("reply", "--merchant", "acme", "--complaint", "2001", "--content", "已处理", "--image", "a", "--image", "b,c", "--jump-url", "https://example.com/?a=1&b=2", "--jump-url-text", "订单", "--idempotency-key", "k1", "--transaction-id", "resp2026112100001")
	if o.code != 0 || o.errors != "" {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	golden(t, "send_reply.txt", o.out)
	complaint, _ := c.State.Complaint("acme", "2001")
	if len(complaint.Replies) != 1 || complaint.Replies[0].Content != "已处理" || strings.Join(complaint.Replies[0].Images, "|") != "a|b,c" || complaint.Replies[0].JumpURL != "https://example.com/?a=1&b=2" {
		t.Errorf("the consumer sees %+v", complaint.Replies)
	}
	o = send("complete", "--json", "--merchant", "acme", "--complaint", "2001")
	var result wire.Result
	if err := json.Unmarshal([]byte(o.out), &result); err != nil || o.code != 0 || result.Outcome != wire.Succeeded || result.Code != "OK" {
		t.Errorf("exit %d, %v\n%s\n%s", o.code, err, o.out, o.errors)
	}
	if o = send("reply", "--merchant", "acme", "--complaint", "9404", "--content", "x"); o.code != 1 || !strings.Contains(o.out, "3001") {
		t.Errorf("a refusal: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	if o = send("reply", "--merchant", "nobody", "--complaint", "2001", "--content", "x"); o.code != 1 || !strings.Contains(o.out, "UNKNOWN_MERCHANT") {
		t.Errorf("an unknown merchant: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	c.WechatPay.SetOddities(sandbox.Oddities{HistoryRefused: true}) // nobody can look for the reply
	c.ImagecoHost.Faults.Next(sandbox.Fault{CutAfter: true})
	if o = send("reply", "--merchant", "acme", "--complaint", "2002", "--content", "x"); o.code != 4 || !strings.Contains(o.out, "--resend-unknown") {
		t.Errorf("an unknown outcome: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	away := c.copy(t)
	away.Imageco.URL = refusing(t)
	c.Secrets.Put(sandbox.SecretPrefix+"away", away.Secret())
	if o = send("reply", "--merchant", "away", "--complaint", "2003", "--content", "x"); o.code != 3 || !strings.Contains(o.out, "UPSTREAM_UNREACHABLE") {
		t.Errorf("a retryable outcome: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	o = send("complete", "--via", "bus", "--merchant", "acme", "--complaint", "2004")
	if o.code != 0 || !strings.Contains(o.out, "its result will be an event ComplaintCompletionSettled") {
		t.Errorf("the local bus: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := c.World.Bus.Wait(ctx, func(e sandbox.Event) bool {
		return e.DetailType == "ComplaintCompletionSettled" && strings.Contains(string(e.Detail), `"2004"`)
	}); err != nil {
		t.Error("the event had no effect:", err)
	}
}

func TestSendSaysThatTheLocalBusRefused(t *testing.T) {
	t.Parallel()
	bus := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure","ErrorMessage":"x"}]}`)
	}))
	defer bus.Close()
	o := process{args: []string{"send", "complete", "--url", bus.URL, "--via", "bus", "--merchant", "acme", "--complaint", "1"}}.run(t)
	if o.code != exitRetryable || o.out != "" || !strings.Contains(o.errors, "the bus did not take the event: InternalFailure; nothing was sent") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
}

func TestSendToAWSsBus(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	event := `{"version":"0","detail-type":"ComplaintReplyRequested","detail":{"merchant":"acme","complaint_id":"2001","response_content":"旧","idempotency_key":"k"}}`
	o := process{args: []string{"send", "reply", "--json", "--bus", sandbox.BusName, "--content", "新", "--file", "-"}, stdin: event, env: c.Env()}.run(t)
	var taken struct {
		EventID string `json:"event_id"`
	}
	if err := json.Unmarshal([]byte(o.out), &taken); err != nil || o.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	events := c.Bus.Events()
	if len(events) != 1 || events[0].ID != taken.EventID || events[0].Source != "kesu-send" || events[0].DetailType != "ComplaintReplyRequested" ||
		string(events[0].Detail) != `{"complaint_id":"2001","idempotency_key":"k","merchant":"acme","response_content":"新"}` {
		t.Errorf("the bus has %+v", events)
	}
	c.Bus.Faults.Next(sandbox.Fault{Code: "ThrottlingException"})
	if o = (process{args: []string{"send", "complete", "--bus", sandbox.BusName, "--merchant", "acme", "--complaint", "1"}, env: c.Env()}).run(t); o.code != 3 || !strings.Contains(o.errors, "ThrottlingException; nothing was sent") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
}

func TestSendTakesAnArrayOfPutEventsEntries(t *testing.T) {
	t.Parallel()
	const detail = `{"merchant": "acme", "complaint_id": "9112", "response_content": "已处理"}`
	entry := `{"EventBusName": "kesu", "Source": "shop", "DetailType": "ComplaintReplyRequested", "Detail": ` + strconv.Quote(detail) + `}`
	for name, text := range map[string]string{"one in an array": "[" + entry + "]", "one with a byte order mark": "\xEF\xBB\xBF [" + entry + "]\n", "one alone": entry} {
		o := process{args: []string{"send", "reply", "--dry-run", "--json", "--bus", "kesu", "--file", "-"}, stdin: text}.run(t)
		var shown struct{ Entry struct{ Detail string } }
		if err := json.Unmarshal([]byte(o.out), &shown); err != nil || o.code != 0 || shown.Entry.Detail != `{"complaint_id":"9112","merchant":"acme","response_content":"已处理"}` {
			t.Errorf("%s: exit %d\n%s\n%s", name, o.code, o.out, o.errors)
		}
	}
}

func TestSendRefusesAWrongRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
		says []string
		code int
	}{
		{"nothing", []string{"reply"}, []string{"merchant is required", "complaint_id is required", "response_content is required"}, 2},
		{"a mini program without its text", []string{"reply", "--merchant", "acme", "--complaint", "1", "--content", "a", "--mini-program", "wx1 pages/a"}, []string{"mini_program_jump_info"}, 2},
		{"everything wrong", []string{"reply", "--merchant", "a/b", "--complaint", "1", "--content", "😀", "--jump-url", "http://x"}, []string{"merchant may hold only", "emoji", "jump_url must be an https URL", "jump_url_text is required together"}, 2},
		{"a member that is none", []string{"complete", "--merchant", "a", "--complaint", "1", "--file", file(t, "f.json", `{"colour":"red"}`)}, []string{"colour is not a member"}, 2},
		{"a file that is no JSON", []string{"complete", "--file", file(t, "f.json", `{`)}, []string{"the file is not JSON"}, 1},
		{"a file with two entries", []string{"complete", "--file", file(t, "f.json", `[{"Detail":"{}"},{"Detail":"{}"}]`)}, []string{"the file has 2 entries, and kesu send sends one at a time"}, 1},
		{"a file with no entry", []string{"complete", "--file", file(t, "f.json", ` []`)}, []string{"the file has 0 entries"}, 1},
		{"a file with half an array", []string{"complete", "--file", file(t, "f.json", `[{`)}, []string{"the file is not a JSON object"}, 1},
		{"a file with an array in an array", []string{"complete", "--file", file(t, "f.json", `[[{}]]`)}, []string{"the file is not a JSON object"}, 1},
		{"two places", []string{"complete", "--url", "http://127.0.0.1:1", "--bus", "b", "--merchant", "a", "--complaint", "1"}, []string{"one of --url, --stack and --bus"}, 2},
		{"an http address", []string{"complete", "--url", "http://example.com", "--merchant", "a", "--complaint", "1"}, []string{"must be an https address"}, 2},
		{"no gateway", []string{"complete", "--url", "http://127.0.0.1:1", "--merchant", "a", "--complaint", "1"}, []string{"cannot be reached, nothing was sent"}, 3},
		{"a token that is not there", []string{"complete", "--url", "https://example.com", "--auth", "token", "--merchant", "a", "--complaint", "1"}, []string{"KESU_TOKEN"}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := process{args: append([]string{"send"}, test.args...)}.run(t)
			for _, part := range test.says {
				if !strings.Contains(o.errors, part) {
					t.Errorf("it does not say %q", part)
				}
			}
			if o.code != test.code || o.out != "" || strings.Count(o.errors, "\n") != 1 {
				t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
			}
		})
	}
}

func TestSendDryRun(t *testing.T) {
	t.Parallel()
	args := []string{"send", "reply", "--dry-run", "--merchant", "acme", "--complaint", "2001", "--content", "a<b", "--url", "https://abc.execute-api.ap-east-1.amazonaws.com/v1/"}
	o := process{args: args, env: []string{"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=very-secret-indeed"}}.run(t)
	golden(t, "send_dry_run.txt", o.out)
	o = process{args: append(args, "--json"), env: []string{"KESU_TOKEN=very-secret-indeed"}}.run(t)
	if o.hides(t, "very-secret-indeed"); o.code != 0 || !strings.Contains(o.out, `"auth": "token"`) {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	o = process{args: append(args, "--mini-program", "wx1 pages/a?id=1&b=2 查看 订单")}.run(t)
	if want := `"mini_program_jump_info":{"appid":"wx1","path":"pages/a?id=1&b=2","text":"查看 订单"}`; o.code != 0 || !strings.Contains(o.out, want) {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	o = process{args: []string{"send", "complete", "--dry-run", "--merchant", "acme", "--complaint", "2001", "--bus", "kesu"}}.run(t)
	if o.code != 0 || !strings.Contains(o.out, "PutEvents on kesu\nSource: kesu-send\nDetailType: ComplaintCompletionRequested\n") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
}

// TestSendSigns checks SigV4 as API Gateway does: by making the signature anew from what arrived.
func TestSendSigns(t *testing.T) {
	t.Parallel()
	credentials := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI-very-secret", SessionToken: "session-very-secret"}
	problem := make(chan string, 2)
	answers := []func(http.ResponseWriter){
		func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"message":"User is not authorized"}`))
		},
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusGatewayTimeout) },
	}
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem <- signatureProblem(r, credentials)
		answers[calls](w)
		calls++
	}))
	t.Cleanup(server.Close)
	p := process{args: []string{"send", "complete", "--auth", "iam", "--region", "ap-east-1", "--merchant", "acme", "--complaint", "2001", "--url", server.URL + "/v1"},
		env: []string{"AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey, "AWS_SESSION_TOKEN=" + credentials.SessionToken}}
	o := p.run(t)
	if said := <-problem; said != "" {
		t.Error(said)
	}
	if o.hides(t, credentials.SecretAccessKey, credentials.SessionToken); o.code != 1 || !strings.Contains(o.errors, "HTTP 403 (User is not authorized), and not from the function") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	if o = p.run(t); o.code != 4 || !strings.Contains(o.errors, "may have been carried out") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	if o = (process{args: p.args}).run(t); o.code != 1 || !strings.Contains(o.errors, "no AWS credentials") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
}

// signatureProblem says why a request's SigV4 signature is wrong; "" when it is right.
func signatureProblem(r *http.Request, credentials aws.Credentials) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > time.Minute {
		return "X-Amz-Date is wrong"
	}
	scope := regexp.MustCompile(`Credential=AKIDEXAMPLE/[0-9]{8}/([a-z0-9-]+)/([a-z-]+)/aws4_request`).FindStringSubmatch(r.Header.Get("Authorization"))
	if scope == nil || scope[1] != "ap-east-1" || scope[2] != "execute-api" {
		return "it is not signed for execute-api in ap-east-1"
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, strings.NewReader(string(body)))
	if err != nil {
		return err.Error()
	}
	again.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	again.Header.Set("User-Agent", r.Header.Get("User-Agent"))
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, again, hex.EncodeToString(sum[:]), scope[2], scope[1], at); err != nil {
		return err.Error()
	}
	if again.Header.Get("Authorization") != r.Header.Get("Authorization") {
		return "the signature is wrong"
	}
	return ""
}
