package assembly

import (
	"context"
	"runtime/debug"
	"testing"
)

// target is the collector's target now.
func target() int {
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent
}

type echo struct{}

func (echo) Invoke(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

func TestTheCollectorIsEasedUntilTheFirstInvocationIsOver(t *testing.T) {
	before := target()
	h := firstThen{echo{}, easeCollector(func(string) string { return "" })}
	if got := target(); got != whileStarting {
		t.Errorf("the target is %d %% at the start, want %d", got, whileStarting)
	}
	for range 2 {
		answer, err := h.Invoke(t.Context(), []byte("hello"))
		if string(answer) != "hello" || err != nil {
			t.Errorf("answered %q, %v", answer, err)
		}
		if got := target(); got != before {
			t.Errorf("the target is %d %% afterwards, want %d", got, before)
		}
	}
}

func TestATargetOfTheOperatorsIsLeftAlone(t *testing.T) {
	before := target()
	restore := easeCollector(func(name string) string { return map[string]string{"GOGC": "off"}[name] })
	if got := target(); got != before {
		t.Errorf("the target is %d %%, want %d", got, before)
	}
	restore()
	if got := target(); got != before {
		t.Errorf("the target is %d %% afterwards, want %d", got, before)
	}
}
