package e2e

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// watcher is a world with functions/watch in it, and a ledger's table.
type watcher struct {
	*world
	*function
	acme *sandbox.Merchant
}

func newWatcher(t *testing.T, env ...string) *watcher {
	t.Helper()
	w := newWorldOf(t, sandbox.Options{NewKey: newKey, Ledger: true})
	acme := w.merchant("acme", sandbox.MerchantOptions{})
	return &watcher{w, w.watch(env...), acme}
}

// watch prepares functions/watch.
func (w *world) watch(env ...string) *function {
	return w.function("watch", 4, append([]string{"RESULT_BUS=" + sandbox.BusName, "WATCH_MERCHANTS=acme", "READ_RATE_PER_MINUTE=0"}, env...)...)
}

// notification is a call of WeChat Pay's about a complaint of acme's.
func (w *world) notification(complaint, action string, f sandbox.Fault) sandbox.Notification {
	w.t.Helper()
	n, err := w.WechatPay.Notification("acme", complaint, action, w.PublicKey.ID, f)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// delivery is a notification on its way, which a test spoils.
type delivery struct {
	method, path string
	header       http.Header
	body         string
	base64       bool
}

func deliver(n sandbox.Notification) *delivery {
	return &delivery{"POST", "/merchants/acme/notifications", n.Header.Clone(), n.Body, false}
}

func (d *delivery) content() string {
	if d.base64 {
		return base64.StdEncoding.EncodeToString([]byte(d.body))
	}
	return d.body
}

// restAPI is the proxy event of payload 1.0.
func (d *delivery) restAPI() string {
	last := map[string]string{}
	for name, values := range d.header {
		last[name] = values[len(values)-1]
	}
	return event(map[string]any{"resource": "/merchants/{merchant}/notifications", "path": d.path, "httpMethod": d.method,
		"headers": last, "multiValueHeaders": d.header, "body": d.content(), "isBase64Encoded": d.base64,
		"requestContext": map[string]any{"stage": "prod", "httpMethod": d.method}})
}

// httpAPI is the proxy event of payload 2.0.
func (d *delivery) httpAPI() string {
	headers := map[string]string{}
	for name, values := range d.header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return event(map[string]any{"version": "2.0", "routeKey": "$default", "rawPath": d.path, "headers": headers,
		"requestContext": map[string]any{"stage": "$default", "http": map[string]any{"method": d.method, "path": d.path}},
		"body":           d.content(), "isBase64Encoded": d.base64})
}

// status is the answer to a call, whose body must be the one for its status.
func (w *watcher) status(payload string) int {
	w.t.Helper()
	got := w.invoke(payload)
	var answer struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
	}
	if err := json.Unmarshal(got.Payload, &answer); err != nil || got.Failed() {
		w.t.Fatalf("%v %s %s: %s", err, got.ErrorType, got.ErrorMessage, got.Payload)
	}
	want := `{"code":"FAIL","message":"refused"}`
	if answer.StatusCode == 204 {
		want = ""
	}
	if answer.Body != want {
		w.t.Errorf("%d with the body %q", answer.StatusCode, answer.Body)
	}
	return answer.StatusCode
}

// notify delivers a new notification.
func (w *watcher) notify(complaint, action string) int {
	w.t.Helper()
	return w.status(deliver(w.notification(complaint, action, sandbox.Fault{})).restAPI())
}

// told are the events of a complaint's, as "ComplaintReceived", in the order in which they were published.
func (w *watcher) told(complaint string) (types []string, details []map[string]any) {
	for _, e := range w.Bus.Events() {
		var detail map[string]any
		if err := json.Unmarshal(e.Detail, &detail); err != nil {
			w.t.Fatal(err)
		}
		if e.Source == "kesu" && detail["complaint_id"] == complaint {
			types, details = append(types, e.DetailType), append(details, detail)
		}
	}
	return types, details
}

func (w *watcher) expect(complaint string, want ...string) []map[string]any {
	w.t.Helper()
	types, details := w.told(complaint)
	if !slices.Equal(types, want) {
		w.t.Fatalf("published %v, want %v", types, want)
	}
	return details
}

func TestANotificationPublishesItsComplaint(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for name, form := range map[string]func(d *delivery) string{
		"payload 1.0":           (*delivery).restAPI,
		"payload 2.0":           (*delivery).httpAPI,
		"payload 1.0 in base64": func(d *delivery) string { d.base64 = true; return d.restAPI() },
		"payload 2.0 in base64": func(d *delivery) string { d.base64 = true; return d.httpAPI() },
		"below a base path":     func(d *delivery) string { d.path = "/prod" + d.path; return d.restAPI() },
	} {
		id := w.complaint("acme")
		if got := w.status(form(deliver(w.notification(id, "CREATE_COMPLAINT", sandbox.Fault{})))); got != 204 {
			t.Errorf("%s: %d", name, got)
			continue
		}
		details := w.expect(id, "ComplaintReceived")
		c, _ := w.State.Complaint("acme", id)
		china := time.FixedZone("", 8*60*60)
		for member, want := range map[string]any{"merchant": "acme", "complaint_state": "PENDING", "via": "notification",
			"complaint_time":    c.CreatedAt.In(china).Format(time.RFC3339),
			"reply_due_at":      c.CreatedAt.Add(24 * time.Hour).In(china).Format(time.RFC3339),
			"completion_due_at": c.CreatedAt.Add(72 * time.Hour).In(china).Format(time.RFC3339),
			"action_type":       nil, "detail_missing": nil, "user_complaint_times": 1.0, "payer_openid": nil, "payer_phone": nil} {
			if details[0][member] != want {
				t.Errorf("%s: %s is %v, want %v", name, member, details[0][member], want)
			}
		}
	}
}

func TestAStrangersCallIsRefused(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for _, test := range []struct {
		name   string
		spoil  func(d *delivery)
		fault  sandbox.Fault
		status int
		reason string
	}{
		{"another method", func(d *delivery) { d.method = "GET" }, sandbox.Fault{}, 404, "path"},
		{"another path", func(d *delivery) { d.path = "/merchants/acme/notification" }, sandbox.Fault{}, 404, "path"},
		{"65,537 bytes", func(d *delivery) { d.body = long(64<<10 + 1) }, sandbox.Fault{}, 413, "size"},
		{"65,537 bytes in base64", func(d *delivery) { d.body, d.base64 = long(64<<10+1), true }, sandbox.Fault{}, 413, "size"},
		{"65,536 bytes", func(d *delivery) { d.body = long(64 << 10) }, sandbox.Fault{}, 401, "signature"},
		{"too large and without headers", func(d *delivery) { d.header, d.body = nil, long(64<<10+1) }, sandbox.Fault{}, 413, "size"},
		{"no signature", nil, sandbox.Fault{Unsigned: true}, 401, "not_signed"},
		{"no timestamp", func(d *delivery) { d.header.Del("Wechatpay-Timestamp") }, sandbox.Fault{}, 401, "not_signed"},
		{"no nonce", func(d *delivery) { d.header.Del("Wechatpay-Nonce") }, sandbox.Fault{}, 401, "not_signed"},
		{"no serial", func(d *delivery) { d.header.Del("Wechatpay-Serial") }, sandbox.Fault{}, 401, "not_signed"},
		{"a header twice", func(d *delivery) { d.header.Add("Wechatpay-Nonce", "another") }, sandbox.Fault{}, 401, "not_signed"},
		{"a timestamp that is none", func(d *delivery) { d.header.Set("Wechatpay-Timestamp", "now") }, sandbox.Fault{}, 401, "timestamp"},
		{"a timestamp 310 s old", nil, sandbox.Fault{Skew: -310 * time.Second}, 401, "timestamp"},
		{"a timestamp 310 s ahead", nil, sandbox.Fault{Skew: 310 * time.Second}, 401, "timestamp"},
		{"a merchant that is not watched", func(d *delivery) { d.path = "/merchants/nobody/notifications" }, sandbox.Fault{}, 401, "merchant"},
		{"a name that is none", func(d *delivery) { d.path = "/merchants/a%20b/notifications" }, sandbox.Fault{}, 401, "merchant"},
		{"another text signed", nil, sandbox.Fault{WrongSignature: true}, 401, "signature"},
		{"WeChat Pay's own test", nil, sandbox.Fault{SignTest: true}, 401, "signature"},
		{"a key that nobody has", nil, sandbox.Fault{UnknownKey: true}, 401, "unknown_key"},
		{"a body that was changed", func(d *delivery) { d.body += " " }, sandbox.Fault{}, 401, "signature"},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := w.complaint("acme")
			d := deliver(w.notification(id, "CREATE_COMPLAINT", test.fault))
			if test.spoil != nil {
				test.spoil(d)
			}
			// A process of its own, because the log has one line a second.
			one := &watcher{w.world, w.watch(), nil}
			if got := one.status(d.restAPI()); got != test.status {
				t.Errorf("answered %d", got)
			}
			_ = one.function.Close() // what it printed is there then
			if text := one.out.String(); !strings.Contains(text, `"reason":"`+test.reason+`","Refused":1`) {
				t.Errorf("not counted as %s: %s", test.reason, text)
			}
			one.expect(id)
		})
	}
	if n := w.Primary.Calls.Len(); n != 0 {
		t.Errorf("%d calls to WeChat Pay", n)
	}
	for _, c := range w.Secrets.Calls.Calls() {
		if !strings.Contains(string(c.Body), `kesu/merchants/acme"`) {
			t.Errorf("looked up %s", c.Body)
		}
	}
}

func TestWhatVerifiesAndIsNoComplaintsNotificationIsBad(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for _, test := range []struct {
		name   string
		body   func(good map[string]any)
		status int
	}{
		{"as it came", func(map[string]any) {}, 204},
		{"another kind of event", func(b map[string]any) { b["event_type"] = "TRANSACTION.SUCCESS" }, 400},
		{"no id", func(b map[string]any) { delete(b, "id") }, 400},
		{"no resource", func(b map[string]any) { delete(b, "resource") }, 400},
		{"a resource that is a list", func(b map[string]any) { b["resource"] = []any{} }, 400},
		{"another algorithm", func(b map[string]any) { b["resource"].(map[string]any)["algorithm"] = "AES" }, 400},
		{"a nonce of another length", func(b map[string]any) { b["resource"].(map[string]any)["nonce"] = "short" }, 400},
		{"a ciphertext that is no base64", func(b map[string]any) { b["resource"].(map[string]any)["ciphertext"] = "!" }, 400},
		{"other associated data", func(b map[string]any) { b["resource"].(map[string]any)["associated_data"] = "x" }, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := w.notification(w.complaint("acme"), "CREATE_COMPLAINT", sandbox.Fault{})
			var body map[string]any
			if err := json.Unmarshal([]byte(n.Body), &body); err != nil {
				t.Fatal(err)
			}
			test.body(body)
			signed := signedNotification(t, w.PublicKey, event(body))
			if got := w.status(deliver(signed).restAPI()); got != test.status {
				t.Errorf("answered %d, want %d", got, test.status)
			}
		})
	}
}

func TestANotificationThatComesAgainIsNotPublishedAgain(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	id := w.complaint("acme")
	n := w.notification(id, "CREATE_COMPLAINT", sandbox.Fault{})
	for range 3 {
		if got := w.status(deliver(n).restAPI()); got != 204 {
			t.Errorf("answered %d", got)
		}
	}
	w.expect(id, "ComplaintReceived")
	// Another one of the same complaint is a change: it arrived once for each time that it was raised.
	if got := w.notify(id, "CREATE_COMPLAINT"); got != 204 {
		t.Errorf("answered %d", got)
	}
	details := w.expect(id, "ComplaintReceived", "ComplaintChanged")
	if details[1]["action_type"] != "CREATE_COMPLAINT" {
		t.Errorf("got %v", details[1])
	}
	w.State.Raise("acme", id, "再次投诉")
	for _, action := range []string{"CONTINUE_COMPLAINT", "MERCHANT_RESPONSE", "AN_ACTION_OF_TOMORROW"} {
		if got := w.notify(id, action); got != 204 {
			t.Errorf("%s: %d", action, got)
		}
	}
	w.expect(id, "ComplaintReceived", "ComplaintChanged", "ComplaintReceived", "ComplaintChanged", "ComplaintChanged")
}

func TestOfTwoAtOnceOnePublishes(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	id := w.complaint("acme")
	hold := make(chan struct{})
	w.Primary.Faults.Next(sandbox.Fault{Hold: hold})
	payload := deliver(w.notification(id, "CREATE_COMPLAINT", sandbox.Fault{})).restAPI()
	var first int
	var group sync.WaitGroup
	group.Go(func() { first = w.status(payload) })
	arrived(t, w.Primary, 1)
	if second := w.status(payload); second != 500 {
		t.Errorf("the second one was answered %d", second)
	}
	close(hold)
	group.Wait()
	if first != 204 {
		t.Errorf("the first one was answered %d", first)
	}
	w.expect(id, "ComplaintReceived")
}

func TestWhatCannotBePublishedNowComesAgain(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for _, test := range []struct {
		name        string
		break_, fix func()
	}{
		{"the bus refuses", func() { w.Bus.Faults.Next(sandbox.Fault{Code: "InternalFailure"}) }, func() {}},
		{"the bus is down", func() { w.Bus.Down() }, func() { _ = w.Bus.Up() }},
		{"the table is down", func() { w.Ledger.Down() }, func() { _ = w.Ledger.Up() }},
		{"both hosts of WeChat Pay fail on the complaint", func() { w.both(sandbox.Fault{Status: 500}) }, func() {}},
		{"no host's answer verifies", func() { w.both(sandbox.Fault{WrongSignature: true}) }, func() {}},
		{"the bus hangs", func() { w.Bus.Faults.Next(sandbox.Fault{Delay: ample}) }, func() {}},
		{"the table hangs", func() { w.Ledger.Faults.Stand(sandbox.Fault{Delay: ample}) }, func() { w.Ledger.Faults.Clear() }},
		{"both hosts of WeChat Pay hang", func() { w.both(sandbox.Fault{Delay: ample}) }, func() {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := w.complaint("acme")
			payload := deliver(w.notification(id, "CREATE_COMPLAINT", sandbox.Fault{})).restAPI()
			test.break_()
			started := time.Now()
			if got := w.status(payload); got != 500 {
				t.Errorf("answered %d", got)
			}
			if took := time.Since(started); took > 20*time.Second { // 3.5 s, on a machine with nothing else to do
				t.Errorf("it took %v", took)
			}
			w.expect(id)
			test.fix()
			// The claim was released, so nobody need wait for its end; after a lost release its lease is 5 s.
			if got := w.status(payload); got != 204 {
				t.Errorf("the second call was answered %d", got)
			}
			w.expect(id, "ComplaintReceived")
		})
	}
}

// both lets the next call to each of WeChat Pay's hosts go wrong.
func (w *watcher) both(f sandbox.Fault) {
	w.Primary.Faults.Next(f)
	w.Backup.Faults.Next(f)
}

func TestEachHostIsAskedOnceForAComplaint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name            string
		primary, backup sandbox.Fault
		status          int
		onBackup        int
	}{
		{"the first one tells", sandbox.Fault{}, sandbox.Fault{}, 204, 0},
		{"the first one fails", sandbox.Fault{Status: 500}, sandbox.Fault{}, 204, 1},
		{"the first one ends the connection", sandbox.Fault{CutAfter: true}, sandbox.Fault{}, 204, 1},
		{"both fail", sandbox.Fault{Status: 502}, sandbox.Fault{Status: 500}, 500, 1},
		{"what the first one says does not verify", sandbox.Fault{WrongSignature: true}, sandbox.Fault{}, 204, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWatcher(t)
			w.Primary.Faults.Stand(test.primary)
			w.Backup.Faults.Stand(test.backup)
			if got := w.notify(w.complaint("acme"), "CREATE_COMPLAINT"); got != test.status {
				t.Errorf("answered %d", got)
			}
			if n, m := w.Primary.Calls.Len(), w.Backup.Calls.Len(); n != 1 || m != test.onBackup {
				t.Errorf("%d and %d calls, want 1 and %d", n, m, test.onBackup)
			}
		})
	}
}

// TestANotificationThatIsSlowEverywhereIsGivenUpInTime has nothing in it that takes too long by itself: together it is more
// than the 3.1 s after which no more is begun.
func TestANotificationThatIsSlowEverywhereIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	id := w.complaint("acme")
	payload := deliver(w.notification(id, "CREATE_COMPLAINT", sandbox.Fault{})).restAPI()
	within(t, "the process to start", w.Start)
	w.Secrets.Faults.Stand(sandbox.Fault{Delay: 950 * time.Millisecond})
	w.Primary.Faults.Stand(sandbox.Fault{Delay: ample})
	w.Backup.Faults.Stand(sandbox.Fault{Delay: 700 * time.Millisecond})
	w.Bus.Faults.Stand(sandbox.Fault{Delay: 700 * time.Millisecond})
	if got := w.status(payload); got != 500 {
		t.Errorf("answered %d", got)
	}
	w.expect(id)
	w.Secrets.Faults.Clear()
	w.Primary.Faults.Clear()
	w.Backup.Faults.Clear()
	w.Bus.Faults.Clear()
	if got := w.status(payload); got != 204 { // at once: both claims were released
		t.Errorf("the second call was answered %d", got)
	}
	w.expect(id, "ComplaintReceived")
}

func TestANotificationWaitsForSecretsManager(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"it fails": {Status: 500, Code: "InternalServiceError"}, "it hangs": {Delay: ample}, "it refuses": {Status: 400, Code: "AccessDeniedException"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatcher(t)
			id := w.complaint("acme")
			payload := deliver(w.notification(id, "CREATE_COMPLAINT", sandbox.Fault{})).restAPI()
			w.Secrets.Faults.Stand(fault)
			if got := w.status(payload); got != 500 {
				t.Errorf("answered %d", got)
			}
			w.expect(id)
			w.Secrets.Faults.Clear()
			// A reading that hangs is shared for its five seconds.
			within(t, "the secret", untilTrue(func() bool { return w.status(payload) == 204 }))
			w.expect(id, "ComplaintReceived")
		})
	}
}

func TestAComplaintThatMayNotBeReadIsPublishedByItsIDs(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	for status, code := range map[int]string{400: "PARAM_ERROR", 403: "NO_AUTH", 404: "RESOURCE_NOT_EXISTS"} {
		id := w.complaint("acme")
		w.Primary.Faults.Next(sandbox.Fault{Status: status, Code: code})
		if got := w.notify(id, "CREATE_COMPLAINT"); got != 204 {
			t.Errorf("%d: answered %d", status, got)
		}
		details := w.expect(id, "ComplaintReceived")
		if want := fmt.Sprint(map[string]any{"complaint_id": id, "detail_missing": code, "merchant": "acme", "via": "notification"}); len(details) == 1 && fmt.Sprint(details[0]) != want {
			t.Errorf("%v, want %v", details[0], want)
		}
	}
}

func TestAKeyThatIsNotInTheSecretMakesItBeReadAgain(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	if got := w.notify(w.complaint("acme"), "CREATE_COMPLAINT"); got != 204 {
		t.Fatalf("answered %d", got)
	}
	before := w.Secrets.Calls.Len()
	for range 5 {
		if got := w.status(deliver(w.notification("1", "CREATE_COMPLAINT", sandbox.Fault{UnknownKey: true})).restAPI()); got != 401 {
			t.Errorf("answered %d", got)
		}
	}
	if n := w.Secrets.Calls.Len() - before; n != 1 {
		t.Errorf("the secret was read %d times for keys that nobody has", n)
	}
}

func TestWithoutAnAPIv3KeyNotificationsWaitForOne(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, "SECRET_SOFT_TTL=0s")
	m := w.acme
	good := m.WechatPay.APIv3Key
	payload := deliver(w.notification(w.complaint("acme"), "CREATE_COMPLAINT", sandbox.Fault{})).restAPI()
	for _, key := range []string{"", good[:31], good + "x", good[:31] + "é"} {
		m.WechatPay.APIv3Key = key
		w.store(m)
		if got := w.status(payload); got != 500 {
			t.Errorf("answered %d", got)
		}
	}
	w.wrote("MERCHANT_MISCONFIGURED", "wechatpay.apiv3_key is")
	m.WechatPay.APIv3Key = good
	w.store(m)
	if got := w.status(payload); got != 204 {
		t.Errorf("answered %d", got)
	}
}

// The sweeps keep a secret that has no APIv3 key, since they need none; a notification does not wait for that to end.
func TestAnAPIv3KeyThatIsPutThereIsUsedSoon(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	good := w.acme.WechatPay.APIv3Key
	payload := deliver(w.notification(w.complaint("acme"), "CREATE_COMPLAINT", sandbox.Fault{})).restAPI()
	w.acme.WechatPay.APIv3Key = ""
	w.store(w.acme)
	if got := w.status(payload); got != 500 {
		t.Errorf("answered %d", got)
	}
	w.acme.WechatPay.APIv3Key = good
	w.store(w.acme)
	within(t, "the key to be used", untilTrue(func() bool { return w.status(payload) == 204 }))
	if n := w.Secrets.Calls.Len(); n != 2 {
		t.Errorf("the secret was read %d times", n)
	}
}

// signedNotification signs any text as WeChat Pay signs a notification.
func signedNotification(t testing.TB, key sandbox.GatewayKey, body string) sandbox.Notification {
	t.Helper()
	timestamp, nonce := fmt.Sprint(time.Now().Unix()), "0123456789abcdef"
	sum := sha256.Sum256([]byte(timestamp + "\n" + nonce + "\n" + body + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, key.Key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.Notification{Header: http.Header{"Wechatpay-Timestamp": {timestamp}, "Wechatpay-Nonce": {nonce},
		"Wechatpay-Serial": {key.ID}, "Wechatpay-Signature": {base64.StdEncoding.EncodeToString(signature)}}, Body: body}
}
