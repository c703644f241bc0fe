package signing

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// anyone is a key set that takes every signature of the id: what is tested is the memory.
func anyone() KeySet {
	return KeySet{{ID: "PUB_KEY_ID_1", Verify: func([]byte, []byte) error { return nil }}}
}

func answerWith(nonce string, at time.Time) http.Header {
	return http.Header{"Wechatpay-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Wechatpay-Nonce": {nonce},
		"Wechatpay-Serial": {"PUB_KEY_ID_1"}, "Wechatpay-Signature": {"AAAA"}}
}

func TestAnAnswerVerifiesOnceInTenMinutes(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	var r Replays
	for _, step := range []struct {
		name  string
		nonce string
		after time.Duration
		want  error
	}{
		{"the first time", "a", 0, nil},
		{"the second time", "a", 0, ErrReplayed},
		{"another nonce", "b", 0, nil},
		{"the same in other case is another", "A", time.Second, nil},
		{"after ten minutes", "a", 600 * time.Second, ErrReplayed},
		{"after the clock was set back", "a", -time.Hour, ErrReplayed},
		{"after ten minutes and a second", "a", 601 * time.Second, nil},
		{"and again", "a", 602 * time.Second, ErrReplayed},
		{"another that was remembered meanwhile", "A", 601 * time.Second, ErrReplayed},
	} {
		now := start.Add(step.after)
		if err := r.Verify(anyone(), answerWith(step.nonce, now), nil, now); !errors.Is(err, step.want) || (err == nil) != (step.want == nil) {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
	}
}

func TestAnAnswerThatDidNotVerifyIsNotRemembered(t *testing.T) {
	nobodys := KeySet{{ID: "PUB_KEY_ID_1", Verify: func([]byte, []byte) error { return errors.New("another key") }}}
	now := time.Now()
	h := answerWith("a", now)
	var r Replays
	if err := r.Verify(nobodys, h, nil, now); !errors.Is(err, ErrBadSignature) {
		t.Fatal(err)
	}
	if err := r.Verify(anyone()[:0], h, nil, now); !errors.Is(err, ErrUnknownKey) {
		t.Fatal(err)
	}
	// The same answer, checked against a newer set of keys.
	if err := r.Verify(anyone(), h, nil, now); err != nil {
		t.Error(err)
	}
}

func TestTheMemoryOfNoncesIsBounded(t *testing.T) {
	r := Replays{generationOf: 100}
	now := time.Now()
	for i := range 10_000 {
		if err := r.Verify(anyone(), answerWith(fmt.Sprint(i), now), nil, now); err != nil {
			t.Fatal(err)
		}
		if n := len(r.young) + len(r.old); n > 200 {
			t.Fatalf("%d nonces are remembered", n)
		}
	}
	for _, remembered := range []int{9_999, 9_900} {
		if err := r.Verify(anyone(), answerWith(fmt.Sprint(remembered), now), nil, now); !errors.Is(err, ErrReplayed) {
			t.Errorf("%d of 10,000: %v", remembered, err)
		}
	}
}

func TestNoncesAreForgottenInTime(t *testing.T) {
	var r Replays
	now := time.Now()
	for i := range 100 {
		now = now.Add(5 * time.Minute)
		if err := r.Verify(anyone(), answerWith(fmt.Sprint(i), now), nil, now); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.young) + len(r.old); n > 6 {
		t.Errorf("%d nonces of eight hours are remembered", n)
	}
}

func TestOfTwoAtOnceOneVerifies(t *testing.T) {
	for range 100 {
		var r Replays
		var passed atomic.Int32
		var wg sync.WaitGroup
		now := time.Now()
		for range 8 {
			wg.Go(func() {
				if r.Verify(anyone(), answerWith("a", now), nil, now) == nil {
					passed.Add(1)
				}
			})
		}
		if wg.Wait(); passed.Load() != 1 {
			t.Fatalf("%d verified", passed.Load())
		}
	}
}
