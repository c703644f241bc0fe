package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
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
		role := []string{"primary", "backup"}[i]
		what := "wechatpay " + role
		if !d.visitHost(ctx, what, base) {
			continue
		}
		if m == nil {
			d.warn(what+" self-test", "was not done, because the secret cannot be used as it is", "correct the secret first")
			continue
		}
		d.selfTest(ctx, what+" self-test", base, m)
	}
}

func (d *doctor) selfTest(ctx context.Context, what, base string, m *merchant.WechatPay) {
	body, err := json.Marshal(map[string]string{"echo_message": echoMessage})
	if err != nil {
		d.fail(what, "the request cannot be made", "")
		return
	}
	for range signTests {
		nonce, err := signing.NewNonce(rand.Reader)
		if err != nil {
			d.fail(what, "the request cannot be made: no random numbers", "")
			return
		}
		authorization, err := m.Requester.Authorization(http.MethodPost, echoPath, body, time.Now(), nonce)
		if err != nil {
			d.fail(what, "the request cannot be signed", "correct mchid, serial_no and private_key")
			return
		}
		v, err := d.call(ctx, http.MethodPost, base+echoPath, http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"},
			"Authorization": {authorization}, "Wechatpay-Serial": {m.FirstKeyID}}, body)
		if err != nil {
			problem, advice := networkProblem(err, base)
			d.fail(what, problem, advice)
			return
		}
		if !strings.HasPrefix(v.header.Get("Wechatpay-Signature"), "WECHATPAY/SIGNTEST/") {
			d.judgeEcho(what, v, m)
			return
		}
	}
	d.warn(what, "every answer had a signature that is wrong on purpose (WECHATPAY/SIGNTEST/)", "WeChat Pay sends some of these to see that they are refused; try again in a minute")
}

// judgeEcho reads the answer to a self-test.
func (d *doctor) judgeEcho(what string, v visit, m *merchant.WechatPay) {
	if v.status/100 != 2 {
		d.judgeRefusal(what, v)
		return
	}
	if err := m.Platform.Verify(v.header, v.body, time.Now()); err != nil {
		problem, advice := answerProblem(err, v, m)
		d.fail(what, "the request's signature is right, but "+problem, advice)
		return
	}
	var echo struct {
		Message string `json:"echo_message"`
	}
	if json.Unmarshal(v.body, &echo) != nil || echo.Message != echoMessage {
		d.warn(what, "signing and verifying are right, but the answer does not repeat what was asked", "a proxy may stand between")
		return
	}
	d.ok(what, "private_key, serial_no and mchid are right, and the answer is signed with %s", shownID(v.header.Get("Wechatpay-Serial")))
}

// judgeRefusal words an answer that says no. WeChat Pay says which part it was in a message only.
func (d *doctor) judgeRefusal(what string, v visit) {
	code, message := wire.ReadWechatPayError(v.body)
	said := wire.Message(message)
	problem := fmt.Sprintf("WeChat Pay refused it: HTTP %d %s %s", v.status, code, said)
	find := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(message, word) {
				return true
			}
		}
		return false
	}
	switch {
	case v.status == http.StatusUnauthorized && find("序列号", "serial"):
		d.fail(what, "wechatpay.serial_no is not the serial number of a certificate of this merchant ("+said+")", "take the number of the merchant's own, current API certificate: openssl x509 -in apiclient_cert.pem -noout -serial")
	case v.status == http.StatusUnauthorized && find("timestamp", "时间"):
		d.fail(what, "the request's time is not WeChat Pay's ("+said+")", "set this machine's clock by NTP")
	case v.status == http.StatusUnauthorized && find("商户号", "mchid"):
		d.fail(what, "wechatpay.mchid is not known to WeChat Pay ("+said+")", "compare it with the 商户号 on the merchant platform")
	case v.status == http.StatusUnauthorized:
		d.fail(what, "wechatpay.private_key does not belong to the certificate that serial_no names ("+said+")", "take the apiclient_key.pem that was made together with that certificate; --certificate apiclient_cert.pem tells which of the two is wrong")
	case find("Wechatpay-Serial"):
		d.fail(what, "WeChat Pay does not know the id of the first of wechatpay.platform_keys ("+said+")", "copy the id of WeChat Pay's public key (PUB_KEY_ID_…) from the merchant platform; it belongs to one merchant only")
	case v.status == http.StatusForbidden || v.status == http.StatusNotFound:
		d.warn(what, problem, "this kind of merchant may not be allowed the self-test; what was signed was not refused for its signature")
	case code == "":
		d.fail(what, fmt.Sprintf("HTTP %d, and not an answer of WeChat Pay's", v.status), "check the address; something else may stand between")
	default:
		d.fail(what, problem, "look the code up in WeChat Pay's documentation")
	}
}

// shownID is a platform key's id, unless it may be something else that was pasted in its place.
func shownID(id string) string {
	if strings.HasPrefix(id, "PUB_KEY_ID_") || len(id) == 40 && serialForm.MatchString(id) {
		return id
	}
	return "an unusual id of " + plural(len(id), "character")
}

// answerProblem words why an answer cannot be trusted, and looks whether keys were mixed up.
func answerProblem(err error, v visit, m *merchant.WechatPay) (problem, advice string) {
	serial := v.header.Get("Wechatpay-Serial")
	maker := ""
	for _, key := range m.Platform {
		if (signing.KeySet{{ID: serial, Verify: key.Verify}}).Verify(v.header, v.body, time.Now()) == nil {
			maker = shownID(key.ID)
		}
	}
	switch {
	case errors.Is(err, signing.ErrSkew):
		return "the answer's time is not this machine's", "set this machine's clock by NTP"
	case errors.Is(err, signing.ErrKeyExpired):
		return "the answer is signed with a certificate that is not valid at this time", "replace the certificate in platform_keys"
	case errors.Is(err, signing.ErrNotSigned):
		return "the answer is not signed", "a proxy may answer in WeChat Pay's place, or take headers out"
	case errors.Is(err, signing.ErrUnknownKey) && maker != "":
		return "the answer names the key " + serial + ", and the secret has that key under another id, " + maker, "correct the id in platform_keys"
	case errors.Is(err, signing.ErrUnknownKey):
		return "the answer is signed with " + serial + ", which is not among platform_keys", "add that key; WeChat Pay is changing its keys, or the merchant has others"
	case maker != "":
		return "the keys in platform_keys are swapped: the answer names " + serial + ", and the PEM under " + maker + " made its signature", "put each PEM beside its own id"
	}
	return "the key that stands under " + serial + " in platform_keys did not sign the answer", "the PEM does not belong to the id: download WeChat Pay's public key of this merchant again"
}
