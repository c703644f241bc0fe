package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// sample is an invocation that once was answered as done while nothing was sent, or carried out twice.
func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/events/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func jsonText(text string) string {
	q, _ := json.Marshal(text)
	return string(q)
}

func TestAReplyIsFoundInWhateverAQueueHandsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply(withBus)
	for i, test := range []struct {
		name, complaint, payload string
		event, message           string
	}{
		{"a bare command", "9100", sample(t, "sqs-bare-command.json"), "", "2e1424d4-f796-459a-8184-9c92662be6da"},
		{"an SNS envelope", "9102", sample(t, "sqs-sns-envelope.json"), "e-02", "m-02"},
		{"an array of records", "9106", sample(t, "pipes-array.json"), "e-06", "m-06"},
		{"JSON in JSON", "9201", batch(jsonText(requested(replyRequested, "e-9201", replyTo("acme", "9201")))), "e-9201", "m0"},
		{"a failure record", "9202", batch(`{"requestContext":{"condition":"RetriesExhausted"},"requestPayload":` + requested(replyRequested, "e-9202", replyTo("acme", "9202")) + `}`), "e-9202", "m0"},
		{"three layers", "9203", batch(jsonText(`{"Type":"Notification","Message":` + jsonText(`{"requestPayload":`+replyTo("acme", "9203").text()+`}`) + `}`)), "", "m0"},
		{"a detail that is a text", "9204", batch(requested(replyRequested, "e-9204", replyTo("acme", "9204").text())), "e-9204", "m0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.State.Add("acme", test.complaint)
			for again := range 2 { // it is delivered twice, and is one reply
				if got := f.failures(test.payload); len(got) != 0 {
					t.Errorf("%v come again", got)
				}
				_, details := w.settledEvents()
				last := details[len(details)-1]
				if len(details) != 2*i+again+1 || w.replies("acme", test.complaint) != 1 || last.Replayed != (again == 1) || last.Outcome != "succeeded" ||
					last.EventID != test.event || last.MessageID != test.message {
					t.Errorf("%d settled events, %d replies, %+v", len(details), w.replies("acme", test.complaint), last)
				}
			}
		})
	}
	for _, l := range f.logged(t, func(l line) bool { return l["msg"] == "settled" || l["msg"] == "attempt" }) {
		if l["message_id"] == nil {
			t.Errorf("a line about a record does not name it: %v", l)
		}
	}
}

func TestTopicsAndArraysAreCarriedOutAsAWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply(withBus, "MAX_ATTEMPTS=1")
	topic := func(message string) string {
		return `{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"n-1","Message":` + jsonText(message) + `}}]}`
	}
	first, second, third := w.complaint("acme"), w.complaint("acme"), w.complaint("acme")
	for _, test := range []struct {
		name, payload string
		want          int // results
	}{
		{"a topic's event", topic(requested(replyRequested, "e-1", replyTo("acme", first))), 1},
		{"an array of an event and a command", "[" + requested(replyRequested, "e-2", replyTo("acme", second)) + "," + replyTo("acme", third).text() + "]", 2},
		{"an array of nothing", "[]", 0},
	} {
		got := f.invoke(test.payload)
		var results []json.RawMessage
		if got.Failed() || json.Unmarshal(got.Payload, &results) != nil || len(results) != test.want {
			t.Errorf("%s: %s %s", test.name, got.ErrorType, got.Payload)
		}
		for _, r := range results {
			if r := readResult(t, r); r.Outcome != "succeeded" {
				t.Errorf("%s: %+v", test.name, r)
			}
		}
	}
	if w.replies("acme", first)+w.replies("acme", second)+w.replies("acme", third) != 3 {
		t.Error("not every reply was shown")
	}

	good, busy := w.complaint("acme"), w.complaint("acme")
	array := "[" + replyTo("acme", good).text() + `,{"id":"odd"},` + replyTo("acme", busy).text() + "]"
	w.ImagecoHost.Faults.Next(sandbox.Fault{Status: 429})
	if got := f.invoke(array); got.ErrorType != "UNREADABLE_EVENT" && got.ErrorType != "RATE_LIMITED" {
		t.Errorf("got %q %s", got.ErrorType, got.Payload)
	}
	if got := f.invoke(array); got.ErrorType != "UNREADABLE_EVENT" || !strings.Contains(got.ErrorMessage, "event_id odd") {
		t.Errorf("got %q %s", got.ErrorType, got.ErrorMessage)
	}
	if w.replies("acme", good) != 1 || w.replies("acme", busy) != 1 {
		t.Error("an element's fate touched another's for good, or one was sent twice")
	}
}

// What cannot be read is lost to nobody: it fails, and a line of the log names it.
func TestWhatCannotBeReadFailsAndIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply(withBus)
	good := replyTo("acme", "c1")
	for name, payload := range map[string]string{
		"records of Kinesis":            `{"Records":[{"eventSource":"aws:kinesis","kinesis":{"data":"e30="}}]}`,
		"records of DynamoDB":           `{"Records":[{"eventSource":"aws:dynamodb","dynamodb":{}}]}`,
		"S3's test event":               `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`,
		"an event without a detail":     strings.Replace(requested(replyRequested, "e", good), `"detail":`, `"more":`, 1),
		"a detail that is a text":       requested(replyRequested, "e", "a"),
		"a detail that is null":         requested(replyRequested, "e", nil),
		"a detail that is a list":       requested(replyRequested, "e", []int{1}),
		"a detail that names nobody":    requested(replyRequested, "e", members{"response_content": "a"}),
		"an envelope at the top":        `{"Type":"Notification","Message":` + jsonText(good.text()) + `}`,
		"a failure record at the top":   `{"requestContext":{},"requestPayload":` + good.text() + `}`,
		"an array in an array":          "[[" + good.text() + "]]",
		"nothing of ours":               `{"a":1}`,
		"a text":                        `"a"`,
		"a number":                      "7",
		"null":                          "null",
		"a command nested in something": `{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}",
	} {
		if got := f.invoke(payload); got.ErrorType != "UNREADABLE_EVENT" {
			t.Errorf("%s: %q %s", name, got.ErrorType, got.Payload)
		}
	}
	bodies := []string{"words", "[" + good.text() + "]", `{"id":"e-7"}`, requested(completionRequested, "e-8", members{}), "{}", batch(good.text())}
	want := []string{"m0", "m1", "m2", "m3", "m4", "m5"}
	if got := f.failures(batch(bodies...)); !slices.Equal(got, want) {
		t.Errorf("%v come again", got)
	}
	if w.ImagecoHost.Calls.Len() != 0 || len(w.Bus.Events()) != 0 {
		t.Error("something was sent")
	}
	var at0 int
	for _, c := range w.Queues.Changes() {
		if c.VisibilityTimeout == 0 && strings.HasSuffix(c.QueueUrl, "/000000000000/replies") && c.ReceiptHandle == "r" {
			at0++
		}
	}
	if at0 != len(bodies) {
		t.Errorf("%d of %d records are visible at once: %+v", at0, len(bodies), w.Queues.Changes())
	}
	named := map[string]bool{}
	for _, l := range f.messages(t, "an event cannot be read") {
		named[fmt.Sprint(l["message_id"], " ", l["event_id"])] = true
	}
	for _, id := range []string{"m0 <nil>", "m1 <nil>", "m2 e-7", "m3 e-8", "m4 <nil>", "m5 <nil>"} {
		if !named[id] {
			t.Errorf("no line names %s: %v", id, named)
		}
	}
}

func TestARecordThatComesAgainBecomesVisibleAfterRetryAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("MAX_ATTEMPTS=1")
	for _, test := range []struct {
		name  string
		fault sandbox.Fault
		queue sandbox.Fault
		want  int // seconds; -1: it is left to its queue
	}{
		{"the gateway says when", sandbox.Fault{Status: 429, RetryAfter: "30"}, sandbox.Fault{}, 30},
		{"nobody says when, the first time", sandbox.Fault{Status: 429}, sandbox.Fault{}, 1},
		{"the queue refuses", sandbox.Fault{Status: 429, RetryAfter: "30"}, sandbox.Fault{Code: "AccessDenied"}, -1},
	} {
		before := len(w.Queues.Changes())
		w.ImagecoHost.Faults.Next(test.fault)
		w.Queues.Faults.Next(test.queue)
		if got := f.failures(batch(requested(replyRequested, test.name, replyTo("acme", w.complaint("acme"))))); !slices.Equal(got, []string{"m0"}) {
			t.Errorf("%s: %v come again", test.name, got)
		}
		w.Queues.Faults.Clear()
		changes := w.Queues.Changes()[before:]
		if test.want < 0 && len(changes) != 0 || test.want >= 0 && (len(changes) != 1 || changes[0].VisibilityTimeout != test.want) {
			t.Errorf("%s: %+v", test.name, changes)
		}
	}
}

func TestAKeyIsOneKeyHoweverItCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	w.State.Add("acme", "9108")
	first := f.response(f.invoke(sample(t, "key-joined.json")))
	again := f.response(f.invoke(sample(t, "key-once.json")))
	if first.status != 200 || again.status != 200 || !again.Replayed || w.replies("acme", "9108") != 1 {
		t.Errorf("%s, then %s; %d replies", first.body, again.body, w.replies("acme", "9108"))
	}
	for _, headers := range []string{
		`"headers":{"Content-Type":"application/json","Idempotency-Key":"key-1","idempotency-key":"key-1"}`,
		`"headers":{"Content-Type":"application/json"},"multiValueHeaders":{"IDEMPOTENCY-KEY":["key-1","\"key-1\""]}`,
		`"headers":{"Content-Type":"application/json","Idempotency-Key":"\"key-1\" , key-1"}`,
	} {
		payload := `{"httpMethod":"POST","path":"/merchants/acme/complaints/9108/reply",` + headers + `,"requestContext":{"stage":"v1"},"body":` + jsonText(goodBody) + `}`
		if got := f.response(f.invoke(payload)); got.status != 200 || !got.Replayed {
			t.Errorf("%s: %s", headers, got.body)
		}
	}
	two := `{"httpMethod":"POST","path":"/merchants/acme/complaints/9108/reply","headers":{"Content-Type":"application/json","Idempotency-Key":"key-1","idempotency-key":"key-2"},"body":` + jsonText(goodBody) + `}`
	for range 20 {
		if got := f.response(f.invoke(two)); got.status != 400 || !slices.Equal(got.pointers(), []string{"/idempotency_key"}) {
			t.Fatalf("two keys: %s", got.body)
		}
	}
	if w.replies("acme", "9108") != 1 {
		t.Errorf("%d replies", w.replies("acme", "9108"))
	}
}

func TestAnHTTPEventsOwnMembersArePointedAt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	for name, want := range map[string]string{"base64-flag-is-a-string.json": "/isBase64Encoded", "body-is-an-object.json": "/body"} {
		got := f.response(f.invoke(sample(t, name)))
		if got.status != 400 || got.Code != "INVALID_REQUEST" || !slices.Equal(got.pointers(), []string{want}) || got.ComplaintID != "9110" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if w.ImagecoHost.Calls.Len() != 0 {
		t.Error("something was sent")
	}
}

func TestAReplyThatShowsNothingOrLeadsNowhereIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	for file, want := range map[string]string{"invisible.json": "/response_content", "no-address.json": "/jump_url"} {
		text, err := os.ReadFile("testdata/replies/" + file)
		var commands []members
		if err != nil || json.Unmarshal(text, &commands) != nil || len(commands) == 0 {
			t.Fatalf("%s: %v", file, err)
		}
		for _, command := range commands {
			if got := f.bare(command); got.Code != "INVALID_REQUEST" || !slices.Equal(got.pointers(), []string{want}) {
				t.Errorf("%s: %+v", command.text(), got)
			}
		}
	}
	if w.ImagecoHost.Calls.Len() != 0 {
		t.Error("something was sent")
	}
}

func TestLineEndsAreLineFeedsBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f, id := w.reply(), w.complaint("acme")
	first := f.bare(replyTo("acme", id).with("response_content", "您好\r\n再\r见"))
	again := f.bare(replyTo("acme", id).with("response_content", "您好\n再\n见"))
	c, _ := w.State.Complaint("acme", id)
	if first.Outcome != "succeeded" || !again.Replayed || len(c.Replies) != 1 || c.Replies[0].Content != "您好\n再\n见" {
		t.Errorf("%+v, then %+v; the consumer sees %+v", first, again, c.Replies)
	}
	if got := f.bare(replyTo("acme", w.complaint("acme")).with("response_content", strings.Repeat("好\r\n", 100))); got.Outcome != "succeeded" {
		t.Errorf("200 characters with their line ends: %+v", got)
	}
}

// 翼码's limit is told once the secret is read: after what is wrong with the request and with the secret, before the ledger.
func TestWhatIsTooLongFor翼码IsToldOnceTheSecretIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	lacking := w.merchant("lacking", sandbox.MerchantOptions{})
	lacking.Imageco.SellerAccount = ""
	w.store(lacking)
	f := w.reply()
	long := func(n int) string { return strings.Repeat("好", n) }
	id := w.complaint("acme")
	for _, test := range []struct {
		name    string
		command members
		code    string
	}{
		{"201 characters", replyTo("acme", id).with("response_content", long(201), "idempotency_key", "k"), "INVALID_REQUEST"},
		{"500 characters", replyTo("acme", id).with("response_content", long(500), "idempotency_key", "k"), "INVALID_REQUEST"},
		{"to nobody", replyTo("nobody", id).with("response_content", long(201)), "UNKNOWN_MERCHANT"},
		{"with a secret that lacks its account", replyTo("lacking", id).with("response_content", long(201)), "MERCHANT_MISCONFIGURED"},
	} {
		got := f.bare(test.command)
		if got.Code != test.code || got.Outcome != "rejected" || got.Attempts != 0 {
			t.Errorf("%s: %+v", test.name, got)
		}
		if test.code == "INVALID_REQUEST" && !slices.Equal(got.pointers(), []string{"/response_content"}) {
			t.Errorf("%s: %v", test.name, got.pointers())
		}
	}
	if w.ImagecoHost.Calls.Len() != 0 {
		t.Error("something was sent")
	}
	if got := f.bare(replyTo("acme", id).with("response_content", long(200), "idempotency_key", "k")); got.Outcome != "succeeded" {
		t.Errorf("the key of a refused reply is not free: %+v", got)
	}
}

func TestTheCallersClaimMustNameTheMerchant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.complete("CALLER_MERCHANT_CLAIM=custom:merchant")
	for _, test := range []struct {
		name, authorizer string
		status           int
	}{
		{"a REST API's user", `{"claims":{"custom:merchant":"acme"}}`, 200},
		{"an HTTP API's list", `{"jwt":{"claims":{"custom:merchant":"[other acme]"}}}`, 200},
		{"another merchant's user", `{"claims":{"custom:merchant":"other"}}`, 403},
		{"a user without the claim", `{"claims":{"sub":"acme"}}`, 403},
		{"nobody", `null`, 403},
	} {
		id := w.complaint("acme")
		secrets := w.Secrets.Calls.Len()
		got := f.response(f.invoke(`{"httpMethod":"POST","path":"/merchants/acme/complaints/` + id + `/complete","requestContext":{"authorizer":` + test.authorizer + `}}`))
		sent := len(callsFor(w.Primary, id))
		if got.status != test.status || test.status == 403 && (got.Code != "CALLER_NOT_ALLOWED" || got.Outcome != "rejected" || sent != 0 || w.Secrets.Calls.Len() != secrets) {
			t.Errorf("%s: %d %s, %d calls", test.name, got.status, got.body, sent)
		}
	}
	if got := f.bare(completionOf("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Errorf("a bare command is asked for a claim: %+v", got)
	}
}

// A settled event tells what was asked for where a person has to look, and nothing else does.
func TestOnlyTheSettledEventTellsTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply(withBus)
	words := "退款已原路退回\r\n单号 77"
	command := replyTo("acme", w.complaint("acme")).with("response_content", words, "idempotency_key", "k")
	w.ImagecoHost.Faults.Next(sandbox.Fault{Code: "9998"})
	got := f.result(f.invoke(requested(replyRequested, "e-1", command)))
	events := w.Bus.Events()
	var detail struct{ Request members }
	if err := json.Unmarshal(events[0].Detail, &detail); err != nil || got.Outcome != "unknown" || detail.Request.text() != command.text() {
		t.Errorf("%+v, and %s", got, events[0].Detail)
	}
	f.Kill()
	if printed := f.out.String(); strings.Contains(printed, "单号 77") {
		t.Errorf("the reply's words are in the log: %s", printed)
	}
}

// The bus takes no event that is too long, and one that it does not take would come again for ever. So the request's own
// length counts, in whichever characters it is written.
func TestASettledEventTellsALongRequestAtItsOwnLength(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply(withBus)
	const most = 192 << 10
	for name, test := range map[string]struct {
		character string
		bytes     int
		told      bool
	}{
		"letters":                      {"a", most - 100, true},
		"what HTML escapes":            {"<", most - 100, true},
		"line separators":              {"\u2028", most - 100, true},
		"too many letters":             {"a", most + 1, false},
		"bytes that are no characters": {"a\xff", most - 100, false},
	} {
		content := strings.Repeat(test.character, test.bytes/len(test.character))
		before := len(w.Bus.Events())
		payload := `{"id":"e","detail-type":"` + replyRequested + `","detail":{"merchant":"acme","complaint_id":"1","response_content":"` + content + `"}}`
		if got := f.result(f.invoke(payload)); got.Code != "INVALID_REQUEST" {
			t.Errorf("%s: %+v", name, got)
		}
		events := w.Bus.Events()[before:]
		if len(events) != 1 || len(events[0].Detail) > most+10<<10 || bytes.Contains(events[0].Detail, []byte(`"request"`)) != test.told {
			t.Errorf("%s: %d settled events, request told: %t", name, len(events), !test.told)
		}
	}
}

func TestAHostileRequestWritesAShortLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.reply()
	body := `{"response_content":"a"`
	for i := 0; len(body) < 63<<10; i++ {
		body += fmt.Sprintf(`,"%s%d":1`, long(60), i)
	}
	got := f.response(f.invoke(request{merchant: "acme", complaint: "1", body: body + "}"}.restAPI("reply")))
	if got.status != 400 || len(got.Errors) != 100 {
		t.Errorf("%d, %d problems", got.status, len(got.Errors))
	}
	f.Kill()
	for text := range strings.Lines(f.out.String()) {
		if len(text) > 4<<10 {
			t.Errorf("a line of %d bytes", len(text))
		}
	}
}

// Every sample of events/ that is an event is carried out as it says.
func TestTheSampleEventsOfTheNewShapes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	reply, complete := w.reply(), w.complete()
	for n := 7; n <= 12; n++ {
		w.State.Add("acme", fmt.Sprintf("2002018202001010800766100%02d", n))
	}
	for file, f := range map[string]*function{"reply-queue-wrapped": reply, "reply-list": reply, "complete-topic": complete} {
		text, err := os.ReadFile("../../events/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if got := f.invoke(string(text)); got.Failed() || strings.Contains(string(got.Payload), "itemIdentifier") {
			t.Errorf("%s: %s %s", file, got.ErrorType, got.Payload)
		}
	}
	for n, want := range map[int]int{7: 1, 8: 1, 9: 1, 11: 1, 12: 1} {
		if got := w.replies("acme", fmt.Sprintf("2002018202001010800766100%02d", n)); got != want {
			t.Errorf("%d replies to %d", got, n)
		}
	}
	if got := w.state("acme", "200201820200101080076610010"); got != sandbox.Processed {
		t.Errorf("the topic's complaint is %s", got)
	}
}
