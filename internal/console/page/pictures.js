// Pictures for a reply: uploaded through Kesu, which gives their ids.
import { byId, el } from "/console/dom.js";
import { inWords } from "/console/server.js";
import { read } from "/console/state.js";
import { thumbnail } from "/console/talk.js";
import { t } from "/console/text.js";

const most = 4, size = 2 << 20; // of the contract's sections 2 and 5.2

const remembered = "kesu-pictures";

const uploaded = new Set(); // ids of pictures that the console has to show
try {
  for (const id of JSON.parse(sessionStorage.getItem(remembered) ?? "[]")) uploaded.add(id);
} catch { /* a browser may keep nothing for this page */ }

function remember(id) {
  uploaded.add(id);
  try {
    sessionStorage.setItem(remembered, JSON.stringify([...uploaded].slice(-200)));
  } catch { /* then it is known as long as the page is there */ }
}

function ids() { return byId("reply-response_images").value.split("\n").map((s) => s.trim()).filter(Boolean); }

// pictureField is the way to add pictures to a merchant's reply; it tells then when there is another.
export function pictureField(merchant, then) {
  const input = el("input", { type: "file", id: "pictures", class: "unseen", accept: "image/jpeg,image/png,image/bmp", multiple: true, "aria-describedby": "pictures-rule pictures-problem" });
  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = "";
    byId("pictures-problem").textContent = "";
    for (const file of files) await upload(merchant(), file, then);
  });
  return el("div", { class: "field" }, input, el("label", { for: "pictures", class: "button" }, t("pictures")),
    el("span", { class: "rule", id: "pictures-rule" }, t("picturesRule")), el("p", { class: "problem", id: "pictures-problem", role: "alert" }),
    el("ul", { class: "pictures", id: "thumbnails" }));
}

async function upload(merchant, file, then) {
  const problem = byId("pictures-problem");
  if (ids().length >= most) return void (problem.textContent = t("picturesMost", { most }));
  if (file.size > size) return void (problem.textContent = t("pictureLarge", { name: file.name }));
  byId("thumbnails").append(el("li", { class: "picture" }, t("uploading", { name: file.name })));
  try {
    const address = `/console/images?merchant=${encodeURIComponent(merchant)}&filename=${encodeURIComponent(file.name)}`;
    const { status, answer } = await read(await fetch(address, { method: "POST", headers: { "Content-Type": file.type || "application/octet-stream" }, body: file }));
    const result = answer.answer ?? answer;
    if (result.outcome === "succeeded" && result.media_id) {
      remember(result.media_id);
      byId("reply-response_images").value = [...ids(), result.media_id].join("\n");
    } else {
      const why = (result.errors ?? []).map((e) => inWords(e.detail)).join("; ") || inWords(result.message ?? result.detail ?? String(status));
      problem.textContent = `${file.name}: ${result.code ?? ""} ${why}`;
    }
  } catch (error) {
    problem.textContent = `${file.name}: ${t("notSent")} ${error}`;
  }
  then();
}

// drawThumbnails shows the pictures that the reply will have.
export function drawThumbnails() {
  const box = byId("thumbnails");
  box.replaceChildren(...ids().map((id) => el("li", {}, thumbnail({ id, shown: uploaded.has(id) }),
    el("button", { type: "button", class: "quiet", "aria-label": t("removePicture", { id }), onclick: () => remove(id) }, "✕"))));
}

function remove(id) {
  const input = byId("reply-response_images");
  input.value = ids().filter((other) => other !== id).join("\n");
  input.dispatchEvent(new Event("input", { bubbles: true }));
  byId("pictures").focus();
}
