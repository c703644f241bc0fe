package simulation

import (
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/merchant"
)

// carrier is http.RoundTripper under a name that wrapped can infer.
type carrier = http.RoundTripper

// verifier is the function of a signing.PlatformKey.
type verifier func(digest, signature []byte) error

// Guards put something around parts that ship, from outside, so that a test can switch off what keeps a promise and see
// the simulation find out. A nil one is nothing; the code that ships knows none of it.
type Guards struct {
	Table      func(ledger.Store) ledger.Store
	Reply      func(desk.Action[*merchant.Imageco]) desk.Action[*merchant.Imageco]
	Completion func(desk.Action[*merchant.WechatPay]) desk.Action[*merchant.WechatPay]
	Transport  func(http.RoundTripper) http.RoundTripper
	Verify     func(verifier) verifier
	Handler    func(lambda.Handler) lambda.Handler
	Publisher  func(lambdaio.Publisher) lambdaio.Publisher
	Deadline   bool // the desk does not see the invocation's deadline
	Pace       bool // there is no pace
	Enforce    bool // a wrong sign of 翼码's is believed although IMAGECO_RESPONSE_SIGN is enforce
}

func wrapped[T any](part T, around func(T) T) T {
	if around == nil {
		return part
	}
	return around(part)
}
