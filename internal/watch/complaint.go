package watch

import (
	"time"

	"github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// china is the time zone of WeChat Pay's clocks and of its list's dates. China keeps no summer time, so no table of
// time zones is needed, which a function would not have.
var china = time.FixedZone("CST", 8*60*60)

// A merchant must reply within 24 hours of a complaint and settle it within 72, and a repeated complaint does not start
// the clocks again.
const (
	replyWithin      = 24 * time.Hour
	completionWithin = 72 * time.Hour
)

// complaint is a complaint as an event tells it (contract, section 10). Members that WeChat Pay did not send are left
// out. The payer's phone number, openid and address are not read at all.
type complaint struct {
	Merchant             string   `json:"merchant"`
	ComplaintID          string   `json:"complaint_id"`
	ComplaintTime        string   `json:"complaint_time,omitempty"`
	ComplaintState       string   `json:"complaint_state,omitempty"`
	ComplaintDetail      string   `json:"complaint_detail,omitempty"`
	ComplaintedMchID     string   `json:"complainted_mchid,omitempty"`
	ProblemType          string   `json:"problem_type,omitempty"`
	ProblemDescription   string   `json:"problem_description,omitempty"`
	ApplyRefundAmount    *int64   `json:"apply_refund_amount,omitempty"`
	Orders               []order  `json:"orders,omitempty"`
	Media                []media  `json:"media,omitempty"`
	UserComplaintTimes   *int64   `json:"user_complaint_times,omitempty"`
	UserTags             []string `json:"user_tags,omitempty"`
	IncomingUserResponse *bool    `json:"incoming_user_response,omitempty"`
	FullRefunded         *bool    `json:"full_refunded,omitempty"`
	InPlatformService    *bool    `json:"in_platform_service,omitempty"`
	NeedImmediateService *bool    `json:"need_immediate_service,omitempty"`
}

type order struct {
	TransactionID string `json:"transaction_id,omitempty"`
	OutTradeNo    string `json:"out_trade_no,omitempty"`
	Amount        *int64 `json:"amount,omitempty"`
}

type media struct {
	Type string   `json:"type,omitempty"`
	URLs []string `json:"urls,omitempty"`
}

// tell is a complaint of a merchant's as an event tells it.
func tell(merchant string, c wechatpay.Complaint) complaint {
	told := complaint{
		Merchant:             merchant,
		ComplaintID:          c.ComplaintID,
		ComplaintTime:        clock(c.ComplaintTime.Time),
		ComplaintState:       c.ComplaintState,
		ComplaintDetail:      c.ComplaintDetail,
		ComplaintedMchID:     c.ComplaintedMchID,
		ProblemType:          c.ProblemType,
		ProblemDescription:   c.ProblemDescription,
		ApplyRefundAmount:    c.ApplyRefundAmount,
		UserComplaintTimes:   c.UserComplaintTimes,
		UserTags:             c.UserTags,
		IncomingUserResponse: c.IncomingUserResponse,
		FullRefunded:         c.FullRefunded,
		InPlatformService:    c.InPlatformService,
		NeedImmediateService: c.NeedImmediateService,
	}
	for _, o := range c.Orders {
		told.Orders = append(told.Orders, order(o))
	}
	for _, m := range c.Media {
		told.Media = append(told.Media, media(m))
	}
	return told
}

// clock writes a time as RFC 3339 with China's offset, and nothing for a time that is not known.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(china).Format(time.RFC3339)
}
