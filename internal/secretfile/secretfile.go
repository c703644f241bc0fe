// Package secretfile makes a merchant's secret from the files that a person has: a key store, PEM in any of the forms
// that package pasted reads, a key in a text file, or a secret that is written in a form that the functions do not read.
//
// Nothing it returns but the secret itself holds a key, and nothing is written anywhere.
package secretfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pasted"
	"github.com/kesu-go/kesu/pkg/strictjson"
)

// Inputs are the files' contents and the values beside them. What is nil or empty is taken from From, or left out.
type Inputs struct {
	From []byte // a secret to begin with, in any form that package pasted reads

	ReplyThrough string // "imageco" or "wechatpay"

	ISSPID, SystemID, SellerAccount string
	ImagecoKey                      []byte // a text file with 翼码's key
	Format, SignCharset, URL        string

	Mchid        string
	P12          []byte // apiclient_cert.p12: key and certificate; its passphrase is the mchid
	PrivateKey   []byte // apiclient_key.pem
	Certificate  []byte // apiclient_cert.pem: gives serial_no and mchid, and is held against the private key
	PlatformKey  []byte // pub_key.pem, or a platform certificate
	PlatformID   string // PUB_KEY_ID_…
	APIv3Key     []byte // a text file with the APIv3 密钥
	KeepPlatform bool   // keep From's platform_keys behind PlatformKey, as while keys are changed
}

// Assembled is a secret that the functions read.
type Assembled struct {
	Secret string   // the JSON; a secret itself
	Notes  []string // what had to be forgiven or was found in a file, without any key
}

// maker collects the members.
type maker struct {
	whole, imageco, wechatpay *members
	notes                     []string
}

// members is a JSON object in order.
type members struct {
	names  []string
	values map[string]json.RawMessage
}

func (m *members) set(name string, value any) {
	raw, err := strictjson.Encode(value)
	if err != nil {
		return // strings and slices of strings can always be encoded
	}
	if _, there := m.values[name]; !there {
		m.names = append(m.names, name)
	}
	m.values[name] = raw
}

func (m *members) text(name string) string {
	var text string
	_ = json.Unmarshal(m.values[name], &text) // another type is "" here, and told by the check at the end
	return text
}

// MarshalJSON writes the members in their order.
func (m *members) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, name := range m.names {
		if i > 0 {
			out.WriteByte(',')
		}
		quoted, err := strictjson.Encode(name)
		if err != nil {
			return nil, err
		}
		out.Write(append(append(quoted, ':'), m.values[name]...))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// Assemble makes the secret, and checks it as the functions do. Its errors name the file or field that is wrong.
func Assemble(in Inputs) (Assembled, error) {
	m := &maker{}
	if err := m.begin(in.From); err != nil {
		return Assembled{}, err
	}
	if in.ReplyThrough != "" {
		m.whole.set("reply_through", in.ReplyThrough)
	}
	for _, step := range []func(Inputs) error{m.imagecoHalf, m.merchantKey, m.platformKey, m.apiv3} {
		if err := step(in); err != nil {
			return Assembled{}, err
		}
	}
	for name, half := range map[string]*members{"imageco": m.imageco, "wechatpay": m.wechatpay} {
		if len(half.names) > 0 {
			m.whole.set(name, half)
		}
	}
	slices.SortStableFunc(m.whole.names, func(a, b string) int { return rank(a) - rank(b) })
	compact, err := strictjson.Encode(m.whole)
	if err != nil {
		return Assembled{}, errors.New("the secret cannot be written")
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return Assembled{}, errors.New("the secret cannot be written")
	}
	return Assembled{out.String() + "\n", m.notes}, m.check(out.String())
}

// rank puts the members of a secret into the documentation's order.
func rank(name string) int {
	if i := slices.Index([]string{"reply_through", "imageco", "wechatpay"}, name); i >= 0 {
		return i
	}
	return 3
}

// check lets the functions' own readers have the last word.
func (m *maker) check(secret string) error {
	if len(m.imageco.names) == 0 && len(m.wechatpay.names) == 0 {
		return errors.New("nothing was given to make a secret of; give files, or a secret with --from")
	}
	if len(m.imageco.names) > 0 {
		if _, err := merchant.ParseImageco(secret, func(string) error { return nil }); err != nil {
			return err
		}
	}
	if len(m.wechatpay.names) > 0 {
		if _, err := merchant.ParseWechatPay(secret); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

func newMembers() *members { return &members{values: map[string]json.RawMessage{}} }

// begin reads the secret to begin with, and puts right what can only be meant in one way.
func (m *maker) begin(from []byte) error {
	m.whole, m.imageco, m.wechatpay = newMembers(), newMembers(), newMembers()
	if from == nil {
		return nil
	}
	text, forgiven, err := pasted.Secret(from)
	if err != nil {
		return fmt.Errorf("the secret to begin with %w", err)
	}
	for _, f := range forgiven {
		m.note("the secret to begin with: %s was put right", f)
	}
	if err := m.whole.read(text); err != nil {
		return err
	}
	for name, half := range map[string]**members{"imageco": &m.imageco, "wechatpay": &m.wechatpay} {
		raw, there := m.whole.values[name]
		if !there {
			continue
		}
		if err := (*half).read(string(raw)); err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
		m.tidy(name, *half)
	}
	return m.tidyPlatform()
}

func (m *members) read(text string) error {
	list, err := strictjson.Pairs([]byte(text))
	if err != nil {
		return err
	}
	for _, member := range list {
		if _, twice := m.values[member.Name]; twice {
			return fmt.Errorf("has %s twice; take one out", member.Name)
		}
		m.names = append(m.names, member.Name)
		m.values[member.Name] = member.Value
	}
	return nil
}

var digits = regexp.MustCompile(`^[0-9]{1,20}$`)

// tidy puts the values of one half right: numbers become strings, white space and quotes around them go, a serial number
// becomes plain digits, a PEM is written anew.
func (m *maker) tidy(half string, o *members) {
	for _, name := range o.names {
		raw := string(o.values[name])
		if digits.MatchString(raw) && name != "platform_keys" {
			o.set(name, raw)
			m.note("%s.%s: the number became a string", half, name)
		}
		text := o.text(name)
		switch name {
		case "private_key", "certificate":
			m.pem(half+"."+name, text, func(clean string) { o.set(name, clean) })
			continue
		case "isspid", "system_id", "seller_account", "key", "mchid", "serial_no", "apiv3_key", "format", "sign_charset", "url":
		default:
			continue
		}
		if clean := line(name, text); clean != text {
			o.set(name, clean)
			m.note("%s.%s: white space, quotes or a prefix around it were taken off", half, name)
		}
	}
	if list, ok := o.values["platform_keys"]; ok && list[0] == '"' {
		if inner := o.text("platform_keys"); json.Valid([]byte(inner)) {
			o.values["platform_keys"] = json.RawMessage(inner)
			m.note("%s.platform_keys: it was encoded twice", half)
		}
	}
}

// line takes off what clings to a value of one line.
func line(name, text string) string {
	plain, _ := pasted.Plain([]byte(text))
	plain = strings.TrimSpace(plain)
	if len(plain) > 1 && strings.ContainsRune("\"'`", rune(plain[0])) && plain[len(plain)-1] == plain[0] {
		plain = strings.TrimSpace(plain[1 : len(plain)-1])
	}
	switch name {
	case "serial_no":
		bare := strings.NewReplacer(":", "", " ", "", "-", "", "0x", "", "0X", "").Replace(serialPrefix.ReplaceAllString(plain, ""))
		if serialForm.MatchString(bare) {
			plain = bare
		}
	case "format", "sign_charset":
		plain = strings.ToLower(plain)
	}
	return plain
}

var (
	serialPrefix = regexp.MustCompile(`^(?i)serial\s*=\s*`)
	serialForm   = regexp.MustCompile(`^[0-9A-Fa-f]{1,64}$`)
)

// pem writes a PEM anew when it can be read in any form; what cannot is left for the check to tell.
func (m *maker) pem(field, text string, set func(string)) {
	key, err := pasted.PEM([]byte(text))
	if err != nil || key.PEM == text {
		return
	}
	set(key.PEM)
	for _, f := range key.Forgiven {
		m.note("%s: %s was put right", field, f)
	}
}

// tidyPlatform writes the PEM of every platform key anew.
func (m *maker) tidyPlatform() error {
	raw, there := m.wechatpay.values["platform_keys"]
	var list []json.RawMessage
	if !there || json.Unmarshal(raw, &list) != nil {
		return nil // the check tells
	}
	for i, entry := range list {
		o := newMembers()
		if o.read(string(entry)) != nil {
			continue
		}
		m.pem(fmt.Sprintf("wechatpay.platform_keys[%d].pem", i), o.text("pem"), func(clean string) { o.set("pem", clean) })
		if id := o.text("id"); id != line("id", id) {
			o.set("id", line("id", id))
		}
		written, err := strictjson.Encode(o)
		if err != nil {
			return errors.New("platform_keys cannot be written")
		}
		list[i] = written
	}
	m.wechatpay.set("platform_keys", list)
	return nil
}
