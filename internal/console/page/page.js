// What both pages have: the language, the word whether the page is connected, the drawer.
import { byId } from "/console/dom.js";
import { announce, changed, listen, state } from "/console/state.js";
import { choose, language, t, translate } from "/console/text.js";

const everything = ["language", "merchants", "calls", "rows", "switches", "foreign", "watch", "place", "live"];
const button = byId("language");

function speak() {
  translate();
  const other = language() === "zh" ? "en" : "zh";
  button.textContent = other === "zh" ? "中文" : "English";
  button.lang = other === "zh" ? "zh-CN" : "en";
  announce(...everything);
}

button.addEventListener("click", () => {
  choose(language() === "zh" ? "en" : "zh");
  speak();
});

changed((what) => {
  if (!what.has("live")) return;
  byId("live").textContent = t(state.live ? "live" : "notLive");
  byId("live").classList.toggle("on", state.live);
});

changed((what) => {
  if (!what.has("mode") && !what.has("language")) return;
  document.body.dataset.mode = state.mode;
  const notice = byId("notice");
  if (notice) [notice.hidden, notice.textContent] = [!state.notice, state.notice ? t("notice." + state.notice) : ""];
});

// start shows what there is and listens for more.
export function start(of) {
  speak();
  listen(of);
}
