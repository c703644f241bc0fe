package console

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/explain"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/signing"
)

// strange sends a completion as another program would. It signs the body with what comes behind it.
func strange(t *testing.T, world *sandbox.Demo, behind, nonce string) int {
	t.Helper()
	secret, _, ok := world.Secrets.Get(sandbox.SecretPrefix + "acme")
	var m sandbox.Merchant
	if !ok || json.Unmarshal([]byte(secret), &m) != nil {
		t.Fatal("acme has no secret")
	}
	key, err := signing.ParsePrivateKey(m.WechatPay.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	target, body := "/v3/merchant-service/complaints-v2/7/complete", `{"complainted_mchid":"`+m.WechatPay.Mchid+`"}`
	requester := signing.Requester{Mchid: m.WechatPay.Mchid, SerialNo: m.WechatPay.SerialNo, Key: key}
	authorization, err := requester.Authorization("POST", target, []byte(body+behind), time.Now(), nonce)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", world.Primary.URL()+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {authorization}, "Accept": {"*/*"}, "Content-Type": {"application/json"}}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode
}

func TestARefusedCallOfAnotherProgramIsExplainedAsOnTheCommandLine(t *testing.T) {
	r := start(t)
	if got := strange(t, r.world, "", "a1"); got != http.StatusNoContent {
		t.Fatalf("a right call: %d", got)
	}
	if got := strange(t, r.world, "\n", "a2"); got != http.StatusUnauthorized {
		t.Fatalf("a wrong call: %d", got)
	}
	if got := strange(t, r.world, "", "a1"); got != http.StatusUnauthorized {
		t.Fatalf("a nonce that comes again: %d", got)
	}
	if status, _ := r.ask("POST", "/merchants/acme/complaints/8/complete", "{}", isJSON); status != http.StatusOK {
		t.Fatalf("the functions' own call: %d", status)
	}
	list := r.console.foreign()
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	again, wrong, right := list[0], list[1], list[2]
	if right.Why != "" || right.Status != http.StatusNoContent || right.Merchant != "acme" {
		t.Errorf("the right call: %+v", right)
	}
	if !strings.Contains(again.Why, "nonce_str") {
		t.Errorf("the nonce that came again: %+v", again)
	}
	secret, _, _ := r.world.Secrets.Get(sandbox.SecretPrefix + "acme")
	for _, x := range r.world.Primary.Calls.Calls() {
		if x.N != wrong.N {
			continue
		}
		report, err := explain.Run(t.Context(), explain.Options{Message: wireRequest(&x), For: "wechatpay", Secret: secret, Now: x.At, Language: advice.English})
		if err != nil || len(report.Explanations) == 0 || wrong.Why != firstWords(report) || wrong.WhyChinese == "" || wrong.WhyChinese == wrong.Why {
			t.Errorf("%v, %+v, %+v", err, report.Explanations, wrong)
		}
	}
	text, err := json.Marshal(list)
	if err != nil || strings.Contains(string(text), "PRIVATE KEY") || strings.Contains(string(text), "signature=") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestBrowserListsCallsOfOtherPrograms(t *testing.T) {
	b, r := visit(t, "zh-CN")
	if b == nil {
		return
	}
	b.do(chromedp.Navigate(r.url + "/console/bench"))
	b.is(`document.getElementById("live")?.classList.contains("on") && document.getElementById("foreign").hidden`)
	strange(t, r.world, "", "a1")
	strange(t, r.world, "\n", "a2")
	b.is(`document.querySelectorAll("#foreign-list li").length === 2`)
	list := r.console.foreign()
	b.sees("#foreign-list li:first-child .why", list[0].WhyChinese)
	b.is(`document.querySelector("#foreign-list li:last-child .why") === null`)
	b.click("#language")
	b.sees("#foreign-list li:first-child .why", list[0].Why)
	for _, width := range []int64{1280, 360} {
		b.size(width, 900)
		b.looksRight("calls of other programs")
	}
	b.quiet(r.url)
}
