// The forms for a reply and a completion. The page checks nothing itself: what is wrong is for the function to say, and
// its words are shown at the field that they are about.
import { byId, el, foreign } from "/console/dom.js";
import { openCall } from "/console/call.js";
import { post, selected } from "/console/state.js";
import { t } from "/console/text.js";

// The members of the request table (contract, section 2).
const fields = {
  reply: [
    { name: "response_content", kind: "text", most: 200 },
    { name: "response_images", kind: "list", more: true },
    { name: "jump_url", more: true },
    { name: "jump_url_text", more: true, most: 10 },
    { name: "seller_account", more: true },
    { name: "transaction_id", more: true },
    { name: "idempotency_key", more: true },
    { name: "resend_unknown", kind: "yes", more: true },
  ],
  complete: [
    { name: "complainted_mchid", more: true },
    { name: "idempotency_key", more: true },
  ],
};

const id = (action, name) => `${action}-${name}`;

function control(action, field) {
  const properties = { id: id(action, field.name), "aria-describedby": `${id(action, field.name)}-rule ${id(action, field.name)}-problem`, dir: "auto", autocomplete: "off", spellcheck: "false" };
  if (field.kind === "text") return el("textarea", { rows: 3, ...properties });
  if (field.kind === "list") return el("textarea", { rows: 2, ...properties });
  return el("input", { type: "text", ...properties });
}

function drawField(action, field) {
  const name = id(action, field.name);
  const problem = el("p", { class: "problem", id: `${name}-problem`, lang: "en" });
  const rule = el("span", { class: "rule", id: `${name}-rule` }, t("rule." + field.name));
  if (field.kind === "yes") {
    return el("div", { class: "field" }, el("label", { class: "check" }, el("input", { type: "checkbox", id: name, "aria-describedby": `${name}-rule` }), t("field." + field.name)), rule, problem);
  }
  const input = control(action, field);
  const count = field.most ? el("span", { class: "count", "aria-hidden": "true" }) : null;
  if (count) {
    input.addEventListener("input", () => {
      const n = [...input.value].length;
      count.textContent = n ? `${n} / ${field.most}` : "";
      count.classList.toggle("over", n > field.most);
    });
  }
  return el("div", { class: "field" }, el("label", { for: name }, t("field." + field.name), count), input, rule, problem);
}

function ways(action) {
  const way = (value, checked) => el("label", {}, el("input", { type: "radio", name: `${action}-way`, value, checked }), t("way." + value));
  return el("fieldset", {}, el("legend", {}, t("way")), el("div", { class: "radios" }, way("http", true), way("event", false)));
}

// drawForms writes both forms in the page's language and keeps what was typed.
export function drawForms() {
  for (const action of ["reply", "complete"]) {
    const form = byId(action + "-form");
    const typed = [...form.querySelectorAll("input, textarea")].map((i) => [i.id, i.value, i.checked]);
    const [first, more] = [fields[action].filter((f) => !f.more), fields[action].filter((f) => f.more)];
    const wasOpen = form.querySelector("details")?.open ?? false;
    form.replaceChildren(
      ...first.map((f) => drawField(action, f)),
      el("details", { open: wasOpen }, el("summary", {}, t("more." + action)), ...more.map((f) => drawField(action, f))),
      ways(action),
      el("p", { class: "problem", id: `${action}-problem`, role: "alert" }),
      el("button", { type: "submit", class: "primary do" }, t("do." + action)));
    for (const [name, value, checked] of typed) {
      const input = name && byId(name);
      if (input) [input.value, input.checked] = [value, checked];
    }
  }
}

// resetForms empties both forms for another complaint.
export function resetForms() {
  for (const action of ["reply", "complete"]) {
    byId(action + "-form").reset();
    clear(action);
  }
  byId("said").replaceChildren();
}

// command is what the form says: nothing for an empty field, but for the one that every reply needs.
function command(action) {
  const body = {};
  for (const field of fields[action]) {
    const input = byId(id(action, field.name));
    if (field.kind === "yes") {
      if (input.checked) body[field.name] = true;
    } else if (field.kind === "list") {
      const items = input.value.split("\n").map((s) => s.trim()).filter(Boolean);
      if (items.length) body[field.name] = items;
    } else if (input.value !== "" || field.name === "response_content") {
      body[field.name] = input.value;
    }
  }
  return body;
}

function clear(action) {
  for (const field of fields[action]) {
    byId(id(action, field.name)).removeAttribute("aria-invalid");
    byId(`${id(action, field.name)}-problem`).textContent = "";
  }
  byId(action + "-problem").textContent = "";
}

// complain shows each problem at its field; what belongs to no field stands above the button.
function complain(action, errors) {
  const others = [];
  let first = null;
  for (const { pointer, detail } of errors) {
    const [, name, place] = pointer.split("/");
    const input = byId(id(action, name ?? ""));
    const problem = byId(`${id(action, name ?? "")}-problem`);
    if (!input || !problem) {
      others.push(`${pointer} ${detail}`);
      continue;
    }
    const text = place === undefined ? detail : t("item", { n: Number(place) + 1 }) + detail;
    problem.textContent += (problem.textContent ? "; " : "") + text;
    input.setAttribute("aria-invalid", "true");
    const hidden = input.closest("details");
    if (hidden) hidden.open = true;
    first ??= input;
  }
  byId(action + "-problem").textContent = others.join("; ");
  first?.focus();
}

async function send(action) {
  const complaint = selected();
  if (!complaint) return;
  clear(action);
  const form = byId(action + "-form"), button = form.querySelector("button.do");
  button.disabled = true;
  say(el("p", {}, t("sending")));
  try {
    if (form.elements[`${action}-way`].value === "event") await sendEvent(action, complaint);
    else await sendHTTP(action, complaint);
  } catch (error) {
    say(el("p", { class: "failed" }, t("notSent"), " ", String(error)));
  } finally {
    button.disabled = false;
  }
}

async function sendHTTP(action, complaint) {
  const sent = await post("/console/send", { merchant: complaint.merchant, complaint_id: complaint.id, action, body: command(action) });
  const { status, answer, call } = sent.status === 200 ? sent.answer : sent;
  const outcome = answer.outcome ?? "failed";
  if (answer.errors) complain(action, answer.errors);
  const words = answer.message ?? answer.detail ?? "";
  say(
    el("p", { class: outcome }, el("span", { class: `badge ${outcome}` }, t("outcome." + outcome)), " ", el("b", {}, answer.code ?? ""), ` HTTP ${status} `,
      answer.replayed ? t("replayed") + " " : "", foreign(words), outcome === "failed" ? "" : " – " + t("means." + outcome)),
    call ? el("button", { type: "button", onclick: () => openCall(call) }, t("seeCall")) : "");
}

async function sendEvent(action, complaint) {
  const detail = { merchant: complaint.merchant, complaint_id: complaint.id, ...command(action) };
  const type = action === "reply" ? "ComplaintReplyRequested" : "ComplaintCompletionRequested";
  const { status, answer } = await post("/events", { Source: "console", DetailType: type, Detail: JSON.stringify(detail) });
  say(el("p", { class: status === 200 ? "succeeded" : "failed" }, t(status === 200 ? "eventTaken" : "eventRefused"), " ", foreign(answer.Entries?.[0]?.EventId ?? answer.detail ?? "")));
}

function say(...nodes) { byId("said").replaceChildren(...nodes); }

for (const action of ["reply", "complete"]) {
  byId(action + "-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(action);
  });
}
