package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/attention"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

// withWords is an unknown reply in the attention queue, with the request that it is about.
func withWords(t *testing.T, complaint, merchant string) string {
	t.Helper()
	event := settledEvent(t, wire.Reply, wire.Unknown, "UPSTREAM_TIMEOUT")
	event = strings.ReplaceAll(event, `"complaint_id":"2001"`, `"complaint_id":"`+complaint+`"`)
	event = strings.ReplaceAll(event, `"merchant":"acme"`, `"merchant":"`+merchant+`"`)
	request := `{"merchant":"` + merchant + `","complaint_id":"` + complaint + `",` + strings.TrimPrefix(replyBody, "{")
	return strings.Replace(event, `"detail":{`, `"detail":{"request":`+request+`,`, 1)
}

func TestAttentionLooksIntoTheHistory(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	if w == nil {
		return
	}
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	url := c.local(t)
	for _, variable := range c.Env() {
		if strings.HasPrefix(variable, "AWS_ENDPOINT_URL_SECRETS_MANAGER=") || strings.HasPrefix(variable, "WECHATPAY_") {
			w.env = append(w.env, variable)
		}
	}
	if o := (process{args: []string{"send", "reply", "--merchant", "acme", "--complaint", "2001", "--content", "已与用户沟通解决", "--url", url}}.run(t)); o.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	want := map[string]string{
		w.put("AttentionQueueUrl", withWords(t, "2001", "acme"), nil):                               "shown at 20",
		w.put("AttentionQueueUrl", withWords(t, "2002", "acme"), nil):                               "not shown; the complaint is PENDING",
		w.put("AttentionQueueUrl", withWords(t, "2003", "nobody"), nil):                             "the merchant's secret cannot be read",
		w.put("AttentionQueueUrl", settledEvent(t, wire.Reply, wire.Unknown, "TIMEOUT"), nil):       "does not hold its words",
		w.put("AttentionQueueUrl", settledEvent(t, wire.Complete, wire.Rejected, "PARAM_ERR"), nil): "",
	}
	var shown string
	for _, i := range w.items("--look") {
		if words, known := want[i.ID]; !known || !strings.Contains(attention.SightingWords(i.Look), words) || words == "" && i.Look != nil {
			t.Errorf("%s of %s: %+v, want %q", i.ComplaintID, i.Merchant, i.Look, words)
		}
		if i.Look != nil && i.Look.Seen != nil && *i.Look.Seen {
			shown = i.ID
		}
	}
	for _, i := range w.items() {
		if i.Look != nil {
			t.Errorf("looked for %s although nobody asked", i.ComplaintID)
		}
	}
	if o := w.attention("", "--stack", "kesu", "--look"); o.code != 0 || !strings.Contains(o.out, "history") || !strings.Contains(o.out, "shown at 20") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}

	file := filepath.Join(t.TempDir(), "reply.json")
	if err := os.WriteFile(file, []byte(replyBody), 0o600); err != nil {
		t.Fatal(err)
	}
	o := w.attention("", "answer", "--stack", "kesu", shown, "--resend", "--file", file, "--yes")
	if o.code != 1 || !strings.Contains(o.errors, "the complaint's history shows these words") || len(w.take("ReplyQueueUrl")) != 0 {
		t.Errorf("what is shown was sent again: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	o.hides(t, privateParts(c.merchant)...)
}
