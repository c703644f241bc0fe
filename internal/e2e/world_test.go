package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// ample bounds everything that a test waits for, so that a hang ends with a message.
const ample = 2 * time.Minute

// lambdaTime is what an invocation has, unless the test says otherwise.
const lambdaTime = 30 * time.Second

// world is a sandbox with everything in it that must stay secret, and everything that got out.
type world struct {
	*sandbox.World
	t          testing.TB
	transcript *transcript
	complaints atomic.Int64
}

// newWorld starts a sandbox. When the test ends, whatever the functions of this world printed, answered or published is
// searched for its secrets.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, sandbox.Options{NewKey: newKey})
}

// newWorldOf starts a sandbox with options of its own.
func newWorldOf(t *testing.T, o sandbox.Options) *world {
	t.Helper()
	inner, err := sandbox.NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{World: inner, t: t, transcript: newTranscript()}
	// What most tests are about is what is known without looking. A test that is about looking shows the histories.
	inner.WechatPay.SetOddities(sandbox.Oddities{HistoryRefused: true})
	t.Cleanup(func() {
		if err := inner.Close(); err != nil {
			t.Errorf("the world does not close: %v", err)
		}
		w.collect()
		w.transcript.check(t)
	})
	return w
}

// merchant adds a merchant with fresh keys and a note that only operators may read.
func (w *world) merchant(name string, o sandbox.MerchantOptions) *sandbox.Merchant {
	w.t.Helper()
	o.OtherSellers = []string{"A1", "B2", "S1", long(64)} // those that the tests name
	m, err := w.AddMerchant(name, o)
	if err != nil {
		w.t.Fatal(err)
	}
	m.Notes = map[string]string{"note": "called-" + name + "-on-monday-about-the-contract"}
	w.store(m)
	return m
}

// store stores the merchant's secret, after a change.
func (w *world) store(m *sandbox.Merchant) {
	w.transcript.keep(m)
	w.Store(m)
}

// put stores any text as a merchant's secret.
func (w *world) put(name, text string) { w.Secrets.Put(sandbox.SecretPrefix+name, text) }

// rotate gives a merchant new keys, in its secret and at the gateways.
func (w *world) rotate(m *sandbox.Merchant, keepOld bool) {
	w.t.Helper()
	if err := w.Rotate(m, keepOld); err != nil {
		w.t.Fatal(err)
	}
	w.transcript.keep(m)
}

// complaint makes a complaint of a merchant's that nobody has answered, and returns its id.
func (w *world) complaint(merchant string) string {
	id := fmt.Sprintf("2002%016d", w.complaints.Add(1))
	w.State.Add(merchant, id)
	return id
}

// replies is how many replies a consumer was shown.
func (w *world) replies(merchant, complaint string) int {
	c, _ := w.State.Complaint(merchant, complaint)
	return len(c.Replies)
}

func (w *world) state(merchant, complaint string) sandbox.ComplaintState {
	c, _ := w.State.Complaint(merchant, complaint)
	return c.State
}

// function is one compiled function under a Runtime API.
type function struct {
	*sandbox.Function
	w      *world
	action string
	out    *printed
}

// steady are the settings that most tests want: no pace, so that tests may call as often as they like, and no bus.
var steady = []string{"REPLY_RATE_PER_MINUTE=0", "COMPLETE_RATE_PER_MINUTE=0", "RESULT_BUS="}

// reply prepares functions/reply with settings that win over the steady ones.
func (w *world) reply(env ...string) *function { return w.function("reply", 1, env...) }

// complete prepares functions/complete.
func (w *world) complete(env ...string) *function { return w.function("complete", 1, env...) }

func (w *world) function(action string, concurrency int, env ...string) *function {
	w.t.Helper()
	folder, err := programs()
	if err != nil {
		w.t.Fatal(err)
	}
	out := w.transcript.output()
	f := sandbox.NewFunction(sandbox.FunctionConfig{
		Name: "kesu-" + action, Path: filepath.Join(folder, action), Env: w.Env(append(append([]string{}, steady...), env...)...),
		Output: out, Concurrency: concurrency, Grace: grace,
	})
	w.t.Cleanup(func() { _ = f.Close() })
	return &function{f, w, action, out}
}

// grace is what an invocation may take beyond its time on a busy machine. A function that would never answer is still ended.
const grace = 30 * time.Second

// invoke runs one invocation with Lambda's usual time.
func (f *function) invoke(payload string) sandbox.Invocation { return f.invokeFor(payload, lambdaTime) }

// invokeFor runs one invocation that may take so long.
func (f *function) invokeFor(payload string, timeout time.Duration) sandbox.Invocation {
	f.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*ample)
	defer cancel()
	got, err := f.Invoke(ctx, []byte(payload), timeout)
	if err != nil {
		f.w.t.Errorf("%s was not invoked: %v", f.action, err)
	}
	f.w.transcript.add("an answer", got.Payload)
	f.w.transcript.add("an error", []byte(got.ErrorType+" "+got.ErrorMessage))
	return got
}

// members are the members of a command, in the order in which Go writes a map.
type members map[string]any

func (m members) text() string {
	text, err := json.Marshal(m)
	if err != nil {
		return "" // tests only put what can be encoded here
	}
	return string(text)
}

// with is a copy with more members; nil takes one away.
func (m members) with(pairs ...any) members {
	all := members{}
	for name, value := range m {
		all[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		name := pairs[i].(string)
		delete(all, name)
		if pairs[i+1] != nil {
			all[name] = pairs[i+1]
		}
	}
	return all
}

func replyTo(merchant, complaint string) members {
	return members{"merchant": merchant, "complaint_id": complaint, "response_content": "已与用户沟通解决"}
}

func completionOf(merchant, complaint string) members {
	return members{"merchant": merchant, "complaint_id": complaint}
}

// bare invokes the function with a bare command and reads the result, which it must always give.
func (f *function) bare(command members) result {
	f.w.t.Helper()
	return f.result(f.invoke(command.text()))
}

// printed collects what one function writes.
type printed struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// within runs what may wait, with the time that a test has.
func within(t testing.TB, what string, wait func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), ample)
	defer cancel()
	if err := wait(ctx); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

// wrote waits until the function has written all these words. Those of a process that lives come through a pipe, and later
// than its answer.
func (f *function) wrote(words ...string) {
	f.w.t.Helper()
	for _, w := range words {
		within(f.w.t, w, untilTrue(func() bool { return strings.Contains(f.out.String(), w) }))
	}
}

// inOneOf repeats what must be done within a time of the product's own, up to n times: on a busy machine some tries are late.
// Where the time is not kept at all, every one is.
func inOneOf(t testing.TB, n int, try func() error) {
	t.Helper()
	var err error
	for range n {
		if err = try(); err == nil {
			return
		}
	}
	t.Errorf("%d times, the last time: %v", n, err)
}

// arrived waits until a host has received n calls, and returns them.
func arrived(t testing.TB, h *sandbox.Host, n int) []sandbox.Call {
	t.Helper()
	var calls []sandbox.Call
	within(t, fmt.Sprintf("%d calls at %s", n, h.Name), func(ctx context.Context) (err error) {
		calls, err = h.Calls.Wait(ctx, func(all []sandbox.Call) bool { return len(all) >= n })
		return err
	})
	return calls
}

// callsFor are the calls of a host that are about one complaint.
func callsFor(h *sandbox.Host, complaint string) []sandbox.Call {
	var found []sandbox.Call
	for _, c := range h.Calls.Calls() {
		if strings.Contains(c.Target, complaint) || strings.Contains(string(c.Body), complaint) {
			found = append(found, c)
		}
	}
	return found
}

// rawJSON is a value that is written as it stands.
func rawJSON(text string) json.RawMessage { return json.RawMessage(text) }

// untilTrue asks again and again, a tenth of a second apart.
func untilTrue(holds func() bool) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for !holds() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
}

// uniqueName is a merchant's name that no other test uses, for worlds that share a table.
func uniqueName() string { return fmt.Sprint("acme-", time.Now().UnixNano()) }
