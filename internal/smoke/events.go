package smoke

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kesu-go/kesu/pkg/redact"
)

// source is the source of a probe's event.
const source = "kesu-smoke"

// poll is how long a call waits for a message, in seconds: SQS's most.
const poll = 20

// probe puts an event for each function on the bus, and returns the complaint ids by action.
func (r *run) probe(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, r.callLimit())
	defer cancel()
	sent := map[string]string{}
	client := eventbridge.NewFromConfig(r.AWS)
	for _, a := range actions {
		check, id := "event: "+a.name, "smoke-"+strings.ToLower(rand.Text())
		detail := fmt.Sprintf(`{"merchant":%q,"complaint_id":%q,"idempotency_key":%q%s}`, r.name, id, id, a.detail)
		out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
			EventBusName: aws.String(r.outputs["BusName"]), Source: aws.String(source), DetailType: aws.String(a.requested), Detail: aws.String(detail),
		}}})
		const advice = "see that the stack's bus is there, and that you may put events on it"
		switch {
		case err != nil:
			r.fail(check, advice, "the bus takes no event: %s", problem(err))
		case out.FailedEntryCount > 0 || len(out.Entries) != 1:
			code := ""
			if len(out.Entries) > 0 {
				code = aws.ToString(out.Entries[0].ErrorCode)
			}
			r.fail(check, advice, "the bus did not take the event: %s", redact.AWSCode(code))
		default:
			sent[a.name] = id
		}
	}
	return sent
}

// settledEvent is what is read of a settled event.
type settledEvent struct {
	DetailType string `json:"detail-type"`
	Source     string `json:"source"`
	Detail     struct {
		Merchant    string `json:"merchant"`
		ComplaintID string `json:"complaint_id"`
		Outcome     string `json:"outcome"`
		Code        string `json:"code"`
	} `json:"detail"`
}

// settled waits until what was sent is settled: a settled event for it is in the smoke queue. What is left there, by this
// or by another run, SQS throws away after minutes.
func (r *run) settled(ctx context.Context, sent map[string]string) {
	url := r.outputs["SmokeQueueUrl"]
	if url == "" {
		for _, a := range actions {
			if sent[a.name] != "" {
				r.fail("event: "+a.name, "deploy the stack with a template that has the smoke queue", "the stack has no output SmokeQueueUrl, so what is settled cannot be seen")
			}
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.Wait)
	defer cancel()
	client := sqs.NewFromConfig(r.AWS)
	for waiting := len(sent); waiting > 0; {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(url), MaxNumberOfMessages: 10, WaitTimeSeconds: r.patience(ctx)})
		if err != nil {
			r.missing(sent, err, ctx.Err() != nil)
			return
		}
		for _, m := range out.Messages {
			if r.take(ctx, client, url, m, sent) {
				waiting--
			}
		}
	}
}

// patience is how long the next call may wait for a message, in seconds.
func (r *run) patience(ctx context.Context) int32 {
	deadline, _ := ctx.Deadline()
	return int32(min(poll, max(1, time.Until(deadline)/time.Second)))
}

// take looks at one message and reports whether it is one that was waited for. Only such a one is deleted: another run's
// comes into sight again at once.
func (r *run) take(ctx context.Context, client *sqs.Client, url string, m sqstypes.Message, sent map[string]string) bool {
	var event settledEvent
	if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &event); err != nil {
		return false
	}
	for _, a := range actions {
		id := sent[a.name]
		if id == "" || event.Detail.ComplaintID != id || event.DetailType != a.settled || event.Detail.Merchant != r.name {
			continue
		}
		delete(sent, a.name)
		_, _ = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(url), ReceiptHandle: m.ReceiptHandle}) // else it ends by itself
		if event.Detail.Outcome != "rejected" || event.Detail.Code != "UNKNOWN_MERCHANT" {
			r.fail("event: "+a.name, "see the function's log", "settled as %s %s, and not as rejected UNKNOWN_MERCHANT",
				redact.Secrets{}.Text(event.Detail.Outcome), redact.Secrets{}.Text(event.Detail.Code))
		} else {
			r.ok("event: "+a.name, "settled as rejected UNKNOWN_MERCHANT, as it must be")
		}
		return true
	}
	return false
}

// missing tells what was waited for in vain.
func (r *run) missing(sent map[string]string, err error, late bool) {
	for _, a := range actions {
		switch {
		case sent[a.name] == "":
		case late:
			r.fail("event: "+a.name, "follow the event: the rule for "+a.requested+" (is it there, is it enabled?), its queue, the function's log (RESULT_NOT_PUBLISHED: the bus that RESULT_BUS names), the smoke rule",
				"nothing was settled within %s", r.Wait)
		default:
			r.fail("event: "+a.name, "allow sqs:ReceiveMessage on the smoke queue", "the smoke queue cannot be read: %s", problem(err))
		}
	}
}
