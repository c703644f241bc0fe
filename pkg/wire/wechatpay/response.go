package wechatpay

import (
	"encoding/json"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// Reply is what a merchant says to a consumer, before it is put into one of the two messages that carry it.
type Reply struct {
	ComplaintedMchID string // 被诉商户号
	Content          string // at most 500 characters
	Images           []string
	JumpURL          string
	JumpURLText      string
	MiniProgram      *MiniProgram
}

// MiniProgram is mini_program_jump_info (跳转小程序信息); all three members are required.
type MiniProgram struct {
	AppID string `json:"appid"`
	Path  string `json:"path"`
	Text  string `json:"text"`
}

// response is the body of 回复用户, in the order of its page; options that are not used are left out.
type response struct {
	ComplaintedMchID string       `json:"complainted_mchid"`
	Content          string       `json:"response_content"`
	Images           []string     `json:"response_images,omitempty"`
	JumpURL          string       `json:"jump_url,omitempty"`
	JumpURLText      string       `json:"jump_url_text,omitempty"`
	MiniProgram      *MiniProgram `json:"mini_program_jump_info,omitempty"`
}

// Response is the body of 回复用户, in UTF-8 on one line: https://pay.weixin.qq.com/doc/v3/merchant/4012467254.
func (r Reply) Response() []byte { return compact(response(r)) }

// The parts of a NormalMessage (新版消息格式) that a reply uses.
type (
	message struct {
		Blocks         []block `json:"blocks"`
		SenderIdentity string  `json:"sender_identity"`
	}
	block struct {
		Type  string      `json:"type"`
		Text  *textBlock  `json:"text,omitempty"`
		Image *imageBlock `json:"image,omitempty"`
		Link  *linkBlock  `json:"link,omitempty"`
	}
	textBlock struct {
		Text string `json:"text"`
	}
	imageBlock struct {
		MediaID string `json:"media_id"`
		Style   string `json:"image_style_type"`
	}
	linkBlock struct {
		Text   string `json:"text"`
		Action action `json:"action"`
	}
	action struct {
		Type        string       `json:"action_type"`
		JumpURL     string       `json:"jump_url,omitempty"`
		MiniProgram *MiniProgram `json:"mini_program_jump_info,omitempty"`
	}
)

// The types of a block.
const (
	blockText  = "TEXT"
	blockImage = "IMAGE"
	blockLink  = "LINK"
)

// Immediate is the body of 回复需要即时服务的投诉单: https://pay.weixin.qq.com/doc/v3/merchant/4017151596. WeChat Pay carries an
// idempotentID (at most 128 characters) out once, so sending the same body again is harmless.
func (r Reply) Immediate(idempotentID string) []byte {
	m := message{Blocks: []block{{Type: blockText, Text: &textBlock{r.Content}}}, SenderIdentity: "MANUAL"}
	for _, id := range r.Images {
		m.Blocks = append(m.Blocks, block{Type: blockImage, Image: &imageBlock{id, "IMAGE_STYLE_TYPE_NARROW"}})
	}
	switch {
	case r.MiniProgram != nil:
		m.Blocks = append(m.Blocks, block{Type: blockLink, Link: &linkBlock{r.MiniProgram.Text,
			action{Type: "ACTION_TYPE_JUMP_MINI_PROGRAM", MiniProgram: r.MiniProgram}}})
	case r.JumpURL != "":
		m.Blocks = append(m.Blocks, block{Type: blockLink, Link: &linkBlock{r.JumpURLText,
			action{Type: "ACTION_TYPE_JUMP_URL", JumpURL: r.JumpURL}}})
	}
	return compact(struct {
		ComplaintedMchID string  `json:"complainted_mchid"`
		IdempotentID     string  `json:"idempotent_id"`
		Message          message `json:"message"`
	}{r.ComplaintedMchID, idempotentID, m})
}

// ReadLogID reads log_id from the answer to 回复需要即时服务的投诉单: the reply's number in the complaint's history; "" when
// there is none.
func ReadLogID(body []byte) string {
	var answer struct {
		LogID string `json:"log_id"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return answer.LogID
}

// compact writes a body on one line, without HTML escaping. Its values are strings, lists and structs of them, which
// always marshal.
func compact(body any) []byte {
	text, err := strictjson.Encode(body)
	if err != nil {
		panic(err)
	}
	return text
}
