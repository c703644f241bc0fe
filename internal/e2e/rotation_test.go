package e2e

import (
	"fmt"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestARefusedSignatureHasTheSecretReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, f := range []*function{w.reply("MAX_ATTEMPTS=1"), w.complete("MAX_ATTEMPTS=1")} {
		name := "acme-" + f.action
		m := w.merchant(name, sandbox.MerchantOptions{})
		host, refused := w.ImagecoHost, "6100"
		command := replyTo
		if f.action == "complete" {
			host, refused, command = w.Primary, "SIGN_ERROR", completionOf
		}
		if got := f.bare(command(name, w.complaint(name))); got.Outcome != "succeeded" {
			t.Fatalf("got %+v", got)
		}
		// The key is changed everywhere at once. The next call is refused, and sent once more, beyond MAX_ATTEMPTS.
		w.rotate(m, false)
		before, id := w.Secrets.Calls.Len(), w.complaint(name)
		got := f.bare(command(name, id))
		if got.Outcome != "succeeded" || got.Attempts != 2 || len(callsFor(host, id)) != 2 || w.Secrets.Calls.Len() != before+1 {
			t.Errorf("%s after a change: %+v", f.action, got)
		}
		// Changed again, at once: the secret is not read more than every 30 s.
		w.rotate(m, false)
		id = w.complaint(name)
		got = f.bare(command(name, id))
		if got.Outcome != "rejected" || got.Code != refused || got.Attempts != 1 || w.Secrets.Calls.Len() != before+1 {
			t.Errorf("%s after another change: %+v, %d reads", f.action, got, w.Secrets.Calls.Len()-before)
		}
	}
}

func TestARefusedSignatureWithTheSameSecretIsARefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, f := range []*function{w.reply(), w.complete()} {
		name := "acme-" + f.action
		m := w.merchant(name, sandbox.MerchantOptions{})
		host, command := w.ImagecoHost, replyTo
		if f.action == "complete" {
			host, command = w.Primary, completionOf
		}
		secret, version := w.secretOf(name)
		w.rotate(m, false) // at the gateways; the secret stays as it was
		w.put(name, secret)
		if got := f.bare(command(name, w.complaint(name))); got.Outcome != "rejected" || got.Attempts != 1 {
			t.Errorf("%s: %+v", f.action, got)
		}
		if n := w.Secrets.Calls.Len(); n != map[string]int{"reply": 2, "complete": 4}[f.action] {
			t.Errorf("%s: the secret (%s) was read %d times", f.action, version, n)
		}
		id := w.complaint(name)
		got := f.response(f.invoke(request{merchant: name, complaint: id, body: map[string]string{"reply": goodBody}[f.action]}.restAPI(f.action)))
		if got.status != 502 || got.Attempts != 1 || len(callsFor(host, id)) != 1 {
			t.Errorf("%s: %d %s", f.action, got.status, got.body)
		}
	}
}

func (w *world) secretOf(name string) (text, version string) {
	text, version, _ = w.Secrets.Get(sandbox.SecretPrefix + name)
	return text, version
}

func TestAKeyIsChangedWhileCallsAreUnderWayAndNoneFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const side, rounds = 6, 4
	for _, keepOld := range []bool{true, false} {
		reply, complete := w.function("reply", side), w.function("complete", side)
		for _, f := range []*function{reply, complete} {
			name := fmt.Sprint("acme-", f.action, "-", keepOld)
			m := w.merchant(name, sandbox.MerchantOptions{})
			command := map[bool]func(string, string) members{true: replyTo, false: completionOf}[f == reply]
			if got := f.bare(command(name, w.complaint(name))); got.Outcome != "succeeded" {
				t.Fatalf("got %+v", got)
			}
			var all []<-chan sandbox.Invocation
			for i := range side * rounds {
				all = append(all, f.invoking(command(name, w.complaint(name)).text(), lambdaTime))
				if i == side*rounds/2 {
					w.rotate(m, keepOld)
				}
			}
			for _, one := range all {
				if got := f.result(take(t, one)); got.Outcome != "succeeded" {
					t.Errorf("%s, the old key kept %v: %+v", f.action, keepOld, got)
				}
			}
		}
	}
}
