package sandbox

import (
	"net/http"
	"time"
)

// usualWords are what a consumer of the sandbox complains about.
const usualWords = "商品与描述不符,联系商家没有回应"

// Words are the consumer's.
func (c Complaint) Words() string {
	if c.Detail == "" {
		return usualWords
	}
	return c.Detail
}

// Open makes a complaint that waits for its first reply, with the consumer's words and a time of its own, and notifies the
// merchant. It says false when there is one with this id already.
func (s *State) Open(merchant, id, detail string, createdAt time.Time) bool {
	if !s.openNew(merchant, id, detail, createdAt) {
		return false
	}
	s.consumerActed(merchant, id, "CREATE_COMPLAINT")
	return true
}

func (s *State) openNew(merchant, id, detail string, createdAt time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := complaintKey{merchant, id}
	if s.complaints[key] != nil {
		return false
	}
	s.changed(s.open(key, detail, createdAt))
	return true
}

// Since returns copies of the calls that arrived at or after a time, the oldest first.
func (r *Recorder) Since(t time.Time) []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := len(r.calls)
	for i > 0 && !r.calls[i-1].At.Before(t) {
		i--
	}
	return append([]Call(nil), r.calls[i:]...)
}

// LocalOnly lets through what a program on this machine or a page of this very origin sends, and nothing else: it looks
// at Host and Origin. [World.Serve] has it before everything that it serves.
func LocalOnly(next http.Handler) http.Handler { return localOnly(next) }

// IsDown tells whether the host refuses connections.
func (h *Host) IsDown() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.server == nil
}
