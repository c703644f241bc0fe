package lambdaio

import (
	"bytes"
	"cmp"
	"encoding/json"

	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// arrival is one event as it came: what it asks for, or why that cannot be read.
type arrival struct {
	request wire.Request
	// given is the members of the command as they were given.
	given json.RawMessage
	// why nobody can be told what became of the event; "" when it names its merchant and its complaint.
	why string
	// queued says that it came in a queue's record, which can come again at a time of its own.
	queued bool
}

// layersMax bounds what may be wrapped around the event or command in a record.
const layersMax = 3

// readEvent reads an EventBridge event. messageID names the record that it came in, if it came in one.
func readEvent(action wire.Action, members []strictjson.Member, messageID string) arrival {
	detail := find(members, "detail")
	if text, ok := textIn(members, "detail"); ok { // which whoever writes an entry of PutEvents by hand encodes twice
		detail = json.RawMessage(text)
	}
	id, _ := textIn(members, "id")
	a := readCommand(action, detail, origin(id, messageID))
	detailType, _ := textIn(members, "detail-type")
	switch {
	case a.why != "":
	case twice(members, "id", "detail-type", "detail") != "":
		a.refuse(wire.Pointer(twice(members, "id", "detail-type", "detail")), "stands twice")
	case detailType != action.DetailType():
		a.refuse("/detail-type", "must be "+action.DetailType()+" for this function")
	}
	return a
}

// twice is the first of the names that stands twice, and "" when none does.
func twice(members []strictjson.Member, names ...string) string {
	for _, name := range names {
		n := 0
		for _, m := range members {
			if m.Name == name {
				n++
			}
		}
		if n > 1 {
			return name
		}
	}
	return ""
}

// origin is how an event came. An id that is not fit to be shown is left out.
func origin(eventID, messageID string) wire.Origin {
	o := wire.Origin{Event: true}
	if wire.ValidKey(eventID) {
		o.EventID = eventID
	}
	if wire.ValidKey(messageID) {
		o.MessageID = messageID
	}
	return o
}

// readCommand reads the members of a command that came as an event.
func readCommand(action wire.Action, detail json.RawMessage, from wire.Origin) arrival {
	a := arrival{given: detail}
	names := wire.ReadNames(detail)
	if names.Merchant == "" || names.ComplaintID == "" {
		a.request.Command.Action, a.why = action, "the event names no merchant or no complaint"
	} else {
		a.request = wire.ReadDetail(action, detail)
	}
	command := &a.request.Command
	// What is delivered at least once comes with the same id each time. Filed under it, a completion that comes again
	// finds its result instead of going to the gateway again; and a resend that comes again is not one more resend.
	command.Origin, command.Delivery = from, cmp.Or(from.EventID, from.MessageID)
	if action.NeedsKey() && command.IdempotencyKey == "" {
		command.IdempotencyKey = command.Delivery
	}
	return a
}

// refuse replaces what was found wrong with the command: it was not meant for this function.
func (a *arrival) refuse(pointer, detail string) {
	command := a.request.Command
	a.request = wire.Request{
		Command:  wire.Command{Action: command.Action, Origin: command.Origin},
		Names:    a.request.Names,
		Problems: []wire.Problem{{Pointer: pointer, Detail: detail}},
	}
}

// unreadable is an event that names nobody. Its own id is told if it has one.
func unreadable(action wire.Action, members []strictjson.Member, messageID, why string) arrival {
	id, _ := textIn(members, "id")
	return arrival{
		request: wire.Request{Command: wire.Command{Action: action, Origin: origin(id, messageID)}},
		why:     why,
	}
}

// readElement reads an element of an array.
func readElement(action wire.Action, raw json.RawMessage) arrival { return readObject(action, raw, "") }

// readObject reads an event or a bare command.
func readObject(action wire.Action, raw json.RawMessage, messageID string) arrival {
	members, ok := strictjson.Members(raw)
	switch {
	case !ok:
		return unreadable(action, nil, messageID, "it is no JSON object")
	case isEvent(members):
		return readEvent(action, members, messageID)
	case isCommand(members):
		return readCommand(action, raw, origin("", messageID))
	}
	return unreadable(action, members, messageID, "it is neither an event nor a command")
}

// readNotification reads a record of SNS: what was published is the text of its Message.
func readNotification(action wire.Action, record json.RawMessage) arrival {
	members, _ := strictjson.Members(record)
	sns, _ := strictjson.Members(find(members, "Sns"))
	id, _ := textIn(sns, "MessageId")
	text, ok := textIn(sns, "Message")
	if !ok {
		return unreadable(action, nil, id, "the record has no message")
	}
	return readText(action, text, id)
}

// readText reads what somebody put into a queue or a topic: an event or a command, perhaps wrapped.
func readText(action wire.Action, text, messageID string) arrival {
	raw := json.RawMessage(text)
	for range layersMax {
		inner, wrapped := unwrap(raw)
		if !wrapped {
			break
		}
		raw = inner
	}
	if _, wrapped := unwrap(raw); wrapped {
		return unreadable(action, nil, messageID, "the event is wrapped too often")
	}
	return readObject(action, raw, messageID)
}

// unwrap takes one layer off: JSON that was encoded a second time, what SNS puts around a message for a queue
// (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html), or what Lambda puts around an event
// that a function failed on (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html).
func unwrap(raw json.RawMessage) (inner json.RawMessage, wrapped bool) {
	var text string
	if start := bytes.TrimLeft(raw, jsonSpace); len(start) > 0 && start[0] == '"' &&
		json.Unmarshal(start, &text) == nil {
		return json.RawMessage(text), true
	}
	members, ok := strictjson.Members(raw)
	if !ok {
		return nil, false
	}
	if payload := find(members, "requestPayload"); payload != nil {
		return payload, true
	}
	message, isText := textIn(members, "Message")
	if kind, _ := textIn(members, "Type"); kind == "Notification" && isText {
		return json.RawMessage(message), true
	}
	return nil, false
}
