package sandbox

import (
	"cmp"
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
}

// State holds the complaints of all merchants. Both gateways share one, as the real ones do: 翼码 passes replies on to
// WeChat Pay. It may be used by several goroutines at once.
type State struct {
	now           func() time.Time
	createOnSight bool

	mu         sync.Mutex
	complaints map[complaintKey]*Complaint
}

type complaintKey struct{ merchant, id string }

// NewState makes an empty state. With createOnSight a complaint exists as soon as somebody asks for it, so that a
// person can try any id, except ids that end in "404", which never exist; without, only those that were added do.
func NewState(now func() time.Time, createOnSight bool) *State {
	return &State{now: now, createOnSight: createOnSight, complaints: map[complaintKey]*Complaint{}}
}

// Add makes a complaint that waits for its first reply. One that exists already is left as it is.
func (s *State) Add(merchant, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(merchant, id)
}

func (s *State) add(merchant, id string) *Complaint {
	key := complaintKey{merchant, id}
	c := s.complaints[key]
	if c == nil {
		c = &Complaint{Merchant: merchant, ID: id, State: Pending, CreatedAt: s.now()}
		s.complaints[key] = c
	}
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
	d.Replies = slices.Clone(c.Replies)
	return d
}

// find returns a complaint, making it when this state makes them on sight. The lock is held.
func (s *State) find(merchant, id string) *Complaint {
	if s.createOnSight && !strings.HasSuffix(id, "404") {
		return s.add(merchant, id)
	}
	return s.complaints[complaintKey{merchant, id}]
}

// reply shows a reply to the consumer and says whether the complaint exists.
//
// A transaction_id that took effect before takes effect again. 翼码's documentation does not say that it would refuse
// one, so the worst case is what the functions must be safe against.
func (s *State) reply(merchant, id string, r ReplyEffect) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(merchant, id)
	if c == nil {
		return false
	}
	r.At = s.now()
	c.Replies = append(c.Replies, r)
	if c.State == Pending {
		c.State = Processing
	}
	return true
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
