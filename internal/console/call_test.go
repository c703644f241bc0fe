package console

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const good = `{"response_content":"您好,it's done","jump_url":"https://example.com/a?b=1&c=2","jump_url_text":"查看"}`

func names(parts []part) string {
	var all []string
	for _, p := range parts {
		all = append(all, p.Name)
	}
	return strings.Join(all, " ")
}

func TestCallInFullExplainsEverySignature(t *testing.T) {
	r := start(t)
	for _, test := range []struct {
		name, path, body       string
		scheme, signed, answer string // what the request's signed text holds; the answer's verdict
	}{
		{"JSON", "/merchants/acme/complaints/1/reply", good, "imageco-json", "complaint_id1isspid", right},
		{"XML", "/merchants/acme-xml/complaints/1/reply", good, "imageco-xml", "<response_content>您好", right},
		{"WeChat Pay, public key", "/merchants/acme/complaints/1/complete", "", "wechatpay", "POST\n/v3/merchant-service/complaints-v2/1/complete\n", right},
		{"WeChat Pay, certificate", "/merchants/acme-xml/complaints/1/complete", "{}", "wechatpay", "POST\n", right},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.ask("POST", test.path, test.body, isJSON)
			f := r.latest(settled)
			if f.Outcome != "succeeded" || len(f.Calls) != 1 {
				t.Fatalf("it came out %s with %d calls", f.Outcome, len(f.Calls))
			}
			a := f.Calls[0]
			if a.Signed.Verdict != right || a.Signed.Scheme != test.scheme || !strings.Contains(a.Signed.Signed, test.signed) || len(a.Signed.Steps) < 4 {
				t.Errorf("signed: %+v", a.Signed)
			}
			if a.Verified.Verdict != test.answer || !a.Seen || !a.Acted || a.Request == "" || a.Answer == "" {
				t.Errorf("verified: %+v", a.Verified)
			}
			for _, p := range []string{"key", "gateway", "verify"} {
				if !strings.Contains(names(f.Parts), p) {
					t.Errorf("the parts are %s", names(f.Parts))
				}
			}
			for _, p := range f.Parts {
				if p.Start < 0 || p.MS <= 0 || p.Start+p.MS > f.MS+0.01 {
					t.Errorf("the part %+v is outside of the call's %g ms", p, f.MS)
				}
			}
		})
	}
}

func TestCallTellsOfTheLedgerAndTheResult(t *testing.T) {
	r := start(t)
	r.ask("POST", "/merchants/acme/complaints/1/reply", good, isJSON, "Idempotency-Key: it's one")
	f := r.latest(settled)
	entered := map[string]string{}
	for _, e := range f.Entry {
		entered[e.Name] = e.Value
	}
	if len(f.Ledger) != 2 || f.Ledger[0].State != "claimed" || f.Ledger[1].State != "succeeded" || entered["id"] != "acme#reply#1#it's one" || entered["state"] != "succeeded" {
		t.Errorf("the ledger: %+v %+v", f.Ledger, f.Entry)
	}
	if !strings.Contains(f.Result, "HTTP 200 OK") || !strings.Contains(f.Result, `"outcome": "succeeded"`) || f.Command.Key != "it's one" || len(f.Log) < 2 {
		t.Errorf("the result: %s", f.Result)
	}
	r.ask("POST", "/merchants/acme/complaints/1/reply", good, isJSON, "Idempotency-Key: it's one")
	if f := r.latest(func(f full) bool { return settled(f) && f.Replayed }); f.Attempts != 0 || len(f.Calls) != 0 {
		t.Errorf("the replay: %+v", f.Calls)
	}
	// A claim that is given back leaves nothing.
	r.ask("POST", "/merchants/acme/complaints/404/reply", good, isJSON)
	if f := r.latest(func(f full) bool { return settled(f) && f.Code == "3001" }); f.Entry != nil || len(f.Ledger) != 2 || f.Ledger[1].Operation != "DeleteItem" {
		t.Errorf("after a refusal: %+v %+v", f.Ledger, f.Entry)
	}
}

// TestCurlLineDoesTheSameAgain gives the line to a shell, with a program in curl's place that shows its words.
func TestCurlLineDoesTheSameAgain(t *testing.T) {
	r := start(t)
	r.ask("POST", "/merchants/acme/complaints/1/reply", good, isJSON, "Idempotency-Key: $(id) 'x'")
	f := r.latest(settled)
	out, err := exec.Command("sh", "-c", `curl() { for word; do printf '%s\n' "$word"; done; }; `+f.Command.Curl).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "-sS\n-X\nPOST\n" + r.url + "/merchants/acme/complaints/1/reply\n-H\nIdempotency-Key: $(id) 'x'\n-H\nContent-Type: application/json\n--data-binary\n" + good + "\n"
	if string(out) != want {
		t.Errorf("the shell reads\n%s", out)
	}
	entry, err := json.Marshal(sandbox.Entry{Source: "shop", DetailType: "ComplaintReplyRequested", Detail: `{"merchant":"acme","complaint_id":"2","response_content":"it's"}`})
	if err != nil {
		t.Fatal(err)
	}
	r.ask("POST", "/events", string(entry), isJSON)
	f = r.latest(func(f full) bool { return settled(f) && f.Via == "event" })
	if f.ComplaintID != "2" || f.Outcome != "succeeded" || !strings.Contains(f.Command.Curl, "/events'") || !strings.Contains(f.Command.Curl, `it'\''s`) {
		t.Errorf("the event: %+v", f.Command)
	}
}

func TestFailoverIsTold(t *testing.T) {
	r := start(t)
	r.ask("POST", "/console/faults", `{"hosts":{"wechatpay":"down"}}`, isJSON)
	r.ask("POST", "/merchants/acme/complaints/1/complete", "", isJSON)
	f := r.latest(settled)
	if f.Outcome != "succeeded" || len(f.Calls) != 2 || f.Calls[0].Seen || f.Calls[0].Bytes != "never left" || f.Calls[0].Host != "wechatpay" || f.Calls[1].Host != "wechatpay-backup" {
		t.Errorf("the attempts: %+v", f.Calls)
	}
	// The wait has full jitter. One in two hundred is less than a millisecond, which has no bar.
	waited := int64(0)
	for _, p := range f.Parts {
		if p.Name == "wait" {
			waited += int64(p.MS)
		}
	}
	if waited != f.Calls[0].WaitMS {
		t.Errorf("a wait of %d ms, and the parts: %+v", f.Calls[0].WaitMS, f.Parts)
	}
}

func TestEveryFaultComesOutAsThePageSays(t *testing.T) {
	r := start(t)
	id := 0
	for _, test := range []struct{ host, kind, outcome, code string }{
		{"imageco", "slow", "succeeded", "0000"},
		{"imageco", "silent", "succeeded", "SEEN_IN_HISTORY"},
		{"imageco", "http500", "succeeded", "SEEN_IN_HISTORY"},
		{"imageco", "http429", "retryable", "RATE_LIMITED"},
		{"imageco", "forged", "succeeded", "0000"},
		{"imageco", "garbage", "succeeded", "SEEN_IN_HISTORY"},
		{"imageco", "down", "retryable", "UPSTREAM_UNREACHABLE"},
		{"wechatpay", "silent", "succeeded", "OK"},
		{"wechatpay", "http500", "unknown", "SYSTEM_ERROR"},
		{"wechatpay", "garbage", "unknown", "UPSTREAM_UNVERIFIED"},
		{"wechatpay", "slow", "succeeded", "OK"},
		{"wechatpay", "http429", "retryable", "RATE_LIMITED"},
		{"wechatpay", "forged", "unknown", "UPSTREAM_UNVERIFIED"},
		{"wechatpay", "signtest", "unknown", "UPSTREAM_UNVERIFIED"},
		{"wechatpay", "down", "succeeded", "OK"},
	} {
		t.Run(test.host+" "+test.kind, func(t *testing.T) {
			if status, body := r.ask("POST", "/console/faults", `{"hosts":{"`+test.host+`":"`+test.kind+`"}}`, isJSON); status != http.StatusOK {
				t.Fatal(status, body)
			}
			id++
			complaint := "fault" + string(rune('a'+id))
			path := "/merchants/acme/complaints/" + complaint + map[string]string{"imageco": "/reply", "wechatpay": "/complete"}[test.host]
			r.ask("POST", path, map[string]string{"imageco": good, "wechatpay": "{}"}[test.host], isJSON)
			f := r.latest(func(f full) bool { return settled(f) && f.ComplaintID == complaint })
			if f.Outcome != test.outcome || f.Code != test.code {
				t.Errorf("it comes out %s %s\n%s", f.Outcome, f.Code, strings.Join(f.Log, "\n"))
			}
			if c, _ := r.world.State.Complaint("acme", complaint); len(c.Replies) > 1 {
				t.Errorf("the consumer sees %d replies", len(c.Replies))
			}
			r.ask("POST", "/console/faults", `{"hosts":{"`+test.host+`":"works"}}`, isJSON)
		})
	}
	for _, body := range []string{`{"hosts":{"imageco":"signtest"}}`, `{"hosts":{"nobody":"down"}}`, `{"hosts":{"imageco":"sleepy"}}`} {
		if status, _ := r.ask("POST", "/console/faults", body, isJSON); status != http.StatusBadRequest {
			t.Errorf("%s gives %d", body, status)
		}
	}
}

func TestCrashHappensOnceAndNothingIsDoubled(t *testing.T) {
	r := start(t)
	r.ask("POST", "/console/crash", `{"armed":true}`, isJSON)
	r.ask("POST", "/console/crash", `{"armed":false}`, isJSON)
	if status, body := r.ask("POST", "/merchants/acme/complaints/0/reply", good, isJSON); status != http.StatusOK {
		t.Errorf("a crash that was called off: %d %s", status, body)
	}
	r.ask("POST", "/console/crash", `{"armed":true}`, isJSON)
	if status, _ := r.ask("POST", "/merchants/acme/complaints/1/reply", good, isJSON); status != http.StatusBadGateway {
		t.Errorf("a crash gives %d", status)
	}
	f := r.latest(func(f full) bool { return f.ComplaintID == "1" && settled(f) })
	if f.Failure != "Runtime.ExitError" || len(f.Calls) != 1 || f.Calls[0].Bytes != "" || !f.Calls[0].Acted || f.Calls[0].Signed.Verdict != right {
		t.Errorf("the crashed call: %+v", f)
	}
	if status, _ := r.ask("POST", "/merchants/acme/complaints/1/reply", good, isJSON); status != http.StatusConflict {
		t.Errorf("the same again gives %d", status)
	}
	if c, _ := r.world.State.Complaint("acme", "1"); len(c.Replies) != 1 || r.console.now().Crash {
		t.Errorf("the consumer sees %d replies", len(c.Replies))
	}
}

func TestRotationIsExplainedWithTheOldKeyAndTheNew(t *testing.T) {
	r := start(t)
	r.ask("POST", "/merchants/acme/complaints/1/reply", good, isJSON)
	r.ask("POST", "/console/rotate", "{}", isJSON)
	r.ask("POST", "/merchants/acme/complaints/2/reply", good, isJSON)
	f := r.latest(func(f full) bool { return f.ComplaintID == "2" && settled(f) })
	if f.Outcome != "succeeded" || len(f.Calls) != 2 || f.Calls[0].Code != "6100" || f.Calls[0].Signed.Verdict != right || f.Calls[1].Signed.Verdict != right ||
		f.Calls[0].Signed.Signed == f.Calls[1].Signed.Signed || len(f.Secrets) != 1 {
		t.Errorf("after a rotation: %+v", f)
	}
}

func TestLedgerDownAndDuplicates(t *testing.T) {
	r := start(t)
	r.ask("POST", "/console/faults", `{"ledger_down":true}`, isJSON)
	if status, body := r.ask("POST", "/merchants/acme/complaints/1/reply", good, isJSON); status != 503 || !strings.Contains(body, "LEDGER_UNAVAILABLE") {
		t.Errorf("without a ledger: %d %s", status, body)
	}
	r.ask("POST", "/console/faults", `{"ledger_down":false,"duplicates":true}`, isJSON)
	entry := `{"Source":"shop","DetailType":"ComplaintReplyRequested","Detail":"{\"merchant\":\"acme\",\"complaint_id\":\"2\",\"response_content\":\"好\"}"}`
	r.ask("POST", "/events", entry, isJSON)
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	for {
		changed := r.console.journal.next()
		calls, _ := r.console.journal.since(0)
		events := map[string]int{}
		for _, k := range calls {
			if cmd := read(k.function, k.payload); cmd.Via == "event" && !k.ended.IsZero() {
				events[cmd.EventID]++
			}
		}
		done := false
		for _, n := range events {
			done = done || n >= 2
		}
		if done {
			break
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("the event came %v", events)
		}
	}
	if c, _ := r.world.State.Complaint("acme", "2"); len(c.Replies) != 1 {
		t.Errorf("the consumer sees %d replies", len(c.Replies))
	}
}

func TestSendPassesTheGatewaysWordOn(t *testing.T) {
	r := start(t)
	for body, want := range map[string]string{
		`{"merchant":"acme","complaint_id":"1","action":"reply","body":{"response_content":"好"}}`:                        `{"answer":{"action":"reply","merchant":"acme","complaint_id":"1","outcome":"succeeded"`,
		`{"merchant":"acme","complaint_id":"1","action":"reply","body":{"response_content":""}}`:                         `"pointer":"/response_content"`,
		`{"merchant":"acme","complaint_id":"1","action":"complete","body":{}}`:                                           `"status":200}`,
		`{"merchant":"../../x","complaint_id":"1","action":"complete","body":{}}`:                                        `"pointer":"/merchant"`,
		`{"merchant":"acme","complaint_id":"1","action":"delete","body":{}}`:                                             `neither reply nor complete`,
		`{"merchant":"acme","complaint_id":"1","action":"reply","body":{"response_content":"a","response_content":"b"}}`: `INVALID_REQUEST`,
	} {
		if _, answer := r.ask("POST", "/console/send", body, isJSON); !strings.Contains(answer, want) {
			t.Errorf("%s gives %s", body, answer)
		}
	}
}
