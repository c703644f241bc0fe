package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// TestAComplaintIsToldAsItCame lets WeChat Pay tell everything that it can, with a service provider's merchant and values that
// nobody knows yet.
func TestAComplaintIsToldAsItCame(t *testing.T) {
	t.Parallel()
	const words = "不发货，还骂人 <b>\"&\\ 😡\n第二行"
	told := map[string]any{"complaint_time": "2026-11-20T23:30:00.123+08:00", "complaint_state": "A_STATE_OF_TOMORROW", "complaint_detail": words,
		"complainted_mchid": "1900000999", "problem_type": "A_TYPE_OF_TOMORROW", "problem_description": words, "apply_refund_amount": 1,
		"complaint_order_info":    []any{map[string]any{"transaction_id": "4200", "out_trade_no": "2019-1", "amount": 3}, map[string]any{"amount": 0}},
		"complaint_media_list":    []any{map[string]any{"media_type": "A_MEDIUM_OF_TOMORROW", "media_url": []any{"https://example.com/a?b=c&d", "x"}}},
		"complaint_full_refunded": true, "incoming_user_response": true, "user_complaint_times": 2, "user_tag_list": []any{"TRUSTED", "A_TAG_OF_TOMORROW"},
		"in_platform_service": false, "need_immediate_service": true,
		"payer_phone": sandbox.PayerPhone, "payer_openid": openid, "payer_address": "a street in Shenzhen", "service_order_info": []any{map[string]any{"order_id": "service-order-7"}},
		"additional_info": map[string]any{"type": "SHARE_POWER_TYPE", "share_power_info": map[string]any{"return_address_info": map[string]any{"return_address": "a street in Shenzhen"}}},
	}
	full := map[string]any{"merchant": "acme", "complaint_time": "2026-11-20T23:30:00+08:00", "complaint_state": "A_STATE_OF_TOMORROW",
		"complaint_detail": words, "complainted_mchid": "1900000999", "problem_type": "A_TYPE_OF_TOMORROW", "problem_description": words, "apply_refund_amount": 1.0,
		"orders":        []any{map[string]any{"transaction_id": "4200", "out_trade_no": "2019-1", "amount": 3.0}, map[string]any{"amount": 0.0}},
		"media":         []any{map[string]any{"type": "A_MEDIUM_OF_TOMORROW", "urls": []any{"https://example.com/a?b=c&d", "x"}}},
		"full_refunded": true, "incoming_user_response": true, "user_complaint_times": 2.0, "user_tags": []any{"TRUSTED", "A_TAG_OF_TOMORROW"},
		"in_platform_service": false, "need_immediate_service": true,
		"reply_due_at": "2026-11-21T23:30:00+08:00", "completion_due_at": "2026-11-23T23:30:00+08:00", "via": "notification"}
	w := newWatcher(t)
	for _, test := range []struct {
		name       string
		told, want map[string]any
	}{
		{"everything", told, full},
		{"nothing but its id and its state", map[string]any{"complaint_state": "PENDING"},
			map[string]any{"merchant": "acme", "complaint_state": "PENDING", "via": "notification"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := w.complaint("acme")
			answer, want := maps.Clone(test.told), maps.Clone(test.want)
			answer["complaint_id"], want["complaint_id"] = id, id
			w.Primary.Faults.Next(sandbox.Fault{Status: 200, Body: []byte(event(answer))})
			if got := w.notify(id, "CREATE_COMPLAINT"); got != 204 {
				t.Fatalf("answered %d", got)
			}
			if details := w.expect(id, "ComplaintReceived"); !reflect.DeepEqual(details[0], want) {
				t.Errorf("told\n%v\nwant\n%v", details[0], want)
			}
			if text, _ := json.Marshal(w.Bus.Events()); strings.Contains(string(text), "Shenzhen") || strings.Contains(string(text), "service-order-7") {
				t.Errorf("it tells of an address or of a service order: %s", text)
			}
		})
	}
	_ = w.function.Close()
	text := w.out.String()
	for _, hidden := range []string{"骂人", "1900000999", "4200", "2019-1", "example.com", "A_TYPE_OF_TOMORROW", "A_TAG_OF_TOMORROW", "Shenzhen", "service-order-7"} {
		if strings.Contains(text, hidden) {
			t.Errorf("the log holds %s", hidden)
		}
	}
	if !strings.Contains(text, "A_STATE_OF_TOMORROW") {
		t.Errorf("the log does not hold the state: %s", text)
	}
}

// TestAMemberOfAnotherTypeIsLeftOutOfAComplaint has each of them among members that can be read, in a notification and in
// the list of a sweep.
func TestAMemberOfAnotherTypeIsLeftOutOfAComplaint(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	s := w.signer()
	var answer string
	gateway := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		switch {
		case !strings.Contains(c.Target, "?"):
			s.answer(rw, 200, answer, nil)
		case strings.Contains(c.Target, "offset=0"):
			s.answer(rw, 200, `{"data":[`+answer+`,{"complaint_id":"beside","complaint_state":"PENDING"}],"total_count":2}`, nil)
		default:
			s.answer(rw, 200, `{"data":[]}`, nil)
		}
	})
	w.function = w.watch("WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL)
	for member, value := range map[string]any{"apply_refund_amount": "10", "user_complaint_times": "2", "user_tag_list": "TRUSTED", "complaint_detail": 7,
		"complaint_media_list": "", "complaint_order_info": map[string]any{}, "complaint_full_refunded": "true", "complaint_time": 7} {
		for _, by := range []string{"notification", "sweep"} {
			id := w.complaint("acme")
			told := map[string]any{"complaint_id": id, "complaint_state": "PENDING", "complaint_time": "2026-11-20T23:30:00+08:00", "problem_type": "REFUND"}
			told[member] = value
			answer = event(told)
			if by == "sweep" {
				w.sweep()
			} else if got := w.notify(id, "CREATE_COMPLAINT"); got != 204 {
				t.Errorf("%s: answered %d", member, got)
			}
			types, details := w.told(id)
			if len(types) == 0 || types[0] != "ComplaintReceived" || details[0]["problem_type"] != "REFUND" || details[0]["via"] != by {
				t.Errorf("%s by %s: told %v %v", member, by, types, details)
				continue
			}
			for _, left := range []string{"apply_refund_amount", "user_complaint_times", "user_tags", "complaint_detail", "media", "orders", "full_refunded"} {
				if value, there := details[0][left]; there {
					t.Errorf("%s by %s: %s is told as %v", member, by, left, value)
				}
			}
		}
	}
	w.expect("beside", "ComplaintReceived")
}

func TestARepeatDoesNotStartTheClocksAgain(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	id := w.old(23*time.Hour + 30*time.Minute)
	w.sweep()
	w.State.Raise("acme", id, "再次投诉")
	if got := w.notify(id, "CONTINUE_COMPLAINT"); got != 204 {
		t.Errorf("answered %d", got)
	}
	w.sweep()
	details := w.expect(id, "ComplaintReceived", "ComplaintDue", "ComplaintReceived")
	c, _ := w.State.Complaint("acme", id)
	for member, after := range map[string]time.Duration{"complaint_time": 0, "reply_due_at": 24 * time.Hour, "completion_due_at": 72 * time.Hour} {
		want := c.CreatedAt.Add(after).In(time.FixedZone("", 8*60*60)).Format(time.RFC3339)
		if details[0][member] != want || details[2][member] != want {
			t.Errorf("%s was %v and is %v, want %s", member, details[0][member], details[2][member], want)
		}
	}
}

// TestWhatItRemembersLivesWATCHTTL looks at what is written into the table, and at how long a claim is held.
func TestWhatItRemembersLivesWATCHTTL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		env   string
		lives time.Duration
	}{{"WATCH_TTL=", 35 * 24 * time.Hour}, {"WATCH_TTL=120h", 5 * 24 * time.Hour}} {
		t.Run(test.env, func(t *testing.T) {
			w := newWatcher(t, "LEDGER_TTL=1h", test.env)
			if got := w.notify(w.complaint("acme"), "CREATE_COMPLAINT"); got != 204 {
				t.Fatalf("answered %d", got)
			}
			w.old(25 * time.Hour)
			w.sweep()
			settled, claimed := map[string]bool{}, 0
			for _, c := range w.Ledger.Calls.Calls() {
				var in sandbox.LedgerWrite
				if json.Unmarshal(c.Body, &in) != nil || in.Item == nil {
					continue
				}
				kind := strings.Split(in.ID(), "#")[1]
				after := func(attribute string, unit time.Duration) time.Duration {
					n, err := strconv.ParseInt(in.Item[attribute].Text(), 10, 64)
					if err != nil {
						t.Fatalf("%s of %s: %v", attribute, in.ID(), err)
					}
					return time.Duration(n)*unit - time.Duration(c.At.UnixNano())
				}
				if in.Item["state"].Text() == "claimed" {
					claimed++
					// A busy machine may take long from the clock's reading to the call; no reading is later than the call. The time
					// is stored in milliseconds.
					if held := after("lease_until", time.Millisecond); held > 5*time.Second+time.Millisecond || held < -ample {
						t.Errorf("%s is held for %v", in.ID(), held)
					}
					continue
				}
				settled[kind] = true
				if lives := after("expires_at", time.Second); lives > test.lives+2*time.Second || lives < test.lives-ample {
					t.Errorf("%s lives %v", in.ID(), lives)
				}
			}
			if len(settled) != 3 || claimed < 4 {
				t.Errorf("settled %v, and claimed %d times", settled, claimed)
			}
		})
	}
}

func TestWhatWasPublishedIsCountedByItsDetailType(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	id := w.old(25 * time.Hour)
	for _, action := range []string{"CREATE_COMPLAINT", "USER_RESPONSE", "USER_RESPONSE"} {
		if got := w.notify(id, action); got != 204 {
			t.Fatalf("answered %d", got)
		}
	}
	w.sweep()
	_ = w.function.Close()
	got := map[string]int{}
	for _, l := range w.metrics(t) {
		if kind, ok := l["detail_type"].(string); ok && l["Published"] == 1.0 {
			got[kind]++
		}
	}
	if want := map[string]int{"ComplaintReceived": 1, "ComplaintChanged": 2, "ComplaintDue": 1}; !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// TestTheAgeOfASweepGrowsUntilOneIsWhole begins with what a sweep left an hour ago.
func TestTheAgeOfASweepGrowsUntilOneIsWhole(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, "MAX_ATTEMPTS=1")
	now := time.Now().Unix()
	w.write("acme#book", fmt.Sprintf(`{"begun":%d,"whole":%d,"open":{}}`, now-7200, now-3600))
	for _, test := range []struct {
		name        string
		fault       sandbox.Fault
		least, most float64
	}{
		{"WeChat Pay fails", sandbox.Fault{Status: 500}, 3600, 3600 + ample.Seconds()},
		{"it is whole", sandbox.Fault{}, 0, ample.Seconds()},
	} {
		w.Primary.Faults.Next(test.fault)
		w.sweep()
		var ages []float64
		within(t, "the metric", untilTrue(func() bool { // what is printed arrives by itself
			ages = nil
			for _, l := range w.metrics(t) {
				if age, ok := l["SweepAge"].(float64); ok && l["merchant"] == "acme" {
					ages = append(ages, age)
				}
			}
			return len(ages) > 0 && ages[len(ages)-1] >= test.least && ages[len(ages)-1] <= test.most
		}))
	}
}

// write stores a book in the table.
func (w *watcher) write(id, book string) {
	w.t.Helper()
	body := event(map[string]any{"TableName": sandbox.LedgerName, "ConditionExpression": "attribute_not_exists(#id)",
		"ExpressionAttributeNames": map[string]string{"#id": "id"},
		"Item": map[string]any{"id": map[string]string{"S": id}, "book": map[string]string{"S": book}, "version": map[string]string{"N": "1"},
			"expires_at": map[string]string{"N": fmt.Sprint(time.Now().Add(time.Hour).Unix())}}})
	r, err := http.NewRequestWithContext(w.t.(*testing.T).Context(), http.MethodPost, w.Ledger.URL(), bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("the book was not stored: %d", response.StatusCode)
	}
}

func TestWhatCouldNotBeReadIsToldWholeByTheSweep(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	id := w.old(time.Hour)
	w.Primary.Faults.Next(sandbox.Fault{Status: http.StatusForbidden, Code: "NO_AUTH"})
	if got := w.notify(id, "CREATE_COMPLAINT"); got != 204 {
		t.Fatalf("answered %d", got)
	}
	for range 2 {
		w.sweep()
	}
	details := w.expect(id, "ComplaintReceived", "ComplaintReceived")
	if details[0]["detail_missing"] != "NO_AUTH" || details[0]["complaint_state"] != nil {
		t.Errorf("by notification: %v", details[0])
	}
	if details[1]["detail_missing"] != nil || details[1]["complaint_state"] != "PENDING" || details[1]["via"] != "sweep" {
		t.Errorf("by the sweep: %v", details[1])
	}
}

func TestWhatComesDueFollowsTheState(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	reply, complete := w.world.reply(), w.world.complete()
	pending, answered, settled := w.complaint("acme"), w.complaint("acme"), w.complaint("acme")
	for _, id := range []string{answered, settled} {
		if got := reply.bare(replyTo("acme", id)); got.Outcome != "succeeded" {
			t.Fatalf("got %+v", got)
		}
	}
	if got := complete.bare(completionOf("acme", settled)); got.Outcome != "succeeded" {
		t.Fatalf("got %+v", got)
	}
	for _, id := range []string{pending, answered, settled} {
		w.State.AddAt("acme", id, time.Now().Add(-73*time.Hour))
	}
	w.sweep()
	for id, want := range map[string]string{pending: "[<nil> reply completion]", answered: "[completion]", settled: "[]"} {
		_, details := w.told(id)
		what := []any{}
		for _, d := range details {
			what = append(what, d["what"])
		}
		if got := fmt.Sprint(what); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	}
}

func TestWarningsComeWhenWATCHWARNBEFORESays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		before string
		age    time.Duration
		warned bool
	}{
		{"30m", 23*time.Hour + 15*time.Minute, false},
		{"30m", 23*time.Hour + 31*time.Minute, true},
		{"30m, 10h", 14*time.Hour + time.Minute, true},
	} {
		w := newWatcher(t, "WATCH_WARN_BEFORE="+test.before)
		id := w.old(test.age)
		w.sweep()
		if types, _ := w.told(id); (len(types) == 2) != test.warned {
			t.Errorf("%s: after %v published %v", test.before, test.age, types)
		}
	}
}
