// The switches for what can go wrong, and what to expect of each.
import { byId, el } from "/console/dom.js";
import { changed, post, state } from "/console/state.js";
import { t } from "/console/text.js";

const kinds = ["works", "down", "slow", "silent", "http500", "http429", "forged", "signtest", "garbage"];
const selects = [...document.querySelectorAll("select[data-host]")];
const [ledger, duplicates, crash] = ["ledger-down", "duplicates", "crash"].map(byId);
let complaint = ""; // what the sandbox had against the last change

async function change(path, body) {
  const { status, answer } = await post(path, body);
  complaint = status < 300 ? "" : answer.detail ?? String(status);
  show();
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
byId("rotate").addEventListener("click", () => change("/console/rotate", {}));
byId("all-well").addEventListener("click", async () => {
  const hosts = Object.fromEntries(selects.map((s) => [s.dataset.host, "works"]));
  await change("/console/faults", { hosts, ledger_down: false, duplicates: false });
  await change("/console/crash", { armed: false });
});

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
  expect(s);
}

// expect says what to look out for while something is broken.
function expect(s) {
  const lines = [];
  for (const [host, kind] of Object.entries(s.hosts)) {
    if (kind === "works") continue;
    const which = host === "imageco" ? "imageco" : "wechatpay";
    let name = `expect.${which}.${kind}`;
    if (kind === "down" && which === "wechatpay") {
      const other = host === "wechatpay" ? "wechatpay-backup" : "wechatpay";
      name += s.hosts[other] === "down" ? ".both" : host === "wechatpay" ? ".main" : ".backup";
    }
    lines.push([t("host." + host), t(name)]);
  }
  if (s.ledger_down) lines.push([t("ledgerDown"), t("expect.ledger")]);
  if (s.duplicates) lines.push([t("duplicates"), t("expect.duplicates")]);
  if (s.crash) lines.push([t("crash"), t("expect.crash")]);
  if (s.rotations > rotated) lines.push([t("rotate"), t("expect.rotate")]);
  if (complaint) lines.push([t("refused"), complaint]);
  const text = JSON.stringify(lines);
  const list = byId("expect");
  if (list.dataset.shown === text) return;
  list.dataset.shown = text;
  list.replaceChildren(...lines.map(([what, then]) => el("li", {}, el("b", {}, what), then)));
}

changed((what) => {
  if (what.has("language")) {
    selects.forEach(options);
    byId("expect").dataset.shown = "";
  }
  if (what.has("language") || what.has("switches")) show();
});
