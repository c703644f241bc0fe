// The drawer of the sandbox: what can be broken, and complaints to try things with.
import { byId, el } from "/console/dom.js";
import { inWords } from "/console/server.js";
import { changed, post, state } from "/console/state.js";
import { t } from "/console/text.js";
import { expectations, faultsOn, switchboard } from "/console/faults.js";

const box = byId("drawer"), opener = byId("drawer-open");

function word(tag, name, properties = {}) { return el(tag, { "data-t": name, ...properties }); }

function field(id, name, control) { return el("div", { class: "field" }, word("label", name, { for: id }), control); }

const merchant = el("select", { id: "own-merchant", "aria-describedby": "own-merchant-rule" }), age = el("select", { id: "own-age" });
const own = el("form", { id: "own-form", novalidate: true },
  field("own-merchant", "merchant", [merchant, el("p", { class: "rule", id: "own-merchant-rule" })]),
  field("own-age", "age", age),
  field("own-words", "words", el("textarea", { id: "own-words", rows: 3, maxlength: 10000, dir: "auto" })),
  el("p", { class: "problem", id: "own-problem", role: "alert" }),
  el("div", { class: "answers" }, word("button", "open", { type: "submit", id: "own-open" }), word("button", "samples", { type: "button", id: "samples" })),
  el("p", { class: "hint", id: "own-said", role: "status" }));

box.append(
  el("div", { class: "sheet-head" }, word("h2", "drawer", { id: "drawer-title" }), word("button", "close", { type: "button", class: "quiet", id: "drawer-close" })),
  el("div", { class: "sheet-body" },
    word("p", "tag", { class: "hint" }),
    el("section", {}, word("h3", "faults"), word("p", "faultsHint", { class: "hint" }), switchboard, el("ul", { class: "expect", "aria-live": "polite" })),
    el("section", {}, word("h3", "ownWords"), own)));

opener.addEventListener("click", () => box.showModal());
byId("drawer-close").addEventListener("click", () => box.close());
box.addEventListener("click", (event) => { if (event.target === box && event.clientX < box.getBoundingClientRect().left) box.close(); });

own.addEventListener("submit", async (event) => {
  event.preventDefault();
  await make("/console/complaints", { merchant: merchant.value, words: byId("own-words").value, hours_ago: Number(age.value) }, 1);
});
byId("samples").addEventListener("click", () => make("/console/samples", { count: 500 }, 500));

async function make(path, body, n) {
  const { status, answer } = await post(path, body);
  byId("own-problem").textContent = status === 201 ? "" : inWords(answer.detail ?? String(status));
  byId("own-said").textContent = status === 201 ? t("made", { n }) : "";
  if (status === 201) byId("own-words").value = "";
}

function choices() {
  const chosen = [merchant.value, age.value];
  merchant.replaceChildren(...state.merchants.map((m) => el("option", { value: m.name }, m.name)));
  byId("own-merchant-rule").textContent = state.merchants.map((m) => `${m.name}: ${t("merchant." + m.name)}`).join("; ");
  age.replaceChildren(...[0, 20, 30, 70, 80].map((h) => el("option", { value: h }, h === 0 ? t("ageNow") : t("ageHours", { h }))));
  if (chosen[0]) merchant.value = chosen[0];
  if (chosen[1]) age.value = chosen[1];
}

changed((what) => {
  if (what.has("language") || what.has("merchants")) choices();
  if (!what.has("language") && !what.has("switches")) return;
  const lines = expectations(), text = JSON.stringify(lines), on = faultsOn();
  opener.textContent = on ? t("drawerOn", { n: on }) : t("drawer");
  opener.classList.toggle("on", on > 0);
  for (const list of document.querySelectorAll(".expect")) {
    if (list.dataset.shown === text) continue;
    list.dataset.shown = text;
    list.replaceChildren(...lines.map(([name, then]) => el("li", {}, el("b", {}, name), then)));
  }
});
