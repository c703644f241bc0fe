// The page's beginning: the language, the stream of news, and the parts that show them.
import { byId } from "/console/dom.js";
import { announce, take } from "/console/state.js";
import { choose, language, t, translate } from "/console/text.js";
import "/console/faults.js";
import "/console/complaints.js";
import "/console/talk.js";
import "/console/calls.js";
import "/console/call.js";
import "/console/figures.js";

const everything = ["language", "merchants", "calls", "complaints", "switches", "selected"];
const button = byId("language");
let live = false;

function speak() {
  translate();
  const other = language() === "zh" ? "en" : "zh";
  button.textContent = other === "zh" ? "中文" : "English";
  button.lang = other;
  sayLive();
}

function sayLive() {
  byId("live").textContent = t(live ? "live" : "notLive");
  byId("live").classList.toggle("on", live);
}

button.addEventListener("click", () => {
  choose(language() === "zh" ? "en" : "zh");
  speak();
  announce(...everything);
});

speak();
announce(...everything);

const stream = new EventSource("/console/stream");
stream.addEventListener("open", () => { live = true; sayLive(); });
stream.addEventListener("error", () => { live = false; sayLive(); }); // it connects again by itself
stream.addEventListener("message", (event) => take(JSON.parse(event.data)));

// Ages grow without news.
setInterval(() => announce("time"), 5000);
