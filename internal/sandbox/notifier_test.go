package sandbox

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// office is a notifier whose network is a function and whose clock is the bubble's.
type office struct {
	*Notifier
	state *State

	mu   sync.Mutex
	sent []Notification
	at   []time.Time
}

func newOffice(t *testing.T, key *rsa.PrivateKey, answer func(n int) (int, error)) *office {
	t.Helper()
	o := &office{state: NewState(time.Now, false)}
	g := NewWechatPay(o.state, GatewayKey{ID: "PUB_KEY_ID_1", Key: key}, GatewayKey{ID: "SERIAL", Key: key})
	g.Register(WechatPayAccount{Merchant: "acme", Mchid: "1900000001", APIv3Key: strings.Repeat("k", 32)})
	o.state.setNotificationURL("1900000001", "https://127.0.0.1:1/merchants/acme/notifications")
	o.Notifier = newNotifier(g, func(_ context.Context, url string, n Notification) (int, error) {
		if url != "http://127.0.0.1:1/merchants/acme/notifications" {
			t.Errorf("sent to %s", url)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sent, o.at = append(o.sent, n), append(o.at, time.Now())
		return answer(len(o.sent))
	}, func(ctx context.Context, d time.Duration) bool { return linger(ctx, d, nil) })
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func always(status int) func(int) (int, error) { return func(int) (int, error) { return status, nil } }

func TestANotificationIsRepeatedAsTheVendorsPageSays(t *testing.T) {
	key := testKey(t)
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, key, always(500))
		began := time.Now()
		o.state.Open("acme", "1", "", began)
		time.Sleep(8 * 24 * time.Hour)
		synctest.Wait()
		var gaps []time.Duration
		for i := 1; i < len(o.at); i++ {
			gaps = append(gaps, o.at[i].Sub(o.at[i-1]))
		}
		want := []time.Duration{5 * time.Second}
		for range 10 {
			want = append(want, time.Minute)
		}
		if len(gaps) < 500 || !slices.Equal(gaps[:11], want) || slices.Max(gaps[11:]) != 5*time.Minute || slices.Min(gaps[11:]) != 5*time.Minute {
			t.Errorf("%d repeats, after %v", len(gaps), gaps[:min(len(gaps), 14)])
		}
		if len(gaps) != repeatsMost {
			t.Errorf("%d repeats", len(gaps))
		}
		if last := o.at[len(o.at)-1].Sub(began); last > repeatsLast {
			t.Errorf("the last one came after %v", last)
		}
		all := o.All()
		if len(all) != 1 || all[0].State != GivenUp || !all[0].NextAt.IsZero() {
			t.Errorf("%+v", all)
		}
		ids := map[string]bool{}
		for _, n := range o.sent {
			var body struct{ ID string }
			if json.Unmarshal([]byte(n.Body), &body) != nil {
				t.Fatal("a body is no JSON")
			}
			ids[body.ID] = true
		}
		if len(ids) != 1 {
			t.Errorf("the repeats have %d ids", len(ids))
		}
		if o.sent[0].Header.Get("Wechatpay-Timestamp") == o.sent[1].Header.Get("Wechatpay-Timestamp") {
			t.Error("a repeat is not signed anew")
		}
	})
}

func TestWhatConsumersDoIsNotifiedAndWhatMerchantsDoIsNot(t *testing.T) {
	key := testKey(t)
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, key, always(204))
		o.state.Open("acme", "1", "", time.Now())
		o.state.Open("acme", "1", "", time.Now()) // is there already
		o.state.reply("acme", "1", ReplyEffect{})
		o.state.Say("acme", "1", "x")
		o.state.complete("acme", "1")
		o.state.Raise("acme", "1", "y")
		o.state.Say("acme", "nothing", "x")
		o.state.Raise("acme", "nothing", "y")
		o.state.Add("acme", "2")
		synctest.Wait()
		var got []string
		for _, told := range o.All() {
			got = append(got, told.ComplaintID+" "+told.Action+" "+told.State)
		}
		if want := []string{"1 CREATE_COMPLAINT taken", "1 USER_RESPONSE taken", "1 CONTINUE_COMPLAINT taken"}; !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
	})
}

func TestTheFaultsOfNotifications(t *testing.T) {
	key := testKey(t)
	for _, test := range []struct {
		name   string
		fault  NotificationFault
		answer func(int) (int, error)
		want   string // state, attempts with their status, "t" for a test signature
		after  time.Duration
	}{
		{"none", NotificationFault{}, always(200), "taken [200]", 0},
		{"lost", NotificationFault{Lost: true}, always(204), "lost []", 0},
		{"twice", NotificationFault{Twice: true}, always(204), "taken [204 204]", 0},
		{"a test signature first", NotificationFault{SignTest: true}, func(n int) (int, error) { return map[bool]int{true: 401, false: 204}[n == 1], nil },
			"taken [t401 204]", 5 * time.Second},
		{"late", NotificationFault{Late: 2 * time.Hour}, always(204), "taken [204]", 2 * time.Hour},
		{"nobody there", NotificationFault{}, func(n int) (int, error) {
			if n == 1 {
				return 0, errors.New("connection refused")
			}
			return 204, nil
		}, "taken [0 204]", 5 * time.Second},
		{"a redirect", NotificationFault{}, func(n int) (int, error) { return map[bool]int{true: 302, false: 204}[n == 1], nil }, "taken [302 204]", 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := newOffice(t, key, test.answer)
			o.Next(test.fault)
			began := time.Now()
			o.state.Open("acme", "1", "", began)
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			told := o.All()[0]
			got := []string{}
			for _, a := range told.Attempts {
				got = append(got, map[bool]string{true: "t"}[a.SignTest]+fmt.Sprint(a.Status))
			}
			if text := fmt.Sprintf("%s %v", told.State, got); text != test.want {
				t.Errorf("%s: %s", test.name, text)
			}
			if n := len(o.at); n > 0 && o.at[n-1].Sub(began) != test.after {
				t.Errorf("%s: the last one came after %v", test.name, o.at[n-1].Sub(began))
			}
		})
	}
}

func TestAStandingFaultIsOfEachSoManyth(t *testing.T) {
	key := testKey(t)
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, key, always(204))
		o.Stand(NotificationFault{Lost: true}, 3)
		o.Next(NotificationFault{}, NotificationFault{}, NotificationFault{Twice: true})
		for range 6 {
			o.Tell("acme", "1", "CREATE_COMPLAINT")
		}
		synctest.Wait()
		var got []string
		for _, told := range o.All() {
			got = append(got, told.State+fmt.Sprint(len(told.Attempts)))
		}
		if want := []string{"taken1", "taken1", "taken2", "taken1", "taken1", "lost0"}; !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		o.state.setNotificationURL("1900000001", "https://kesu.example/notify")
		o.Tell("acme", "1", "CREATE_COMPLAINT")
		o.state.setNotificationURL("1900000001", "")
		o.Tell("acme", "1", "CREATE_COMPLAINT")
		o.Tell("nobody", "1", "CREATE_COMPLAINT")
		if all := o.All(); len(all) != 8 || all[6].State != GivenUp || all[7].State != NoAddress {
			t.Errorf("%+v", all[6:])
		}
	})
}

func TestTheCallerOfMerchantsFollowsNoRedirect(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	send, closeIdle := caller()
	defer closeIdle()
	if status, err := send(t.Context(), server.URL, Notification{Header: http.Header{}, Body: "{}"}); status != 302 || err != nil || asked != 1 {
		t.Errorf("%d %v, asked %d times", status, err, asked)
	}
	server.Close()
	if status, err := send(t.Context(), server.URL, Notification{Header: http.Header{}}); status != 0 || err == nil {
		t.Errorf("%d %v", status, err)
	}
}

func testKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := testKeys()()
	if err != nil {
		t.Fatal(err)
	}
	return key
}
