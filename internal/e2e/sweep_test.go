package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const watchQueue = "https://sqs.ap-east-1.amazonaws.com/000000000000/kesu-watch"

// sweepMessage is what the schedule puts into the queue.
func sweepMessage(merchant string, at time.Time) string {
	return event(map[string]any{"detail-type": "KesuSweep", "detail": map[string]any{"merchant": merchant, "scheduled_at": at.UTC().Format(time.RFC3339)}})
}

// sweep sweeps acme and reports whether its message comes again.
func (w *watcher) sweep() (again bool) {
	w.t.Helper()
	return len(w.failures(batch(sweepMessage("acme", time.Now())))) > 0
}

// old makes a complaint that was raised so long ago.
func (w *watcher) old(age time.Duration) string {
	id := w.complaint("acme")
	w.State.AddAt("acme", id, time.Now().Add(-age))
	return id
}

func TestTheScheduleSendsAMessageForEachMerchant(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	var names []string
	for i := range 23 {
		names = append(names, fmt.Sprintf("m%02d", i))
	}
	for _, name := range names[:12] {
		w.put(name, "{}")
	}
	w.put("packs/64/1", "{}")
	w.Secrets.Put("another/secret", "{}")
	schedule := event(map[string]any{"version": "0", "id": "e", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": map[string]any{}})
	for _, test := range []struct {
		merchants string
		want      []string
	}{
		{strings.Join(names, ", "), names},
		{"*", append([]string{"acme"}, names[:12]...)},
		{"m01,m00, m01 ,m01", names[:2]}, // one that stands twice is one merchant
	} {
		before, calls := len(w.Queues.Sent()), w.Queues.Calls.Len()
		f := w.watch("WATCH_QUEUE="+watchQueue, "WATCH_MERCHANTS="+test.merchants)
		if got := f.invoke(schedule); got.Failed() {
			t.Fatalf("%s %s", got.ErrorType, got.ErrorMessage)
		}
		var swept []string
		for _, m := range w.Queues.Sent()[before:] {
			var message struct {
				DetailType string `json:"detail-type"`
				Detail     struct {
					Merchant    string    `json:"merchant"`
					ScheduledAt time.Time `json:"scheduled_at"`
				} `json:"detail"`
			}
			if err := json.Unmarshal([]byte(m.Body), &message); err != nil || message.DetailType != "KesuSweep" || m.QueueUrl != watchQueue ||
				time.Since(message.Detail.ScheduledAt) > time.Minute {
				t.Errorf("%v: %+v", err, m)
			}
			swept = append(swept, message.Detail.Merchant)
		}
		if slices.Sort(swept); !slices.Equal(swept, test.want) {
			t.Errorf("%s: %v", test.merchants, swept)
		}
		if n := w.Queues.Calls.Len() - calls; n != (len(test.want)+9)/10 {
			t.Errorf("%d messages in %d calls", len(test.want), n)
		}
	}
}

func TestWithoutAQueueTheScheduleSweeps(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, "WATCH_MERCHANTS=nobody,acme")
	id := w.old(time.Hour)
	if got := w.invoke(`{"detail-type":"Scheduled Event"}`); got.Failed() {
		t.Fatalf("%s %s", got.ErrorType, got.ErrorMessage)
	}
	w.expect(id, "ComplaintReceived")
}

func TestWithoutAQueueNoSweepBeginsInTheLastSecond(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, "WATCH_MERCHANTS=nobody,acme")
	id := w.old(time.Hour)
	within(t, "the process to start", w.Start)
	if got := w.invokeFor(`{"detail-type":"Scheduled Event"}`, 999*time.Millisecond); got.Failed() {
		t.Fatalf("%s %s", got.ErrorType, got.ErrorMessage)
	}
	w.expect(id)
	if n := w.Primary.Calls.Len(); n != 0 {
		t.Errorf("%d calls to WeChat Pay", n)
	}
	_ = w.function.Close()
	if text := w.out.String(); !strings.Contains(text, `"msg":"no time was left for the other merchants`) || !strings.Contains(text, `"left":2`) {
		t.Errorf("the log does not say so: %s", text)
	}
}

func TestASweepTellsWhatNoNotificationTold(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	lost, notified, young := w.old(time.Hour), w.old(time.Hour), w.complaint("acme")
	answered, settled := w.old(time.Hour), w.old(time.Hour)
	reply, complete := w.reply(), w.function.w.complete()
	for _, command := range []members{replyTo("acme", answered), replyTo("acme", settled)} {
		if got := reply.bare(command); got.Outcome != "succeeded" {
			t.Fatalf("got %+v", got)
		}
	}
	if got := complete.bare(completionOf("acme", settled)); got.Outcome != "succeeded" {
		t.Fatalf("got %+v", got)
	}
	if got := w.notify(notified, "CREATE_COMPLAINT"); got != 204 {
		t.Fatalf("answered %d", got)
	}
	for range 2 {
		if w.sweep() {
			t.Error("the sweep comes again")
		}
		if details := w.expect(lost, "ComplaintReceived"); details[0]["via"] != "sweep" || details[0]["reply_due_at"] == nil {
			t.Errorf("got %v", details[0])
		}
		w.expect(notified, "ComplaintReceived")
		for _, id := range []string{young, answered, settled} {
			w.expect(id)
		}
	}
	w.State.Raise("acme", answered, "再次投诉")
	for range 2 {
		w.sweep()
		w.expect(answered, "ComplaintReceived")
	}
	if got := w.notify(answered, "CONTINUE_COMPLAINT"); got != 204 {
		t.Errorf("answered %d", got)
	}
	w.expect(answered, "ComplaintReceived", "ComplaintChanged")
}

func TestASweepReadsTheListOfTheLastDays(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for range 7 {
		w.old(time.Hour)
	}
	w.WechatPay.SetOddities(sandbox.Oddities{TooMuchAbove: 3, Unknown: true, Millis: true})
	days := func() string { // of the list, in China, where midnight may come between two looks at the clock
		today := time.Now().In(time.FixedZone("", 8*60*60))
		return today.AddDate(0, 0, -4).Format(time.DateOnly) + " to " + today.Format(time.DateOnly)
	}
	before := days()
	if w.sweep() {
		t.Error("the sweep comes again")
	}
	after := days()
	var asked []string
	for _, c := range w.Primary.Calls.Calls() {
		u, err := url.Parse(c.Target)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if between := q.Get("begin_date") + " to " + q.Get("end_date"); between != before && between != after {
			t.Errorf("asked for %s", c.Target)
		}
		asked = append(asked, q.Get("limit")+"@"+q.Get("offset"))
	}
	if want := []string{"50@0", "25@0", "12@0", "6@0", "3@0", "3@3", "3@6", "3@7"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v", asked)
	}
	if n := len(w.Bus.Events()); n != 7 {
		t.Errorf("%d events", n)
	}
}

func TestASweepTellsWhatComesDueOnce(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for _, test := range []struct {
		name string
		age  time.Duration
		want []string // what, and whether it is late
	}{
		{"long before", 19 * time.Hour, nil},
		{"four hours before the reply is due", 20*time.Hour + time.Minute, []string{"reply soon"}},
		{"two thresholds at once", 23*time.Hour + 30*time.Minute, []string{"reply soon"}},
		{"the reply has been late for less than a second", 24 * time.Hour, []string{"reply late"}},
		{"the reply is late", 25 * time.Hour, []string{"reply late"}},
		{"four hours before the completion is due", 68*time.Hour + time.Minute, []string{"reply late", "completion soon"}},
		{"both are late", 73 * time.Hour, []string{"reply late", "completion late"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := w.old(test.age)
			for range 2 {
				w.sweep()
			}
			types, details := w.told(id)
			if len(types) == 0 || types[0] != "ComplaintReceived" {
				t.Fatalf("published %v", types)
			}
			var got []string
			for i, d := range details[1:] {
				left, _ := d["seconds_left"].(float64)
				how := "soon"
				if left < 0 {
					how = "late"
				}
				got = append(got, fmt.Sprint(d["what"], " ", how))
				within := map[any]time.Duration{"reply": 24 * time.Hour, "completion": 72 * time.Hour}[d["what"]] - test.age
				if off := left - within.Seconds(); off > 1 || off < -60 || types[i+1] != "ComplaintDue" || d["due_at"] == nil {
					t.Errorf("%s: %v", types[i+1], d)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("told %v, want %v", got, test.want)
			}
			// As time goes on, each next threshold is told, and late is told once.
			w.State.AddAt("acme", id, time.Now().Add(-80*time.Hour))
			for range 2 {
				w.sweep()
			}
			late := 0
			_, details = w.told(id)
			for _, d := range details {
				if left, ok := d["seconds_left"].(float64); ok && left < 0 {
					late++
				}
			}
			if late != 2 {
				t.Errorf("late was told %d times", late)
			}
		})
	}
}

func TestARememberedComplaintIsLookedAfterWhenTheListNoLongerHasIt(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	var ids []string
	for range 60 {
		ids = append(ids, w.old(time.Hour))
	}
	w.sweep()
	for _, id := range ids {
		w.State.AddAt("acme", id, time.Now().Add(-6*24*time.Hour))
	}
	for sweep, want := range []int{50, 60} {
		before := w.Primary.Calls.Len()
		w.sweep()
		if n := w.Primary.Calls.Len() - before; n != 51 {
			t.Errorf("sweep %d made %d calls", sweep, n)
		}
		seen := 0
		for _, id := range ids {
			types, _ := w.told(id)
			if slices.Contains(types, "ComplaintDue") {
				seen++
			}
		}
		if seen != want {
			t.Errorf("after sweep %d, %d of 60 are late", sweep, seen)
		}
	}
}

func TestASweepThatFailsHalfWayIsDoneAgainAndTellsNothingTwice(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, "MAX_ATTEMPTS=1")
	id := w.old(time.Hour)
	for _, test := range []struct {
		name        string
		break_, fix func()
	}{
		{"the second page fails", func() { w.Primary.Faults.Next(sandbox.Fault{}, sandbox.Fault{Status: 500}) }, func() {}},
		{"the bus is down", func() { id = w.old(time.Hour); w.Bus.Faults.Next(sandbox.Fault{Code: "InternalFailure"}) }, func() {}},
		{"the table is down", func() { w.Ledger.Down() }, func() { _ = w.Ledger.Up() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.break_()
			if !w.sweep() {
				t.Error("the sweep does not come again")
			}
			test.fix()
			if w.sweep() {
				t.Error("the sweep fails")
			}
			w.expect(id, "ComplaintReceived")
		})
	}
}

func TestOneMerchantsFailureTouchesNoOther(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	w.put("broken", `{"wechatpay":{}}`)
	w.put("half", `{"imageco":{}}`)
	id := w.old(time.Hour)
	named := &watcher{w.world, w.watch("WATCH_MERCHANTS=broken,acme,half,nobody"), nil}
	messages := []string{sweepMessage("broken", time.Now()), sweepMessage("half", time.Now()), sweepMessage("nobody", time.Now()),
		sweepMessage("acme", time.Now())}
	if failed := named.failures(batch(messages...)); len(failed) != 0 {
		t.Errorf("%v come again", failed)
	}
	w.expect(id, "ComplaintReceived")
	_ = named.function.Close()
	for _, name := range []string{"broken", "half", "nobody"} {
		if !strings.Contains(named.out.String(), `"level":"ERROR","msg":"MERCHANT_MISCONFIGURED","merchant":"`+name+`"`) {
			t.Errorf("no error names %s: %s", name, named.out.String())
		}
	}
	all := &watcher{w.world, w.watch("WATCH_MERCHANTS=*", "LOG_LEVEL=debug"), nil}
	if failed := all.failures(batch(messages...)); len(failed) != 0 {
		t.Errorf("%v come again", failed)
	}
	_ = all.function.Close()
	if !strings.Contains(all.out.String(), `"level":"DEBUG","msg":"not swept: the secret has no usable wechatpay half","merchant":"half"`) {
		t.Errorf("no line names the merchant without the half: %s", all.out.String())
	}
	if strings.Contains(all.out.String(), "MISCONFIGURED") {
		t.Errorf("a merchant without the half is an error although all are watched: %s", all.out.String())
	}
	// Its figure is the message's age, which on a busy machine may be more than none.
	if !strings.Contains(all.out.String(), `"merchant":"acme","SweepAge":`) {
		t.Errorf("no SweepAge: %s", all.out.String())
	}
}

func TestAMessageThatIsOldOrAnothersIsNotSwept(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	id := w.old(time.Hour)
	failed := w.failures(batch(sweepMessage("acme", time.Now().Add(-16*time.Minute)), sweepMessage("another", time.Now()), "hello",
		`{"detail-type":"KesuSweep","detail":{"merchant":"a b"}}`, replyTo("acme", id).text()))
	if want := []string{"m2", "m3", "m4"}; !slices.Equal(failed, want) {
		t.Errorf("%v come again, want %v", failed, want)
	}
	w.expect(id)
}

// TestWhatARecordHoldsDecidesAboutItAlone has bodies that SQS would never send, and a batch that is no queue's as a whole.
func TestWhatARecordHoldsDecidesAboutItAlone(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	id := w.old(time.Hour)
	record := func(id string, body any) map[string]any {
		return map[string]any{"messageId": id, "eventSource": "aws:sqs", "body": body}
	}
	good := record("good", sweepMessage("acme", time.Now()))
	got := w.invoke(event(map[string]any{"Records": []any{good, map[string]any{"eventSource": "aws:kinesis"}}}))
	if got.ErrorType != "UNREADABLE_EVENT" || w.Primary.Calls.Len() != 0 {
		t.Errorf("%s %s, and %d calls", got.ErrorType, got.Payload, w.Primary.Calls.Len())
	}
	failed := w.failures(event(map[string]any{"Records": []any{record("object", map[string]any{"a": 1}), record("null", nil), good, record("number", 7)}}))
	if want := []string{"null", "number", "object"}; !slices.Equal(failed, want) {
		t.Errorf("%v come again, want %v", failed, want)
	}
	w.expect(id, "ComplaintReceived")
}

func TestWhatTheWatcherDoesNotKnowIsUnreadable(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for _, payload := range []string{`[]`, `7`, `{}`, `{"detail-type":"ComplaintReplyRequested","detail":{}}`,
		`{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"x"}}]}`, `{"Records":{}}`, `{"detail-type":7}`} {
		if got := w.invoke(payload); got.ErrorType != "UNREADABLE_EVENT" {
			t.Errorf("%s: %s %s", payload, got.ErrorType, got.Payload)
		}
	}
}

func TestTheWatcherDoesNotStartWithoutABusOrATable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		env  []string
		says string
	}{
		{[]string{"RESULT_BUS="}, "RESULT_BUS is required"},
		{[]string{"LEDGER_TABLE=", "AWS_ENDPOINT_URL_EVENTBRIDGE=https://events.example.com"}, "LEDGER_TABLE is required"},
		{[]string{"WATCH_MERCHANTS=*", "MERCHANT_KEYS=packed"}, "WATCH_MERCHANTS must name"},
		{[]string{"WATCH_WARN_BEFORE=soon"}, "WATCH_WARN_BEFORE must be"},
		{[]string{"WATCH_TTL=1h"}, "WATCH_TTL must be"},
		{[]string{"WATCH_QUEUE=queue"}, "WATCH_QUEUE is not"},
	} {
		f := w.watch(test.env...)
		if got := f.invoke(`{"detail-type":"Scheduled Event"}`); !got.Failed() {
			t.Errorf("%v: it started", test.env)
		}
		_ = f.Close()
		if !strings.Contains(f.out.String(), "kesu watch: "+test.says) {
			t.Errorf("%v: %s", test.env, f.out.String())
		}
	}
	f := w.watch("LEDGER_TABLE=")
	if got := f.invoke(`{"detail-type":"Scheduled Event"}`); got.Failed() {
		t.Errorf("on loopback endpoints it does not start without a table: %s", got.ErrorMessage)
	}
	_ = f.Close() // what it printed is there then
	if !strings.Contains(f.out.String(), `"level":"WARN","msg":"LEDGER_TABLE is not set`) {
		t.Errorf("it does not warn: %s", f.out.String())
	}
}
