package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// switches say what is made to go wrong.
type switches struct {
	Hosts      map[string]string `json:"hosts"` // by the host's name: one of kinds
	LedgerDown bool              `json:"ledger_down"`
	Duplicates bool              `json:"duplicates"` // every event is delivered twice
	Crash      bool              `json:"crash"`      // the function dies in the middle of its next call to a gateway
	Rotations  int               `json:"rotations"`  // how often the keys were changed
	Telling    tellingFaults     `json:"telling"`    // what goes wrong with notifications
}

const works = "works"

func noFaults() switches {
	return switches{Hosts: map[string]string{"imageco": works, "wechatpay": works, "wechatpay-backup": works}}
}

// slowness is how late a slow gateway answers: later than anybody likes, in time for ATTEMPT_TIMEOUT's 5 s.
const slowness = 2 * time.Second

// fault is what a kind of fault stands for; false for one that there is not. The gateway does the work wherever it could
// have been done: the worst case is what "never doubled" is about.
func fault(kind string, wechatpay bool) (sandbox.Fault, bool) {
	faults := map[string]sandbox.Fault{
		works: {}, "down": {},
		"slow":    {DelayAnswer: slowness},
		"silent":  {CutAfter: true, Method: http.MethodPost}, // a complaint can still be read
		"http500": {Status: http.StatusInternalServerError, ActFirst: true, Body: []byte("Internal Server Error\n")},
		"http429": {Status: http.StatusTooManyRequests, RetryAfter: "1", Body: []byte("Too Many Requests\n")},
		"forged":  {WrongSignature: true},
		"garbage": {Garbage: true, ActFirst: true},
	}
	if wechatpay {
		faults["signtest"] = sandbox.Fault{SignTest: true}
		faults["http500"] = sandbox.Fault{Status: http.StatusInternalServerError, ActFirst: true, Code: "SYSTEM_ERROR", Message: "系统异常,请稍后重试"}
		faults["http429"] = sandbox.Fault{Status: http.StatusTooManyRequests, RetryAfter: "1", Code: "RATELIMIT_EXCEEDED", Message: "请求频率过高"}
	}
	f, ok := faults[kind]
	return f, ok
}

// now returns a copy of the switches.
func (c *Console) now() switches {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.switches
	s.Telling = c.tellingFaults()
	s.Hosts = map[string]string{}
	for name, kind := range c.switches.Hosts {
		s.Hosts[name] = kind
	}
	return s
}

func (c *Console) host(name string) *sandbox.Host {
	for _, h := range []*sandbox.Host{c.world.ImagecoHost, c.world.Primary, c.world.Backup} {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// setFaults sets switches: POST {"hosts":{"imageco":"down"},"ledger_down":true,"duplicates":true}. What is not named stays.
func (c *Console) setFaults(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Hosts      map[string]string `json:"hosts"`
		LedgerDown *bool             `json:"ledger_down"`
		Duplicates *bool             `json:"duplicates"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	for name, kind := range in.Hosts {
		if _, ok := fault(kind, name != "imageco"); !ok || c.host(name) == nil {
			refuse(w, http.StatusBadRequest, "there is no such gateway, or no such fault of it")
			return
		}
	}
	c.mu.Lock()
	err := c.apply(in.Hosts, in.LedgerDown)
	if in.Duplicates != nil {
		c.switches.Duplicates = *in.Duplicates
	}
	c.mu.Unlock()
	c.journal.Touch()
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the port was taken by another program meanwhile: "+err.Error())
		return
	}
	answer(w, http.StatusOK, "application/json", c.now())
}

// apply sets the hosts' faults. The lock is held.
func (c *Console) apply(hosts map[string]string, ledgerDown *bool) error {
	for name, kind := range hosts {
		host := c.host(name)
		f, _ := fault(kind, name != "imageco")
		host.Faults.Stand(f)
		if err := power(host, kind == "down"); err != nil {
			return err
		}
		c.switches.Hosts[name] = kind
	}
	if ledgerDown == nil || c.world.Ledger == nil {
		return nil
	}
	if err := power(c.world.Ledger.Host, *ledgerDown); err != nil {
		return err
	}
	c.switches.LedgerDown = *ledgerDown
	return nil
}

func power(h *sandbox.Host, down bool) error {
	if down {
		h.Down()
		return nil
	}
	return h.Up()
}

// duplicate lets the bus deliver every event once more while that switch is on: the same event, with the same id.
func (c *Console) duplicate() {
	for kind, delivery := range map[string]*sandbox.Delivery{
		"ComplaintReplyRequested": c.world.ReplyDelivery, "ComplaintCompletionRequested": c.world.CompletionDelivery,
	} {
		if delivery == nil {
			continue
		}
		c.world.Bus.AddRule(sandbox.Rule{DetailType: kind, Target: func(ctx context.Context, event sandbox.Event) {
			if c.now().Duplicates {
				delivery.Deliver(ctx, event)
			}
		}})
	}
}

// armCrash lets the function die in the middle of the next call to a gateway, after the gateway did the work and before
// it answered: POST {"armed":true}.
func (c *Console) armCrash(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Armed bool `json:"armed"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	c.arm(in.Armed)
	c.journal.Touch()
	answer(w, http.StatusOK, "application/json", c.now())
}

// arm ends what was armed before, and arms anew if asked.
func (c *Console) arm(armed bool) {
	c.arming.Lock()
	defer c.arming.Unlock()
	if c.armed != nil {
		c.armed()
		c.crashes.Wait()
		c.armed = nil
	}
	c.mu.Lock()
	c.switches.Crash = armed
	c.mu.Unlock()
	if armed && c.ending.Err() == nil {
		var ctx context.Context
		ctx, c.armed = context.WithCancel(c.ending)
		c.crashes.Go(func() { c.crash(ctx) })
	}
}

// crash waits for the next call that a gateway acts on, and ends the function that made it while the answer is kept back.
func (c *Console) crash(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hold := make(chan struct{})
	defer close(hold)
	hosts := map[*sandbox.Host]*sandbox.Function{c.world.ImagecoHost: c.world.Reply, c.world.Primary: c.world.Complete, c.world.Backup: c.world.Complete}
	victim := make(chan *sandbox.Function, len(hosts))
	for host, function := range hosts {
		before := host.Calls.Since(time.Time{})
		latest := 0
		if len(before) > 0 {
			latest = before[len(before)-1].N
		}
		host.Faults.Next(sandbox.Fault{Method: http.MethodPost, Hold: hold})
		defer c.disarm(host)
		c.crashes.Go(func() {
			acted := func(calls []sandbox.Call) bool {
				return slices.ContainsFunc(calls, func(x sandbox.Call) bool { return x.N > latest && x.Code != "" })
			}
			if _, err := host.Calls.Wait(ctx, acted); err == nil {
				victim <- function
			}
		})
	}
	select {
	case function := <-victim:
		function.Kill()
		c.mu.Lock()
		c.switches.Crash = false
		c.mu.Unlock()
		c.journal.Touch()
	case <-ctx.Done():
	}
}

// disarm takes a queued fault away and leaves the standing one as it is.
func (c *Console) disarm(host *sandbox.Host) {
	c.mu.Lock()
	defer c.mu.Unlock()
	host.Faults.Clear()
	f, _ := fault(c.switches.Hosts[host.Name], host != c.world.ImagecoHost)
	host.Faults.Stand(f)
}

// rotate gives acme and acme-xml new keys at once, which the functions then do not have: POST {}.
func (c *Console) rotate(w http.ResponseWriter, r *http.Request) {
	if !readJSON(w, r, &struct{}{}) {
		return
	}
	c.mu.Lock()
	err := c.changeKeys(c.world.Acme, c.world.XML)
	c.mu.Unlock()
	c.journal.Touch()
	if err != nil {
		refuse(w, http.StatusInternalServerError, fmt.Sprintf("the keys could not be changed: %v", err))
		return
	}
	answer(w, http.StatusOK, "application/json", c.now())
}

// versionLimit is how many earlier versions of a secret are kept, to explain earlier calls with.
const versionLimit = 20

// changeKeys keeps the old secrets and makes new ones. The lock is held.
func (c *Console) changeKeys(merchants ...*sandbox.Merchant) error {
	for _, m := range merchants {
		text, _, _ := c.world.Secrets.Get(sandbox.SecretPrefix + m.Name)
		versions := slices.Insert(c.older[m.Name], 0, text)
		c.older[m.Name] = versions[:min(len(versions), versionLimit)]
		if err := c.world.Rotate(m, false); err != nil {
			return err
		}
	}
	c.switches.Rotations++
	return nil
}
