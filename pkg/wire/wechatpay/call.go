package wechatpay

import (
	"errors"
	"strings"

	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// complaintsPath is where WeChat Pay keeps complaints: https://pay.weixin.qq.com/doc/v3/merchant/4012467255.
const complaintsPath = "/v3/merchant-service/complaints-v2/"

// The codes of WeChat Pay that decide something here; every other code is only passed on.
const (
	InvalidRequest = "INVALID_REQUEST" // the complaint's state does not allow it, perhaps because it is done
	SignError      = "SIGN_ERROR"
)

// AsksToTryLater reports whether WeChat Pay's words on a refusal say that the same request may be taken later: its
// complaint calls refuse with INVALID_REQUEST and "提交商户回复失败，请稍后重试" while something behind them does not answer.
// That these words mean what they say is not proved.
func AsksToTryLater(message string) bool {
	return strings.Contains(message, "稍后再试") || strings.Contains(message, "稍后重试")
}

// CompletePath is the path of 反馈处理完成 for a complaint. A valid complaint id needs no escaping.
func CompletePath(complaintID string) string { return CompleteURL("", complaintID) }

// CompleteURL is [CompletePath] below a base URL.
func CompleteURL(base, complaintID string) string {
	return base + complaintsPath + complaintID + "/complete"
}

// ComplaintPath is the path of 查询投诉单详情 for a complaint:
// https://pay.weixin.qq.com/doc/v3/merchant/4012533436.
func ComplaintPath(complaintID string) string { return complaintsPath + complaintID }

// ResponsePath is the path of 回复用户 for a complaint: https://pay.weixin.qq.com/doc/v3/merchant/4012467254.
func ResponsePath(complaintID string) string { return complaintsPath + complaintID + "/response" }

// ImmediatePath is the path of 回复需要即时服务的投诉单 for a complaint:
// https://pay.weixin.qq.com/doc/v3/merchant/4017151596.
func ImmediatePath(complaintID string) string {
	return complaintsPath + complaintID + "/response-immediate-service"
}

// UploadPath is the path of 商户上传反馈图片: https://pay.weixin.qq.com/doc/v3/partner/4012467222.
const UploadPath = "/v3/merchant-service/images/upload"

// CompleteBody is the body of a completion: the one member complainted_mchid (被诉商户号).
func CompleteBody(complaintedMchid string) []byte {
	return compact(struct {
		ComplaintedMchid string `json:"complainted_mchid"`
	}{complaintedMchid})
}

// ReadError reads the code and message of an error answer. The code is "" when the answer is not one. The
// answer's detail is left aside: with SIGN_ERROR it quotes the string that was signed.
func ReadError(body []byte) (code, message string) {
	values, err := texts(body)
	if err != nil {
		return "", ""
	}
	code = values["code"]
	if !wire.IsCode(code) {
		return "", ""
	}
	return code, values["message"]
}

// ReadState reads complaint_state from the answer to 查询投诉单详情, and makes sure that the answer is about
// this complaint: a signature says who wrote an answer, not which question it answers.
func ReadState(body []byte, complaintID string) (string, error) {
	values, err := texts(body)
	if err != nil {
		return "", err
	}
	switch id := values["complaint_id"]; id {
	case complaintID:
	case "":
		return "", errors.New("does not say which complaint it is about")
	default:
		return "", errors.New("is about another complaint")
	}
	state := values["complaint_state"]
	if state == "" {
		return "", errors.New("has no complaint_state")
	}
	return state, nil
}

// texts are the members of an answer that are strings.
func texts(body []byte) (map[string]string, error) {
	members, err := strictjson.Object(body)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(members))
	for _, m := range members {
		if m.Value[0] != '"' {
			continue
		}
		text, ok := m.Text()
		if !ok {
			return nil, errors.New("has a string that cannot be read")
		}
		values[m.Name] = text
	}
	return values, nil
}
