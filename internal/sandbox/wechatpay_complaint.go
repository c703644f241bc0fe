package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// PayerPhone is the phone number in every complaint that the sandbox tells of. It must never get into an answer or a log.
const PayerPhone = "13800138000"

// complete settles the complaint, or says why not.
func (g *WechatPay) complete(account WechatPayAccount, id string, body []byte, c *Call) refusal {
	mchid, ok := complaintedMchid(body)
	switch {
	case !ok:
		return refusal{http.StatusBadRequest, "PARAM_ERROR", "参数错误"}
	case mchid != account.Mchid && !slices.Contains(account.SubMchids, mchid):
		return refusal{http.StatusForbidden, "NO_AUTH", "商户无权限"}
	}
	existed, done := g.state.complete(account.Merchant, id)
	switch {
	case !existed:
		return refusal{http.StatusNotFound, "RESOURCE_NOT_EXISTS", "投诉单不存在"}
	case !done:
		return refusal{http.StatusBadRequest, "INVALID_REQUEST", "投诉单已完结,请勿重复提交"}
	}
	c.Acted = true
	return refusal{}
}

// complaintedMchid reads a body that is exactly {"complainted_mchid":"…"}.
func complaintedMchid(body []byte) (string, bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	var tokens []json.Token
	for {
		t, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil || len(tokens) == 4 {
			return "", false
		}
		tokens = append(tokens, t)
	}
	if len(tokens) != 4 || tokens[0] != json.Delim('{') || tokens[1] != "complainted_mchid" || !utf8.Valid(body) {
		return "", false
	}
	mchid, ok := tokens[2].(string)
	return mchid, ok && mchid != "" && len(mchid) <= 64
}

// read tells of a complaint, with the members that a real answer has and a caller might leak.
func (g *WechatPay) read(account WechatPayAccount, id string, body []byte) ([]byte, refusal) {
	if len(body) > 0 {
		return nil, refusal{http.StatusBadRequest, "PARAM_ERROR", "参数错误"}
	}
	c, ok := g.state.read(account.Merchant, id)
	if !ok {
		return nil, refusal{http.StatusNotFound, "RESOURCE_NOT_EXISTS", "投诉单不存在"}
	}
	text, err := json.Marshal(map[string]any{
		"complaint_id": c.ID, "complaint_time": c.CreatedAt.Format(time.RFC3339), "complaint_detail": c.Words(),
		"complaint_state": c.State, "payer_phone": PayerPhone, "payer_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		"complainted_mchid": account.Mchid, "complaint_full_refunded": false, "incoming_user_response": false,
		"user_complaint_times": 1, "problem_description": "不满意商家服务", "problem_type": "OTHERS",
	})
	if err != nil {
		return nil, refusal{http.StatusInternalServerError, "SYSTEM_ERROR", "系统错误"}
	}
	return text, refusal{}
}

func errorBody(no refusal) []byte {
	text, err := json.Marshal(map[string]string{"code": no.code, "message": no.message})
	if err != nil {
		return nil
	}
	return text
}
