// The words of the page, in both languages. t("name", {n: 3}) puts 3 where {n} stands.
import { english } from "/console/english.js";
import { chinese } from "/console/chinese.js";

const languages = { en: english, zh: chinese };
const remembered = "kesu-console-language";

let current = first();

// first is what was chosen here before, or else what the browser prefers.
function first() {
  try {
    const chosen = localStorage.getItem(remembered);
    if (chosen in languages) return chosen;
  } catch { /* a browser may keep nothing for this page */ }
  for (const tag of navigator.languages ?? [navigator.language]) {
    const language = tag.toLowerCase().split("-")[0];
    if (language in languages) return language;
  }
  return "en";
}

export function language() { return current; }

export function choose(language) {
  current = language;
  try {
    localStorage.setItem(remembered, language);
  } catch { /* then the next visit asks the browser again */ }
}

export function has(name) { return name in languages[current]; }

export function t(name, values = {}) {
  const text = languages[current][name] ?? english[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, key) => key in values ? String(values[key]) : whole);
}

// translate fills in the page's own elements.
export function translate() {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
  document.title = t(document.body.classList.contains("bench") ? "title.bench" : "title");
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = t(node.dataset.placeholder);
}

// span says how long something is: "3 d 4 h", "5 h 10 min", "2 min", "8 s".
export function span(ms) {
  const s = Math.floor(Math.abs(ms) / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  if (d > 0) return t("span.d", { d, h: h % 24 });
  if (h > 0) return t("span.h", { h, m: m % 60 });
  if (m > 0) return t("span.m", { m });
  return t("span.s", { s });
}

// Times are China's, like WeChat Pay's own, wherever the browser is.
const china = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "medium" });

// clock is a time of the day in China: "14:03:05".
export function clock(at) { return china.format(new Date(at)).slice(11); }

// moment is a day and a time in China: "11-27 14:03".
export function moment(at) { return china.format(new Date(at)).slice(5, 16); }

// took writes milliseconds with as many places as mean something.
export function took(ms) {
  if (ms >= 10000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms >= 10) return `${Math.round(ms)} ms`;
  return `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}
