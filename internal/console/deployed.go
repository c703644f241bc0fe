package console

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

const (
	deployedMost = 20_000  // complaints that a desk holds
	heardMost    = 500_000 // events that it takes before it has to be started anew
	pictureMost  = 20      // uploaded pictures that it can show, the latest ones
)

// API is a deployed Kesu as the desk calls it: with what the caller may do, and with its answers as they are.
type API interface {
	Send(ctx context.Context, merchant, complaintID, action string, body []byte) (status int, answer []byte, err error)
	Upload(ctx context.Context, merchant, filename, mediaType string, picture []byte) (status int, answer []byte, err error)
	// Put puts an event on the bus and returns its id.
	Put(ctx context.Context, detailType string, detail []byte) (eventID string, err error)
}

// Deployed serves the desk's page for a deployed Kesu. What it knows it has from the events that [Deployed.Hear] is given and
// from the answers to what was sent here; it keeps that in memory and nowhere else. It may be used by several goroutines at
// once.
type Deployed struct {
	api   API
	mux   *http.ServeMux
	pages streams
	end   context.CancelFunc

	mu         sync.Mutex
	notice     string
	complaints map[complaintKey]*deployed
	heard      map[string]bool // ids of events
	version    int64
	changed    chan struct{}
	pictures   []keptPicture
}

// deployed is one complaint of a deployed Kesu.
type deployed struct {
	entry
	told    arrived
	toldAt  time.Time // when the latest event about it was put
	raised  time.Time // when it was last told as received
	replies []item    // that are known word for word
}

type keptPicture struct {
	id string
	sandbox.Picture
}

// arrived is what functions/watch tells of a complaint (contract, section 10), as far as the desk shows it.
type arrived struct {
	ComplaintTime        string `json:"complaint_time"`
	ComplaintState       string `json:"complaint_state"`
	ComplaintDetail      string `json:"complaint_detail"`
	UserComplaintTimes   int    `json:"user_complaint_times"`
	IncomingUserResponse bool   `json:"incoming_user_response"`
	NeedImmediateService bool   `json:"need_immediate_service"`
}

// Hear takes an event from the bus. One that came before changes nothing.
func (d *Deployed) Hear(event sandbox.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names struct {
		Merchant    string `json:"merchant"`
		ComplaintID string `json:"complaint_id"`
	}
	if d.heard[event.ID] || json.Unmarshal(event.Detail, &names) != nil || names.Merchant == "" || names.ComplaintID == "" {
		return
	}
	if len(d.heard) == heardMost {
		d.full()
		return
	}
	x := d.find(complaintKey{names.Merchant, names.ComplaintID}, event.Time)
	if x == nil {
		return
	}
	d.heard[event.ID] = true
	x.events = append(x.events, notice{event.ID, event.Time, event.DetailType, event.Source, event.Detail})
	slices.SortStableFunc(x.events, func(a, b notice) int { return a.At.Compare(b.At) })
	x.events = x.events[max(0, len(x.events)-eventMost):]
	x.seen++
	switch {
	case strings.HasSuffix(event.DetailType, "Settled"):
		x.results = append(x.results, settledOutcome(event.Detail, event.Time))
	case !event.Time.Before(x.toldAt):
		x.hear(event)
	}
	d.show(x)
}

// hear takes what an event of functions/watch tells of the complaint.
func (x *deployed) hear(event sandbox.Event) {
	told := arrived{ComplaintTime: x.told.ComplaintTime, ComplaintDetail: x.told.ComplaintDetail, ComplaintState: x.told.ComplaintState}
	if json.Unmarshal(event.Detail, &told) != nil {
		return
	}
	x.told, x.toldAt = told, event.Time
	if event.DetailType == "ComplaintReceived" {
		x.raised = event.Time
	}
}

// settledOutcome makes an outcome of a settled event's detail, which is a result and at times has the request.
func settledOutcome(detail json.RawMessage, at time.Time) outcome {
	var said struct {
		Action        string          `json:"action"`
		Outcome       string          `json:"outcome"`
		TransactionID string          `json:"transaction_id"`
		Request       json.RawMessage `json:"request"`
	}
	_ = json.Unmarshal(detail, &said) // it names a merchant, so it is an object
	return outcome{At: at, Via: "event", Result: detail, Request: said.Request, action: said.Action, outcome: said.Outcome,
		transactionID: said.TransactionID}
}

// find returns a complaint, making it unless there are too many; nil then. The lock is held.
func (d *Deployed) find(key complaintKey, at time.Time) *deployed {
	x := d.complaints[key]
	if x == nil && len(d.complaints) == deployedMost {
		d.full()
		return nil
	}
	if x == nil {
		x = &deployed{raised: at}
		x.Merchant, x.ID, x.State, x.Created = key.merchant, key.id, string(sandbox.Pending), at.UnixMilli()
		d.complaints[key] = x
	}
	return x
}

// full lets the pages say that something is not shown any more. The lock is held.
func (d *Deployed) full() {
	d.notice = "full"
	d.wake()
}

// wake lets the pages hear what is new. The lock is held.
func (d *Deployed) wake() {
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// show makes a complaint's row anew and wakes the pages. The lock is held.
//
// Its state is what functions/watch told last, or what a success told since then. A complaint that somebody else replied to is
// told as PROCESSING and not when; the time of that event stands in then, which is later than the reply.
func (d *Deployed) show(x *deployed) {
	fresh := row{Merchant: x.Merchant, ID: x.ID, State: cmp.Or(x.told.ComplaintState, string(sandbox.Pending)), Created: x.Created,
		Words: cut(x.told.ComplaintDetail, excerptLimit), Times: max(0, x.told.UserComplaintTimes-1), Asks: x.told.IncomingUserResponse,
		Seen: x.seen}
	if at, err := time.Parse(time.RFC3339, x.told.ComplaintTime); err == nil {
		fresh.Created = at.UnixMilli()
	}
	if fresh.State != string(sandbox.Pending) {
		fresh.Replied = x.toldAt.UnixMilli()
	}
	if fresh.State == string(sandbox.Processed) {
		fresh.Processed = x.toldAt.UnixMilli()
	}
	slices.SortStableFunc(x.results, func(a, b outcome) int { return a.At.Compare(b.At) })
	x.results = x.results[max(0, len(x.results)-resultMost):]
	for _, r := range x.results {
		if r.outcome != string(wire.Succeeded) || r.At.Before(x.raised) {
			continue
		}
		switch r.action {
		case "reply":
			fresh.Replies++
			if at := r.At.UnixMilli(); fresh.Replied == 0 || at < fresh.Replied {
				fresh.Replied = at
			}
			if fresh.State == string(sandbox.Pending) {
				fresh.State = string(sandbox.Processing)
			}
			fresh.Asks = fresh.Asks && r.At.Before(x.toldAt)
		case "complete":
			fresh.State, fresh.Processed = string(sandbox.Processed), r.At.UnixMilli()
		}
	}
	fresh.Unknown = x.unknown(fresh.State == string(sandbox.Processed))
	d.version++
	x.row, x.version = fresh, d.version
	d.wake()
}

// next is closed at the next change.
func (d *Deployed) next() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.changed
}

// sent keeps what became of something that was sent from here. An answer of API Gateway's own does not name the action.
func (d *Deployed) sent(key complaintKey, action string, body, result json.RawMessage, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x := d.find(key, at)
	if x == nil {
		return
	}
	r := settledOutcome(result, at)
	r.Via, r.action = "http", action
	if r.outcome != string(wire.Succeeded) {
		r.Request = body
	} else if r.action == "reply" {
		x.replies = append(x.replies, d.said(body, r.transactionID, at))
		x.replies = x.replies[max(0, len(x.replies)-itemMost):]
	}
	x.results = append(x.results, r)
	x.seen++
	d.show(x)
}

// said is a reply as it was sent. The lock is held.
func (d *Deployed) said(body json.RawMessage, transactionID string, at time.Time) item {
	var in struct {
		Content     string   `json:"response_content"`
		Images      []string `json:"response_images"`
		JumpURL     string   `json:"jump_url"`
		JumpURLText string   `json:"jump_url_text"`
	}
	_ = json.Unmarshal(body, &in) // Kesu took it
	said := item{Kind: "reply", At: at, Text: in.Content, JumpURL: in.JumpURL, JumpURLText: in.JumpURLText, TransactionID: transactionID}
	for _, id := range in.Images {
		shown := slices.ContainsFunc(d.pictures, func(p keptPicture) bool { return p.id == id })
		said.Images = append(said.Images, picture{id, shown})
	}
	return said
}
