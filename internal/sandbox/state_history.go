package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// HistoryItem is one step of a complaint's negotiation history.
type HistoryItem struct {
	LogID    string
	Operator string
	Type     string // operate_type: MERCHANT_RESPONSE, USER_CREATE_COMPLAINT …
	Details  string
	Images   []string        // ids of pictures
	Message  json.RawMessage `json:",omitempty"` // normal_message, of a reply in blocks
	At       time.Time
}

// note adds a step to the history and returns its id. The lock is held.
func (s *State) note(c *Complaint, item HistoryItem) string {
	s.steps++
	item.LogID = fmt.Sprintf("3002853%s%09d", s.now().In(china).Format("20060102"), s.steps)
	if item.At.IsZero() {
		item.At = s.now()
	}
	c.History = append(c.History, item)
	return item.LogID
}

// show puts a reply into the history. A link's text stands behind the content ("附在回复内容之后"). The lock is held.
func (s *State) show(c *Complaint, r ReplyEffect) string {
	r.At = s.now()
	c.Replies = append(c.Replies, r)
	if c.State == Pending {
		c.State = Processing // "首次回复用户后,投诉单状态将由待处理更新为处理中"
	}
	c.AwaitsMerchant = false
	item := HistoryItem{Operator: "商家", Type: "MERCHANT_RESPONSE", Images: r.Images, Message: r.Message}
	if r.Message == nil {
		item.Details = r.Content + r.JumpURLText
	}
	return s.note(c, item)
}

// replyOnce shows a reply unless one with this transaction id was shown before. logID is "" for a complaint that does not
// ask for immediate service.
func (s *State) replyOnce(merchant, id string, r ReplyEffect) (logID string, shown, existed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(merchant, id)
	if c == nil {
		return "", false, false
	}
	if !c.Immediate {
		return "", false, true
	}
	if before := c.Once[r.TransactionID]; before != "" {
		return before, false, true
	}
	if c.Once == nil {
		c.Once = map[string]string{}
	}
	logID = s.show(c, r)
	c.Once[r.TransactionID] = logID
	s.changed(c)
	return logID, true, true
}

// Say lets the consumer answer, and false when there is no such complaint. The complaint then waits for the merchant, who is
// notified.
func (s *State) Say(merchant, id, words string) bool {
	if !s.change(merchant, id, func(c *Complaint) {
		c.AwaitsMerchant = true
		s.note(c, HistoryItem{Operator: "投诉人", Type: "USER_RESPONSE", Details: words})
	}) {
		return false
	}
	s.consumerActed(merchant, id, "USER_RESPONSE")
	return true
}

// Raise lets the consumer complain again, of a complaint that may be settled already. The merchant is notified.
func (s *State) Raise(merchant, id, words string) bool {
	if !s.change(merchant, id, func(c *Complaint) {
		c.Times++
		c.State, c.ProcessedAt, c.AwaitsMerchant = Pending, time.Time{}, true
		s.note(c, HistoryItem{Operator: "投诉人", Type: "USER_CONTINUE_COMPLAINT", Details: words})
	}) {
		return false
	}
	s.consumerActed(merchant, id, "CONTINUE_COMPLAINT")
	return true
}

// AskImmediate makes a complaint one that asks for immediate service.
func (s *State) AskImmediate(merchant, id string) bool {
	return s.change(merchant, id, func(c *Complaint) { c.Immediate = true })
}

// AttachPictures gives a complaint the consumer's pictures.
func (s *State) AttachPictures(merchant, id string, pictures ...string) bool {
	return s.change(merchant, id, func(c *Complaint) {
		c.Media = append(c.Media, pictures...)
		c.History[0].Images = slices.Clone(c.Media)
	})
}

// change changes a complaint that exists.
func (s *State) change(merchant, id string, how func(*Complaint)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.complaints[complaintKey{merchant, id}]
	if c == nil {
		return false
	}
	how(c)
	s.changed(c)
	return true
}

// Picture is a picture that was uploaded.
type Picture struct {
	Merchant string
	Media    string // its media type
	Data     []byte `json:"-"`
}

// AddPicture keeps a picture as an upload does, and returns its id.
func (s *State) AddPicture(p Picture) string { return s.keepPicture(p) }

func (s *State) keepPicture(p Picture) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps++
	id := fmt.Sprintf("file%s_%d", randomHex(8), s.steps)
	s.pictures[id] = p
	s.changedPicture(id, p)
	return id
}

// Picture returns a picture that was uploaded.
func (s *State) Picture(id string) (Picture, bool) { return s.picture(id) }

func (s *State) picture(id string) (Picture, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pictures[id]
	return p, ok
}

func (s *State) notificationURL(mchid string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.urls[mchid]
}

func (s *State) setNotificationURL(mchid, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urls[mchid] = url
	s.changedURL(mchid, url)
}
