package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// batch is what SQS hands over.
func batch(bodies ...string) string {
	var records []any
	for i, body := range bodies {
		records = append(records, map[string]any{
			"messageId": fmt.Sprintf("m%d", i), "receiptHandle": "r", "body": body, "md5OfBody": "", "eventSource": "aws:sqs",
			"eventSourceARN": "arn:aws:sqs:ap-east-1:000000000000:replies", "awsRegion": "ap-east-1",
			"attributes":        map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1732176000000"},
			"messageAttributes": map[string]any{},
		})
	}
	return event(map[string]any{"Records": records})
}

// failures are the records of a batch that are to come again, sorted.
func (f *function) failures(payload string) []string {
	t := f.w.t
	t.Helper()
	got := f.invoke(payload)
	if got.Failed() {
		t.Fatalf("the batch failed: %s %s", got.ErrorType, got.ErrorMessage)
	}
	var answer struct {
		BatchItemFailures *[]struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(got.Payload, &answer); err != nil || answer.BatchItemFailures == nil {
		t.Fatalf("not an answer to a batch: %s", got.Payload)
	}
	all := []string{}
	for _, failure := range *answer.BatchItemFailures {
		all = append(all, failure.ItemIdentifier)
	}
	slices.Sort(all)
	return all
}

func TestEachRecordOfABatchHasItsOwnFate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	w.merchant("locked-out", sandbox.MerchantOptions{})
	other := w.newStub(tooManyRequests)
	busy := w.merchant("busy", sandbox.MerchantOptions{})
	busy.Imageco.URL = other.URL
	w.store(busy)
	reply := w.reply(withBus, "MAX_ATTEMPTS=1")
	first, last := w.complaint("acme"), w.complaint("acme")
	got := reply.failures(batch(
		requested(replyRequested, "1", replyTo("acme", first)),
		requested(replyRequested, "2", replyTo("busy", "c2")),
		"not JSON at all",
		requested(replyRequested, "3", replyTo("nobody", "c3")),
		requested(replyRequested, "4", replyTo("acme", "none")),
		requested(replyRequested, "5", replyTo("busy", "c5")),
		requested(replyRequested, "6", members{}),
		"",
		requested(completionRequested, "7", completionOf("acme", last)),
		requested(replyRequested, "8", replyTo("acme", last)),
	))
	if want := []string{"m1", "m2", "m5", "m6", "m7"}; !slices.Equal(got, want) {
		t.Errorf("%v come again and %v should", got, want)
	}
	if w.replies("acme", first) != 1 || w.replies("acme", last) != 1 {
		t.Error("a good record's reply was not shown")
	}
	if types, _ := w.settledEvents(); len(types) != 5 {
		t.Errorf("%d settled events for 5 settled records", len(types))
	}
	if got := reply.failures(batch()); len(got) != 0 {
		t.Errorf("an empty batch gives %v", got)
	}
	if got := reply.failures(`{"Records":[]}`); len(got) != 0 {
		t.Errorf("an empty batch gives %v", got)
	}
}

func TestABatchWithMoreRecordsThanOneProcessWorksOnAtOnceIsDoneInFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	complete := w.complete()
	var bodies []string
	for i := range 30 {
		bodies = append(bodies, requested(completionRequested, fmt.Sprint("id", i), completionOf("acme", w.complaint("acme"))))
	}
	if got := complete.failures(batch(bodies...)); len(got) != 0 {
		t.Errorf("%v come again", got)
	}
	for _, c := range w.State.Complaints() {
		if c.State != sandbox.Processed {
			t.Errorf("%s is %s", c.ID, c.State)
		}
	}
}

func TestARecordThatSQSWouldNeverSendDoesNotTouchTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	for name, record := range map[string]string{
		"a body that is an object":      `{"messageId":"odd","body":{"a":1},"eventSource":"aws:sqs"}`,
		"no body":                       `{"messageId":"odd","eventSource":"aws:sqs"}`,
		"a body that is null":           `{"messageId":"odd","body":null}`,
		"attributes of another type":    `{"messageId":"odd","body":"x","attributes":7}`,
		"a record that is a text":       `"odd"`,
		"a record that is null":         `null`,
		"a message id that is a number": `{"messageId":7,"body":"x"}`,
	} {
		id := w.complaint("acme")
		good, _ := json.Marshal(requested(replyRequested, "e", replyTo("acme", id)))
		got := f.failures(`{"Records":[` + record + `,{"messageId":"good","body":` + string(good) + `,"eventSource":"aws:sqs"}]}`)
		want := []string{"odd"}
		if !strings.Contains(record, `"messageId":"odd"`) {
			want = []string{""} // Lambda then takes the whole batch for failed
		}
		if !slices.Equal(got, want) || w.replies("acme", id) != 1 {
			t.Errorf("%s: %v come again, and %d replies were shown", name, got, w.replies("acme", id))
		}
	}
}
