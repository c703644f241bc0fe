// A question before what cannot be taken back.
import { byId, el } from "/console/dom.js";

const box = byId("ask");
let answerTo = null;

// ask shows a question and resolves with whether it was answered with yes.
export function ask(title, content, yes) {
  answerTo?.(false); // a question that was left and whose "close" is still on its way
  byId("ask-title").textContent = title;
  byId("ask-body").replaceChildren(...content.flat());
  byId("ask-yes").textContent = yes;
  box.showModal();
  byId("ask-yes").focus();
  return new Promise((resolve) => { answerTo = resolve; });
}

function answer(yes) {
  const to = answerTo;
  answerTo = null;
  box.close();
  to?.(yes);
}

byId("ask-yes").addEventListener("click", () => answer(true));
byId("ask-no").addEventListener("click", () => answer(false));
box.addEventListener("cancel", () => answer(false));
// The browser tells of a closed box later, when the next question may be open already: its "close" is not this one's.
box.addEventListener("close", () => { if (!box.open) answer(false); });

export function quote(text) { return el("blockquote", { dir: "auto" }, text); }
