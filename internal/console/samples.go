package console

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// sampleMost is how many complaints can be made at once.
const sampleMost = 1000

// sampleWords are what consumers complain about, each with a number of its own.
var sampleWords = []string{
	"收到的耳机左边没有声音,联系店铺三天没有人回复,要求退款。订单尾号 %d。",
	"付款后一直没有发货,订单显示已完成,请尽快处理。订单尾号 %d。",
	"重复扣款两次,只下了一单,希望退回多扣的 %d 元。",
	"充值的会员没有到账,客服电话打不通。充值单号 %d。",
	"The jacket is a size smaller than it says. I would like my money back. Order %d.",
	"外卖少送了一份,商家说已经送到,不肯退款。订单 %d。",
	"门店说可以用的优惠券,结账时不能用,多付了 %d 元。",
	"预约的服务没有人来,打电话也没有人接。预约号 %d。",
}

// openSamples makes complaints of all ages, from just now to four days ago: POST {"count":500}.
func (c *Console) openSamples(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Count int `json:"count"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if in.Count < 1 || in.Count > sampleMost {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("1 to %d complaints can be made at once", sampleMost))
		return
	}
	merchants := c.merchants()[:2] // the third one's keys are wrong, so nobody could answer
	for i := range in.Count {
		at := time.Now().Add(-rand.N(96 * time.Hour))
		words := fmt.Sprintf(sampleWords[i%len(sampleWords)], 1000+rand.IntN(9000))
		c.world.State.Open(merchants[i%len(merchants)], newComplaintID(at), words, at)
	}
	c.journal.Touch()
	answer(w, http.StatusCreated, "application/json", map[string]int{"count": in.Count})
}
