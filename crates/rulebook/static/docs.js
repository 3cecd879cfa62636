// Adds to the documentation pages what needs JavaScript: the console that calls the method, copy buttons, highlighting,
// the dialog of the search, and the choice of the color scheme. Text of definitions is only inserted as text nodes.

import { action, copyButton, h, tabsOf } from "./element.js";
import { highlight } from "./highlight.js";
import { dimForbidden, keepFolds, moveByKeys, showCurrent } from "./tree.js";

/** The URL of the server, behind any prefix of a reverse proxy. */
const root = new URL("../", import.meta.url);

document.documentElement.classList.add("scripted");

// The examples call the server of this page.
for (const block of document.querySelectorAll("[data-server]")) {
  const code = block.querySelector("code");
  code.textContent = code.textContent.replaceAll(block.dataset.server, root.href.replace(/\/$/, ""));
}

for (const code of document.querySelectorAll("main figure code")) {
  if (code.dataset.language) highlight(code, code.dataset.language);
  code.closest("figure").append(copyButton(() => code.textContent));
}

const panel = document.querySelector(".panel");
if (panel) {
  // With the keyboard, the form comes before the links of the description.
  document.querySelector("main").before(panel);
  import("./console.js").then(({ startConsole }) => startConsole(panel, root));
  document.querySelector(".address").append(copyButton(textForAssistant, "Copy for an assistant", "minor"));
}

/** Returns the page of a method in markdown, with the server and the credential, which are on other pages. */
async function textForAssistant() {
  const { credential, public: isPublic } = panel.querySelector("[data-method]").dataset;
  const response = await fetch(document.querySelector('link[type="text/markdown"]').href);
  if (!response.ok) throw new Error(response.statusText);
  const server = root.href.replace(/\/$/, "");
  const written = panel.querySelector("[data-server]").dataset.server;
  const name = isPublic === undefined ? "Credential" : "Credential (optional)";
  const facts = `Server: ${server}\n${credential === undefined ? "" : `${name}: ${credential}\n`}`;
  return `${facts}\n${(await response.text()).replaceAll(written, server)}`;
}

// The types of unions.
for (const union of document.querySelectorAll("main .union")) {
  const pairs = [...union.children].map((branch) => {
    const name = branch.querySelector(".branch-name");
    name.remove();
    return [[...name.childNodes], branch];
  });
  union.prepend(tabsOf("Types", pairs).list);
}

const tree = document.querySelector(".tree");
const home = document.querySelector(".title a").href;
keepFolds(tree);
moveByKeys(tree);
showCurrent(tree);
dimForbidden(tree, home);

// A button, Ctrl-K and / open the search form as a dialog. Most readers do not need the code of its results.
const form = document.querySelector("header form");
const input = form.querySelector("[type=search]");
const keys = h("kbd", { ariaHidden: "true" }, /mac|iphone|ipad/i.test(navigator.platform) ? "⌘K" : "Ctrl K");
const shortcuts = { ariaKeyShortcuts: "Control+K Meta+K /" };
const search = h("button", { type: "button", className: "open-find", ...shortcuts }, h("span", {}, "Search"), keys);
form.replaceWith(search);
const line = h("div", { className: "line" }, form, action("Close", () => dialog.close()));
const dialog = h("dialog", { className: "find", ariaLabel: "Search" }, line);
document.body.append(dialog);
let finder;
const loaded = () => (finder ??= import("./find.js").then(({ finderOf }) => finderOf(dialog, form)));
const openSearch = () => {
  if (dialog.open) return input.select();
  for (const one of document.querySelectorAll("[popover]:popover-open")) one.hidePopover();
  dialog.showModal();
  input.select();
  // Without the results, Enter opens the search page.
  return loaded().then(({ find }) => find(), () => {});
};
search.addEventListener("click", openSearch);
form.addEventListener("submit", (event) => {
  if (input.value.trim() === "") return;
  event.preventDefault();
  loaded().then(({ open }) => open(), () => form.submit());
});
dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  const isSlash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey;
  const isK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (!isSlash && !isK) return;
  event.preventDefault();
  openSearch();
});

/** Decodes a text as far as it is valid percent-encoding. */
const decoded = (text) => text.replaceAll(/(%[0-9a-f]{2})+/gi, (part) => new URLSearchParams(`x=${part}`).get("x"));

/** Unfolds the section to which the URL refers. */
function unfold() {
  const target = document.getElementById(decoded(location.hash.slice(1)));
  for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", unfold);
if (location.hash !== "") unfold();

// A button for the color scheme, at the end of the header.
const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const button = action("", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  label();
});
button.classList.add("theme");
const label = () => (button.textContent = isDark() ? "Light" : "Dark");
dark.addEventListener("change", label);
label();
document.querySelector("header").append(button);
