package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const (
	toldShown  = 100            // notifications, events and alerts each, the latest ones
	lateMost   = 24 * time.Hour // how late a notification can be made
	everyMost  = 1000
	dueMost    = 200            // due times that a page is told of, the earliest ones
	replyDue   = 24 * time.Hour // contract, section 10
	settledDue = 72 * time.Hour
)

// heard is what came in and what became of it: GET /console/watch. Lists have the newest first, but for Due, which has what
// is due first.
type heard struct {
	Watching      bool           `json:"watching"` // whether functions/watch runs
	Notifications []notification `json:"notifications"`
	Published     []published    `json:"published"`
	Due           []due          `json:"due"`
	Alerts        []alert        `json:"alerts"`
	Faults        tellingFaults  `json:"faults"`
}

// notification is a call of WeChat Pay's to a merchant.
type notification struct {
	N           int       `json:"n"`
	ID          string    `json:"id"`
	At          time.Time `json:"at"`
	Merchant    string    `json:"merchant"`
	ComplaintID string    `json:"complaint_id"`
	ActionType  string    `json:"action_type"`
	URL         string    `json:"url"`
	// State is "telling", "taken", "lost", "given up" or "no address".
	State    string     `json:"state"`
	NextAt   *time.Time `json:"next_at"` // of the repeat; null when there is none
	Attempts []telling  `json:"attempts"`
}

// telling is one time that a notification was sent.
type telling struct {
	At       time.Time `json:"at"`
	Status   int       `json:"status"` // 0: no answer
	Problem  string    `json:"problem"`
	SignTest bool      `json:"sign_test"` // its signature was wrong on purpose
}

// published is an event of functions/watch's.
type published struct {
	ID         string          `json:"id"`
	At         time.Time       `json:"at"`
	DetailType string          `json:"detail_type"`
	Detail     json.RawMessage `json:"detail"`
}

// due is something that a complaint waits for.
type due struct {
	Merchant    string    `json:"merchant"`
	ComplaintID string    `json:"complaint_id"`
	What        string    `json:"what"` // reply or completion
	DueAt       time.Time `json:"due_at"`
	SecondsLeft int64     `json:"seconds_left"` // negative: late
}

// alert is what a rule of the template made of an event for a robot: the body of the call, as the robot would be given it.
type alert struct {
	N       int             `json:"n"`
	At      time.Time       `json:"at"`
	Rule    string          `json:"rule"`
	EventID string          `json:"event_id"`
	Body    json.RawMessage `json:"body"` // null when the transformer failed
	// Text is the body's text as a robot shows it, without the JSON around it; "" where none was found.
	Text    string `json:"text"`
	Problem string `json:"problem"`
}

// tellingFaults say what goes wrong with each every-th notification.
type tellingFaults struct {
	Every       int  `json:"every"` // 0: with none
	Lost        bool `json:"lost"`
	Twice       bool `json:"twice"`
	SignTest    bool `json:"sign_test"`
	LateSeconds int  `json:"late_seconds"`
}

// watching adds what the page asks for about functions/watch.
func (c *Console) watching() {
	c.mux.HandleFunc("GET /console/watch", c.serveHeard)
	c.mux.HandleFunc("POST /console/watch/faults", c.setTellingFaults)
	c.mux.HandleFunc("POST /console/watch/sweep", c.sweep)
	c.world.Notifier.OnChange(func(sandbox.Told) { c.journal.Touch() })
}

func (c *Console) serveHeard(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "application/json", c.heard(time.Now()))
}

// heard is what there is to tell at a time.
func (c *Console) heard(now time.Time) heard {
	h := heard{Watching: c.world.Watch != nil, Notifications: []notification{}, Published: []published{}, Alerts: []alert{}, Faults: c.tellingFaults()}
	for _, t := range newest(c.world.Notifier.All()) {
		h.Notifications = append(h.Notifications, shownNotification(t))
	}
	kinds := []string{"ComplaintReceived", "ComplaintChanged", "ComplaintDue"}
	events := slices.DeleteFunc(c.world.Bus.Events(), func(e sandbox.Event) bool {
		return e.Source != "kesu" || !slices.Contains(kinds, e.DetailType)
	})
	for _, e := range newest(events) {
		h.Published = append(h.Published, published{e.ID, e.Time, e.DetailType, e.Detail})
	}
	for _, a := range newest(c.world.HandedOver()) {
		h.Alerts = append(h.Alerts, alert{a.N, a.At, a.Rule, a.EventID, a.Payload, robotText(a.Payload), a.Problem})
	}
	h.Due = dues(c.world.State.Complaints(), now)
	return h
}

// newest are the latest of a list, the newest first.
func newest[T any](list []T) []T {
	list = slices.Clone(list[max(0, len(list)-toldShown):])
	slices.Reverse(list)
	return list
}

func shownNotification(t sandbox.Told) notification {
	n := notification{N: t.N, ID: t.ID, At: t.At, Merchant: t.Merchant, ComplaintID: t.ComplaintID, ActionType: t.Action, URL: t.URL,
		State: t.State, Attempts: []telling{}}
	if !t.NextAt.IsZero() {
		n.NextAt = &t.NextAt
	}
	for _, a := range t.Attempts[max(0, len(t.Attempts)-toldShown):] {
		n.Attempts = append(n.Attempts, telling(a))
	}
	return n
}

// dues lists what complaints wait for, as their states stand.
func dues(complaints []sandbox.Complaint, now time.Time) []due {
	list := []due{}
	add := func(x sandbox.Complaint, what string, within time.Duration) {
		at := x.CreatedAt.Add(within)
		list = append(list, due{x.Merchant, x.ID, what, at, int64(at.Sub(now) / time.Second)})
	}
	for _, x := range complaints {
		if x.State == sandbox.Pending {
			add(x, "reply", replyDue)
		}
		if x.State != sandbox.Processed {
			add(x, "completion", settledDue)
		}
	}
	slices.SortStableFunc(list, func(a, b due) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ComplaintID, b.ComplaintID)) })
	return list[:min(len(list), dueMost)]
}

// robotText finds the text in the body for a robot: WeCom's and DingTalk's text.content and markdown, Feishu's content.text.
func robotText(body json.RawMessage) string {
	var b struct {
		Text     struct{ Content string }
		Markdown struct{ Content, Text string }
		Content  struct{ Text string }
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	return cmp.Or(b.Text.Content, b.Markdown.Content, b.Markdown.Text, b.Content.Text)
}

func (c *Console) tellingFaults() tellingFaults {
	f, every := c.world.Notifier.Standing()
	return tellingFaults{every, f.Lost, f.Twice, f.SignTest, int(f.Late / time.Second)}
}

// setTellingFaults sets what goes wrong with notifications: POST {"every":3,"lost":true}. What is not named is off.
func (c *Console) setTellingFaults(w http.ResponseWriter, r *http.Request) {
	var in tellingFaults
	if !readJSON(w, r, &in) {
		return
	}
	if in.Every < 0 || in.Every > everyMost || in.LateSeconds < 0 || in.LateSeconds > int(lateMost/time.Second) {
		refuse(w, http.StatusBadRequest, "every is 0 to 1000, and late_seconds 0 to 86400")
		return
	}
	c.world.Notifier.Stand(sandbox.NotificationFault{Lost: in.Lost, Twice: in.Twice, SignTest: in.SignTest,
		Late: time.Duration(in.LateSeconds) * time.Second}, in.Every)
	c.journal.Touch()
	answer(w, http.StatusOK, "application/json", c.tellingFaults())
}

// sweep does at once what the schedule does every 15 minutes: POST {}.
func (c *Console) sweep(w http.ResponseWriter, r *http.Request) {
	if !readJSON(w, r, &struct{}{}) {
		return
	}
	if c.world.Watch == nil {
		refuse(w, http.StatusConflict, "functions/watch does not run")
		return
	}
	result, err := c.world.Sweep(r.Context())
	if err != nil || result.Failed() {
		refuse(w, http.StatusBadGateway, "the function failed: "+result.ErrorType)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
