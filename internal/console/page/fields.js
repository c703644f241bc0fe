// The members of the request table (contract, section 2), and how a form shows them.
import { byId, el } from "/console/dom.js";
import { t } from "/console/text.js";

export const actions = ["reply", "complete"];

export const fields = {
  reply: [
    { name: "response_content", kind: "text" },
    { name: "response_images", kind: "list", more: true },
    { name: "jump_url", more: true },
    { name: "jump_url_text", more: true, most: 10 },
    { name: "seller_account", more: true },
    { name: "transaction_id", more: true },
    { name: "idempotency_key", more: true },
  ],
  complete: [
    { name: "complainted_mchid", more: true },
    { name: "idempotency_key", more: true },
  ],
};

export const id = (action, name) => `${action}-${name}`;

// most is how many characters a field may hold; a reply's content depends on who carries it.
export function most(field, carrier) {
  if (field.name === "response_content") return carrier?.through === "wechatpay" ? 500 : 200;
  return field.most;
}

export function drawField(action, field) {
  const name = id(action, field.name);
  const properties = { id: name, name: field.name, "aria-describedby": `${name}-rule ${name}-problem`, dir: "auto", autocomplete: "off", spellcheck: "false" };
  const input = field.kind === "text" ? el("textarea", { rows: 4, ...properties }) : field.kind === "list" ? el("textarea", { rows: 2, ...properties }) : el("input", { type: "text", ...properties });
  return el("div", { class: "field" },
    el("label", { for: name }, t("field." + field.name), el("span", { class: "count", id: `${name}-count`, "aria-hidden": "true" })), input,
    el("span", { class: "rule", id: `${name}-rule` }, t("rule." + field.name)), el("p", { class: "warning", id: `${name}-warning` }), el("p", { class: "problem", id: `${name}-problem` }));
}

// warn says while one writes what the gateway would refuse. The function has the last word.
export function warn(action, field, carrier) {
  const name = id(action, field.name), input = byId(name), limit = most(field, carrier), n = [...input.value].length;
  const count = byId(`${name}-count`);
  count.textContent = limit && n ? `${n} / ${limit}` : "";
  count.classList.toggle("over", limit !== undefined && n > limit);
  const words = [];
  if (limit && n > limit) words.push(t("warn.long", { n: n - limit, through: t("through." + (carrier?.through ?? "imageco")) }));
  if (field.name === "response_content") {
    const beyond = [...input.value].find((c) => c.codePointAt(0) > 0xffff);
    if (beyond) words.push(t("warn.emoji", { c: beyond }));
    const foreign = carrier?.gbk && [...input.value].find((c) => c.codePointAt(0) <= 0xffff && !inGBK(c));
    if (foreign) words.push(t("warn.gbk", { c: foreign }));
  }
  byId(`${name}-warning`).textContent = words.join(" ");
}

let gbk = null;

// inGBK tells whether GBK has a character. Browsers only decode GBK, so its characters are all decoded once.
function inGBK(c) {
  if (c < "\u0080") return true;
  if (!gbk) {
    const decoder = new TextDecoder("gbk"), bytes = new Uint8Array(126 * 191 * 2);
    let i = 0;
    for (let lead = 0x81; lead <= 0xfe; lead++) for (let trail = 0x40; trail <= 0xfe; trail++) bytes.set([lead, trail === 0x7f ? 0x40 : trail], 2 * i++);
    gbk = new Set(decoder.decode(bytes));
  }
  return gbk.has(c);
}

// command is what a form says: nothing for an empty field, but for the one that every reply needs.
export function command(action) {
  const body = {};
  for (const field of fields[action]) {
    const { value } = byId(id(action, field.name));
    if (field.kind === "list") {
      const items = value.split("\n").map((s) => s.trim()).filter(Boolean);
      if (items.length) body[field.name] = items;
    } else if (value !== "" || field.name === "response_content") {
      body[field.name] = value;
    }
  }
  return body;
}
