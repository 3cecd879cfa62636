// The results in the dialog of the search, which a page loads when a reader opens it. The server finds them, as for the
// search page.

import { h } from "./element.js";

/** The time without a key after which the results are requested, in milliseconds. */
const DELAY = 120;

/** Shows the results of the search form in its dialog. Returns functions that show the results for the text in the input,
    and open the first one. */
export function finderOf(dialog, form) {
  const input = form.querySelector("[type=search]");
  const count = h("p", { className: "count", role: "status" });
  const results = h("div", { className: "results" });
  const hint = h("p", { className: "hint" }, "↑ ↓ select, Enter opens, Escape closes");
  dialog.append(count, results, hint);

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

  const open = async () => {
    clearTimeout(timer);
    const query = input.value;
    await find();
    // The reader may have typed more.
    if (query !== input.value) return;
    if (asked === undefined) form.submit();
    else if (isFound) links()[0]?.click();
  };
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
  return { find, open };
}
