// Shows the response to a call: its body, its header fields, and the request. JSON is highlighted and can be folded,
// images are shown, and other files can be saved.

import { action, copyButton, escapeControls, escapeControlsInJson, h, tabsOf } from "./element.js";
import { pretty, prettyText } from "./pretty.js";
import { fileName } from "./rulebook.js";

/** The maximum number of values in JSON that can be folded. Longer JSON is shown as text. */
const MAX_FOLDABLE = 5000;
/** The maximum length of a text that is shown at once. Of a longer text, the beginning is shown as it is. */
const MAX_SHOWN = 200_000;

/** Returns the element that shows a response, beside the request that was sent. */
export function responseElement({ response, body, text }, sent) {
  const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  const pairs = [
    ["Body", h("div", {}, bodyElement(body, text, response.headers.get("Content-Disposition") ?? ""))],
    [`Headers (${fields.length})`, h("div", { className: "header-fields" }, textElement(fields.join("\n")))],
    ["Request as sent", h("div", { className: "sent" }, textElement(requestText(sent)))],
  ];
  const { list } = tabsOf("Parts of the response", pairs);
  return h("div", {}, list, pairs.map(([, element]) => element));
}

/** Shows a body. Files, and texts that the server sends as attachments, can be saved. */
function bodyElement(body, text, disposition) {
  if (body.size === 0) return h("p", { className: "quiet" }, "No body.");
  const shown = text === undefined ? [] : [textElement(text, /[/+]json\b/.test(body.type))];
  if (text !== undefined && !/^attachment\b/i.test(disposition)) return shown;
  const href = URL.createObjectURL(body);
  const save = h("a", { href, download: fileName(disposition) ?? "" }, `Save (${body.type || "unknown type"})`);
  const image = body.type.startsWith("image/") ? h("img", { src: href, alt: "The response" }) : "";
  return [h("p", {}, image, save), ...shown];
}

function textElement(text, isJson = false) {
  const copy = copyButton(() => text);
  if (text.length <= MAX_SHOWN && isJson) return h("figure", {}, copy, jsonElement(text));
  const code = h("code", {}, text.slice(0, MAX_SHOWN));
  const more = action(`Show all ${text.length} characters`, () => {
    code.textContent = escapeControls(text);
    more.remove();
  });
  return h("figure", {}, copy, h("pre", { tabIndex: 0 }, code), text.length > MAX_SHOWN ? more : "");
}

/** Returns a request as a text with its first line, its header fields and its body. */
function requestText({ http, url, headers, parts, text, file }) {
  const fields = headers.map(([name, value]) => `${name}: ${value}`);
  const textOf = (value) => (value instanceof Blob ? `${value.name}, ${value.size} bytes` : value);
  const part = ([name, value]) => `${name}: ${textOf(value)}`;
  const single = file ? `(${textOf(file)})` : text === undefined ? "" : prettyText(text);
  const body = parts ? `(multipart form)\n${parts.map(part).join("\n")}` : single;
  return [`${http} ${url}`, ...fields, "", body].join("\n").trim();
}

/** Shows a JSON text with a line for each value. Objects and arrays can be folded. */
export function jsonElement(text) {
  const safe = escapeControlsInJson(text);
  const all = [...pretty(safe)];
  const span = ([className, part]) => (className === "" ? part : h("span", { className }, part));
  const code = h("code");
  const pre = h("pre", { tabIndex: 0, className: "json" }, code);
  if (all.length > MAX_FOLDABLE) {
    code.append(...all.map(span));
    return pre;
  }
  // The elements that are open at this point: a folded object is an element, and its members are inside.
  const open = [code];
  for (const [index, piece] of all.entries()) {
    const [className, part] = piece;
    const isStructure = className === "";
    // Only objects and arrays with members are folded, and their ends are on a line below.
    if (isStructure && (part === "}" || part === "]") && !["{", "["].includes(all[index - 1]?.[1])) {
      open.pop().parentElement.append(part);
    } else if (isStructure && (part === "{" || part === "[") && all[index + 1]?.[1].startsWith("\n")) {
      const element = h("span", { className: "foldable" });
      const button = h("button", { type: "button", className: "fold", ariaExpanded: "true", ariaLabel: "Fold" });
      button.addEventListener("click", () => {
        const isFolded = element.classList.toggle("folded");
        button.ariaExpanded = String(!isFolded);
        button.ariaLabel = isFolded ? "Unfold" : "Fold";
      });
      const inside = h("span", { className: "inside" });
      element.append(button, part, inside, h("span", { className: "dots" }));
      open.at(-1).append(element);
      open.push(inside);
    } else open.at(-1).append(span(piece));
  }
  return pre;
}
