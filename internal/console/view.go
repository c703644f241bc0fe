package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// summary is a call as the list shows it.
type summary struct {
	ID          string    `json:"id"`
	At          time.Time `json:"at"`
	Running     bool      `json:"running"`
	Via         string    `json:"via"`
	Action      string    `json:"action"`
	Merchant    string    `json:"merchant"`
	ComplaintID string    `json:"complaint_id"`
	Outcome     string    `json:"outcome"` // of the contract's section 3; "" when the function told none
	Code        string    `json:"code"`
	Attempts    int       `json:"attempts"` // that this call made; a replayed result tells of others
	Hosts       []string  `json:"hosts"`    // the gateways' hosts that were asked, in order
	Replayed    bool      `json:"replayed"`
	MS          float64   `json:"ms"`      // from the beginning to the end, or so far
	Failure     string    `json:"failure"` // Lambda's word for an invocation that ended without a result
	Parts       []part    `json:"parts"`
}

func (c *Console) summary(k *call) summary {
	cmd := read(k.function, k.payload)
	t := c.trace(k, &cmd)
	return c.summarize(k, &cmd, &t)
}

func (c *Console) summarize(k *call, cmd *command, t *trace) summary {
	s := summary{ID: k.id, At: k.began, Running: k.ended.IsZero(), Via: cmd.Via, Action: cmd.Action, Merchant: cmd.Merchant,
		ComplaintID: cmd.ComplaintID, Attempts: len(t.attempts), Hosts: []string{}, Parts: t.parts(k)}
	end := k.ended
	if s.Running {
		end = time.Now()
	}
	s.MS = milliseconds(end.Sub(k.began))
	for _, a := range t.attempts {
		name := ""
		if a.seen != nil {
			name = a.seen.Host
		} else {
			name = c.hostName(a.line.Host)
		}
		s.Hosts = append(s.Hosts, name)
	}
	if settled := k.settled(); settled != nil {
		s.Outcome, s.Code, s.Replayed = settled.Outcome, settled.Code, settled.Replayed
	} else if !s.Running && k.result.Failed() {
		s.Failure = k.result.ErrorType
	} else if !s.Running && cmd.Action == "watch" {
		s.Outcome, s.Code = watchOutcome(k, cmd)
	}
	return s
}

// watchOutcome is what became of an invocation of functions/watch, in the words of the other functions' results. It logs no
// settled line: a notification is taken, refused, or comes again.
func watchOutcome(k *call, cmd *command) (outcome, code string) {
	var response events.APIGatewayProxyResponse
	if cmd.Via == "event" || json.Unmarshal(k.result.Payload, &response) != nil || response.StatusCode == 0 {
		return "succeeded", ""
	}
	code = strconv.Itoa(response.StatusCode)
	switch {
	case response.StatusCode < http.StatusMultipleChoices:
		return "succeeded", code
	case response.StatusCode < http.StatusInternalServerError:
		return "rejected", code
	}
	return "retryable", code
}

// full is a call with everything that is known of it.
type full struct {
	summary
	Command  command      `json:"command"`
	Cold     bool         `json:"cold_start"`
	Calls    []exchange   `json:"calls"`
	Secrets  []lookUp     `json:"secrets"`
	Ledger   []ledgerCall `json:"ledger"`
	Entry    []attribute  `json:"entry"` // what the ledger holds now
	Result   string       `json:"result"`
	Log      []string     `json:"log"`
	Duration durations    `json:"duration"`
}

// durations are the function's own figures, from its log.
type durations struct {
	DurationMS int64 `json:"duration_ms"`
	UpstreamMS int64 `json:"upstream_ms"`
}

// exchange is one attempt in full.
type exchange struct {
	Host     string     `json:"host"`
	Bytes    string     `json:"bytes"`
	Status   int        `json:"status"`
	Code     string     `json:"code"`
	MS       int64      `json:"ms"`
	Decision string     `json:"decision"`
	Reason   string     `json:"reason"`
	WaitMS   int64      `json:"wait_ms"`
	Seen     bool       `json:"seen"` // the gateway saw it
	Acted    bool       `json:"acted"`
	Problem  string     `json:"problem"`
	Request  string     `json:"request"`
	Answer   string     `json:"answer"`
	Charset  string     `json:"charset"`
	Signed   *explained `json:"signed"`
	Verified *explained `json:"verified"`
}

type lookUp struct {
	At   float64 `json:"at"` // ms since the call began
	MS   float64 `json:"ms"`
	Code string  `json:"code"`
}

// ledgerCall is one write of the ledger's.
type ledgerCall struct {
	lookUp
	Operation string `json:"operation"`
	State     string `json:"state"` // that was to be written
	Condition string `json:"condition"`
}

type attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// serveCall gives one call in full.
func (c *Console) serveCall(w http.ResponseWriter, r *http.Request) {
	k, ok := c.journal.call(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound, "there is no such call, or it is no longer kept")
		return
	}
	answer(w, http.StatusOK, "application/json", c.full(&k, "http://"+r.Host))
}

func (c *Console) full(k *call, base string) full {
	cmd := read(k.function, k.payload)
	cmd.Curl = cmd.curl(base)
	t := c.trace(k, &cmd)
	f := full{summary: c.summarize(k, &cmd, &t), Command: cmd, Result: result(k, &cmd), Calls: []exchange{}, Log: []string{}}
	for _, a := range t.attempts {
		f.Calls = append(f.Calls, c.exchange(&cmd, a))
	}
	for _, x := range t.secrets {
		f.Secrets = append(f.Secrets, look(k, &x))
	}
	f.Ledger, f.Entry = c.ledger(k, t.ledger)
	for _, line := range k.lines {
		f.Log = append(f.Log, line.raw)
	}
	if settled := k.settled(); settled != nil {
		f.Cold, f.Duration = settled.ColdStart, durations{settled.DurationMS, settled.UpstreamMS}
	}
	return f
}

func look(k *call, x *sandbox.Call) lookUp {
	done := x.Done
	if done.IsZero() {
		done = x.At
	}
	return lookUp{At: milliseconds(x.At.Sub(k.began)), MS: milliseconds(done.Sub(x.At)), Code: x.Code}
}

// exchange tells of one attempt what the function and the gateway know.
func (c *Console) exchange(cmd *command, a attempt) exchange {
	var e exchange
	if line := a.line; line != nil {
		e = exchange{Host: c.hostName(line.Host), Bytes: line.Bytes, Status: line.Status, Code: line.Code, MS: line.DurationMS,
			Decision: line.Decision, Reason: line.Reason, WaitMS: line.WaitMS}
	}
	x := a.seen
	if x == nil {
		return e
	}
	e.Host, e.Seen, e.Acted, e.Problem = x.Host, true, x.Acted, x.Problem
	e.Request = x.Method + " " + x.Target + " HTTP/1.1\n" + headers(x.Header) + "\n"
	if cmd.Action == "upload" {
		e.Request += fmt.Sprintf("(a form of %d bytes, of which this is signed)\n%s", len(x.Body), metaOf(x))
	} else {
		e.Request += readable(x.Body)
	}
	if x.Status != 0 {
		e.Answer = "HTTP/1.1 " + statusLine(x.Status) + "\n" + headers(x.Answer) + "\n" + readable(x.Sent)
	}
	if cmd.Action == "reply" && bytes.HasPrefix(x.Body, []byte("xml=")) {
		e.Charset = "GBK"
	}
	e.Signed = c.explainRequest(cmd.Action, cmd.Merchant, x)
	e.Verified = c.explainAnswer(cmd.Action, cmd.Merchant, x)
	return e
}

// headers writes headers as they stand on the wire, in a fixed order.
func headers(h http.Header) string {
	var text strings.Builder
	_ = h.Write(&text) // a strings.Builder takes everything
	return strings.ReplaceAll(text.String(), "\r\n", "\n")
}

// readable is a body as text: a percent-encoded form stays as it was sent; bytes that are no UTF-8 are read as GBK.
func readable(body []byte) string {
	if utf8.Valid(body) {
		return string(body)
	}
	text, err := simplifiedchinese.GBK.NewDecoder().String(string(body))
	if err != nil {
		return url.QueryEscape(string(body))
	}
	return text
}

// result is what the caller was told: the HTTP answer's body, the event's return value, or Lambda's error.
func result(k *call, cmd *command) string {
	if k.result.Failed() {
		return indented([]byte(k.result.Payload), k.result.ErrorType+": "+k.result.ErrorMessage)
	}
	if cmd.Via == "event" {
		return indented(k.result.Payload, "")
	}
	var response events.APIGatewayProxyResponse
	if json.Unmarshal(k.result.Payload, &response) != nil {
		return string(k.result.Payload)
	}
	return "HTTP " + statusLine(response.StatusCode) + "\n\n" + indented([]byte(response.Body), response.Body)
}

// answer is the result that the caller was told, as the contract's section 3 has it; nil when there was none.
func (k *call) answer(cmd *command) json.RawMessage {
	if k.result.Failed() {
		return nil
	}
	text := json.RawMessage(k.result.Payload)
	if cmd.Via != "event" {
		var response events.APIGatewayProxyResponse
		if json.Unmarshal(k.result.Payload, &response) != nil {
			return nil
		}
		text = json.RawMessage(response.Body)
	}
	if !json.Valid(text) {
		return nil
	}
	return text
}

func statusLine(status int) string {
	line, err := json.Marshal(status)
	if err != nil { // a number can always be encoded
		return ""
	}
	return strings.TrimSpace(string(line) + " " + http.StatusText(status))
}

// indented is JSON with a member a line, or the other text when it is none.
func indented(text []byte, otherwise string) string {
	var out bytes.Buffer
	if len(text) == 0 || json.Indent(&out, text, "", "  ") != nil {
		return otherwise
	}
	return out.String()
}
