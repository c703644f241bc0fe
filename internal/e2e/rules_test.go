package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// refused is one way to spoil a good command, and the members that the answer must name.
type refused struct {
	name   string
	change []any // as for members.with
	want   []string
}

func long(n int) string { return strings.Repeat("a", n) }

var wrongReplies = []refused{
	{"no response_content", []any{"response_content", nil}, []string{"/response_content"}},
	{"an empty response_content", []any{"response_content", ""}, []string{"/response_content"}},
	{"a response_content of 501 characters", []any{"response_content", strings.Repeat("好", 501)}, []string{"/response_content"}},
	{"a response_content that is a number", []any{"response_content", 7}, []string{"/response_content"}},
	{"a response_content of spaces", []any{"response_content", "   "}, []string{"/response_content"}},
	{"a response_content of ideographic spaces", []any{"response_content", "\u3000\u3000"}, []string{"/response_content"}},
	{"a response_content of line feeds", []any{"response_content", "\n\n"}, []string{"/response_content"}},
	{"a response_content with an emoji", []any{"response_content", "好😀"}, []string{"/response_content"}},
	{"a response_content with a rare character beyond the BMP", []any{"response_content", "𠮷"}, []string{"/response_content"}},
	{"a response_content with a tab", []any{"response_content", "a\tb"}, []string{"/response_content"}},
	{"a response_content of line ends of all kinds", []any{"response_content", "\r\n\r\n"}, []string{"/response_content"}},
	{"a response_content of zero-width spaces", []any{"response_content", "\u200b \u200b"}, []string{"/response_content"}},
	{"a jump_url_text that shows nothing", []any{"jump_url", "https://a.example/", "jump_url_text", "\u3164"}, []string{"/jump_url_text"}},
	{"a response_content with a NUL", []any{"response_content", "a\x00b"}, []string{"/response_content"}},
	{"a response_content with DEL", []any{"response_content", "a\x7fb"}, []string{"/response_content"}},
	{"a response_content with a C1 control", []any{"response_content", "a\u0085b"}, []string{"/response_content"}},
	{"a response_content that is null", []any{"response_content", rawJSON("null")}, []string{"/response_content"}},
	{"half of a surrogate pair", []any{"response_content", rawJSON(`"a\ud83d"`)}, []string{"/response_content"}},
	{"no images in the list", []any{"response_images", []string{}}, []string{"/response_images"}},
	{"five images", []any{"response_images", []string{"1", "2", "3", "4", "5"}}, []string{"/response_images"}},
	{"five images, and the last is none", []any{"response_images", []string{"1", "2", "3", "4", "a|b"}}, []string{"/response_images", "/response_images/4"}},
	{"images as one text", []any{"response_images", "a|b"}, []string{"/response_images"}},
	{"an empty image id", []any{"response_images", []string{"a", ""}}, []string{"/response_images/1"}},
	{"an image id of 513 characters", []any{"response_images", []string{long(513)}}, []string{"/response_images/0"}},
	{"an image id with the separator", []any{"response_images", []string{"a", "b", "c|d"}}, []string{"/response_images/2"}},
	{"an image id that is a number", []any{"response_images", []any{1}}, []string{"/response_images/0"}},
	{"an image id with a line feed", []any{"response_images", []string{"a\nb"}}, []string{"/response_images/0"}},
	{"an image id with an emoji", []any{"response_images", []string{"😀"}}, []string{"/response_images/0"}},
	{"an image id that is null", []any{"response_images", []any{nil}}, []string{"/response_images/0"}},
	{"a link without its text", []any{"jump_url", "https://a.example/"}, []string{"/jump_url_text"}},
	{"a text without its link", []any{"jump_url_text", "详情"}, []string{"/jump_url"}},
	{"a link by http", []any{"jump_url", "http://a.example/", "jump_url_text", "a"}, []string{"/jump_url"}},
	{"a link without a host", []any{"jump_url", "https:///path", "jump_url_text", "a"}, []string{"/jump_url"}},
	{"a link with a port and no host", []any{"jump_url", "https://:443/", "jump_url_text", "a"}, []string{"/jump_url"}},
	{"a link that is no URL", []any{"jump_url", "详情", "jump_url_text", "a"}, []string{"/jump_url"}},
	{"a link by javascript", []any{"jump_url", "javascript:alert(1)", "jump_url_text", "a"}, []string{"/jump_url"}},
	{"a link of 513 characters", []any{"jump_url", "https://a.example/" + long(495), "jump_url_text", "a"}, []string{"/jump_url"}},
	{"a link with a line feed", []any{"jump_url", "https://a.example/\nb", "jump_url_text", "a"}, []string{"/jump_url"}},
	{"a link's text of 11 characters", []any{"jump_url", "https://a.example/", "jump_url_text", strings.Repeat("好", 11)}, []string{"/jump_url_text"}},
	{"an empty link's text", []any{"jump_url", "https://a.example/", "jump_url_text", ""}, []string{"/jump_url_text"}},
	{"a link's text with an emoji", []any{"jump_url", "https://a.example/", "jump_url_text", "😀"}, []string{"/jump_url_text"}},
	{"an empty seller_account", []any{"seller_account", ""}, []string{"/seller_account"}},
	{"a seller_account of 65 characters", []any{"seller_account", long(65)}, []string{"/seller_account"}},
	{"a seller_account with a control character", []any{"seller_account", "a\x01"}, []string{"/seller_account"}},
	{"a seller_account that is a number", []any{"seller_account", 66660000000000001}, []string{"/seller_account"}},
	{"a transaction_id of 12 characters", []any{"transaction_id", long(12)}, []string{"/transaction_id"}},
	{"a transaction_id of 33 characters", []any{"transaction_id", long(33)}, []string{"/transaction_id"}},
	{"a transaction_id with a hyphen", []any{"transaction_id", "resp-20240617-1"}, []string{"/transaction_id"}},
	{"a transaction_id with digits of another script", []any{"transaction_id", "resp２０２４０６１７１２"}, []string{"/transaction_id"}},
	{"resend_unknown as a text", []any{"resend_unknown", "true"}, []string{"/resend_unknown"}},
	{"resend_unknown as a number", []any{"resend_unknown", 1}, []string{"/resend_unknown"}},
	{"a completion's member", []any{"complainted_mchid", "1900000001"}, []string{"/complainted_mchid"}},
	{"a member that nobody knows", []any{"colour", "red"}, []string{"/colour"}},
	{"a member in another case", []any{"Response_Content", "a"}, []string{"/Response_Content"}},
	{"a member with a blank at its end", []any{"response_content ", "a"}, []string{"/response_content "}},
	{"a member behind a byte order mark", []any{"\uFEFFmerchant", "a"}, []string{"/\uFEFFmerchant"}},
	{"a member with an invisible character", []any{"jump_\u200burl", "a"}, []string{"/jump_\u200burl"}},
	{"a member that is a phone number, with a blank before it", []any{" 138-0013-8000", "a"}, []string{"/***"}},
	{"a member with a slash and a tilde in its name", []any{"a/b~c", "a"}, []string{"/a~1b~0c"}},
	{"an option that is null", []any{"jump_url", rawJSON("null"), "jump_url_text", "a", "seller_account", rawJSON("null")}, []string{"/jump_url", "/seller_account"}},
	{"an empty idempotency_key", []any{"idempotency_key", ""}, []string{"/idempotency_key"}},
	{"an idempotency_key of 129 characters", []any{"idempotency_key", long(129)}, []string{"/idempotency_key"}},
	{"an idempotency_key beyond ASCII", []any{"idempotency_key", "键"}, []string{"/idempotency_key"}},
	{"an idempotency_key with a line feed", []any{"idempotency_key", "a\nb"}, []string{"/idempotency_key"}},
	{"a merchant with a slash", []any{"merchant", "a/b"}, []string{"/merchant"}},
	{"a merchant of 65 characters", []any{"merchant", long(65)}, []string{"/merchant"}},
	{"no merchant", []any{"merchant", nil}, []string{"/merchant"}},
	{"no complaint_id", []any{"complaint_id", nil}, []string{"/complaint_id"}},
	{"an empty complaint_id", []any{"complaint_id", ""}, []string{"/complaint_id"}},
	{"a complaint_id of 65 characters", []any{"complaint_id", long(65)}, []string{"/complaint_id"}},
	{"a complaint_id with a dot", []any{"complaint_id", ".."}, []string{"/complaint_id"}},
	{"a complaint_id that is a number", []any{"complaint_id", 2002}, []string{"/complaint_id"}},
	{"everything wrong at once", []any{"response_content", "", "response_images", []string{"|"}, "jump_url", "ftp://a", "transaction_id", "1", "x", 1, "merchant", "?",
		"complaint_id", "", "idempotency_key", "", "seller_account", "", "resend_unknown", 0},
		[]string{"/complaint_id", "/idempotency_key", "/jump_url", "/jump_url_text", "/merchant", "/resend_unknown", "/response_content", "/response_images/0",
			"/seller_account", "/transaction_id", "/x"}},
}

var wrongCompletions = []refused{
	{"a complainted_mchid of 65 characters", []any{"complainted_mchid", long(65)}, []string{"/complainted_mchid"}},
	{"an empty complainted_mchid", []any{"complainted_mchid", ""}, []string{"/complainted_mchid"}},
	{"a complainted_mchid with a space", []any{"complainted_mchid", "1900 1"}, []string{"/complainted_mchid"}},
	{"a complainted_mchid that is a number", []any{"complainted_mchid", 1900000001}, []string{"/complainted_mchid"}},
	{"a reply's members", []any{"response_content", "a", "transaction_id", "resp202406170001", "resend_unknown", true},
		[]string{"/resend_unknown", "/response_content", "/transaction_id"}},
	{"a complainted_mchid that is null", []any{"complainted_mchid", rawJSON("null")}, []string{"/complainted_mchid"}},
	{"no merchant and no complaint_id", []any{"merchant", nil, "complaint_id", nil}, []string{"/complaint_id", "/merchant"}},
}

func TestAWrongRequestIsRefusedNamingEveryMemberAndNothingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	id := w.complaint("acme")
	for _, action := range []struct {
		function *function
		good     members
		wrong    []refused
	}{
		{w.reply(), replyTo("acme", id), wrongReplies},
		{w.complete(), completionOf("acme", id), wrongCompletions},
	} {
		for _, test := range action.wrong {
			t.Run(action.function.action+" with "+test.name, func(t *testing.T) {
				got := action.function.bare(action.good.with(test.change...))
				if got.Outcome != "rejected" || got.Code != "INVALID_REQUEST" || got.Attempts != 0 || got.HTTPStatus != 0 || got.Verified || got.Replayed {
					t.Errorf("got %+v", got)
				}
				if !slices.Equal(got.pointers(), test.want) {
					t.Errorf("it points at %v and should at %v", got.pointers(), test.want)
				}
				for _, p := range got.Errors {
					if p.Detail == "" {
						t.Errorf("%s has no detail", p.Pointer)
					}
				}
			})
		}
	}
	if n := w.ImagecoHost.Calls.Len() + w.Primary.Calls.Len() + w.Secrets.Calls.Len(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestAMemberThatStandsTwiceIsRefusedByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	for name, test := range map[string]struct {
		command string
		want    []string
	}{
		"plainly":            {`{"merchant":"acme","complaint_id":"c1","response_content":"a","response_content":"b"}`, []string{"/response_content"}},
		"the same value":     {`{"merchant":"acme","complaint_id":"c1","response_content":"a","response_content":"a"}`, []string{"/response_content"}},
		"once escaped":       {`{"merchant":"acme","complaint_id":"c1","response_content":"a","\u0072esponse_content":"b"}`, []string{"/response_content"}},
		"the merchant twice": {`{"merchant":"acme","complaint_id":"c1","response_content":"a","merchant":"other"}`, []string{"/merchant"}},
		"and one is unknown": {`{"merchant":"acme","complaint_id":"c1","response_content":"a","response_content":"b","x":1}`, []string{"/response_content", "/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := f.result(f.invoke(test.command))
			if got.Code != "INVALID_REQUEST" || !slices.Equal(got.pointers(), test.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if w.ImagecoHost.Calls.Len() != 0 {
		t.Error("something was sent")
	}
}

func TestARequestAtItsLimitsIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	longest := long(64)
	w.State.Add("acme", longest)
	reply, complete := w.reply(), w.complete()
	for _, test := range []struct {
		name    string
		command members
	}{
		{"200 characters", replyTo("acme", w.complaint("acme")).with("response_content", strings.Repeat("好", 200))},
		{"one character", replyTo("acme", w.complaint("acme")).with("response_content", "好")},
		{"a line feed in the content", replyTo("acme", w.complaint("acme")).with("response_content", "您好\n再见")},
		{"a complaint id of 64", replyTo("acme", longest)},
		{"four images of 512 characters", replyTo("acme", w.complaint("acme")).with("response_images", []string{long(512), long(512), long(512), long(512)})},
		{"one image", replyTo("acme", w.complaint("acme")).with("response_images", []string{"a"})},
		{"a link of 512 characters with a text of ten", replyTo("acme", w.complaint("acme")).with("jump_url", "https://a.example/"+long(494), "jump_url_text", strings.Repeat("好", 10))},
		{"a link with a query", replyTo("acme", w.complaint("acme")).with("jump_url", "https://a.example/?a=1&b=%3C2%3E", "jump_url_text", "<a&b>")},
		{"a seller account of 64", replyTo("acme", w.complaint("acme")).with("seller_account", long(64))},
		{"a transaction id of 13", replyTo("acme", w.complaint("acme")).with("transaction_id", long(13))},
		{"a transaction id of 32", replyTo("acme", w.complaint("acme")).with("transaction_id", long(32))},
		{"resend_unknown false", replyTo("acme", w.complaint("acme")).with("resend_unknown", false)},
		{"a key of 128 printable characters", replyTo("acme", w.complaint("acme")).with("idempotency_key", " ~"+long(126))},
		{"characters that need escaping", replyTo("acme", w.complaint("acme")).with("response_content", `"\<>&'/`+"\u2028")},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := reply.bare(test.command)
			if got.Outcome != "succeeded" || got.Code != "0000" {
				t.Fatalf("got %+v", got)
			}
			c, _ := w.State.Complaint("acme", test.command["complaint_id"].(string))
			if len(c.Replies) != 1 || c.Replies[0].Content != test.command["response_content"] || c.Replies[0].TransactionID != got.TransactionID {
				t.Errorf("the consumer sees %+v", c.Replies)
			}
			if id := test.command["transaction_id"]; id != nil && id != got.TransactionID {
				t.Errorf("transaction_id is %s", got.TransactionID)
			}
		})
	}
	if got := complete.bare(completionOf("acme", w.complaint("acme")).with("complainted_mchid", m.WechatPay.Mchid, "idempotency_key", "k")); got.Outcome != "succeeded" {
		t.Errorf("a completion with all members: %+v", got)
	}
}

func TestACharacterThatGBKLacksIsRefusedWhereGBKIsSpoken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("utf-8", sandbox.MerchantOptions{})
	w.merchant("xml", sandbox.MerchantOptions{XML: true})
	w.merchant("gbk", sandbox.MerchantOptions{SignGBK: true})
	f := w.reply()
	for _, merchant := range []string{"xml", "gbk"} {
		id := w.complaint(merchant)
		got := f.bare(replyTo(merchant, id).with("response_content", "ไทย", "jump_url", "https://a.example/", "jump_url_text", "ไ"))
		if want := []string{"/jump_url_text", "/response_content"}; got.Code != "INVALID_REQUEST" || got.Outcome != "rejected" || !slices.Equal(got.pointers(), want) {
			t.Errorf("%s: %+v", merchant, got)
		}
		if got := f.bare(replyTo(merchant, id)); got.Outcome != "succeeded" {
			t.Errorf("%s does not take what GBK has: %+v", merchant, got)
		}
	}
	if got := f.bare(replyTo("utf-8", w.complaint("utf-8")).with("response_content", "ไทย")); got.Outcome != "succeeded" {
		t.Errorf("UTF-8 has all of them: %+v", got)
	}
	if n := w.ImagecoHost.Calls.Len(); n != 3 {
		t.Errorf("%d calls were made", n)
	}
}
