package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// The limits of the request members, in characters (Unicode code points), from the contract's section 2.
const (
	IDMax               = 64
	ResponseContentMax  = 500
	ImagecoContentMax   = 200 // through 翼码, told once the secret is read
	ResponseImagesMax   = 4
	ResponseImageMax    = 512
	JumpURLMax          = 512
	JumpURLTextMax      = 10
	SellerAccountMax    = 64
	AppIDMax            = 32
	MiniProgramPathMax  = 512
	transactionIDMin    = 13
	transactionIDMax    = 32
	IdempotencyKeyMax   = 128
	ImageIDSeparator    = "|" // between media ids in 翼码's response_images
	replacementMark     = '\uFFFD'
	maxBMP              = 0xFFFF
	detailNotString     = "must be a string"
	detailBadCharacters = "may hold only %s"
)

// rule is one member of the request table.
type rule struct {
	name     string
	required bool
	text     text // the value, for a member that is a string
	lines    bool // line ends of any kind become line feeds before anything else is done with the value
	set      func(*Command, string)
	other    func(*Command, json.RawMessage) []Problem // reads a member that is not a string

	// content is what the member adds to what the command asks for: the payload hash is made over it, and a merchant
	// whose messages are in GBK must be able to write it. Either it is given or beside says why not.
	content       func(*Command) []string
	beside        string // why the member takes no part in what the command asks for
	array         bool   // content has one entry for each of the member's own
	onlyWechatPay bool   // 翼码 has nothing for it
}

// one is the content of a member that is a string.
func one(of func(*Command) string) func(*Command) []string {
	return func(c *Command) []string { return []string{of(c)} }
}

// The request table of the contract's section 2, one row a member. Its order is that of the payload hash, by which the
// ledger knows what was sent: a new member is added at the end of what has content, and its content is empty when it is
// not given.
var (
	merchantRule = rule{
		name:     "merchant",
		required: true,
		text:     idText,
		set:      func(c *Command, v string) { c.Merchant = v },
	}
	complaintRule = rule{
		name:     "complaint_id",
		required: true,
		text:     idText,
		set:      func(c *Command, v string) { c.ComplaintID = v },
	}

	keyRule = rule{name: "idempotency_key", text: keyText, set: func(c *Command, v string) { c.IdempotencyKey = v },
		beside: "it is what the content is filed under"}

	replyRules = []rule{
		{name: "response_content", required: true, text: text{max: ResponseContentMax, lineFeed: true}, lines: true,
			set:     func(c *Command, v string) { c.ResponseContent = v },
			content: one(func(c *Command) string { return c.ResponseContent })},
		{
			name:    "jump_url",
			text:    text{max: JumpURLMax, check: jumpURL},
			set:     func(c *Command, v string) { c.JumpURL = v },
			content: one(func(c *Command) string { return c.JumpURL }),
		},
		{name: "jump_url_text", text: text{max: JumpURLTextMax}, set: func(c *Command, v string) { c.JumpURLText = v },
			content: one(func(c *Command) string { return c.JumpURLText })},
		{
			name:    "seller_account",
			text:    text{max: SellerAccountMax},
			set:     func(c *Command, v string) { c.SellerAccount = v },
			content: one(func(c *Command) string { return c.SellerAccount }),
		},
		{name: "response_images", other: readImages, array: true,
			content: func(c *Command) []string { return c.ResponseImages }},
		{name: "mini_program_jump_info", other: readMiniProgram, onlyWechatPay: true, content: miniProgramContent},
		{name: "immediate_service", other: readImmediateService, onlyWechatPay: true, content: immediateContent},
		{name: "transaction_id", text: text{min: transactionIDMin, max: transactionIDMax, only: isAlphanumeric,
			onlyWords: "0-9, A-Z and a-z"}, set: func(c *Command, v string) { c.TransactionID = v },
			beside: "the ledger keeps the one that was sent first"},
		{name: "resend_unknown", other: readResendUnknown, beside: "it says how to send and not what"},
		keyRule,
	}
	completeRules = []rule{
		{name: "complainted_mchid", text: idText, set: func(c *Command, v string) { c.ComplaintedMchid = v },
			content: one(func(c *Command) string { return c.ComplaintedMchid })},
		keyRule,
	}

	idText  = text{max: IDMax, only: idCharacter, onlyWords: "0-9, A-Z, a-z, _ and -"}
	keyText = text{max: IdempotencyKeyMax, only: printableASCII, onlyWords: "printable ASCII"}
	imageID = text{max: ResponseImageMax, check: noSeparator}

	// The members of mini_program_jump_info: https://pay.weixin.qq.com/doc/v3/merchant/4012467254.
	appIDText       = text{max: AppIDMax, only: idCharacter, onlyWords: "0-9, A-Z, a-z, _ and -"}
	miniProgramPath = text{max: MiniProgramPathMax}
	miniProgramText = text{max: JumpURLTextMax}
)

// ValidID reports whether s can name a merchant or a complaint: 1 to 64 of 0-9, A-Z, a-z, _ and -.
func ValidID(s string) bool { return len(idText.problems(s)) == 0 }

func (r rule) read(c *Command, raw json.RawMessage) []Problem {
	if r.other != nil {
		return r.other(c, raw)
	}
	value, ok := strictjson.Text(raw)
	if !ok {
		return []Problem{{Pointer(r.name), detailNotString}}
	}
	if r.lines {
		value = lineFeeds.Replace(value)
	}
	return r.take(c, value)
}

// lineFeeds ends lines as WeChat Pay's pages do; an HTML form ends them with CR LF.
var lineFeeds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// take puts value into the command when nothing is wrong with it.
func (r rule) take(c *Command, value string) []Problem {
	var problems []Problem
	for _, p := range r.text.problems(value) {
		problems = append(problems, Problem{Pointer(r.name), p})
	}
	if len(problems) == 0 {
		r.set(c, value)
	}
	return problems
}

// noSeparator keeps one media id from becoming two: they travel joined with "|".
func noSeparator(value string) string {
	if strings.Contains(value, ImageIDSeparator) {
		return "must not hold " + ImageIDSeparator
	}
	return ""
}

func readImages(c *Command, raw json.RawMessage) []Problem {
	const name = "response_images"
	var images []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &images) != nil {
		return []Problem{{Pointer(name), "must be an array of strings"}}
	}
	var problems []Problem
	if len(images) < 1 || len(images) > ResponseImagesMax {
		problems = append(problems, Problem{Pointer(name),
			fmt.Sprintf("must have 1 to %d media ids, has %d", ResponseImagesMax, len(images))})
	}
	for i, raw := range images {
		pointer := fmt.Sprintf("/%s/%d", name, i)
		id, ok := strictjson.Text(raw)
		if !ok {
			problems = append(problems, Problem{pointer, detailNotString})
			continue
		}
		for _, p := range imageID.problems(id) {
			problems = append(problems, Problem{pointer, p})
		}
		c.ResponseImages = append(c.ResponseImages, id)
	}
	return problems
}

// IsMember reports whether name is a member of any request, or of an event's detail.
func IsMember(name string) bool {
	if name == merchantRule.name || name == complaintRule.name {
		return true
	}
	for _, row := range rows {
		if known(row.rules, name) {
			return true
		}
	}
	return false
}

func known(rules []rule, name string) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.name == name })
}

func readResendUnknown(c *Command, raw json.RawMessage) []Problem {
	return readBool("resend_unknown", raw, &c.ResendUnknown)
}

func readImmediateService(c *Command, raw json.RawMessage) []Problem {
	return readBool("immediate_service", raw, &c.ImmediateService)
}

func readBool(name string, raw json.RawMessage, into *bool) []Problem {
	if json.Unmarshal(raw, into) != nil {
		return []Problem{{Pointer(name), "must be true or false"}}
	}
	return nil
}

// readMiniProgram reads mini_program_jump_info, an object whose members are as strict as the request's own.
func readMiniProgram(c *Command, raw json.RawMessage) []Problem {
	const name = "mini_program_jump_info"
	list, err := strictjson.Pairs(raw)
	if err != nil {
		return []Problem{{Pointer(name), "must be an object of appid, path and text"}}
	}
	var m MiniProgram
	members := []struct {
		name string
		text text
		into *string
	}{{"appid", appIDText, &m.AppID}, {"path", miniProgramPath, &m.Path}, {"text", miniProgramText, &m.Text}}
	var problems []Problem
	seen := map[string]bool{}
	for _, given := range list {
		pointer := Pointer(name) + Pointer(echoed(given.Name))
		at := slices.IndexFunc(members, func(m struct {
			name string
			text text
			into *string
		}) bool {
			return m.name == given.Name
		})
		value, isText := strictjson.Text(given.Value)
		switch {
		case at < 0:
			problems = append(problems, Problem{pointer, "is not a member of " + name})
			continue
		case seen[given.Name]:
			problems = append(problems, Problem{pointer, "stands twice"})
			continue
		case !isText:
			problems = append(problems, Problem{pointer, detailNotString})
		default:
			*members[at].into = value
			for _, p := range members[at].text.problems(value) {
				problems = append(problems, Problem{pointer, p})
			}
		}
		seen[given.Name] = true
	}
	for _, needed := range members {
		if !seen[needed.name] {
			problems = append(problems, Problem{Pointer(name) + Pointer(needed.name), "is required"})
		}
	}
	c.MiniProgram = &m
	return problems
}

// ValidKey reports whether s can be an idempotency key: 1 to 128 printable ASCII characters.
func ValidKey(s string) bool { return len(keyText.problems(s)) == 0 }
