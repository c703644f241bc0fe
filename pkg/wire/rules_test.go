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
	longURL := "https://a.cn/" + strings.Repeat("路", wire.JumpURLMax-13)
	for _, row := range []struct {
		name, member, value string
		want                string // problems; "" when the value is taken
	}{
		{"content of one character", "response_content", `"a"`, ""},
		{"content of 200 characters, however many bytes", "response_content", times(200), ""},
		{"content of 201 characters", "response_content", times(201), "/response_content must have 1 to 200 characters, has 201"},
		{"empty content", "response_content", `""`, "/response_content must have 1 to 200 characters, has 0"},
		{"content with line feeds", "response_content", `"a\nb\n"`, ""},
		{"content with a carriage return", "response_content", `"a\r\nb"`, "/response_content character 2 (U+000D) is a control character"},
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
		{"content with the last character of the plane", "response_content", `"\uffff"`, ""},
		{"content that is long and has an emoji", "response_content", `"😀` + strings.Repeat("a", 200) + `"`,
			"/response_content must have 1 to 200 characters, has 201\n/response_content character 1 " + emoji},
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
		{"a URL with a space", "jump_url", `"https://a.cn/a b"`, "/jump_url is not a URL"},
		{"a URL with a broken escape", "jump_url", `"https://a.cn/%zz"`, "/jump_url is not a URL"},
		{"a URL whose host hides another", "jump_url", `"https://a.cn\\@b.cn/"`, "/jump_url is not a URL"},
		{"a URL with a line feed", "jump_url", `"https://a.cn/\n"`, "/jump_url character 14 (U+000A) is a control character\n/jump_url is not a URL"},
		{"a URL that is only white space", "jump_url", `" "`, "/jump_url is only white space\n/jump_url is not a URL"},

		{"a text of 10 characters", "jump_url_text", times(10), ""},
		{"a text of 11 characters", "jump_url_text", times(11), "/jump_url_text must have 1 to 10 characters, has 11"},
		{"an empty text", "jump_url_text", `""`, "/jump_url_text must have 1 to 10 characters, has 0"},
		{"a text with a line feed", "jump_url_text", `"a\n"`, "/jump_url_text character 2 (U+000A) is a control character"},
		{"a text that is only white space", "jump_url_text", `"  "`, "/jump_url_text is only white space"},

		{"an account of 64 characters", "seller_account", ascii(64), ""},
		{"an account of 65 characters", "seller_account", ascii(65), "/seller_account must have 1 to 64 characters, has 65"},
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
