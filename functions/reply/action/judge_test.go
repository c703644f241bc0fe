package action

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/desk"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

const (
	key         = "a key of this test"
	transaction = "resp202406170000000001"
	complaint   = "200201820200101080076610000"
)

var sent = wire.ReplyMessage{TransactionID: transaction, ComplaintID: complaint}

// said is an answer of 翼码's in JSON, signed with signKey unless that is empty.
func said(id, transactionID, complaintID, signKey string) string {
	members := []signing.Member{{Name: "complaint_id", Value: complaintID}, {Name: "transaction_id", Value: transactionID}}
	sign := ""
	if signKey != "" {
		sign = `,"sign":"` + signing.ImagecoJSON(signKey, members) + `"`
	}
	return `{"transaction_id":"` + transactionID + `","complaint_id":"` + complaintID +
		`","result":{"id":"` + id + `","comment":"as it pleases"}` + sign + `}`
}

// The table of the contract's section 4.
func TestJudge(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		enforce bool
		want    gateway.Verdict
	}{
		{"0000 with our ids succeeded", 200, said("0000", transaction, complaint, key), false,
			gateway.Verdict{Effect: gateway.Done, Code: "0000", Message: "as it pleases", Verified: true}},
		{"0000 without a sign succeeded, unverified", 200, said("0000", transaction, complaint, ""), true,
			gateway.Verdict{Effect: gateway.Done, Code: "0000", Message: "as it pleases"}},
		{"0000 with a wrong sign succeeded and is counted", 200, said("0000", transaction, complaint, "another key"), false,
			gateway.Verdict{Effect: gateway.Done, Code: "0000", Message: "as it pleases", Forged: true}},
		{"0000 with a wrong sign does not count when signs are enforced", 200, said("0000", transaction, complaint, "another key"), true,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamUnverified, Forged: true,
				Message: "the answer's signature is wrong, so what it says does not count"}},
		{"a refusal with a wrong sign does not count when signs are enforced", 200, said("3001", transaction, complaint, "another key"), true,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamUnverified, Forged: true,
				Message: "the answer's signature is wrong, so what it says does not count"}},
		{"6100 with a wrong sign is a reason to read the key again even then", 200, said("6100", transaction, complaint, "another key"), true,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamUnverified, Forged: true, KeyRefused: true,
				Message: "the answer's signature is wrong, so what it says does not count"}},
		{"a 429 that says 9998 is unknown", 429, said("9998", transaction, complaint, ""), false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: "9998", Message: "as it pleases"}},
		{"0000 with a foreign transaction is unknown", 200, said("0000", "resp202406170000000002", complaint, key), false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Verified: true, Message: "the gateway's answer is about another reply"}},
		{"0000 with a foreign complaint is unknown", 200, said("0000", transaction, "2", key), false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Verified: true, Message: "the gateway's answer is about another reply"}},
		{"an unreadable answer is unknown", 200, "<html>", false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway's answer cannot be read"}},
		{"an empty answer is unknown", 200, "", false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway's answer cannot be read"}},
		{"a 500 is unknown, whatever it says", 500, said("0000", transaction, complaint, ""), false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway answered with an HTTP status that says nothing about the reply"}},
		{"a 302 is unknown, whatever it says", 302, said("6100", transaction, complaint, ""), false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway answered with an HTTP status that says nothing about the reply"}},
		{"9998 is unknown", 200, said("9998", transaction, complaint, ""), false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: "9998", Message: "as it pleases"}},
		{"6100 is rejected and asks for a newer key", 200, said("6100", "", "", ""), false,
			gateway.Verdict{Effect: gateway.Refused, Code: "6100", Message: "as it pleases", KeyRefused: true}},
		{"any other id is rejected", 200, said("3001", "", "", ""), false,
			gateway.Verdict{Effect: gateway.Refused, Code: "3001", Message: "as it pleases"}},
		{"a 400 with a readable id is rejected with it", 400, said("3001", "", "", ""), false,
			gateway.Verdict{Effect: gateway.Refused, Code: "3001", Message: "as it pleases"}},
		{"a 404 without a readable message is rejected", 404, "not here", false,
			gateway.Verdict{Effect: gateway.Refused, Code: wire.CodeUpstreamRefused, Message: "the gateway refused without saying why"}},
		{"a 429 is tried again", 429, "", false,
			gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeRateLimited, Message: "the gateway takes no more calls for now"}},
		{"a 429 that says success is not tried again", 429, said("0000", transaction, complaint, ""), false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway answered 429 and success at once"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := gateway.Answer{Fact: gateway.Answered, Status: tt.status, Body: []byte(tt.body)}
			if got := judge(answer, sent, &merchant.Imageco{Key: key}, tt.enforce); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestTheGatewaysWordsAreShownWithoutSecrets(t *testing.T) {
	body := `{"result":{"id":"6100","comment":"bad sign for key ` + key + `, call 13800000000"}}`
	answer := gateway.Answer{Fact: gateway.Answered, Status: 200, Body: []byte(body)}
	got := judge(answer, sent, &merchant.Imageco{Key: key}, false).Message
	if got != "bad sign for key ***, call ***" {
		t.Errorf("message %q", got)
	}
}

func TestCheck(t *testing.T) {
	plain := merchant.Imageco{ISSPID: "39493002", SystemID: "8888", SellerAccount: "6666", Key: key}
	with := func(change func(*merchant.Imageco)) *merchant.Imageco {
		m := plain
		change(&m)
		return &m
	}
	tests := []struct {
		name     string
		content  string
		account  string
		m        *merchant.Imageco
		pointers string
		field    string
	}{
		{"UTF-8 takes any character of the plane", "᠀", "", &plain, "", ""},
		{"XML takes none that GBK lacks", "᠀", "", with(func(m *merchant.Imageco) { m.XML = true }), "/response_content", ""},
		{"a GBK sign takes none that GBK lacks", "᠀", "", with(func(m *merchant.Imageco) { m.SignGBK = true }), "/response_content", ""},
		{"no account anywhere is the merchant's mistake", "hello", "", with(func(m *merchant.Imageco) { m.SellerAccount = "" }), "", "imageco.seller_account"},
		{"the request's account is enough", "hello", "77", with(func(m *merchant.Imageco) { m.SellerAccount = "" }), "", ""},
		{"a secret that GBK cannot write is the merchant's mistake", "hello", "", with(func(m *merchant.Imageco) { m.XML, m.ISSPID = true, "᠀" }), "", "imageco.isspid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &wire.Command{Action: wire.Reply, ReplyContent: wire.ReplyContent{ResponseContent: tt.content, SellerAccount: tt.account}}
			problems, field := (&Reply{}).Check(c, tt.m)
			var pointers []string
			for _, p := range problems {
				pointers = append(pointers, p.Pointer)
			}
			if got := strings.Join(pointers, " "); got != tt.pointers {
				t.Errorf("problems at %q, want %q", got, tt.pointers)
			}
			if (field == nil) != (tt.field == "") || field != nil && field.Field != tt.field {
				t.Errorf("field %v, want %q", field, tt.field)
			}
		})
	}
}

// record keeps the requests and answers them all with success.
type record struct{ requests []*http.Request }

func (r *record) RoundTrip(request *http.Request) (*http.Response, error) {
	r.requests = append(r.requests, request)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(said("0000", transaction, complaint, key)))}, nil
}

func TestSendUsesTheMerchantsFormatAndAddress(t *testing.T) {
	tests := []struct {
		name        string
		m           merchant.Imageco
		url         string
		contentType string
	}{
		{"JSON to the function's own address", merchant.Imageco{Key: key}, "http://gateway/", wire.ImagecoJSONType},
		{"a form with XML", merchant.Imageco{Key: key, XML: true}, "http://gateway/", wire.ImagecoFormType},
		{"to the merchant's own address", merchant.Imageco{Key: key, URL: "http://own/path"}, "http://own/path", wire.ImagecoJSONType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			network := &record{}
			reply := &Reply{
				Client: &gateway.Client{Transport: network, Pace: gateway.NewPace(0), MaxAttempts: 1, AttemptTimeout: time.Second,
					Random: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler)},
				Hosts: gateway.NewHosts("http://gateway/"), Log: slog.New(slog.DiscardHandler),
			}
			order := desk.Order[*merchant.Imageco]{Command: &wire.Command{Action: wire.Reply, ComplaintID: complaint}, Merchant: &tt.m, TransactionID: transaction}
			if _, err := reply.Send(context.Background(), order, 0); err != nil {
				t.Fatal(err)
			}
			r := network.requests[0]
			if r.URL.String() != tt.url || r.Header.Get("Content-Type") != tt.contentType || r.Method != http.MethodPost {
				t.Errorf("%s %s, %s", r.Method, r.URL, r.Header.Get("Content-Type"))
			}
		})
	}
}
