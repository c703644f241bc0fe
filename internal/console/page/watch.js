// What came in from WeChat Pay, what functions/watch published of it, and what a robot would show.
import { byId, el, foreign, keyed, pre } from "/console/dom.js";
import { inWords } from "/console/server.js";
import { changed, post, state } from "/console/state.js";
import { language, moment, span, t } from "/console/text.js";

const most = 30; // of each list; the console keeps more

function card(item, ...children) {
  return [JSON.stringify([item, language()]), (node) => node.replaceChildren(el("div", { class: "card" }, ...children))];
}

const kinds = { taken: "succeeded", telling: "running", lost: "unknown", "given up": "unknown", "no address": "rejected" };

// notified is one notification, with every time that it was sent.
function notified(n) {
  const tries = n.attempts.map((a) => el("span", { class: "mono small" }, `${moment(a.at)} ${a.status || "–"}${a.sign_test ? " SIGNTEST" : ""} `, foreign(a.problem)));
  return card(n,
    el("span", { class: "line" }, el("span", { class: "mono soft" }, moment(n.at)), el("b", {}, foreign(n.action_type)),
      el("span", { class: `badge ${kinds[n.state] ?? "running"}` }, t("notified." + n.state))),
    el("span", { class: "line small soft" }, foreign(n.merchant), el("span", { class: "mono" }, foreign(n.complaint_id))), ...tries,
    n.next_at ? el("span", { class: "small soft" }, t("nextAt", { at: moment(n.next_at) })) : "");
}

// published is one event, with when it is due as far as it says.
function published(e) {
  const d = e.detail, due = d.due_at ?? d.reply_due_at;
  return card(e,
    el("span", { class: "line" }, el("span", { class: "mono soft" }, moment(e.at)), el("b", {}, foreign(e.detail_type))),
    el("span", { class: "line small soft" }, foreign(d.merchant ?? ""), el("span", { class: "mono" }, foreign(d.complaint_id ?? ""))),
    due ? el("span", { class: d.seconds_left < 0 ? "small left late" : "small" }, t("dueAt", { what: t("due." + (d.what ?? "reply")), at: moment(due) }),
      d.seconds_left < 0 ? ` ${t("lateBy", { span: span(d.seconds_left * 1000) })}` : "") : "",
    el("details", {}, el("summary", {}, t("eventText")), pre(JSON.stringify(d, null, 2), e.detail_type)));
}

// alerted is what a rule made for a robot, as the robot shows it.
function alerted(a) {
  return card(a,
    el("span", { class: "line" }, el("span", { class: "mono soft" }, moment(a.at)), el("b", {}, foreign(a.rule))),
    a.problem ? el("p", { class: "problem" }, foreign(a.problem)) : a.text ? el("p", { class: "robot", dir: "auto" }, a.text) : "",
    a.body ? el("details", {}, el("summary", {}, t("eventText")), pre(JSON.stringify(a.body, null, 2), a.rule)) : "");
}

byId("sweep").addEventListener("click", async () => {
  byId("sweep").disabled = true;
  try {
    const { status, answer } = await post("/console/watch/sweep", {});
    byId("sweep-said").textContent = status === 204 ? t("swept") : inWords(answer.detail ?? String(status));
  } finally {
    byId("sweep").disabled = false;
  }
});

changed((what) => {
  const w = state.watch;
  if (!w || !what.has("watch") && !what.has("language")) return;
  byId("watch").hidden = !w.watching && !w.notifications.length;
  keyed(byId("notified"), w.notifications.slice(0, most), (n) => String(n.n), notified);
  keyed(byId("published"), w.published.slice(0, most), (e) => e.id, published);
  keyed(byId("alerted"), w.alerts.slice(0, most), (a) => String(a.n), alerted);
});
