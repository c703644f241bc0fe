// The forms for a reply and a completion, with what became of them beside the button.
import { ask, quote } from "/console/ask.js";
import { byId, el, foreign } from "/console/dom.js";
import { draftOf, keepDraft } from "/console/drafts.js";
import { actions, command, drawField, fields, id, most, warn } from "/console/fields.js";
import { drawThumbnails, pictureField } from "/console/pictures.js";
import { place } from "/console/place.js";
import { inWords } from "/console/server.js";
import { changed, keyOf, post, state } from "/console/state.js";
import { callLink, talk, told } from "/console/talk.js";
import { templateField } from "/console/templates.js";
import { t } from "/console/text.js";

const said = new Map(); // by complaint and action: what became of what was sent last
let filled = "";        // the complaint that the forms are filled in for
let sending = false;

function carrier() { return state.merchants.find((m) => m.name === talk?.merchant); }

function ways(action) {
  const way = (value) => el("label", {}, el("input", { type: "radio", name: `${action}-way`, value, checked: value === "http" }), t("way." + value));
  return el("fieldset", {}, el("legend", {}, t("way")), el("div", { class: "radios" }, way("http"), way("event")));
}

// draw writes both forms in the page's language.
function draw() {
  for (const action of actions) {
    const form = byId(action + "-form"), wasOpen = form.querySelector("details.more")?.open ?? false;
    const [first, more] = [fields[action].filter((f) => !f.more), fields[action].filter((f) => f.more)];
    form.replaceChildren(...[
      action === "reply" ? templateField(changedField) : null,
      ...first.map((f) => drawField(action, f)),
      action === "reply" ? pictureField(() => talk?.merchant, changedField) : el("p", { class: "hint" }, t("completeHint")),
      el("details", { class: "more", open: wasOpen }, el("summary", {}, t("more." + action)), ...more.map((f) => drawField(action, f)), ways(action)),
      el("div", { class: "do-row" }, el("button", { type: "submit", class: "primary do" }, t("do." + action)),
        el("div", { class: "said", id: `${action}-said`, role: "status" })),
    ].filter(Boolean));
  }
  filled = "";
  fill();
}

// fill puts a complaint's draft into the forms.
function fill() {
  const key = talk ? keyOf(talk) : "";
  if (!talk || filled === key) return;
  filled = key;
  const draft = draftOf(key);
  for (const action of actions) {
    for (const field of fields[action]) byId(id(action, field.name)).value = draft[id(action, field.name)] ?? "";
    const rule = byId(`${action}-response_content-rule`);
    if (rule) rule.textContent = t("rule.response_content", { most: most(fields.reply[0], carrier()), through: t("through." + (carrier()?.through ?? "imageco")) });
    clear(action);
    drawSaid(action);
    for (const field of fields[action]) warn(action, field, carrier());
  }
  drawThumbnails();
  tab(draft.tab === "complete" ? "complete" : "reply");
}

// changedField keeps the draft and warns while one writes.
function changedField() {
  if (!filled) return;
  const values = {};
  for (const action of actions) {
    for (const field of fields[action]) {
      const { value } = byId(id(action, field.name));
      if (value) values[id(action, field.name)] = value;
      warn(action, field, carrier());
    }
  }
  if (!byId("complete-panel").hidden) values.tab = "complete";
  keepDraft(filled, values);
  drawThumbnails();
}

function clear(action) {
  for (const field of fields[action]) {
    byId(id(action, field.name)).removeAttribute("aria-invalid");
    byId(`${id(action, field.name)}-problem`).textContent = "";
  }
}

// complain shows each problem at its field, and gives those that belong to no field.
function complain(action, errors) {
  const others = [];
  let first = null;
  for (const { pointer, detail } of errors) {
    const [, name, at] = pointer.split("/");
    const input = byId(id(action, name ?? "")), problem = byId(`${id(action, name ?? "")}-problem`);
    if (!input || !problem) {
      others.push(`${pointer} ${inWords(detail)}`.trim());
      continue;
    }
    problem.textContent += (problem.textContent ? "; " : "") + (at === undefined ? "" : t("item", { n: Number(at) + 1 })) + inWords(detail);
    input.setAttribute("aria-invalid", "true");
    const more = input.closest("details");
    if (more) more.open = true;
    first ??= input;
  }
  first?.focus();
  return others;
}

// sure asks before a reply or a completion goes out; nothing takes either back.
async function sure(action, body) {
  const to = el("p", { class: "soft" }, foreign(talk.merchant), " ", foreign(talk.id));
  if (action === "reply") {
    if (!body.response_content.trim()) return true; // the function says what is missing, and sends nothing
    const also = [body.response_images ? t("ask.pictures", { n: body.response_images.length }) : "", body.jump_url ? t("ask.link", { url: body.jump_url }) : ""].filter(Boolean);
    return ask(t("ask.reply"), [to, quote(body.response_content), ...also.map((line) => el("p", {}, line)), el("p", {}, t("ask.replyLong"))], t("do.reply"));
  }
  if (!talk.replies && !await ask(t("ask.unreplied"), [to, el("p", {}, t("ask.unrepliedLong"))], t("ask.unrepliedYes"))) return false;
  return ask(t("ask.complete"), [to, el("p", {}, t("ask.completeLong"))], t("do.complete"));
}

async function send(action) {
  if (!talk || sending) return;
  const complaint = talk, key = keyOf(talk), body = command(action), byEvent = byId(action + "-form").elements[`${action}-way`].value === "event";
  clear(action);
  if (!await sure(action, body)) return;
  sending = true;
  say(key, action, { waiting: true });
  const button = byId(action + "-form").querySelector("button.do");
  button.disabled = true;
  try {
    await (byEvent ? sendEvent : sendHTTP)(action, complaint, key, body);
  } catch (error) {
    say(key, action, { lost: String(error) });
  } finally {
    sending = button.disabled = false;
    if (place.complaint === key && document.activeElement === document.body) button.focus({ preventScroll: true });
  }
}

async function sendHTTP(action, complaint, key, body) {
  const sent = await post("/console/send", { merchant: complaint.merchant, complaint_id: complaint.id, action, body });
  const { status, answer, call } = sent.status === 200 ? sent.answer : sent;
  done(key, action, answer, { status, call });
}

// done shows a result, and drops the draft of what was carried out.
function done(key, action, result, more = {}) {
  if (result.outcome === "succeeded") {
    keepDraft(key, Object.fromEntries(Object.entries(draftOf(key)).filter(([name]) => !name.startsWith(action + "-"))));
    if (filled === key) filled = "";
    fill();
  }
  const others = result.errors && filled === key ? complain(action, result.errors) : [];
  say(key, action, { result, others, ...more });
}

async function sendEvent(action, complaint, key, body) {
  const detail = { merchant: complaint.merchant, complaint_id: complaint.id, ...body };
  const type = action === "reply" ? "ComplaintReplyRequested" : "ComplaintCompletionRequested";
  const { status, answer } = await post("/events", { Source: "console", DetailType: type, Detail: JSON.stringify(detail) });
  const event = answer.Entries?.[0]?.EventId;
  if (status !== 200) say(key, action, { refused: answer.detail ?? answer.Entries?.[0]?.ErrorCode ?? String(status) });
  else say(key, action, { event });
}

// settledEvents shows what became of the events that were sent from here.
function settledEvents() {
  if (!talk) return;
  for (const action of actions) {
    const { event } = said.get(`${keyOf(talk)} ${action}`) ?? {};
    const settled = event && talk.events.find((e) => e.type.endsWith("Settled") && e.detail.event_id === event);
    if (settled) done(keyOf(talk), action, settled.detail, { call: talk.results.find((r) => r.result?.event_id === event)?.call });
  }
}

function say(key, action, what) {
  said.set(`${key} ${action}`, what);
  drawSaid(action);
  if (talk && keyOf(talk) === key) byId(`${action}-said`).scrollIntoView({ block: "nearest" });
}

function drawSaid(action) {
  const what = talk && said.get(`${keyOf(talk)} ${action}`), box = byId(`${action}-said`);
  if (!what) return box.replaceChildren();
  if (what.waiting) return box.replaceChildren(el("p", {}, t("sending")));
  if (what.lost) return box.replaceChildren(el("p", { class: "failed" }, t("lost"), " ", what.lost));
  if (what.refused) return box.replaceChildren(el("p", { class: "failed" }, t("eventRefused"), " ", foreign(inWords(what.refused))));
  if (what.event) return box.replaceChildren(el("p", {}, t("eventTaken"), " ", el("span", { class: "mono small" }, what.event)));
  const outcome = what.result.outcome ?? "failed";
  box.replaceChildren(el("p", { class: outcome }, told(what.result), what.status ? ` HTTP ${what.status}` : "", ` ${t("means." + outcome)}`,
    (what.others ?? []).map((line) => el("span", { class: "problem" }, foreign(line))), " ", what.call ? callLink(what.call) : ""));
}

function tab(chosen, focus) {
  for (const name of actions) {
    const button = byId("tab-" + name);
    button.setAttribute("aria-selected", String(name === chosen));
    button.tabIndex = name === chosen ? 0 : -1;
    byId(name + "-panel").hidden = name !== chosen;
    if (name === chosen && focus) button.focus();
  }
}

for (const action of actions) {
  const form = byId(action + "-form"), button = byId("tab-" + action);
  const choose = (name, focus) => { tab(name, focus); changedField(); };
  button.addEventListener("click", () => choose(action));
  button.addEventListener("keydown", (event) => {
    if (["ArrowLeft", "ArrowRight"].includes(event.key)) choose(actions.find((other) => other !== action), true);
  });
  form.addEventListener("input", changedField);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(action);
  });
}

changed((what) => {
  if (what.has("language")) draw();
  if (what.has("talk")) {
    fill();
    settledEvents();
    const form = document.activeElement?.closest("#work form"); // what was said may have moved it out of view
    form?.querySelector(".said").scrollIntoView({ block: "nearest" });
  }
});
