// Package sighting says whether an item of a complaint's negotiation history (协商历史) shows a reply that may have been
// carried out: contract, section 6.1. It is a pure function of both.
//
// What an item shows is described at https://pay.weixin.qq.com/doc/v3/merchant/4012533439. That a reply which went
// through 翼码 stands there in the words in which it was sent is not proved; one that does not is not seen.
package sighting

import (
	"strings"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// tolerance is by how much WeChat Pay's clock may be behind the one that stamped the claim.
const tolerance = 2 * time.Second

// maxLogID bounds an item's id, in characters; WeChat Pay's own bound is 64.
const maxLogID = 128

// Reply is the reply that is looked for.
type Reply struct {
	Content   string
	Link      []string  // the jump's text and its address (of a mini program: its path); empty without a jump
	Pictures  int       // how many it carries
	ClaimedAt time.Time // when its first send was claimed
}

// ShownBy reports whether an item shows the reply: one of the merchant's own replies, not older than the first send,
// with the same words and as many pictures. The item's operator is not looked at, because its wording varies.
//
// Its time is compared with the whole second of the claim, because WeChat Pay's times have seconds only.
func (r Reply) ShownBy(item messages.Item) bool {
	earliest := r.ClaimedAt.Truncate(time.Second).Add(-tolerance)
	return item.OperateType == messages.MerchantResponse &&
		!item.OperateTime.Before(earliest) &&
		r.saidBy(item.Text()) &&
		item.Pictures() == r.Pictures &&
		validLogID(item.LogID)
}

// saidBy compares the words. A jump is shown as a link behind them, whose text or address may stand in the item's.
func (r Reply) saidBy(text string) bool {
	content, text := Words(r.Content), Words(text)
	if text == content {
		return true
	}
	rest, begins := strings.CutPrefix(text, content)
	if !begins {
		return false
	}
	for _, link := range r.Link {
		if link != "" && strings.Contains(rest, link) {
			return true
		}
	}
	return false
}

// Words are what is compared of a text: it without white space around it, its line ends as line feeds.
func Words(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}

// validLogID reports whether an item has an id that it can be told from the others by.
func validLogID(id string) bool {
	return id != "" && len(id) <= maxLogID &&
		!strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' || c == '#' })
}
