package lambdaio

import (
	"context"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestWhatComesAgain(t *testing.T) {
	reply := wire.Command{Action: wire.Reply}
	immediate := wire.Command{Action: wire.Reply, ImmediateService: true}
	for _, test := range []struct {
		name    string
		command wire.Command
		result  wire.Result
		again   bool
	}{
		{"what was certainly not done", reply, wire.Result{Outcome: wire.Retryable}, true},
		{"an unknown reply is for a person", reply, wire.Result{Outcome: wire.Unknown}, false},
		{"an unknown completion is repeated", wire.Command{Action: wire.Complete}, wire.Result{Outcome: wire.Unknown}, true},
		{"and a reply that is carried out once", immediate, wire.Result{Outcome: wire.Unknown}, true},
		{"unless the gateway refused to", immediate, wire.Result{Outcome: wire.Unknown, Final: true}, false},
		{"what succeeded", immediate, wire.Result{Outcome: wire.Succeeded}, false},
	} {
		if got := comesAgain(&test.command, test.result); got != test.again {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// told is a pipeline that gives one result.
type told struct{ result wire.Result }

func (t told) Do(context.Context, wire.Request) wire.Result { return t.result }

func TestWhenARecordIsLookedForAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		queued bool
		look   time.Duration
		again  bool
	}{
		{"a record of a queue, while its window is open", true, 30 * time.Second, true},
		{"once it is over", true, 0, false},
		{"what came by no queue", false, 30 * time.Second, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &Handler{Action: wire.Reply, Pipeline: told{wire.Result{Outcome: wire.Unknown, Code: wire.CodeOutcomeUnknown, LookAgain: test.look}}}
			f := h.carry(t.Context(), arrival{request: wire.Request{Command: wire.Command{Action: wire.Reply}}, queued: test.queued})
			if (f.again != nil) != test.again || test.again && f.after != test.look {
				t.Errorf("%+v", f)
			}
		})
	}
}
