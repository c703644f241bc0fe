package simulation

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// wechatpay is WeChat Pay: it verifies, settles the complaint if its state allows that, tells the complaint's state, and
// signs what it says.
type wechatpay struct{}

// Codes of its honest answers besides WeChat Pay's own.
const (
	saysDone  = "done"
	saysState = "state"
)

// act implements server.
func (g wechatpay) act(a *attempt) string {
	m := a.w.merchants[a.v.command.merchant]
	if !m.accepts(g.signedVersion(a), time.Since(a.w.began)) {
		return wire.WechatPaySignError
	}
	complaint := a.v.command.group
	if a.step == stepState {
		return saysState
	}
	if a.request.URL.Path != wire.CompletePath(complaint.complaint) {
		a.w.violate(a.v, KindOther, "a completion of another complaint was sent: %s", a.request.URL.Path)
	}
	switch {
	case !complaint.completable, complaint.processed && !complaint.lies:
		return wire.WechatPayInvalidRequest
	}
	a.w.completed(a.v)
	return saysDone
}

// signedVersion is the version of the merchant's key that the request is signed with; -1 is none. A nonce that comes
// twice is a broken promise. w.mu is held.
func (wechatpay) signedVersion(a *attempt) int {
	m := a.w.merchants[a.v.command.merchant]
	said, err := signing.ParseAuthorization(a.request.Header.Get("Authorization"))
	if err != nil {
		return -1
	}
	if a.w.nonces[said.Nonce] {
		a.w.violate(a.v, KindOther, "a nonce was sent twice")
	}
	a.w.nonces[said.Nonce] = true
	for version := len(m.texts) - 1; version >= 0; version-- {
		if said.Verify(a.request.Method, a.request.URL.RequestURI(), a.body, cheapKey(m.privateKey(version)).verify) == nil {
			return version
		}
	}
	return -1
}

// answer implements server.
func (g wechatpay) answer(a *attempt, code string) *http.Response {
	a.code = code
	switch code {
	case saysDone:
		return g.sign(a, a.plain(http.StatusNoContent, ""), "", rightSign)
	case saysState:
		return g.say(a, http.StatusOK, g.state(a, ""), rightSign)
	case wire.WechatPaySignError:
		return g.say(a, http.StatusUnauthorized, `{"code":"SIGN_ERROR","message":"signature","detail":{"sign_information":{}}}`, noSign)
	}
	return g.say(a, http.StatusBadRequest, `{"code":"INVALID_REQUEST","message":"the state does not allow it"}`, rightSign)
}

// state is the complaint as the gateway tells it; foreign is put before its id.
func (wechatpay) state(a *attempt, foreign string) string {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	state := "PROCESSING"
	if a.v.command.group.processed {
		state = wire.StateProcessed
	}
	if foreign != "" {
		state = wire.StateProcessed // of the other complaint
	}
	return `{"complaint_id":"` + foreign + a.v.command.group.complaint + `","complaint_state":"` + state + `"}`
}

func (g wechatpay) say(a *attempt, status int, body string, how signs) *http.Response {
	return g.sign(a, a.plain(status, body), body, how)
}

// sign signs an answer with the platform key that the request names.
func (wechatpay) sign(a *attempt, response *http.Response, body string, how signs) *http.Response {
	response.Header.Set("Request-ID", "0"+strconv.FormatUint(a.n, 10))
	if how == noSign {
		return response
	}
	serial := a.request.Header.Get("Wechatpay-Serial")
	at, nonce := time.Now(), strconv.FormatUint(a.v.id^a.n, 16)
	if how == oldSign {
		at = at.Add(-10 * time.Minute)
	}
	// The key of an id PUB_KEY_ID_<merchant>_<version> is platform-<merchant>-<version>.
	name := strings.TrimPrefix(serial, "PUB_KEY_ID_")
	cut := strings.LastIndexByte(name, '_')
	key := cheapKey("platform-" + name[:cut] + "-" + name[cut+1:])
	if how == wrongSign {
		key = "somebody else's"
	}
	signature, err := signing.SignAnswer(key, at, nonce, []byte(body))
	if err != nil {
		panic(err)
	}
	if how == testSign {
		signature = "WECHATPAY/SIGNTEST/" + signature
	}
	response.Header.Set("Wechatpay-Timestamp", strconv.FormatInt(at.Unix(), 10))
	response.Header.Set("Wechatpay-Nonce", nonce)
	response.Header.Set("Wechatpay-Signature", signature)
	response.Header.Set("Wechatpay-Serial", serial)
	return response
}

// misbehave implements server.
func (g wechatpay) misbehave(a *attempt) *http.Response {
	switch a.fault {
	case refuses:
		status := []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusForbidden}[a.one(4)]
		code := []string{"PARAM_ERROR", "NO_AUTH", "RESOURCE_NOT_EXISTS", ""}[a.one(4)]
		how := rightSign
		if a.odd() {
			how = noSign
		}
		if code == "" {
			return a.plain(status, "<html>forbidden</html>")
		}
		return g.say(a, status, `{"code":"`+code+`","message":"refused"}`, how)
	case refusesKey:
		return g.answer(a, wire.WechatPaySignError)
	case forges:
		return g.done(a, a.odd(), wrongSign)
	case signTest:
		return g.done(a, a.odd(), testSign)
	case unsigned:
		return g.done(a, a.odd(), noSign)
	case staleAnswer:
		return g.done(a, false, oldSign)
	case echoesForeign:
		return g.say(a, http.StatusOK, g.state(a, "9"), rightSign)
	case accepted:
		if a.odd() {
			a.w.later(a.latency(7, time.Second, 30*time.Second), func() { a.act() })
		}
		return g.say(a, http.StatusAccepted, "", rightSign)
	}
	return nil
}

// done says that all is well, after acting or without.
func (g wechatpay) done(a *attempt, act bool, how signs) *http.Response {
	if act {
		if code := a.act(); code != saysDone && code != saysState {
			a.honest = true
			return g.answer(a, code)
		}
	}
	if a.step == stepState {
		body := `{"complaint_id":"` + a.v.command.group.complaint + `","complaint_state":"PROCESSED"}`
		return g.say(a, http.StatusOK, body, how)
	}
	return g.say(a, http.StatusNoContent, "", how)
}
