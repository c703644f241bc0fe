package simulation

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/pipeline"
)

// carrier is http.RoundTripper under a name that wrapped can infer.
type carrier = http.RoundTripper

// verifier is the function of a signing.PlatformKey.
type verifier func(digest, signature []byte) error

// Guards put something around parts that ship, from outside, so that a test can switch off what keeps a promise and see
// the simulation find out. A nil one is nothing; the code that ships knows none of it.
type Guards struct {
	Table     func(ledger.Store) ledger.Store
	Reply     func(pipeline.Merchant) pipeline.Merchant
	Transport func(http.RoundTripper) http.RoundTripper
	Verify    func(verifier) verifier
	Handler   func(lambda.Handler) lambda.Handler
	Publisher func(lambdaio.Publisher) lambdaio.Publisher
	Lines     func(pace.Store) pace.Store
	Queue     func(lambdaio.Queue) lambdaio.Queue
	Ask       bool // a connection is not asked before the first byte; the asking itself is the simulation's
	Nonces    bool // each completion knows the nonces of its own answers only
	Deadline  bool // the pipeline does not see the invocation's deadline
	Pace      bool // there is no pace
	Enforce   bool // a wrong sign of 翼码's is believed although IMAGECO_RESPONSE_SIGN is enforce
}

func wrapped[T any](part T, around func(T) T) T {
	if around == nil {
		return part
	}
	return around(part)
}

// shortSighted makes the merchant anew for each completion, which then remembers no answer to another one.
type shortSighted struct {
	pipeline.Merchant
	anew func() pipeline.Merchant
}

func (s shortSighted) Send(ctx context.Context, call pipeline.Call) (gateway.Report, error) {
	return s.anew().Send(ctx, call)
}
