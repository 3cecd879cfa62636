// The dialog of the search, which Ctrl-K and / open on every page. The server finds the results, as for the search
// page.

import { h } from "./element.js";

/** The time without a key after which the results are requested, in milliseconds. */
const DELAY = 120;

/** Replaces the search form by a button that opens a dialog with the form. */
export function addFinder(form) {
  const input = form.querySelector("[type=search]");
  const isMac = /mac|iphone|ipad/i.test(navigator.platform);
  const keys = h("kbd", { ariaHidden: "true" }, isMac ? "⌘K" : "Ctrl K");
  const shortcuts = { ariaKeyShortcuts: "Control+K Meta+K /" };
  const open = h("button", { type: "button", className: "open-find", ...shortcuts }, h("span", {}, "Search"), keys);
  form.replaceWith(open);
  const count = h("p", { className: "count", role: "status" });
  const results = h("div", { className: "results" });
  const close = h("button", { type: "button", className: "minor" }, "Close");
  const hint = h("p", { className: "hint" }, "↑ ↓ select, Enter opens, Escape closes");
  const line = h("div", { className: "line" }, form, close);
  const dialog = h("dialog", { className: "find", ariaLabel: "Search" }, line, count, results, hint);
  document.body.append(dialog);
  close.addEventListener("click", () => dialog.close());

  const links = () => [...results.querySelectorAll("a[href]")];
  /** Marks the result that Enter in the input opens. */
  const markFirst = () => {
    if (isFound && input.value.trim() !== "") links()[0]?.classList.add("chosen");
  };

  let asked;
  let found = Promise.resolve();
  /** Shows the results for the text in the input, and waits for them. */
  const find = () => {
    if (input.value !== asked) found = load((asked = input.value));
    return found;
  };
  let isFound = false;
  const load = async (query) => {
    const url = new URL(form.action);
    url.search = new URLSearchParams(new FormData(form));
    url.pathname += "/results";
    const response = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => undefined);
    const text = response?.ok ? await response.text() : undefined;
    // A later request may already have a response.
    if (query !== asked) return;
    isFound = false;
    if (text === undefined) {
      asked = undefined;
      results.replaceChildren(h("p", {}, "The server does not respond. Enter opens the search page."));
      return;
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const link of page.querySelectorAll("a[href]")) link.href = new URL(link.getAttribute("href"), url).href;
    for (const anchor of page.querySelectorAll(".anchor")) anchor.remove();
    // Suggestions are no results.
    isFound = page.querySelector("#suggestions") === null;
    // The ids are those of the page below.
    for (const one of page.querySelectorAll("[id]")) one.removeAttribute("id");
    const summary = [...page.querySelectorAll("body > p")].filter((line) => line.querySelector("a") === null);
    count.textContent = summary.map((line) => line.textContent).join(" ");
    for (const line of summary) line.remove();
    results.replaceChildren(...page.body.childNodes);
    results.scrollTop = 0;
    markFirst();
  };
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, DELAY);
  });

  const show = () => {
    if (dialog.open) return input.select();
    for (const one of document.querySelectorAll("[popover]:popover-open")) one.hidePopover();
    dialog.showModal();
    input.select();
    return find();
  };
  open.addEventListener("click", show);

  form.addEventListener("submit", async (event) => {
    if (input.value.trim() === "") return;
    event.preventDefault();
    clearTimeout(timer);
    const query = input.value;
    await find();
    // The reader may have typed more.
    if (query !== input.value) return;
    if (asked === undefined) form.submit();
    else if (isFound) links()[0]?.click();
  });
  results.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const { pathname } = new URL(form.action);
    // A suggestion replaces the words of the search.
    if (link?.pathname === pathname && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      input.value = new URL(link.href).searchParams.get("q");
      input.focus();
      find();
      return;
    }
    // A result on this page only scrolls to its place.
    if (link?.pathname === location.pathname && link.hash !== "" && !event.ctrlKey && !event.metaKey) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const all = links();
    const at = all.indexOf(document.activeElement);
    const isText = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "ArrowDown") (all[at + 1] ?? (at < 0 ? input : all[at])).focus();
    else if (event.key === "ArrowUp") (all[at - 1] ?? input).focus();
    // Otherwise, the first Escape would only empty the input.
    else if (event.key === "Escape") dialog.close();
    else if (at >= 0 && (isText || event.key === "Backspace")) return input.focus();
    else return undefined;
    return event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    const isSlash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey;
    const isK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!isSlash && !isK) return;
    event.preventDefault();
    show();
  });
}
