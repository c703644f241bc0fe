package imageco

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// The values of result.id that decide something.
const (
	// Succeeded is with what 翼码 says that it did what was asked.
	Succeeded = "0000"
	// NotListed is for a call from an address that 翼码 was not told of (IP 白名单).
	NotListed = "6103"
	// TimedOut is with what 翼码 says that something behind it did not answer: the reply may have reached the consumer.
	TimedOut = "9998"
)

// Signature tells what became of the check of an answer's signature.
type Signature int

const (
	SignatureAbsent Signature = iota // the vendor marks it optional
	SignatureRight
	SignatureWrong
)

// Answer is 翼码's answer to a [Reply] or a [DetailQuery]; members that Kesu does not need are ignored, as the vendor
// asks.
type Answer struct {
	ResultID      string // 0000: done
	Comment       string
	TransactionID string // echoed
	ComplaintID   string // echoed
	Signature     Signature
}

var errNoResult = errors.New("has no result.id that can be read")

// readable fails when the answer does not say what became of the reply.
func (a Answer) readable() error {
	if !wire.IsCode(a.ResultID) {
		return errNoResult
	}
	return nil
}

// ReadJSON reads an answer in JSON, in UTF-8 or GBK, and checks its sign, which covers every top-level string member of
// the answer, known or not. The sign is right when it is made over the members in either charset. A member that stands
// twice makes the answer unreadable: it could be signed with one value and read with the other.
func ReadJSON(body []byte, key string) (Answer, error) {
	if !utf8.Valid(body) {
		body = gbk.Decode(body)
	}
	values, err := readMembers(withoutMark(body))
	if err != nil {
		return Answer{}, err
	}
	result, err := readMembers(values.result)
	if err != nil {
		return Answer{}, errNoResult
	}
	answer := Answer{
		ResultID:      result.text("id"),
		Comment:       result.text("comment"),
		TransactionID: values.echo("transaction_id"),
		ComplaintID:   values.echo("complaint_id"),
	}
	if sign := values.text("sign"); sign != "" {
		answer.Signature = SignatureWrong
		if signs(sign, key, values.strings) {
			answer.Signature = SignatureRight
		}
	}
	return answer, answer.readable()
}

// signs reports whether a sign is the one of these members in UTF-8 or in GBK.
func signs(sign, key string, members []signing.Member) bool {
	if signing.EqualMD5(sign, signing.ImagecoJSON(key, members)) {
		return true
	}
	inGBK := make([]signing.Member, len(members))
	for i, m := range members {
		inGBK[i] = signing.Member{Name: m.Name, Value: string(gbk.InOther([]byte(m.Value)))}
	}
	return signing.EqualMD5(sign, signing.ImagecoJSON(key, inGBK))
}

// withoutMark takes away the byte order mark that some platforms put before their UTF-8.
func withoutMark(body []byte) []byte { return bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")) }

// answerMembers is a JSON object of a gateway's: its string members in order, the others as they are written, and of
// those the nested result.
type answerMembers struct {
	strings []signing.Member
	others  []strictjson.Member
	result  json.RawMessage
}

// echo is what an answer gives for an id of ours: a string, or else the text of what stands there, which is no id of
// ours unless it is a number that is written like it. A null says nothing.
func (a answerMembers) echo(name string) string {
	for _, m := range a.others {
		if m.Name == name && string(m.Value) != "null" {
			return string(m.Value)
		}
	}
	return a.text(name)
}

// text is the string member of that name, and "" when there is none.
func (a answerMembers) text(name string) string {
	for _, m := range a.strings {
		if m.Name == name {
			return m.Value
		}
	}
	return ""
}

func readMembers(raw []byte) (answerMembers, error) {
	members, err := strictjson.Object(raw)
	if err != nil {
		return answerMembers{}, err
	}
	answer := answerMembers{strings: make([]signing.Member, 0, len(members))}
	for _, m := range members {
		if m.Value[0] != '"' {
			answer.others = append(answer.others, m)
			if m.Name == "result" {
				answer.result = m.Value
			}
			continue
		}
		text, ok := m.Text()
		if !ok {
			return answerMembers{}, errors.New("has a string that cannot be read")
		}
		answer.strings = append(answer.strings, signing.Member{Name: m.Name, Value: text})
	}
	return answer, nil
}
