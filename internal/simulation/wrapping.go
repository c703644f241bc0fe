package simulation

import (
	"encoding/json"
	"fmt"
)

// shape is how a command's event is put into a record of a queue, or handed over by a bus.
type shape uint8

const (
	plain        shape = iota // the event as it is
	bareText                  // a bare command; a bus hands over an array with the event
	inSNS                     // in what SNS puts around a message
	inFailure                 // in the record of a function that failed on it
	encodedTwice              // as a JSON string
	inAll                     // in all three
	tooDeep                   // in one layer too many: nobody can read it, as all that follow
	unnamed                   // it names no merchant
	noJSON                    // text
	shapes
)

// shapeOf rolls a shape. Few cannot be read, since each of those is received a hundred times.
func (w *world) shapeOf(i int) shape {
	switch n := w.dice.roll(placeShape, uint64(i), 0); {
	case n%1000 < 6:
		return tooDeep + shape(n/1000%uint64(shapes-tooDeep))
	case n%1000 < 300:
		return bareText + shape(n/1000%uint64(tooDeep-bareText))
	}
	return plain
}

// unreadable reports whether nobody can be told what becomes of the command.
func (c *command) unreadable() bool { return c.shape >= tooDeep }

// text is what stands in a record.
func (c *command) text(m *seller) string {
	event := c.event(m)
	switch c.shape {
	case bareText:
		return string(c.detail(m, true, false, false))
	case inSNS:
		return string(published(event))
	case inFailure:
		return string(failedOn(event))
	case encodedTwice:
		return string(encode(string(event)))
	case inAll:
		return string(encode(string(published(failedOn(event)))))
	case tooDeep:
		return string(encode(string(encode(string(published(failedOn(event)))))))
	case noJSON:
		return "complaint " + c.group.complaint + " {"
	}
	return string(event)
}

// invocation is what a bus hands over.
func (c *command) invocation(m *seller) []byte {
	switch c.shape {
	case plain, unnamed:
		return c.event(m)
	case bareText:
		return encode([]json.RawMessage{c.event(m)})
	}
	return encode(map[string]any{"Records": []any{map[string]any{
		"EventSource": "aws:sns", "Sns": map[string]string{"MessageId": fmt.Sprint("sns-", c.index), "Message": c.text(m)},
	}}})
}

// named are the ids by which an error must name what cannot be read.
func (c *command) named() string {
	if c.shape == unnamed {
		return fmt.Sprintf("event-%d", c.index)
	}
	return fmt.Sprint("sns-", c.index)
}

func published(event []byte) []byte {
	return encode(map[string]string{"Type": "Notification", "MessageId": "1", "Message": string(event)})
}

func failedOn(event []byte) []byte {
	return encode(map[string]any{"version": "1.0", "requestPayload": json.RawMessage(event), "responseContext": map[string]int{"statusCode": 200}})
}
