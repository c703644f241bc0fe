package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// hanging is a service of AWS's that takes a call and says nothing.
func hanging(rw http.ResponseWriter, _ sandbox.Call) { untilHangUp(rw) }

func TestAnAWSServiceThatHangsDoesNotTakeTheInvocationWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	hang := w.newStub(hanging)
	for _, test := range []struct {
		name string
		env  []string
		code string
		sent int
		bare bool // or an event, which then fails
	}{
		{"Secrets Manager", []string{"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + hang.URL}, "SECRETS_UNAVAILABLE", 0, true},
		{"the ledger", []string{"LEDGER_TABLE=kesu", "AWS_ENDPOINT_URL_DYNAMODB=" + hang.URL}, "LEDGER_UNAVAILABLE", 0, true},
		{"the bus", []string{withBus, "AWS_ENDPOINT_URL_EVENTBRIDGE=" + hang.URL}, "RESULT_NOT_PUBLISHED", 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := w.reply(test.env...)
			within(t, "the process to start", f.Start)
			// The call that hangs is given up after 5 s at most, which leaves a busy machine as much again before the deadline.
			const deadline = 10 * time.Second
			var command members
			inOneOf(t, 3, func() error {
				command = replyTo("acme", w.complaint("acme"))
				started, code := time.Now(), ""
				if test.bare {
					got := f.result(f.invokeFor(command.text(), deadline))
					if code = got.Code; got.Outcome != "retryable" || got.Attempts != 0 {
						t.Errorf("got %+v", got)
					}
				} else {
					code = f.invokeFor(requested(replyRequested, "e", command), deadline).ErrorType
				}
				if took := time.Since(started); code != test.code || took >= deadline {
					return fmt.Errorf("%q after %v", code, took)
				}
				return nil
			})
			if n := len(callsFor(w.ImagecoHost, command["complaint_id"].(string))); n != test.sent {
				t.Errorf("%d calls were made", n)
			}
			if f.PID() == 0 {
				t.Error("the process is gone")
			}
		})
	}
}

func TestThePrefetchOpensTheGatewaysConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	imageco := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		_, _ = rw.Write(imagecoAnswer(m.Imageco.Key, c.Body, "0000", "ok", nil))
	})
	wechat := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) { s.answer(rw, 204, "", nil) })
	for _, test := range []struct {
		function *function
		gateway  *stub
		command  members
	}{
		{w.reply("PREFETCH_MERCHANTS=acme", "IMAGECO_URL="+imageco.URL), imageco, replyTo("acme", "c1")},
		{w.complete("PREFETCH_MERCHANTS=acme", "WECHATPAY_URL="+wechat.URL), wechat, completionOf("acme", "c1")},
	} {
		within(t, "the process to start", test.function.Start)
		within(t, "the connection", untilTrue(func() bool { return test.gateway.everOpened() == 1 }))
		if got := test.function.bare(test.command); got.Outcome != "succeeded" || test.gateway.everOpened() != 1 || len(test.gateway.received()) != 1 {
			t.Errorf("%d connections for one call: %+v", test.gateway.everOpened(), got)
		}
	}
}

// proxyTo is a DynamoDB whose n-th write can be made to fail, before it takes effect or, for the n-th of one item, after.
func (w *world) proxyTo(endpoint string, refuse func(n int64) bool, lose func(n int64) bool) *stub {
	var writes atomic.Int64
	var items sync.Map // by id, how often each was written
	return w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		n := writes.Add(1)
		failed := func() {
			rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
			rw.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(rw, `{"__type":"InternalServerError","message":"try again"}`)
		}
		if refuse != nil && refuse(n) {
			failed()
			return
		}
		r, err := http.NewRequest(c.Method, endpoint+c.Target, bytes.NewReader(c.Body))
		if err != nil {
			failed()
			return
		}
		r.Header = c.Header
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			failed()
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		counted, _ := items.LoadOrStore(itemOf(c.Body), &atomic.Int64{})
		if lose != nil && lose(counted.(*atomic.Int64).Add(1)) {
			failed()
			return
		}
		rw.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
		rw.WriteHeader(answer.StatusCode)
		_, _ = rw.Write(body)
	})
}

// itemOf is the id of the item that a call to the table is about.
func itemOf(body []byte) string {
	type key struct{ ID struct{ S string } }
	var in struct{ Item, Key key }
	_ = json.Unmarshal(body, &in) // the SDK has written it
	return in.Item.ID.S + in.Key.ID.S
}

// checkSettlingFails shows that a claim stays when the gateway answered and the ledger could not be told.
func checkSettlingFails(t *testing.T, endpoint string, s shelf) {
	w := newWorld(t)
	name := uniqueName()
	w.merchant(name, sandbox.MerchantOptions{})
	// The first write is the claim, and the second one the note of the reply's words.
	broken := w.proxyTo(endpoint, func(n int64) bool { return n > 2 }, nil)
	f, healthy := w.reply(append(s.env, "AWS_ENDPOINT_URL_DYNAMODB="+broken.URL)...), w.reply(s.env...)
	command := replyTo(name, w.complaint(name))
	within(t, "the process to start", f.Start)
	if got := f.result(f.invokeFor(command.text(), 5*time.Second)); got.Outcome != "succeeded" || got.Attempts != 1 {
		t.Errorf("the result must be returned as it is: %+v", got)
	}
	var got result
	within(t, "the lease to end", untilTrue(func() bool {
		got = healthy.bare(command)
		return got.Code != "IN_PROGRESS"
	}))
	if got.Code != "OUTCOME_UNKNOWN" || w.replies(name, command["complaint_id"].(string)) != 1 {
		t.Errorf("got %+v", got)
	}
}

// checkLostAcknowledgements shows that a write whose acknowledgement is lost does not double anything and blocks nothing.
func checkLostAcknowledgements(t *testing.T, endpoint string, s shelf) {
	w := newWorld(t)
	name := uniqueName()
	w.merchant(name, sandbox.MerchantOptions{})
	losing := w.proxyTo(endpoint, nil, func(n int64) bool { return n%2 == 1 })
	f := w.reply(append(s.env, "AWS_ENDPOINT_URL_DYNAMODB="+losing.URL)...)
	command := replyTo(name, w.complaint(name))
	if got := f.bare(command); got.Outcome != "succeeded" {
		t.Errorf("got %+v", got)
	}
	if got := f.bare(command); !got.Replayed || w.replies(name, command["complaint_id"].(string)) != 1 {
		t.Errorf("got %+v", got)
	}
}

// checkExpiry shows that after LEDGER_TTL the same words are another reply.
func checkExpiry(t *testing.T, s shelf) {
	w := newWorld(t)
	name := uniqueName()
	w.merchant(name, sandbox.MerchantOptions{})
	f := w.reply(append(s.env, "LEDGER_TTL=6s")...)
	command := replyTo(name, w.complaint(name))
	first := f.bare(command)
	if got := f.bare(command); first.Replayed || !got.Replayed {
		t.Errorf("%+v, then %+v", first, got)
	}
	within(t, "the entry to expire", untilTrue(func() bool { return !f.bare(command).Replayed }))
	if n := w.replies(name, command["complaint_id"].(string)); n != 2 {
		t.Errorf("%d replies were shown", n)
	}
}
