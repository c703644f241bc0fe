package smoke_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kesu-go/kesu/internal/smoke"
)

func TestASoundStackPassesEveryCheck(t *testing.T) {
	w := build(t, sound())
	if w == nil {
		return
	}
	report, err := w.run(nil)
	var names []string
	for _, c := range report.Checks {
		names = append(names, c.Check)
		if c.Status != smoke.OK {
			t.Errorf("%+v", c)
		}
	}
	want := []string{"stack", "version: reply", "settings: reply", "version: complete", "settings: complete", "unsigned: reply", "unsigned: complete",
		"signed: reply", "signed: complete", "own merchant", "another merchant"}
	if err != nil || !report.OK() || len(names) != len(want)+2 || !slices.Equal(names[:len(want)], want) ||
		!slices.Contains(names, "event: reply") || !slices.Contains(names, "event: complete") {
		t.Errorf("%v, %v", names, err)
	}
	left, err := sqs.NewFromConfig(w.aws).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(w.queues["smoke"]), AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	if err != nil || left.Attributes["ApproximateNumberOfMessages"] != "0" || left.Attributes["ApproximateNumberOfMessagesNotVisible"] != "0" {
		t.Errorf("it leaves %v behind, %v", left, err)
	}
}

func TestSeededFaults(t *testing.T) {
	for _, fault := range []struct {
		name  string
		seed  func(*plan)
		fails []string // checks, and nothing else
		says  string
	}{
		{"nobody is asked who they are", func(p *plan) { p.open = true },
			[]string{"unsigned: reply", "unsigned: complete", "another merchant"}, "reached the function"},
		{"who is known may call for everybody", func(p *plan) { p.anyPath = true }, []string{"another merchant"}, "called for another one"},
		{"the caller may not call at all", func(p *plan) { p.merchantsOfCaller = "merchants/acme/*" },
			[]string{"signed: reply", "signed: complete"}, "does not let these credentials in"},
		{"the live version holds other code", func(p *plan) { p.latestCode = "newer" }, []string{"version: reply", "version: complete"}, "other code"},
		{"a changed parameter reached the latest version only", func(p *plan) {
			p.parameters["ImagecoResponseSign"] = "enforce"
			p.latest = map[string]string{"IMAGECO_RESPONSE_SIGN": "enforce"}
		}, []string{"version: reply", "version: complete", "settings: reply", "settings: complete"}, `IMAGECO_RESPONSE_SIGN is "warn", and ImagecoResponseSign is "enforce"`},
		{"a changed parameter reached nothing", func(p *plan) { p.parameters["MaxAttempts"] = "1" }, []string{"settings: reply", "settings: complete"}, "MaxAttempts"},
		{"a setting was made by hand", func(p *plan) { p.settings["SECRET_SOFT_TTL"] = "9h" }, []string{"settings: reply", "settings: complete"}, "no parameter"},
		{"an endpoint leads away from AWS", func(p *plan) { p.settings["AWS_ENDPOINT_URL_DYNAMODB"] = "https://elsewhere.example" },
			[]string{"settings: reply", "settings: complete"}, "AWS_ENDPOINT_URL_DYNAMODB"},
		{"the memory is another", func(p *plan) { p.memory = 128 }, []string{"settings: reply", "settings: complete"}, "MemorySize"},
		{"the processor is another", func(p *plan) { p.architecture = "x86_64" }, []string{"settings: reply", "settings: complete"}, "Architecture"},
		{"the alias leads to no version", func(p *plan) { p.alias = "$LATEST" }, []string{"version: reply", "version: complete"}, "$LATEST"},
		{"a rule is missing", func(p *plan) { p.rules = []string{"complete", "smoke"} }, []string{"event: reply"}, "ComplaintReplyRequested"},
		{"the smoke rule is missing", func(p *plan) { p.rules = []string{"reply", "complete"} }, []string{"event: reply", "event: complete"}, "nothing was settled"},
		{"the results' bus is missing", func(p *plan) { p.resultBus = "no-such-bus" }, []string{"event: reply", "event: complete"}, "RESULT_BUS"},
		{"events are settled otherwise", func(p *plan) { p.settledAs = "MERCHANT_MISCONFIGURED" }, []string{"event: reply", "event: complete"}, "settled as rejected MERCHANT_MISCONFIGURED"},
		{"the template is an older one", func(p *plan) { p.outputs["SmokeQueueUrl"] = "" }, []string{"event: reply", "event: complete"}, "SmokeQueueUrl"},
		{"the functions may not read secrets", func(p *plan) { p.secretsDown = true },
			[]string{"signed: reply", "signed: complete", "own merchant", "event: reply", "event: complete"}, "SECRETS_UNAVAILABLE"},
		{"the last deployment was taken back", func(p *plan) { p.status = "UPDATE_ROLLBACK_COMPLETE" }, []string{"stack"}, "taken back"},
		{"a deployment is under way", func(p *plan) { p.status = "UPDATE_IN_PROGRESS" }, []string{"stack"}, "UPDATE_IN_PROGRESS"},
		{"the API's address is no longer there", func(p *plan) { p.outputs["ApiUrl"] = "http://127.0.0.1:1" },
			[]string{"unsigned: reply", "unsigned: complete", "signed: reply", "signed: complete", "own merchant"}, "cannot be reached"},
		{"the API's address is not one to send signatures to", func(p *plan) { p.outputs["ApiUrl"] = "http://elsewhere.example" },
			[]string{"unsigned: reply", "unsigned: complete", "signed: reply", "signed: complete", "own merchant"}, "must be https"},
		{"a function is missing", func(p *plan) { p.outputs["ReplyFunctionName"] = "gone" }, []string{"version: reply"}, "ResourceNotFoundException"},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			p := sound()
			fault.seed(p)
			w := build(t, p)
			if w == nil {
				return
			}
			report, err := w.run(func(o *smoke.Options) {
				switch { // what never comes is waited for to the end
				case slices.Contains(fault.fails, "event: complete"):
					o.Wait = 3 * time.Second
				case slices.Contains(fault.fails, "event: reply"):
					o.Wait = 20 * time.Second // the other event must have time to come
				}
			})
			if err != nil || report.OK() {
				t.Errorf("all is well, %v", err)
			}
			said, failed := "", []string{}
			for _, c := range report.Checks {
				if c.Status != smoke.OK {
					failed, said = append(failed, c.Check), said+c.Message+" "+c.Advice+"\n"
				}
				if c.Status == smoke.Failed && c.Advice == "" {
					t.Errorf("%+v does not say what to do", c)
				}
			}
			slices.Sort(failed)
			if want := slices.Sorted(slices.Values(fault.fails)); !slices.Equal(failed, want) || !strings.Contains(said, fault.says) {
				t.Errorf("failed: %v, want %v\n%s", failed, want, said)
			}
			if strings.Contains(said, "s3cr3t") || strings.Contains(said, "secret of") {
				t.Errorf("it tells too much:\n%s", said)
			}
		})
	}
}

func TestWhatIsAskedForDependsOnTheCaller(t *testing.T) {
	w := build(t, sound())
	if w == nil {
		return
	}
	status := func(report smoke.Report, check string) string {
		for _, c := range report.Checks {
			if c.Check == check {
				return c.Status
			}
		}
		return "not there"
	}
	report, err := w.run(func(o *smoke.Options) { o.CallerRole = "" })
	if err != nil || !report.OK() || status(report, "another merchant") != smoke.LeftOut {
		t.Errorf("without a role: %+v, %v", report, err)
	}
	report, err = w.run(func(o *smoke.Options) { o.Merchant = "acme" }) // a body that must be refused
	if err != nil || !report.OK() || status(report, "own merchant") != smoke.OK {
		t.Errorf("for a real merchant: %+v, %v", report, err)
	}
	w.sts.refuses = true
	report, err = w.run(nil)
	if err != nil || status(report, "another merchant") != smoke.Failed || report.OK() {
		t.Errorf("with a role that cannot be assumed: %+v, %v", report, err)
	}
	report, err = w.run(func(o *smoke.Options) { o.Token = "a token" })
	if err != nil || status(report, "signed: reply") != smoke.Failed || status(report, "another merchant") != smoke.LeftOut {
		t.Errorf("with a token that the API does not know: %+v, %v", report, err)
	}
	if _, err := w.run(func(o *smoke.Options) { o.Stack = "no-such-stack" }); !errors.Is(err, smoke.ErrStack) {
		t.Errorf("without a stack: %v", err)
	}
}

func TestAStackThatWatchesIsAskedForItsThirdFunction(t *testing.T) {
	answers := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	for _, tt := range []struct {
		name  string
		seed  func(*plan)
		fails string // the one check
		says  string
	}{
		{"a sound one", func(*plan) {}, "", ""},
		{"notifications that need IAM", func(p *plan) { p.notifications = answers(http.StatusForbidden) }, "notifications", "refused with 403"},
		{"notifications that lead to nothing", func(p *plan) { p.notifications = answers(http.StatusNotFound) }, "notifications", "answered 404"},
		{"notifications that anybody can send", func(p *plan) { p.notifications = answers(http.StatusNoContent) }, "notifications", "answered 204"},
		{"an address that is not one to send anything to", func(p *plan) {
			p.outputs["NotificationsUrl"] = "http://elsewhere.example/merchants/{merchant}/notifications"
		}, "notifications", "must be https"},
		{"another queue", func(p *plan) { p.outputs["WatchQueueUrl"] = "https://sqs.us-east-1.amazonaws.com/123456789012/other" }, "settings: watch", "WATCH_QUEUE is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := sound()
			p.watch = true
			tt.seed(p)
			w := build(t, p)
			if w == nil {
				return
			}
			report, err := w.run(nil)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, c := range report.Checks {
				seen[c.Check] = true
				if want := c.Check == tt.fails; (c.Status == smoke.Failed) != want || want && !strings.Contains(c.Message, tt.says) {
					t.Errorf("%+v", c)
				}
			}
			for _, check := range []string{"version: watch", "settings: watch", "notifications"} {
				if !seen[check] {
					t.Errorf("nobody asked for %s", check)
				}
			}
		})
	}
}
