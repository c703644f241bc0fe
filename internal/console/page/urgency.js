// How urgent a complaint is. WeChat Pay asks for a first reply within 24 hours and for a settled complaint within 72; a
// complaint that is raised again has the times it had.
import { now } from "/console/state.js";
import { span, t } from "/console/text.js";

const hour = 3600 * 1000;

const limits = { reply: 24 * hour, complete: 72 * hour };

// soon is how long before its time a complaint is shown as due soon.
const soon = 4 * hour;

// due is what a complaint waits for and until when; null when it waits for nothing.
export function due(row) {
  if (row.state === "PROCESSED") return null;
  const what = row.state === "PENDING" && !row.replied ? "reply" : "complete";
  return { what, at: row.created + limits[what] };
}

// urgencyOf is a number that is smaller the more urgent a complaint is: what waits for a person first, then by the time
// left, then what is settled, the latest first.
export function urgencyOf(row) {
  const next = due(row), day = 24 * hour * 36500;
  if (row.unknown) return (next?.at ?? row.processed) - 2 * day;
  return next ? next.at - day : day - row.processed;
}

// shows are what the list can be narrowed to.
export const shows = {
  open: (row) => row.state !== "PROCESSED" || row.unknown !== "",
  unknown: (row) => row.unknown !== "",
  late: (row) => lateness(row) === "late",
  soon: (row) => lateness(row) === "soon",
  PENDING: (row) => row.state === "PENDING",
  PROCESSING: (row) => row.state === "PROCESSING",
  PROCESSED: (row) => row.state === "PROCESSED",
  all: () => true,
};

export function lateness(row) {
  const next = due(row);
  if (!next) return "done";
  const left = next.at - now();
  if (left < 0) return "late";
  return left < soon ? "soon" : "calm";
}

// timeLeft says how much time is left, or by how much it is late: "reply: 3 h 20 min left".
export function timeLeft(row) {
  const next = due(row);
  if (!next) return t(row.replied ? "left.done" : "left.unreplied");
  const left = next.at - now();
  return t(`left.${next.what}.${left < 0 ? "late" : "time"}`, { span: span(left) });
}

// limitOf is one of the two limits of a complaint: how much of it is used up, and whether it was kept.
export function limitOf(which, row) {
  const most = limits[which], done = which === "reply" ? row.replied : row.processed;
  const used = (done || now()) - row.created, late = used > most;
  if (done) return { text: t(`limit.${which}.done`, { in: span(used) }), part: Math.min(1, used / most), late, met: !late };
  if (which === "reply" && row.state === "PROCESSED") return { text: t("limit.reply.never"), part: 0, late: false, met: true };
  const text = late ? t(`limit.${which}.late`, { by: span(used - most) }) : t(`limit.${which}.left`, { left: span(most - used) });
  return { text, part: Math.min(1, used / most), late, met: false };
}

// limitAt is when a limit ends, in Unix milliseconds.
export function limitAt(which, row) { return row.created + limits[which]; }
