package wire

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of the request members, in characters (Unicode code points), from the contract's section 2.
const (
	IDMax               = 64
	ResponseContentMax  = 200
	ResponseImagesMax   = 4
	ResponseImageMax    = 512
	JumpURLMax          = 512
	JumpURLTextMax      = 10
	SellerAccountMax    = 64
	transactionIDMin    = 13
	transactionIDMax    = 32
	IdempotencyKeyMax   = 128
	imageIDSeparator    = "|" // between media ids in 翼码's response_images
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
	set      func(*Command, string)
	other    func(*Command, json.RawMessage) []Problem // reads a member that is not a string
}

// The request table of the contract's section 2, one row a member.
var (
	merchantRule  = rule{name: "merchant", required: true, text: idText, set: func(c *Command, v string) { c.Merchant = v }}
	complaintRule = rule{name: "complaint_id", required: true, text: idText, set: func(c *Command, v string) { c.ComplaintID = v }}

	replyRules = []rule{
		{name: "response_content", required: true, text: text{max: ResponseContentMax, lineFeed: true},
			set: func(c *Command, v string) { c.ResponseContent = v }},
		{name: "response_images", other: readImages},
		{name: "jump_url", text: text{max: JumpURLMax, check: httpsURL}, set: func(c *Command, v string) { c.JumpURL = v }},
		{name: "jump_url_text", text: text{max: JumpURLTextMax}, set: func(c *Command, v string) { c.JumpURLText = v }},
		{name: "seller_account", text: text{max: SellerAccountMax}, set: func(c *Command, v string) { c.SellerAccount = v }},
		{name: "transaction_id", text: text{min: transactionIDMin, max: transactionIDMax, only: isAlphanumeric, onlyWords: "0-9, A-Z and a-z"},
			set: func(c *Command, v string) { c.TransactionID = v }},
		{name: "resend_unknown", other: readResendUnknown},
		{name: "idempotency_key", text: keyText, set: func(c *Command, v string) { c.IdempotencyKey = v }},
	}
	completeRules = []rule{
		{name: "complainted_mchid", text: idText, set: func(c *Command, v string) { c.ComplaintedMchid = v }},
		{name: "idempotency_key", text: keyText, set: func(c *Command, v string) { c.IdempotencyKey = v }},
	}

	idText  = text{max: IDMax, only: idCharacter, onlyWords: "0-9, A-Z, a-z, _ and -"}
	keyText = text{max: IdempotencyKeyMax, only: printableASCII, onlyWords: "printable ASCII"}
	imageID = text{max: ResponseImageMax, check: noSeparator}
)

func idCharacter(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '-' }

func printableASCII(c byte) bool { return c >= ' ' && c <= '~' }

// madeOf tells whether all of s is of one kind. Not a regexp: compiling one takes longer than a function's start may.
func madeOf(s string, kind func(byte) bool) bool {
	for i := range len(s) {
		if !kind(s[i]) {
			return false
		}
	}
	return true
}

// ValidID tells whether s can name a merchant or a complaint: 1 to 64 of 0-9, A-Z, a-z, _ and -.
func ValidID(s string) bool { return len(idText.problems(s)) == 0 }

func (r rule) read(c *Command, raw json.RawMessage) []Problem {
	if r.other != nil {
		return r.other(c, raw)
	}
	value, ok := textOf(raw)
	if !ok {
		return []Problem{{Pointer(r.name), detailNotString}}
	}
	return r.take(c, value)
}

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

// text is what a string member may be. Without only it is any text that is not white space alone and has no control
// characters and no characters beyond the Basic Multilingual Plane.
type text struct {
	min, max  int // characters; min 0 means 1
	only      func(byte) bool
	onlyWords string // says what only allows
	lineFeed  bool   // a line feed is allowed
	check     func(string) string
}

// problems lists all that is wrong with value. It never quotes it: it may be a consumer's words.
func (t text) problems(value string) []string {
	var problems []string
	if n := utf8.RuneCountInString(value); n < max(t.min, 1) || n > t.max {
		problems = append(problems, fmt.Sprintf("must have %d to %d characters, has %d", max(t.min, 1), t.max, n))
	}
	if t.only != nil {
		if !madeOf(value, t.only) {
			problems = append(problems, fmt.Sprintf(detailBadCharacters, t.onlyWords))
		}
		return problems
	}
	if p := t.badCharacter(value); p != "" {
		problems = append(problems, p)
	}
	if value != "" && strings.TrimSpace(value) == "" {
		problems = append(problems, "is only white space")
	}
	if t.check != nil && value != "" {
		if p := t.check(value); p != "" {
			problems = append(problems, p)
		}
	}
	return problems
}

// badCharacter finds the first character that neither gateway can take.
func (t text) badCharacter(value string) string {
	position := 0
	for _, r := range value {
		position++
		switch {
		case r > maxBMP:
			return fmt.Sprintf("character %d (U+%04X, an emoji?) is outside the Basic Multilingual Plane; "+
				"WeChat Pay takes UTF-8 of at most three bytes a character", position, r)
		case r == replacementMark:
			return fmt.Sprintf("character %d is U+FFFD, the mark of text that was damaged on its way", position)
		case unicode.IsControl(r) && !(r == '\n' && t.lineFeed):
			return fmt.Sprintf("character %d (U+%04X) is a control character", position, r)
		}
	}
	return ""
}

// httpsURL accepts what a consumer can be sent to.
func httpsURL(value string) string {
	u, err := url.Parse(value)
	switch {
	case err != nil || strings.ContainsFunc(value, unicode.IsSpace):
		return "is not a URL"
	case u.Scheme != "https" || u.Hostname() == "":
		return "must be an https URL with a host"
	case u.User != nil:
		return "must not carry a user name or password"
	}
	return ""
}

// noSeparator keeps one media id from becoming two: they travel joined with "|".
func noSeparator(value string) string {
	if strings.Contains(value, imageIDSeparator) {
		return "must not hold " + imageIDSeparator
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
	for i, raw := range images[:min(len(images), ResponseImagesMax)] {
		pointer := fmt.Sprintf("/%s/%d", name, i)
		id, ok := textOf(raw)
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

func readResendUnknown(c *Command, raw json.RawMessage) []Problem {
	if json.Unmarshal(raw, &c.ResendUnknown) != nil {
		return []Problem{{"/resend_unknown", "must be true or false"}}
	}
	return nil
}

// ValidKey tells whether s can be an idempotency key: 1 to 128 printable ASCII characters.
func ValidKey(s string) bool { return len(keyText.problems(s)) == 0 }
