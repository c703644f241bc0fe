// Package explain finds out why a signature is wrong. It makes the signature again, and when it comes out otherwise it
// looks for what was done in place of what the documentation says: what was signed, how that became bytes, with which
// key, in which form the result was written. An explanation that is called proved gives exactly the signature that was
// given; every other one is called a guess, and says what tells it from the next.
//
// The search is bounded, cheap mistakes first. Nothing in a [Report] holds a key.
package explain

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/pasted"
)

// Options say what is to be explained. Message must be given.
type Options struct {
	Message []byte // 翼码's JSON, XML or form, or an HTTP request or answer, as pasted
	For     string // "imageco" or "wechatpay"; "" looks at the message
	Part    string // of a text that holds both: "request" or "answer"; "" takes a signed answer, and else the request

	Signature string // when it does not stand in the message
	Secret    string // the merchant's secret; "" for none
	Key       []byte // a file with the key alone; nil for none
	GBK       bool   // without a secret: 翼码's JSON is signed in GBK

	Method, Target, Timestamp, Nonce string // of a message that is a body alone, or to be taken for the message's own
	Body                             []byte // the body of a text that has none, as curl -v prints none; nil for none

	Language advice.Language
	Now      time.Time
}

// Report is what was found out.
type Report struct {
	Scheme string `json:"scheme"`
	Signed string `json:"signed"`           // what is signed, the key blanked
	Result string `json:"result,omitempty"` // the right signature, when there is a key to make it with
	Given  string `json:"given,omitempty"`
	// Matches reports whether the gateway will take the signature as far as can be told here; nil when nothing could be
	// compared. False does not always mean that the bytes are wrong: the header may name another certificate.
	Matches *bool `json:"matches,omitempty"`
	// Differences are the causes of the first explanation, when it is proved.
	Differences  []string      `json:"differences,omitempty"`
	Explanations []Explanation `json:"explanations,omitempty"` // the likeliest first
	Notes        []string      `json:"notes,omitempty"`

	language advice.Language
	secrets  []string
}

// Explanation is one way in which the signature may have come about.
type Explanation struct {
	Proved bool    `json:"proved"` // it gives exactly this signature, or contradicts the secret
	Causes []Cause `json:"causes"` // all of them together
}

// Cause is one mistake.
type Cause struct {
	ID        string `json:"cause"`
	Says      string `json:"says"`
	HowToTell string `json:"how_to_tell,omitempty"`
	WhatToDo  string `json:"what_to_do"`
}

// ErrEmpty is the error for a message without anything in it.
var ErrEmpty = errors.New("the message is empty; give a file, or pipe the message in")

// Run explains one message. Its errors say what cannot be read, and hold nothing of a key.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	message, forgiven := pasted.Bytes(o.Message)
	if len(bytes.TrimSpace(message)) == 0 {
		return Report{}, ErrEmpty
	}
	o.Message, o.Signature = message, strings.TrimSpace(o.Signature)
	r := &Report{language: o.Language}
	keys, err := readKeys(o)
	if err != nil {
		return Report{}, err
	}
	r.secrets = keys.secrets
	r.forgave(forgiven)
	if isImageco(o) {
		err = r.imageco(ctx, o, keys)
	} else {
		err = r.wechatPay(ctx, o, keys)
	}
	if err != nil {
		return Report{}, err
	}
	r.hide()
	return *r, nil
}

// isImageco tells whose message it is.
func isImageco(o Options) bool {
	if o.For != "" && o.For != "auto" {
		return o.For == "imageco"
	}
	start := bytes.TrimSpace(o.Message)
	switch {
	case o.Method != "" || o.Target != "" || o.Nonce != "":
		return false
	case bytes.Contains(o.Message, []byte("request_type")), bytes.Contains(o.Message, []byte("business_trans")):
		return true
	case bytes.HasPrefix(start, []byte("{")), bytes.HasPrefix(start, []byte("<")), bytes.HasPrefix(start, []byte("xml=")), bytes.HasPrefix(start, []byte("mac=")):
		_, isHTTP := pasted.ReadHTTP(o.Message, "")
		return !isHTTP
	}
	return false
}

// say words causes.
func (r *Report) say(causes []found) []Cause {
	var list []Cause
	for _, c := range causes {
		row := causeOf(c.id)
		list = append(list, Cause{ID: c.id, Says: row.Says.In(r.language, argumentsIn(r.language, c)...), HowToTell: row.Tell.In(r.language), WhatToDo: row.Do.In(r.language)})
	}
	return list
}

// explain adds explanations, and says that the signature will not be taken.
func (r *Report) explain(proved bool, answers ...[]found) {
	no := false
	r.Matches = &no
	for _, causes := range answers {
		r.Explanations = append(r.Explanations, Explanation{proved, r.say(causes)})
	}
}

func (r *Report) right() {
	yes := true
	r.Matches = &yes
}

// Right reports whether a signature was compared and will be taken.
func (r *Report) Right() bool { return r.Matches != nil && *r.Matches }

func (r *Report) note(w advice.Words, args ...any) {
	r.Notes = append(r.Notes, w.In(r.language, args...))
}

// forgave notes what was read over.
func (r *Report) forgave(list []pasted.Forgiven) {
	for _, f := range list {
		if words, ok := forgivenWords[f]; ok {
			r.note(words)
		}
	}
}

// hide takes everything secret out of all that is shown, and fills in what follows from the rest.
func (r *Report) hide() {
	blank := func(s *string) {
		for _, secret := range r.secrets {
			*s = strings.ReplaceAll(*s, secret, Blanked)
		}
	}
	blank(&r.Signed)
	if strings.Contains(r.Given, "-----BEGIN") || strings.Contains(r.Given, "PRIVATE KEY") {
		r.Given = Blanked
	}
	blank(&r.Given)
	for i := range r.Notes {
		blank(&r.Notes[i])
	}
	for i, e := range r.Explanations {
		for k := range e.Causes {
			blank(&e.Causes[k].Says)
			if i == 0 && e.Proved {
				r.Differences = append(r.Differences, e.Causes[k].Says)
			}
		}
	}
}

// Blanked stands where a key stood.
const Blanked = "‹key›"
