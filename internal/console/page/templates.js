// Beginnings for a first reply. They are in the consumer's language, short enough for either gateway, and in GBK.
import { ask, quote } from "/console/ask.js";
import { byId, el } from "/console/dom.js";
import { t } from "/console/text.js";

const templates = {
  received: "您好,您的投诉我们已经收到,正在核实订单情况,24 小时内给您答复。给您带来不便,非常抱歉。",
  refunded: "您好,经核实,款项已按原支付方式退回,预计一到三个工作日到账,请留意微信支付的退款通知。",
  details: "您好,为了尽快为您处理,请补充订单号和问题的图片,收到后我们马上核实。",
  resent: "您好,商品已安排补发,物流单号会在 24 小时内发给您。如不再需要,也可以直接退款。",
  call: "您好,我们的客服会尽快与您电话联系,请保持手机畅通。您也可以在这里直接回复我们。",
};

// templateField offers the templates; it tells then when one was put into the reply.
export function templateField(then) {
  const choose = async (text) => {
    const input = byId("reply-response_content");
    if (input.value.trim() && input.value !== text && !await ask(t("ask.replace"), [quote(input.value)], t("ask.replaceYes"))) return;
    input.value = text;
    input.focus();
    then();
  };
  return el("div", { class: "field", role: "group", "aria-label": t("template") }, el("p", { class: "hint", "aria-hidden": "true" }, t("template")),
    el("div", { class: "chips" }, Object.entries(templates).map(([name, text]) => el("button", { type: "button", class: "chip", id: `template-${name}`, onclick: () => choose(text) }, t("template." + name)))));
}
