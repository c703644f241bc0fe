package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// ComplaintState is WeChat Pay's complaint_state.
type ComplaintState string

const (
	Pending    ComplaintState = "PENDING"    // nobody has replied yet
	Processing ComplaintState = "PROCESSING" // the merchant has replied
	Processed  ComplaintState = "PROCESSED"  // the merchant has said that it is settled
)

// ReplyEffect is one reply as the consumer sees it. Every one in a list was shown: two are a doubled reply.
type ReplyEffect struct {
	TransactionID string
	Content       string
	Images        []string
	JumpURL       string
	JumpURLText   string
	MiniProgram   string          // WeChat Pay's mini_program_jump_info, as it came
	Message       json.RawMessage `json:",omitempty"` // of a reply in blocks, as it came
	At            time.Time
}

// Complaint is what both gateways know about one complaint.
type Complaint struct {
	Merchant    string
	ID          string
	State       ComplaintState
	CreatedAt   time.Time
	ProcessedAt time.Time // zero until State is Processed
	Replies     []ReplyEffect
	Detail      string // the consumer's words; "" is the sandbox's usual ones
	Media       []string
	History     []HistoryItem     // the oldest first
	Times       int               // how often the consumer complained again
	Immediate   bool              // it asks for immediate service
	Once        map[string]string // idempotent_id to log_id, of replies in blocks

	AwaitsMerchant bool // the consumer has answered, and the merchant has not
}

// State holds the complaints of all merchants. Both gateways share one, as the real ones do: 翼码 passes replies on to
// WeChat Pay. It may be used by several goroutines at once.
type State struct {
	now           func() time.Time
	createOnSight bool

	mu         sync.Mutex
	complaints map[complaintKey]*Complaint
	pictures   map[string]Picture                // by id
	urls       map[string]string                 // for notifications, by mchid
	steps      int                               // how many ids were given
	acted      func(merchant, id, action string) // told of what consumers do; may be nil
	keep       *stateFile                        // nil for a state that ends with the process
}

type complaintKey struct{ merchant, id string }

// NewState makes an empty state. With createOnSight a complaint exists as soon as somebody asks for it, so that a
// person can try any id, except ids that end in "404", which never exist; without, only those that were added do. One
// that appears with an id that ends in "911" asks for immediate service.
func NewState(now func() time.Time, createOnSight bool) *State {
	return &State{now: now, createOnSight: createOnSight, complaints: map[complaintKey]*Complaint{},
		pictures: map[string]Picture{}, urls: map[string]string{}}
}

// onConsumer lets somebody be told of what consumers do. It is called without the lock.
func (s *State) onConsumer(told func(merchant, id, action string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acted = told
}

// consumerActed tells of what a consumer did. The lock is not held.
func (s *State) consumerActed(merchant, id, action string) {
	s.mu.Lock()
	told := s.acted
	s.mu.Unlock()
	if told != nil {
		told(merchant, id, action)
	}
}

// Add makes a complaint that waits for its first reply, and notifies nobody. One that exists already is left as it is.
func (s *State) Add(merchant, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(merchant, id)
}

// AddAt makes a complaint that was raised at another time than now, or moves one that exists to that time.
func (s *State) AddAt(merchant, id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.add(merchant, id)
	c.CreatedAt = at
	s.changed(c)
}

func (s *State) add(merchant, id string) *Complaint {
	key := complaintKey{merchant, id}
	c := s.complaints[key]
	if c == nil {
		c = s.open(key, "", s.now())
		s.changed(c)
	}
	return c
}

func (s *State) open(key complaintKey, detail string, at time.Time) *Complaint {
	c := &Complaint{Merchant: key.merchant, ID: key.id, State: Pending, CreatedAt: at, Detail: detail,
		Immediate: s.createOnSight && strings.HasSuffix(key.id, "911")}
	s.complaints[key] = c
	s.note(c, HistoryItem{Operator: "投诉人", Type: "USER_CREATE_COMPLAINT", Details: c.Words(), At: at})
	return c
}

// Complaint returns a copy of one complaint, and false when it does not exist. It never creates one.
func (s *State) Complaint(merchant, id string) (Complaint, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.complaints[complaintKey{merchant, id}]
	if c == nil {
		return Complaint{}, false
	}
	return c.copy(), true
}

// Complaints returns copies of all complaints, the oldest first.
func (s *State) Complaints() []Complaint {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Complaint, 0, len(s.complaints))
	for _, c := range s.complaints {
		all = append(all, c.copy())
	}
	slices.SortFunc(all, func(a, b Complaint) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (c *Complaint) copy() Complaint {
	d := *c
	d.Replies, d.History, d.Media = slices.Clone(c.Replies), slices.Clone(c.History), slices.Clone(c.Media)
	return d
}

// find returns a complaint, making it when this state makes them on sight. The lock is held.
func (s *State) find(merchant, id string) *Complaint {
	if s.createOnSight && !strings.HasSuffix(id, "404") {
		return s.add(merchant, id)
	}
	return s.complaints[complaintKey{merchant, id}]
}

// reply shows a reply to the consumer and returns its id in the history, and whether the complaint exists.
//
// A transaction_id that took effect before takes effect again. 翼码's documentation does not say that it would refuse
// one, so the worst case is what the functions must be safe against.
func (s *State) reply(merchant, id string, r ReplyEffect) (logID string, existed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(merchant, id)
	if c == nil {
		return "", false
	}
	logID = s.show(c, r)
	s.changed(c)
	return logID, true
}

// complete settles a complaint. existed tells whether there is one, done whether this call was the one that settled it.
func (s *State) complete(merchant, id string) (existed, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(merchant, id)
	if c == nil {
		return false, false
	}
	if c.State == Processed {
		return true, false
	}
	c.State, c.ProcessedAt = Processed, s.now()
	s.note(c, HistoryItem{Operator: "商家", Type: "MERCHANT_CONFIRM_COMPLETE"})
	s.changed(c)
	return true, true
}

// read is Complaint for a gateway's own query, which may be the first sight.
func (s *State) read(merchant, id string) (Complaint, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(merchant, id)
	if c == nil {
		return Complaint{}, false
	}
	return c.copy(), true
}
