package simulation

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	completion "github.com/kesu-go/kesu/functions/complete/action"
	reply "github.com/kesu-go/kesu/functions/reply/action"
	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// The settings of every process. The secrets' lives are shorter than the defaults, so that a world of minutes sees
// them end; the rest is as in the contract's section 8.
const (
	attemptTimeout = 5 * time.Second
	maxAttempts    = 3
	softTTL        = 60 * time.Second
	hardTTL        = 200 * time.Second
	ledgerTTL      = 24 * time.Hour
	maxSkew        = 4 * time.Second
	secretPrefix   = "kesu/merchants/"
)

// process is one running function: the code that ships, put together as internal/wiring does, with everything outside
// it replaced. It has its own merchant cache, breakers, pace and clock.
type process struct {
	w       *world
	id      uint64
	action  wire.Action
	skew    time.Duration
	ctx     context.Context // ends when the process does
	end     context.CancelFunc
	handler lambda.Handler

	buckets map[string]*bucket // under the world's mutex
}

// process gives the running process of a slot; a crashed one was replaced.
func (w *world) process(action wire.Action, slot uint64) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.slots[action]
	slot %= uint64(len(list))
	if list[slot] == nil || list[slot].gone() {
		list[slot] = w.newProcess(action)
	}
	return list[slot]
}

// newProcess starts one. w.mu is held.
func (w *world) newProcess(action wire.Action) *process {
	w.started++
	p := &process{w: w, id: w.started, action: action, buckets: map[string]*bucket{}}
	if w.dice.share(placeProcess, p.id, 0) < 0.7 {
		p.skew = w.dice.span(placeProcess, p.id, 1, -maxSkew, maxSkew)
	}
	p.ctx, p.end = context.WithCancel(context.Background())
	if action == wire.Reply {
		p.handler = build(p, func(c *gateway.Client) desk.Action[*merchant.Imageco] {
			action := &reply.Reply{Client: c, Hosts: gateway.NewHosts(imagecoURL), Enforce: w.enforce && !w.options.Off.Enforce, Log: w.log}
			return wrapped(desk.Action[*merchant.Imageco](action), w.options.Off.Reply)
		}, func(text string) (*merchant.Imageco, error) {
			return merchant.ParseImageco(text, func(string) error { return nil })
		})
		return p
	}
	p.handler = build(p, func(c *gateway.Client) desk.Action[*merchant.WechatPay] {
		hosts := gateway.NewHosts("https://"+primaryHost, "https://"+backupHost)
		action := &completion.Completion{Client: c, Hosts: hosts, Random: &nonces{process: p.id}, Now: p.now}
		return wrapped(desk.Action[*merchant.WechatPay](action), w.options.Off.Completion)
	}, w.parseWechatPay)
	return p
}

// build puts the shipped parts together around one action.
func build[M any](p *process, action func(*gateway.Client) desk.Action[M], parse func(string) (M, error)) lambda.Handler {
	w := p.w
	client := &gateway.Client{
		Transport:      wrapped(carrier(&line{p}), w.options.Off.Transport),
		Pace:           gateway.NewPace(w.rates[p.action]),
		MaxAttempts:    maxAttempts,
		AttemptTimeout: attemptTimeout,
		Random:         func() float64 { return w.dice.share(placeBackoff, p.id, uint64(time.Since(w.began))) },
		Log:            w.log,
	}
	if w.options.Off.Pace {
		client.Pace = gateway.NewPace(0)
	}
	store := merchant.NewStore(merchant.Options[M]{
		Client: &secrets{p}, Prefix: secretPrefix, Parse: parse, SoftTTL: softTTL, HardTTL: hardTTL, Now: p.now,
	})
	handler := &lambdaio.Handler{
		Action: p.action,
		Desk: &reception{p: p, inner: &desk.Desk[M]{
			Action: action(client),
			Keys:   keys[M]{store, p},
			Ledger: ledger.New(&table{p}, ledgerTTL, p.now, func() string { return fmt.Sprintf("owner-%d", w.owners.Add(1)) }),
			Log:    w.log, Metrics: telemetry.NewMetrics(io.Discard), Now: p.now,
		}},
		Log: w.log,
	}
	if w.bus {
		handler.Publisher = wrapped(lambdaio.Publisher(&lambdaio.Bus{Client: &bus{p}, Name: "settled"}), w.options.Off.Publisher)
	}
	return wrapped(lambda.Handler(handler), w.options.Off.Handler)
}

func (p *process) label() string {
	return fmt.Sprintf("%s process %d (clock %+d ms)", p.action, p.id, p.skew.Milliseconds())
}

// now is the process's own clock.
func (p *process) now() time.Time { return time.Now().Add(p.skew) }

func (p *process) gone() bool { return p.ctx.Err() != nil }

// die is a crash: from here on nothing that the process does reaches anything outside it, and its answers are lost.
func (p *process) die(v *visit, why string) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.gone() {
		return
	}
	p.w.tally.Crashes++
	p.w.note(v, "process gone", why, 0)
	p.end()
}

// wait lets time pass for a visit's step. It ends early, with an error, when ctx does or the process dies: some
// microseconds after that, because contexts that end together end in no order, and the shipped code may look at another
// one next.
func (p *process) wait(ctx context.Context, v *visit, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	var err error
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-p.ctx.Done():
		err = p.ctx.Err()
	}
	time.Sleep(p.w.dice.span(placeVisit, v.id, 99, time.Microsecond, 50*time.Microsecond))
	return err
}

// leave is the way out of the process, before a step. Claim and secret are begun at the same instant; with this their
// steps, and so their crashes, are not.
func (p *process) leave(ctx context.Context, v *visit, s step) error {
	p.w.mu.Lock()
	n := 100 + uint64(s)<<32 + v.steps[s]
	p.w.mu.Unlock()
	if p.gone() {
		return p.ctx.Err()
	}
	return p.wait(ctx, v, p.w.dice.span(placeVisit, v.id, n, time.Microsecond, time.Millisecond))
}

// hang waits for as long as the caller does.
func (p *process) hang(ctx context.Context, v *visit) error { return p.wait(ctx, v, time.Hour) }

// reception stands between the handler and the desk: it knows which visit a request belongs to, and hears its result.
type reception struct {
	p     *process
	inner lambdaio.Desk
}

// Do implements lambdaio.Desk. The short wait is the process's scheduler: two records of a batch never begin at the same
// instant.
func (r *reception) Do(ctx context.Context, request wire.Request) wire.Result {
	w := r.p.w
	invocation := ctx.Value(invocationKey{}).(*invocation)
	v := invocation.find(request.Command.ComplaintID, request.Command.ResponseContent)
	_ = r.p.wait(ctx, v, w.dice.span(placeVisit, v.id, 1, time.Microsecond, 3*time.Millisecond))
	w.mu.Lock()
	v.started = time.Now()
	w.note(v, "begins", "", seconds(time.Until(v.deadline)))
	w.mu.Unlock()
	ctx = context.WithValue(ctx, visitKey{}, v)
	if w.options.Off.Deadline {
		ctx = context.WithoutCancel(ctx)
	}
	result := r.inner.Do(ctx, request)
	w.told(v, result)
	return result
}

// keys stand between the desk and the merchant cache. The short wait is the process's scheduler: callers that waited for
// one shared reading do not go on at the same instant.
type keys[M any] struct {
	inner desk.Keys[M]
	p     *process
}

func (k keys[M]) Load(ctx context.Context, name string) (merchant.Loaded[M], error) {
	loaded, err := k.inner.Load(ctx, name)
	k.schedule(ctx, 2)
	return loaded, err
}

func (k keys[M]) Refresh(ctx context.Context, name, version string) (merchant.Loaded[M], bool, error) {
	loaded, changed, err := k.inner.Refresh(ctx, name, version)
	k.schedule(ctx, 3)
	return loaded, changed, err
}

func (k keys[M]) schedule(ctx context.Context, n uint64) {
	time.Sleep(k.p.w.dice.span(placeVisit, visitOf(ctx).id, n, time.Microsecond, time.Millisecond))
}

// invoke calls the handler once, as Lambda does: with a deadline, after which the process is ended. ok is false when no
// answer came out of it.
func (w *world) invoke(p *process, payload []byte, timeout time.Duration, visits ...*visit) (answer []byte, err error, ok bool) {
	v := visits[0]
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	for _, v := range visits {
		v.process = p
		v.deadline, _ = ctx.Deadline()
	}
	ctx = context.WithValue(ctx, invocationKey{}, &invocation{visits})
	type reply struct {
		answer []byte
		err    error
	}
	done := make(chan reply, 1)
	w.start(func() {
		defer cancel()
		answer, err := p.handler.Invoke(ctx, payload)
		done <- reply{answer, err}
	})
	kill := time.NewTimer(timeout + 20*time.Millisecond)
	defer kill.Stop()
	select {
	case r := <-done:
		answer, err = r.answer, r.err
	case <-kill.C:
		p.die(v, "timeout of the invocation")
	case <-p.ctx.Done():
	}
	if p.gone() {
		return nil, nil, false
	}
	return answer, err, w.answers(p, v)
}

// answers carries an invocation's answer to whoever invoked, if it gets there.
func (w *world) answers(p *process, v *visit) bool {
	f, n := w.fault(v, stepAnswer)
	time.Sleep(w.latency(v, n, time.Millisecond, 20*time.Millisecond))
	switch {
	case f == crashAfter:
		p.die(v, "before its answer was taken")
		return false
	case f == answerLost && v.command.door != doorQueue:
		return false
	}
	return true
}
