package wire

import (
	"encoding/json"
	"errors"
)

// complaintsPath is where WeChat Pay keeps complaints: https://pay.weixin.qq.com/doc/v3/merchant/4012467255.
const complaintsPath = "/v3/merchant-service/complaints-v2/"

// The codes and states of WeChat Pay that decide something here; every other code is only passed on.
const (
	WechatPayInvalidRequest = "INVALID_REQUEST" // the complaint's state does not allow it, perhaps because it is done
	WechatPaySignError      = "SIGN_ERROR"
	StateProcessed          = "PROCESSED" // 已处理完成
)

// CompletePath is the path of 反馈处理完成 for a complaint. A valid complaint id needs no escaping.
func CompletePath(complaintID string) string { return CompleteURL("", complaintID) }

// CompleteURL is [CompletePath] below a base URL.
func CompleteURL(base, complaintID string) string {
	return base + complaintsPath + complaintID + "/complete"
}

// ComplaintPath is the path of 查询投诉单详情 for a complaint:
// https://pay.weixin.qq.com/doc/v3/merchant/4012533436.
func ComplaintPath(complaintID string) string { return complaintsPath + complaintID }

// CompleteBody is the body of a completion: the one member complainted_mchid (被诉商户号).
func CompleteBody(complaintedMchid string) []byte {
	if madeOf(complaintedMchid, idCharacter) { // which every valid one is, and then nothing needs to be escaped
		return []byte(`{"complainted_mchid":"` + complaintedMchid + `"}`)
	}
	body, err := json.Marshal(struct {
		ComplaintedMchid string `json:"complainted_mchid"`
	}{complaintedMchid})
	if err != nil { // a struct of one string always marshals
		panic(err)
	}
	return body
}

// maxWechatPayCode bounds a code of WeChat Pay's.
const maxWechatPayCode = 64

func wechatPayCodeCharacter(c byte) bool { return isDigit(c) || c >= 'A' && c <= 'Z' || c == '_' }

// ReadWechatPayError reads the code and message of an error answer. The code is "" when the answer is not one. The
// answer's detail is left aside: with SIGN_ERROR it quotes the string that was signed.
func ReadWechatPayError(body []byte) (code, message string) {
	values, err := readMembers(body)
	if err != nil {
		return "", ""
	}
	code = values.text("code")
	if code == "" || len(code) > maxWechatPayCode || !madeOf(code, wechatPayCodeCharacter) {
		return "", ""
	}
	return code, values.text("message")
}

// ReadComplaintState reads complaint_state from the answer to 查询投诉单详情, and makes sure that the answer is about
// this complaint: a signature says who wrote an answer, not which question it answers.
func ReadComplaintState(body []byte, complaintID string) (string, error) {
	values, err := readMembers(body)
	if err != nil {
		return "", err
	}
	if id := values.text("complaint_id"); id != "" && id != complaintID {
		return "", errors.New("is about another complaint")
	}
	state := values.text("complaint_state")
	if state == "" {
		return "", errors.New("has no complaint_state")
	}
	return state, nil
}

// maxRequestID bounds WeChat Pay's Request-ID.
const maxRequestID = 128

func requestIDCharacter(c byte) bool { return idCharacter(c) || c == '.' || c == ':' || c == '/' }

// RequestID takes the value of WeChat Pay's Request-ID header, its own name for a call, and gives "" for one that is
// not fit to be shown.
func RequestID(value string) string {
	if len(value) > maxRequestID || !madeOf(value, requestIDCharacter) {
		return ""
	}
	return value
}
