package simulation

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// complaint is what WeChat Pay keeps of one complaint.
type complaint struct {
	id        string
	items     []item
	immediate bool            // the consumer asks for immediate service
	page      int             // how many items a page of its history holds at most
	uncounted bool            // its history does not say how many items there are
	seconds   bool            // its times have seconds only
	twins     bool            // two commands say the same words to it
	shownFor  map[string]bool // by idempotent_id

	succeeded map[*command]bool // replies that were told to have succeeded
	proved    map[string]*group // by log id: the reply that an item was told to show
}

// item is an entry of a complaint's history.
type item struct {
	logID    string
	at       time.Time // as it is told
	shown    time.Time // from when on the history shows it; zero: never
	kind     string
	text     string
	pictures int
	visit    *visit // whose reply it is; nil for what others wrote
}

func (w *world) newComplaint(id string, n uint64) *complaint {
	c := &complaint{id: id, page: 100, shownFor: map[string]bool{}, succeeded: map[*command]bool{}, proved: map[string]*group{}}
	c.immediate = w.dice.share(placeHistory, n, 0) < 0.9
	c.uncounted = w.dice.share(placeHistory, n, 1) < 0.3
	c.seconds = w.dice.share(placeHistory, n, 2) < 0.6
	if w.dice.share(placeHistory, n, 3) < 0.2 {
		c.page = 2
	}
	return c
}

// add puts an item into the history, as the complaint tells times.
func (c *complaint) add(i item) {
	if c.seconds {
		i.at = i.at.Truncate(time.Second)
	}
	i.logID = fmt.Sprintf("%s%06d", c.id, len(c.items))
	c.items = append(c.items, i)
}

// addReply puts a reply that the consumer sees into the history: most show at once, some late, a few never. 翼码 may
// change its words. w.mu is held.
func (w *world) addReply(v *visit, changes bool) {
	now, n := time.Now(), uint64(v.effects)
	after := w.dice.span(placeHistory, v.id, n+100, 20*time.Millisecond, 900*time.Millisecond)
	share := w.dice.share(placeHistory, v.id, n+200)
	switch {
	case share < 0.008:
		after = w.dice.span(placeHistory, v.id, n+300, 20*time.Minute, 3*time.Hour)
	case share < 0.05:
		after = w.dice.span(placeHistory, v.id, n+300, 40*time.Second, 6*time.Minute)
	case share < 0.15:
		after = w.dice.span(placeHistory, v.id, n+300, 2*time.Second, 40*time.Second)
	}
	i := item{at: now, shown: now.Add(after), kind: messages.MerchantResponse, text: v.command.content, pictures: v.command.pictures, visit: v}
	switch {
	case w.options.Faults == 0:
		i.shown = now
	case share > 0.998:
		i.shown = time.Time{}
	case share > 0.996 && changes:
		i.text = "【客服】" + i.text
	}
	v.command.group.file.add(i)
}

// addStrangers puts into the histories what is like a reply and is none: the same words long before it, with other
// pictures, or of the consumer's; and words that are nearly the same.
func (w *world) addStrangers(list []*command) {
	for _, c := range list {
		file, n := c.group.file, uint64(c.index)
		if c.action != wire.Reply || len(file.items) > 0 {
			continue
		}
		around := func(k uint64) time.Time {
			return w.began.Add(c.start + w.dice.span(placeHistory, n, k, -time.Minute, 2*time.Minute))
		}
		for k, i := range []item{
			{at: w.began.Add(c.start - w.dice.span(placeHistory, n, 10, 15*time.Second, 72*time.Hour)), kind: messages.MerchantResponse, text: c.content, pictures: c.pictures},
			{at: around(11), kind: messages.MerchantResponse, text: c.content, pictures: c.pictures + 5},
			{at: around(12), kind: messages.MerchantResponse, text: c.content + "。", pictures: c.pictures},
			{at: around(13), kind: "USER_RESPONSE", text: c.content, pictures: c.pictures},
		} {
			if i.shown = i.at; w.dice.share(placeHistory, n, 20+uint64(k)) < 0.2 {
				file.add(i)
			}
		}
	}
}

// look is what a visit's latest look was shown.
type look struct {
	own   bool // the reply that it looked for, as the visit's own command was carried out
	whole bool
}

// history is the page that an attempt asks for, of the history as it was at a time. honest is whether it is answered to.
func (wechatpay) history(a *attempt, asOf time.Time, honest bool) string {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	v, file := a.v, a.v.command.group.file
	query := a.request.URL.Query()
	limit, _ := strconv.Atoi(query.Get("limit"))
	offset, _ := strconv.Atoi(query.Get("offset"))
	if limit != 100 || offset < 0 {
		a.w.violate(v, KindOther, "a page of %d from %d", limit, offset)
	}
	var items []item
	for _, i := range file.items {
		if !i.shown.IsZero() && !i.shown.After(asOf) {
			items = append(items, i)
		}
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(hashText(a.logID), hashText(b.logID)) })
	total := len(items)
	items = items[min(offset, total):min(offset+file.page, total)]
	if offset == 0 {
		v.lastLook = look{}
	}
	if honest {
		v.lastLook.whole = offset+len(items) == total
		v.lastLook.own = v.lastLook.own || slices.ContainsFunc(items, v.owns)
	}
	return page(items, file, total, offset)
}

// owns reports whether an item is the visit's own reply, in its own words and not older than the claim as a look sees it.
func (v *visit) owns(i item) bool {
	g := v.command.group
	return i.visit != nil && i.visit.command.group == g && i.text == v.command.content && !i.at.Before(g.earliest())
}

// earliest is the oldest item that a look may take for the reply: contract, section 6.1.
func (g *group) earliest() time.Time { return g.firstClaim.Truncate(time.Second).Add(-2 * time.Second) }

// page writes items as WeChat Pay does: each complaint's in a way of its own.
func page(items []item, file *complaint, total, offset int) string {
	var b strings.Builder
	b.WriteString(`{"data":[`)
	for n, i := range items {
		if n > 0 {
			b.WriteByte(',')
		}
		format := time.RFC3339Nano
		if file.seconds {
			format = time.RFC3339
		}
		at := i.at.In(china).Format(format)
		b.WriteString(`{"log_id":"` + i.logID + `","operator":"商家","operate_time":"` + at + `","operate_type":"` + i.kind + `",`)
		b.WriteString(said(i, hashText(i.logID)))
		b.WriteByte('}')
	}
	b.WriteByte(']')
	if !file.uncounted && offset == 0 {
		b.WriteString(`,"total_count":` + strconv.Itoa(total))
	}
	b.WriteByte('}')
	return b.String()
}

// said writes what an item says, in one of three ways.
func said(i item, way uint64) string {
	pictures := strings.TrimSuffix(strings.Repeat(`"https://example.test/p",`, i.pictures), ",")
	switch way % 3 {
	case 0:
		return `"operate_details":"` + i.text + `","image_list":[` + pictures + `]`
	case 1:
		return `"operate_details":"` + i.text + `\r\n","complaint_media_list":{"media_type":"OPERATION_IMAGE","media_url":[` + pictures + `]}`
	}
	blocks := `{"type":"TEXT","text":{"text":"` + i.text + `"}}` + strings.Repeat(`,{"type":"IMAGE","image":{"media_id":"m"}}`, i.pictures)
	return `"operate_details":"","normal_message":{"blocks":[` + blocks + `]}`
}

// invented is a history that shows what is looked for, whatever happened.
func (wechatpay) invented(a *attempt) string {
	c := a.v.command
	i := item{logID: "9" + c.group.complaint, at: time.Now(), kind: messages.MerchantResponse, text: c.content, pictures: c.pictures}
	return page([]item{i}, c.group.file, 1, 0)
}

// wechatpayStep is what a request asks WeChat Pay for.
func wechatpayStep(r *http.Request) step {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/negotiation-historys"):
		return stepHistory
	case r.Method == http.MethodGet:
		return stepState
	case strings.HasSuffix(path, "/complete"):
		return stepSettle
	}
	return stepRespond
}

// china is the time zone in which WeChat Pay tells times.
var china = time.FixedZone("CST", 8*60*60)
