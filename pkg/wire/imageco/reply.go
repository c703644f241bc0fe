package imageco

import (
	"strings"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Reply is 翼码's 投诉回复 message: https://open.wangcaio2o.com/docs/ipos-sa/1845. Absent options are left out of what is
// sent.
type Reply struct {
	ISSPID            string // 翼码商户号
	TransactionID     string // 请求流水号
	SystemID          string // 系统平台号
	SellerAccount     string // 收款账户编号
	ComplaintID       string // 投诉单号
	wire.ReplyContent        // its SellerAccount is not used
}

func (m Reply) message() message {
	return message{
		{name: "request_type", value: "risk_complaints_resp_request"},
		{name: "isspid", value: m.ISSPID},
		{name: "transaction_id", value: m.TransactionID},
		{name: "system_id", value: m.SystemID},
		{name: "seller_account", value: m.SellerAccount},
		{name: "complaint_id", value: m.ComplaintID},
		{name: "response_content", value: m.ResponseContent},
		{name: "response_images", value: strings.Join(m.ResponseImages, wire.ImageIDSeparator), optional: true},
		{name: "jump_url", value: m.JumpURL, optional: true, cdata: true},
		{name: "jump_url_text", value: m.JumpURLText, optional: true},
	}
}

// JSON is the signed message in UTF-8, without HTML escaping. The sign is computed over the members in UTF-8, or in
// GBK with signGBK; it fails only when GBK lacks a character.
func (m Reply) JSON(key string, signGBK bool) ([]byte, error) { return m.message().json(key, signGBK) }

// XML is the message as GBK bytes with its declaration. It fails only when GBK lacks a character.
func (m Reply) XML() ([]byte, error) { return m.message().xml() }

// Form is the XML message with its mac as the form that is posted. It fails only when GBK lacks a character.
func (m Reply) Form(key string) ([]byte, error) { return m.message().form(key) }

// DetailQuery is 翼码's 投诉详情: https://open.wangcaio2o.com/docs/ipos-sa/1843. It asks for one complaint, with the members
// that all complaint messages have in common, and changes nothing, so it serves to find out whether a merchant's key
// and numbers are right. [ReadJSON] and [ReadXML] read the answer, which echoes the ids and carries a result as the
// answer to a reply does; its detail is left aside.
type DetailQuery struct {
	ISSPID        string // 翼码商户号
	TransactionID string // 请求流水号
	SystemID      string // 系统平台号
	SellerAccount string // 收款账户编号; left out when it is empty
	ComplaintID   string // 投诉单号
}

func (q DetailQuery) message() message {
	return message{
		{name: "request_type", value: "risk_complaints_detail_request"},
		{name: "isspid", value: q.ISSPID},
		{name: "transaction_id", value: q.TransactionID},
		{name: "system_id", value: q.SystemID},
		{name: "seller_account", value: q.SellerAccount, optional: true},
		{name: "complaint_id", value: q.ComplaintID},
	}
}

// JSON is the signed query, by the rules of [Reply.JSON].
func (q DetailQuery) JSON(key string, signGBK bool) ([]byte, error) {
	return q.message().json(key, signGBK)
}

// Form is the query in XML with its mac as the form that is posted, by the rules of [Reply.Form].
func (q DetailQuery) Form(key string) ([]byte, error) { return q.message().form(key) }
