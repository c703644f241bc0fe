package wire_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/wire"
)

var (
	validID  = regexp.MustCompile(`\A[0-9A-Za-z_-]{1,64}\z`)
	validTxn = regexp.MustCompile(`\A[0-9A-Za-z]{13,32}\z`)
	openable = regexp.MustCompile(`\A[0-9A-Za-z.:-]+\z`)
	validKey = regexp.MustCompile(`\A[ -~]{1,128}\z`)
)

func within(value string, most int, lineFeed bool) bool {
	n := 0
	for _, r := range value {
		n++
		if r > 0xFFFF || r == utf8.RuneError || unicode.IsControl(r) && !(lineFeed && r == '\n') {
			return false
		}
	}
	return n >= 1 && n <= most
}

// checkRequest says whether a request without problems satisfies every limit, and one with problems tells them well.
func checkRequest(t *testing.T, r wire.Request) {
	c := r.Command
	if len(r.Problems) > 0 {
		checkProblems(t, r)
		return
	}
	ok := validID.MatchString(c.Merchant) && validID.MatchString(c.ComplaintID) &&
		(c.IdempotencyKey == "" || validKey.MatchString(c.IdempotencyKey)) && !r.TooLarge && !r.WrongMedia
	if c.Action == wire.Complete {
		ok = ok && (c.ComplaintedMchid == "" || validID.MatchString(c.ComplaintedMchid)) && c.ResponseContent == "" && c.TransactionID == ""
	} else {
		ok = ok && within(c.ResponseContent, 500, true) && strings.TrimSpace(c.ResponseContent) != "" &&
			(c.SellerAccount == "" || within(c.SellerAccount, 64, false)) &&
			(c.TransactionID == "" || validTxn.MatchString(c.TransactionID)) &&
			validTxn.MatchString(c.UpstreamTransactionID()) && c.ComplaintedMchid == "" &&
			(c.JumpURL == "") == (c.JumpURLText == "") && len(c.ResponseImages) <= 4
		if c.JumpURL != "" {
			u, err := url.Parse(c.JumpURL)
			ok = ok && err == nil && u.Scheme == "https" && openable.MatchString(u.Hostname()) && u.User == nil && u.Port() != "0" && len(u.Port()) <= 5 &&
				within(c.JumpURL, 512, false) && within(c.JumpURLText, 10, false)
		}
		for _, id := range c.ResponseImages {
			ok = ok && within(id, 512, false) && !strings.Contains(id, "|")
		}
	}
	if !ok {
		t.Fatalf("it passed the door: %+v", c)
	}
}

func checkProblems(t *testing.T, r wire.Request) {
	if len(r.Problems) > 100 {
		t.Fatalf("%d problems", len(r.Problems))
	}
	for _, p := range r.Problems {
		if p.Detail == "" || p.Pointer != "" && p.Pointer[0] != '/' || len(p.Pointer) > 64*4*2+8 {
			t.Fatalf("%+v", p)
		}
	}
	if c := r.Command; c.Merchant != "" && !validID.MatchString(c.Merchant) || c.ComplaintID != "" && !validID.MatchString(c.ComplaintID) {
		t.Fatalf("a name that is not valid can be used: %+v", c)
	}
	status, _, body := r.Refusal(at).HTTP()
	if status != 400 && status != 413 && status != 415 || !json.Valid(body) {
		t.Fatalf("%d %s", status, body)
	}
}

func action(complete bool) wire.Action {
	if complete {
		return wire.Complete
	}
	return wire.Reply
}

func FuzzReadHTTP(f *testing.F) {
	f.Add(false, "acme", complaintID, "k", "application/json", []byte(`{"response_content":"a","response_images":["a"],"jump_url":"https://a.cn","jump_url_text":"b"}`))
	f.Add(false, "acme", complaintID, "k", "application/json", []byte(`{"response_content":"\ud83d\u0000","transaction_id":"resp202406170001","seller_account":"1","resend_unknown":true}`))
	f.Add(true, "acme", "1", "", "application/json; charset=utf-8", []byte(`{"complainted_mchid":"1","idempotency_key":"k"}`))
	f.Add(true, "", "a/b", "键", "text/plain", []byte(`{`))
	f.Add(true, "acme", "1", `"k","k"`, "application/json", []byte(`{}`))
	f.Add(true, "acme", "1", `"a,b"`, "application/json", []byte(`{"idempotency_key":"\"k\""}`))
	f.Add(false, "acme", "1", "k", "application/json", []byte(`{"response_content":"\u200b","jump_url":"https://[::1]:99999/","jump_url_text":"\u3164"}`))
	f.Add(false, "acme", "1", "k", "application/json", []byte(`{"response_content":"a\r\nb\r","jump_url":"https://xn--a.1.2.3.4/%41","jump_url_text":"b"}`))
	f.Fuzz(func(t *testing.T, complete bool, merchant, complaint, key, contentType string, body []byte) {
		in := wire.HTTPRequest{Merchant: merchant, ComplaintID: complaint, ContentType: contentType, Body: body}
		if key != "" {
			in.IdempotencyKeys = []string{key}
		}
		r := wire.ReadHTTP(action(complete), in)
		checkRequest(t, r)
		if got := r.Command.IdempotencyKey; len(r.Problems) == 0 && key != "" && (got == "" || !strings.Contains(key, got)) {
			t.Fatalf("the key is %q", got)
		}
		if len(r.Problems) > 0 || key == "" {
			return
		}
		// The same header, twice in one of the two ways: the same key.
		for _, twice := range [][]string{{key, key}, {key + "," + key}, {" " + key + " ,\t" + key}} {
			in.IdempotencyKeys = twice
			if again := wire.ReadHTTP(action(complete), in); len(again.Problems) > 0 || again.Command.IdempotencyKey != r.Command.IdempotencyKey {
				t.Fatalf("%q: %+v", twice, again)
			}
		}
	})
}

func FuzzReadDetail(f *testing.F) {
	f.Add(false, []byte(`{"merchant":"acme","complaint_id":"1","response_content":"a","response_images":["a","b|"],"idempotency_key":"k"}`))
	f.Add(false, []byte(`{"merchant":"acme","complaint_id":"1","response_content":"a","jump_url":"https://a.cn/?a=]]>","jump_url_text":"b"}`))
	f.Add(true, []byte(`{"merchant":"acme","complaint_id":"1","complainted_mchid":null}`))
	f.Fuzz(func(t *testing.T, complete bool, detail []byte) {
		r := wire.ReadDetail(action(complete), detail)
		checkRequest(t, r)
		if len(r.Problems) > 0 {
			result := r.Refusal(at)
			if utf8.RuneCountInString(result.Merchant) > 64 || utf8.RuneCountInString(result.ComplaintID) > 64 {
				t.Fatalf("the refusal names %q, %q", result.Merchant, result.ComplaintID)
			}
			return
		}
		if r.Names != (wire.Names{Merchant: r.Command.Merchant, ComplaintID: r.Command.ComplaintID}) {
			t.Fatalf("it names %+v and is about %s, %s", r.Names, r.Command.Merchant, r.Command.ComplaintID)
		}
	})
}
