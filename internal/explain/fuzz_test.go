package explain_test

import (
	"context"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/explain"
)

// FuzzRun gives the engine messages that were not written for it.
func FuzzRun(f *testing.F) {
	for _, seed := range []string{`{"a":"b","c":{"d":1},"sign":"2EB4051F33C84719D59E0F5EADACF5D2"}`, `{"a":`, "xml=%3Ca%3E&mac=0", "<?xml?>\xc4\xe3",
		"POST /v3/a?b=%zz HTTP/1.1\r\nAuthorization: WECHATPAY2-SHA256-RSA2048 timestamp=\"1\",nonce_str=\"a\"\r\n\r\n{}",
		"HTTP/1.1 200 OK\nWechatpay-Timestamp: 9999999999999\nWechatpay-Nonce: b\nWechatpay-Signature: ====\n\n",
		"> POST /v3/a HTTP/2\n> authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"1\"\n>\n< HTTP/2 200\n< wechatpay-nonce: a\n<\n{}",
		"curl 'https://a/v3/b?c' -H $'Authorization: \\u4e2d' --data-raw '{\"a\":1}'"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if r, err := explain.Run(ctx, explain.Options{Message: message, Key: []byte("3f9Aq27cKp0LzzTw"), Now: time.Unix(1, 0)}); err == nil && r.Scheme == "" {
			t.Error("nothing is said about it")
		}
	})
}
