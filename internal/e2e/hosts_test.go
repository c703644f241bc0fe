package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestAGatewayThatCannotBeReachedIsTriedAgainAndThenTheCommandIsRetryable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	plain := w.newStub(silent)
	for name, address := range map[string]string{
		"a port that nobody listens on": "http://" + closedPort(t),
		"a name that does not exist":    "https://kesu.invalid",
		"a server without TLS":          "https" + strings.TrimPrefix(plain.URL, "http"),
		"a certificate of nobody's":     w.newTLSStub().URL,
	} {
		t.Run(name, func(t *testing.T) {
			reply := w.reply("IMAGECO_URL="+address, "MAX_ATTEMPTS=2")
			complete := w.complete("WECHATPAY_URL="+address, "WECHATPAY_BACKUP_URL="+address, "MAX_ATTEMPTS=2")
			r := request{merchant: "acme", complaint: w.complaint("acme"), body: goodBody}
			for range 2 { // a second time, because a claim that was certainly not used must be free again
				got := reply.response(reply.invoke(r.restAPI("reply")))
				if got.status != 503 || got.Code != "UPSTREAM_UNREACHABLE" || got.Outcome != "retryable" || got.HTTPStatus != 0 || got.Attempts != 2 {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}
			if got := complete.bare(completionOf("acme", "c1")); got.Code != "UPSTREAM_UNREACHABLE" || got.Outcome != "retryable" || got.Attempts != 2 {
				t.Errorf("got %+v", got)
			}
		})
	}
	if len(plain.received()) != 0 {
		t.Error("something was sent in the clear")
	}
}

// closedPort is a port that nobody listens on for as long as the test runs.
func closedPort(t *testing.T) string {
	t.Helper()
	address, release, err := sandbox.ReservePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return address
}

func TestTheBackUpIsUsedWhileThePrimaryIsDownAndThePrimaryAgainWhenItIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	done := func() result {
		t.Helper()
		id := w.complaint("acme")
		got := f.bare(completionOf("acme", id))
		if got.Outcome != "succeeded" || w.state("acme", id) != sandbox.Processed {
			t.Fatalf("got %+v", got)
		}
		return got
	}
	if got := done(); got.Attempts != 1 || w.Primary.Calls.Len() != 1 {
		t.Fatalf("with both up: %+v", got)
	}
	w.Primary.Down()
	down := time.Now()
	for i := range 5 {
		// Three failures in a row open the breaker; from then on the primary is not even tried.
		if got := done(); got.Attempts != map[bool]int{true: 2, false: 1}[i < 3] {
			t.Errorf("call %d with the primary down took %d attempts", i, got.Attempts)
		}
	}
	if n := w.Backup.Calls.Len(); n != 5 {
		t.Errorf("the back-up had %d calls", n)
	}
	if err := w.Primary.Up(); err != nil {
		t.Fatal(err)
	}
	if got := done(); got.Attempts != 1 || w.Backup.Calls.Len() != 6 {
		t.Errorf("just after it is back, the primary is still avoided: %+v", got)
	}
	// It is given a trial ten seconds after its third failure, by itself; each call until then must go well.
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for before := w.Primary.Calls.Len(); w.Primary.Calls.Len() == before; <-tick.C {
		if done(); time.Since(down) > ample {
			t.Fatal("the primary is not used again")
		}
	}
	if waited := time.Since(down); waited < 9*time.Second {
		t.Errorf("the primary was tried again after %v", waited)
	}
	before := w.Primary.Calls.Len()
	if done(); w.Primary.Calls.Len() != before+1 {
		t.Error("the primary is not used again for good")
	}
	if n := sum(t, f, "Failover"); n < 6 {
		t.Errorf("%v fail-overs were counted", n)
	}
}

func TestWhenEveryHostIsAvoidedThePrimaryIsTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	w.Primary.Down()
	w.Backup.Down()
	for range 3 {
		if got := f.bare(completionOf("acme", "c1")); got.Code != "UPSTREAM_UNREACHABLE" || got.Outcome != "retryable" {
			t.Errorf("got %+v", got)
		}
	}
	if err := w.Primary.Up(); err != nil {
		t.Fatal(err)
	}
	if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "succeeded" || w.Primary.Calls.Len() != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestAnHTTPErrorIsNoReasonToLeaveTheHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete("MAX_ATTEMPTS=2")
	w.Primary.Faults.Stand(sandbox.Fault{Status: 500, Code: "SYSTEM_ERROR", Message: "x"})
	for range 3 {
		f.bare(completionOf("acme", w.complaint("acme")))
	}
	if w.Primary.Calls.Len() != 6 || w.Backup.Calls.Len() != 0 {
		t.Errorf("%d calls here and %d at the back-up", w.Primary.Calls.Len(), w.Backup.Calls.Len())
	}
}

// net/http would send a request again by itself when a connection that it had kept turns out to be dead.
func TestNothingIsReplayedOnAConnectionThatDied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	cut := func(rw http.ResponseWriter, n int) bool {
		if n%2 == 1 {
			return false
		}
		if conn, _, err := http.NewResponseController(rw).Hijack(); err == nil {
			_ = conn.Close()
		}
		return true
	}
	imageco := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		if !cut(rw, c.N) {
			_, _ = rw.Write(imagecoAnswer(m.Imageco.Key, c.Body, "0000", "ok", nil))
		}
	})
	wechat := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		if !cut(rw, c.N) {
			s.answer(rw, 204, "", nil)
		}
	})
	reply := w.reply("IMAGECO_URL=" + imageco.URL)
	complete := w.complete("WECHATPAY_URL="+wechat.URL, "WECHATPAY_BACKUP_URL="+wechat.URL, "MAX_ATTEMPTS=1")
	for i := range 6 {
		want := map[bool]string{true: "succeeded", false: "unknown"}[i%2 == 0]
		if got := reply.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != want || got.Attempts != 1 {
			t.Errorf("reply %d: %+v", i, got)
		}
		if got := complete.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != want || got.Attempts != 1 {
			t.Errorf("completion %d: %+v", i, got)
		}
	}
	if len(imageco.received()) != 6 || len(wechat.received()) != 6 {
		t.Errorf("%d replies and %d completions arrived, of 6 each", len(imageco.received()), len(wechat.received()))
	}
	if imageco.everOpened() < 6 {
		t.Errorf("replies share connections: %d for 6", imageco.everOpened())
	}
	if wechat.everOpened() > 4 {
		t.Errorf("connections are not kept for completions: %d for 6", wechat.everOpened())
	}
}

// WeChat Pay's servers drop a connection that was idle for 8 s. One that is used at that moment loses its request.
func TestAnIdleConnectionIsClosedBeforeTheGatewayDoesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	wechat := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) { s.answer(rw, 204, "", nil) })
	f := w.complete("WECHATPAY_URL=" + wechat.URL)
	inOneOf(t, 4, func() error {
		if got := f.bare(completionOf("acme", "c1")); got.Outcome != "succeeded" {
			t.Fatalf("got %+v", got)
		}
		idle := time.Now()
		within(t, "the connection to be closed", untilTrue(func() bool { return wechat.connections() == 0 }))
		if after := time.Since(idle); after < 5*time.Second || after > 8*time.Second {
			return fmt.Errorf("it was closed after %v", after)
		}
		return nil
	})
}
