// The address holds the place: which complaint is open, and what the list shows. #c=acme/2001&show=late&q=退款&of=acme
import { announce } from "/console/state.js";

const names = { complaint: "c", show: "show", search: "q", of: "of", call: "call" };

export const place = {};

function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  for (const [name, short] of Object.entries(names)) place[name] = words.get(short) ?? "";
}

// go moves to another place. With push the browser's way back leads here again.
export function go(to, push = false) {
  Object.assign(place, to);
  const words = new URLSearchParams();
  for (const [name, short] of Object.entries(names)) if (place[name]) words.set(short, place[name]);
  const address = location.pathname + (words.size ? "#" + String(words).replaceAll("%2F", "/") : "");
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  announce("place");
}

window.addEventListener("popstate", () => {
  readAddress();
  announce("place");
});
readAddress();
