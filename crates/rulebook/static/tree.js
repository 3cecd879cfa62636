// The tree of modules and methods: it is one tab stop, keeps which modules are unfolded, and dims the methods that the
// caller may not call.

import { h } from "./element.js";

/** Keeps which modules are unfolded while the browser tab is open. The module of the page is always unfolded. */
export function keepFolds(tree) {
  const folds = [...tree.querySelectorAll("details")];
  const name = (fold) => fold.querySelector("summary").textContent;
  const stored = JSON.parse(sessionStorage.getItem("folds") ?? "{}");
  for (const fold of folds) {
    fold.open ||= stored[name(fold)] === true;
    fold.addEventListener("toggle", () => {
      stored[name(fold)] = fold.open;
      sessionStorage.setItem("folds", JSON.stringify(stored));
    });
  }
}

/** Makes the tree one tab stop. The keys in the hint move between its entries, which stay links for screen readers. */
export function moveByKeys(tree) {
  const entries = [...tree.querySelectorAll("a, summary")];
  const shown = () => entries.filter((one) => !one.matches("details:not([open]) > ul *"));
  const setStop = (stop) => {
    for (const one of entries) one.tabIndex = one === stop ? 0 : -1;
  };
  setStop(tree.querySelector('[aria-current="page"]') ?? entries[0]);
  tree.append(h("p", { className: "keys" }, "↑ ↓ move, → ← unfold and fold"));
  tree.addEventListener("focusin", ({ target }) => entries.includes(target) && setStop(target));
  // A fold may hide the tab stop. The event does not bubble.
  const onToggle = ({ target }) =>
    shown().every((one) => one.tabIndex < 0) && setStop(target.querySelector("summary"));
  tree.addEventListener("toggle", onToggle, true);
  tree.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const all = shown();
    const at = all.indexOf(target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const fold = target.closest("details");
    const isModule = target.tagName === "SUMMARY";
    let next = { ArrowDown: all[at + 1], ArrowUp: all[at - 1], Home: all[0], End: all.at(-1) }[key];
    if (key === "ArrowRight" && isModule) {
      if (fold.open) next = all[at + 1];
      fold.open = true;
    } else if (key === "ArrowLeft" && fold) {
      if (isModule) fold.open = false;
      else next = fold.querySelector("summary");
    } else if (/^[\p{L}\p{N}]$/u.test(key)) {
      const starts = (one) => one.textContent.trim().toLowerCase().startsWith(key.toLowerCase());
      next = [...all.slice(at + 1), ...all.slice(0, at)].find(starts);
    }
    next?.focus();
    if (next || /^(Arrow|Home|End)/.test(key)) event.preventDefault();
  });
}

/** Scrolls the tree to the entry of this page. */
export function showCurrent(tree) {
  const current = tree.querySelector('[aria-current="page"]');
  if (!current || tree.matches(":popover-open")) return;
  const { top, bottom } = current.getBoundingClientRect();
  const box = tree.getBoundingClientRect();
  if (top < box.top || bottom > Math.min(box.bottom, innerHeight)) tree.scrollTop += top - box.top - box.height / 3;
}

/** Returns a number by which two credentials are distinguished, so that only one place stores the credential. */
const mark = (text) => [...text].reduce((sum, character) => (Math.imul(sum, 31) + character.codePointAt(0)) | 0, 7);

/** Returns the paths of the methods that the caller with this credential may call; undefined if the server does not say.
    The start page for the caller lists them. The browser keeps them while its tab is open. */
async function callable(home, scheme, typed) {
  const kept = JSON.parse(sessionStorage.getItem("callable") ?? "null");
  if (kept?.mark === mark(typed)) return kept.paths;
  const url = new URL(home);
  url.searchParams.set("as", "me");
  const options = { headers: scheme.fieldsOfPage(typed), credentials: scheme.fetchOption };
  const response = await fetch(url, options).catch(() => undefined);
  if (!response?.ok) return undefined;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const links = [...page.querySelectorAll(".tree .method")];
  const paths = links.map((link) => new URL(link.getAttribute("href"), home).pathname);
  sessionStorage.setItem("callable", JSON.stringify({ mark: mark(typed), paths }));
  return paths;
}

/** Dims the methods that the caller with the stored credential may not call, and removes the locks of the others. `home`
    is the URL of the start page. */
export async function dimForbidden(tree, home) {
  const { credential } = tree.querySelector(".modules").dataset;
  // Documents for the caller contain only methods that the caller may call.
  if (credential === undefined || new URL(home).searchParams.has("as")) return;
  const locks = [...tree.querySelectorAll(".lock")];
  const isCookie = credential.startsWith("Cookie:");
  let shown = "";
  const show = async () => {
    // Most readers have no credential, and need no code for it.
    if (locks.length === 0 || (shown === "" && !isCookie && (sessionStorage.getItem("token") ?? "") === "")) return;
    const { Scheme } = await import("./credential.js");
    const scheme = new Scheme(credential);
    const typed = scheme.stored();
    if (typed === shown) return;
    shown = typed;
    const paths = typed === "" ? undefined : await callable(home, scheme, typed);
    if (shown !== typed) return;
    for (const lock of locks) {
      const link = lock.closest("a");
      const isCallable = paths?.includes(new URL(link.href).pathname) === true;
      lock.hidden = isCallable;
      link.classList.toggle("denied", paths !== undefined && !isCallable);
      lock.ariaLabel = paths === undefined ? "requires permissions" : "you may not call it";
      lock.title = lock.ariaLabel;
    }
  };
  document.addEventListener("change", show);
  await show();
}
