// Package assembly puts the functions together ([Build]) and starts them. It is the one place in which concrete parts
// meet: the AWS clients, the clock, the randomness, standard output.
package assembly

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
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/logging"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/internal/version"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Fail ends a function that cannot start, with one line that says why.
func Fail(action wire.Action, err error) {
	fmt.Fprintf(os.Stderr, "kesu %s: %v\n", action, err)
	os.Exit(1)
}

// Function is what both functions, and functions/watch, are made from.
type Function struct {
	Config    config.Common
	Log       *slog.Logger
	Metrics   *telemetry.Metrics
	Client    *gateway.Client
	Transport *gateway.Transport

	aws     aws.Config
	started func() // called when the first invocation is over
}

// New builds the parts. Lines for the log and the metrics go to out.
func New(ctx context.Context, c config.Common, out io.Writer) (*Function, error) {
	started := easeCollector(os.Getenv)
	// What the SDK has to say would go to standard error as text; its errors are told by whoever calls it.
	awsConfig, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, fmt.Errorf("the AWS SDK's settings: %w", err)
	}
	f := &Function{
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
	f.Client = Client(c, f.Transport, mathrand.Float64, f.Log)
	f.Log.InfoContext(ctx, "started", "version", version.String())
	return f, nil
}

// Run starts the function: it fetches what is to be fetched ahead and then serves invocations until the process ends.
func Run(ctx context.Context, f *Function, work pipeline.Work) {
	parts := Build(f.Config, f.outside(ctx), work)
	var ahead []string // for a merchant's own address the secret is needed first
	if work.Fixed {
		ahead = []string{work.Guess(&wire.Command{Action: work.Action})}
	}
	load := func(ctx context.Context, name string) error { return parts.Merchants.prefetch(ctx, name, work.Action) }
	f.prefetch(ctx, load, ahead, parts.Merchants.connect)
	lambda.Start(firstThen{parts.Handler, f.started})
}

// outside is the world as a deployed function finds it.
func (f *Function) outside(ctx context.Context) Outside {
	o := Outside{
		Log:       f.Log,
		Metrics:   f.Metrics,
		Now:       time.Now,
		Owner:     rand.Text,
		Secrets:   f.Secrets(),
		Queue:     lambdaio.Queues{Client: sync.OnceValue(f.queues)},
		Transport: f.Transport,
	}
	o.Entries, o.Tokens = f.stores(ctx)
	if f.Config.ResultBus != "" {
		o.Publisher = &lambdaio.Bus{Client: eventbridge.NewFromConfig(f.aws), Name: f.Config.ResultBus}
	}
	return o
}

// Secrets makes the Secrets Manager client. It tries a failed call once more, at once: a caller is waiting, and whoever
// called us tries again if that fails too.
func (f *Function) Secrets() *secretsmanager.Client {
	return secretsmanager.NewFromConfig(f.aws, func(o *secretsmanager.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 2
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
}

// queues is the SQS client. What it does is a favour to a record, so a failed call is not repeated.
func (f *Function) queues() lambdaio.SQS {
	return sqs.NewFromConfig(f.aws, func(o *sqs.Options) { o.RetryMaxAttempts = 1 })
}

// stores are where the ledger and the pace are kept: in one table, or each in this process (nil, for the pace).
func (f *Function) stores(ctx context.Context) (ledger.Store, pace.Store) {
	if f.Config.LedgerTable == "" {
		f.Log.WarnContext(ctx, "LEDGER_TABLE is not set: the ledger lives in this process only, "+
			"so a second process does not know what this one sent")
		return ledger.NewMemory(), nil
	}
	client := dynamodb.NewFromConfig(f.aws)
	return ledger.NewDynamoDB(client, f.Config.LedgerTable), pace.NewDynamoDB(client, f.Config.LedgerTable)
}
