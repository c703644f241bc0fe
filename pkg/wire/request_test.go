package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

// post is a good HTTP request but for what a row says.
func post(body string) wire.HTTPRequest {
	return wire.HTTPRequest{Merchant: "acme", ComplaintID: complaintID, ContentType: "application/json", Body: []byte(body)}
}

func TestReadHTTPTakesWhatTheContractAllows(t *testing.T) {
	r := wire.ReadHTTP(wire.Reply, wire.HTTPRequest{
		Merchant: "acme", ComplaintID: complaintID, ContentType: "application/json; charset=UTF-8",
		IdempotencyKeys: []string{"k-1"},
		Body: []byte(` {"response_content" : "已与用户沟通解决\n谢谢" , "response_images":[ "a" , "b"],
			"jump_url":"https://a.cn/1","jump_url_text":"查看","seller_account":"6666","transaction_id":"resp202406170001",
			"resend_unknown" : true ,"idempotency_key":"k-1"} `),
	})
	if len(r.Problems) > 0 || r.TooLarge || r.WrongMedia {
		t.Fatalf("%+v", r)
	}
	want := wire.Command{
		Action: wire.Reply, Merchant: "acme", ComplaintID: complaintID, IdempotencyKey: "k-1",
		ReplyContent: wire.ReplyContent{ResponseContent: "已与用户沟通解决\n谢谢", ResponseImages: []string{"a", "b"},
			JumpURL: "https://a.cn/1", JumpURLText: "查看", SellerAccount: "6666"},
		TransactionID: "resp202406170001", ResendUnknown: true,
	}
	if got := fmt.Sprintf("%#v", r.Command); got != fmt.Sprintf("%#v", want) {
		t.Errorf("got  %s\nwant %#v", got, want)
	}
}

func TestReadHTTPCompletionNeedsNoBody(t *testing.T) {
	for _, row := range []struct {
		name string
		in   wire.HTTPRequest
		want wire.Command
	}{
		{"no body and no Content-Type", wire.HTTPRequest{Merchant: "acme", ComplaintID: complaintID},
			wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: complaintID}},
		{"an empty object", post("{}"),
			wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: complaintID}},
		{"both members", post(`{"complainted_mchid":"1900000109","idempotency_key":"k 1"}`),
			wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: complaintID, ComplaintedMchid: "1900000109", IdempotencyKey: "k 1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := wire.ReadHTTP(wire.Complete, row.in)
			if len(r.Problems) > 0 || fmt.Sprintf("%#v", r.Command) != fmt.Sprintf("%#v", row.want) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// told writes problems one a line: the pointer, a space, the detail.
func told(problems []wire.Problem) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Pointer+" "+p.Detail)
	}
	return strings.Join(lines, "\n")
}

func TestReadHTTPRefusesTheWholeRequest(t *testing.T) {
	over := `{"response_content":"` + strings.Repeat("a", wire.MaxBody) + `"}`
	atLimit := `{"response_content":"a"}`
	atLimit += strings.Repeat(" ", wire.MaxBody-len(atLimit))
	for _, row := range []struct {
		name              string
		in                wire.HTTPRequest
		want              string
		tooLarge, notJSON bool
	}{
		{"a body of exactly 64 KiB is taken", post(atLimit), "", false, false},
		{"one byte more is 413", post(atLimit + " "), " the body has 65537 bytes; 65536 are allowed", true, false},
		{"a larger one too, and what is wrong with the path is told beside it", wire.HTTPRequest{Merchant: "a b", ComplaintID: "1", Body: []byte(over)},
			"/merchant may hold only 0-9, A-Z, a-z, _ and -\n the body has 65559 bytes; 65536 are allowed", true, false},
		{"a body without a Content-Type is 415", wire.HTTPRequest{Merchant: "acme", ComplaintID: "1", Body: []byte(atLimit)},
			" the Content-Type must be application/json (in UTF-8)", false, true},
		{"a reply without a body lacks its content", wire.HTTPRequest{Merchant: "acme", ComplaintID: "1"}, "/response_content is required", false, false},
		{"a body that could not be taken out of the event", wire.HTTPRequest{Merchant: "acme", ComplaintID: "1", BodyProblems: []wire.Problem{{Pointer: "/body", Detail: "is not base64"}}},
			"/body is not base64", false, false},
		{"neither merchant nor complaint", wire.HTTPRequest{ContentType: "application/json", Body: []byte(`{"response_content":"a"}`)},
			"/merchant must have 1 to 64 characters, has 0\n/complaint_id must have 1 to 64 characters, has 0", false, false},
		{"an array", post(`[]`), " the request is not a JSON object", false, false},
		{"a string", post(`"a"`), " the request is not a JSON object", false, false},
		{"null", post(`null`), " the request is not a JSON object", false, false},
		{"only white space", post("  "), " the request is not JSON: it ends too early", false, false},
		{"JSON that breaks off", post(`{"response_content":"a"`), " the request is not JSON: it ends too early", false, false},
		{"JSON with a mistake names its place", post(`{ "response_content" : "a" ; }`), " the request is not JSON: it breaks at byte 28 of 30", false, false},
		{"text behind the object", post(`{"response_content":"a"} x`), " the request has more text after the JSON object", false, false},
		{"a byte order mark", post("\xEF\xBB\xBF{}"), " the request is not JSON: it breaks at byte 1 of 5", false, false},
		{"bytes that are not UTF-8", post("{\"response_content\":\"\xC4\xE3\"}"), " the request is not UTF-8", false, false},
		{"33 levels", post(`{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`), " the request is nested more than 32 levels deep", false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := wire.ReadHTTP(wire.Reply, row.in)
			if got := told(r.Problems); got != row.want || r.TooLarge != row.tooLarge || r.WrongMedia != row.notJSON {
				t.Errorf("got %q, too large %t, not JSON %t; want %q", got, r.TooLarge, r.WrongMedia, row.want)
			}
		})
	}
}

func TestReadHTTPContentType(t *testing.T) {
	for _, row := range []struct {
		contentType string
		taken       bool
	}{
		{"application/json", true},
		{"Application/JSON", true},
		{"application/json;charset=utf-8", true},
		{"application/json; charset=\"UTF-8\"", true},
		{"application/json; charset=utf8", true},
		{"application/json; profile=x", true},
		{"application/json; charset=gbk", false},
		{"application/json, application/json", false},
		{"application/problem+json", false},
		{"application/x-www-form-urlencoded", false},
		{"text/json", false},
		{"text/plain", false},
		{"json", false},
		{";", false},
	} {
		t.Run(row.contentType, func(t *testing.T) {
			in := post("{}")
			in.ContentType = row.contentType
			r := wire.ReadHTTP(wire.Complete, in)
			if r.WrongMedia == row.taken || (len(r.Problems) == 0) != row.taken {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestReadHTTPIdempotencyKey(t *testing.T) {
	const two = "/idempotency_key the request names two different keys (header and body, or the header twice)"
	const odd = "/idempotency_key the Idempotency-Key header may hold quotes only around a key, and no backslash; such a key, or one with a comma, is for the body"
	for _, row := range []struct {
		name    string
		headers []string
		body    string
		key     string
		want    string
	}{
		{"neither", nil, `{}`, "", ""},
		{"only in the header", []string{"k"}, `{}`, "k", ""},
		{"only in the body", nil, `{"idempotency_key":"k"}`, "k", ""},
		{"the same in both", []string{"k"}, `{"idempotency_key":"k"}`, "k", ""},
		{"the same twice in the header", []string{"k", "k"}, `{}`, "k", ""},
		{"different in both", []string{"k"}, `{"idempotency_key":"K"}`, "", two},
		{"different twice in the header", []string{"k", "l"}, `{}`, "", two},
		{"an empty header", []string{""}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 0"},
		{"the same twice, joined", []string{"k,k"}, `{}`, "k", ""},
		{"the same twice, joined with blanks", []string{" k ,\tk"}, `{}`, "k", ""},
		{"the same three times, in two values", []string{"k,k", "k"}, `{}`, "k", ""},
		{"different, joined", []string{"k,l"}, `{}`, "", two},
		{"different in case only, joined", []string{"k,K"}, `{}`, "", two},
		{"an empty part at the end", []string{"k,"}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 0"},
		{"an empty part at the beginning", []string{",k"}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 0"},
		{"an empty part of blanks", []string{"k, ,k"}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 0"},
		{"only a comma", []string{","}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 0"},
		{"a value beside an empty one", []string{"k", ""}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 0"},
		{"a key in quotes is the key between them", []string{`"k"`}, `{}`, "k", ""},
		{"blanks within the quotes are part of it", []string{` " k " `}, `{}`, " k ", ""},
		{"in quotes and bare it is the same key", []string{`"k",k`}, `{}`, "k", ""},
		{"a key in quotes equals the body's bare one", []string{`"k"`}, `{"idempotency_key":"k"}`, "k", ""},
		{"in the body quotes are part of the key", nil, `{"idempotency_key":"\"k\""}`, `"k"`, ""},
		{"a quoted key is not the body's quoted one", []string{`"k"`}, `{"idempotency_key":"\"k\""}`, "", two},
		{"a key in quotes of 128 characters", []string{`"` + strings.Repeat("k", 128) + `"`}, `{}`, strings.Repeat("k", 128), ""},
		{"a key in quotes of 129 characters", []string{`"` + strings.Repeat("k", 129) + `"`}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 129"},
		{"quotes around nothing", []string{`""`}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 0"},
		{"a comma within quotes splits too", []string{`"a,b"`}, `{}`, "", odd},
		{"a comma within quotes splits into equal halves too", []string{`"a","a"`}, `{}`, "a", ""},
		{"one quote", []string{`"`}, `{}`, "", odd},
		{"a quote in the middle", []string{`a"b`}, `{}`, "", odd},
		{"a quote at the end alone", []string{`a"`}, `{}`, "", odd},
		{"two pairs of quotes", []string{`""a""`}, `{}`, "", odd},
		{"a backslash", []string{`a\b`}, `{}`, "", odd},
		{"an escaped quote", []string{`"a\"b"`}, `{}`, "", odd},
		{"a key with a comma in the body", nil, `{"idempotency_key":"a,b"}`, "a,b", ""},
		{"128 characters", []string{strings.Repeat("k", 128)}, `{}`, strings.Repeat("k", 128), ""},
		{"129 characters", []string{strings.Repeat("k", 129)}, `{}`, "", "/idempotency_key the Idempotency-Key header must have 1 to 128 characters, has 129"},
		{"a character that is not ASCII", []string{"键"}, `{}`, "", "/idempotency_key the Idempotency-Key header may hold only printable ASCII"},
		{"a control character", []string{"a\tb"}, `{}`, "", "/idempotency_key the Idempotency-Key header may hold only printable ASCII"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := post(row.body)
			in.IdempotencyKeys = row.headers
			r := wire.ReadHTTP(wire.Complete, in)
			if got := told(r.Problems); got != row.want {
				t.Fatalf("got %q, want %q", got, row.want)
			}
			if row.want == "" && r.Command.IdempotencyKey != row.key {
				t.Errorf("the key is %q", r.Command.IdempotencyKey)
			}
		})
	}
}

func TestReadHTTPTellsAllProblemsAtOnce(t *testing.T) {
	r := wire.ReadHTTP(wire.Reply, wire.HTTPRequest{
		Merchant: "a/b", ComplaintID: strings.Repeat("1", 65), ContentType: "application/json", IdempotencyKeys: []string{"键"},
		Body: []byte(`{"Response_Content":"a","merchant":"acme","seller_account":null,"resend_unknown":"yes","jump_url":"http://a",
			"jump_url":"https://a.cn","response_images":[],"a/b~c":1,"transaction_id":"short"}`),
	})
	want := `/merchant may hold only 0-9, A-Z, a-z, _ and -
/complaint_id must have 1 to 64 characters, has 65
/Response_Content is not a member of a reply request
/merchant is not a member of a reply request
/seller_account is null; leave the member out instead
/resend_unknown must be true or false
/jump_url must be an https URL with a host
/jump_url stands twice
/response_images must have 1 to 4 media ids, has 0
/a~1b~0c is not a member of a reply request
/transaction_id must have 13 to 32 characters, has 5
/response_content is required
/jump_url_text is required together with jump_url
/idempotency_key the Idempotency-Key header may hold only printable ASCII`
	if got := told(r.Problems); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if r.Command.Merchant != "" || r.Command.ComplaintID != "" {
		t.Errorf("what is not valid got into the command: %+v", r.Command)
	}
}

func TestReadDetail(t *testing.T) {
	t.Run("merchant and complaint stand beside the other members", func(t *testing.T) {
		r := wire.ReadDetail(wire.Complete, []byte(`{"merchant":"acme","complaint_id":"c-1","complainted_mchid":"19"}`))
		if len(r.Problems) > 0 || r.Command.Merchant != "acme" || r.Command.ComplaintID != "c-1" || r.Command.ComplaintedMchid != "19" {
			t.Errorf("%+v", r)
		}
	})
	for _, row := range []struct {
		name   string
		action wire.Action
		detail string
		want   string
	}{
		{"nothing is there", wire.Reply, `{}`, "/response_content is required\n/merchant is required\n/complaint_id is required"},
		{"what is null is not also missing", wire.Complete, `{"merchant":null,"complaint_id":null }`,
			"/merchant is null; leave the member out instead\n/complaint_id is null; leave the member out instead"},
		{"a completion takes no member of a reply", wire.Complete, `{"merchant":"a","complaint_id":"1","response_content":"a"}`,
			"/response_content is not a member of a complete request"},
		{"a reply takes no member of a completion", wire.Reply, `{"merchant":"a","complaint_id":"1","response_content":"a","complainted_mchid":"1"}`,
			"/complainted_mchid is not a member of a reply request"},
		{"a member stands twice under two spellings of one name", wire.Complete, `{"merchant":"a","complaint_id":"1","\u006derchant":"b"}`, "/merchant stands twice"},
		{"a detail that is no object", wire.Complete, `[1]`, " the request is not a JSON object"},
		{"a detail that is nothing", wire.Complete, ``, " the request is not JSON: it ends too early"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := told(wire.ReadDetail(row.action, []byte(row.detail)).Problems); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
	t.Run("a detail over 64 KiB is too large", func(t *testing.T) {
		r := wire.ReadDetail(wire.Complete, []byte(strings.Repeat(" ", wire.MaxBody+1)))
		if !r.TooLarge || told(r.Problems) != " the command has 65537 bytes; 65536 are allowed" {
			t.Errorf("%+v", r)
		}
	})
}
