package bench

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
)

// completeOnce is a completion as the shortest program would make it: no attempts, no ledger, no log.
func completeOnce(client *http.Client, m *merchant.WechatPay, base string) error {
	path := messages.CompletePath(sampleComplaint)
	body := messages.CompleteBody(m.Requester.Mchid)
	nonce, err := signing.NewNonce(rand.Reader)
	if err != nil {
		return err
	}
	authorization, err := m.Requester.Authorization(http.MethodPost, path, body, time.Now(), nonce)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = http.Header{"Authorization": {authorization}, "Accept": {"application/json"}, "Content-Type": {"application/json"},
		"User-Agent": {"bench"}, "Wechatpay-Serial": {m.FirstKeyID}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return m.Platform.Verify(response.Header, answer, time.Now())
}

// batchOf is an SQS batch of completion events.
func batchOf(batch, records int) []byte {
	type record struct {
		MessageID   string `json:"messageId"`
		EventSource string `json:"eventSource"`
		Body        string `json:"body"`
	}
	all := make([]record, records)
	for i := range all {
		all[i] = record{fmt.Sprintf("message-%d-%d", batch, i), "aws:sqs", fmt.Sprintf(
			`{"version":"0","id":"00000000-0000-4000-%04d-%012d","detail-type":"ComplaintCompletionRequested","source":"bench","detail":%s}`,
			i, batch, event(Complete, i))}
	}
	text, err := json.Marshal(map[string]any{"Records": all})
	must(err)
	return text
}
