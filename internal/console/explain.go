package console

import (
	"encoding/json"
	"slices"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// explained is how one signature came about, step by step. A step's name is a word of the page's.
type explained struct {
	Scheme  string `json:"scheme"` // imageco-json, imageco-xml or wechatpay
	Steps   []step `json:"steps"`
	Signed  string `json:"signed"`  // the text that is signed
	Verdict string `json:"verdict"` // right, wrong, unsigned, unreadable or unknown_key
	Why     string `json:"why,omitempty"`

	WhyChinese string `json:"why_zh,omitempty"`
}

type step struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func (e *explained) step(name, text string) { e.Steps = append(e.Steps, step{name, text}) }

// The verdicts.
const (
	right      = "right"
	wrong      = "wrong"
	unsigned   = "unsigned"
	unreadable = "unreadable"
)

// secrets are the versions of a merchant's secret, the current one first: a call is explained with the one it was made
// with, although the keys may have been changed since.
func (c *Console) secrets(merchant string) []*sandbox.Merchant {
	c.mu.Lock()
	texts := slices.Clone(c.older[merchant])
	c.mu.Unlock()
	if current, _, ok := c.world.Secrets.Get(sandbox.SecretPrefix + merchant); ok {
		texts = slices.Insert(texts, 0, current)
	}
	var versions []*sandbox.Merchant
	for _, text := range texts {
		m := &sandbox.Merchant{Name: merchant}
		if json.Unmarshal([]byte(text), m) == nil {
			versions = append(versions, m)
		}
	}
	return versions
}

// explainRequest tells how a request to a gateway was signed; nil when nothing can be told.
func (c *Console) explainRequest(action, merchant string, x *sandbox.Call) *explained {
	return first(c.secrets(merchant), func(m *sandbox.Merchant) *explained {
		switch {
		case action == "reply" && m.Imageco != nil:
			return imagecoRequest(m, x)
		case (action == "complete" || action == "watch") && m.WechatPay != nil:
			return wechatPayRequest(m, x, x.Body)
		case action == "upload" && m.WechatPay != nil:
			return wechatPayRequest(m, x, metaOf(x))
		}
		return nil
	})
}

// explainAnswer tells how the answer to it was verified; nil when there was none.
func (c *Console) explainAnswer(action, merchant string, x *sandbox.Call) *explained {
	if x.Status == 0 {
		return nil
	}
	return first(c.secrets(merchant), func(m *sandbox.Merchant) *explained {
		switch {
		case action == "reply" && m.Imageco != nil:
			return imagecoAnswer(m, x)
		case action != "reply" && m.WechatPay != nil:
			return wechatPayAnswer(m, x)
		}
		return nil
	})
}

// first returns the first version's explanation that comes out right, or else the current version's.
func first(versions []*sandbox.Merchant, explain func(*sandbox.Merchant) *explained) *explained {
	var fallback *explained
	for _, m := range versions {
		e := explain(m)
		if e != nil && e.Verdict == right {
			return e
		}
		if fallback == nil {
			fallback = e
		}
	}
	return fallback
}
