package merchant_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/merchant"
)

// refreshes checks what Refresh gives and how often the secret has been read by then.
func (h *house) refreshes(t *testing.T, from, value string, changed bool, want error, calls int) {
	t.Helper()
	got, is, err := h.Refresh(t.Context(), "acme", h.version(from))
	if got.Value != value || is != changed || !errors.Is(err, want) {
		t.Errorf("got %q, %v, %v; want %q, %v, %v", got.Value, is, err, value, changed, want)
	}
	if got.Value != "" {
		h.sees(t, map[string]string{"parsed one": "v1", "parsed two": "v2", "parsed three": "v3"}[got.Value], got.Version)
	}
	if n := h.secrets.count(); n != calls {
		t.Errorf("the secret was read %d times, want %d", n, calls)
	}
}

func TestRefresh(t *testing.T) {
	in(t, "reads a fresh secret again and tells that it changed", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("two", "v2", nil)
		h.refreshes(t, "v1", "parsed two", true, nil, 2)
		h.gives(t, "parsed two", "v2", 2)
	})
	in(t, "tells that nothing changed", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.refreshes(t, "v1", "parsed one", false, nil, 2)
	})
	in(t, "reads at most every 30 seconds, and gives a caller with an old version the new one in between", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("two", "v2", nil)
		h.refreshes(t, "v1", "parsed two", true, nil, 2)
		h.secrets.set("three", "v3", nil)
		time.Sleep(30*time.Second - 1)
		h.refreshes(t, "v1", "parsed two", true, nil, 2)
		h.refreshes(t, "v2", "parsed two", false, nil, 2)
		time.Sleep(time.Nanosecond)
		h.refreshes(t, "v2", "parsed three", true, nil, 3)
	})
	in(t, "is not held up by ordinary loads", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.refreshes(t, "v1", "parsed one", false, nil, 2)
		time.Sleep(softTTL)
		h.gives(t, "parsed one", "v1", 3)
		h.secrets.set("two", "v2", nil)
		h.refreshes(t, "v1", "parsed two", true, nil, 4)
	})
	in(t, "counts per merchant", func(t *testing.T, h *house) {
		h.refreshes(t, "v0", "parsed one", true, nil, 1)
		if _, _, err := h.Refresh(t.Context(), "other", "v0"); err != nil || h.secrets.count() != 2 {
			t.Errorf("%v after %d readings", err, h.secrets.count())
		}
	})
	in(t, "gives the kept one and the error when reading fails, and does not try again at once", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("", "", errDenied)
		h.refreshes(t, "v1", "parsed one", false, merchant.ErrUnavailable, 2)
		h.refreshes(t, "v1", "parsed one", false, nil, 2)
		h.gives(t, "parsed one", "v1", 2)
	})
	in(t, "gives the kept one and the error when the new secret is malformed", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("bad", "v2", nil)
		got, changed, err := h.Refresh(t.Context(), "acme", "v1")
		misconfigured(t, err, "imageco.key", "is missing")
		if got.Value != "parsed one" || changed {
			t.Errorf("got %q, %v", got.Value, changed)
		}
	})
	in(t, "gives nothing beyond the hard limit", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("", "", errDenied)
		time.Sleep(hardTTL)
		h.refreshes(t, "v1", "", false, merchant.ErrUnavailable, 2)
		h.refreshes(t, "v1", "", false, merchant.ErrUnavailable, 2)
	})
}

func TestAHundredLoadsAreOneReading(t *testing.T) {
	in(t, "of a secret that is there", func(t *testing.T, h *house) {
		h.secrets.slow(time.Second)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if got, err := h.Load(t.Context(), "acme"); err != nil || got.Value != "parsed one" {
					t.Errorf("got %q, %v", got.Value, err)
				}
			})
		}
		wg.Wait()
		if n := h.secrets.count(); n != 1 {
			t.Errorf("the secret was read %d times", n)
		}
	})
	in(t, "of a secret that cannot be read, each of which the old one serves", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("", "", errDenied)
		h.secrets.slow(time.Second)
		time.Sleep(softTTL)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if got, err := h.Load(t.Context(), "acme"); err != nil || got.Value != "parsed one" {
					t.Errorf("got %q, %v", got.Value, err)
				}
			})
		}
		wg.Wait()
		if n := h.secrets.count(); n != 2 || len(h.staleCalls()) != 100 {
			t.Errorf("the secret was read %d times, and %d loads were told to be stale", n, len(h.staleCalls()))
		}
	})
	in(t, "that is forced, and every one gets the new key", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("two", "v2", nil)
		h.secrets.slow(time.Second)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if got, changed, err := h.Refresh(t.Context(), "acme", "v1"); err != nil || !changed || got.Value != "parsed two" {
					t.Errorf("got %q, %v, %v", got.Value, changed, err)
				}
			})
		}
		wg.Wait()
		if n := h.secrets.count(); n != 2 {
			t.Errorf("the secret was read %d times", n)
		}
	})
}

// Without virtual time, so that goroutines meet wherever the scheduler lets them.
func TestLoadsThatMeetAnyhowAreOneReading(t *testing.T) {
	for range 200 {
		h := newHouse()
		var wg sync.WaitGroup
		var failed atomic.Int32
		for range 16 {
			wg.Go(func() {
				if _, err := h.Load(context.Background(), "acme"); err != nil {
					failed.Add(1)
				}
			})
		}
		wg.Wait()
		if n := h.secrets.count(); n != 1 || failed.Load() != 0 {
			t.Fatalf("%d readings, %d failures", n, failed.Load())
		}
	}
}

func TestAKeptSecretServesWhileSecretsManagerHangs(t *testing.T) {
	tests := []struct {
		name  string
		left  time.Duration // of the caller's time; 0: no end
		after time.Duration
	}{
		{"after a second", 0, time.Second},
		{"after half of what is left", time.Second, time.Second / 2},
	}
	for _, tt := range tests {
		in(t, tt.name, func(t *testing.T, h *house) {
			h.gives(t, "parsed one", "v1", 1)
			h.secrets.slow(time.Hour)
			time.Sleep(softTTL)
			ctx := t.Context()
			if tt.left > 0 {
				var done context.CancelFunc
				ctx, done = context.WithTimeout(ctx, tt.left)
				defer done()
			}
			began := time.Now()
			got, err := h.Load(ctx, "acme")
			if err != nil || got.Value != "parsed one" || !got.Stale || time.Since(began) != tt.after || len(h.staleCalls()) != 1 {
				t.Errorf("got %+v, %v after %s, and %d loads were told to be stale", got, err, time.Since(began), len(h.staleCalls()))
			}
			time.Sleep(10 * time.Second) // the reading gives up by itself
		})
	}
}

func TestACallerThatLeaves(t *testing.T) {
	in(t, "gets its own context's error, and the others get the secret", func(t *testing.T, h *house) {
		h.secrets.slow(2 * time.Second)
		first, leave := context.WithCancel(t.Context())
		hasty, done := context.WithTimeout(t.Context(), time.Second)
		defer done()
		var wg sync.WaitGroup
		began := time.Now()
		wg.Go(func() { // begins the reading
			_, err := h.Load(first, "acme")
			if !errors.Is(err, merchant.ErrUnavailable) || !errors.Is(err, context.Canceled) || time.Since(began) != time.Second/2 {
				t.Errorf("the first: %v after %s", err, time.Since(began))
			}
		})
		synctest.Wait()
		wg.Go(func() {
			_, err := h.Load(hasty, "acme")
			if !errors.Is(err, merchant.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("the hasty one: %v after %s", err, time.Since(began))
			}
		})
		wg.Go(func() {
			got, err := h.Load(t.Context(), "acme")
			if err != nil || got.Value != "parsed one" || time.Since(began) != 2*time.Second {
				t.Errorf("the patient one: %q, %v after %s", got.Value, err, time.Since(began))
			}
		})
		time.Sleep(time.Second / 2)
		leave()
		wg.Wait()
		h.gives(t, "parsed one", "v1", 1)
	})
	in(t, "before it begins starts no reading", func(t *testing.T, h *house) {
		ctx, leave := context.WithCancel(t.Context())
		leave()
		_, err := h.Load(ctx, "acme")
		if !errors.Is(err, merchant.ErrUnavailable) || !errors.Is(err, context.Canceled) || h.secrets.count() != 0 {
			t.Errorf("got %v after %d readings", err, h.secrets.count())
		}
	})
	in(t, "while an outdated secret is read again is not told to be served by it", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.slow(2 * time.Second)
		time.Sleep(softTTL)
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second/2, leave)
		if got, err := h.Load(ctx, "acme"); got.Value != "" || !errors.Is(err, context.Canceled) || len(h.staleCalls()) != 0 {
			t.Errorf("got %q, %v, and %d loads were told to be stale", got.Value, err, len(h.staleCalls()))
		}
		time.Sleep(2 * time.Second) // the reading ends by itself
		h.gives(t, "parsed one", "v1", 2)
	})
	in(t, "is still served from memory", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if got, err := h.Load(ctx, "acme"); err != nil || got.Value != "parsed one" {
			t.Errorf("got %q, %v", got.Value, err)
		}
	})
	in(t, "a forced refresh keeps its key", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("two", "v2", nil)
		h.secrets.slow(2 * time.Second)
		ctx, done := context.WithTimeout(t.Context(), time.Second)
		defer done()
		got, changed, err := h.Refresh(ctx, "acme", "v1")
		if got.Value != "parsed one" || changed || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %q, %v, %v", got.Value, changed, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		h.gives(t, "parsed two", "v2", 2)
	})
}

func TestARotationInMidFlight(t *testing.T) {
	in(t, "a slow load does not put the old key back over the new one", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		time.Sleep(softTTL)
		h.secrets.slow(time.Second / 2)
		var wg sync.WaitGroup
		wg.Go(func() {
			got, err := h.Load(t.Context(), "acme")
			if err != nil || got.Value != "parsed two" {
				t.Errorf("the slow load: %q, %v", got.Value, err)
			}
		})
		synctest.Wait() // it has got the old secret and is on its way back
		h.secrets.set("two", "v2", nil)
		h.secrets.slow(0)
		h.refreshes(t, "v1", "parsed two", true, nil, 3)
		wg.Wait()
		h.gives(t, "parsed two", "v2", 3)
	})
	in(t, "a slow load that found nothing does not drop what was found later", func(t *testing.T, h *house) {
		h.secrets.set("", "", errNotFound)
		h.secrets.slow(2 * time.Second)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := h.Load(t.Context(), "acme"); !errors.Is(err, merchant.ErrUnknown) {
				t.Errorf("the slow load: %v", err)
			}
		})
		synctest.Wait()
		h.secrets.set("one", "v1", nil)
		h.secrets.slow(0)
		h.refreshes(t, "v0", "parsed one", true, nil, 2)
		wg.Wait()
		h.gives(t, "parsed one", "v1", 2)
	})
}

func TestAMerchantThatWasMissedByAnOlderReadingIsKnown(t *testing.T) {
	in(t, "when the newer one ends", func(t *testing.T, h *house) {
		h.secrets.set("", "", errNotFound)
		h.secrets.slow(time.Second)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := h.Load(t.Context(), "acme"); !errors.Is(err, merchant.ErrUnknown) {
				t.Errorf("the older one: %v", err)
			}
		})
		synctest.Wait()
		h.secrets.set("one", "v1", nil)
		h.secrets.slow(2 * time.Second)
		h.refreshes(t, "v0", "parsed one", true, nil, 2)
		wg.Wait()
		h.gives(t, "parsed one", "v1", 2)
	})
}

func TestAPanicReachesTheCallerAndNotTheProcess(t *testing.T) {
	in(t, "a client that breaks", func(t *testing.T, h *house) {
		h.secrets.panic = "a bug"
		func() {
			defer func() {
				if p, _ := recover().(string); !strings.Contains(p, "a bug") || !strings.Contains(p, "GetSecretValue") {
					t.Errorf("recovered %q, want the cause and its stack", p)
				}
			}()
			_, err := h.Load(t.Context(), "acme")
			t.Errorf("no panic, but %v", err)
		}()
		h.secrets.panic = nil
		h.gives(t, "parsed one", "v1", 2)
	})
}
