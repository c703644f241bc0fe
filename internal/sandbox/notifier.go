package sandbox

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// NotificationFault is what goes wrong with one notification.
type NotificationFault struct {
	Lost     bool          // it is never sent: "微信不保证通知最终能成功"
	Twice    bool          // it is sent once more right after it was taken: "同样的通知可能会多次发送给商户系统"
	SignTest bool          // it comes with a signature that is wrong on purpose first
	Late     time.Duration // before it is sent for the first time
}

// Told is a notification and what became of it.
type Told struct {
	N           int // from 1
	ID          string
	Merchant    string
	ComplaintID string
	Action      string // action_type
	URL         string // where it goes; "" when the merchant has no address
	At          time.Time
	Fault       NotificationFault
	Attempts    []TellingAttempt
	State       string // one of the constants below
	NextAt      time.Time
}

// States of a notification.
const (
	Telling   = "telling"    // it is sent, or will be again at NextAt
	Taken     = "taken"      // it was answered with 200 or 204
	Lost      = "lost"       // by a fault
	GivenUp   = "given up"   // the repeats are used up, or the address is not this machine's
	NoAddress = "no address" // the merchant has set none
)

// TellingAttempt is one time that a notification was sent.
type TellingAttempt struct {
	At       time.Time
	Status   int    // of the answer; 0 when there was none
	Problem  string // why there was none
	SignTest bool
}

// The repeats: "通知频率为5s * 1次,1min * 10次,之后以5min间隔重试,重试1000次或最多持续1周"
// (https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_16.shtml, of 2023-06-06; the page of 2025 names no times).
const (
	repeatsMost = 1000
	repeatsLast = 7 * 24 * time.Hour
)

// repeatAfter is how long after the n-th attempt, from 1, the next one comes.
func repeatAfter(n int) time.Duration {
	switch {
	case n == 1:
		return 5 * time.Second
	case n <= 11:
		return time.Minute
	}
	return 5 * time.Minute
}

// answerWithin is how long an answer is waited for: "需在5秒内完成对报文的验签,并应答回调通知", on the page of a neighbouring
// notification (https://pay.weixin.qq.com/doc/v3/partner/4012079216).
const answerWithin = 5 * time.Second

// toldMost is how many notifications are remembered.
const toldMost = 1000

// Notifier is the part of WeChat Pay that tells merchants what their consumers do, at the address that each has set. It calls
// this machine only, and without TLS: an address https://127.0.0.1:3000/… is called as http://127.0.0.1:3000/…. What a
// merchant does itself is not told: "现在是用户的投诉才会有通知"
// (https://developers.weixin.qq.com/community/pay/doc/000a0606d345a064a4eb5c5455ec08).
//
// It may be used by several goroutines at once. Close ends it.
type Notifier struct {
	gateway *WechatPay
	send    func(ctx context.Context, url string, n Notification) (status int, err error)
	wait    func(ctx context.Context, d time.Duration) bool

	ending  context.Context
	end     context.CancelFunc
	telling sync.WaitGroup

	mu       sync.Mutex
	onChange func(Told) // may be nil
	closed   bool
	latest   int
	told     []*Told // the oldest first
	queue    []NotificationFault
	standing NotificationFault
	every    int // the standing fault is of each every-th notification; 0: of none
}

// newNotifier makes the notifier of a gateway. send and wait are the network and the clock.
func newNotifier(g *WechatPay, send func(context.Context, string, Notification) (int, error), wait func(context.Context, time.Duration) bool) *Notifier {
	n := &Notifier{gateway: g, send: send, wait: wait}
	n.ending, n.end = context.WithCancel(context.Background())
	g.state.onConsumer(n.Tell)
	return n
}

// OnChange lets somebody be told of every change of a notification. It must return soon, and not ask the notifier.
func (n *Notifier) OnChange(told func(Told)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onChange = told
}

// Next queues faults for the next notifications, one each.
func (n *Notifier) Next(faults ...NotificationFault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queue = append(n.queue, faults...)
}

// Stand sets the fault of each every-th notification that no queued one is for; every 0 ends it.
func (n *Notifier) Stand(f NotificationFault, every int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.standing, n.every = f, every
}

// Standing returns what Stand set.
func (n *Notifier) Standing() (f NotificationFault, every int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.standing, n.every
}

// All returns the latest notifications, the oldest first.
func (n *Notifier) All() []Told {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]Told, 0, len(n.told))
	for _, t := range n.told {
		all = append(all, t.copy())
	}
	return all
}

func (t *Told) copy() Told {
	c := *t
	c.Attempts = slices.Clone(t.Attempts)
	return c
}

// Tell tells a merchant that something happened to a complaint. It does not wait for the answer.
func (n *Notifier) Tell(merchant, complaint, action string) {
	account, ok := n.gateway.account(merchant)
	if !ok {
		return
	}
	t := &Told{ID: newUUID(), Merchant: merchant, ComplaintID: complaint, Action: action, At: n.gateway.state.now(),
		URL: n.gateway.state.notificationURL(account.Mchid), State: Telling}
	body, err := n.gateway.notificationBody(account, t.ID, complaint, action)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	n.latest++
	t.N, t.Fault = n.latest, n.faultOf(n.latest)
	n.told = append(n.told, t)
	if len(n.told) > toldMost {
		n.told = append(n.told[:0:0], n.told[1:]...)
	}
	switch to, ok := onThisMachine(t.URL); {
	case t.URL == "":
		t.State = NoAddress
	case !ok, err != nil, account.APIv3Key == "":
		t.State = GivenUp
	case t.Fault.Lost:
		t.State = Lost
	default:
		n.telling.Go(func() { n.carry(t, to, n.gateway.signerOf(account), body) })
	}
	n.changed(t)
}

// faultOf uses up a queued fault. The lock is held.
func (n *Notifier) faultOf(number int) NotificationFault {
	if len(n.queue) > 0 {
		f := n.queue[0]
		n.queue = n.queue[1:]
		return f
	}
	if n.every > 0 && number%n.every == 0 {
		return n.standing
	}
	return NotificationFault{}
}

// changed tells of a change. The lock is held.
func (n *Notifier) changed(t *Told) {
	if n.onChange != nil {
		n.onChange(t.copy())
	}
}

// carry sends a notification until it is taken or given up.
func (n *Notifier) carry(t *Told, to, serial string, body []byte) {
	if t.Fault.Late > 0 && !n.wait(n.ending, t.Fault.Late) {
		return
	}
	began := n.gateway.state.now()
	for attempt := 1; ; attempt++ {
		test := t.Fault.SignTest && attempt == 1
		if n.attempt(t, to, serial, body, test) {
			break
		}
		pause := repeatAfter(attempt)
		next := n.gateway.state.now().Add(pause)
		over := attempt > repeatsMost || next.Sub(began) > repeatsLast
		n.mu.Lock()
		if t.NextAt = next; over {
			t.State, t.NextAt = GivenUp, time.Time{}
		}
		n.changed(t)
		n.mu.Unlock()
		if over || !n.wait(n.ending, pause) {
			return
		}
	}
	if t.Fault.Twice {
		n.attempt(t, to, serial, body, false)
	}
}

// attempt sends a notification once, and reports whether it was taken.
func (n *Notifier) attempt(t *Told, to, serial string, body []byte, test bool) bool {
	made := TellingAttempt{At: n.gateway.state.now(), SignTest: test}
	signed, err := n.gateway.signNotification(body, serial, Fault{SignTest: test})
	if err == nil {
		made.Status, err = n.send(n.ending, to, signed)
	}
	if err != nil {
		made.Problem = err.Error()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	t.Attempts = latest(append(t.Attempts, made))
	taken := made.Status == http.StatusOK || made.Status == http.StatusNoContent
	if taken {
		t.State, t.NextAt = Taken, time.Time{}
	}
	n.changed(t)
	return taken
}

// Close ends what is being told, and waits for it.
func (n *Notifier) Close() error {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.end()
	n.telling.Wait()
	return nil
}

// onThisMachine is where an address of this machine is called, and false for any other.
func onThisMachine(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || !loopbackHost(u.Host) {
		return "", false
	}
	u.Scheme = "http"
	return u.String(), true
}

// caller calls merchants as WeChat Pay does.
func caller() (send func(context.Context, string, Notification) (int, error), closeIdle func()) {
	transport := &http.Transport{Proxy: nil}
	client := &http.Client{Transport: transport, Timeout: answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(ctx context.Context, to string, n Notification) (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader([]byte(n.Body)))
		if err != nil {
			return 0, err
		}
		req.Header = n.Header
		resp, err := client.Do(req)
		if err != nil {
			var failed *url.Error
			if errors.As(err, &failed) {
				err = failed.Err
			}
			return 0, errors.New(strings.TrimSpace(err.Error()))
		}
		return resp.StatusCode, resp.Body.Close()
	}, transport.CloseIdleConnections
}
