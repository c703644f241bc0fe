package sandbox

import (
	"context"
	"errors"
	"testing"
)

func TestRecorderKeepsTheLatestCalls(t *testing.T) {
	var r Recorder
	for range recordLimit + 1 {
		r.arrive(Call{})
	}
	calls := r.Calls()
	if r.Len() != recordLimit+1 || len(calls) > recordLimit || calls[len(calls)-1].N != recordLimit+1 {
		t.Errorf("%d counted, %d kept, the latest is %d", r.Len(), len(calls), calls[len(calls)-1].N)
	}
	r.update(Call{N: 1, Code: "forgotten"})
	r.update(Call{N: recordLimit, Code: "OK"})
	calls = r.Calls()
	if got := calls[len(calls)-2]; got.Code != "OK" {
		t.Errorf("the last but one is %+v", got)
	}
	r.Reset()
	r.update(Call{N: recordLimit, Code: "OK"})
	if n := r.arrive(Call{}); n != recordLimit+2 || r.Len() != 1 {
		t.Errorf("after Reset: number %d, %d counted", n, r.Len())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Wait(ctx, func([]Call) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
}
