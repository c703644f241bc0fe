// What a person does about an outcome that is unknown: the evidence, and the next steps.
import { ask, quote } from "/console/ask.js";
import { byId, el, foreign, redraw } from "/console/dom.js";
import { place } from "/console/place.js";
import { inWords } from "/console/server.js";
import { changed, post } from "/console/state.js";
import { talk, told } from "/console/talk.js";
import { clock, language, t } from "/console/text.js";

const box = byId("attention");
let said = []; // what became of the latest step
let of = "";   // the complaint that it was for
let drawn = "";

// waiting is the latest result that is unknown, with what was asked for.
function waiting() {
  const open = (r) => (r.result?.outcome ?? "unknown") === "unknown";
  return talk?.unknown ? [...talk.results].reverse().find((r) => open(r) && (r.result?.action ?? talk.unknown) === talk.unknown) : null;
}

// evidence says what a look into the complaint's history told.
function evidence(e) {
  if (!e) return el("p", {}, t("evidence.none"));
  const at = clock(e.looked_at), state = e.complaint_state ? ` ${t("evidence.state", { state: t("state." + e.complaint_state) })}` : "";
  if (e.error) return el("p", {}, t("evidence.failed", { at, code: e.error }));
  if (e.seen) return el("p", {}, t("evidence.seen", { at, when: clock(e.operate_time) }), " ", foreign(e.log_id ?? ""));
  return el("p", {}, t("evidence.unseen", { at }) + state);
}

async function again(r, resend) {
  const action = talk.unknown, body = { ...r.request };
  delete body.resend_unknown;
  if (resend) {
    body.resend_unknown = true;
    if (!await ask(t("ask.resend"), [el("p", {}, t("ask.resendLong")), quote(body.response_content ?? "")], t("step.resend"))) return;
  }
  await step(() => post("/console/send", { merchant: talk.merchant, complaint_id: talk.id, action, body }));
}

// step does one thing and shows what became of it.
async function step(f) {
  of = place.complaint;
  const mine = of;
  say(t("sending"));
  try {
    const { status, answer } = await f();
    if (mine !== of) return;
    if (status !== 200) say(inWords(answer.detail ?? String(status)));
    else if (answer.answer) say(told(answer.answer));
    else say("");
  } catch (error) {
    say(`${t("notSent")} ${error}`);
  }
}

function say(...nodes) {
  said = nodes.flat();
  byId("attention-said")?.replaceChildren(...said);
}

async function seenTo() {
  if (!await ask(t("ask.seenTo"), [el("p", {}, t("ask.seenToLong"))], t("step.seenTo"))) return;
  await step(() => post("/console/handled", { merchant: talk.merchant, complaint_id: talk.id }));
}

function draw() {
  const r = waiting(), text = JSON.stringify([r, language(), place.complaint]);
  if (text === drawn) return;
  drawn = text;
  if (of !== place.complaint) said = [];
  box.hidden = !r;
  if (!r) {
    box.replaceChildren();
    return;
  }
  const reply = talk.unknown === "reply", can = r.request !== undefined;
  redraw(box,
    el("h3", {}, t(`unknown.${talk.unknown}`)),
    el("p", {}, told(r.result, r.failure)),
    reply ? evidence(r.result?.evidence) : null,
    reply && r.request?.response_content ? quote(r.request.response_content) : null,
    el("p", { class: "hint" }, t(`steps.${talk.unknown}`)),
    el("div", { class: "answers" },
      can ? el("button", { type: "button", id: "step-look", onclick: () => again(r, false) }, t(reply ? "step.look" : "step.again")) : null,
      can && reply ? el("button", { type: "button", id: "step-resend", onclick: () => again(r, true) }, t("step.resend")) : null,
      el("button", { type: "button", id: "step-seen-to", onclick: seenTo }, t("step.seenTo"))),
    el("p", { id: "attention-said", role: "status" }, said));
}

changed((what) => {
  if (["talk", "language", "place"].some((w) => what.has(w))) draw();
});
