package console

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

// command is what a call was asked to do, as it was handed over.
type command struct {
	Via         string `json:"via"` // "http" or "event"
	Action      string `json:"action"`
	Merchant    string `json:"merchant"`
	ComplaintID string `json:"complaint_id"`
	Text        string `json:"text"`               // the body, or the event's detail
	Key         string `json:"key,omitempty"`      // the Idempotency-Key header
	EventID     string `json:"event_id,omitempty"` // an event that comes twice has the same
	Curl        string `json:"curl"`               // does the same again

	contentType string
	entry       sandbox.Entry // of an event
}

// read takes a call's payload apart. It is a proxy event or an EventBridge event; of anything else little can be told.
func read(function string, payload []byte) command {
	c := command{Via: "http", Action: strings.TrimPrefix(function, "kesu-")}
	var event sandbox.Event
	if json.Unmarshal(payload, &event) == nil && event.DetailType != "" {
		c.readEvent(event)
		return c
	}
	var request events.APIGatewayProxyRequest
	if json.Unmarshal(payload, &request) != nil {
		return c
	}
	c.Merchant, c.ComplaintID = request.PathParameters["merchant"], request.PathParameters["complaint_id"]
	c.Text = request.Body
	body, err := base64.StdEncoding.DecodeString(request.Body)
	if request.Resource == wire.Upload.Route() {
		c.Action, c.ComplaintID = string(wire.Upload), ""
		c.Text = fmt.Sprintf("(a picture of %d bytes)", len(body))
	} else if request.IsBase64Encoded && err == nil {
		c.Text = string(body)
	}
	for name, value := range request.Headers {
		switch strings.ToLower(name) {
		case "idempotency-key":
			c.Key = value
		case "content-type":
			c.contentType = value
		}
	}
	return c
}

func (c *command) readEvent(event sandbox.Event) {
	c.Via, c.EventID, c.Text = "event", event.ID, string(event.Detail)
	c.entry = sandbox.Entry{Source: event.Source, DetailType: event.DetailType, Detail: string(event.Detail)}
	var detail struct {
		Merchant    string `json:"merchant"`
		ComplaintID string `json:"complaint_id"`
	}
	if json.Unmarshal(event.Detail, &detail) == nil {
		c.Merchant, c.ComplaintID = detail.Merchant, detail.ComplaintID
	}
}

// members are the members of a command's table as they were given, with the key of the header, as an object; nil when the
// command is no object.
func (c *command) members() json.RawMessage {
	if c.Action == string(wire.Upload) {
		return nil
	}
	given := map[string]json.RawMessage{}
	if c.Text != "" && json.Unmarshal([]byte(c.Text), &given) != nil {
		return nil
	}
	delete(given, "merchant")
	delete(given, "complaint_id")
	if c.Key != "" && given["idempotency_key"] == nil {
		key, err := json.Marshal(c.Key)
		if err != nil { // a string can always be encoded
			return nil
		}
		given["idempotency_key"] = key
	}
	text, err := json.Marshal(given)
	if err != nil {
		return nil
	}
	return text
}

// curl is a line for a shell that gives the same command again, to the gateway at base.
func (c *command) curl(base string) string {
	if c.Via == "event" {
		entry, err := json.Marshal(map[string]string{"Source": c.entry.Source, "DetailType": c.entry.DetailType, "Detail": c.entry.Detail})
		if err != nil { // three strings can always be encoded
			return ""
		}
		return "curl -sS " + quote(base+"/events") + " -H 'Content-Type: application/json' -d " + quote(string(entry))
	}
	if c.Action == string(wire.Upload) {
		return "curl -sS -X POST " + quote(base+"/merchants/"+c.Merchant+"/images") + " -H " + quote("Content-Type: "+c.contentType) + " --data-binary @PICTURE"
	}
	if c.Action == "watch" { // nobody but WeChat Pay can sign it
		return ""
	}
	line := "curl -sS -X POST " + quote(base+"/merchants/"+c.Merchant+"/complaints/"+c.ComplaintID+"/"+c.Action)
	if c.Key != "" {
		line += " -H " + quote("Idempotency-Key: "+c.Key)
	}
	if c.Text == "" {
		return line
	}
	contentType := c.contentType
	if contentType == "" {
		contentType = "application/json"
	}
	return line + " -H " + quote("Content-Type: "+contentType) + " --data-binary " + quote(c.Text)
}

// quote makes one word of a text for a POSIX shell, whatever is in it.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
