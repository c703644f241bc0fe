// What the page knows, and how it hears of more.

// limit is how many calls a page keeps; the console keeps as many.
const limit = 300;

export const state = {
  merchants: [],
  calls: [],        // the newest first
  complaints: [],   // the newest first
  switches: null,
  selected: null,   // a complaint's key
  skew: 0,          // the sandbox's clock minus the browser's, in ms
};

const listeners = [];

// changed calls f after every change, with the set of what has changed.
export function changed(f) { listeners.push(f); }

export function announce(...what) {
  const set = new Set(what);
  for (const f of listeners) f(set);
}

export function now() { return Date.now() + state.skew; }

export function keyOf(complaint) { return `${complaint.merchant}/${complaint.id}`; }

export function selected() { return state.complaints.find((c) => keyOf(c) === state.selected); }

export function select(key) {
  state.selected = key;
  announce("selected");
}

// take takes news in, see stream.go.
export function take(news) {
  const what = [];
  state.skew = Date.parse(news.now) - Date.now();
  if (news.first) {
    state.calls = [];
    state.merchants = news.merchants;
    what.push("merchants", "calls");
  }
  if (news.calls) {
    const fresh = new Map(news.calls.map((c) => [c.id, c]));
    state.calls = state.calls.map((c) => {
      const newer = fresh.get(c.id);
      fresh.delete(c.id);
      return newer ?? c;
    });
    state.calls = [...[...fresh.values()].reverse(), ...state.calls].slice(0, limit);
    what.push("calls");
  }
  if (news.complaints) {
    state.complaints = news.complaints;
    what.push("complaints");
  }
  if (news.switches) {
    state.switches = news.switches;
    what.push("switches");
  }
  announce(...what);
}

// post sends JSON to the sandbox and gives the status with the answer.
export async function post(path, body, headers = {}) {
  const response = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body),
  });
  let answer = {};
  try {
    answer = await response.json();
  } catch { /* an answer without a readable body says enough with its status */ }
  return { status: response.status, answer };
}
