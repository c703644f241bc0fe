package sandbox

// echo answers a self-test of signing and encrypting, which does nothing:
// https://pay.weixin.qq.com/doc/v3/merchant/4014551946. What is encrypted comes under the key that Wechatpay-Serial names,
// and goes back under the merchant's certificate. The page says that a call to notify_url follows; the sandbox calls nobody.
func (g *WechatPay) echo(q *request) (success, refusal) {
	o, no := readObject("", q.body,
		member{name: "echo_message", required: true, limit: 1024}, // the page has no limit
		member{name: "encrypted_echo_message", limit: 1024},
		member{name: "notify_url", limit: 256})
	switch {
	case no.status != 0:
		return success{}, no
	case o.has("notify_url") && !isHTTPS(o.str("notify_url")):
		return success{}, bodyError("/notify_url", "仅支持HTTPS")
	}
	members := map[string]string{"echo_message": o.str("echo_message")}
	if o.has("encrypted_echo_message") {
		serial := q.Header.Get("Wechatpay-Serial")
		key, _ := g.key(serial)
		text, err := decryptWith(key.Key, o.str("encrypted_echo_message"))
		if err != nil || serial == "" { // the header is "必填" here
			return success{}, refusal{status: 400, code: "PARAM_ERROR", message: "请确认待处理的消息是否为加密后的密文"}
		}
		if members["encrypted_echo_message"], err = encryptFor(q.key, text); err != nil {
			return success{}, broken
		}
	}
	return answerJSON(members)
}
