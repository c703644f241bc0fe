package wechatpay

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// Failure is why something could not be read.
type Failure struct {
	Code       string // WeChat Pay's own, or one of ours
	Message    string // fit to be shown
	HTTPStatus int    // the gateway's last one, 0 without an answer
	Refused    bool   // WeChat Pay refused for certain (4xx but 408, 425 and 429): asking again would not tell more
}

func (f *Failure) Error() string { return "WeChat Pay could not be read: " + f.Code }

// get reads one answer, verified.
func (c *Caller) get(ctx context.Context, complaintID, path string) ([]byte, *Failure) {
	var body []byte
	judge := func(a gateway.Answer) gateway.Verdict {
		verdict := c.judgeReading(ctx, a)
		if verdict.Effect == gateway.Done {
			body = a.Body
		}
		return verdict
	}
	report, err := c.do(ctx, operation{row: reading, complaintID: complaintID, path: path, following: c.failed,
		judge: judge})
	c.latest = report
	last := report.Last
	switch {
	case err != nil:
		return nil, &Failure{Code: wire.CodeInternal, Message: "the request could not be made"}
	case last.Effect == gateway.Done:
		return body, nil
	}
	return nil, &Failure{
		Code:       last.Code,
		Message:    last.Message,
		HTTPStatus: report.HTTPStatus,
		Refused:    last.Effect == gateway.Refused,
	}
}

// judgeReading says what an answer to a reading means. Only a verified one counts.
func (c *Caller) judgeReading(ctx context.Context, answer gateway.Answer) gateway.Verdict {
	verdict := c.judge(ctx, answer, "", "complaint")
	if verdict.Effect == gateway.Done && answer.Status != http.StatusOK {
		return say(verdict, gateway.MaybeDone, wire.CodeUpstreamGarbled, "the gateway's answer holds nothing")
	}
	return verdict
}

// garbled is the failure of an answer that is WeChat Pay's and cannot be read.
func garbled(err error) *Failure {
	return &Failure{
		Code:       wire.CodeUpstreamGarbled,
		Message:    "what WeChat Pay tells " + err.Error(),
		HTTPStatus: http.StatusOK,
	}
}

// Complaint reads a complaint (查询投诉单详情).
func (c *Caller) Complaint(ctx context.Context, complaintID string) (messages.Complaint, *Failure) {
	body, failure := c.get(ctx, complaintID, messages.ComplaintPath(complaintID))
	if failure != nil {
		return messages.Complaint{}, failure
	}
	complaint, err := messages.ReadComplaint(body, complaintID)
	if err != nil {
		return messages.Complaint{}, garbled(err)
	}
	return complaint, nil
}

// History reads one page of a complaint's negotiation history (查询投诉单协商历史): at most limit items, 1 to 300.
func (c *Caller) History(
	ctx context.Context,
	complaintID string,
	limit, offset int,
) (messages.History, *Failure) {
	path := fmt.Sprintf("%s/negotiation-historys?limit=%d&offset=%d", messages.ComplaintPath(complaintID), limit,
		offset)
	body, failure := c.get(ctx, complaintID, path)
	if failure != nil {
		return messages.History{}, failure
	}
	history, err := messages.ReadHistory(body)
	if err != nil {
		return messages.History{}, garbled(err)
	}
	return history, nil
}

// List reads one page of the complaints that were raised on the days from begin to end, as YYYY-MM-DD in China
// (查询投诉单列表): at most limit, 1 to 50.
func (c *Caller) List(ctx context.Context, begin, end string, limit, offset int) (messages.List, *Failure) {
	query := url.Values{"begin_date": {begin}, "end_date": {end}}.Encode()
	path := fmt.Sprintf("/v3/merchant-service/complaints-v2?limit=%d&offset=%d&%s", limit, offset, query)
	body, failure := c.get(ctx, "", path)
	if failure != nil {
		return messages.List{}, failure
	}
	list, err := messages.ReadList(body)
	if err != nil {
		return messages.List{}, garbled(err)
	}
	return list, nil
}
