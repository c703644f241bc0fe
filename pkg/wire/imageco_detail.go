package wire

import (
	"encoding/xml"

	"github.com/kesu-go/kesu/pkg/signing"
)

// detailRequestType is the request_type of 翼码's 投诉详情: https://open.wangcaio2o.com/docs/ipos-sa/1843.
const detailRequestType = "risk_complaints_detail_request"

// DetailQuery asks 翼码 for one complaint: the part that all its complaint messages have in common. It changes nothing,
// so it serves to find out whether a merchant's key and numbers are right. [ReadReplyJSON] and [ReadReplyXML] read the
// answer, which echoes the ids and carries a result as the answer to a reply does; its detail is left aside.
type DetailQuery struct {
	ISSPID        string // 翼码商户号
	TransactionID string // 请求流水号
	SystemID      string // 系统平台号
	SellerAccount string // 收款账户编号; left out when it is empty
	ComplaintID   string // 投诉单号
}

// detailMembers is the query in the order of the documentation. XML carries no sign.
type detailMembers struct {
	XMLName       xml.Name `json:"-" xml:"business_trans"`
	RequestType   string   `json:"request_type" xml:"request_type"`
	ISSPID        string   `json:"isspid" xml:"isspid"`
	TransactionID string   `json:"transaction_id" xml:"transaction_id"`
	SystemID      string   `json:"system_id" xml:"system_id"`
	SellerAccount string   `json:"seller_account,omitempty" xml:"seller_account,omitempty"`
	ComplaintID   string   `json:"complaint_id" xml:"complaint_id"`
	Sign          string   `json:"sign,omitempty" xml:"-"`
}

func (q DetailQuery) members() detailMembers {
	return detailMembers{RequestType: detailRequestType, ISSPID: q.ISSPID, TransactionID: q.TransactionID, SystemID: q.SystemID,
		SellerAccount: q.SellerAccount, ComplaintID: q.ComplaintID}
}

// JSON is the signed query, by the rules of [ReplyMessage.JSON].
func (q DetailQuery) JSON(key string, signGBK bool) ([]byte, error) {
	members := q.members()
	signed := []signing.Member{
		{Name: "request_type", Value: members.RequestType},
		{Name: "isspid", Value: members.ISSPID},
		{Name: "transaction_id", Value: members.TransactionID},
		{Name: "system_id", Value: members.SystemID},
		{Name: "complaint_id", Value: members.ComplaintID},
	}
	if members.SellerAccount != "" {
		signed = append(signed, signing.Member{Name: "seller_account", Value: members.SellerAccount})
	}
	if err := inSignCharset(signed, signGBK); err != nil {
		return nil, err
	}
	members.Sign = signing.ImagecoJSON(key, signed)
	return compactJSON(members)
}

// Form is the query in XML with its mac as the form that is posted, by the rules of [ReplyMessage.Form].
func (q DetailQuery) Form(key string) ([]byte, error) {
	body, err := xml.Marshal(q.members())
	if err != nil {
		return nil, err
	}
	doc, err := EncodeGBK(xmlDeclaration + string(body))
	if err != nil {
		return nil, err
	}
	return xmlForm(doc, key), nil
}
