package sandbox

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
)

// certificates lists the platform certificates: https://pay.weixin.qq.com/wiki/doc/apiv3/wechatpay/wechatpay5_1.shtml. Each is
// encrypted with the merchant's APIv3 key. wechatpay-java asks with algorithm_type=RSA.
//
// A merchant that was never given any is told so in the words of the real gateway
// (https://developers.weixin.qq.com/community/pay/doc/0002cab826c38812e0e38998961800).
func (g *WechatPay) certificates(q *request) (success, refusal) {
	values, no := readQuery(q, "algorithm_type")
	switch kind := values.Get("algorithm_type"); {
	case no.status != 0:
		return success{}, no
	case kind != "" && kind != "RSA" && kind != "ALL":
		return success{}, paramError("query", "algorithm_type", "沙箱仅支持RSA")
	case q.account.APIv3Key == "":
		return success{}, refusal{status: http.StatusUnauthorized, code: "SIGN_ERROR", message: "商户未设置APIv3密钥。",
			unsigned: true}
	case !q.account.PlatformCertificates:
		return success{}, refusal{status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS",
			message: "无可用的平台证书,请在商户平台-API安全申请使用微信支付公钥。可查看指引" +
				"https://pay.weixin.qq.com/docs/merchant/products/platform-certificate/wxp-pub-key-guide.html"}
	}
	g.mu.Lock()
	keys := g.keys
	g.mu.Unlock()
	data := []any{}
	for _, k := range keys {
		block, _ := pem.Decode([]byte(k.PEM))
		if block == nil {
			continue
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return success{}, broken
		}
		encrypted, err := seal(q.account.APIv3Key, "certificate", []byte(k.PEM))
		if err != nil {
			return success{}, broken
		}
		// The page shows these times with whole seconds, and wechatpay-java reads no others.
		data = append(data, map[string]any{"serial_no": k.ID, "effective_time": Oddities{}.time(parsed.NotBefore),
			"expire_time": Oddities{}.time(parsed.NotAfter), "encrypt_certificate": encrypted})
	}
	return answerJSON(map[string]any{"data": data})
}
