package assembly

import (
	"context"
	"errors"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Warming gives merchants, and opens the connection to a merchant's gateway while its secret is read and the ledger is
// asked. The call itself reports what fails then.
type Warming struct {
	merchant.Cache[pipeline.Merchant]
	Transport *gateway.Transport                 // nil: no connection is opened ahead
	Guess     func(command *wire.Command) string // [pipeline.Work.Guess]
	// Roots begins to read the TLS roots, once.
	Roots func()
}

var _ pipeline.Merchants = (*Warming)(nil)

// Load gives the merchant of a command.
//
// Which gateway is the merchant's stands in its secret. The one that the kept secret names is taken; without one the
// guess, whose connection is closed again when the secret names another.
func (w *Warming) Load(ctx context.Context, c *wire.Command) (merchant.Loaded[pipeline.Merchant], error) {
	if w.Transport == nil {
		return w.load(ctx, c.Merchant)
	}
	w.Roots()
	base := w.Guess(c)
	if m, ok := w.Kept(c.Merchant); ok {
		base = m.Base(m.Through(c))
	}
	opening, _ := w.Transport.Warm(ctx, base)
	loaded, err := w.load(ctx, c.Merchant)
	if err != nil {
		return loaded, err
	}
	if right := loaded.Value.Base(loaded.Value.Through(c)); right != base {
		opening.Discard()
		_, _ = w.Transport.Warm(ctx, right)
	}
	return loaded, nil
}

// load gives a merchant also when a part of its secret is wrong: the merchant itself says what, to a command that needs
// that part.
func (w *Warming) load(ctx context.Context, name string) (merchant.Loaded[pipeline.Merchant], error) {
	loaded, err := w.Cache.Load(ctx, name)
	var field *merchant.FieldError
	if errors.As(err, &field) && loaded.Value != nil {
		return loaded, nil
	}
	return loaded, err
}

// prefetch loads a merchant, and then opens the connection of its commands and waits for that.
func (w *Warming) prefetch(ctx context.Context, name string, action wire.Action) error {
	loaded, err := w.Cache.Load(ctx, name)
	if err != nil {
		return err
	}
	return w.connect(ctx, loaded.Value.Base(loaded.Value.Through(&wire.Command{Action: action})))
}

func (w *Warming) connect(ctx context.Context, base string) error {
	opening, err := w.Transport.Warm(ctx, base)
	if err != nil {
		return err
	}
	return opening.Wait(ctx)
}
