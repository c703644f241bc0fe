package reply_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/api"
	"github.com/kesu-go/kesu/functions/reply/reply"
	"github.com/kesu-go/kesu/internal/bench"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/pkg/wire"
)

// A reply's members: one that is given, and one that is wrong.
var replyMembers = map[string]struct{ given, wrong string }{
	"response_content":       {`"您好，已为您退款"`, `7`},
	"response_images":        {`["file752398_7983424"]`, `"file752398_7983424"`},
	"jump_url":               {`"https://shop.example.com/refund"`, `"shop"`},
	"jump_url_text":          {`"查看退款"`, `""`},
	"mini_program_jump_info": {`{"appid":"wx1234567890abcdef","path":"pages/refund","text":"查看退款"}`, `{"appid":"wx"}`},
	"immediate_service":      {`true`, `"true"`},
	"seller_account":         {`"1900000777"`, `"\u0000"`},
	"transaction_id":         {`"resp202406170000000009"`, `"short"`},
	"resend_unknown":         {`true`, `1`},
	"idempotency_key":        {`"key-1"`, `"\n"`},
}

// What says how to send, and not what.
var besideTheContent = []string{"transaction_id", "resend_unknown", "idempotency_key"}

// recorder keeps the last body that was sent, and refuses it.
type recorder struct{ body []byte }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.body, _ = io.ReadAll(request.Body)
	return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// replies sends replies of one merchant through one gateway, and keeps what is sent.
type replies struct {
	sent     recorder
	merchant pipeline.Merchant
	through  wire.Provider
}

func newReplies(t *testing.T, secret string, through wire.Provider) *replies {
	t.Helper()
	r := &replies{through: through}
	client := &gateway.Client{Transport: &r.sent, MaxAttempts: 1, AttemptTimeout: time.Second, Random: func() float64 { return 0 },
		Log: slog.New(slog.DiscardHandler)}
	nonces := bytes.NewReader(make([]byte, 1<<16)) // the same for every message, so that only a member makes a difference
	settings := config.Reply{ImagecoURL: "http://imageco.test/", Hosts: []string{"http://wechatpay.test"},
		CheckGatewayURL: func(string) error { return nil }}
	var err error
	if r.merchant, err = reply.New(client, settings, nonces, time.Now).Work().Open(secret); err != nil {
		t.Fatal(err)
	}
	return r
}

// message is the body that a reply is sent with, and "" when it is refused with a pointer to the member.
func (r *replies) message(t *testing.T, c *wire.Command, member string) string {
	t.Helper()
	problems, wrong := r.merchant.Check(c, r.through)
	if wrong != nil {
		t.Fatal(wrong)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Pointer, wire.Pointer(member)) {
			return ""
		}
		t.Errorf("%s: %s %s", member, p.Pointer, p.Detail)
	}
	r.sent.body = nil
	_, err := r.merchant.Send(t.Context(), pipeline.Call{Command: c, Through: r.through, TransactionID: c.UpstreamTransactionID()})
	if err != nil || len(r.sent.body) == 0 {
		t.Fatalf("%s: nothing was sent: %v", member, err)
	}
	return string(r.sent.body)
}

func command(t *testing.T, members map[string]string) wire.Request {
	t.Helper()
	var detail strings.Builder
	detail.WriteString(`{"merchant":"acme","complaint_id":"200201820200101080076610000"`)
	for name, value := range members {
		detail.WriteString(`,"` + name + `":` + value)
	}
	return wire.ReadDetail(wire.Reply, []byte(detail.String()+"}"))
}

func TestAMemberOfAReplyIsForgottenNowhere(t *testing.T) {
	keys, err := bench.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	carriers := map[string]*replies{
		"翼码 in JSON": newReplies(t, keys.Secret, wire.Imageco),
		"翼码 in XML":  newReplies(t, keys.XMLSecret(), wire.Imageco),
		"WeChat Pay": newReplies(t, keys.Secret, wire.WechatPay),
	}
	for _, name := range wire.Reply.Members() {
		sample, ok := replyMembers[name]
		if !ok {
			t.Errorf("%s: nobody says here what it may be", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			for document, text := range map[string][]byte{"openapi.yaml": api.OpenAPI, "asyncapi.yaml": api.AsyncAPI} {
				if !bytes.Contains(text, []byte("\n        "+name+":")) && !bytes.Contains(text, []byte(" "+name+":\n")) {
					t.Errorf("%s does not have it", document)
				}
			}
			if problems := command(t, with(map[string]string{"response_content": `"hello"`}, name, sample.wrong)).Problems; len(problems) == 0 ||
				!slices.ContainsFunc(problems, func(p wire.Problem) bool { return strings.HasPrefix(p.Pointer, wire.Pointer(name)) }) {
				t.Errorf("%s is taken: %v", sample.wrong, problems)
			}
			before := map[string]string{"response_content": `"hello"`}
			if strings.HasPrefix(name, "jump_url") { // the two stand together
				before["jump_url"], before["jump_url_text"] = `"https://shop.example.com/"`, `"shop"`
			}
			without, given := command(t, before), command(t, with(before, name, sample.given))
			if len(without.Problems)+len(given.Problems) > 0 {
				t.Fatalf("%v %v", without.Problems, given.Problems)
			}
			content := !slices.Contains(besideTheContent, name)
			if hashed := without.Command.PayloadHash() != given.Command.PayloadHash(); hashed != content {
				t.Errorf("it takes part in the payload hash: %t", hashed)
			}
			if !content {
				return
			}
			for carrier, r := range carriers {
				after := r.message(t, &given.Command, name)
				if after != "" && stripped(after) == stripped(r.message(t, &without.Command, name)) {
					t.Errorf("%s: it is neither sent nor refused", carrier)
				}
			}
		})
	}
}

// with is members with one of them set.
func with(members map[string]string, name, value string) map[string]string {
	out := map[string]string{name: value}
	for k, v := range members {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// stripped is a message without what changes with the hash of its content: the transaction id, and what signs it.
func stripped(message string) string {
	var members map[string]any
	if json.Unmarshal([]byte(message), &members) != nil { // a form
		doc, _, _ := strings.Cut(message, "&mac=")
		before, after, _ := strings.Cut(doc, "%3Ctransaction_id%3E")
		_, after, _ = strings.Cut(after, "%3C%2Ftransaction_id%3E")
		return before + after
	}
	delete(members, "sign")
	delete(members, "transaction_id")
	delete(members, "idempotent_id")
	text, _ := json.Marshal(members)
	return string(text)
}
