package assembly

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
)

// AWS is what AWS's clients are made from.
func (f *Function) AWS() aws.Config { return f.aws }

// Start serves invocations until the process ends, after it fetched ahead what the settings name. load loads a
// merchant's keys, and base is where calls go first.
func (f *Function) Start(
	ctx context.Context,
	handler lambda.Handler,
	load func(context.Context, string) error,
	base string,
) {
	loadRoots()
	f.prefetch(ctx, load, []string{base}, func(ctx context.Context, base string) error {
		opening, err := f.Transport.Warm(ctx, base)
		if err != nil {
			return err
		}
		return opening.Wait(ctx)
	})
	lambda.Start(firstThen{handler, f.started})
}
