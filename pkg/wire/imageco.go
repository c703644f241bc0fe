package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/kesu-go/kesu/pkg/signing"
)

// replyRequestType is the request_type of section 4.73 of 翼码's documentation:
// https://open.wangcaio2o.com/docs/ipos-sa/1845.
const replyRequestType = "risk_complaints_resp_request"

// ResultSucceeded is the result.id with which 翼码 says that it did what was asked.
const ResultSucceeded = "0000"

// ResultTimedOut is the result.id with which 翼码 says that something behind it did not answer: the reply may have
// reached the consumer.
const ResultTimedOut = "9998"

// How a message travels is only partly documented; these are our reading [inferred], here and nowhere else.
const (
	// ImagecoJSONType goes with a JSON message: UTF-8 on the wire, whatever charset its sign is computed over.
	ImagecoJSONType = "application/json; charset=utf-8"
	// ImagecoFormType goes with an XML message, which is sent as the form members xml and mac, as the vendor's sibling
	// platform takes it. The percent-encoded bytes are GBK.
	ImagecoFormType = "application/x-www-form-urlencoded; charset=GBK"
)

// ReplyMessage is 翼码's 投诉回复 message. Absent options are left out of what is sent.
type ReplyMessage struct {
	ISSPID        string // 翼码商户号
	TransactionID string // 请求流水号
	SystemID      string // 系统平台号
	SellerAccount string // 收款账户编号
	ComplaintID   string // 投诉单号
	ReplyContent         // its SellerAccount is not used
}

// replyMembers is the message in the order of the documentation. Every member is a string.
type replyMembers struct {
	RequestType     string `json:"request_type"`
	ISSPID          string `json:"isspid"`
	TransactionID   string `json:"transaction_id"`
	SystemID        string `json:"system_id"`
	SellerAccount   string `json:"seller_account"`
	ComplaintID     string `json:"complaint_id"`
	ResponseContent string `json:"response_content"`
	ResponseImages  string `json:"response_images,omitempty"`
	JumpURL         string `json:"jump_url,omitempty"`
	JumpURLText     string `json:"jump_url_text,omitempty"`
	Sign            string `json:"sign,omitempty"`
}

func (m ReplyMessage) members() replyMembers {
	return replyMembers{
		RequestType:     replyRequestType,
		ISSPID:          m.ISSPID,
		TransactionID:   m.TransactionID,
		SystemID:        m.SystemID,
		SellerAccount:   m.SellerAccount,
		ComplaintID:     m.ComplaintID,
		ResponseContent: m.ResponseContent,
		ResponseImages:  strings.Join(m.ResponseImages, imageIDSeparator),
		JumpURL:         m.JumpURL,
		JumpURLText:     m.JumpURLText,
	}
}

// signed lists the members that the JSON sign covers: those that are sent.
func (m replyMembers) signed() []signing.Member {
	all := [...]signing.Member{
		{Name: "request_type", Value: m.RequestType},
		{Name: "isspid", Value: m.ISSPID},
		{Name: "transaction_id", Value: m.TransactionID},
		{Name: "system_id", Value: m.SystemID},
		{Name: "seller_account", Value: m.SellerAccount},
		{Name: "complaint_id", Value: m.ComplaintID},
		{Name: "response_content", Value: m.ResponseContent},
		{Name: "response_images", Value: m.ResponseImages},
		{Name: "jump_url", Value: m.JumpURL},
		{Name: "jump_url_text", Value: m.JumpURLText},
	}
	sent := make([]signing.Member, 0, len(all))
	for _, member := range all {
		if member.Value != "" {
			sent = append(sent, member)
		}
	}
	return sent
}

// JSON is the signed message in UTF-8, without HTML escaping. The sign is computed over the members in UTF-8, or in
// GBK with signGBK; it fails only when GBK lacks a character.
func (m ReplyMessage) JSON(key string, signGBK bool) ([]byte, error) {
	members := m.members()
	signed := members.signed()
	if err := inSignCharset(signed, signGBK); err != nil {
		return nil, err
	}
	members.Sign = signing.ImagecoJSON(key, signed)
	return compactJSON(members)
}

// compactJSON writes a message of 翼码's on one line, without HTML escaping.
func compactJSON(message any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(message); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// inSignCharset puts the members' values into the charset that the sign is computed over.
func inSignCharset(members []signing.Member, gbk bool) error {
	if !gbk {
		return nil
	}
	for i := range members {
		encoded, err := EncodeGBK(members[i].Value)
		if err != nil {
			return err
		}
		members[i].Value = string(encoded)
	}
	return nil
}

// Form is the XML message with its mac as the form that is posted. It fails only when GBK lacks a character.
func (m ReplyMessage) Form(key string) ([]byte, error) {
	doc, err := m.XML()
	if err != nil {
		return nil, err
	}
	return xmlForm(doc, key), nil
}

// xmlForm is an XML message with its mac, which is made over the bytes as they are sent, as the form that is posted.
func xmlForm(doc []byte, key string) []byte {
	return []byte("xml=" + url.QueryEscape(string(doc)) + "&mac=" + signing.ImagecoXML(key, doc))
}

// Signature tells what became of the check of an answer's signature.
type Signature int

const (
	SignatureAbsent Signature = iota // the vendor marks it optional
	SignatureRight
	SignatureWrong
)

// ReplyAnswer is 翼码's answer to a ReplyMessage; members that Kesu does not need are ignored, as the vendor asks.
type ReplyAnswer struct {
	ResultID      string // 0000: done
	Comment       string
	TransactionID string // echoed
	ComplaintID   string // echoed
	Signature     Signature
}

// maxResultID bounds a result.id that will be shown as a code; the vendor's have four digits.
const maxResultID = 32

var errNoResult = errors.New("has no result.id that can be read")

// readable tells whether the answer says anything at all.
func (a ReplyAnswer) readable() error {
	if a.ResultID == "" || len(a.ResultID) > maxResultID || !madeOf(a.ResultID, idCharacter) {
		return errNoResult
	}
	return nil
}

// ReadReplyJSON reads an answer in JSON and checks its sign, which covers every top-level string member of the answer,
// known or not. A member that stands twice makes the answer unreadable: it could be signed with one value and read
// with the other.
func ReadReplyJSON(body []byte, key string, signGBK bool) (ReplyAnswer, error) {
	values, err := readMembers(withoutMark(body))
	if err != nil {
		return ReplyAnswer{}, err
	}
	result, err := readMembers(values.result)
	if err != nil {
		return ReplyAnswer{}, errNoResult
	}
	answer := ReplyAnswer{
		ResultID:      result.text("id"),
		Comment:       result.text("comment"),
		TransactionID: values.text("transaction_id"),
		ComplaintID:   values.text("complaint_id"),
	}
	if sign := values.text("sign"); sign != "" {
		answer.Signature = SignatureWrong
		signed := values.strings
		if inSignCharset(signed, signGBK) == nil && signing.EqualMD5(sign, signing.ImagecoJSON(key, signed)) {
			answer.Signature = SignatureRight
		}
	}
	return answer, answer.readable()
}

// withoutMark takes away the byte order mark that some platforms put before their UTF-8.
func withoutMark(body []byte) []byte { return bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")) }

// answerMembers is a JSON object of a gateway's: its string members in order, and the nested result.
type answerMembers struct {
	strings []signing.Member
	result  json.RawMessage
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
	members, err := Object(raw)
	if err != nil {
		return answerMembers{}, err
	}
	answer := answerMembers{strings: make([]signing.Member, 0, len(members))}
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		if seen[m.Name] {
			return answerMembers{}, errors.New("has a member that stands twice")
		}
		seen[m.Name] = true
		switch {
		case m.Value[0] == '"':
			text, ok := textOf(m.Value)
			if !ok {
				return answerMembers{}, errors.New("has a string that cannot be read")
			}
			answer.strings = append(answer.strings, signing.Member{Name: m.Name, Value: text})
		case m.Name == "result":
			answer.result = m.Value
		}
	}
	return answer, nil
}
