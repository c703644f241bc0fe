package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestASecretIsReadOncePerMerchantAndKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	w.merchant("other", sandbox.MerchantOptions{})
	f := w.reply()
	for range 5 {
		f.bare(replyTo("acme", w.complaint("acme")))
		f.bare(replyTo("other", w.complaint("other")))
	}
	if n := w.Secrets.Calls.Len(); n != 2 {
		t.Errorf("%d calls for two merchants", n)
	}
	for _, c := range w.Secrets.Calls.Calls() {
		if !strings.Contains(string(c.Body), `"SecretId":"kesu/merchants/`) {
			t.Errorf("asked for %s", c.Body)
		}
	}
}

func TestThePrefixComesBeforeTheMerchantsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	w.Secrets.Put("prod/x_"+m.Name, m.Secret())
	w.Secrets.Delete(sandbox.SecretPrefix + m.Name)
	if got := w.reply("MERCHANT_SECRET_PREFIX=prod/x_").bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Errorf("got %+v", got)
	}
}

func TestConcurrentLoadsOfOneMerchantAreOneCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	const side = 8
	f := w.function("reply", side)
	within(t, "the process to start", f.Start)
	hold := make(chan struct{})
	w.Secrets.Faults.Next(sandbox.Fault{Hold: hold})
	var all []<-chan sandbox.Invocation
	for range side {
		all = append(all, f.invoking(replyTo("acme", w.complaint("acme")).text(), lambdaTime))
	}
	arrived(t, w.Secrets.Host, 1)
	close(hold)
	for _, one := range all {
		if got := f.result(take(t, one)); got.Outcome != "succeeded" {
			t.Errorf("got %+v", got)
		}
	}
	if n := w.Secrets.Calls.Len(); n != 1 {
		t.Errorf("%d calls", n)
	}
	if f.PID() == 0 {
		t.Error("the process is gone")
	}
}

func TestUnknownMerchantsAreRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.complete()
	for range 3 {
		got := f.response(f.invoke(request{merchant: "nobody", complaint: "c1"}.restAPI("complete")))
		if got.status != 404 || got.Code != "UNKNOWN_MERCHANT" || got.Outcome != "rejected" || got.Attempts != 0 {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if n := w.Secrets.Calls.Len(); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestARefusedOrFailingSecretsManagerIsRetryableAndNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	r := request{merchant: "acme", complaint: w.complaint("acme"), body: goodBody}
	for _, fault := range []sandbox.Fault{{Code: "AccessDeniedException"}, {Code: "DecryptionFailure"}, {Status: 500, Code: "InternalServiceError"}, {Code: "ThrottlingException"},
		{CutBefore: true}, {Status: 200, Body: []byte("garbage")}} {
		w.Secrets.Faults.Stand(fault)
		got := f.response(f.invoke(r.httpAPI("reply")))
		if got.status != 503 || got.Code != "SECRETS_UNAVAILABLE" || got.Outcome != "retryable" || got.Attempts != 0 {
			t.Errorf("%+v gives %d %s", fault, got.status, got.body)
		}
	}
	w.Secrets.Faults.Clear()
	w.Secrets.Down()
	if got := f.bare(replyTo("acme", r.complaint)); got.Code != "SECRETS_UNAVAILABLE" {
		t.Errorf("with Secrets Manager down: %+v", got)
	}
	if err := w.Secrets.Up(); err != nil {
		t.Fatal(err)
	}
	if got := f.bare(replyTo("acme", r.complaint)); got.Outcome != "succeeded" {
		t.Errorf("with Secrets Manager back: %+v", got)
	}
}

func TestAnOldKeyServesUntilTheHardLimitAndIsReportedAsOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	const hard = 3 * time.Second
	f := w.reply("SECRET_SOFT_TTL=10ms", "SECRET_HARD_TTL="+hard.String())
	loaded := time.Now()
	if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Fatalf("got %+v", got)
	}
	first := time.Since(loaded) // the secret was read some time within that
	w.Secrets.Faults.Stand(sandbox.Fault{Code: "AccessDeniedException"})
	stale := 0
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		<-tick.C
		asked := time.Since(loaded)
		got := f.bare(replyTo("acme", w.complaint("acme")))
		if got.Code == "SECRETS_UNAVAILABLE" {
			break
		}
		if stale++; got.Outcome != "succeeded" || asked > first+hard {
			t.Fatalf("after %v: %+v", asked, got)
		}
	}
	if took := time.Since(loaded); took < hard || stale == 0 {
		t.Errorf("the old key served %d times, and until %v", stale, took)
	}
	w.Secrets.Faults.Clear()
	if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Errorf("with Secrets Manager back: %+v", got)
	}
	if n := sum(t, f, "StaleSecret"); n != float64(stale) {
		t.Errorf("%v of %d were counted", n, stale)
	}
	if warnings := f.logged(t, func(l line) bool { return l["level"] == "WARN" && l["merchant"] == "acme" }); len(warnings) == 0 {
		t.Error("nothing warns of an old key")
	}
}

func TestASecretIsReadAgainWhenTheSoftLimitIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("SECRET_SOFT_TTL=1ms")
	if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Fatalf("got %+v", got)
	}
	w.rotate(m, false)
	if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" || got.Attempts != 1 {
		t.Errorf("got %+v", got)
	}
	w.Secrets.Delete(sandbox.SecretPrefix + "acme")
	if got := f.bare(replyTo("acme", w.complaint("acme"))); got.Code != "UNKNOWN_MERCHANT" {
		t.Errorf("a secret that was deleted: %+v", got)
	}
}

func TestPrefetchedMerchantsAreLoadedBeforeTheFirstCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	w.merchant("other", sandbox.MerchantOptions{})
	for i, f := range []*function{w.reply("PREFETCH_MERCHANTS=acme, other"), w.complete("PREFETCH_MERCHANTS=acme,other")} {
		within(t, "the process to start", f.Start)
		if n := w.Secrets.Calls.Len(); n != 2*(i+1) {
			t.Errorf("%s read %d secrets", f.action, n)
		}
		command := map[string]func(string, string) members{"reply": replyTo, "complete": completionOf}[f.action]
		for _, name := range []string{"acme", "other"} {
			if got := f.bare(command(name, w.complaint(name))); got.Outcome != "succeeded" {
				t.Errorf("got %+v", got)
			}
		}
		if n := w.Secrets.Calls.Len(); n != 2*(i+1) {
			t.Errorf("%s read the secrets again", f.action)
		}
	}
}

func TestAPrefetchThatFailsOrHangsIsLoggedAndNotFatal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("PREFETCH_MERCHANTS=nobody,acme", "IMAGECO_URL=http://"+closedPort(t))
	if got := f.bare(replyTo("acme", "c1")); got.Code != "UPSTREAM_UNREACHABLE" {
		t.Errorf("got %+v", got)
	}
	if lines := f.logged(t, func(l line) bool { return l["level"] == "WARN" && strings.Contains(fmt.Sprint(l), "nobody") }); len(lines) != 1 {
		t.Errorf("%d lines tell of the merchant that is not there", len(lines))
	}
	hang := make(chan struct{})
	w.Secrets.Faults.Stand(sandbox.Fault{Hold: hang})
	slow := w.reply("PREFETCH_MERCHANTS=acme")
	started := time.Now()
	within(t, "the process to start", slow.Start)
	if took := time.Since(started); took > 9*time.Second { // it is given 2 s, and Lambda gives 10
		t.Errorf("a hanging prefetch took %v", took)
	}
	w.Secrets.Faults.Clear()
	close(hang)
	if got := slow.bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Errorf("got %+v", got)
	}
}
