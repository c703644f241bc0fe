package simulation

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/imageco"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/signing"
)

// imageco is 翼码's gateway: it verifies, shows the reply to the consumer as often as it is asked to, and answers.
type imageco struct{}

// replyRequest is what a reply says, as the gateway reads it.
type replyRequest struct {
	Complaint string `json:"complaint_id"`
	Txn       string `json:"transaction_id"`
	Content   string `json:"response_content"`
	Images    string `json:"response_images"`
	ISSPID    string `json:"isspid"`
	System    string `json:"system_id"`
	Seller    string `json:"seller_account"`
	Kind      string `json:"request_type"`
	Sign      string `json:"sign"`
}

// read takes the message out of a request, and the version of the merchant's key that it is signed with; -1 is none.
func (g imageco) read(a *attempt) (replyRequest, int) {
	if a.reply == nil {
		r, version := g.parse(a)
		a.reply, a.version = &r, version
	}
	return *a.reply, a.version
}

// pictures is how many the reply shows.
func (r replyRequest) pictures() int {
	if r.Images == "" {
		return 0
	}
	return strings.Count(r.Images, "|") + 1
}

func (imageco) parse(a *attempt) (replyRequest, int) {
	m := a.w.merchants[a.v.command.merchant]
	var r replyRequest
	if !m.xml {
		if json.Unmarshal(a.body, &r) != nil {
			return r, -1
		}
		sign := func(key string) bool { return signing.EqualMD5(r.Sign, signing.ImagecoJSON(key, r.members(m.gbk))) }
		return r, m.signedWith(sign)
	}
	form, err := url.ParseQuery(string(a.body))
	if err != nil {
		return r, -1
	}
	doc := form.Get("xml")
	utf8, err := simplifiedchinese.GBK.NewDecoder().String(doc)
	if err != nil {
		return r, -1
	}
	element := func(name string) string {
		_, rest, _ := strings.Cut(utf8, "<"+name+">")
		text, _, _ := strings.Cut(rest, "</"+name+">")
		return text
	}
	r = replyRequest{Complaint: element("complaint_id"), Txn: element("transaction_id"), Content: element("response_content"),
		Images: element("response_images")}
	return r, m.signedWith(func(key string) bool {
		return signing.EqualMD5(form.Get("mac"), signing.ImagecoXML(key, []byte(doc)))
	})
}

func (r replyRequest) members(gbk bool) []signing.Member {
	members := []signing.Member{
		{Name: "complaint_id", Value: r.Complaint}, {Name: "transaction_id", Value: r.Txn}, {Name: "response_content", Value: r.Content},
		{Name: "isspid", Value: r.ISSPID}, {Name: "system_id", Value: r.System}, {Name: "seller_account", Value: r.Seller},
		{Name: "request_type", Value: r.Kind},
	}
	if r.Images != "" {
		members = append(members, signing.Member{Name: "response_images", Value: r.Images})
	}
	return inGBK(members, gbk)
}

// inGBK puts the values into the charset that the sign is computed over.
func inGBK(members []signing.Member, wanted bool) []signing.Member {
	for i := range members {
		if encoded, err := gbk.Encode(members[i].Value); wanted && err == nil {
			members[i].Value = string(encoded)
		}
	}
	return members
}

// signedWith finds the version of the 翼码 key for which right is true.
func (m *seller) signedWith(right func(key string) bool) int {
	for version := len(m.texts) - 1; version >= 0; version-- {
		if right(m.imagecoKey(version)) {
			return version
		}
	}
	return -1
}

// act implements server.
func (g imageco) act(a *attempt) string {
	m := a.w.merchants[a.v.command.merchant]
	r, version := g.read(a)
	if !m.accepts(version, time.Since(a.w.began)) {
		return "6100"
	}
	a.w.shown(a, r)
	return messages.Succeeded
}

// answer implements server.
func (g imageco) answer(a *attempt, code string) *http.Response {
	r, _ := g.read(a)
	return g.say(a, r, code, rightSign)
}

// The ways to sign an answer.
type signs int

const (
	rightSign signs = iota
	wrongSign
	noSign
	testSign // WeChat Pay's SIGNTEST
	oldSign  // right, ten minutes ago
)

func (g imageco) say(a *attempt, r replyRequest, code string, how signs) *http.Response {
	m := a.w.merchants[a.v.command.merchant]
	_, version := g.read(a) // the gateway answers with the key that it was asked with
	key := m.imagecoKey(max(version, 0))
	if how == wrongSign {
		key = "somebody else's"
	}
	if m.xml {
		doc := `<?xml version="1.0" encoding="UTF-8"?><business_trans><response_type>risk_complaints_resp_response</response_type><transaction_id>` +
			r.Txn + `</transaction_id><complaint_id>` + r.Complaint + `</complaint_id><result><id>` + code + `</id><comment>said</comment></result></business_trans>`
		if how == noSign {
			return a.plain(http.StatusOK, doc)
		}
		return a.plain(http.StatusOK, "xml="+url.QueryEscape(doc)+"&mac="+signing.ImagecoXML(key, []byte(doc)))
	}
	answer := map[string]any{
		"response_type": "risk_complaints_resp_response", "transaction_id": r.Txn, "complaint_id": r.Complaint,
		"result": map[string]string{"id": code, "comment": "said"},
	}
	if how != noSign {
		answer["sign"] = signing.ImagecoJSON(key, []signing.Member{
			{Name: "response_type", Value: "risk_complaints_resp_response"},
			{Name: "transaction_id", Value: r.Txn}, {Name: "complaint_id", Value: r.Complaint},
		})
	}
	return a.bytes(http.StatusOK, encode(answer))
}

// misbehave implements server.
func (g imageco) misbehave(a *attempt) *http.Response {
	acted := a.odd()
	switch a.fault {
	case refuses:
		if a.one(5) == 0 {
			return a.plain(http.StatusForbidden, "<html>forbidden</html>")
		}
		r, _ := g.read(a)
		return g.say(a, r, []string{"7001", "5200", "3101", "6103"}[a.one(4)], rightSign)
	case refusesKey:
		r, _ := g.read(a)
		return g.say(a, r, "6100", rightSign)
	case forges:
		// Where a wrong sign is only warned of, a forger that did nothing would be believed, as documented; so there the
		// forged answer comes from a gateway that did act.
		acted = acted || !a.w.enforce
		return g.sayAfter(a, acted, messages.Succeeded, wrongSign, "")
	case unsigned:
		return g.sayAfter(a, true, messages.Succeeded, noSign, "")
	case echoesForeign:
		return g.sayAfter(a, acted, messages.Succeeded, rightSign, "9")
	case foreignNo:
		return g.sayAfter(a, acted, "7001", rightSign, "9")
	case timedOut:
		return g.sayAfter(a, acted, messages.TimedOut, rightSign, "")
	}
	return nil
}

// sayAfter answers with code after acting or without; foreign is put before the echoed id. What the honest answer is,
// when the gateway acted and refused, is said instead.
func (g imageco) sayAfter(a *attempt, acted bool, code string, how signs, foreign string) *http.Response {
	if acted {
		if honest := a.act(); honest != messages.Succeeded {
			code, foreign, a.honest = honest, "", true
		}
	}
	r, _ := g.read(a)
	if a.one(2) == 0 {
		r.Txn = foreign + r.Txn
	} else {
		r.Complaint = foreign + r.Complaint
	}
	return g.say(a, r, code, how)
}
