// The list of calls, each with a waterfall of its parts.
import { byId, el, fillButton, foreign, keyed } from "/console/dom.js";
import { openCall } from "/console/call.js";
import { changed, state } from "/console/state.js";
import { clock, t, took } from "/console/text.js";

// shownMost is how many calls the list shows; the figures count all that the page keeps.
const shownMost = 60;

export const parts = ["key", "ledger", "sign", "connect", "gateway", "verify", "wait"];

// bar is one part on a strip that is as long as the call.
export function bar(part, total) {
  const node = el("i", { class: "p-" + part.name });
  node.style.left = `${Math.min(99.5, (part.start / total) * 100)}%`;
  node.style.width = `${Math.max(0.4, (part.ms / total) * 100)}%`;
  return node;
}

export function outcomeOf(call) {
  if (call.outcome) return call.outcome;
  if (call.running) return "running";
  return "failed";
}

// route says which hosts were asked, in order: a failover is seen at once.
export function route(call) {
  const names = [];
  for (const host of call.hosts) {
    const last = names.at(-1);
    if (last?.host === host) last.n++;
    else names.push({ host, n: 1 });
  }
  return names.map(({ host, n }) => t("host." + host) + (n > 1 ? ` ×${n}` : "")).join(" → ");
}

function card(call) {
  const outcome = outcomeOf(call);
  const shown = JSON.stringify([call, t("calls")]);
  const route_ = route(call);
  return [shown, (node) => fillButton(node, { class: "card", "data-call": call.id, onclick: () => openCall(node.dataset.key) },
    el("span", { class: "line" },
      el("span", { class: "mono soft" }, clock(call.at)),
      el("b", {}, t("action." + call.action)),
      el("span", { class: "soft" }, foreign(call.merchant)),
      el("span", { class: "end" }, el("span", { class: `badge ${outcome}` }, t("outcome." + outcome)), " ", el("span", { class: "mono" }, call.code || call.failure))),
    el("span", { class: "strip", "aria-hidden": "true" }, call.parts.map((p) => bar(p, Math.max(call.ms, 0.001)))),
    el("span", { class: "line small soft" },
      el("span", {}, took(call.ms)),
      el("span", {}, t("attempts", { n: call.attempts }) + (route_ ? `: ${route_}` : "")),
      call.replayed ? el("span", {}, t("replayed")) : null,
      call.via === "event" ? el("span", {}, t("byEvent")) : null,
      el("span", { class: "mono end" }, foreign(call.complaint_id))))];
}

changed((what) => {
  if (what.has("language")) {
    byId("legend").replaceChildren(...parts.map((name) => el("li", {}, el("i", { class: "p-" + name }), t("part." + name))));
  }
  if (!what.has("language") && !what.has("calls")) return;
  byId("no-calls").hidden = state.calls.length > 0;
  byId("legend").hidden = state.calls.length === 0;
  keyed(byId("call-list"), state.calls.slice(0, shownMost), (c) => c.id, card);
});
