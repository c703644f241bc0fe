package watch

import (
	"bytes"
	"encoding/json"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	lambdamessages "github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kesu-go/kesu/pkg/signing"
)

// reasons are all that a line about a stranger's call may say.
var reasons = []reason{noSuchPath, tooLarge, notSigned, oldTimestamp, noSuchMerchant, unknownKey, badSignature, cannotDecrypt, anotherShape}

// FuzzNotification gives the function events that nobody trusts: each is answered with a 4xx or is no event at all, and what
// the log says of it are words of ours.
func FuzzNotification(f *testing.F) {
	var out bytes.Buffer
	handler, key := doorOf(f, &out, noBus{f})
	body := `{"id":"1","event_type":"` + mark + `"}`
	signature, err := signing.SignAnswer(key, time.Now(), "nonce", []byte(body))
	if err != nil {
		f.Fatal(err)
	}
	signed := http.Header{"Wechatpay-Timestamp": {strconv.FormatInt(time.Now().Unix(), 10)}, "Wechatpay-Nonce": {"nonce"},
		"Wechatpay-Serial": {"PUB_KEY_ID_1"}, "Wechatpay-Signature": {signature}}
	r := mathrand.New(mathrand.NewPCG(14, 10))
	for range 50 {
		f.Add(stranger(r, signed, body))
	}
	f.Add([]byte(`{"version":"2.0","rawPath":"/merchants/acme/notifications","requestContext":{"http":{"method":"POST"}},"headers":{},"body":"","isBase64Encoded":true}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if bytes.Contains(payload, []byte(sweepOf)) || bytes.Contains(payload, []byte(scheduled)) {
			t.Skip("it is the schedule's, which no stranger can send")
		}
		out.Reset()
		answer, err := handler.Invoke(t.Context(), payload)
		var unread lambdamessages.InvokeResponse_Error
		var got events.APIGatewayProxyResponse
		switch {
		case errors.As(err, &unread) && unread.Type == "UNREADABLE_EVENT":
		case err != nil:
			t.Fatalf("%v", err)
		case bytes.Contains(answer, []byte("batchItemFailures")): // records with other texts than a sweep's
			return
		case json.Unmarshal(answer, &got) != nil || got.StatusCode < 400 || got.StatusCode > 499 || got.Body != refusedBody:
			t.Fatalf("answered %s", answer)
		}
		for line := range strings.Lines(out.String()) {
			var l struct{ Msg, Reason string }
			if json.Unmarshal([]byte(line), &l) != nil || l.Msg != "notifications refused" || !slices.Contains(reasons, reason(l.Reason)) || len(line) > 400 {
				t.Errorf("the log: %s", line)
			}
		}
	})
}
