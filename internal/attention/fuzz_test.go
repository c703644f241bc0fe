package attention

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// FuzzItem gives kesu attention messages that are none of Kesu's.
func FuzzItem(f *testing.F) {
	for _, seed := range []string{`{"detail-type":"ComplaintReplySettled","detail":{"outcome":1}}`,
		`{"detail-type":"ComplaintReplyRequested"}`, `{"requestPayload":null,"responsePayload":"x"}`,
		`{"requestPayload":{"detail-type":"ComplaintCompletionRequested","detail":"x"}}`, `[]`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		i := readItem(Queue{Name: "q"}, types.Message{Body: &body})
		if i.Reason == "" || i.Advice() == "" {
			t.Errorf("nothing is said about it: %+v", i)
		}
	})
}
