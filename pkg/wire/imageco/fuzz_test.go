package imageco_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/wire"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

// validCode is what a gateway's code looks like.
var validCode = regexp.MustCompile(`\A[0-9A-Za-z_.-]{1,64}\z`)

func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"merchant":"acme","complaint_id":"1","response_content":"a","response_images":["a","b|"],"idempotency_key":"k"}`))
	f.Add([]byte(`{"merchant":"acme","complaint_id":"1","response_content":"a","jump_url":"https://a.cn/?a=]]>","jump_url_text":"b"}`))
	f.Fuzz(func(t *testing.T, detail []byte) {
		if r := wire.ReadDetail(wire.Reply, detail); len(r.Problems) == 0 {
			checkSent(t, r.Command)
		}
	})
}

// checkSent says whether a reply that passed the door arrives as it was meant, in JSON and in XML.
func checkSent(t *testing.T, c wire.Command) {
	m := sample()
	m.ReplyContent = c.ReplyContent
	body, err := m.JSON(sampleKey, false)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := imageco.ReadJSON([]byte(strings.TrimSuffix(string(body), "}")+`,"result":{"id":"0000"}}`), sampleKey)
	if err != nil || answer.Signature != imageco.SignatureRight || answer.TransactionID != m.TransactionID {
		t.Fatalf("%+v, %v", answer, err)
	}
	var sent map[string]string
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	doc, err := m.XML()
	if (err != nil) != (len((&wire.Command{Action: wire.Reply, ReplyContent: wire.ReplyContent{ResponseContent: c.ResponseContent,
		ResponseImages: c.ResponseImages, JumpURL: c.JumpURL, JumpURLText: c.JumpURLText}}).GBKProblems()) > 0) {
		t.Fatalf("GBKProblems says otherwise than XML: %v", err)
	}
	read := []map[string]string{sent}
	if err == nil {
		read = append(read, sentXML(t, doc))
	}
	for _, members := range read {
		if members["response_content"] != c.ResponseContent || members["jump_url"] != c.JumpURL || members["jump_url_text"] != c.JumpURLText ||
			members["response_images"] != strings.Join(c.ResponseImages, "|") {
			t.Fatalf("%+v arrived as %q", c.ReplyContent, members)
		}
	}
}

func checkAnswer(t *testing.T, answer imageco.Answer, err error) {
	if err == nil && (answer.ResultID == "" || !validCode.MatchString(answer.ResultID)) {
		t.Fatalf("the result.id of a readable answer is %q", answer.ResultID)
	}
	if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
		t.Fatalf("%q", err)
	}
	if !utf8.ValidString(answer.Comment) || !utf8.ValidString(answer.TransactionID) {
		t.Fatalf("%+v is not UTF-8", answer)
	}
}

// No answer has a right signature unless it was made with the key.
func FuzzReadJSON(f *testing.F) {
	f.Add([]byte("{" + echoed + "," + doneResult + "}"))
	f.Add([]byte(`{"sign":"00000000000000000000000000000000","result":{"id":"0000","id":"1"}}`))
	f.Add([]byte("\xEF\xBB\xBF{}"))
	f.Add([]byte("{\"result\":{\"id\":\"0000\",\"comment\":\"\xB3\xC9\xB9\xA6\"},\"sign\":\"0\"}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := imageco.ReadJSON(body, freshKey)
		checkAnswer(t, answer, err)
		if answer.Signature == imageco.SignatureRight {
			t.Fatal("an answer that nobody signed is right")
		}
	})
}

func FuzzReadXML(f *testing.F) {
	bare := []byte(gbkDeclaration + "<business_trans>" + xmlEchoed + "<result><id>0000</id><comment>\xB3\xC9\xB9\xA6</comment></result></business_trans>")
	f.Add(bare)
	f.Add([]byte("xml=" + url.QueryEscape(string(bare)) + "&mac=00000000000000000000000000000000"))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><business_trans>&b;</business_trans>`))
	f.Add([]byte("<business_trans><result><id><![CDATA[0000]]></id></result></business_trans><!-- -->"))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := imageco.ReadXML(body, freshKey)
		checkAnswer(t, answer, err)
		if answer.Signature == imageco.SignatureRight {
			t.Fatal("an answer that nobody signed is right")
		}
		if text := string(body); err == nil && text[0] == '<' && strings.Contains(text, "<!DOCTYPE") && !strings.ContainsAny(text[1:], "[-?") {
			t.Fatal("a DOCTYPE was taken")
		}
	})
}

// freshKey is a key with which no input of a fuzz target was signed.
const freshKey = "a key that signs nothing"
