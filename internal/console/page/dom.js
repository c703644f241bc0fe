// Small things for making elements. Text only ever becomes a text node, whoever wrote it.

// el makes an element: el("p", {class: "hint", onclick: f}, "text", child).
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== ""));
  return node;
}

const space = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

export function byId(id) { return document.getElementById(id); }

// foreign is a text from outside: it cannot change the direction of what stands around it.
export function foreign(text) { return el("bdi", { dir: "auto" }, text); }

// Characters that change the order or the look of others without being seen.
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

// plainly is a text with its unseen characters spelt out, for a place where every character counts.
export function plainly(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(unseen)) {
    nodes.push(text.slice(from, match.index), el("span", { class: "control" }, "U+" + match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0")));
    from = match.index + match[0].length;
  }
  nodes.push(text.slice(from));
  return nodes;
}

// fed is a text that was signed, with a mark at each line feed that is in it: the page breaks lines of its own.
export function fed(text, label) {
  const lines = text.split("\n");
  return el("pre", { "aria-label": label, dir: "ltr" }, lines.map((line, i) => i < lines.length - 1 ? [plainly(line), el("span", { class: "feed" }), "\n"] : plainly(line)));
}

export function pre(text, label) { return el("pre", { "aria-label": label, dir: "ltr" }, plainly(text)); }

// shorten keeps the first n characters, and says with a dot that there are more.
export function shorten(text, n) {
  const characters = [...text.slice(0, 4 * n)];
  return characters.length > n ? characters.slice(0, n).join("").trimEnd() + " …" : text;
}

// redraw puts new children into a box. The focus stays where it was: at the element with the same id, or else in the same
// place among those that can have it.
export function redraw(box, ...children) {
  const able = () => [...box.querySelectorAll("a[href], button, summary, [tabindex]")];
  const at = box.contains(document.activeElement) ? able().indexOf(document.activeElement) : -1, id = document.activeElement?.id;
  box.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== ""));
  if (at >= 0) ((id && byId(id)) || able()[at])?.focus({ preventScroll: true });
}

// keyed makes a list's children follow items. A child is kept as long as its key is there, so that the focus stays, and
// is drawn again only when what it shows has changed.
export function keyed(parent, items, key, draw) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let node = old.get(name);
    old.delete(name);
    if (!node) {
      node = el("li", { "data-key": name });
      parent.insertBefore(node, place);
    } else if (node === place) {
      place = place.nextElementSibling;
    } else {
      parent.insertBefore(node, place);
    }
    const [shown, fill] = draw(item);
    if (node.shown !== shown) {
      node.shown = shown;
      fill(node);
    }
  }
  for (const node of old.values()) node.remove();
}

// fill puts new content into a button that stays where it is, or makes the button.
export function fillButton(node, properties, ...children) {
  const old = node.firstElementChild;
  if (!old) {
    node.append(el("button", { type: "button", ...properties }, ...children));
    return;
  }
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) continue;
    if (value === undefined) old.removeAttribute(name);
    else old.setAttribute(name, value);
  }
  old.replaceChildren(...children.flat(Infinity));
}
