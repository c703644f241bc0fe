// Package wiring builds what the two functions have in common, and starts them. It is the one place in which concrete
// parts meet: the AWS clients, the clock, the randomness, standard output.
package wiring

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Fail ends a function that cannot start, with one line that says why.
func Fail(action wire.Action, err error) {
	fmt.Fprintf(os.Stderr, "kesu %s: %v\n", action, err)
	os.Exit(1)
}

// Function is one function's parts that do not depend on which half of a secret it needs.
type Function struct {
	Action    wire.Action
	Config    config.Common
	Log       *slog.Logger
	Metrics   *telemetry.Metrics
	Client    *gateway.Client
	Transport *gateway.Transport

	aws     aws.Config
	started func() // called when the first invocation is over
}

// New builds the parts. Lines for the log and the metrics go to out.
func New(ctx context.Context, action wire.Action, c config.Common, out io.Writer) (*Function, error) {
	started := easeCollector(os.Getenv)
	awsConfig, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("the AWS SDK's settings: %w", err)
	}
	f := &Function{
		Action:    action,
		Config:    c,
		Log:       telemetry.NewLogger(out, c.LogLevel),
		Metrics:   telemetry.NewMetrics(out),
		Transport: gateway.NewTransport(nil),
		aws:       awsConfig,
		started:   started,
	}
	// aws-lambda-go logs what a handler returns as an error with the standard logger; so that is a JSON line too.
	slog.SetDefault(f.Log)
	slog.SetLogLoggerLevel(slog.LevelError)
	f.Client = &gateway.Client{
		Transport:      f.Transport,
		Pace:           gateway.NewPace(c.RatePerMinute),
		MaxAttempts:    c.MaxAttempts,
		AttemptTimeout: c.AttemptTimeout,
		Random:         mathrand.Float64,
		Log:            f.Log,
	}
	return f, nil
}

// Run starts the function: it fetches what is to be fetched ahead and then serves invocations until the process ends.
// gateways are the addresses to open connections to ahead.
func Run[M any](ctx context.Context, f *Function, action desk.Action[M], parse func(secret string) (M, error), gateways []string) {
	keys := merchant.NewStore(merchant.Options[M]{
		Client:  f.secrets(),
		Prefix:  f.Config.SecretPrefix,
		Parse:   parse,
		SoftTTL: f.Config.SecretSoftTTL,
		HardTTL: f.Config.SecretHardTTL,
		Now:     time.Now,
		OnStale: func(ctx context.Context, merchant string, cause error) {
			f.Log.WarnContext(ctx, "an old key is used, because the secret cannot be read", "merchant", merchant, "error", cause.Error())
		},
	})
	roots := sync.OnceFunc(loadRoots)
	handler := &lambdaio.Handler{
		Action: f.Action,
		Desk: &desk.Desk[M]{
			Action: action, Keys: keys, Ledger: f.ledger(ctx), Log: f.Log, Metrics: f.Metrics, Now: time.Now,
			Warm: func(ctx context.Context) {
				roots()
				_ = f.Transport.Warm(ctx, gateways[0]) // the call itself reports a failure
			},
		},
		Log: f.Log,
	}
	if f.Config.ResultBus != "" {
		handler.Publisher = &lambdaio.Bus{Client: eventbridge.NewFromConfig(f.aws), Name: f.Config.ResultBus}
	}
	f.prefetch(ctx, gateways, func(ctx context.Context, name string) error {
		_, err := keys.Load(ctx, name)
		return err
	})
	lambda.Start(firstThen{handler, f.started})
}

// secrets is the Secrets Manager client. It tries a failed call once more, at once: a caller is waiting, and whoever
// called us tries again if that fails too.
func (f *Function) secrets() *secretsmanager.Client {
	return secretsmanager.NewFromConfig(f.aws, func(o *secretsmanager.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 2
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
}

func (f *Function) ledger(ctx context.Context) *ledger.Ledger {
	var store ledger.Store
	if f.Config.LedgerTable != "" {
		store = ledger.NewDynamoDB(dynamodb.NewFromConfig(f.aws), f.Config.LedgerTable)
	} else {
		store = ledger.NewMemory()
		f.Log.WarnContext(ctx, "LEDGER_TABLE is not set: the ledger lives in this process only, "+
			"so a second process does not know what this one sent")
	}
	return ledger.New(store, f.Config.LedgerTTL, time.Now, rand.Text)
}
