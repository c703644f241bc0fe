// Package send sends one command, or one picture, to a local gateway, a deployed API or a bus, and reports what became
// of it (kesu send; kesu attention and kesu desk use it too).
//
// An [Order] is a command that was held against the rules of a request, and a [Target] is a place that takes it. When
// nobody knows whether it was carried out, the error is an [operate.Error] of the kind Unknown. What comes from a
// target may be anyone's: results are reported as [Shown] makes them, and redirects are not followed.
package send

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Order is one valid command on its way.
type Order struct {
	Command wire.Command
	Detail  []byte // with merchant and complaint_id, as in an event
	Body    []byte // without, as in an HTTP request
}

// NewOrder makes an order of the members of a command, and takes merchant and complaint_id out of them. Its error lists
// all that is wrong.
func NewOrder(action wire.Action, members map[string]json.RawMessage) (Order, error) {
	detail, err := strictjson.Encode(members)
	if err != nil {
		return Order{}, err
	}
	request := wire.ReadDetail(action, detail)
	if len(request.Problems) > 0 {
		return Order{}, operate.New(operate.Usage, "the request is wrong: "+wordsOf(request))
	}
	delete(members, "merchant")
	delete(members, "complaint_id")
	body, err := strictjson.Encode(members)
	return Order{request.Command, detail, body}, err
}

// wordsOf lists all that is wrong with a request.
func wordsOf(r wire.Request) string {
	var list []string
	for _, p := range r.Problems {
		list = append(list, strings.TrimSpace(strings.TrimPrefix(p.Pointer, "/")+" "+p.Detail))
	}
	return strings.Join(list, "; ")
}

// byteOrderMark is what some editors put before a text.
var byteOrderMark = []byte("\xEF\xBB\xBF")

// MembersOfFile reads the members of a command as [Members] does. The text may also be an array of one, as
// aws events put-events --entries takes it.
func MembersOfFile(text []byte) (map[string]json.RawMessage, error) {
	text = bytes.TrimPrefix(text, byteOrderMark)
	var entries []json.RawMessage
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) && json.Unmarshal(text, &entries) == nil {
		if len(entries) != 1 {
			return nil, fmt.Errorf("has %d entries, and kesu send sends one at a time", len(entries))
		}
		text = entries[0]
	}
	return Members(text)
}

// Members reads the members of a command from JSON: a body, or an event or an entry of PutEvents, which have them in
// their detail. Its error is to stand after a word for what was read, as in "the file is not JSON".
func Members(text []byte) (map[string]json.RawMessage, error) {
	list, err := strictjson.Pairs(bytes.TrimPrefix(text, byteOrderMark))
	if err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{}
	for _, m := range list {
		if members[m.Name] != nil {
			return nil, errors.New("has the member " + m.Name + " twice")
		}
		members[m.Name] = m.Value
	}
	detail := members["detail"]
	if detail == nil {
		detail = members["Detail"] // an entry of PutEvents, where it is a string
		var text string
		if detail == nil || json.Unmarshal(detail, &text) != nil {
			return members, nil
		}
		detail = []byte(text)
	}
	return Members(detail)
}
