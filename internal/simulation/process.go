package simulation

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/kesu-go/kesu/functions/complete/completion"
	"github.com/kesu-go/kesu/functions/reply/reply"
	"github.com/kesu-go/kesu/internal/assembly"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/telemetry"
	apiv3 "github.com/kesu-go/kesu/internal/wechatpay"
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
	replySkew      = 2 * time.Second // of the processes that look for replies: what a look allows for
	window         = 15 * time.Minute
	readRate       = 180
	networkTime    = 50 * time.Millisecond // to dial, after a token was taken
	secretPrefix   = "kesu/merchants/"
)

// process is one running function: the code that ships, put together by internal/assembly, with everything outside it
// replaced. It has its own merchant cache, breakers and clock.
type process struct {
	w       *world
	id      uint64
	action  wire.Action
	skew    time.Duration
	ctx     context.Context // ends when the process does
	end     context.CancelFunc
	handler lambda.Handler
	links   map[string]*link // by host
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
	p := &process{w: w, id: w.started, action: action, links: map[string]*link{}}
	if w.dice.share(placeProcess, p.id, 0) < 0.7 && !w.options.Crowd {
		most := maxSkew
		if action == wire.Reply {
			most = replySkew
		}
		p.skew = w.dice.span(placeProcess, p.id, 1, -most, most)
	}
	p.ctx, p.end = context.WithCancel(context.Background())
	p.handler = p.assemble()
	return p
}

// assemble puts the function together as the shipped ones are, over what is outside of this process.
func (p *process) assemble() lambda.Handler {
	w, off := p.w, p.w.options.Off
	settings := config.Common{
		SecretPrefix: secretPrefix, SecretSoftTTL: softTTL, SecretHardTTL: hardTTL, LedgerTTL: ledgerTTL,
		MaxAttempts: maxAttempts, AttemptTimeout: attemptTimeout, RatePerMinute: w.rates[p.action], ReadsPerMinute: readRate, UnknownWindow: window,
	}
	if off.Pace {
		settings.RatePerMinute, settings.ReadsPerMinute = 0, 0
	}
	outside := assembly.Outside{
		Log: w.log, Metrics: telemetry.NewMetrics(io.Discard), Now: p.now,
		Owner:   func() string { return fmt.Sprintf("owner-%d", w.owners.Add(1)) },
		Secrets: &secrets{p}, Entries: &table{p}, Tokens: wrapped(pace.Store(&lines{p}), off.Lines),
		Queue: wrapped(lambdaio.Queue(lambdaio.Queues{Client: func() lambdaio.SQS { return &queue{p} }}), off.Queue),
	}
	if w.bus {
		outside.Publisher = wrapped(lambdaio.Publisher(&lambdaio.Bus{Client: &bus{p}, Name: "settled"}), off.Publisher)
	}
	jitter := func() float64 { return w.dice.share(placeBackoff, p.id, uint64(time.Since(w.began))) }
	client := assembly.Client(settings, wrapped(carrier(&line{p}), off.Transport), jitter, w.log)
	parts := assembly.Build(settings, outside, p.work(client))
	parts.Pipeline.Merchants = merchants{parts.Merchants, p}
	parts.Handler.Pipeline = &reception{p: p, inner: parts.Pipeline}
	return wrapped(lambda.Handler(parts.Handler), off.Handler)
}

// work is what the function does, for secrets whose keys cost little to use.
func (p *process) work(client *gateway.Client) pipeline.Work {
	w, off := p.w, p.w.options.Off
	hosts := []string{"https://" + primaryHost, "https://" + backupHost}
	random := &nonces{process: p.id}
	if p.action == wire.Reply {
		shared := reply.New(client, config.Reply{ImagecoURL: imagecoURL, Hosts: hosts, EnforceSign: w.enforce && !off.Enforce}, random, p.now)
		work := shared.Work()
		work.Open = func(secret string) (pipeline.Merchant, error) {
			halves, err := w.parseReplier(secret)
			if err != nil {
				return nil, err
			}
			return wrapped(pipeline.Merchant(shared.Of(halves)), off.Reply), nil
		}
		return work
	}
	shared, known := completion.New(client, config.Complete{Hosts: hosts}, random, p.now), gateway.NewHosts(hosts...)
	work := shared.Work()
	work.Open = func(secret string) (pipeline.Merchant, error) {
		half, err := w.parseWechatPay(secret)
		if err != nil {
			return nil, err
		}
		if off.Nonces {
			return shortSighted{shared.Of(half), func() pipeline.Merchant {
				return (&completion.Completion{API: apiv3.New(client, known, random, p.now)}).Of(half)
			}}, nil
		}
		return shared.Of(half), nil
	}
	return work
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

// reception stands between the handler and the pipeline: it knows which visit a request belongs to, and hears its result.
type reception struct {
	p     *process
	inner lambdaio.Pipeline
}

// Do implements lambdaio.Pipeline. The short wait is the process's scheduler: two records of a batch never begin at the same
// instant.
func (r *reception) Do(ctx context.Context, request wire.Request) wire.Result {
	w := r.p.w
	invocation := ctx.Value(invocationKey{}).(*invocation)
	v := invocation.find(request.Command.ComplaintID, request.Command.ResponseContent)
	_ = r.p.wait(ctx, v, w.dice.span(placeVisit, v.id, 1, time.Microsecond, 3*time.Millisecond))
	w.mu.Lock()
	v.started = time.Now()
	v.command.group.asked = v.started
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

// merchants stand between the pipeline and what it is given of merchants. The short wait is the process's scheduler: callers
// that waited for one shared reading do not go on at the same instant.
type merchants struct {
	inner pipeline.Merchants
	p     *process
}

func (m merchants) Load(ctx context.Context, c *wire.Command) (merchant.Loaded[pipeline.Merchant], error) {
	loaded, err := m.inner.Load(ctx, c)
	m.schedule(ctx, 2)
	return loaded, err
}

func (m merchants) Refresh(ctx context.Context, name, version string) (merchant.Loaded[pipeline.Merchant], bool, error) {
	loaded, changed, err := m.inner.Refresh(ctx, name, version)
	m.schedule(ctx, 3)
	return loaded, changed, err
}

func (m merchants) schedule(ctx context.Context, n uint64) {
	time.Sleep(m.p.w.dice.span(placeVisit, visitOf(ctx).id, n, time.Microsecond, time.Millisecond))
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
