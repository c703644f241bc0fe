package e2e

import (
	"fmt"
	"testing"

	"github.com/kesu-go/kesu/internal/ledger/mototest"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// shelf is where a ledger is kept: in the process, or in a table.
type shelf struct {
	name string
	env  []string
}

var inProcess = shelf{name: "in the process"}

func TestTheLedgerInTheProcess(t *testing.T) {
	t.Parallel()
	t.Run("every row of the table", func(t *testing.T) { checkLedger(t, inProcess) })
	t.Run("expiry", func(t *testing.T) { checkExpiry(t, inProcess) })
}

func TestTheLedgerInDynamoDB(t *testing.T) {
	t.Parallel()
	endpoint := mototest.Start(t)
	if endpoint == "" {
		return
	}
	mototest.CreateTable(t, endpoint, "kesu-ledger")
	table := shelf{"in DynamoDB", []string{"LEDGER_TABLE=kesu-ledger", "AWS_ENDPOINT_URL_DYNAMODB=" + endpoint, "AWS_REGION=us-east-1"}}
	t.Run("every row of the table", func(t *testing.T) { checkLedger(t, table) })
	t.Run("a process killed while the gateway holds the answer", func(t *testing.T) { checkCrash(t, table) })
	t.Run("a completion's process killed", func(t *testing.T) { checkCrashOfACompletion(t, table) })
	t.Run("two processes", func(t *testing.T) { checkTwoProcesses(t, table) })
	t.Run("a settled result in another process", func(t *testing.T) { checkReplayAcross(t, table) })
	t.Run("settling fails after the gateway answered", func(t *testing.T) { checkSettlingFails(t, endpoint, table) })
	t.Run("acknowledgements that are lost", func(t *testing.T) { checkLostAcknowledgements(t, endpoint, table) })
	t.Run("expiry", func(t *testing.T) { checkExpiry(t, table) })
	t.Run("one pace for two processes", func(t *testing.T) { checkPace(t, newWorld(t), table.env) })
	t.Run("the table's items", func(t *testing.T) { checkItems(t, endpoint, table) })
}

// checkLedger goes through the rows of section 6's table that one process can show.
func checkLedger(t *testing.T, s shelf) {
	w := newWorld(t)
	// Names are the shelf's own, because tests share a table.
	acme := uniqueName()
	w.merchant(acme, sandbox.MerchantOptions{})
	reply, complete := w.function("reply", 2, s.env...), w.function("complete", 2, s.env...)
	keyed := func(m members, key string) members { return m.with("idempotency_key", key) }

	t.Run("a settled success is told again, without a call", func(t *testing.T) {
		for _, f := range []*function{reply, complete} {
			id := w.complaint(acme)
			command := keyed(map[bool]members{true: replyTo(acme, id), false: completionOf(acme, id)}[f == reply], "k")
			first := f.bare(command)
			again := f.response(f.invoke(request{merchant: acme, complaint: id, body: command.with("merchant", nil, "complaint_id", nil).text()}.httpAPI(f.action)))
			if first.Replayed || first.Outcome != "succeeded" || !again.Replayed || again.status != 200 {
				t.Errorf("%+v, then %s", first, again.body)
			}
			again.result.Replayed = false
			if fmt.Sprint(again.result) != fmt.Sprint(first) {
				t.Errorf("the replay differs: %+v and %+v", first, again.result)
			}
			if n := len(callsFor(w.ImagecoHost, id)) + len(callsFor(w.Primary, id)); n != 1 {
				t.Errorf("%d calls were made", n)
			}
		}
	})
	t.Run("the same words are one reply, without a key", func(t *testing.T) {
		id := w.complaint(acme)
		first := reply.bare(replyTo(acme, id))
		if again := reply.bare(replyTo(acme, id).with("transaction_id", "another0000001")); !again.Replayed || again.TransactionID != first.TransactionID {
			t.Errorf("got %+v", again)
		}
		if other := reply.bare(replyTo(acme, id).with("response_content", "别的话")); other.Replayed || other.Outcome != "succeeded" || other.TransactionID == first.TransactionID {
			t.Errorf("other words: %+v", other)
		}
		if other := reply.bare(replyTo(acme, id).with("response_images", []string{"a"})); other.Replayed {
			t.Errorf("other images: %+v", other)
		}
		if n := w.replies(acme, id); n != 3 {
			t.Errorf("%d replies were shown", n)
		}
	})
	t.Run("a completion without a key goes through no ledger", func(t *testing.T) {
		id := w.complaint(acme)
		complete.bare(completionOf(acme, id))
		if got := complete.bare(completionOf(acme, id)); got.Replayed || got.Outcome != "succeeded" || got.Attempts != 2 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a completion event is filed under its id", func(t *testing.T) {
		id := w.complaint(acme)
		payload := requested(completionRequested, "event-of-"+id, completionOf(acme, id))
		complete.result(complete.invoke(payload))
		if got := complete.result(complete.invoke(payload)); !got.Replayed {
			t.Errorf("got %+v", got)
		}
		if got := complete.result(complete.invoke(requested(completionRequested, "another-than-"+id, completionOf(acme, id)))); got.Replayed {
			t.Errorf("another event: %+v", got)
		}
	})
	t.Run("another payload under the same key is a mismatch, whatever the state", func(t *testing.T) {
		for state, fault := range map[string]sandbox.Fault{"a success": {}, "an unknown": {Garbage: true, ActFirst: true}} {
			id := w.complaint(acme)
			w.ImagecoHost.Faults.Next(fault)
			reply.bare(keyed(replyTo(acme, id), "k"))
			for _, change := range [][]any{{"response_content", "别的话"}, {"response_images", []string{"a"}}, {"seller_account", "S"},
				{"jump_url", "https://a.example/", "jump_url_text", "a"}, {"response_content", "别的话", "resend_unknown", true}} {
				got := reply.response(reply.invoke(request{merchant: acme, complaint: id,
					body: keyed(replyTo(acme, id), "k").with(change...).with("merchant", nil, "complaint_id", nil).text()}.restAPI("reply")))
				if got.status != 422 || got.Code != "IDEMPOTENCY_MISMATCH" || got.Outcome != "rejected" || got.Attempts != 0 {
					t.Errorf("%s, %v: %d %s", state, change, got.status, got.body)
				}
			}
			if n := len(callsFor(w.ImagecoHost, id)); n != 1 {
				t.Errorf("%d calls were made", n)
			}
		}
		id := w.complaint(acme)
		complete.bare(keyed(completionOf(acme, id), "k"))
		if got := complete.bare(keyed(completionOf(acme, id), "k").with("complainted_mchid", "1900000009")); got.Code != "IDEMPOTENCY_MISMATCH" {
			t.Errorf("a completion: %+v", got)
		}
	})
	t.Run("another transaction_id is no other payload", func(t *testing.T) {
		id := w.complaint(acme)
		first := reply.bare(keyed(replyTo(acme, id), "k").with("transaction_id", "first00000001"))
		got := reply.bare(keyed(replyTo(acme, id), "k").with("transaction_id", "second0000001"))
		if first.TransactionID != "first00000001" || !got.Replayed || got.TransactionID != "first00000001" {
			t.Errorf("%+v, then %+v", first, got)
		}
	})
	t.Run("a key is the complaint's and the action's own", func(t *testing.T) {
		a, b := w.complaint(acme), w.complaint(acme)
		for _, got := range []result{reply.bare(keyed(replyTo(acme, a), "shared")), reply.bare(keyed(replyTo(acme, b), "shared").with("response_content", "别的话")),
			complete.bare(keyed(completionOf(acme, a), "shared")), complete.bare(keyed(completionOf(acme, b), "shared"))} {
			if got.Outcome != "succeeded" || got.Replayed {
				t.Errorf("got %+v", got)
			}
		}
	})
	t.Run("a live claim is in progress", func(t *testing.T) { checkInProgress(t, w, reply, complete, acme) })
	t.Run("an unknown reply is not sent again, unless that is asked for", func(t *testing.T) { checkUnknown(t, w, reply, acme) })
	t.Run("an unknown completion goes ahead", func(t *testing.T) {
		id := w.complaint(acme)
		w.Primary.Faults.Next(sandbox.Fault{SignTest: true}, sandbox.Fault{SignTest: true, Status: 204}, sandbox.Fault{SignTest: true, Status: 204})
		// The first attempt settles the complaint, and nobody can believe it; the following ones say the same.
		first := complete.bare(keyed(completionOf(acme, id), "k"))
		if first.Outcome != "unknown" {
			t.Fatalf("got %+v", first)
		}
		if got := complete.bare(keyed(completionOf(acme, id), "k")); got.Outcome != "succeeded" || got.Replayed || got.Attempts == 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a refused or retryable command may be sent again", func(t *testing.T) {
		for _, fault := range []sandbox.Fault{{Code: "6101", Message: "x"}, {Code: "3001", Message: "x"}, {Status: 404}} {
			id := w.complaint(acme)
			w.ImagecoHost.Faults.Next(fault)
			if got := reply.bare(keyed(replyTo(acme, id), "k")); got.Outcome != "rejected" {
				t.Errorf("got %+v", got)
			}
			if got := reply.bare(keyed(replyTo(acme, id).with("response_content", "corrected"), "k")); got.Outcome != "succeeded" || got.Replayed {
				t.Errorf("corrected: %+v", got)
			}
		}
	})
	t.Run("resend_unknown with nothing stored is an ordinary reply, and after a success the replay", func(t *testing.T) {
		id := w.complaint(acme)
		command := keyed(replyTo(acme, id), "k").with("resend_unknown", true)
		if got := reply.bare(command); got.Outcome != "succeeded" || got.Replayed {
			t.Errorf("got %+v", got)
		}
		if got := reply.bare(command); !got.Replayed || w.replies(acme, id) != 1 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("the derived transaction_id comes from merchant, complaint and key", func(t *testing.T) {
		id := w.complaint(acme)
		w.ImagecoHost.Faults.Next(sandbox.Fault{Code: "3001", Message: "x"})
		first := reply.bare(keyed(replyTo(acme, id), "k"))
		second := reply.bare(keyed(replyTo(acme, id), "k"))
		other := reply.bare(keyed(replyTo(acme, id), "k2"))
		if first.TransactionID != second.TransactionID || first.TransactionID == other.TransactionID || len(first.TransactionID) < 13 || len(first.TransactionID) > 32 {
			t.Errorf("%s, %s, %s", first.TransactionID, second.TransactionID, other.TransactionID)
		}
	})
}

// checkInProgress asks a second time while the gateway holds the first answer.
func checkInProgress(t *testing.T, w *world, reply, complete *function, acme string) {
	for _, f := range []*function{reply, complete} {
		host := map[bool]*sandbox.Host{true: w.ImagecoHost, false: w.Primary}[f == reply]
		id := w.complaint(acme)
		command := map[bool]members{true: replyTo(acme, id), false: completionOf(acme, id)}[f == reply].with("idempotency_key", "k")
		hold := make(chan struct{})
		before := host.Calls.Len()
		host.Faults.Next(sandbox.Fault{Hold: hold})
		first := f.invoking(command.text(), lambdaTime)
		arrived(t, host, before+1)
		for _, again := range []members{command, command.with("resend_unknown", true)} {
			if f == complete {
				again = command
			}
			r := request{merchant: acme, complaint: id, body: again.with("merchant", nil, "complaint_id", nil).text()}
			if got := f.response(f.invoke(r.restAPI(f.action))); got.status != 409 || got.Code != "IN_PROGRESS" || got.Outcome != "retryable" || got.Attempts != 0 {
				t.Errorf("%s meanwhile: %d %s", f.action, got.status, got.body)
			}
			if got := f.invoke(requested(map[bool]string{true: replyRequested, false: completionRequested}[f == reply], "e", again)); got.ErrorType != "IN_PROGRESS" {
				t.Errorf("%s by event meanwhile: %q", f.action, got.ErrorType)
			}
		}
		other := map[bool][]any{true: {"response_content", "别的话"}, false: {"complainted_mchid", "1900000009"}}[f == reply]
		if got := f.bare(command.with(other...)); got.Code != "IDEMPOTENCY_MISMATCH" {
			t.Errorf("another payload meanwhile: %+v", got)
		}
		close(hold)
		if got := f.result(take(t, first)); got.Outcome != "succeeded" {
			t.Errorf("got %+v", got)
		}
		if n := host.Calls.Len() - before; n != 1 {
			t.Errorf("%d calls were made", n)
		}
	}
}

// checkUnknown goes through what follows an unknown reply.
func checkUnknown(t *testing.T, w *world, reply *function, acme string) {
	id := w.complaint(acme)
	command := replyTo(acme, id).with("idempotency_key", "k", "transaction_id", "mine000000001")
	w.ImagecoHost.Faults.Next(sandbox.Fault{Garbage: true, ActFirst: true})
	if got := reply.bare(command); got.Outcome != "unknown" || got.Code != "UPSTREAM_GARBLED" {
		t.Fatalf("got %+v", got)
	}
	for range 2 {
		got := reply.response(reply.invoke(request{merchant: acme, complaint: id, body: command.with("merchant", nil, "complaint_id", nil).text()}.functionURL("reply")))
		if got.status != 504 || got.Code != "OUTCOME_UNKNOWN" || got.Outcome != "unknown" || got.Attempts != 0 || got.TransactionID != "mine000000001" {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if n := len(callsFor(w.ImagecoHost, id)); n != 1 {
		t.Fatalf("%d calls were made", n)
	}
	resend := command.with("resend_unknown", true, "transaction_id", "other00000001")
	// A refusal now says nothing about the first one: the reply stays unknown, and the claim is not free.
	w.ImagecoHost.Faults.Next(sandbox.Fault{Code: "3001", Message: "投诉单不存在"})
	if got := reply.bare(resend); got.Outcome != "unknown" || got.Attempts != 1 {
		t.Errorf("refused: %+v", got)
	}
	if got := reply.bare(command); got.Code != "OUTCOME_UNKNOWN" {
		t.Errorf("after a refused resend: %+v", got)
	}
	got := reply.bare(resend)
	if got.Outcome != "succeeded" || got.TransactionID != "mine000000001" || got.Replayed {
		t.Errorf("resent: %+v", got)
	}
	calls := callsFor(w.ImagecoHost, id)
	if len(calls) != 3 || string(calls[0].Body) != string(calls[2].Body) {
		t.Errorf("%d calls; the resent message is the first one: %v", len(calls), string(calls[0].Body) == string(calls[len(calls)-1].Body))
	}
	if got := reply.bare(command); !got.Replayed || got.Outcome != "succeeded" {
		t.Errorf("after a resend: %+v", got)
	}
}
