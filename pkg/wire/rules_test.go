package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

func quote(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// times gives n characters that are longer in UTF-8 than one byte, so that a limit in bytes would show.
func times(n int) string { return quote(strings.Repeat("字", n)) }

func ascii(n int) string { return quote(strings.Repeat("a", n)) }

const emoji = `(U+1F600, an emoji?) is outside the Basic Multilingual Plane; WeChat Pay takes UTF-8 of at most three bytes a character`

// Every row of the request table: contract, section 2.
func TestReplyMembers(t *testing.T) {
	longURL := "https://a.cn/" + strings.Repeat("p", wire.JumpURLMax-13)
	for _, row := range []struct {
		name, member, value string
		want                string // problems; "" when the value is taken
	}{
		{"content of one character", "response_content", `"a"`, ""},
		{"content of 500 characters, however many bytes", "response_content", times(500), ""},
		{"content of 501 characters", "response_content", times(501), "/response_content must have 1 to 500 characters, has 501"},
		{"content of 500 characters whose line ends are CR LF", "response_content", quote(strings.Repeat("字\r\n", 250)), ""},
		{"empty content", "response_content", `""`, "/response_content must have 1 to 500 characters, has 0"},
		{"content with line feeds", "response_content", `"a\nb\n"`, ""},
		{"content with the line ends of an HTML form", "response_content", `"a\r\nb"`, ""},
		{"content with a lone carriage return", "response_content", `"a\rb"`, ""},
		{"content of line ends alone", "response_content", `"\r\n\r"`, "/response_content is only white space"},
		{"content with a tab", "response_content", `"\t"`, "/response_content character 1 (U+0009) is a control character\n/response_content is only white space"},
		{"content with a null byte", "response_content", `"a\u0000"`, "/response_content character 2 (U+0000) is a control character"},
		{"content with DEL", "response_content", `"a\u007f"`, "/response_content character 2 (U+007F) is a control character"},
		{"content with a control character beyond ASCII", "response_content", `"a\u0085"`, "/response_content character 2 (U+0085) is a control character"},
		{"content of spaces", "response_content", `"   "`, "/response_content is only white space"},
		{"content of line feeds", "response_content", `"\n\n"`, "/response_content is only white space"},
		{"content of full-width spaces", "response_content", `"\u3000\u00a0"`, "/response_content is only white space"},
		{"content with an emoji", "response_content", `"字😀"`, "/response_content character 2 " + emoji},
		{"content with an emoji that is written as a pair of escapes", "response_content", `"\ud83d\ude00"`, "/response_content character 1 " + emoji},
		{"content with half a pair", "response_content", `"\ud83d"`, "/response_content character 1 is U+FFFD, the mark of text that was damaged on its way"},
		{"content with the last character of the plane beside another", "response_content", `"a\uffff"`, ""},
		{"content of the last character of the plane", "response_content", `"\uffff"`, "/response_content has only characters that show nothing"},
		{"content of a zero-width space", "response_content", `"\u200b"`, "/response_content has only characters that show nothing"},
		{"content of a zero-width space between white space", "response_content", `" \u200b\n"`, "/response_content has only characters that show nothing"},
		{"content that is long and has an emoji", "response_content", `"😀` + strings.Repeat("a", 500) + `"`,
			"/response_content must have 1 to 500 characters, has 501\n/response_content character 1 " + emoji},
		{"content that is a number", "response_content", `1`, "/response_content must be a string"},
		{"content that is an array", "response_content", `["a"]`, "/response_content must be a string"},
		{"content that is null", "response_content", `null`, "/response_content is null; leave the member out instead"},

		{"one image", "response_images", `["a"]`, ""},
		{"four images with spaces between", "response_images", ` [ "a" , "b" , "c" , "d" ] `, ""},
		{"no image", "response_images", `[]`, "/response_images must have 1 to 4 media ids, has 0"},
		{"five images", "response_images", `["a","b","c","d","e"]`, "/response_images must have 1 to 4 media ids, has 5"},
		{"an image of 512 characters", "response_images", "[" + times(512) + "]", ""},
		{"an image of 513 characters", "response_images", `["a",` + times(513) + "]", "/response_images/1 must have 1 to 512 characters, has 513"},
		{"an empty image", "response_images", `["a",""]`, "/response_images/1 must have 1 to 512 characters, has 0"},
		{"an image with the separator", "response_images", `["a|b"]`, "/response_images/0 must not hold |"},
		{"an image with an escaped separator and a line feed", "response_images", `["\u007c\n"]`,
			"/response_images/0 character 2 (U+000A) is a control character\n/response_images/0 must not hold |"},
		{"an image that is only white space", "response_images", `[" "]`, "/response_images/0 is only white space"},
		{"an image that is a number and one that is null", "response_images", `[ 1 , null ]`, "/response_images/0 must be a string\n/response_images/1 must be a string"},
		{"images that are one string", "response_images", `"a|b"`, "/response_images must be an array of strings"},
		{"images that are an object", "response_images", `{"0":"a"}`, "/response_images must be an array of strings"},

		{"a URL of 512 characters", "jump_url", quote(longURL), ""},
		{"a URL of 513 characters", "jump_url", quote(longURL + "a"), "/jump_url must have 1 to 512 characters, has 513"},
		{"a URL whose scheme is in upper case", "jump_url", `"HTTPS://a.cn"`, ""},
		{"a URL with a port, a query and a fragment", "jump_url", `"https://a.cn:8443/x?y=1&z=[]#f"`, ""},
		{"a URL of http", "jump_url", `"http://a.cn"`, "/jump_url must be an https URL with a host"},
		{"a URL of a mini program", "jump_url", `"weixin://dl/business"`, "/jump_url must be an https URL with a host"},
		{"a URL of JavaScript", "jump_url", `"javascript:alert(1)"`, "/jump_url must be an https URL with a host"},
		{"a URL without a scheme", "jump_url", `"//a.cn/"`, "/jump_url must be an https URL with a host"},
		{"a URL without a host", "jump_url", `"https:///a"`, "/jump_url must be an https URL with a host"},
		{"a URL with only a port", "jump_url", `"https://:443/"`, "/jump_url must be an https URL with a host"},
		{"a URL without slashes", "jump_url", `"https:a.cn"`, "/jump_url must be an https URL with a host"},
		{"a URL with a password", "jump_url", `"https://u:p@a.cn/"`, "/jump_url must not carry a user name or password"},
		{"a URL with an empty user name", "jump_url", `"https://@a.cn/"`, "/jump_url must not carry a user name or password"},
		{"a URL that is only white space", "jump_url", `" "`, "/jump_url is only white space\n/jump_url character 1 (U+0020) is none of a URL (RFC 3986); percent-encode it"},
		{"a URL with a line feed", "jump_url", `"https://a.cn/\n"`, "/jump_url character 14 (U+000A) is a control character\n" +
			"/jump_url character 14 (U+000A) is none of a URL (RFC 3986); percent-encode it"},

		{"a text of 10 characters", "jump_url_text", times(10), ""},
		{"a text of 11 characters", "jump_url_text", times(11), "/jump_url_text must have 1 to 10 characters, has 11"},
		{"an empty text", "jump_url_text", `""`, "/jump_url_text must have 1 to 10 characters, has 0"},
		{"a text with a line feed", "jump_url_text", `"a\n"`, "/jump_url_text character 2 (U+000A) is a control character"},
		{"a text that is only white space", "jump_url_text", `"  "`, "/jump_url_text is only white space"},
		{"a text that shows nothing", "jump_url_text", `"\u3164"`, "/jump_url_text has only characters that show nothing"},
		{"a text with a carriage return", "jump_url_text", `"a\r"`, "/jump_url_text character 2 (U+000D) is a control character"},

		{"an account of 64 characters", "seller_account", ascii(64), ""},
		{"an account of 65 characters", "seller_account", ascii(65), "/seller_account must have 1 to 64 characters, has 65"},
		{"an account that shows nothing", "seller_account", `"\u2800"`, "/seller_account has only characters that show nothing"},
		{"an empty account", "seller_account", `""`, "/seller_account must have 1 to 64 characters, has 0"},

		{"a transaction id of 13 characters", "transaction_id", ascii(13), ""},
		{"a transaction id of 12 characters", "transaction_id", ascii(12), "/transaction_id must have 13 to 32 characters, has 12"},
		{"a transaction id of 32 characters", "transaction_id", ascii(32), ""},
		{"a transaction id of 33 characters", "transaction_id", ascii(33), "/transaction_id must have 13 to 32 characters, has 33"},
		{"a transaction id with a hyphen", "transaction_id", `"resp-2024061700"`, "/transaction_id may hold only 0-9, A-Z and a-z"},
		{"a transaction id that ends with a line feed", "transaction_id", `"resp2024061700\n"`, "/transaction_id may hold only 0-9, A-Z and a-z"},
		{"a transaction id of Chinese digits", "transaction_id", times(13), "/transaction_id may hold only 0-9, A-Z and a-z"},

		{"resend", "resend_unknown", `true`, ""},
		{"not to resend", "resend_unknown", ` false `, ""},
		{"resend as a string", "resend_unknown", `"true"`, "/resend_unknown must be true or false"},
		{"resend as a number", "resend_unknown", `1`, "/resend_unknown must be true or false"},
		{"resend as null", "resend_unknown", `null `, "/resend_unknown is null; leave the member out instead"},

		{"a key of one space", "idempotency_key", `" "`, ""},
		{"a key of 128 characters", "idempotency_key", ascii(128), ""},
		{"a key of 129 characters", "idempotency_key", ascii(129), "/idempotency_key must have 1 to 128 characters, has 129"},
		{"an empty key", "idempotency_key", `""`, "/idempotency_key must have 1 to 128 characters, has 0"},
		{"a key of all printable ASCII", "idempotency_key", quote(" !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~"), ""},
		{"a key with DEL", "idempotency_key", `"a\u007f"`, "/idempotency_key may hold only printable ASCII"},
		{"a key in Chinese", "idempotency_key", `"键"`, "/idempotency_key may hold only printable ASCII"},
		{"a key that is a number", "idempotency_key", `7`, "/idempotency_key must be a string"},

		{"a member in another case", "Jump_URL", `"https://a.cn"`, "/Jump_URL is not a member of a reply request"},
		{"a member that the contract does not know", "remark", `"a"`, "/remark is not a member of a reply request"},
		{"a member that only an event has", "complaint_id", `"1"`, "/complaint_id is not a member of a reply request"},
		{"a member without a name", "", `"1"`, "/ is not a member of a reply request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := quote(row.member) + ":" + row.value
			// The others are there and right, so that only this one can be wrong.
			for name, value := range map[string]string{"response_content": `"a"`, "jump_url": `"https://a.cn"`, "jump_url_text": `"a"`} {
				if name != row.member {
					body += "," + quote(name) + ":" + value
				}
			}
			if got := told(wire.ReadHTTP(wire.Reply, post("{"+body+"}")).Problems); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestCompletionMembers(t *testing.T) {
	for _, row := range []struct{ name, member, value, want string }{
		{"a merchant number", "complainted_mchid", `"1900000109"`, ""},
		{"64 characters", "complainted_mchid", ascii(64), ""},
		{"65 characters", "complainted_mchid", ascii(65), "/complainted_mchid must have 1 to 64 characters, has 65"},
		{"an empty one", "complainted_mchid", `""`, "/complainted_mchid must have 1 to 64 characters, has 0"},
		{"one with a space", "complainted_mchid", `"1 2"`, "/complainted_mchid may hold only 0-9, A-Z, a-z, _ and -"},
		{"one that is a number", "complainted_mchid", `1900000109`, "/complainted_mchid must be a string"},
		{"resend", "resend_unknown", `true`, "/resend_unknown is not a member of a complete request"},
		{"a transaction id", "transaction_id", ascii(13), "/transaction_id is not a member of a complete request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := told(wire.ReadHTTP(wire.Complete, post("{"+quote(row.member)+":"+row.value+"}")).Problems); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestJumpURLAndItsTextNeedEachOther(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"both", `{"response_content":"a","jump_url":"https://a.cn","jump_url_text":"a"}`, ""},
		{"neither", `{"response_content":"a"}`, ""},
		{"only the URL", `{"response_content":"a","jump_url":"https://a.cn"}`, "/jump_url_text is required together with jump_url"},
		{"only the text", `{"response_content":"a","jump_url_text":"a"}`, "/jump_url is required together with jump_url_text"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := told(wire.ReadHTTP(wire.Reply, post(row.body)).Problems); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestValidIDAndValidKey(t *testing.T) {
	for _, row := range []struct {
		value   string
		id, key bool
	}{
		{"acme_A-1", true, true},
		{strings.Repeat("a", 64), true, true},
		{strings.Repeat("a", 65), false, true},
		{strings.Repeat("a", 128), false, true},
		{strings.Repeat("a", 129), false, false},
		{"", false, false},
		{"a b", false, true},
		{"a/b", false, true},
		{"..", false, true},
		{"a\n", false, false},
		{"商户", false, false},
	} {
		if got := wire.ValidID(row.value); got != row.id {
			t.Errorf("ValidID(%q) = %t", row.value, got)
		}
		if got := wire.ValidKey(row.value); got != row.key {
			t.Errorf("ValidKey(%q) = %t", row.value, got)
		}
	}
}

func TestGBKProblems(t *testing.T) {
	const needs = " does not exist in GBK, which this merchant's gateway set-up needs"
	for _, row := range []struct {
		name    string
		content wire.ReplyContent
		want    string
	}{
		{"nothing is lacking", wire.ReplyContent{ResponseContent: "已与用户沟通解决", JumpURLText: "查看订单详情"}, ""},
		{"absent options are not looked at", wire.ReplyContent{ResponseContent: "好"}, ""},
		{"every member is looked at, and all problems are told", wire.ReplyContent{
			ResponseContent: "5€", ResponseImages: []string{"a", "\u00e4"}, JumpURL: "https://a.cn/\u00f1", JumpURLText: "\u00a0", SellerAccount: "ab\u200b"},
			"/response_content character 2 (U+20AC)" + needs + "\n/jump_url character 14 (U+00F1)" + needs +
				"\n/jump_url_text character 1 (U+00A0)" + needs + "\n/seller_account character 3 (U+200B)" + needs +
				"\n/response_images/1 character 1 (U+00E4)" + needs},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := wire.Command{Action: wire.Reply, ReplyContent: row.content}
			if got := told(c.GBKProblems()); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}
