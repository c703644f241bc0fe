package simulation

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/internal/watch"
	apiv3 "github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/signing"
)

// A hearing is a world of its own in which complaints arrive: consumers complain, raise and answer; notifications are lost,
// doubled, reordered and late; sweeps fail half way; the bus, the ledger and WeChat Pay fail. What hears them is the
// shipped watch.Handler in three processes. Four days pass: two and a half of storm, and then fair weather.
type hearing struct {
	dice
	off   HearingGuards
	rule  sandbox.BusRule // FirstReply of template.yaml
	began time.Time
	log   *slog.Logger

	handlers []*watch.Handler
	entries  *ledger.Memory
	books    *watch.Memory
	replies  *ledger.Ledger // of the reply's function
	owners   atomic.Uint64
	visits   atomic.Uint64
	running  sync.WaitGroup

	mu         sync.Mutex
	complaints map[string]*heard
	told       map[string][]telling // publications by ledger id
	settled    map[string]bool      // ledger ids that the ledger knows to be told
	unsettled  map[string]int       // acknowledged by the bus, and then not noted
	acked      map[string]int
	shown      map[string]int // first replies that consumers saw, by key
	tally      HearingTally
	found      []Violation
}

// HearingTally counts what happened, so that a test sees that it did.
type HearingTally struct {
	Complaints, Raised, Lost, Doubled, Late, Forged, Notified, Sweeps, CleanSweeps, Faults, Crashes, Received, Changed, Due, Replies int
}

// HearingGuards switch parts of the shipped code off, from outside.
type HearingGuards struct {
	Store    func(ledger.Store) ledger.Store
	Bus      func(watch.Bus) watch.Bus
	Verify   func(verifier) verifier
	NoSweeps bool
	Deaf     bool // no threshold before the end is told
	RaisedAs bool // the first reply's key does not say how often a complaint was raised
}

// heard is a complaint, as it truly is.
type heard struct {
	merchant, id string
	at           time.Time
	state        string
	times        int
	since        time.Time // of the state
}

// telling is one event that reached the bus.
type telling struct {
	at      time.Time
	pending bool
}

const (
	stormFor   = 60 * time.Hour
	fairFor    = 36 * time.Hour
	hearKey    = "0123456789abcdef0123456789abcdef" // apiv3_key of every merchant
	processes  = 3
	perHearing = 25 // complaints
)

// The kinds of broken promise.
const (
	KindUntold      = "a complaint was not told"
	KindToldAgain   = "an event was told again after the ledger knew of it"
	KindUnannounced = "a due time was not announced"
	KindForged      = "a stranger's notification was published"
	KindReplied     = "a first reply was sent twice"
	KindUnreplied   = "a first reply was not sent"
)

var hearMerchants = []string{"acme", "beta", "plain"} // plain has no first reply

type visitedKey struct{}

// hearingVisit is one invocation.
type hearingVisit struct {
	id      uint64
	steps   uint64
	faults  int
	crashed bool
	event   string // the ledger's id of the event that it claimed last
	pending string // and of the one that the bus acknowledged, until that is noted
}

func visited(ctx context.Context) *hearingVisit { return ctx.Value(visitedKey{}).(*hearingVisit) }

// newHearing builds the world and its processes.
func newHearing(seed uint64, rule sandbox.BusRule, off HearingGuards) *hearing {
	h := &hearing{dice: dice(seed), off: off, rule: rule, began: time.Now(), log: slog.New(slog.DiscardHandler), entries: ledger.NewMemory(),
		books: &watch.Memory{}, complaints: map[string]*heard{}, told: map[string][]telling{}, settled: map[string]bool{},
		unsettled: map[string]int{}, acked: map[string]int{}, shown: map[string]int{}}
	h.replies = ledger.New(ledger.NewMemory(), 120*time.Hour, time.Now, h.owner)
	for n := range processes {
		h.handlers = append(h.handlers, h.newHandler(uint64(n)))
	}
	return h
}

func (h *hearing) owner() string { return fmt.Sprintf("owner-%d", h.owners.Add(1)) }

// newHandler puts the shipped parts together as internal/assembly/watching does.
func (h *hearing) newHandler(n uint64) *watch.Handler {
	client := &gateway.Client{Transport: &wechatPayHeard{h}, MaxAttempts: maxAttempts, AttemptTimeout: attemptTimeout,
		Random: func() float64 { return 0.5 }, Log: h.log}
	quick := *client
	quick.AttemptTimeout = time.Second
	hosts := gateway.NewHosts("https://"+primaryHost, "https://"+backupHost)
	random := &nonces{process: 1000 + n}
	warn := []time.Duration{4 * time.Hour, time.Hour}
	if h.off.Deaf {
		warn = nil
	}
	w := &watch.Watcher{
		Keys: heardKeys{h}, API: apiv3.New(client, hosts, random, time.Now), Quick: apiv3.New(&quick, hosts, random, time.Now),
		Ledger: ledger.New(wrapped(ledger.Store(&heardStore{h}), h.off.Store), 35*24*time.Hour, time.Now, h.owner),
		Books:  &heardBooks{h}, Bus: wrapped(watch.Bus(&heardBus{h}), h.off.Bus), Log: h.log, Metrics: telemetry.NewMetrics(io.Discard), Now: time.Now,
		Open: func(context.Context) {}, Merchants: hearMerchants, WarnBefore: warn, Forget: 35 * 24 * time.Hour,
	}
	return &watch.Handler{Notifications: watch.NewNotifications(w)}
}

// heardKeys gives every merchant its keys.
type heardKeys struct{ h *hearing }

// Load implements watch.Keys.
func (k heardKeys) Load(ctx context.Context, name string) (merchant.Loaded[*merchant.Watched], error) {
	_, err := meet(ctx, k.h, func() bool { return true })
	value, _ := k.Kept(name)
	return merchant.Loaded[*merchant.Watched]{Value: value, Version: "1"}, err
}

// Kept implements watch.Keys.
func (k heardKeys) Kept(name string) (*merchant.Watched, bool) {
	verify := wrapped(verifier(cheapKey(platformKey(name, 1)).verify), k.h.off.Verify)
	w := &merchant.WechatPay{Requester: signing.Requester{Mchid: "19" + name, SerialNo: "5F", Key: cheapKey("merchant-" + name)},
		Platform:   signing.KeySet{{ID: platformID(name, 1), Verify: verify}},
		FirstKeyID: platformID(name, 1), APIv3Key: []byte(hearKey)}
	return &merchant.Watched{WechatPay: w}, true
}

// Refresh implements watch.Keys: the keys never change here.
func (k heardKeys) Refresh(ctx context.Context, name, _ string) (merchant.Loaded[*merchant.Watched], bool, error) {
	loaded, err := k.Load(ctx, name)
	return loaded, false, err
}

func (h *hearing) violate(kind, format string, args ...any) {
	h.found = append(h.found, Violation{Kind: kind, Detail: fmt.Sprintf(format, args...), Seed: uint64(h.dice)})
}

// stormy reports whether things still go wrong.
func (h *hearing) stormy() bool { return time.Since(h.began) < stormFor }

// invoke calls one of the processes as Lambda does. ok is false when it crashed.
func (h *hearing) invoke(payload []byte, timeout time.Duration) (answer []byte, v *hearingVisit, err error) {
	v = &hearingVisit{id: h.visits.Add(1)}
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), visitedKey{}, v), timeout)
	defer cancel()
	answer, err = h.handlers[h.roll(1, v.id, 0)%processes].Invoke(ctx, payload)
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.pending != "" {
		h.unsettled[v.pending]++
	}
	if v.crashed {
		h.tally.Crashes++
		return nil, v, errors.New("crashed")
	}
	return answer, v, err
}

// notify delivers a notification once, and reports whether it was taken. key signs it.
func (h *hearing) notify(merchant, id, complaint, action string, key cheapKey) bool {
	block, err := aes.NewCipher([]byte(hearKey))
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	const nonce = "0123456789ab"
	hidden := gcm.Seal(nil, []byte(nonce), fmt.Appendf(nil, `{"complaint_id":%q,"action_type":%q}`, complaint, action), []byte("complaint"))
	kind := "COMPLAINT.STATE_CHANGE"
	if action == "CREATE_COMPLAINT" {
		kind = "COMPLAINT.CREATE"
	}
	body := fmt.Sprintf(`{"id":%q,"event_type":%q,"resource":{"algorithm":"AEAD_AES_256_GCM","nonce":%q,"associated_data":"complaint","ciphertext":%q}}`,
		id, kind, nonce, base64.StdEncoding.EncodeToString(hidden))
	at, once := time.Now(), fmt.Sprint("n", h.owners.Add(1))
	signature, err := signing.SignAnswer(key, at, once, []byte(body))
	if err != nil {
		panic(err)
	}
	path := "/merchants/" + merchant + "/notifications"
	payload, err := json.Marshal(map[string]any{"version": "2.0", "rawPath": path, "body": body, "headers": map[string]string{
		"wechatpay-timestamp": fmt.Sprint(at.Unix()), "wechatpay-nonce": once, "wechatpay-serial": platformID(merchant, 1), "wechatpay-signature": signature},
		"requestContext": map[string]any{"stage": "$default", "http": map[string]any{"method": http.MethodPost, "path": path}}})
	if err != nil {
		panic(err)
	}
	answer, v, failed := h.invoke(payload, 28*time.Second)
	var got struct{ StatusCode int }
	answered := h.share(2, v.id, 0) > 0.05 || !h.stormy() // or the answer is lost on its way
	return failed == nil && json.Unmarshal(answer, &got) == nil && got.StatusCode == http.StatusNoContent && answered
}
