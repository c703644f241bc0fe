// Outcomes and latency of the last minutes.
import { byId, el, svg } from "/console/dom.js";
import { outcomeOf } from "/console/calls.js";
import { changed, now, state } from "/console/state.js";
import { t, took } from "/console/text.js";

const minutes = 5, buckets = 30;
const width = minutes * 60 * 1000;
const order = ["succeeded", "rejected", "retryable", "unknown", "running"];

function kindOf(call) {
  const outcome = outcomeOf(call);
  return outcome === "failed" ? "unknown" : outcome;
}

function percentile(sorted, p) { return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]; }

function inWords(calls) {
  if (calls.length === 0) return t("figuresNone", { minutes });
  const counts = order.map((kind) => [kind, calls.filter((c) => kindOf(c) === kind).length]).filter(([, n]) => n > 0);
  const times = calls.filter((c) => !c.running).map((c) => c.ms).sort((a, b) => a - b);
  const words = [t("figuresCalls", { n: calls.length }), ...counts.map(([kind, n]) => `${t("outcome." + kind)} ${n}`)];
  if (times.length) words.push(t("figuresTimes", { median: took(percentile(times, 0.5)), most: took(percentile(times, 0.95)) }));
  return words.join(" · ");
}

// outcomes is a bar for every ten seconds.
function outcomes(calls, end) {
  const counts = Array.from({ length: buckets }, () => ({}));
  for (const call of calls) {
    const i = Math.min(buckets - 1, Math.floor(((Date.parse(call.at) - (end - width)) / width) * buckets));
    counts[i][kindOf(call)] = (counts[i][kindOf(call)] ?? 0) + 1;
  }
  const most = Math.max(4, ...counts.map((c) => Object.values(c).reduce((a, b) => a + b, 0)));
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${buckets} 100`, preserveAspectRatio: "none", "aria-hidden": "true" });
  counts.forEach((count, i) => {
    let top = 100;
    for (const kind of order) {
      const height = ((count[kind] ?? 0) / most) * 96;
      if (!height) continue;
      top -= height;
      chart.append(svg("rect", { class: `bar f-${kind}`, x: i + 0.1, width: 0.8, y: top, height: Math.max(1, height - 1) }));
    }
  });
  return el("figure", {}, el("figcaption", {}, t("chartOutcomes", { most })), chart, axis());
}

// latency is a dot for every call, on a logarithmic scale from 1 ms to 30 s.
function latency(calls, end) {
  const chart = svg("svg", { class: "chart", viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" });
  const height = (ms) => 94 - (Math.log10(Math.min(30000, Math.max(1, ms))) / Math.log10(30000)) * 88;
  for (const ms of [10, 100, 1000, 10000]) chart.append(svg("path", { class: "grid", d: `M0 ${height(ms)}H1000` }));
  for (const call of calls) {
    const x = 8 + ((Date.parse(call.at) - (end - width)) / width) * 984;
    chart.append(svg("path", { class: `dot f-${kindOf(call)}`, d: `M${x.toFixed(1)} ${height(call.ms).toFixed(1)}h.01` }));
  }
  return el("figure", {}, el("figcaption", {}, t("chartLatency")), chart, axis());
}

function axis() { return el("p", { class: "axis", "aria-hidden": "true" }, el("span", {}, t("ago", { minutes })), el("span", {}, t("rightNow"))); }

function show() {
  const end = now();
  const calls = state.calls.filter((c) => Date.parse(c.at) > end - width && Date.parse(c.at) <= end + 1000);
  byId("figures-words").textContent = inWords(calls);
  byId("figures-charts").replaceChildren(outcomes(calls, end), latency(calls, end));
}

changed((what) => {
  if (["language", "calls", "time"].some((w) => what.has(w))) show();
});
