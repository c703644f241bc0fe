// The conversation of one complaint as the consumer sees it, with what came in and what was published beside it.
import { byId, el, foreign, pre, redraw } from "/console/dom.js";
import { go, place } from "/console/place.js";
import { inWords } from "/console/server.js";
import { announce, changed, keyOf, now, read, state } from "/console/state.js";
import { language, moment, span, t } from "/console/text.js";
import { limitAt, limitOf } from "/console/urgency.js";

// talk is the open complaint in full, see complaints.go; null while none is there.
export let talk = null;

const box = byId("thread-box");
let wanted = 0, row = null, missing = false;

async function load() {
  const key = place.complaint, mine = ++wanted;
  if (!key) return show(null);
  row = state.rows.get(key) ?? null;
  const [merchant, ...id] = key.split("/");
  const { status, answer } = await read(await fetch(`/console/complaints/${encodeURIComponent(merchant)}/${encodeURIComponent(id.join("/"))}`));
  if (mine !== wanted) return; // another one was chosen meanwhile
  show(status === 200 ? answer : null);
}

function show(answer) {
  const same = talk && answer && keyOf(talk) === keyOf(answer);
  missing = !answer && place.complaint !== "";
  talk = answer;
  announce("talk");
  if (talk && !same) box.scrollTop = box.scrollHeight;
}

function words(text) { return el("span", { class: "words", dir: "auto" }, text); }

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

// thumbnail is a picture if the console has it, and else its id.
export function thumbnail({ id, shown }) {
  if (!shown) return el("span", { class: "picture" }, foreign(id));
  const address = `/console/pictures/${encodeURIComponent(id)}`;
  return el("a", { class: "thumbnail", href: address, target: "_blank", rel: "noopener" }, el("img", { src: address, alt: t("pictureAlt", { id }), loading: "lazy" }));
}

function pictures(list) { return list?.length ? el("div", { class: "pictures" }, list.map(thumbnail)) : null; }

function bubble(item, again) {
  const mine = item.kind === "reply";
  const who = mine ? t("youReplied", { at: moment(item.at) }) : t("said." + item.kind, { at: moment(item.at), ago: span(now() - Date.parse(item.at)) });
  return el("li", { class: mine ? "bubble mine" : "bubble" },
    el("p", { class: "who" }, who, again ? el("span", { class: "badge late" }, t("doubled")) : null),
    words(item.text), pictures(item.images), link(item));
}

function said(item, seen) {
  if (item.kind === "done") return el("li", { class: "note" }, "✓ " + t("settledAt", { at: moment(item.at) }));
  const again = item.kind === "reply" && seen.has(item.transaction_id);
  if (item.kind === "reply") seen.add(item.transaction_id);
  return bubble(item, again);
}

// callLink leads to the call in full, on the bench.
export function callLink(id) { return el("a", { class: "call-link", href: `/console/bench#call=${encodeURIComponent(id)}` }, t("seeCall")); }

// told is one line about what became of a command.
export function told(result, failure) {
  const outcome = result?.outcome ?? "failed";
  return [el("span", { class: `badge ${outcome}` }, t("outcome." + outcome)), " ", el("b", {}, result?.code ?? failure ?? ""), " ",
    result?.replayed ? t("replayed") + " " : "", foreign(inWords(result?.message ?? result?.detail ?? ""))];
}

function resultLine(r) {
  return el("li", { class: "note told" }, moment(r.at), " ", t("action." + (r.result?.action ?? "reply")), " ", told(r.result, r.failure), " ", r.call ? callLink(r.call) : "");
}

// eventLine is one event of the bus: what somebody asked for, or what Kesu told.
function eventLine(event, results) {
  const settled = event.type.endsWith("Settled") ? event.detail : null;
  const call = settled && results.find((r) => r.result?.event_id === settled.event_id)?.call;
  const name = t("event." + event.type);
  return el("li", { class: "note told" }, moment(event.at), " ", name === "event." + event.type ? foreign(event.type) : name, " ", settled ? told(settled) : "",
    " ", call ? callLink(call) : "",
    el("details", {}, el("summary", {}, foreign(event.type)), pre(JSON.stringify(event.detail, null, 2), event.type)));
}

function thread() {
  const seen = new Set(), published = new Set(talk.events.filter((e) => e.type.endsWith("Settled")).map((e) => e.detail.event_id));
  const lines = [
    ...talk.items.map((item) => [Date.parse(item.at), () => said(item, seen)]),
    ...talk.results.filter((r) => !published.has(r.result?.event_id ?? "-")).map((r) => [Date.parse(r.at), () => resultLine(r)]),
    ...talk.events.map((e) => [Date.parse(e.at), () => eventLine(e, talk.results)]),
  ].sort((a, b) => a[0] - b[0]).map(([, draw]) => draw());
  return talk.dropped ? [el("li", { class: "note" }, t("dropped", { n: talk.dropped })), ...lines] : lines;
}

function limitLine(which) {
  const l = limitOf(which, talk), fill = el("i");
  fill.style.width = `${Math.max(1, l.part * 100)}%`;
  const kind = l.late ? "limit late" : l.met ? "limit met" : "limit";
  return el("span", { class: kind, title: t("limitAt", { at: moment(limitAt(which, talk)) }) }, (l.late ? "! " : l.met ? "✓ " : "") + l.text,
    el("span", { class: "track", "aria-hidden": "true" }, fill));
}

let drawn = "";

function draw() {
  byId("no-talk").hidden = !!talk;
  byId("no-talk").textContent = t(missing ? "noSuchTalk" : "noTalk");
  byId("talk-head").hidden = !talk && !place.complaint;
  for (const id of ["thread-box", "work"]) byId(id).hidden = !talk;
  if (!talk) {
    byId("talk-facts").replaceChildren();
    drawn = "";
    return;
  }
  const text = JSON.stringify([talk, language(), Math.floor(now() / 60000)]);
  if (text === drawn) return;
  drawn = text;
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  byId("talk-facts").replaceChildren(
    el("p", { class: "line" }, el("span", { class: `badge ${talk.state}` }, t("state." + talk.state)),
      talk.times ? el("span", { class: "badge late" }, t("again", { n: talk.times + 1 })) : null,
      talk.immediate ? el("span", { class: "badge PENDING" }, t("immediate")) : null,
      el("span", {}, foreign(talk.merchant)), el("span", { class: "mono small soft", id: "talk-id" }, foreign(talk.id))),
    el("p", { class: "limits" }, limitLine("reply"), limitLine("complete")));
  const open = new Set([...byId("thread").querySelectorAll("details[open]")].map((d) => d.parentElement.dataset.n));
  redraw(byId("thread"), thread());
  [...byId("thread").children].forEach((li, n) => {
    li.dataset.n = n;
    const details = li.querySelector(":scope > details");
    if (details && open.has(String(n))) details.open = true;
  });
  if (atEnd) box.scrollTop = box.scrollHeight;
}

byId("back").addEventListener("click", () => {
  go({ complaint: "" }, true);
  byId("complaint-list").focus();
});

changed((what) => {
  const key = place.complaint;
  if (what.has("place") && key !== (talk ? keyOf(talk) : "")) {
    if (talk) show(null);
    load();
  } else if (what.has("rows") && key && state.rows.get(key) !== row) {
    load();
  }
  if (["language", "talk", "time", "place"].some((w) => what.has(w))) draw();
});
