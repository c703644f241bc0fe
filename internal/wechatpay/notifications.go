package wechatpay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/pkg/wire"
)

const notificationsPath = "/v3/merchant-service/complaint-notifications"

// The operations on the address for notifications. Each names what is to stand there, or that nothing is, so repeating
// one is harmless.
var (
	createAddress = row{http.MethodPost, true}
	changeAddress = row{http.MethodPut, true}
	removeAddress = row{http.MethodDelete, true}
)

// addressMax bounds the address in bytes: https://pay.weixin.qq.com/doc/v3/partner/4012458106.
const addressMax = 255

// NotificationAddress reads where WeChat Pay sends a merchant's notifications about complaints (查询投诉通知回调地址): "" when
// nothing was set, which WeChat Pay tells as RESOURCE_NOT_EXISTS
// (https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_3.shtml).
func (c *Caller) NotificationAddress(ctx context.Context) (string, *Failure) {
	body, failure := c.get(ctx, "", notificationsPath)
	if failure != nil {
		if failure.Refused && failure.Code == "RESOURCE_NOT_EXISTS" {
			return "", nil
		}
		return "", failure
	}
	var told struct {
		URL string `json:"url"`
	}
	if json.Unmarshal(body, &told) != nil || told.URL == "" || len(told.URL) > addressMax || c.hidden().In(told.URL) {
		return "", garbled(errors.New("has no address"))
	}
	return told.URL, nil
}

// SetNotificationAddress sets the address where there is none (创建投诉通知回调地址), or puts another in the place of the one
// that is there (更新投诉通知回调地址).
func (c *Caller) SetNotificationAddress(ctx context.Context, address string, change bool) *Failure {
	body, err := json.Marshal(map[string]string{"url": address})
	if err != nil {
		return &Failure{Code: wire.CodeInternal, Message: "the request could not be made"}
	}
	if change {
		return c.changeAddress(ctx, changeAddress, body)
	}
	return c.changeAddress(ctx, createAddress, body)
}

// RemoveNotificationAddress removes the address (删除投诉通知回调地址).
func (c *Caller) RemoveNotificationAddress(ctx context.Context) *Failure {
	return c.changeAddress(ctx, removeAddress, nil)
}

func (c *Caller) changeAddress(ctx context.Context, r row, body []byte) *Failure {
	report, err := c.do(
		ctx,
		operation{row: r, path: notificationsPath, body: body, judge: func(a gateway.Answer) gateway.Verdict {
			return c.judge(ctx, a, "the address is set", "address")
		}},
	)
	switch last := report.Last; {
	case err != nil:
		return &Failure{Code: wire.CodeInternal, Message: "the request could not be made"}
	case last.Effect != gateway.Done:
		return &Failure{
			Code:       last.Code,
			Message:    last.Message,
			HTTPStatus: report.HTTPStatus,
			Refused:    last.Effect == gateway.Refused,
		}
	}
	return nil
}
