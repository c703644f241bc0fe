package console

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestBrowserShowsWhatCameInAndWhatWasPublished(t *testing.T) {
	b := newBrowser(t, "en-US")
	if b == nil {
		return
	}
	alerting := sandbox.BusRule{Name: "AlertRule", Target: "AlertDestination", Pattern: sandbox.Pattern{"detail-type": []any{"ComplaintReceived"}},
		Input: &sandbox.Transformer{Paths: map[string]string{"id": "$.detail.complaint_id"},
			Template: `{"msgtype":"text","text":{"content":"新投诉 <id>"}}`}}
	r := startWith(t, sandbox.Programs{Watch: filepath.Join(programs, "watch"), Env: []string{"WATCH_MERCHANTS=acme"},
		Rules: []sandbox.BusRule{alerting}})
	r.world.SetNotificationURL(r.world.Acme, sandbox.NotificationURL(r.url, "acme"))
	b.do(chromedp.Navigate(r.url + "/console/bench"))
	b.is(`document.getElementById("live")?.classList.contains("on")`)
	_, text := r.ask("POST", "/console/complaints", `{"merchant":"acme","words":"<b>没有收到货</b>","hours_ago":25}`, isJSON)
	var made struct {
		ComplaintID string `json:"complaint_id"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(text)
	}
	b.sees("#notified .card", "CREATE_COMPLAINT")
	b.sees("#notified .badge", "taken")
	b.sees("#published .card", "ComplaintReceived")
	b.sees("#published .card", "reply due at")
	b.sees("#alerted .robot", "新投诉 "+made.ComplaintID)
	b.sees("#call-list .card", "Notification or sweep")
	b.sees("#call-list .badge", "succeeded")
	b.click("#sweep")
	b.sees("#published .card", "ComplaintDue")
	b.sees("#published .left.late", "late by 1 h")
	b.axe("the bench")
	b.shot("watch")
	for _, width := range []int64{320, 1280} {
		b.size(width, 900)
		b.looksRight("what came in")
	}
	b.do(chromedp.Navigate(r.url + "/console#c=acme/" + made.ComplaintID))
	b.sees("#thread .told", "published: complaint received")
	b.sees("#thread .told", "published: complaint due")
	b.quiet(r.url)
}
