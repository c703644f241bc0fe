package console

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// heardNow asks for what came in until enough says that it is there.
func (r *running) heardNow(enough func(heard) bool) heard {
	r.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		status, text := r.ask("GET", "/console/watch", "")
		var h heard
		if err := json.Unmarshal([]byte(text), &h); err != nil || status != 200 {
			r.t.Fatalf("%d %s", status, text)
		}
		if enough(h) {
			return h
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("it never comes: %s", text)
		}
		change := r.console.journal.next()
		select {
		case <-change:
		case <-time.After(50 * time.Millisecond): // what the bus was told wakes nobody
		}
	}
}

func TestTheConsoleTellsWhatCameInAndWhatBecameOfIt(t *testing.T) {
	alerting := sandbox.BusRule{Name: "AlertRule", Target: "AlertDestination", Pattern: sandbox.Pattern{"detail-type": []any{"ComplaintReceived"}},
		Input: &sandbox.Transformer{Paths: map[string]string{"id": "$.detail.complaint_id"}, Template: `{"msgtype":"text","text":{"content":"新投诉 <id>"}}`}}
	failing := alerting
	failing.Name, failing.Input = "FailingRule", &sandbox.Transformer{Template: `{"a": <absent>}`}
	r := startWith(t, sandbox.Programs{Watch: filepath.Join(programs, "watch"), Env: []string{"WATCH_MERCHANTS=acme"}, Rules: []sandbox.BusRule{alerting, failing}})
	r.world.SetNotificationURL(r.world.Acme, sandbox.NotificationURL(r.url, "acme"))

	status, text := r.ask("POST", "/console/complaints", `{"merchant":"acme","words":"没有收到货","hours_ago":25}`, isJSON)
	var made struct {
		ComplaintID string `json:"complaint_id"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil || status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	h := r.heardNow(func(h heard) bool {
		return len(h.Alerts) == 2 && len(h.Notifications) == 1 && h.Notifications[0].State == sandbox.Taken
	})
	n := h.Notifications[0]
	if !h.Watching || n.ComplaintID != made.ComplaintID || n.ActionType != "CREATE_COMPLAINT" || len(n.Attempts) != 1 || n.Attempts[0].Status != 204 || n.NextAt != nil {
		t.Errorf("%+v", n)
	}
	var detail struct {
		ComplaintID string `json:"complaint_id"`
	}
	if p := h.Published; len(p) != 1 || p[0].DetailType != "ComplaintReceived" || json.Unmarshal(p[0].Detail, &detail) != nil || detail.ComplaintID != made.ComplaintID {
		t.Errorf("%+v", p)
	}
	for _, a := range h.Alerts {
		switch a.Rule {
		case "AlertRule":
			if a.Text != "新投诉 "+made.ComplaintID || a.Problem != "" || a.EventID != h.Published[0].ID {
				t.Errorf("%+v", a)
			}
		case "FailingRule":
			if a.Problem == "" || a.Text != "" {
				t.Errorf("%+v", a)
			}
		}
	}
	if d := h.Due; len(d) != 2 || d[0].What != "reply" || d[0].SecondsLeft >= 0 || d[1].What != "completion" || d[1].SecondsLeft <= 0 {
		t.Errorf("%+v", d)
	}

	// A lost notification is found by the sweep.
	if status, text := r.ask("POST", "/console/watch/faults", `{"every":1,"lost":true}`, isJSON); status != 200 || text != `{"every":1,"lost":true,"twice":false,"sign_test":false,"late_seconds":0}` {
		t.Errorf("%d %s", status, text)
	}
	r.ask("POST", "/console/complaints", `{"merchant":"acme","words":"x","hours_ago":1}`, isJSON)
	h = r.heardNow(func(h heard) bool { return len(h.Notifications) == 2 })
	if h.Notifications[0].State != sandbox.Lost || len(h.Published) != 1 || !h.Faults.Lost {
		t.Errorf("%+v", h)
	}
	if status, text := r.ask("POST", "/console/watch/sweep", "{}", isJSON); status != 204 {
		t.Errorf("%d %s", status, text)
	}
	r.heardNow(func(h heard) bool {
		found := map[string]int{}
		for _, p := range h.Published {
			found[p.DetailType]++
		}
		return found["ComplaintReceived"] == 2 && found["ComplaintDue"] == 1 // the first one's reply is late
	})
}

func TestWhatTheConsoleRefusesAboutWatching(t *testing.T) {
	r := start(t)
	for _, test := range []struct {
		path, body string
		status     int
	}{
		{"/console/watch/faults", `{"every":-1}`, 400},
		{"/console/watch/faults", `{"every":1001}`, 400},
		{"/console/watch/faults", `{"every":1,"late_seconds":86401}`, 400},
		{"/console/watch/faults", `{"colour":"red"}`, 400},
		{"/console/watch/faults", `{"every":2,"twice":true,"late_seconds":7200}`, 200},
		{"/console/watch/sweep", `[]`, 400},
		{"/console/watch/sweep", `{}`, 409},
	} {
		if status, text := r.ask("POST", test.path, test.body, isJSON); status != test.status {
			t.Errorf("%s %s: %d %s", test.path, test.body, status, text)
		}
	}
	if h := r.heardNow(func(heard) bool { return true }); h.Watching || h.Faults != (tellingFaults{Every: 2, Twice: true, LateSeconds: 7200}) {
		t.Errorf("%+v", h)
	}
}

func TestTheTextThatARobotShows(t *testing.T) {
	for body, want := range map[string]string{
		`{"msgtype":"text","text":{"content":"a"}}`:                  "a",
		`{"msgtype":"markdown","markdown":{"content":"b"}}`:          "b",
		`{"msgtype":"markdown","markdown":{"title":"t","text":"c"}}`: "c",
		`{"msg_type":"text","content":{"text":"d"}}`:                 "d",
		`{"text":"e"}`: "", `[]`: "", ``: "",
	} {
		if got := robotText(json.RawMessage(body)); got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
}
