// The switches for what can go wrong, and what to expect of each.
import { el } from "/console/dom.js";
import { inWords } from "/console/server.js";
import { announce, changed, post, state } from "/console/state.js";
import { t } from "/console/text.js";

const kinds = ["works", "down", "slow", "silent", "http500", "http429", "forged", "signtest", "garbage"];
const selects = ["imageco", "wechatpay", "wechatpay-backup"].map((host) => el("select", { id: `fault-${host}`, "data-host": host }));
const [ledger, duplicates, crash] = ["ledger-down", "duplicates", "crash"].map((id) => el("input", { type: "checkbox", id }));
const rotate = el("button", { type: "button", id: "rotate", "data-t": "rotate" }), allWell = el("button", { type: "button", id: "all-well", "data-t": "allWell" });
const every = el("select", { id: "watch-every" });
const telling = ["lost", "twice", "sign_test"].map((name) => el("input", { type: "checkbox", id: `watch-${name}`, "data-name": name }));
let complaint = ""; // what the sandbox had against the last change

function toggle(input, name) { return el("label", { class: "toggle" }, input, el("span", { "data-t": name })); }

// switchboard holds the switches.
export const switchboard = el("div", { class: "switchboard" },
  selects.map((select) => el("div", { class: "field" }, el("label", { for: select.id, "data-t": "host." + select.dataset.host }), select)),
  toggle(ledger, "ledgerDown"), toggle(duplicates, "duplicates"), toggle(crash, "crash"),
  el("div", { class: "field" }, el("label", { for: "watch-every", "data-t": "watchFaults" }), every),
  toggle(telling[0], "watchLost"), toggle(telling[1], "watchTwice"), toggle(telling[2], "watchSignTest"), el("div", { class: "answers" }, rotate, allWell));

async function change(path, body) {
  const { status, answer } = await post(path, body);
  complaint = status < 300 ? "" : inWords(answer.detail ?? String(status));
  show();
  announce("switches");
}

function options(select) {
  const host = select.dataset.host;
  const usable = kinds.filter((kind) => host !== "imageco" || kind !== "signtest");
  select.replaceChildren(...usable.map((kind) => el("option", { value: kind }, t("fault." + kind))));
}

for (const select of selects) {
  select.addEventListener("change", () => change("/console/faults", { hosts: { [select.dataset.host]: select.value } }));
}
ledger.addEventListener("change", () => change("/console/faults", { ledger_down: ledger.checked }));
duplicates.addEventListener("change", () => change("/console/faults", { duplicates: duplicates.checked }));
crash.addEventListener("change", () => change("/console/crash", { armed: crash.checked }));
rotate.addEventListener("click", () => change("/console/rotate", {}));
allWell.addEventListener("click", async () => {
  const hosts = Object.fromEntries(selects.map((s) => [s.dataset.host, "works"]));
  await change("/console/faults", { hosts, ledger_down: false, duplicates: false });
  await change("/console/crash", { armed: false });
  await change("/console/watch/faults", {});
});

// tell sets what goes wrong with notifications.
function tell() {
  return change("/console/watch/faults", { every: Number(every.value), ...Object.fromEntries(telling.map((input) => [input.dataset.name, input.checked])) });
}
for (const control of [every, ...telling]) control.addEventListener("change", tell);

let rotated = 0; // the rotations that were there when the page came
let known = false;

function show() {
  const s = state.switches;
  if (!s) return;
  if (!known) [known, rotated] = [true, s.rotations];
  for (const select of selects) {
    const kind = s.hosts[select.dataset.host];
    select.value = kind;
    select.classList.toggle("on", kind !== "works");
  }
  ledger.checked = s.ledger_down;
  duplicates.checked = s.duplicates;
  crash.checked = s.crash;
  every.value = String(s.telling.every);
  if (!every.value) every.append(el("option", { value: s.telling.every, selected: true }, t("everyN", { n: s.telling.every })));
  for (const input of telling) input.checked = s.telling[input.dataset.name];
}

// faultsOn is how many faults there are.
export function faultsOn() {
  const s = state.switches;
  return s ? Object.values(s.hosts).filter((kind) => kind !== "works").length + [s.ledger_down, s.duplicates, s.crash].filter(Boolean).length : 0;
}

// expectations say what to look out for while something is broken.
export function expectations() {
  const lines = [], s = state.switches;
  for (const [host, kind] of Object.entries(s?.hosts ?? {})) {
    if (kind === "works") continue;
    const which = host === "imageco" ? "imageco" : "wechatpay";
    let name = `expect.${which}.${kind}`;
    if (kind === "down" && which === "wechatpay") {
      const other = host === "wechatpay" ? "wechatpay-backup" : "wechatpay";
      name += s.hosts[other] === "down" ? ".both" : host === "wechatpay" ? ".main" : ".backup";
    }
    lines.push([t("host." + host), t(name)]);
  }
  if (s?.ledger_down) lines.push([t("ledgerDown"), t("expect.ledger")]);
  if (s?.duplicates) lines.push([t("duplicates"), t("expect.duplicates")]);
  if (s?.crash) lines.push([t("crash"), t("expect.crash")]);
  if (s && s.rotations > rotated) lines.push([t("rotate"), t("expect.rotate")]);
  if (complaint) lines.push([t("refused"), complaint]);
  return lines;
}

changed((what) => {
  if (what.has("language")) {
    selects.forEach(options);
    every.replaceChildren(...[0, 1, 2, 5].map((n) => el("option", { value: n }, n ? t("everyN", { n }) : t("everyNone"))));
  }
  if (what.has("language") || what.has("switches")) show();
});
