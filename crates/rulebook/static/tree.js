// The tree of modules and methods: it keeps which modules are unfolded, and dims the methods that the caller may not
// call.

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
