// Adds to the documentation pages what needs JavaScript: the form that calls the method, tabs, copy buttons,
// highlighting, the dialog of the search, and the choice of the color scheme. Text of definitions is only inserted as
// text nodes.

import { Scheme } from "./credential.js";
import { copyButton, escapeControls, h, tabsOf } from "./element.js";
import { addFinder } from "./find.js";
import { highlight } from "./highlight.js";
import { dimForbidden, keepFolds, showCurrent } from "./tree.js";

/** The URL of the server, behind any prefix of a reverse proxy. */
const root = new URL("../", import.meta.url);

document.documentElement.classList.add("scripted");

// The examples call the server of this page.
for (const block of document.querySelectorAll("[data-server]")) {
  const code = block.querySelector("code");
  code.textContent = code.textContent.replaceAll(block.dataset.server, root.href.replace(/\/$/, ""));
}

/** The texts of code that shows the values of a form. The page replaces the control characters in them. */
const changed = new WeakMap();

for (const code of document.querySelectorAll("figure code")) {
  if (code.dataset.language) highlight(code, code.dataset.language);
  code.closest("pre").tabIndex = 0;
  code.closest("figure").append(copyButton(() => changed.get(code) ?? code.textContent));
}

/** Replaces the text of code. */
function change(code, text) {
  changed.set(code, text);
  code.textContent = escapeControls(text);
  highlight(code, code.dataset.language);
}

/** Returns an input for a credential of this scheme. */
function credentialInput(scheme, isRequired) {
  const input = h("input", { id: "token", type: "password", autocomplete: "off", spellcheck: false });
  input.placeholder = isRequired ? "required for this method" : "none";
  input.value = scheme.stored();
  input.addEventListener("input", () => scheme.store(input.value, root));
  const line = h("form", { className: "token" }, h("label", { htmlFor: input.id }, scheme.label), input);
  line.addEventListener("submit", (event) => event.preventDefault());
  return line;
}

/** Replaces a placeholder by the form of its method, below the input for the credential. */
async function mount(placeholder, panel) {
  const scheme = new Scheme(placeholder.dataset.credential);
  const isPublic = placeholder.dataset.public !== undefined;
  const line = credentialInput(scheme, !isPublic);
  const content = h("div");
  const show = async () => {
    try {
      content.replaceChildren(await methodForm(placeholder.dataset, panel, scheme, isPublic, line));
    } catch (error) {
      content.replaceChildren(h("p", {}, `The form cannot be shown: ${error.message}. Use one of the examples instead.`));
      // With another credential, the definition may contain the method.
      line.addEventListener("change", show, { once: true });
    }
  };
  await show();
  placeholder.replaceChildren(line, content);
}

/** Returns the form of a method. Shows the response at the end of the panel. */
async function methodForm({ method, uri }, panel, scheme, isPublic, line) {
  const [{ form }, { snippets }] = await Promise.all([import("./form.js"), import("./snippets.js")]);
  const described = new Map([...document.querySelectorAll("[data-key]")].map((entry) => [entry.dataset.key, entry]));
  const words = (key) => described.get(key)?.querySelector(".words")?.textContent;
  const token = () => scheme.stored();
  const onChange = (call) => {
    const typed = token();
    const credential = isPublic && typed === "" ? undefined : scheme.sample(typed);
    const texts = snippets(root.href.replace(/\/$/, ""), call, credential);
    // The button of a tab has the name of the language.
    for (const section of panel.querySelectorAll(".tabs > section")) {
      const text = texts[document.getElementById(section.getAttribute("aria-labelledby")).textContent];
      if (text !== undefined) change(section.querySelector("code"), text);
    }
  };
  const response = h("div", { className: "response", role: "status" });
  const element = await form(root, method, token, uri, { scheme, words, onChange, response });
  line.addEventListener("input", () => element.dispatchEvent(new Event("input")));
  panel.append(h("h2", {}, "Response"), response);
  // Until the first call, the panel shows the example.
  const example = document.querySelector("#response ~ figure")?.cloneNode(true);
  if (example) {
    example.querySelector(".copy")?.replaceWith(copyButton(() => example.querySelector("code").textContent));
    response.append(example);
  }
  return element;
}

/** Turns the sections of the panel into tabs. */
function addTabs(panel) {
  const pairs = [...panel.querySelectorAll(".tabs > section")].map((section) => {
    const heading = section.querySelector("h2");
    heading.remove();
    return [heading.textContent, section];
  });
  const store = (index) => sessionStorage.setItem("tab", pairs[index][0]);
  const { list, choose } = tabsOf("Ways to call the method", pairs, store);
  panel.querySelector(".tabs").prepend(list);
  choose(Math.max(pairs.findIndex(([name]) => name === sessionStorage.getItem("tab")), 0));
}

for (const panel of document.querySelectorAll(".panel")) {
  addTabs(panel);
  const placeholder = panel.querySelector("[data-method]");
  mount(placeholder, panel);
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
showCurrent(tree);
dimForbidden(tree, home);
addFinder(document.querySelector("header form"));

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
