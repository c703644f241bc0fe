package merchant

import (
	"encoding/json"

	"github.com/kesu-go/kesu/pkg/redact"
)

// hiddenOf is what must never be shown of a secret, of both halves: the gateway of one must not show the key of the
// other. What is malformed there is no error here.
func hiddenOf(secret string) redact.Secrets {
	var texts []string
	for half, names := range map[string][]string{"imageco": {"key"}, "wechatpay": {"private_key", "apiv3_key"}} {
		members, err := parseHalf(secret, half, names...)
		if err != nil {
			continue
		}
		for _, raw := range members.members {
			var text string
			if json.Unmarshal(raw, &text) == nil {
				texts = append(texts, text)
			}
		}
	}
	return redact.Of(texts...)
}
