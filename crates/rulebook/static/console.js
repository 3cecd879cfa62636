// The console on the page of a method: a bar with the method and the button that calls it, the form, code that sends
// the same request, and the response. On small screens it is a sheet above the page.

import { Scheme } from "./credential.js";
import { MASK, revealed } from "./editors.js";
import { action, copyButton, escapeControls, h, tabsOf } from "./element.js";
import { form } from "./form.js";
import { highlight } from "./highlight.js";
import { isSecretParameter, parseDefinition, parsed, withoutSecrets } from "./kinds.js";
import { json, outputs } from "./rulebook.js";

/** The start of the fragment of a URL that contains the values of the form. */
const STATE = "#try&";
/** The maximum length of such a fragment. Longer values are not in the URL. */
const MAX_STATE = 6000;

/** Starts the console. `root` is the URL of the server. */
export async function startConsole(panel, root) {
  const { dataset } = panel.querySelector("[data-method]");
  const scheme = new Scheme(dataset.credential);
  const isPublic = dataset.public !== undefined;
  const place = panel.querySelector(".form");
  const call = h("button", { type: "submit", disabled: true, title: "Ctrl+Enter", className: "send" }, "Call");
  const status = h("p", { className: "status", role: "status" });
  panel.querySelector(".close").before(call);
  panel.querySelector(".bar").append(status);
  const response = h("div", { className: "response" });
  const folded = h("p", { className: "summary", hidden: true });
  const content = h("div");
  let element;
  let snippets;
  // Most readers do not need the code of the form. Until it is loaded, the tabs have the code of the server.
  const loadCode = async () => {
    ({ snippets } = await import("./snippets.js"));
    element?.refresh();
    panel.dataset.code = "loaded";
  };
  const { codes, choose } = tabs(panel, loadCode);

  const edit = () => {
    choose(0);
    folded.hidden = true;
    element.hidden = line.element.hidden = false;
    element.querySelector("input, select, textarea, .group button, .field button")?.focus();
  };
  const fold = (count) => {
    if (element.querySelector(".field") === null) return;
    const hadFocus = element.contains(document.activeElement);
    const button = action("Edit", edit);
    folded.replaceChildren(count === 1 ? "1 value · " : `${count || "No"} values · `, button);
    element.hidden = true;
    folded.hidden = false;
    line.element.hidden = isPublic && scheme.stored() === "";
    panel.scrollTop = 0;
    if (hadFocus) button.focus();
  };
  const line = credentialLine(scheme, root, !isPublic);
  const onCalled = (result) => {
    choose(0);
    saveState(element);
    // What an error concerns is in the form, such as a wrong password.
    if (result.error === undefined && !result.isEdited) fold(result.values.size);
    else if (result.error?.status === 401) line.element.scrollIntoView({ block: "nearest" });
    else if (!result.isAtFields && response.getBoundingClientRect().top > innerHeight / 2) {
      const bar = panel.querySelector(".bar").getBoundingClientRect();
      panel.scrollBy(0, response.getBoundingClientRect().top - bar.bottom);
    }
    const token = tokenIn(result, scheme);
    if (token === undefined) return;
    const use = action("Use this token", () => {
      line.element.hidden = false;
      line.use(token);
      const said = h("span", { tabIndex: -1 }, "The next calls send this token.");
      use.replaceWith(said);
      said.focus();
    });
    use.classList.add("use");
    response.prepend(h("p", {}, use));
  };
  /** Returns the code of a call by its title. Secrets are masked if `hides` is true. */
  const codeOf = (next, hides) => {
    const typed = scheme.stored();
    const credential = typed !== "" && hides ? scheme.masked(typed, MASK) : typed;
    const sample = isPublic && typed === "" ? undefined : scheme.sample(credential);
    return snippets(root.href.replace(/\/$/, ""), next(hides), sample);
  };
  const onChange = (next) => {
    if (snippets === undefined) return;
    const texts = codeOf(next, true);
    for (const [name, code] of codes) {
      code.textContent = escapeControls(texts[name]);
      highlight(code, code.dataset.language);
    }
  };
  for (const [name, code] of codes) {
    const text = async () => {
      if (snippets === undefined) await loadCode();
      return element === undefined ? code.textContent : codeOf(element.callOfCode, false)[name];
    };
    code.closest("figure").prepend(copyButton(text));
  }
  const show = async () => {
    const [values, examples] = [dataset.values, dataset.examples].map(parseDefinition);
    const described = new Map([...document.querySelectorAll("[data-key]")].map((entry) => [entry.dataset.key, entry]));
    const words = (key) => described.get(key)?.querySelector(".words")?.textContent;
    const isSafe = dataset.safe !== undefined;
    const options = { button: call, status, response, onCalled, onChange, words, values, examples, isSafe };
    try {
      element = await form(root, dataset.method, dataset.uri, scheme, options);
    } catch (error) {
      content.textContent = escapeControls(`The form cannot be shown: ${error.message}. Use one of the examples instead.`);
      // With another credential, the definition may contain the method.
      line.element.addEventListener("change", show, { once: true });
      return;
    }
    loadState(element);
    content.replaceChildren(element);
    call.disabled = false;
    element.addEventListener("change", () => saveState(element));
    line.element.addEventListener("input", element.refresh);
    element.refresh();
  };
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const isShortcut = (event.ctrlKey || event.metaKey) && !call.disabled && call.checkVisibility();
    // A key that is held sends one request, and does not press the button that has got the focus by it.
    const isHeld = event.repeat && !event.target.matches("textarea");
    if (isShortcut || isHeld) event.preventDefault();
    if (isShortcut && !event.repeat) element.requestSubmit();
  });
  addEventListener("hashchange", () => {
    if (!element || !location.hash.startsWith(STATE)) return;
    loadState(element);
    element.refresh();
  });
  addSheet(panel, () => (element ? edit() : panel.focus()));
  await show();
  place.replaceChildren(line.element, folded, content, response);
}

/** Turns the sections of the panel into tabs, and returns their code by name. `loadCode` is called when the reader opens
    one with code. */
function tabs(panel, loadCode) {
  const pairs = [...panel.querySelectorAll(".tabs > section")].map((section) => {
    const heading = section.querySelector("h3");
    heading.remove();
    return [heading.textContent, section];
  });
  const { list, choose } = tabsOf("Ways to call the method", pairs, (index) => {
    sessionStorage.setItem("tab", pairs[index][0]);
    if (index > 0) loadCode();
  });
  panel.querySelector(".tabs").prepend(list);
  const last = pairs.findIndex(([name]) => name === sessionStorage.getItem("tab"));
  choose(Math.max(last, 0));
  if (last > 0) loadCode();
  const all = pairs.map(([name, section]) => [name, section.querySelector("code[data-language]")]);
  const codes = new Map(all.filter(([, code]) => code));
  for (const code of codes.values()) {
    highlight(code, code.dataset.language);
    code.closest("pre").tabIndex = 0;
  }
  return { codes, choose };
}

/** Returns the input for a credential of a scheme, and a function that stores a credential. */
function credentialLine(scheme, root, isRequired) {
  const placeholder = isRequired ? "required for this method" : "none";
  const options = { id: "token", type: "password", autocomplete: "off", spellcheck: false, placeholder };
  const input = h("input", { ...options, value: scheme.stored() });
  input.addEventListener("input", () => scheme.store(input.value, root));
  const element = h("form", { className: "token" }, h("label", { htmlFor: input.id }, scheme.label), revealed(input));
  element.addEventListener("submit", (event) => event.preventDefault());
  const use = (token) => {
    input.value = token;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  return { element, use };
}

/** Names of outputs that are credentials. */
const TOKEN = /^((access|auth|bearer|api|session)[_-]?)?(token|jwt)$|^api[_-]?key$/i;

/** Returns the credential in a response: a text among the outputs of the method, or in an object among them, whose name
    is that of a token, of the header field or of the cookie in which the API expects the credential. */
function tokenIn({ response, json: body, method, error }, scheme) {
  if (error || body === undefined || scheme.isBasic) return undefined;
  const plain = (name) => name.toLowerCase().replace(/^x-|[_-]/g, "");
  const isName = (name) => TOKEN.test(name) || plain(name) === plain(scheme.cookie ?? scheme.name);
  const find = (value, depth) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
    const [, token] =
      Object.entries(value).find(([name, one]) => typeof one === "string" && one !== "" && isName(name)) ?? [];
    if (token !== undefined || depth === 0) return token;
    return Object.values(value).map((one) => find(one, depth - 1)).find((one) => one !== undefined);
  };
  return find(outputs(method, response, body), 1);
}

/** Returns the values of a form for a URL: without credentials, other secrets and files. */
function stateOf(form) {
  const { values } = form.call();
  const isPrivate = ({ place, key }) => key === undefined || place === "cookie";
  const pairs = [...values]
    .filter(([parameter, value]) => !isPrivate(parameter) && ![value].flat().some((one) => one instanceof Blob))
    .map(([parameter, value]) => [parameter, withoutSecrets(value, undefined, isSecretParameter(parameter))])
    .filter(([, value]) => value !== undefined);
  const text = (value) => (typeof value === "string" && parsed(value) === undefined ? value : json(value));
  return String(new URLSearchParams(pairs.map(([{ key }, value]) => [key, text(value)])));
}

/** Writes the values of a form to the address of the page, if they differ from those with which the form begins. */
function saveState(form) {
  const state = stateOf(form);
  const isStart = state === form.dataset.start || state.length > MAX_STATE;
  if (isStart && !location.hash.startsWith(STATE)) return;
  history.replaceState(history.state, "", isStart ? location.pathname + location.search : STATE + state);
}

/** Fills a form with the values in the address of the page. */
function loadState(form) {
  form.dataset.start ??= stateOf(form);
  if (!location.hash.startsWith(STATE)) return;
  const values = [...new URLSearchParams(location.hash.slice(STATE.length))].map(([key, text]) => {
    const value = parsed(text);
    return [key, value === undefined ? text : value];
  });
  const secrets = form.call().method.parameters.filter((one) => isSecretParameter(one) && form.start.has(one.key));
  form.setAll(new Map([...secrets.map(({ key }) => [key, form.start.get(key)]), ...values]));
}

/** Makes the panel a dialog while it is open above the page on a phone, and lets the second link of the page lead to the
    form. */
function addSheet(panel, focusForm) {
  const [isColumn, isBeside] = [80, 48].map((width) => matchMedia(`(min-width: ${width}rem)`));
  const others = () => [...document.querySelectorAll("body > header, body > .skip, main, .tree")];
  const setOpen = (isOpen) => {
    for (const other of others()) other.inert = isOpen;
    if (isOpen) panel.setAttribute("role", "dialog");
    else panel.removeAttribute("role");
    panel.ariaModal = isOpen ? "true" : null;
  };
  // The button that opened the panel can get the focus again only if it is not inert.
  panel.addEventListener("beforetoggle", ({ newState }) => newState === "closed" && setOpen(false));
  panel.addEventListener("toggle", ({ newState }) => {
    // A button that the reader pressed in the panel may be gone.
    if (newState !== "open")
      return document.activeElement === document.body && document.querySelector(".open-panel button").focus();
    setOpen(!isBeside.matches);
    // On a touch screen, a field with the focus would open the keyboard of the screen.
    if (panel.contains(document.activeElement)) return undefined;
    return matchMedia("(hover: hover)").matches ? focusForm() : panel.focus();
  });
  for (const query of [isColumn, isBeside])
    query.addEventListener("change", () => panel.matches(":popover-open") && panel.hidePopover());
  document.querySelector('.skip[href="#tab-try"]')?.addEventListener("click", (event) => {
    event.preventDefault();
    if (!isColumn.matches) panel.showPopover();
    focusForm();
  });
  if (location.hash.startsWith(STATE) && !isColumn.matches) panel.showPopover();
}
