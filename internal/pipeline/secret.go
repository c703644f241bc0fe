package pipeline

import (
	"context"
	"errors"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/wire"
)

// load gets the merchant's keys in time.
func (e *execution) load(ctx context.Context) (merchant.Loaded[Merchant], error) {
	ctx, cancel := budget.ForAsking(ctx)
	defer cancel()
	return e.pipeline.Merchants.Load(ctx, e.command)
}

// secretRefusal is what the merchant's secret, or the lack of one, has against sending.
func (e *execution) secretRefusal(
	ctx context.Context,
	loaded merchant.Loaded[Merchant],
	keyErr error,
) (wire.Result, bool) {
	if keyErr != nil {
		return e.keyRefusal(ctx, keyErr), false
	}
	e.through = loaded.Value.Through(e.command)
	if e.claim != nil && e.claim.Through() != "" { // a resend goes the way of the first attempt
		e.through = e.claim.Through()
	}
	problems, fieldErr := loaded.Value.Check(e.command, e.through)
	switch {
	case fieldErr != nil:
		return e.keyRefusal(ctx, fieldErr), false
	case len(problems) > 0:
		refusal := wire.Request{Command: *e.command, Problems: problems}.Refusal(e.pipeline.Now())
		refusal.Provider = e.through // it is this one that does not take it
		return refusal, false
	}
	return wire.Result{}, true
}

func (e *execution) keyRefusal(ctx context.Context, err error) wire.Result {
	var field *merchant.FieldError
	switch {
	case errors.Is(err, merchant.ErrUnknown):
		return e.result(wire.Rejected, wire.CodeUnknownMerchant, "there is no secret for this merchant")
	case errors.As(err, &field):
		return e.result(wire.Rejected, wire.CodeMerchantMisconfigured, "in the merchant's secret, "+field.Error())
	case budget.Hurried(ctx, e.started) &&
		(errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return e.outOfTime()
	}
	return e.result(wire.Retryable, wire.CodeSecretsUnavailable, err.Error())
}

// newerKey reads the secret again, because of what a gateway said about the version that is used, and uses the newer
// one from there on.
func (e *execution) newerKey(ctx context.Context, why string) (Merchant, bool) {
	asked, cancel := budget.ForAsking(ctx)
	defer cancel()
	loaded, changed, err := e.pipeline.Merchants.Refresh(asked, e.command.Merchant, e.version)
	if err != nil {
		e.pipeline.Log.WarnContext(ctx, why+", and the secret could not be read again",
			"merchant", e.command.Merchant, "error", err.Error())
		return loaded.Value, false
	}
	e.pipeline.Log.InfoContext(ctx, why+", and the secret was read again", "merchant", e.command.Merchant, "changed",
		changed)
	if !changed {
		return loaded.Value, false
	}
	if problems, fieldErr := loaded.Value.Check(e.command, e.through); len(problems) > 0 ||
		fieldErr != nil {
		return loaded.Value, false // the newer settings cannot carry this command; the refusal stands
	}
	e.version = loaded.Version
	return loaded.Value, true
}

// newerHalf is [Call.Newer].
func (e *execution) newerHalf(ctx context.Context) (*merchant.WechatPay, bool) {
	newer, changed := e.newerKey(ctx, "WeChat Pay goes by another key")
	if !changed {
		return nil, false
	}
	half, wrong := newer.WechatPay()
	return half, wrong == nil
}
