package e2e

import (
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestWithoutTheLedgerNothingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	env := []string{"LEDGER_TABLE=kesu-ledger", "AWS_ENDPOINT_URL_DYNAMODB=http://" + closedPort(t)}
	for _, f := range []*function{w.reply(env...), w.complete(env...)} {
		r := request{merchant: "acme", complaint: w.complaint("acme"), body: goodBody}
		if f.action == "complete" {
			r.body = `{"idempotency_key":"k"}`
		}
		got := f.response(f.invoke(r.httpAPI(f.action)))
		if got.status != 503 || got.Code != "LEDGER_UNAVAILABLE" || got.Outcome != "retryable" || got.Attempts != 0 {
			t.Errorf("%s: %d %s", f.action, got.status, got.body)
		}
		if lines := f.logged(t, func(l line) bool { return l["level"] == "ERROR" && l["complaint_id"] == r.complaint }); len(lines) != 1 {
			t.Errorf("%d lines say why the ledger could not be asked", len(lines))
		}
	}
	if n := w.ImagecoHost.Calls.Len() + w.Primary.Calls.Len(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
	if got := w.complete(env...).bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Errorf("a completion without a key needs no ledger: %+v", got)
	}
}

func TestWhatIsWrongIsToldInTheContractsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("xml", sandbox.MerchantOptions{XML: true})
	w.spoiled("half", drop("imageco", "key"))
	f := w.reply("LEDGER_TABLE=kesu-ledger", "AWS_ENDPOINT_URL_DYNAMODB=http://"+closedPort(t))
	for _, test := range []struct {
		name    string
		command members
		code    string
	}{
		{"a wrong request of an unknown merchant", replyTo("nobody", "c1").with("x", 1), "INVALID_REQUEST"},
		{"an unknown merchant, with the ledger down", replyTo("nobody", "c1"), "UNKNOWN_MERCHANT"},
		{"half a secret, with the ledger down", replyTo("half", "c1"), "MERCHANT_MISCONFIGURED"},
		{"a character that GBK lacks, with the ledger down", replyTo("xml", "c1").with("response_content", "ไทย"), "INVALID_REQUEST"},
		{"a good request, with the ledger down", replyTo("xml", "c1"), "LEDGER_UNAVAILABLE"},
	} {
		if got := f.bare(test.command); got.Code != test.code {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	paced := w.reply("REPLY_RATE_PER_MINUTE=1")
	done := replyTo("xml", w.complaint("xml"))
	for range 3 {
		paced.bare(replyTo("xml", w.complaint("xml")))
	}
	if got := paced.bare(done); got.Code != "RATE_LIMITED" {
		t.Errorf("beyond the pace: %+v", got)
	}
	if got := paced.result(paced.invokeFor(done.text(), 400*time.Millisecond)); got.Code != "RATE_LIMITED" {
		t.Errorf("beyond the pace and too late: %+v", got)
	}
}

// A merchant that is unknown, or a request that is refused for what the secret says, leaves no claim behind.
func TestARefusalBeforeSendingFreesTheClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("SECRET_SOFT_TTL=1ms", "REPLY_RATE_PER_MINUTE=1")
	command := replyTo("acme", w.complaint("acme")).with("idempotency_key", "k")
	key := m.Imageco.Key
	m.Imageco.Key = ""
	w.Store(m)
	if got := f.bare(command); got.Code != "MERCHANT_MISCONFIGURED" {
		t.Errorf("got %+v", got)
	}
	m.Imageco.Key = key
	w.Store(m)
	if got := f.bare(command.with("response_content", "corrected")); got.Outcome != "succeeded" {
		t.Errorf("corrected: %+v", got)
	}
}
