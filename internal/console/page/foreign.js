// The list of other programs' calls to the gateways, each refused one with its reason.
import { byId, el, foreign, keyed } from "/console/dom.js";
import { changed, state } from "/console/state.js";
import { clock, language, t } from "/console/text.js";

function line(call) {
  const why = language() === "zh" ? call.why_zh : call.why;
  return [JSON.stringify([call, language()]), (node) => node.replaceChildren(el("div", { class: "card" },
    el("span", { class: "line" },
      el("span", { class: "mono soft" }, clock(call.at)),
      el("b", {}, t("host." + call.host)),
      call.merchant ? el("span", { class: "soft" }, foreign(call.merchant)) : null,
      el("span", { class: "mono end" }, `${call.status || ""} ${call.code}`)),
    el("span", { class: "mono small soft" }, foreign(`${call.method} ${call.target}`)),
    why ? el("span", { class: "why" }, foreign(why)) : null))];
}

changed((what) => {
  if (!what.has("language") && !what.has("foreign")) return;
  byId("foreign").hidden = state.foreign.length === 0;
  keyed(byId("foreign-list"), state.foreign, (c) => `${c.host}/${c.n}`, line);
});
