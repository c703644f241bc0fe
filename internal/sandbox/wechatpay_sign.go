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
	// The pages show 32 characters, and real requests of 10 and 20 were looked at as far as the signature
	// (https://github.com/wechatpay-apiv3/wechatpay-go/issues/235); wechatpay-node-v3 sends about 11. "随机字符串,不长于32位" is
	// what the pages of the second version say of the same member (https://pay.weixin.qq.com/doc/v2/partner/4014116402).
	noncePattern = regexp.MustCompile(`^[!-~]{1,32}$`)
)

// credentials are the members of an Authorization header.
type credentials struct{ mchid, nonce, timestamp, serial, signature string }

const scheme = "WECHATPAY2-SHA256-RSA2048"

// readAuthorization reads the header; every member must stand exactly once, in any order ("以上五项签名信息,无顺序要求",
// https://pay.weixin.qq.com/doc/v3/merchant/4012365336).
func readAuthorization(value string) (credentials, bool) {
	var c credentials
	members := map[string]*string{"mchid": &c.mchid, "nonce_str": &c.nonce, "timestamp": &c.timestamp, "serial_no": &c.serial,
		"signature": &c.signature}
	for part := range strings.SplitSeq(value, ",") {
		match := memberPattern.FindStringSubmatch(part)
		if match == nil || members[match[1]] == nil || match[2] == "" {
			return credentials{}, false
		}
		*members[match[1]] = match[2]
		delete(members, match[1])
	}
	return c, len(members) == 0
}

// authenticate checks everything that the Authorization header says. All its refusals are 401 SIGN_ERROR without a
// signature, as all that the probe saw, in the order that the probe saw: the form, the time, the signature. The
// texts are those of the probe and of the list of a 401's reasons (wechatpay_rules.go names both).
func (g *WechatPay) authenticate(q *request) refusal {
	bad := func(why string) refusal {
		return refusal{status: http.StatusUnauthorized, code: "SIGN_ERROR", message: why, unsigned: true}
	}
	values := q.Header.Values("Authorization")
	kind, rest, _ := strings.Cut(strings.Join(values, ","), " ")
	if kind != "" && kind != scheme {
		return bad("Http头Authorization认证类型不正确")
	}
	c, ok := readAuthorization(rest)
	if !ok || len(values) != 1 {
		return bad("Http头Authorization值格式错误,请参考《微信支付商户REST API签名规则》")
	}
	seconds, err := strconv.ParseInt(c.timestamp, 10, 64)
	now := g.state.now()
	if err != nil || !timestampPattern.MatchString(c.timestamp) || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return bad("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
	}
	if !noncePattern.MatchString(c.nonce) {
		return bad("Http头Authorization值格式错误:nonce_str应为1至32位")
	}
	g.mu.Lock()
	account, ok := g.accounts[c.mchid]
	g.mu.Unlock()
	if !ok {
		return bad("商户号不存在") // the list of reasons has no words for this; these are ours
	}
	q.account = account
	if q.key = certificate(account.Certificates, c.serial); q.key == nil {
		return bad("商户证书序列号有误。")
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(c.signature)
	lines := []string{q.Method, q.target(), c.timestamp, c.nonce, string(q.signedBody())}
	if err != nil || !verifies(q.key, signature, lines...) {
		no := bad("错误的签名,验签失败")
		no.detail, no.why = mismatch(lines), g.whyMismatch(q, lines, signature)
		return no
	}
	// No page says that a nonce may not come twice. The sandbox asks for it, because a request that is sent again as it was
	// is signed for another time than its own.
	if !g.freshNonce(c.mchid+" "+c.nonce, now) {
		return bad("Http头Authorization中的nonce_str重复")
	}
	return refusal{}
}

// signedBody is what of a request's body is signed: "图片上传API,请使用meta对应的JSON报文"
// (https://pay.weixin.qq.com/doc/v3/merchant/4012365336).
func (q *request) signedBody() []byte {
	if q.form != nil {
		return q.form.meta
	}
	return q.body
}

// mismatch is the detail of a refused signature, which shows what was expected to be signed. The member names are those of
// the list of reasons; their nesting, and that no more than 8 bytes of the body are shown, those of real answers
// (https://github.com/wechatpay-apiv3/wechatpay-go/issues/235).
func mismatch(lines []string) any {
	length := 0
	for _, line := range lines {
		length += len(line) + 1
	}
	shown := strings.Join(lines[:4], "\n") + "\n" + strings.ToValidUTF8(lines[4][:min(8, len(lines[4]))], "") + "\n"
	return map[string]any{
		"detail": map[string]string{"issue": "sign not match"}, "field": "signature", "location": "authorization",
		"sign_information": map[string]any{"method": lines[0], "url": lines[1], "truncated_sign_message": shown,
			"sign_message_length": length},
	}
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

// jsonType is the Content-Type of every answer but a picture, also of a 204: WxJava and Tencent's own
// wechatpay-apache-httpclient look into it there and fail without one.
const jsonType = "application/json; charset=utf-8"

// header is what an answer has beside its signature, after the sample in
// https://pay.weixin.qq.com/doc/brand/4015407525.
func (g *WechatPay) header(contentType string) http.Header {
	return http.Header{"Request-Id": {newRequestID()}, "Content-Type": {contentType},
		"Cache-Control": {"no-cache, must-revalidate"}, "X-Content-Type-Options": {"nosniff"}, "Content-Language": {"zh-CN"}}
}

// sign makes the answer, with the four headers that sign it, or with what the fault makes of them. It is signed with the
// key that the request names; key says what becomes of a request that names none.
func (g *WechatPay) sign(r *http.Request, body []byte, status int, f *Fault) answer {
	a := answer{status: status, header: g.header(jsonType), body: body}
	if f.Unsigned {
		return a
	}
	key, _ := g.key(r.Header.Get("Wechatpay-Serial"))
	if err := signText(a.header, key, g.state.now().Add(f.Skew), body, f); err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be signed")
	}
	return a
}

// signText signs a text and puts the signature's headers into h.
func signText(h http.Header, key GatewayKey, at time.Time, text []byte, f *Fault) error {
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), randomHex(16)
	signed := string(text)
	if f.WrongSignature {
		signed += "something else"
	}
	signature, err := rsa.SignPKCS1v15(nil, key.Key, crypto.SHA256, digest(timestamp, nonce, signed))
	if err != nil {
		return err
	}
	encoded := base64.StdEncoding.EncodeToString(signature)
	if f.SignTest {
		encoded = "WECHATPAY/SIGNTEST/" + encoded[len("WECHATPAY/SIGNTEST/"):]
	}
	if f.UnknownKey {
		key.ID = newPublicKeyID(at)
	}
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", key.ID)
	h.Set("Wechatpay-Signature", encoded)
	h.Set("Wechatpay-Signature-Type", scheme) // wechatpayv3 asks for it
	return nil
}

// randomHex returns n random bytes as lower-case hex.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, says crypto/rand
	return hex.EncodeToString(b)
}
