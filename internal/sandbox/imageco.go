package sandbox

import (
	"net/http"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/signing"
)

// The result.id values that the stand-in refuses with. 翼码 documents 0000, 5200 and the families 61xx and 70xx; the others
// are ours, and stand for "any other id".
const (
	imagecoOK               = "0000"
	imagecoUnknownAccount   = "5200"
	imagecoWrongSign        = "6100"
	imagecoWrongSystem      = "7001"
	imagecoWrongSeller      = "7002"
	imagecoMissingMember    = "2001"
	imagecoTooLong          = "2002"
	imagecoWrongMember      = "2003"
	imagecoWrongForm        = "2004"
	imagecoUnknownComplaint = "3001"
)

// ImagecoAccount is what 翼码 knows about one merchant.
type ImagecoAccount struct {
	Merchant string // the sandbox's name for it
	ISSPID   string
	SystemID string
	Key      string
	// OldKey is taken too while a key is being changed; "" for none.
	OldKey string
	// SignGBK says that the JSON sign is computed over GBK bytes, in both directions.
	SignGBK bool
	// XML says that the merchant talks GBK XML; otherwise it talks JSON. The other form is refused.
	XML bool
	// SellerAccounts are the accounts that the merchant may name; a message that names another is refused.
	SellerAccounts []string
}

// Imageco is 翼码's gateway, section 4.73 of its documentation (https://open.wangcaio2o.com/docs/ipos-sa/1845): the reply to
// a complaint, in JSON and in GBK XML. It may be used by several goroutines at once.
type Imageco struct {
	state *State

	mu       sync.Mutex
	accounts map[string]ImagecoAccount // by isspid
	bareXML  bool
}

// NewImageco makes a gateway that knows no merchant yet.
func NewImageco(state *State) *Imageco {
	return &Imageco{state: state, accounts: map[string]ImagecoAccount{}}
}

// Register makes an account known, or replaces the one with the same ISSPID.
func (g *Imageco) Register(a ImagecoAccount) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts[a.ISSPID] = a
}

// AnswerBareXML makes XML answers bare documents, without a mac; by default they are form-encoded members xml and mac. The
// documentation does not say which it is.
func (g *Imageco) AnswerBareXML(bare bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bareXML = bare
}

func (g *Imageco) account(isspid string) (ImagecoAccount, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, ok := g.accounts[isspid]
	return a, ok
}

// verdict is the gateway's result node.
type verdict struct{ id, comment string }

var _ gateway = (*Imageco)(nil)

func (g *Imageco) act(r *http.Request, body []byte, f *Fault, c *Call) answer {
	m, status, err := readImageco(r, body)
	if err != nil {
		c.Problem = err.Error()
		return plainAnswer(status, err.Error())
	}
	if m.get("request_type") == detailRequest {
		return g.detail(m, f, c)
	}
	account, key, v := g.authenticate(m)
	c.Merchant, c.ComplaintID = account.Merchant, m.get("complaint_id")
	if v.id == "" {
		v = m.check()
	}
	if v.id == "" {
		v = account.check(m)
	}
	if v.id == "" {
		v = g.reply(account, m, c)
	}
	c.Code = v.id
	if v.id != imagecoOK {
		c.Problem = v.comment
	}
	return g.answer(m, account, key, v, f)
}

// reply shows the reply that the message asks for.
func (g *Imageco) reply(account ImagecoAccount, m *imagecoMessage, c *Call) verdict {
	_, existed := g.state.reply(account.Merchant, m.get("complaint_id"), ReplyEffect{
		TransactionID: m.get("transaction_id"), Content: m.get("response_content"), Images: m.images(),
		JumpURL: m.get("jump_url"), JumpURLText: m.get("jump_url_text"),
	})
	if !existed {
		return verdict{imagecoUnknownComplaint, "投诉单不存在"}
	}
	c.Acted = true
	return verdict{imagecoOK, "回复成功"}
}

func (g *Imageco) refuse(r *http.Request, body []byte, f *Fault, c *Call) answer {
	c.Code = f.Code
	if f.Body != nil || f.Code == "" {
		return answer{status: max(f.Status, 200), header: http.Header{"Content-Type": {"text/plain"}}, body: f.Body}
	}
	m, status, err := readImageco(r, body)
	if err != nil {
		return plainAnswer(status, err.Error())
	}
	account, key, _ := g.authenticate(m)
	c.Merchant, c.ComplaintID = account.Merchant, m.get("complaint_id")
	a := g.answer(m, account, key, verdict{f.Code, f.Message}, f)
	a.status = max(f.Status, 200)
	return a
}

// authenticate finds the account and the key that the message is signed with. A verdict without an id means that both
// are there.
func (g *Imageco) authenticate(m *imagecoMessage) (ImagecoAccount, string, verdict) {
	account, ok := g.account(m.get("isspid"))
	if !ok {
		return account, "", verdict{imagecoUnknownAccount, "商户不存在"}
	}
	for _, key := range []string{account.Key, account.OldKey} {
		if key != "" && m.signedWith(key, account.SignGBK) {
			return account, key, verdict{}
		}
	}
	return account, account.Key, verdict{imagecoWrongSign, "签名错误"}
}

// imagecoMessage is one request, in whichever form it came.
type imagecoMessage struct {
	members []signing.Member // in order, as text
	xml     []byte           // the document as it came; nil for JSON
	mac     string           // XML only
}

func (m *imagecoMessage) get(name string) string {
	for _, member := range m.members {
		if member.Name == name {
			return member.Value
		}
	}
	return ""
}

func (m *imagecoMessage) has(name string) bool {
	return slices.ContainsFunc(m.members, func(x signing.Member) bool { return x.Name == name })
}

// signedWith compares in exact case: the documentation prints the sign in upper and the mac in lower case.
func (m *imagecoMessage) signedWith(key string, gbk bool) bool {
	if m.xml != nil {
		return m.mac == signing.ImagecoXML(key, m.xml)
	}
	sign, ok := signJSON(key, m.members, gbk)
	return ok && m.get("sign") == sign
}

// check holds the message against what was agreed with the merchant. 翼码 documents that each merchant has a platform, an
// account and a form of message; which code it refuses another with is not documented.
func (a ImagecoAccount) check(m *imagecoMessage) verdict {
	switch {
	case (m.xml != nil) != a.XML:
		return verdict{imagecoWrongForm, "报文格式与商户约定的不一致"}
	case m.get("system_id") != a.SystemID:
		return verdict{imagecoWrongSystem, "系统平台号错误"}
	case !slices.Contains(a.SellerAccounts, m.get("seller_account")):
		return verdict{imagecoWrongSeller, "seller_account与商户不一致"}
	}
	return verdict{}
}

type imagecoField struct {
	name     string
	limit    int
	required bool
}

// imagecoFields are the request's members with their limits in characters, from the table in section 4.73.
var imagecoFields = []imagecoField{
	{"request_type", 32, true}, {"isspid", 8, true}, {"transaction_id", 32, true}, {"system_id", 4, true},
	{"seller_account", 64, true}, {"complaint_id", 64, true}, {"response_content", 200, true},
	{"response_images", 4*512 + 3, false}, {"jump_url", 512, false}, {"jump_url_text", 10, false},
}

// check holds the message against the documentation. A verdict without an id means that it may go ahead.
func (m *imagecoMessage) check() verdict {
	for _, field := range imagecoFields {
		n := utf8.RuneCountInString(m.get(field.name))
		switch {
		case n == 0 && (field.required || m.has(field.name)):
			return verdict{imagecoMissingMember, field.name + "不能为空"}
		case n > field.limit:
			return verdict{imagecoTooLong, field.name + "超长"}
		}
	}
	for _, member := range m.members {
		known := slices.ContainsFunc(imagecoFields, func(f imagecoField) bool { return f.name == member.Name })
		if !known && member.Name != "sign" {
			return verdict{imagecoWrongMember, "报文格式错误"}
		}
	}
	switch {
	case m.get("request_type") != "risk_complaints_resp_request":
		return verdict{imagecoWrongMember, "request_type错误"}
	case len(m.images()) > 4:
		return verdict{imagecoTooLong, "response_images超长"}
	case m.has("jump_url") != m.has("jump_url_text"):
		return verdict{imagecoMissingMember, "jump_url与jump_url_text须同时传入"}
	}
	return verdict{}
}
