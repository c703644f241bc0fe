package console

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// through is a sandbox's gateway as the API of a deployed Kesu.
type through struct{ r *running }

func (a through) Send(ctx context.Context, merchant, complaintID, action string, body []byte) (int, []byte, error) {
	return a.post(ctx, "/merchants/"+merchant+"/complaints/"+complaintID+"/"+action, "application/json", body)
}

func (a through) Upload(ctx context.Context, merchant, filename, mediaType string, picture []byte) (int, []byte, error) {
	return a.post(ctx, "/merchants/"+merchant+"/images?filename="+filename, mediaType, picture)
}

func (a through) Put(_ context.Context, detailType string, detail []byte) (string, error) {
	return a.r.world.Bus.Put(sandbox.Entry{Source: "desk", DetailType: detailType, Detail: string(detail)}).Entries[0].EventId, nil
}

func (a through) post(ctx context.Context, path, mediaType string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.r.url+path, strings.NewReader(string(body)))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", mediaType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, text, err
}

// heardEvent is an event as functions/watch and the others publish them.
func heardEvent(id, detailType, detail string, at time.Time) sandbox.Event {
	return sandbox.Event{ID: id, DetailType: detailType, Source: "kesu", Time: at, Detail: json.RawMessage(detail)}
}

func TestADeployedDeskKnowsWhatItsEventsTell(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	of := `"merchant":"acme","complaint_id":"1"`
	pending := `{` + of + `,"complaint_time":"2026-11-26T10:00:00+08:00","complaint_state":"PENDING","complaint_detail":"没有发货","user_complaint_times":1}`
	replied := `{` + of + `,"action":"reply","outcome":"succeeded","transaction_id":"t1"}`
	unknown := `{` + of + `,"action":"reply","outcome":"unknown","transaction_id":"t1","request":{"response_content":"好"}}`
	done := `{` + of + `,"action":"complete","outcome":"succeeded"}`
	raised := strings.Replace(pending, `"user_complaint_times":1`, `"user_complaint_times":2`, 1)
	for _, test := range []struct {
		name    string
		events  [][2]string
		state   string
		unknown string
		times   int
		replied bool
	}{
		{"it is received", [][2]string{{"ComplaintReceived", pending}}, "PENDING", "", 0, false},
		{"it is replied to", [][2]string{{"ComplaintReceived", pending}, {"ComplaintReplySettled", replied}}, "PROCESSING", "", 0, true},
		{"the reply's outcome is unknown", [][2]string{{"ComplaintReceived", pending}, {"ComplaintReplySettled", unknown}}, "PENDING", "reply", 0, false},
		{"an unknown reply is found", [][2]string{{"ComplaintReceived", pending}, {"ComplaintReplySettled", unknown}, {"ComplaintReplySettled", replied}}, "PROCESSING", "", 0, true},
		{"it is completed", [][2]string{{"ComplaintReceived", pending}, {"ComplaintCompletionSettled", done}}, "PROCESSED", "", 0, false},
		{"it is raised again", [][2]string{{"ComplaintReceived", pending}, {"ComplaintReplySettled", replied}, {"ComplaintReceived", raised}}, "PENDING", "", 1, false},
		{"somebody else replied", [][2]string{{"ComplaintChanged", strings.Replace(pending, "PENDING", "PROCESSING", 1)}}, "PROCESSING", "", 0, true},
		{"an event names nobody", [][2]string{{"ComplaintReceived", pending}, {"ComplaintReceived", `{"merchant":"acme"}`}, {"ComplaintReceived", `[]`}}, "PENDING", "", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := NewDeployed(nil, "")
			defer d.Close()
			for i, event := range test.events {
				e := heardEvent(string(rune('a'+i)), event[0], event[1], noon.Add(time.Duration(i)*time.Minute))
				d.Hear(e)
				d.Hear(e) // at least once
			}
			x := d.complaints[complaintKey{"acme", "1"}]
			if len(d.complaints) != 1 || x == nil {
				t.Fatalf("it knows %d complaints", len(d.complaints))
			}
			if x.State != test.state || x.Unknown != test.unknown || x.Times != test.times || x.Replied > 0 != test.replied || x.Words != "没有发货" ||
				x.Created != time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC).UnixMilli() {
				t.Errorf("%+v", x.row)
			}
			if len(x.events) > len(test.events) {
				t.Errorf("it keeps %d events", len(x.events))
			}
		})
	}
}

func TestBrowserWorksAtADeployedDesk(t *testing.T) {
	b := newBrowser(t, "zh-CN")
	if b == nil {
		return
	}
	r := start(t)
	d := NewDeployed(through{r}, "from.now")
	server := httptest.NewServer(d)
	defer server.Close()
	defer d.Close() // first: the server waits for the open streams
	r.world.State.Open("acme", "77", "没有发货", time.Now().Add(-time.Hour))
	at := time.Now().Add(-time.Hour).Format(time.RFC3339)
	d.Hear(heardEvent("a", "ComplaintReceived", `{"merchant":"acme","complaint_id":"77","complaint_time":"`+at+`","complaint_state":"PENDING","complaint_detail":"没有发货"}`, time.Now()))
	b.do(chromedp.Navigate(server.URL + "/console"))
	b.sees("#notice", "打开之前收到的投诉不在列表中")
	b.is(`!document.getElementById("new").checkVisibility() && !document.getElementById("drawer-open").checkVisibility()`)
	b.click("#complaint-list .row")
	b.sees("#thread .bubble", "没有发货")
	b.reply("今天发货", "成功")
	b.sees("#thread .mine", "今天发货")
	b.sees("#talk-head .badge", "处理中")
	b.click("#reply-form details.more summary")
	b.click("#reply-form input[value=event]")
	b.types("#reply-response_content", "已发货")
	b.click("#reply-form button.do")
	b.yes("")
	b.sees("#reply-said p", "事件总线已接收")
	b.axe("a deployed desk")
	b.quiet(server.URL)
}
