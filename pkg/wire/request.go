package wire

import (
	"fmt"
	"mime"
	"strings"
	"unicode"

	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/strictjson"
)

// MaxBody bounds the JSON of one request, in bytes: 64 KiB (contract, section 2).
const MaxBody = 64 << 10

// maxProblems bounds how many problems of one request are told: enough for any honest mistake, and small enough that a
// hostile body is not multiplied in the answer.
const maxProblems = 100

// Request is what came through the door: a valid Command, or the Problems that keep it from being one.
//
// With Problems, only Action, Merchant, ComplaintID and Origin of the Command may be used, and Merchant and ComplaintID
// are empty unless they are valid.
type Request struct {
	Command  Command
	Problems []Problem

	TooLarge   bool // 413: the body is over MaxBody
	WrongMedia bool // 415: the body is of another media type than it must be, or does not say
	NotAllowed bool // 403: the caller may not act for the merchant, as the one problem says

	// Names is whom an event or a bare command is about, in words that may be no valid names.
	Names Names
}

// Names are the merchant and the complaint that a command names; "" is what it does not name.
type Names struct{ Merchant, ComplaintID string }

// ReadNames finds whom an event's detail or a bare command is about, whatever else is wrong with it. To name is to be a
// string that is not empty; of two the first one counts.
func ReadNames(detail []byte) Names {
	var names Names
	members, _ := strictjson.Members(detail)
	for _, m := range members {
		for _, place := range []struct {
			name string
			into *string
		}{{merchantRule.name, &names.Merchant}, {complaintRule.name, &names.ComplaintID}} {
			if text, ok := m.Text(); ok && m.Name == place.name && *place.into == "" {
				*place.into = text
			}
		}
	}
	return names
}

// HTTPRequest is the part of an HTTP request that makes a command.
type HTTPRequest struct {
	Merchant    string // from the path
	ComplaintID string // from the path

	IdempotencyKeys []string // every value of the Idempotency-Key header; "" for one without any
	ContentType     string
	Body            []byte

	// BodyProblems say why the body could not even be taken out of the event that brought it, if so. They point into
	// the event.
	BodyProblems []Problem
}

// ReadHTTP reads a command from an HTTP request: merchant and complaint from the path, the rest from the body.
// All problems are found, not only the first.
func ReadHTTP(action Action, in HTTPRequest) Request {
	d := newDoor(action)
	d.path(merchantRule, in.Merchant)
	d.path(complaintRule, in.ComplaintID)
	switch {
	case len(in.BodyProblems) > 0:
		d.request.Problems = append(d.request.Problems, in.BodyProblems...)
	case len(in.Body) > MaxBody:
		d.request.TooLarge = true
		d.problem("", fmt.Sprintf("the body has %d bytes; %d are allowed", len(in.Body), MaxBody))
	case len(in.Body) == 0: // a completion needs none; for a reply the missing members are named below
		d.object([]byte("{}"))
	case !isJSON(in.ContentType):
		d.request.WrongMedia = true
		d.problem("", "the Content-Type must be application/json (in UTF-8)")
	default:
		d.object(in.Body)
	}
	d.header(in.IdempotencyKeys)
	return d.done()
}

// ReadDetail reads a command from an event's detail or from a bare command object: the members of an HTTP body, and
// merchant and complaint_id beside them.
func ReadDetail(action Action, detail []byte) Request {
	d := newDoor(action)
	d.request.Names = ReadNames(detail)
	d.rules = append(d.rules, merchantRule, complaintRule)
	if len(detail) > MaxBody {
		d.request.TooLarge = true
		d.problem("", fmt.Sprintf("the command has %d bytes; %d are allowed", len(detail), MaxBody))
		return d.done()
	}
	d.object(detail)
	return d.done()
}

// isJSON reports whether a Content-Type is application/json; a charset, if it is named, must be UTF-8 (RFC 8259, 8.1),
// which some clients spell utf8.
func isJSON(contentType string) bool {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != "application/json" {
		return false
	}
	charset, named := params["charset"]
	return !named || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// door collects one request and everything that is wrong with it.
type door struct {
	rules   []rule
	request Request
	seen    map[string]bool
}

func newDoor(action Action) *door {
	return &door{
		rules:   append([]rule(nil), rows[action].rules...),
		request: Request{Command: Command{Action: action}},
		seen:    map[string]bool{},
	}
}

func (d *door) problem(pointer, detail string) {
	d.request.Problems = append(d.request.Problems, Problem{Pointer: pointer, Detail: detail})
}

// path reads one of the two members that an HTTP request carries in its path.
func (d *door) path(r rule, value string) {
	d.request.Problems = append(d.request.Problems, r.take(&d.request.Command, value)...)
}

// object reads the members of the JSON object and then looks for what is missing.
func (d *door) object(raw []byte) {
	members, err := strictjson.Pairs(raw)
	if err != nil {
		d.problem("", "the request "+err.Error())
		return
	}
	for _, m := range members {
		d.member(m)
	}
	for _, r := range d.rules {
		if r.required && !d.seen[r.name] {
			d.problem(Pointer(r.name), "is required")
		}
	}
	d.together("jump_url", "jump_url_text")
	d.together("jump_url_text", "jump_url")
	if d.seen["jump_url"] && d.seen["mini_program_jump_info"] {
		d.problem("/mini_program_jump_info", "must not stand together with jump_url: a reply has one link")
	}
}

func (d *door) member(m strictjson.Member) {
	rule, known := d.rule(m.Name)
	switch {
	case !known:
		d.problem(Pointer(echoed(m.Name)), fmt.Sprintf("is not a member of a %s request", d.request.Command.Action))
		return
	case d.seen[m.Name]:
		d.problem(Pointer(m.Name), "stands twice")
		return
	}
	d.seen[m.Name] = true
	if string(m.Value) == "null" {
		d.problem(Pointer(m.Name), "is null; leave the member out instead")
		return
	}
	d.request.Problems = append(d.request.Problems, rule.read(&d.request.Command, m.Value)...)
}

func (d *door) rule(name string) (rule, bool) {
	for i := range d.rules {
		if d.rules[i].name == name {
			return d.rules[i], true
		}
	}
	return rule{}, false
}

// together asks for needed when given is there.
func (d *door) together(given, needed string) {
	if d.seen[given] && !d.seen[needed] {
		d.problem(Pointer(needed), "is required together with "+given)
	}
}

// header takes the idempotency key from the HTTP header; it means the same as the member of the body.
func (d *door) header(values []string) {
	key, problem := keyHeader(values)
	if known := d.request.Command.IdempotencyKey; problem == "" && key != "" && known != "" && known != key {
		problem = differentKeys
	}
	switch {
	case problem != "":
		d.problem("/idempotency_key", problem)
	case key != "":
		d.request.Command.IdempotencyKey = key
	}
}

// done cuts the problems to those that are told; MaxBody bounds how many there are before.
func (d *door) done() Request {
	if len(d.request.Problems) > maxProblems {
		d.request.Problems = d.request.Problems[:maxProblems]
	}
	return d.request
}

// echoed makes a member name that nobody knows fit to be told: it is the caller's text, and bounded.
func echoed(name string) string {
	const max = 64
	name = asGiven(name)
	if runes := []rune(name); len(runes) > max {
		return string(runes[:max]) + "…"
	}
	return name
}

// asGiven is a caller's name for something, fit to be told: a control character, one that turns the direction of what
// stands behind it, and what is no character, becomes U+FFFD. The blanks and the other invisible characters that make
// it another name stay, or something right would be named.
func asGiven(name string) string {
	if told := (redact.Secrets{}).Text(name); strings.Contains(told, redact.Mask) {
		return told
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return replacementMark
		}
		return r
	}, name)
}
