package merchant

import (
	"errors"
	"sync"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Replier is a merchant's secret as functions/reply needs it: the half that carries its replies, and WeChat Pay's,
// which uploads pictures and shows what became of a reply whichever half carried it.
type Replier struct {
	Through wire.Provider // reply_through: which gateway carries the replies

	imageco   *Imageco
	wrong     *FieldError // what is wrong with the half of 翼码
	wechatPay func() (*WechatPay, *FieldError)
}

// ParseReplier reads a secret's text, of at most 64 KiB; checkURL is that of [ParseImageco]. Its error, a
// [*FieldError], says why no reply can be carried. A Replier beside the error can still do what needs the other half.
func ParseReplier(secret string, checkURL func(string) error) (*Replier, error) {
	whole, err := parseSecret(secret, "reply_through")
	if err != nil {
		return nil, err
	}
	through, err := whole.choice("reply_through", string(wire.Imageco), string(wire.WechatPay))
	if err != nil {
		return nil, err
	}
	r := &Replier{Through: wire.Provider(through)}
	r.imageco, r.wrong = half(ParseImageco(secret, checkURL))
	// Its keys cost time to parse, and most replies do not need them.
	r.wechatPay = sync.OnceValues(func() (*WechatPay, *FieldError) { return half(ParseWechatPay(secret)) })
	wrong := r.wrong
	if r.Through == wire.WechatPay {
		_, wrong = r.wechatPay()
	}
	if wrong != nil { // a nil *FieldError in an error would not be nil
		return r, wrong
	}
	return r, nil
}

// NewReplier puts halves together that were read by other means than [ParseReplier]. A nil one is missing.
func NewReplier(through wire.Provider, imageco *Imageco, wechatPay *WechatPay) *Replier {
	r := &Replier{Through: through, imageco: imageco}
	var wrong *FieldError
	if imageco == nil {
		r.wrong = &FieldError{"imageco", "is missing"}
	}
	if wechatPay == nil {
		wrong = &FieldError{"wechatpay", "is missing"}
	}
	r.wechatPay = func() (*WechatPay, *FieldError) { return wechatPay, wrong }
	return r
}

// half takes the field out of the error of a half's parser.
func half[T any](value *T, err error) (*T, *FieldError) {
	var wrong *FieldError
	if err != nil && !errors.As(err, &wrong) {
		wrong = &FieldError{secretField, "cannot be read"}
	}
	return value, wrong
}

// Imageco is the half of 翼码, or what is wrong with it.
func (r *Replier) Imageco() (*Imageco, *FieldError) { return r.imageco, r.wrong }

// WechatPay is the half of WeChat Pay, or what is wrong with it. It may be called by several goroutines.
func (r *Replier) WechatPay() (*WechatPay, *FieldError) { return r.wechatPay() }

// LastCertificate is that of the half of WeChat Pay when it carries the replies. When 翼码 does, that half is not parsed
// before it is needed, so nothing is known of its keys.
func (r *Replier) LastCertificate() (certificate signing.PlatformKey, ok bool) {
	if r.Through != wire.WechatPay {
		return certificate, false
	}
	half, wrong := r.wechatPay()
	if wrong != nil {
		return certificate, false
	}
	return half.LastCertificate()
}
