package watch

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

var raised = time.Date(2026, 11, 20, 8, 0, 0, 0, china)

func TestWhatAComplaintWaitsForFollowsItsState(t *testing.T) {
	for name, row := range map[string]struct {
		state string
		at    time.Time
		want  []string
	}{
		"pending":             {wechatpay.StatePending, raised, []string{"reply 2026-11-21T08:00:00+08:00", "completion 2026-11-23T08:00:00+08:00"}},
		"processing":          {wechatpay.StateProcessing, raised, []string{"completion 2026-11-23T08:00:00+08:00"}},
		"processed":           {wechatpay.StateProcessed, raised, nil},
		"a new state":         {"ESCALATED", raised, []string{"completion 2026-11-23T08:00:00+08:00"}},
		"a time nobody knows": {wechatpay.StatePending, time.Time{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range dues(wechatpay.Complaint{ComplaintState: row.state, ComplaintTime: wechatpay.Time{Time: row.at}}) {
				got = append(got, d.What+" "+clock(d.At))
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
}

func TestAThresholdIsPassedFromItsVeryMoment(t *testing.T) {
	d := due{dueReply, raised.Add(replyWithin)}
	warn := []time.Duration{4 * time.Hour, time.Hour}
	for name, row := range map[string]struct {
		now  time.Time
		want string
		left int64
	}{
		"long before":            {raised, "", 86400},
		"a second before 4h":     {d.At.Add(-4*time.Hour - time.Second), "", 4*3600 + 1},
		"4h before":              {d.At.Add(-4 * time.Hour), "4h0m0s", 4 * 3600},
		"between":                {d.At.Add(-2 * time.Hour), "4h0m0s", 2 * 3600},
		"1h before":              {d.At.Add(-time.Hour), "4h0m0s 1h0m0s", 3600},
		"the moment itself":      {d.At, "4h0m0s 1h0m0s late", 0},
		"half a second later":    {d.At.Add(time.Second / 2), "4h0m0s 1h0m0s late", -1},
		"a day and a half later": {d.At.Add(36 * time.Hour), "4h0m0s 1h0m0s late", -36 * 3600},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(d.passed(warn, row.now), " "); got != row.want || d.secondsLeft(row.now) != row.left {
				t.Errorf("%q with %d s left, want %q with %d", got, d.secondsLeft(row.now), row.want, row.left)
			}
		})
	}
}

func TestAComplaintIsToldWithoutWhatWasNotSent(t *testing.T) {
	yes := true
	for name, row := range map[string]struct {
		c    wechatpay.Complaint
		want string
	}{
		"ids only": {wechatpay.Complaint{ComplaintID: "1"}, `{"merchant":"acme","complaint_id":"1"}`},
		"much": {wechatpay.Complaint{ComplaintID: "1", ComplaintTime: wechatpay.Time{Time: raised.UTC()}, ComplaintState: "PENDING",
			Orders: []wechatpay.Order{{TransactionID: "42", OutTradeNo: "7", Amount: new(int64(3))}},
			Media:  wechatpay.MediaList{{Type: "USER_COMPLAINT_IMAGE", URLs: []string{"https://x/1"}}}, FullRefunded: &yes},
			`{"merchant":"acme","complaint_id":"1","complaint_time":"2026-11-20T08:00:00+08:00","complaint_state":"PENDING",` +
				`"orders":[{"transaction_id":"42","out_trade_no":"7","amount":3}],` +
				`"media":[{"type":"USER_COMPLAINT_IMAGE","urls":["https://x/1"]}],"full_refunded":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(tell("acme", row.c))
			if err != nil || string(got) != row.want {
				t.Errorf("%s %v\nwant %s", got, err, row.want)
			}
		})
	}
}
