package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/signing"
)

// echoPath is WeChat Pay's self-test, which changes nothing: https://pay.weixin.qq.com/doc/v3/partner/4015139289.
const echoPath = "/v3/security/echo"

const echoMessage = "kesu doctor"

// signTests is how often a self-test is repeated when WeChat Pay answers with a signature that is wrong on purpose.
const signTests = 3

// askWechatPay visits both hosts and does the self-test on each.
func (d *doctor) askWechatPay(ctx context.Context, m *merchant.WechatPay) {
	for i, base := range d.complete.Hosts {
		if base == "" {
			continue
		}
		what := "wechatpay " + []string{"primary", "backup"}[i]
		if !d.visitHost(ctx, what, base) {
			continue
		}
		if m == nil {
			d.warn(what+" self-test", "notdone.secret")
			continue
		}
		d.selfTest(ctx, what+" self-test", base, m)
	}
}

func (d *doctor) selfTest(ctx context.Context, what, base string, m *merchant.WechatPay) {
	body, err := json.Marshal(map[string]string{"echo_message": echoMessage})
	if err != nil {
		d.fail(what, "request.impossible")
		return
	}
	for range signTests {
		nonce, err := signing.NewNonce(rand.Reader)
		if err != nil {
			d.fail(what, "request.impossible")
			return
		}
		authorization, err := m.Requester.Authorization(http.MethodPost, echoPath, body, time.Now(), nonce)
		if err != nil {
			d.fail(what, "request.unsigned")
			return
		}
		v, err := d.call(ctx, http.MethodPost, base+echoPath, http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"},
			"Authorization": {authorization}, "Wechatpay-Serial": {m.FirstKeyID}}, body)
		if err != nil {
			id, args := networkProblem(err, base)
			d.fail(what, id, args...)
			return
		}
		if !strings.HasPrefix(v.header.Get("Wechatpay-Signature"), "WECHATPAY/SIGNTEST/") {
			d.judgeEcho(what, v, m, authorization)
			return
		}
	}
	d.warn(what, "echo.signtest")
}

// judgeEcho reads the answer to a self-test.
func (d *doctor) judgeEcho(what string, v visit, m *merchant.WechatPay, authorization string) {
	if v.status/100 != 2 {
		d.judgeRefusal(what, v, m.Hidden.With(signing.SecretsOf(authorization)...))
		return
	}
	if err := m.Platform.Verify(v.header, v.body, time.Now()); err != nil {
		id, args := answerProblem(err, v, m)
		d.fail(what, id, args...)
		return
	}
	var echo struct {
		Message string `json:"echo_message"`
	}
	if json.Unmarshal(v.body, &echo) != nil || echo.Message != echoMessage {
		d.warn(what, "echo.other")
		return
	}
	d.ok(what, "echo.ok", shownID(v.header.Get("Wechatpay-Serial")))
}

// judgeRefusal words an answer that says no. WeChat Pay says which part it was in a message only, and seldom signs it.
func (d *doctor) judgeRefusal(what string, v visit, hidden redact.Secrets) {
	code, message := messages.ReadError(v.body)
	code = hidden.Code(code)
	said := hidden.Text(message)
	find := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(message, word) {
				return true
			}
		}
		return false
	}
	switch {
	case code == "":
		d.fail(what, "echo.notwechat", v.status)
	case v.status == http.StatusUnauthorized && find("序列号", "serial"):
		d.fail(what, "echo.serial", said)
	case v.status == http.StatusUnauthorized && find("timestamp", "时间"):
		d.fail(what, "echo.time", said)
	case v.status == http.StatusUnauthorized && find("商户号", "mchid"):
		d.fail(what, "echo.mchid", said)
	case v.status == http.StatusUnauthorized:
		d.fail(what, "echo.signature", said)
	case find("Wechatpay-Serial"):
		d.fail(what, "echo.named", said)
	case v.status == http.StatusForbidden || v.status == http.StatusNotFound:
		d.warn(what, "echo.forbidden", v.status, code, said)
	case v.status == http.StatusTooManyRequests || v.status >= 500:
		d.fail(what, "echo.busy", v.status, code, said)
	default:
		d.fail(what, "echo.refused", v.status, code, said)
	}
}

// shownID is a platform key's id, unless it may be something else that was pasted in its place.
func shownID(id string) string {
	if strings.HasPrefix(id, "PUB_KEY_ID_") && len(id) <= 64 || len(id) == 40 && serialForm.MatchString(id) {
		return id
	}
	return "(an unusual id)"
}

// answerProblem finds why an answer cannot be trusted, and whether keys were mixed up.
func answerProblem(err error, v visit, m *merchant.WechatPay) (id string, args []any) {
	serial := v.header.Get("Wechatpay-Serial")
	maker := ""
	public, certificates := false, false
	for _, key := range m.Platform {
		if (signing.KeySet{{ID: serial, Verify: key.Verify}}).Verify(v.header, v.body, time.Now()) == nil {
			maker = shownID(key.ID)
		}
		public = public || strings.HasPrefix(key.ID, "PUB_KEY_ID_")
		certificates = certificates || !key.NotAfter.IsZero()
	}
	shown := shownID(cmp.Or(m.Hidden.ID(serial), "an id that cannot be shown"))
	switch {
	case errors.Is(err, signing.ErrSkew):
		return "answer.time", nil
	case errors.Is(err, signing.ErrKeyExpired):
		return "answer.expired", nil
	case errors.Is(err, signing.ErrNotSigned):
		return "answer.unsigned", nil
	case errors.Is(err, signing.ErrUnknownKey) && maker != "":
		return "answer.otherid", []any{shown, maker}
	case errors.Is(err, signing.ErrUnknownKey) && serialForm.MatchString(serial) && public && !certificates:
		return "answer.grey", []any{shown}
	case errors.Is(err, signing.ErrUnknownKey) && serialForm.MatchString(serial):
		return "answer.certificate", []any{shown}
	case errors.Is(err, signing.ErrUnknownKey):
		return "answer.public", []any{shown}
	case maker != "":
		return "answer.swapped", []any{shown, maker}
	}
	return "answer.foreign", []any{shown}
}
