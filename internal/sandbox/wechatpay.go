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
	// APIv3Key encrypts certificates and notifications for the merchant; "" for a merchant that has not set one.
	APIv3Key string
	// PlatformCertificates says that the merchant was given platform certificates, which a merchant that has known
	// WeChat Pay's public key from the start was not.
	PlatformCertificates bool
}

// GatewayKey is one key that WeChat Pay signs its answers with.
type GatewayKey struct {
	ID  string // PUB_KEY_ID_… or a certificate's serial number
	Key *rsa.PrivateKey
	PEM string // the certificate, for a key that is known by one
}

// isCertificate reports whether the key is known by a certificate.
func (k *GatewayKey) isCertificate() bool { return !strings.HasPrefix(k.ID, publicKeyPrefix) }

// publicKeyPrefix begins the id of a public key of WeChat Pay's.
const publicKeyPrefix = "PUB_KEY_ID_"

// WechatPay is WeChat Pay APIv3 as far as complaints go (https://pay.weixin.qq.com/doc/v3/merchant/4015821404):
// reading, listing, answering and settling them, pictures, the address for notifications, platform certificates, and
// the self-test of signatures. It may be used by several goroutines at once.
type WechatPay struct {
	state *State

	mu       sync.Mutex
	accounts map[string]WechatPayAccount // by mchid
	keys     []GatewayKey
	odd      Oddities

	nonces, olderNonces map[string]bool // mchid and nonce
	noncesSince         time.Time       // when nonces was empty
}

// Oddities are things that the real gateway was seen to do or that its pages leave open. The zero value is what the
// newest pages show.
type Oddities struct {
	// Millis writes times with milliseconds, as the pages of 2023 do. Those of 2025 write whole seconds.
	Millis bool
	// OtherMedia writes media lists in the other shape: an object in a complaint, an array in its history.
	OtherMedia bool
	// NewestFirst turns the order of a history around; no page says which it is.
	NewestFirst bool
	// Unknown adds members and enumeration values that no page lists.
	Unknown bool
	// HistoryLag passes until what happened shows in the history.
	HistoryLag time.Duration
	// HistoryRefused shows no history to anybody, as to a merchant that has no credentials of its own.
	HistoryRefused bool
	// TooMuchAbove refuses a list or a history whose limit is higher as too much data; 0 never does.
	TooMuchAbove int
}

// SetOddities sets what the gateway does oddly from now on.
func (g *WechatPay) SetOddities(o Oddities) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.odd = o
}

func (g *WechatPay) oddities() Oddities {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.odd
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

// account returns the account of a merchant by the sandbox's name for it.
func (g *WechatPay) account(merchant string) (WechatPayAccount, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.accounts {
		if a.Merchant == merchant {
			return a, true
		}
	}
	return WechatPayAccount{}, false
}

// SetKeys replaces the keys that answers are signed with, as a rotation on WeChat Pay's side does.
func (g *WechatPay) SetKeys(keys ...GatewayKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys = keys
}

// key returns the key that a request names in Wechatpay-Serial, and false when it names none of ours.
//
// A request that names none gets the platform certificate: "不指定则默认平台证书", says WeChat Pay's support on changing from
// certificates to the public key (https://developers.weixin.qq.com/community/pay/doc/000a2456f08f80e3a0f2f10f461400).
// The header may be left out, as the examples in the documentation do and as wechatpayv3 and WxJava do with certificates,
// and gopay sends it empty.
func (g *WechatPay) key(serial string) (GatewayKey, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.keys {
		if sameID(k.ID, serial) || serial == "" && k.isCertificate() {
			return k, true
		}
	}
	return g.keys[0], serial == ""
}

// signerOf is the id of the key that a merchant's notifications are signed with: the certificate's ("") where it has one.
func (g *WechatPay) signerOf(account WechatPayAccount) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.keys {
		if !account.PlatformCertificates && !k.isCertificate() {
			return k.ID
		}
	}
	return ""
}

// sameID compares ids as serial numbers are compared: without case and leading zeros.
func sameID(a, b string) bool {
	return strings.EqualFold(strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0"))
}

// refusal is an answer that says no. The zero refusal means that there is nothing to refuse.
type refusal struct {
	status        int
	code, message string
	detail        any    // what the answer's detail holds; nil for none
	unsigned      bool   // the answer has no signature
	empty         bool   // the answer has no body
	why           string // for whoever runs the sandbox; the answer does not have it
}

var _ gateway = (*WechatPay)(nil)

func (g *WechatPay) act(r *http.Request, body []byte, f *Fault, c *Call) answer {
	q := &request{Request: r, path: r.URL.EscapedPath(), body: body, call: c}
	s, no := g.handle(q)
	if no.status != 0 {
		if c.Code, c.Problem = no.code, no.message; no.why != "" {
			c.Problem += ": " + no.why
		}
		return g.say(r, no, f)
	}
	c.Code = "OK"
	if s.contentType != "" { // pictures are not signed
		return answer{status: s.status, header: g.header(s.contentType), body: s.body}
	}
	return g.sign(r, s.body, s.status, f)
}

// say makes the answer of a refusal.
func (g *WechatPay) say(r *http.Request, no refusal, f *Fault) answer {
	var body []byte
	if !no.empty {
		body = errorBody(no)
	}
	if no.unsigned {
		return answer{status: no.status, header: g.header(jsonType), body: body}
	}
	return g.sign(r, body, no.status, f)
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

// request is one request on its way through the gateway.
type request struct {
	*http.Request
	path    string // as it came, without the query
	body    []byte
	call    *Call
	account WechatPayAccount
	key     *rsa.PublicKey // the merchant's, that the request is signed with
	id      string         // the complaint's or the picture's
	form    *pictureForm   // of an upload
}

// target is what a request signs: the path with its query. A client that takes the sandbox for its proxy sends them
// with scheme and host before, which a server has to take (RFC 9112, section 3.2.2).
func (q *request) target() string { return target(q.Request) }

func target(r *http.Request) string {
	if r.URL.IsAbs() {
		return r.URL.RequestURI()
	}
	return r.RequestURI
}

// success is an answer that says yes.
type success struct {
	status      int
	body        []byte
	contentType string // of an answer that is no JSON
}

// handle does the work. What is checked first is what the real gateway was seen to check first: the path, the method,
// the headers, and then who asks (wechatpay_rules.go).
func (g *WechatPay) handle(q *request) (success, refusal) {
	op, no := route(q)
	q.call.ComplaintID = ""
	if op.complaint {
		q.call.ComplaintID = q.id
	}
	if no.status == 0 {
		no = checkHead(q, op)
	}
	if no.status == 0 && op.form {
		q.form, no = readPictureForm(q)
	}
	if no.status == 0 {
		no = g.authenticate(q)
	}
	q.call.Merchant = q.account.Merchant
	if no.status == 0 {
		no = g.checkSerial(q)
	}
	if no.status == 0 {
		no = checkBody(q, op)
	}
	if no.status != 0 {
		return success{}, no
	}
	return op.work(g, q)
}
