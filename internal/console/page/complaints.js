// The list of complaints, and the ways to make one.
import { byId, el, fillButton, foreign, keyed, shorten } from "/console/dom.js";
import { changed, keyOf, now, post, select, state } from "/console/state.js";
import { span, t } from "/console/text.js";

const hour = 3600 * 1000;

// WeChat Pay asks for a first reply within 24 hours and for a settled complaint within 72.
export const limits = { reply: 24 * hour, complete: 72 * hour };

const samples = [
  "收到的耳机左边没有声音,联系店铺三天没有人回复,要求退款。",
  "付款后一直没有发货,订单显示已完成,请尽快处理。",
  "重复扣款两次,只下了一单,希望退回多扣的 58 元。",
  "The jacket is a size smaller than it says. I would like my money back.",
  "充值的会员没有到账,客服电话打不通。",
];
let next = 0;

// open makes a complaint and shows it.
async function open(merchant, words, hours) {
  const { status, answer } = await post("/console/complaints", { merchant, words, hours_ago: hours });
  if (status !== 201) return answer.detail ?? String(status);
  select(`${answer.merchant}/${answer.complaint_id}`);
  return "";
}

byId("new").addEventListener("click", async () => {
  const words = samples[next % samples.length];
  const problem = await open(state.merchants[next % 2] ?? "acme", words, 0);
  next++;
  byId("own-problem").textContent = problem;
  if (!problem) byId("talk").scrollIntoView({ block: "nearest" });
});

byId("own-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = await open(byId("own-merchant").value, byId("own-words").value, Number(byId("own-age").value));
  byId("own-problem").textContent = problem;
  if (problem) return;
  byId("own").open = false;
  byId("own-words").value = "";
  byId("talk").focus();
});

function choices() {
  const [merchant, age] = [byId("own-merchant"), byId("own-age")];
  const chosen = [merchant.value, age.value];
  merchant.replaceChildren(...state.merchants.map((m) => el("option", { value: m }, m)));
  byId("own-merchant-rule").textContent = state.merchants.map((m) => `${m}: ${t("merchant." + m)}`).join("; ");
  age.replaceChildren(...[0, 20, 30, 70, 80].map((h) => el("option", { value: h }, h === 0 ? t("ageNow") : t("ageHours", { h }))));
  if (chosen[0]) merchant.value = chosen[0];
  if (chosen[1]) age.value = chosen[1];
}

// limit is one of the two limits of a complaint: how much of it is used up, and whether it was kept.
export function limit(which, complaint) {
  const begun = Date.parse(complaint.created_at), most = limits[which];
  const done = which === "reply" ? complaint.replies[0]?.at : complaint.processed_at;
  const used = (done ? Date.parse(done) : now()) - begun;
  const late = used > most;
  if (done) return { text: t(`limit.${which}.done`, { in: span(used) }), part: Math.min(1, used / most), late, met: !late };
  if (which === "reply" && complaint.state === "PROCESSED") return { text: t("limit.reply.never"), part: 0, late: false, met: true };
  const words = late ? t(`limit.${which}.late`, { by: span(used - most) }) : t(`limit.${which}.left`, { left: span(most - used) });
  return { text: words, part: Math.min(1, used / most), late, met: false };
}

export function limitLine(which, complaint) {
  const l = limit(which, complaint);
  const fill = el("i");
  fill.style.width = `${Math.max(1, l.part * 100)}%`;
  const kind = l.late ? "limit late" : l.met ? "limit met" : "limit";
  return el("span", { class: kind }, (l.late ? "! " : l.met ? "✓ " : "") + l.text, el("span", { class: "track", "aria-hidden": "true" }, fill));
}

function card(complaint) {
  const key = keyOf(complaint), current = key === state.selected;
  const facts = ["reply", "complete"].map((which) => limit(which, complaint));
  const shown = JSON.stringify([complaint.state, complaint.words.length, current, facts, t("complaints")]);
  return [shown, (node) => fillButton(node,
    { class: "card", "aria-current": current ? "true" : "false", onclick: () => choose(key) },
    el("span", { class: "line" },
      el("span", { class: `badge ${complaint.state}` }, t("state." + complaint.state)),
      el("span", { class: "soft" }, complaint.merchant)),
    el("span", { class: "excerpt" }, foreign(shorten(complaint.words, 60))),
    el("span", { class: "mono soft small" }, complaint.id),
    el("span", { class: "limits" }, limitLine("reply", complaint), limitLine("complete", complaint)))];
}

function choose(key) {
  select(key);
  const talk = byId("talk");
  if (talk.getBoundingClientRect().top > innerHeight * 0.6) talk.scrollIntoView();
}

changed((what) => {
  if (what.has("language") || what.has("merchants")) choices();
  if (!["language", "complaints", "selected", "time"].some((w) => what.has(w))) return;
  byId("no-complaints").hidden = state.complaints.length > 0;
  keyed(byId("complaint-list"), state.complaints, keyOf, card);
});
