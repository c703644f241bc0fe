// Package watching puts functions/watch together and starts it. It stands apart from the assembly of the functions that
// carry out commands, so that those do not hold what only this one calls.
package watching

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/internal/assembly"
	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/watch"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Name is what functions/watch is called. It carries out no command, so it is in no list of actions.
const Name wire.Action = "watch"

// Run starts functions/watch: it serves invocations until the process ends.
func Run(ctx context.Context, f *assembly.Function, c config.Watch) {
	var notifications *watch.Notifications // made before anything is read
	outside := assembly.Outside{Log: f.Log, Metrics: f.Metrics, Now: time.Now, Secrets: f.Secrets()}
	options := assembly.CacheOptions(f.Config, outside, merchant.ParseWatched)
	warn := options.OnStale
	options.OnStale = func(ctx context.Context, merchant string, cause error) {
		notifications.Sparingly(func() { warn(ctx, merchant, cause) }) // a stranger's call needs the key as well
	}
	keys := merchant.New(c.MerchantPacks, options)
	hosts := gateway.NewHosts(c.Hosts...)
	quick := *f.Client
	quick.AttemptTimeout = min(quick.AttemptTimeout, budget.NotificationAttempt)
	api := wechatpay.New(f.Client, hosts, rand.Reader, time.Now)
	entries, pacing, books := stores(ctx, f)
	bus, openBus := aheadBus(f.AWS())
	w := &watch.Watcher{
		Keys:  keys,
		API:   api,
		Quick: api.Through(&quick),
		Pace: pace.New(pace.Options{PerMinute: c.RatePerMinute, Action: "read", Store: pacing, Keep: budget.ReadKeep,
			Now: time.Now, Log: f.Log}),
		Ledger:  ledger.New(entries, c.LedgerTTL, time.Now, rand.Text),
		Books:   books,
		Bus:     &lambdaio.Bus{Client: bus, Name: c.ResultBus},
		Log:     f.Log,
		Metrics: f.Metrics,
		Now:     time.Now,
		Open: func(ctx context.Context) { // the calls themselves tell what fails
			_, _ = f.Transport.Warm(ctx, c.Hosts[0])
			openBus(ctx)
		},

		Everybody: c.Everybody, Merchants: c.Merchants, WarnBefore: c.WarnBefore, Forget: c.LedgerTTL,
	}
	notifications = watch.NewNotifications(w)
	handler := &watch.Handler{Notifications: notifications, Names: secretNames{f.Secrets(), c.SecretPrefix}}
	if c.Queue != "" {
		handler.Queue = sweepQueue{sqs.NewFromConfig(f.AWS()), c.Queue}
	}
	f.Start(ctx, handler, func(ctx context.Context, name string) error {
		_, err := keys.Load(ctx, name)
		return err
	}, c.Hosts[0])
}

// stores are where functions/watch keeps what it told, its pace and what it remembers.
func stores(ctx context.Context, f *assembly.Function) (ledger.Store, pace.Store, watch.Books) {
	table := f.Config.LedgerTable
	if table == "" {
		f.Log.WarnContext(ctx, "LEDGER_TABLE is not set: what was told is forgotten when this process ends")
		return ledger.NewMemory(), nil, &watch.Memory{}
	}
	client := quickTable{dynamodb.NewFromConfig(f.AWS())}
	books := &watch.DynamoDB{Client: client, Table: table}
	return ledger.NewDynamoDB(client, table), pace.NewDynamoDB(client, table), books
}

// quickTable bounds each call to the table: a notification has 3.5 s for everything.
type quickTable struct{ *dynamodb.Client }

func (q quickTable) PutItem(
	ctx context.Context,
	in *dynamodb.PutItemInput,
	opts ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	return q.Client.PutItem(ctx, in, opts...)
}

func (q quickTable) DeleteItem(
	ctx context.Context,
	in *dynamodb.DeleteItemInput,
	opts ...func(*dynamodb.Options),
) (*dynamodb.DeleteItemOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	return q.Client.DeleteItem(ctx, in, opts...)
}

// secretNames lists the merchants that have a secret.
type secretNames struct {
	client *secretsmanager.Client
	prefix string
}

// List implements watch.Merchants. A secret whose name is none of a merchant's is left out.
func (s secretNames) List(ctx context.Context) ([]string, error) {
	pages := secretsmanager.NewListSecretsPaginator(
		s.client,
		&secretsmanager.ListSecretsInput{MaxResults: aws.Int32(100),
			Filters: []secrettypes.Filter{{Key: secrettypes.FilterNameStringTypeName, Values: []string{s.prefix}}}},
	)
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsFailure("ListSecrets", err)
		}
		for _, secret := range page.SecretList {
			// The filter compares without case.
			if name, ok := strings.CutPrefix(aws.ToString(secret.Name), s.prefix); ok && wire.ValidID(name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// sweepQueue is WATCH_QUEUE.
type sweepQueue struct {
	client *sqs.Client
	url    string
}

// Send implements watch.Queue.
func (q sweepQueue) Send(ctx context.Context, texts []string) error {
	in := &sqs.SendMessageBatchInput{QueueUrl: &q.url}
	for i, text := range texts {
		in.Entries = append(in.Entries,
			sqstypes.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(text)})
	}
	out, err := q.client.SendMessageBatch(ctx, in)
	switch {
	case err != nil:
		return awsFailure("SendMessageBatch", err)
	case len(out.Failed) > 0:
		return errors.New("SendMessageBatch: " + redact.AWSCode(aws.ToString(out.Failed[0].Code)))
	}
	return nil
}

// awsFailure keeps AWS's code of an error: its words name accounts and hosts.
func awsFailure(operation string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return errors.New(operation + ": " + redact.AWSCode(api.ErrorCode()))
	}
	return errors.New(operation + ": it could not be reached")
}
