package simulation

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"

	"github.com/kesu-go/kesu/pkg/signing"
)

// wechatpay is WeChat Pay: it verifies, settles the complaint if its state allows that, shows replies to the consumer,
// tells the complaint's state and history, and signs what it says.
type wechatpay struct{}

// Codes of its honest answers besides WeChat Pay's own.
const (
	saysDone    = "done"
	saysState   = "state"
	saysHistory = "history"
	saysNoAuth  = "NO_AUTH"
)

// act implements server.
func (g wechatpay) act(a *attempt) string {
	m := a.w.merchants[a.v.command.merchant]
	if !m.accepts(g.signedVersion(a), time.Since(a.w.began)) {
		return messages.SignError
	}
	complaint := a.v.command.group
	switch {
	case a.step == stepState:
		return saysState
	case a.step == stepHistory && m.withheld:
		return saysNoAuth
	case a.step == stepHistory:
		return saysHistory
	case a.step == stepRespond:
		return g.respond(a, m)
	}
	if a.request.URL.Path != messages.CompletePath(complaint.complaint) {
		a.w.violate(a.v, KindOther, "a completion of another complaint was sent: %s", a.request.URL.Path)
	}
	switch {
	case !complaint.completable, complaint.processed && !complaint.lies:
		return messages.InvalidRequest
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
		return g.taken(a, rightSign)
	case saysHistory:
		asOf := time.Now()
		if a.fault == olderCopy {
			asOf = asOf.Add(-3 * time.Minute)
		}
		return g.say(a, http.StatusOK, g.history(a, asOf, a.fault != olderCopy), rightSign)
	case saysNoAuth:
		return g.say(a, http.StatusForbidden, `{"code":"NO_AUTH","message":"not yours"}`, rightSign)
	case saysState:
		return g.say(a, http.StatusOK, g.state(a, ""), rightSign)
	case messages.SignError:
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
		state = messages.StateProcessed
	}
	if foreign != "" {
		state = messages.StateProcessed // of the other complaint
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
		if a.step == stepHistory && a.one(8) != 1 { // that a merchant may not read is seldom a passing matter
			status, code = http.StatusNotFound, "RESOURCE_NOT_EXISTS"
		}
		if code == "" {
			return a.plain(status, "<html>forbidden</html>")
		}
		return g.say(a, status, `{"code":"`+code+`","message":"refused"}`, how)
	case refusesKey:
		return g.answer(a, messages.SignError)
	case asksLater:
		return g.say(a, http.StatusBadRequest, `{"code":"INVALID_REQUEST","message":"提交商户回复失败，请稍后重试"}`, rightSign)
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
		if code := a.act(); code != saysDone && code != saysState && code != saysHistory {
			a.honest = true
			return g.answer(a, code)
		}
	}
	if a.step == stepState {
		body := `{"complaint_id":"` + a.v.command.group.complaint + `","complaint_state":"PROCESSED"}`
		return g.say(a, http.StatusOK, body, how)
	}
	if a.step == stepHistory {
		return g.say(a, http.StatusOK, g.invented(a), how)
	}
	return g.taken(a, how)
}

// taken is the answer to what was done: 204, or 200 with the reply's number in the history where there is one.
func (g wechatpay) taken(a *attempt, how signs) *http.Response {
	if a.step == stepRespond && a.v.command.immediate {
		return g.say(a, http.StatusOK, `{"log_id":"`+a.v.command.group.complaint+`000000"}`, how)
	}
	return g.sign(a, a.plain(http.StatusNoContent, ""), "", how)
}

// response is a reply as WeChat Pay reads it.
type response struct {
	Mchid      string   `json:"complainted_mchid"`
	Content    string   `json:"response_content"`
	Images     []string `json:"response_images"`
	Idempotent string   `json:"idempotent_id"`
	Message    struct {
		Blocks []struct {
			Type string `json:"type"`
			Text struct {
				Text string `json:"text"`
			} `json:"text"`
		} `json:"blocks"`
	} `json:"message"`
}

// respond shows a reply to the consumer; one that has an idempotent_id only once. w.mu is held.
func (wechatpay) respond(a *attempt, m *seller) string {
	c := a.v.command
	file, path := c.group.file, messages.ResponsePath(c.group.complaint)
	if c.immediate {
		path = messages.ImmediatePath(c.group.complaint)
	}
	var r response
	if json.Unmarshal(a.body, &r) != nil || a.request.URL.Path != path || r.Mchid != "mch-"+m.name || c.immediate != (r.Idempotent != "") {
		a.w.violate(a.v, KindOther, "%s was asked for %s", a.request.URL.Path, a.body)
	}
	for i, b := range r.Message.Blocks {
		if i == 0 {
			r.Content = b.Text.Text
		} else {
			r.Images = append(r.Images, b.Type)
		}
	}
	switch {
	case c.immediate && !file.immediate:
		return messages.InvalidRequest
	case c.immediate && file.shownFor[r.Idempotent]:
		return saysDone
	}
	file.shownFor[r.Idempotent] = true
	a.w.shown(a, replyRequest{Complaint: c.group.complaint, Txn: r.Idempotent, Content: r.Content, Images: strings.Join(r.Images, "|")})
	return saysDone
}
