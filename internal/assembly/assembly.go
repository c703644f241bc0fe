package assembly

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Outside is what a function finds around it, apart from the gateways, which its [pipeline.Work] knows.
type Outside struct {
	Log       *slog.Logger
	Metrics   *telemetry.Metrics
	Now       func() time.Time
	Owner     func() string // a new name for the owner of a claim
	Secrets   merchant.SecretReader
	Entries   ledger.Store
	Tokens    pace.Store // nil: each pace counts in this process
	Queue     lambdaio.Queue
	Publisher lambdaio.Publisher // nil: nobody is told
	Transport *gateway.Transport // opens connections ahead; nil: none is
}

// Client makes the client of a function's gateways; random is 0 up to 1, for the jitter of its waits.
func Client(c config.Common, to http.RoundTripper, random func() float64, log *slog.Logger) *gateway.Client {
	return &gateway.Client{
		Transport:      to,
		MaxAttempts:    c.MaxAttempts,
		AttemptTimeout: c.AttemptTimeout,
		Random:         random,
		Log:            log,
	}
}

// Parts are a function put together, but for what starts it.
type Parts struct {
	Handler   *lambdaio.Handler
	Pipeline  *pipeline.Pipeline
	Merchants *Warming
}

// Build puts a function together. Whoever runs one has it from here: the function itself, the simulation and the
// benchmarks.
func Build(c config.Common, o Outside, work pipeline.Work) Parts {
	merchants := &Warming{
		Cache:     merchant.New(c.MerchantPacks, CacheOptions(c, o, work.Open)),
		Transport: o.Transport,
		Guess:     work.Guess,
		Roots:     sync.OnceFunc(loadRoots),
	}
	paces := map[wire.Action]*pace.Pace{}
	for _, action := range append([]wire.Action{work.Action}, work.Also...) {
		paces[action] = paceOf(c, o, action)
	}
	line := &pipeline.Pipeline{
		Merchants: merchants,
		Ledger:    ledger.New(o.Entries, c.LedgerTTL, o.Now, o.Owner),
		Paces:     paces,
		Reads:     readsOf(c, o),
		Log:       o.Log,
		Metrics:   o.Metrics,
		Now:       o.Now,
		Words:     work.Words,
		Window:    c.UnknownWindow,
	}
	handler := &lambdaio.Handler{
		Action:        work.Action,
		ByHTTP:        work.Also,
		Pipeline:      line,
		Publisher:     o.Publisher,
		Queue:         o.Queue,
		CallerClaim:   c.CallerClaim,
		Log:           o.Log,
		OnUnpublished: func() { o.Metrics.Unpublished(o.Now()) },
	}
	return Parts{handler, line, merchants}
}

// CacheOptions are those of a cache of what open makes of merchants' secrets.
func CacheOptions[M Certified](
	c config.Common,
	o Outside,
	open func(secret string) (M, error),
) merchant.Options[M] {
	return merchant.Options[M]{
		Client:  o.Secrets,
		Prefix:  c.SecretPrefix,
		Parse:   open,
		SoftTTL: c.SecretSoftTTL,
		HardTTL: c.SecretHardTTL,
		Now:     o.Now,
		OnRead:  KeyEnds[M](o.Metrics, o.Now),
		OnStale: func(ctx context.Context, merchant string, cause error) {
			o.Log.WarnContext(ctx, "an old key is used, because the secret cannot be read", "merchant", merchant,
				"error", cause.Error())
		},
	}
}

// paceOf is an action's pace; each has its own, at the function's figure. One attempt and its settling must fit into
// what is left of an invocation once a token was waited for.
func paceOf(c config.Common, o Outside, action wire.Action) *pace.Pace {
	return pace.New(pace.Options{
		PerMinute: c.RatePerMinute, Action: string(action), Store: o.Tokens,
		Keep: c.AttemptTimeout + time.Second, Now: o.Now, Log: o.Log,
	})
}

// readsOf is the pace of reading complaints. A look that finds no token is made another time, so nobody waits for one.
func readsOf(c config.Common, o Outside) *pace.Pace {
	return pace.New(
		pace.Options{PerMinute: c.ReadsPerMinute, Action: "read", Store: o.Tokens, Now: o.Now, Log: o.Log})
}
