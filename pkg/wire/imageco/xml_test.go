package imageco_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

func TestReplyMessageInXML(t *testing.T) {
	t.Run("the documentation's sample comes out byte for byte", func(t *testing.T) {
		got, err := sample().XML()
		if err != nil {
			t.Fatal(err)
		}
		if want := golden(t, "reply.xml"); string(got) != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
	t.Run("its form and mac come out byte for byte", func(t *testing.T) {
		got, err := sample().Form(sampleKey)
		if err != nil {
			t.Fatal(err)
		}
		if want := golden(t, "reply.form"); string(got) != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
	t.Run("absent options are left out", func(t *testing.T) {
		m := sample()
		m.ResponseImages, m.JumpURL, m.JumpURLText = nil, "", ""
		got, err := m.XML()
		if err != nil {
			t.Fatal(err)
		}
		if text := string(got); strings.Contains(text, "response_images") || strings.Contains(text, "jump_url") {
			t.Errorf("%s", got)
		}
	})
	t.Run("a character that GBK lacks is named", func(t *testing.T) {
		m := sample()
		m.JumpURLText = "€"
		if _, err := m.XML(); err == nil || !strings.Contains(err.Error(), "U+20AC") {
			t.Errorf("XML: %v", err)
		}
		if _, err := m.Form(sampleKey); err == nil || !strings.Contains(err.Error(), "U+20AC") {
			t.Errorf("Form: %v", err)
		}
	})
}

// A form reader that decodes the escapes first and the characters between them by themselves misreads a half that stands
// unescaped. So does Java's, if a letter or a mark that needs no escape is the second half.
func TestBothBytesOfAGBKCharacterAreEscapedInAForm(t *testing.T) {
	escapes := regexp.MustCompile(`^(%[0-9A-F]{2}%[0-9A-F]{2})+$`)
	content := func(t *testing.T, text string) string {
		t.Helper()
		m := sample()
		m.ResponseContent = text
		form, err := m.Form(sampleKey)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := m.XML()
		if err != nil {
			t.Fatal(err)
		}
		if values, err := url.ParseQuery(string(form)); err != nil || values.Get("xml") != string(doc) || len(values) != 2 {
			t.Fatalf("the form does not hold the message: %v", err)
		}
		_, inner, _ := strings.Cut(string(form), "%3Cresponse_content%3E")
		inner, _, _ = strings.Cut(inner, "%3C%2Fresponse_content%3E")
		return inner
	}
	for _, row := range []struct{ name, text, want string }{
		{"a letter", "镕", "%E9%46"},
		{"a mark that needs no escape", "繽", "%C0%5F"},
		{"a backslash and a bar", "誠縷", "%D5%5C%BF%7C"},
		{"a tilde", "趡", "%DA%7E"},
		{"an @ and a letter beside ASCII", "a縊 b", "a%BF%4F+b"},
		{"ASCII between", "好A.-_~好", "%BA%C3A.-_~%BA%C3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := content(t, row.text); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
	var all strings.Builder
	for r := rune(0x80); r <= 0xFFFF; r++ {
		if _, err := gbk.Encode(string(r)); err == nil && utf8.ValidRune(r) {
			all.WriteRune(r)
		}
	}
	if got := content(t, all.String()); !escapes.MatchString(got) {
		t.Error("a byte of a character of two bytes stands unescaped")
	}
}

// sentXML reads a message back as any XML parser on the other side would.
func sentXML(t *testing.T, gbk []byte) map[string]string {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(string(gbk)))
	dec.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if label != "GBK" {
			return nil, fmt.Errorf("declared as %s", label)
		}
		return simplifiedchinese.GBK.NewDecoder().Reader(in), nil
	}
	var doc struct {
		XMLName xml.Name `xml:"business_trans"`
		Members []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	members := map[string]string{}
	for _, m := range doc.Members {
		if _, twice := members[m.XMLName.Local]; twice {
			t.Errorf("%s stands twice", m.XMLName.Local)
		}
		members[m.XMLName.Local] = m.Text
	}
	return members
}

func TestReplyMessageInXMLIsReadBackTheSame(t *testing.T) {
	for _, row := range []struct {
		name    string
		content string
		url     string
	}{
		{"the characters that mean something in XML", `<a href="x">&amp; 'b' ]]></a>`, "https://a.cn/?a=1&b=2"},
		{"a line feed", "第一行\n第二行\n", "https://a.cn/"},
		{"the end of a CDATA section in the URL", "好", "https://a.cn/?a=]]>&b=]]]]>>"},
		{"what looks like an element", "</response_content><jump_url>x</jump_url>", "https://a.cn/</jump_url>"},
		{"spaces at both ends", "  好  ", "https://a.cn/"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := sample()
			m.ResponseContent, m.JumpURL = row.content, row.url
			doc, err := m.XML()
			if err != nil {
				t.Fatal(err)
			}
			got := sentXML(t, doc)
			if got["response_content"] != row.content || got["jump_url"] != row.url || len(got) != 10 {
				t.Errorf("read back as %q", got)
			}
		})
	}
}

// answerIn writes an answer in XML with a declaration, in GBK when the declaration says so.
func answerIn(t *testing.T, declaration, members string) string {
	t.Helper()
	doc := declaration + "<business_trans>" + members + "</business_trans>"
	if !strings.Contains(strings.ToLower(declaration), "gb") {
		return doc
	}
	encoded, err := gbk.Encode(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// form posts an answer back the way it is asked.
func form(doc, mac string) string { return "xml=" + url.QueryEscape(doc) + "&mac=" + mac }

func macOf(doc string) string { return signing.ImagecoXML(sampleKey, []byte(doc)) }

const (
	gbkDeclaration = `<?xml version="1.0" encoding="GBK"?>`
	xmlEchoed      = "<response_type>risk_complaints_resp_response</response_type><isspid>39493002</isspid><transaction_id>" + transactionID +
		"</transaction_id><complaint_id>" + complaintID + "</complaint_id>"
	xmlDone = "<result><id>0000</id><comment>回复成功</comment></result>"
)

func TestReadReplyXML(t *testing.T) {
	done := imageco.Answer{ResultID: "0000", Comment: "回复成功", TransactionID: transactionID, ComplaintID: complaintID}
	with := func(change func(*imageco.Answer)) imageco.Answer {
		answer := done
		change(&answer)
		return answer
	}
	right := with(func(a *imageco.Answer) { a.Signature = imageco.SignatureRight })
	wrong := with(func(a *imageco.Answer) { a.Signature = imageco.SignatureWrong })
	gbk := answerIn(t, gbkDeclaration, xmlEchoed+xmlDone)
	lies := func(doc, declared string) string { return strings.Replace(doc, `"GBK"`, `"`+declared+`"`, 1) }
	bareGBK := strings.Replace(gbk, gbkDeclaration, "", 1)
	utf8 := answerIn(t, `<?xml version="1.0" encoding="UTF-8"?>`, xmlEchoed+xmlDone)

	for _, row := range []struct {
		name, body string
		want       imageco.Answer
	}{
		{"bare XML in GBK has no mac", gbk, done},
		{"bare XML in UTF-8", utf8, done},
		{"bare XML that declares nothing is UTF-8", answerIn(t, "", xmlEchoed+xmlDone), done},
		{"an encoding is declared in any case", answerIn(t, `<?xml version='1.0' encoding='gbk'?>`, xmlEchoed+xmlDone), done},
		{"GB2312 is read as the GBK that contains it", answerIn(t, `<?xml version="1.0" encoding="GB2312"?>`, xmlEchoed+xmlDone), done},
		{"GB18030 is read", answerIn(t, `<?xml version="1.0" encoding="GB18030"?>`, xmlEchoed+xmlDone), done},
		{"GBK that is declared as something else is GBK", lies(gbk, "ISO-8859-1"), done},
		{"UTF-8 that is declared as GBK is UTF-8", strings.Replace(utf8, "UTF-8", "GBK", 1), done},
		{"UTF-8 that is declared as ISO-8859-1 is UTF-8", strings.Replace(utf8, "UTF-8", "ISO-8859-1", 1), done},
		{"UTF-8 that is declared as Big5 is UTF-8", strings.Replace(utf8, "UTF-8", "Big5", 1), done},
		{"UTF-8 that is declared as UTF-16 is UTF-8", strings.Replace(utf8, "UTF-8", "UTF-16", 1), done},
		{"UTF-8 that is declared as what nobody knows is UTF-8", strings.Replace(utf8, "UTF-8", "中文", 1), done},
		{"UTF-8 that is declared as ISO-8859-1, in a form with the right mac", form(strings.Replace(utf8, "UTF-8", "ISO-8859-1", 1),
			macOf(strings.Replace(utf8, "UTF-8", "ISO-8859-1", 1))), right},
		{"a byte order mark and white space around do not matter", "\xEF\xBB\xBF \r\n" + utf8 + "\r\n", done},
		{"a form in GBK with the right mac", form(gbk, macOf(gbk)), right},
		{"a form in UTF-8 with the right mac", form(utf8, macOf(utf8)), right},
		{"the mac may be in upper case", form(gbk, strings.ToUpper(macOf(gbk))), right},
		{"the mac may come first", "mac=" + macOf(gbk) + "&xml=" + url.QueryEscape(gbk), right},
		{"a form may have members that nobody knows", form(gbk, macOf(gbk)) + "&version=2", right},
		{"a byte order mark inside the form is part of what the mac covers", form("\xEF\xBB\xBF"+utf8, macOf("\xEF\xBB\xBF"+utf8)), right},
		{"a mac over other bytes is wrong", form(gbk+" ", macOf(gbk)), wrong},
		{"a mac that is no digest is wrong", form(gbk, "right"), wrong},
		{"a form without a mac", "xml=" + url.QueryEscape(gbk), done},
		{"a form with an empty mac", form(gbk, ""), done},
		{"elements and attributes that nobody knows are ignored", answerIn(t, "", `<new a="1"><id>9</id></new>`+xmlEchoed+xmlDone), done},
		{"white space and comments between elements do not matter", "<!-- a -->\n" + answerIn(t, "", "\n <!-- b -->"+xmlEchoed+"\n"+xmlDone) + "<!-- c -->\n", done},
		{"white space around a value does not matter", answerIn(t, "", strings.ReplaceAll(xmlEchoed, transactionID, "\n "+transactionID+" \n")+xmlDone), done},
		{"a CDATA section and XML's own entities are read", answerIn(t, "", xmlEchoed+"<result><id>&#48;000</id><comment><![CDATA[<&>]]>&lt;&amp;</comment></result>"),
			with(func(a *imageco.Answer) { a.Comment = "<&><&" })},
		{"the ids of another reply are told as they are", answerIn(t, "", strings.Replace(xmlEchoed, transactionID, "other", 1)+xmlDone),
			with(func(a *imageco.Answer) { a.TransactionID = "other" })},
		{"ids that were not echoed are empty", answerIn(t, "", xmlDone), with(func(a *imageco.Answer) { a.TransactionID, a.ComplaintID = "", "" })},
		{"a refusal is read", answerIn(t, gbkDeclaration, xmlEchoed+"<result><id>6100</id><comment>验签失败</comment></result>"),
			with(func(a *imageco.Answer) { a.ResultID, a.Comment = "6100", "验签失败" })},
		{"UTF-8 that declares GBK", strings.Replace(utf8, "UTF-8", "GBK", 1), done},
		{"UTF-8 that declares GBK and has no Chinese", gbkDeclaration + "<business_trans>" + xmlEchoed + "<result><id>0000</id><comment>ok</comment></result></business_trans>",
			with(func(a *imageco.Answer) { a.Comment = "ok" })},
		{"two characters of GBK that would be UTF-8 too", answerIn(t, gbkDeclaration, xmlEchoed+"<result><id>0000</id><comment>一</comment></result>"),
			with(func(a *imageco.Answer) { a.Comment = "一" })},
		{"GBK that declares UTF-8", lies(gbk, "UTF-8"), done},
		{"GBK that declares nothing", bareGBK, done},
		{"GBK that declares nothing, in a form", form(bareGBK, macOf(bareGBK)), right},
		{"a mac over the same text in UTF-8", form(gbk, macOf(gbkDeclaration+strings.SplitN(utf8, "?>", 2)[1])), right},
		{"a mac over the same text in GBK", form(utf8, macOf(gbkOf(t, utf8))), right},
		{"words in GBK that break off in a character", strings.Replace(gbk, "\xB9\xA6<", "\xB9<", 1),
			with(func(a *imageco.Answer) { a.Comment = "回复成\ufffd" })},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := imageco.ReadXML([]byte(row.body), sampleKey)
			if err != nil {
				t.Fatal(err)
			}
			if got != row.want {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestReadReplyXMLRefusesWhatItCannotBeSureOf(t *testing.T) {
	good := answerIn(t, "", xmlEchoed+xmlDone)
	gbk := answerIn(t, gbkDeclaration, xmlEchoed+xmlDone)
	bomb := `<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	deep := func(levels int) string {
		return "<business_trans>" + strings.Repeat("<a>", levels) + strings.Repeat("</a>", levels) + xmlDone + "</business_trans>"
	}
	many := func(elements int) string {
		return "<business_trans>" + strings.Repeat("<a/>", elements) + xmlDone + "</business_trans>"
	}
	for _, row := range []struct{ name, body, why string }{
		{"nothing", "", "neither XML nor a form"},
		{"a sentence", "it is done", "neither XML nor a form"},
		{"a page of HTML", "<html><body>502</body></html>", "not the XML"},
		{"JSON", `{"result":{"id":"0000"}}`, "neither XML nor a form"},
		{"a form without xml", "mac=" + macOf(good), "neither XML nor a form"},
		{"a form with xml twice", form(good, macOf(good)) + "&xml=x", "neither XML nor a form"},
		{"a form with mac twice", form(good, macOf(good)) + "&mac=x", "neither XML nor a form"},
		{"a form whose escapes are broken", "xml=%3Cbusiness_trans%3E%zz", "neither XML nor a form"},
		{"a form whose xml is empty", "xml=&mac=" + macOf(""), "not the XML"},
		{"another root", strings.ReplaceAll(good, "business_trans", "business"), "not the XML"},
		{"XML that breaks off", good[:len(good)-5], "not the XML"},
		{"elements that close each other", strings.Replace(good, "</result>", "</business_trans></result>", 1), "not the XML"},
		{"a DOCTYPE", "<!DOCTYPE business_trans>" + good, "DOCTYPE"},
		{"a DOCTYPE behind the root", good + "<!DOCTYPE business_trans>", "DOCTYPE"},
		{"an entity bomb", bomb + strings.Replace(good, "0000", "&c;", 1), "DOCTYPE"},
		{"an external entity", `<!DOCTYPE b SYSTEM "file:///etc/passwd">` + good, "DOCTYPE"},
		{"an entity that is not XML's own", strings.Replace(good, "0000", "&nbsp;0000", 1), "not the XML"},
		{"33 levels of elements", deep(32), "32 levels"},
		{"150,000 levels of elements", deep(150_000), "32 levels"},
		{"1001 elements", many(997), "1000 elements"},
		{"text behind the root", good + "0000", "outside"},
		{"a null byte behind the root", good + "\x00", "not the XML"},
		{"text before the root", form("0000"+good, ""), "outside"},
		{"a second root", good + good, "more than one"},
		{"a second declaration", gbkDeclaration + gbk, "two XML declarations"},
		{"a declaration in the middle", gbkDeclaration + strings.Replace(gbk[len(gbkDeclaration):], "<result>", gbkDeclaration+"<result>", 1), "two XML declarations"},
		{"UTF-16", "\xFE\xFF\x00<\x00a", "neither XML nor a form"},
		{"an element inside the result id", answerIn(t, "", xmlEchoed+"<result><id>00<x>31</x>00</id></result>"), "not the XML"},
		{"an empty element inside the result id", answerIn(t, "", xmlEchoed+"<result><id>00<x/>00</id></result>"), "not the XML"},
		{"a comment inside the result id", answerIn(t, "", xmlEchoed+"<result><id>00<!-- 31 -->00</id></result>"), "not the XML"},
		{"an instruction inside the result id", answerIn(t, "", xmlEchoed+"<result><id>00<?x 31?>00</id></result>"), "not the XML"},
		{"an element inside a transaction id", answerIn(t, "", strings.Replace(xmlEchoed, transactionID, transactionID+"<x>1</x>", 1)+xmlDone), "not the XML"},
		{"a comment inside a complaint id", answerIn(t, "", strings.Replace(xmlEchoed, complaintID, "<!-- 1 -->"+complaintID, 1)+xmlDone), "not the XML"},
		{"two pieces with a line feed between", answerIn(t, "", xmlEchoed+"<result><id>00\n00</id></result>"), "result.id"},
		{"a result id in an entity that is no text of an id", answerIn(t, "", xmlEchoed+"<result><id>00&lt;!-- --&gt;00</id></result>"), "result.id"},
		{"no result", answerIn(t, "", xmlEchoed), "result.id"},
		{"two results", answerIn(t, "", xmlEchoed+xmlDone+xmlDone), "result.id"},
		{"a result that is not directly below the root", answerIn(t, "", "<a>"+xmlDone+"</a>"), "result.id"},
		{"a result without an id", answerIn(t, "", "<result>0000</result>"), "result.id"},
		{"two result ids", answerIn(t, "", "<result><id>0000</id><id>6100</id></result>"), "twice"},
		{"two transaction ids", answerIn(t, "", xmlEchoed+"<transaction_id>other</transaction_id>"+xmlDone), "twice"},
		{"two complaint ids", answerIn(t, "", xmlEchoed+"<complaint_id>other</complaint_id>"+xmlDone), "twice"},
		{"an id that is a sentence", answerIn(t, "", "<result><id>it is done</id></result>"), "result.id"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := imageco.ReadXML([]byte(row.body), sampleKey)
			if err == nil {
				t.Fatalf("read as %+v", got)
			}
			if !strings.Contains(err.Error(), row.why) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is %q; it should tell of %q on one line", err, row.why)
			}
		})
	}
	t.Run("32 levels and 1000 elements are the most that is read", func(t *testing.T) {
		for _, body := range []string{deep(31), many(996)} {
			if _, err := imageco.ReadXML([]byte(body), sampleKey); err != nil {
				t.Error(err)
			}
		}
	})
}

// Each declaration of an encoding would put one more decoder with its buffers between the bytes and the parser.
func TestReadReplyXMLSpendsLittleOnAMegabyteOfDeclarations(t *testing.T) {
	body := []byte(strings.Repeat(gbkDeclaration, 1<<20/len(gbkDeclaration)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := imageco.ReadXML(body, sampleKey); err == nil {
		t.Error("it was read")
	}
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 8<<20 {
		t.Errorf("%d bytes were allocated for an answer of %d", spent, len(body))
	}
}
