package pipeline

import (
	"context"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/internal/wechatpay"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// Merchant is what opening a merchant's secret gave: it carries out the commands of one function for that merchant. It
// is kept for as long as its version of the secret, and serves any number of commands at the same time.
type Merchant interface {
	// Through is the gateway that carries the command, when no earlier attempt went through one.
	Through(command *wire.Command) wire.Provider
	// Check finds what only the merchant's settings can tell: problems of the request, or of the secret.
	Check(command *wire.Command, through wire.Provider) ([]wire.Problem, *merchant.FieldError)
	// Send asks the gateway and judges what it says. An error means that a request could not be made; the report holds
	// what was sent before.
	Send(ctx context.Context, call Call) (gateway.Report, error)
	// WechatPay is the half of the secret by which WeChat Pay's answers are verified, or what is wrong with it. It may
	// take the time to parse a key.
	WechatPay() (*merchant.WechatPay, *merchant.FieldError)

	// Base is where calls through a gateway go first, so that a connection can be opened ahead; empty when nobody says.
	Base(through wire.Provider) string
	// LastCertificate is the certificate of WeChat Pay's that ends last, if anything is known of one.
	LastCertificate() (certificate signing.PlatformKey, ok bool)
}

// Looker is a [Merchant] whose replies can be seen once they were carried out: contract, section 6.1. It is asked only
// when [Merchant.WechatPay] has nothing wrong.
type Looker interface {
	// Look gives the items of the complaint's history that show the command, in any order. It ends with the time end.
	Look(ctx context.Context, call Call, claimedAt, end time.Time) ([]messages.Item, *wechatpay.Failure)
	// State reads the complaint's state. It ends with the time end.
	State(ctx context.Context, call Call, end time.Time) (string, *wechatpay.Failure)
}

// Call is what a merchant is told to do something about one command: to send it, or to look for it.
type Call struct {
	Command       *wire.Command
	Through       wire.Provider
	TransactionID string     // the ledger's; empty for a completion
	Turn          *pace.Turn // gives a token for each attempt
	Attempts      int        // the most that there may be; 0: MAX_ATTEMPTS

	// Newer reads the merchant's secret again, because an answer is signed by a key that is not in it, and reports
	// whether it is another one now. It reads at most every 30 s.
	Newer func(ctx context.Context) (*merchant.WechatPay, bool)
}

// Merchants gives merchants by their names, as they are kept or opened from their secrets.
type Merchants interface {
	// Load gives the merchant of a command. What came beside a [*merchant.FieldError] can serve for something else.
	Load(ctx context.Context, command *wire.Command) (merchant.Loaded[Merchant], error)
	// Refresh reads a merchant's secret again, and reports whether it is another version now.
	Refresh(ctx context.Context, name, version string) (merchant.Loaded[Merchant], bool, error)
}

// Work is what one function does, for whoever puts the function together.
type Work struct {
	Action wire.Action
	Also   []wire.Action // further actions, which come by HTTP only
	// Open makes a merchant from its secret's text. A merchant beside a [*merchant.FieldError] can do what the wrong
	// part is not needed for, and says itself what is wrong when it is.
	Open func(secret string) (Merchant, error)
	// Guess is where the calls of a command go, most likely, while nothing is known of its merchant; it may be empty.
	Guess func(command *wire.Command) string
	Fixed bool // it is the same for every merchant
	// Words are what two commands about a complaint are told apart by where they can be seen; nil: they cannot be seen.
	Words func(command *wire.Command) string
}
