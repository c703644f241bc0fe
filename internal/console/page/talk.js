// The conversation of one complaint as the consumer sees it, and the forms to go on with it.
import { byId, el, foreign } from "/console/dom.js";
import { limitLine } from "/console/complaints.js";
import { drawForms, resetForms } from "/console/send.js";
import { changed, now, selected, state } from "/console/state.js";
import { clock, span, t } from "/console/text.js";

function words(text) { return el("span", { class: "words", dir: "auto", tabindex: text.length > 400 ? 0 : undefined }, text); }

// link leads out of the page only to where the functions let a reply lead: https.
function link(reply) {
  if (!reply.jump_url) return null;
  let safe = false;
  try {
    safe = new URL(reply.jump_url).protocol === "https:";
  } catch { /* then it is shown and leads nowhere */ }
  const text = [foreign(reply.jump_url_text), " → ", foreign(reply.jump_url)];
  return safe ? el("a", { class: "link", href: reply.jump_url, target: "_blank", rel: "noopener noreferrer" }, text) : el("span", { class: "link" }, text);
}

function bubble(reply, again) {
  const pictures = (reply.images ?? []).map((id) => el("span", { class: "picture" }, foreign(id)));
  return el("li", { class: "bubble mine" },
    el("p", { class: "who" }, t("youReplied", { at: clock(reply.at) }), again ? el("span", { class: "badge late" }, t("doubled")) : null),
    words(reply.content), pictures.length ? el("div", { class: "pictures" }, pictures) : null, link(reply));
}

function thread(complaint) {
  const items = [el("li", { class: "bubble" },
    el("p", { class: "who" }, t("consumer", { ago: span(now() - Date.parse(complaint.created_at)) })), words(complaint.words))];
  const shown = new Set();
  for (const reply of complaint.replies) {
    items.push(bubble(reply, shown.has(reply.transaction_id)));
    shown.add(reply.transaction_id);
  }
  if (complaint.shown > complaint.replies.length) items.push(el("li", { class: "note" }, t("moreReplies", { n: complaint.shown })));
  if (complaint.processed_at) items.push(el("li", { class: "note" }, "✓ " + t("settledAt", { at: clock(complaint.processed_at) })));
  return items;
}

let shown = "", drawn = null;

function show() {
  const complaint = selected();
  byId("no-talk").hidden = !!complaint;
  byId("talk-body").hidden = !complaint;
  if (!complaint) return;
  if (drawn !== state.selected) {
    drawn = state.selected;
    resetForms();
  }
  const age = Math.floor((now() - Date.parse(complaint.created_at)) / 60000);
  const text = JSON.stringify([complaint, age, t("talk")]);
  if (text === shown) return;
  shown = text;
  byId("talk-head").replaceChildren(
    el("p", { class: "line" }, el("span", { class: `badge ${complaint.state}` }, t("state." + complaint.state)), el("span", { class: "soft" }, complaint.merchant), el("span", { class: "mono small soft" }, complaint.id)),
    el("p", { class: "limits" }, limitLine("reply", complaint), limitLine("complete", complaint)));
  byId("thread").replaceChildren(...thread(complaint));
}

const tabs = ["reply", "complete"];

function tab(chosen, focus) {
  for (const name of tabs) {
    const button = byId("tab-" + name);
    button.setAttribute("aria-selected", String(name === chosen));
    button.tabIndex = name === chosen ? 0 : -1;
    byId(name + "-form").hidden = name !== chosen;
    if (name === chosen && focus) button.focus();
  }
}
for (const name of tabs) {
  byId("tab-" + name).addEventListener("click", () => tab(name));
  byId("tab-" + name).addEventListener("keydown", (event) => {
    if (["ArrowLeft", "ArrowRight"].includes(event.key)) tab(tabs.find((other) => other !== name), true);
  });
}

changed((what) => {
  if (what.has("language")) drawForms();
  if (["language", "complaints", "selected", "time"].some((w) => what.has(w))) show();
});
