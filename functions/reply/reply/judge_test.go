package reply

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

const (
	key         = "a key of this test"
	transaction = "resp202406170000000001"
	complaint   = "200201820200101080076610000"
)

var sent = imageco.Reply{TransactionID: transaction, ComplaintID: complaint}

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

var (
	another  = garbled("the gateway's answer is about another reply")
	late     = garbled("the gateway answered 408, and it may have taken the request before that")
	notTaken = gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeUpstreamUnreachable, Message: "the gateway did not take the request"}
)

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
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Message: "the gateway refused and said success at once"}},
		{"0000 without ids is unknown", 200, said("0000", "", "", ""), false, garbled("the gateway's answer does not say which reply it is about")},
		{"0000 with one id is unknown", 200, said("0000", transaction, "", ""), false, garbled("the gateway's answer does not say which reply it is about")},
		{"a refusal of a foreign transaction is unknown", 200, said("3001", "resp00000000000000001", "another", ""), false, another},
		{"a refusal of our transaction and a foreign complaint is unknown", 200, said("3001", transaction, "another", ""), false, another},
		{"a refusal that carries a foreign transaction alone is unknown", 200, said("3001", "resp00000000000000001", "", ""), false, another},
		{"a refusal that carries a foreign complaint alone is unknown", 200, said("3001", "", "another", ""), false, another},
		{"a refusal whose transaction is a number that is not ours is unknown", 200, `{"transaction_id":7,"result":{"id":"3001"}}`, false, another},
		{"a refusal that carries our transaction alone is rejected", 200, said("3001", transaction, "", ""), false,
			gateway.Verdict{Effect: gateway.Refused, Code: "3001", Message: "as it pleases"}},
		{"a refusal with our ids is rejected", 200, said("3001", transaction, complaint, key), false,
			gateway.Verdict{Effect: gateway.Refused, Code: "3001", Message: "as it pleases", Verified: true}},
		{"6100 with foreign ids asks for no newer key", 200, said("6100", "other", complaint, ""), false, another},
		{"a 400 with foreign ids is unknown", 400, said("3001", "other", complaint, ""), false, another},
		{"a 429 with foreign ids is unknown", 429, said("3001", "other", complaint, ""), false, another},
		{"a 429 with our ids is tried again", 429, said("3001", transaction, complaint, ""), false,
			gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeRateLimited, Message: "the gateway takes no more calls for now"}},
		{"9998 with foreign ids is unknown as an answer to another", 200, said("9998", "other", complaint, ""), false, another},
		{"a 425 is tried again", 425, "", false, notTaken},
		{"a 425 with words is tried again", 425, said("3001", transaction, complaint, ""), false,
			gateway.Verdict{Effect: gateway.NotDone, Code: wire.CodeUpstreamUnreachable, Message: "the gateway did not take the request"}},
		{"a 425 that says success is unknown", 425, said("0000", transaction, complaint, ""), false, garbled("the gateway refused and said success at once")},
		{"a 425 with foreign ids is unknown", 425, said("3001", "other", complaint, ""), false, another},
		{"a 408 on a connection that stays open is unknown", 408, "", false, late},
		{"a 408 with words on a connection that stays open is unknown", 408, said("3001", transaction, complaint, ""), false, late},
		{"6103 says what to do about it", 200, said("6103", "", "", ""), false,
			gateway.Verdict{Effect: gateway.Refused, Code: "6103", Message: "as it pleases; the address that this call came from is not on 翼码's list of allowed addresses (IP 白名单)"}},
		{"a code that is our key is no answer", 200, said("k"+strings.ToUpper(key[1:]), transaction, complaint, ""), false, garbled("the gateway's answer cannot be read")},
		{"a code that is a sign is no answer", 200, said("0123456789ABCDEF0123456789ABCDEF", transaction, complaint, ""), false, garbled("the gateway's answer cannot be read")},
		{"a code that is a phone number is no answer", 200, said("13800138000", transaction, complaint, ""), false, garbled("the gateway's answer cannot be read")},
		{"a code of Kesu's own is no answer", 200, said("IN_PROGRESS", transaction, complaint, ""), false, garbled("the gateway's answer cannot be read")},
		{"WeChat Pay's INVALID_REQUEST is none of 翼码's", 200, said("INVALID_REQUEST", transaction, complaint, ""), false, garbled("the gateway's answer cannot be read")},
		{"an answer whose code may not be shown is verified by its sign all the same", 200, said("IN_PROGRESS", transaction, complaint, key), false,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamGarbled, Verified: true, Message: "the gateway's answer cannot be read"}},
		{"an answer whose code may not be shown and whose sign is wrong is counted", 400, said("IN_PROGRESS", transaction, complaint, "another key"), false,
			gateway.Verdict{Effect: gateway.Refused, Code: wire.CodeUpstreamRefused, Forged: true, Message: "the gateway refused without saying why"}},
		{"an answer whose code may not be shown and whose sign is wrong does not count when signs are enforced", 400, said("IN_PROGRESS", transaction, complaint, "another key"), true,
			gateway.Verdict{Effect: gateway.MaybeDone, Code: wire.CodeUpstreamUnverified, Forged: true,
				Message: "the answer's signature is wrong, so what it says does not count"}},
		{"a 400 with foreign ids and a code that may not be shown is unknown", 400, said("13800138000", "other", complaint, ""), false, another},
		{"a code that is a phone number with a 400 is a refusal without a code", 400, said("13800138000", transaction, complaint, ""), false,
			gateway.Verdict{Effect: gateway.Refused, Code: wire.CodeUpstreamRefused, Message: "the gateway refused without saying why"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := gateway.Answer{Fact: gateway.Answered, Status: tt.status, Body: []byte(tt.body)}
			if got := judge(answer, sent, &merchant.Imageco{Key: key}, redact.Of(key), tt.enforce); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestA408WithWhichTheConnectionIsClosedWasNotTaken(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       gateway.Verdict
	}{
		{"without words", "", notTaken},
		{"with a page of a proxy's", "<html>408</html>", notTaken},
		{"with words of 翼码's it is unknown", said("3001", transaction, complaint, ""), late},
		{"with success it is unknown", said("0000", transaction, complaint, ""), late},
		{"with foreign ids it is unknown", said("3001", "other", "", ""), another},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := gateway.Answer{Fact: gateway.Answered, Status: 408, Close: true, Body: []byte(tt.body)}
			got := judge(answer, sent, &merchant.Imageco{Key: key}, redact.Of(key), false)
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// 429 of 翼码's with a Retry-After is not asked again before that.
func TestA429TellsWhenToTryAgain(t *testing.T) {
	for _, status := range []int{429, 425} {
		answer := gateway.Answer{Fact: gateway.Answered, Status: status, Header: http.Header{"Retry-After": {"7"}}}
		if got := judge(answer, sent, &merchant.Imageco{Key: key}, redact.Secrets{}, false); got.RetryAfter != 7*time.Second {
			t.Errorf("%d: Retry-After %s", status, got.RetryAfter)
		}
	}
}

func TestTheGatewaysWordsAreShownWithoutSecrets(t *testing.T) {
	body := `{"result":{"id":"6100","comment":"bad sign for key ` + key + `, call 13800000000"}}`
	answer := gateway.Answer{Fact: gateway.Answered, Status: 200, Body: []byte(body)}
	got := judge(answer, sent, &merchant.Imageco{Key: key}, redact.Of(key), false).Message
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
		{"200 characters are taken, however many bytes", strings.Repeat("字", 200), "", &plain, "", ""},
		{"201 characters are not", strings.Repeat("字", 201), "", &plain, "/response_content", ""},
		{"what is too long and what GBK lacks is told together", strings.Repeat("字", 200) + "᠀", "", with(func(m *merchant.Imageco) { m.XML = true }),
			"/response_content /response_content", ""},
		{"a secret without an account is told before", strings.Repeat("字", 201), "", with(func(m *merchant.Imageco) { m.SellerAccount = "" }), "", "imageco.seller_account"},
		{"XML takes none that GBK lacks", "᠀", "", with(func(m *merchant.Imageco) { m.XML = true }), "/response_content", ""},
		{"a GBK sign takes none that GBK lacks", "᠀", "", with(func(m *merchant.Imageco) { m.SignGBK = true }), "/response_content", ""},
		{"no account anywhere is the merchant's mistake", "hello", "", with(func(m *merchant.Imageco) { m.SellerAccount = "" }), "", "imageco.seller_account"},
		{"the request's account is enough", "hello", "77", with(func(m *merchant.Imageco) { m.SellerAccount = "" }), "", ""},
		{"a secret that GBK cannot write is the merchant's mistake", "hello", "", with(func(m *merchant.Imageco) { m.XML, m.ISSPID = true, "᠀" }), "", "imageco.isspid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &wire.Command{Action: wire.Reply, ReplyContent: wire.ReplyContent{ResponseContent: tt.content, SellerAccount: tt.account}}
			problems, field := checkImageco(c, tt.m)
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

// echo answers with the sign or the mac of the request as the code and in the words.
type echo struct{}

func (echo) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	sign := imageco.SignatureOf(body)
	text := `{"transaction_id":"` + transaction + `","complaint_id":"` + complaint + `","result":{"id":"0007","comment":"you sent ` +
		sign[:8] + "-" + strings.ToLower(sign[8:12]) + " " + sign[12:] + `"}}`
	if r.Header.Get("Content-Type") == imageco.FormType {
		text = "<business_trans><result><id>0007</id><comment>you sent " + sign[:16] + "-" + sign[16:] + "</comment></result></business_trans>"
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}, nil
}

func TestTheSignOfTheAttemptIsNotShown(t *testing.T) {
	for _, m := range []merchant.Imageco{{Key: key}, {Key: key, XML: true}} {
		reply := &Reply{
			Client: &gateway.Client{Transport: echo{}, MaxAttempts: 1, AttemptTimeout: time.Second,
				Random: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler)},
			Hosts: gateway.NewHosts("http://gateway/"),
		}
		call := pipeline.Call{Command: &wire.Command{Action: wire.Reply, ComplaintID: complaint}, TransactionID: transaction}
		report, err := reply.Of(merchant.NewReplier(wire.Imageco, &m, nil)).Send(context.Background(), call)
		if err != nil || report.Last.Message != "you sent ***" || report.Last.Code != "0007" {
			t.Error("the sign is shown, or more is hidden")
		}
	}
}

func TestSendUsesTheMerchantsFormatAndAddress(t *testing.T) {
	tests := []struct {
		name        string
		m           merchant.Imageco
		url         string
		contentType string
	}{
		{"JSON to the function's own address", merchant.Imageco{Key: key}, "http://gateway/", imageco.JSONType},
		{"a form with XML", merchant.Imageco{Key: key, XML: true}, "http://gateway/", imageco.FormType},
		{"to the merchant's own address", merchant.Imageco{Key: key, URL: "http://own/path"}, "http://own/path", imageco.JSONType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			network := &record{}
			reply := &Reply{
				Client: &gateway.Client{Transport: network, MaxAttempts: 1, AttemptTimeout: time.Second,
					Random: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler)},
				Hosts: gateway.NewHosts("http://gateway/"),
			}
			call := pipeline.Call{Command: &wire.Command{Action: wire.Reply, ComplaintID: complaint}, TransactionID: transaction}
			m := reply.Of(merchant.NewReplier(wire.Imageco, &tt.m, nil))
			if _, err := m.Send(context.Background(), call); err != nil {
				t.Fatal(err)
			}
			r := network.requests[0]
			if r.URL.String() != tt.url || r.Header.Get("Content-Type") != tt.contentType || r.Method != http.MethodPost {
				t.Errorf("%s %s, %s", r.Method, r.URL, r.Header.Get("Content-Type"))
			}
			if base := m.Base(wire.Imageco); base != tt.url {
				t.Errorf("a connection is opened ahead to %q", base)
			}
		})
	}
}
