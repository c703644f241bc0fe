package imageco_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

func TestReplyMessageInJSON(t *testing.T) {
	for _, row := range []struct {
		name    string
		signGBK bool
		want    string
	}{
		{"the documentation's sample comes out byte for byte", false, "reply.json"},
		{"a merchant that signs in GBK has another sign over the same UTF-8 message", true, "reply-signed-gbk.json"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := sample().JSON(sampleKey, row.signGBK)
			if err != nil {
				t.Fatal(err)
			}
			if want := golden(t, row.want); string(got) != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestReplyMessageInJSONLeavesAbsentOptionsOut(t *testing.T) {
	m := sample()
	m.ResponseImages, m.JumpURL, m.JumpURLText = nil, "", ""
	got, err := m.JSON(sampleKey, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"response_images", "jump_url"} {
		if strings.Contains(string(got), name) {
			t.Errorf("%s is in %s", name, got)
		}
	}
	// The sign covers what is sent and nothing else.
	var sent map[string]string
	if err := json.Unmarshal(got, &sent); err != nil {
		t.Fatal(err)
	}
	var members []signing.Member
	for name, value := range sent {
		members = append(members, signing.Member{Name: name, Value: value})
	}
	if want := signing.ImagecoJSON(sampleKey, members); sent["sign"] != want {
		t.Errorf("the sign does not cover exactly the members that are sent")
	}
}

func TestReplyMessageInJSONEscapesNoHTML(t *testing.T) {
	m := sample()
	m.ResponseContent = "1 < 2 & 3 > 2\n\"好\""
	got, err := m.JSON(sampleKey, false)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"response_content":"1 < 2 & 3 > 2\n\"好\""`; !strings.Contains(string(got), want) {
		t.Errorf("%s does not hold %s", got, want)
	}
}

func TestReplyMessageNeedsItsSignCharset(t *testing.T) {
	m := sample()
	m.ResponseContent = "价格 5 €"
	if _, err := m.JSON(sampleKey, true); err == nil || !strings.Contains(err.Error(), "U+20AC") {
		t.Errorf("signed in GBK: %v, want an error that names U+20AC", err)
	}
	if _, err := m.JSON(sampleKey, false); err != nil {
		t.Errorf("signed in UTF-8: %v", err)
	}
}

// signedAnswer adds the right sign over the members, which are string members in JSON.
func signedAnswer(t *testing.T, members string, inGBK bool) string {
	t.Helper()
	list, err := strictjson.Object([]byte("{" + members + "}"))
	if err != nil {
		t.Fatal(err)
	}
	var signed []signing.Member
	for _, m := range list {
		if m.Value[0] != '"' {
			continue
		}
		var text string
		if err := json.Unmarshal(m.Value, &text); err != nil {
			t.Fatal(err)
		}
		if inGBK {
			encoded, err := gbk.Encode(text)
			if err != nil {
				t.Fatal(err)
			}
			text = string(encoded)
		}
		signed = append(signed, signing.Member{Name: m.Name, Value: text})
	}
	return "{" + members + `,"sign":"` + signing.ImagecoJSON(sampleKey, signed) + `"}`
}

// gbkOf is a text in GBK.
func gbkOf(t *testing.T, text string) string {
	t.Helper()
	encoded, err := gbk.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

const (
	echoed = `"response_type":"risk_complaints_resp_response","isspid":"39493002","transaction_id":"` + transactionID +
		`","complaint_id":"` + complaintID + `"`
	doneResult = `"result":{"id":"0000","comment":"回复成功"}`
)

func TestReadReplyJSON(t *testing.T) {
	done := imageco.Answer{ResultID: "0000", Comment: "回复成功", TransactionID: transactionID, ComplaintID: complaintID}
	with := func(change func(*imageco.Answer)) imageco.Answer {
		answer := done
		change(&answer)
		return answer
	}
	right := with(func(a *imageco.Answer) { a.Signature = imageco.SignatureRight })
	wrong := with(func(a *imageco.Answer) { a.Signature = imageco.SignatureWrong })

	for _, row := range []struct {
		name string
		body string
		want imageco.Answer
	}{
		{"an answer without a sign is read", "{" + echoed + "," + doneResult + "}", done},
		{"a sign over the string members is right", signedAnswer(t, echoed+","+doneResult, false), right},
		{"members that nobody knows are ignored and signed", signedAnswer(t, echoed+`,"new":"新",`+doneResult, false), right},
		{"members of other types are ignored and not signed", signedAnswer(t, echoed+`,"n":1,"l":["x"],"o":{"a":{}},"b":null,`+doneResult, false), right},
		{"an empty string member is signed by its name", signedAnswer(t, echoed+`,"memo":"",`+doneResult, false), right},
		{"a sign over GBK is right", signedAnswer(t, echoed+`,"memo":"新",`+doneResult, true), right},
		{"a sign over text that GBK lacks is right in UTF-8", signedAnswer(t, echoed+`,"memo":"€",`+doneResult, false), right},
		{"a sign over neither is wrong", strings.Replace(signedAnswer(t, echoed+`,"memo":"新",`+doneResult, true), "新", "旧", 1), wrong},
		{"an answer in GBK is read", gbkOf(t, "{"+echoed+","+doneResult+"}"), done},
		{"an answer in GBK with a sign over GBK", gbkOf(t, signedAnswer(t, echoed+`,"memo":"新",`+doneResult, true)), right},
		{"an answer in GBK with a sign over UTF-8", gbkOf(t, signedAnswer(t, echoed+`,"memo":"新",`+doneResult, false)), right},
		{"an answer in GBK with a sign over neither", gbkOf(t, strings.Replace(signedAnswer(t, echoed+`,"memo":"新",`+doneResult, true), "新", "旧", 1)), wrong},
		{"a character of GBK whose second byte is a backslash does not escape a quote", gbkOf(t, "{"+echoed+`,"result":{"id":"0000","comment":"誠"}}`),
			with(func(a *imageco.Answer) { a.Comment = "誠" })},
		{"words in GBK that break off in a character", "{" + echoed + ",\"result\":{\"id\":\"0000\",\"comment\":\"\xBB\xD8\xB8\"}}",
			with(func(a *imageco.Answer) { a.Comment = "回\ufffd" })},
		{"a sign in lower case is right", strings.Replace(signedAnswer(t, echoed+","+doneResult, false), signOf(t), strings.ToLower(signOf(t)), 1), right},
		{"a sign over other members is wrong", strings.Replace(signedAnswer(t, echoed+","+doneResult, false), `"isspid":"39493002"`, `"isspid":"39493003"`, 1), wrong},
		{"a member that was added is not covered by the sign", strings.Replace(signedAnswer(t, echoed+","+doneResult, false), "{", `{"added":"x",`, 1), wrong},
		{"a sign that is no digest is wrong", "{" + echoed + "," + doneResult + `,"sign":"right"}`, wrong},
		{"an empty sign is no sign", "{" + echoed + "," + doneResult + `,"sign":""}`, done},
		{"the ids of another reply are told as they are", "{" + strings.Replace(echoed, transactionID, "resp999", 1) + "," + doneResult + "}",
			with(func(a *imageco.Answer) { a.TransactionID = "resp999" })},
		{"ids that were not echoed are empty", "{" + doneResult + "}",
			with(func(a *imageco.Answer) { a.TransactionID, a.ComplaintID = "", "" })},
		{"an id that is not a string is told as it is written", "{" + doneResult + `,"transaction_id":7,"complaint_id":{}}`,
			with(func(a *imageco.Answer) { a.TransactionID, a.ComplaintID = "7", "{}" })},
		{"an id that is null is not echoed", "{" + doneResult + `,"transaction_id":null,"complaint_id":null}`,
			with(func(a *imageco.Answer) { a.TransactionID, a.ComplaintID = "", "" })},
		{"names are read in exact case", "{" + echoed + "," + doneResult + `,"Transaction_ID":"other","RESULT":{"id":"9999"}}`, done},
		{"a refusal is read", "{" + echoed + `,"result":{"id":"6100","comment":"签名错误","more":[1]}}`,
			with(func(a *imageco.Answer) { a.ResultID, a.Comment = "6100", "签名错误" })},
		{"a comment may be missing", "{" + echoed + `,"result":{"id":"0000"}}`,
			with(func(a *imageco.Answer) { a.Comment = "" })},
		{"a byte order mark and white space around do not matter", "\xEF\xBB\xBF\r\n {" + echoed + "," + doneResult + "}\r\n", done},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := imageco.ReadJSON([]byte(row.body), sampleKey)
			if err != nil {
				t.Fatal(err)
			}
			if got != row.want {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

// signOf is the sign of the plain signed answer.
func signOf(t *testing.T) string {
	t.Helper()
	body := signedAnswer(t, echoed+","+doneResult, false)
	_, sign, found := strings.Cut(body, `"sign":"`)
	if !found {
		t.Fatal("the answer is not signed")
	}
	return strings.TrimSuffix(sign, `"}`)
}

func TestReadReplyJSONRefusesWhatItCannotBeSureOf(t *testing.T) {
	for _, row := range []struct{ name, body string }{
		{"nothing", ""},
		{"a page of HTML", "<html><body>502 Bad Gateway</body></html>"},
		{"an array", "[{" + doneResult + "}]"},
		{"an answer that breaks off", "{" + echoed + `,"result":{"id":"0000"`},
		{"text behind the answer", "{" + doneResult + "} {" + doneResult + "}"},
		{"a result id in GBK", "{\"result\":{\"id\":\"\xA3\xB0\xA3\xB0\"}}"},
		{"no result", "{" + echoed + "}"},
		{"a result that is a string", `{"result":"0000"}`},
		{"a result that is null", `{"result":null}`},
		{"a result without an id", `{"result":{"comment":"0000"}}`},
		{"a result whose id is a number", `{"result":{"id":0}}`},
		{"a result whose id is empty", `{"result":{"id":""}}`},
		{"a result whose id is a sentence", `{"result":{"id":"it is done"}}`},
		{"a result whose id has 65 characters", `{"result":{"id":"` + strings.Repeat("0", 65) + `"}}`},
		{"a result that stands twice", "{" + doneResult + "," + doneResult + "}"},
		{"a result id that stands twice", `{"result":{"id":"0000","id":"6100"}}`},
		{"a transaction id that stands twice", `{"transaction_id":"a","transaction_id":"b",` + doneResult + "}"},
		{"a name that stands twice, once written with an escape", `{"sign":"a","\u0073ign":"b",` + doneResult + "}"},
		{"an answer nested 33 levels deep", `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + "," + doneResult + "}"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, err := imageco.ReadJSON([]byte(row.body), sampleKey); err == nil {
				t.Errorf("read as %+v", got)
			}
		})
	}
}
