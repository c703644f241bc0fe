package main

import (
	"context"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// FuzzSign gives kesu sign messages that were not written for it.
func FuzzSign(f *testing.F) {
	for _, seed := range []string{`{"a":"b","c":{"d":1},"sign":"2EB4051F33C84719D59E0F5EADACF5D2"}`, `{"a":`, "xml=%3Ca%3E&mac=0", "<?xml?>\xc4\xe3",
		"POST /v3/a?b=%zz HTTP/1.1\r\nAuthorization: WECHATPAY2-SHA256-RSA2048 timestamp=\"1\",nonce_str=\"a\"\r\n\r\n{}",
		"HTTP/1.1 200 OK\nWechatpay-Timestamp: 9999999999999\nWechatpay-Nonce: b\nWechatpay-Signature: ====\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		command := signCommand{For: "auto"}
		explain := command.explainWechatPay
		if command.imageco(message) {
			explain = command.explainImageco
		}
		if e, err := explain(context.Background(), message); err == nil {
			e.print(terminal{out: io.Discard})
		}
	})
}

// FuzzItem gives kesu attention messages that are none of Kesu's.
func FuzzItem(f *testing.F) {
	for _, seed := range []string{`{"detail-type":"ComplaintReplySettled","detail":{"outcome":1}}`, `{"detail-type":"ComplaintReplyRequested"}`,
		`{"requestPayload":null,"responsePayload":"x"}`, `{"requestPayload":{"detail-type":"ComplaintCompletionRequested","detail":"x"}}`, `[]`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		i := readItem(queue{Name: "q"}, types.Message{Body: &body})
		if i.Reason == "" || i.advice() == "" {
			t.Errorf("nothing is said about it: %+v", i)
		}
	})
}
