package attention

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/pkg/wire"
)

// unknownReply is an unknown reply in the attention queue, with the request that it is about.
func unknownReply(t *testing.T, request string) *Item {
	t.Helper()
	command := wire.ReadDetail(wire.Reply, []byte(request)).Command
	body := `{"detail-type":"ComplaintReplySettled","detail":{"merchant":"acme","complaint_id":"2001","outcome":"unknown",` +
		`"code":"UPSTREAM_TIMEOUT","transaction_id":"` + command.UpstreamTransactionID() + `","request":` + request + `}}`
	id := "8c1f77aa-0000"
	i := readItem(Queue{Name: "attention", URL: "https://queue"}, types.Message{Body: &body, MessageId: &id})
	if !i.UnknownReply() {
		t.Fatalf("%+v", i)
	}
	return i
}

const request = `{"merchant":"acme","complaint_id":"2001","response_content":"已处理","transaction_id":"resp2026112100001"}`

// Nothing is sent before somebody said yes: what prepares it has no client to send with.
func TestAResendIsPreparedAndAskedAbout(t *testing.T) {
	a := &Attention{outputs: map[string]string{"ReplyQueueUrl": "https://replies"}}
	r, err := a.Resend(unknownReply(t, request), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"complaint 2001 of acme", "it will be seen twice", "cannot be compared"} {
		if !strings.Contains(r.Question, part) {
			t.Errorf("it does not ask about %q: %s", part, r.Question)
		}
	}
	if r.to != "https://replies" || !r.order.Command.ResendUnknown {
		t.Errorf("%+v", r)
	}
}

func TestAResendOfAnotherReplyIsNotPrepared(t *testing.T) {
	a := &Attention{outputs: map[string]string{"ReplyQueueUrl": "https://replies"}}
	for says, text := range map[string]string{
		"the file is about another complaint": strings.Replace(request, "2001", "2002", 1),
		"the file is not the request":         strings.Replace(request, "100001", "100002", 1),
		"the file is not JSON":                "{",
	} {
		if _, err := a.Resend(unknownReply(t, request), []byte(text), ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if _, err := (&Attention{}).Resend(unknownReply(t, request), nil, ""); err == nil {
		t.Error("nobody says where to")
	}
}

func TestADropNeedsANoteAndABus(t *testing.T) {
	i := unknownReply(t, request)
	for _, test := range []struct{ note, bus string }{{"called", ""}, {" ", "kesu"}} {
		var ended *operate.Error
		if _, err := (&Attention{}).Drop(i, test.note, "me", test.bus); !errors.As(err, &ended) || ended.Kind != operate.Usage {
			t.Errorf("%+v: %v", test, err)
		}
	}
	d, err := (&Attention{}).Drop(i, "called", "me", "kesu")
	if err != nil || !strings.Contains(d.Question, "(called)") {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestAMessageIsPickedByTheBeginningOfItsID(t *testing.T) {
	a := &Attention{Items: []*Item{{ID: "8c1f77aa-1"}, {ID: "8c1f77aa-2"}, {ID: "77aa0000-3"}}}
	if i, err := a.Pick("77aa"); err != nil || i.ID != "77aa0000-3" {
		t.Errorf("%+v, %v", i, err)
	}
	for _, id := range []string{"8c1f", "77a", "ffff", ""} {
		if i, err := a.Pick(id); err == nil {
			t.Errorf("%q is %s", id, i.ID)
		}
	}
	if a.Short("8c1f77aa-1") != "8c1f77aa-1" || a.Short("77aa0000-3") != "77aa0000" {
		t.Errorf("%s %s", a.Short("8c1f77aa-1"), a.Short("77aa0000-3"))
	}
}
