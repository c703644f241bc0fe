package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/kesu-go/kesu/internal/ledger/mototest"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// checkCrash kills the process while the gateway holds the answer to a reply that was shown already.
func checkCrash(t *testing.T, s shelf) {
	w := newWorld(t)
	acme := uniqueName()
	w.merchant(acme, sandbox.MerchantOptions{})
	first, second := w.reply(s.env...), w.reply(s.env...)
	id := w.complaint(acme)
	command := replyTo(acme, id).with("idempotency_key", "k")
	w.ImagecoHost.Faults.Next(sandbox.Fault{Hold: make(chan struct{})})
	within(t, "the process to start", first.Start)
	const lease = 10 * time.Second // and so long must a busy machine not take for the next two steps
	began := time.Now()
	lost := first.invoking(command.text(), lease)
	arrived(t, w.ImagecoHost, 1)
	first.Kill()
	if got := take(t, lost); got.ErrorType != "Runtime.ExitError" {
		t.Errorf("the killed process gave %q %s", got.ErrorType, got.Payload)
	}
	if got := second.bare(command); got.Code != "IN_PROGRESS" {
		t.Errorf("while the lease lasts: %+v", got)
	}
	var got result
	within(t, "the lease to end", untilTrue(func() bool {
		got = second.bare(command)
		return got.Code != "IN_PROGRESS"
	}))
	if got.Code != "OUTCOME_UNKNOWN" || got.Outcome != "unknown" || got.Attempts != 0 || time.Since(began) < lease-time.Second {
		t.Errorf("after %v: %+v", time.Since(began), got)
	}
	if n := w.ImagecoHost.Calls.Len(); n != 1 {
		t.Errorf("%d calls were made", n)
	}
	if other := second.bare(command.with("response_content", "别的话")); other.Code != "IDEMPOTENCY_MISMATCH" {
		t.Errorf("another payload under an expired claim: %+v", other)
	}
	again := second.bare(command.with("resend_unknown", true))
	calls := w.ImagecoHost.Calls.Calls()
	if again.Outcome != "succeeded" || again.TransactionID != got.TransactionID || len(calls) != 2 || string(calls[0].Body) != string(calls[1].Body) {
		t.Errorf("resent: %+v, %d calls", again, len(calls))
	}
	if !strings.Contains(string(calls[0].Body), got.TransactionID) {
		t.Error("the transaction_id that was told is not the one that was sent")
	}
}

// checkCrashOfACompletion shows that another process finishes what a killed one began.
func checkCrashOfACompletion(t *testing.T, s shelf) {
	w := newWorld(t)
	acme := uniqueName()
	w.merchant(acme, sandbox.MerchantOptions{})
	first, second := w.complete(s.env...), w.complete(s.env...)
	id := w.complaint(acme)
	payload := requested(completionRequested, "one", completionOf(acme, id))
	w.Primary.Faults.Next(sandbox.Fault{Hold: make(chan struct{})})
	within(t, "the process to start", first.Start)
	lost := first.invoking(payload, 10*time.Second)
	arrived(t, w.Primary, 1)
	first.Kill()
	take(t, lost)
	var got sandbox.Invocation
	within(t, "the lease to end", untilTrue(func() bool {
		got = second.invoke(payload)
		return got.ErrorType != "IN_PROGRESS"
	}))
	if r := second.result(got); r.Outcome != "succeeded" || r.Replayed || r.Attempts == 0 {
		t.Errorf("got %+v", r)
	}
}

// checkTwoProcesses lets two processes work on one command at once.
func checkTwoProcesses(t *testing.T, s shelf) {
	w := newWorld(t)
	acme := uniqueName()
	w.merchant(acme, sandbox.MerchantOptions{})
	both := []*function{w.reply(s.env...), w.reply(s.env...)}
	for _, f := range both {
		within(t, "the process to start", f.Start)
	}
	for range 10 {
		id := w.complaint(acme)
		a, b := both[0].invoking(replyTo(acme, id).text(), lambdaTime), both[1].invoking(replyTo(acme, id).text(), lambdaTime)
		for i, got := range []result{both[0].result(take(t, a)), both[1].result(take(t, b))} {
			if got.Outcome != "succeeded" && got.Code != "IN_PROGRESS" {
				t.Errorf("process %d: %+v", i, got)
			}
		}
		if n := w.replies(acme, id); n != 1 {
			t.Errorf("%d replies were shown", n)
		}
	}
}

func checkReplayAcross(t *testing.T, s shelf) {
	w := newWorld(t)
	acme := uniqueName()
	w.merchant(acme, sandbox.MerchantOptions{})
	id := w.complaint(acme)
	first := w.reply(s.env...).bare(replyTo(acme, id))
	if got := w.reply(s.env...).bare(replyTo(acme, id)); !got.Replayed || got.TransactionID != first.TransactionID || got.At != first.At {
		t.Errorf("%+v, then %+v", first, got)
	}
}

// checkItems looks into the table itself: the attributes that the contract names, and nothing secret.
func checkItems(t *testing.T, endpoint string, s shelf) {
	w := newWorld(t)
	acme := uniqueName()
	w.merchant(acme, sandbox.MerchantOptions{})
	before := time.Now()
	if got := w.reply(append(s.env, "LEDGER_TTL=1h")...).bare(replyTo(acme, w.complaint(acme))); got.Outcome != "succeeded" {
		t.Fatalf("got %+v", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), ample)
	defer cancel()
	all, err := mototest.Client(endpoint).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("kesu-ledger")})
	if err != nil || len(all.Items) == 0 {
		t.Fatalf("%v, %v", all, err)
	}
	found := false
	for _, item := range all.Items {
		text, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		w.transcript.add("the ledger", text)
		id, ok := item["id"].(*types.AttributeValueMemberS)
		expires, isNumber := item["expires_at"].(*types.AttributeValueMemberN)
		if !ok || !isNumber || len(expires.Value) != 10 {
			t.Errorf("an item without id or expires_at in seconds: %s", text)
			continue
		}
		if strings.Contains(id.Value+string(text), acme) {
			found = true
			var seconds int64
			_, _ = fmt.Sscan(expires.Value, &seconds)
			if left := time.Unix(seconds, 0).Sub(before); left < 59*time.Minute || left > 62*time.Minute {
				t.Errorf("it expires after %v", left)
			}
		}
	}
	if !found {
		t.Log("no item names its merchant in the clear")
	}
}
