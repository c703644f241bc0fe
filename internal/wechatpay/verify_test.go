package wechatpay

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// scripted answers with whole headers, in order.
type scripted struct {
	t       *testing.T
	answers []gateway.Answer
	asked   int
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	a := s.answers[min(s.asked, len(s.answers)-1)]
	s.asked++
	header := a.Header
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: a.Status, Header: header.Clone(), Body: http.NoBody}, nil
}

// An answer that arrives a second time, to another request, does not verify.
func TestAnAnswerThatArrivesTwiceSettlesOnce(t *testing.T) {
	p := newParties(t)
	synctest.Test(t, func(t *testing.T) {
		signed := gateway.Answer{Status: 204, Header: p.signed(t, time.Now(), "")}
		network := &scripted{t: t, answers: []gateway.Answer{signed}}
		caller := newCaller(network, p)
		first, err := caller.Complete(t.Context(), complaint, "")
		if err != nil || first.Last.Effect != gateway.Done {
			t.Fatalf("%+v, %v", first.Last, err)
		}
		time.Sleep(4 * time.Minute)
		second, err := caller.Complete(t.Context(), complaint, "")
		if err != nil || second.Last.Effect != gateway.MaybeDone || second.Last.Code != wire.CodeUpstreamUnverified || second.Last.Verified || second.Attempts != 3 {
			t.Errorf("%+v after %d attempts, %v", second.Last, second.Attempts, err)
		}
		if !strings.Contains(second.Last.Message, signing.ErrReplayed.Error()) {
			t.Errorf("the message is %q", second.Last.Message)
		}
	})
}

func TestAnAnswerThatArrivesTwiceWithinOneCommandDoesNotTellTheState(t *testing.T) {
	p := newParties(t)
	synctest.Test(t, func(t *testing.T) {
		body := `{"complaint_id":"` + complaint + `","complaint_state":"PROCESSED"}`
		w := &wechatPay{t: t, p: p, header: p.signed(t, time.Now(), body), answers: []exchange{
			{status: 400, body: `{"code":"INVALID_REQUEST","message":""}`, unsigned: true}, {status: 200, body: body},
			{status: 400, body: `{"code":"INVALID_REQUEST","message":""}`, unsigned: true}, {status: 200, body: body}, {status: 200, body: body}}}
		caller := newCaller(w, p)
		for i, want := range []gateway.Effect{gateway.Done, gateway.MaybeDone} {
			report, err := caller.Complete(t.Context(), complaint, "")
			if err != nil || report.Last.Effect != want {
				t.Errorf("command %d: %+v, %v", i+1, report.Last, err)
			}
		}
	})
}

// An answer that is signed by a key that the secret does not have: the secret is read again, and the same answer is
// checked against what is there now.
func TestAnAnswerOfAnUnknownKey(t *testing.T) {
	p := newParties(t)
	others := newParties(t)
	older := *p.merchant
	older.Platform = signing.KeySet{{ID: "PUB_KEY_ID_0", Verify: others.merchant.Platform[0].Verify}}
	for _, tt := range []struct {
		name    string
		newer   *merchant.WechatPay // nil: nothing newer
		status  int
		effect  gateway.Effect
		code    string
		sent    int
		read    int
		wait    time.Duration
		noNewer bool
	}{
		{"and the newer secret has it", p.merchant, 204, gateway.Done, wire.CodeOK, 1, 1, 0, false},
		{"and there is no newer secret", nil, 204, gateway.MaybeDone, wire.CodeUpstreamUnverified, 1, 1, 15 * time.Minute, false},
		{"and the newer secret does not have it either", &older, 204, gateway.MaybeDone, wire.CodeUpstreamUnverified, 1, 1, 15 * time.Minute, false},
		{"and nobody can read the secret", nil, 204, gateway.MaybeDone, wire.CodeUpstreamUnverified, 1, 0, 15 * time.Minute, true},
		{"on an error, which needs no signature", p.merchant, 403, gateway.Refused, wire.CodeUpstreamRefused, 1, 0, 0, false},
		{"on an answer that says nothing, which is asked for again", p.merchant, 500, gateway.MaybeDone, wire.CodeUpstreamGarbled, 3, 0, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &scripted{t: t, answers: []gateway.Answer{{Status: tt.status, Header: p.signed(t, time.Now(), "")}}}
				read := 0
				caller := newCaller(network, p)
				caller.Keys = &older
				caller.Newer = func(context.Context) (*merchant.WechatPay, bool) { read++; return tt.newer, tt.newer != nil }
				if tt.noNewer {
					caller.Newer = nil
				}
				report, err := caller.Complete(t.Context(), complaint, "")
				got := report.Verdict()
				if err != nil || got.Effect != tt.effect || got.Code != tt.code || got.RetryAfter != tt.wait {
					t.Errorf("%+v, %v", got, err)
				}
				if network.asked != tt.sent || read != tt.read {
					t.Errorf("%d requests and %d readings, want %d and %d", network.asked, read, tt.sent, tt.read)
				}
			})
		})
	}
}

// What an answer says about itself is told without what must be hidden.
func TestWhatAnAnswerNamesIsShownWithoutSecrets(t *testing.T) {
	p := newParties(t)
	const secret = "a-key-of-another-gateway"
	hidden := *p.merchant
	hidden.Hidden = redact.Of(secret)
	now := time.Now()
	for _, serial := range []string{"a-key-of-another-gateway", "13800138000", "<b>"} {
		header := p.signed(t, now, "")
		header.Set("Wechatpay-Serial", serial)
		header.Set("Request-Id", "x/"+serial)
		c := &Caller{API: New(nil, nil, nil, func() time.Time { return now }), Keys: &hidden}
		got := c.judge(t.Context(), gateway.Answer{Fact: gateway.Answered, Status: 204, Header: header}, "the complaint is settled", "completion")
		if got.Message != "the answer cannot be verified: "+signing.ErrUnknownKey.Error() || got.RequestID != "" {
			t.Error("the message or the Request-ID holds what must be hidden")
		}
	}
	header := p.signed(t, now, "")
	header.Set("Wechatpay-Serial", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1")
	c := &Caller{API: New(nil, nil, nil, func() time.Time { return now }), Keys: &hidden}
	got := c.judge(t.Context(), gateway.Answer{Fact: gateway.Answered, Status: 204, Header: header}, "the complaint is settled", "completion")
	if !strings.HasSuffix(got.Message, "5157F09EFDC096DE15EBE81A47057A7232F1B8E1") {
		t.Errorf("the key is not named: %q", got.Message)
	}
}

// The signature of the request is hidden too.
func TestTheSignatureOfTheAttemptIsNotShown(t *testing.T) {
	p := newParties(t)
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		network := roundTrip(func(r *http.Request) (*http.Response, error) {
			sent = signing.SecretsOf(r.Header.Get("Authorization"))
			text := `{"code":"` + sent[1] + `","message":"nonce ` + sent[1] + `, signature ` + sent[0][:40] + ` ` + sent[0][40:] + `"}`
			return &http.Response{StatusCode: 403, Header: http.Header{"Request-Id": {sent[1]}}, Body: body(text)}, nil
		})
		report, err := newCaller(network, p).Complete(t.Context(), complaint, "")
		if err != nil || len(sent) != 2 || len(sent[0]) < 300 {
			t.Fatal(err)
		}
		got := report.Last
		if got.Code != wire.CodeUpstreamRefused || got.RequestID != "" || strings.Contains(got.Message, sent[1]) || strings.Contains(got.Message, sent[0][:40]) {
			t.Error("a part of the signature is shown")
		}
	})
}
