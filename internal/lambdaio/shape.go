package lambdaio

import (
	"bytes"
	"encoding/json"

	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

type kind int

const (
	kindUnreadable kind = iota
	kindHTTP
	kindQueue // records of SQS
	kindTopic // records of SNS
	kindList  // an array of events and commands
	kindEvent
	kindBare
)

// shape is what an invocation is, and its parts.
type shape struct {
	kind     kind
	members  []strictjson.Member // of an object
	elements []json.RawMessage   // of a batch or an array
	why      string              // it is unreadable
}

// elementsMax bounds a batch and an array. It is the most that SQS and EventBridge Pipes hand over:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html,
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html.
const elementsMax = 10_000

// jsonSpace is the white space that JSON knows.
const jsonSpace = " \t\r\n"

// shapeOf tells the shapes apart by their content.
func shapeOf(payload []byte) shape {
	if text := bytes.TrimLeft(payload, jsonSpace); len(text) > 0 && text[0] == '[' {
		return shapeOfArray(text)
	}
	members, ok := strictjson.Members(payload)
	if !ok {
		return shape{why: "the payload is no JSON object or array"}
	}
	in := shape{members: members}
	has := func(name string) bool { return find(members, name) != nil }
	switch {
	case (has("requestContext") || has("httpMethod") || has("rawPath")) && !has("requestPayload"):
		in.kind = kindHTTP
	case isEvent(members):
		in.kind = kindEvent
	// A command or event that has a member of that name too is not an empty batch, which would be answered as done.
	case has("Records") && !isCommand(members):
		return shapeOfRecords(in)
	case isCommand(members):
		in.kind = kindBare
	default:
		in.why = "the payload is nothing that this function knows"
	}
	return in
}

// isEvent reports whether an object is an EventBridge event. A command may have a member that it should not have, such
// as detail, and still is one.
func isEvent(members []strictjson.Member) bool {
	return find(members, "detail-type") != nil || find(members, "detail") != nil && !isCommand(members)
}

// isCommand reports whether an object is a bare command, right or wrong.
func isCommand(members []strictjson.Member) bool {
	for _, m := range members {
		if wire.IsMember(m.Name) {
			return true
		}
	}
	return len(members) == 0
}

func shapeOfArray(text []byte) shape {
	in := shape{kind: kindList}
	switch {
	case json.Unmarshal(text, &in.elements) != nil:
		return shape{why: "the payload is no JSON array"}
	case len(in.elements) > elementsMax:
		return shape{why: "the array has more elements than any source hands over"}
	case len(in.elements) > 0 && allFrom(in.elements, sourceSQS):
		in.kind = kindQueue
	}
	return in
}

// The sources of records that are read.
const (
	sourceSQS = "aws:sqs"
	sourceSNS = "aws:sns"
)

// shapeOfRecords tells by their source whose records they are. A record that names no source is SQS's: that is a record
// which cannot be read and is told so by itself, unless all of them are.
func shapeOfRecords(in shape) shape {
	switch {
	case json.Unmarshal(find(in.members, "Records"), &in.elements) != nil: // null is an empty batch
		in.why = "Records is no array"
	case len(in.elements) > elementsMax:
		in.why = "the batch has more records than any source hands over"
	case len(in.elements) > 0 && allFrom(in.elements, sourceSNS):
		in.kind = kindTopic
	case len(in.elements) == 0 || anyFromQueue(in.elements):
		in.kind = kindQueue
	default:
		in.why = "the records are neither SQS's nor SNS's"
	}
	return in
}

func allFrom(records []json.RawMessage, source string) bool {
	for _, r := range records {
		if sourceOf(r) != source {
			return false
		}
	}
	return true
}

// anyFromQueue reports whether a record is of SQS: by its source, or by its message id where there is no source.
func anyFromQueue(records []json.RawMessage) bool {
	for _, raw := range records {
		members, _ := strictjson.Members(raw)
		if s := sourceIn(members); s == sourceSQS || s == "" && find(members, "messageId") != nil {
			return true
		}
	}
	return false
}

func sourceOf(record json.RawMessage) string {
	members, _ := strictjson.Members(record)
	return sourceIn(members)
}

// sourceIn is a record's source, which SNS spells with a capital letter.
func sourceIn(members []strictjson.Member) string {
	source, _ := textIn(members, "eventSource")
	if source == "" {
		source, _ = textIn(members, "EventSource")
	}
	return source
}

// find is the value of the first member of a name, and nil without one.
func find(members []strictjson.Member, name string) json.RawMessage {
	for _, m := range members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// textIn is a member's value when it is a string.
func textIn(members []strictjson.Member, name string) (text string, ok bool) {
	for _, m := range members {
		if m.Name == name {
			return m.Text()
		}
	}
	return "", false
}
