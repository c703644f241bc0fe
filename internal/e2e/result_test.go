package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// result is the normalized result as the contract's section 3 prints it.
type result struct {
	Action        string    `json:"action"`
	Merchant      string    `json:"merchant"`
	ComplaintID   string    `json:"complaint_id"`
	Outcome       string    `json:"outcome"`
	Provider      string    `json:"provider"`
	Code          string    `json:"code"`
	Message       string    `json:"message"`
	HTTPStatus    int       `json:"http_status"`
	Verified      bool      `json:"verified"`
	RequestID     string    `json:"request_id"`
	TransactionID string    `json:"transaction_id"`
	Attempts      int       `json:"attempts"`
	Replayed      bool      `json:"replayed"`
	At            string    `json:"at"`
	EventID       string    `json:"event_id,omitempty"`
	MessageID     string    `json:"message_id,omitempty"`
	MediaID       string    `json:"media_id,omitempty"`
	Evidence      *evidence `json:"evidence,omitempty"`
	Errors        []problem `json:"errors,omitempty"`
}

// evidence is what a look told; what is not known is left out.
type evidence struct {
	LookedAt       string `json:"looked_at,omitempty"`
	Seen           *bool  `json:"seen,omitempty"`
	LogID          string `json:"log_id,omitempty"`
	OperateTime    string `json:"operate_time,omitempty"`
	ComplaintState string `json:"complaint_state,omitempty"`
	Error          string `json:"error,omitempty"`
}

// String shows what is known and not where it is kept.
func (e *evidence) String() string {
	if e == nil {
		return "none"
	}
	seen := "not known"
	if e.Seen != nil {
		seen = fmt.Sprint(*e.Seen)
	}
	return fmt.Sprint(e.LookedAt, " seen: ", seen, " ", e.LogID, e.OperateTime, e.ComplaintState, e.Error)
}

type problem struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

var resultMembers = []string{"action", "merchant", "complaint_id", "outcome", "provider", "code", "message", "http_status", "verified", "request_id",
	"transaction_id", "attempts", "replayed", "at"}

// readResult reads a result and insists on its form: every member there, no other but errors, a time in UTC, one of the
// four outcomes, and a refusal of ours without attempts.
func readResult(t testing.TB, text []byte) result {
	t.Helper()
	var r result
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		t.Errorf("not a result: %v: %s", err, text)
		return r
	}
	checkMembers(t, text)
	checkResult(t, r)
	return r
}

// checkMembers looks for a member that is missing, which a struct cannot tell.
func checkMembers(t testing.TB, text []byte) {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		t.Errorf("not an object: %s", text)
	}
	for _, name := range resultMembers {
		if value, ok := all[name]; !ok || string(value) == "null" {
			t.Errorf("the result lacks %s: %s", name, text)
		}
	}
}

func checkResult(t testing.TB, r result) {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05Z", r.At)
	if err != nil || time.Since(at) > time.Hour || time.Until(at) > time.Minute {
		t.Errorf("at is %q", r.At)
	}
	if !slices.Contains([]string{"succeeded", "rejected", "retryable", "unknown"}, r.Outcome) {
		t.Errorf("the outcome is %q", r.Outcome)
	}
	providers := map[string][]string{"reply": {"imageco", "wechatpay"}, "complete": {"wechatpay"}, "upload": {"wechatpay"}}[r.Action]
	if !slices.Contains(providers, r.Provider) {
		t.Errorf("the action is %q and the provider %q", r.Action, r.Provider)
	}
	if r.Action != "reply" && r.TransactionID != "" {
		t.Errorf("the action %s has the transaction_id %q", r.Action, r.TransactionID)
	}
	if (r.MediaID != "") != (r.Action == "upload" && r.Outcome == "succeeded") {
		t.Errorf("the action %s, %s, has the media_id %q", r.Action, r.Outcome, r.MediaID)
	}
	if r.Code == "" || r.Message == "" {
		t.Errorf("code %q, message %q", r.Code, r.Message)
	}
	if (len(r.Errors) > 0) != (r.Code == "INVALID_REQUEST" && r.Attempts == 0) {
		t.Errorf("%s with %d attempts has the errors %v", r.Code, r.Attempts, r.Errors)
	}
}

// result reads the answer to a bare command or to an event that is settled.
func (f *function) result(got sandbox.Invocation) result {
	f.w.t.Helper()
	if got.Failed() {
		f.w.t.Errorf("the invocation failed: %s: %s", got.ErrorType, got.ErrorMessage)
		return result{}
	}
	return readResult(f.w.t, got.Payload)
}

// response is an HTTP answer as API Gateway takes it from a function.
type response struct {
	status int
	header map[string]string // names in lower case
	body   []byte
	result
}

// response reads the answer to an HTTP event and insists on what holds for every one: a success is JSON and 200, and
// anything else is a problem with all members of the result.
func (f *function) response(got sandbox.Invocation) response {
	t := f.w.t
	t.Helper()
	if got.Failed() {
		t.Errorf("the invocation failed: %s: %s", got.ErrorType, got.ErrorMessage)
		return response{}
	}
	var raw struct {
		StatusCode      int               `json:"statusCode"`
		Headers         map[string]string `json:"headers"`
		Body            *string           `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(got.Payload, &raw); err != nil || raw.StatusCode == 0 || raw.Body == nil || raw.IsBase64Encoded {
		t.Errorf("not a proxy response: %v: %s", err, got.Payload)
		return response{}
	}
	r := response{status: raw.StatusCode, header: map[string]string{}, body: []byte(*raw.Body)}
	for name, value := range raw.Headers {
		r.header[strings.ToLower(name)] = value
	}
	if r.status == 200 {
		if r.header["content-type"] != "application/json" {
			t.Errorf("a success is %q", r.header["content-type"])
		}
		r.result = readResult(t, r.body)
		return r
	}
	r.readProblem(t)
	return r
}

// readProblem reads problem details, RFC 9457, with the result's members in them.
func (r *response) readProblem(t testing.TB) {
	t.Helper()
	if r.header["content-type"] != "application/problem+json" {
		t.Errorf("status %d is %q", r.status, r.header["content-type"])
	}
	var p struct {
		Type, Title, Detail string
		Status              int
		result
	}
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		t.Errorf("not a problem: %v: %s", err, r.body)
		return
	}
	checkMembers(t, r.body)
	checkResult(t, p.result)
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Status != r.status {
		t.Errorf("the problem lacks something: %s", r.body)
	}
	r.result = p.result
	wait := r.header["retry-after"]
	if (p.Outcome == "retryable") != (wait != "") || wait == "0" || strings.Trim(wait, "0123456789") != "" {
		t.Errorf("%s has Retry-After %q", p.Outcome, wait)
	}
}

// pointers are the members that a request's problems point at, sorted.
func (r result) pointers() []string {
	var all []string
	for _, p := range r.Errors {
		if !slices.Contains(all, p.Pointer) {
			all = append(all, p.Pointer)
		}
	}
	slices.Sort(all)
	return all
}
