// Shows the response to a call: its body, its header fields, and the request. JSON is highlighted and can be folded,
// images are shown, and other files can be saved.

import { copyButton, escapeControlsInJson, h, tabsOf } from "./element.js";

/** The maximum number of values in JSON that can be folded. Longer JSON is shown as text. */
const MAX_FOLDABLE = 5000;

/** Returns the element that shows a response, beside the request that was sent. */
export function responseElement({ response, body, text }, sent) {
  const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  const pairs = [
    ["Body", h("div", {}, bodyElement(body, text))],
    [`Headers (${fields.length})`, h("div", { className: "header-fields" }, textElement(fields.join("\n")))],
    ["Request as sent", h("div", { className: "sent" }, textElement(requestText(sent)))],
  ];
  return h(
    "div",
    {},
    tabsOf("Parts of the response", pairs).list,
    pairs.map(([, element]) => element),
  );
}

/** Shows a body. */
function bodyElement(body, text) {
  if (body.size === 0) return h("p", { className: "quiet" }, "No body.");
  if (text !== undefined) return textElement(text, /[/+]json\b/.test(body.type) ? jsonElement(text) : undefined);
  const href = URL.createObjectURL(body);
  const save = h("a", { href, download: "" }, `Save (${body.type || "unknown type"})`);
  return h("p", {}, body.type.startsWith("image/") ? h("img", { src: href, alt: "The response" }) : "", save);
}

const textElement = (text, shown = h("pre", { tabIndex: 0 }, h("code", {}, text))) => {
  const copy = copyButton(() => text);
  return h("figure", {}, copy, shown);
};

/** Returns a request as a text with its first line, its header fields and its body. */
function requestText({ http, url, headers, parts, text }) {
  const fields = headers.map(([name, value]) => `${name}: ${value}`);
  const part = ([name, value]) => `${name}: ${value instanceof Blob ? `${value.name}, ${value.size} bytes` : value}`;
  const body = parts ? `(multipart form)\n${parts.map(part).join("\n")}` : text === undefined ? "" : prettyText(text);
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

/** Formats a JSON text with a line for each value, without parsing it, which would round large numbers. Yields the
    pieces of the text with their CSS classes. */
export function* pretty(text) {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|([{[])|([}\]])|(,)|([^\s{}[\],:"]+)/gs;
  let depth = 0;
  let last = "";
  const line = () => ["", `\n${"  ".repeat(depth)}`];
  for (const [, string, colon, open, close, comma, word] of text.matchAll(token)) {
    if (close !== undefined) depth -= 1;
    // Empty lists and objects stay on one line.
    if (close !== undefined ? last !== "open" : last !== "") yield line();
    if (open !== undefined) depth += 1;
    last = open !== undefined ? "open" : comma !== undefined ? "comma" : "";
    if (string !== undefined) yield [colon === undefined ? "string" : "key", string];
    else yield [word === undefined ? "" : "word", word ?? open ?? close ?? comma];
    if (colon !== undefined) yield ["", ": "];
  }
}

/** Formats a JSON text as one text, see `pretty`. */
export const prettyText = (text) => [...pretty(text)].map(([, piece]) => piece).join("");
