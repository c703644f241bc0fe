// What was typed and not sent, for each complaint. It outlives a reload of the page and ends with the tab.
const name = "kesu-drafts", limit = 200;

let drafts = new Map();
try {
  drafts = new Map(JSON.parse(sessionStorage.getItem(name) ?? "[]"));
} catch { /* a browser may keep nothing for this page */ }

export function draftOf(key) { return drafts.get(key) ?? {}; }

export function keepDraft(key, values) {
  drafts.delete(key);
  if (Object.keys(values).length) drafts.set(key, values);
  while (drafts.size > limit) drafts.delete(drafts.keys().next().value);
  try {
    sessionStorage.setItem(name, JSON.stringify([...drafts]));
  } catch { /* then it lives as long as the page */ }
}
