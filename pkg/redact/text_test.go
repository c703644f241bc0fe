package redact_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/redact"
)

func TestTextMasksPhoneNumbers(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"alone", "13800138000", "***"},
		{"inside Chinese text", "请联系13800138000处理", "请联系***处理"},
		{"with +86", "电话+8613800138000。", "电话***。"},
		{"with +86 and a space", "+86 13800138000", "***"},
		{"with 86", "8613800138000", "***"},
		{"with 0086 and a hyphen", "0086-13800138000", "***"},
		{"with a leading 0", "013800138000", "***"},
		{"in groups with spaces", "138 0013 8000", "***"},
		{"in groups with hyphens", "138-0013-8000", "***"},
		{"in other groups", "13800 138 000", "***"},
		{"in groups with dots", "138.0013.8000", "***"},
		{"in groups with dashes", "138–0013—8000", "***"},
		{"in groups with more than one space", "138  0013   8000", "***"},
		{"in groups with tabs and line feeds", "138\t0013\r\n8000", "***"},
		{"in groups with no-break spaces", "138\u00a00013\u30008000", "***"},
		{"with zero-width spaces between the digits", "138\u200b0013\u200d80\u206000", "***"},
		{"with bytes that are not UTF-8 between the digits", "138\xff0013\xfe8000", "***"},
		{"in full-width digits", "１３８００１３８０００", "***"},
		{"several in a row", "13800138000,13900139000 15012345678/19912345678", "***,*** ***/***"},
		{"behind another number", "7 13800138000", "7 ***"},
		{"behind a number that could be the beginning of one", "155 1234 13800138000", "155 1234 ***"},
		{"behind a prefix that is part of another number", "12386 13800138000", "12386 ***"},
		{"between letters", "tel13800138000x", "tel***x"},
		{"in JSON", `{"payer_phone":"13800138000"}`, `{"payer_phone":"***"}`},

		{"in groups with slashes", "tel 138/0013/8000", "tel ***"},
		{"in groups with underscores", "tel 138_0013_8000", "tel ***"},
		{"in groups with commas", "tel 138,0013,8000", "tel ***"},
		{"in groups with a hyphen between spaces", "tel 138 - 0013 - 8000", "tel ***"},
		{"in groups with a line of hyphens between", "tel 138" + strings.Repeat("-", 40) + "0013" + strings.Repeat(" ", 30) + "/ 8000", "tel ***"},
		{"in groups with two hyphens", "tel 138--0013--8000", "tel ***"},
		{"with a bracket", "tel (138)00138000", "tel ***"},
		{"with a bracket and a hyphen", "+86 (138) 0013-8000", "***"},
		{"with the country's code in brackets", "(+86)138-0013-8000", "***"},
		{"in brackets", "(13800138000)", "(***)"},
		{"with an ideographic comma", "tel 138、0013、8000", "tel ***"},
		{"with a middle dot", "tel 138·0013·8000", "tel ***"},
		{"with bullets", "138•0013•8000", "***"},
		{"with asterisks", "138*0013*8000", "***"},
		{"with colons", "138:0013:8000", "***"},
		{"with semicolons", "138;0013;8000", "***"},
		{"with bars", "138|0013|8000", "***"},
		{"with tildes", "138~0013～8000", "***"},
		{"with plus signs and an equals sign", "138+0013=8000", "***"},
		{"with an ellipsis", "138……0013……8000", "***"},
		{"with quotes and brackets", `["138","0013","8000"]`, `["***"]`},
		{"with full-width punctuation", "138，0013。8000", "***"},
		{"with arrows and emoji", "138→0013📞8000", "***"},
		{"with every digit by itself", "1 3 8 0 0 1 3 8 0 0 0", "***"},
		{"with the country's code in groups", "+86-138-0013-8000", "***"},
		{"with 0086 in groups", "0086 138 0013 8000", "***"},
		{"with 86 before a group", "86138 0013 8000", "***"},
		{"with 86 and dots", "86.138.0013.8000", "***"},
		{"with a 0 before a group", "0138-0013-8000", "***"},
		{"with the same letter each time", "138转0013转8000", "***"},
		{"with the same word each time", "138 x 0013 X 8000", "***"},
		{"in Arabic digits", "١٣٨٠٠١٣٨٠٠٠", "***"},
		{"in Devanagari digits with dots", "१३८.००१३.८०००", "***"},
		{"in mathematical digits", "𝟏𝟑𝟖𝟎𝟎𝟏𝟑𝟖𝟎𝟎𝟎", "***"},
		{"in circles", "①③⑧⓪⓪①③⑧⓪⓪⓪", "***"},
		{"on keys", "1\uFE0F\u20E33\uFE0F\u20E38\uFE0F\u20E30\uFE0F\u20E30\uFE0F\u20E31\uFE0F\u20E33\uFE0F\u20E38\uFE0F\u20E30\uFE0F\u20E30\uFE0F\u20E30", "***"},
		{"in superscripts", "¹³⁸⁰⁰¹³⁸⁰⁰⁰", "***"},
		{"in Chinese numerals", "电话一三八〇〇一三八〇〇〇", "电话***"},
		{"in Chinese numerals of banks", "壹叁捌零零壹叁捌零零零", "***"},
		{"in Chinese numerals as they are spoken", "幺三八零零幺三八零零零", "***"},
		{"in digits of several kinds", "1３8 ٠٠13 八零零零", "***"},
		{"with Hangul fillers", "138\u3164 0013\u31648000", "***"},
		{"struck through", "1\u03363\u03368\u033600138000", "***"},
		{"in HTML's numbers", "&#49;&#51;&#56;&#48;&#48;&#x31;&#x33;&#x38;&#48;&#48;&#48;", "***"},
		{"in HTML's numbers without semicolons", "&#49&#51&#56&#48&#48&#49&#51&#56&#48&#48&#48", "***"},
		{"in HTML that was escaped twice", "138&amp;#48;0138000", "***"},
		{"with HTML's spaces", "138&nbsp;0013&ensp;8000", "***"},
		{"with HTML's tags", "138<br>0013<b class='x'>8000</b>", "***</b>"},
		{"with HTML's comments", "138<!-- a -->0013<!-- b -->8000", "***"},
		{"with a URL's spaces", "138%200013%208000", "***"},
		{"in a URL's escapes", "%31%33%38%30%30%31%33%38%30%30%30", "***"},
		{"in JSON's escapes", `\u0031380013\u0038000`, "***"},
		{"behind a percent sign", "100%13800138000", "100%***"},
		{"behind a Chinese numeral", "共一13800138000", "共一***"},
		{"behind a circled number", "①13800138000", "①***"},
		{"behind a superscript", "13800138000¹", "***¹"},

		{"11 digits that are no mobile number stay", "12800138000 23800138000", "12800138000 23800138000"},
		{"10 digits stay", "1380013800", "1380013800"},
		{"12 digits are another number and stay", "138001380001", "138001380001"},
		{"a mobile number within a longer number stays", "213800138000", "213800138000"},
		{"a complaint id stays", "投诉单" + "200201820200101080076610000" + "不存在", "投诉单" + "200201820200101080076610000" + "不存在"},
		{"WeChat Pay's transaction ids stay", "4200000000202406171380013800", "4200000000202406171380013800"},
		{"a transaction id of 翼码's stays", "resp202406170000000001", "resp202406170000000001"},
		{"a date and a time stay", "2024-06-17 15:30:00", "2024-06-17 15:30:00"},
		{"a time with milliseconds stays", "2024-06-17 15:30:00.123", "2024-06-17 15:30:00.123"},
		{"a time in a log's form stays", "at 2024/06/13T18:00:13,800: no", "at 2024/06/13T18:00:13,800: no"},
		{"what only looks like a time does not stay", "2024-06-13 80:01:38000", "2024-06-***"},
		{"an address stays", "IP 171.217.92.123 不在白名单", "IP 171.217.92.123 不在白名单"},
		{"what only looks like an address does not stay", "139.123.45.678 and 1.171.217.92.123", "*** and 1.***"},
		{"numbers with words between them stay", "13 of 8001 in 3 by 8000", "13 of 8001 in 3 by 8000"},
		{"numbers with the same long words between them stay", "13 items and 8001 items and 38000", "13 items and 8001 items and 38000"},
		{"a UUID stays", "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"},
		{"WeChat Pay's name for a call stays", "08E5AFCFA70610E10418B8E7-268435462", "08E5AFCFA70610E10418B8E7-268435462"},
		{"an order number in groups of four stays", "4200-2024-0617-1380-0138-2345", "4200-2024-0617-1380-0138-2345"},
		{"a number of the service stays", "请致电95017或0755-86013388", "请致电95017或0755-86013388"},
		{"a number that was masked before stays", "138****8000", "138****8000"},
		{"letters that would be digits stay", "l38OO138OOO", "l38OO138OOO"},
		{"an amount stays", "金额1380.00元", "金额1380.00元"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := redact.Of().Text(row.text); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestTextMasksOpenidsAndSignatures(t *testing.T) {
	random := make([]byte, 256)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	hexDigits := hex.EncodeToString(random)
	base64Digits := base64.StdEncoding.EncodeToString(random)
	const openid = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
	for _, row := range []struct{ name, text, want string }{
		{"an openid", "openid=" + openid + "。", "openid=***。"},
		{"an openid that ends with a hyphen", openid[:27] + "- x", "*** x"},
		{"an openid behind a hyphen and before Chinese", "a-" + openid + "不存在", "a-***不存在"},
		{"a longer name that begins with o stays", openid + "x", openid + "x"},
		{"a shorter name stays", openid[:27], openid[:27]},
		{"a name of 28 characters that does not begin with o stays", "x" + openid[1:], "x" + openid[1:]},

		{"an MD5 in lower case", "sign " + hexDigits[:32] + " wrong", "sign *** wrong"},
		{"an MD5 in upper case", "sign=" + strings.ToUpper(hexDigits[:32]), "sign=***"},
		{"a SHA-256 in hex", hexDigits[:64], "***"},
		{"31 hex digits stay", "x" + strings.Repeat("abc", 10) + "a", "x" + strings.Repeat("abc", 10) + "a"},
		{"an RSA signature", `signature="` + base64Digits + `"`, `signature="***"`},
		{"63 letters stay", strings.Repeat("Z", 63), strings.Repeat("Z", 63)},
		// Kesu's own derived ids have the form of an MD5. A result has them in transaction_id.
		{"a transaction id of 32 hex digits cannot be told from an MD5", "请求流水号" + hexDigits[:32] + "重复", "请求流水号***重复"},
		{"a transaction id of 28 digits stays", strings.Repeat("2024061", 4), strings.Repeat("2024061", 4)},
		{"32 letters and digits that are not hex stay", "resp" + strings.Repeat("2024", 7), "resp" + strings.Repeat("2024", 7)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := redact.Of().Text(row.text); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestTextMasksSecrets(t *testing.T) {
	raw := make([]byte, 9)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	key := "k " + base64.RawURLEncoding.EncodeToString(raw)
	odd := "k\t１" + key[2:]
	for _, row := range []struct{ name, text, want string }{
		{"as it is", "key " + key + key + " is wrong", "key ****** is wrong"},
		{"with white space that is normalized away", strings.Replace(key, " ", " \n ", 1), "***"},
		{"with an invisible character in its middle", key[:5] + "\u200b" + key[5:], "***"},
		{"far behind the beginning", strings.Repeat(" ", 5000) + key, "***"},
		{"text without it", "nothing", "nothing"},
		{"another one that holds what is normalized away", "a" + odd + "b", "a***b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := redact.Of("", key, odd).Text(row.text); got != row.want {
				t.Error("the message is not the one that was expected") // it may hold the key
			}
		})
	}
}

func TestTextIsOneBoundedLine(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"only white space", " \t\r\n\u3000 ", ""},
		{"lines become one", "第一行\r\n\r\n第二行\t\x00\x1b[31m红 ", "第一行 第二行 [31m红"},
		{"other line ends too", "a\u2028b\u2029c\u0085d\ve", "a b c d e"},
		{"bytes that are not UTF-8 become a space", "a\xff\xfeb\xe4\xbd", "a b"},
		{"a change of direction is left out", "a\u202eb\u2066c\ufeff", "abc"},
		{"256 characters are told", strings.Repeat("字", 256), strings.Repeat("字", 256)},
		{"257 are cut", strings.Repeat("字", 257), strings.Repeat("字", 256) + "…"},
		{"what is masked does not count", strings.Repeat("13800138000,", 64), strings.Repeat("***,", 64)},
		{"a number is not cut into another number", strings.Repeat("字", 240) + strings.Repeat("7", 20), strings.Repeat("字", 240) + "…"},
		{"a number that was cut short is not told", strings.Repeat("字", 245) + "138001380001380013800", strings.Repeat("字", 245) + "…"},
		{"a megabyte of one letter", strings.Repeat("z", 1<<20), "…"},
		{"a megabyte of spaces", strings.Repeat(" ", 1<<20) + "a", "a"},
		{"what is looked at ends within the base64 of a signature", strings.Repeat("f", 4000) + " " + strings.Repeat("字", 32) + strings.Repeat("Z", 200), "*** " + strings.Repeat("字", 31) + "…"},
		// A signature is seen as one only from its 32nd digit on: the 31 before the end of what is looked at are not told.
		{"what is looked at ends within a signature", "a " + strings.Repeat("13800138000 ", 338) + strings.Repeat("f", 200), "a" + strings.Repeat(" ***", 63) + " **…"},
		{"what is looked at ends within a signature that would be told", strings.Repeat("f", 4060) + " 字" + strings.Repeat("e", 100), "…"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := redact.Of().Text(row.text); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}
