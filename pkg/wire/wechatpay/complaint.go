package wechatpay

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// The states of a complaint that decide something; every other value is only passed on.
const (
	StatePending    = "PENDING"    // 待处理
	StateProcessing = "PROCESSING" // 处理中
	StateProcessed  = "PROCESSED"  // 已处理完成
)

// Complaint is a complaint as WeChat Pay tells it. The payer's phone number, openid, address and service orders are not
// read at all, so that they cannot get anywhere. What WeChat Pay may leave out is a pointer or a list.
type Complaint struct {
	ComplaintID          string    `json:"complaint_id"`
	ComplaintTime        Time      `json:"complaint_time"`
	ComplaintState       string    `json:"complaint_state"`
	ComplaintDetail      string    `json:"complaint_detail"`
	ComplaintedMchID     string    `json:"complainted_mchid"`
	ProblemType          string    `json:"problem_type"`
	ProblemDescription   string    `json:"problem_description"`
	ApplyRefundAmount    *int64    `json:"apply_refund_amount"` // cents (分)
	Orders               []Order   `json:"complaint_order_info"`
	Media                MediaList `json:"complaint_media_list"`
	UserComplaintTimes   *int64    `json:"user_complaint_times"`
	UserTags             []string  `json:"user_tag_list"`
	IncomingUserResponse *bool     `json:"incoming_user_response"`
	FullRefunded         *bool     `json:"complaint_full_refunded"`
	InPlatformService    *bool     `json:"in_platform_service"`
	NeedImmediateService *bool     `json:"need_immediate_service"`
}

// UnmarshalJSON leaves out each member that has another type than its page says. It would otherwise keep the complaint
// from being told, and every other one on its page of the list.
func (c *Complaint) UnmarshalJSON(raw []byte) error {
	type plain Complaint // without this method
	err := json.Unmarshal(raw, (*plain)(c))
	if err == nil {
		return nil
	}
	members, ok := strictjson.Members(raw)
	if !ok {
		return err
	}
	*c = Complaint{}
	for _, m := range members {
		one, err := json.Marshal(map[string]json.RawMessage{m.Name: m.Value})
		next := *c
		if err == nil && json.Unmarshal(one, (*plain)(&next)) == nil {
			*c = next
		}
	}
	return nil
}

// Order is an order that a complaint is about; Amount is in cents (分).
type Order struct {
	TransactionID string `json:"transaction_id"`
	OutTradeNo    string `json:"out_trade_no"`
	Amount        *int64 `json:"amount"`
}

// Time is a time of WeChat Pay's: RFC 3339, with seconds or with a fraction of them. One that cannot be read is zero.
type Time struct{ time.Time }

// UnmarshalJSON reads a time, and leaves one that cannot be read zero.
func (t *Time) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil
	}
	t.Time, _ = time.Parse(time.RFC3339, text) // it takes a fraction as well; a failure gives the zero time
	return nil
}

// Media is a group of pictures or videos.
type Media struct {
	Type string   `json:"media_type"`
	URLs []string `json:"media_url"`
}

// MediaList is complaint_media_list, which is one object in the negotiation history and an array in the detail.
type MediaList []Media

// UnmarshalJSON reads an array of objects, or one object.
func (l *MediaList) UnmarshalJSON(raw []byte) error {
	if raw[0] != '{' {
		return json.Unmarshal(raw, (*[]Media)(l))
	}
	var one Media
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*l = MediaList{one}
	return nil
}

var (
	errNotReadable = errors.New("cannot be read")
	errForeign     = errors.New("does not name this complaint")
	errNoState     = errors.New("has no complaint_state")
)

// ReadComplaint reads the answer to 查询投诉单详情 about one complaint. A signature says who wrote an answer and not which
// question it answers, so an answer that names another complaint, or none, is an error, and so is one without a state.
func ReadComplaint(body []byte, complaintID string) (Complaint, error) {
	var c Complaint
	switch err := json.Unmarshal(body, &c); {
	case err != nil:
		return Complaint{}, errNotReadable // the cause would quote the answer
	case c.ComplaintID != complaintID:
		return Complaint{}, errForeign
	case c.ComplaintState == "":
		return Complaint{}, errNoState
	}
	return c, nil
}

// List is one page of 查询投诉单列表.
type List struct {
	Complaints []Complaint `json:"data"`
	TotalCount int         `json:"total_count"`
}

// ReadList reads a page of 查询投诉单列表: https://pay.weixin.qq.com/doc/v3/merchant/4012533431.
func ReadList(body []byte) (List, error) {
	var l List
	if json.Unmarshal(body, &l) != nil {
		return List{}, errNotReadable
	}
	return l, nil
}
