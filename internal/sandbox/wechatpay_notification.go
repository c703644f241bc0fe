package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
)

const notificationsPath = "/v3/merchant-service/complaint-notifications"

// The address for notifications: https://pay.weixin.qq.com/doc/v3/partner/4012458106 and its neighbours. The code of one
// that is not there is on https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_3.shtml; that of one that is there
// already is not proved.

func (g *WechatPay) createNotifications(q *request) (success, refusal) {
	if g.state.notificationURL(q.account.Mchid) != "" {
		return success{}, refusal{status: http.StatusBadRequest, code: "RESOURCE_ALREADY_EXISTS", message: "通知回调已存在"}
	}
	return g.setNotifications(q)
}

func (g *WechatPay) updateNotifications(q *request) (success, refusal) {
	if g.state.notificationURL(q.account.Mchid) == "" {
		return success{}, noNotifications
	}
	return g.setNotifications(q)
}

// setNotifications: "通知地址,仅支持HTTPS".
func (g *WechatPay) setNotifications(q *request) (success, refusal) {
	o, no := readObject("", q.body, member{name: "url", required: true, limit: 255})
	if no.status == 0 && !isHTTPS(o.str("url")) {
		no = bodyError("/url", "通知地址,仅支持HTTPS")
	}
	if no.status != 0 {
		return success{}, no
	}
	g.state.setNotificationURL(q.account.Mchid, o.str("url"))
	q.call.Acted = true
	return g.readNotifications(q)
}

func (g *WechatPay) readNotifications(q *request) (success, refusal) {
	url := g.state.notificationURL(q.account.Mchid)
	if url == "" {
		return success{}, noNotifications
	}
	return answerJSON(map[string]string{"mchid": q.account.Mchid, "url": url})
}

func (g *WechatPay) deleteNotifications(q *request) (success, refusal) {
	if g.state.notificationURL(q.account.Mchid) == "" {
		return success{}, noNotifications
	}
	g.state.setNotificationURL(q.account.Mchid, "")
	q.call.Acted = true
	return success{status: http.StatusNoContent}, refusal{}
}

var noNotifications = refusal{status: http.StatusBadRequest, code: "RESOURCE_NOT_EXISTS", message: "查询的通知回调不存在"}

// Notification is a call of WeChat Pay's to a merchant, ready to be sent.
type Notification struct {
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
}

// Notification makes the call that tells a merchant what happened to a complaint
// (https://pay.weixin.qq.com/doc/v3/partner/4012076174), encrypted with its APIv3 key and signed with one of WeChat Pay's keys:
// the one that serial names, or the platform certificate for "". The fault may spoil the signature.
//
// action is what happened, COMPLAINT.CREATE's CREATE_COMPLAINT for instance.
func (g *WechatPay) Notification(merchant, complaint, action, serial string, f Fault) (Notification, error) {
	account, ok := g.account(merchant)
	if !ok || account.APIv3Key == "" {
		return Notification{}, fmt.Errorf("the merchant %s has no APIv3 key", merchant)
	}
	body, err := g.notificationBody(account, newUUID(), complaint, action)
	if err != nil {
		return Notification{}, err
	}
	return g.signNotification(body, serial, f)
}

// notificationBody is what a notification says. It is the same each time it is sent: "通知id是一致的"
// (https://developers.weixin.qq.com/community/pay/doc/000a0606d345a064a4eb5c5455ec08).
func (g *WechatPay) notificationBody(account WechatPayAccount, id, complaint, action string) ([]byte, error) {
	event := "COMPLAINT.STATE_CHANGE"
	if action == "CREATE_COMPLAINT" {
		event = "COMPLAINT.CREATE"
	}
	told := jsonText(map[string]string{"complaint_id": complaint, "action_type": action})
	resource, err := seal(account.APIv3Key, "complaint", told)
	if err != nil {
		return nil, err
	}
	resource.OriginalType = "complaint"
	return json.Marshal(map[string]any{"id": id, "create_time": g.oddities().time(g.state.now()),
		"resource_type": "encrypt-resource", "event_type": event, "summary": "投诉通知", "resource": resource})
}

// signNotification signs a body as of now. That each repeat is signed anew is not on the pages; a receiver that holds to their
// five minutes could take no repeat otherwise.
func (g *WechatPay) signNotification(body []byte, serial string, f Fault) (Notification, error) {
	key, ok := g.key(serial)
	if !ok {
		return Notification{}, fmt.Errorf("WeChat Pay has no key %s", serial)
	}
	h := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Mozilla/4.0"}}
	if !f.Unsigned {
		if err := signText(h, key, g.state.now().Add(f.Skew), body, &f); err != nil {
			return Notification{}, err
		}
	}
	return Notification{h, string(body)}, nil
}
