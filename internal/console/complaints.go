package console

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const (
	wordsLimit    = 10_000  // characters of a complaint
	hoursLimit    = 30 * 24 // how old a new complaint can be
	complaintMost = 200     // complaints that a page is told of, the latest ones
	replyMost     = 20      // replies of each of them, the latest ones
)

// complaint is a complaint as the page shows it.
type complaint struct {
	Merchant    string     `json:"merchant"`
	ID          string     `json:"id"`
	State       string     `json:"state"`
	Words       string     `json:"words"`
	CreatedAt   time.Time  `json:"created_at"`
	ProcessedAt *time.Time `json:"processed_at"`
	Replies     []shown    `json:"replies"`
	Shown       int        `json:"shown"` // how many replies the consumer was shown
}

// shown is a reply as the consumer sees it.
type shown struct {
	At            time.Time `json:"at"`
	Content       string    `json:"content"`
	Images        []string  `json:"images"`
	JumpURL       string    `json:"jump_url"`
	JumpURLText   string    `json:"jump_url_text"`
	TransactionID string    `json:"transaction_id"`
}

// complaints are the latest complaints, the newest first.
func (c *Console) complaints() []complaint {
	all := c.world.State.Complaints()
	slices.SortStableFunc(all, func(a, b sandbox.Complaint) int { return b.CreatedAt.Compare(a.CreatedAt) })
	out := []complaint{}
	for _, x := range all[:min(len(all), complaintMost)] {
		view := complaint{Merchant: x.Merchant, ID: x.ID, State: string(x.State), Words: cut(x.Words()), CreatedAt: x.CreatedAt, Replies: []shown{}, Shown: len(x.Replies)}
		if !x.ProcessedAt.IsZero() {
			view.ProcessedAt = &x.ProcessedAt
		}
		for _, r := range x.Replies[max(0, len(x.Replies)-replyMost):] {
			view.Replies = append(view.Replies, shown{r.At, r.Content, r.Images, r.JumpURL, r.JumpURLText, r.TransactionID})
		}
		out = append(out, view)
	}
	return out
}

// cut bounds a text to wordsLimit characters.
func cut(s string) string {
	n := 0
	for i := range s {
		if n == wordsLimit {
			return s[:i]
		}
		n++
	}
	return s
}

// openComplaint makes a complaint: POST {"merchant","words","hours_ago"}.
func (c *Console) openComplaint(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Merchant string `json:"merchant"`
		Words    string `json:"words"`
		HoursAgo int    `json:"hours_ago"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	switch {
	case !slices.Contains(c.merchants(), in.Merchant):
		refuse(w, http.StatusBadRequest, "there is no such merchant")
	case utf8.RuneCountInString(in.Words) > wordsLimit:
		refuse(w, http.StatusBadRequest, fmt.Sprintf("a complaint has at most %d characters", wordsLimit))
	case in.HoursAgo < 0 || in.HoursAgo > hoursLimit:
		refuse(w, http.StatusBadRequest, fmt.Sprintf("a complaint is 0 to %d hours old", hoursLimit))
	default:
		at := time.Now().Add(-time.Duration(in.HoursAgo) * time.Hour)
		id := newComplaintID(at)
		c.world.State.Open(in.Merchant, id, in.Words, at)
		c.journal.Touch()
		answer(w, http.StatusCreated, "application/json", map[string]string{"complaint_id": id, "merchant": in.Merchant})
	}
}

// newComplaintID is a number as WeChat Pay's are: the day and the time are in it.
func newComplaintID(at time.Time) string {
	n, err := rand.Int(rand.Reader, big.NewInt(900_000))
	if err != nil { // crypto/rand's Reader never fails
		n = big.NewInt(0)
	}
	return "2002018" + at.UTC().Format("20060102150405") + fmt.Sprint(100_000+n.Int64())
}

// merchants are the demo's merchants by name.
func (c *Console) merchants() []string {
	return []string{c.world.Acme.Name, c.world.XML.Name, c.world.WrongKey.Name}
}
