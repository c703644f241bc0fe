package sandbox

import (
	"crypto/rsa"
	"net/http"
	"strings"
	"sync"
	"time"
)

// WechatPayAccount is what WeChat Pay knows about one merchant.
type WechatPayAccount struct {
	Merchant string // the sandbox's name for it
	Mchid    string
	// Certificates are the merchant's public keys by certificate serial number; several while a key is being changed.
	Certificates map[string]*rsa.PublicKey
	// SubMchids are other merchants that it may act for, as a service provider does.
	SubMchids []string
}

// GatewayKey is one key that WeChat Pay signs its answers with.
type GatewayKey struct {
	ID  string // PUB_KEY_ID_… or a certificate's serial number
	Key *rsa.PrivateKey
}

// WechatPay is WeChat Pay APIv3 as far as complaints go: settling one
// (https://pay.weixin.qq.com/doc/v3/merchant/4012467218) and reading one. It may be used by several goroutines at once.
type WechatPay struct {
	state *State

	mu       sync.Mutex
	accounts map[string]WechatPayAccount // by mchid
	keys     []GatewayKey

	nonces, olderNonces map[string]bool // mchid and nonce
	noncesSince         time.Time       // when nonces was empty
}

// NewWechatPay makes a gateway that knows no merchant yet. It needs at least one key.
func NewWechatPay(state *State, keys ...GatewayKey) *WechatPay {
	return &WechatPay{state: state, accounts: map[string]WechatPayAccount{}, keys: keys}
}

// Register makes an account known, or replaces the one with the same Mchid.
func (g *WechatPay) Register(a WechatPayAccount) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts[a.Mchid] = a
}

// SetKeys replaces the keys that answers are signed with, as a rotation on WeChat Pay's side does.
func (g *WechatPay) SetKeys(keys ...GatewayKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys = keys
}

// key returns the key that a request names in Wechatpay-Serial; false, and the first one, when it names none of ours.
func (g *WechatPay) key(serial string) (GatewayKey, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.keys {
		if sameID(k.ID, serial) {
			return k, true
		}
	}
	return g.keys[0], false
}

// sameID compares ids as serial numbers are compared: without case and leading zeros.
func sameID(a, b string) bool {
	return strings.EqualFold(strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0"))
}

// refusal is an answer that says no. The zero refusal means that there is nothing to refuse.
type refusal struct {
	status        int
	code, message string
}

var _ gateway = (*WechatPay)(nil)

func (g *WechatPay) act(r *http.Request, body []byte, f *Fault, c *Call) answer {
	if r.RequestURI == echoPath {
		return g.echo(r, body, f, c)
	}
	status, no, text := g.handle(r, body, c)
	if no.status != 0 {
		c.Code, c.Problem = no.code, no.message
		return g.sign(r, errorBody(no), no.status, f)
	}
	c.Code = "OK"
	return g.sign(r, text, status, f)
}

func (g *WechatPay) refuse(r *http.Request, _ []byte, f *Fault, c *Call) answer {
	c.Code = f.Code
	switch {
	case f.Code != "":
		status := f.Status
		if status == 0 {
			status = http.StatusBadRequest
		}
		return g.sign(r, errorBody(refusal{code: f.Code, message: f.Message}), status, f)
	case f.Status == 0:
		return g.sign(r, f.Body, http.StatusOK, f)
	}
	return g.sign(r, f.Body, f.Status, f)
}

// handle does the work: it returns a refusal, or the status and body of a success.
func (g *WechatPay) handle(r *http.Request, body []byte, c *Call) (int, refusal, []byte) {
	id, complete, no := route(r)
	c.ComplaintID = id
	if no.status != 0 {
		return 0, no, nil
	}
	account, no := g.authenticate(r, body)
	c.Merchant = account.Merchant
	if no.status == 0 {
		no = g.checkHeaders(r, complete)
	}
	if no.status != 0 {
		return 0, no, nil
	}
	if complete {
		return http.StatusNoContent, g.complete(account, id, body, c), nil
	}
	text, no := g.read(account, id, body)
	return http.StatusOK, no, text
}

// route tells the two operations apart.
func route(r *http.Request) (id string, complete bool, no refusal) {
	const prefix = "/v3/merchant-service/complaints-v2/"
	rest, ok := strings.CutPrefix(r.RequestURI, prefix)
	id, complete = strings.CutSuffix(rest, "/complete")
	if !ok || id == "" || len(id) > 64 || strings.ContainsAny(id, "/?%") {
		return "", false, refusal{http.StatusNotFound, "NOT_FOUND", "请求的资源不存在"}
	}
	if want := map[bool]string{true: http.MethodPost, false: http.MethodGet}[complete]; r.Method != want {
		return id, complete, refusal{http.StatusMethodNotAllowed, "PARAM_ERROR", "不支持的请求方法"}
	}
	return id, complete, refusal{}
}

// checkHeaders asks for the headers that the documentation requires beside Authorization.
func (g *WechatPay) checkHeaders(r *http.Request, complete bool) refusal {
	bad := func(what string) refusal { return refusal{http.StatusBadRequest, "PARAM_ERROR", what} }
	if accept := r.Header.Values("Accept"); len(accept) != 1 || accept[0] != "application/json" {
		return bad("Accept应为application/json")
	}
	if r.Header.Get("User-Agent") == "" {
		return bad("User-Agent不能为空")
	}
	content := r.Header.Get("Content-Type")
	if media, _, _ := strings.Cut(content, ";"); complete && media != "application/json" {
		return bad("Content-Type应为application/json")
	}
	if _, ok := g.key(r.Header.Get("Wechatpay-Serial")); !ok {
		return bad("Wechatpay-Serial错误")
	}
	return refusal{}
}
