package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// response shows a reply to the consumer: https://pay.weixin.qq.com/doc/v3/merchant/4012467254. Nothing in it says that it
// is the same as an earlier one, so one that comes twice is shown twice.
func (g *WechatPay) response(q *request) (success, refusal) {
	o, no := readObject("", q.body, complainted,
		member{name: "response_content", required: true, limit: 500},
		member{name: "response_images", read: g.pictures(q, 4)},
		member{name: "jump_url", limit: 512},
		member{name: "jump_url_text", limit: 10},
		member{name: "mini_program_jump_info", read: readMiniProgram(member{name: "text", required: true, limit: 10})})
	if no.status == 0 {
		no = q.mayActFor(o)
	}
	if no.status == 0 {
		no = checkJump(o)
	}
	if no.status != 0 {
		return success{}, no
	}
	images, _ := stringsOf(o["response_images"], 4, 512) // it was read before
	effect := ReplyEffect{Content: o.str("response_content"), Images: images, JumpURL: o.str("jump_url"),
		JumpURLText: o.str("jump_url_text"), MiniProgram: string(o["mini_program_jump_info"])}
	if _, existed := g.state.reply(q.account.Merchant, q.id, effect); !existed {
		return success{}, noComplaint
	}
	q.call.Acted = true
	return success{status: http.StatusNoContent}, refusal{}
}

// checkJump: "链接需满足HTTPS格式", "若传入跳转链接,则跳转链接文案为必传项,二者缺一不可".
func checkJump(o object) refusal {
	switch {
	case o.has("jump_url") != o.has("jump_url_text"):
		return bodyError("/jump_url_text", "jump_url与jump_url_text二者缺一不可")
	case o.has("jump_url") && !isHTTPS(o.str("jump_url")):
		return bodyError("/jump_url", "链接需满足HTTPS格式")
	}
	return refusal{}
}

func isHTTPS(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// pictures reads ids that "商户上传反馈图片" returned. That one which it did not return is refused is not proved.
func (g *WechatPay) pictures(q *request, most int) func(string, json.RawMessage) refusal {
	return func(pointer string, text json.RawMessage) refusal {
		ids, ok := stringsOf(text, most, 512)
		if !ok {
			return bodyError(pointer, "最多上传4张图片凭证")
		}
		for _, id := range ids {
			if p, ok := g.state.picture(id); !ok || p.Merchant != q.account.Merchant {
				return bodyError(pointer, "media_id不存在")
			}
		}
		return refusal{}
	}
}

func readMiniProgram(more ...member) func(string, json.RawMessage) refusal {
	members := append(more, member{name: "appid", required: true, limit: 32},
		member{name: "path", required: true, limit: 512})
	return func(pointer string, text json.RawMessage) refusal {
		_, no := readObject(pointer, text, members...)
		return no
	}
}

// immediate shows a reply to a complaint that asks for immediate service, in blocks:
// https://pay.weixin.qq.com/doc/v3/partner/4017151726. An idempotent_id that came before has the answer that it had.
func (g *WechatPay) immediate(q *request) (success, refusal) {
	var effect ReplyEffect
	o, no := readObject("", q.body, complainted,
		member{name: "message", required: true, read: g.message(q, &effect)},
		member{name: "idempotent_id", required: true, limit: 128})
	if no.status == 0 {
		no = q.mayActFor(o)
	}
	if no.status != 0 {
		return success{}, no
	}
	effect.TransactionID, effect.Message = o.str("idempotent_id"), o["message"]
	logID, shown, existed := g.state.replyOnce(q.account.Merchant, q.id, effect)
	switch {
	case !existed:
		return success{}, noComplaint
	case logID == "": // that it is refused for this is what the page's first sentence says; with which code, no page does
		return success{}, refusal{status: http.StatusBadRequest, code: "INVALID_REQUEST", message: "该投诉单不需要即时服务"}
	}
	q.call.Acted = shown
	return answerJSON(map[string]string{"log_id": logID})
}

// message reads a NormalMessage of the blocks TEXT, IMAGE and LINK into what the consumer sees. The page has more kinds of
// blocks, for questions and buttons; the sandbox refuses them, since it cannot tell whether they are right.
func (g *WechatPay) message(q *request, effect *ReplyEffect) func(string, json.RawMessage) refusal {
	return func(pointer string, text json.RawMessage) refusal {
		_, no := readObject(pointer, text,
			member{name: "sender_identity", read: oneOf("UNKNOWN", "MANUAL", "MACHINE")},
			member{name: "custom_data", limit: 4096},
			member{name: "blocks", required: true, read: func(pointer string, text json.RawMessage) refusal {
				var blocks []json.RawMessage
				if json.Unmarshal(text, &blocks) != nil || len(blocks) == 0 {
					return bodyError(pointer, "应为非空数组")
				}
				for _, b := range blocks {
					if no := g.block(q, pointer, b, effect); no.status != 0 {
						return no
					}
				}
				return refusal{}
			}})
		return no
	}
}

func (g *WechatPay) block(q *request, pointer string, text json.RawMessage, effect *ReplyEffect) refusal {
	var words, image, link object
	o, no := readObject(pointer, text,
		member{name: "type", required: true, read: oneOf("TEXT", "IMAGE", "LINK")},
		member{name: "text", read: into(&words, member{name: "text", required: true, limit: 500},
			member{name: "color", read: oneOf("DEFAULT", "SECONDARY")}, member{name: "is_bold", read: aBoolean})},
		member{name: "image", read: into(&image, member{name: "media_id", required: true, limit: 512},
			member{name: "image_style_type", read: oneOf("IMAGE_STYLE_TYPE_NARROW", "IMAGE_STYLE_TYPE_WIDE")})},
		member{name: "link", read: into(&link, member{name: "text", required: true, limit: 512},
			member{name: "action", required: true, read: readAction(effect)})})
	switch kind := strings.ToLower(o.str("type")); {
	case no.status != 0:
		return no
	case len(o) != 2 || !o.has(kind):
		return bodyError(pointer+"/type", "消息块类型与内容不符")
	case kind == "image":
		id := image.str("media_id")
		if p, ok := g.state.picture(id); !ok || p.Merchant != q.account.Merchant {
			return bodyError(pointer+"/image/media_id", "media_id不存在")
		}
		effect.Images = append(effect.Images, id)
	case kind == "text":
		effect.Content += words.str("text")
	case kind == "link":
		effect.JumpURLText = link.str("text")
	}
	return refusal{}
}

// into reads an object and keeps it.
func into(kept *object, members ...member) func(string, json.RawMessage) refusal {
	return func(pointer string, text json.RawMessage) (no refusal) {
		*kept, no = readObject(pointer, text, members...)
		return no
	}
}

func aBoolean(pointer string, text json.RawMessage) refusal {
	if s := string(text); s != "true" && s != "false" {
		return bodyError(pointer, "应为布尔值")
	}
	return refusal{}
}

// readAction reads what a link does.
func readAction(effect *ReplyEffect) func(string, json.RawMessage) refusal {
	return func(pointer string, text json.RawMessage) refusal {
		o, no := readObject(pointer, text,
			member{name: "action_type", required: true, read: oneOf("ACTION_TYPE_JUMP_URL", "ACTION_TYPE_JUMP_MINI_PROGRAM")},
			member{name: "jump_url", limit: 512},
			// https://wechatpay.im/openapi has the text as a required member here too, and a history does not tell it; whether
			// WeChat Pay insists on it is not proved.
			member{name: "mini_program_jump_info", read: readMiniProgram(member{name: "text", limit: 512})},
			member{name: "action_id", limit: 4096})
		switch {
		case no.status != 0:
			return no
		case o.str("action_type") == "ACTION_TYPE_JUMP_URL" && !isHTTPS(o.str("jump_url")):
			return bodyError(pointer+"/jump_url", "链接需满足HTTPS格式")
		case o.str("action_type") != "ACTION_TYPE_JUMP_URL" && !o.has("mini_program_jump_info"):
			return bodyError(pointer+"/mini_program_jump_info", "必填参数缺失")
		}
		effect.JumpURL, effect.MiniProgram = o.str("jump_url"), string(o["mini_program_jump_info"])
		return refusal{}
	}
}
