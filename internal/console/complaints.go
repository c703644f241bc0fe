package console

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const (
	wordsLimit = 10_000  // characters of a complaint
	hoursLimit = 30 * 24 // how old a new complaint can be
	itemMost   = 300     // things said that a page is told of in one conversation, the latest ones
)

// talk is one complaint in full, as the page shows its conversation.
type talk struct {
	row
	Words     string    `json:"words"`
	Immediate bool      `json:"immediate"`
	Items     []item    `json:"items"`   // the oldest first
	Dropped   int       `json:"dropped"` // how many earlier ones were left out
	Results   []outcome `json:"results"` // the oldest first
	Events    []notice  `json:"events"`  // the oldest first
}

// item is one thing that was said or done.
type item struct {
	Kind string    `json:"kind"` // complained, again, answered (the consumer), reply, done (the merchant)
	At   time.Time `json:"at"`
	Text string    `json:"text"`

	Images        []picture `json:"images,omitempty"`
	JumpURL       string    `json:"jump_url,omitempty"`
	JumpURLText   string    `json:"jump_url_text,omitempty"`
	MiniProgram   string    `json:"mini_program,omitempty"`
	TransactionID string    `json:"transaction_id,omitempty"`
}

// picture is a picture's id, and whether the sandbox has it to show.
type picture struct {
	ID    string `json:"id"`
	Shown bool   `json:"shown"`
}

// said are the kinds of the consumer's steps in a history.
var said = map[string]string{"USER_CREATE_COMPLAINT": "complained", "USER_CONTINUE_COMPLAINT": "again",
	"USER_RESPONSE": "answered"}

// talk is one complaint in full; false when there is none.
func (c *Console) talk(merchant, id string) (talk, bool) {
	x, ok := c.world.State.Complaint(merchant, id)
	if !ok {
		return talk{}, false
	}
	c.refresh()
	view := talk{Immediate: x.Immediate, Words: cut(x.Words(), wordsLimit)}
	view.row, view.Results, view.Events = c.board.of(complaintKey{merchant, id})
	for _, step := range x.History {
		if kind := said[step.Type]; kind != "" {
			text := cut(step.Details, wordsLimit)
			view.Items = append(view.Items, item{Kind: kind, At: step.At, Text: text, Images: c.pictures(step.Images)})
		}
	}
	for _, r := range x.Replies {
		view.Items = append(view.Items, item{Kind: "reply", At: r.At, Text: r.Content, Images: c.pictures(r.Images),
			JumpURL: r.JumpURL, JumpURLText: r.JumpURLText, MiniProgram: r.MiniProgram, TransactionID: r.TransactionID})
	}
	if !x.ProcessedAt.IsZero() {
		view.Items = append(view.Items, item{Kind: "done", At: x.ProcessedAt})
	}
	slices.SortStableFunc(view.Items, func(a, b item) int { return a.At.Compare(b.At) })
	view.Dropped = max(0, len(view.Items)-itemMost)
	view.Items = view.Items[view.Dropped:]
	return view, true
}

func (c *Console) pictures(ids []string) []picture {
	var all []picture
	for _, id := range ids {
		_, ok := c.world.State.Picture(id)
		all = append(all, picture{id, ok})
	}
	return all
}

// serveTalk gives one complaint in full: GET /console/complaints/{merchant}/{id}.
func (c *Console) serveTalk(w http.ResponseWriter, r *http.Request) {
	view, ok := c.talk(r.PathValue("merchant"), r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound, "there is no such complaint")
		return
	}
	answer(w, http.StatusOK, "application/json", view)
}

// handle takes a person's word that an unknown outcome is seen to: POST {"merchant","complaint_id"}.
func (c *Console) handle(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Merchant    string `json:"merchant"`
		ComplaintID string `json:"complaint_id"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if !c.board.handle(complaintKey{in.Merchant, in.ComplaintID}, time.Now()) {
		refuse(w, http.StatusNotFound, "there is no such complaint")
		return
	}
	c.journal.Touch()
	answer(w, http.StatusOK, "application/json", struct{}{})
}

// cut bounds a text to a number of characters.
func cut(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
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

// carrier is a merchant with what its secret says of how its replies travel, which decides what a reply may hold.
type carrier struct {
	Name    string `json:"name"`
	Through string `json:"through"` // imageco or wechatpay
	GBK     bool   `json:"gbk"`     // a reply may hold GBK's characters only
}

func (c *Console) carriers() []carrier {
	var all []carrier
	for _, name := range c.merchants() {
		var secret struct {
			ReplyThrough string `json:"reply_through"`
			Imageco      struct {
				Format      string `json:"format"`
				SignCharset string `json:"sign_charset"`
			} `json:"imageco"`
		}
		text, _, _ := c.world.Secrets.Get(sandbox.SecretPrefix + name)
		_ = json.Unmarshal([]byte(text), &secret) // a secret of the sandbox's own making
		through := cmp.Or(secret.ReplyThrough, "imageco")
		gbk := through == "imageco" && (secret.Imageco.Format == "xml" || secret.Imageco.SignCharset == "gbk")
		all = append(all, carrier{name, through, gbk})
	}
	return all
}
