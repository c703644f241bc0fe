package sandbox

import (
	"encoding/json"
	"net/http"

	"github.com/kesu-go/kesu/pkg/wire"
)

// echoPath is WeChat Pay's self-test of signing and verifying, which does nothing:
// https://pay.weixin.qq.com/doc/v3/partner/4015139289.
const echoPath = "/v3/security/echo"

// echo answers a self-test: everything that is asked of a request is asked of this one too, and the answer repeats
// echo_message. The test of encryption (encrypted_echo_message) and the one of callbacks (notify_url) are refused: the sandbox
// has neither.
func (g *WechatPay) echo(r *http.Request, body []byte, f *Fault, c *Call) answer {
	account, no := g.authenticate(r, body)
	c.Merchant = account.Merchant
	if no.status == 0 && r.Method != http.MethodPost {
		no = refusal{http.StatusMethodNotAllowed, "PARAM_ERROR", "不支持的请求方法"}
	}
	if no.status == 0 {
		no = g.checkHeaders(r, true)
	}
	message := ""
	if no.status == 0 {
		message, no = readEcho(body)
	}
	if no.status != 0 {
		c.Code, c.Problem = no.code, no.message
		return g.sign(r, errorBody(no), no.status, f)
	}
	c.Code = "OK"
	text, err := json.Marshal(map[string]string{"echo_message": message})
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be encoded")
	}
	return g.sign(r, text, http.StatusOK, f)
}

func readEcho(body []byte) (string, refusal) {
	bad := func(what string) (string, refusal) {
		return "", refusal{http.StatusBadRequest, "PARAM_ERROR", what}
	}
	members, err := wire.Object(body)
	if err != nil || len(members) != 1 || members[0].Name != "echo_message" {
		return bad("请求体应只有echo_message")
	}
	var message string
	if json.Unmarshal(members[0].Value, &message) != nil || message == "" {
		return bad("echo_message不能为空")
	}
	return message, refusal{}
}
