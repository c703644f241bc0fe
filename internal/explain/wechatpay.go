package explain

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/pasted"
	"github.com/kesu-go/kesu/pkg/signing"
)

// wechatMessage is what WeChat Pay's signature is made over, with what the headers say beside it.
type wechatMessage struct {
	answer                   bool
	method, target           string // of a request
	timestamp, nonce         string
	mchid, serial, signature string
	named                    string // Wechatpay-Serial of a request: the key that is to sign the answer
	body                     string
	problems                 []found // of the headers' form
}

// wechatPay explains a request to WeChat Pay, or an answer from it.
func (r *Report) wechatPay(ctx context.Context, o Options, k keys) error {
	r.Scheme = schemeRSA.In(r.language)
	w, err := r.readWechat(o)
	if err != nil {
		return err
	}
	right := wechatRecipe{answer: w.answer, lineEnd: "\n", last: "\n", lines: [5]string{w.method, w.target, w.timestamp, w.nonce, w.body}}
	text, _ := right.text()
	r.Signed, r.Given = text, w.signature
	if strings.HasSuffix(w.body, "\n") {
		r.note(noteLastLF)
	}
	problems := append(w.problems, contradictions(w, k)...)
	problems = append(problems, r.time(w, o.Now)...)
	if !k.given {
		r.note(noteNoKey)
		return nil
	}
	if len(k.own) > 0 && k.own[0].private != nil && !w.answer {
		signature, err := k.own[0].private.Sign(nil, sum(crypto.SHA256, text), crypto.SHA256)
		if err != nil {
			return errors.New("the private key cannot sign")
		}
		r.Result = base64.StdEncoding.EncodeToString(signature)
	}
	if w.signature == "" {
		// Nothing was given that could be wrong; what else is odd is told all the same.
		for _, c := range r.say(problems) {
			r.Notes = append(r.Notes, c.Says)
		}
		return nil
	}
	if (w.answer && len(k.platform) == 0) || (!w.answer && len(k.own) == 0) {
		return errors.New("the merchant's secret has no key to check this message with; kesu doctor tells more")
	}
	if !k.secret && !w.answer && k.serial == "" {
		r.note(noteNotCompared)
	}
	r.judge(ctx, w, right, k, problems)
	return nil
}

// judge holds the signature against every key: first whether a key made it at all, and then over what.
func (r *Report) judge(ctx context.Context, w wechatMessage, right wechatRecipe, k keys, problems []found) {
	each := func() {
		for _, p := range problems {
			r.explain(true, []found{p})
		}
	}
	switch {
	case strings.HasPrefix(w.signature, "WECHATPAY/SIGNTEST/"):
		r.explain(true, one("signtest"))
		return
	case strings.Contains(w.signature, "-----BEGIN"), slices.ContainsFunc(r.secrets, func(s string) bool { return strings.Contains(w.signature, s) }):
		r.explain(true, one("given.key"))
		return
	}
	mine, others := k.own, k.platform
	if w.answer {
		mine, others = k.platform, k.own
	}
	for _, key := range mine {
		for _, reading := range readings(w.signature) {
			made, ok := open(key.public, reading.signature)
			if text, _ := right.text(); !ok || made.weak && !made.made(text) {
				continue
			}
			causes := made.causes
			if reading.cause != "" {
				causes = append(one(reading.cause), causes...)
			}
			if w.answer && w.serial != "" && key.id != "" && !sameID(key.id, w.serial) {
				problems = append([]found{{"answer.serial", []any{key.id, w.serial}}}, problems...)
			}
			r.judgeText(ctx, right, made, causes)
			if r.Matches == nil && len(problems) == 0 {
				r.right()
			}
			each()
			return
		}
	}
	for _, key := range others {
		for _, reading := range readings(w.signature) {
			if _, ok := open(key.public, reading.signature); ok {
				r.explain(true, one(map[bool]string{true: "key.merchants", false: "key.platforms"}[w.answer]))
				each()
				return
			}
		}
	}
	r.unopened(ctx, w, mine)
	each()
}

// judgeText knows that the key made the signature, and looks for the text that it was made over.
func (r *Report) judgeText(ctx context.Context, right wechatRecipe, made opened, causes []found) {
	text, _ := right.text()
	if made.made(text) {
		if len(causes) > 0 {
			r.explain(true, causes)
		}
		return
	}
	body, _ := inUTF8(right.lines[lineBody])
	answers := search(ctx, right, wechatChanges(right, body), func(c *wechatRecipe) ([]found, bool) {
		text, ok := c.text()
		return nil, ok && made.made(text)
	})
	for i := range answers {
		answers[i] = append(append([]found(nil), causes...), answers[i]...)
	}
	if len(answers) > 0 {
		r.explain(true, answers...)
		return
	}
	if len(causes) > 0 {
		r.explain(true, causes)
	}
	r.note(noteRightKey)
	guesses := [][]found{one("body.other"), one("nonce.anew"), one("target.other")}
	if right.answer {
		guesses = [][]found{one("answer.body"), one("answer.headers")}
	} else if right.lines[lineBody] == "" {
		guesses = [][]found{one("nonce.anew"), one("target.other"), one("body.other")}
	}
	r.explain(false, guesses...)
}

// unopened knows that no key of the merchant's made the signature as it stands.
func (r *Report) unopened(ctx context.Context, w wechatMessage, mine []rsaKey) {
	size := mine[0].public.Size()
	all := readings(w.signature)
	lengths := map[int]bool{}
	for _, reading := range all {
		lengths[len(reading.signature)] = true
	}
	digits := strings.Trim(strings.ToLower(w.signature), "0123456789abcdef") == ""
	folded := strings.Join(strings.Fields(w.signature), "")
	switch {
	case digits && slices.Contains([]int{32, 40, 64, 96, 128}, len(w.signature)):
		r.explain(true, []found{{"given.digest", []any{len(w.signature)}}})
	case len(all) == 0:
		r.explain(true, one("given.form"))
	case lengths[size] && len(folded) > 64 && (folded == strings.ToLower(folded) || folded == strings.ToUpper(folded)):
		r.explain(true, one("form.folded"))
	case lengths[16] || lengths[20] || lengths[32] || lengths[64]:
		r.explain(true, []found{{"given.digest", []any{len(all[0].signature) * 2}}})
	case !lengths[size] && (lengths[128] || lengths[256] || lengths[384] || lengths[512]):
		r.explain(true, []found{{"key.size", []any{len(all[0].signature) * 8, size * 8}}})
	case !lengths[size]:
		r.explain(true, one("given.cut"))
	case damaged(ctx, w.signature, mine):
		r.explain(true, one("given.changed"))
	case w.answer:
		r.explain(false, one("answer.key"), one("given.damaged"))
	default:
		r.explain(false, one("key.private"), one("given.damaged"))
	}
}

// contradictions are what the message says otherwise than the secret.
func contradictions(w wechatMessage, k keys) []found {
	var problems []found
	if w.answer {
		return nil
	}
	if w.mchid != "" && k.mchid != "" && w.mchid != k.mchid {
		problems = append(problems, found{"header.mchid", []any{k.mchid}})
	}
	platform := slices.ContainsFunc(k.platform, func(p rsaKey) bool { return k.secret && sameID(p.id, w.serial) })
	switch {
	case w.serial == "":
	case strings.HasPrefix(w.serial, "PUB_KEY_ID"), platform:
		problems = append(problems, found{"header.serial.platform", nil})
	case k.serial == "" || sameID(w.serial, k.serial):
		if !serialForm.MatchString(w.serial) {
			problems = append(problems, found{"header.serial.form", nil})
		}
	case sameID(bareSerial(w.serial), k.serial):
		problems = append(problems, found{"header.serial.form", nil})
	default:
		problems = append(problems, found{"header.serial.other", []any{k.serial}})
	}
	switch {
	case w.named == "" || !k.secret:
	case sameID(w.named, k.serial):
		problems = append(problems, found{"header.named.own", nil})
	case !slices.ContainsFunc(k.platform, func(p rsaKey) bool { return sameID(p.id, w.named) }):
		problems = append(problems, found{"header.named.unknown", nil})
	}
	return problems
}

var serialForm = regexp.MustCompile(`^[0-9A-Fa-f]{1,64}$`)

// bareSerial takes off what openssl and certificate viewers put around a serial number's digits.
func bareSerial(text string) string {
	text = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "serial=")
	return strings.NewReplacer(":", "", " ", "", "0x", "").Replace(text)
}

// time tells of a timestamp that will not be taken. What is in the past may have been sent in time.
func (r *Report) time(w wechatMessage, now time.Time) []found {
	seconds, err := strconv.ParseInt(w.timestamp, 10, 64)
	switch {
	case err != nil:
		return []found{{"timestamp.form", nil}}
	case len(w.timestamp) == 13:
		return []found{{"timestamp.milliseconds", nil}}
	case len(w.timestamp) != 10:
		return []found{{"timestamp.form", nil}}
	case time.Unix(seconds, 0).Sub(now) > signing.Tolerance:
		return []found{{"timestamp.future", []any{time.Unix(seconds, 0).Sub(now).Round(time.Second)}}}
	case now.Sub(time.Unix(seconds, 0)) > signing.Tolerance:
		r.note(noteOld, time.Unix(seconds, 0).UTC().Format(time.RFC3339), now.Sub(time.Unix(seconds, 0)).Round(time.Second))
	}
	return nil
}

var (
	schemeRSA = advice.Words{EN: "WeChat Pay APIv3: SHA256 with RSA (PKCS#1 v1.5) over the lines below, each ended by one line feed; base64",
		ZH: "微信支付 APIv3：对下面各行（每行以一个换行符结尾）做 SHA256 with RSA（PKCS#1 v1.5），再 base64"}
	noteLastLF = advice.Words{EN: "the body ends with a line feed, which is signed as a part of it; an editor may have added it to the file",
		ZH: "正文末尾有换行符，它也参与签名；可能是编辑器加到文件里的"}
	noteNotCompared = advice.Words{EN: "serial_no and mchid were not compared with anything: a key alone does not say them; give --merchant or --secret-file",
		ZH: "serial_no 和 mchid 没有核对：单独的密钥不含这些信息；请给出 --merchant 或 --secret-file"}
	noteOld = advice.Words{EN: "the request names the time %s, %s ago: WeChat Pay takes a request for 5 minutes only, so it was in time only if it was sent then",
		ZH: "请求里的时间是 %s，距今 %s：微信支付只接受 5 分钟之内的请求，只有当时就发出才算及时"}
	noteRightKey = advice.Words{EN: "the right key made this signature, over another text than this message: what follows is not proved",
		ZH: "签名确实出自这把密钥，但签的不是这份报文：下面各条未经证实"}
)

// readWechat reads a message of WeChat Pay from an HTTP message, or from a body and flags.
func (r *Report) readWechat(o Options) (wechatMessage, error) {
	var w wechatMessage
	m, ok := pasted.ReadHTTP(o.Message, o.Part)
	w.body = string(o.Message)
	if ok {
		r.forgave(m.Forgiven)
		w.answer, w.method, w.target, w.body = m.Answer, m.Method, m.Target, string(m.Body)
		if m.Answer {
			w.timestamp, w.nonce = m.Header["Wechatpay-Timestamp"], m.Header["Wechatpay-Nonce"]
			w.serial, w.signature = m.Header["Wechatpay-Serial"], m.Header["Wechatpay-Signature"]
			w.problems = missingHeaders(m.Header)
		} else {
			w.named = m.Header["Wechatpay-Serial"]
			r.authorization(&w, m.Header["Authorization"])
		}
	}
	if o.Body != nil {
		w.body = string(o.Body)
	}
	for _, flag := range []struct {
		value string
		into  *string
	}{{o.Method, &w.method}, {o.Target, &w.target}, {o.Timestamp, &w.timestamp}, {o.Nonce, &w.nonce}, {o.Signature, &w.signature}} {
		if flag.value != "" {
			*flag.into = flag.value
		}
	}
	missing := ok && o.Body == nil && slices.Contains(m.Forgiven, pasted.MissingBody)
	return w, w.complete(missing)
}

// complete says what is missing before anything can be signed.
func (w wechatMessage) complete(noBody bool) error {
	switch {
	case w.answer && (w.timestamp == "" || w.nonce == ""):
		return errors.New("the answer has no Wechatpay-Timestamp or no Wechatpay-Nonce, so nothing in it is signed; give the file all headers of the answer")
	case !w.answer && (w.method == "" || w.target == ""):
		return errors.New("a request's signature covers its method and path: let the file begin with a line like \"POST /v3/… HTTP/1.1\", or give --method and --url")
	case w.timestamp == "" || w.nonce == "":
		return errors.New("a request's signature covers its timestamp and nonce_str: let the file have the Authorization header, or give --timestamp and --nonce")
	case noBody:
		return errors.New("the text has no body, and Content-Length says that one was sent (curl -v does not show it): give it with --body FILE")
	}
	return nil
}
