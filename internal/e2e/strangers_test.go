package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const (
	strangersCalls = 10_000
	strangersMark  = "made-up" // stands in everything that a stranger chose
	existing       = 8         // merchants whose names a stranger guessed, beside acme
)

// strangers makes the calls that strangers can think of, in turn, with the status that answers each.
func strangers(t *testing.T, w *watcher) []func(i int) (payload string, status int) {
	t.Helper()
	foreign := w.PublicKey // in whose name a stranger signs with a key of his own
	var err error
	if foreign.Key, err = newKey(); err != nil {
		t.Fatal(err)
	}
	if foreign.Key.Equal(w.PublicKey.Key) {
		if foreign.Key, err = newKey(); err != nil {
			t.Fatal(err)
		}
	}
	unknown := foreign // which names a key that nobody has
	unknown.ID = "PUB_KEY_ID_" + strangersMark
	body := `{"id":"` + strangersMark + `"}`
	wrong, another := deliver(signedNotification(t, foreign, body)), deliver(signedNotification(t, unknown, body))
	replayed := deliver(signedNotification(t, w.PublicKey, "")) // WeChat Pay's own signature, over something else
	replayed.body = body
	large := *replayed
	large.body = strings.Repeat(strangersMark, 64<<10/len(strangersMark)+1)
	tooLarge := large.restAPI()
	at := func(d *delivery, merchant string) string {
		copied := *d
		copied.path = "/merchants/" + merchant + "/notifications"
		return copied.restAPI()
	}
	known := func(i int) string { return fmt.Sprint("known-", i/8%existing) } // each kind of call is one in eight
	return []func(i int) (string, int){
		func(i int) (string, int) { return at(wrong, fmt.Sprint(strangersMark, "-", i)), 401 },
		func(i int) (string, int) { return at(another, fmt.Sprint(strangersMark, "-", i%500)), 401 },
		func(i int) (string, int) { return at(wrong, known(i)), 401 },
		func(i int) (string, int) { return at(another, known(i)), 401 },
		func(int) (string, int) { return at(wrong, "acme"), 401 },
		func(int) (string, int) { return at(another, "acme"), 401 },
		func(int) (string, int) { return at(replayed, "acme"), 401 },
		func(i int) (string, int) {
			if i%160 != 7 { // most of them are small, because the test's own time goes by bytes
				return strings.Replace(at(replayed, "acme"), "acme/notifications", "acme/"+strangersMark, 1), 404
			}
			return tooLarge, 413
		},
	}
}

// TestTenThousandCallsOfStrangersCostLittle sends what a minute's flood would be as fast as it goes: how long it takes decides
// how much it may cost.
func TestTenThousandCallsOfStrangersCostLittle(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, "WATCH_MERCHANTS=*")
	for i := range existing {
		w.merchant(fmt.Sprint("known-", i), sandbox.MerchantOptions{})
	}
	// A first notification starts the process. What one prints that has no strangers says which lines are not theirs.
	alone := newWatcher(t, "WATCH_MERCHANTS=*")
	for _, first := range []*watcher{alone, w} {
		if got := first.notify(first.complaint("acme"), "CREATE_COMPLAINT"); got != 204 {
			t.Fatalf("answered %d", got)
		}
	}
	calls := strangers(t, w)
	reads, lines, began := w.Secrets.Calls.Len(), len(alone.lines(t)), time.Now()
	var group sync.WaitGroup
	var wrong answers
	for worker := range 4 {
		group.Go(func() {
			for i := worker; i < strangersCalls; i += 4 {
				payload, want := calls[i%len(calls)](i)
				wrong.check(t, w.function, payload, want)
			}
		})
	}
	group.Wait()
	seconds := int(time.Since(began)/time.Second) + 1
	t.Logf("%d calls in %d s at most", strangersCalls, seconds)

	// Ten a second and ten at once for names that never verified; and for each name that exists one forced by a key that is not
	// in its secret, in 30 s.
	most := 10 + 10*seconds + (existing+1)*(1+seconds/30)
	read := map[string]int{}
	for _, c := range w.Secrets.Calls.Calls()[reads:] {
		var in struct{ SecretId string }
		if err := json.Unmarshal(c.Body, &in); err != nil {
			t.Fatal(err)
		}
		read[strings.TrimPrefix(in.SecretId, sandbox.SecretPrefix)]++
	}
	total := 0
	for name, n := range read {
		total += n
		if most := 2 + seconds/30; n > most && !strings.HasPrefix(name, strangersMark) {
			t.Errorf("the secret of %s was read %d times, want at most %d", name, n, most)
		}
	}
	if total > most || total < existing {
		t.Errorf("%d readings of secrets in %d s, want at most %d", total, seconds, most)
	}

	// A line a second is what tells of refusals.
	printed := len(w.lines(t))
	text := w.out.String()
	if n := printed - lines; n > seconds+1 || n == 0 {
		t.Errorf("%d lines in %d s", n, seconds)
	}
	if strings.Contains(text, strangersMark) {
		t.Error("the log holds what a stranger wrote")
	}

	// Nothing of it reached anybody else.
	if n := w.Primary.Calls.Len() + w.Backup.Calls.Len(); n != 1 {
		t.Errorf("%d calls to WeChat Pay, want the first notification's", n)
	}
	if n := w.Ledger.Calls.Len(); n > 6 {
		t.Errorf("%d calls to the table, want the first notification's", n)
	}
	if n := len(w.Bus.Events()); n != 1 {
		t.Errorf("%d events", n)
	}
	// Whoever verified is heard all the same, also when its secret is no longer kept.
	if got := w.notify(w.complaint("acme"), "CREATE_COMPLAINT"); got != 204 {
		t.Errorf("after the flood WeChat Pay is answered %d", got)
	}
}

// answers are those that were wrong, each told once. What was answered is not kept: there is too much of it.
type answers struct {
	mu   sync.Mutex
	told []string
}

func (a *answers) check(t *testing.T, f *function, payload string, want int) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*ample)
	defer cancel()
	got, err := f.Invoke(ctx, []byte(payload), lambdaTime)
	var answer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err == nil && json.Unmarshal(got.Payload, &answer) == nil && answer.StatusCode == want && answer.Body == `{"code":"FAIL","message":"refused"}` {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if wrong := fmt.Sprint(answer.StatusCode, " for ", want); !slices.Contains(a.told, wrong) {
		a.told = append(a.told, wrong)
		t.Errorf("%v %s: answered %s", err, got.ErrorType, wrong)
	}
}
