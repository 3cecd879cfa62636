// Adds to the documentation pages what needs JavaScript: the console that calls the method, copy buttons, highlighting,
// the filter of the tree, and the choice of the color scheme. Text of definitions is only inserted as text nodes.

import { copyButton, h } from "./element.js";
import { highlight } from "./highlight.js";

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
  code.closest("pre").tabIndex = 0;
  code.closest("figure").append(copyButton(() => code.textContent));
}

const panel = document.querySelector(".panel");
if (panel) import("./console.js").then(({ startConsole }) => startConsole(panel, root));

/** Shows only the modules and methods of the tree that contain all words. */
function addFilter(input, tree) {
  const modules = [...tree.children].map((item) => {
    const [name, ...links] = item.querySelectorAll("a");
    const text = (link) => `${link.textContent} ${link.title}`.toLowerCase();
    const methods = links.map((link) => ({ item: link.parentElement, text: `${name.textContent.toLowerCase()} ${text(link)}` }));
    return { item, text: text(name), methods };
  });
  const nothing = h("p", { className: "more", hidden: true }, "Nothing here contains this. Enter searches all texts.");
  tree.after(nothing);
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const contains = (text) => words.every((word) => text.includes(word));
    for (const { item, text, methods } of modules) {
      for (const method of methods) method.item.hidden = !contains(method.text);
      item.hidden = !contains(text) && methods.every((method) => method.item.hidden);
    }
    nothing.hidden = modules.some(({ item }) => !item.hidden);
  };
  input.addEventListener("input", filter);
}

const search = document.getElementById("search");
const tree = document.querySelector(".tree .modules");
addFilter(search, tree);
document.querySelector('.tree [aria-current="page"]')?.scrollIntoView({ block: "nearest" });
scrollTo(0, location.hash === "" ? 0 : scrollY);

// The key / selects the search, as on many sites.
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const drawer = document.getElementById("tree");
  if (!search.checkVisibility()) drawer.showPopover();
  search.select();
  search.focus();
});

/** Unfolds the section to which the URL refers. */
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", unfold);
if (location.hash !== "") unfold();

// A button for the color scheme, at the end of the header.
const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const button = h("button", { type: "button", className: "theme minor" });
const label = () => {
  button.textContent = isDark() ? "Light" : "Dark";
};
button.addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  label();
});
dark.addEventListener("change", label);
label();
document.querySelector("header").append(button);
