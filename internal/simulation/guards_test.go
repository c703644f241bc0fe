package simulation

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/wire"
)

// TestEveryGuardThatIsSwitchedOffIsCaught shows that the simulation can fail: without any one of these, it does.
func TestEveryGuardThatIsSwitchedOffIsCaught(t *testing.T) {
	for _, guard := range []struct {
		name string
		off  Guards
		kind string
	}{
		{"fencing: a late writer changes what another one holds",
			Guards{Table: func(s ledger.Store) ledger.Store { return unfenced{s} }}, KindTwice},
		{"the claim before the send: everybody gets it",
			Guards{Table: func(s ledger.Store) ledger.Store { return generous{s} }}, KindTwice},
		{"the rule against resending: what may have been done is sent once more",
			Guards{Reply: func(a desk.Action[*merchant.Imageco]) desk.Action[*merchant.Imageco] { return insistent{a} }}, KindTwice},
		{"verification: every signature of WeChat Pay is right",
			Guards{Verify: func(verifier) verifier { return func(_, _ []byte) error { return nil } }}, KindNoEffect},
		{"verification: a wrong sign of 翼码 is only warned of",
			Guards{Enforce: true}, KindNoEffect},
		{"the echo check: foreign ids look like ours",
			Guards{Transport: func(t http.RoundTripper) http.RoundTripper { return echoing{t} }}, KindNoEffect},
		{"keeping the unknown: it is released",
			Guards{Table: func(s ledger.Store) ledger.Store { return forgetful{s} }}, KindTwice},
		{"the stored transaction id: the ledger does not give it back",
			Guards{Table: func(s ledger.Store) ledger.Store { return nameless{s} }}, KindTxn},
		{"the deadline: it is not heard of", Guards{Deadline: true}, KindDeadline},
		{"the pace: there is none", Guards{Pace: true}, KindPace},
		{"keeping the message: every record of a batch counts as delivered",
			Guards{Handler: func(h lambda.Handler) lambda.Handler { return careless{h} }}, KindLost},
		{"the settled event before the deletion: publishing always works",
			Guards{Publisher: func(lambdaio.Publisher) lambdaio.Publisher { return silent{} }}, KindLost},
	} {
		t.Run(guard.name, func(t *testing.T) {
			total := runWorlds(t, 5, 20_000, Options{Faults: 0.3, Off: guard.off}, func(all *totals) bool { return all.Violations[guard.kind] > 0 })
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
	desk.Action[*merchant.Imageco]
}

func (i insistent) Send(ctx context.Context, order desk.Order[*merchant.Imageco], attempts int) (gateway.Report, error) {
	report, err := i.Action.Send(ctx, order, attempts)
	if err == nil && report.Verdict().Effect == gateway.MaybeDone {
		again, err := i.Action.Send(ctx, order, attempts)
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

func (silent) Publish(context.Context, wire.Result) error { return nil }
