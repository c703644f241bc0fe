package lambdaio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// What the queue and the functions of template.yaml are.
const (
	functionTimeout = 28 * time.Second
	visibility      = 168 * time.Second
	maxReceives     = 100
	batchOf         = 10
)

// world is a queue, the processes that work it, a table and a gateway, in virtual time.
type world struct {
	t       *testing.T
	random  *rand.Rand
	entries ledger.Store
	tokens  pace.Store
	failing float64 // the share of dials that fail

	mu       sync.Mutex
	arrived  map[string][]time.Time // at the gateway, by merchant
	again    map[string]time.Duration
	messages []*message
	dead     int
	bounced  int
}

// message is one message of the queue.
type message struct {
	id, merchant, body string
	visible            time.Time
	receives           int
	gone               time.Time
}

func newWorld(t *testing.T) *world {
	return &world{t: t, random: rand.New(rand.NewPCG(1, 2)), entries: ledger.NewMemory(), tokens: pace.NewMemory(),
		arrived: map[string][]time.Time{}, again: map[string]time.Duration{}}
}

func (w *world) chance() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.Float64()
}

// Take is the table as a process reaches it.
func (w *world) Take(ctx context.Context, line string, a pace.Ask) (time.Time, bool, error) {
	time.Sleep(2*time.Millisecond + time.Duration(w.chance()*float64(8*time.Millisecond)))
	return w.tokens.Take(ctx, line, a)
}

// Return is the table as a process reaches it.
func (w *world) Return(ctx context.Context, line string, from, to time.Time) (bool, error) {
	time.Sleep(2*time.Millisecond + time.Duration(w.chance()*float64(8*time.Millisecond)))
	return w.tokens.Return(ctx, line, from, to)
}

// RoundTrip is the gateway.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.chance() < w.failing {
		return nil, fmt.Errorf("connection refused")
	}
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	merchant := strings.TrimPrefix(r.URL.Path, "/")
	w.mu.Lock()
	w.arrived[merchant] = append(w.arrived[merchant], time.Now())
	w.mu.Unlock()
	time.Sleep(100*time.Millisecond + time.Duration(w.chance()*float64(400*time.Millisecond)))
	httptrace.ContextClientTrace(r.Context()).GotFirstResponseByte()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("done"))}, nil
}

// toGateway is a merchant whose replies go to the gateway; whatever is answered is a success.
type toGateway struct {
	pipeline.Merchant // what nobody asks here
	client            *gateway.Client
	hosts             *gateway.Hosts
}

func (a toGateway) Through(c *wire.Command) wire.Provider { return c.Action.Provider() }

func (a toGateway) Check(*wire.Command, wire.Provider) ([]wire.Problem, *merchant.FieldError) {
	return nil, nil
}

func (a toGateway) Send(ctx context.Context, call pipeline.Call) (gateway.Report, error) {
	return a.client.Do(ctx, gateway.Call{
		Merchant: call.Command.Merchant, Turn: call.Turn, Hosts: a.hosts, Attempts: call.Attempts,
		Prepare: func(base string) (gateway.Request, error) {
			return gateway.Request{Method: http.MethodPost, URL: base + "/" + call.Command.Merchant, Header: http.Header{}}, nil
		},
		Judge: func(gateway.Answer) gateway.Verdict { return gateway.Verdict{Effect: gateway.Done, Code: "0000"} },
	})
}

// merchants gives the same one to everybody.
type merchants struct{ toGateway }

func (m merchants) Load(context.Context, *wire.Command) (merchant.Loaded[pipeline.Merchant], error) {
	return merchant.Loaded[pipeline.Merchant]{Value: m.toGateway, Version: "1"}, nil
}

func (m merchants) Refresh(context.Context, string, string) (merchant.Loaded[pipeline.Merchant], bool, error) {
	return merchant.Loaded[pipeline.Merchant]{Value: m.toGateway, Version: "1"}, false, nil
}

// told notes when a refused record may come again, as a function tells the queue.
type told struct {
	lambdaio.Pipeline
	w *world
}

func (d told) Do(ctx context.Context, request wire.Request) wire.Result {
	result := d.Pipeline.Do(ctx, request)
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.w.again[result.ComplaintID] = result.RetryAfter
	return result
}

// process is one process of functions/reply.
func (w *world) process(perMinute int) *lambdaio.Handler {
	log := slog.New(slog.DiscardHandler)
	owner := 0
	var mu sync.Mutex
	client := &gateway.Client{Transport: w, MaxAttempts: 3, AttemptTimeout: 5 * time.Second, Random: w.chance, Log: log}
	return &lambdaio.Handler{Action: wire.Reply, Log: log, Pipeline: told{w: w, Pipeline: &pipeline.Pipeline{
		Merchants: merchants{toGateway{client: client, hosts: gateway.NewHosts("http://gateway.test")}},
		Ledger: ledger.New(w.entries, time.Hour, time.Now, func() string {
			mu.Lock()
			defer mu.Unlock()
			owner++
			return fmt.Sprintf("%p-%d", client, owner)
		}),
		Paces: map[wire.Action]*pace.Pace{
			wire.Reply: pace.New(pace.Options{PerMinute: perMinute, Action: "reply", Store: w, Keep: 6 * time.Second, Now: time.Now, Log: log}),
		},
		Log: log, Metrics: telemetry.NewMetrics(io.Discard), Now: time.Now,
	}}}
}

// add puts messages of a merchant into the queue.
func (w *world) add(merchant string, n int) {
	for range n {
		id := fmt.Sprint(merchant, "-", len(w.messages))
		body, err := json.Marshal(map[string]any{"id": id, "detail-type": "ComplaintReplyRequested",
			"detail": map[string]string{"merchant": merchant, "complaint_id": id, "response_content": "hello"}})
		if err != nil {
			w.t.Fatal(err)
		}
		w.messages = append(w.messages, &message{id: id, merchant: merchant, body: string(body), visible: time.Now()})
	}
}

// receive takes a batch of what is visible, in no call.
func (w *world) receive() []*message {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	var batch []*message
	for _, i := range w.random.Perm(len(w.messages)) {
		m := w.messages[i]
		if !m.gone.IsZero() || m.visible.After(now) || len(batch) == batchOf {
			continue
		}
		if m.receives++; m.receives > maxReceives {
			m.gone = now
			w.dead++
			continue
		}
		m.visible = now.Add(visibility)
		batch = append(batch, m)
	}
	return batch
}

// invoke hands messages to a process and gives the ids of those that come again.
func (w *world) invoke(h *lambdaio.Handler, batch []*message) []string {
	var sqs events.SQSEvent
	for _, m := range batch {
		sqs.Records = append(sqs.Records, events.SQSMessage{MessageId: m.id, Body: m.body, EventSource: "aws:sqs"})
	}
	payload, err := json.Marshal(sqs)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), functionTimeout)
	defer cancel()
	answer, err := h.Invoke(ctx, payload)
	if ctx.Err() != nil {
		w.t.Error("an invocation lasted until its deadline")
	}
	var response events.SQSEventResponse
	if err != nil || json.Unmarshal(answer, &response) != nil {
		w.t.Fatalf("%s, %v", answer, err)
	}
	var failed []string
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// work lets a process take batches until nothing is left. Where the queue is not told, what failed comes after its
// visibility timeout.
func (w *world) work(h *lambdaio.Handler, isTold bool) {
	for {
		batch := w.receive()
		if batch == nil {
			if !slices.ContainsFunc(w.messages, func(m *message) bool { w.mu.Lock(); defer w.mu.Unlock(); return m.gone.IsZero() }) {
				return
			}
			time.Sleep(200 * time.Millisecond)
			continue
		}
		failed := w.invoke(h, batch)
		w.mu.Lock()
		for _, m := range batch {
			switch {
			case !slices.Contains(failed, m.id):
				m.gone = time.Now()
			case isTold:
				w.bounced++
				m.visible = time.Now().Add(time.Duration(wire.RetryAfterSeconds(w.again[m.id])) * time.Second)
			default:
				w.bounced++
			}
		}
		w.mu.Unlock()
	}
}

func (w *world) mostInAMinute(merchant string) int {
	most := 0
	times := w.arrived[merchant]
	slices.SortFunc(times, time.Time.Compare)
	for i, from := range times {
		n, _ := slices.BinarySearchFunc(times[i:], from.Add(time.Minute), time.Time.Compare)
		most = max(most, n)
	}
	return most
}

func TestAThousandRepliesOfOneMerchantThroughTheQueue(t *testing.T) {
	for _, tt := range []struct {
		name      string
		processes int
		told      bool // the queue is told when a message may come again
		failing   float64
	}{
		{"two processes", 2, true, 0},
		{"two processes, and dials that fail", 2, true, 0.3},
		{"ten processes", 10, true, 0},
		{"a queue that is never told", 2, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.failing = tt.failing
				w.add("acme", 1000)
				began := time.Now()
				var group sync.WaitGroup
				for range tt.processes {
					h := w.process(60)
					group.Go(func() { w.work(h, tt.told) })
				}
				group.Wait()
				took, receives := time.Since(began), 0
				for _, m := range w.messages {
					receives = max(receives, m.receives)
				}
				t.Logf("%s, %d in a minute at most, %d came again, one message %d times at most", took, w.mostInAMinute("acme"), w.bounced, receives)
				if took > 20*time.Minute || w.dead > 0 || len(w.arrived["acme"]) != 1000 {
					t.Errorf("%d replies in %s, %d dead letters", len(w.arrived["acme"]), took, w.dead)
				}
				if most := w.mostInAMinute("acme"); most > 66 {
					t.Errorf("%d replies in a minute", most)
				}
			})
		})
	}
}

func TestWithinABatchNobodyWaitsForAnotherMerchantsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("busy", 26) // six at once, and twenty that wait
		w.add("quiet", 5)
		began := time.Now()
		if failed := w.invoke(w.process(60), w.messages); failed != nil {
			t.Errorf("%v come again", failed)
		}
		for _, at := range w.arrived["quiet"] {
			if waited := at.Sub(began); waited > time.Second {
				t.Errorf("a reply of a merchant with tokens was sent after %s", waited)
			}
		}
		if n, last := len(w.arrived["busy"]), w.arrived["busy"][len(w.arrived["busy"])-1]; n != 26 || last.Sub(began) < 19*time.Second {
			t.Errorf("%d replies of the busy merchant, the last after %s", n, last.Sub(began))
		}
	})
}
