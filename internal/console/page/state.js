// What the page knows, and how it hears of more.

// limit is how many calls a page keeps; the console keeps as many.
const limit = 300;

export const state = {
  merchants: [],    // {name, through, gbk}
  calls: [],        // the newest first
  rows: new Map(),  // the complaints by key, as the list shows them
  switches: null,
  foreign: [],      // other programs' calls to the gateways, the newest first
  watch: null,      // what came in from WeChat Pay and what was published, see watch.go
  skew: 0,          // the sandbox's clock minus the browser's, in ms
  begun: false,     // the first news came
  mode: "",         // sandbox, or deployed
  notice: "",       // what the page has to say all the time
  live: false,
};

const listeners = [];

// changed calls f after every change, with the set of what has changed.
export function changed(f) { listeners.push(f); }

export function announce(...what) {
  const set = new Set(what);
  for (const f of listeners) f(set);
}

export function now() { return Date.now() + state.skew; }

export function keyOf(row) { return `${row.merchant}/${row.id}`; }

// take takes news in, see stream.go.
function take(news) {
  const what = [];
  state.skew = Date.parse(news.now) - Date.now();
  if (news.first) {
    [state.calls, state.rows, state.merchants, state.begun] = [[], new Map(), news.merchants ?? [], true];
    what.push("merchants", "calls", "rows");
  }
  if (news.mode) {
    [state.mode, state.notice, state.merchants] = [news.mode, news.notice ?? "", news.merchants ?? []];
    what.push("mode", "merchants");
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
    for (const row of news.complaints) state.rows.set(keyOf(row), row);
    what.push("rows");
  }
  for (const name of ["switches", "foreign", "watch"]) {
    if (!news[name]) continue;
    state[name] = news[name];
    what.push(name);
  }
  announce(...what);
}

// listen opens the stream of news for the desk or the bench. It connects again by itself.
export function listen(of) {
  const stream = new EventSource(`/console/stream?of=${of}`);
  const live = (on) => { state.live = on; announce("live"); };
  stream.addEventListener("open", () => live(true));
  stream.addEventListener("error", () => live(false));
  stream.addEventListener("message", (event) => take(JSON.parse(event.data)));
  setInterval(() => announce("time"), 5000); // ages grow without news
}

// post sends JSON to the console and gives the status with the answer.
export async function post(path, body) {
  return read(await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));
}

export async function read(response) {
  let answer = {};
  try {
    answer = await response.json();
  } catch { /* an answer without a readable body says enough with its status */ }
  return { status: response.status, answer };
}
