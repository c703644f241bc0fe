package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// tolerance is how far a request's timestamp may be off, either way.
const tolerance = 300 * time.Second

var (
	memberPattern    = regexp.MustCompile(`^([a-z_]+)="([^"\\]*)"$`)
	timestampPattern = regexp.MustCompile(`^[1-9][0-9]{9}$`)
	noncePattern     = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
)

// credentials are the members of an Authorization header.
type credentials struct{ mchid, nonce, timestamp, serial, signature string }

// readAuthorization reads the header; every member must stand exactly once, in any order.
func readAuthorization(r *http.Request) (credentials, bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return credentials{}, false
	}
	rest, ok := strings.CutPrefix(values[0], "WECHATPAY2-SHA256-RSA2048 ")
	if !ok {
		return credentials{}, false
	}
	var c credentials
	members := map[string]*string{"mchid": &c.mchid, "nonce_str": &c.nonce, "timestamp": &c.timestamp, "serial_no": &c.serial, "signature": &c.signature}
	for part := range strings.SplitSeq(rest, ",") {
		match := memberPattern.FindStringSubmatch(part)
		if match == nil || members[match[1]] == nil || match[2] == "" {
			return credentials{}, false
		}
		*members[match[1]] = match[2]
		delete(members, match[1])
	}
	return c, len(members) == 0
}

// authenticate checks everything that the Authorization header says. All its refusals are 401 SIGN_ERROR, with a message
// that says which part it was, as WeChat Pay's do.
func (g *WechatPay) authenticate(r *http.Request, body []byte) (WechatPayAccount, refusal) {
	bad := func(why string) refusal { return refusal{http.StatusUnauthorized, "SIGN_ERROR", why} }
	c, ok := readAuthorization(r)
	if !ok {
		return WechatPayAccount{}, bad("Http头Authorization值格式错误")
	}
	g.mu.Lock()
	account, ok := g.accounts[c.mchid]
	g.mu.Unlock()
	if !ok {
		return WechatPayAccount{}, bad("商户号不存在")
	}
	key := certificate(account.Certificates, c.serial)
	if key == nil {
		return account, bad("商户证书序列号有误")
	}
	seconds, err := strconv.ParseInt(c.timestamp, 10, 64)
	now := g.state.now()
	if err != nil || !timestampPattern.MatchString(c.timestamp) || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return account, bad("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
	}
	if !noncePattern.MatchString(c.nonce) {
		return account, bad("Http头Authorization中的nonce_str不是32位字母和数字")
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(c.signature)
	if err != nil || !verifies(key, signature, r.Method, r.RequestURI, c.timestamp, c.nonce, string(body)) {
		return account, bad("签名错误")
	}
	if !g.freshNonce(c.mchid+" "+c.nonce, now) {
		return account, bad("Http头Authorization中的nonce_str重复")
	}
	return account, refusal{}
}

func certificate(all map[string]*rsa.PublicKey, serial string) *rsa.PublicKey {
	for id, key := range all {
		if sameID(id, serial) {
			return key
		}
	}
	return nil
}

// freshNonce remembers a nonce for longer than a request that carries it could still be in time. It keeps two
// generations, so that forgetting the old ones costs nothing.
func (g *WechatPay) freshNonce(nonce string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.noncesSince) > 2*tolerance {
		g.olderNonces, g.nonces, g.noncesSince = g.nonces, map[string]bool{}, now
	}
	if g.nonces[nonce] || g.olderNonces[nonce] {
		return false
	}
	g.nonces[nonce] = true
	return true
}

func digest(lines ...string) []byte {
	h := sha256.New()
	for _, line := range lines {
		fmt.Fprintf(h, "%s\n", line)
	}
	return h.Sum(nil)
}

func verifies(key *rsa.PublicKey, signature []byte, lines ...string) bool {
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest(lines...), signature) == nil
}

// sign makes the answer, with the four headers that sign it, or with what the fault makes of them. It is signed with the
// key that the request names, so an answer to a request that names none is signed with the first one.
func (g *WechatPay) sign(r *http.Request, body []byte, status int, f *Fault) answer {
	h := http.Header{"Request-Id": {randomHex(16)}}
	if len(body) > 0 {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	a := answer{status: status, header: h, body: body}
	if f.Unsigned {
		return a
	}
	key, _ := g.key(r.Header.Get("Wechatpay-Serial"))
	timestamp, nonce := strconv.FormatInt(g.state.now().Add(f.Skew).Unix(), 10), randomHex(16)
	signed := string(body)
	if f.WrongSignature {
		signed += "something else"
	}
	signature, err := rsa.SignPKCS1v15(nil, key.Key, crypto.SHA256, digest(timestamp, nonce, signed))
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be signed")
	}
	encoded := base64.StdEncoding.EncodeToString(signature)
	if f.SignTest {
		encoded = "WECHATPAY/SIGNTEST/" + encoded[len("WECHATPAY/SIGNTEST/"):]
	}
	if f.UnknownKey {
		key.ID = "PUB_KEY_ID_" + randomHex(12)
	}
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", key.ID)
	h.Set("Wechatpay-Signature", encoded)
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
	return a
}

// randomHex returns n random bytes as lower-case hex.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, says crypto/rand
	return hex.EncodeToString(b)
}
