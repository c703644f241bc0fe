package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/pkg/wire"
)

// guard is what is switched off, and what the simulation calls what comes of it.
type guard struct {
	name string
	off  Guards
	kind string

	twins float64 // see Options; 0: as usual
}

// TestEveryGuardThatIsSwitchedOffIsCaught shows that the simulation can fail: without any one of these, it does.
func TestEveryGuardThatIsSwitchedOffIsCaught(t *testing.T) {
	for _, guard := range append([]guard{
		{"fencing: a late writer changes what another one holds",
			Guards{Table: func(s ledger.Store) ledger.Store { return unfenced{s} }}, KindTwice, 0},
		{"the claim before the send: everybody gets it",
			Guards{Table: func(s ledger.Store) ledger.Store { return generous{s} }}, KindTwice, 0},
		{"the rule against resending: what may have been done is sent once more",
			Guards{Reply: func(m pipeline.Merchant) pipeline.Merchant { return insistent{m} }}, KindTwice, 0},
		{"verification: every signature of WeChat Pay is right",
			Guards{Verify: func(verifier) verifier { return func(_, _ []byte) error { return nil } }}, KindNoEffect, 0},
		{"verification: a wrong sign of 翼码 is only warned of",
			Guards{Enforce: true}, KindNoEffect, 0},
		{"the echo check: foreign ids look like ours",
			Guards{Transport: func(t http.RoundTripper) http.RoundTripper { return echoing{t} }}, KindNoEffect, 0},
		{"keeping the unknown: it is released",
			Guards{Table: func(s ledger.Store) ledger.Store { return forgetful{s} }}, KindTwice, 0},
		{"the stored transaction id: the ledger does not give it back",
			Guards{Table: func(s ledger.Store) ledger.Store { return nameless{s} }}, KindTxn, 0},
		{"the deadline: it is not heard of", Guards{Deadline: true}, KindDeadline, 0},
		{"the pace: there is none", Guards{Pace: true}, KindPace, 0},
		{"keeping the message: every record of a batch counts as delivered",
			Guards{Handler: func(h lambda.Handler) lambda.Handler { return careless{h} }}, KindLost, 0},
		{"the settled event before the deletion: publishing always works",
			Guards{Publisher: func(lambdaio.Publisher) lambdaio.Publisher { return silent{} }}, KindLost, 0},
		{"a connection for each reply: it goes on one that is kept",
			Guards{Transport: func(t http.RoundTripper) http.RoundTripper { return sharing{t} }}, KindTwice, 0},
		{"the question before the first byte: it is not asked", Guards{Ask: true}, KindNeedless, 0},
		{"the nonces: each completion knows those of its own answers only",
			Guards{Nonces: true}, KindNoEffect, 0},
		{"the echo check of refusals: foreign ids look like ours",
			Guards{Transport: func(t http.RoundTripper) http.RoundTripper { return echoing{t} }}, KindUndone, 0},
		{"failing on what cannot be read: it is taken for done",
			Guards{Handler: func(h lambda.Handler) lambda.Handler { return forgiving{h} }}, KindDropped, 0},
		{"visibility: the queue is never told when a record comes again",
			Guards{Queue: func(lambdaio.Queue) lambdaio.Queue { return untold{} }}, KindLate, 0},
		{"one pace for all processes: each has its own",
			Guards{Lines: func(pace.Store) pace.Store { return pace.NewMemory() }}, KindPace, 0},
	}, lookGuards...) {
		t.Run(guard.name, func(t *testing.T) {
			total := runWorlds(t, 5, 20_000, Options{Faults: 0.3, Off: guard.off, Twins: guard.twins}, func(all *totals) bool { return all.Violations[guard.kind] > 0 })
			for _, v := range total.found {
				if v.Kind == guard.kind {
					first, _, _ := strings.Cut(v.String(), "\n")
					t.Logf("caught after %d commands: %s (seed %d)", total.Commands, first, v.Seed)
					return
				}
			}
			t.Errorf("not caught in %d commands: nothing was found of the kind %q", total.Commands, guard.kind)
		})
	}
}

// peek reads an entry without changing it.
func peek(ctx context.Context, s ledger.Store, id string) *ledger.Entry {
	found, err := s.Put(ctx, ledger.Entry{ID: id}, ledger.Condition{Owner: "nobody", State: ledger.Claimed})
	if err != nil || found == nil {
		return &ledger.Entry{}
	}
	return found
}

// unfenced ignores who the holder is.
type unfenced struct{ ledger.Store }

func (u unfenced) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	if cond.State != ledger.Absent {
		cond.Owner = peek(ctx, u.Store, e.ID).Owner
	}
	return u.Store.Put(ctx, e, cond)
}

func (u unfenced) Delete(ctx context.Context, id, _ string) error {
	return u.Store.Delete(ctx, id, peek(ctx, u.Store, id).Owner)
}

// generous grants every claim.
type generous struct{ ledger.Store }

func (g generous) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	if found := peek(ctx, g.Store, e.ID); e.State == ledger.Claimed && found.State != ledger.Absent {
		cond = ledger.Condition{Owner: found.Owner, State: found.State}
	}
	return g.Store.Put(ctx, e, cond)
}

// forgetful deletes what is settled as unknown.
type forgetful struct{ ledger.Store }

func (f forgetful) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	if e.State == ledger.Unknown {
		return nil, f.Store.Delete(ctx, e.ID, e.Owner)
	}
	return f.Store.Put(ctx, e, cond)
}

// nameless does not give the stored transaction id back.
type nameless struct{ ledger.Store }

func (n nameless) Put(ctx context.Context, e ledger.Entry, cond ledger.Condition) (*ledger.Entry, error) {
	found, err := n.Store.Put(ctx, e, cond)
	if found != nil {
		found.TransactionID = ""
	}
	return found, err
}

// insistent sends once more what may have been carried out.
type insistent struct {
	pipeline.Merchant
}

func (i insistent) Send(ctx context.Context, call pipeline.Call) (gateway.Report, error) {
	report, err := i.Merchant.Send(ctx, call)
	if err == nil && report.Verdict().Effect == gateway.MaybeDone {
		again, err := i.Merchant.Send(ctx, call)
		return report.Then(again), err
	}
	return report, err
}

// echoing makes every answer of 翼码's echo the ids that were sent.
type echoing struct{ http.RoundTripper }

var ids = regexp.MustCompile(`9(caller|resend|2002|[0-9a-f]{32})`)

func (e echoing) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := e.RoundTripper.RoundTrip(request)
	if err != nil || request.URL.Host != imagecoHost {
		return response, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, gateway.MaxAnswer+1))
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(ids.ReplaceAll(body, []byte("$1"))))
	return response, nil
}

// careless says of every batch that all of it was delivered.
type careless struct{ lambda.Handler }

func (c careless) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := c.Handler.Invoke(ctx, payload)
	if bytes.Contains(answer, []byte("batchItemFailures")) {
		return []byte(`{"batchItemFailures":[]}`), err
	}
	return answer, err
}

// silent publishes nothing.
type silent struct{}

func (silent) Publish(context.Context, wire.Result, json.RawMessage) error { return nil }

// sharing lets every request use a kept connection.
type sharing struct{ http.RoundTripper }

func (s sharing) RoundTrip(request *http.Request) (*http.Response, error) {
	shared := *request
	shared.Close = false
	return s.RoundTripper.RoundTrip(&shared)
}

// forgiving takes what cannot be read for done.
type forgiving struct{ lambda.Handler }

func (f forgiving) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := f.Handler.Invoke(ctx, payload)
	var failure messages.InvokeResponse_Error
	if errors.As(err, &failure) && failure.Type == wire.CodeUnreadableEvent {
		return []byte("null"), nil
	}
	return answer, err
}

// untold is a queue that is not told.
type untold struct{}

func (untold) ShowAfter(context.Context, string, string, time.Duration) error { return nil }
