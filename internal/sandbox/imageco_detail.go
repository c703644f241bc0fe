package sandbox

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
)

// detailRequest is the request_type of 投诉详情, https://open.wangcaio2o.com/docs/ipos-sa/1843.
const detailRequest = "risk_complaints_detail_request"

// commonFields are the members that a query has, and that begin a reply.
const commonFields = 6

// complaintDetail is what is told of a complaint.
type complaintDetail struct {
	ComplaintID    string `json:"complaint_id" xml:"complaint_id"`
	ComplaintState string `json:"complaint_state" xml:"complaint_state"`
	ComplaintTime  string `json:"complaint_time" xml:"complaint_time"`
}

// detail answers a query for one complaint. It changes nothing.
func (g *Imageco) detail(m *imagecoMessage, f *Fault, c *Call) answer {
	account, key, v := g.authenticate(m)
	c.Merchant, c.ComplaintID = account.Merchant, m.get("complaint_id")
	if v.id == "" {
		v = m.checkDetail(account)
	}
	var detail *complaintDetail
	if v.id == "" {
		v = verdict{imagecoUnknownComplaint, "投诉单不存在"}
		if found, ok := g.state.read(account.Merchant, c.ComplaintID); ok {
			detail = &complaintDetail{found.ID, string(found.State), found.CreatedAt.Format("20060102150405")}
			v = verdict{imagecoOK, "查询成功"}
		}
	}
	c.Code = v.id
	if v.id != imagecoOK {
		c.Problem = v.comment
	}
	return g.detailAnswer(m, account, key, v, detail, f)
}

// checkDetail holds the query against the documentation: the common members, and no other.
func (m *imagecoMessage) checkDetail(account ImagecoAccount) verdict {
	fields := imagecoFields[:commonFields]
	for _, field := range fields {
		switch value := m.get(field.name); {
		case value == "":
			return verdict{imagecoMissingMember, field.name + "不能为空"}
		case len([]rune(value)) > field.limit:
			return verdict{imagecoTooLong, field.name + "超长"}
		}
	}
	for _, member := range m.members {
		if member.Name != "sign" && !slices.ContainsFunc(fields, func(f imagecoField) bool { return f.name == member.Name }) {
			return verdict{imagecoWrongMember, "报文格式错误"}
		}
	}
	return account.check(m)
}

type detailResponse struct {
	XMLName       xml.Name         `json:"-" xml:"business_trans"`
	ResponseType  string           `json:"response_type" xml:"response_type"`
	ISSPID        string           `json:"isspid" xml:"isspid"`
	TransactionID string           `json:"transaction_id" xml:"transaction_id"`
	SellerAccount string           `json:"seller_account" xml:"seller_account"`
	ComplaintID   string           `json:"complaint_id" xml:"complaint_id"`
	Detail        *complaintDetail `json:"detail,omitempty" xml:"detail,omitempty"`
	Result        resultNode       `json:"result" xml:"result"`
	Sign          string           `json:"sign,omitempty" xml:"-"`
}

func (g *Imageco) detailAnswer(m *imagecoMessage, account ImagecoAccount, key string, v verdict, detail *complaintDetail, f *Fault) answer {
	r := detailResponse{ResponseType: "risk_complaints_detail_response", ISSPID: m.get("isspid"), TransactionID: m.get("transaction_id"),
		SellerAccount: m.get("seller_account"), ComplaintID: m.get("complaint_id"), Detail: detail, Result: resultNode{v.id, v.comment}}
	if f.ForeignEcho {
		r.TransactionID, r.ComplaintID = "99999999999999999999", "99999999999999999999"
	}
	unsigned := f.Unsigned || key == ""
	if f.WrongSignature || f.SignTest {
		key = "another key than the merchant's"
	}
	if m.xml != nil {
		return detailXML(r, key, unsigned)
	}
	sign, ok := signJSON(key, []signing.Member{{Name: "response_type", Value: r.ResponseType}, {Name: "isspid", Value: r.ISSPID},
		{Name: "transaction_id", Value: r.TransactionID}, {Name: "seller_account", Value: r.SellerAccount}, {Name: "complaint_id", Value: r.ComplaintID}}, account.SignGBK)
	if ok && !unsigned {
		r.Sign = sign
	}
	text, err := strictjson.Encode(r)
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be encoded")
	}
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, body: text}
}

func detailXML(r detailResponse, key string, unsigned bool) answer {
	text, err := xml.Marshal(r)
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be encoded")
	}
	document, err := simplifiedchinese.GBK.NewEncoder().Bytes(append([]byte(`<?xml version="1.0" encoding="GBK"?>`), text...))
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer has a character that GBK lacks")
	}
	form := url.Values{"xml": {string(document)}}
	if !unsigned {
		form.Set("mac", signing.ImagecoXML(key, document))
	}
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body: []byte(form.Encode())}
}
