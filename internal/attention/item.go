package attention

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kesu-go/kesu/internal/send"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/wire"
)

// The kinds of messages.
const (
	kindResult     = "result"     // a settled event: rejected or unknown
	kindRequest    = "request"    // an event that was never carried out
	kindUnreadable = "unreadable" // neither
)

// Item is one message that waits for a person.
type Item struct {
	ID          string    `json:"id"`
	Queue       string    `json:"queue"`
	Kind        string    `json:"kind"`
	Action      string    `json:"action,omitempty"`
	Merchant    string    `json:"merchant,omitempty"`
	ComplaintID string    `json:"complaint_id,omitempty"`
	Outcome     string    `json:"outcome,omitempty"`
	Code        string    `json:"code,omitempty"`
	Reason      string    `json:"reason"`
	Since       time.Time `json:"since"`
	AgeSeconds  int       `json:"age_seconds"`
	Deliveries  int       `json:"deliveries"`

	Look *wire.Evidence `json:"look,omitempty"` // what the complaint's history shows now; nil when nobody looked

	Body       []byte            `json:"-"` // as it stands in the queue
	Attributes map[string]string `json:"-"` // what EventBridge says about a message that it could not deliver

	url, receipt string
	event        []byte          // the event in it
	result       *wire.Result    // nil for other kinds
	request      json.RawMessage // that the result is about, as it was sent; nil when the event does not tell it
	words        *wire.Command   // as they were sent, when somebody gave them
	gone         bool            // from its queue
}

func (i *Item) Age() time.Duration { return time.Duration(i.AgeSeconds) * time.Second }

// envelope is the part of an event, or of what Lambda says about one that it gave up, that is read here.
type envelope struct {
	DetailType string          `json:"detail-type"`
	Detail     json.RawMessage `json:"detail"`

	RequestPayload  json.RawMessage `json:"requestPayload"`
	ResponsePayload struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	} `json:"responsePayload"`
	RequestContext struct {
		Condition string `json:"condition"`
	} `json:"requestContext"`
}

// readItem reads a message. One that cannot be read is shown too: nothing is left lying.
func readItem(q Queue, m types.Message) *Item {
	i := &Item{ID: aws.ToString(m.MessageId), Queue: q.Name, Kind: kindUnreadable,
		Reason: "the message is not an event that can be read", url: q.URL, receipt: aws.ToString(m.ReceiptHandle),
		Body: []byte(aws.ToString(m.Body)), Attributes: map[string]string{}}
	if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
		i.Since = time.UnixMilli(ms).UTC()
		i.AgeSeconds = max(0, int(time.Since(i.Since).Seconds()))
	}
	i.Deliveries, _ = strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	for name, value := range m.MessageAttributes {
		i.Attributes[name] = aws.ToString(value.StringValue)
	}
	i.event = i.Body
	var foreign redact.Secrets
	var e envelope
	if json.Unmarshal(i.Body, &e) != nil {
		return i
	}
	why := "it was delivered until the queue gave it up; the function's log says why each time"
	if code := i.Attributes["ERROR_CODE"]; code != "" {
		said := foreign.Text(i.Attributes["ERROR_MESSAGE"])
		why = "EventBridge could not deliver it: " + foreign.Code(code) + " " + said
	}
	if e.RequestPayload != nil {
		i.event, i.Code = e.RequestPayload, foreign.Code(e.ResponsePayload.ErrorType)
		why = fmt.Sprintf("the function failed on it (%s): %s %s", foreign.Code(e.RequestContext.Condition), i.Code,
			foreign.Text(e.ResponsePayload.ErrorMessage))
		e = envelope{}
		if json.Unmarshal(i.event, &e) != nil {
			return i
		}
	}
	i.readEvent(e, why)
	return i
}

func (i *Item) readEvent(e envelope, why string) {
	for _, action := range []wire.Action{wire.Reply, wire.Complete} {
		switch e.DetailType {
		case action.DetailType():
			var detail struct {
				Merchant    string `json:"merchant"`
				ComplaintID string `json:"complaint_id"`
			}
			_ = json.Unmarshal(e.Detail, &detail) // a wrong detail is refused by the function, in words
			i.Kind, i.Action, i.Reason = kindRequest, string(action), why
			i.Merchant, i.ComplaintID = detail.Merchant, detail.ComplaintID
		case action.SettledType():
			var detail struct {
				wire.Result
				Request json.RawMessage `json:"request"`
			}
			if json.Unmarshal(e.Detail, &detail) != nil {
				return
			}
			result := send.Shown(detail.Result)
			i.result, i.request = &result, detail.Request
			i.Kind, i.Action = kindResult, string(action)
			i.Merchant, i.ComplaintID = result.Merchant, result.ComplaintID
			i.Outcome, i.Code = string(result.Outcome), result.Code
			i.Reason = fmt.Sprintf("%s: %s %s", result.Outcome, result.Code, result.Message)
		}
	}
}

// unknownReply tells a reply of which nobody knows whether the consumer saw it.
func (i *Item) UnknownReply() bool {
	return i.Kind == kindResult && i.Action == string(wire.Reply) && i.Outcome == string(wire.Unknown)
}

// advice says what a person can do about it.
func (i *Item) Advice() string {
	switch {
	case i.UnknownReply():
		return "look at the complaint on the merchant platform; then answer --drop if the reply is there, " +
			"or answer --resend if it is not"
	case i.Kind == kindResult:
		return "put right what the reason names (kesu doctor helps with a set-up), send it again with kesu send, " +
			"and answer --drop this one"
	case i.Kind == kindRequest:
		return "put right what the reason names, then redrive; or answer --drop if nobody needs it any more"
	}
	return "it is not a message of Kesu's; answer --drop takes it out"
}
