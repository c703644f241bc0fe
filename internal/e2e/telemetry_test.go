package e2e

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestEachCommandHasOneSettledLineWithItsResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("MAX_ATTEMPTS=1")
	w.ImagecoHost.Faults.Next(sandbox.Fault{}, sandbox.Fault{Status: 429}, sandbox.Fault{Code: "6101", Message: "x"}, sandbox.Fault{Garbage: true})
	var results []result
	var ids []string
	for _, command := range []members{replyTo("acme", w.complaint("acme")), replyTo("acme", w.complaint("acme")), replyTo("acme", w.complaint("acme")),
		replyTo("acme", w.complaint("acme")), replyTo("nobody", "c1"), replyTo("acme", "c1").with("x", 1)} {
		got := f.invoke(command.text())
		results, ids = append(results, f.result(got)), append(ids, got.RequestID)
	}
	settled := f.messages(t, "settled")
	if len(settled) != len(results) {
		t.Fatalf("%d lines for %d commands", len(settled), len(results))
	}
	for i, l := range settled {
		r := results[i]
		for name, want := range map[string]any{"action": r.Action, "merchant": r.Merchant, "complaint_id": r.ComplaintID, "outcome": r.Outcome, "provider": r.Provider, "code": r.Code,
			"message": r.Message, "http_status": float64(r.HTTPStatus), "verified": r.Verified, "request_id": r.RequestID, "transaction_id": r.TransactionID,
			"attempts": float64(r.Attempts), "replayed": r.Replayed, "at": r.At, "aws_request_id": ids[i], "cold_start": i == 0} {
			if l[name] != want {
				t.Errorf("line %d: %s is %v and should be %v", i, name, l[name], want)
			}
		}
		if trace, _ := l["trace_id"].(string); !strings.HasPrefix(trace, "Root=1-") {
			t.Errorf("line %d: trace_id is %v", i, l["trace_id"])
		}
		took, ok1 := l["duration_ms"].(float64)
		upstream, ok2 := l["upstream_ms"].(float64)
		if !ok1 || !ok2 || took < upstream || took > ample.Seconds()*1000 || upstream < 0 {
			t.Errorf("line %d: duration_ms %v, upstream_ms %v", i, l["duration_ms"], l["upstream_ms"])
		}
	}
	if errors, ok := settled[5]["errors"].([]any); !ok || len(errors) != 1 {
		t.Errorf("the refused one's line has the errors %v", settled[5]["errors"])
	}
}

func TestEachAttemptHasOneLineWithHostStatusDurationDecisionAndReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete()
	w.Primary.Faults.Next(sandbox.Fault{Status: 500}, sandbox.Fault{Status: 429})
	got := f.invoke(completionOf("acme", w.complaint("acme")).text())
	f.result(got)
	lines := f.messages(t, "attempt")
	if len(lines) != 3 {
		t.Fatalf("%d lines for 3 attempts", len(lines))
	}
	reasons := map[any]bool{}
	for i, l := range lines {
		host := strings.TrimPrefix(w.Primary.URL(), "http://")
		if l["host"] != host || l["status"] != []float64{500, 429, 204}[i] || l["aws_request_id"] != got.RequestID {
			t.Errorf("attempt %d: %v", i, l)
		}
		if took, ok := l["duration_ms"].(float64); !ok || took < 0 {
			t.Errorf("attempt %d: duration_ms %v", i, l["duration_ms"])
		}
		if l["decision"] == "" || l["decision"] == nil || l["reason"] == "" || l["reason"] == nil {
			t.Errorf("attempt %d: decision %v, reason %v", i, l["decision"], l["reason"])
		}
		reasons[l["reason"]] = true
	}
	if lines[0]["decision"] != lines[1]["decision"] || lines[1]["decision"] == lines[2]["decision"] || len(reasons) != 3 {
		t.Errorf("the decisions are %v, %v, %v", lines[0]["decision"], lines[1]["decision"], lines[2]["decision"])
	}
	w.Primary.Down()
	f.bare(completionOf("acme", w.complaint("acme")))
	lines = f.messages(t, "attempt")[3:]
	if len(lines) != 2 || lines[0]["status"] != 0.0 || lines[1]["host"] != strings.TrimPrefix(w.Backup.URL(), "http://") {
		t.Errorf("with the primary down: %v", lines)
	}
}

func TestEveryLineIsJSONWithATimeAndALevel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply(withBus, "PREFETCH_MERCHANTS=nobody", "LOG_LEVEL=debug", "MAX_ATTEMPTS=1")
	w.ImagecoHost.Faults.Next(sandbox.Fault{Status: 429}, sandbox.Fault{WrongSignature: true})
	f.invoke(requested(replyRequested, "e1", replyTo("acme", w.complaint("acme"))))
	f.invoke(requested(replyRequested, "e2", replyTo("acme", w.complaint("acme"))))
	w.Bus.Faults.Stand(sandbox.Fault{Status: 400, Code: "AccessDeniedException"})
	f.invoke(requested(replyRequested, "e3", replyTo("acme", w.complaint("acme"))))
	f.invoke(`{"Records":7}`)
	lines := f.lines(t)
	if len(lines) < 10 {
		t.Errorf("only %d lines", len(lines))
	}
	for _, l := range lines {
		if l["_aws"] != nil {
			continue
		}
		at, _ := l["timestamp"].(string)
		if _, err := time.Parse(time.RFC3339Nano, at); err != nil || !slices.Contains([]any{"DEBUG", "INFO", "WARN", "ERROR"}, l["level"]) || l["msg"] == "" {
			t.Errorf("a line without time, level or message: %v", l)
		}
	}
}

func TestALedgerInTheProcessIsToldOfOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	tells := func(l line) bool { return strings.Contains(fmt.Sprint(l["msg"]), "LEDGER_TABLE") }
	inside, table := w.reply(), w.reply("LEDGER_TABLE=kesu", "AWS_ENDPOINT_URL_DYNAMODB=http://"+closedPort(t))
	for range 3 {
		inside.bare(replyTo("acme", w.complaint("acme")))
	}
	table.bare(replyTo("nobody", "c1"))
	if a, b := len(inside.logged(t, tells)), len(table.logged(t, tells)); a != 1 || b != 0 {
		t.Errorf("told %d times, and %d times with a table", a, b)
	}
}

// metricNames are the metrics of a command's line by the dimensions that they are counted by.
var metricNames = map[string][]string{
	"[action provider outcome]":     {"Attempts", "DurationMs", "Failover", "LookFailed", "Replayed", "Settled", "Sighted", "StaleSecret", "Unverified", "UpstreamMs"},
	"[function] [function version]": {"Misconfigured", "Retryable", "Settled", "Unknown"},
	"[function]":                    {"StaleSecret", "Unverified"},
}

// The rules are those of AWS's specification of the embedded metric format.
func TestMetricsAreValidEmbeddedMetricFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	reply, complete := w.reply(), w.complete("MAX_ATTEMPTS=2")
	id := w.complaint("acme")
	reply.bare(replyTo("acme", id))
	reply.bare(replyTo("acme", id)) // a replay
	reply.bare(members{})
	reply.bare(replyTo("nobody", "c1"))
	w.Primary.Faults.Next(sandbox.Fault{SignTest: true}, sandbox.Fault{SignTest: true, Status: 204})
	complete.bare(completionOf("acme", id))
	w.Primary.Down()
	complete.bare(completionOf("acme", w.complaint("acme")))
	for _, f := range []*function{reply, complete} {
		for _, l := range f.metrics(t) {
			checkEMF(t, l)
		}
		settled, lines := f.messages(t, "settled"), f.metrics(t)
		if len(settled) != len(lines) || sum(t, f, "Settled") != float64(len(lines)) {
			t.Errorf("%d settled lines and %d metric lines", len(settled), len(lines))
			continue
		}
		for i, l := range lines {
			for _, name := range []string{"action", "provider", "outcome"} {
				if l[name] != settled[i][name] {
					t.Errorf("line %d: %s is %v and %v", i, name, l[name], settled[i][name])
				}
			}
			if !settled[i]["replayed"].(bool) && l["Attempts"] != settled[i]["attempts"] {
				t.Errorf("line %d: Attempts is %v and %v", i, l["Attempts"], settled[i]["attempts"])
			}
		}
	}
	for name, want := range map[string][2]float64{"Replayed": {1, 0}, "Unverified": {0, 2}, "Failover": {0, 1}, "StaleSecret": {0, 0}, "Attempts": {1, 4}} {
		if got := [2]float64{sum(t, reply, name), sum(t, complete, name)}; got != want {
			t.Errorf("%s adds up to %v and should to %v", name, got, want)
		}
	}
}

var metricName = regexp.MustCompile(`^[!-~]{1,255}$`)

func checkEMF(t *testing.T, l line) {
	t.Helper()
	root, _ := l["_aws"].(map[string]any)
	at, _ := root["Timestamp"].(float64)
	if since := time.Since(time.UnixMilli(int64(at))); at != math.Trunc(at) || since.Abs() > time.Minute {
		t.Errorf("Timestamp is %v", root["Timestamp"])
	}
	directives, _ := root["CloudWatchMetrics"].([]any)
	if len(directives) != len(metricNames) {
		t.Fatalf("%d directives", len(directives))
	}
	for _, d := range directives {
		checkDirective(t, l, d)
	}
	for _, dimension := range []string{"action", "provider", "outcome", "function", "version"} {
		if value, ok := l[dimension].(string); !ok || value == "" || len(value) > 1024 {
			t.Errorf("the dimension %s is %v", dimension, l[dimension])
		}
	}
}

func checkDirective(t *testing.T, l line, d any) {
	t.Helper()
	directive, _ := d.(map[string]any)
	if directive["Namespace"] != "Kesu" || len(directive) != 3 {
		t.Errorf("the directive is %v", directive)
	}
	definitions, _ := directive["Metrics"].([]any)
	var names []string
	for _, d := range definitions {
		definition, _ := d.(map[string]any)
		name, _ := definition["Name"].(string)
		names = append(names, name)
		value, ok := l[name].(float64)
		if !ok || value < 0 || math.IsNaN(value) || !metricName.MatchString(name) {
			t.Errorf("the metric %q is %v", name, l[name])
		}
		if !slices.Contains([]any{"Count", "Milliseconds"}, definition["Unit"]) {
			t.Errorf("the unit of %q is %v", name, definition["Unit"])
		}
	}
	slices.Sort(names)
	by := strings.Trim(fmt.Sprint(directive["Dimensions"]), "[]")
	if want := metricNames["["+by+"]"]; !slices.Equal(names, want) {
		t.Errorf("the metrics by %s are %v", by, names)
	}
}

func TestInvocationsSideBySideKeepTheirOwnWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const side = 8
	f := w.function("reply", side)
	within(t, "the process to start", f.Start)
	byRequest := map[string]string{}
	for range 4 {
		var all []<-chan sandbox.Invocation
		var ids []string
		for i := range side {
			name := fmt.Sprint("m", i)
			if len(byRequest) == 0 {
				w.merchant(name, sandbox.MerchantOptions{XML: i%2 == 0})
			}
			id := w.complaint(name)
			ids = append(ids, id)
			all = append(all, f.invoking(replyTo(name, id).with("response_content", "答复"+id).text(), lambdaTime))
		}
		for i, one := range all {
			got := take(t, one)
			r := f.result(got)
			byRequest[got.RequestID] = ids[i]
			c, _ := w.State.Complaint(r.Merchant, ids[i])
			if r.Outcome != "succeeded" || r.ComplaintID != ids[i] || len(c.Replies) != 1 || c.Replies[0].Content != "答复"+ids[i] {
				t.Errorf("got %+v, and the consumer sees %+v", r, c.Replies)
			}
		}
	}
	for _, l := range f.messages(t, "settled") {
		if byRequest[fmt.Sprint(l["aws_request_id"])] != l["complaint_id"] {
			t.Errorf("request %v is told to be about %v", l["aws_request_id"], l["complaint_id"])
		}
	}
}
