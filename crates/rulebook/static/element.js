// Creates elements whose text is shown literally.

/** Control characters except tabs and line breaks, and characters that change the direction of text. */
const CONTROLS = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Returns the code point of a character, with four hexadecimal digits or more. */
const codePoint = (character) => character.codePointAt(0).toString(16).padStart(4, "0");

/** Replaces control characters by their code points. */
export function escapeControls(text) {
  return text.replaceAll(CONTROLS, (character) => `U+${codePoint(character).toUpperCase()}`);
}

/** Escapes control characters in a JSON text, in which they only occur in strings (RFC 8259 section 7). */
export function escapeControlsInJson(text) {
  return text.replaceAll(CONTROLS, (character) => `\\u${codePoint(character)}`);
}

/** Creates an element with properties and children. Strings become text nodes without control characters. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  const content = children.flat().filter((child) => child !== undefined && child !== "");
  element.append(...content.map((child) => (typeof child === "string" ? escapeControls(child) : child)));
  return element;
}

/** Turns pairs of a name and an element into tabs. `chosen` is called with the index of a tab that the reader chooses.
    Returns the list of tabs and the elements below it; `choose` of the list shows a tab. */
export function tabsOf(label, pairs, chosen = () => {}) {
  const buttons = pairs.map(([name, element]) => {
    const button = h("button", { type: "button", role: "tab", id: newId() }, name);
    element.id ||= newId();
    button.setAttribute("aria-controls", element.id);
    element.setAttribute("role", "tabpanel");
    element.setAttribute("aria-labelledby", button.id);
    return button;
  });
  const choose = (index) => {
    for (const [n, [, element]] of pairs.entries()) {
      element.hidden = n !== index;
      buttons[n].setAttribute("aria-selected", String(n === index));
      buttons[n].tabIndex = n === index ? 0 : -1;
    }
  };
  for (const [index, button] of buttons.entries()) {
    button.addEventListener("click", () => {
      choose(index);
      chosen(index);
    });
    button.addEventListener("keydown", ({ key }) => {
      const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: buttons.length - 1 }[key];
      if (to === undefined) return;
      const next = buttons[(to + buttons.length) % buttons.length];
      next.focus();
      next.click();
    });
  }
  choose(0);
  const list = h("div", { role: "tablist", ariaLabel: label }, buttons);
  return { list, choose };
}

let count = 0;

/** Returns an id that no other element of the page has. */
export const newId = () => `n-${(count += 1)}`;

/** Returns a button that is not the main one of its form. */
export function action(text, run, properties = {}) {
  const button = h("button", { type: "button", className: "minor", ...properties }, text);
  button.addEventListener("click", run);
  return button;
}

/** Returns a button that copies a text to the clipboard. `text` returns the text or a promise of it. */
export function copyButton(text, label = "Copy", className = "copy") {
  const button = h("button", { type: "button", className }, label);
  button.addEventListener("click", async () => {
    const isCopied = await Promise.resolve(text()).then(copy, () => false);
    button.textContent = isCopied ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

/** Copies a text, and returns whether it was copied. */
async function copy(text) {
  // Browsers have the clipboard API only for pages that are loaded by HTTPS or from this machine.
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const area = h("textarea", { value: text, className: "copied", tabIndex: -1 });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
