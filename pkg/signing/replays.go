package signing

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"
)

// ReplayWindow is how long the nonce of an answer is remembered. An answer is valid for [Tolerance] before and after
// its timestamp, so one that is older than this is refused for its timestamp.
const ReplayWindow = 2 * Tolerance

// maxNonces bounds the nonces of one generation. There are two, so that at most twice as many are remembered, of about
// 40 bytes each. 1,500 completions a minute make 15,000 in a window.
const maxNonces = 1 << 16

// ErrReplayed is what [Replays.Verify] finds wrong besides what [KeySet.Verify] does.
var ErrReplayed = errors.New("Wechatpay-Nonce stood in an answer before")

// Replays remembers the nonces of the answers that verified, so that an answer that arrives a second time does not pass
// for the answer to another request: what is signed names no request. That WeChat Pay gives no nonce to two answers is
// what a nonce is for; its documentation calls it 应答随机串, a random text, and promises no more. The zero value is ready,
// and safe for concurrent use.
type Replays struct {
	mu           sync.Mutex
	young, old   map[[16]byte]time.Time // when an answer with this nonce verified
	turned       time.Time              // when young began
	generationOf int                    // a test's bound in place of maxNonces
}

// Verify is [KeySet.Verify] for an answer that counts once: the second time within [ReplayWindow] it is [ErrReplayed].
// Of more than 65,536 answers in a window the oldest may be forgotten.
func (r *Replays) Verify(keys KeySet, h http.Header, body []byte, now time.Time) error {
	if err := keys.Verify(h, body, now); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(h.Get("Wechatpay-Nonce")))
	nonce := [16]byte(sum[:16])
	now = now.Round(0) // the wall clock: a frozen process's other one stands still

	r.mu.Lock()
	defer r.mu.Unlock()
	for _, generation := range []map[[16]byte]time.Time{r.young, r.old} {
		// A clock that was set back does not make a nonce new.
		if at, there := generation[nonce]; there && now.Sub(at) <= ReplayWindow {
			return ErrReplayed
		}
	}
	most := maxNonces
	if r.generationOf > 0 {
		most = r.generationOf
	}
	if r.young == nil || len(r.young) >= most || now.Sub(r.turned) > ReplayWindow {
		r.old, r.young, r.turned = r.young, map[[16]byte]time.Time{}, now
	}
	r.young[nonce] = now
	return nil
}
