package lambdaio

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Whatever comes, nothing panics, nothing that names nobody is settled, nothing is carried out twice in one invocation
// but by standing there twice, and an answer is a result, a list of results, a batch's answer or an HTTP answer.
func FuzzInvoke(f *testing.F) {
	ok, bare := event(wire.Complete, "ok"), command("ok")
	for _, seed := range []string{
		bare, ok, "[" + ok + "," + bare + "]", "[]", records(queued(ok)), records(published(bare)), "[" + queued(inSNS(ok)) + "]",
		records(queued(inFailure(quote(inSNS(ok))))), records(queued(quote(quote(quote(quote(ok)))))), records(queued("words"), `"odd"`, "null"),
		`{"Records":[{"eventSource":"aws:kinesis"}]}`, `{"Records":null}`, inFailure(ok), inSNS(ok), `{"Service":"Amazon S3","Event":"s3:TestEvent"}`,
		`{"detail-type":"ComplaintCompletionRequested","detail":` + quote(bare) + `}`,
		`{"rawPath":"/merchants/acme/complaints/ok/complete","requestContext":{"http":{"method":"POST"},"authorizer":{"claims":{"merchant":"[acme b]"}}},"headers":{"Idempotency-Key":"\"k\",k"},"body":"e30=","isBase64Encoded":true}`,
		`{"httpMethod":"POST","pathParameters":{"merchant":"acme","complaint_id":"ok"},"multiValueHeaders":{"idempotency-key":["k",null],"Content-Type":[]},"isBase64Encoded":"no","body":{}}`,
		`{"detail-type":"ComplaintCompletionRequested","detail":{"merchant":"acme","merchant":"b","complaint_id":"` + strings.Repeat("商", 70) + `"}}`,
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, payload string, claim bool) {
		d, b := &pipeline{}, &bus{}
		h := &Handler{Action: wire.Complete, Pipeline: d, Publisher: b, Queue: &queues{}, Log: slog.New(slog.DiscardHandler)}
		if claim {
			h.CallerClaim = "merchant"
		}
		answer, err := h.Invoke(t.Context(), []byte(payload))
		var failed messages.InvokeResponse_Error
		if err != nil && (!errors.As(err, &failed) || failed.Type == wire.CodeInternal && !strings.Contains(payload, "bug")) || err == nil && !json.Valid(answer) {
			t.Fatalf("%s, %v", answer, err)
		}
		for _, r := range d.requests {
			if r.Command.Event && (r.Names.Merchant == "" || r.Names.ComplaintID == "") {
				t.Fatalf("it names nobody: %+v", r)
			}
			if len(r.Command.EventID) > 128 || len(r.Command.MessageID) > 128 {
				t.Fatalf("an id is too long: %+v", r.Command.Origin)
			}
		}
		for i, r := range b.published {
			if r.Merchant == "" || r.ComplaintID == "" {
				t.Fatalf("settled for nobody: %+v", r)
			}
			if told := b.requests[i] != ""; told && (r.Outcome != wire.Rejected && r.Outcome != wire.Unknown || !json.Valid([]byte(b.requests[i]))) {
				t.Fatalf("%s: %q", r.Outcome, b.requests[i])
			}
		}
		// The same again is the same.
		again, err2 := h.Invoke(t.Context(), []byte(payload))
		if string(again) != string(answer) || (err == nil) != (err2 == nil) {
			t.Fatalf("%s, %v; again %s, %v", answer, err, again, err2)
		}
	})
}
