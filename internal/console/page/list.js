// The list of complaints, the most urgent first. It holds nodes only for what is in view: there may be ten thousand.
import { byId, el, foreign, shorten } from "/console/dom.js";
import { go, place } from "/console/place.js";
import { changed, keyOf, post, state } from "/console/state.js";
import { inWords } from "/console/server.js";
import { language, t } from "/console/text.js";
import { lateness, shows, timeLeft, urgencyOf } from "/console/urgency.js";

const list = byId("complaint-list"), search = byId("search"), merchant = byId("of-merchant");
const spacer = el("div", { class: "spacer", role: "presentation" });
const beyond = 6; // rows that are drawn beyond the view on each side
list.append(spacer);

let sorted = [];       // all rows, the most urgent first
let shown = [];        // those that the list shows
let active = "";       // the row that the keyboard is at
let found = false;     // the place of a reload was looked for
const nodes = new Map();
let ids = 0;

function matches(row, terms) {
  row.hay ??= `${row.id} ${row.merchant} ${row.words}`.toLowerCase();
  return terms.every((term) => row.hay.includes(term));
}

function narrow() {
  const show = shows[place.show] ?? shows.open, terms = place.search.toLowerCase().split(/\s+/).filter(Boolean);
  shown = sorted.filter((row) => show(row) && (!place.of || row.merchant === place.of) && (!terms.length || matches(row, terms)));
  byId("count").textContent = t("count", { n: shown.length, all: sorted.length });
  empty(terms);
  draw();
}

// empty says why nothing is shown, and leads to what there is.
function empty(terms) {
  const box = byId("no-complaints");
  box.hidden = shown.length > 0 || !state.begun;
  list.hidden = shown.length === 0;
  if (box.hidden) return;
  const elsewhere = sorted.filter((row) => matches(row, terms)).length;
  box.replaceChildren(el("p", {}, t(sorted.length ? "nothingHere" : "noComplaints")),
    elsewhere ? el("button", { type: "button", onclick: () => go({ show: "all", of: "" }) }, t("lookInAll", { n: elsewhere })) : "");
}

function rowHeight() { return parseFloat(getComputedStyle(list).getPropertyValue("--row")) * parseFloat(getComputedStyle(document.documentElement).fontSize); }

function draw() {
  if (list.hidden) return;
  const height = rowHeight();
  spacer.style.height = `${shown.length * height}px`;
  const from = Math.max(0, Math.floor(list.scrollTop / height) - beyond);
  const to = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / height) + beyond);
  const old = new Set(nodes.keys());
  for (let i = from; i < to; i++) {
    const key = keyOf(shown[i]);
    old.delete(key);
    drawRow(key, shown[i], i, height);
  }
  for (const key of old) {
    nodes.get(key).remove();
    nodes.delete(key);
  }
  const node = nodes.get(active);
  if (node) list.setAttribute("aria-activedescendant", node.id);
  else list.removeAttribute("aria-activedescendant");
}

function drawRow(key, row, i, height) {
  let node = nodes.get(key);
  if (!node) {
    node = el("div", { class: "row", role: "option", id: `row-${++ids}` });
    node.addEventListener("click", () => choose(key));
    nodes.set(key, node);
    spacer.append(node);
  }
  node.style.transform = `translateY(${i * height}px)`;
  node.setAttribute("aria-setsize", String(shown.length));
  node.setAttribute("aria-posinset", String(i + 1));
  node.setAttribute("aria-selected", String(key === place.complaint));
  node.classList.toggle("active", key === active);
  const left = timeLeft(row), late = lateness(row);
  const text = [left, late, language(), row.state, row.unknown, row.asks, row.times, row.words].join("\n");
  if (node.shown === text) return;
  node.shown = text;
  node.replaceChildren(
    el("span", { class: "line" },
      row.unknown ? el("span", { class: "badge unknown" }, t("waits.unknown")) : el("span", { class: `badge ${row.state}` }, t("state." + row.state)),
      el("span", { class: `left ${late}` }, (late === "late" ? "! " : "") + left),
      row.times ? el("span", { class: "badge late" }, t("again", { n: row.times + 1 })) : null,
      row.asks && row.state !== "PENDING" ? el("span", { class: "badge PENDING" }, t("asks")) : null),
    el("span", { class: "clip" }, foreign(shorten(row.words.replace(/\s+/g, " "), 60))),
    el("span", { class: "clip soft small" }, foreign(row.merchant), " ", el("span", { class: "mono" }, foreign(row.id))));
}

// choose opens a complaint's conversation.
export function choose(key) {
  active = key;
  go({ complaint: key }, true);
  if (getComputedStyle(byId("back")).display !== "none") byId("talk-title").focus(); // the list has given way to it
}

// reveal scrolls a row into view and gives its place in the list.
function reveal(key) {
  const i = shown.findIndex((row) => keyOf(row) === key), height = rowHeight();
  if (i < 0) return i;
  if (i * height < list.scrollTop) list.scrollTop = i * height;
  if ((i + 1) * height > list.scrollTop + list.clientHeight) list.scrollTop = (i + 1) * height - list.clientHeight;
  return i;
}

function moveTo(i) {
  if (!shown.length) return;
  active = keyOf(shown[Math.max(0, Math.min(shown.length - 1, i))]);
  reveal(active);
  draw();
}

list.addEventListener("keydown", (event) => {
  const i = shown.findIndex((row) => keyOf(row) === active), page = Math.max(1, Math.floor(list.clientHeight / rowHeight()) - 1);
  const steps = { ArrowDown: i + 1, ArrowUp: i - 1, PageDown: i + page, PageUp: i - page, Home: 0, End: shown.length - 1 };
  if (event.key in steps) moveTo(steps[event.key]);
  else if ((event.key === "Enter" || event.key === " ") && i >= 0) choose(active);
  else return;
  event.preventDefault();
});
list.addEventListener("focus", () => { if (shown.length && !shown.some((row) => keyOf(row) === active)) moveTo(Math.floor(list.scrollTop / rowHeight())); });
let waiting = false;
list.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
});
new ResizeObserver(draw).observe(list);

search.addEventListener("input", () => {
  list.scrollTop = 0;
  go({ search: search.value });
});
search.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" || !shown.length) return;
  event.preventDefault();
  list.focus();
  moveTo(0);
});
merchant.addEventListener("change", () => go({ of: merchant.value }));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  list.focus();
});

// chips say how many there are of each kind; counting them anew is for when they changed, not for every key press.
function chips(anew) {
  const current = place.show in shows ? place.show : "open", box = byId("chips");
  if (!box.children.length) {
    box.append(...Object.keys(shows).map((name) => el("button", { type: "button", class: "chip", "data-show": name, onclick: () => { list.scrollTop = 0; go({ show: name }); } })));
  }
  for (const chip of box.children) {
    const name = chip.dataset.show;
    chip.setAttribute("aria-pressed", String(name === current));
    if (!anew) continue;
    const n = sorted.reduce((sum, row) => sum + (shows[name](row) ? 1 : 0), 0);
    chip.textContent = `${t("show." + name)} ${n}`;
    chip.classList.toggle("alarm", n > 0 && (name === "unknown" || name === "late"));
  }
}

const samples = [
  "收到的耳机左边没有声音,联系店铺三天没有人回复,要求退款。",
  "付款后一直没有发货,订单显示已完成,请尽快处理。",
  "重复扣款两次,只下了一单,希望退回多扣的 58 元。",
  "The jacket is a size smaller than it says. I would like my money back.",
  "充值的会员没有到账,客服电话打不通。",
];
let next = 0;
byId("new").addEventListener("click", async () => {
  const { status, answer } = await post("/console/complaints", { merchant: state.merchants[next % 2]?.name ?? "acme", words: samples[next++ % samples.length], hours_ago: 0 });
  if (status === 201) choose(`${answer.merchant}/${answer.complaint_id}`);
  else byId("count").textContent = inWords(answer.detail ?? String(status));
});

function merchants() {
  merchant.replaceChildren(el("option", { value: "" }, t("allMerchants")), ...state.merchants.map((m) => el("option", { value: m.name }, m.name)));
  merchant.value = place.of;
}

changed((what) => {
  if (what.has("merchants") || what.has("language")) merchants();
  if (what.has("rows")) sorted = [...state.rows.values()].map((row) => [urgencyOf(row), row]).sort((a, b) => a[0] - b[0]).map((pair) => pair[1]);
  if (!["rows", "place", "language", "time"].some((w) => what.has(w))) return;
  if (search.value !== place.search) search.value = place.search;
  merchant.value = place.of;
  document.body.dataset.view = place.complaint ? "talk" : "list";
  chips(what.has("rows") || what.has("language") || what.has("time"));
  narrow();
  if (!found && state.begun && what.has("rows")) {
    found = true;
    active = place.complaint;
    reveal(active);
  }
});
