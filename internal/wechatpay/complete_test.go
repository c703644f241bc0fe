package wechatpay

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

const complaint = "200201820200101080076610000"

// parties is a merchant and the WeChat Pay that it knows.
type parties struct {
	wechatPay *rsa.PrivateKey
	merchant  *merchant.WechatPay
}

func newParties(t *testing.T) parties {
	t.Helper()
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&theirs.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	platform, err := signing.ParsePlatformKey("PUB_KEY_ID_1", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	return parties{theirs, &merchant.WechatPay{
		Requester:  signing.Requester{Mchid: "1900000001", SerialNo: "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C", Key: own},
		Platform:   signing.KeySet{platform},
		FirstKeyID: platform.ID,
	}}
}

// signed are the headers of an answer of WeChat Pay's.
func (p parties) signed(t *testing.T, at time.Time, body string) http.Header {
	t.Helper()
	nonce := rand.Text()
	signature, err := signing.SignAnswer(p.wechatPay, at, nonce, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("Wechatpay-Timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", "PUB_KEY_ID_1")
	h.Set("Wechatpay-Signature", signature)
	h.Set("Request-ID", "08F5B8C2B506-0")
	return h
}

func signTest(h http.Header) http.Header {
	h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature")[19:])
	return h
}

const refusal = `{"code":"%","message":"as it pleases, call 13800000000"}`

// The table of the contract's section 5.
func TestJudgeCompletion(t *testing.T) {
	p, now := newParties(t), time.Unix(1_700_000_000, 0)
	code := func(c string) string { return strings.Replace(refusal, "%", c, 1) }
	const words = "as it pleases, call ***"
	tests := []struct {
		name   string
		status int
		body   string
		header http.Header // nil: signed
		want   gateway.Verdict
		close  bool
	}{
		{"a verified 204 succeeded", 204, "", nil,
			gateway.Verdict{Effect: gateway.Done, Code: "OK", Message: "the complaint is settled", Verified: true, RequestID: "08F5B8C2B506-0"}, false},
		{"a verified 200 succeeded", 200, "{}", nil,
			gateway.Verdict{Effect: gateway.Done, Code: "OK", Message: "the complaint is settled", Verified: true, RequestID: "08F5B8C2B506-0"}, false},
		{"a verified 202 is unknown, for good", 202, "", nil,
			gateway.Verdict{Effect: gateway.MaybeDone, Final: true, Code: wire.CodeUpstreamGarbled, Message: "the gateway answered 202: taken, but not done", Verified: true, RequestID: "08F5B8C2B506-0"}, false},
		{"an unsigned 204 does not count", 204, "", http.Header{},
			gateway.Verdict{Effect: gateway.MaybeDone, Forged: true, Code: wire.CodeUpstreamUnverified, Message: "the answer cannot be verified: " + signing.ErrNotSigned.Error()}, false},
		{"a 204 with a SIGNTEST signature does not count", 204, "", signTest(p.signed(t, now, "")),
			gateway.Verdict{Effect: gateway.MaybeDone, Forged: true, Code: wire.CodeUpstreamUnverified, Message: "the answer cannot be verified: " + signing.ErrBadSignature.Error(), RequestID: "08F5B8C2B506-0"}, false},
		{"a 204 that is 301 s old does not count", 204, "", p.signed(t, now.Add(-301*time.Second), ""),
			gateway.Verdict{Effect: gateway.MaybeDone, Forged: true, Code: wire.CodeUpstreamUnverified, Message: "the answer cannot be verified: " + signing.ErrSkew.Error() + ": it is off by -5m1s", RequestID: "08F5B8C2B506-0"}, false},
		{"a 400 is rejected with WeChat Pay's code", 400, code("PARAM_ERROR"), http.Header{},
			gateway.Verdict{Effect: gateway.Refused, Code: "PARAM_ERROR", Message: words}, false},
		{"a 403 is rejected with WeChat Pay's code", 403, code("NO_AUTH"), nil,
			gateway.Verdict{Effect: gateway.Refused, Code: "NO_AUTH", Message: words, Verified: true, RequestID: "08F5B8C2B506-0"}, false},
		{"a 401 SIGN_ERROR asks for a newer key", 401, code("SIGN_ERROR"), http.Header{},
			gateway.Verdict{Effect: gateway.Refused, Code: "SIGN_ERROR", Message: words, KeyRefused: true}, false},
		{"a 400 SIGN_ERROR does not", 400, code("SIGN_ERROR"), http.Header{},
			gateway.Verdict{Effect: gateway.Refused, Code: "SIGN_ERROR", Message: words}, false},
		{"a 404 without a readable code is rejected", 404, "<html>", http.Header{},
			gateway.Verdict{Effect: gateway.Refused, Code: wire.CodeUpstreamRefused, Message: "the gateway refused without saying why"}, false},
		{"a forged 400 is counted", 400, code("PARAM_ERROR"), signTest(p.signed(t, now, code("PARAM_ERROR"))),
			gateway.Verdict{Effect: gateway.Refused, Forged: true, Code: "PARAM_ERROR", Message: words, RequestID: "08F5B8C2B506-0"}, false},
		{"a 429 is tried again", 429, code("RATELIMIT_EXCEEDED"), http.Header{"Retry-After": {"3"}},
			gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeRateLimited, Message: "the gateway takes no more calls for now", RetryAfter: 3 * time.Second}, false},
		{"a 500 with a code is unknown with it", 500, code("SYSTEM_ERROR"), http.Header{},
			gateway.Verdict{Effect: gateway.MaybeDone, Code: "SYSTEM_ERROR", Message: words}, false},
		{"a 502 without one is unknown", 502, "<html>", http.Header{},
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway's answer says nothing about the completion"}, false},
		{"a 302 is unknown", 302, "", http.Header{},
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway's answer says nothing about the completion"}, false},
		{"a 408 with which the connection is closed is tried again", 408, "", http.Header{},
			gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeUpstreamUnreachable, Message: "the gateway did not take the request"}, true},
		{"a 408 with words is unknown with them", 408, code("SYSTEM_ERROR"), http.Header{},
			gateway.Verdict{Effect: gateway.MaybeDone, Code: "SYSTEM_ERROR", Message: words}, true},
		{"a 408 on a connection that stays open is unknown", 408, "", http.Header{},
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway's answer says nothing about the completion"}, false},
		{"a 425 is tried again", 425, "", http.Header{"Retry-After": {"2"}},
			gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeUpstreamUnreachable, Message: "the gateway did not take the request", RetryAfter: 2 * time.Second}, false},
		{"a 425 with words is tried again", 425, code("SYSTEM_ERROR"), http.Header{},
			gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeUpstreamUnreachable, Message: "the gateway did not take the request"}, false},
		{"a code of Kesu's own is none of WeChat Pay's", 400, code("IN_PROGRESS"), http.Header{},
			gateway.Verdict{Effect: gateway.Refused, Code: wire.CodeUpstreamRefused, Message: "the gateway refused without saying why"}, false},
		{"a code that is a phone number is none", 400, code("138-0013-8000"), http.Header{},
			gateway.Verdict{Effect: gateway.Refused, Code: wire.CodeUpstreamRefused, Message: "the gateway refused without saying why"}, false},
		{"a 500 whose code is a phone number is unknown without it", 500, code("13800138000"), http.Header{},
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway's answer says nothing about the completion"}, false},
		{"a Request-ID that is a phone number is not told", 400, code("PARAM_ERROR"), http.Header{"Request-Id": {"13800138000"}},
			gateway.Verdict{Effect: gateway.Refused, Code: "PARAM_ERROR", Message: words}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			header := tt.header
			if header == nil {
				header = p.signed(t, now, tt.body)
			}
			answer := gateway.Answer{Fact: gateway.Answered, Status: tt.status, Header: header, Body: []byte(tt.body), Close: tt.close}
			c := &Caller{API: New(nil, nil, nil, func() time.Time { return now }), Keys: p.merchant}
			if got := c.judge(t.Context(), answer, "the complaint is settled", "completion"); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// exchange is one answer of the stand-in WeChat Pay.
type exchange struct {
	status   int
	body     string
	unsigned bool
	lost     bool
}

// roundTrip is a network that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func body(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }

// wechatPay plays its exchanges in order and keeps the requests.
type wechatPay struct {
	t        *testing.T
	p        parties
	answers  []exchange
	header   http.Header // of every signed answer, in place of one made for it
	requests []*http.Request
	bodies   []string
}

func (w *wechatPay) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	body, _ := io.ReadAll(r.Body)
	w.requests, w.bodies = append(w.requests, r), append(w.bodies, string(body))
	a := w.answers[0]
	w.answers = w.answers[1:]
	if a.lost {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	header := http.Header{}
	if !a.unsigned {
		if header = w.header; header == nil {
			header = w.p.signed(w.t, time.Now(), a.body)
		}
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

// A completion that is refused with INVALID_REQUEST may have been done before: the complaint itself is asked.
func TestSendAsksTheComplaintWhenItMayBeDoneAlready(t *testing.T) {
	invalid := exchange{status: 400, body: `{"code":"INVALID_REQUEST","message":"the state does not allow it"}`, unsigned: true}
	later := exchange{status: 400, body: `{"code":"INVALID_REQUEST","message":"提交商户回复失败，请稍后重试"}`, unsigned: true}
	later2 := exchange{status: 400, body: `{"code":"INVALID_REQUEST","message":"系统繁忙，请稍后再试"}`, unsigned: true}
	state := func(s string) exchange {
		return exchange{status: 200, body: `{"complaint_id":"` + complaint + `","complaint_state":"` + s + `"}`}
	}
	forged := state("PROCESSED")
	forged.unsigned = true
	broken, lost, missing := exchange{status: 500}, exchange{lost: true}, exchange{status: 404, body: `{"code":"NOT_FOUND","message":""}`}
	tests := []struct {
		name     string
		answers  []exchange
		effect   gateway.Effect
		code     string
		attempts int
	}{
		{"PROCESSED means that it is done", []exchange{invalid, state("PROCESSED")}, gateway.Done, "OK", 2},
		{"another state means that it was refused", []exchange{invalid, state("PENDING")}, gateway.Refused, "INVALID_REQUEST", 2},
		{"an unverified state means nothing", []exchange{invalid, forged, forged}, gateway.MaybeDone, wire.CodeUpstreamUnverified, 3},
		{"the state is asked for again", []exchange{invalid, broken, state("PROCESSED")}, gateway.Done, "OK", 3},
		{"no state within the attempts is unknown", []exchange{invalid, broken, broken}, gateway.MaybeDone, wire.CodeUpstreamGarbled, 3},
		{"the state is asked for once although the attempts are used up", []exchange{broken, broken, invalid, state("PROCESSED")}, gateway.Done, "OK", 4},
		{"a refusal to tell the state is unknown", []exchange{invalid, missing}, gateway.MaybeDone, "NOT_FOUND", 2},
		{"a lost first attempt that did it is found out", []exchange{lost, invalid, state("PROCESSED")}, gateway.Done, "OK", 3},
		{"a lost first attempt that did nothing is found out", []exchange{lost, invalid, state("PENDING")}, gateway.Refused, "INVALID_REQUEST", 3},
		{"words that ask to try later, of a complaint that is open", []exchange{later, state("PENDING")}, gateway.NotDone, wire.CodeUpstreamBusy, 2},
		{"other words that ask to try later", []exchange{later2, state("PROCESSING")}, gateway.NotDone, wire.CodeUpstreamBusy, 2},
		{"words that ask to try later, of a complaint that is settled", []exchange{later, state("PROCESSED")}, gateway.Done, "OK", 2},
		{"words that ask to try later, and no verified state", []exchange{later, forged, forged}, gateway.MaybeDone, wire.CodeUpstreamUnverified, 3},
		{"words that ask to try later, and a state at the second look", []exchange{later, broken, state("PENDING")}, gateway.NotDone, wire.CodeUpstreamBusy, 3},
		{"words that ask to try later after a lost attempt", []exchange{lost, later, state("PENDING")}, gateway.NotDone, wire.CodeUpstreamBusy, 3},
		{"a state that asks to try later is asked for again", []exchange{invalid, {status: 503, body: `{"code":"SYSTEM_ERROR","message":"请稍后重试"}`}, state("PENDING")}, gateway.Refused, "INVALID_REQUEST", 3},
		{"a state that was not taken is asked for again", []exchange{invalid, {status: 425}, state("PROCESSED")}, gateway.Done, "OK", 3},
		{"a state that names no complaint means nothing",
			[]exchange{invalid, {status: 200, body: `{"complaint_state":"PROCESSED"}`}, {status: 200, body: `{"complaint_state":"PROCESSED"}`}},
			gateway.MaybeDone, wire.CodeUpstreamGarbled, 3},
		{"a state that is about another complaint means nothing",
			[]exchange{invalid, {status: 200, body: `{"complaint_id":"1","complaint_state":"PROCESSED"}`},
				{status: 200, body: `{"complaint_id":"1","complaint_state":"PROCESSED"}`}},
			gateway.MaybeDone, wire.CodeUpstreamGarbled, 3},
	}
	p := newParties(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wechatPay{t: t, p: p, answers: tt.answers}
				report, err := newCaller(w, p).Complete(t.Context(), complaint, "")
				if err != nil {
					t.Fatal(err)
				}
				got := report.Verdict()
				if got.Effect != tt.effect || got.Code != tt.code || report.Attempts != tt.attempts || len(w.requests) != tt.attempts {
					t.Errorf("effect %d, code %q, %d attempts, %d requests; want %d, %q, %d", got.Effect, got.Code, report.Attempts,
						len(w.requests), tt.effect, tt.code, tt.attempts)
				}
				if wait := map[bool]time.Duration{true: time.Minute}[tt.code == wire.CodeUpstreamBusy]; got.RetryAfter != wait {
					t.Errorf("Retry-After %s, want %s", got.RetryAfter, wait)
				}
				last := w.requests[len(w.requests)-1]
				if last.Method != http.MethodGet || last.URL.Path != "/v3/merchant-service/complaints-v2/"+complaint {
					t.Errorf("the state was asked for with %s %s", last.Method, last.URL.Path)
				}
			})
		})
	}
}

func TestTheStateIsNotAskedOfTheHostThatJustFailed(t *testing.T) {
	p := newParties(t)
	synctest.Test(t, func(t *testing.T) {
		w := &wechatPay{t: t, p: p, answers: []exchange{{lost: true},
			{status: 400, body: `{"code":"INVALID_REQUEST","message":""}`, unsigned: true}, {status: 200, body: `{"complaint_id":"` + complaint + `","complaint_state":"PROCESSED"}`}}}
		if _, err := newCaller(w, p).Complete(t.Context(), complaint, ""); err != nil {
			t.Fatal(err)
		}
		var hosts []string
		for _, r := range w.requests {
			hosts = append(hosts, r.URL.Host)
		}
		if got := strings.Join(hosts, " "); got != "primary backup backup" {
			t.Errorf("asked %s", got)
		}
	})
}

func TestEveryAttemptHasItsOwnNonceAndTheSameBody(t *testing.T) {
	p := newParties(t)
	synctest.Test(t, func(t *testing.T) {
		w := &wechatPay{t: t, p: p, answers: []exchange{{status: 500}, {status: 500}, {status: 204}}}
		if _, err := newCaller(w, p).Complete(t.Context(), complaint, "1900000002"); err != nil {
			t.Fatal(err)
		}
		nonces := map[string]bool{}
		for i, r := range w.requests {
			a, err := signing.ParseAuthorization(r.Header.Get("Authorization"))
			if err != nil {
				t.Fatal(err)
			}
			nonces[a.Nonce] = true
			if w.bodies[i] != `{"complainted_mchid":"1900000002"}` {
				t.Errorf("attempt %d sent %s", i+1, w.bodies[i])
			}
			for name, want := range map[string]string{"Accept": "application/json", "Content-Type": "application/json",
				"User-Agent": gateway.UserAgent, "Wechatpay-Serial": "PUB_KEY_ID_1"} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		}
		if len(nonces) != 3 {
			t.Errorf("%d nonces in 3 attempts", len(nonces))
		}
	})
}

func TestWithoutRandomnessNothingIsSent(t *testing.T) {
	p := newParties(t)
	w := &wechatPay{t: t, p: p}
	caller := newCaller(w, p)
	caller.API.random = bytes.NewReader(nil)
	if _, err := caller.Complete(context.Background(), complaint, ""); err == nil || len(w.requests) != 0 {
		t.Errorf("error %v, %d requests", err, len(w.requests))
	}
}

func newCaller(transport http.RoundTripper, p parties) *Caller {
	client := &gateway.Client{Transport: transport, MaxAttempts: 3, AttemptTimeout: 5 * time.Second,
		Random: func() float64 { return 0.5 }, Log: slog.New(slog.DiscardHandler)}
	api := New(client, gateway.NewHosts("https://primary", "https://backup"), rand.Reader, time.Now)
	return &Caller{API: api, Keys: p.merchant, Merchant: "acme"}
}
