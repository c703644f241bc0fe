// One call in full, on a sheet over the page.
import { byId, el, fed, foreign, plainly, pre } from "/console/dom.js";
import { bar, outcomeOf, route } from "/console/calls.js";
import { go, place } from "/console/place.js";
import { changed, state } from "/console/state.js";
import { clock, has, language, t, took } from "/console/text.js";

const sheet = byId("call");
let open = "", wanted = 0;

export async function openCall(id) {
  open = id;
  if (place.call !== id) go({ call: id });
  byId("call-title").replaceChildren("…");
  byId("call-body").replaceChildren();
  if (!sheet.open) sheet.showModal();
  sheet.dataset.call = JSON.stringify(state.calls.find((c) => c.id === id));
  await load(id);
  sheet.scrollTop = 0;
}

async function load(id) {
  const mine = ++wanted;
  const response = await fetch(`/console/calls/${encodeURIComponent(id)}`);
  const call = await response.json();
  if (mine !== wanted || open !== id) return;
  byId("call-title").replaceChildren(...(response.ok ? title(call) : [t("noCall")]));
  byId("call-body").replaceChildren(...(response.ok ? body(call) : []));
}

byId("call-close").addEventListener("click", () => sheet.close());
sheet.addEventListener("click", (event) => { if (event.target === sheet && event.clientX < sheet.getBoundingClientRect().left) sheet.close(); });
// The event comes a moment after the closing, when the next call may be open already.
sheet.addEventListener("close", () => {
  if (sheet.open) return;
  open = "";
  go({ call: "" });
});

function title(call) {
  const outcome = outcomeOf(call);
  return [t("action." + call.action), " ", foreign(call.complaint_id), " ", el("span", { class: `badge ${outcome}` }, t("outcome." + outcome)), " ", el("span", { class: "mono" }, call.code || call.failure)];
}

function body(call) {
  return [summary(call), waterfall(call), command(call), attempts(call), ledger(call), section("result", pre(call.result || "–", t("result"))), log(call)];
}

function section(name, ...children) {
  const hint = `hint.${name}`;
  return el("section", {}, el("h3", {}, t(name)), has(hint) ? el("p", { class: "hint" }, t(hint)) : null, ...children);
}

function summary(call) {
  const fact = (name, value) => el("div", {}, el("dt", {}, t(name)), el("dd", {}, value));
  const outcome = outcomeOf(call);
  return el("section", {},
    el("p", {}, t("means." + outcome), call.replayed ? " " + t("replayedLong") : ""),
    el("dl", { class: "facts" },
      fact("merchant", foreign(call.merchant)), fact("time", clock(call.at)), fact("came", t("way." + call.via)),
      fact("took", took(call.ms)), fact("attemptsTitle", `${call.attempts}${call.hosts.length ? " – " + route(call) : ""}`),
      fact("start", t(call.cold_start ? "cold" : "warm"))));
}

function waterfall(call) {
  const total = Math.max(call.ms, 0.001);
  const rows = call.parts.map((p) => el("tr", {},
    el("td", {}, t("part." + p.name), p.attempt && call.attempts > 1 ? ` ${p.attempt}` : ""),
    el("td", {}, el("span", { class: "strip", "aria-hidden": "true" }, bar(p, total))),
    el("td", { class: "number" }, took(p.start)),
    el("td", { class: "number" }, (p.how === "derived" ? "≈ " : "") + took(p.ms)),
    el("td", { class: "soft" }, t("how." + p.how))));
  const head = ["part", "", "from", "long", "how"].map((name) => el("th", { scope: "col", class: ["from", "long"].includes(name) ? "number" : "" }, name ? t(name) : ""));
  const notes = [];
  if (!call.parts.some((p) => p.name === "key")) notes.push(t("keyKept"));
  if (!call.ledger) notes.push(t(call.action === "complete" ? "noLedgerCompletion" : "noLedger"));
  return section("waterfall", rows.length ? el("table", { class: "falls" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)) : null,
    notes.length ? el("p", { class: "hint" }, notes.join(" ")) : null);
}

function copyable(text, label) {
  const button = el("button", { type: "button", class: "quiet" }, t("copy"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = t("copied");
    } catch {
      button.textContent = t("notCopied");
    }
  });
  return [pre(text, label), el("div", { class: "copy" }, button)];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function command(call) {
  const c = call.command;
  const key = c.key ? el("p", {}, "Idempotency-Key: ", plainly(c.key)) : null;
  const event = c.event_id ? el("p", { class: "hint" }, t("eventID"), " ", c.event_id) : null;
  return section("command", key, event, c.text ? pre(pretty(c.text), t("command")) : el("p", { class: "hint" }, t("noBody")),
    c.curl ? [el("p", { class: "hint" }, t("curl")), copyable(c.curl, t("curl"))] : null);
}

function attempts(call) {
  if (call.calls.length === 0) return section("attemptsTitle", el("p", {}, t("noAttempts")));
  return section("attemptsTitle", call.calls.map((a, i) => attempt(a, i + 1, call)));
}

function attempt(a, n, call) {
  const said = a.bytes ? t("bytes." + a.bytes) : t(call.running ? "bytes.running" : "bytes.unlogged");
  const why = [said];
  if (a.decision) why.push(`${t("decision." + a.decision)} – ${has("reason." + a.reason) ? t("reason." + a.reason) : a.reason}.`);
  if (a.wait_ms) why.push(t("waited", { ms: wholly(a.wait_ms) }));
  if (a.acted) why.push(t("acted"));
  return el("article", { class: "attempt" },
    el("h4", {}, t("attemptN", { n }), el("span", {}, "→ " + t("host." + a.host)), a.status ? el("span", { class: "mono" }, `HTTP ${a.status}`) : null,
      el("span", { class: "mono" }, a.code), a.bytes ? el("span", { class: "soft small" }, wholly(a.ms)) : null),
    el("p", { class: "why" }, why.join(" ")),
    a.problem ? el("p", { class: "why" }, t("gatewaySaid"), " ", foreign(a.problem)) : null,
    a.request ? fold("request", pre(a.request, t("request"))) : el("p", { class: "hint" }, t("neverSeen")),
    a.signed ? fold("signed", ...signature(a.signed, "request", a)) : null,
    a.answer ? fold("answer", pre(a.answer, t("answer"))) : null,
    a.verified ? fold("verified", ...signature(a.verified, "answer", a)) : null);
}

// wholly writes what the function logged in whole milliseconds, with no more places than it has.
function wholly(ms) {
  if (ms === 0) return "< 1 ms";
  return ms < 1000 ? `${ms} ms` : took(ms);
}

function fold(name, ...children) {
  return el("details", { class: name, open: name === "signed" || name === "verified" }, el("summary", {}, t(name)), ...children);
}

// signature tells how one came about, step by step.
function signature(s, which, a) {
  const steps = s.steps ?? [];
  const lines = steps.map((step) => el("li", {}, el("p", {}, t(`step.${s.scheme}.${step.name}`)), (step.name === "lines" ? fed : pre)(step.text, t(`step.${s.scheme}.${step.name}`))));
  let verdict = t(`verdict.${which}.${s.verdict}`);
  if (which === "request" && s.verdict === "right" && (a.code === "6100" || a.code === "SIGN_ERROR")) verdict = t("verdict.request.otherKey");
  return [
    lines.length ? el("ol", { class: "steps" }, lines) : null,
    s.signed && s.scheme !== "wechatpay" ? el("p", { class: "hint" }, t("signedText")) : null,
    s.signed && s.scheme !== "wechatpay" ? el("pre", { class: "signed-text", dir: "ltr" }, plainly(s.signed)) : null,
    el("p", { class: `verdict ${s.verdict}` }, (s.verdict === "right" ? "✓ " : s.verdict === "unsigned" ? "– " : "✕ ") + verdict),
    s.why ? el("p", { class: "hint" }, (language() === "zh" && s.why_zh) || s.why) : null,
  ].filter(Boolean);
}

function ledger(call) {
  if (!call.ledger) return section("ledger", el("p", {}, t(call.action === "complete" ? "noLedgerCompletion" : "noLedger")));
  const writes = call.ledger.map((w) => el("li", {}, el("p", {}, el("span", { class: "mono" }, w.operation), " ", w.state ? `→ ${w.state} ` : "", el("span", { class: "soft" }, t("if"), " "), el("span", { class: "mono" }, w.condition)),
    el("p", { class: "soft small" }, `${took(w.at)} · ${took(w.ms)} · ${w.code || t("noAnswer")}`)));
  const entry = call.entry ? el("dl", { class: "pair" }, call.entry.map((a) => [el("dt", {}, a.name), el("dd", {}, plainly(a.value))])) : el("p", {}, t("noEntry"));
  return section("ledger", el("ol", { class: "steps" }, writes), el("p", { class: "hint" }, t("entry")), entry);
}

function log(call) {
  return el("section", {}, el("details", {}, el("summary", {}, t("log", { n: call.log.length })), ...call.log.map((line) => pre(line, t("log", { n: 1 })))));
}

changed((what) => {
  if (what.has("place") && place.call && place.call !== open) openCall(place.call);
  if (!open) return;
  const call = state.calls.find((c) => c.id === open);
  if (what.has("language") || what.has("calls") && call && sheet.open && JSON.stringify(call) !== sheet.dataset.call) {
    sheet.dataset.call = JSON.stringify(call);
    load(open);
  }
});
